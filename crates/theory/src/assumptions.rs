//! Assumptions that several theories share, each with the sentence that says it is not met.

use crate::Premise;
use crate::prediction::largest_curvature;
use taut_problem::{Clock, Covariance, Law, Motion};

/// Descent with ηλ_max up to this is taken for flow: its filters are within 0.18·ηλ_max of those of flow.
pub(crate) const SMALL_STEP: f64 = 0.1;

impl<'a> Premise<'a> {
    /// The law of rows and values.
    pub(crate) fn known_law(&self) -> Result<&'a Law, String> {
        let n = self.problem.samples();
        self.problem.law.as_deref().ok_or_else(|| format!("no law of rows and values is known behind the {n} points"))
    }

    /// The law, if Σ = I.
    pub(crate) fn isotropic_law(&self) -> Result<&'a Law, String> {
        let law = self.known_law()?;
        let away = distance_from_identity(&law.covariance);
        if away > 0.0 {
            return Err(format!("the covariance of the features is not the identity: an entry is {away} away"));
        }
        Ok(law)
    }

    /// ‖θ₀ − β*‖², from which descent and flow set out.
    pub(crate) fn initial_distance(&self, law: &Law) -> f64 {
        self.start.iter().zip(&law.predictor).map(|(start, beta)| (start - beta) * (start - beta)).sum()
    }

    /// Why a result for a start at zero does not apply.
    pub(crate) fn not_from_zero(&self) -> Option<String> {
        let norm = self.start.iter().map(|t| t * t).sum::<f64>().sqrt();
        (norm > 0.0).then(|| format!("the start is not zero: its norm is {norm}"))
    }

    /// Why a result for gradient flow, or for descent with a constant stable step size, does not apply.
    pub(crate) fn not_plain(&self) -> Option<String> {
        if !self.dynamics.is_plain() {
            return Some("the motion is not plain gradient descent or flow with a constant step size".to_owned());
        }
        let curvature = largest_curvature(self.problem);
        let eta = self.dynamics.step_size;
        (self.dynamics.motion == Motion::Descent && eta * curvature >= 2.0 - 1e-9)
            .then(|| format!("step size {eta} is not below 2/λ_max = {}", 2.0 / curvature))
    }

    /// Why a result for gradient flow, read at time Σηₖ, does not apply.
    pub(crate) fn not_flow(&self) -> Option<String> {
        let dynamics = self.dynamics;
        match dynamics.motion {
            Motion::Flow if dynamics.only_schedule() => None,
            Motion::Descent if dynamics.only_schedule() => {
                let relative = dynamics.step_size * largest_curvature(self.problem);
                (relative > SMALL_STEP).then(|| {
                    format!("the step size is {relative}/λ_max; descent is taken for flow up to {SMALL_STEP}/λ_max")
                })
            }
            _ => Some("the motion is neither gradient flow nor gradient descent on the loss alone".to_owned()),
        }
    }

    /// Why modes decay neither as (1 − ηλ)ᵏ nor as exp(−λΣηₖ).
    pub(crate) fn not_decaying(&self) -> Option<String> {
        if self.dynamics.is_constant() { self.not_plain() } else { self.not_flow() }
    }

    /// The metric `test_error` along the clock, given (clock, training time). A schedule that ends before
    /// the limit has no value there.
    pub(crate) fn test_error_curve(&self, at: impl Fn(Clock, f64) -> f64) -> Vec<(Clock, &'static str, f64)> {
        let reached = |clock: Clock| clock != Clock::Limit || self.dynamics.schedule.reaches_limit();
        let points = self.clocks.iter().zip(self.times).filter(|(clock, _)| reached(**clock));
        points.map(|(&clock, &time)| (clock, "test_error", at(clock, time))).collect()
    }
}

/// max |Σᵢⱼ − δᵢⱼ|.
fn distance_from_identity(covariance: &Covariance) -> f64 {
    match covariance {
        Covariance::Isotropic => 0.0,
        Covariance::Diagonal(variances) => variances.iter().map(|v| (v - 1.0).abs()).fold(0.0, f64::max),
        Covariance::Dense(sigma) => {
            let away = |i: usize, j: usize| (sigma[(i, j)] - f64::from(u8::from(i == j))).abs();
            (0..sigma.nrows()).flat_map(|i| (0..sigma.ncols()).map(move |j| away(i, j))).fold(0.0, f64::max)
        }
    }
}
