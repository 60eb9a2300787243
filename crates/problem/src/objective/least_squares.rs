//! Least squares on rows: L = |y − Φβ|²/(2n).

use super::{Objective, Rows};
use crate::Regression;
use taut_numerics::{DMatrix, Kernel, run_wide};

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
    /// What all rows weigh together: 1 where L is half the mean, n where it is half the sum.
    total: f64,
}

impl LeastSquares {
    /// One lane per problem, all of one shape; `lanes` beyond the problems repeat the last one.
    ///
    /// # Panics
    /// If there is no problem, or their shapes differ.
    pub fn new(problems: &[&Regression], lanes: usize) -> Self {
        let rows: Vec<_> = problems.iter().map(|problem| (&problem.design, &problem.y[..])).collect();
        Self::of_rows(&rows, lanes, 1.0)
    }

    /// The same for designs and values by themselves; all rows together weigh `total` in L = ½(total/n)Σ(y − Φβ)².
    ///
    /// # Panics
    /// If there is none, or their shapes differ.
    pub fn of_rows(problems: &[(&DMatrix<f64>, &[f64])], lanes: usize, total: f64) -> Self {
        let (samples, features) = problems[0].0.shape();
        assert!(problems.iter().all(|p| p.0.shape() == (samples, features)), "one shape per bundle");
        let of = |lane: usize| problems[lane.min(problems.len() - 1)];
        let mut design = Vec::with_capacity(samples * features * lanes);
        let mut y = Vec::with_capacity(samples * lanes);
        for i in 0..samples {
            for k in 0..features {
                design.extend((0..lanes).map(|lane| of(lane).0[(i, k)]));
            }
            y.extend((0..lanes).map(|lane| of(lane).1[i]));
        }
        Self { lanes, samples, features, design, y, residual: vec![0.0; lanes], total }
    }
}

impl Objective for LeastSquares {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn entries(&self) -> usize {
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
            weight: self.total / self.samples as f64,
            beta,
            loss,
            g,
        });
    }

    fn hessian_apply_into(&mut self, direction: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        run_wide(HessianApply {
            lanes: self.lanes,
            design: &self.design,
            values: &mut self.residual,
            weight: self.total / self.samples as f64,
            direction,
            out,
        });
    }

    fn mean_factor(&self) -> f64 {
        1.0 / self.total
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
        // A batch stands for all rows.
        let per_row = self.total * lanes as f64 / rows.len() as f64;
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
    weight: f64,
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

struct HessianApply<'a> {
    lanes: usize,
    design: &'a [f64],
    values: &'a mut [f64],
    weight: f64,
    direction: &'a [f64],
    out: &'a mut [f64],
}

impl Kernel for HessianApply<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.lanes {
            8 => self.sweep::<8>(8),
            lanes => self.sweep::<0>(lanes),
        }
    }
}

impl HessianApply<'_> {
    #[inline(always)]
    fn sweep<const WIDTH: usize>(self, lanes: usize) {
        let Self { design, values, weight, direction, out, .. } = self;
        let lanes = if WIDTH > 0 { WIDTH } else { lanes };
        for row in design.chunks_exact(out.len()) {
            values.fill(0.0);
            for (phi, d) in row.chunks_exact(lanes).zip(direction.chunks_exact(lanes)) {
                for lane in 0..lanes {
                    values[lane] = f64::mul_add(phi[lane], d[lane], values[lane]);
                }
            }
            values.iter_mut().for_each(|value| *value *= weight);
            for (phi, out) in row.chunks_exact(lanes).zip(out.chunks_exact_mut(lanes)) {
                for lane in 0..lanes {
                    out[lane] = f64::mul_add(phi[lane], values[lane], out[lane]);
                }
            }
        }
    }
}

impl LossAndGrad<'_> {
    #[inline(always)]
    fn sweep<const WIDTH: usize>(self, lanes: usize) {
        let Self { design, y, residual, weight, beta, loss, g, samples, .. } = self;
        let lanes = if WIDTH > 0 { WIDTH } else { lanes };
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
                loss[lane] += 0.5 * weight * residual[lane] * residual[lane];
                residual[lane] *= weight;
            }
            for (row, g) in rows.chunks_exact(lanes).zip(g.chunks_exact_mut(lanes)) {
                for lane in 0..lanes {
                    g[lane] = f64::mul_add(row[lane], residual[lane], g[lane]);
                }
            }
        }
    }
}
