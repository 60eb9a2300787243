//! Dropout on linear features is a ridge penalty that follows the size of the features.

use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_problem::{Average, Clock, Dropout};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "dropout_ridge",
    doc: "minimiser of the loss in the mean over masks, θ = (ΦᵀΦ + ρ diag(ΦᵀΦ))⁻¹Φᵀy with ρ = (1 − q)/q; a ridge \
          penalty λ adds nλI. A row of `trajectory` at time +∞, with ρ, the norm of θ, its residual and its marginal \
          loss. The function does not change if features are rescaled",
    cite: "Wager, Wang and Liang 2013",
    assumes: "least squares; masks on features or weights, trained on their expectation, or looked at in the mean over \
              masks and long times; step sizes that add up to infinity and stay below 2/λ_max",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let problem = premise.problem;
    let unmet = |reason: &str| Prediction { unmet: Some(reason.to_owned()), ..Prediction::default() };
    let Some(dropout) = premise.dynamics.dropout else {
        return unmet("nothing is dropped");
    };
    let keep = dropout.keep.get();
    if keep >= 1.0 {
        return unmet("nothing is dropped: each feature is kept with probability 1");
    }
    let rho = (1.0 - keep) / keep;
    let n = problem.samples() as f64;
    let ridge = premise.dynamics.penalty.ridge.get();
    let sizes: Vec<f64> = problem.design.column_iter().map(|column| column.norm()).collect();
    let theta = solve(&problem.design, &problem.y, &sizes, |size| rho + n * ridge / (size * size));

    let residual = DVector::from_column_slice(&problem.y) - &problem.design * &theta;
    let penalty: f64 = theta.iter().zip(&sizes).map(|(t, size)| (rho * size * size / n + ridge) * t * t).sum();
    let numbers = vec![
        Number::of_cell("dropout_penalty", rho),
        Number::of_cell("limit_parameter_norm", theta.norm()),
        Number::of_cell("limit_residual_rms", residual.norm() / n.sqrt()),
        Number::of_cell("marginal_loss", 0.5 * residual.norm_squared() / n + 0.5 * penalty),
    ];
    let unmet = not_in_the_mean(premise, dropout).or_else(|| too_long_a_step(premise, &sizes, rho));
    Prediction { unmet, path: vec![(Clock::Limit, theta.as_slice().to_vec())], numbers, ..Prediction::default() }
}

/// min |y − Φθ|² + Σⱼ w(|φⱼ|)(|φⱼ|θⱼ)² by QR of columns brought to unit length: monomials of degree 50 on top of a
/// penalty then have a condition of 1/√ρ, and features without any size get no weight.
fn solve(phi: &DMatrix<f64>, y: &[f64], sizes: &[f64], weight: impl Fn(f64) -> f64) -> DVector<f64> {
    let n = phi.nrows();
    let there: Vec<usize> = (0..sizes.len()).filter(|&j| sizes[j] > 0.0).collect();
    let mut stacked = DMatrix::zeros(n + there.len(), there.len());
    for (k, &j) in there.iter().enumerate() {
        stacked.view_mut((0, k), (n, 1)).copy_from(&(phi.column(j) / sizes[j]));
        stacked[(n + k, k)] = weight(sizes[j]).sqrt();
    }
    let mut right = DVector::zeros(n + there.len());
    right.rows_mut(0, n).copy_from_slice(y);
    let qr = stacked.qr();
    let scaled = qr.r().solve_upper_triangular(&qr.q().tr_mul(&right)).expect("a penalty on every column");
    let mut theta = DVector::zeros(sizes.len());
    for (k, &j) in there.iter().enumerate() {
        theta[j] = scaled[k] / sizes[j];
    }
    theta
}

/// Why the motion, or what is shown of it, does not tend to the minimiser of the mean loss.
fn not_in_the_mean(premise: &Premise<'_>, dropout: Dropout) -> Option<String> {
    let dynamics = premise.dynamics;
    let (l1, bending) = (dynamics.penalty.l1.get(), dynamics.penalty.bending.get());
    if l1 > 0.0 || bending > 0.0 {
        Some(format!("other penalties are added: l1 {l1}, bending {bending}"))
    } else if !dynamics.schedule.reaches_limit() {
        Some("the step sizes add up to a finite training time".to_owned())
    } else if !dropout.marginal && dynamics.average == Average::None {
        let keep = dropout.keep.get();
        Some(format!("fresh masks keep {keep} of the features: the iterate wanders around this row, its mean"))
    } else {
        None
    }
}

/// Constant steps beyond 2/λ_max of the penalised loss.
fn too_long_a_step(premise: &Premise<'_>, sizes: &[f64], rho: f64) -> Option<String> {
    let (phi, n) = (&premise.problem.design, premise.problem.samples() as f64);
    let mut hessian = phi.tr_mul(phi) / n;
    for (j, size) in sizes.iter().enumerate() {
        hessian[(j, j)] += rho * size * size / n + premise.dynamics.penalty.ridge.get();
    }
    let bound = 2.0 / hessian.symmetric_eigenvalues().max();
    let eta = premise.dynamics.step_size;
    let descent = premise.dynamics.motion == taut_problem::Motion::Descent && premise.dynamics.is_constant();
    (descent && eta >= bound).then(|| format!("step size {eta} is not below 2/λ_max = {bound} with the penalty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_is_shrunk_by_the_probability_of_being_kept() {
        // x = (1, 2), y = (1, 2): θ = 1/(1 + ρ) = q.
        let phi = DMatrix::from_column_slice(2, 1, &[1.0, 2.0]);
        let theta = solve(&phi, &[1.0, 2.0], &[5f64.sqrt()], |_| 0.25);
        assert!((theta[0] - 0.8).abs() < 1e-15);
    }

    #[test]
    fn rescaled_features_give_the_same_function() {
        let phi = DMatrix::from_fn(4, 6, |i, j| ((i * 5 + j * 3) as f64 * 0.7).sin());
        let scaled = DMatrix::from_fn(4, 6, |i, j| phi[(i, j)] / (1.0 + j as f64).powi(2));
        let y = [1.0, -0.5, 0.25, 2.0];
        let sizes = |m: &DMatrix<f64>| m.column_iter().map(|c| c.norm()).collect::<Vec<_>>();
        let (a, b) = (solve(&phi, &y, &sizes(&phi), |_| 0.1), solve(&scaled, &y, &sizes(&scaled), |_| 0.1));
        // The same numbers up to rounding: units of the columns are divided out first.
        assert!((phi * a - scaled * b).norm() < 1e-14);
    }
}
