//! Ridge and ridgeless regression on many isotropic features.

use crate::{Build, Number, Prediction, Premise, TheoryDef};
use taut_problem::Law;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "isotropic_ridge_risk",
    doc: "test_error in the limit n, p → ∞ at γ = p/n, with r² = |β*|² of the features that are seen and \
          s² = noise + unseen variance: `ridgeless_test_error` = unseen + s²γ/(1 − γ) for γ < 1, \
          unseen + r²(1 − 1/γ) + s²/(γ − 1) for γ > 1, infinite at 1; `ridge_test_error` at every λ of the study's \
          ridge solutions = unseen + r²λ²m′ + s²γ(m − λm′) with m = ∫dF/(s + λ), m′ = ∫dF/(s + λ)²; \
          `optimal_ridge_lambda` = s²γ/r² and `optimal_ridge_test_error` there. All noise-free: the error on noisy \
          values is larger by the noise variance",
    cite: "Hastie, Montanari, Rosset and Tibshirani 2019; Dobriban and Wager 2018",
    assumes: "independent standardized features (Σ = I), a known law, n and p large; what the features do not see is \
              independent of them",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let law = match premise.isotropic_law() {
        Ok(law) => law,
        Err(unmet) => return Prediction { unmet: Some(unmet), ..Prediction::default() },
    };
    let limit = Proportional::new(premise, law);
    let optimum = limit.optimal_lambda();
    let mut numbers = vec![
        Number::of_cell("ridgeless_test_error", limit.unseen + limit.ridgeless()),
        Number::of_cell("optimal_ridge_lambda", optimum),
        Number::of_cell("optimal_ridge_test_error", limit.unseen + limit.ridge(optimum)),
    ];
    let at = |&lambda: &f64| Number::at("ridge_test_error", lambda, limit.unseen + limit.ridge(lambda));
    numbers.extend(premise.ridge.iter().map(at));
    Prediction { numbers, ..Prediction::default() }
}

/// n, p → ∞ together, Σ = I. Risks are E(φ·(β − β*))²; the unseen signal adds its variance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proportional {
    /// γ = p/n.
    pub(crate) ratio: f64,
    /// r² = |β*|².
    pub(crate) signal: f64,
    /// s²: variance of the label noise and of the signal that is not seen, which acts as noise.
    pub(crate) noise: f64,
    /// Variance of the signal that is not seen.
    pub(crate) unseen: f64,
}

impl Proportional {
    /// The limit that the cell stands for.
    pub(crate) fn new(premise: &Premise<'_>, law: &Law) -> Self {
        Self {
            ratio: premise.problem.feature_count() as f64 / premise.problem.samples() as f64,
            signal: law.signal(),
            noise: law.noise_variance + law.unseen_variance,
            unseen: law.unseen_variance,
        }
    }

    /// The minimum-norm (γ > 1) or least-squares solution; +∞ at γ = 1 with noise.
    pub(crate) fn ridgeless(&self) -> f64 {
        let bias = self.signal * (1.0 - 1.0 / self.ratio).max(0.0);
        if self.noise > 0.0 { bias + self.noise * self.ratio.min(1.0) / (1.0 - self.ratio).abs() } else { bias }
    }

    /// λ* = s²γ/r²; 0 without noise, +∞ without signal.
    pub(crate) fn optimal_lambda(&self) -> f64 {
        if self.noise > 0.0 { self.noise * self.ratio / self.signal } else { 0.0 }
    }

