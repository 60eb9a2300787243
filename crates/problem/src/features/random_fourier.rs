//! Random Fourier features of any number of inputs.

use super::FeatureMap;
use super::random_weights::{RandomWeights, projections_into};
use crate::{Expansion, Positive, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use taut_numerics::{Mat, MatMut};

/// φⱼ(x) = √(2/p)·cos(wⱼ·x/bandwidth + bⱼ) with wⱼ ~ N(0, I) and bⱼ uniform on \[0, 2π).
///
/// So E φ(x)·φ(x) = 1, whatever p, and φ(x)·φ(x′) tends to the Gaussian kernel
/// exp(−|x − x′|²/(2·bandwidth²)). Cites Rahimi and Recht 2007.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomFourier {
    /// The number of features p.
    pub count: Samples,
    /// The width of the Gaussian kernel, in units of the inputs.
    pub bandwidth: Positive,
}

impl RandomFourier {
    pub(super) fn build(self, inputs: usize, seed: u64, replicate: u64) -> Waves {
        let mut weights = RandomWeights::draw(self.count.size(), inputs, seed, replicate);
        weights.entries.iter_mut().for_each(|w| *w /= self.bandwidth.get());
        weights.offset.iter_mut().zip(&weights.phase).for_each(|(offset, phase)| *offset = TAU * phase);
        Waves { weights, scale: (2.0 / self.count.get() as f64).sqrt() }
    }
}

/// The map with its weights drawn.
#[derive(Clone, Debug)]
pub(super) struct Waves {
    weights: RandomWeights,
    scale: f64,
}

impl FeatureMap for Waves {
    fn features(&self) -> usize {
        self.weights.count()
    }

    fn design_into(&self, x: Mat<'_>, order: u8, mut phi: MatMut<'_>) {
        // Derivatives are those of functions of one input.
        if order > 2 || (order > 0 && self.weights.inputs() > 1) {
            return phi.fill(0.0);
        }
        projections_into(&self.weights, x, &mut phi);
        for (j, mut column) in phi.column_iter_mut().enumerate() {
            let w = self.weights.of(j)[0];
            for value in column.iter_mut() {
                *value = match order {
                    0 => self.scale * value.cos(),
                    1 => -self.scale * w * value.sin(),
                    _ => -self.scale * w * w * value.cos(),
                };
            }
        }
    }

    fn expansion(&self) -> Option<Expansion> {
        None
    }
}
