//! Polyak's heavy ball.

use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Fraction, Motion};

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
        Some(Box::new(Roll { momentum: self.momentum.get(), last_move: vec![0.0; slots] }))
    }
}

struct Roll {
    momentum: f64,
    /// θ − θ₋.
    last_move: Vec<f64>,
}

impl Rule for Roll {
    fn update(&mut self, _k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        let lanes = eta.len();
        let moves = self.last_move.chunks_exact_mut(lanes);
        for ((theta, gradient), last) in theta.chunks_exact_mut(lanes).zip(gradient.chunks_exact(lanes)).zip(moves) {
            for lane in 0..lanes {
                last[lane] = self.momentum * last[lane] - eta[lane] * gradient[lane];
                theta[lane] += last[lane];
            }
        }
    }
}
