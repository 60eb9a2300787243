//! Where training starts.

use crate::{Finite, NonNegative};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// A start read from a file in the long form `tensor,row,col,value` (zero-based).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileStart {
    /// CSV or parquet, relative to the study file.
    pub file: String,
    /// Tensor names start with this; the start is the tensor `<prefix>theta`.
    #[serde(default)]
    pub prefix: String,
    /// Tensors to read; others in the file are then ignored.
    #[serde(default)]
    pub only: Vec<String>,
}
