//! The smoothing spline's criterion, minimised in the span of the features.

use super::roughness::Roughness;
use super::{Fits, Given, Grid, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Snapshots};

/// Roughness-penalised least squares in the span of the features.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmoothingFeatures {
    /// μ in (1/n)Σ(y−f)² + μ∫f″².
    pub mu: Grid,
}

impl SmoothingFeatures {
    fn solve(&self, given: &Given<'_>) -> Fits {
        let roughness = match Roughness::new(given.problem) {
            Ok(roughness) => roughness,
            Err(reason) => return Fits::none(Self::ENTRY.name, reason),
        };
        let parameter = self.mu.values();
        let mut functions = Snapshots::series(roughness.own.feature_count());
        for &mu in &parameter {
            let (coefficients, freedom) = roughness.penalised(mu);
            functions.push_series(&coefficients, freedom);
        }
        Fits { solution: Self::ENTRY.name, functions, own: Some(roughness.own), parameter, ..Fits::default() }
    }
}

impl Solution for SmoothingFeatures {
    const ENTRY: Entry = Entry {
        name: "smoothing-features",
        doc: "the minimiser of (1/n)Σ(y−f)² + μ∫f″² over [-1, 1] in the span of the features, for each μ of a grid",
        cite: "Green and Silverman 1994",
    };
    const ON_CURVES: bool = true;

    fn rows(&self) -> usize {
        self.mu.values().len()
    }

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
