//! The least-squares polynomial of a low degree: the baseline to beat.

use super::{Fits, Given};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::ThinSvd;
use taut_problem::{Basis, Regression, Degree, Entry, NonNegative, PiecewiseCubic, Polynomial, Snapshots};

pub(super) const LINEAR_FIT: Entry =
    Entry { name: "linear-fit", doc: "the least-squares line; always there", cite: "" };
pub(super) const LEAST_SQUARES: Entry =
    Entry { name: "least-squares", doc: "the least-squares polynomial of a `degree`", cite: "" };

/// The least-squares line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearFit {}

/// The least-squares polynomial of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastSquaresFit {
    /// The degree.
    pub degree: Degree,
}

impl LinearFit {
    /// Slope and intercept by centred sums; a constant where all points coincide.
    pub(super) fn solve(self, given: &Given<'_>) -> Fits {
        let (x, y) = (&given.problem.x, &given.problem.y);
        let n = x.len() as f64;
        let (x_mean, y_mean) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let (mut sxx, mut sxy) = (0.0, 0.0);
        for (x, y) in x.iter().zip(y) {
            sxx += (x - x_mean) * (x - x_mean);
            sxy += (x - x_mean) * (y - y_mean);
        }
        let slope = if sxx > 0.0 { sxy / sxx } else { 0.0 };
        let at = |x: f64| y_mean + slope * (x - x_mean);
        let line = PiecewiseCubic::from_second_derivatives(&[-1.0, 1.0], &[at(-1.0), at(1.0)], &[0.0, 0.0]);
        let mut functions = Snapshots::default();
        functions.push_cubic(line, if sxx > 0.0 { 2.0 } else { 1.0 });
        Fits { solution: LINEAR_FIT.name, functions, ..Fits::default() }
    }
}

impl LeastSquaresFit {
    /// Solved in orthonormal Legendre polynomials, whatever the study's features.
    pub(super) fn solve(self, given: &Given<'_>) -> Fits {
        let features = Polynomial {
            basis: Basis::LegendreOrthonormal,
            degree: self.degree,
            decay: NonNegative::default(),
            constant: true,
        };
        let problem = given.problem;
        let own = Regression::new(problem.x.clone(), problem.y.clone(), problem.target.clone(), Arc::new(features));
        let svd = ThinSvd::new(own.design.as_view());
        let mut functions = Snapshots::series(own.feature_count());
        functions.push_series(&super::min_norm::interpolant(&own, &svd), svd.rank() as f64);
        Fits {
            solution: LEAST_SQUARES.name,
            functions,
            own: Some(own),
            parameter: vec![self.degree.get() as f64],
            ..Fits::default()
        }
    }
}
