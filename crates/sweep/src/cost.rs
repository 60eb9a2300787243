//! How much work a cell is, from its settings alone: for the order in which bundles begin, for shards of equal weight, and
//! as the measure that a calibration turns into seconds.
//!
//! Work is counted in multiply-adds of a vectorised loop; everything else is a number of these. No cell is drawn, so
//! what only a draw would show (curvatures, reductions, when a flow has settled) is guessed.

use crate::moving::{LANES, NARROW, SMALL};
use crate::plan::Plan;
use crate::study::{CellSpec, Checked, Record, TableName, Times, single_steps};
use taut_metrics::MetricDef;
use taut_problem::{Continuation, ParametrizationKind, Samples, Schedule};
use taut_train::{Route, Train};

/// Naming a cell, drawing its start, and its rows in `cells` and `timing`.
const PER_CELL: f64 = 100_000.0;

/// One value on its way into a file.
const PER_VALUE: f64 = 60.0;

/// A random number.
const PER_DRAW: f64 = 40.0;

/// What a step costs however small the model is.
const PER_STEP: f64 = 100.0;

/// A power of a mode's factor, and with it a look at one mode.
const PER_POWER: f64 = 100.0;

/// Looks at all modes until a first passage is found.
const LOOKS_PER_PASSAGE: f64 = 150.0;

/// Products with the Hessian until its largest eigenvalue is known.
const PRODUCTS_PER_SHARPNESS: f64 = 60.0;

/// What a prediction costs beside a decomposition and its rows.
const PER_THEORY: f64 = 2e6;

/// Steps of an adaptive flow beside those that its fastest motion asks for, and gradients for each.
const FLOW_STEPS: f64 = 300.0;
const GRADIENTS_PER_FLOW_STEP: f64 = 6.0;

/// No flow is followed for more steps than this.
const MOST_FLOW_STEPS: f64 = 1e7;

/// What the estimates of all cells of a study share.
pub(crate) struct Costs {
    data: Vec<DataSize>,
    /// One per distinct `[train]`: of models that are not linear, and of those that are.
    train: Vec<[Motion; 2]>,
    looking: Looking,
}

/// The size of one distinct data setting.
struct DataSize {
    samples: usize,
    inputs: usize,
    matrix: Option<[usize; 2]>,
    is_curve: bool,
}

/// How long one distinct `[train]` is.
struct Motion {
    route: Route,
    /// Updates made one by one; for flows the training time.
    steps: f64,
    /// Save times.
    times: f64,
    /// Rows that an update looks at, if not all.
    batch: Option<usize>,
    /// Random numbers per update: for each row looked at, and for each parameter.
    draws_per_row: f64,
    draws_per_parameter: f64,
}

/// What is done with every row of a path, and with every problem.
struct Looking {
    /// Metrics whose cost is that of a pass over the points and the predictor.
    plain: f64,
    shapes: bool,
    spectra: bool,
    sharpness: bool,
    hessian: bool,
    curve_points: f64,
    theories: f64,
    /// Rows of other fits, and refits of every path.
    solutions: f64,
    folds: f64,
}

/// The work of one cell in its pieces.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// What cells on one design share: its points, its decomposition, the other fits.
    shared: f64,
    /// What is the cell's own beside its steps.
    own: f64,
    /// One step of one lane.
    step: f64,
    steps: f64,
    /// Whether lanes go side by side.
    is_narrow: bool,
}

impl Plan {
    /// The work of one cell among many, in multiply-adds: finite, at least 1, the same on every machine.
    ///
    /// From the cell's settings alone, in some hundred nanoseconds; what only a draw would show is guessed.
    pub fn work_of_cell(&self, cell: usize) -> f64 {
        self.pieces(&self.checked.cell(cell)).alone()
    }

    /// The work of cells that are computed together: what they share counts once, and lanes that step side by side cost
    /// what the longest of them costs.
    pub fn work_of(&self, cells: &[usize]) -> f64 {
        let [beside, steps] = self.work_beside_and_in_steps(cells);
        bounded(beside + steps)
    }

