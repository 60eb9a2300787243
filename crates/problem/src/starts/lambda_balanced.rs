//! Two factors that are balanced up to a multiple of the identity.

use crate::orthonormal::{gaussian, orthonormal};
use crate::{Finite, NonNegative};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, DVector, Stream, ThinSvd};

/// A λ-balanced start of two factors: W₂ᵀW₂ − W₁W₁ᵀ = λI on the hidden layer, up to rounding.
///
/// W₁ = R diag(b)Vᵀ and W₂ = U diag(a)Rᵀ with uniformly random orthonormal U, R, V, a² − b² = λ, and ab the singular
/// values of a Gaussian matrix, of which a narrower hidden layer keeps the largest. For λ > 0 the hidden layer must
/// not be wider than the outputs, for λ < 0 not than the inputs (Dominé et al. 2024).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LambdaBalancedStart {
    /// λ: large |λ| makes training lazy.
    pub lambda: Finite,
    /// The scale of the product, whose entries are N(0, scale²/inputs), as in an `end-to-end` start.
    pub scale: NonNegative,
}

impl LambdaBalancedStart {
    pub(super) fn complaint(&self, sizes: &[usize]) -> Option<(&'static str, String)> {
        let &[inputs, hidden, outputs] = sizes else {
            let message = format!("λ-balanced starts are of two factors, and this model has {}", sizes.len() - 1);
            return Some(("lambda-balanced", message));
        };
        let lambda = self.lambda.get();
        let (side, most) = if lambda > 0.0 { ("outputs", outputs) } else { ("inputs", inputs) };
        (lambda.abs() > 0.0 && hidden > most).then(|| {
            let sign = if lambda > 0.0 { "above" } else { "below" };
            let message = format!(
                "with λ {sign} 0 the hidden layer cannot be wider than the {side}: it has {hidden}, and they are {most}"
            );
            ("lambda-balanced.lambda", message)
        })
    }

    /// The strengths (a, b) of W₂ and W₁ with a² − b² = λ and ab = s; the smaller one without cancellation.
    fn strengths(&self, s: f64) -> (f64, f64) {
        let lambda = self.lambda.get();
        let larger = (0.5 * (lambda.hypot(2.0 * s) + lambda.abs())).sqrt();
        let smaller = if s > 0.0 { s / larger } else { 0.0 };
        if lambda < 0.0 { (smaller, larger) } else { (larger, smaller) }
    }

    pub(super) fn draw(&self, sizes: &[usize], draws: &mut Stream) -> Vec<DMatrix<f64>> {
        let &[inputs, hidden, outputs] = sizes else { unreachable!("a complaint says so") };
        let scale = self.scale.get() / (inputs as f64).sqrt();
        let s = ThinSvd::new(gaussian(outputs, inputs, draws).as_view()).all;
        let strength = |i: usize| self.strengths(s.get(i).map_or(0.0, |s| scale * s));
        let (a, b): (Vec<f64>, Vec<f64>) = (0..hidden).map(strength).unzip();
        let mut frame = |rows: usize| orthonormal(gaussian(rows, rows.min(hidden), draws));
        let (u, v, r) = (frame(outputs), frame(inputs), frame(hidden));
        // Strengths beyond the columns of a frame are zero.
        let along = |frame: &DMatrix<f64>, strengths: &[f64]| {
            let k = frame.ncols();
            frame * DMatrix::from_diagonal(&DVector::from_column_slice(&strengths[..k])) * r.columns(0, k).transpose()
        };
        vec![along(&v, &b).transpose(), along(&u, &a)]
    }
}
