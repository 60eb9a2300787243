//! Sign changes of f′ and f″ on the grid, above the noise of rounding.

use crate::grid::{Grid, HALF, NODES};
use crate::lanes::{Lanes, add, fma1, mul, sub};

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

/// Where something may be: of each panel of a group, bit i stands for the cell after node i.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    changes: Vec<[u8; 8]>,
    dips: Vec<[u8; 8]>,
    /// Whether any value is within the noise; cells alone say nothing then.
    is_noisy: bool,
}

impl Trace<'_> {
    /// All brackets by ascending x.
    #[inline(always)]
    pub(crate) fn brackets_into(&self, grid: &Grid, flags: &mut Flags, out: &mut Vec<Bracket>) {
        out.clear();
        self.flags_into(grid, flags);
        let mut first = [None; 2];
        // Both halves are walked outwards; the left one is then turned round.
        self.half_into(grid, 1, flags, &mut first[1], out);
        out.reverse();
        for bracket in out.iter_mut() {
            bracket.ends.swap(0, 1);
        }
        let middle = out.len();
        self.half_into(grid, 0, flags, &mut first[0], out);
        if let [Some(right), Some(left)] = first {
            self.across_the_middle(left, right, middle, out);
        }
    }

    /// Brackets of one half, outwards. Where values are within the noise the sign is carried over
    /// them from panel to panel, and `first` is the significant node nearest to the middle.
    #[inline(always)]
    fn half_into(&self, grid: &Grid, half: usize, flags: &Flags, first: &mut Option<Place>, out: &mut Vec<Bracket>) {
        let mut last = None;
        for group in 0..grid.groups() {
            if flags.is_noisy {
                for lane in 0..8 {
                    self.walk(grid, half, group * 8 + lane, &mut last, first, out);
                }
                continue;
            }
            let at = half * grid.groups() + group;
            let changes = u64::from_le_bytes(flags.changes[at]);
            let mut open = changes | u64::from_le_bytes(flags.dips[at]);
            while open != 0 {
                let bit = open.trailing_zeros() as usize;
                let (lane, i) = (bit / 8, bit % 8);
                let ends = [i, i + 1].map(|node| Place { half, node: (group * NODES + node) * 8 + lane });
                let is_dip = changes >> bit & 1 == 0;
                if !is_dip || self.dips(grid, at * NODES + i, lane) {
                    out.push(Bracket { ends, is_dip });
                }
                open &= open - 1;
            }
        }
    }

    /// Whether a lane has a dip between this vector and the next.
    #[inline(always)]
    fn dips(&self, grid: &Grid, vector: usize, lane: usize) -> bool {
        let (v, w, i) = (self.values, self.rates, vector % NODES);
        let width = grid.lobatto.nodes[i + 1] - grid.lobatto.nodes[i];
        is_dip(v[vector][lane], v[vector + 1][lane], w[vector][lane], w[vector + 1][lane], width)
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

    /// Eight panels at a time.
    #[inline(always)]
    fn flags_into(&self, grid: &Grid, flags: &mut Flags) {
        flags.changes.clear();
        flags.dips.clear();
        let mut least = [f64::INFINITY; 8];
        for (index, (v, w)) in self.values.chunks_exact(NODES).zip(self.rates.chunks_exact(NODES)).enumerate() {
            let noise = &self.noise[index % grid.groups() * NODES * 8..][..NODES * 8];
            for (v, noise) in v.iter().zip(noise.chunks_exact(8)) {
                for lane in 0..8 {
                    let above = f64::mul_add(-self.scale, noise[lane], v[lane].abs());
                    least[lane] = if above < least[lane] { above } else { least[lane] };
                }
            }
            // Sums of powers of two, for vectors of numbers are what comes cheap here.
            let (mut changes, mut dips) = ([0.0; 8], [0.0; 8]);
            let mut fall = mul(v[0], w[0]);
            for i in 0..NODES - 1 {
                let width = grid.lobatto.nodes[i + 1] - grid.lobatto.nodes[i];
                let bit = f64::from(1_u8 << i);
                let growth = mul(v[i + 1], w[i + 1]);
                for lane in 0..8 {
                    let (a, b, p, q) = (v[i][lane], v[i + 1][lane], w[i][lane], w[i + 1][lane]);
                    // A dip has none of these above zero.
                    let meet = meeting(a, b, p, q, width);
                    let dip = if fall[lane] > -growth[lane] { fall[lane] } else { -growth[lane] };
                    let dip = if meet > dip { meet } else { dip };
                    changes[lane] += if a * b < 0.0 { bit } else { 0.0 };
                    dips[lane] += if dip <= 0.0 { bit } else { 0.0 };
                }
                fall = growth;
            }
            // The last byte of a sum with 2⁵² is the whole number that was added.
            let bits = |sums: Lanes| sums.map(|sum| (sum + (1_u64 << 52) as f64).to_bits() as u8);
            flags.changes.push(bits(changes));
            flags.dips.push(bits(dips));
        }
        flags.is_noisy = least.iter().any(|least| *least <= 0.0);
    }

    /// Walks one panel outwards, passing over nodes within the noise.
    #[inline(always)]
    fn walk(
        &self,
        grid: &Grid,
        half: usize,
        panel: usize,
        last: &mut Option<Place>,
        first: &mut Option<Place>,
        out: &mut Vec<Bracket>,
    ) {
        let (group, lane) = (panel / 8, panel % 8);
        let at = (half * grid.groups() + group) * NODES;
        let (values, rates) = (&self.values[at..at + NODES], &self.rates[at..at + NODES]);
        // Value and rate at the last node, where that is of this panel.
        let mut neighbour = None;
        for i in 0..NODES {
            let here = Place { half, node: (group * NODES + i) * 8 + lane };
            let (b, q) = (values[i][lane], rates[i][lane]);
            if b.abs() <= self.scale * self.noise[here.node] {
                neighbour = None;
                continue;
            }
            first.get_or_insert(here);
            if let Some(before) = *last {
                let (a, p) = neighbour.unwrap_or_else(|| (self.value(before), f64::NAN));
                if a * b < 0.0 {
                    out.push(Bracket { ends: [before, here], is_dip: false });
                } else if i > 0 && is_dip(a, b, p, q, grid.lobatto.nodes[i] - grid.lobatto.nodes[i - 1]) {
                    out.push(Bracket { ends: [before, here], is_dip: true });
                }
            }
            (*last, neighbour) = (Some(here), Some((b, q)));
        }
    }
}

