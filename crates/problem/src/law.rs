//! What is known of the law that rows and values are drawn from.

use taut_numerics::{DMatrix, DVector};

/// Moments of a new row φ of the design and its value y = φ·β* + unseen signal + noise, all centred.
#[derive(Clone, Debug)]
pub struct Law {
    /// Σ = E φφᵀ.
    pub covariance: Covariance,
    /// β*: the best predictor in these features.
    pub predictor: Vec<f64>,
    /// Variance of the label noise.
    pub noise_variance: f64,
    /// Variance of the signal that these features do not see.
    pub unseen_variance: f64,
}

/// Σ of the features.
#[derive(Clone, Debug)]
pub enum Covariance {
    /// Σ = I.
    Isotropic,
    /// Σ = diag(…).
    Diagonal(Vec<f64>),
    /// Any symmetric positive definite Σ.
    Dense(DMatrix<f64>),
}

impl Covariance {
    /// dᵀΣd.
    pub fn quadratic(&self, d: &[f64]) -> f64 {
        match self {
            Self::Isotropic => d.iter().map(|d| d * d).sum(),
            Self::Diagonal(variances) => d.iter().zip(variances).map(|(d, v)| v * d * d).sum(),
            Self::Dense(sigma) => {
                sigma.column_iter().zip(d).map(|(c, dj)| dj * c.iter().zip(d).map(|(s, di)| s * di).sum::<f64>()).sum()
            }
        }
    }

    /// Σ; `None` for the identity.
    pub fn matrix(&self) -> Option<DMatrix<f64>> {
        match self {
            Self::Isotropic => None,
            Self::Diagonal(variances) => Some(DMatrix::from_diagonal(&DVector::from_column_slice(variances))),
            Self::Dense(sigma) => Some(sigma.clone()),
        }
    }

    /// The variances of `p` features where they do not covary; `None` for a dense Σ.
    pub fn diagonal(&self, p: usize) -> Option<Vec<f64>> {
        match self {
            Self::Isotropic => Some(vec![1.0; p]),
            Self::Diagonal(variances) => Some(variances.clone()),
            Self::Dense(_) => None,
        }
    }
}

impl Law {
    /// E (φ·β − noise-free value)² = (β − β*)ᵀΣ(β − β*) + unseen variance: the excess risk; the
    /// prediction error on noisy values is this plus the noise variance.
    pub fn excess_risk(&self, beta: &[f64]) -> f64 {
        let error: Vec<f64> = beta.iter().zip(&self.predictor).map(|(b, t)| b - t).collect();
        self.covariance.quadratic(&error) + self.unseen_variance
    }

    /// The law that a model of the first `p` inputs sees.
    ///
    /// The best predictor of the values from them takes over what they know of the others:
    /// β₁ + Σ₁₁⁻¹Σ₁₂β₂; what is left of the others, β₂ᵀ(Σ₂₂ − Σ₂₁Σ₁₁⁻¹Σ₁₂)β₂, becomes unseen.
    pub fn of_first(&self, p: usize) -> Self {
        let d = self.predictor.len();
        if p >= d {
            return self.clone();
        }
        let (seen, hidden) = self.predictor.split_at(p);
        let (covariance, predictor, rest) = match &self.covariance {
            Covariance::Isotropic => (Covariance::Isotropic, seen.to_vec(), hidden.iter().map(|t| t * t).sum::<f64>()),
            Covariance::Diagonal(variances) => {
                let rest = hidden.iter().zip(&variances[p..]).map(|(t, v)| v * t * t).sum();
                (Covariance::Diagonal(variances[..p].to_vec()), seen.to_vec(), rest)
            }
            Covariance::Dense(sigma) => conditioned(sigma, seen, hidden),
        };
        Self { covariance, predictor, unseen_variance: self.unseen_variance + rest, ..self.clone() }
    }

    /// r² = ‖β*‖².
    pub fn signal(&self) -> f64 {
        self.predictor.iter().map(|b| b * b).sum()
    }
}

