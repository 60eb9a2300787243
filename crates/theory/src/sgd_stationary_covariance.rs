//! How far descent with noisy gradients keeps wandering.

use crate::second_moments::SecondMoments;
use crate::singular_modes::SingularModes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_problem::{Average, Clock, Dynamics, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "sgd_stationary_covariance",
    doc: "stationary covariance S = E[(I − ηĤ)S(I − ηĤ)] + η²N around the least-squares solution, with the noise N of \
          batches, labels and gradients at that solution; its trace, v₁ᵀSv₁, …, excess loss ½tr(ΦᵀΦS)/n; beside it \
          Lyapunov's ΛS + SΛ = ηN and the isotropic ησ²/2·I, with relative errors in Frobenius norm, and the excess \
          loss η·tr(N)/4 of small steps. The mean is a row of `trajectory` at time +∞",
    cite: "Mandt, Hoffman and Blei 2017",
    assumes: "least squares; descent with a constant step size at which second moments do not grow, independent \
              batches or added noise, and more points than the design has modes. Labels are disturbed afresh for \
              every row drawn",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let unmet = |reason: String| Prediction { unmet: Some(reason), ..Prediction::default() };
    let Some(modes) = SingularModes::of(&premise.problem.design).filter(|modes| modes.rank() > 0) else {
        return unmet("the design has no singular vectors".to_owned());
    };
    if let Some(reason) = not_noisy_descent(premise, &modes) {
        return unmet(reason);
    }
    let moments = SecondMoments::new(&modes, premise.dynamics.batch);
    let (eta, critical) = (premise.dynamics.step_size, moments.critical_step_size());
    if eta >= critical {
        return unmet(format!("second moments grow: step size {eta} is not below {critical}"));
    }
    let noise = Disturbance::of(premise, &modes, &moments);
    let s = moments.stationary(eta, &noise.covariance);
    Prediction {
        path: vec![(Clock::Limit, mean(premise, &modes))],
        numbers: numbers(&moments, eta, &noise, &s),
        ..Prediction::default()
    }
}

/// Why there is no stationary distribution of this kind.
fn not_noisy_descent(premise: &Premise<'_>, modes: &SingularModes) -> Option<String> {
    let Dynamics { motion, average, batch, noise, penalty, dropout, .. } = premise.dynamics;
    let ((n, p), r) = (premise.problem.design.shape(), modes.rank());
    let plain = *motion == Motion::Descent && premise.dynamics.is_constant() && *average == Average::None;
    let batch_noise = batch.filter(|batch| batch.replacement || batch.size < n);
    if !plain || penalty.is_some() || dropout.is_some() {
        Some("the motion is not descent with a constant step size and without average, penalty and mask".to_owned())
    } else if batch_noise.is_none() && !noise.is_some() {
        Some(format!("each step sees all {n} points and no noise is added: the motion comes to rest"))
    } else if r == n && !noise.is_some() {
        Some(format!("the {n} points are interpolated: batches agree at the solution, and their noise vanishes there"))
    } else if r < p && noise.gradient.get() > 0.0 {
        Some(format!("gradient noise {} wanders off in {} null directions for ever", noise.gradient.get(), p - r))
    } else if n as f64 * (r * r) as f64 > LARGEST {
        Some(format!("{n} points in {r} modes are more than is solved here (n·r² up to {LARGEST:e})"))
    } else {
        None
    }
}

/// n·r² of one product: some hundred of these take seconds.
const LARGEST: f64 = 3e7;

/// Noise of one gradient at the least-squares solution.
struct Disturbance {
    /// N, in the coordinates of V.
    covariance: DMatrix<f64>,
    /// σ² of the short cut N ≈ σ²Λ.
    shaped: f64,
}

impl Disturbance {
    fn of(premise: &Premise<'_>, modes: &SingularModes, moments: &SecondMoments) -> Self {
        let (noise, n) = (premise.dynamics.noise, premise.problem.samples());
        let y = DVector::from_column_slice(&premise.problem.y);
        let residual = &y - &modes.u * modes.u.tr_mul(&y);
        let squares = residual.component_mul(&residual);
        let drawn = premise.dynamics.batch.map_or(n, |batch| batch.size) as f64;
        let added = noise.labels.get().powi(2) / drawn + noise.curvature.get().powi(2);
        let mut covariance = moments.weighted_rows(&squares) * moments.share;
        for (i, curvature) in moments.curvatures.iter().enumerate() {
            covariance[(i, i)] += added * curvature + noise.gradient.get().powi(2);
        }
        Self { covariance, shaped: moments.share * squares.mean() + added }
    }
}

/// θ₀ in the null directions, the least-squares solution in the others.
fn mean(premise: &Premise<'_>, modes: &SingularModes) -> Vec<f64> {
    let start = DVector::from_column_slice(premise.start);
    let y = DVector::from_column_slice(&premise.problem.y);
    let moved = modes.strengths(&y) - modes.v.tr_mul(&start);
    (start + &modes.v * moved).as_slice().to_vec()
}

fn numbers(moments: &SecondMoments, eta: f64, noise: &Disturbance, s: &DMatrix<f64>) -> Vec<Number> {
    let r = s.nrows();
    let lyapunov = moments.lyapunov(&(&noise.covariance * eta));
    let isotropic = DMatrix::from_diagonal_element(r, r, 0.5 * eta * noise.shaped);
    let error = |short_cut: &DMatrix<f64>| (short_cut - s).norm() / s.norm();
    let mut out: Vec<Number> = [
        ("stationary_trace", s.trace()),
        ("lyapunov_trace", lyapunov.trace()),
        ("lyapunov_error", error(&lyapunov)),
        ("isotropic_trace", isotropic.trace()),
        ("isotropic_error", error(&isotropic)),
        ("stationary_excess_loss", 0.5 * moments.curvatures.dot(&s.diagonal())),
        ("small_step_excess_loss", 0.25 * eta * noise.covariance.trace()),
    ]
    .into_iter()
    .map(|(quantity, value)| Number::of_cell(quantity, value))
    .collect();
    out.extend((0..r).map(|i| Number::at("mode_variance", (i + 1) as f64, s[(i, i)])));
    out
}
