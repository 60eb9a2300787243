//! Stochastic gradient descent on mini-batches.

use super::gradient_descent::Descend;
use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Batch, Entry, Motion, Samples};

pub(super) const ENTRY: Entry = Entry {
    name: "sgd",
    doc: "θ ← θ − ηₖ∇L(θ) over a batch of rows drawn for every update; stepped, or exact moments",
    cite: "Robbins and Monro 1951",
};

/// Settings of stochastic gradient descent.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Rows per update.
    pub batch: Samples,
    /// Whether one row may be drawn twice in one update. Default true; a batch larger than the data must say so.
    pub replacement: Option<bool>,
}

pub(super) fn optimizer(settings: &Sgd) -> impl Optimizer + use<> {
    *settings
}

impl Optimizer for Sgd {
    fn motion(&self) -> Motion {
        Motion::Descent
    }

    fn batch(&self) -> Option<Batch> {
        Some(Batch { size: self.batch.size(), replacement: self.replacement.unwrap_or(true) })
    }

    fn may_exceed_data(&self) -> bool {
        self.replacement == Some(true)
    }

    /// Where the mean diverges; the mean square may do so earlier.
    fn stability(&self) -> Option<f64> {
        Some(2.0)
    }

    fn rule(&self, _slots: usize) -> Option<Box<dyn Rule>> {
        Some(Box::new(Descend))
    }
}
