//! Eigenvalues of symmetric matrices.

use crate::Mat;
use faer::{MatRef, Side};

/// The eigenvalues of a symmetric matrix, descending; only its lower triangle is read.
///
/// Errors about eps times the largest in magnitude. Cost O(n³).
///
/// # Panics
/// If the matrix is not square, or not finite.
pub fn symmetric_eigenvalues(matrix: Mat<'_>) -> Vec<f64> {
    let n = matrix.nrows();
    assert_eq!(n, matrix.ncols(), "a square matrix");
    let owned = matrix.into_owned();
    let view = MatRef::from_column_major_slice(owned.as_slice(), n, n);
    let ascending = view.self_adjoint_eigenvalues(Side::Lower).expect("a finite matrix has eigenvalues");
    ascending.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DMatrix;

    #[test]
    fn a_known_spectrum_comes_out_in_order() {
        // The path graph's Laplacian with fixed ends: 2 − 2cos(kπ/(n + 1)).
        let n = 40;
        let matrix = DMatrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        for (k, value) in (1..=n).rev().zip(symmetric_eigenvalues(matrix.as_view())) {
            let exact = 2.0 - 2.0 * (k as f64 * std::f64::consts::PI / (n as f64 + 1.0)).cos();
            assert!((value - exact).abs() < 1e-14, "{value} {exact}");
        }
    }
}
