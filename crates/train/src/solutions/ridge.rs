//! Ridge regression.

use super::{Fits, Given, Grid, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Snapshots};

/// Ridge regression over a grid of λ.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ridge {
    /// λ in L + ½λ‖θ‖².
    pub lambda: Grid,
}

impl Ridge {
    fn solve(&self, given: &Given<'_>) -> Fits {
        let parameter = self.lambda.values();
        let per_sample = 1.0 / given.problem.samples() as f64;
        let mut functions = Snapshots::series(given.problem.feature_count());
        for &lambda in &parameter {
            let filter = |s: f64| {
                let l = s * s * per_sample;
                l / (l + lambda)
            };
            let freedom = given.svd.s.iter().map(|s| filter(*s)).sum();
            functions.push_series(&given.svd.filtered_solution(&given.problem.y, filter), freedom);
        }
        Fits { solution: Self::ENTRY.name, functions, parameter, ..Fits::default() }
    }
}

impl Solution for Ridge {
    const ENTRY: Entry =
        Entry {
            name: "ridge", doc: "θ = (ΦᵀΦ/n + λI)⁻¹Φᵀy/n for each λ of a grid", cite: "Hoerl and Kennard 1970"
        };
    const ON_CURVES: bool = false;

    fn rows(&self) -> usize {
        self.lambda.values().len()
    }

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
