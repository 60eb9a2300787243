//! How parameters make a predictor: θ ↦ β, and the pullback of a gradient.

use crate::Entry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// θ ↦ β and its pullback: the geometry that biases training.
///
/// Slices hold params × lanes (or features × lanes) numbers with the lanes of one entry side by side.
/// Called once per step by the stepped trainers.
pub trait Parametrization: Send + Sync {
    /// The number of parameters for `features` features.
    fn parameters(&self, features: usize) -> usize;

    /// β(θ).
    fn predictor_into(&self, theta: &[f64], beta: &mut [f64], lanes: usize);

    /// (∂β/∂θ)ᵀ g.
    fn pullback_into(&self, theta: &[f64], g: &[f64], gradient: &mut [f64], lanes: usize);
}

/// β = θ: training moves the predictor itself, and descent from zero is biased to small ‖θ‖₂.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

impl Parametrization for Direct {
    fn parameters(&self, features: usize) -> usize {
        features
    }

    fn predictor_into(&self, theta: &[f64], beta: &mut [f64], _lanes: usize) {
        beta.copy_from_slice(theta);
    }

    fn pullback_into(&self, _theta: &[f64], g: &[f64], gradient: &mut [f64], _lanes: usize) {
        gradient.copy_from_slice(g);
    }
}

/// The parametrizations that a study can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParametrizationKind {
    /// β = θ
    #[default]
    Direct,
}

impl ParametrizationKind {
    /// The parametrization itself.
    pub fn build(self) -> Box<dyn Parametrization> {
        match self {
            Self::Direct => Box::new(Direct),
        }
    }
}

/// Every parametrization.
pub static PARAMETRIZATIONS: &[Entry] =
    &[Entry { name: "direct", doc: "β = θ: the parameters are the predictor's coefficients", cite: "" }];
