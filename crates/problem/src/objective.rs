//! The loss of a predictor: L = |y − Φβ|²/(2n), and its gradient.

use crate::Regression;
use taut_numerics::{Kernel, run_wide};

/// Loss of the predictor and its gradient, lane by lane. Called once per step by the stepped trainers.
pub trait Objective: Send + Sync {
    /// The number of lanes.
    fn lanes(&self) -> usize;

    /// The number of features p.
    fn features(&self) -> usize;

    /// The number of samples n.
    fn samples(&self) -> usize;

    /// Writes L into `loss` (lanes) and ∂L/∂β into `g` (features × lanes), both over these rows.
    fn loss_and_grad_into(&mut self, beta: &[f64], rows: Rows<'_>, loss: &mut [f64], g: &mut [f64]);

    /// g ← g + Φᵀw, with `w` samples × lanes.
    fn add_transposed(&self, w: &[f64], g: &mut [f64]);
}

/// What an update sees of the data: rows per lane, and what is done to them.
///
/// Slots are places of the batch × lanes, with the lanes of one place side by side.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// Every row once, as it is.
    All,
    /// A batch, whose mean is taken.
    Batch {
        /// The row in each slot, below n.
        rows: &'a [usize],
        /// Added to the label of each slot; empty for nothing.
        shifts: &'a [f64],
        /// Factors on the features, places × features × lanes; empty for ones.
        factors: &'a [f64],
    },
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
    pub fn new(problems: &[&Regression], lanes: usize) -> Self {
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

    fn samples(&self) -> usize {
        self.samples
    }

    fn loss_and_grad_into(&mut self, beta: &[f64], rows: Rows<'_>, loss: &mut [f64], g: &mut [f64]) {
        loss.fill(0.0);
        g.fill(0.0);
        if let Rows::Batch { rows, shifts, factors } = rows {
            for lane in 0..self.lanes {
                self.batch(lane, beta, (rows, shifts, factors), loss, g);
            }
            return;
        }
        run_wide(LossAndGrad {
            lanes: self.lanes,
            samples: self.samples,
            design: &self.design,
            y: &self.y,
            residual: &mut self.residual,
            beta,
            loss,
            g,
        });
    }

    fn add_transposed(&self, w: &[f64], g: &mut [f64]) {
        let lanes = self.lanes;
        let row_length = self.features * lanes;
        for (weights, row) in w.chunks_exact(lanes).zip(self.design.chunks_exact(row_length)) {
            for (phi, g) in row.chunks_exact(lanes).zip(g.chunks_exact_mut(lanes)) {
                for lane in 0..lanes {
                    g[lane] = f64::mul_add(phi[lane], weights[lane], g[lane]);
                }
            }
        }
    }
}

impl LeastSquares {
    /// Loss and gradient of one lane over a batch.
    fn batch(
        &self,
        lane: usize,
        beta: &[f64],
        (rows, shifts, factors): (&[usize], &[f64], &[f64]),
        loss: &mut [f64],
        g: &mut [f64],
    ) {
        let (lanes, p) = (self.lanes, self.features);
        let per_row = lanes as f64 / rows.len() as f64;
        for (place, &row) in rows.iter().skip(lane).step_by(lanes).enumerate() {
            let slot = place * lanes + lane;
            let factor = |k: usize| factors.get((place * p + k) * lanes + lane).copied().unwrap_or(1.0);
            let phi = |k: usize| factor(k) * self.design[(row * p + k) * lanes + lane];
            let mut residual = -(self.y[row * lanes + lane] + shifts.get(slot).copied().unwrap_or(0.0));
            for k in 0..p {
                residual = f64::mul_add(phi(k), beta[k * lanes + lane], residual);
            }
            loss[lane] += 0.5 * per_row * residual * residual;
            residual *= per_row;
            for k in 0..p {
                g[k * lanes + lane] = f64::mul_add(phi(k), residual, g[k * lanes + lane]);
            }
        }
    }
}

struct LossAndGrad<'a> {
    lanes: usize,
    samples: usize,
    design: &'a [f64],
    y: &'a [f64],
    residual: &'a mut [f64],
    beta: &'a [f64],
    loss: &'a mut [f64],
    g: &'a mut [f64],
}

impl Kernel for LossAndGrad<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // A known width lets the lanes of one entry stay in one register.
        match self.lanes {
            8 => self.sweep::<8>(8),
            lanes => self.sweep::<0>(lanes),
        }
    }
}

impl LossAndGrad<'_> {
    #[inline(always)]
    fn sweep<const WIDTH: usize>(self, lanes: usize) {
        let Self { design, y, residual, beta, loss, g, samples, .. } = self;
        let lanes = if WIDTH > 0 { WIDTH } else { lanes };
        let per_sample = 1.0 / samples as f64;
        let row_length = design.len() / samples.max(1);
        for i in 0..samples {
            let rows = &design[i * row_length..(i + 1) * row_length];
            for (r, y) in residual.iter_mut().zip(&y[i * lanes..]) {
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
    }
}
