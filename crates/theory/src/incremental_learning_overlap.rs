//! How far the second mode has come when the first is half learned.

use crate::factored_start::{factors, not_balanced, product, target_modes};
use crate::flow_integrator::Flow;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "incremental_learning_overlap",
    doc: "`second_mode_at_half` = u₂/s₂ when u₁ = s₁/2, to leading order in the seeds: (s₁/s₂)(u₀/s₁)^(1−s₂/s₁) for two \
          factors, so that one mode after the other is learned only from starts that are exponentially small in the \
          inverse gap; (u₀/s₂)(1 − s₂/s₁)^(−N/(N−2)) for N ≥ 3 factors. `second_mode_at_half_integrated` is the same \
          from du/dt = N·u^(2−2/N)(s − u)",
    cite: "Gidel, Bach and Lacoste-Julien 2019; Gissin, Shalev-Shwartz and Daniely 2020",
    assumes: "a deep linear network, whitened inputs, an aligned and balanced start that is small, gradient flow",
    build: Build::Matrix(build),
};

/// u(0)/s₁ up to which a start counts as small.
const SMALL: f64 = 0.1;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let (factors, modes) = match (factors(premise), target_modes(premise)) {
        (Ok(factors), Ok(modes)) => (factors, modes),
        (Err(reason), _) | (_, Err(reason)) => return Prediction::silent(reason),
    };
    if modes.rank() < 2 || factors.len() < 2 {
        return Prediction::silent("there is one mode only, or one factor: nothing comes first");
    }
    let w = product(&factors);
    let strength = |a: usize| modes.u.column(a).dot(&(&w * modes.v.column(a)));
    let (seeds, s) = ([strength(0), strength(1)], [modes.s[0], modes.s[1]]);
    if seeds[0] <= 0.0 || seeds[1] <= 0.0 || seeds[0] >= 0.5 * s[0] {
        return Prediction::silent(format!("the first two modes start at {} and {}: no seeds", seeds[0], seeds[1]));
    }
    let depth = factors.len();
    let mut numbers = vec![Number::of_cell("second_mode_at_half", leading(seeds, s, depth))];
    let integrated = integrated(seeds, s, depth);
    numbers.extend(integrated.map(|value| Number::of_cell("second_mode_at_half_integrated", value)));
    let aligned = modes.u.tr_mul(&(&w * &modes.v));
    let off = (&w - &modes.u * nalgebra::DMatrix::from_diagonal(&aligned.diagonal()) * modes.v.transpose()).norm();
    let reason = if off > 1e-9 * w.norm() {
        Some(format!("the start is not aligned: its product is {off} away from the target's modes"))
    } else if seeds[0] > SMALL * s[0] {
        Some(format!("the start is {} of the first mode, not small", seeds[0] / s[0]))
    } else {
        not_balanced(&factors)
    };
    Prediction { numbers, unmet: reason, ..Prediction::default() }
}

/// Both modes grow as if alone and far from s, until the first gets there.
fn leading(seeds: [f64; 2], s: [f64; 2], depth: usize) -> f64 {
    let ratio = s[1] / s[0];
    if depth == 2 {
        return seeds[1] * (s[0] / seeds[0]).powf(ratio) / s[1];
    }
    // d(u^−p)/dt = −pNs with p = 1 − 2/N; the first diverges at pNs₁t = u₁^−p.
    let p = 1.0 - 2.0 / depth as f64;
    (seeds[1].powf(-p) - ratio * seeds[0].powf(-p)).powf(-1.0 / p) / s[1]
}

/// ln u₂ as a function of ln u₁, up to the half of s₁; `None` if that takes too many steps.
fn integrated(seeds: [f64; 2], s: [f64; 2], depth: usize) -> Option<f64> {
    let power = 1.0 - 2.0 / depth as f64;
    let speed = move |log: f64, s: f64| (power * log).exp() * (s - log.exp());
    let [first, second] = seeds.map(f64::ln);
    let mut flow = Flow::new(vec![first, second], 1e-11, 100_000, move |logs, slope| {
        slope.copy_from_slice(&[1.0, speed(logs[1], s[1]) / speed(logs[0], s[0])]);
    });
    let state = flow.at((0.5 * s[0]).ln() - first)?;
    Some(state[1].exp() / s[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_starts_reach_the_observed_overlaps() {
        let s = [1.0, 0.8];
        // Observed by stepping, to the digits printed.
        for (depth, a0, observed, digit) in [
            (2, 0.1, 0.333, 5e-4),
            (2, 0.01, 0.165, 5e-4),
            (2, 0.001, 0.073, 5e-4),
            (3, 0.1, 0.059, 5e-4),
            (3, 0.01, 1.41e-4, 5e-7),
            (3, 0.001, 1.547e-7, 5e-11),
            (4, 0.1, 2.98e-3, 5e-6),
            (4, 0.01, 3.1e-7, 5e-9),
        ] {
            let seed = f64::powi(a0, depth as i32);
            let got = integrated([seed, seed], s, depth).unwrap();
            assert!((got - observed).abs() < 1.1 * digit, "N = {depth}, a₀ = {a0}: {got} {observed}");
        }
    }

    #[test]
    fn leading_orders_are_those_of_the_book_for_equal_seeds() {
        for (depth, a0, expected) in [(3, 0.01, 1.5625e-4), (3, 0.001, 1.5625e-7), (4, 0.1, 3.125e-3)] {
            let seed = f64::powi(a0, depth as i32);
            // u₀(1 − s₂/s₁)^(−N/(N−2))/s₂ with s₂ = 0.8.
            let got = leading([seed, seed], [1.0, 0.8], depth);
            assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
        }
        let two = leading([1e-4, 1e-4], [1.0, 0.8], 2);
        assert!((two - 1e-4f64.powf(0.2) / 0.8).abs() < 1e-12);
    }
}
