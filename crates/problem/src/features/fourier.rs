//! Sines and cosines of period 2.

use super::{FeatureMap, decay_factor, polynomial::yes};
use crate::{Expansion, Harmonics, NonNegative, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Mat, MatMut};

/// 1, √2 cos πx, √2 sin πx, √2 cos 2πx, …, harmonic j divided by (1+j)^decay.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fourier {
    /// The highest harmonic.
    pub harmonics: Harmonics,
    /// Divide harmonic j by (1+j)^decay.
    #[serde(default)]
    pub decay: NonNegative,
    /// Whether the constant feature is there.
    #[serde(default = "yes")]
    pub constant: bool,
}

/// Writes the derivatives of a family's members from `first` on, scaled by their decay.
pub(super) fn series_design_into(
    series: Series,
    first: usize,
    decay: f64,
    x: Mat<'_>,
    order: u8,
    phi: &mut MatMut<'_>,
) {
    let mut values = vec![0.0; series.len()];
    for i in 0..x.nrows() {
        series.values_into(x[(i, 0)], order, &mut values);
        for (column, k) in (first..series.len()).enumerate() {
            phi[(i, column)] = values[k] * decay_factor(series.frequency(k), decay);
        }
    }
}

/// The expansion of a family's own members from `first` on: diagonal.
pub(super) fn series_expansion(series: Series, first: usize, decay: f64) -> Expansion {
    let m = series.len();
    let mut coefficients = vec![0.0; (m - first) * m];
    for (row, k) in (first..m).enumerate() {
        coefficients[row * m + k] = decay_factor(series.frequency(k), decay);
    }
    Expansion { series, coefficients }
}

impl Fourier {
    fn series(&self) -> Series {
        Series::Fourier { harmonics: self.harmonics.size() }
    }
}

impl FeatureMap for Fourier {
    fn features(&self) -> usize {
        self.series().len() - usize::from(!self.constant)
    }

    fn design_into(&self, x: Mat<'_>, order: u8, mut phi: MatMut<'_>) {
        series_design_into(self.series(), usize::from(!self.constant), self.decay.get(), x, order, &mut phi);
    }

    fn expansion(&self) -> Option<Expansion> {
        Some(series_expansion(self.series(), usize::from(!self.constant), self.decay.get()))
    }
}
