//! When interpolating noise is harmless: the effective ranks of a covariance.

use crate::principal_axes::principal_axes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "benign_overfitting_ranks",
    doc: "of the variances λ₁ ≥ λ₂ ≥ …: `k_star`, the first k with r_k = Σ_{i>k}λᵢ/λ_{k+1} ≥ n (b = 1); \
          `r_at_k_star`; `large_r_at_k_star`, R = (Σ_{i>k}λᵢ)²/Σ_{i>k}λᵢ²; and `variance_scale` = s²(k*/n + n/R), with \
          s² = noise + unseen variance: what fitting the noise adds to test_error at the minimum-norm interpolant, up to \
          constants",
    cite: "Bartlett, Long, Lugosi and Tsigler 2020",
    assumes: "more features than samples, a known law, principal components of the features independent and sub-Gaussian; \
              some k below n with r_k ≥ n",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let law = match premise.known_law() {
        Ok(law) => law,
        Err(unmet) => return Prediction { unmet: Some(unmet), ..Prediction::default() },
    };
    let n = premise.problem.samples();
    let variances = match principal_axes(law, &law.predictor) {
        Ok(axes) => axes.into_iter().map(|(variance, _)| variance).collect(),
        Err(unmet) => return Prediction { unmet: Some(unmet), ..Prediction::default() },
    };
    match harmless(variances, n) {
        Ok(ranks) => {
            let noise = law.noise_variance + law.unseen_variance;
            Prediction {
                unmet: (ranks.k >= n).then(|| format!("k* = {} is not below n = {n}", ranks.k)),
                numbers: vec![
                    Number::of_cell("k_star", ranks.k as f64),
                    Number::of_cell("r_at_k_star", ranks.small),
                    Number::of_cell("large_r_at_k_star", ranks.large),
                    Number::of_cell("variance_scale", noise * ranks.variance(n)),
                ],
                ..Prediction::default()
            }
        }
        Err(most) => {
            Prediction { unmet: Some(format!("no k has r_k ≥ n = {n}: the most is {most}")), ..Prediction::default() }
        }
    }
}

/// The tail that hides the noise.
struct Ranks {
    /// k*.
    k: usize,
    /// r_k.
    small: f64,
    /// R_k.
    large: f64,
}

impl Ranks {
    /// k*/n + n/R.
    fn variance(&self, n: usize) -> f64 {
        self.k as f64 / n as f64 + n as f64 / self.large
    }
}

/// The first k with r_k ≥ n, or the largest r_k there is.
fn harmless(mut variances: Vec<f64>, n: usize) -> Result<Ranks, f64> {
    variances.sort_by(|a, b| b.total_cmp(a));
    // Tails Σ_{i>k} λᵢ and Σ_{i>k} λᵢ² for every k, added from the small end for their digits.
    let mut tails = vec![(0.0, 0.0); variances.len()];
    let (mut sum, mut squares) = (0.0, 0.0);
    for (k, &variance) in variances.iter().enumerate().rev() {
        sum += variance;
        squares += variance * variance;
        tails[k] = (sum, squares);
    }
    let mut most = 0.0_f64;
    for (k, (sum, squares)) in tails.into_iter().enumerate().take_while(|(k, _)| variances[*k] > 0.0) {
        let small = sum / variances[k];
        // Equal variances have r_k = p − k, but for rounding.
        if small >= n as f64 * (1.0 - 1e-12) {
            return Ok(Ranks { k, small, large: sum * sum / squares });
        }
        most = most.max(small);
    }
    Err(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases::{GaussianCase, gaussian_design};
    use nalgebra::{DMatrix, DVector};

    #[test]
    fn equal_variances_have_full_ranks() {
        let ranks = harmless(vec![0.3; 200], 50).ok().unwrap();
        assert_eq!(ranks.k, 0);
        // Sums of 200 equal numbers.
        assert!((ranks.small - 200.0).abs() < 1e-10 && (ranks.large - 200.0).abs() < 1e-10);
    }

    #[test]
    fn too_few_or_too_quickly_falling_variances_hide_nothing() {
        assert!((harmless(vec![1.0; 30], 50).err().unwrap() - 30.0).abs() < 1e-12);
        assert!(harmless((0..400).map(|i| 0.5_f64.powi(i)).collect(), 10).is_err());
        let case = GaussianCase { samples: 50, predictor: vec![0.1; 30], noise: 1.0, unseen: 0.0 };
        let prediction = case.predict(&THEORY, &[]);
        assert!(prediction.unmet.unwrap().contains("n = 50: the most is 30") && prediction.numbers.is_empty());
        assert!(GaussianCase::predict_without_law(&THEORY).numbers.is_empty());
    }

    /// tr(K⁻¹ΦΣΦᵀK⁻¹) with K = ΦΦᵀ: the variance of the interpolant for this design and unit noise.
    fn variance_of_interpolation(variances: &[f64], n: usize) -> f64 {
        let scale = DVector::from_iterator(variances.len(), variances.iter().map(|v| v.sqrt()));
        let mut phi = gaussian_design(n, variances.len(), 3);
        for (mut column, scale) in phi.column_iter_mut().zip(scale.iter()) {
            column *= *scale;
        }
        let mut spread = phi.clone();
        for (mut column, scale) in spread.column_iter_mut().zip(scale.iter()) {
            column *= *scale;
        }
        let kernel: DMatrix<f64> = &phi * phi.transpose();
        let inverse = kernel.cholesky().unwrap().inverse();
        (&inverse * &spread).norm_squared()
    }

    #[test]
    fn the_scale_is_right_within_a_factor_of_two() {
        let (n, p) = (50, 2000);
        let laws: [fn(f64) -> f64; 4] =
            [|_| 1.0, |i| 1.0 / i, |i| 1.0 / (i * (i + 1.0).ln().powi(2)), |i| (-i).exp() + 0.01];
        for (number, law) in laws.into_iter().enumerate() {
            let variances: Vec<f64> = (1..=p).map(|i| law(i as f64)).collect();
            let ratio = variance_of_interpolation(&variances, n) / harmless(variances, n).ok().unwrap().variance(n);
            // The theorem leaves constants open; a survey found 0.59 to 1.01 for such laws.
            assert!((0.5..1.1).contains(&ratio), "law {number}: {ratio}");
        }
    }
}
