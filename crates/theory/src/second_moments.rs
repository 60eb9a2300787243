//! The exact recursion of second moments under steps that see some rows only.

use crate::singular_modes::SingularModes;
use nalgebra::{DMatrix, DVector};
use taut_problem::Batch;

/// S ↦ E[(I − ηĤ) S (I − ηĤ)] = S − η𝓛S + η²𝓠S for S = E dd′ᵀ in the coordinates of V, with the Hessian Ĥ of the
/// rows of one batch: 𝓛S = ΛS + SΛ, and 𝓠S = E ĤSĤ = w·mean(xxᵀSxxᵀ) + (1 − w)ΛSΛ.
///
/// w = 1/b with replacement, (n − b)/(b(n − 1)) without, 0 if all rows are seen. Both maps are self-adjoint and keep
/// S positive semidefinite.
pub(crate) struct SecondMoments {
    /// Rows xᵢ in the coordinates of V, n × r.
    rows: DMatrix<f64>,
    /// λᵢ.
    pub(crate) curvatures: DVector<f64>,
    /// w.
    pub(crate) share: f64,
}

impl SecondMoments {
    /// The recursion for batches of these rows.
    pub(crate) fn new(modes: &SingularModes, batch: Option<Batch>) -> Self {
        let n = modes.u.nrows();
        let mut rows = modes.u.clone();
        for (mut column, s) in rows.column_iter_mut().zip(&modes.s) {
            column *= *s;
        }
        Self { rows, curvatures: DVector::from_vec(modes.curvatures()), share: share_of_single_rows(n, batch) }
    }

    /// 𝓠S.
    fn squares(&self, s: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out =
            s.map_with_location(|i, j, value| (1.0 - self.share) * self.curvatures[i] * self.curvatures[j] * value);
        if self.share > 0.0 {
            let weights = (&self.rows * s).component_mul(&self.rows).column_sum();
            out += self.weighted_rows(&weights) * self.share;
        }
        out
    }

    /// Mean of wᵢ xᵢxᵢᵀ.
    pub(crate) fn weighted_rows(&self, weights: &DVector<f64>) -> DMatrix<f64> {
        let mut weighted = self.rows.clone();
        for (mut row, weight) in weighted.row_iter_mut().zip(weights) {
            row *= *weight;
        }
        self.rows.tr_mul(&weighted) / self.rows.nrows() as f64
    }

    /// 𝓛S.
    fn drift(&self, s: &DMatrix<f64>) -> DMatrix<f64> {
        s.map_with_location(|i, j, value| (self.curvatures[i] + self.curvatures[j]) * value)
    }

    /// 𝓛⁻¹S: with S = ηN, the covariance of Lyapunov's equation ΛS + SΛ = ηN.
    pub(crate) fn lyapunov(&self, s: &DMatrix<f64>) -> DMatrix<f64> {
        s.map_with_location(|i, j, value| value / (self.curvatures[i] + self.curvatures[j]))
    }

    /// One step of the recursion.
    #[cfg(test)]
    pub(crate) fn step(&self, eta: f64, s: &DMatrix<f64>) -> DMatrix<f64> {
        s - self.drift(s) * eta + self.squares(s) * (eta * eta)
    }

    /// η beyond which second moments grow: 1/ρ(𝓛⁻¹𝓠).
    ///
    /// The recursion keeps positive matrices positive, so its spectral radius ρ is its largest eigenvalue, and ρ < 1
    /// exactly if −𝓛 + η𝓠 has negative eigenvalues only, which is η·ρ(𝓛⁻¹𝓠) < 1. Power iteration with Rayleigh
    /// quotients, whose error is the square of the vector's.
    pub(crate) fn critical_step_size(&self) -> f64 {
        if self.share <= 0.0 {
            return 2.0 / self.curvatures.max();
        }
        let r = self.curvatures.len();
        let mut s = DMatrix::identity(r, r);
        let mut largest = 0.0;
        for _ in 0..MOST_ITERATIONS {
            let (squares, drift) = (self.squares(&s), self.drift(&s));
            largest = s.dot(&squares) / s.dot(&drift);
            let next = self.lyapunov(&squares);
            let gap = (&next - &s * largest).norm() / next.norm();
            s = &next / next.norm();
            if gap < 1e-9 {
                break;
            }
        }
        1.0 / largest
    }

