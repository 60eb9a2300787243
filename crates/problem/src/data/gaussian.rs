//! `[data.gaussian]`: Gaussian inputs with values from a linear teacher.

use super::Drawn;
use crate::{Covariance, Law, NonNegative, Positive, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, normal, stream};

/// Rows x ~ N(0, Σ) and values y = x·θ* + unseen signal + noise.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gaussian {
    /// How many rows n.
    pub samples: Samples,
    /// How many inputs d.
    pub inputs: Samples,
    /// Σ. Default: isotropic.
    #[serde(default)]
    pub covariance: CovarianceKind,
    /// θ*. Default: dense.
    #[serde(default)]
    pub teacher: TeacherKind,
    /// r² = ‖θ*‖² of a drawn teacher. Default 1.
    pub signal: Option<Positive>,
    /// Standard deviation of the label noise. Default 0.
    pub noise: Option<NonNegative>,
    /// r²/σ², instead of `noise`.
    pub snr: Option<Positive>,
    /// 1 − κ: the share of the signal that no input sees. Default 0.
    pub unseen: Option<crate::Fraction>,
}

/// Σ of Gaussian inputs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CovarianceKind {
    /// Σ = I
    #[default]
    Isotropic,
    /// Σ = diag(j^(−exponent)), j = 1 … d
    PowerLaw(PowerLaw),
    /// Σ = diag of these
    Eigenvalues(Vec<Positive>),
}

/// The decay of eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerLaw {
    /// The power a of j^(−a).
    pub exponent: NonNegative,
}

/// The teacher θ*.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TeacherKind {
    /// A uniformly random direction
    #[default]
    Dense,
    /// Random signs on so many inputs, drawn without repetition
    Sparse(Sparse),
    /// These coefficients
    Explicit(Vec<crate::Finite>),
}

/// How sparse a teacher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sparse {
    /// How many inputs matter.
    pub nonzeros: Samples,
}

impl Gaussian {
    pub(super) fn complaints(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        let d = self.inputs.size();
        if let CovarianceKind::Eigenvalues(values) = &self.covariance
            && values.len() != d
        {
            out.push(("covariance", format!("{} eigenvalues for {d} inputs: one per input", values.len())));
        }
        out
    }

    /// The law of the inputs, for one replicate.
    fn law(&self, seed: u64, replicate: u64) -> Law {
        let d = self.inputs.size();
        let signal = self.signal.map_or(1.0, Positive::get);
        let covariance = match &self.covariance {
            CovarianceKind::Isotropic => Covariance::Isotropic,
            CovarianceKind::PowerLaw(law) => {
                Covariance::Diagonal((1..=d).map(|j| (j as f64).powf(-law.exponent.get())).collect())
            }
            CovarianceKind::Eigenvalues(values) => Covariance::Diagonal(values.iter().map(|v| v.get()).collect()),
        };
        let mut draws = stream(seed, "data-teacher", replicate);
        let mut teacher: Vec<f64> = (0..d).map(|_| normal(&mut draws)).collect();
        let norm = teacher.iter().map(|t| t * t).sum::<f64>().sqrt();
        teacher.iter_mut().for_each(|t| *t *= signal.sqrt() / norm);
        let noise_variance = match (self.noise, self.snr) {
            (Some(noise), _) => noise.get() * noise.get(),
            (None, Some(snr)) => signal / snr.get(),
            (None, None) => 0.0,
        };
        Law { covariance, predictor: teacher, noise_variance, unseen_variance: 0.0 }
    }

    pub(super) fn draw(&self, seed: u64, replicate: u64) -> Result<Drawn, String> {
        let (n, d) = (self.samples.size(), self.inputs.size());
        let law = self.law(seed, replicate);
        let mut draws = stream(seed, "data-design", replicate);
        // Row by row: a longer data set begins with the shorter one's rows.
        let mut inputs = DMatrix::zeros(n, d);
        for i in 0..n {
            for j in 0..d {
                inputs[(i, j)] = normal(&mut draws);
            }
        }
        if let Some(variances) = law.covariance.diagonal(d) {
            for (mut column, variance) in inputs.column_iter_mut().zip(variances) {
                column *= variance.sqrt();
            }
        }
        let mut noise = stream(seed, "data-noise", replicate);
        let spread = law.noise_variance.sqrt();
        let y = (0..n)
            .map(|i| {
                inputs.row(i).iter().zip(&law.predictor).map(|(x, t)| x * t).sum::<f64>() + spread * normal(&mut noise)
            })
            .collect();
        Ok(Drawn { inputs, y, target: None, noise_variance: Some(law.noise_variance), law: Some(law) })
    }
}
