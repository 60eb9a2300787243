//! Where training starts.

use crate::{Finite, NonNegative, ParametrizationKind, Shape, Task, Tensor, Tensors};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, normal, stream};

/// The start θ₀.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Init {
    /// θ₀ = 0
    #[default]
    Zero,
    /// θ₀ ~ N(0, scale²) entry by entry
    Gaussian(GaussianStart),
    /// θ₀ = scale in every entry
    Constant(ConstantStart),
    /// Every factor Gaussian, so that their product has entries of variance scale²/inputs: entries of W_l are
    /// N(0, scale^(2/N)/d_{l−1}), d_{l−1} its columns
    EndToEnd(EndToEndStart),
    /// Every tensor scale·I, cut off where it is not square
    Identity(IdentityStart),
    /// Every tensor scale·Q with a random Q whose rows or columns are orthonormal
    Orthogonal(OrthogonalStart),
    /// θ₀ from a file
    #[serde(untagged)]
    File(FileStart),
}

/// A Gaussian start.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaussianStart {
    /// The standard deviation of each entry.
    pub scale: NonNegative,
}

/// A start with equal entries.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstantStart {
    /// The value of every entry.
    pub scale: Finite,
}

/// A Gaussian start by the size of the product.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndToEndStart {
    /// The scale of the product.
    pub scale: NonNegative,
}

/// A start at multiples of the identity.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityStart {
    /// The diagonal of every tensor.
    pub scale: NonNegative,
}

/// A start at multiples of random orthogonal matrices.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrthogonalStart {
    /// All singular values of every tensor.
    pub scale: NonNegative,
}

/// A start read from a file in the long form `tensor,row,col,value` (zero-based).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStart {
    /// CSV or parquet, relative to the study file.
    pub file: String,
    /// Tensor names start with this; the start is the tensor `<prefix>theta`, or what the parametrization is made of:
    /// `<prefix>W1`, …
    #[serde(default)]
    pub prefix: String,
    /// Tensors to read; others in the file are then ignored.
    #[serde(default)]
    pub only: Vec<String>,
}

impl Init {
    /// θ₀ of one cell: the tensors of the parametrization one after the other, each column-major.
    ///
    /// Random starts draw from the stream `start`, so they do not depend on the motion. `file` holds the tensors of a
    /// start that comes from a file.
    ///
    /// # Errors
    /// A sentence, if there is no such start for this task and parametrization.
    pub fn draw(
        &self,
        task: Task<'_>,
        kind: &ParametrizationKind,
        file: Option<&Tensors>,
        (seed, replicate): (u64, u64),
    ) -> Result<Vec<f64>, String> {
        let Shape { inputs, outputs, .. } = task.shape(1);
        let tensors = kind.tensors(inputs, outputs);
        let depth = kind.depth(inputs, outputs) as f64;
        let count: usize = tensors.iter().map(Tensor::len).sum();
        let mut draws = stream(seed, "start", replicate);
        let mut gaussian =
            |deviation: f64, len: usize| -> Vec<f64> { (0..len).map(|_| deviation * normal(&mut draws)).collect() };
        match self {
            Self::Zero => Ok(vec![0.0; count]),
            Self::Gaussian(start) => Ok(gaussian(start.scale.get(), count)),
            Self::Constant(start) => Ok(vec![start.scale.get(); count]),
            Self::EndToEnd(start) => {
                let scale = start.scale.get().powf(1.0 / depth);
                let of = |tensor: &Tensor| gaussian(scale / (tensor.columns as f64).sqrt(), tensor.len());
                Ok(tensors.iter().flat_map(of).collect())
            }
            Self::Identity(start) => {
                let of = |t: &Tensor| DMatrix::<f64>::identity(t.rows, t.columns) * start.scale.get();
                Ok(tensors.iter().flat_map(|tensor| of(tensor).as_slice().to_vec()).collect())
            }
            Self::Orthogonal(start) => {
                let of = |t: &Tensor| orthogonal(t, gaussian(1.0, t.len())) * start.scale.get();
                let all: Vec<DMatrix<f64>> = tensors.iter().map(of).collect();
                Ok(all.iter().flat_map(|matrix| matrix.as_slice().to_vec()).collect())
            }
            Self::File(start) => {
                let file = file.ok_or_else(|| format!("the start in {} was not read", start.file))?;
                file.parameters(&tensors)
            }
        }
    }
}

/// The orthogonal factor of a Gaussian matrix, made unique by a positive diagonal of the triangular one, so
/// that it is uniformly distributed (Mezzadri 2007).
fn orthogonal(tensor: &Tensor, entries: Vec<f64>) -> DMatrix<f64> {
    let wide = tensor.columns > tensor.rows;
    let matrix = DMatrix::from_column_slice(tensor.rows, tensor.columns, &entries);
    let qr = if wide { matrix.transpose() } else { matrix }.qr();
    let (mut q, r) = (qr.q(), qr.r());
    for (mut column, diagonal) in q.column_iter_mut().zip(r.diagonal().iter()) {
        if *diagonal < 0.0 {
            column.neg_mut();
        }
    }
    if wide { q.transpose() } else { q }
}
