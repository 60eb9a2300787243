//! Arc length from slopes on the grid.
//!
//! √(1 + f′²) has branch points where f′ = ±i. With a slope f′ ≈ σ(t − t₀) they lie at t₀ ± i/σ,
//! close to the real axis where f turns sharply. Panels far from such places are done by the grid's
//! own rule. The others are integrated in u with t = t₀ + sinh(u)/σ, which moves the branch points
//! to ±iπ/2 however steep the slope is; eight panels go side by side.

use crate::grid::{Grid, HALF, Lobatto, NODES};
use crate::lanes::{Lanes, add, fma, fma1, load, mul, sqrt, sub, total};
use crate::steep::{asinh, exp};
use nalgebra::DMatrix;
use taut_numerics::{GaussLegendre, Kernel, run_wide};

/// Coefficients of a panel's interpolant: one per slope and one per rate.
const TERMS: usize = 2 * NODES;
/// Errors of a rule are below the square of the highest two coefficients of its integrand; this
/// share of the panel's length leaves about 1e-11.
const TOP: f64 = 2e-5;
/// Slopes up to here cannot hide a kink.
const STEEP: f64 = 100.0;
/// Nodes of a stretch of u.
const STRETCH_NODES: usize = 16;
/// Length of a stretch of u that these nodes resolve next to a branch point at distance π/2.
const STRETCH: f64 = 3.6;
/// Stretches of a job, at most: enough for slopes up to e³⁵⁰.
const STRETCHES: f64 = 160.0;
/// Bisections of a panel, at most, where the map does not help: what is then left unresolved is
/// taken as it is, so that no function costs without bound.
const BISECTIONS: u32 = 48;
/// Zeros of the slope further than this from a panel's middle (its ends are at ±1) do not matter.
const NEAR: f64 = 3.0;

/// Rules for ∫√(1 + f′²) over a panel.
#[derive(Clone, Debug)]
pub(crate) struct ArcRule {
    /// Slopes and rates at opposite nodes, added and subtracted, to even and to odd Chebyshev coefficients of the slope: row
    /// by row of what goes in.
    coefficients: [[[f64; NODES]; NODES]; 2],
    nodes: [f64; STRETCH_NODES],
    weights: [f64; STRETCH_NODES],
    /// Values at the nodes to the highest two Legendre coefficients.
    top: [[f64; STRETCH_NODES]; 2],
}

/// A panel that the grid's own rule does not resolve.
#[derive(Clone, Copy, Debug)]
struct Panel {
    row: usize,
    /// Number of the panel on its half.
    index: usize,
    slopes: [f64; NODES],
    rates: [f64; NODES],
    length: f64,
    bisections: u32,
}

/// A part of a panel, with the zero of the slope that is nearest.
#[derive(Clone, Copy, Debug)]
struct Job {
    panel: usize,
    low: f64,
    high: f64,
    /// Where the slope vanishes, roughly, and its rate there.
    zero: f64,
    rate: f64,
}

/// Panels of several rows that wait for refinement.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    panels: Vec<Panel>,
    jobs: Vec<Job>,
    failed: Vec<Job>,
}

impl ArcRule {
    pub(crate) fn new(lobatto: &Lobatto) -> Self {
        let rule = GaussLegendre::new(STRETCH_NODES);
        let nodes: [f64; STRETCH_NODES] = std::array::from_fn(|i| rule.nodes[i]);
        let weights: [f64; STRETCH_NODES] = std::array::from_fn(|i| rule.weights[i]);
        let top = [STRETCH_NODES - 2, STRETCH_NODES - 1]
            .map(|k| std::array::from_fn(|i| (2 * k + 1) as f64 / 2.0 * weights[i] * legendre(k, nodes[i])));
        Self { coefficients: hermite(lobatto), nodes, weights, top }
    }

