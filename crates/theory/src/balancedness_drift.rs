//! What happens to the balance between neighbouring factors.

use crate::factored_start::factors;
use crate::teacher_frame::reached;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;
use taut_problem::{Dynamics, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "balancedness_drift",
    doc: "D_l = W_{l+1}ᵀW_{l+1} − W_lW_lᵀ does not move under gradient flow of any loss of the product, and falls as \
          e^(−2λt) with a ridge penalty λ; for descent as (1 − ηλ)^(2k), to first order in η. The metric \
          `balancedness_gap` along the clock. Discrete motions add a drift of order η/(1 − β): \
          `balancedness_drift_ratio` is what momentum β multiplies it by at equal η/(1 − β): (1 + β)/(1 − β) for heavy \
          ball, (1 + β)/(1 − β) − 2β for Nesterov's, 1 for descent",
    cite: "Arora, Cohen and Hazan 2018; Du, Hu and Lee 2018; ratios derived here",
    assumes: "any loss of the product and any widths; the curve: gradient flow with or without ridge penalty; the ratio: \
              η/(1 − β) small, a constant momentum, no penalty",
    build: Build::Matrix(build),
};

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let factors = match factors(premise) {
        Ok(factors) => factors,
        Err(reason) => return Prediction::silent(reason),
    };
    let gap = largest_gap(&factors);
    let dynamics = premise.dynamics;
    let lambda = dynamics.penalty.ridge.get();
    let points = reached(premise).map(|(clock, time)| (clock, "balancedness_gap", gap * decay(dynamics, lambda, time)));
    let ratio = ratio(dynamics.motion).map(|ratio| Number::of_cell("balancedness_drift_ratio", ratio));
    Prediction {
        curves: points.collect(),
        numbers: ratio.into_iter().collect(),
        unmet: not_conserved(dynamics, gap),
        ..Prediction::default()
    }
}

/// max ‖D_l‖_F.
fn largest_gap(factors: &[DMatrix<f64>]) -> f64 {
    let gap = |pair: &[DMatrix<f64>]| (pair[1].tr_mul(&pair[1]) - &pair[0] * pair[0].transpose()).norm();
    factors.windows(2).map(gap).fold(0.0, f64::max)
}

/// What a ridge penalty λ leaves of the gap.
fn decay(dynamics: &Dynamics, lambda: f64, time: f64) -> f64 {
    let eta = dynamics.step_size;
    if lambda <= 0.0 {
        return 1.0;
    }
    let per_time = match dynamics.motion {
        Motion::Descent if dynamics.is_constant() && eta * lambda < 1.0 => (-eta * lambda).ln_1p() / eta,
        _ => -lambda,
    };
    (2.0 * per_time * time).exp()
}

/// The drift of a motion over that of descent, at equal η/(1 − β).
fn ratio(motion: Motion) -> Option<f64> {
    let heavy = |beta: f64| (1.0 + beta) / (1.0 - beta);
    match motion {
        Motion::Descent => Some(1.0),
        Motion::HeavyBall(beta) => Some(heavy(beta)),
        Motion::Nesterov(Some(beta)) => Some(heavy(beta) - 2.0 * beta),
        Motion::Flow | Motion::Nesterov(None) | Motion::Other(_) => None,
    }
}

