//! RMSprop with one second moment for all parameters: descent with a normalised gradient.

use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Fraction, Memory, Motion, Positive};

pub(super) const ENTRY: Entry = Entry {
    name: "group-rmsprop",
    doc: "θ ← θ − ηₖ·∇L/(√v̂ + ε), v ← αv + (1 − α)‖∇L‖² over all parameters, freed of the bias of its start; stepped",
    cite: "Arora, Cohen, Hu and Luo 2019",
};

/// Settings of RMSprop with one second moment.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupRmsprop {
    /// What is kept of the mean square at every update; default 0.99.
    pub alpha: Fraction,
    /// Added to √v̂, in units of the gradient of `train.loss`; default 1e-4.
    pub epsilon: Positive,
}

impl Default for GroupRmsprop {
    fn default() -> Self {
        Self {
            alpha: Fraction::try_from(0.99).expect("a fraction"),
            epsilon: Positive::try_from(1e-4).expect("above zero"),
        }
    }
}

pub(super) fn optimizer(settings: &GroupRmsprop) -> impl Optimizer + use<> {
    *settings
}

impl Optimizer for GroupRmsprop {
    fn motion(&self) -> Motion {
        Motion::Other(ENTRY.name)
    }

    /// Steps are about as long as η whatever the loss is multiplied by.
    fn knows_curvature(&self) -> bool {
        false
    }

    fn scales_with_gradient(&self) -> bool {
        false
    }

    fn rule(&self, slots: usize) -> Option<Box<dyn Rule>> {
        let [alpha, epsilon] = [self.alpha.get(), self.epsilon.get()];
        // One number per lane; there are no more lanes than slots.
        Some(Box::new(Normalised { alpha, epsilon, start: 1.0, square: vec![0.0; slots], step: vec![0.0; slots] }))
    }
}

struct Normalised {
    alpha: f64,
    epsilon: f64,
    /// αᵏ: the weight that the start at zero still has.
    start: f64,
    /// v, one per lane.
    square: Vec<f64>,
    /// η/(√v̂ + ε), one per lane.
    step: Vec<f64>,
}

impl Rule for Normalised {
    fn update(&mut self, _k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        let lanes = eta.len();
        self.start *= self.alpha;
        self.step[..lanes].fill(0.0);
        for gradient in gradient.chunks_exact(lanes) {
            for (sum, g) in self.step.iter_mut().zip(gradient) {
                *sum = f64::mul_add(*g, *g, *sum);
            }
        }
        for ((step, square), eta) in self.step.iter_mut().zip(&mut self.square).zip(eta) {
            *square = self.alpha * *square + (1.0 - self.alpha) * *step;
            *step = eta / ((*square / (1.0 - self.start)).sqrt() + self.epsilon);
        }
        for (theta, gradient) in theta.chunks_exact_mut(lanes).zip(gradient.chunks_exact(lanes)) {
            for lane in 0..lanes {
                theta[lane] -= self.step[lane] * gradient[lane];
            }
        }
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.value("group-rmsprop start", &mut self.start);
        memory.values("group-rmsprop square", &mut self.square);
    }
}
