//! Polyak's heavy ball.

use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::subtract_scaled_and_roll;
use taut_problem::{Entry, Fraction, Memory, Motion};

pub(super) const ENTRY: Entry = Entry {
    name: "heavy-ball",
    doc: "θ ← θ − ηₖ∇L(θ) + β(θ − θ₋) from rest; stable up to ηλ = 2(1+β); linear models in closed form",
    cite: "Polyak 1964",
};

/// Settings of the heavy ball.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeavyBall {
    /// β: the share of the last move that goes on.
    pub momentum: Fraction,
}

pub(super) fn optimizer(settings: &HeavyBall) -> impl Optimizer + use<> {
    *settings
}

impl Optimizer for HeavyBall {
    fn motion(&self) -> Motion {
        Motion::HeavyBall(self.momentum.get())
    }

    fn stability(&self) -> Option<f64> {
        Some(2.0 * (1.0 + self.momentum.get()))
    }

    fn rule(&self, slots: usize) -> Option<Box<dyn Rule>> {
        Some(Box::new(Roll { momentum: self.momentum.get(), before: vec![0.0; slots] }))
    }
}

struct Roll {
    momentum: f64,
    /// θ₋: the difference to it is the last move, also where something else than this rule has moved θ.
    before: Vec<f64>,
}

impl Rule for Roll {
    fn update(&mut self, k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        let momentum = if k == 0 { 0.0 } else { self.momentum };
        subtract_scaled_and_roll(momentum, eta, gradient, theta, &mut self.before);
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.values("heavy-ball before", &mut self.before);
    }
}
