//! The matrix types at every public door: nalgebra, column-major, `f64`.

pub use nalgebra::{DMatrix, DVector};

/// A borrowed matrix.
pub type Mat<'a> = nalgebra::DMatrixView<'a, f64>;
/// A borrowed matrix that may be written to.
pub type MatMut<'a> = nalgebra::DMatrixViewMut<'a, f64>;
