//! Nesterov's accelerated gradient: the gradient is taken where the momentum leads.

use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::subtract_scaled_and_roll;
use taut_problem::{Entry, Fraction, Motion};

pub(super) const ENTRY: Entry = Entry {
    name: "nesterov",
    doc: "y = θ + βₖ(θ − θ₋), θ ← y − ηₖ∇L(y); β constant, or k/(k+3) if not given; stable up to \
          ηλ = (2+2β)/(1+2β); linear models in closed form",
    cite: "Nesterov 1983",
};

/// Settings of Nesterov's method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nesterov {
    /// β; without it βₖ = k/(k+3) for k = 0, 1, …
    pub momentum: Option<Fraction>,
}

pub(super) fn optimizer(settings: &Nesterov) -> impl Optimizer + use<> {
    *settings
}

impl Optimizer for Nesterov {
    fn motion(&self) -> Motion {
        Motion::Nesterov(self.momentum.map(Fraction::get))
    }

    /// The roots of r² − (1−x)(1+β)r + (1−x)β lie in the unit circle while 1 + (1−x)(1+2β) > 0; a
    /// growing βₖ = k/(k+3) tends to 1.
    fn stability(&self) -> Option<f64> {
        let beta = self.momentum.map_or(1.0, Fraction::get);
        Some((2.0 + 2.0 * beta) / (1.0 + 2.0 * beta))
    }

    fn rule(&self, slots: usize) -> Option<Box<dyn Rule>> {
        Some(Box::new(Accelerate { momentum: self.momentum.map(Fraction::get), before: vec![0.0; slots] }))
    }
}

struct Accelerate {
    momentum: Option<f64>,
    /// θ₋.
    before: Vec<f64>,
}

impl Accelerate {
    fn momentum(&self, k: u64) -> f64 {
        match self.momentum {
            // At rest there is no move to go on with, whatever β is.
            _ if k == 0 => 0.0,
            Some(beta) => beta,
            None => k as f64 / (k as f64 + 3.0),
        }
    }
}

impl Rule for Accelerate {
    fn look_ahead(&self, k: u64, theta: &[f64], point: &mut [f64]) -> bool {
        let beta = self.momentum(k);
        for ((point, theta), before) in point.iter_mut().zip(theta).zip(&self.before) {
            *point = theta + beta * (theta - before);
        }
        true
    }

    fn update(&mut self, k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        subtract_scaled_and_roll(self.momentum(k), eta, gradient, theta, &mut self.before);
    }
}