    /// The length of the panels of one row that the grid's rule resolves; the others are put aside.
    #[inline(always)]
    pub(crate) fn survey(
        &self,
        grid: &Grid,
        row: usize,
        slopes: &[Lanes],
        rates: &[Lanes],
        pending: &mut Pending,
    ) -> f64 {
        let mut sum = [0.0; 8];
        for (index, (v, w)) in slopes.chunks_exact(NODES).zip(rates.chunks_exact(NODES)).enumerate() {
            let group = index % grid.groups();
            // One flat loop: lane by lane the compiler takes the roots two at a time.
            let stretch = &grid.stretch[group * NODES * 8..][..NODES * 8];
            let mut roots = [0.0; NODES * 8];
            for ((root, v), stretch) in roots.iter_mut().zip(v.as_flattened()).zip(stretch) {
                *root = f64::mul_add(*v, *v, 1.0).sqrt() * stretch;
            }
            let (mut whole, mut six, mut seven) = ([0.0; 8], [0.0; 8], [0.0; 8]);
            for (node, g) in roots.chunks_exact(8).enumerate() {
                let g = load(g);
                whole = fma1(grid.lobatto.weights[node], g, whole);
                six = fma1(grid.lobatto.top[0][node], g, six);
                seven = fma1(grid.lobatto.top[1][node], g, seven);
            }
            let mut rough = steep_and_hidden(grid, group, v);
            for lane in 0..8 {
                rough[lane] |= six[lane].abs() + seven[lane].abs() > TOP * whole[lane];
                whole[lane] = if rough[lane] { 0.0 } else { whole[lane] };
            }
            sum = add(sum, whole);
            if rough != [false; 8] {
                for (lane, _) in rough.iter().enumerate().filter(|(_, rough)| **rough) {
                    pending.put_aside(grid, row, group * 8 + lane, lane, v, w);
                }
            }
        }
        total(sum)
    }

    /// Adds the lengths of what was put aside, and forgets it.
    ///
    /// A job's length does not depend on the jobs beside it, and a panel's jobs keep their order.
    pub(crate) fn finish(&self, grid: &Grid, pending: &mut Pending, lengths: &mut [f64]) {
        let Pending { panels, jobs, failed } = pending;
        while !jobs.is_empty() {
            // Neighbours in a batch should need about the same number of stretches.
            jobs.sort_by_key(|job| (job.rate * (job.high - job.low)).to_bits() >> 52);
            failed.clear();
            for batch in jobs.chunks(8) {
                let (length, is_good) = run_wide(Batch { rule: self, grid, panels, jobs: batch });
                for (lane, job) in batch.iter().enumerate() {
                    let panel = &mut panels[job.panel];
                    if is_good[lane] || panel.bisections >= BISECTIONS {
                        panel.length += length[lane];
                    } else {
                        panel.bisections += 1;
                        let middle = 0.5 * (job.low + job.high);
                        failed.push(Job { high: middle, ..*job });
                        failed.push(Job { low: middle, ..*job });
                    }
                }
            }
            std::mem::swap(jobs, failed);
        }
        for panel in panels.drain(..) {
            lengths[panel.row] += panel.length;
        }
    }

    /// Chebyshev coefficients of the slopes of eight panels. Nodes are symmetric, so that even terms see sums of slopes and
    /// differences of rates alone, and odd terms the others.
    #[inline(always)]
    fn interpolant(&self, slopes: &[Lanes; NODES], rates: &[Lanes; NODES]) -> [Lanes; TERMS] {
        let (mut a, mut seen) = ([[0.0; 8]; TERMS], [[[0.0; 8]; NODES]; 2]);
        for j in 0..HALF {
            let opposite = NODES - 1 - j;
            seen[0][j] = add(slopes[j], slopes[opposite]);
            seen[0][HALF + j] = sub(rates[j], rates[opposite]);
            seen[1][j] = sub(slopes[j], slopes[opposite]);
            seen[1][HALF + j] = add(rates[j], rates[opposite]);
        }
        for parity in 0..2 {
            let mut sums = [[0.0; 8]; NODES];
            for (seen, factors) in seen[parity].iter().zip(&self.coefficients[parity]) {
                for (sum, factor) in sums.iter_mut().zip(factors) {
                    *sum = fma1(*factor, *seen, *sum);
                }
            }
            for (k, sum) in sums.into_iter().enumerate() {
                a[2 * k + parity] = sum;
            }
        }
        a
    }
}

