//! How large everything is that a plan would write, and how its cells are cut into parts.

use crate::clocks::clocks;
use crate::moving::LANES;
use crate::plan::Plan;
use crate::row_kinds::DRAWN_CURVES;
use crate::study::single_steps;
use crate::workbench::Bench;
use std::collections::BTreeSet;
use taut_problem::{Continuation, Data, StepSize};
use taut_train::{Route, Train};

/// A part holds at most about this many bytes over all its tables; two parts are in memory at a time.
const BYTES_PER_PART: usize = 64_000_000;

/// Decomposing the designs of a part takes at most about this many multiply-adds, half a minute of one core: what a
/// run that is stopped loses.
const WORK_PER_PART: usize = 100_000_000_000;

/// A part of a small sweep holds this many cells, and a sweep has at most this many parts or so.
const CELLS_PER_PART: usize = 512;

/// A large sweep has about this many parts.
const PARTS: usize = 200;

/// The most that any cell has.
struct Largest {
    samples: usize,
    /// Entries of the predictor.
    entries: usize,
    modes: usize,
    parameters: usize,
    factors: usize,
    /// Multiply-adds of a step.
    step: usize,
}

/// The size of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// At most this many rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// At most this many bytes before compression.
    pub bytes: usize,
}

impl Plan {
    /// How many cells make a part: as many as bytes and work allow, and where cells step side by side, whole bundles of them.
    /// A bundle that takes long has checkpoints, so that less is lost than it is long.
    pub(crate) fn part_size(&self) -> usize {
        let bytes_per_cell = self.sizes().iter().map(|size| size.bytes).sum::<usize>() / self.cells().max(1);
        let by_bytes = (BYTES_PER_PART / bytes_per_cell.max(1)).max(1);
        let by_work = (WORK_PER_PART / self.work_of_a_cell().max(1)).max(1);
        let most = by_bytes.min(CELLS_PER_PART.max(self.cells().div_ceil(PARTS)));
        if !self.is_stepped() {
            return most.min(by_work);
        }
        let most = most.min(by_work.max(LANES));
        if most < LANES { most } else { most - most % LANES }
    }

    /// The size of every table: upper bounds, because equal save times are merged.
    pub fn sizes(&self) -> Vec<TableSize> {
        let per_cell = self.rows_of_a_cell();
        self.schemas
            .all()
            .into_iter()
            .map(|schema| {
                let rows = per_cell.iter().find(|(name, _)| *name == schema.name).map_or(0, |(_, rows)| *rows);
                let rows = rows * self.cells();
                TableSize {
                    name: schema.name.clone(),
                    rows,
                    columns: schema.columns.len(),
                    bytes: rows * schema.columns.len() * 8,
                }
            })
            .collect()
    }

    /// Bytes of memory that a bundle takes while it is computed, at the most and about: designs with their
    /// decompositions, and the lanes' parameters at every save time.
    pub(crate) fn working_bytes(&self) -> f64 {
        let Largest { samples, entries, modes, parameters, .. } = self.largest();
        let times = self.rows_of_a_cell().iter().find(|(table, _)| *table == "trajectory").map_or(1, |(_, rows)| *rows);
        let has_moments = self.checked.train.iter().any(|train| train.value.route(true) == Route::Moments);
        let [n, p, r, theta, times] = [samples, entries, modes, parameters, times].map(|count| count as f64);
        let designs = 3.0 * n * p + 2.0 * (n + p) * r;
        let snapshots = times * (p + if parameters > entries { theta } else { 0.0 });
        let covariances = if has_moments { times * p * p } else { 0.0 };
        8.0 * (LANES as f64 * (designs + 10.0 * theta) + LANES as f64 * snapshots + covariances)
    }

    /// The most that any cell has, as far as the study says.
    fn largest(&self) -> Largest {
        let mut largest = Largest { samples: 1, entries: 1, modes: 1, parameters: 1, factors: 1, step: 1 };
        let inputs = self.checked.data.iter().map(|d| (d.value.inputs(), d.value.matrix_shape(d.file.as_deref())));
        let shapes: BTreeSet<(usize, Option<[usize; 2]>)> = inputs.collect();
        let samples = self.checked.data.iter().filter_map(|d| d.value.samples(d.file.as_deref())).max().unwrap_or(1);
        for model in &self.checked.model {
            for &(inputs, matrix) in &shapes {
                let [inputs, outputs] = matrix.unwrap_or([model.value.features.count(inputs), 1]);
                let kind = &model.value.parametrization;
                if kind.misfit(inputs, outputs).is_some() {
                    continue;
                }
                let parameters = kind.parameters(inputs, outputs);
                let modes = if matrix.is_some() { inputs.min(outputs) } else { samples.min(inputs) };
                // A product of factors costs three passes; whatever else, one over the samples.
                let step = 2 * samples.min(inputs) * inputs * outputs + 3 * parameters * outputs.min(inputs);
                largest = Largest {
                    samples,
                    entries: largest.entries.max(inputs * outputs),
                    modes: largest.modes.max(modes),
                    parameters: largest.parameters.max(parameters),
                    factors: largest.factors.max(kind.depth(inputs, outputs)),
                    step: largest.step.max(step),
                };
            }
        }
        largest
    }

