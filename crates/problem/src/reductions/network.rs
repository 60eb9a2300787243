//! A deep linear network with its data, seen in other bases.

use crate::{DeepLinear, Dynamics, MatrixProblem, MatrixSamples, Moments, Observed, TestOver};
use std::sync::Arc;
use taut_numerics::{DMatrix, Factor, ThinSvd, lane_product_into};

/// Orthonormal columns per layer 0 … N that span what training sees of it; `None` for all of it.
pub(super) type Bases = Vec<Option<DMatrix<f64>>>;

/// How far, relative to its size, a start may reach out of the bases: what rounding leaves of an exact zero.
const LEAK: f64 = 1e-13;

/// A deep linear network at its start.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) problem: MatrixProblem,
    pub(super) factors: Vec<DMatrix<f64>>,
    /// Rows that an update sees one by one, if any.
    pub(super) rows: Option<usize>,
}

impl Network {
    pub(super) fn new(problem: MatrixProblem, deep: &DeepLinear, start: &[f64], dynamics: &Dynamics) -> Self {
        let sizes = deep.sizes(problem.inputs, problem.outputs);
        let mut rest = start;
        let mut factor = |pair: &[usize]| {
            let (head, tail) = rest.split_at(pair[0] * pair[1]);
            rest = tail;
            DMatrix::from_column_slice(pair[1], pair[0], head)
        };
        let factors = sizes.windows(2).map(&mut factor).collect();
        let batch = dynamics.batch.map_or(problem.samples(), |batch| batch.size);
        Self { rows: dynamics.sees_rows().then_some(batch), problem, factors }
    }

    /// d₀, …, d_N.
    pub(super) fn sizes(&self) -> Vec<usize> {
        std::iter::once(self.problem.inputs).chain(self.factors.iter().map(DMatrix::nrows)).collect()
    }

    /// N.
    pub(super) fn depth(&self) -> usize {
        self.factors.len()
    }

    /// θ.
    pub(super) fn start(&self) -> Vec<f64> {
        self.factors.iter().flat_map(|factor| factor.as_slice().iter().copied()).collect()
    }

    /// The moments, if the loss sees moments.
    pub(super) fn moments(&self) -> Option<&Moments> {
        match &self.problem.observed {
            Observed::Moments(moments) => Some(moments),
            Observed::Entries(_) | Observed::Measurements(_) => None,
        }
    }

    /// Roughly the flops of a step: predictor and pullback, the loss, the update.
    pub(super) fn flops(&self) -> f64 {
        let (inputs, outputs) = (self.problem.inputs, self.problem.outputs);
        // Products begin at the narrower end.
        let beyond = if outputs < inputs { self.factors.last() } else { self.factors.first() };
        let all: usize = self.factors.iter().map(DMatrix::len).sum();
        let entries = self.problem.entries() as f64;
        let loss = match (&self.problem.observed, self.rows) {
            (_, Some(rows)) => 4.0 * rows as f64 * inputs as f64,
            (Observed::Moments(moments), None) if !moments.has_uncorrelated_inputs() => 2.0 * entries * inputs as f64,
            (Observed::Measurements(m), None) => 4.0 * m.values.len() as f64 * entries,
            _ => 4.0 * entries,
        };
        let inner = all - beyond.map_or(0, DMatrix::len);
        6.0 * (inner * inputs.min(outputs)) as f64 + loss + 4.0 * all as f64
    }

    /// Whether training from this start never leaves the bases: no factor leads out of them upwards, no factor
    /// above the first leads out of them downwards, and the data lie within.
    ///
    /// What of W₁ lies beyond the basis of the inputs is neither seen nor moved, since the basis holds all of X.
    pub(super) fn separates(&self, bases: &Bases) -> bool {
        let inside = |matrix: &DMatrix<f64>, basis: Option<&DMatrix<f64>>| {
            basis.is_none_or(|o| (matrix - o * o.tr_mul(matrix)).norm() <= LEAK * matrix.norm())
        };
        let factors = self.factors.iter().enumerate().all(|(l, factor)| {
            let (below, above) = (bases[l].as_ref(), bases[l + 1].as_ref());
            let up = below.map_or_else(|| factor.clone(), |o| factor * o);
            let down = above.map_or_else(|| factor.transpose(), |o| factor.tr_mul(o));
            inside(&up, above) && (l == 0 || inside(&down, below))
        });
        let data = self.moments().is_none_or(|moments| {
            let (inputs, outputs) = (bases[0].as_ref(), bases[self.depth()].as_ref());
            inside(&moments.syx, outputs)
                && inside(&moments.syx.transpose(), inputs)
                && moments.sxx.as_ref().is_none_or(|sxx| inside(sxx, inputs))
        });
        factors && data
    }

    /// The network in these bases.
    pub(super) fn in_bases(&self, bases: &Bases) -> Self {
        let factors = self.factors.iter().enumerate();
        let factors = factors.map(|(l, factor)| between(factor, bases[l].as_ref(), bases[l + 1].as_ref())).collect();
        let (below, above) = (bases[0].as_ref(), bases[self.depth()].as_ref());
        Self { problem: problem_in(&self.problem, below, above), factors, rows: self.rows }
    }

