//! Lasso regression by coordinate descent.

use super::{Fits, Given, Grid, Solution};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::DMatrix;
use taut_problem::{Entry, Snapshots};

/// Sweeps over all coordinates before it gives up; the row is then NaN.
const MOST_SWEEPS: usize = 100_000;

/// The duality gap that ends the descent, relative to the loss of θ = 0.
const GAP: f64 = 1e-12;

/// Lasso regression over a grid of λ.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lasso {
    /// λ in L + λ‖θ‖₁.
    pub lambda: Grid,
}

impl Solution for Lasso {
    const ENTRY: Entry = Entry {
        name: "lasso",
        doc: "the minimiser of L + λ‖θ‖₁ for each λ of a grid, by coordinate descent to a duality gap of 1e-12·L(0); \
              NaN where 100,000 sweeps do not reach it. Degrees of freedom: entries that are not zero",
        cite: "Tibshirani 1996; Zou, Hastie and Tibshirani 2007",
    };
    const ON_CURVES: bool = false;

    fn rows(&self) -> usize {
        self.lambda.values().len()
    }

    fn fits(&self, given: &Given<'_>) -> Vec<Fits> {
        let parameter = self.lambda.values();
        let mut functions = Snapshots::series(given.problem.feature_count());
        for &lambda in &parameter {
            let theta = minimiser(&given.problem.design, &given.problem.y, lambda);
            let active = theta.iter().filter(|t| t.abs() > 0.0).count();
            functions.push_series(&theta, active as f64);
        }
        vec![Fits { solution: Self::ENTRY.name, functions, parameter, ..Fits::default() }]
    }
}

/// argmin |y − Φθ|²/(2n) + λ‖θ‖₁: every coordinate in turn goes to its own minimum, a soft threshold.
fn minimiser(phi: &DMatrix<f64>, y: &[f64], lambda: f64) -> Vec<f64> {
    let (n, p) = phi.shape();
    let per_sample = 1.0 / n as f64;
    let curvature: Vec<f64> = phi.column_iter().map(|c| c.norm_squared() * per_sample).collect();
    let (mut theta, mut residual) = (vec![0.0; p], y.to_vec());
    let enough = GAP * 0.5 * per_sample * square(y);
    for sweep in 0..MOST_SWEEPS {
        for j in (0..p).filter(|&j| curvature[j] > 0.0) {
            let slope = dot(phi.column(j).as_slice(), &residual) * per_sample;
            let free = slope + curvature[j] * theta[j];
            let next = free.signum() * (free.abs() - lambda).max(0.0) / curvature[j];
            let change = next - theta[j];
            if change.abs() > 0.0 {
                residual.iter_mut().zip(&phi.column(j)).for_each(|(r, phi)| *r -= change * phi);
                theta[j] = next;
            }
        }
        if sweep % 10 == 0 && duality_gap(phi, y, &theta, &residual, lambda) <= enough {
            return theta;
        }
    }
    vec![f64::NAN; p]
}

/// P(θ) − D(u), u = s·r with the largest s ≤ 1 that keeps ‖Φᵀu‖∞ ≤ nλ; D(u) = (|y|² − |y − u|²)/(2n).
fn duality_gap(phi: &DMatrix<f64>, y: &[f64], theta: &[f64], residual: &[f64], lambda: f64) -> f64 {
    let n = y.len() as f64;
    let largest = phi.column_iter().map(|c| dot(c.as_slice(), residual).abs()).fold(0.0, f64::max);
    let scale = if largest > n * lambda { n * lambda / largest } else { 1.0 };
    let l1: f64 = theta.iter().map(|t| t.abs()).sum();
    let primal = square(residual) / (2.0 * n) + lambda * l1;
    let rest: f64 = y.iter().zip(residual).map(|(y, r)| (y - scale * r) * (y - scale * r)).sum();
    primal - (square(y) - rest) / (2.0 * n)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn square(a: &[f64]) -> f64 {
    dot(a, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (DMatrix<f64>, Vec<f64>) {
        let phi = DMatrix::from_fn(8, 20, |i, j| ((i * 7 + j * 3) as f64 * 0.9).sin() + 0.2 * (j as f64 * 0.4).cos());
        (phi, (0..8).map(|i| (i as f64 * 0.7).cos()).collect())
    }

    #[test]
    fn the_slope_is_at_most_lambda_and_equals_it_where_an_entry_lives() {
        let (phi, y) = example();
        for lambda in [1e-3, 1e-2, 0.1] {
            let theta = minimiser(&phi, &y, lambda);
            let residual: Vec<f64> =
                (0..8).map(|i| y[i] - phi.row(i).iter().zip(&theta).map(|(a, b)| a * b).sum::<f64>()).collect();
            for (j, column) in phi.column_iter().enumerate() {
                let slope = dot(column.as_slice(), &residual) / 8.0;
                // A gap of 1e-12 leaves slopes off by its root.
                assert!(slope.abs() <= lambda + 1e-6, "λ = {lambda}, entry {j}: {slope}");
                if theta[j].abs() > 1e-6 {
                    assert!((slope - lambda * theta[j].signum()).abs() < 1e-6, "λ = {lambda}, entry {j}: {slope}");
                }
            }
        }
    }

    #[test]
    fn an_orthogonal_design_gives_the_soft_threshold() {
        let phi = DMatrix::<f64>::identity(4, 4) * 2.0;
        let y = [4.0, -1.0, 0.1, 0.0];
        // Curvature 4/4 = 1, free minimum 2y/4.
        let expected = [1.75, -0.25, 0.0, 0.0];
        for (got, expected) in minimiser(&phi, &y, 0.25).iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        }
    }

    #[test]
    fn a_large_lambda_leaves_nothing() {
        let (phi, y) = example();
        assert!(minimiser(&phi, &y, 10.0).iter().all(|t| t.abs() <= 0.0));
    }
}
