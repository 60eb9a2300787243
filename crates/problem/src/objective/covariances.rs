//! Least squares by second moments: L = ½ tr(W Sxx Wᵀ) − tr(W Syxᵀ) + ½ tr Syy.

use super::{Objective, Rows};
use crate::Moments;
use std::rc::Rc;
use taut_numerics::{Aligned, DMatrix, Factor, Kernel, lane_product_into, run_wide};

/// Sxx of all lanes.
enum Second {
    /// Columns of W, each with all its rows and lanes side by side, have one number per lane.
    Diagonal {
        /// inputs × lanes.
        variances: Aligned,
        inverses: Aligned,
    },
    /// Anything else.
    Full {
        /// inputs × inputs × lanes.
        sxx: Aligned,
        /// W*, which the loss is counted from.
        best: Aligned,
    },
}

/// Least squares of a matrix W, outputs × inputs, seen through Sxx = XXᵀ/n and Syx = YXᵀ/n.
///
/// A step costs one product with Sxx however many samples there are, and none where Sxx is diagonal or the inputs are
/// whitened. The loss
/// is ½⟨E, W − W*⟩ above its minimum, with E = W Sxx − Syx and the least-squares solution W* of least
/// norm, or ½ Σ E²/Sxx for a diagonal Sxx: small losses keep their digits, where a difference of traces would lose them.
/// A lane's bits are the same alone and among others.
pub struct Covariances {
    lanes: usize,
    inputs: usize,
    outputs: usize,
    samples: usize,
    sxx: Second,
    syx: Aligned,
    /// The smallest loss, per lane.
    floor: Vec<f64>,
}

impl Covariances {
    /// One lane per problem, all of one shape; `lanes` beyond the problems repeat the last one.
    ///
    /// # Panics
    /// If there is no problem, or their shapes differ.
    pub fn new(problems: &[&Moments], lanes: usize) -> Self {
        let of = |lane: usize| problems[lane.min(problems.len() - 1)];
        let (outputs, inputs) = problems[0].syx.shape();
        assert!(problems.iter().all(|p| p.syx.shape() == (outputs, inputs)), "one shape per bundle");
        let interleave = |size: usize, at: &dyn Fn(usize, usize) -> f64| -> Aligned {
            (0..size * lanes).map(|slot| at(slot / lanes, slot % lanes)).collect()
        };
        let identity = |entry: usize| f64::from(u8::from(entry % inputs == entry / inputs));
        let sxx = |entry, lane| of(lane).sxx.as_ref().map_or_else(|| identity(entry), |sxx| sxx.as_slice()[entry]);
        let variance = |input: usize, lane| sxx(input * (inputs + 1), lane);
        // Lanes are often of one problem, which is then solved once.
        let mut best: Vec<Rc<(DMatrix<f64>, f64)>> = Vec::with_capacity(lanes);
        for lane in 0..lanes {
            let like = (0..lane).find(|other| std::ptr::eq(of(*other), of(lane)));
            best.push(like.map_or_else(|| Rc::new(of(lane).best()), |other| Rc::clone(&best[other])));
        }
        Self {
            lanes,
            inputs,
            outputs,
            samples: problems[0].samples(),
            syx: interleave(outputs * inputs, &|entry, lane| of(lane).syx.as_slice()[entry]),
            floor: best.iter().map(|best| best.1).collect(),
            sxx: if problems.iter().all(|p| p.has_uncorrelated_inputs()) {
                Second::Diagonal {
                    variances: interleave(inputs, &variance),
                    inverses: interleave(inputs, &|input, lane| 1.0 / variance(input, lane)),
                }
            } else {
                Second::Full {
                    sxx: interleave(inputs * inputs, &sxx),
                    best: interleave(outputs * inputs, &|entry, lane| best[lane].0.as_slice()[entry]),
                }
            },
        }
    }
}

impl Objective for Covariances {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn entries(&self) -> usize {
        self.inputs * self.outputs
    }

    fn samples(&self) -> usize {
        self.samples
    }

