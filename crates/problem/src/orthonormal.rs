//! Random matrices with orthonormal rows or columns.

use taut_numerics::{DMatrix, Stream, normal};

/// The orthogonal factor of a matrix of full rank: columns are made orthonormal one after the other, or rows where
/// there are fewer rows than columns.
///
/// Unique by a positive diagonal of the triangular factor, so that Gaussian entries give a uniformly distributed
/// result (Mezzadri 2007), and more columns begin with the fewer.
pub(crate) fn orthonormal(matrix: DMatrix<f64>) -> DMatrix<f64> {
    let wide = matrix.ncols() > matrix.nrows();
    let qr = if wide { matrix.transpose() } else { matrix }.qr();
    let (mut q, r) = (qr.q(), qr.r());
    for (mut column, diagonal) in q.column_iter_mut().zip(r.diagonal().iter()) {
        if *diagonal < 0.0 {
            column.neg_mut();
        }
    }
    if wide { q.transpose() } else { q }
}

/// Independent standard normals, column by column.
pub(crate) fn gaussian(rows: usize, columns: usize, draws: &mut Stream) -> DMatrix<f64> {
    DMatrix::from_iterator(rows, columns, (0..rows * columns).map(|_| normal(draws)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::stream;

    #[test]
    fn a_frame_is_orthonormal_and_begins_with_the_smaller_one() {
        let frame = |columns| orthonormal(gaussian(40, columns, &mut stream(3, "frame", 0)));
        let (small, large) = (frame(2), frame(7));
        // Householder's columns are orthonormal to a few eps.
        assert!((large.tr_mul(&large) - DMatrix::identity(7, 7)).amax() < 1e-14);
        assert!((large.columns(0, 2) - small).amax() < 1e-14);
        let wide = orthonormal(gaussian(3, 9, &mut stream(3, "frame", 0)));
        assert!((&wide * wide.transpose() - DMatrix::identity(3, 3)).amax() < 1e-14);
    }
}
