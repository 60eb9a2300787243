//! What is computed together: cells that share a design, or cells that step side by side.

use crate::cell::{Cell, emit_failed};
use crate::checkpoints::{Breaks, Checkpoints};
use crate::choosing;
use crate::moving::{LANES, side_by_side};
use crate::plan::Plan;
use crate::recorded::{Recorded, WORK_BETWEEN_LOOKS};
use crate::solved::Solved;
use crate::spent::{On, Spent};
use crate::study::CellSpec;
use crate::summary::{INTERPOLATION, LEVELS, reached};
use crate::tables::Sheets;
use crate::walk::{Walk, order};
use crate::workbench::{Bench, Benches, ProblemKey, Shelf};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use taut_metrics::{MatrixSetting, Setting, Views};
use taut_problem::{Clock, Passage, Shape, Trajectory};
use taut_train::Route;

/// Cells of one bundle at the most when they share a design; more would leave threads idle.
const SHARED: usize = 16;

/// The same for moments: what they share is little beside what each cell costs.
const SHARED_MOMENTS: usize = 4;

/// Cells computed by one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bundle {
    /// One design, closed form.
    Exact(Vec<usize>),
    /// One design, moments of one cell after the other.
    Moments(Vec<usize>),
    /// Lanes of one shape.
    Stepped(Vec<usize>),
}

impl Bundle {
    /// The same work, one cell at a time.
    pub(crate) fn single_cells(&self) -> Vec<Self> {
        let alone = |&cell: &usize| match self {
            Self::Exact(_) => Self::Exact(vec![cell]),
            Self::Moments(_) => Self::Moments(vec![cell]),
            Self::Stepped(_) => Self::Stepped(vec![cell]),
        };
        self.cells().iter().map(alone).collect()
    }

    /// Without the cells of which `keep` says no; none if no cell is left.
    pub(crate) fn retaining(mut self, keep: impl Fn(usize) -> bool) -> Option<Self> {
        let (Self::Exact(cells) | Self::Moments(cells) | Self::Stepped(cells)) = &mut self;
        cells.retain(|cell| keep(*cell));
        (!self.cells().is_empty()).then_some(self)
    }

    pub(crate) fn cells(&self) -> &[usize] {
        match self {
            Self::Exact(cells) | Self::Moments(cells) | Self::Stepped(cells) => cells,
        }
    }
}

/// Groups the cells of a part; depends on the study alone.
pub(crate) fn bundles(plan: &Plan, cells: std::ops::Range<usize>) -> Vec<Bundle> {
    let mut exact: BTreeMap<ProblemKey, Vec<usize>> = BTreeMap::new();
    let mut moments: BTreeMap<ProblemKey, Vec<usize>> = BTreeMap::new();
    let mut stepped: BTreeMap<StepKey, Vec<usize>> = BTreeMap::new();
    let mut alone: Vec<usize> = Vec::new();
    for index in cells {
        let spec = plan.checked.cell(index);
        match spec.route() {
            Route::Stepped => stepped.entry(StepKey::of(plan, &spec)).or_default().push(index),
            Route::Moments => moments.entry(ProblemKey::of(&spec)).or_default().push(index),
            Route::Exact | Route::Staged => exact.entry(ProblemKey::of(&spec)).or_default().push(index),
            Route::Adaptive | Route::Dual | Route::Riccati | Route::Modes => alone.push(index),
        }
    }
    let exact = exact.into_values().flat_map(|group| chunks(&group, SHARED)).map(Bundle::Exact);
    let stepped = stepped.into_values().flat_map(|group| chunks(&group, LANES)).map(Bundle::Stepped);
    let moments = moments.into_values().flat_map(|group| chunks(&group, SHARED_MOMENTS)).map(Bundle::Moments);
    let alone = chunks(&alone, 1).into_iter().map(Bundle::Stepped);
    exact.chain(moments).chain(stepped).chain(alone).collect()
}

/// What cells that step side by side have in common: the shape of their parameters and a `[train]` that
/// differs in the step size at the most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct StepKey {
    parametrization: String,
    shape: Option<[usize; 2]>,
    /// Penalties look at the features themselves.
    model: Option<usize>,
    train: usize,
}