/// Why the gap is not only what a penalty leaves of it.
fn not_conserved(dynamics: &Dynamics, gap: f64) -> Option<String> {
    let bare = Dynamics { penalty: taut_problem::Penalty::default(), ..dynamics.clone() };
    let other = dynamics.penalty.l1.get() > 0.0 || dynamics.penalty.bending.get() > 0.0;
    match dynamics.motion {
        Motion::Flow if bare.only_schedule() && !other => None,
        Motion::Descent | Motion::HeavyBall(_) | Motion::Nesterov(_) if bare.only_schedule() && !other => {
            Some(format!("a discrete motion adds a drift of order η = {} to the gap of {gap}", dynamics.step_size))
        }
        _ => Some("the motion is neither a flow nor descent on the loss with at most a ridge penalty".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, gaussian};
    use crate::predictor_flow::loss_gradient;
    use taut_problem::{Clock, NonNegative, Penalty};

    fn case() -> (MatrixCase, [DMatrix<f64>; 2]) {
        let layers = [gaussian(4, 5, 21) * 0.4, gaussian(3, 4, 22) * 0.4];
        (MatrixCase::deep(gaussian(3, 5, 23), &layers), layers)
    }

    /// Momentum by its definition, v ← βv + g and W ← W − ηv (or −η(g + βv) ahead of it); D at the end.
    fn moved(beta: f64, ahead: bool, lambda: f64, eta: f64, steps: usize) -> DMatrix<f64> {
        let (case, mut layers) = case();
        let mut speeds = layers.each_ref().map(|layer| layer * 0.0);
        for _ in 0..steps {
            let error = loss_gradient(&case.problem, &(&layers[1] * &layers[0]));
            let gradients =
                [layers[1].tr_mul(&error) + &layers[0] * lambda, &error * layers[0].transpose() + &layers[1] * lambda];
            for ((layer, speed), g) in layers.iter_mut().zip(&mut speeds).zip(gradients) {
                *speed = &*speed * beta + &g;
                *layer -= if ahead { (g + &*speed * beta) * eta } else { &*speed * eta };
            }
        }
        layers[1].tr_mul(&layers[1]) - &layers[0] * layers[0].transpose()
    }

    #[test]
    fn momentum_multiplies_the_drift_as_predicted() {
        let (_, layers) = case();
        let before = layers[1].tr_mul(&layers[1]) - &layers[0] * layers[0].transpose();
        let (effective, time) = (2e-4, 4.0);
        let drift = |beta: f64, ahead: bool| {
            let steps = (time / effective) as usize;
            (moved(beta, ahead, 0.0, effective * (1.0 - beta), steps) - &before).norm()
        };
        let plain = drift(0.0, false);
        for (beta, ahead) in [(0.5, false), (0.9, false), (0.5, true), (0.9, true)] {
            let motion = if ahead { Motion::Nesterov(Some(beta)) } else { Motion::HeavyBall(beta) };
            let measured = drift(beta, ahead) / plain;
            // The next order in η/(1 − β), and the first steps from rest.
            assert!((measured / ratio(motion).unwrap() - 1.0).abs() < 0.02, "{motion:?}: {measured}");
        }
    }

    #[test]
    fn ridge_penalties_shrink_the_gap_and_nothing_else_does_under_flow() {
        let (case, _) = case();
        let gap = case.under_flow(&THEORY, &[0.0, 7.0]);
        assert!(gap.unmet.is_none() && (gap.curves[0].2 - gap.curves[1].2).abs() < 1e-15);
        let (eta, lambda) = (1e-4, 0.05);
        let penalty = Penalty { ridge: NonNegative::try_from(lambda).unwrap(), ..Penalty::default() };
        let flow = Dynamics { penalty, ..Dynamics::flow() };
        let prediction = case.predict(&THEORY, &flow, &[Clock::Time(3.0)]);
        assert!(prediction.unmet.is_none());
        assert!((prediction.curves[0].2 / gap.curves[0].2 - (-2.0 * lambda * 3.0).exp()).abs() < 1e-15);
        let descent = Dynamics { penalty, ..Dynamics::descent(eta) };
        let prediction = case.predict(&THEORY, &descent, &[Clock::Step(30_000)]);
        assert!(prediction.unmet.unwrap().contains("drift"));
        let measured = moved(0.0, false, lambda, eta, 30_000).norm();
        // The drift of order η.
        assert!((measured / prediction.curves[0].2 - 1.0).abs() < 1e-3);
    }
}
