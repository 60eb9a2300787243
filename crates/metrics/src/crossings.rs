//! Sign changes of f′ and f″ on the grid, above the noise of rounding.

use crate::grid::{Grid, NODES};
use crate::lanes::{Lanes, fma1, mul};

/// A stretch of one half at whose ends a derivative has opposite signs, or the same sign with a dip
/// towards zero in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bracket {
    /// Number of the node (see [`Grid`]) at each end, with the half it is on.
    pub(crate) ends: [Place; 2],
    /// Whether it is a dip: the signs at both ends are the same.
    pub(crate) is_dip: bool,
}

/// A node on one of the halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// 0 for x ≥ 0, 1 for x ≤ 0.
    pub(crate) half: usize,
    /// Number of the node.
    pub(crate) node: usize,
}

/// One derivative of one row: its values on both halves, with the derivative of those along a panel.
pub(crate) struct Trace<'a> {
    pub(crate) values: &'a [Lanes],
    /// d/dt of the values.
    pub(crate) rates: &'a [Lanes],
    /// Noise of rounding for coefficients up to 1, and the largest coefficient.
    pub(crate) noise: &'a [f64],
    pub(crate) scale: f64,
    /// Whether the derivative changes sign under x → −x: true for f′.
    pub(crate) is_slope: bool,
}

/// Which panels hold something, and whether any value is within the noise.
struct Flags {
    marked: Vec<u8>,
    is_noisy: bool,
}

impl Trace<'_> {
    /// All brackets by ascending x.
    #[inline(always)]
    pub(crate) fn brackets_into(&self, grid: &Grid, out: &mut Vec<Bracket>) {
        out.clear();
        let flags = self.flags(grid);
        let mut first = [None; 2];
        // Both halves are walked outwards; the left one is then turned round.
        self.half_into(grid, 1, &flags, &mut first[1], out);
        out.reverse();
        for bracket in out.iter_mut() {
            bracket.ends.swap(0, 1);
        }
        let middle = out.len();
        self.half_into(grid, 0, &flags, &mut first[0], out);
        if let [Some(right), Some(left)] = first {
            self.across_the_middle(left, right, middle, out);
        }
    }

    /// Brackets of one half, outwards. Where values are within the noise the sign is carried over
    /// them from panel to panel, and `first` is the significant node nearest to the middle.
    fn half_into(&self, grid: &Grid, half: usize, flags: &Flags, first: &mut Option<Place>, out: &mut Vec<Bracket>) {
        let mut last = None;
        for group in 0..grid.groups() {
            let marked = flags.marked[half * grid.groups() + group];
            for lane in 0..8 {
                if flags.is_noisy {
                    self.walk(grid, half, group * 8 + lane, &mut last, first, out);
                } else if marked >> lane & 1 == 1 {
                    self.walk(grid, half, group * 8 + lane, &mut None, &mut None, out);
                }
            }
        }
    }

    /// Opposite signs at the significant nodes nearest to the middle: a change between the halves.
    fn across_the_middle(&self, left: Place, right: Place, middle: usize, out: &mut Vec<Bracket>) {
        let turned = if self.is_slope { -self.value(left) } else { self.value(left) };
        if turned * self.value(right) < 0.0 {
            out.insert(middle, Bracket { ends: [left, right], is_dip: false });
        }
    }

    pub(crate) fn value(&self, place: Place) -> f64 {
        let half = self.values.len() / 2;
        self.values[place.half * half + place.node / 8][place.node % 8]
    }

    fn rate(&self, place: Place) -> f64 {
        let half = self.values.len() / 2;
        self.rates[place.half * half + place.node / 8][place.node % 8]
    }

    fn is_significant(&self, place: Place) -> bool {
        self.value(place).abs() > self.scale * self.noise[place.node]
    }

    /// Eight panels at a time: a bit for each panel with a sign change or a suspicious dip.
    #[inline(always)]
    fn flags(&self, grid: &Grid) -> Flags {
        let mut is_noisy = false;
        let mut marked = Vec::with_capacity(2 * grid.groups());
        let cells: [f64; 7] = std::array::from_fn(|i| grid.lobatto.nodes[i + 1] - grid.lobatto.nodes[i]);
        for (index, (v, w)) in self.values.chunks_exact(NODES).zip(self.rates.chunks_exact(NODES)).enumerate() {
            let group = index % grid.groups();
            let mut clear = [f64::INFINITY; 8];
            for (node, v) in v.iter().enumerate() {
                let noise = Grid::eight(self.noise, group * NODES + node);
                for lane in 0..8 {
                    let above = v[lane].abs() - self.scale * noise[lane];
                    clear[lane] = if above < clear[lane] { above } else { clear[lane] };
                }
            }
            is_noisy |= clear.iter().any(|c| *c <= 0.0);
            let mut seen = [0.0_f64; 8];
            for i in 0..7 {
                for lane in 0..8 {
                    let (a, b, p, q) = (v[i][lane], v[i + 1][lane], w[i][lane], w[i + 1][lane]);
                    let changes = if a * b < 0.0 { 1.0 } else { 0.0 };
                    let dips = if is_dip(a, b, p, q, cells[i]) { 1.0 } else { 0.0 };
                    seen[lane] += changes + dips;
                }
            }
            marked.push((0..8).fold(0, |bits, lane| bits | u8::from(seen[lane] > 0.0) << lane));
        }
        Flags { marked, is_noisy }
    }

    /// Walks one panel outwards, passing over nodes within the noise.
    fn walk(
        &self,
        grid: &Grid,
        half: usize,
        panel: usize,
        last: &mut Option<Place>,
        first: &mut Option<Place>,
        out: &mut Vec<Bracket>,
    ) {
        for i in 0..NODES {
            let here = Place { half, node: ((panel / 8) * NODES + i) * 8 + panel % 8 };
            if !self.is_significant(here) {
                continue;
            }
            if first.is_none() {
                *first = Some(here);
            }
            if let Some(before) = *last {
                let (a, b) = (self.value(before), self.value(here));
                if a * b < 0.0 {
                    out.push(Bracket { ends: [before, here], is_dip: false });
                } else if i > 0 && before.node + 8 == here.node {
                    let width = grid.lobatto.nodes[i] - grid.lobatto.nodes[i - 1];
                    if is_dip(a, b, self.rate(before), self.rate(here), width) {
                        out.push(Bracket { ends: [before, here], is_dip: true });
                    }
                }
            }
            *last = Some(here);
        }
    }
}

