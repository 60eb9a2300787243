//! How the error of every mode of a quadratic dies out under a linear motion: one file per response.

mod geometric;
mod two_roots;
mod walk;

pub(crate) use geometric::Geometric;
use taut_problem::{Clock, Dynamics, Motion};
use two_roots::TwoRoots;
pub(crate) use walk::Walk;

/// eᵢ(t): what is left of the initial distance between a mode and its fixed point, with e(0) = 1.
///
/// Called once per mode and point of the clock; allocates nothing but in `fresh`.
pub(crate) trait Response: Send {
    /// Goes to `t`, back as well as on.
    fn move_to(&mut self, t: Clock);

    /// eᵢ there; NaN at a limit that does not exist or has no formula.
    fn left(&self, mode: usize) -> f64;

    /// 1 − eᵢ there, without cancellation.
    fn learned(&self, mode: usize) -> f64;

    /// Whether eᵢ tends to 0.
    fn dies_out(&self, mode: usize) -> bool;

    /// Whether eᵢ falls to 0 from above at every step.
    fn falls(&self, mode: usize) -> bool;

    /// Whether far points cost what near ones do.
    fn leaps(&self) -> bool;

    /// The largest x of a motion with e ← (1 − x)e; `None` for a motion with memory.
    fn largest_share(&self) -> Option<f64>;

    /// The same at the start.
    fn fresh(&self) -> Box<dyn Response>;
}

/// The response of each of these curvatures.
pub(crate) fn response(dynamics: &Dynamics, curvature: &[f64]) -> Box<dyn Response> {
    let constant = dynamics.is_constant();
    match dynamics.motion {
        Motion::Flow => Box::new(Geometric::new(None, curvature)),
        Motion::Descent if constant => Box::new(Geometric::new(Some(dynamics.step_size), curvature)),
        Motion::HeavyBall(beta) if constant => Box::new(TwoRoots::new(dynamics.step_size, beta, false, curvature)),
        Motion::Nesterov(Some(beta)) if constant => Box::new(TwoRoots::new(dynamics.step_size, beta, true, curvature)),
        _ => Box::new(Walk::new(dynamics, curvature)),
    }
}

/// ln|1 − x|, the rate of a mode under steps with ηλ = x.
fn log_size(x: f64) -> f64 {
    match x {
        // At 2 exactly the mode swings for ever; rounding must not decide which way it goes.
        x if (x - 2.0).abs() < 1e-12 => 0.0,
        x if x > 1.0 => (x - 1.0).ln(),
        x => (-x).ln_1p(),
    }
}

/// exp(k·log), with the sign of a negative base.
fn power(k: u64, log: f64, negative: bool) -> f64 {
    let log = k as f64 * log;
    // Below the smallest number, and the library takes its time to say so.
    let size = if log < -745.0 { 0.0 } else { log.exp() };
    if k % 2 == 1 && negative { -size } else { size }
}
