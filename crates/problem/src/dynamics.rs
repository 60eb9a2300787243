//! How parameters are moved, as plain data: the only thing that trainer and theory have in common.

use crate::{Clock, Degree, Finite, NonNegative, Positive, Probability, Schedule, Steps};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A motion with everything that shapes it, resolved for one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamics {
    /// What kind of motion.
    pub motion: Motion,
    /// η; not used by flows.
    pub step_size: f64,
    /// s(k) with ηₖ = η·s(k).
    pub schedule: Schedule,
    /// Updates over which the step size rises linearly from η/warm_up; 0 for none.
    pub warm_up: u64,
    /// What is shown: the iterate or an average of iterates.
    pub average: Average,
    /// Rows that an update looks at; all of them if `None`.
    pub batch: Option<Batch>,
    /// Noise added on purpose.
    pub noise: Noise,
    /// Explicit penalties.
    pub penalty: Penalty,
    /// Masks.
    pub dropout: Option<Dropout>,
    /// What the gradient of L is multiplied by before a rule sees that does not scale with it; 1 for motions whose
    /// step size says it all.
    pub gradient_factor: f64,
}

/// Kinds of motion that a theory may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// dθ/dt = −∇L(θ).
    Flow,
    /// θ ← θ − ηₖ∇L(θ).
    Descent,
    /// Descent with momentum β: θ ← θ − ηₖ∇L(θ) + β(θ − θ₋).
    HeavyBall(f64),
    /// Descent from a look ahead; momentum β, or k/(k+3) if `None`.
    Nesterov(Option<f64>),
    /// Any other, by its name.
    Other(&'static str),
}

/// Rows drawn for every update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub size: usize,
    /// Whether one row may be drawn twice. Without replacement the rows of one update differ; updates
    /// are independent either way.
    pub replacement: bool,
}

/// Which average of the iterates is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Average {
    /// The iterate itself
    #[default]
    None,
    /// The mean of θ₁ … θₖ (Polyak and Ruppert)
    All,
    /// The mean of the iterates after a number of updates
    After(AverageAfter),
}

/// Where averaging begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AverageAfter {
    /// Updates that are left out of the average.
    pub steps: Steps,
}

impl Average {
    /// Updates before the first iterate that counts; `None` if nothing is averaged.
    pub fn from(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::All => Some(0),
            Self::After(after) => Some(after.steps.get()),
        }
    }
}

/// The `train.noise` table: noise added on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Standard deviation of fresh Gaussian noise on every label at every update.
    #[serde(default)]
    pub labels: NonNegative,
    /// Gaussian noise added to the gradient, with covariance gradient²·I.
    #[serde(default)]
    pub gradient: NonNegative,
    /// Gaussian noise added to the gradient, with covariance curvature²·ΦᵀΦ/n.
    #[serde(default)]
    pub curvature: NonNegative,
}

impl Noise {
    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        self.labels.get() > 0.0 || self.gradient.get() > 0.0 || self.curvature.get() > 0.0
    }
}

/// The `train.penalty` table: what is added to the loss L.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// λ of ½λ‖θ‖².
    #[serde(default)]
    pub ridge: NonNegative,
    /// λ of λ‖θ‖₁, by proximal steps.
    #[serde(default)]
    pub l1: NonNegative,
    /// μ of ½μ∫f″².
    #[serde(default)]
    pub bending: NonNegative,
}

impl Penalty {
    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        self.ridge.get() > 0.0 || self.l1.get() > 0.0 || self.bending.get() > 0.0
    }
}

/// The `train.dropout` table: units or synapses that fail at random, with inverted scaling.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The probability q of being kept; what is kept is divided by q.
    pub keep: Probability,
    /// What a mask falls on.
    #[serde(default)]
    pub mask: MaskKind,
    /// Train on the expectation over masks, ½((1−q)/q)·Σⱼ θⱼ²·(ΦᵀΦ)ⱼⱼ/n added to L, instead of masks.
    #[serde(default)]
    pub marginal: bool,
}

/// What a mask falls on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// Dropout: a mask per sample and feature
    #[default]
    Features,
    /// DropConnect: one mask over the parameters per update, shared by all samples
    Weights,
}

impl Dynamics {
    /// Gradient descent with a constant step size.
    pub fn descent(step_size: f64) -> Self {
        Self {
            motion: Motion::Descent,
            step_size,
            schedule: Schedule::Constant,
            warm_up: 0,
            average: Average::None,
            batch: None,
            noise: Noise::default(),
            penalty: Penalty::default(),
            dropout: None,
            gradient_factor: 1.0,
        }
    }

