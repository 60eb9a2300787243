//! Inputs of a chosen covariance.

use crate::law::Root;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, Stream, normal, stream, uniform};

/// The law of independent entries of mean 0 and variance 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntryLaw {
    /// N(0, 1)
    #[default]
    Gaussian,
    /// ±1 with equal probability
    Rademacher,
}

impl EntryLaw {
    fn draw(self, draws: &mut Stream) -> f64 {
        match self {
            Self::Gaussian => normal(draws),
            Self::Rademacher => (2.0 * uniform(draws) - 1.0).signum(),
        }
    }
}

/// Rows x = Rz with Σ = RRᵀ, n × d.
///
/// Every input has a stream of its own, so more rows begin with the fewer, and more inputs with the
/// fewer: an axis over either changes no draw.
pub(super) fn drawn_inputs(
    entries: EntryLaw,
    root: &Root,
    [n, d]: [usize; 2],
    name: &str,
    (seed, replicate): (u64, u64),
) -> DMatrix<f64> {
    let mut inputs = DMatrix::zeros(n, d);
    for (j, column) in inputs.as_mut_slice().chunks_exact_mut(n).enumerate() {
        let mut draws = stream(seed, &format!("{name}-{j}"), replicate);
        column.fill_with(|| entries.draw(&mut draws));
    }
    root.apply(&mut inputs);
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_have_the_moments_of_the_law() {
        let x = drawn_inputs(EntryLaw::Rademacher, &Root::Identity, [500, 2], "data-design", (5, 0));
        assert!(x.iter().all(|x| (x.abs() - 1.0).abs() <= 0.0));
        // Four standard errors of a mean of 500 signs, and of their products.
        let (a, b) = (x.column(0), x.column(1));
        assert!(a.mean().abs() < 0.18 && b.mean().abs() < 0.18 && (a.dot(&b) / 500.0).abs() < 0.18);
    }
}
