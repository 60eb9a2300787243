//! Random rectified features of any number of inputs.

use super::FeatureMap;
use super::random_weights::{RandomWeights, projections_into};
use crate::{Expansion, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{Mat, MatMut};

/// φⱼ(x) = √(2/p)·max(0, wⱼ·x + bⱼ) with wⱼ ~ N(0, I), and bⱼ ~ N(0, 1) or 0.
///
/// So E φ(x)·φ(x) = |x|² (plus 1 with biases), whatever p, and φ(x)·φ(x′) tends to the arc-cosine
/// kernel of order 1. Cites Cho and Saul 2009.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomRelu {
    /// The number of features p.
    pub count: Samples,
    /// Whether each feature has a bias; without, all features bend at the origin only.
    #[serde(default)]
    pub bias: bool,
}

impl RandomRelu {
    pub(super) fn build(self, inputs: usize, seed: u64, replicate: u64) -> Rectified {
        let mut weights = RandomWeights::draw(self.count.size(), inputs, seed, replicate);
        if !self.bias {
            weights.offset.fill(0.0);
        }
        Rectified { weights, scale: (2.0 / self.count.get() as f64).sqrt() }
    }
}

/// The map with its weights drawn.
#[derive(Clone, Debug)]
pub(super) struct Rectified {
    weights: RandomWeights,
    scale: f64,
}

impl FeatureMap for Rectified {
    fn features(&self) -> usize {
        self.weights.count()
    }

    fn design_into(&self, x: Mat<'_>, order: u8, mut phi: MatMut<'_>) {
        // Derivatives are those of functions of one input; the second is zero but at the kink.
        if order > 1 || (order == 1 && self.weights.inputs() > 1) {
            return phi.fill(0.0);
        }
        projections_into(&self.weights, x, &mut phi);
        for (j, mut column) in phi.column_iter_mut().enumerate() {
            let slope = self.scale * self.weights.of(j)[0];
            for value in column.iter_mut() {
                *value = match order {
                    0 => self.scale * value.max(0.0),
                    _ if *value > 0.0 => slope,
                    _ => 0.0,
                };
            }
        }
    }

    fn expansion(&self) -> Option<Expansion> {
        None
    }
}