/// Eight jobs side by side.
#[derive(Default)]
struct Abreast {
    slopes: [Lanes; NODES],
    rates: [Lanes; NODES],
    low: Lanes,
    high: Lanes,
    zero: Lanes,
    rate: Lanes,
    index: [usize; 8],
}

impl Abreast {
    /// Spare lanes repeat the last job. Kept out of wide code, where the compiler would gather number by number, at
    /// several times the cost of moving them one by one.
    #[inline(never)]
    fn new(panels: &[Panel], jobs: &[Job]) -> Self {
        let mut abreast = Self::default();
        for lane in 0..8 {
            let job = &jobs[lane.min(jobs.len() - 1)];
            let panel = &panels[job.panel];
            for node in 0..NODES {
                abreast.slopes[node][lane] = panel.slopes[node];
                abreast.rates[node][lane] = panel.rates[node];
            }
            (abreast.low[lane], abreast.high[lane]) = (job.low, job.high);
            (abreast.zero[lane], abreast.rate[lane]) = (job.zero, job.rate);
            abreast.index[lane] = panel.index;
        }
        abreast
    }
}

impl Pending {
    /// Cuts a panel halfway between neighbouring zeros of its slope, those a little outside included.
    fn put_aside(&mut self, grid: &Grid, row: usize, index: usize, lane: usize, v: &[Lanes], w: &[Lanes]) {
        let nodes = &grid.lobatto.nodes;
        let (mut slopes, mut rates) = ([0.0; NODES], [0.0; NODES]);
        for node in 0..NODES {
            (slopes[node], rates[node]) = (v[node][lane], w[node][lane]);
        }
        let panel = self.panels.len();
        self.panels.push(Panel { row, index, slopes, rates, length: 0.0, bisections: 0 });
        // Without a zero anywhere near, the map is there to do no harm.
        let mut job = Job { panel, low: -1.0, high: 1.0, zero: 0.0, rate: 0.5 };
        let mut is_first = true;
        let mut see = |zero: f64, rate: f64, jobs: &mut Vec<Job>| {
            if !is_first {
                let cut = 0.5 * (job.zero + zero);
                if cut > job.low {
                    jobs.push(Job { high: cut.min(1.0), ..job });
                    job.low = cut;
                }
            }
            (job.zero, job.rate, is_first) = (zero, rate.abs(), false);
        };
        let before = -1.0 - slopes[0] / rates[0];
        if before < -1.0 && before > -NEAR {
            see(before, rates[0], &mut self.jobs);
        }
        for i in 0..NODES - 1 {
            let (a, b) = (slopes[i], slopes[i + 1]);
            if a * b <= 0.0 && a.abs() + b.abs() > 0.0 {
                let cell = nodes[i + 1] - nodes[i];
                see(nodes[i] + cell * a / (a - b), (b - a) / cell, &mut self.jobs);
            }
        }
        let after = 1.0 - slopes[7] / rates[7];
        if after > 1.0 && after < NEAR {
            see(after, rates[7], &mut self.jobs);
        }
        if job.low < 1.0 {
            self.jobs.push(job);
        }
    }
}

