//! Features that are inputs.

use super::FeatureMap;
use crate::Expansion;
use taut_numerics::{Mat, MatMut};

/// φ(x) = (x₁, …, xₚ): the first p inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// p.
    pub count: usize,
}

impl FeatureMap for Identity {
    fn features(&self) -> usize {
        self.count
    }

    fn design_into(&self, x: Mat<'_>, order: u8, mut phi: MatMut<'_>) {
        match order {
            0 => phi.copy_from(&x.columns(0, self.count)),
            1 => phi.fill_with_identity(),
            _ => phi.fill(0.0),
        }
    }

    fn expansion(&self) -> Option<Expansion> {
        None
    }

    fn first_inputs(&self) -> Option<usize> {
        Some(self.count)
    }
}