impl StepKey {
    fn of(plan: &Plan, spec: &CellSpec<'_>) -> Self {
        Self {
            parametrization: format!("{:?}", spec.model.parametrization),
            shape: spec.shape(),
            model: spec.train.penalty.is_some().then_some(spec.model_index),
            train: plan.train_kinds[spec.train_index],
        }
    }
}

impl Plan {
    /// The number of bundles; `None` where there are too many cells to count them at once.
    pub fn bundles(&self) -> Option<usize> {
        (self.cells() <= 100_000).then(|| (0..self.parts()).map(|p| bundles(self, self.part(p)).len()).sum())
    }
}

fn chunks(group: &[usize], size: usize) -> Vec<Vec<usize>> {
    group.chunks(size).map(<[usize]>::to_vec).collect()
}

/// Where the run takes place, for `timing`.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) threads: usize,
}

/// Computes every cell of a bundle, from its checkpoints if there are some, onto empty sheets; `None` if asked to stop on
/// the way.
pub(crate) fn compute(
    plan: &Plan,
    bundle: &Bundle,
    place: &Place,
    stop: &AtomicBool,
    checkpoints: &Checkpoints,
    mut sheets: Sheets,
) -> Option<Sheets> {
    let started = Instant::now();
    sheets.spent = plan.nothing_spent();
    let breaks = checkpoints.breaks(plan, bundle, stop);
    match bundle {
        Bundle::Exact(cells) | Bundle::Moments(cells) => one_design(plan, cells, &breaks, &mut sheets)?,
        Bundle::Stepped(cells) => stepped(plan, cells, &breaks, &mut sheets)?,
    }
    time(bundle, started, place, &mut sheets);
    Some(sheets)
}

/// Rows for the cells of a bundle that panicked: nothing of them is lost silently.
pub(crate) fn failed(plan: &Plan, bundle: &Bundle, reason: &str, place: &Place) -> Sheets {
    let mut sheets = Sheets::new(&plan.schemas);
    sheets.spent = plan.nothing_spent();
    for &index in bundle.cells() {
        emit_failed(plan, index, &plan.checked.cell(index), reason.to_owned(), &mut sheets);
    }
    time(bundle, Instant::now(), place, &mut sheets);
    sheets
}

/// Completes the rows of `timing`, which the cells have begun with their numbers.
fn time(bundle: &Bundle, started: Instant, place: &Place, sheets: &mut Sheets) {
    let count = bundle.cells().len();
    sheets.spent.wall = started.elapsed().as_secs_f64();
    sheets.spent.push(count, &place.host, place.threads, &mut sheets.timing);
}

/// One cell after the other on a design that they share.
fn one_design(plan: &Plan, cells: &[usize], breaks: &Breaks<'_>, sheets: &mut Sheets) -> Option<()> {
    let first = plan.checked.cell(cells[0]);
    let shelf = plan.shelf(&first);
    let draw = |_: &mut Spent| Bench::new(&first, shelf.features.as_ref(), plan.checked.study.seed);
    let bench = sheets.spent.on(On::Preparing, draw).and_then(|bench| {
        let obstacle = bench.rows().map_or(Ok(()), |prepared| choosing::obstacle(plan, &prepared.problem));
        obstacle.map(|()| bench)
    });
    let bench = match bench {
        Ok(bench) => bench,
        Err(reason) => {
            fail_all(plan, cells, &reason, sheets);
            return Some(());
        }
    };
    let Some(prepared) = bench.rows() else {
        fail_all(plan, cells, "a matrix has no closed form of its own", sheets);
        return Some(());
    };
    let setting = Setting::new(&shelf.instruments, &prepared.problem, &prepared.svd, &plan.metrics);
    let mut solved: Option<(u64, Solved)> = None;
    for &index in cells {
        let spec = plan.checked.cell(index);
        let replicate = spec.replicate;
        if solved.as_ref().is_none_or(|(of, _)| *of != replicate) {
            let views = Views::of_rows(&setting);
            let new = Solved::new(plan, prepared, &shelf, views, replicate, &mut sheets.spent);
            solved = Some((replicate, new));
        }
        let solved = solved.as_ref().map(|(_, solved)| solved);
        let outcome = match Cell::new(plan, index, spec, &bench, &shelf) {
            Ok(cell) => {
                let recorded = sheets.spent.on(On::Moving, |_| cell.record(plan, breaks))?;
                recorded.map(|recorded| (cell, recorded))
            }
            Err(reason) => Err(reason),
        };
        match outcome {
            Ok((cell, recorded)) => cell.emit(plan, &recorded, solved, Views::of_rows(&setting), sheets),
            Err(reason) => emit_failed(plan, index, &plan.checked.cell(index), reason, sheets),
        }
    }
    Some(())
}

