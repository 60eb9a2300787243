//! The bundles of a plan by kinds of work: all of them, or an even sample of a large plan.

use crate::bundle::{Bundle, bundles};
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::ops::Range;

/// Up to this many cells are all looked at; of a larger plan as many, in stretches that are evenly spread.
const LOOKED_AT: usize = 100_000;

/// Stretches of a plan that is too large.
const STRETCHES: usize = 50;

/// What is computed together, with its work.
pub(crate) struct Item {
    pub(crate) bundle: Bundle,
    /// Which kind of work, in `Survey::kinds`.
    pub(crate) kind: usize,
    pub(crate) work: f64,
}

/// The bundles of a plan.
pub(crate) struct Survey {
    pub(crate) items: Vec<Item>,
    /// Solver and parametrization of each kind of work.
    pub(crate) kinds: Vec<(&'static str, &'static str)>,
    /// How many times as much as was looked at the whole plan is; 1 if everything was.
    pub(crate) scale: f64,
    /// How often the next bundle has another model than the one before.
    pub(crate) models: usize,
}

impl Survey {
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut items = Vec::new();
        let mut numbers = BTreeMap::new();
        let mut kinds = Vec::new();
        let (mut models, mut last_model, mut cells) = (0, None, 0);
        for stretch in stretches(plan) {
            cells += stretch.len();
            for bundle in bundles(plan, stretch) {
                let first = plan.checked.cell(bundle.cells()[0]);
                models += usize::from(last_model.replace(first.model_index) != Some(first.model_index));
                let name = (first.route().name(), first.model.parametrization.name());
                let kind = *numbers.entry(name).or_insert_with(|| {
                    kinds.push(name);
                    kinds.len() - 1
                });
                let work = plan.work_of(bundle.cells());
                items.push(Item { bundle, kind, work });
            }
        }
        Self { items, kinds, scale: plan.cells() as f64 / cells.max(1) as f64, models }
    }
}

/// The ranges of cells that are looked at: all parts, or evenly spread beginnings of parts.
fn stretches(plan: &Plan) -> Vec<Range<usize>> {
    let parts = plan.parts();
    if plan.cells() <= LOOKED_AT {
        return (0..parts).map(|part| plan.part(part)).collect();
    }
    let length = LOOKED_AT / STRETCHES;
    // Every part once at the most, and no two stretches at the same place of the fastest axes.
    let count = STRETCHES.min(parts);
    (0..count)
        .map(|i| {
            let part = plan.part(i * parts / count);
            let room = part.len().saturating_sub(length);
            let start = part.start + room * i / count;
            start..(start + length).min(part.end)
        })
        .collect()
}