/// Panels with slopes so large that a kink may hide behind them: √(1 + f′²) = |f′| + h, and h ≤ 1
/// may be badly resolved although it is too small beside |f′| to show in the sum's coefficients.
#[inline(always)]
fn steep_and_hidden(grid: &Grid, group: usize, v: &[Lanes]) -> [bool; 8] {
    let mut out = [false; 8];
    let (mut low, mut high) = (v[0], v[0]);
    for v in v {
        for lane in 0..8 {
            low[lane] = if v[lane] < low[lane] { v[lane] } else { low[lane] };
            high[lane] = if v[lane] > high[lane] { v[lane] } else { high[lane] };
        }
    }
    let mut is_steep = false;
    for lane in 0..8 {
        is_steep |= (high[lane] > STEEP) | (low[lane] < -STEEP);
    }
    if !is_steep {
        return out;
    }
    let (mut whole, mut kink, mut six, mut seven) = ([0.0; 8], [0.0; 8], [0.0; 8], [0.0; 8]);
    for (node, v) in v.iter().enumerate() {
        let stretch = Grid::eight(&grid.stretch, group * NODES + node);
        let root = sqrt(fma(*v, *v, [1.0; 8]));
        let mut h = [0.0; 8];
        for lane in 0..8 {
            h[lane] = stretch[lane] / (root[lane] + v[lane].abs());
        }
        whole = fma1(grid.lobatto.weights[node], mul(root, stretch), whole);
        kink = fma1(grid.lobatto.weights[node], h, kink);
        six = fma1(grid.lobatto.top[0][node], h, six);
        seven = fma1(grid.lobatto.top[1][node], h, seven);
    }
    for lane in 0..8 {
        let top = six[lane].abs() + seven[lane].abs();
        let is_kinked = low[lane] <= 0.0 && high[lane] >= 0.0 || top * top > TOP * TOP * whole[lane] * kink[lane];
        out[lane] = (high[lane] > STEEP || low[lane] < -STEEP) && is_kinked;
    }
    out
}

/// Lengths of up to eight jobs, and whether each is resolved.
struct Batch<'a> {
    rule: &'a ArcRule,
    grid: &'a Grid,
    panels: &'a [Panel],
    jobs: &'a [Job],
}

impl Kernel for Batch<'_> {
    type Output = (Lanes, [bool; 8]);

    #[inline(always)]
    fn run(self) -> (Lanes, [bool; 8]) {
        let Self { rule, grid, panels, jobs } = self;
        let Abreast { slopes, rates, low, high, mut zero, mut rate, index } = Abreast::new(panels, jobs);
        let a = rule.interpolant(&slopes, &rates);
        let middles = grid.middles_of(index);
        for _ in 0..2 {
            sharpen(&a, &mut zero, &mut rate);
        }
        let (low, high) = (asinh(mul(rate, sub(low, zero))), asinh(mul(rate, sub(high, zero))));
        let (mut count, mut half, mut most) = ([0.0; 8], [0.0; 8], 0.0_f64);
        for lane in 0..8 {
            let range = high[lane] - low[lane];
            count[lane] = (range / STRETCH).ceil().clamp(1.0, STRETCHES);
            half[lane] = 0.5 * range / count[lane];
            most = if count[lane] > most { count[lane] } else { most };
        }
        let mut per_rate = [0.0; 8];
        for lane in 0..8 {
            per_rate[lane] = 0.5 / rate[lane];
        }
        // All stretches of a job are equally long, and nodes are symmetric: e to a node is a product, and so is its reciprocal.
        let mut spread = [[0.0; 8]; STRETCH_NODES];
        for (spread, node) in spread.iter_mut().zip(&rule.nodes) {
            *spread = exp(mul([*node; 8], half));
        }
        let (mut sum, mut is_good) = ([0.0; 8], [true; 8]);
        for stretch in 0..most as usize {
            let (mut middle, mut width) = ([0.0; 8], [0.0; 8]);
            for lane in 0..8 {
                let is_mine = (stretch as f64) < count[lane];
                middle[lane] = low[lane] + half[lane] * if is_mine { (2 * stretch + 1) as f64 } else { 1.0 };
                width[lane] = if is_mine { half[lane] } else { 0.0 };
            }
            let (mut whole, mut first, mut second) = ([0.0; 8], [0.0; 8], [0.0; 8]);
            let grown = exp(middle);
            let shrunk = reciprocal(grown);
            for i in 0..STRETCH_NODES {
                let up = mul(grown, spread[i]);
                let down = mul(shrunk, spread[STRETCH_NODES - 1 - i]);
                let t = fma(sub(up, down), per_rate, zero);
                let f = clenshaw(&a, t);
                let g = mul(sqrt(fma(f, f, [1.0; 8])), grid.stretch_at(&middles, t));
                let g = mul(mul(g, add(up, down)), per_rate);
                whole = fma1(rule.weights[i], g, whole);
                first = fma1(rule.top[0][i], g, first);
                second = fma1(rule.top[1][i], g, second);
            }
            sum = fma(width, whole, sum);
            for lane in 0..8 {
                // Beside its own stretch's length, within which slopes differ by a hundred at most.
                is_good[lane] &= first[lane].abs() + second[lane].abs() <= TOP * whole[lane];
            }
        }
        (sum, is_good)
    }
}

