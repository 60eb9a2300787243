//! How far a single mode has come.

use crate::Premise;
use taut_problem::{Clock, Motion};

/// What remains of a mode's error and what has been learned of it: two numbers that add up to 1, each
/// with its own digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filter {
    /// 1 − g.
    pub(crate) remaining: f64,
    /// g.
    pub(crate) learned: f64,
}

impl Filter {
    const START: Self = Self { remaining: 1.0, learned: 0.0 };
    const END: Self = Self { remaining: 0.0, learned: 1.0 };

    /// Gradient flow: exp(−x) with x = λt.
    pub(crate) fn flow(x: f64) -> Self {
        Self { remaining: (-x).exp(), learned: -(-x).exp_m1() }
    }

    /// Descent: (1 − x)ᵏ with x = ηλ.
    pub(crate) fn descent(x: f64, steps: u64) -> Self {
        if x < 1.0 {
            return Self::flow(-(steps as f64) * (-x).ln_1p());
        }
        let size = (steps as f64 * (x - 1.0).ln()).exp();
        let remaining = match steps {
            0 => 1.0,
            odd if odd % 2 == 1 => -size,
            _ => size,
        };
        Self { remaining, learned: 1.0 - remaining }
    }

    /// Ridge regression: λ_r/(λ + λ_r), with x = λ/λ_r.
    pub(crate) fn ridge(x: f64) -> Self {
        Self { remaining: 1.0 / (1.0 + x), learned: x / (1.0 + x) }
    }

    /// A mode of curvature λ at a point of the clock: as (1 − ηλ)ᵏ where the step size is constant,
    /// otherwise as exp(−λΣηₖ).
    pub(crate) fn at(premise: &Premise<'_>, curvature: f64, clock: Clock, time: f64) -> Self {
        let dynamics = premise.dynamics;
        match clock {
            // Before any product with an infinite time.
            _ if curvature <= 0.0 => Self::START,
            Clock::Limit => Self::END,
            Clock::Step(k) if dynamics.motion != Motion::Flow && dynamics.is_constant() => {
                Self::descent(dynamics.step_size * curvature, k)
            }
            _ => Self::flow(curvature * time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descent_filters_are_powers() {
        for (x, k) in [(0.3_f64, 7), (1.0, 0), (1.0, 3), (1.7, 5), (1.7, 6), (0.0, 9)] {
            let filter = Filter::descent(x, k);
            // A handful of rounded products.
            assert!((filter.remaining - (1.0 - x).powi(k as i32)).abs() < 1e-14, "{x} {k}");
            assert!((filter.remaining + filter.learned - 1.0).abs() < 1e-15, "{x} {k}");
        }
        assert!((Filter::descent(1e-18, 1_000_000_000).learned / 1e-9 - 1.0).abs() < 1e-8);
    }
}
