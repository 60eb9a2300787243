//! The least rough function in the span of the features that goes through given points.

use crate::family::Family;
use taut_numerics::{DMatrix, DVector, Mat, ThinSvd, product_into};
use taut_problem::{Expansion, FeatureMap, Series};

/// A residual of the constraints beyond this share of |y| means that no interpolant exists.
const CONSISTENT: f64 = 1e-9;
/// Directions of the constraints below this share of the largest count as dependent.
const DEPENDENT: f64 = 1e-13;

/// The span in canonical coefficients: members that do not bend, and the inverse root of the
/// roughness of those that do.
#[derive(Clone, Debug)]
pub(crate) struct BendingSpan {
    /// Members that bend start here; those before, from `first` on, do not.
    straight: usize,
    /// 1 where the constant is missing from the features.
    first: usize,
    /// Where the constant is missing: member k always comes with this multiple of the constant.
    company: Vec<f64>,
    /// R⁻¹, row-major, square with columns filled up to sixteens, for ∫f″² = |R h|².
    inverse_root: Vec<f64>,
}

impl BendingSpan {
    /// `None` for spans other than a whole family, or one without a constant feature.
    pub(crate) fn new(family: &Family, features: &dyn FeatureMap, expansion: &Expansion) -> Option<Self> {
        let (m, p) = (family.len(), expansion.features());
        let company = match m - p {
            0 => vec![0.0; m],
            1 => company_of_missing_constant(family, features, expansion)?,
            _ => return None,
        };
        let straight = if matches!(family.series, Series::Legendre { .. }) { 2.min(m) } else { 1 };
        let bent = m - straight;
        let root = family.series.bending_root();
        // Upper triangular: the first `straight` columns and the last rows are zero for Legendre,
        // diagonal (hence zero in the first row and column) for the others.
        let from = if matches!(family.series, Series::Legendre { .. }) { 0 } else { straight };
        let root = root.view((from, straight), (bent, bent)).into_owned();
        let inverse = root.solve_upper_triangular(&DMatrix::identity(bent, bent))?;
        let wide = bent.next_multiple_of(16);
        let mut inverse_root = vec![0.0; bent * wide];
        for i in 0..bent {
            for j in 0..bent {
                inverse_root[i * wide + j] = inverse[(i, j)];
            }
        }
        Some(Self { straight, first: m - p, company, inverse_root })
    }

    /// min ∫f″² subject to f(xᵢ) = yᵢ, or `None` if no f in the span does that.
    ///
    /// With f = straight part + bent part h and g = R h, it is min |g|² subject to P a + Ψ g = y:
    /// an orthogonal basis of P's complement removes a, and the rest is a minimum-norm problem,
    /// solved through a QR of Ψᵀ (its condition is that of the data, not of the derivatives).
    pub(crate) fn least_energy(&self, family: &Family, x: &[f64], y: &[f64]) -> Option<f64> {
        let (x, y) = distinct(x, y)?;
        let (n, m) = (x.len(), family.len());
        let mut values = family.table(&x);
        for k in self.first..m {
            for value in &mut values[k * n..(k + 1) * n] {
                *value += self.company[k];
            }
        }
        let at = |k: usize, i: usize| values[k * n + i];
        let mut right = DMatrix::zeros(n, m - self.straight + 1);
        self.bent_into(&values, n, &mut right);
        right.column_mut(m - self.straight).copy_from_slice(&y);
        let columns = self.straight.saturating_sub(self.first);
        let straight = DMatrix::from_fn(n, columns, |i, j| at(self.first + j, i));
        let removed = remove_straight(straight, &mut right);
        let bent = right.ncols() - 1;
        let psi = right.view((removed, 0), (n - removed, bent));
        let rest = right.view((removed, bent), (n - removed, 1)).into_owned();
        let size = y.iter().map(|y| y * y).sum::<f64>().sqrt();
        min_norm_squared(psi.into_owned(), rest.column(0).into_owned(), size)
    }