    fn loss_and_grad_into(&mut self, beta: &[f64], rows: Rows<'_>, loss: &mut [f64], g: &mut [f64]) {
        assert!(matches!(rows, Rows::All), "moments have no rows to choose from");
        let lanes = self.lanes;
        match &self.sxx {
            Second::Diagonal { variances, inverses } => {
                let column = self.outputs * lanes;
                run_wide(Uncorrelated { lanes, column, variances, inverses, beta, syx: &self.syx, g, loss });
            }
            Second::Full { .. } => {
                self.hessian_apply_into(beta, g);
                let Second::Full { best, .. } = &self.sxx else { unreachable!("it was a moment ago") };
                run_wide(Residual { lanes, beta, syx: &self.syx, best, g, loss });
            }
        }
        for (loss, floor) in loss.iter_mut().zip(&self.floor) {
            // Rounding in directions without data may take the form below zero, where no loss is.
            let above = if *loss < 0.0 { 0.0 } else { *loss };
            *loss = 0.5 * above + floor;
        }
    }

    fn hessian_apply_into(&mut self, direction: &[f64], out: &mut [f64]) {
        match &self.sxx {
            Second::Diagonal { variances, .. } => {
                let column = self.outputs * self.lanes;
                let columns = direction.chunks_exact(column).zip(out.chunks_exact_mut(column));
                for ((direction, out), s) in columns.zip(variances.chunks_exact(self.lanes)) {
                    run_wide(Scaled { s, x: direction, out });
                }
            }
            Second::Full { sxx, .. } => {
                let direction = Factor::new(direction, self.outputs, self.inputs);
                lane_product_into(direction, Factor::new(sxx, self.inputs, self.inputs), out, self.lanes, false);
            }
        }
    }

    fn add_transposed(&self, _w: &[f64], _g: &mut [f64]) {
        unreachable!("moments have no rows to weigh");
    }

    fn mean_factor(&self) -> f64 {
        1.0 / self.outputs as f64
    }
}

/// Sums that are taken side by side, entry e (of a column) going to the one of e mod 8: the same order in one lane as in
/// many.
const SUMS: usize = 8;

/// g ← W Sxx − Syx for a diagonal Sxx, and Σ g²/Sxx.
struct Uncorrelated<'a> {
    lanes: usize,
    /// Rows of W times lanes.
    column: usize,
    variances: &'a [f64],
    inverses: &'a [f64],
    beta: &'a [f64],
    syx: &'a [f64],
    g: &'a mut [f64],
    loss: &'a mut [f64],
}

impl Kernel for Uncorrelated<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.lanes {
            1 => self.one_lane(),
            8 => self.eight_lanes(),
            _ => self.any_lanes(),
        }
    }
}

impl Uncorrelated<'_> {
    #[inline(always)]
    fn one_lane(self) {
        let mut all = 0.0;
        let columns = self.g.chunks_exact_mut(self.column).zip(self.syx.chunks_exact(self.column));
        let columns = columns.zip(self.beta.chunks_exact(self.column));
        for (((g, syx), beta), (s, inverse)) in columns.zip(self.variances.iter().zip(self.inverses)) {
            let mut sums = [0.0; SUMS];
            let blocks = g.as_chunks_mut::<SUMS>().0.iter_mut().zip(syx.as_chunks::<SUMS>().0);
            for ((g, syx), beta) in blocks.zip(beta.as_chunks::<SUMS>().0) {
                for i in 0..SUMS {
                    g[i] = s * beta[i] - syx[i];
                    sums[i] += g[i] * g[i];
                }
            }
            let rest = g.as_chunks_mut::<SUMS>().1.iter_mut().zip(syx.as_chunks::<SUMS>().1);
            for (((g, syx), beta), sum) in rest.zip(beta.as_chunks::<SUMS>().1).zip(&mut sums) {
                *g = s * beta - syx;
                *sum += *g * *g;
            }
            all += inverse * total(sums);
        }
        self.loss[0] = all;
    }

    #[inline(always)]
    fn eight_lanes(self) {
        let mut all = [0.0; 8];
        let columns = self.g.chunks_exact_mut(self.column).zip(self.syx.chunks_exact(self.column));
        let columns = columns.zip(self.beta.chunks_exact(self.column));
        let numbers = self.variances.as_chunks::<8>().0.iter().zip(self.inverses.as_chunks::<8>().0);
        for (((g, syx), beta), (s, inverse)) in columns.zip(numbers) {
            let sums = sums_of_entries(g, [syx, beta], |g, [syx, beta], sum| {
                for lane in 0..8 {
                    g[lane] = s[lane] * beta[lane] - syx[lane];
                    sum[lane] += g[lane] * g[lane];
                }
            });
            let sum = totals(sums);
            for lane in 0..8 {
                all[lane] += inverse[lane] * sum[lane];
            }
        }
        self.loss.copy_from_slice(&all);
    }

    #[inline(always)]
    fn any_lanes(self) {
        let Self { lanes, column, variances, inverses, beta, syx, g, loss } = self;
        for (lane, loss) in loss.iter_mut().enumerate() {
            *loss = 0.0;
            for (j, g) in g.chunks_exact_mut(column).enumerate() {
                let (s, inverse) = (variances[j * lanes + lane], inverses[j * lanes + lane]);
                let mut sums = [0.0; SUMS];
                for (entry, slot) in (lane..column).step_by(lanes).enumerate() {
                    g[slot] = s * beta[j * column + slot] - syx[j * column + slot];
                    sums[entry % SUMS] += g[slot] * g[slot];
                }
                *loss += inverse * total(sums);
            }
        }
    }
}

