//! The natural cubic smoothing spline.

use super::{Fits, Given, Grid, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, DVector};
use taut_problem::{Entry, PiecewiseCubic, Regression, Snapshots};

/// The smoothing spline over a grid of μ; with `select`, only the selected one.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmoothingSpline {
    /// μ in (1/n)Σ(y−f)² + μ∫f″²; default 61 points from 1e-10 to 1e2.
    pub mu: Option<Grid>,
    /// Keep only the μ with the smallest leave-one-out error.
    pub select: Option<Select>,
}

/// How a parameter is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// Exact leave-one-out error.
    Loo,
}

impl SmoothingSpline {
    pub(super) fn grid(&self) -> Vec<f64> {
        match &self.mu {
            Some(grid) => grid.values(),
            None => (0..=60).map(|i| 10_f64.powf(-10.0 + 0.2 * f64::from(i))).collect(),
        }
    }
}

impl SmoothingSpline {
    fn solve(&self, given: &Given<'_>) -> Fits {
        let reinsch = match Reinsch::new(given.problem) {
            Ok(reinsch) => reinsch,
            Err(reason) => return Fits::none(Self::ENTRY.name, reason),
        };
        let mut parameter = self.grid();
        let mut variant = "";
        if self.select == Some(Select::Loo) {
            variant = "loo";
            let error = |mu: &f64| reinsch.spline(*mu).map_or(f64::NAN, |spline| spline.leave_one_out);
            let best = parameter.iter().copied().min_by(|a, b| error(a).total_cmp(&error(b)));
            parameter = best.into_iter().collect();
        }
        let mut functions = Snapshots::default();
        for &mu in &parameter {
            let Some(fit) = reinsch.spline(mu) else { return Fits::none(Self::ENTRY.name, TOO_CLOSE) };
            functions.push_cubic(fit.curve, fit.freedom);
        }
        Fits { solution: Self::ENTRY.name, variant, functions, parameter, ..Fits::default() }
    }
}

/// A natural cubic spline with what its smoother says of it.
pub(super) struct Spline {
    pub(super) curve: PiecewiseCubic,
    /// tr S.
    pub(super) freedom: f64,
    /// Mean squared leave-one-out error; the shortcut (yᵢ − ŷᵢ)/(1 − Sᵢᵢ) is exact for this smoother.
    pub(super) leave_one_out: f64,
}

/// Reinsch's form of the smoothing spline: (R + nμQᵀQ)γ = Qᵀy, ŷ = y − nμQγ, where γ are the second
/// derivatives at the inner knots. O(n³) per μ.
pub(super) struct Reinsch {
    /// Sorted distinct points and their values.
    x: Vec<f64>,
    y: DVector<f64>,
    q: DMatrix<f64>,
    r: DMatrix<f64>,
}

impl Reinsch {
    /// # Errors
    /// A reason, if there are fewer than two points, or two at one place.
    pub(super) fn new(problem: &Regression) -> Result<Self, &'static str> {
        let n = problem.samples();
        if n < 2 {
            return Err("a spline needs at least two points");
        }
        if n > MOST_POINTS {
            return Err("splines are solved densely, for at most 2000 points");
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| problem.x[*a].total_cmp(&problem.x[*b]));
        let x: Vec<f64> = order.iter().map(|&i| problem.x[i]).collect();
        if x.windows(2).any(|w| w[0] >= w[1]) {
            return Err("a spline needs points at different places");
        }
        let y = DVector::from_iterator(n, order.iter().map(|&i| problem.y[i]));
        let h: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
        let inner = n - 2;
        let mut q = DMatrix::zeros(n, inner);
        let mut r = DMatrix::zeros(inner, inner);
        for j in 0..inner {
            q[(j, j)] = 1.0 / h[j];
            q[(j + 1, j)] = -1.0 / h[j] - 1.0 / h[j + 1];
            q[(j + 2, j)] = 1.0 / h[j + 1];
            r[(j, j)] = (h[j] + h[j + 1]) / 3.0;
            if j + 1 < inner {
                r[(j, j + 1)] = h[j + 1] / 6.0;
                r[(j + 1, j)] = h[j + 1] / 6.0;
            }
        }
        Ok(Self { x, y, q, r })
    }

    /// The spline for one μ; μ = 0 interpolates.
    ///
    /// `None` if points are so close together that 64-bit arithmetic cannot tell.
    pub(super) fn spline(&self, mu: f64) -> Option<Spline> {
        let n = self.x.len();
        let alpha = n as f64 * mu;
        let system = &self.r + alpha * self.q.tr_mul(&self.q);
        let factor = system.cholesky()?;
        let gamma = factor.solve(&self.q.tr_mul(&self.y));
        let residual = alpha * (&self.q * &gamma);
        let fitted = &self.y - &residual;
        // I − S = αQ(R + αQᵀQ)⁻¹Qᵀ: formed directly, because 1 − Sᵢᵢ by subtraction loses it.
        let left_over = alpha * (&self.q * factor.solve(&self.q.transpose()));
        let mut leave_one_out = 0.0;
        for i in 0..n {
            leave_one_out += (residual[i] / left_over[(i, i)]).powi(2) / n as f64;
        }
        let mut second = vec![0.0; n];
        second[1..n - 1].copy_from_slice(gamma.as_slice());
        if !(leave_one_out.is_finite() || mu <= 0.0) || fitted.iter().chain(&second).any(|v| !v.is_finite()) {
            return None;
        }
        Some(Spline {
            curve: PiecewiseCubic::from_second_derivatives(&self.x, fitted.as_slice(), &second),
            freedom: n as f64 - left_over.trace(),
            leave_one_out,
        })
    }
}

/// Why there is no spline.
pub(super) const TOO_CLOSE: &str = "two points are too close together for a spline in 64-bit arithmetic";

/// The solver is dense: a spline through more points than this would take minutes and gigabytes.
const MOST_POINTS: usize = 2000;

impl Solution for SmoothingSpline {
    const ENTRY: Entry = Entry {
        name: "smoothing-spline",
        doc: "the natural cubic spline minimising (1/n)Σ(y−f)² + μ∫f″², for each `mu` or with μ by `select = \"loo\"` \
          (exact leave-one-out)",
        cite: "Green and Silverman 1994",
    };
    const ON_CURVES: bool = true;

    /// One row if selected, else one per μ.
    fn rows(&self) -> usize {
        if self.select.is_some() { 1 } else { self.grid().len() }
    }

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        vec![self.solve(given)]
    }
}