    /// Multiply-adds of the largest cell, about: of the decomposition of its design, or of all its steps.
    fn work_of_a_cell(&self) -> usize {
        let Largest { samples, entries, modes, step, .. } = self.largest();
        let decomposition = if self.checked.data.iter().all(|data| data.value.is_matrix()) {
            0
        } else {
            10 * samples * entries * modes
        };
        let steps = self.checked.train.iter().map(|train| single_steps(&train.value, false)).max().unwrap_or(0);
        decomposition + if self.is_stepped() { step * steps as usize } else { 0 }
    }

    /// Whether any cell's motion is not linear, and mostly goes step by step.
    fn is_stepped(&self) -> bool {
        self.checked.data.iter().any(|data| data.value.is_matrix())
            || self.checked.model.iter().any(|model| !model.value.parametrization.is_direct())
    }

    /// Rows per cell and table, for the largest settings that the study has.
    fn rows_of_a_cell(&self) -> Vec<(&'static str, usize)> {
        let study = &self.checked.study;
        let first = self.checked.cell(0);
        // The first design stands for all where a step size is relative to it.
        let is_relative = |train: &Train| matches!(train.step_size, None | Some(StepSize::Relative(_)));
        let needs_lambda = |train: &Train| train.until.time.is_some() && !train.method.is_flow() && is_relative(train);
        let lambda = if self.checked.train.iter().any(|train| needs_lambda(&train.value)) {
            Bench::new(&first, None, study.seed).map_or(1.0, |bench| bench.reference_curvature(&first))
        } else {
            1.0
        };
        let grid = |train: &Train| {
            let step_size = train.step_size.unwrap_or_default().absolute(lambda);
            clocks(&study.record, &train.until, train.method.is_flow(), step_size, |_| None)
                .map_or(1, |clocks| clocks.len())
        };
        // A stage has its own grid and its end.
        let stages = |train: &Train| train.continuation.as_ref().map(Continuation::stages);
        let grid = |train: &Train| stages(train).map_or_else(|| grid(train), |stages| stages * (grid(train) + 1) + 1);
        let times = self.checked.train.iter().map(|train| grid(&train.value)).max().unwrap_or(1);
        let Largest { samples: n, entries: p, modes, parameters, factors, .. } = self.largest();
        let solutions = study.solutions.rows();
        let kept = study.solutions.rows_without_draws();
        let laws = study.solutions.random_interpolator.as_ref().map_or(0, |r| r.laws().len());
        let drawn = laws * DRAWN_CURVES;
        let mut rows = vec![
            ("cells", 1),
            ("timing", 1),
            ("trajectory", times * (1 + self.theories.len())),
            ("solutions", solutions),
            // Some numbers per cell, per save time, per λ of ridge, per feature and per batch size: the most any theory has.
            ("predictions", self.theories.len() * (10 + 5 * times + study.solutions.ridge_grid().len() + 3 * p + n)),
        ];
        if self.schemas.modes.is_some() {
            rows.push(("modes", times * modes * (1 + self.theories.len())));
        }
        if self.schemas.arrivals.is_some() {
            rows.push(("arrivals", modes * (1 + self.theories.len())));
        }
        if self.schemas.factors.is_some() {
            rows.push(("factors", times * factors));
        }
        if self.schemas.curves.is_some() {
            let has_target = |data: &Data| data.curve.as_ref().is_some_and(|curve| curve.target.is_some());
            let target = usize::from(self.checked.data.iter().any(|data| has_target(&data.value)));
            rows.push(("curves", (times + kept + drawn + target) * self.curve_grid.len()));
        }
        if self.schemas.samples.is_some() {
            rows.push(("samples", n));
        }
        if self.schemas.parameters.is_some() {
            let has_moments = self.checked.train.iter().any(|train| train.value.route(true) == Route::Moments);
            // Parameters that are no coefficients are written beside them.
            let tensors = if has_moments {
                p + p * p
            } else if parameters > p {
                parameters + p
            } else {
                p
            };
            rows.push(("parameters", times * tensors + kept * p));
        }
        if self.schemas.hessian.is_some() {
            rows.push(("hessian", times * parameters));
        }
        rows
    }
}