/// Whether values a, b of one sign with rates p, q at the ends of a cell may hide two zeros: both
/// tangents fall towards zero, and meet near it or beyond.
#[inline(always)]
fn is_dip(a: f64, b: f64, p: f64, q: f64, width: f64) -> bool {
    let turn = q - p;
    let meet = 0.8 * a * turn + p * (a - b + q * width);
    (a * b > 0.0) & (a * p < 0.0) & (b * q > 0.0) & (meet <= 0.0)
}

/// d/dt of values that are only known at the nodes, by the panel's own interpolant.
#[inline(always)]
pub(crate) fn rates_by_interpolation(grid: &Grid, values: &[Lanes], out: &mut [Lanes]) {
    for (v, out) in values.chunks_exact(NODES).zip(out.chunks_exact_mut(NODES)) {
        for (row, out) in grid.lobatto.derivative.iter().zip(out) {
            let mut sum = [0.0; 8];
            for (factor, v) in row.iter().zip(v) {
                sum = fma1(*factor, *v, sum);
            }
            *out = sum;
        }
    }
}

/// d/dt of f′ from f″: dx/dt times f″.
#[inline(always)]
pub(crate) fn rates_from_next(grid: &Grid, next: &[Lanes], out: &mut [Lanes]) {
    let half = grid.groups() * NODES;
    for (i, (next, out)) in next.iter().zip(out).enumerate() {
        *out = mul(*next, Grid::eight(&grid.stretch, i % half));
    }
}
