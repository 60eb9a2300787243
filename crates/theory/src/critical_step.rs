//! The step size up to which a motion stays near a minimum.

use taut_problem::{Dynamics, Motion};

/// η_crit for the largest curvature λ: 2/λ of descent, 2(1+β)/λ of heavy ball, 2(1+β)/((1+2β)λ) of Nesterov's
/// method; `None` for motions without such a bound.
pub(crate) fn critical_step_size(dynamics: &Dynamics, curvature: f64) -> Option<f64> {
    match dynamics.motion {
        Motion::Descent => Some(2.0 / curvature),
        Motion::HeavyBall(beta) => Some(2.0 * (1.0 + beta) / curvature),
        Motion::Nesterov(beta) => {
            let beta = beta.unwrap_or(1.0);
            Some(2.0 * (1.0 + beta) / ((1.0 + 2.0 * beta) * curvature))
        }
        Motion::Flow | Motion::Other(_) => None,
    }
}
