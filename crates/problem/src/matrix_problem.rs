//! A matrix to be found: what the loss sees of it, and what is known of the truth.

use crate::{Covariances, LeastSquares, Masked, MatrixLaw, Objective, Regression};
use std::sync::Arc;
use taut_numerics::{DMatrix, ThinSvd};

/// Everything that trainers, theories and metrics agree on where the predictor is a matrix W, outputs × inputs.
#[derive(Clone, Debug)]
pub struct MatrixProblem {
    /// Columns of W.
    pub inputs: usize,
    /// Rows of W.
    pub outputs: usize,
    /// What the loss sees.
    pub observed: Observed,
    /// The noise-free matrix, where it is known.
    pub teacher: Option<DMatrix<f64>>,
    /// What test errors average over.
    pub test: TestOver,
    /// The law that it is drawn from, where there is one that theories know.
    pub law: Option<MatrixLaw>,
}

/// What the loss sees.
#[derive(Clone, Debug)]
pub enum Observed {
    /// Samples (x, y), through their second moments: L = (1/2n) Σ |y − Wx|².
    Moments(Moments),
    /// Some entries: L = ½ Σ over them.
    Entries(Entries),
    /// Linear measurements ⟨Aᵢ, W⟩: L = ½ Σ over them.
    Measurements(Measurements),
}

/// Second moments of samples.
#[derive(Clone, Debug)]
pub struct Moments {
    /// Sxx = XXᵀ/n, inputs × inputs; the identity if `None` (whitened inputs).
    pub sxx: Option<DMatrix<f64>>,
    /// Syx = YXᵀ/n, outputs × inputs.
    pub syx: DMatrix<f64>,
    /// tr Syy; where it is not known, the loss is zero at its minimum.
    pub trace_syy: Option<f64>,
    /// The samples themselves, where there are any.
    pub samples: Option<Arc<MatrixSamples>>,
}

/// Samples as columns.
#[derive(Clone, Debug)]
pub struct MatrixSamples {
    /// X, inputs × n.
    pub x: DMatrix<f64>,
    /// Y, outputs × n.
    pub y: DMatrix<f64>,
}

/// Some entries of a matrix.
#[derive(Clone, Debug)]
pub struct Entries {
    /// Outputs × inputs; only the observed entries count.
    pub target: DMatrix<f64>,
    /// Column-major places of the observed entries, ascending: row + column·outputs.
    pub observed: Vec<usize>,
}

/// Linear measurements of a matrix.
#[derive(Clone, Debug)]
pub struct Measurements {
    /// Row i is Aᵢ, column-major: measurements × (outputs·inputs).
    pub matrices: DMatrix<f64>,
    /// ⟨Aᵢ, W⟩ as observed.
    pub values: Vec<f64>,
}

/// What test errors average over.
#[derive(Clone, Debug)]
pub enum TestOver {
    /// All entries of the matrix: the mean of (W − teacher)².
    Entries,
    /// New inputs with this second moment (the identity if `None`): E|(W − teacher)x|²/outputs.
    Inputs(Option<DMatrix<f64>>),
    /// Held-out samples: the mean of (y − Wx)² over samples and outputs.
    Samples(Arc<MatrixSamples>),
}

impl MatrixSamples {
    /// The moments that a full batch sees of these samples.
    pub fn moments(self: &Arc<Self>) -> Moments {
        let n = self.x.ncols() as f64;
        Moments {
            sxx: Some(&self.x * self.x.transpose() / n),
            syx: &self.y * self.x.transpose() / n,
            trace_syy: Some(self.y.norm_squared() / n),
            samples: Some(Arc::clone(self)),
        }
    }
}

impl Moments {
    /// The number of samples n; the number of inputs if there are moments only.
    pub fn samples(&self) -> usize {
        self.samples.as_ref().map_or(self.syx.ncols(), |samples| samples.x.ncols())
    }

