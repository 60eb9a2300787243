//! Polynomials up to a degree, in six bases.

use super::{FeatureMap, decay_factor};
use crate::{Degree, Expansion, NonNegative, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Mat, MatMut};

/// φₖ(x) for k = 0 … degree, divided by (1+k)^decay.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// The basis.
    pub basis: Basis,
    /// The highest degree.
    pub degree: Degree,
    /// Divide feature k by (1+k)^decay.
    #[serde(default)]
    pub decay: NonNegative,
    /// Whether the constant feature (k = 0) is there.
    #[serde(default = "yes")]
    pub constant: bool,
}

pub(super) fn yes() -> bool {
    true
}

/// Bases of the polynomials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// xᵏ
    Monomial,
    /// ((x+1)/2)ᵏ
    Monomial01,
    /// xᵏ/√k!
    MonomialFactorial,
    /// Tₖ
    Chebyshev,
    /// Pₖ
    Legendre,
    /// √(2k+1)·Pₖ, orthonormal for the mean over \[-1, 1\]
    LegendreOrthonormal,
}

impl Basis {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Monomial,
        Self::Monomial01,
        Self::MonomialFactorial,
        Self::Chebyshev,
        Self::Legendre,
        Self::LegendreOrthonormal,
    ];

    /// Values and first two derivatives of φ₀ … φ_degree at x, one column per order.
    fn values_into(self, x: f64, out: &mut [[f64; 3]]) {
        match self {
            Self::Monomial => powers(x, 1.0, out),
            Self::Monomial01 => powers((x + 1.0) / 2.0, 0.5, out),
            Self::MonomialFactorial => {
                powers(x, 1.0, out);
                let mut factor = 1.0;
                for (k, values) in out.iter_mut().enumerate().skip(1) {
                    factor /= (k as f64).sqrt();
                    *values = values.map(|v| v * factor);
                }
            }
            Self::Chebyshev => chebyshev(x, out),
            Self::Legendre => legendre(x, out),
            Self::LegendreOrthonormal => {
                legendre(x, out);
                for (k, values) in out.iter_mut().enumerate() {
                    let factor = ((2 * k + 1) as f64).sqrt();
                    *values = values.map(|v| v * factor);
                }
            }
        }
    }

    /// Orthonormal Legendre coefficients of φ₀ … φ_degree, row k for φₖ; zero above degree k.
    fn expansion(self, degree: usize) -> Vec<Vec<f64>> {
        let m = degree + 1;
        let mut rows = vec![vec![0.0; m]; m];
        rows[0][0] = 1.0;
        for k in 1..m {
            let row = match self {
                // Products with x or (x+1)/2 have no cancellation: every coefficient is positive.
                Self::Monomial => times_x(&rows[k - 1]),
                Self::MonomialFactorial => times_x(&rows[k - 1]).iter().map(|v| v / (k as f64).sqrt()).collect(),
                Self::Monomial01 => {
                    times_x(&rows[k - 1]).iter().zip(&rows[k - 1]).map(|(x, one)| 0.5 * (x + one)).collect()
                }
                Self::Chebyshev if k == 1 => times_x(&rows[0]),
                Self::Chebyshev => {
                    times_x(&rows[k - 1]).iter().zip(&rows[k - 2]).map(|(x, before)| 2.0 * x - before).collect()
                }
                Self::Legendre | Self::LegendreOrthonormal => {
                    let mut row = vec![0.0; m];
                    row[k] = if self == Self::Legendre { 1.0 / ((2 * k + 1) as f64).sqrt() } else { 1.0 };
                    row
                }
            };
            rows[k] = row;
        }
        rows
    }
}

/// x·f in orthonormal Legendre coefficients: x pⱼ = aⱼ₊₁ pⱼ₊₁ + aⱼ pⱼ₋₁ with aⱼ = j/√(4j²−1).
fn times_x(c: &[f64]) -> Vec<f64> {
    let a = |j: usize| j as f64 / ((4 * j * j - 1) as f64).sqrt();
    (0..c.len())
        .map(|j| {
            let below = if j > 0 { a(j) * c[j - 1] } else { 0.0 };
            let above = if j + 1 < c.len() { a(j + 1) * c[j + 1] } else { 0.0 };
            below + above
        })
        .collect()
}

/// uᵏ and its derivatives with respect to x, where du/dx = `slope`.
fn powers(u: f64, slope: f64, out: &mut [[f64; 3]]) {
    for k in 0..out.len() {
        let degree = k as f64;
        out[k][0] = if k == 0 { 1.0 } else { u * out[k - 1][0] };
        out[k][1] = if k == 0 { 0.0 } else { degree * slope * out[k - 1][0] };
        out[k][2] = if k < 2 { 0.0 } else { degree * (degree - 1.0) * slope * slope * out[k - 2][0] };
    }
}

fn chebyshev(x: f64, out: &mut [[f64; 3]]) {
    for k in 0..out.len() {
        out[k] = match k {
            0 => [1.0, 0.0, 0.0],
            1 => [x, 1.0, 0.0],
            _ => {
                let (one, two) = (out[k - 1], out[k - 2]);
                [
                    2.0 * x * one[0] - two[0],
                    2.0 * one[0] + 2.0 * x * one[1] - two[1],
                    4.0 * one[1] + 2.0 * x * one[2] - two[2],
                ]
            }
        };
    }
}

fn legendre(x: f64, out: &mut [[f64; 3]]) {
    for k in 0..out.len() {
        out[k] = match k {
            0 => [1.0, 0.0, 0.0],
            1 => [x, 1.0, 0.0],
            _ => {
                let (one, two) = (out[k - 1], out[k - 2]);
                let odd = (2 * k - 1) as f64;
                [
                    (odd * x * one[0] - (k as f64 - 1.0) * two[0]) / k as f64,
                    two[1] + odd * one[0],
                    two[2] + odd * one[1],
                ]
            }
        };
    }
}

impl Polynomial {
    fn first(&self) -> usize {
        usize::from(!self.constant)
    }
}

impl FeatureMap for Polynomial {
    fn features(&self) -> usize {
        self.degree.size() + 1 - self.first()
    }

    fn design_into(&self, x: Mat<'_>, order: u8, mut phi: MatMut<'_>) {
        let mut values = vec![[0.0; 3]; self.degree.size() + 1];
        for i in 0..x.nrows() {
            self.basis.values_into(x[(i, 0)], &mut values);
            for (column, k) in (self.first()..values.len()).enumerate() {
                phi[(i, column)] = values[k][usize::from(order)] * decay_factor(k, self.decay.get());
            }
        }
    }

    fn expansion(&self) -> Option<Expansion> {
        let degree = self.degree.size();
        let rows = self.basis.expansion(degree);
        let coefficients = (self.first()..=degree)
            .flat_map(|k| rows[k].iter().map(move |v| v * decay_factor(k, self.decay.get())))
            .collect();
        Some(Expansion { series: Series::Legendre { degree }, coefficients })
    }
}
