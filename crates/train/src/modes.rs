//! A quadratic problem in its modes: what moves, how curved it is, and where it ends.

use crate::quadratic::penalty_rows;
use crate::responses::Response;
use taut_numerics::{DMatrix, ThinSvd};
use taut_problem::{Dynamics, Regression};

/// L with its quadratic penalties, mode by mode.
///
/// With the thin SVD Φ = U S Vᵀ, λᵢ = sᵢ²/n and a ridge λ, mode i has the curvature κᵢ = λᵢ + λ and goes
/// from vᵢ·θ₀ to (λᵢ/κᵢ)·uᵢ·y/sᵢ; what no mode sees has the curvature λ and goes to 0. Any other
/// penalty ½|Wθ|² is more rows √n·W of the design, with zeros for values.
pub(crate) struct Modes {
    /// κᵢ, and λ itself at the end if there is a ridge.
    pub(crate) curvature: Vec<f64>,
    /// Vᵀ, row-major rank × p.
    pub(crate) v: Vec<f64>,
    /// (I − VVᵀ)θ₀.
    pub(crate) frozen: Vec<f64>,
    /// vᵢ·θ₀, and where that ends.
    pub(crate) from: Vec<f64>,
    pub(crate) goal: Vec<f64>,
    /// λᵢ/κᵢ.
    pub(crate) share: Vec<f64>,
    /// The residual at the end and what is added to it at the start, per mode over √n. Squared only beside
    /// a factor, so that they overflow where the loss does.
    rest: Vec<f64>,
    excess: Vec<f64>,
    /// |(I − UUᵀ)y|²/n: what no parameters can fit.
    pub(crate) floor: f64,
    /// How the rows of the data see the modes, where there are other rows.
    data: Option<DataRows>,
}

/// The part of a longer design that belongs to the data.
struct DataRows {
    /// U over these rows, n × rank.
    u: DMatrix<f64>,
    /// y − f at the end, over √n.
    rest: Vec<f64>,
    /// (uₖ·uᵢ)², row-major rank × rank of the data's own design: how mode i shows in mode k of that.
    overlap: Vec<f64>,
}

impl Modes {
    /// `svd` is of the problem's design.
    pub(crate) fn new(problem: &Regression, svd: &ThinSvd, dynamics: &Dynamics, theta0: &[f64]) -> Self {
        let ridge = dynamics.penalty.ridge.get();
        let Some(long) = longer_svd(problem, dynamics) else {
            return Self::of(problem, svd, ridge, theta0);
        };
        let mut modes = Self::of(problem, &long, ridge, theta0);
        modes.data = Some(DataRows::new(problem, &long, svd, &modes));
        modes.floor = 0.0;
        modes
    }

    fn of(problem: &Regression, svd: &ThinSvd, ridge: f64, theta0: &[f64]) -> Self {
        let (n, r) = (problem.samples(), svd.rank());
        let per_sample = 1.0 / n as f64;
        let mut frozen = theta0.to_vec();
        let mut missed = problem.y.clone();
        let lambda: Vec<f64> = svd.s.iter().map(|s| s * s * per_sample).collect();
        let share: Vec<f64> = lambda.iter().map(|l| l / (l + ridge)).collect();
        let (mut from, mut goal, mut rest, mut excess) = (vec![0.0; r], vec![0.0; r], vec![0.0; r], vec![0.0; r]);
        for i in 0..r {
            // A longer design has zeros for the values beyond the data.
            let (u, v) = (svd.u.column(i), svd.v.column(i));
            let c: f64 = u.iter().zip(&problem.y).map(|(u, y)| u * y).sum();
            from[i] = v.iter().zip(theta0).map(|(v, t)| v * t).sum();
            goal[i] = share[i] * c / svd.s[i];
            rest[i] = c * (ridge / (lambda[i] + ridge)) * per_sample.sqrt();
            excess[i] = (share[i] * c - svd.s[i] * from[i]) * per_sample.sqrt();
            for (m, u) in missed.iter_mut().zip(u.iter()) {
                *m -= c * u;
            }
            for (f, v) in frozen.iter_mut().zip(v.iter()) {
                *f -= from[i] * v;
            }
        }
        // At full row rank the remainder is rounding, and rounding is not a residual.
        let floor = if r == n { 0.0 } else { missed.iter().map(|m| m * m).sum::<f64>() * per_sample };
        let mut curvature: Vec<f64> = lambda.iter().map(|l| l + ridge).collect();
        if ridge > 0.0 {
            curvature.push(ridge);
        }
        let v = svd.v.as_slice().to_vec();
        Self { curvature, v, frozen, from, goal, share, rest, excess, floor, data: None }
    }

    /// 1 − eᵢ times λᵢ/κᵢ, and how far along vᵢ the parameters are.
    pub(crate) fn strengths_into(&self, response: &dyn Response, learned: &mut [f64], strengths: &mut [f64]) {
        for i in 0..strengths.len() {
            learned[i] = response.learned(i);
            strengths[i] = learned[i] * self.goal[i];
            learned[i] *= self.share[i];
            // Most starts are zero, and an exponential is not free.
            if self.from[i] != 0.0 {
                strengths[i] += response.left(i) * self.from[i];
            }
        }
    }

    /// The number of modes.
    pub(crate) fn rank(&self) -> usize {
        self.from.len()
    }

