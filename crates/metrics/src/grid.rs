//! Where slopes and curvatures are looked at: panels of eight Lobatto nodes over half the domain.
//!
//! Eight panels lie side by side in the lanes of a vector, so that neighbours within a panel are in
//! the same lane and nothing has to be shifted. Panels share their ends, so no sign change falls
//! between two of them. Only x ≥ 0 is tabulated: each member of a family is even or odd, and with
//! the sums E over even and O over odd members, f(±x) = E ± O.

use crate::combined::OnGrid;
use crate::family::Family;
use crate::lanes::{Lanes, STRIP, Strips, add, fma, load, mul, of_row, sub};
use std::f64::consts::PI;
use taut_numerics::{cos_pi, product_into, sin_pi};
use taut_problem::Series;

/// Nodes of a panel.
pub(crate) const NODES: usize = 8;
/// Pairs of nodes that lie opposite each other.
pub(crate) const HALF: usize = NODES / 2;
/// Radians of the fastest member that a panel may span: 8 nodes then see about 7 points per half-wave.
const PANEL_HALF_WAVES: f64 = 1.1;
/// Rounding errors of a sum of terms tᵢ stay below this many eps·max|c|·Σ|pᵢ|.
const NOISE: f64 = 4.0 * f64::EPSILON;
/// cos δ in powers of δ², the highest first.
const COSINE: [f64; 6] = [-1.0 / 3_628_800.0, 1.0 / 40_320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0];
/// sin δ / δ in the same way.
const SINE: [f64; 5] = [1.0 / 362_880.0, -1.0 / 5_040.0, 1.0 / 120.0, -1.0 / 6.0, 1.0];

/// The nodes, and the derivatives of the family at them.
///
/// Node n of panel 8·g + lane is number (g·8 + n)·8 + lane.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    groups: usize,
    /// x of each node, from 0 to 1.
    pub(crate) x: Vec<f64>,
    /// dx/dt with t ∈ \[-1, 1\] across a panel.
    pub(crate) stretch: Vec<f64>,
    /// Half a panel in its coordinate: an angle if x is the sine of one, else x itself.
    panel_stretch: f64,
    /// If x is the sine of an angle: cosine and sine of each panel's middle.
    middles: Option<Vec<[f64; 2]>>,
    /// Rounding noise of f′ and of f″ for coefficients up to 1.
    pub(crate) noise: [Vec<f64>; 2],
    /// Which members are even, and which odd.
    members: [Vec<usize>; 2],
    /// Derivatives of even and odd members, first and second.
    tables: [[Strips; 2]; 2],
    /// Members at x = -1 and x = 1.
    ends: Strips,
    /// The rule of one panel.
    pub(crate) lobatto: Lobatto,
}

/// Rows whose derivatives are tabulated together: their table stays in the nearest caches.
pub(crate) const ROWS: usize = 8;

impl Grid {
    pub(crate) fn new(family: &Family) -> Self {
        let groups = (family.half_waves() / (PANEL_HALF_WAVES * 8.0)).ceil().max(1.0) as usize;
        let lobatto = Lobatto::new();
        let panels = (groups * 8) as f64;
        let (mut x, mut stretch) = (Vec::new(), Vec::new());
        for group in 0..groups {
            for t in lobatto.nodes {
                for lane in 0..8 {
                    // The end of a panel and the start of the next must have the same bits.
                    let s = ((group * 8 + lane) as f64 + 0.5 * (t + 1.0)) / panels;
                    x.push(family.point(s));
                    stretch.push(family.stretch(s) * 0.5 / panels);
                }
            }
        }
        let is_angular = matches!(family.series, Series::Legendre { .. });
        let middle = |panel: usize| (panel as f64 + 0.5) / panels / 2.0;
        let middles = (0..groups * 8).map(|panel| [cos_pi(middle(panel)), sin_pi(middle(panel))]).collect();
        let m = family.len();
        let of_parity = |even: bool| (0..m).filter(|&k| family.series.is_even(k) == even).collect::<Vec<_>>();
        let members = [of_parity(true), of_parity(false)];
        let derivative = |order: u8| {
            let table = family.series.table(&x, order);
            let noise = (0..x.len()).map(|j| NOISE * (0..m).map(|k| table[k * x.len() + j].abs()).sum::<f64>());
            let strips = members.each_ref().map(|members| {
                let rows: Vec<f64> =
                    members.iter().flat_map(|k| &table[k * x.len()..(k + 1) * x.len()]).copied().collect();
                Strips::new(&rows, members.len(), x.len())
            });
            (noise.collect::<Vec<_>>(), strips)
        };
        let (first, second) = (derivative(1), derivative(2));
        let ends = Strips::new(&family.table(&[-1.0, 1.0]), m, 2);
        Self {
            groups,
            stretch,
            panel_stretch: if is_angular { PI / 4.0 / panels } else { 0.5 / panels },
            middles: is_angular.then_some(middles),
            noise: [first.0, second.0],
            members,
            tables: [first.1, second.1],
            ends,
            lobatto,
            x,
        }
    }