/// Σ₁₁, the best predictor from the first inputs, and the variance that it misses (a Schur complement).
fn conditioned(sigma: &DMatrix<f64>, seen: &[f64], hidden: &[f64]) -> (Covariance, Vec<f64>, f64) {
    let (p, rest) = (seen.len(), hidden.len());
    let hidden = DVector::from_column_slice(hidden);
    let first = sigma.view((0, 0), (p, p)).into_owned();
    let cross = sigma.view((0, p), (p, rest)) * &hidden;
    let known = first.clone().cholesky().expect("a part of a positive definite matrix is one").solve(&cross);
    let missed = hidden.dot(&(sigma.view((p, p), (rest, rest)) * &hidden)) - cross.dot(&known);
    let predictor = seen.iter().zip(known.iter()).map(|(a, b)| a + b).collect();
    (Covariance::Dense(first), predictor, missed.max(0.0))
}

/// R with Σ = RRᵀ.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    /// R = I.
    Identity,
    /// Standard deviations.
    Diagonal(Vec<f64>),
    /// Cholesky's lower triangle: an input depends on the earlier ones only.
    Lower(DMatrix<f64>),
}

impl Root {
    /// Turns rows z of independent standard normals into rows Rz.
    pub(crate) fn apply(&self, rows: &mut DMatrix<f64>) {
        match self {
            Self::Identity => {}
            Self::Diagonal(deviations) => {
                rows.column_iter_mut().zip(deviations).for_each(|(mut column, deviation)| column *= *deviation);
            }
            Self::Lower(lower) => {
                // From the last input down: each needs the others as they were drawn.
                for j in (0..lower.nrows()).rev() {
                    let (earlier, mut later) = rows.columns_range_pair_mut(0..j, j..j + 1);
                    later *= lower[(j, j)];
                    for (k, column) in earlier.column_iter().enumerate() {
                        later.column_mut(0).axpy(lower[(j, k)], &column, 1.0);
                    }
                }
            }
        }
    }
}

impl Covariance {
    /// R with Σ = RRᵀ; `None` if Σ is not positive definite.
    pub(crate) fn root(&self) -> Option<Root> {
        match self {
            Self::Isotropic => Some(Root::Identity),
            Self::Diagonal(variances) => Some(Root::Diagonal(variances.iter().map(|v| v.sqrt()).collect())),
            Self::Dense(sigma) => sigma.clone().cholesky().map(|cholesky| Root::Lower(cholesky.l())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hiding_inputs_of_a_dense_law_is_regression_on_the_others() {
        let sigma = DMatrix::from_row_slice(3, 3, &[2.0, 0.5, 0.3, 0.5, 1.0, -0.2, 0.3, -0.2, 0.8]);
        let law = Law {
            covariance: Covariance::Dense(sigma.clone()),
            predictor: vec![1.0, -1.0, 2.0],
            noise_variance: 0.1,
            unseen_variance: 0.05,
        };
        let seen = law.of_first(1);
        // One input: β = Cov(x₁, f)/Var(x₁), and the rest is Var f − β² Var x₁.
        let covariance = 2.0 - 0.5 + 2.0 * 0.3;
        let variance = law.covariance.quadratic(&law.predictor);
        assert!((seen.predictor[0] - covariance / 2.0).abs() < 1e-14);
        assert!((seen.unseen_variance - 0.05 - (variance - covariance * covariance / 2.0)).abs() < 1e-14);
        // The excess risk of any predictor that leaves the others out is the same under both laws.
        let here = seen.excess_risk(&[0.7]);
        assert!((here - law.excess_risk(&[0.7, 0.0, 0.0])).abs() < 1e-14);
    }

    #[test]
    fn a_diagonal_law_hides_what_a_dense_one_does() {
        let predictor = vec![1.0, -1.0, 2.0];
        let (diagonal, noise_variance, unseen_variance) = (vec![2.0, 1.0, 0.5], 0.0, 0.0);
        let dense = DMatrix::from_diagonal(&DVector::from_column_slice(&diagonal));
        let [a, b] = [Covariance::Diagonal(diagonal), Covariance::Dense(dense)].map(|covariance| {
            Law { covariance, predictor: predictor.clone(), noise_variance, unseen_variance }.of_first(2)
        });
        assert!((a.unseen_variance - 2.0).abs() < 1e-15 && (b.unseen_variance - 2.0).abs() < 1e-15);
        assert!((a.excess_risk(&[0.3, 0.2]) - b.excess_risk(&[0.3, 0.2])).abs() < 1e-14);
    }
}
