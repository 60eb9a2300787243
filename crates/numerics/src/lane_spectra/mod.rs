//! Singular values of many matrices of one shape, eight and sixteen side by side.

mod bidiagonalise;
mod diagonalise;

use bidiagonalise::{Bidiagonalise, stride};
use diagonalise::Diagonalise;
use pulp::Arch;

/// Matrices that are made bidiagonal at once.
const LANES: usize = 8;
/// Bidiagonal matrices that are swept at once: of eight, one root would wait for the other.
const SWEPT: usize = 16;
/// Above so many entries eight matrices no longer fit the second cache, and faer takes one by one.
const MOST_ENTRIES: usize = 128 * 128;
/// Numbers below it have squares that vanish; entries are scaled to at most 1 before.
const VANISHING: f64 = 1e-150;

/// All min(m, n) singular values of each matrix, descending, matrix after matrix; NaN where an entry is not finite.
///
/// Shapes: `matrices` holds m×n matrices one after the other, each column-major; `values` has min(m, n) numbers for
/// each. Householder reflections make a matrix bidiagonal, and sweeps of implicitly shifted QR make that diagonal, both
/// with the lanes of many matrices in one vector; large matrices go to faer. Errors: a few max(m, n)·eps of the largest
/// singular value, so that smaller ones than that are rounding; designs, whose small values matter, have
/// [`crate::ThinSvd`]. The values of a matrix have the same bits whatever is beside it. O(max(m, n)·min(m, n)²), and 64
/// bytes of scratch per entry. Cites Golub and Kahan 1965 and Demmel and Kahan 1990.
///
/// # Panics
/// If the slices do not have these sizes.
pub fn singular_values_into(matrices: &[f64], [m, n]: [usize; 2], values: &mut [f64]) {
    let (entries, count) = (m * n, m.min(n));
    if count == 0 {
        return assert!(values.is_empty(), "an empty matrix has no singular values");
    }
    assert_eq!(matrices.len() % entries, 0, "matrices are m×n");
    assert_eq!(values.len(), matrices.len() / entries * count, "one value per row or column of each matrix");
    if entries > MOST_ENTRIES {
        for (matrix, values) in matrices.chunks_exact(entries).zip(values.chunks_exact_mut(count)) {
            alone(matrix, [m, n], values);
        }
        return;
    }
    let mut batch = Batch::new([m, n]);
    for (matrices, values) in matrices.chunks(SWEPT * entries).zip(values.chunks_mut(SWEPT * count)) {
        batch.values_into(matrices, values);
    }
}

fn alone(matrix: &[f64], [m, n]: [usize; 2], values: &mut [f64]) {
    if matrix.iter().all(|x| x.is_finite()) {
        let view = faer::MatRef::from_column_major_slice(matrix, m, n);
        values.copy_from_slice(&view.singular_values().expect("a finite matrix has singular values"));
    } else {
        values.fill(f64::NAN);
    }
}

/// Room for sixteen matrices on their way.
struct Batch {
    shape: [usize; 2],
    /// Eight matrices with at least as many rows as columns.
    entries: Vec<f64>,
    scratch: Vec<f64>,
    /// The diagonal of each of the sixteen, and what is right of it.
    diagonal: Vec<f64>,
    above: Vec<f64>,
    /// One lane to be sorted.
    sorted: Vec<f64>,
}

impl Batch {
    fn new(shape: [usize; 2]) -> Self {
        let (tall, narrow) = (shape[0].max(shape[1]), shape[0].min(shape[1]));
        Self {
            shape,
            entries: vec![0.0; stride(tall) * narrow * LANES],
            scratch: vec![0.0; (3 * tall + 2 * narrow) * LANES],
            diagonal: vec![0.0; narrow * SWEPT],
            above: vec![0.0; narrow * SWEPT],
            sorted: vec![0.0; narrow],
        }
    }

    fn values_into(&mut self, matrices: &[f64], values: &mut [f64]) {
        let (size, narrow) = (self.shape[0] * self.shape[1], self.sorted.len());
        let mut scales = [0.0; SWEPT];
        self.diagonal.fill(0.0);
        self.above.fill(0.0);
        for (half, matrices) in matrices.chunks(LANES * size).enumerate() {
            let scales = &mut scales[half * LANES..][..LANES];
            self.gather(matrices, scales);
            let tall = size / narrow;
            Arch::new().dispatch(Bidiagonalise {
                shape: [tall, narrow],
                entries: &mut self.entries,
                scratch: &mut self.scratch,
                diagonal: &mut self.diagonal,
                above: &mut self.above,
                half,
            });
        }
        Arch::new().dispatch(Diagonalise { size: narrow, diagonal: &mut self.diagonal, above: &mut self.above });
        for (lane, (values, scale)) in values.chunks_exact_mut(narrow).zip(scales).enumerate() {
            let own = self.diagonal.iter().skip(lane).step_by(SWEPT);
            self.sorted.iter_mut().zip(own).for_each(|(sorted, d)| *sorted = d.abs());
            self.sorted.sort_unstable_by(|a, b| b.total_cmp(a));
            values.iter_mut().zip(&self.sorted).for_each(|(value, s)| *value = s / scale);
        }
    }

