//! Differences of powers, entry by entry: the diagonal network.

use super::{Kind, Parametrization, Shape, Tensor, power};
use crate::{Entry, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Kernel, run_wide};

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
        run_wide(Difference { depth: self.depth, u, v, beta });
    }

    fn pullback_into(&mut self, theta: &[f64], g: &[f64], gradient: &mut [f64]) {
        let (u, v) = theta.split_at(self.slots);
        let (of_u, of_v) = gradient.split_at_mut(self.slots);
        run_wide(Slopes { depth: self.depth, sign: 1.0, x: u, g, gradient: of_u });
        run_wide(Slopes { depth: self.depth, sign: -1.0, x: v, g, gradient: of_v });
    }

    fn descend(&mut self, s: &[f64], g: &[f64], theta: &mut [f64], _gradient: &mut [f64]) {
        let (u, v) = theta.split_at_mut(self.slots);
        run_wide(Descend { depth: self.depth, sign: 1.0, s, g, x: u });
        run_wide(Descend { depth: self.depth, sign: -1.0, s, g, x: v });
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

/// u^D − v^D.
struct Difference<'a> {
    depth: usize,
    u: &'a [f64],
    v: &'a [f64],
    beta: &'a mut [f64],
}

impl Kernel for Difference<'_> {
    type Output = ();

    // A known power leaves no loop over its factors.
    #[inline(always)]
    fn run(self) {
        match self.depth {
            2 => self.sweep(2),
            3 => self.sweep(3),
            depth => self.sweep(depth),
        }
    }
}

impl Difference<'_> {
    #[inline(always)]
    fn sweep(self, depth: usize) {
        for ((beta, u), v) in self.beta.iter_mut().zip(self.u).zip(self.v) {
            *beta = power(*u, depth) - power(*v, depth);
        }
    }
}

/// ±D·x^{D−1}·g.
struct Slopes<'a> {
    depth: usize,
    sign: f64,
    x: &'a [f64],
    g: &'a [f64],
    gradient: &'a mut [f64],
}

impl Kernel for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.depth {
            2 => self.sweep(2),
            3 => self.sweep(3),
            depth => self.sweep(depth),
        }
    }
}

impl Slopes<'_> {
    #[inline(always)]
    fn sweep(self, depth: usize) {
        let factor = self.sign * depth as f64;
        for ((gradient, x), g) in self.gradient.iter_mut().zip(self.x).zip(self.g) {
            *gradient = factor * power(*x, depth - 1) * g;
        }
    }
}

/// x ← x ∓ s∘D·x^{D−1}·g, with one s per lane, rounded as by [`Slopes`] and an update after it.
struct Descend<'a> {
    depth: usize,
    sign: f64,
    s: &'a [f64],
    g: &'a [f64],
    x: &'a mut [f64],
}

impl Kernel for Descend<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match (self.depth, self.s.len()) {
            (2, 1) => self.one_lane(2),
            (depth, 1) => self.one_lane(depth),
            (2, 8) => self.eight_lanes(2),
            (3, 8) => self.eight_lanes(3),
            (depth, lanes) => {
                let factor = self.sign * depth as f64;
                for (i, (x, g)) in self.x.iter_mut().zip(self.g).enumerate() {
                    *x -= self.s[i % lanes] * (factor * power(*x, depth - 1) * g);
                }
            }
        }
    }
}

impl Descend<'_> {
    #[inline(always)]
    fn one_lane(self, depth: usize) {
        let factor = self.sign * depth as f64;
        for (x, g) in self.x.iter_mut().zip(self.g) {
            *x -= self.s[0] * (factor * power(*x, depth - 1) * g);
        }
    }

    /// Eight entries at a time with their factors beside them, for the compiler sees vectors along one list only.
    #[inline(always)]
    fn eight_lanes(self, depth: usize) {
        let factor = self.sign * depth as f64;
        let s: [f64; 64] = std::array::from_fn(|i| self.s[i % 8]);
        for (x, g) in self.x.chunks_mut(64).zip(self.g.chunks(64)) {
            for ((x, g), s) in x.iter_mut().zip(g).zip(&s) {
                *x -= s * (factor * power(*x, depth - 1) * g);
            }
        }
    }
}
