//! Differences of powers, entry by entry: the diagonal network.

use super::{Kind, Parametrization, Shape, Tensor, power};
use crate::{Entry, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const ENTRY: Entry = Entry {
    name: "hadamard-power",
    doc: "β = u^D − v^D entry by entry, D = `depth`: the diagonal network, which a small start biases to small ‖β‖₁",
    cite: "Woodworth et al. 2020",
};

/// Settings of a difference of powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HadamardPower {
    /// The power D, at least 1.
    pub depth: Samples,
}

pub(super) fn kind(settings: &HadamardPower) -> impl Kind + use<> {
    *settings
}

impl Kind for HadamardPower {
    fn misfit(&self, _inputs: usize, _outputs: usize) -> Option<[String; 2]> {
        None
    }

    fn build(&self, shape: Shape) -> Box<dyn Parametrization> {
        Box::new(Powers { entries: shape.inputs * shape.outputs, slots: shape.slots(), depth: self.depth.size() })
    }
}

struct Powers {
    entries: usize,
    /// Entries times lanes.
    slots: usize,
    depth: usize,
}

impl Powers {
    /// D·x^{D−1}.
    fn slope(&self, x: f64) -> f64 {
        self.depth as f64 * power(x, self.depth - 1)
    }

    /// D(D−1)·x^{D−2}.
    fn curvature(&self, x: f64) -> f64 {
        if self.depth < 2 { 0.0 } else { (self.depth * (self.depth - 1)) as f64 * power(x, self.depth - 2) }
    }
}

impl Parametrization for Powers {
    fn tensors(&self) -> Vec<Tensor> {
        vec![Tensor::new("u", self.entries, 1), Tensor::new("v", self.entries, 1)]
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        let (u, v) = theta.split_at(self.slots);
        for ((beta, u), v) in beta.iter_mut().zip(u).zip(v) {
            *beta = power(*u, self.depth) - power(*v, self.depth);
        }
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        let (u, v) = theta.split_at(self.slots);
        let (of_u, of_v) = gradient.split_at_mut(self.slots);
        for ((gradient, u), g) in of_u.iter_mut().zip(u).zip(g) {
            *gradient = self.slope(*u) * g;
        }
        for ((gradient, v), g) in of_v.iter_mut().zip(v).zip(g) {
            *gradient = -self.slope(*v) * g;
        }
    }

    fn pushforward_into(&mut self, theta: &[f64], direction: &[f64], tangent: &mut [f64]) {
        for (i, tangent) in tangent.iter_mut().enumerate() {
            let (u, v) = (i, i + self.slots);
            *tangent = self.slope(theta[u]) * direction[u] - self.slope(theta[v]) * direction[v];
        }
    }

    fn second_pullback_into(&mut self, theta: &[f64], direction: &[f64], g: &[f64], g_dot: &[f64], out: &mut [f64]) {
        for i in 0..self.slots {
            let (u, v) = (i, i + self.slots);
            out[u] = self.slope(theta[u]) * g_dot[i] + self.curvature(theta[u]) * direction[u] * g[i];
            out[v] = -self.slope(theta[v]) * g_dot[i] - self.curvature(theta[v]) * direction[v] * g[i];
        }
    }
}