    /// Whether Sxx is diagonal, to the last bit, and no input is without variance.
    pub fn has_uncorrelated_inputs(&self) -> bool {
        let fits = |(place, x): (usize, &f64)| {
            if place % (self.syx.ncols() + 1) == 0 { *x >= f64::MIN_POSITIVE } else { x.abs() <= 0.0 }
        };
        self.sxx.as_ref().is_none_or(|sxx| sxx.as_slice().iter().enumerate().all(fits))
    }

    /// The least-squares solution W* of least norm, and the loss there.
    pub fn best(&self) -> (DMatrix<f64>, f64) {
        let best = match &self.sxx {
            None => self.syx.clone(),
            Some(sxx) => {
                let svd = ThinSvd::new(sxx.as_view());
                let inverse = DMatrix::from_diagonal(&nalgebra::DVector::from_iterator(
                    svd.rank(),
                    svd.s.iter().map(|s| 1.0 / s),
                ));
                &self.syx * &svd.v * inverse * svd.u.transpose()
            }
        };
        let floor = match (&self.samples, self.trace_syy) {
            (Some(samples), _) => (&samples.y - &best * &samples.x).norm_squared() / (2.0 * samples.x.ncols() as f64),
            (None, Some(trace)) => 0.5 * (trace - best.dot(&self.syx)),
            (None, None) => 0.0,
        };
        (best, floor)
    }
}

/// N·‖∇L(0)‖₂^{2−2/N}·λ_max^{2/N−1}, see [`MatrixProblem::reference_curvature`].
pub(crate) fn reference_curvature(depth: usize, pull: f64, largest_curvature: f64) -> f64 {
    let n = depth as f64;
    n * pull.powf(2.0 - 2.0 / n) * largest_curvature.powf(2.0 / n - 1.0)
}

impl MatrixProblem {
    /// A regression seen as a matrix problem with one output.
    pub fn of_regression(problem: &Regression) -> Self {
        let y = DMatrix::from_row_slice(1, problem.y.len(), &problem.y);
        let samples = Arc::new(MatrixSamples { x: problem.design.transpose(), y });
        let law = problem.law.as_deref();
        Self {
            inputs: problem.feature_count(),
            outputs: 1,
            observed: Observed::Moments(samples.moments()),
            teacher: law.map(|law| DMatrix::from_row_slice(1, law.predictor.len(), &law.predictor)),
            test: TestOver::Inputs(law.and_then(|law| law.covariance.matrix())),
            law: None,
        }
    }

    /// Entries of W.
    pub fn entries(&self) -> usize {
        self.inputs * self.outputs
    }

    /// The number of samples, observed entries or measurements.
    pub fn samples(&self) -> usize {
        match &self.observed {
            Observed::Moments(moments) => moments.samples(),
            Observed::Entries(entries) => entries.observed.len(),
            Observed::Measurements(measurements) => measurements.values.len(),
        }
    }

    /// Rows and columns of W that no observed entry lies in: nothing is learned of them; none unless entries are
    /// observed.
    pub fn blind_spots(&self) -> (Vec<usize>, Vec<usize>) {
        let Observed::Entries(entries) = &self.observed else {
            return (Vec::new(), Vec::new());
        };
        let unseen = |count: usize, of: &dyn Fn(usize) -> usize| {
            let mut seen = vec![false; count];
            entries.observed.iter().for_each(|&place| seen[of(place)] = true);
            (0..count).filter(|&i| !seen[i]).collect()
        };
        (unseen(self.outputs, &|place| place % self.outputs), unseen(self.inputs, &|place| place / self.outputs))
    }

    /// Column-major places of the entries that are not observed, ascending; none where the loss sees no entries.
    pub fn unobserved(&self) -> Vec<usize> {
        let Observed::Entries(entries) = &self.observed else { return Vec::new() };
        (0..self.entries()).filter(|place| entries.observed.binary_search(place).is_err()).collect()
    }

