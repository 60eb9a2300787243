//! The natural cubic spline through the points.

use super::smoothing_spline::{Reinsch, TOO_CLOSE};
use super::{Fits, Given, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Snapshots};

/// The natural cubic spline through the points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NaturalSpline {}

impl NaturalSpline {
    fn solve(self, given: &Given<'_>) -> Fits {
        let reinsch = match Reinsch::new(given.problem) {
            Ok(reinsch) => reinsch,
            Err(reason) => return Fits::none(Self::ENTRY.name, reason),
        };
        let Some(spline) = reinsch.spline(0.0) else { return Fits::none(Self::ENTRY.name, TOO_CLOSE) };
        let mut functions = Snapshots::default();
        functions.push_cubic(spline.curve, given.problem.samples() as f64);
        Fits { solution: Self::ENTRY.name, functions, ..Fits::default() }
    }
}

impl Solution for NaturalSpline {
    const ENTRY: Entry = Entry {
        name: "natural-spline",
        doc: "the natural cubic spline through the points: least ∫f″² of all functions that interpolate",
        cite: "Green and Silverman 1994",
    };
    const ON_CURVES: bool = true;

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
