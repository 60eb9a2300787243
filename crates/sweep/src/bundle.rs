//! What is computed together: cells that share a design, or cells that step side by side.

use crate::cell::{Cell, emit_failed};
use crate::choosing;
use crate::plan::Plan;
use crate::recorded::{Recorded, WORK_BETWEEN_LOOKS};
use crate::solved::Solved;
use crate::study::CellSpec;
use crate::summary::{INTERPOLATION, LEVELS, reached};
use crate::tables::Sheets;
use crate::workbench::{Prepared, ProblemKey};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use taut_metrics::Setting;
use taut_problem::{Clock, Passage, Trajectory};
use taut_train::{Lane, Route, Stepped};

/// Cells of one bundle at the most when they share a design; more would leave threads idle.
const SHARED: usize = 16;

/// The same for moments: what they share is little beside what each cell costs.
const SHARED_MOMENTS: usize = 4;

/// Lanes of a stepped bundle with a small design; larger ones step alone. Fixed by the shape.
const LANES: usize = 8;

/// Designs up to this many entries step in lanes.
const SMALL: usize = 4096;

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
    let mut stepped: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for index in cells {
        let spec = plan.checked.cell(index);
        match spec.train.route() {
            Route::Stepped => {
                // One model and one data entry have one shape, and one entry of train one set of times.
                let shape = (spec.model_index, spec.train_index);
                stepped.entry(shape).or_default().push(index);
            }
            Route::Moments => moments.entry(ProblemKey::of(&spec)).or_default().push(index),
            Route::Exact | Route::Staged => exact.entry(ProblemKey::of(&spec)).or_default().push(index),
        }
    }
    let exact = exact.into_values().flat_map(|group| chunks(&group, SHARED)).map(Bundle::Exact);
    let stepped = stepped.into_values().flat_map(|group| chunks(&group, LANES)).map(Bundle::Stepped);
    let moments = moments.into_values().flat_map(|group| chunks(&group, SHARED_MOMENTS)).map(Bundle::Moments);
    exact.chain(moments).chain(stepped).collect()
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

/// Computes every cell of a bundle; `None` if asked to stop on the way.
pub(crate) fn compute(plan: &Plan, bundle: &Bundle, place: &Place, stop: &AtomicBool) -> Option<Sheets> {
    let started = Instant::now();
    let mut sheets = Sheets::new(&plan.schemas);
    match bundle {
        Bundle::Exact(cells) | Bundle::Moments(cells) => one_design(plan, cells, stop, &mut sheets)?,
        Bundle::Stepped(cells) => stepped(plan, cells, stop, &mut sheets)?,
    }
    time(bundle, started, place, &mut sheets);
    Some(sheets)
}

/// Rows for the cells of a bundle that panicked: nothing of them is lost silently.
pub(crate) fn failed(plan: &Plan, bundle: &Bundle, reason: &str, place: &Place) -> Sheets {
    let mut sheets = Sheets::new(&plan.schemas);
    for &index in bundle.cells() {
        emit_failed(plan, index, &plan.checked.cell(index), reason.to_owned(), &mut sheets);
    }
    time(bundle, Instant::now(), place, &mut sheets);
    sheets
}

/// Completes the rows of `timing`, which the cells have begun with their numbers.
fn time(bundle: &Bundle, started: Instant, place: &Place, sheets: &mut Sheets) {
    let count = bundle.cells().len();
    let rows = &mut sheets.timing;
    rows.repeat_float(1, Some(started.elapsed().as_secs_f64() / count as f64), count);
    rows.repeat_text(2, Some(&place.host), count);
    rows.repeat_int(3, Some(place.threads as i64), count);
}