    /// ∂L/∂W at W = 0, negated: Syx, the observed entries with zeros elsewhere, or Σ bᵢAᵢ.
    pub fn pull_at_zero(&self) -> DMatrix<f64> {
        match &self.observed {
            Observed::Moments(moments) => moments.syx.clone(),
            Observed::Entries(entries) => {
                let mut seen = DMatrix::zeros(self.outputs, self.inputs);
                for &place in &entries.observed {
                    seen.as_mut_slice()[place] = entries.target.as_slice()[place];
                }
                seen
            }
            Observed::Measurements(measurements) => {
                let values = nalgebra::DVector::from_column_slice(&measurements.values);
                let sum = measurements.matrices.tr_mul(&values);
                DMatrix::from_column_slice(self.outputs, self.inputs, sum.as_slice())
            }
        }
    }

    /// λ_max of the Hessian of L in W: of Sxx, 1 for entries, or the largest squared singular value of the measurements.
    pub fn largest_curvature(&self) -> f64 {
        let first = |m: &DMatrix<f64>| ThinSvd::new(m.as_view()).s.first().copied().unwrap_or(0.0);
        match &self.observed {
            Observed::Moments(moments) => moments.sxx.as_ref().map_or(1.0, first),
            Observed::Entries(_) => 1.0,
            Observed::Measurements(measurements) => first(&measurements.matrices).powi(2),
        }
    }

    /// λ_ref = N·‖∇L(0)‖₂^{2−2/N}·λ_max^{2/N−1}: what a relative step size is divided by, for N factors.
    ///
    /// For Sxx = cI it is the sharpness N·c·s₁^{2−2/N} of the balanced minimum, whose largest singular value is
    /// s₁ = ‖Syx‖₂/c; for N = 1 it is λ_max itself.
    pub fn reference_curvature(&self, depth: usize) -> f64 {
        let pull = self.pull_at_zero();
        let norm = ThinSvd::new(pull.as_view()).s.first().copied().unwrap_or(0.0);
        reference_curvature(depth, norm, self.largest_curvature())
    }

    /// The loss of one lane per problem, all seen in one way and of one shape; `lanes` beyond the problems repeat
    /// the last one. `by_rows` keeps the samples apart, for motions that draw from them.
    ///
    /// # Panics
    /// If there is no problem, they differ in shape or kind, or rows are asked for where there are none.
    pub fn objective(problems: &[&Self], lanes: usize, by_rows: bool) -> Box<dyn Objective> {
        match &problems[0].observed {
            Observed::Moments(_) if by_rows => {
                let rows: Vec<_> = problems.iter().map(|p| p.rows().expect("a motion by rows needs samples")).collect();
                let rows: Vec<_> = rows.iter().map(|(design, y)| (design, &y[..])).collect();
                Box::new(LeastSquares::of_rows(&rows, lanes, 1.0))
            }
            Observed::Moments(_) => Box::new(Covariances::new(
                &alike(problems, |seen| if let Observed::Moments(m) = seen { Some(m) } else { None }),
                lanes,
            )),
            Observed::Entries(_) => Box::new(Masked::new(
                &alike(problems, |seen| if let Observed::Entries(e) = seen { Some(e) } else { None }),
                lanes,
            )),
            Observed::Measurements(_) => {
                let all: Vec<&Measurements> =
                    alike(problems, |seen| if let Observed::Measurements(m) = seen { Some(m) } else { None });
                let rows: Vec<_> = all.iter().map(|m| (&m.matrices, &m.values[..])).collect();
                Box::new(LeastSquares::of_rows(&rows, lanes, rows[0].1.len() as f64))
            }
        }
    }

    /// The samples of a single output as rows of a design, with their values.
    fn rows(&self) -> Option<(DMatrix<f64>, Vec<f64>)> {
        match &self.observed {
            Observed::Moments(Moments { samples: Some(samples), .. }) if self.outputs == 1 => {
                Some((samples.x.transpose(), samples.y.as_slice().to_vec()))
            }
            _ => None,
        }
    }
}

/// What the losses of one bundle see, all in one way.
fn alike<'a, T>(problems: &[&'a MatrixProblem], of: impl Fn(&'a Observed) -> Option<&'a T>) -> Vec<&'a T> {
    problems.iter().map(|problem| of(&problem.observed).expect("one kind per bundle")).collect()
}
