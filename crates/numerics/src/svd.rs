//! Thin singular value decomposition, with small relative errors also in small singular values.

use crate::{DMatrix, Mat};

/// Up to this many rows (or columns) one-sided Jacobi is used; above it, faer.
///
/// Jacobi after a pivoted QR keeps the relative accuracy of every singular value of a design whose
/// columns have very different sizes (monomials, x^k/√k!), where a bidiagonalisation loses
/// eps·condition. It is also the faster of the two at ten points.
const JACOBI_LIMIT: usize = 48;

/// Φ = U diag(s) Vᵀ with the null directions left out.
///
/// Shapes: Φ n×p; U n×rank, s rank (descending, positive), V p×rank. The largest component of each
/// column of V is positive. Singular values at or below `rank_tolerance`·s₁ count as zero.
/// Errors: about eps·cond in U and V; relative in s when Φ is a well-conditioned matrix with scaled
/// columns. Cost O(max(n,p)·min(n,p)²). Cites Drmač and Veselić 2008.
#[derive(Clone, Debug)]
pub struct ThinSvd {
    /// Left singular vectors, n × rank.
    pub u: DMatrix<f64>,
    /// Singular values, descending.
    pub s: Vec<f64>,
    /// Right singular vectors, p × rank.
    pub v: DMatrix<f64>,
    /// All min(n, p) singular values, the ones counted as zero included.
    pub all: Vec<f64>,
}

impl ThinSvd {
    /// Decomposes `phi`; the rank tolerance is max(n, p)·eps.
    pub fn new(phi: Mat<'_>) -> Self {
        let tolerance = phi.nrows().max(phi.ncols()) as f64 * f64::EPSILON;
        Self::with_tolerance(phi, tolerance)
    }

    /// Decomposes `phi` with singular values up to `rank_tolerance`·s₁ counted as zero.
    pub fn with_tolerance(phi: Mat<'_>, rank_tolerance: f64) -> Self {
        let (n, p) = phi.shape();
        let (u, s, v) = if n.min(p) == 0 {
            (DMatrix::zeros(n, 0), Vec::new(), DMatrix::zeros(p, 0))
        } else if n.min(p) > JACOBI_LIMIT {
            blocked(phi)
        } else if n <= p {
            let (left, s, right) = jacobi_tall(&phi.transpose());
            (right, s, left)
        } else {
            jacobi_tall(&phi.into_owned())
        };
        let largest = s.first().copied().unwrap_or(0.0);
        let rank = s.iter().take_while(|&&value| value > rank_tolerance * largest && value > 0.0).count();
        let mut svd = Self { u: first_columns(u, rank), s: s[..rank].to_vec(), v: first_columns(v, rank), all: s };
        svd.fix_signs();
        svd
    }

    /// The number of singular values that count.
    pub fn rank(&self) -> usize {
        self.s.len()
    }

    /// s₁ / s_rank; 1 for an empty matrix.
    pub fn condition(&self) -> f64 {
        match (self.s.first(), self.s.last()) {
            (Some(first), Some(last)) => first / last,
            _ => 1.0,
        }
    }

    /// Σ g(sᵢ)·(uᵢ·y/sᵢ) vᵢ: with g = 1 the least-squares solution of least norm, Φ⁺y.
    ///
    /// # Panics
    /// If `y` does not have one entry per row of Φ.
    pub fn filtered_solution(&self, y: &[f64], filter: impl Fn(f64) -> f64) -> Vec<f64> {
        assert_eq!(y.len(), self.u.nrows(), "one value per row");
        let mut theta = vec![0.0; self.v.nrows()];
        for (i, &s) in self.s.iter().enumerate() {
            let c: f64 = self.u.column(i).iter().zip(y).map(|(u, y)| u * y).sum();
            let strength = filter(s) * c / s;
            for (t, v) in theta.iter_mut().zip(self.v.column(i).iter()) {
                *t += strength * v;
            }
        }
        theta
    }

    fn fix_signs(&mut self) {
        for i in 0..self.s.len() {
            let column = self.v.column(i);
            // The first of equal magnitudes: a strict comparison keeps the choice stable.
            let mut largest = 0.0_f64;
            for &value in column.iter() {
                if value.abs() > largest.abs() * (1.0 + 1e-9) {
                    largest = value;
                }
            }
            if largest < 0.0 {
                self.v.column_mut(i).neg_mut();
                self.u.column_mut(i).neg_mut();
            }
        }
    }
}

/// SVD of a tall matrix (rows ≥ columns): pivoted QR, then one-sided Jacobi on Rᵀ.
fn jacobi_tall(a: &DMatrix<f64>) -> (DMatrix<f64>, Vec<f64>, DMatrix<f64>) {
    let n = a.ncols();
    let qr = nalgebra::linalg::ColPivQR::new(a.clone());
    let (q, r) = (qr.q(), qr.r());
    // A P = Q R, and Rᵀ J = X diag(s) with J orthogonal: A = Q J diag(s) (P X)ᵀ.
    let mut g = r.transpose();
    let mut j = DMatrix::<f64>::identity(n, n);
    one_sided_jacobi(&mut g, &mut j);
    let mut order: Vec<(f64, usize)> = (0..n).map(|i| (g.column(i).norm(), i)).collect();
    order.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
    let s: Vec<f64> = order.iter().map(|o| o.0).collect();
    let j = DMatrix::from_fn(n, n, |row, column| j[(row, order[column].1)]);
    let mut x = DMatrix::from_fn(n, n, |row, column| {
        let (norm, from) = order[column];
        if norm > 0.0 { g[(row, from)] / norm } else { 0.0 }
    });
    qr.p().inv_permute_rows(&mut x);
    (q * j, s, x)
}

