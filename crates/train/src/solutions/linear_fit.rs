//! The least-squares line: the baseline to beat.

use super::{Fits, Given, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, PiecewiseCubic, Snapshots};

/// The least-squares line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearFit {}

impl LinearFit {
    /// Slope and intercept by centred sums; a constant where all points coincide.
    fn solve(self, given: &Given<'_>) -> Fits {
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
        Fits { solution: Self::ENTRY.name, functions, ..Fits::default() }
    }
}

impl Solution for LinearFit {
    const ENTRY: Entry = Entry { name: "linear-fit", doc: "the least-squares line; always there", cite: "" };
    const ON_CURVES: bool = true;

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
