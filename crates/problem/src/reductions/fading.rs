//! What weight decay leaves of weights that no other gradient meets.

use crate::{Clock, Dynamics, Motion};

/// c with R(k) = c·R(0) for weights R whose only gradient is λR.
///
/// Descent: cₖ₊₁ = (1 − ηₖλ)cₖ; heavy ball and Nesterov's method: the same recursions as for the weights, on one
/// scalar; flow: e^{−λt}. c = 1 without decay, at no cost; otherwise O(1) per step.
#[derive(Clone, Debug)]
pub struct Fading {
    dynamics: Dynamics,
    lambda: f64,
    step: u64,
    now: f64,
    before: f64,
}

impl Fading {
    /// At the start.
    pub fn new(dynamics: &Dynamics) -> Self {
        let lambda = dynamics.penalty.ridge.get();
        Self { dynamics: dynamics.clone(), lambda, step: 0, now: 1.0, before: 1.0 }
    }

    /// c at a point of the clock; points never decrease between calls.
    pub fn at(&mut self, clock: Clock) -> f64 {
        match clock {
            _ if self.lambda <= 0.0 => 1.0,
            Clock::Time(t) => (-self.lambda * t).exp(),
            Clock::Limit => 0.0,
            Clock::Step(step) => {
                while self.step < step {
                    self.update();
                }
                self.now
            }
        }
    }

    fn update(&mut self) {
        let k = self.step;
        let rate = self.dynamics.step_size * self.dynamics.factor(k) * self.lambda;
        let last = self.now - self.before;
        let next = match self.dynamics.motion {
            Motion::HeavyBall(beta) if k > 0 => self.now + beta * last - rate * self.now,
            Motion::Nesterov(beta) if k > 0 => {
                let ahead = self.now + beta.unwrap_or(k as f64 / (k as f64 + 3.0)) * last;
                ahead - rate * ahead
            }
            _ => self.now - rate * self.now,
        };
        (self.before, self.now) = (self.now, next);
        self.step += 1;
    }
}
