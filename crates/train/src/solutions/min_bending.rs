//! The least rough interpolant in the span of the features.

use super::roughness::Roughness;
use super::{Fits, Given};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Snapshots};

pub(super) const MIN_BENDING: Entry =
    Entry {
        name: "min-bending", doc: "the interpolant in the span of the features with the least ∫f″²", cite: ""
    };

/// The least rough interpolant in the span of the features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinBending {}

impl MinBending {
    pub(super) fn solve(self, given: &Given<'_>) -> Fits {
        let roughness = match Roughness::new(given.problem) {
            Ok(roughness) => roughness,
            Err(reason) => return Fits::none(MIN_BENDING.name, reason),
        };
        if !roughness.interpolates() {
            return Fits::none(MIN_BENDING.name, "no function in the span goes through every point");
        }
        let mut functions = Snapshots::series(roughness.own.feature_count());
        let (coefficients, freedom) = roughness.penalised(0.0);
        functions.push_series(&coefficients, freedom);
        Fits { solution: MIN_BENDING.name, functions, own: Some(roughness.own), ..Fits::default() }
    }
}
