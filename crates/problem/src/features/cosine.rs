//! The half-range cosine basis of \[-1, 1\].

use super::fourier::{series_design_into, series_expansion};
use super::{FeatureMap, polynomial::yes};
use crate::{Expansion, Harmonics, NonNegative, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Mat, MatMut};

/// 1, √2 cos(kπ(x+1)/2) for k = 1 … harmonics, divided by (1+k)^decay.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The highest harmonic.
    pub harmonics: Harmonics,
    /// Divide feature k by (1+k)^decay.
    #[serde(default)]
    pub decay: NonNegative,
    /// Whether the constant feature is there.
    #[serde(default = "yes")]
    pub constant: bool,
}

impl Cosine {
    fn series(&self) -> Series {
        Series::Cosine { harmonics: self.harmonics.size() }
    }
}

impl FeatureMap for Cosine {
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
