//! Weights of random features, and wⱼ·x + bⱼ at points.

use taut_numerics::{Mat, MatMut, normal, stream, uniform};

/// Weights wⱼ ~ N(0, I) with an offset each.
#[derive(Clone, Debug)]
pub(super) struct RandomWeights {
    inputs: usize,
    /// Row-major, features × inputs.
    pub(super) entries: Vec<f64>,
    /// One per feature, drawn from N(0, 1).
    pub(super) offset: Vec<f64>,
    /// One per feature, uniform on \[0, 1).
    pub(super) phase: Vec<f64>,
}

impl RandomWeights {
    /// Every feature has a stream of its own, `features-j`, with offset and phase before the weights:
    /// neither more features nor more inputs change what is there.
    pub(super) fn draw(count: usize, inputs: usize, seed: u64, replicate: u64) -> Self {
        let mut out = Self { inputs, entries: Vec::new(), offset: Vec::new(), phase: Vec::new() };
        for j in 0..count {
            let mut draws = stream(seed, &format!("features-{j}"), replicate);
            out.phase.push(uniform(&mut draws));
            out.offset.push(normal(&mut draws));
            out.entries.extend((0..inputs).map(|_| normal(&mut draws)));
        }
        out
    }

    pub(super) fn count(&self) -> usize {
        self.offset.len()
    }

    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// wⱼ.
    pub(super) fn of(&self, j: usize) -> &[f64] {
        &self.entries[j * self.inputs..(j + 1) * self.inputs]
    }
}

/// wⱼ·x + bⱼ, points × features, summed over inputs in their order.
pub(super) fn projections_into(weights: &RandomWeights, x: Mat<'_>, phi: &mut MatMut<'_>) {
    for (j, mut column) in phi.column_iter_mut().enumerate() {
        column.fill(weights.offset[j]);
        for (x, w) in x.column_iter().zip(weights.of(j)) {
            column.axpy(*w, &x, 1.0);
        }
    }
}