    /// The work of cells that are computed together, their steps apart.
    pub(crate) fn work_beside_and_in_steps(&self, cells: &[usize]) -> [f64; 2] {
        let (mut own, mut shared, mut steps, mut longest_lane) = (0.0, 0.0_f64, 0.0, 0.0_f64);
        for &index in cells {
            let cell = self.checked.cell(index);
            let work = self.pieces(&cell);
            own += work.own;
            match cell.route() {
                Route::Exact | Route::Staged | Route::Moments => shared = shared.max(work.shared),
                _ => own += work.shared,
            }
            if cell.route() == Route::Stepped && work.is_narrow {
                longest_lane = longest_lane.max(work.step * work.steps);
            } else {
                steps += work.step * work.steps;
            }
        }
        [own + shared, steps + LANES as f64 * longest_lane]
    }

    fn pieces(&self, cell: &CellSpec<'_>) -> Work {
        self.costs.pieces(cell)
    }
}

/// Estimates are compared and added: they must be numbers.
fn bounded(work: f64) -> f64 {
    if work.is_finite() { work.clamp(1.0, 1e30) } else { 1e30 }
}

impl Work {
    fn alone(self) -> f64 {
        bounded(self.shared + self.own + self.step * self.steps)
    }
}

impl Costs {
    pub(crate) fn new(checked: &Checked, metrics: &[&'static MetricDef]) -> Self {
        let record = &checked.study.record;
        let data = checked.data.iter().map(|setting| {
            let (data, files) = (&setting.value, setting.file.as_deref());
            DataSize {
                samples: data.samples(files).unwrap_or(1),
                inputs: data.inputs(),
                matrix: data.matrix_shape(files),
                is_curve: data.is_curve(),
            }
        });
        let train = checked.train.iter().map(|setting| {
            let times = save_times(record, &setting.value);
            [false, true].map(|is_linear| Motion::new(&setting.value, is_linear, times))
        });
        Self { data: data.collect(), train: train.collect(), looking: Looking::new(checked, metrics) }
    }

    fn pieces(&self, cell: &CellSpec<'_>) -> Work {
        let data = &self.data[cell.data_index];
        let is_linear = cell.is_linear();
        let motion = &self.train[cell.train_index][usize::from(is_linear)];
        let kind = &cell.model.parametrization;
        let [p, q] = data.matrix.unwrap_or_else(|| [cell.model.features.count(data.inputs), 1]);
        let (n, parameters) = (data.samples as f64, kind.parameters(p, q) as f64);
        let is_narrow = match data.matrix {
            None => data.samples * p <= SMALL,
            Some(_) => p.max(q) <= NARROW && width(kind, p, q) <= NARROW,
        };
        let [p, q] = [p as f64, q as f64];
        let is_rows = data.matrix.is_none();

        let design = if is_rows { n * p * PER_DRAW + decomposition(n, p) } else { n * (p + q) * PER_DRAW };
        let modes = if is_rows { n.min(p) } else { p.min(q) };
        let row = self.looking.row([n, p, q], data.is_curve, is_linear);
        let look = match is_linear {
            true => 0.0,
            false => self.looking.parameters([n, p, q], parameters),
        };
        let other_fits = if is_rows { self.looking.solutions * (row + n * p + p * modes) } else { 0.0 };
        let folds = if is_linear { self.looking.folds * decomposition(n, p) } else { 0.0 };
        let theories = self.looking.theories * (PER_THEORY + design + motion.times * (row + p * q * modes.max(1.0)));

        let step = motion.step([n, p, q], parameters, is_rows);
        let whole = gradient([n, p, q], parameters);
        let (advance, step, steps) = match motion.route {
            Route::Exact => {
                let passages = 3.0 * LOOKS_PER_PASSAGE * modes * PER_POWER;
                (motion.times * modes * (PER_POWER + p) + passages, modes * PER_POWER, motion.steps)
            }
            Route::Staged => (motion.times * modes * (PER_POWER + p) + design, 0.0, 0.0),
            Route::Stepped => (0.0, step, motion.steps),
            Route::Moments => {
                let covariance = (modes + 1.0) * (modes + 1.0);
                (motion.times * p * p * PER_VALUE, PER_STEP + n * covariance, motion.steps)
            }
            Route::Adaptive => {
                let steps = (FLOW_STEPS + motion.times + motion.steps).min(MOST_FLOW_STEPS);
                (0.0, GRADIENTS_PER_FLOW_STEP * whole, steps)
            }
            Route::Dual => {
                let gradient = 2.0 * n * p * q + 2.0 * p * PER_POWER;
                (0.0, GRADIENTS_PER_FLOW_STEP * gradient, (FLOW_STEPS + 2.0 * motion.steps).min(1e8))
            }
            Route::Riccati => (motion.times * 20.0 * (p + q).powi(3), 0.0, 0.0),
            Route::Modes => (motion.times * p * q * modes, modes * PER_STEP / 4.0, motion.steps),
        };
        Work {
            shared: design + other_fits + folds,
            own: PER_CELL + advance + motion.times * (row + look) + theories,
            step,
            steps,
            is_narrow,
        }
    }
}

impl Motion {
    fn new(train: &Train, is_linear: bool, times: f64) -> Self {
        let route = train.route(is_linear);
        let dynamics = train.dynamics(1.0, 1.0);
        // λ_ref is not known: one is as good a guess as any.
        let step_size = train.step_size.unwrap_or_default().absolute(1.0);
        let time = train.until.time.map(|time| time.get());
        let by_time = time.map(|time| (time / step_size.max(f64::MIN_POSITIVE)).min(1e15));
        let are_single = single_steps(train, is_linear) > 0 || matches!(route, Route::Stepped | Route::Moments);
        let steps = match route {
            Route::Adaptive | Route::Dual | Route::Riccati => time.unwrap_or(0.0),
            _ if are_single => {
                let steps = train.until.steps.map(|steps| steps.get() as f64);
                steps.into_iter().chain(by_time).fold(f64::INFINITY, f64::min)
            }
            _ => 0.0,
        };
        // Where a schedule has come to zero, nothing moves, and a closed form knows it.
        let moving = match train.schedule {
            Some(Schedule::Cosine(over) | Schedule::Linear(over)) if route == Route::Exact => over.over.get() as f64,
            _ => f64::INFINITY,
        };
        let steps = steps.min(moving);
        let masks = dynamics.dropout.filter(|dropout| !dropout.marginal);
        Self {
            route,
            steps: if steps.is_finite() { steps } else { 0.0 },
            times,
            batch: dynamics.batch.map(|batch| batch.size),
            draws_per_row: f64::from(dynamics.noise.labels.get() > 0.0)
                + f64::from(dynamics.noise.curvature.get() > 0.0)
                + f64::from(dynamics.batch.is_some()),
            draws_per_parameter: f64::from(dynamics.noise.gradient.get() > 0.0) + f64::from(masks.is_some()),
        }
    }