/// g ← g − Syx and ⟨g, β − W*⟩, entry by entry.
struct Residual<'a> {
    lanes: usize,
    beta: &'a [f64],
    syx: &'a [f64],
    best: &'a [f64],
    g: &'a mut [f64],
    loss: &'a mut [f64],
}

impl Kernel for Residual<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.lanes {
            1 => self.one_lane(),
            8 => self.eight_lanes(),
            _ => self.any_lanes(),
        }
    }
}

impl Residual<'_> {
    #[inline(always)]
    fn one_lane(self) {
        let mut sums = [0.0; SUMS];
        let whole = self.g.len() - self.g.len() % SUMS;
        let (g, rest) = self.g.split_at_mut(whole);
        let blocks = g.as_chunks_mut::<SUMS>().0.iter_mut().zip(self.syx.as_chunks::<SUMS>().0);
        let points = self.beta.as_chunks::<SUMS>().0.iter().zip(self.best.as_chunks::<SUMS>().0);
        for ((g, syx), (beta, best)) in blocks.zip(points) {
            for i in 0..SUMS {
                g[i] -= syx[i];
                sums[i] += g[i] * (beta[i] - best[i]);
            }
        }
        let last = rest.iter_mut().zip(&self.syx[whole..]).zip(self.beta[whole..].iter().zip(&self.best[whole..]));
        for (((g, syx), (beta, best)), sum) in last.zip(&mut sums) {
            *g -= syx;
            *sum += *g * (beta - best);
        }
        self.loss[0] = total(sums);
    }

    #[inline(always)]
    fn eight_lanes(self) {
        let others = [self.syx, self.beta, self.best];
        let sums = sums_of_entries(self.g, others, |g, [syx, beta, best], sum| {
            for lane in 0..8 {
                g[lane] -= syx[lane];
                sum[lane] += g[lane] * (beta[lane] - best[lane]);
            }
        });
        self.loss.copy_from_slice(&totals(sums));
    }

    #[inline(always)]
    fn any_lanes(self) {
        let Self { lanes, beta, syx, best, g, loss } = self;
        for (lane, loss) in loss.iter_mut().enumerate() {
            let mut sums = [0.0; SUMS];
            for (entry, slot) in (lane..g.len()).step_by(lanes).enumerate() {
                g[slot] -= syx[slot];
                sums[entry % SUMS] += g[slot] * (beta[slot] - best[slot]);
            }
            *loss = total(sums);
        }
    }
}

/// What `add` sums of entries in eight lanes, going along a list that it may change and some others. Sums are told apart by
/// numbers that the compiler knows, or they would lie in memory.
#[inline(always)]
fn sums_of_entries<const LISTS: usize>(
    changed: &mut [f64],
    others: [&[f64]; LISTS],
    add: impl Fn(&mut [f64; 8], [&[f64; 8]; LISTS], &mut [f64; 8]),
) -> [[f64; 8]; SUMS] {
    let mut sums = [[0.0; 8]; SUMS];
    let entries = changed.as_chunks_mut::<8>().0;
    let others = others.map(|list| &list.as_chunks::<8>().0[..entries.len()]);
    let mut from = 0;
    for block in entries.chunks_mut(SUMS) {
        let others = others.map(|list| &list[from..from + block.len()]);
        if let Ok(block) = <&mut [[f64; 8]; SUMS]>::try_from(&mut *block) {
            for i in 0..SUMS {
                add(&mut block[i], others.map(|list| &list[i]), &mut sums[i]);
            }
        } else {
            for i in 0..SUMS {
                if i < block.len() {
                    add(&mut block[i], others.map(|list| &list[i]), &mut sums[i]);
                }
            }
        }
        from += SUMS;
    }
    sums
}

