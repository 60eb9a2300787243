//! A product entry by entry.

use super::{Kind, Parametrization, Shape, Tensor};
use crate::Entry;

pub(super) const ENTRY: Entry = Entry {
    name: "hadamard-product",
    doc: "β = u∘v entry by entry; with u = 2α, v = 0 and twice the step size the same path as u² − v² from α",
    cite: "Woodworth et al. 2020",
};

struct HadamardProductKind;

pub(super) fn kind() -> impl Kind {
    HadamardProductKind
}

impl Kind for HadamardProductKind {
    fn misfit(&self, _inputs: usize, _outputs: usize) -> Option<[String; 2]> {
        None
    }

    fn build(&self, shape: Shape) -> Box<dyn Parametrization> {
        Box::new(Products { entries: shape.inputs * shape.outputs, slots: shape.slots() })
    }
}

struct Products {
    entries: usize,
    /// Entries times lanes.
    slots: usize,
}

impl Products {
    /// out = (v∘g, u∘g).
    fn cross(&self, theta: &[f64], g: &[f64], out: &mut [f64]) {
        let (u, v) = theta.split_at(self.slots);
        let (of_u, of_v) = out.split_at_mut(self.slots);
        for (i, g) in g.iter().enumerate() {
            of_u[i] = v[i] * g;
            of_v[i] = u[i] * g;
        }
    }
}

impl Parametrization for Products {
    fn tensors(&self) -> Vec<Tensor> {
        vec![Tensor::new("u", self.entries, 1), Tensor::new("v", self.entries, 1)]
    }

    fn predictor_into(&mut self, theta: &[f64], beta: &mut [f64]) {
        let (u, v) = theta.split_at(self.slots);
        for ((beta, u), v) in beta.iter_mut().zip(u).zip(v) {
            *beta = u * v;
        }
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        self.cross(theta, g, gradient);
    }

    fn pushforward_into(&mut self, theta: &[f64], direction: &[f64], tangent: &mut [f64]) {
        for (i, tangent) in tangent.iter_mut().enumerate() {
            let (u, v) = (i, i + self.slots);
            *tangent = theta[u] * direction[v] + theta[v] * direction[u];
        }
    }

    fn second_pullback_into(&mut self, theta: &[f64], direction: &[f64], g: &[f64], g_dot: &[f64], out: &mut [f64]) {
        self.cross(theta, g_dot, out);
        for (i, g) in g.iter().enumerate() {
            out[i] += direction[i + self.slots] * g;
            out[i + self.slots] += direction[i] * g;
        }
    }
}