    /// Ψ = (bent members at the points)·R⁻¹ into the leading columns of `out`.
    fn bent_into(&self, values: &[f64], n: usize, out: &mut DMatrix<f64>) {
        let bent = values.len() / n - self.straight;
        let wide = bent.next_multiple_of(16);
        let mut rows = vec![0.0; n * bent];
        for i in 0..n {
            for k in 0..bent {
                rows[i * bent + k] = values[(k + self.straight) * n + i];
            }
        }
        let mut psi = vec![0.0; n * wide];
        product_into(&rows, &self.inverse_root, &mut psi, bent, wide);
        for i in 0..n {
            for k in 0..bent {
                out[(i, k)] = psi[i * wide + k];
            }
        }
    }
}

/// Turns `right` into the basis of a QR of the straight members and says how many leading rows
/// their coefficients can satisfy.
fn remove_straight(straight: DMatrix<f64>, right: &mut DMatrix<f64>) -> usize {
    if straight.ncols() == 0 {
        return 0;
    }
    let size = straight.norm();
    let qr = straight.qr();
    qr.q_tr_mul(right);
    let r = qr.unpack_r();
    (0..r.nrows()).take_while(|&i| r[(i, i)].abs() > DEPENDENT * size).count()
}

/// min |g|² subject to A g = b; `None` if A g = b has no solution (to a share of `size`).
fn min_norm_squared(a: DMatrix<f64>, b: DVector<f64>, size: f64) -> Option<f64> {
    let rows = a.nrows();
    if rows == 0 {
        return Some(0.0);
    }
    if rows <= a.ncols() {
        let r = a.transpose().qr().unpack_r();
        let diagonal = || (0..rows).map(|i| r[(i, i)].abs());
        let largest = diagonal().fold(0.0, f64::max);
        if diagonal().all(|d| d > DEPENDENT * largest)
            && let Some(z) = r.tr_solve_upper_triangular(&b)
        {
            return Some(z.norm_squared());
        }
    }
    let svd = ThinSvd::with_tolerance(Mat::from_slice(a.as_slice(), rows, a.ncols()), DEPENDENT);
    let along = svd.u.transpose() * &b;
    let left = (&b - &svd.u * &along).norm();
    if left > CONSISTENT * size {
        return None;
    }
    Some(along.iter().zip(&svd.s).map(|(b, s)| (b / s).powi(2)).sum())
}

/// Points by ascending x, each once; `None` if one x has two values.
fn distinct(x: &[f64], y: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut pairs: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = y.iter().fold(0.0_f64, |size, y| size.max(y.abs()));
    let mut out: (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (x, y) in pairs {
        match (out.0.last(), out.1.last()) {
            (Some(last), Some(value)) if x <= *last => {
                if (y - value).abs() > CONSISTENT * size {
                    return None;
                }
            }
            _ => {
                out.0.push(x);
                out.1.push(y);
            }
        }
    }
    Some(out)
}

/// Without a constant feature the constant coefficient follows from the others: c₀ = Σ wₖ cₖ.
///
/// Where all features vanish at one point (powers of x or of (x+1)/2) so do all functions, and
/// wₖ = −pₖ there, which no elimination in the ill-conditioned expansion would find.
fn company_of_missing_constant(family: &Family, features: &dyn FeatureMap, expansion: &Expansion) -> Option<Vec<f64>> {
    let (m, p) = (family.len(), expansion.features());
    let e = expansion.matrix();
    if e.column(0).amax() <= 0.0 {
        return Some(vec![0.0; m]);
    }
    for x in [0.0, -1.0, 1.0] {
        let mut row = DMatrix::zeros(1, p);
        features.design_into(Mat::from_slice(&[x], 1, 1), 0, row.as_view_mut());
        if row.amax() <= 0.0 {
            let at = family.table(&[x]);
            return Some(at.iter().map(|p| -p).collect());
        }
    }
    let w = e.columns(1, m - 1).into_owned().lu().solve(&e.column(0))?;
    Some(std::iter::once(0.0).chain(w.iter().copied()).collect())
}
