//! How parameters are moved, as plain data: what trainer and theory are both handed.

use crate::{NonNegative, Positive, Steps};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[train]` table of a study.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// The motion.
    #[serde(default)]
    pub method: Method,
    /// The step size of a discrete motion: `{ relative = r }` is r/λ_max(ΦᵀΦ/n), or
    /// `{ absolute = η }`. Default: relative 1. A flow has none.
    pub step_size: Option<StepSize>,
    /// Closed form where one exists, or the plain loop.
    #[serde(default)]
    pub solver: Solver,
    /// When to stop: whichever comes first.
    pub until: Until,
    /// Permit a step size beyond 2/λ_max; the cell may then diverge, and its row says so.
    #[serde(default)]
    pub allow_unstable: bool,
}

/// The motions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// θ ← θ − η ∇L(θ)
    #[default]
    GradientDescent,
    /// dθ/dt = −∇L(θ)
    GradientFlow,
}

/// How far a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepSize {
    /// In units of 1/λ_ref; for linear models λ_ref = λ_max(ΦᵀΦ/n).
    Relative(Positive),
    /// η itself.
    Absolute(Positive),
}

impl Default for StepSize {
    fn default() -> Self {
        Self::Relative(Positive::try_from(1.0).expect("1 is above 0"))
    }
}

impl StepSize {
    /// η for a reference curvature λ_ref. A zero design (λ_ref = 0) never moves: η is then r itself.
    pub fn absolute(self, lambda_ref: f64) -> f64 {
        match self {
            Self::Absolute(eta) => eta.get(),
            Self::Relative(r) if lambda_ref > 0.0 => r.get() / lambda_ref,
            Self::Relative(r) => r.get(),
        }
    }
}

/// Whether the closed form is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Solver {
    /// Closed form where one exists, else stepped.
    #[default]
    Auto,
    /// Closed form.
    Exact,
    /// The plain loop, step by step.
    Stepped,
}

/// When to stop; at least one of `steps` and `time` is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// A number of steps (discrete motions).
    pub steps: Option<Steps>,
    /// A training time t = Σ η.
    pub time: Option<NonNegative>,
    /// A loss L = |y − f|²/(2n): stop at the first step at or below it.
    pub loss: Option<NonNegative>,
}
