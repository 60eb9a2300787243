//! Gradient flow: the motion of infinitely small steps.

use super::{Optimizer, Rule};
use taut_problem::{Entry, Motion};

pub(super) const ENTRY: Entry =
    Entry { name: "gradient-flow", doc: "dθ/dt = −∇L(θ); linear models in closed form at any time", cite: "" };

/// dθ/dt = −∇L(θ).
struct GradientFlow;

pub(super) fn optimizer() -> impl Optimizer {
    GradientFlow
}

impl Optimizer for GradientFlow {
    fn motion(&self) -> Motion {
        Motion::Flow
    }

    fn rule(&self, _slots: usize) -> Option<Box<dyn Rule>> {
        None
    }
}
