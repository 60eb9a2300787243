//! The peak of double descent at finite n, exactly.

use crate::{Build, Number, Prediction, Premise, TheoryDef};
use taut_problem::Law;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "ridgeless_finite_n",
    doc: "expected test_error of the minimum-norm solution (where descent from zero ends) over designs and noise, \
          exactly, at finite n, with r² = |β*|² of the p features that are seen and s² = noise + unseen variance: \
          `ridgeless_mean_test_error` = unseen + s²p/(n − p − 1) for p ≤ n − 2; \
          unseen + r²(1 − n/p) + s²n/(p − n − 1) for p ≥ n + 2; infinite between, if s² > 0. Noise-free: the error on \
          noisy values is larger by the noise variance. Near the peak single draws lie far below this mean",
    cite: "Belkin, Hsu and Xu 2019",
    assumes: "Gaussian rows with a known law, and Σ = I if p > n; what the features do not see is Gaussian and \
              independent of them",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let (n, p) = (premise.problem.samples(), premise.problem.feature_count());
    // Least squares does not care how the features are scaled or turned; the minimum norm does.
    let law = if p <= n { premise.known_law() } else { premise.isotropic_law() };
    match law {
        Ok(law) => Prediction {
            numbers: vec![Number::of_cell("ridgeless_mean_test_error", mean_test_error(n, law))],
            ..Prediction::default()
        },
        Err(unmet) => Prediction { unmet: Some(unmet), ..Prediction::default() },
    }
}

/// E over designs and noise of E(φ·β − noise-free value)², n rows, p = |β*| features.
fn mean_test_error(n: usize, law: &Law) -> f64 {
    let (rows, features) = (n as f64, law.predictor.len() as f64);
    let noise = law.noise_variance + law.unseen_variance;
    let bias = law.signal() * (1.0 - rows / features).max(0.0);
    let (fewer, more) = if rows < features { (rows, features) } else { (features, rows) };
    let variance = match more - fewer - 1.0 {
        _ if noise <= 0.0 => 0.0,
        // A mean that does not exist below two degrees of freedom.
        freedom if freedom < 0.5 => f64::INFINITY,
        freedom => noise * fewer / freedom,
    };
    law.unseen_variance + bias + variance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases::{GaussianCase, gaussian_design, problem, under_flow};
    use crate::isotropic_ridge_risk::Proportional;
    use nalgebra::DVector;
    use taut_numerics::{normal, stream};
    use taut_problem::Covariance;

    fn law(features: usize, signal: f64, noise_variance: f64, unseen_variance: f64) -> Law {
        let predictor = vec![(signal / features as f64).sqrt(); features];
        Law { covariance: Covariance::Isotropic, predictor, noise_variance, unseen_variance }
    }

    #[test]
    fn is_infinite_within_one_of_the_threshold_alone() {
        let infinite = |p: usize| mean_test_error(40, &law(p, 1.0, 0.1, 0.0)).is_infinite();
        assert_eq!((30..50).filter(|&p| infinite(p)).collect::<Vec<_>>(), [39, 40, 41]);
        assert!(mean_test_error(40, &law(40, 1.0, 0.0, 0.0)) < 1e-15, "without noise there is no peak");
    }

    #[test]
    fn tends_to_the_proportional_limit() {
        for (n, p) in [(40_000, 10_000), (10_000, 40_000)] {
            let limit =
                Proportional { ratio: p as f64 / n as f64, signal: 1.0, noise: 0.7, unseen: 0.2 }.ridgeless() + 0.2;
            // The difference is of order 1/|n − p|.
            assert!((mean_test_error(n, &law(p, 1.0, 0.5, 0.2)) / limit - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn simulated_double_descent_has_this_mean() {
        let n = 20;
        for p in [5, 14, 27, 60] {
            let law = law(p, 1.0, 0.3, 0.2);
            let beta = DVector::from_vec(law.predictor.clone());
            let errors: Vec<f64> = (0..2000)
                .map(|draw| {
                    let phi = gaussian_design(n, p, draw);
                    let mut noise = stream(7, "theory noise", draw);
                    let y = &phi * &beta + DVector::from_fn(n, |_, _| 0.5_f64.sqrt() * normal(&mut noise));
                    let fit = phi.pseudo_inverse(1e-12).unwrap() * y;
                    law.excess_risk(fit.as_slice())
                })
                .collect();
            let count = errors.len() as f64;
            let mean = errors.iter().sum::<f64>() / count;
            let variance = errors.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / (count - 1.0);
            let deviations = (mean - mean_test_error(n, &law)) / (variance / count).sqrt();
            // Fixed seeds: one draw of four standard normals.
            assert!(deviations.abs() < 3.0, "p = {p}: {deviations} standard errors");
        }
    }

    #[test]
    fn correlated_features_are_covered_below_the_threshold_only() {
        let correlated = |n: usize| {
            let law = Law { covariance: Covariance::Diagonal(vec![1.0, 0.25]), ..law(2, 1.0, 0.5, 0.0) };
            under_flow(&THEORY, &problem(&gaussian_design(n, 2, 0), Some(law)), &[], &[])
        };
        let below = correlated(10);
        assert!(below.unmet.is_none() && (below.numbers[0].value - 0.5 * 2.0 / 7.0).abs() < 1e-15);
        let above = correlated(1);
        assert!(above.unmet.unwrap().contains("0.75") && above.numbers.is_empty());
        assert!(GaussianCase::predict_without_law(&THEORY).numbers.is_empty());
    }
}
