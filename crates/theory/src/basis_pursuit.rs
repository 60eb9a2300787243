//! The interpolant of least ‖β‖₁, by the simplex method, with its dual certificate.

use nalgebra::linalg::ColPivQR;
use nalgebra::{DMatrix, DVector};

/// argmin ‖β‖₁ subject to Xβ = y, and ν with ‖Xᵀν‖∞ ≤ 1, y·ν = ‖β‖₁.
#[derive(Clone, Debug)]
pub(crate) struct BasisPursuit {
    pub(crate) beta: DVector<f64>,
    pub(crate) nu: DVector<f64>,
}

/// n columns of X with signs, and the inverse of their matrix: β ≥ 0 along them.
struct Basis<'a> {
    x: &'a DMatrix<f64>,
    columns: Vec<usize>,
    signs: Vec<f64>,
    inverse: DMatrix<f64>,
}

/// Relative size of what is added to y, so that no two columns leave at once; undone at the end.
const PERTURBATIONS: [f64; 3] = [1e-7, 1e-11, 0.0];
/// How far |x·ν| may exceed 1.
const TOLERANCE: f64 = 1e-10;
/// Exchanges between two fresh inverses.
const FRESH: usize = 40;

impl BasisPursuit {
    /// `None` if the rows of X are not independent, or too many exchanges are needed.
    pub(crate) fn of(x: &DMatrix<f64>, y: &DVector<f64>) -> Option<Self> {
        let n = x.nrows();
        let mut basis = Basis::start(x)?;
        for size in PERTURBATIONS {
            let shift = DVector::from_fn(n, |i, _| (1.0 + i as f64 * 2.399).sin() * size * y.norm());
            // What is zero but for rounding keeps the sign that the last perturbation gave it.
            basis.optimise(&(y + shift), if size > 0.0 { 0.0 } else { 1e-12 })?;
        }
        let along = basis.inverse()? * y;
        let mut beta = DVector::zeros(x.ncols());
        basis.columns.iter().zip(along.iter()).for_each(|(column, value)| beta[*column] = *value);
        let nu = basis.inverse.tr_mul(&DVector::from_column_slice(&basis.signs));
        Some(Self { beta, nu })
    }

    /// ‖β‖₁.
    pub(crate) fn norm(&self) -> f64 {
        self.beta.lp_norm(1)
    }

    /// γ* = min over all certificates ν of the largest |x_j·ν| off the support of β.
    ///
    /// With a full support there is one ν. Otherwise certificates are ν₀ + Nμ with N across the columns of the
    /// support, and min_μ ‖X_offᵀ(ν₀ + Nμ)‖∞ is the dual of max ν₀ᵀX_off·b over ‖b‖₁ = 1, NᵀX_off b = 0.
    pub(crate) fn margin(&self, x: &DMatrix<f64>) -> Option<f64> {
        let n = x.nrows();
        let floor = 1e-9 * self.beta.amax();
        let (on, off): (Vec<usize>, Vec<usize>) = (0..x.ncols()).partition(|&j| self.beta[j].abs() > floor);
        let outside = x.select_columns(&off);
        if on.len() >= n {
            return Some(outside.tr_mul(&self.nu).amax());
        }
        let qr = x.select_columns(&on).qr();
        let (q, r) = (qr.q(), qr.r());
        let signs = DVector::from_fn(on.len(), |i, _| self.beta[on[i]].signum());
        let shortest = &q * r.transpose().solve_lower_triangular(&signs)?;
        let across = ColPivQR::new(DMatrix::identity(n, n) - &q * q.transpose()).q();
        let across = across.columns(0, n - on.len());
        let mut rows = DMatrix::zeros(1 + n - on.len(), off.len());
        rows.set_row(0, &outside.tr_mul(&shortest).transpose());
        rows.rows_mut(1, n - on.len()).copy_from(&(across.transpose() * &outside));
        let mut first = DVector::zeros(rows.nrows());
        first[0] = 1.0;
        Some(1.0 / Self::of(&rows, &first)?.norm())
    }
}

impl<'a> Basis<'a> {
    /// The most independent columns, by a pivoted QR.
    fn start(x: &'a DMatrix<f64>) -> Option<Self> {
        let n = x.nrows();
        if x.ncols() < n {
            return None;
        }
        let qr = ColPivQR::new(x.clone());
        let r = qr.r();
        let mut order = DMatrix::from_fn(1, x.ncols(), |_, j| j as f64);
        qr.p().permute_columns(&mut order);
        let dependent = r[(n - 1, n - 1)].abs() <= 1e-12 * r[(0, 0)].abs();
        let columns: Vec<usize> = order.iter().take(n).map(|j| *j as usize).collect();
        let mut basis = Self { x, columns, signs: vec![1.0; n], inverse: DMatrix::zeros(n, n) };
        basis.inverse = basis.inverse()?;
        (!dependent).then_some(basis)
    }