/// A Newton step towards the zero of the slope, where it lies within the panel.
#[inline(always)]
fn sharpen(a: &[Lanes; TERMS], zero: &mut Lanes, rate: &mut Lanes) {
    const H: f64 = 1e-4;
    let (above, below) = (clenshaw(a, add(*zero, [H; 8])), clenshaw(a, sub(*zero, [H; 8])));
    for lane in 0..8 {
        let slope = 0.5 * (above[lane] + below[lane]);
        let slant = (above[lane] - below[lane]) / (2.0 * H);
        let next = zero[lane] - slope / slant;
        if zero[lane].abs() <= 1.0 && next.abs() <= 1.0 && slant.abs() > 1e-3 {
            zero[lane] = next;
            rate[lane] = slant.abs();
        }
    }
}

/// Values and rates at the Lobatto nodes to Chebyshev coefficients, as [`ArcRule::coefficients`] has them.
fn hermite(lobatto: &Lobatto) -> [[[f64; NODES]; NODES]; 2] {
    let mut conditions = DMatrix::zeros(TERMS, TERMS);
    for (i, &t) in lobatto.nodes.iter().enumerate() {
        let (mut before, mut here) = ((t, 1.0), (1.0, 0.0));
        for k in 0..TERMS {
            conditions[(i, k)] = here.0;
            conditions[(NODES + i, k)] = here.1;
            let next = (2.0 * t * here.0 - before.0, 2.0 * here.0 + 2.0 * t * here.1 - before.1);
            (before, here) = (here, if k == 0 { (t, 1.0) } else { next });
        }
    }
    let inverse = conditions.lu().try_inverse().expect("Hermite interpolation at distinct nodes has one solution");
    [0, 1].map(|parity| {
        std::array::from_fn(|input| {
            let column = if input < HALF { input } else { NODES + input - HALF };
            std::array::from_fn(|k| inverse[(2 * k + parity, column)])
        })
    })
}

fn legendre(k: usize, x: f64) -> f64 {
    let (mut before, mut here) = (0.0, 1.0);
    for j in 0..k {
        let next = ((2 * j + 1) as f64 * x * here - j as f64 * before) / (j + 1) as f64;
        (before, here) = (here, next);
    }
    here
}

#[inline(always)]
fn reciprocal(a: Lanes) -> Lanes {
    let mut out = [0.0; 8];
    for lane in 0..8 {
        out[lane] = 1.0 / a[lane];
    }
    out
}

#[inline(always)]
fn clenshaw(a: &[Lanes; TERMS], t: Lanes) -> Lanes {
    let twice = add(t, t);
    let (mut one, mut two) = ([0.0; 8], [0.0; 8]);
    for k in (1..TERMS).rev() {
        let next = fma(twice, one, sub(a[k], two));
        (two, one) = (one, next);
    }
    fma(t, one, sub(a[0], two))
}