    /// Whether null directions decay, as one more mode after the others.
    pub(crate) fn has_ridge(&self) -> bool {
        self.curvature.len() > self.rank()
    }

    /// Whether the loss of the data alone is what is descended.
    pub(crate) fn is_plain(&self) -> bool {
        !self.has_ridge() && self.data.is_none()
    }

    /// Whether the residual of the data is measured on rows of its own, O(n·p) each time.
    pub(crate) fn has_rows_of_data(&self) -> bool {
        self.data.is_some()
    }

    /// The mean squared residual of the data, for these eᵢ.
    pub(crate) fn mean_square(&self, left: impl Fn(usize) -> f64) -> f64 {
        if let Some(data) = &self.data {
            let mut residual = data.rest.clone();
            for (mode, excess) in self.excess.iter().enumerate() {
                let weight = left(mode) * excess;
                for (r, u) in residual.iter_mut().zip(data.u.column(mode).iter()) {
                    *r += weight * u;
                }
            }
            return residual.iter().map(|r| r * r).sum();
        }
        let mut sum = self.floor;
        for (mode, (excess, rest)) in self.excess.iter().zip(&self.rest).enumerate() {
            let share = rest + left(mode) * excess;
            sum += share * share;
        }
        sum
    }

    /// The part of the mean squared residual that is sure to fall, if these eᵢ fall to 0 from above.
    pub(crate) fn falling_part(&self, left: impl Fn(usize) -> Option<f64>) -> f64 {
        if self.data.is_some() {
            return 0.0;
        }
        let mut sum = self.floor;
        for (mode, (excess, rest)) in self.excess.iter().zip(&self.rest).enumerate() {
            if rest * excess >= 0.0
                && let Some(left) = left(mode)
            {
                sum += (rest + left * excess).powi(2);
            }
        }
        sum
    }

    /// Whether the residual falls with every eᵢ that falls to 0 from above.
    pub(crate) fn falls_with_errors(&self) -> bool {
        self.data.is_none() && self.rest.iter().zip(&self.excess).all(|(rest, excess)| rest * excess >= 0.0)
    }

    /// Whether the error of mode i shows in the residual.
    pub(crate) fn moves(&self, mode: usize) -> bool {
        self.excess.get(mode).is_some_and(|excess| excess.abs() > 0.0)
    }

    /// Whether the loss at the start is finite.
    pub(crate) fn starts_finite(&self) -> bool {
        self.excess.iter().map(|x| x * x).sum::<f64>().is_finite()
    }

    /// The number of modes of the data's own design.
    pub(crate) fn data_rank(&self) -> usize {
        self.data.as_ref().map_or(self.rank(), |data| data.overlap.len() / self.rank().max(1))
    }

    /// uₖᵀ(∂ŷ/∂y)uₖ for the modes of the data's own design, from 1 − eᵢ times λᵢ/κᵢ of these.
    pub(crate) fn filters_into(&self, learned: &[f64], filters: &mut [f64]) {
        match &self.data {
            None => filters.copy_from_slice(learned),
            Some(data) => {
                taut_numerics::product_into(learned, &data.overlap, filters, learned.len(), filters.len());
            }
        }
    }
}

/// Of the design with rows for the penalties below; `None` if none needs rows.
fn longer_svd(problem: &Regression, dynamics: &Dynamics) -> Option<ThinSvd> {
    let rows = penalty_rows(problem, dynamics)?;
    let n = problem.samples();
    let mut longer = DMatrix::zeros(n + rows.nrows(), rows.ncols());
    longer.rows_mut(0, n).copy_from(&problem.design);
    longer.rows_mut(n, rows.nrows()).copy_from(&rows);
    Some(ThinSvd::new(longer.as_view()))
}

/// The largest curvature of L with its quadratic penalties: what a step size is stable or not against.
///
/// `svd` is of the problem's design. O((n+p)p²) with a bending penalty or marginal dropout.
///
/// # Panics
/// If a bending penalty is asked of features that are no curves on the line.
pub fn largest_curvature(problem: &Regression, svd: &ThinSvd, dynamics: &Dynamics) -> f64 {
    let long = longer_svd(problem, dynamics);
    let largest = long.as_ref().unwrap_or(svd).s.first().copied().unwrap_or(0.0);
    largest * largest / problem.samples() as f64 + dynamics.penalty.ridge.get()
}

impl DataRows {
    fn new(problem: &Regression, long: &ThinSvd, own: &ThinSvd, modes: &Modes) -> Self {
        let n = problem.samples();
        let u = long.u.rows(0, n).into_owned();
        let per_root = 1.0 / (n as f64).sqrt();
        let mut rest: Vec<f64> = problem.y.iter().map(|y| y * per_root).collect();
        for (i, column) in u.column_iter().enumerate() {
            let fitted = modes.goal[i] * long.s[i] * per_root;
            for (r, u) in rest.iter_mut().zip(column.iter()) {
                *r -= fitted * u;
            }
        }
        let mut overlap = Vec::with_capacity(long.rank() * own.rank());
        for column in u.column_iter() {
            overlap.extend(own.u.column_iter().map(|data| data.dot(&column).powi(2)));
        }
        // The residual is y − f, and its excess is that of f's distance to the end.
        Self { u, rest, overlap }
    }
}
