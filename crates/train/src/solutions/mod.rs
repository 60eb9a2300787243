//! Other fits of the same points: one file each, and one line in the list below.

mod roughness;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{ThinSvd, spaced_value};
use taut_problem::{Entry, Positive, Regression, Samples, Snapshots};

/// One way to fit the points without moving there.
pub(crate) trait Solution {
    /// What it says of itself; its name is the key in `[solutions]`.
    const ENTRY: Entry;

    /// Whether the data must be points on the line.
    const ON_CURVES: bool;

    /// How many rows it makes at the most.
    fn rows(&self) -> usize {
        1
    }

    /// How many of its rows are random draws.
    fn draws(&self) -> usize {
        0
    }

    /// The fits; one group per variant.
    fn fits(&self, given: &Given<'_>) -> Vec<Fits>;
}

/// Solves if the data are of the right kind, and says so if they are not.
fn fits_of<S: Solution>(solution: &S, given: &Given<'_>) -> Vec<Fits> {
    if S::ON_CURVES && given.problem.x.is_empty() {
        return vec![Fits::none(S::ENTRY.name, "the data are not points on a line")];
    }
    solution.fits(given)
}

/// Makes the `[solutions]` table, the list and everything that walks them from one line per solution:
/// the key, then its file and type.
macro_rules! solutions {
    ($($(#[$doc:meta])* $key:ident: $module:ident :: $Kind:ident,)*) => {
        $(mod $module;)*
        $(pub use $module::$Kind;)*

        /// The `[solutions]` table: which other fits get rows without a time.
        #[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Solutions {
            $($(#[$doc])* pub $key: Option<$Kind>,)*
        }

        /// Every solution.
        pub static SOLUTIONS: &[Entry] = &[$(<$Kind as Solution>::ENTRY,)*];

        impl Solutions {
            /// Nothing at all.
            fn none() -> Self {
                Self { $($key: None,)* }
            }

            /// Solves every one that was asked for, in the order of [`SOLUTIONS`].
            pub fn solve(&self, given: &Given<'_>) -> Vec<Fits> {
                let mut out = Vec::new();
                $(out.extend(self.$key.iter().flat_map(|solution| fits_of(solution, given)));)*
                out
            }

            /// How many rows these solutions make, for the plan.
            pub fn rows(&self) -> usize {
                0 $(+ self.$key.as_ref().map_or(0, Solution::rows))*
            }

            /// How many of the rows are random draws.
            pub fn draws(&self) -> usize {
                0 $(+ self.$key.as_ref().map_or(0, Solution::draws))*
            }
        }
    };
}

solutions! {
    /// The least-squares line; always there, written or not.
    #[serde(default = "always")]
    linear_fit: linear_fit::LinearFit,
    /// The least-squares polynomial of a degree.
    least_squares: least_squares::LeastSquaresFit,
    /// The interpolant (or least-squares fit) of least ‖θ‖₂.
    min_norm: min_norm::MinNorm,
    /// Ridge regression over a grid of λ.
    ridge: ridge::Ridge,
    /// Lasso regression over a grid of λ.
    lasso: lasso::Lasso,
    /// The natural cubic smoothing spline over a grid of μ, or with μ by exact leave-one-out.
    smoothing_spline: smoothing_spline::SmoothingSpline,
    /// The smoothing spline's criterion in the span of the features.
    smoothing_features: smoothing_features::SmoothingFeatures,
    /// The natural cubic spline through the points.
    natural_spline: natural_spline::NaturalSpline,
    /// The interpolant in the span with the least ∫f″².
    min_bending: min_bending::MinBending,
    /// Random interpolators: the minimum-norm one plus a random null-space part.
    random_interpolator: random_interpolator::RandomInterpolator,
}

pub use random_interpolator::{Law, Laws};

fn always() -> Option<LinearFit> {
    Some(LinearFit {})
}

impl Default for Solutions {
    fn default() -> Self {
        Self { linear_fit: always(), ..Self::none() }
    }
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
                let [from, to] = grid.logspace.map(Positive::get);
                let n = grid.count.size();
                (0..n).map(|i| spaced_value(from, to, i, n, true)).collect()
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
    /// The λ that ridge regression is asked for.
    pub fn ridge_grid(&self) -> Vec<f64> {
        self.ridge.as_ref().map_or_else(Vec::new, |ridge| ridge.lambda.values())
    }

    /// How many rows these solutions make without the draws of random interpolators, for the plan.
    pub fn rows_without_draws(&self) -> usize {
        self.rows() - self.draws()
    }
}