    /// The number of vectors of one row and one derivative: sides × groups × nodes.
    pub(crate) fn vectors(&self) -> usize {
        2 * self.groups * NODES
    }

    /// Groups of eight panels on each side.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Cosine and sine of the middles of eight panels; nothing where x is no sine of an angle.
    #[inline(always)]
    pub(crate) fn middles_of(&self, panels: [usize; 8]) -> Option<[Lanes; 2]> {
        let middles = self.middles.as_ref()?;
        let (mut co, mut si) = ([0.0; 8], [0.0; 8]);
        for lane in 0..8 {
            [co[lane], si[lane]] = middles[panels[lane]];
        }
        Some([co, si])
    }

    /// dx/dt at one place each of eight panels with these middles.
    #[inline(always)]
    pub(crate) fn stretch_at(&self, middles: &Option<[Lanes; 2]>, t: Lanes) -> Lanes {
        let whole = [self.panel_stretch; 8];
        let Some([co, si]) = middles else { return whole };
        // cos(φ + δ) about a panel's middle; |δ| is at most π/32, so six terms suffice.
        let d = mul(whole, t);
        let q = mul(d, d);
        let (mut even, mut odd) = ([COSINE[0]; 8], [SINE[0]; 8]);
        for term in &COSINE[1..] {
            even = fma(even, q, [*term; 8]);
        }
        for term in &SINE[1..] {
            odd = fma(odd, q, [*term; 8]);
        }
        mul(whole, sub(mul(*co, even), mul(*si, mul(d, odd))))
    }

    /// x of a node's eight panels.
    #[inline(always)]
    pub(crate) fn eight(table: &[f64], node: usize) -> Lanes {
        load(&table[node * 8..node * 8 + 8])
    }
}

/// The derivatives of up to [`ROWS`] rows at all nodes.
#[derive(Default)]
pub(crate) struct Sheet {
    rows: usize,
    packed: [Vec<f64>; 2],
    products: [[Vec<f64>; 2]; 2],
    all: Vec<f64>,
    ends: Vec<f64>,
    /// Whether the first product of each derivative is of both halves, not of the even members.
    is_whole: bool,
}

impl Sheet {
    /// Tabulates combinations of few series.
    pub(crate) fn combine(&mut self, on_grid: &OnGrid, weights: &[f64], rank: usize) {
        (self.rows, self.is_whole) = (weights.len() / rank, true);
        for (products, derivative) in self.products.iter_mut().zip(&on_grid.derivatives) {
            let columns = derivative.len() / rank;
            products[0].resize(self.rows * columns, 0.0);
            product_into(weights, derivative, &mut products[0], rank, columns);
        }
        on_grid.ends.product_into(weights, self.rows, &mut self.ends);
    }

