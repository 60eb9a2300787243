//! `[train]` of a study, and which of the ways to compute a motion it takes.

use crate::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{
    Average, Continuation, Dropout, Dynamics, Motion, Noise, Observed, Penalty, Positive, Schedule, Solver, StepSize,
    Steps, Task, Until,
};

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
    /// How the step size changes: ηₖ = η·s(k), k = 0, 1, … Default: constant.
    pub schedule: Option<Schedule>,
    /// Updates over which the step size rises linearly to its schedule.
    pub warm_up: Option<Steps>,
    /// Which average of the iterates is shown. Default: none.
    pub average: Option<Average>,
    /// Noise added on purpose.
    pub noise: Option<Noise>,
    /// Explicit penalties, added to L.
    pub penalty: Option<Penalty>,
    /// Features or parameters that fail at random.
    pub dropout: Option<Dropout>,
    /// A sequence of problems, each started where the last one ended; `until.steps` is per stage.
    pub continuation: Option<Continuation>,
    /// Closed form where one exists, the plain loop, or the exact moments of a stochastic motion.
    #[serde(default)]
    pub solver: Solver,
    /// The relative error per step of an adaptive or dual flow. Default: 1e-9.
    pub tolerance: Option<Positive>,
    /// Step the smallest network that moves in exactly the same way, where one is known. Default: true.
    pub reduce: Option<bool>,
    /// The loss in whose units an absolute step size is, and the ε of a method: so that published runs can be told in
    /// their own numbers. Tables, penalties and `until.loss` are in L whatever it says.
    /// Default: half-mean.
    pub loss: Option<LossUnits>,
    /// When to stop: whichever comes first.
    pub until: Until,
    /// Permit a step size beyond the stable range; the cell may then diverge, and its row says so.
    #[serde(default)]
    pub allow_unstable: bool,
}

/// Losses that step sizes may be in units of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LossUnits {
    /// L itself: half the mean over samples of |y − f|², or half the sum over observed entries or measurements
    #[default]
    HalfMean,
    /// The mean of (y − f)² over samples and outputs, or over observed entries or measurements
    Mean,
    /// Half the sum over samples of |y − f|², or over observed entries or measurements
    HalfSum,
}

impl LossUnits {
    /// c with this loss = c·L.
    ///
    /// With n samples of q outputs: 1, 2/q and n; with m entries or measurements, where L is half a sum: 1, 2/m and 1.
    /// Second moments without samples count as one sample per input.
    pub fn factor(self, task: Task<'_>) -> f64 {
        let is_sum = matches!(task, Task::Matrix(problem) if !matches!(problem.observed, Observed::Moments(_)));
        let samples = task.samples() as f64;
        match self {
            Self::HalfMean => 1.0,
            Self::Mean if is_sum => 2.0 / samples,
            Self::Mean => 2.0 / task.shape(1).outputs as f64,
            Self::HalfSum if is_sum => 1.0,
            Self::HalfSum => samples,
        }
    }
}

/// Ways to compute a motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// A closed form in the modes of the design.
    Exact,
    /// The plain loop.
    Stepped,
    /// Mean and covariance over all draws.
    Moments,
    /// Stage after stage.
    Staged,
    /// An embedded 5(4) pair with error control.
    Adaptive,
    /// The exact flow of a diagonal network in dual variables.
    Dual,
    /// The exact flow of two λ-balanced factors.
    Riccati,
    /// One recursion per mode.
    Modes,
}

impl Route {
    /// The `solver` column of `cells`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Stepped => "stepped",
            Self::Moments => "moments",
            Self::Staged => "staged",
            Self::Adaptive => "adaptive",
            Self::Dual => "dual",
            Self::Riccati => "riccati",
            Self::Modes => "modes",
        }
    }
}

impl Train {
    /// The motion as plain data, for a reference curvature λ_ref and a loss of c times L ([`LossUnits::factor`]).
    ///
    /// η∇(cL) = (cη)∇L: an absolute step size becomes cη. Motions that do not scale with the gradient see c∇L instead.
    /// A relative one is in units of 1/λ_ref, which c has no part in.
    pub fn dynamics(&self, lambda_ref: f64, c: f64) -> Dynamics {
        let optimizer = self.method.optimizer();
        let step_size = self.step_size.unwrap_or_default();
        let (of_step, of_gradient) = match (step_size, optimizer.scales_with_gradient()) {
            (StepSize::Relative(_), _) => (1.0, 1.0),
            (StepSize::Absolute(_), true) => (c, 1.0),
            (StepSize::Absolute(_), false) => (1.0, c),
        };
        Dynamics {
            motion: optimizer.motion(),
            step_size: of_step * step_size.absolute(lambda_ref),
            gradient_factor: of_gradient,
            schedule: self.schedule.unwrap_or_default(),
            warm_up: self.warm_up.map_or(0, Steps::get),
            average: self.average.unwrap_or_default(),
            batch: optimizer.batch(),
            noise: self.noise.unwrap_or_default(),
            penalty: self.penalty.unwrap_or_default(),
            dropout: self.dropout,
        }
    }

    /// c with c·L the loss that step sizes are in units of.
    pub fn units(&self, task: Task<'_>) -> f64 {
        self.loss.unwrap_or_default().factor(task)
    }

    /// Whether exact reductions are wanted.
    pub fn reduces(&self) -> bool {
        self.reduce != Some(false)
    }

    /// The motion with the largest ridge penalty that any stage has.
    pub fn stiffest(&self, lambda_ref: f64, c: f64) -> Dynamics {
        let mut dynamics = self.dynamics(lambda_ref, c);
        if let Some(Continuation::Ridge(stages)) = &self.continuation {
            let ridge = stages.iter().copied().fold(dynamics.penalty.ridge, |a, b| if b > a { b } else { a });
            dynamics.penalty.ridge = ridge;
        }
        dynamics
    }

    /// Whether the motion is a function of the modes of the design (or of a quadratic penalty beside
    /// it): deterministic, linear in θ, without proximal steps.
    pub fn has_closed_form(&self) -> bool {
        let dynamics = self.dynamics(1.0, 1.0);
        let linear = !matches!(dynamics.motion, Motion::Other(_));
        let deterministic = dynamics.batch.is_none()
            && !dynamics.noise.is_some()
            && dynamics.dropout.is_none_or(|dropout| dropout.marginal);
        linear && deterministic && dynamics.average == Average::None && dynamics.penalty.l1.get() <= 0.0
    }

    /// The way that `solver` means here; `is_linear` says that a single output is linear in the parameters.
    pub fn route(&self, is_linear: bool) -> Route {
        match self.solver {
            _ if self.continuation.is_some() => Route::Staged,
            Solver::Stepped => Route::Stepped,
            Solver::Moments => Route::Moments,
            Solver::Exact => Route::Exact,
            Solver::Adaptive => Route::Adaptive,
            Solver::Dual => Route::Dual,
            Solver::Riccati => Route::Riccati,
            Solver::Modes => Route::Modes,
            Solver::Auto if is_linear && self.has_closed_form() => Route::Exact,
            Solver::Auto if self.method.is_flow() => Route::Adaptive,
            Solver::Auto => Route::Stepped,
        }
    }
}