/// [`total`] in eight lanes.
#[inline(always)]
fn totals(sums: [[f64; 8]; SUMS]) -> [f64; 8] {
    let mut pairs = [[0.0; 8]; 4];
    for (i, pair) in pairs.iter_mut().enumerate() {
        for lane in 0..8 {
            pair[lane] = sums[i][lane] + sums[i + 4][lane];
        }
    }
    let mut all = [0.0; 8];
    for lane in 0..8 {
        all[lane] = (pairs[0][lane] + pairs[2][lane]) + (pairs[1][lane] + pairs[3][lane]);
    }
    all
}

#[inline(always)]
fn total(sums: [f64; SUMS]) -> f64 {
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

/// s∘x, with one factor per lane.
struct Scaled<'a> {
    s: &'a [f64],
    x: &'a [f64],
    out: &'a mut [f64],
}

impl Kernel for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { s, x, out } = self;
        if let [s] = s {
            return out.iter_mut().zip(x).for_each(|(out, x)| *out = s * x);
        }
        if let ([s], _) = s.as_chunks::<8>() {
            for (out, x) in out.as_chunks_mut::<8>().0.iter_mut().zip(x.as_chunks::<8>().0) {
                for lane in 0..8 {
                    out[lane] = s[lane] * x[lane];
                }
            }
            return;
        }
        for (out, x) in out.chunks_exact_mut(s.len()).zip(x.chunks_exact(s.len())) {
            for ((out, x), s) in out.iter_mut().zip(x).zip(s) {
                *out = s * x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(seed: f64, diagonal: bool) -> Moments {
        let number = |i: usize, j: usize| (seed + 0.7 * i as f64 + 1.3 * j as f64).sin();
        let root = DMatrix::from_fn(5, 5, number);
        let sxx = if diagonal {
            DMatrix::from_diagonal(&root.diagonal().abs().add_scalar(0.1))
        } else {
            &root * root.transpose()
        };
        Moments { sxx: Some(sxx), syx: DMatrix::from_fn(3, 5, number), trace_syy: None, samples: None }
    }

    #[test]
    fn a_lane_has_the_bits_that_it_has_alone_and_the_gradient_is_the_formula() {
        for diagonal in [false, true] {
            let problems: Vec<Moments> = (0..8).map(|lane| problem(f64::from(lane), diagonal)).collect();
            let beta = |entry: usize, lane: usize| (0.3 * entry as f64 + 2.0 * lane as f64).cos();
            let run = |problems: &[&Moments], first: usize, lanes: usize| {
                let beta: Vec<f64> = (0..15 * lanes).map(|slot| beta(slot / lanes, first + slot % lanes)).collect();
                let (mut loss, mut g) = (vec![0.0; lanes], vec![0.0; 15 * lanes]);
                Covariances::new(problems, lanes).loss_and_grad_into(&beta, Rows::All, &mut loss, &mut g);
                (loss, g)
            };
            for lanes in [3, 8] {
                let all: Vec<&Moments> = problems[..lanes].iter().collect();
                let (loss, g) = run(&all, 0, lanes);
                for lane in 0..lanes {
                    let (alone, g_alone) = run(&[&problems[lane]], lane, 1);
                    assert_eq!(loss[lane].to_bits(), alone[0].to_bits(), "loss of lane {lane} of {lanes}");
                    let of_lane: Vec<f64> = g.iter().skip(lane).step_by(lanes).copied().collect();
                    assert_eq!(of_lane, g_alone);
                    let w = DMatrix::from_fn(3, 5, |i, j| beta(i + 3 * j, lane));
                    let exact = &w * problems[lane].sxx.as_ref().unwrap() - &problems[lane].syx;
                    assert!((DMatrix::from_column_slice(3, 5, &g_alone) - exact).amax() < 1e-14);
                }
            }
        }
    }
}
