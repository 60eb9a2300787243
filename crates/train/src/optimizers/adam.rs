//! Adam: steps scaled by running moments of the gradient.

use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Entry, Fraction, Memory, Motion, Positive};

pub(super) const ENTRY: Entry = Entry {
    name: "adam",
    doc: "θ ← θ − ηₖ·m̂/(√v̂ + ε), m and v running means of the gradient and its square, both freed of the bias \
          of their start; stepped",
    cite: "Kingma and Ba 2015",
};

/// Settings of Adam.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// What is kept of the mean gradient at every update; default 0.9.
    pub beta1: Fraction,
    /// What is kept of the mean square; default 0.999.
    pub beta2: Fraction,
    /// Added to √v̂; default 1e-8.
    pub epsilon: Positive,
}

impl Default for Adam {
    fn default() -> Self {
        let fraction = |value| Fraction::try_from(value).expect("a fraction");
        Self { beta1: fraction(0.9), beta2: fraction(0.999), epsilon: Positive::try_from(1e-8).expect("above zero") }
    }
}

pub(super) fn optimizer(settings: &Adam) -> impl Optimizer + use<> {
    *settings
}

impl Optimizer for Adam {
    fn motion(&self) -> Motion {
        Motion::Other("adam")
    }

    /// Steps are as long as η whatever the loss is multiplied by.
    fn knows_curvature(&self) -> bool {
        false
    }

    fn scales_with_gradient(&self) -> bool {
        false
    }

    fn rule(&self, slots: usize) -> Option<Box<dyn Rule>> {
        Some(Box::new(Moments {
            keep: [self.beta1.get(), self.beta2.get()],
            start: [1.0; 2],
            epsilon: self.epsilon.get(),
            mean: vec![0.0; slots],
            square: vec![0.0; slots],
        }))
    }
}

struct Moments {
    keep: [f64; 2],
    /// β₁ᵏ and β₂ᵏ: the weight that the start at zero still has.
    start: [f64; 2],
    epsilon: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Rule for Moments {
    fn update(&mut self, _k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        let [b1, b2] = self.keep;
        self.start = [self.start[0] * b1, self.start[1] * b2];
        let lanes = eta.len();
        for (slot, (theta, gradient)) in theta.iter_mut().zip(gradient).enumerate() {
            let (mean, square) = (&mut self.mean[slot], &mut self.square[slot]);
            *mean = b1 * *mean + (1.0 - b1) * gradient;
            *square = b2 * *square + (1.0 - b2) * gradient * gradient;
            let (m, v) = (*mean / (1.0 - self.start[0]), *square / (1.0 - self.start[1]));
            *theta -= eta[slot % lanes] * m / (v.sqrt() + self.epsilon);
        }
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.value("adam start", &mut self.start);
        memory.values("adam mean", &mut self.mean);
        memory.values("adam square", &mut self.square);
    }
}
