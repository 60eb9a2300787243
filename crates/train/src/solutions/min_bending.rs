//! The least rough interpolant in the span of the features.

use super::roughness::Roughness;
use super::{Fits, Given, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Snapshots};

/// The least rough interpolant in the span of the features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinBending {}

impl MinBending {
    fn solve(self, given: &Given<'_>) -> Fits {
        let roughness = match Roughness::new(given.problem) {
            Ok(roughness) => roughness,
            Err(reason) => return Fits::none(Self::ENTRY.name, reason),
        };
        if !roughness.interpolates() {
            return Fits::none(Self::ENTRY.name, "no function in the span goes through every point");
        }
        let mut functions = Snapshots::series(roughness.own.feature_count());
        let (coefficients, freedom) = roughness.penalised(0.0);
        functions.push_series(&coefficients, freedom);
        Fits { solution: Self::ENTRY.name, functions, own: Some(roughness.own), ..Fits::default() }
    }
}

impl Solution for MinBending {
    const ENTRY: Entry =
        Entry {
            name: "min-bending", doc: "the interpolant in the span of the features with the least ∫f″²", cite: ""
        };
    const ON_CURVES: bool = true;

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