    /// One update of one lane.
    fn step(&self, [n, p, q]: [f64; 3], parameters: f64, is_rows: bool) -> f64 {
        let batch = self.batch.map_or(n, |batch| n.min(batch as f64));
        let is_noisy = self.batch.is_some() || self.draws_per_row + self.draws_per_parameter > 0.0;
        let draws = PER_DRAW * (self.draws_per_row * batch + self.draws_per_parameter * parameters);
        // Noisy motions look at all rows every ⌈n/batch⌉-th step: as much again as they move.
        let passes = if is_noisy { 2.0 } else { 1.0 };
        let rows = if is_rows { batch } else { n };
        PER_STEP + draws + passes * gradient([rows, p, q], parameters)
    }
}

impl Looking {
    fn new(checked: &Checked, metrics: &[&'static MetricDef]) -> Self {
        let study = &checked.study;
        let has = |names: &[&str]| metrics.iter().any(|metric| names.contains(&metric.name));
        let records = |table: TableName| study.record.tables.contains(&table);
        let choose = study.choose.as_ref();
        Self {
            plain: metrics.len() as f64,
            shapes: has(&["total_variation", "turning_points", "inflections", "arc_length", "overshoot"]),
            spectra: records(TableName::Modes)
                || records(TableName::Arrivals)
                || has(&["nuclear_norm", "largest_singular_value", "effective_rank", "stable_rank", "determinant"]),
            sharpness: has(&["sharpness"]),
            hessian: records(TableName::Hessian),
            curve_points: if records(TableName::Curves) { study.record.curves.grid().len() as f64 } else { 0.0 },
            theories: study.record.theory.len() as f64,
            solutions: study.solutions.rows() as f64,
            folds: choose.map_or(0.0, |choose| choose.folds.map_or(1.0, |folds| folds.get() as f64)),
        }
    }

    /// One row of a path or of another fit: metrics, curves, and the way into the file.
    fn row(&self, [n, p, q]: [f64; 3], is_curve: bool, is_linear: bool) -> f64 {
        let points = 4.0 * n.min(p) * p * q + self.plain * (p * q + PER_VALUE);
        let shape = if self.shapes && is_curve { 10.0 * p * (p + 50.0) } else { 0.0 };
        let spectrum = if self.spectra && !is_linear { 20.0 * p * q * p.min(q) } else { 0.0 };
        points + shape + spectrum + self.curve_points * (p + 8.0 * PER_VALUE)
    }

    /// What a row of a path costs where the predictor is made of other parameters.
    fn parameters(&self, shape: [f64; 3], parameters: f64) -> f64 {
        let sharpness = if self.sharpness { PRODUCTS_PER_SHARPNESS * 4.0 * gradient(shape, parameters) } else { 0.0 };
        let hessian = if self.hessian { 10.0 * parameters.powi(3) } else { 0.0 };
        2.0 * parameters + sharpness + hessian
    }
}

/// Loss and gradient once: a pass over the samples or over their second moments, and three over the factors.
fn gradient([n, p, q]: [f64; 3], parameters: f64) -> f64 {
    2.0 * n.min(p) * p * q + 3.0 * parameters * q.min(p)
}

/// The singular values and vectors of n × p: by rotations where it is small, which take several times as long.
fn decomposition(n: f64, p: f64) -> f64 {
    let (short, long) = (n.min(p), n.max(p));
    let rotations = if short <= 48.0 { 30.0 * short * short * short } else { 0.0 };
    3.0 * long * short * short + rotations
}

/// The widest hidden layer.
fn width(kind: &ParametrizationKind, inputs: usize, outputs: usize) -> usize {
    match kind {
        ParametrizationKind::DeepLinear(deep) => deep.sizes(inputs, outputs).into_iter().max().unwrap_or(1),
        ParametrizationKind::Symmetric(symmetric) => symmetric.width.map_or(inputs, Samples::size),
        _ => 1,
    }
}

/// How many rows the path of a cell has, about.
fn save_times(record: &Record, train: &Train) -> f64 {
    let steps = train.until.steps.map_or(f64::INFINITY, |steps| steps.get() as f64);
    let by_time = || train.until.time.map_or(f64::INFINITY, |time| time.get());
    let is_flow = train.method.is_flow();
    let within = |count: f64| if is_flow { count } else { count.min(steps + 1.0) };
    let grid = match &record.times {
        Times::Geometric(count) | Times::Linear(count) => within(count.get() as f64),
        Times::Every(every) if steps.is_finite() => (steps / every.get().max(1) as f64).floor() + 1.0,
        Times::Every(every) => {
            let step_size = train.step_size.unwrap_or_default().absolute(1.0).max(f64::MIN_POSITIVE);
            (by_time() / step_size / every.get().max(1) as f64).clamp(1.0, 1e7)
        }
        Times::Steps(list) => list.iter().filter(|step| step.step().is_some_and(|k| k as f64 <= steps)).count() as f64,
        Times::Times(list) => list.iter().filter(|time| time.time() <= by_time()).count() as f64,
    };
    let stages = train.continuation.as_ref().map_or(1, Continuation::stages) as f64;
    (grid.max(1.0) + f64::from(record.limit)) * stages
}
