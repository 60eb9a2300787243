//! Matrices by name, as a file in the long form holds them.

use crate::Tensor;
use std::collections::BTreeMap;
use taut_numerics::DMatrix;

/// Matrices by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub BTreeMap<String, DMatrix<f64>>);

impl Tensors {
    /// The matrix of this name.
    pub fn get(&self, name: &str) -> Option<&DMatrix<f64>> {
        self.0.get(name)
    }

    /// The names, for messages.
    pub fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// θ made of these tensors, one after the other, each column-major.
    ///
    /// # Errors
    /// A sentence naming the tensor that is missing or of another shape.
    pub fn parameters(&self, tensors: &[Tensor]) -> Result<Vec<f64>, String> {
        let mut theta = Vec::with_capacity(tensors.iter().map(Tensor::len).sum());
        for Tensor { name, rows, columns } in tensors {
            let matrix = self.get(name).ok_or_else(|| {
                format!("the start has no tensor `{name}`, which is {rows}×{columns}; it has {}", self.names())
            })?;
            if matrix.shape() != (*rows, *columns) {
                let (r, c) = matrix.shape();
                return Err(format!("`{name}` is {r}×{c} in the start, and {rows}×{columns} in the model"));
            }
            theta.extend_from_slice(matrix.as_slice());
        }
        Ok(theta)
    }
}