/// One cell after the other on a design that they share.
fn one_design(plan: &Plan, cells: &[usize], stop: &AtomicBool, sheets: &mut Sheets) -> Option<()> {
    let first = plan.checked.cell(cells[0]);
    let shelf = plan.shelf(&first);
    let prepared = Prepared::new(&first, shelf.features.as_ref(), plan.checked.study.seed)
        .and_then(|prepared| choosing::obstacle(plan, &prepared.problem).map(|()| prepared));
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => {
            fail_all(plan, cells, &reason, sheets);
            return Some(());
        }
    };
    let setting = Setting::new(&shelf.instruments, &prepared.problem, &prepared.svd, &plan.metrics);
    let mut solved: Option<(u64, Solved)> = None;
    for &index in cells {
        let spec = plan.checked.cell(index);
        let replicate = spec.replicate;
        if solved.as_ref().is_none_or(|(of, _)| *of != replicate) {
            solved = Some((replicate, Solved::new(plan, &prepared, &shelf, &setting, replicate)));
        }
        let Some((_, solved)) = &solved else { unreachable!("just filled") };
        let outcome = match Cell::new(plan, index, spec, &prepared, &shelf) {
            Ok(cell) => cell.record(plan, stop)?.map(|recorded| (cell, recorded)),
            Err(reason) => Err(reason),
        };
        match outcome {
            Ok((cell, recorded)) => cell.emit(plan, &recorded, solved, &setting, sheets),
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

fn stepped(plan: &Plan, cells: &[usize], stop: &AtomicBool, sheets: &mut Sheets) -> Option<()> {
    let seed = plan.checked.study.seed;
    // A stepped bundle has one model.
    let &first = cells.first()?;
    let shelf = plan.shelf(&plan.checked.cell(first));
    let mut ready: Vec<(usize, CellSpec<'_>, Prepared)> = Vec::with_capacity(cells.len());
    for &index in cells {
        let spec = plan.checked.cell(index);
        match Prepared::new(&spec, shelf.features.as_ref(), seed) {
            Ok(prepared) => ready.push((index, spec, prepared)),
            Err(reason) => emit_failed(plan, index, &spec, reason, sheets),
        }
    }
    let mut lanes: Vec<Cell<'_>> = Vec::with_capacity(ready.len());
    for (index, spec, prepared) in &ready {
        match Cell::new(plan, *index, spec.clone(), prepared, &shelf) {
            Ok(cell) => lanes.push(cell),
            Err(reason) => emit_failed(plan, *index, spec, reason, sheets),
        }
    }
    while let Some(first) = lanes.first() {
        // Files may bring different numbers of points: lanes of one shape go together.
        let shape = first.prepared.problem.design.shape();
        let (together, rest): (Vec<_>, Vec<_>) =
            lanes.into_iter().partition(|cell| cell.prepared.problem.design.shape() == shape);
        lanes = rest;
        step_together(plan, &together, stop, sheets)?;
    }
    Some(())
}

fn step_together(plan: &Plan, lanes: &[Cell<'_>], stop: &AtomicBool, sheets: &mut Sheets) -> Option<()> {
    let spec = &lanes[0].spec;
    let loss = spec.train.until.loss.map(|loss| (2.0 * loss.get()).sqrt());
    let mut levels: Vec<f64> = LEVELS.iter().map(|(level, _)| *level).collect();
    levels.extend(loss);
    let (n, p) = lanes[0].prepared.problem.design.shape();
    let width = if n * p <= SMALL { LANES } else { 1 };
    for cells in lanes.chunks(width) {
        let given: Vec<Lane<'_>> = cells.iter().map(Cell::lane).collect();
        let parametrization = spec.model.parametrization.build();
        let seed = plan.checked.study.seed;
        let mut path = Stepped::new(&given, width, parametrization, &spec.train.method, seed, &levels);
        record_lanes(plan, cells, &mut path, loss, stop, sheets)?;
    }
    Some(())
}

/// Moves a bundle over the union of its lanes' save times, then writes each lane's rows.
///
/// The bundle goes on to the end of its longest lane; what a lane does after its own end is not seen.
fn record_lanes(
    plan: &Plan,
    lanes: &[Cell<'_>],
    path: &mut Stepped,
    loss: Option<f64>,
    stop: &AtomicBool,
    sheets: &mut Sheets,
) -> Option<()> {
    let grids: Vec<Result<Vec<Clock>, String>> = lanes.iter().map(|cell| cell.clocks(plan, None)).collect();
    let mut union: Vec<u64> = grids.iter().flatten().flatten().filter_map(|clock| clock.step()).collect();
    union.sort_unstable();
    union.dedup();
    let (n, p) = lanes[0].prepared.problem.design.shape();
    let stride = (WORK_BETWEEN_LOOKS / (n * p * path.lanes())).max(1) as u64;
    let mut recorded: Vec<Recorded> = lanes.iter().map(|_| Recorded::empty(p, Route::Stepped)).collect();
    let mut now = 0;
    for step in union {
        while now < step {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            now = step.min(now + stride);
            path.advance_to(Clock::Step(now));
        }
        for (lane, recorded) in recorded.iter_mut().enumerate() {
            let wanted = grids[lane].as_ref().is_ok_and(|grid| grid.binary_search_by(|c| at(*c).cmp(&step)).is_ok());
            let passed = loss.is_some_and(|level| reached(path.first_passage(lane, level)).is_some());
            if wanted && recorded.diverged.is_none() && !passed {
                recorded.push(path, lane, Clock::Step(step));
            }
        }
    }
    for (lane, (cell, mut recorded)) in lanes.iter().zip(recorded).enumerate() {
        let end = match &grids[lane] {
            Ok(grid) => grid.last().map_or(0, |clock| at(*clock)),
            Err(reason) => {
                emit_failed(plan, cell.index, &cell.spec, reason.clone(), sheets);
                continue;
            }
        };
        let seen = |level: f64| match path.first_passage(lane, level) {
            Passage::At(clock) if at(clock) <= end => Passage::At(clock),
            _ => Passage::NotYet,
        };
        if let Some(level) = loss
            && let Some(clock) = reached(seen(level))
            && let Some((predictor, freedom)) = path.at_passage(lane, level)
        {
            // The last row of a lane that reached its loss is the passage itself.
            recorded.clocks.push(clock);
            recorded.snapshots.push_series(&predictor, freedom);
        }
        recorded.passages = LEVELS.map(|(level, _)| seen(level));
        if reached(seen(INTERPOLATION)).is_some() {
            recorded.interpolation = path.at_passage(lane, INTERPOLATION);
        }
        let Prepared { problem, svd, .. } = cell.prepared;
        let setting = Setting::new(&cell.shelf.instruments, problem, svd, &plan.metrics);
        let solved = Solved::new(plan, cell.prepared, cell.shelf, &setting, cell.spec.replicate);
        cell.emit(plan, &recorded, &solved, &setting, sheets);
    }
    Some(())
}

/// The step of a clock of a stepped run.
fn at(clock: Clock) -> u64 {
    clock.step().unwrap_or(u64::MAX)
}