    /// Puts matrices side by side, each times a power of two that brings its largest entry into [½, 1); zeros stand in
    /// for matrices that are not there, and for those with an entry that is not finite, whose scale is NaN.
    fn gather(&mut self, matrices: &[f64], scales: &mut [f64]) {
        let [m, n] = self.shape;
        let mut from: [&[f64]; LANES] = [&matrices[..m * n]; LANES];
        let mut factors = [0.0; LANES];
        for (lane, matrix) in matrices.chunks_exact(m * n).enumerate() {
            from[lane] = matrix;
            scales[lane] = scale(matrix);
            factors[lane] = scales[lane];
        }
        let mut keep = [true; LANES];
        for (lane, keep) in keep.iter_mut().enumerate() {
            *keep = factors[lane] > 0.0;
        }
        // A wide matrix has the values of its transpose.
        let (tall, steps) = if m >= n { (m, [1, m]) } else { (n, [m, 1]) };
        for (j, column) in self.entries.chunks_exact_mut(stride(tall) * LANES).enumerate() {
            for (i, slots) in column.chunks_exact_mut(LANES).take(tall).enumerate() {
                let entry = i * steps[0] + j * steps[1];
                for lane in 0..LANES {
                    slots[lane] = if keep[lane] { from[lane][entry] * factors[lane] } else { 0.0 };
                }
            }
        }
    }
}