fn fail_all(plan: &Plan, cells: &[usize], reason: &str, sheets: &mut Sheets) {
    for &index in cells {
        emit_failed(plan, index, &plan.checked.cell(index), reason.to_owned(), sheets);
    }
}

fn stepped(plan: &Plan, cells: &[usize], breaks: &Breaks<'_>, sheets: &mut Sheets) -> Option<()> {
    let seed = plan.checked.study.seed;
    let mut benches = Benches::default();
    let mut ready: Vec<(usize, CellSpec<'_>, Rc<Bench>, Arc<Shelf>)> = Vec::with_capacity(cells.len());
    for &index in cells {
        let spec = plan.checked.cell(index);
        let shelf = plan.shelf(&spec);
        match sheets.spent.on(On::Preparing, |_| benches.get(&spec, &shelf, seed)) {
            Ok(bench) => ready.push((index, spec, bench, shelf)),
            Err(reason) => emit_failed(plan, index, &spec, reason, sheets),
        }
    }
    let mut lanes: Vec<Cell<'_>> = Vec::with_capacity(ready.len());
    for (index, spec, bench, shelf) in &ready {
        match sheets.spent.on(On::Preparing, |_| Cell::new(plan, *index, spec.clone(), bench, shelf)) {
            Ok(cell) => lanes.push(cell),
            Err(reason) => emit_failed(plan, *index, spec, reason, sheets),
        }
    }
    while let Some(first) = lanes.first() {
        // Files may bring different numbers of points: lanes of one shape go together.
        let shape = first.step_shape();
        let (together, rest): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|cell| cell.step_shape() == shape);
        lanes = rest;
        step_together(plan, &together, breaks, sheets)?;
    }
    Some(())
}

impl Cell<'_> {
    /// What lanes must have in common beside their `[train]`: samples, inputs, outputs and parameters.
    pub(crate) fn step_shape(&self) -> [usize; 4] {
        let Shape { inputs, outputs, .. } = self.shape();
        [self.bench.task().samples(), inputs, outputs, self.start.len()]
    }

    /// Multiply-adds of one step, about.
    fn work_of_a_step(&self) -> usize {
        let [samples, inputs, outputs, parameters] = self.step_shape();
        2 * samples.min(inputs) * inputs * outputs + 3 * parameters * inputs.min(parameters)
    }
}

