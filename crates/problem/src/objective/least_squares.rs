//! Least squares on rows: L = |y − Φβ|²/(2n).

use super::{Objective, Rows};
use crate::Regression;
use taut_numerics::{Aligned, DMatrix, Factor, Kernel, lane_product_into, run_wide};

/// Least squares with a design of its own for every lane: L = |y − Φβ|²/(2n).
///
/// Sums run over features and samples in index order, so a lane's bits do not depend on its
/// neighbours. A design that all lanes share is kept once.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    lanes: usize,
    samples: usize,
    features: usize,
    /// Φ as samples × features × lanes; samples × features if it is the same in every lane.
    design: Aligned,
    shared: bool,
    /// y as samples × lanes.
    y: Vec<f64>,
    /// samples × lanes.
    residual: Aligned,
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
        let shared = problems.iter().all(|p| p.0 == problems[0].0);
        let own = if shared { 1 } else { lanes };
        let mut design = Vec::with_capacity(samples * features * own);
        let mut y = Vec::with_capacity(samples * lanes);
        for i in 0..samples {
            for k in 0..features {
                design.extend((0..own).map(|lane| of(lane).0[(i, k)]));
            }
            y.extend((0..lanes).map(|lane| of(lane).1[i]));
        }
        Self {
            lanes,
            samples,
            features,
            design: design.into_iter().collect(),
            shared,
            y,
            residual: Aligned::zeros(samples * lanes),
            total,
        }
    }

    /// Φᵀ: rows of Φ lie side by side.
    fn transposed(&self) -> Factor<'_> {
        let of = if self.shared { Factor::shared } else { Factor::new };
        of(&self.design, self.features, self.samples)
    }

    /// r ← r + Φβ.
    fn add_fit(&mut self, beta: &[f64]) {
        let mut residual = std::mem::take(&mut self.residual);
        let beta = Factor::new(beta, self.features, 1);
        lane_product_into(self.transposed().transposed(), beta, &mut residual, self.lanes, true);
        self.residual = residual;
    }

    /// r ← weight·r, and out ← Φᵀr.
    fn weigh_and_pull(&mut self, weight: f64, out: &mut [f64]) {
        self.residual.iter_mut().for_each(|r| *r *= weight);
        let residual = Factor::new(&self.residual, self.samples, 1);
        lane_product_into(self.transposed(), residual, out, self.lanes, false);
    }

    /// Entries of the design between two features of one row.
    fn stride(&self) -> usize {
        if self.shared { 1 } else { self.lanes }
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
        let (lanes, stride) = (self.lanes, self.stride());
        let (design, y) = (&self.design[..], &self.y[..]);
        match rows {
            Rows::All => {
                self.residual.iter_mut().zip(y).for_each(|(r, y)| *r = -y);
                self.add_fit(beta);
                let weight = self.total / self.samples as f64;
                for residual in self.residual.chunks_exact(lanes) {
                    loss.iter_mut().zip(residual).for_each(|(loss, r)| *loss += 0.5 * weight * r * r);
                }
                self.weigh_and_pull(weight, g);
            }
            Rows::Batch { rows, shifts, factors } => {
                g.fill(0.0);
                // A batch stands for all rows.
                let weight = self.total * lanes as f64 / rows.len() as f64;
                let residual = &mut self.residual[..lanes];
                run_wide(Drawn { lanes, stride, design, y, residual, weight, rows, shifts, factors, beta, loss, g });
            }
        }
    }

    fn hessian_apply_into(&mut self, direction: &[f64], out: &mut [f64]) {
        self.residual.fill(0.0);
        self.add_fit(direction);
        self.weigh_and_pull(self.total / self.samples as f64, out);
    }

    fn mean_factor(&self) -> f64 {
        1.0 / self.total
    }

    fn add_transposed(&self, w: &[f64], g: &mut [f64]) {
        let (lanes, stride) = (self.lanes, self.stride());
        for (weights, row) in w.chunks_exact(lanes).zip(self.design.chunks_exact(self.features * stride)) {
            for (phi, g) in row.chunks_exact(stride).zip(g.chunks_exact_mut(lanes)) {
                for lane in 0..lanes {
                    g[lane] = f64::mul_add(phi[lane % stride], weights[lane], g[lane]);
                }
            }
        }
    }
}

/// Rows drawn for every lane, with shifted labels and features that are multiplied by factors.
struct Drawn<'a> {
    lanes: usize,
    stride: usize,
    design: &'a [f64],
    y: &'a [f64],
    residual: &'a mut [f64],
    weight: f64,
    rows: &'a [usize],
    shifts: &'a [f64],
    factors: &'a [f64],
    beta: &'a [f64],
    loss: &'a mut [f64],
    g: &'a mut [f64],
}

impl Kernel for Drawn<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match (self.lanes, self.stride, self.factors.is_empty()) {
            (8, 1, true) => self.sweep(8, 1, true),
            (8, 8, true) => self.sweep(8, 8, true),
            (lanes, stride, plain) => self.sweep(lanes, stride, plain),
        }
    }
}

impl Drawn<'_> {
    #[inline(always)]
    fn sweep(self, lanes: usize, stride: usize, plain: bool) {
        let Self { design, y, residual, weight, shifts, factors, beta, loss, g, .. } = self;
        let p = beta.len() / lanes;
        for (place, rows) in self.rows.chunks_exact(lanes).enumerate() {
            let phi = |k: usize, lane: usize| {
                let phi = design[(rows[lane] * p + k) * stride + lane % stride];
                if plain { phi } else { factors[(place * p + k) * lanes + lane] * phi }
            };
            for lane in 0..lanes {
                let shift = shifts.get(place * lanes + lane).copied().unwrap_or(0.0);
                residual[lane] = -(y[rows[lane] * lanes + lane] + shift);
            }
            for (k, beta) in beta.chunks_exact(lanes).enumerate() {
                for lane in 0..lanes {
                    residual[lane] = f64::mul_add(phi(k, lane), beta[lane], residual[lane]);
                }
            }
            for lane in 0..lanes {
                loss[lane] += 0.5 * weight * residual[lane] * residual[lane];
                residual[lane] *= weight;
            }
            for (k, g) in g.chunks_exact_mut(lanes).enumerate() {
                for lane in 0..lanes {
                    g[lane] = f64::mul_add(phi(k, lane), residual[lane], g[lane]);
                }
            }
        }
    }
}