    /// S = E[(I − ηĤ)S(I − ηĤ)] + η²N by conjugate gradients on (𝓛 − η𝓠)S = ηN with 𝓛 as preconditioner.
    ///
    /// Below the critical step size 𝓛 − η𝓠 is positive definite. Relative error about eps/(1 − η/η_crit).
    pub(crate) fn stationary(&self, eta: f64, noise: &DMatrix<f64>) -> DMatrix<f64> {
        let mut residual = noise * eta;
        let mut s = DMatrix::zeros(noise.nrows(), noise.ncols());
        let mut preconditioned = self.lyapunov(&residual);
        let mut direction = preconditioned.clone();
        let mut size = residual.dot(&preconditioned);
        let enough = size * f64::EPSILON.powi(2);
        for _ in 0..MOST_ITERATIONS {
            if size <= enough {
                break;
            }
            let image = self.drift(&direction) - self.squares(&direction) * eta;
            let length = size / direction.dot(&image);
            s += &direction * length;
            residual -= image * length;
            preconditioned = self.lyapunov(&residual);
            let before = std::mem::replace(&mut size, residual.dot(&preconditioned));
            direction = &preconditioned + direction * (size / before);
        }
        s
    }
}

/// Far more than either iteration takes where eigenvalues are apart by a thousandth.
const MOST_ITERATIONS: usize = 20_000;

/// w: how much of E ĤSĤ comes from single rows.
fn share_of_single_rows(n: usize, batch: Option<Batch>) -> f64 {
    match batch {
        None => 0.0,
        Some(Batch { size, replacement: true }) => 1.0 / size as f64,
        Some(Batch { size, .. }) if size >= n => 0.0,
        Some(Batch { size, .. }) => (n - size) as f64 / (size as f64 * (n - 1) as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(n: usize, p: usize) -> (DMatrix<f64>, SingularModes) {
        let phi = DMatrix::from_fn(n, p, |i, j| ((i * 7 + j * 3) as f64 * 0.61).sin() + f64::from(i == j) * 0.5);
        let modes = SingularModes::of(&phi).unwrap();
        (phi, modes)
    }

    #[test]
    fn squares_are_the_mean_over_all_batches() {
        // All batches of two of four rows, written out: 16 ordered with replacement, 6 without.
        let (_, modes) = modes(4, 3);
        let s = DMatrix::from_fn(3, 3, |i, j| 1.0 / (1.0 + (i + j) as f64));
        for replacement in [true, false] {
            let moments = SecondMoments::new(&modes, Some(Batch { size: 2, replacement }));
            let (mut sum, mut count) = (DMatrix::zeros(3, 3), 0.0);
            for a in 0..4 {
                for b in 0..4 {
                    if a == b && !replacement {
                        continue;
                    }
                    let hessian = [a, b].map(|i| moments.rows.row(i).tr_mul(&moments.rows.row(i)));
                    let hessian = (&hessian[0] + &hessian[1]) * 0.5;
                    sum += &hessian * &s * &hessian;
                    count += 1.0;
                }
            }
            // Sums of a dozen terms of order one.
            assert!((sum / count - moments.squares(&s)).norm() < 1e-13, "{replacement}");
        }
    }

    #[test]
    fn second_moments_shrink_just_below_the_critical_step_and_grow_just_above() {
        let (_, modes) = modes(5, 12);
        for size in [1, 2, 4, 16] {
            let moments = SecondMoments::new(&modes, Some(Batch { size, replacement: true }));
            let critical = moments.critical_step_size();
            for (factor, grows) in [(1.0 - 1e-6, false), (1.0 + 1e-6, true)] {
                let mut s = DMatrix::identity(5, 5);
                let mut growth = 1.0;
                for _ in 0..20_000 {
                    let next = moments.step(factor * critical, &s);
                    growth = next.norm() / s.norm();
                    s = &next / next.norm();
                }
                assert_eq!(growth > 1.0, grows, "batch {size}: growth {growth} at {factor} of {critical}");
            }
        }
    }

    #[test]
    fn conjugate_gradients_agree_with_the_dense_equations() {
        let (_, modes) = modes(7, 4);
        let moments = SecondMoments::new(&modes, Some(Batch { size: 2, replacement: false }));
        let eta = 0.7 * moments.critical_step_size();
        let noise = moments.weighted_rows(&DVector::from_fn(7, |i, _| 1.0 + i as f64));
        let mut dense = DMatrix::zeros(16, 16);
        for k in 0..16 {
            let mut unit = DMatrix::zeros(4, 4);
            unit[k] = 1.0;
            let image = moments.drift(&unit) - moments.squares(&unit) * eta;
            dense.column_mut(k).copy_from_slice(image.as_slice());
        }
        let right = DVector::from_column_slice((&noise * eta).as_slice());
        let exact = dense.lu().solve(&right).unwrap();
        let got = moments.stationary(eta, &noise);
        // eps times the condition of 16 equations, about 10³.
        assert!((DVector::from_column_slice(got.as_slice()) - &exact).norm() < 1e-12 * exact.norm());
    }
}
