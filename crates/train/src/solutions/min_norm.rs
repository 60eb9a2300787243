//! The interpolant of least parameter norm.

use super::{Fits, Given};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::ThinSvd;
use taut_problem::{CurveProblem, Entry, Snapshots};

pub(super) const MIN_NORM: Entry = Entry {
    name: "min-norm",
    doc: "θ = Φ⁺y: the interpolant (or least-squares fit) of least ‖θ‖₂, where descent from zero ends",
    cite: "",
};

/// The interpolant of least ‖θ‖₂.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinNorm {}

impl MinNorm {
    pub(super) fn solve(self, given: &Given<'_>) -> Fits {
        let mut functions = Snapshots::series(given.problem.feature_count());
        functions.push_series(&interpolant(given.problem, given.svd), given.svd.rank() as f64);
        Fits { solution: MIN_NORM.name, functions, ..Fits::default() }
    }
}

/// Φ⁺y = Σ (uᵢ·y/sᵢ) vᵢ.
pub(super) fn interpolant(problem: &CurveProblem, svd: &ThinSvd) -> Vec<f64> {
    filtered(problem, svd, |_| 1.0)
}

/// Σ gᵢ(λᵢ)·(uᵢ·y/sᵢ) vᵢ with λᵢ = sᵢ²/n.
pub(super) fn filtered(problem: &CurveProblem, svd: &ThinSvd, filter: impl Fn(f64) -> f64) -> Vec<f64> {
    let per_sample = 1.0 / problem.samples() as f64;
    let mut theta = vec![0.0; problem.feature_count()];
    for (i, s) in svd.s.iter().enumerate() {
        let c: f64 = svd.u.column(i).iter().zip(&problem.y).map(|(u, y)| u * y).sum();
        let strength = filter(s * s * per_sample) * c / s;
        for (t, v) in theta.iter_mut().zip(svd.v.column(i).iter()) {
            *t += strength * v;
        }
    }
    theta
}
