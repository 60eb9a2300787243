//! The interpolant of least parameter norm.

use super::{Fits, Given, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::ThinSvd;
use taut_problem::{Entry, Regression, Snapshots};

/// The interpolant of least ‖θ‖₂.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinNorm {}

impl MinNorm {
    fn solve(self, given: &Given<'_>) -> Fits {
        let mut functions = Snapshots::series(given.problem.feature_count());
        functions.push_series(&interpolant(given.problem, given.svd), given.svd.rank() as f64);
        Fits { solution: Self::ENTRY.name, functions, ..Fits::default() }
    }
}

/// Φ⁺y = Σ (uᵢ·y/sᵢ) vᵢ.
pub(super) fn interpolant(problem: &Regression, svd: &ThinSvd) -> Vec<f64> {
    svd.filtered_solution(&problem.y, |_| 1.0)
}

impl Solution for MinNorm {
    const ENTRY: Entry = Entry {
        name: "min-norm",
        doc: "θ = Φ⁺y: the interpolant (or least-squares fit) of least ‖θ‖₂, where descent from zero ends",
        cite: "",
    };
    const ON_CURVES: bool = false;

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