    /// Gradient flow.
    pub fn flow() -> Self {
        Self { motion: Motion::Flow, ..Self::descent(1.0) }
    }

    /// s(k) with the warm-up: ηₖ = η·factor(k).
    pub fn factor(&self, k: u64) -> f64 {
        let rise = if k < self.warm_up { (k + 1) as f64 / self.warm_up as f64 } else { 1.0 };
        rise * self.schedule.factor(k)
    }

    /// Whether ηₖ = η for all k.
    pub fn is_constant(&self) -> bool {
        self.schedule == Schedule::Constant && self.warm_up == 0
    }

    /// The training time Σ ηₖ at each of these points. One walk of O(steps) if they ascend, none if η is constant.
    pub fn times(&self, clocks: &[Clock]) -> Vec<f64> {
        let (mut at, mut sum) = (0_u64, 0.0);
        let mut time = |clock: &Clock| match clock {
            Clock::Step(step) if self.is_constant() => *step as f64 * self.step_size,
            Clock::Step(step) => {
                if *step < at {
                    (at, sum) = (0, 0.0);
                }
                while at < *step {
                    sum += self.factor(at);
                    at += 1;
                }
                sum * self.step_size
            }
            Clock::Time(time) => *time,
            Clock::Limit => f64::INFINITY,
        };
        clocks.iter().map(&mut time).collect()
    }

    /// Plain descent or flow on the loss alone: no schedule, momentum, average, batch, noise, penalty or mask.
    pub fn is_plain(&self) -> bool {
        matches!(self.motion, Motion::Flow | Motion::Descent) && self.only_schedule() && self.is_constant()
    }

    /// Whether an update sees rows of the data one by one: batches, noise on labels, masks.
    pub fn sees_rows(&self) -> bool {
        self.batch.is_some() || self.noise.is_some() || self.dropout.is_some()
    }

    /// Nothing but a motion and its schedule.
    pub fn only_schedule(&self) -> bool {
        self.average == Average::None
            && self.batch.is_none()
            && !self.noise.is_some()
            && !self.penalty.is_some()
            && self.dropout.is_none()
    }
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
    /// The exact mean and covariance over all draws of a stochastic motion, without sampling.
    Moments,
    /// Gradient flow of any parametrization by an embedded 5(4) pair with error control.
    Adaptive,
    /// The exact flow of a diagonal network (`hadamard-power` of depth 2 with u = v at the start) in n dual variables.
    Dual,
    /// The exact flow of a two-factor network from a λ-balanced start on whitened inputs.
    Riccati,
    /// Descent from an aligned start on whitened inputs, one recursion per mode.
    Modes,
}

/// When to stop; at least one of `steps` and `time` is needed, or `limit` with a continuation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// A number of steps (discrete motions).
    pub steps: Option<Steps>,
    /// A training time t = Σ η.
    pub time: Option<NonNegative>,
    /// A loss L = |y − f|²/(2n): stop at the first step at or below it.
    pub loss: Option<NonNegative>,
    /// Each stage of a continuation goes to its limit, instead of so many steps or so long.
    pub limit: Option<bool>,
}

impl Until {
    /// Whether each stage goes to its limit.
    pub fn is_limit(&self) -> bool {
        self.limit == Some(true)
    }
}

/// Moving from an easy problem to the hard one: the stages of `train.continuation`.
///
/// Each stage is a problem of its own, started where the last one ended, for as long as `until` says.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Continuation {
    /// The ridge penalty λ of ½λ‖θ‖² goes through these values
    Ridge(Vec<NonNegative>),
    /// Only features up to this degree (or harmonic) move; the others stay as they are
    Degree(Vec<Degree>),
    /// The values go from the noise-free target to the noisy data: target + share·(y − target)
    NoiseShare(Vec<Finite>),
}

impl Continuation {
    /// The name as a study writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ridge(_) => "ridge",
            Self::Degree(_) => "degree",
            Self::NoiseShare(_) => "noise-share",
        }
    }

    /// The number of stages.
    pub fn stages(&self) -> usize {
        match self {
            Self::Ridge(values) => values.len(),
            Self::Degree(values) => values.len(),
            Self::NoiseShare(values) => values.len(),
        }
    }
}