/// 2^k with the largest entry times 2^k in [½, 1), as far as 2^k is a number; 1 for zeros, NaN where an entry is not
/// finite.
fn scale(matrix: &[f64]) -> f64 {
    let mut parts = [0.0_f64; 8];
    let eights = matrix.chunks_exact(8);
    let bits = |x: &f64| x.to_bits() & !(1 << 63);
    // Of numbers without a sign, the order of their bits is theirs, with NaN above all.
    let mut largest = eights.remainder().iter().map(bits).max().unwrap_or(0);
    for eight in eights {
        for (part, x) in parts.iter_mut().zip(eight) {
            *part = f64::from_bits(part.to_bits().max(bits(x)));
        }
    }
    largest = parts.iter().map(bits).max().unwrap_or(0).max(largest);
    if largest == 0 {
        return 1.0;
    }
    if !f64::from_bits(largest).is_finite() {
        return f64::NAN;
    }
    let exponent = (largest >> 52) as i64 - 1022;
    f64::from_bits(((1023 - exponent).clamp(1, 2046) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DMatrix;
    use pulp::{Simd, WithSimd};

    fn faers(matrix: &DMatrix<f64>) -> Vec<f64> {
        let (m, n) = matrix.shape();
        faer::MatRef::from_column_major_slice(matrix.as_slice(), m, n).singular_values().unwrap()
    }

    fn values(matrices: &[DMatrix<f64>]) -> Vec<Vec<f64>> {
        let (m, n) = matrices[0].shape();
        let all: Vec<f64> = matrices.iter().flat_map(|matrix| matrix.iter().copied()).collect();
        let mut out = vec![-1.0; matrices.len() * m.min(n)];
        singular_values_into(&all, [m, n], &mut out);
        out.chunks_exact(m.min(n)).map(<[f64]>::to_vec).collect()
    }

    fn numbers(m: usize, n: usize, seed: u64) -> DMatrix<f64> {
        let mut draws = crate::stream(seed, "spectra", 0);
        DMatrix::from_fn(m, n, |_, _| crate::normal(&mut draws))
    }

    fn near(found: &[f64], exact: &[f64], case: &str) {
        assert_eq!(found.len(), exact.len(), "{case}");
        assert!(found.windows(2).all(|pair| pair[0] >= pair[1]), "{case}: {found:?}");
        let allowed = 2.0 * f64::EPSILON * (found.len() as f64 + 4.0) * exact[0];
        for (a, b) in found.iter().zip(exact) {
            assert!((a - b).abs() <= allowed, "{case}: {a} for {b}, {:.1} eps", (a - b) / exact[0] / f64::EPSILON);
        }
    }

    #[test]
    fn every_shape_and_batch_has_the_values_of_faer() {
        for (m, n) in [(1, 1), (1, 7), (7, 1), (2, 2), (3, 2), (2, 9), (5, 5), (10, 10), (12, 31), (64, 64), (50, 33)] {
            for count in [1, 7, 8, 9, 16, 19] {
                let matrices: Vec<_> = (0..count).map(|seed| numbers(m, n, seed)).collect();
                for (found, matrix) in values(&matrices).iter().zip(&matrices) {
                    near(found, &faers(matrix), &format!("{m}×{n}"));
                }
            }
        }
        let large = numbers(130, 127, 3);
        near(&values(std::slice::from_ref(&large))[0], &faers(&large), "large");
    }

    #[test]
    fn values_that_are_known() {
        let rotated = |s: &[f64]| {
            let (u, v) = (numbers(s.len(), s.len(), 1).qr().q(), numbers(s.len(), s.len(), 2).qr().q());
            u * DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(s)) * v
        };
        let graded: Vec<f64> = (0..20).map(|i| 10_f64.powi(-i)).collect();
        let pairs = [3.0, 3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0];
        let clusters: Vec<f64> = (0..12).map(|i| 1.0 - 1e-9 * f64::from(i / 4) - 1e-15 * f64::from(i % 4)).collect();
        for s in [&graded[..], &pairs, &clusters, &[1.0; 30], &[1.0, 1e-300], &[1e-200, 1e-201, 0.0], &[1e200, 1e-200]]
        {
            near(&values(&[rotated(s)])[0], s, "rotated");
        }
        let diagonal = |s: &[f64]| DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(s));
        assert_eq!(values(&[diagonal(&[1.0, -3.0, 0.0, 1e-30])]), [[3.0, 1.0, 1e-30, 0.0]]);
        assert_eq!(values(&[DMatrix::zeros(4, 3)]), [[0.0; 3]]);
        assert_eq!(values(&[DMatrix::from_element(1, 1, 5e-324)]), [[5e-324]]);
        near(&values(&[DMatrix::from_element(9, 6, 1e-310)])[0], &[1e-310 * 54_f64.sqrt(), 0., 0., 0., 0., 0.], "tiny");
        near(&values(&[DMatrix::from_element(9, 6, 1e307)])[0], &[1e307 * 54_f64.sqrt(), 0., 0., 0., 0., 0.], "huge");
    }

    #[test]
    fn zeros_on_two_diagonals_are_no_trap() {
        // Zeros anywhere among ones make blocks, and blocks without an inverse.
        for pattern in 0_u32..512 {
            let bit = |k: usize| f64::from((pattern >> k) & 1);
            let matrix = DMatrix::from_fn(5, 5, |i, j| match j.wrapping_sub(i) {
                0 => bit(i),
                1 => bit(5 + i),
                _ => 0.0,
            });
            if pattern & 31 > 0 || pattern >> 5 > 0 {
                near(&values(std::slice::from_ref(&matrix))[0], &faers(&matrix), &format!("{pattern:b}"));
            }
        }
    }

    #[test]
    fn low_ranks_leave_rounding() {
        for rank in [1, 2, 9] {
            let matrix = numbers(20, rank, 5) * numbers(rank, 17, 6);
            near(&values(std::slice::from_ref(&matrix))[0], &faers(&matrix), "low rank");
        }
    }

    #[test]
    fn a_matrix_has_the_same_bits_beside_any_others() {
        for (m, n) in [(10, 10), (6, 20), (1, 4)] {
            let others: Vec<_> = (0..37)
                .map(|seed| match seed % 4 {
                    0 => DMatrix::zeros(m, n),
                    1 => DMatrix::identity(m, n) * 1e-100,
                    2 => numbers(m, n, seed) * 1e100,
                    _ => DMatrix::from_element(m, n, f64::NAN),
                })
                .collect();
            let matrix = numbers(m, n, 99);
            let alone = values(std::slice::from_ref(&matrix));
            for place in [0, 5, 15, 16, 36] {
                let mut all = others.clone();
                all[place] = matrix.clone();
                assert_eq!(values(&all)[place], alone[0]);
            }
        }
    }

    #[test]
    fn narrower_vectors_find_the_same() {
        fn found<S: Simd>(simd: S, matrix: &DMatrix<f64>) -> Vec<f64> {
            let (m, n) = matrix.shape();
            let mut batch = Batch::new([m, n]);
            batch.gather(matrix.as_slice(), &mut [0.0; LANES]);
            let Batch { entries, scratch, diagonal, above, .. } = &mut batch;
            Bidiagonalise { shape: [m, n], entries, scratch, diagonal, above, half: 0 }.with_simd(simd);
            Diagonalise { size: n, diagonal, above }.with_simd(simd);
            let mut values: Vec<f64> = diagonal.iter().step_by(SWEPT).map(|d| d.abs()).collect();
            values.sort_by(|a, b| b.total_cmp(a));
            values
        }
        let matrix = numbers(13, 9, 4);
        let exact: Vec<f64> = faers(&matrix).iter().map(|s| s * scale(matrix.as_slice())).collect();
        near(&found(pulp::Scalar::new(), &matrix), &exact, "single numbers");
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            near(&found(simd, &matrix), &exact, "four numbers");
        }
    }

    #[test]
    fn what_is_not_finite_has_no_values() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (m, n) in [(3, 3), (150, 150)] {
                let mut matrix = numbers(m, n, 1);
                matrix[(m - 1, 1)] = bad;
                assert!(values(&[matrix])[0].iter().all(|s| s.is_nan()));
            }
        }
        singular_values_into(&[], [0, 3], &mut []);
    }
}
