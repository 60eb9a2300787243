//! Singular modes of a design, by faer: not the trainer's decomposition.

use nalgebra::{DMatrix, DVector};

/// Φ = U diag(s) Vᵀ without its null directions.
///
/// Shapes: Φ n×p; U n×r, s r (descending), V p×r, the largest component of each column of V positive.
/// Singular values up to max(n, p)·eps·s₁ count as zero. By faer's bidiagonalisation: nalgebra's own loses ten
/// digits where singular values cluster, as those of a cosine design do.
#[derive(Clone, Debug)]
pub(crate) struct SingularModes {
    pub(crate) u: DMatrix<f64>,
    pub(crate) s: Vec<f64>,
    pub(crate) v: DMatrix<f64>,
}

impl SingularModes {
    /// The modes of a matrix; `None` if it is not finite.
    pub(crate) fn of(matrix: &DMatrix<f64>) -> Option<Self> {
        let (n, p) = matrix.shape();
        let svd = faer::MatRef::from_column_major_slice(matrix.as_slice(), n, p).thin_svd().ok()?;
        let (u, v) = (svd.U(), svd.V());
        let s: Vec<f64> = svd.S().column_vector().iter().copied().collect();
        let largest = s.iter().copied().fold(0.0, f64::max);
        let tolerance = n.max(p) as f64 * f64::EPSILON * largest;
        let mut order: Vec<usize> = (0..s.len()).filter(|&i| s[i] > tolerance).collect();
        order.sort_by(|a, b| s[*b].total_cmp(&s[*a]));
        let sign = |i: usize| {
            let turn = |m: f64, v: &f64| if v.abs() > m.abs() * (1.0 + 1e-9) { *v } else { m };
            if v.col(i).iter().fold(0.0, turn) < 0.0 { -1.0 } else { 1.0 }
        };
        Some(Self {
            u: DMatrix::from_fn(n, order.len(), |row, k| sign(order[k]) * u[(row, order[k])]),
            v: DMatrix::from_fn(p, order.len(), |row, k| sign(order[k]) * v[(row, order[k])]),
            s: order.iter().map(|&i| s[i]).collect(),
        })
    }

    /// r.
    pub(crate) fn rank(&self) -> usize {
        self.s.len()
    }

    /// λᵢ = sᵢ²/n, descending.
    pub(crate) fn curvatures(&self) -> Vec<f64> {
        let n = self.u.nrows() as f64;
        self.s.iter().map(|s| s * s / n).collect()
    }

    /// uᵢ·y/sᵢ: the coordinates of Φ⁺y on V.
    pub(crate) fn strengths(&self, y: &DVector<f64>) -> DVector<f64> {
        let mut c = self.u.tr_mul(y);
        c.iter_mut().zip(&self.s).for_each(|(c, s)| *c /= s);
        c
    }

    /// Φ⁺y.
    pub(crate) fn solve(&self, y: &DVector<f64>) -> DVector<f64> {
        &self.v * self.strengths(y)
    }
}