    /// Tabulates canonical rows of length `stride`.
    pub(crate) fn fill(&mut self, grid: &Grid, canonical: &[f64], stride: usize) {
        (self.rows, self.is_whole) = (canonical.len() / stride, false);
        let m = grid.members[0].len() + grid.members[1].len();
        self.all.clear();
        for (packed, members) in self.packed.iter_mut().zip(&grid.members) {
            packed.clear();
            for row in canonical.chunks_exact(stride) {
                packed.extend(members.iter().map(|&k| row[k]));
            }
        }
        for row in canonical.chunks_exact(stride) {
            self.all.extend_from_slice(&row[..m]);
        }
        for (products, tables) in self.products.iter_mut().zip(&grid.tables) {
            for ((product, table), packed) in products.iter_mut().zip(tables).zip(&self.packed) {
                table.product_into(packed, self.rows, product);
            }
        }
        grid.ends.product_into(&self.all, self.rows, &mut self.ends);
    }

    /// f(−1) and f(1).
    pub(crate) fn ends(&self, row: usize) -> [f64; 2] {
        [self.ends[row * STRIP], self.ends[row * STRIP + 1]]
    }

    /// The derivatives g′ and g″ of the two halves g(s) = f(s) and g(s) = f(−s), s from 0 to 1; where they are not there
    /// already, they are put into `scratch`.
    #[inline(always)]
    pub(crate) fn halves<'a>(&'a self, row: usize, scratch: &'a mut [Vec<Lanes>; 2]) -> [&'a [Lanes]; 2] {
        if self.is_whole {
            return [0, 1].map(|order| {
                let columns = self.products[order][0].len() / self.rows;
                self.products[order][0][row * columns..(row + 1) * columns].as_chunks().0
            });
        }
        let [slopes, bends] = scratch;
        let half = slopes.len() / 2;
        for node in 0..half {
            let at = |order: usize, parity: usize| of_row(&self.products[order][parity], self.rows, row, node);
            // The derivative of an even function is odd.
            let (even, odd) = (at(0, 0), at(0, 1));
            slopes[node] = add(odd, even);
            slopes[half + node] = sub(even, odd);
            let (even, odd) = (at(1, 0), at(1, 1));
            bends[node] = add(even, odd);
            bends[half + node] = sub(even, odd);
        }
        scratch.each_ref().map(Vec::as_slice)
    }
}

/// The eight-point Lobatto rule: both ends are nodes, exact to degree 13.
#[derive(Clone, Debug)]
pub(crate) struct Lobatto {
    pub(crate) nodes: [f64; NODES],
    pub(crate) weights: [f64; NODES],
    /// Values at the nodes to the highest two Legendre coefficients of their interpolant.
    pub(crate) top: [[f64; NODES]; 2],
    /// Values at the nodes to derivatives at the first half of the nodes: of sums of two values that lie opposite each
    /// other, and of differences. At the other half the first part has the other sign.
    pub(crate) halves: [[[f64; HALF]; HALF]; 2],
}

impl Lobatto {
    fn new() -> Self {
        let mut nodes = [0.0; NODES];
        for (i, node) in nodes.iter_mut().enumerate() {
            let mut x = -taut_numerics::cos_pi(i as f64 / 7.0);
            // Newton for P′₇ = 0, with P″ from Legendre's equation.
            if i > 0 && i < 7 {
                for _ in 0..20 {
                    let (p, d) = legendre(7, x);
                    x -= d * (1.0 - x * x) / (2.0 * x * d - 56.0 * p);
                }
            }
            *node = x;
        }
        let weights = nodes.map(|x| 2.0 / (56.0 * legendre(7, x).0.powi(2)));
        let top = [(6, 13.0 / 2.0), (7, 7.0 / 2.0)]
            .map(|(k, scale)| std::array::from_fn(|i| scale * weights[i] * legendre(k, nodes[i]).0));
        let derivative = differentiation(&nodes);
        let part = |sign: f64| {
            let entry = |i: usize, j: usize| 0.5 * (derivative[i][j] + sign * derivative[i][NODES - 1 - j]);
            std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j)))
        };
        Self { nodes, weights, top, halves: [part(1.0), part(-1.0)] }
    }
}

