//! Explicit penalties of a stepped run: gradients of the smooth ones, a proximal step for the other.

use crate::quadratic::{NO_CURVES, bending_root, marginal_dropout};
use taut_numerics::DMatrix;
use taut_problem::{Dynamics, Regression};

/// ½λ‖θ‖² + ½Σ dⱼθⱼ² + ½μ∫f″² by their gradients, λ₁‖θ‖₁ by soft thresholding at ηₖλ₁ after the update.
pub(crate) struct Penalties {
    lanes: usize,
    ridge: f64,
    l1: f64,
    /// dⱼ, params × lanes; empty without marginal dropout.
    diagonal: Vec<f64>,
    bending: Option<Bending>,
}

/// ½μ|Wθ|².
struct Bending {
    weight: f64,
    root: DMatrix<f64>,
    /// Wθ, rows × lanes.
    bent: Vec<f64>,
}

impl Penalties {
    /// `problems` has one regression per lane, or nothing where the task is no regression.
    ///
    /// # Panics
    /// If a bending penalty is asked of features that are no curves on the line.
    pub(crate) fn new(problems: &[&Regression], dynamics: &Dynamics, lanes: usize) -> Self {
        let of_lanes: Vec<Vec<f64>> = problems.iter().map(|problem| marginal_dropout(problem, dynamics)).collect();
        let diagonal = (0..of_lanes.first().map_or(0, Vec::len) * lanes)
            .map(|slot| of_lanes[slot % lanes][slot / lanes])
            .collect();
        let weight = dynamics.penalty.bending.get();
        let bending = (weight > 0.0).then(|| {
            let root = bending_root(&*problems[0].features).expect(NO_CURVES);
            Bending { weight, bent: vec![0.0; root.nrows() * lanes], root }
        });
        Self { lanes, ridge: dynamics.penalty.ridge.get(), l1: dynamics.penalty.l1.get(), diagonal, bending }
    }

    /// Adds the gradient of the smooth ones at `theta`.
    pub(crate) fn add(&mut self, theta: &[f64], gradient: &mut [f64]) {
        if self.ridge > 0.0 {
            for (g, t) in gradient.iter_mut().zip(theta) {
                *g += self.ridge * t;
            }
        }
        for ((g, t), d) in gradient.iter_mut().zip(theta).zip(&self.diagonal) {
            *g += d * t;
        }
        if let Some(bending) = &mut self.bending {
            bending.add(theta, gradient, self.lanes);
        }
    }

    /// The proximal step of λ₁‖θ‖₁.
    pub(crate) fn shrink(&self, eta: &[f64], theta: &mut [f64]) {
        if self.l1 <= 0.0 {
            return;
        }
        for theta in theta.chunks_exact_mut(self.lanes) {
            for (t, eta) in theta.iter_mut().zip(eta) {
                // Comparisons with a NaN are false: a lost lane stays lost.
                let shrunk = t.abs() - eta * self.l1;
                *t = if shrunk <= 0.0 { 0.0 } else { shrunk.copysign(*t) };
            }
        }
    }
}

impl Bending {
    fn add(&mut self, theta: &[f64], gradient: &mut [f64], lanes: usize) {
        self.bent.fill(0.0);
        for (column, theta) in self.root.column_iter().zip(theta.chunks_exact(lanes)) {
            for (w, bent) in column.iter().zip(self.bent.chunks_exact_mut(lanes)) {
                for lane in 0..lanes {
                    bent[lane] += w * theta[lane];
                }
            }
        }
        for (column, g) in self.root.column_iter().zip(gradient.chunks_exact_mut(lanes)) {
            for (w, bent) in column.iter().zip(self.bent.chunks_exact(lanes)) {
                for lane in 0..lanes {
                    g[lane] += self.weight * w * bent[lane];
                }
            }
        }
    }
}
