//! Plain gradient descent.

use super::{Optimizer, Rule};
use taut_numerics::subtract_scaled;
use taut_problem::{Entry, Memory, Motion};

pub(super) const ENTRY: Entry = Entry {
    name: "gradient-descent",
    doc: "θ ← θ − ηₖ∇L(θ); linear models in closed form at any step, or step by step (solver = \"stepped\")",
    cite: "",
};

/// θ ← θ − ηₖ∇L(θ).
struct GradientDescent;

pub(super) fn optimizer() -> impl Optimizer {
    GradientDescent
}

impl Optimizer for GradientDescent {
    fn motion(&self) -> Motion {
        Motion::Descent
    }

    fn stability(&self) -> Option<f64> {
        Some(2.0)
    }

    fn rule(&self, _slots: usize) -> Option<Box<dyn Rule>> {
        Some(Box::new(Descend))
    }
}

/// The rule of descent: no memory.
pub(super) struct Descend;

impl Rule for Descend {
    fn update(&mut self, _k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        subtract_scaled(eta, gradient, theta);
    }

    fn remember(&mut self, _memory: &mut Memory<'_>) {}
}
