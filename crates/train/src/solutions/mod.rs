//! Other fits of the same points: one file each, one field of [`Solutions`], one line of [`SOLUTIONS`].

mod least_squares;
mod min_bending;
mod min_norm;
mod natural_spline;
mod random_interpolator;
mod ridge;
mod roughness;
mod smoothing_features;
mod smoothing_spline;

pub use least_squares::{LeastSquaresFit, LinearFit};
pub use min_bending::MinBending;
pub use min_norm::MinNorm;
pub use natural_spline::NaturalSpline;
pub use random_interpolator::{Law, Laws, RandomInterpolator};
pub use ridge::Ridge;
pub use smoothing_features::SmoothingFeatures;
pub use smoothing_spline::SmoothingSpline;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::ThinSvd;
use taut_problem::{Regression, Entry, Positive, Samples, Snapshots};

/// The `[solutions]` table: which other fits get rows without a time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Solutions {
    /// The least-squares line; always there, written or not.
    #[serde(default)]
    pub linear_fit: LinearFit,
    /// The least-squares polynomial of a degree.
    pub least_squares: Option<LeastSquaresFit>,
    /// The interpolant (or least-squares fit) of least ‖θ‖₂.
    pub min_norm: Option<MinNorm>,
    /// Ridge regression over a grid of λ.
    pub ridge: Option<Ridge>,
    /// The natural cubic smoothing spline over a grid of μ, or with μ by exact leave-one-out.
    pub smoothing_spline: Option<SmoothingSpline>,
    /// The smoothing spline's criterion in the span of the features.
    pub smoothing_features: Option<SmoothingFeatures>,
    /// The natural cubic spline through the points.
    pub natural_spline: Option<NaturalSpline>,
    /// The interpolant in the span with the least ∫f″².
    pub min_bending: Option<MinBending>,
    /// Random interpolators: the minimum-norm one plus a random null-space part.
    pub random_interpolator: Option<RandomInterpolator>,
}

/// A positive parameter: one value, a list, or points evenly spaced in the logarithm.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Grid {
    /// One value.
    One(Positive),
    /// A list.
    List(Vec<Positive>),
    /// `{ logspace = [from, to], count = n }`, both ends included.
    Log(LogGrid),
}

/// Points evenly spaced in the logarithm, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogGrid {
    /// The two ends.
    pub logspace: [Positive; 2],
    /// How many points.
    pub count: Samples,
}

impl Grid {
    /// The values, in the order written.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Self::One(value) => vec![value.get()],
            Self::List(values) => values.iter().map(|v| v.get()).collect(),
            Self::Log(grid) => {
                let [from, to] = grid.logspace.map(|v| v.get().ln());
                let last = grid.count.size().saturating_sub(1).max(1) as f64;
                (0..grid.count.size()).map(|i| (from + (to - from) * i as f64 / last).exp()).collect()
            }
        }
    }
}

/// One solution's rows: functions, each with the value of its parameter and the number of its draw.
#[derive(Clone, Default)]
pub struct Fits {
    /// Name of the solution.
    pub solution: &'static str,
    /// Which law, basis or selection, where one solution has several; empty otherwise.
    pub variant: &'static str,
    /// The functions, in the features of the study, or in those of `own`.
    pub functions: Snapshots,
    /// The smaller or better conditioned problem that was solved instead, where the functions are
    /// not (or not accurately) expressible in the study's features.
    pub own: Option<Regression>,
    /// λ, μ or degree, one per function; empty if there is none.
    pub parameter: Vec<f64>,
    /// Whether the functions are draws, numbered from 0.
    pub draws: bool,
    /// Why there is no function, where the points do not allow one.
    pub reason: Option<&'static str>,
}

impl Fits {
    /// No fit, and why.
    fn none(solution: &'static str, reason: &'static str) -> Self {
        Self { solution, reason: Some(reason), ..Self::default() }
    }
}

/// What the direct solvers are given.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The points and features.
    pub problem: &'a Regression,
    /// Thin SVD of the design.
    pub svd: &'a ThinSvd,
    /// The study's seed.
    pub seed: u64,
    /// The replicate.
    pub replicate: u64,
}

impl Solutions {
    /// Solves every one that was asked for, in the order of [`SOLUTIONS`].
    pub fn solve(&self, given: &Given<'_>) -> Vec<Fits> {
        let mut out = vec![self.linear_fit.solve(given)];
        out.extend(self.least_squares.iter().map(|s| s.solve(given)));
        out.extend(self.min_norm.iter().map(|s| s.solve(given)));
        out.extend(self.ridge.iter().map(|s| s.solve(given)));
        out.extend(self.smoothing_spline.iter().map(|s| s.solve(given)));
        out.extend(self.smoothing_features.iter().map(|s| s.solve(given)));
        out.extend(self.natural_spline.iter().map(|s| s.solve(given)));
        out.extend(self.min_bending.iter().map(|s| s.solve(given)));
        out.extend(self.random_interpolator.iter().flat_map(|s| s.solve(given)));
        out
    }

    /// How many rows these solutions make without the draws of random interpolators, for the plan.
    pub fn rows_without_draws(&self) -> usize {
        self.rows() - self.random_interpolator.as_ref().map_or(0, RandomInterpolator::rows)
    }

    /// How many rows these solutions make, for the plan.
    pub fn rows(&self) -> usize {
        let grid = |g: &Grid| g.values().len();
        1 + usize::from(self.least_squares.is_some())
            + usize::from(self.min_norm.is_some())
            + self.ridge.as_ref().map_or(0, |r| grid(&r.lambda))
            + self.smoothing_spline.as_ref().map_or(0, SmoothingSpline::rows)
            + self.smoothing_features.as_ref().map_or(0, |s| grid(&s.mu))
            + usize::from(self.natural_spline.is_some())
            + usize::from(self.min_bending.is_some())
            + self.random_interpolator.as_ref().map_or(0, RandomInterpolator::rows)
    }
}

/// Every solution.
pub static SOLUTIONS: &[Entry] = &[
    least_squares::LINEAR_FIT,
    least_squares::LEAST_SQUARES,
    min_norm::MIN_NORM,
    ridge::RIDGE,
    smoothing_spline::SMOOTHING_SPLINE,
    smoothing_features::SMOOTHING_FEATURES,
    natural_spline::NATURAL_SPLINE,
    min_bending::MIN_BENDING,
    random_interpolator::RANDOM_INTERPOLATOR,
];
