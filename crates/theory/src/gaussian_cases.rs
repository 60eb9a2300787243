//! Small cells with a known law, for the tests of this crate.

use crate::{Prediction, Premise, TheoryDef};
use nalgebra::DMatrix;
use std::sync::Arc;
use taut_numerics::{Mat, MatMut, normal, stream};
use taut_problem::{Clock, Covariance, Dynamics, Expansion, FeatureMap, Law, Regression};

/// φ(x) = x.
struct Inputs(usize);

impl FeatureMap for Inputs {
    fn features(&self) -> usize {
        self.0
    }

    fn design_into(&self, x: Mat<'_>, _: u8, mut phi: MatMut<'_>) {
        phi.copy_from(&x);
    }

    fn expansion(&self) -> Option<Expansion> {
        None
    }
}

/// A problem with this design, zero values (no theory here looks at them) and this law.
pub(crate) fn problem(design: &DMatrix<f64>, law: Option<Law>) -> Regression {
    let features = Arc::new(Inputs(design.ncols()));
    Regression { law: law.map(Arc::new), ..Regression::from_inputs(design, vec![0.0; design.nrows()], features) }
}

/// Independent N(0, 1) entries.
pub(crate) fn gaussian_design(samples: usize, features: usize, replicate: u64) -> DMatrix<f64> {
    let mut stream = stream(7, "theory design", replicate);
    DMatrix::from_fn(samples, features, |_, _| normal(&mut stream))
}

/// What a theory says about gradient flow from zero, looked at at these times.
pub(crate) fn under_flow(theory: &TheoryDef, problem: &Regression, times: &[f64], ridge: &[f64]) -> Prediction {
    let clocks: Vec<Clock> = times.iter().map(|&t| if t.is_finite() { Clock::Time(t) } else { Clock::Limit }).collect();
    let (dynamics, start) = (Dynamics::flow(), vec![0.0; problem.feature_count()]);
    theory.of_rows(&Premise { problem, dynamics: &dynamics, start: &start, clocks: &clocks, times, ridge })
}

/// Isotropic Gaussian rows.
pub(crate) struct GaussianCase {
    pub(crate) samples: usize,
    pub(crate) predictor: Vec<f64>,
    pub(crate) noise: f64,
    pub(crate) unseen: f64,
}

impl GaussianCase {
    fn problem(&self) -> Regression {
        let law = Law {
            covariance: Covariance::Isotropic,
            predictor: self.predictor.clone(),
            noise_variance: self.noise,
            unseen_variance: self.unseen,
        };
        problem(&gaussian_design(self.samples, self.predictor.len(), 0), Some(law))
    }

    /// A theory's answer with these λ of ridge solutions.
    pub(crate) fn predict(&self, theory: &TheoryDef, ridge: &[f64]) -> Prediction {
        under_flow(theory, &self.problem(), &[], ridge)
    }

    /// A theory's answer at these times.
    pub(crate) fn predict_at(&self, theory: &TheoryDef, times: &[f64]) -> Prediction {
        under_flow(theory, &self.problem(), times, &[])
    }

    /// A theory's answer where only 4 points are known.
    pub(crate) fn predict_without_law(theory: &TheoryDef) -> Prediction {
        under_flow(theory, &problem(&gaussian_design(4, 3, 0), None), &[0.0, 1.0, f64::INFINITY], &[0.1])
    }
}