    /// OₗWₗOₗ₋₁ᵀ.
    pub(super) fn lifted(&self, bases: &Bases) -> Vec<DMatrix<f64>> {
        let lift = |(l, factor): (usize, &DMatrix<f64>)| {
            let columns = product(bases[l + 1].as_ref(), Some(factor)).expect("there is a factor");
            bases[l].as_ref().map_or_else(|| columns.clone(), |o| &columns * o.transpose())
        };
        self.factors.iter().enumerate().map(lift).collect()
    }
}

/// The data in bases of inputs and outputs.
fn problem_in(problem: &MatrixProblem, below: Option<&DMatrix<f64>>, above: Option<&DMatrix<f64>>) -> MatrixProblem {
    let columns = |m: &DMatrix<f64>, basis: Option<&DMatrix<f64>>| basis.map_or_else(|| m.clone(), |o| o.tr_mul(m));
    let observed = match &problem.observed {
        Observed::Moments(moments) if below.is_some() || above.is_some() => {
            let of = |samples: &Arc<MatrixSamples>| MatrixSamples {
                x: columns(&samples.x, below),
                y: columns(&samples.y, above),
            };
            Observed::Moments(Moments {
                sxx: moments.sxx.as_ref().map(|sxx| without_rounding(between(sxx, below, below))),
                syx: between(&moments.syx, below, above),
                trace_syy: moments.trace_syy,
                samples: moments.samples.as_ref().map(|samples| Arc::new(of(samples))),
            })
        }
        same => same.clone(),
    };
    let size = |basis: Option<&DMatrix<f64>>, whole: usize| basis.map_or(whole, DMatrix::ncols);
    MatrixProblem {
        inputs: size(below, problem.inputs),
        outputs: size(above, problem.outputs),
        observed,
        teacher: None,
        test: TestOver::Entries,
        law: None,
    }
}

/// Sxx in the basis of its own principal axes is diagonal but for rounding, which is taken away; any other is left as it is.
fn without_rounding(sxx: DMatrix<f64>) -> DMatrix<f64> {
    let diagonal = DMatrix::from_diagonal(&sxx.diagonal());
    let rounding = 4.0 * f64::EPSILON * sxx.nrows() as f64 * diagonal.amax();
    if (&sxx - &diagonal).amax() <= rounding { diagonal } else { sxx }
}

/// `above`ᵀ·m·`below`.
fn between(m: &DMatrix<f64>, below: Option<&DMatrix<f64>>, above: Option<&DMatrix<f64>>) -> DMatrix<f64> {
    let right = below.map_or_else(|| m.clone(), |o| m * o);
    above.map_or_else(|| right.clone(), |o| o.tr_mul(&right))
}

/// A product of two matrices, of which either may be the identity.
pub(super) fn product(a: Option<&DMatrix<f64>>, b: Option<&DMatrix<f64>>) -> Option<DMatrix<f64>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a * b),
        (a, b) => a.or(b).cloned(),
    }
}

/// `above`·m·`below`ᵀ for a rows × columns m, written into `whole`.
pub(super) fn lift_into(
    m: &[f64],
    [rows, columns]: [usize; 2],
    [below, above]: [Option<&DMatrix<f64>>; 2],
    whole: &mut [f64],
) {
    let right = |o: &DMatrix<f64>, left: &[f64], rows: usize, out: &mut [f64]| {
        let (r, c) = o.shape();
        let basis = Factor::new(o.as_slice(), r, c).transposed();
        lane_product_into(Factor::new(left, rows, columns), basis, out, 1, false);
    };
    match (below, above) {
        (None, None) => whole.copy_from_slice(m),
        (Some(below), None) => right(below, m, rows, whole),
        (below, Some(above)) => {
            let (r, c) = above.shape();
            let left = Factor::new(above.as_slice(), r, c);
            let Some(below) = below else {
                return lane_product_into(left, Factor::new(m, rows, columns), whole, 1, false);
            };
            let mut middle = vec![0.0; r * columns];
            lane_product_into(left, Factor::new(m, rows, columns), &mut middle, 1, false);
            right(below, &middle, r, whole);
        }
    }
}

/// An orthonormal basis of all columns of these blocks; at least one column, and `None` if it is no smaller than the
/// space.
///
/// Columns are brought to one length first: a start of 1e-9 beside data of size 1 spans as much as they do.
pub(super) fn span(blocks: &[&DMatrix<f64>]) -> Option<DMatrix<f64>> {
    let size = blocks[0].nrows();
    let columns: Vec<_> = blocks.iter().flat_map(|block| block.column_iter()).filter(|c| c.amax() > 0.0).collect();
    if columns.is_empty() {
        return (size > 1).then(|| DMatrix::identity(size, 1));
    }
    // Its largest entry first: the square of a small one may be zero.
    let unit: Vec<_> = columns.iter().map(|column| (column / column.amax()).normalize()).collect();
    let basis = ThinSvd::new(DMatrix::from_columns(&unit).as_view()).u;
    (basis.ncols() < size).then_some(basis)
}