    /// Ridge regression with the penalty ½λ|θ|² on L.
    ///
    /// Over the eigenvalues that are not zero (those of ΦΦᵀ/n if γ > 1), with c = min(γ, 1) and
    /// a = |1 − γ|: their m solves cλm² + (a + λ)m = 1 and m′ = m(1 + cm)/D with D = 2cλm + a + λ, so that
    /// m − λm′ = m(cλm + a)/D. No difference of numbers that cancel, for any γ and λ.
    pub(crate) fn ridge(&self, lambda: f64) -> f64 {
        if lambda <= 0.0 {
            return self.ridgeless();
        }
        if lambda.is_infinite() {
            return self.signal;
        }
        let (c, a) = (self.ratio.min(1.0), (1.0 - self.ratio).abs());
        let b = a + lambda;
        let d = b.hypot(2.0 * (c * lambda).sqrt()); // D, also where λ² overflows
        let m = 1.0 / (0.5 * b + 0.5 * d);
        let seen = (1.0 / self.ratio).min(1.0);
        let bias = (1.0 - 1.0 / self.ratio).max(0.0) + seen * (lambda * m) * (lambda / d) * (1.0 + c * m);
        let variance = c * m * (c * lambda * m + a) / d;
        self.signal * bias + self.noise * variance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases::GaussianCase;
    use crate::marchenko_pastur::MarchenkoPastur;
    use crate::reference_tables::Table;

    fn limit(ratio: f64, signal: f64, noise: f64) -> Proportional {
        Proportional { ratio, signal, noise, unseen: 0.0 }
    }

    #[test]
    fn agrees_with_forty_digits() {
        let mut worst = 0.0_f64;
        for row in Table::read("ridge_risk_isotropic").rows() {
            let limit = limit(row["gamma"], row["r2"], row["sigma2"]);
            let mut check = |name: &str, value: f64| worst = worst.max(error(value, row[name]));
            check("excess_ridgeless", limit.ridgeless());
            check("lambda_opt", limit.optimal_lambda());
            check("excess_ridge_opt", limit.ridge(limit.optimal_lambda()));
            for (name, lambda) in [("1e-3", 1e-3), ("1e-2", 1e-2), ("1e-1", 1e-1), ("1", 1.0)] {
                check(&format!("excess_ridge_{name}"), limit.ridge(lambda));
            }
        }
        // No cancellation anywhere, so a few rounding errors; 1e-9 is what is asked.
        assert!(worst < 1e-14, "{worst}");
    }

    /// Relative error; equal infinities agree.
    fn error(value: f64, exact: f64) -> f64 {
        if exact.is_infinite() && value.is_infinite() { 0.0 } else { (value / exact - 1.0).abs() }
    }

    #[test]
    fn is_the_integral_over_the_spectrum() {
        for ratio in [0.2, 0.95, 1.0, 1.3, 6.0] {
            let spectrum = MarchenkoPastur::new(ratio);
            for lambda in [1e-3, 0.1, 3.0] {
                let bias = spectrum.at_zero + spectrum.integral(|s| (lambda / (s + lambda)).powi(2));
                let variance = ratio * spectrum.integral(|s| s / ((s + lambda) * (s + lambda)));
                // Quadrature with geometric convergence.
                assert!(error(limit(ratio, 2.0, 0.7).ridge(lambda), 2.0 * bias + 0.7 * variance) < 1e-12);
            }
        }
    }

    #[test]
    fn optimal_ridge_has_no_peak_and_no_better_neighbour() {
        let curve: Vec<f64> = (1..200).map(|i| 0.02 * f64::from(i)).collect();
        let best = |ratio: f64| limit(ratio, 1.0, 0.2).ridge(limit(ratio, 1.0, 0.2).optimal_lambda());
        assert!(curve.windows(2).all(|pair| best(pair[0]) < best(pair[1])));
        for ratio in curve {
            let limit = limit(ratio, 1.0, 0.2);
            let optimum = limit.optimal_lambda();
            assert!([0.0, 0.5, 0.9, 1.1, 2.0].iter().all(|f| limit.ridge(f * optimum) > limit.ridge(optimum)));
        }
    }

    #[test]
    fn extremes_of_signal_and_noise_have_values() {
        assert!((limit(1.0, 1.0, 0.0).ridge(0.0)).abs() < 1e-16);
        let noise_only = limit(2.0, 0.0, 1.0);
        assert!(noise_only.optimal_lambda().is_infinite() && noise_only.ridge(f64::INFINITY) < 1e-16);
        assert!(limit(1.0, 1.0, 0.1).ridgeless().is_infinite());
        // All of the signal is lost, whether or not λ² is a number.
        for (ratio, lambda) in [(0.5, 1e200), (1.0, 1e300), (3.0, f64::MAX)] {
            assert!((limit(ratio, 2.0, 0.1).ridge(lambda) - 2.0).abs() < 1e-14, "{ratio} {lambda:e}");
        }
    }

    #[test]
    fn what_is_not_seen_is_noise_and_error_at_once() {
        let case = GaussianCase { samples: 20, predictor: vec![0.5; 10], noise: 0.3, unseen: 0.4 };
        let prediction = case.predict(&THEORY, &[0.25]);
        let value = |name: &str| prediction.numbers.iter().find(|n| n.quantity == name).unwrap().value;
        assert!(prediction.unmet.is_none());
        assert!((value("ridgeless_test_error") - (0.4 + 0.7)).abs() < 1e-14);
        assert!((value("optimal_ridge_lambda") - 0.7 * 0.5 / 2.5).abs() < 1e-15);
        assert!((value("ridge_test_error") - 0.4 - limit(0.5, 2.5, 0.7).ridge(0.25)).abs() < 1e-14);
    }

    #[test]
    fn a_curve_has_no_law() {
        let prediction = GaussianCase::predict_without_law(&THEORY);
        assert!(prediction.unmet.unwrap().contains("4 points") && prediction.numbers.is_empty());
    }
}
