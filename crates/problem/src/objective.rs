//! The loss of a predictor: L = |y − Φβ|²/(2n), and its gradient.

use crate::CurveProblem;

/// Loss of the predictor and its gradient, lane by lane. Called once per step by the stepped trainers.
pub trait Objective: Send + Sync {
    /// The number of lanes.
    fn lanes(&self) -> usize;

    /// The number of features p.
    fn features(&self) -> usize;

    /// Writes L into `loss` (lanes) and ∂L/∂β into `g` (features × lanes).
    fn loss_and_grad_into(&mut self, beta: &[f64], loss: &mut [f64], g: &mut [f64]);
}

/// Least squares with a design of its own for every lane: L = |y − Φβ|²/(2n).
///
/// Sums run over features and samples in index order, so a lane's bits do not depend on its
/// neighbours.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    lanes: usize,
    samples: usize,
    features: usize,
    /// Φ as samples × features × lanes.
    design: Vec<f64>,
    /// y as samples × lanes.
    y: Vec<f64>,
    residual: Vec<f64>,
}

impl LeastSquares {
    /// One lane per problem, all of one shape; `lanes` beyond the problems repeat the last one.
    ///
    /// # Panics
    /// If there is no problem, or their shapes differ.
    pub fn new(problems: &[&CurveProblem], lanes: usize) -> Self {
        let (samples, features) = problems[0].design.shape();
        assert!(problems.iter().all(|p| p.design.shape() == (samples, features)), "one shape per bundle");
        let of = |lane: usize| problems[lane.min(problems.len() - 1)];
        let mut design = Vec::with_capacity(samples * features * lanes);
        let mut y = Vec::with_capacity(samples * lanes);
        for i in 0..samples {
            for k in 0..features {
                design.extend((0..lanes).map(|lane| of(lane).design[(i, k)]));
            }
            y.extend((0..lanes).map(|lane| of(lane).y[i]));
        }
        Self { lanes, samples, features, design, y, residual: vec![0.0; lanes] }
    }
}

impl Objective for LeastSquares {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn features(&self) -> usize {
        self.features
    }

    fn loss_and_grad_into(&mut self, beta: &[f64], loss: &mut [f64], g: &mut [f64]) {
        let (lanes, features) = (self.lanes, self.features);
        let per_sample = 1.0 / self.samples as f64;
        loss.fill(0.0);
        g.fill(0.0);
        let residual = &mut self.residual[..];
        taut_numerics::wide(|| {
            for i in 0..self.samples {
                let rows = &self.design[i * features * lanes..(i + 1) * features * lanes];
                for (r, y) in residual.iter_mut().zip(&self.y[i * lanes..]) {
                    *r = -y;
                }
                for (row, b) in rows.chunks_exact(lanes).zip(beta.chunks_exact(lanes)) {
                    for lane in 0..lanes {
                        residual[lane] = f64::mul_add(row[lane], b[lane], residual[lane]);
                    }
                }
                for lane in 0..lanes {
                    loss[lane] += 0.5 * per_sample * residual[lane] * residual[lane];
                    residual[lane] *= per_sample;
                }
                for (row, g) in rows.chunks_exact(lanes).zip(g.chunks_exact_mut(lanes)) {
                    for lane in 0..lanes {
                        g[lane] = f64::mul_add(row[lane], residual[lane], g[lane]);
                    }
                }
            }
        });
    }
}