/// Rotates pairs of columns of `g` until all are orthogonal to eps; `j` collects the rotations.
fn one_sided_jacobi(g: &mut DMatrix<f64>, j: &mut DMatrix<f64>) {
    let n = g.ncols();
    for _sweep in 0..60 {
        let mut rotated = false;
        for a in 0..n {
            for b in a + 1..n {
                let (alpha, beta, gamma) =
                    (g.column(a).norm_squared(), g.column(b).norm_squared(), g.column(a).dot(&g.column(b)));
                if gamma.abs() <= f64::EPSILON * (alpha * beta).sqrt() || gamma.abs() < f64::MIN_POSITIVE {
                    continue;
                }
                rotated = true;
                let zeta = (beta - alpha) / (2.0 * gamma);
                // |ζ| beyond 1e150 squares to infinity, and t is then 0 as it should be.
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cosine = 1.0 / (1.0 + t * t).sqrt();
                let sine = cosine * t;
                rotate(g, a, b, cosine, sine);
                rotate(j, a, b, cosine, sine);
            }
        }
        if !rotated {
            break;
        }
    }
}

fn rotate(m: &mut DMatrix<f64>, a: usize, b: usize, cosine: f64, sine: f64) {
    for row in 0..m.nrows() {
        let (x, y) = (m[(row, a)], m[(row, b)]);
        m[(row, a)] = cosine * x - sine * y;
        m[(row, b)] = sine * x + cosine * y;
    }
}

/// The first columns; at full rank the matrix itself, uncopied.
fn first_columns(m: DMatrix<f64>, rank: usize) -> DMatrix<f64> {
    if m.ncols() == rank { m } else { m.columns(0, rank).into_owned() }
}

fn blocked(phi: Mat<'_>) -> (DMatrix<f64>, Vec<f64>, DMatrix<f64>) {
    let (n, p) = phi.shape();
    let owned = phi.into_owned();
    let view = faer::MatRef::from_column_major_slice(owned.as_slice(), n, p);
    let svd = view.thin_svd().expect("a finite matrix has a singular value decomposition");
    let r = n.min(p);
    let (u, s, v) = (svd.U(), svd.S().column_vector(), svd.V());
    (columns_of(u, r), (0..r).map(|k| s[k]).collect(), columns_of(v, r))
}

/// The first columns of faer's matrix, whose columns have gaps between them.
fn columns_of(m: faer::MatRef<'_, f64>, count: usize) -> DMatrix<f64> {
    let mut entries = Vec::with_capacity(m.nrows() * count);
    for k in 0..count {
        let column = m.col(k).try_as_col_major().expect("faer stores columns");
        entries.extend_from_slice(column.as_slice());
    }
    DMatrix::from_vec(m.nrows(), count, entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &DMatrix<f64>, tolerance: f64) {
        let svd = ThinSvd::new(a.as_view());
        let r = svd.rank();
        let rebuilt =
            &svd.u * DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(&svd.s)) * svd.v.transpose();
        assert!((rebuilt - a).norm() <= tolerance * a.norm());
        assert!((svd.u.transpose() * &svd.u - DMatrix::identity(r, r)).norm() < tolerance);
        assert!((svd.v.transpose() * &svd.v - DMatrix::identity(r, r)).norm() < tolerance);
        assert!(svd.s.windows(2).all(|w| w[0] >= w[1]));
    }

    #[test]
    fn rebuilds_wide_tall_and_large() {
        for (n, p) in [(10, 51), (51, 10), (7, 7), (1, 5), (5, 1), (60, 90), (90, 60)] {
            check(&DMatrix::from_fn(n, p, |i, j| ((i * 7 + j * 13) as f64 * 0.37).sin() + f64::from(i == j)), 1e-12);
        }
    }

    #[test]
    fn jacobi_and_faer_agree() {
        let a = DMatrix::from_fn(20, 33, |i, j| ((i * 5 + j * 3) as f64).cos() / (1.0 + j as f64));
        let ours = ThinSvd::new(a.as_view()).all;
        let theirs = blocked(a.as_view()).1;
        for (x, y) in ours.iter().zip(&theirs) {
            assert!((x - y).abs() < 1e-14 * theirs[0]);
        }
    }

    #[test]
    fn graded_columns_keep_relative_accuracy() {
        // diag(1, 1e-8, 1e-16) after a rotation of the rows: singular values are known exactly.
        let (c, s) = (0.6, 0.8);
        let q = DMatrix::from_row_slice(3, 3, &[c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0]);
        let a = q * DMatrix::from_diagonal(&nalgebra::DVector::from_vec(vec![1.0, 1e-8, 1e-16]));
        let svd = ThinSvd::with_tolerance(a.as_view(), 0.0);
        for (got, exact) in svd.s.iter().zip([1.0, 1e-8, 1e-16]) {
            assert!((got / exact - 1.0).abs() < 1e-14, "{got} {exact}");
        }
    }

    #[test]
    fn rank_deficiency_is_seen() {
        let a =
            DMatrix::from_fn(5, 8, |i, j| if i == 4 { (j as f64).sin() } else { ((i + 1) as f64 * j as f64).sin() });
        assert_eq!(ThinSvd::new(a.as_view()).rank(), 4);
        assert_eq!(ThinSvd::new(DMatrix::zeros(3, 4).as_view()).rank(), 0);
    }
}
