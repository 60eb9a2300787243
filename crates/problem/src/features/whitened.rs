//! Polynomials in which the parameter norm is the roughness.

use super::FeatureMap;
use crate::{Degree, Expansion, Positive, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, Mat, MatMut};

/// ψ = R⁻ᵀ p with RᵀR = W, the Gram of ∫f″² + ε∫f² in orthonormal Legendre polynomials p, so that
/// |θ|² = ∫f″² + ε∫f² for f = θ·ψ.
///
/// The path from zero depends on W alone, not on which square root of it is taken; R is upper
/// triangular, which keeps small roughnesses accurate although W spans ten decades.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoughnessWhitened {
    /// The highest degree.
    pub degree: Degree,
    /// ε: how much a unit of ∫f² counts beside a unit of ∫f″².
    pub epsilon: Positive,
}

/// The map with its triangular factor at hand.
#[derive(Clone, Debug)]
pub(super) struct Whitened {
    series: Series,
    /// Row-major, features × series: ψⱼ = Σₖ E\[j,k\] pₖ.
    expansion: Vec<f64>,
}

impl RoughnessWhitened {
    pub(super) fn build(&self) -> Whitened {
        let series = Series::Legendre { degree: self.degree.size() };
        let m = series.len();
        // QR of the stacked roots [B; √(2ε) I] gives R without ever forming W.
        let mut stacked = DMatrix::zeros(2 * m, m);
        stacked.rows_mut(0, m).copy_from(&series.bending_root());
        for k in 0..m {
            stacked[(m + k, k)] = (2.0 * self.epsilon.get()).sqrt();
        }
        let r = stacked.qr().r();
        // E = R⁻ᵀ: row j of E solves against the columns of R.
        let inverse = r
            .solve_upper_triangular(&DMatrix::identity(m, m))
            .expect("R has a positive diagonal because epsilon is above 0");
        let expansion = (0..m).flat_map(|j| (0..m).map(move |k| (j, k))).map(|(j, k)| inverse[(k, j)]).collect();
        Whitened { series, expansion }
    }
}

impl FeatureMap for Whitened {
    fn features(&self) -> usize {
        self.series.len()
    }

    fn design_into(&self, x: Mat<'_>, order: u8, mut phi: MatMut<'_>) {
        let m = self.series.len();
        let mut values = vec![0.0; m];
        for i in 0..x.nrows() {
            self.series.values_into(x[(i, 0)], order, &mut values);
            for j in 0..m {
                phi[(i, j)] = (0..m).map(|k| self.expansion[j * m + k] * values[k]).sum();
            }
        }
    }

    fn expansion(&self) -> Option<Expansion> {
        Some(Expansion { series: self.series, coefficients: self.expansion.clone() })
    }
}
