//! What is known of the law that rows and values are drawn from.

use taut_numerics::DMatrix;

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

    /// The eigenvalues where they are known without a decomposition; all ones are `None`-length lists
    /// of `p`.
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

    /// The law that a model of the first `p` inputs sees: the signal of the others becomes unseen.
    ///
    /// # Panics
    /// If Σ is dense and p is below its size.
    pub fn of_first(&self, p: usize) -> Self {
        let d = self.predictor.len();
        if p >= d {
            return self.clone();
        }
        let variances = self.covariance.diagonal(d).expect("a dense covariance keeps all its inputs");
        let hidden: f64 = self.predictor[p..].iter().zip(&variances[p..]).map(|(t, v)| v * t * t).sum();
        let covariance = match &self.covariance {
            Covariance::Diagonal(variances) => Covariance::Diagonal(variances[..p].to_vec()),
            other => other.clone(),
        };
        Self {
            covariance,
            predictor: self.predictor[..p].to_vec(),
            unseen_variance: self.unseen_variance + hidden,
            ..self.clone()
        }
    }

    /// r² = ‖β*‖².
    pub fn signal(&self) -> f64 {
        self.predictor.iter().map(|b| b * b).sum()
    }
}
