//! What a cell fits: rows of a regression, or a matrix.

use crate::{LeastSquares, MatrixProblem, Objective, ParametrizationKind, Regression, Shape};
use taut_numerics::ThinSvd;

/// What a cell fits.
#[derive(Clone, Copy)]
pub enum Task<'a> {
    /// A function of a row, with one output.
    Rows(&'a Regression),
    /// A matrix.
    Matrix(&'a MatrixProblem),
}

impl<'a> Task<'a> {
    /// The shape of the predictor, in so many lanes.
    pub fn shape(self, lanes: usize) -> Shape {
        match self {
            Self::Rows(problem) => Shape { inputs: problem.feature_count(), outputs: 1, lanes },
            Self::Matrix(problem) => Shape { inputs: problem.inputs, outputs: problem.outputs, lanes },
        }
    }

    /// The number of samples, observed entries or measurements.
    pub fn samples(self) -> usize {
        match self {
            Self::Rows(problem) => problem.samples(),
            Self::Matrix(problem) => problem.samples(),
        }
    }

    /// The regression, if it is one.
    pub fn regression(self) -> Option<&'a Regression> {
        match self {
            Self::Rows(problem) => Some(problem),
            Self::Matrix(_) => None,
        }
    }

    /// What a relative step size is divided by: λ_max(ΦᵀΦ/n) for the predictor itself, and for factors what
    /// [`MatrixProblem::reference_curvature`] says.
    pub fn reference_curvature(self, kind: &ParametrizationKind) -> f64 {
        let Shape { inputs, outputs, .. } = self.shape(1);
        let depth = kind.depth(inputs, outputs);
        match self {
            Self::Rows(problem) => {
                let largest = ThinSvd::new(problem.design.as_view()).s.first().copied().unwrap_or(0.0);
                problem.reference_curvature(depth, largest * largest / problem.samples() as f64)
            }
            Self::Matrix(problem) => problem.reference_curvature(depth),
        }
    }

    /// The loss of one lane per task, all of one kind and shape; `lanes` beyond the tasks repeat the last one.
    /// `by_rows` keeps samples apart, for motions that draw from them.
    ///
    /// # Panics
    /// If there is no task, or they differ in kind or shape.
    pub fn objective(tasks: &[Self], lanes: usize, by_rows: bool) -> Box<dyn Objective> {
        let regressions: Vec<&Regression> = tasks.iter().filter_map(|task| task.regression()).collect();
        let matrices =
            tasks.iter().filter_map(|task| if let Self::Matrix(problem) = task { Some(*problem) } else { None });
        let matrices: Vec<&MatrixProblem> = matrices.collect();
        assert!(regressions.is_empty() != matrices.is_empty(), "one kind of task per bundle");
        if matrices.is_empty() {
            Box::new(LeastSquares::new(&regressions, lanes))
        } else {
            MatrixProblem::objective(&matrices, lanes, by_rows)
        }
    }
}