fn step_together(plan: &Plan, lanes: &[Cell<'_>], breaks: &Breaks<'_>, sheets: &mut Sheets) -> Option<()> {
    let first = &lanes[0];
    // L is the mean squared residual over 2 for rows; a level of the residual serves where it is not.
    let loss = first.spec.train.until.loss.map(|loss| (2.0 * loss.get() * first.mean_factor()).sqrt());
    let mut levels: Vec<f64> = LEVELS.iter().map(|(level, _)| *level).collect();
    levels.extend(loss);
    for group in side_by_side(lanes) {
        let (cells, reductions) = (group.cells.clone(), group.reductions());
        match sheets.spent.on(On::Moving, |_| group.path(plan, &levels)) {
            Ok(mut path) => record_lanes(plan, &cells, &reductions, &mut *path, loss, breaks, sheets)?,
            Err(reason) => {
                cells.iter().for_each(|cell| emit_failed(plan, cell.index, &cell.spec, reason.clone(), sheets))
            }
        }
    }
    Some(())
}

/// Moves a bundle along its lanes' save times, then writes each lane's rows.
fn record_lanes(
    plan: &Plan,
    lanes: &[&Cell<'_>],
    reductions: &[Option<String>],
    path: &mut dyn Trajectory,
    loss: Option<f64>,
    breaks: &Breaks<'_>,
    sheets: &mut Sheets,
) -> Option<()> {
    let grids: Vec<Result<Vec<Clock>, String>> = lanes.iter().map(|cell| cell.clocks(plan, None)).collect();
    let route = lanes[0].spec.route();
    let walk = Walk {
        keys: lanes.iter().map(|cell| &*cell.identity.key).collect(),
        grids: grids.iter().map(|grid| grid.as_deref().unwrap_or_default()).collect(),
        level: loss,
        ends_lost: false,
        stride: (WORK_BETWEEN_LOOKS / (lanes[0].work_of_a_step() * path.lanes())).max(1) as u64,
        path: &mut *path,
    };
    let recorded = lanes.iter().map(|cell| Recorded::empty(cell.snapshots(), route)).collect();
    let recorded = sheets.spent.on(On::Moving, |_| walk.record(recorded, breaks))?;
    let passed = |lane| loss.and_then(|level| reached(path.first_passage(lane, level)));
    // What metrics know of a problem serves every lane that has it.
    let mut settings: Option<(&Bench, Option<MatrixSetting<'_>>)> = None;
    for (lane, (cell, mut recorded)) in lanes.iter().zip(recorded).enumerate() {
        match &grids[lane] {
            Ok(grid) => {
                let end = grid.last().copied().into_iter().chain(passed(lane)).min_by(order);
                recorded.gradient_evaluations = path.gradient_evaluations();
                recorded.reduction.clone_from(&reductions[lane]);
                see_end(cell, path, lane, (end.unwrap_or(Clock::Limit), loss), &mut recorded);
                if settings.as_ref().is_none_or(|(bench, _)| !std::ptr::eq(*bench, cell.bench)) {
                    settings = Some((cell.bench, cell.matrix_setting()));
                }
                let matrix = settings.as_ref().and_then(|(_, matrix)| matrix.as_ref());
                emit_alone(plan, cell, matrix, &recorded, sheets);
            }
            Err(reason) => emit_failed(plan, cell.index, &cell.spec, reason.clone(), sheets),
        }
    }
    Some(())
}

/// First passages up to a lane's end; the last row of a lane that reached its loss is that passage itself.
fn see_end(
    cell: &Cell<'_>,
    path: &dyn Trajectory,
    lane: usize,
    (end, loss): (Clock, Option<f64>),
    recorded: &mut Recorded,
) {
    let seen = |level: f64| match path.first_passage(lane, level) {
        Passage::At(clock) if order(&clock, &end).is_le() => Passage::At(clock),
        _ => Passage::NotYet,
    };
    if let Some(level) = loss
        && let Some(clock) = reached(seen(level))
        && let Some((theta, freedom)) = path.at_passage(lane, level)
    {
        recorded.clocks.push(clock);
        cell.push_theta(&theta, freedom, &mut recorded.snapshots);
    }
    recorded.passages = LEVELS.map(|(level, _)| seen(level));
    if reached(seen(INTERPOLATION)).is_some() {
        recorded.interpolation = path.at_passage(lane, INTERPOLATION);
    }
}

/// Writes the rows of a cell that shares its problem with no other.
fn emit_alone(
    plan: &Plan,
    cell: &Cell<'_>,
    matrix: Option<&MatrixSetting<'_>>,
    recorded: &Recorded,
    sheets: &mut Sheets,
) {
    let Some(prepared) = cell.bench.rows() else {
        return cell.emit(plan, recorded, None, Views { rows: None, matrix }, sheets);
    };
    let setting = Setting::new(&cell.shelf.instruments, &prepared.problem, &prepared.svd, &plan.metrics);
    let views = Views { rows: Some(&setting), matrix };
    let solved = Solved::new(plan, prepared, cell.shelf, views, cell.spec.replicate, &mut sheets.spent);
    cell.emit(plan, recorded, Some(&solved), views, sheets);
}
