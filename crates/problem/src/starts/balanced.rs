//! Balanced factors of a Gaussian product.

use super::determinant;
use crate::orthonormal::gaussian;
use crate::{NonNegative, ParametrizationKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, DVector, Stream, ThinSvd};

/// A balanced start: the singular value decomposition U diag(s) Vᵀ of a Gaussian matrix, split evenly.
///
/// W₁ = diag(s^{1/N})Vᵀ, W_l = diag(s^{1/N}), W_N = U diag(s^{1/N}), with zeros around where a layer is wider: all
/// W_{l+1}ᵀW_{l+1} − W_lW_lᵀ are zero, up to rounding. A layer narrower than the matrix keeps its largest singular values
/// (procedure 1 of Arora, Cohen, Golowich and Hu 2019).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalancedStart {
    /// The scale of the product, whose entries are N(0, scale²/inputs), as in an `end-to-end` start.
    pub scale: NonNegative,
    /// Turn the sign of the product's first row where its determinant is negative.
    #[serde(default)]
    pub positive_determinant: bool,
}

impl BalancedStart {
    pub(super) fn complaint(&self, kind: &ParametrizationKind, sizes: &[usize]) -> Option<(&'static str, String)> {
        let said = self.positive_determinant.then(|| determinant::complaint(kind, sizes)).flatten();
        said.map(|message| ("balanced.positive_determinant", message))
    }

    pub(super) fn draw(&self, sizes: &[usize], draws: &mut Stream) -> Vec<DMatrix<f64>> {
        let (depth, inputs) = (sizes.len() - 1, sizes[0]);
        let mut product = gaussian(sizes[depth], inputs, draws);
        if self.positive_determinant && determinant::is_negative(&product) {
            product.row_mut(0).neg_mut();
        }
        // The scale comes in at the end: the decomposition is of a matrix that is never zero.
        let ThinSvd { u, s, v, .. } = ThinSvd::new(product.as_view());
        let rank = sizes.iter().fold(s.len(), |rank, size| rank.min(*size));
        let scale = self.scale.get() / (inputs as f64).sqrt();
        let a: Vec<f64> = s[..rank].iter().map(|s| (scale * s).powf(1.0 / depth as f64)).collect();
        let frames: Vec<DMatrix<f64>> = (0..=depth)
            .map(|l| match l {
                0 => v.columns(0, rank).into_owned(),
                l if l == depth => u.columns(0, rank).into_owned(),
                l => DMatrix::identity(sizes[l], rank),
            })
            .collect();
        factors_along(&frames, &a)
    }
}

/// W_l = R_{l+1} diag(a) R_lᵀ, l = 1, …, N: balanced, with the product R_{N+1} diag(aᴺ) R₁ᵀ.
///
/// `frames` are R₁, …, R_{N+1}, R_l of d_{l−1} rows, all with one orthonormal column per entry of a.
pub(super) fn factors_along(frames: &[DMatrix<f64>], a: &[f64]) -> Vec<DMatrix<f64>> {
    let a = DMatrix::from_diagonal(&DVector::from_column_slice(a));
    frames.windows(2).map(|pair| &pair[1] * &a * pair[0].transpose()).collect()
}
