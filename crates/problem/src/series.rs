//! The orthonormal families in which every curve is measured, and how features expand in them.
//!
//! "Orthonormal" is for the mean over the domain: ½∫₋₁¹ pᵢ pⱼ = δᵢⱼ. In these coefficients the mean
//! square of a function is a plain sum of squares, also where the features themselves are nearly
//! dependent.

use std::f64::consts::{PI, SQRT_2};
use taut_numerics::{DMatrix, cos_pi, sin_pi};

/// A family of functions on \[-1, 1\], orthonormal for the mean over the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// √(2k+1)·Pₖ for k = 0 … degree.
    Legendre {
        /// The highest degree.
        degree: usize,
    },
    /// 1, √2 cos πx, √2 sin πx, √2 cos 2πx, … up to `harmonics`; period 2.
    Fourier {
        /// The highest harmonic.
        harmonics: usize,
    },
    /// 1, √2 cos(kπ(x+1)/2) for k = 1 … `harmonics`.
    Cosine {
        /// The highest harmonic.
        harmonics: usize,
    },
}

impl Series {
    /// The number of functions m.
    pub fn len(self) -> usize {
        match self {
            Self::Legendre { degree } => degree + 1,
            Self::Fourier { harmonics } => 2 * harmonics + 1,
            Self::Cosine { harmonics } => harmonics + 1,
        }
    }

    /// Never: each family starts with the constant.
    pub fn is_empty(self) -> bool {
        false
    }

    /// Degree or harmonic of function `k`; for Fourier both members of a pair have the same one.
    pub fn frequency(self, k: usize) -> usize {
        match self {
            Self::Legendre { .. } | Self::Cosine { .. } => k,
            Self::Fourier { .. } => k.div_ceil(2),
        }
    }

    /// Whether function `k` is even (p(−x) = p(x)); each member of each family is even or odd.
    pub fn is_even(self, k: usize) -> bool {
        match self {
            Self::Legendre { .. } | Self::Cosine { .. } => k.is_multiple_of(2),
            Self::Fourier { .. } => k == 0 || k % 2 == 1,
        }
    }

    /// The `order`-th derivatives (0 to 3) at the points `x`, row-major, len × points.
    pub fn table(self, x: &[f64], order: u8) -> Vec<f64> {
        let mut out = vec![0.0; self.len() * x.len()];
        let mut column = vec![0.0; self.len()];
        for (j, &point) in x.iter().enumerate() {
            self.values_into(point, order, &mut column);
            for (k, value) in column.iter().enumerate() {
                out[k * x.len() + j] = *value;
            }
        }
        out
    }

    /// The `order`-th derivatives of all functions at one point.
    ///
    /// # Panics
    /// If `out` does not have [`Series::len`] entries, or `order` is above 3.
    pub fn values_into(self, x: f64, order: u8, out: &mut [f64]) {
        assert_eq!(out.len(), self.len(), "one entry per function");
        assert!(order <= 3, "derivatives up to the third");
        match self {
            Self::Legendre { .. } => legendre_into(x, order, out),
            Self::Fourier { .. } => {
                out[0] = if order == 0 { 1.0 } else { 0.0 };
                for (k, value) in out.iter_mut().enumerate().skip(1) {
                    let j = k.div_ceil(2) as f64;
                    // d/dx turns cos into −sin, sin into cos, and brings a factor πj.
                    let quarter = u32::from(order) + if k % 2 == 1 { 0 } else { 3 };
                    *value = SQRT_2 * (PI * j).powi(i32::from(order)) * turned_cos(j * x, quarter);
                }
            }
            Self::Cosine { .. } => {
                out[0] = if order == 0 { 1.0 } else { 0.0 };
                for (k, value) in out.iter_mut().enumerate().skip(1) {
                    let k = k as f64;
                    *value = SQRT_2
                        * (PI * k / 2.0).powi(i32::from(order))
                        * turned_cos(k * (x + 1.0) / 2.0, u32::from(order));
                }
            }
        }
    }

    /// ∫₋₁¹ (f⁽ᵒʳᵈᵉʳ⁾)² for f = Σ cₖ pₖ, order 0 to 3.
    ///
    /// Legendre: the coefficients of the derivative by the downward recurrence
    /// c′ₖ = √(2k+1)·Σ_{j>k, j−k odd} √(2j+1) cⱼ, then 2 Σ c′². A sum of squares, so never negative.
    pub fn energy(self, c: &[f64], order: u8, scratch: &mut Vec<f64>) -> f64 {
        match self {
            Self::Legendre { .. } => {
                scratch.clear();
                scratch.extend_from_slice(c);
                for _ in 0..order {
                    differentiate_legendre(scratch);
                }
                2.0 * scratch.iter().map(|v| v * v).sum::<f64>()
            }
            Self::Fourier { .. } | Self::Cosine { .. } => {
                let unit = if matches!(self, Self::Fourier { .. }) { PI } else { PI / 2.0 };
                let mut sum = 0.0;
                for (k, v) in c.iter().enumerate() {
                    let frequency = unit * self.frequency(k) as f64;
                    sum += (frequency.powi(i32::from(order)) * v).powi(2);
                }
                2.0 * sum
            }
        }
    }