    /// Of the columns without their signs.
    fn inverse(&self) -> Option<DMatrix<f64>> {
        self.x.select_columns(&self.columns).try_inverse()
    }

    /// Signs that make these coordinates positive, those left out that are below `floor` of the largest.
    fn turn(&mut self, along: &DVector<f64>, floor: f64) {
        let floor = floor * along.amax();
        let seen = self.signs.iter_mut().zip(along.iter()).filter(|(_, value)| value.abs() > floor);
        seen.for_each(|(sign, value)| *sign = 1f64.copysign(*value));
    }

    /// Exchanges columns until no other would shorten β.
    fn optimise(&mut self, y: &DVector<f64>, floor: f64) -> Option<()> {
        let n = self.columns.len();
        self.inverse = self.inverse()?;
        for exchange in 0..50 * n + 1000 {
            if exchange % FRESH == FRESH - 1 {
                self.inverse = self.inverse()?;
            }
            let along = &self.inverse * y;
            self.turn(&along, floor);
            let nu = self.inverse.tr_mul(&DVector::from_column_slice(&self.signs));
            let slopes = self.x.tr_mul(&nu);
            let (entering, steepest) = largest(&slopes);
            if steepest.abs() <= 1.0 + TOLERANCE {
                return Some(());
            }
            let change = &self.inverse * self.x.column(entering) * steepest.signum();
            let ratio = |i: usize| along[i] / change[i];
            let leaving =
                (0..n).filter(|&i| change[i] * self.signs[i] > 1e-11).min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)))?;
            self.exchange(leaving, entering, &(change * steepest.signum()));
        }
        None
    }

    /// Puts a column in the place of another; `along` are its coordinates.
    fn exchange(&mut self, place: usize, column: usize, along: &DVector<f64>) {
        let row = self.inverse.row(place) / along[place];
        let mut rest = along.clone();
        rest[place] = 0.0;
        self.inverse -= rest * &row;
        self.inverse.set_row(place, &row);
        self.columns[place] = column;
    }
}

/// The entry of largest absolute value, and its place.
fn largest(values: &DVector<f64>) -> (usize, f64) {
    let place = (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
    place.map_or((0, 0.0), |place| (place, values[place]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::{normal, stream};

    fn gaussian(n: usize, d: usize, replicate: u64) -> DMatrix<f64> {
        let mut draws = stream(3, "basis pursuit", replicate);
        DMatrix::from_fn(n, d, |_, _| normal(&mut draws))
    }

    #[test]
    fn solutions_carry_their_certificates() {
        for (n, d, sparsity) in [(5, 12, 12), (20, 50, 3), (40, 100, 5), (60, 400, 400)] {
            let x = gaussian(n, d, n as u64);
            let truth = DVector::from_fn(d, |i, _| if i < sparsity { 1.0 + i as f64 } else { 0.0 });
            let y = &x * &truth;
            let found = BasisPursuit::of(&x, &y).unwrap();
            assert!((&x * &found.beta - &y).norm() < 1e-10 * y.norm());
            // Dual feasible with no gap: both are optimal.
            assert!(x.tr_mul(&found.nu).amax() < 1.0 + 1e-9);
            assert!((y.dot(&found.nu) / found.norm() - 1.0).abs() < 1e-9);
            if sparsity < n {
                assert!((&found.beta - &truth).norm() < 1e-9 * truth.norm(), "a sparse vector is recovered");
            }
        }
    }

    #[test]
    fn the_margin_of_a_sparse_solution_is_the_least_of_all_certificates() {
        let x = gaussian(6, 9, 1);
        let mut truth = DVector::zeros(9);
        (truth[0], truth[1]) = (2.0, -1.0);
        let found = BasisPursuit::of(&x, &(&x * &truth)).unwrap();
        assert!((&found.beta - &truth).norm() < 1e-10);
        let margin = found.margin(&x).unwrap();
        // Random certificates near the best are not better.
        let on = x.columns(0, 2).clone_owned();
        let projector = DMatrix::identity(6, 6) - &on * (on.transpose() * &on).try_inverse().unwrap() * on.transpose();
        let largest = |nu: &DVector<f64>| x.columns(2, 7).tr_mul(nu).amax();
        let mut best = on.clone() * (on.transpose() * &on).try_inverse().unwrap() * DVector::from_vec(vec![1.0, -1.0]);
        let mut draws = stream(4, "certificates", 0);
        let mut reach = 0.3;
        for trial in 0..200_000 {
            let other = &best + &projector * DVector::from_fn(6, |_, _| reach * normal(&mut draws));
            if largest(&other) < largest(&best) {
                best = other;
            }
            if trial % 10_000 == 0 {
                reach *= 0.5;
            }
        }
        // A random search in four dimensions ends a little above.
        assert!(margin <= largest(&best) + 1e-9 && margin > largest(&best) * 0.995, "{margin} {}", largest(&best));
    }
}