/// Whether values a, b of one sign with rates p, q at the ends of a cell may hide two zeros: both
/// tangents fall towards zero, and meet near it or beyond.
#[inline(always)]
fn is_dip(a: f64, b: f64, p: f64, q: f64, width: f64) -> bool {
    (a * b > 0.0) & (a * p < 0.0) & (b * q > 0.0) & (meeting(a, b, p, q, width) <= 0.0)
}

/// Not above zero where both tangents meet near zero or beyond.
#[inline(always)]
fn meeting(a: f64, b: f64, p: f64, q: f64, width: f64) -> f64 {
    f64::mul_add(p, f64::mul_add(q, width, a - b), 0.8 * a * (q - p))
}

/// d/dt of values that are only known at the nodes, by the panel's own interpolant.
#[inline(always)]
pub(crate) fn rates_by_interpolation(grid: &Grid, values: &[Lanes], out: &mut [Lanes]) {
    let [of_sums, of_differences] = &grid.lobatto.halves;
    for (v, out) in values.chunks_exact(NODES).zip(out.chunks_exact_mut(NODES)) {
        // The nodes are symmetric, so that each half of the table serves twice.
        let (mut sums, mut differences) = ([[0.0; 8]; HALF], [[0.0; 8]; HALF]);
        for j in 0..HALF {
            sums[j] = add(v[j], v[NODES - 1 - j]);
            differences[j] = sub(v[j], v[NODES - 1 - j]);
        }
        for i in 0..HALF {
            let (mut even, mut odd) =
                (mul([of_sums[i][0]; 8], sums[0]), mul([of_differences[i][0]; 8], differences[0]));
            for j in 1..HALF {
                even = fma1(of_sums[i][j], sums[j], even);
                odd = fma1(of_differences[i][j], differences[j], odd);
            }
            out[i] = add(odd, even);
            out[NODES - 1 - i] = sub(odd, even);
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
