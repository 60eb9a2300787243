//! The least-squares polynomial of a low degree: the baseline to beat.

use super::{Fits, Given, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::ThinSvd;
use taut_problem::{Basis, Degree, Entry, NonNegative, Polynomial, Regression, Snapshots};

/// The least-squares polynomial of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastSquaresFit {
    /// The degree.
    pub degree: Degree,
}

impl LeastSquaresFit {
    /// Solved in orthonormal Legendre polynomials, whatever the study's features.
    fn solve(self, given: &Given<'_>) -> Fits {
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
            solution: Self::ENTRY.name,
            functions,
            own: Some(own),
            parameter: vec![self.degree.get() as f64],
            ..Fits::default()
        }
    }
}

impl Solution for LeastSquaresFit {
    const ENTRY: Entry = Entry { name: "least-squares", doc: "the least-squares polynomial of a `degree`", cite: "" };
    const ON_CURVES: bool = true;

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