/// Pₖ and P′ₖ.
fn legendre(k: usize, x: f64) -> (f64, f64) {
    let (mut before, mut here) = ((0.0, 0.0), (1.0, 0.0));
    for j in 0..k {
        let odd = (2 * j + 1) as f64;
        let next = ((odd * x * here.0 - j as f64 * before.0) / (j + 1) as f64, before.1 + odd * here.0);
        (before, here) = (here, next);
    }
    here
}

/// Derivatives at the nodes of the polynomial through values at the nodes.
fn differentiation(nodes: &[f64; NODES]) -> [[f64; NODES]; NODES] {
    let weight = |i: usize| (0..NODES).filter(|&j| j != i).map(|j| nodes[i] - nodes[j]).product::<f64>();
    let mut out = [[0.0; NODES]; NODES];
    for i in 0..NODES {
        for j in (0..NODES).filter(|&j| j != i) {
            out[i][j] = weight(i) / weight(j) / (nodes[i] - nodes[j]);
            out[i][i] += 1.0 / (nodes[i] - nodes[j]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lobatto_is_exact_to_degree_thirteen() {
        let rule = Lobatto::new();
        for k in 0..=13 {
            let sum: f64 = (0..NODES).map(|i| rule.weights[i] * rule.nodes[i].powi(k)).sum();
            let exact = if k % 2 == 0 { 2.0 / f64::from(k + 1) } else { 0.0 };
            assert!((sum - exact).abs() < 1e-14, "{k}");
        }
        for i in 0..NODES {
            let slope: f64 = (0..NODES).map(|j| differentiation(&rule.nodes)[i][j] * rule.nodes[j].powi(7)).sum();
            assert!((slope - 7.0 * rule.nodes[i].powi(6)).abs() < 1e-12);
        }
    }

    /// The series for the stretch between nodes, against the derivative of x = sin(πs/2) itself.
    #[test]
    fn the_stretch_between_nodes_is_that_of_the_sine() {
        let grid = Grid::new(&Family::new(Series::Legendre { degree: 50 }));
        let panels = grid.groups * 8;
        for first in (0..panels).step_by(8) {
            let middles = grid.middles_of(std::array::from_fn(|lane| first + lane));
            for t in [-1.0, -0.77, -0.1, 0.0, 1e-9, 0.5, 1.0] {
                let got = grid.stretch_at(&middles, [t; 8]);
                for (lane, got) in got.iter().enumerate() {
                    let s = ((first + lane) as f64 + 0.5 * (t + 1.0)) / panels as f64;
                    let exact = PI / 2.0 * cos_pi(s / 2.0) * 0.5 / panels as f64;
                    // Of the largest, which is that at x = 0: x itself has no more digits.
                    assert!((got - exact).abs() <= 4.0 * f64::EPSILON * grid.stretch[0], "{first} {lane} {t}");
                }
            }
        }
        let flat = Grid::new(&Family::new(Series::Fourier { harmonics: 25 }));
        assert!(flat.middles_of([0; 8]).is_none());
        assert!((flat.stretch_at(&None, [0.3; 8])[5] - flat.stretch[0]).abs() <= 0.0);
    }

    #[test]
    fn panels_share_their_ends_to_the_last_bit() {
        for series in
            [Series::Legendre { degree: 50 }, Series::Fourier { harmonics: 25 }, Series::Cosine { harmonics: 7 }]
        {
            let grid = Grid::new(&Family::new(series));
            let x = |panel: usize, node: usize| grid.x[((panel / 8) * 8 + node) * 8 + panel % 8];
            assert!(x(0, 0).abs() <= 0.0);
            assert!((x(grid.groups * 8 - 1, 7) - 1.0).abs() <= 0.0);
            for panel in 1..grid.groups * 8 {
                assert_eq!(x(panel - 1, 7).to_bits(), x(panel, 0).to_bits());
            }
        }
    }
}