    /// A square root B of the roughness: ∫ (f″)² = |B c|², m rows at most, upper trapezoidal for
    /// Legendre (row k holds the coefficients of f″ on √2·pₖ) and diagonal for the others.
    pub fn bending_root(self) -> DMatrix<f64> {
        let m = self.len();
        let mut root = DMatrix::zeros(m, m);
        let mut column = vec![0.0; m];
        for j in 0..m {
            column.fill(0.0);
            column[j] = 1.0;
            match self {
                Self::Legendre { .. } => {
                    differentiate_legendre(&mut column);
                    differentiate_legendre(&mut column);
                }
                Self::Fourier { .. } | Self::Cosine { .. } => {
                    let unit = if matches!(self, Self::Fourier { .. }) { PI } else { PI / 2.0 };
                    column[j] = (unit * self.frequency(j) as f64).powi(2);
                }
            }
            for (k, value) in column.iter().enumerate() {
                root[(k, j)] = SQRT_2 * value;
            }
        }
        root
    }
}

/// cos(πt + quarter·π/2).
fn turned_cos(t: f64, quarter: u32) -> f64 {
    match quarter % 4 {
        0 => cos_pi(t),
        1 => -sin_pi(t),
        2 => -cos_pi(t),
        _ => sin_pi(t),
    }
}

fn legendre_into(x: f64, order: u8, out: &mut [f64]) {
    // p[d] holds P^(d) at degrees k − 1 and k; P^(d)_{k+1} = P^(d)_{k−1} + (2k+1) P^(d−1)_k.
    let mut before = [0.0_f64; 4];
    let mut here = [1.0, 0.0, 0.0, 0.0];
    let wanted = usize::from(order);
    for (k, value) in out.iter_mut().enumerate() {
        let factor = (2 * k + 1) as f64;
        *value = factor.sqrt() * here[wanted];
        let k = k as f64;
        let next = [
            (factor * x * here[0] - k * before[0]) / (k + 1.0),
            before[1] + factor * here[0],
            before[2] + factor * here[1],
            before[3] + factor * here[2],
        ];
        before = here;
        here = next;
    }
}

/// Replaces the orthonormal Legendre coefficients of f by those of f′.
fn differentiate_legendre(c: &mut [f64]) {
    let (mut same, mut other) = (0.0, 0.0); // Σ √(2j+1) cⱼ over j > k with j − k odd, even
    for k in (0..c.len()).rev() {
        let weight = ((2 * k + 1) as f64).sqrt();
        let own = weight * c[k];
        c[k] = weight * other;
        (same, other) = (other, same + own);
    }
}

/// Features written in an orthonormal family: φⱼ(x) = Σₖ E\[j,k\] pₖ(x).
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The family.
    pub series: Series,
    /// E, row-major, features × series length.
    pub coefficients: Vec<f64>,
}

impl Expansion {
    /// The number of features.
    pub fn features(&self) -> usize {
        self.coefficients.len() / self.series.len()
    }

    /// E as a matrix, features × series length.
    pub fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_row_slice(self.features(), self.series.len(), &self.coefficients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::GaussLegendre;

    const FAMILIES: [Series; 3] =
        [Series::Legendre { degree: 20 }, Series::Fourier { harmonics: 8 }, Series::Cosine { harmonics: 15 }];

    #[test]
    fn families_are_orthonormal_for_the_mean() {
        let rule = GaussLegendre::new(60);
        for series in FAMILIES {
            let m = series.len();
            let table = series.table(&rule.nodes, 0);
            for a in 0..m {
                for b in 0..m {
                    let mean: f64 =
                        (0..60).map(|i| 0.5 * rule.weights[i] * table[a * 60 + i] * table[b * 60 + i]).sum();
                    assert!((mean - f64::from(a == b)).abs() < 1e-13, "{series:?} {a} {b}");
                }
            }
        }
    }

    #[test]
    fn energies_match_quadrature_and_the_bending_root() {
        let rule = GaussLegendre::new(60);
        for series in FAMILIES {
            let c: Vec<f64> = (0..series.len()).map(|k| ((k * k) as f64).sin() / (1.0 + k as f64)).collect();
            for order in 0..=3 {
                let table = series.table(&rule.nodes, order);
                let by_quadrature: f64 = (0..60)
                    .map(|i| {
                        let f: f64 = (0..c.len()).map(|k| c[k] * table[k * 60 + i]).sum();
                        rule.weights[i] * f * f
                    })
                    .sum();
                let energy = series.energy(&c, order, &mut Vec::new());
                assert!((energy / by_quadrature - 1.0).abs() < 1e-11, "{series:?} {order}");
            }
            let bent = series.bending_root() * taut_numerics::DVector::from_column_slice(&c);
            assert!((bent.norm_squared() / series.energy(&c, 2, &mut Vec::new()) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn parity_is_as_stated() {
        for series in FAMILIES {
            let (at, mirrored) = (series.table(&[0.37], 0), series.table(&[-0.37], 0));
            for k in 0..series.len() {
                let sign = if series.is_even(k) { 1.0 } else { -1.0 };
                assert!((at[k] - sign * mirrored[k]).abs() < 1e-14, "{series:?} {k}");
            }
        }
    }
}
