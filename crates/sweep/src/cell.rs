//! One cell, from its problem to its rows.

use crate::choosing::{self, Candidates, Choice, Kind, Path, push_choices, push_ridge_choices, push_scores, risk_of};
use crate::clocks::clocks;
use crate::identity::Identity;
use crate::plan::Plan;
use crate::recorded::{Ending, Recorded};
use crate::row_kinds::{Label, emit_curve, emit_moments, emit_parameters, measure, push_column, push_stage};
use crate::solved::Solved;
use crate::study::{CellSpec, too_many_steps};
use crate::summary::{best_row, largest_drop, reached};
use crate::tables::{BEST_BY, Sheets};
use crate::workbench::{Prepared, Shelf};
use taut_metrics::{Column, Setting};
use taut_numerics::{normal, stream};
use taut_problem::{Clock, Dynamics, Motion, Snapshots, Steps};
use taut_store::Rows;
use taut_theory::{Prediction, Premise};
use taut_train::{Lane, Route, SpectralPath};

/// A cell with everything it needs to be looked at.
pub(crate) struct Cell<'a> {
    pub(crate) index: usize,
    pub(crate) spec: CellSpec<'a>,
    pub(crate) identity: Identity,
    pub(crate) prepared: &'a Prepared,
    pub(crate) shelf: &'a Shelf,
    pub(crate) dynamics: Dynamics,
    pub(crate) start: Vec<f64>,
}

/// What the rows of a path carry beside metrics.
#[derive(Clone, Copy)]
struct Beside<'a> {
    /// The stage of each row; empty where there is one only.
    stages: &'a [i64],
    /// What every criterion of `[choose]` makes of each row.
    scores: &'a [Option<Vec<f64>>],
}

impl<'a> Cell<'a> {
    /// Resolves step size and start.
    pub(crate) fn new(
        plan: &'a Plan,
        index: usize,
        spec: CellSpec<'a>,
        prepared: &'a Prepared,
        shelf: &'a Shelf,
    ) -> Result<Self, String> {
        let identity = Identity::of(&spec.canonical());
        let dynamics = spec.train.dynamics(prepared.lambda_max);
        let start = start(&spec, prepared.problem.feature_count(), plan.checked.study.seed)?;
        let stability = spec.train.method.optimizer().stability();
        if !spec.train.allow_unstable
            && let Some(beyond) = prepared.instability(&spec.train.stiffest(prepared.lambda_max), stability)
        {
            return Err(format!("{beyond}: use a smaller one, or set train.allow_unstable = true"));
        }
        Ok(Self { index, spec, identity, prepared, shelf, dynamics, start })
    }

    /// This cell in a stepped bundle.
    pub(crate) fn lane(&self) -> Lane<'_> {
        Lane {
            problem: &self.prepared.problem,
            dynamics: &self.dynamics,
            start: &self.start,
            replicate: self.spec.replicate,
        }
    }

    pub(crate) fn is_flow(&self) -> bool {
        self.dynamics.motion == Motion::Flow
    }

    /// The training time of one point of the clock.
    fn time(&self, clock: Clock) -> f64 {
        self.dynamics.times(&[clock])[0]
    }

    /// Where to look at this cell; `path` answers when a loss is passed.
    pub(crate) fn clocks(&self, plan: &Plan, path: Option<&SpectralPath>) -> Result<Vec<Clock>, String> {
        let until = &self.spec.train.until;
        let last = until.steps.map_or(u64::MAX, Steps::get);
        let clocks = clocks(&plan.checked.study.record, until, self.is_flow(), self.dynamics.step_size, |loss| {
            // L = rms²/2 for every least-squares model.
            path.and_then(|path| reached(path.first_passage_by((2.0 * loss).sqrt(), last)))
        })?;
        let end = clocks.iter().filter_map(|clock| clock.step()).next_back();
        match end.and_then(|end| too_many_steps(self.spec.train, end)) {
            Some(reason) => Err(reason),
            None => Ok(clocks),
        }
    }

    /// Writes every row that this cell has.
    pub(crate) fn emit(
        &self,
        plan: &Plan,
        recorded: &Recorded,
        solved: &Solved,
        setting: &Setting<'_>,
        sheets: &mut Sheets,
    ) {
        sheets.timing.push_int(0, Some(self.identity.cell));
        let columns = measure(setting, &recorded.snapshots, &plan.metrics);
        let times = self.dynamics.times(&recorded.clocks);
        let scores = self.scores(plan, recorded, solved);
        let beside = Beside { stages: &recorded.stages, scores: &scores };
        self.emit_path("trained", &recorded.clocks, &times, &columns, beside, &mut sheets.trajectory);
        self.emit_details(plan, recorded, &times, sheets);
        self.emit_theory(plan, recorded, &times, setting, sheets);
        solved.emit(plan, self.identity.cell, sheets);
        let at = self.emit_cell(plan, recorded, &times, setting, &columns, &mut sheets.cells);
        let choices: Vec<_> = scores.iter().map(|s| Choice::new(s.as_deref(), risk_of(&columns))).collect();
        let at = push_choices(&mut sheets.cells, at, &choices, &recorded.clocks, &times);
        if let Some((choices, lambda)) = solved.ridge_choices() {
            push_ridge_choices(&mut sheets.cells, at, &choices, lambda);
        }
    }

    /// What every criterion of `[choose]` makes of the recorded rows.
    fn scores(&self, plan: &Plan, recorded: &Recorded, solved: &Solved) -> Vec<Option<Vec<f64>>> {
        let Prepared { problem, svd, .. } = self.prepared;
        let (clocks, filters) = (&recorded.clocks[..], &recorded.filters[..]);
        let kind = match self.spec.train.route() {
            Route::Exact => Kind::Path(Path { dynamics: &self.dynamics, start: &self.start, clocks, filters }),
            Route::Stepped | Route::Moments | Route::Staged => Kind::Other,
        };
        let predictors = &recorded.snapshots.coefficients;
        let covariances = &recorded.snapshots.covariances;
        choosing::scores(plan, &Candidates { problem, svd, refits: &solved.refits, predictors, covariances, kind })
    }

    fn emit_path(
        &self,
        source: &str,
        clocks: &[Clock],
        times: &[f64],
        columns: &[Column],
        beside: Beside<'_>,
        rows: &mut Rows,
    ) {
        let count = clocks.len();
        rows.repeat_int(0, Some(self.identity.cell), count);
        rows.repeat_text(1, Some(source), count);
        for (clock, time) in clocks.iter().zip(times) {
            rows.push_int(2, clock.step().map(|s| s as i64));
            rows.push_float(3, Some(*time));
        }
        for (i, column) in columns.iter().enumerate() {
            push_column(rows, 4 + i, column, count);
        }
        push_scores(rows, 4 + columns.len(), beside.scores, count);
        for row in 0..count {
            push_stage(rows, beside.stages.get(row).copied(), 1);
        }
    }

    fn emit_details(&self, plan: &Plan, recorded: &Recorded, times: &[f64], sheets: &mut Sheets) {
        let p = self.prepared.problem.feature_count();
        for (row, (&clock, &time)) in recorded.clocks.iter().zip(times).enumerate() {
            let theta = &recorded.snapshots.coefficients[row * p..(row + 1) * p];
            if let Some(rows) = &mut sheets.modes {
                self.emit_modes((clock, time), theta, recorded, row, rows);
                push_stage(rows, recorded.stages.get(row).copied(), self.prepared.svd.rank());
            }
            if let Some(rows) = &mut sheets.parameters {
                let place = Some((clock, time));
                let label = Label { stage: recorded.stages.get(row).copied(), ..Label::default() };
                match recorded.snapshots.covariance(row) {
                    Some(covariance) => emit_moments(self.identity.cell, place, theta, covariance, rows),
                    None => emit_parameters(self.identity.cell, "trained", place, &label, theta, rows),
                }
            }
        }
        if let Some(rows) = &mut sheets.curves {
            let values = self.shelf.curve_values(&self.prepared.problem, &recorded.snapshots, &plan.curve_grid);
            let places = recorded.clocks.iter().copied().zip(times.iter().copied());
            let curves = values.chunks_exact(plan.curve_grid.len().max(1));
            for (row, (place, values)) in places.zip(curves).enumerate() {
                let label = Label { stage: recorded.stages.get(row).copied(), ..Label::default() };
                emit_curve(self.identity.cell, Some(place), &label, &plan.curve_grid, values, rows);
            }
        }
    }

    fn emit_modes(&self, place: (Clock, f64), theta: &[f64], recorded: &Recorded, row: usize, rows: &mut Rows) {
        let svd = &self.prepared.svd;
        let r = svd.rank();
        for i in 0..r {
            let strength: f64 = svd.v.column(i).iter().zip(theta).map(|(v, t)| v * t).sum();
            let filter = (!recorded.filters.is_empty()).then(|| recorded.filters[row * r + i]);
            self.push_mode("trained", place, (i + 1, svd.s[i], strength, filter), rows);
        }
    }

    fn push_mode(&self, source: &str, place: (Clock, f64), mode: (usize, f64, f64, Option<f64>), rows: &mut Rows) {
        rows.push_int(0, Some(self.identity.cell));
        rows.push_text(1, Some(source));
        rows.push_int(2, place.0.step().map(|s| s as i64));
        rows.push_float(3, Some(place.1));
        rows.push_int(4, Some(mode.0 as i64));
        rows.push_float(5, Some(mode.1));
        rows.push_float(6, Some(mode.2));
        rows.push_float(7, mode.3);
    }

    fn emit_theory(&self, plan: &Plan, recorded: &Recorded, times: &[f64], setting: &Setting<'_>, sheets: &mut Sheets) {
        if self.spec.train.continuation.is_some() {
            // No theory knows of stages, and one that took them for a plain motion would be wrong.
            return;
        }
        let ridge = plan.checked.study.solutions.ridge_grid();
        for theory in &plan.theories {
            let prediction = (theory.build)(&Premise {
                problem: &self.prepared.problem,
                dynamics: &self.dynamics,
                start: &self.start,
                clocks: &recorded.clocks,
                times,
                ridge: &ridge,
            });
            self.emit_prediction(plan, theory.name, &prediction, setting, sheets);
        }
    }

    fn emit_prediction(
        &self,
        plan: &Plan,
        theory: &str,
        prediction: &Prediction,
        setting: &Setting<'_>,
        sheets: &mut Sheets,
    ) {
        let mut functions = Snapshots::series(self.prepared.problem.feature_count());
        for (_, coefficients) in &prediction.path {
            functions.push_series(coefficients, f64::NAN);
        }
        let clocks: Vec<Clock> = prediction.path.iter().map(|p| p.0).collect();
        let columns = measure(setting, &functions, &plan.metrics);
        let unscored = vec![None; choosing::asked(&plan.checked).len()];
        let beside = Beside { stages: &[], scores: &unscored };
        let times = self.dynamics.times(&clocks);
        self.emit_path(theory, &clocks, &times, &columns, beside, &mut sheets.trajectory);
        self.emit_predicted_metrics(plan, theory, prediction, &mut sheets.trajectory);
        if let Some(rows) = &mut sheets.modes {
            // All at once: with a schedule every time is a walk from the start.
            let clocks: Vec<Clock> = prediction.modes.iter().map(|m| m.clock).collect();
            for (m, time) in prediction.modes.iter().zip(self.dynamics.times(&clocks)) {
                self.push_mode(theory, (m.clock, time), (m.mode, m.value, m.strength, Some(m.filter)), rows);
                push_stage(rows, None, 1);
            }
        }
        if let Some(rows) = &mut sheets.predictions {
            // A theory that has nothing to say here says why.
            let is_silent = prediction.numbers.is_empty() && prediction.unmet.is_some();
            for number in prediction.numbers.iter().map(Some).chain(is_silent.then_some(None)) {
                rows.push_int(0, Some(self.identity.cell));
                rows.push_text(1, Some(theory));
                rows.push_text(2, number.map(|n| n.quantity));
                rows.push_float(3, number.and_then(|n| n.parameter));
                rows.push_float(4, number.map(|n| n.value));
                rows.push_bool(5, Some(prediction.unmet.is_none()));
                rows.push_text(6, prediction.unmet.as_deref());
            }
        }
    }

    /// Rows in which a theory knows one metric and no function: the others are null.
    fn emit_predicted_metrics(&self, plan: &Plan, theory: &str, prediction: &Prediction, rows: &mut Rows) {
        let clocks: Vec<Clock> = prediction.curves.iter().map(|c| c.0).collect();
        let times = self.dynamics.times(&clocks);
        for (&(clock, name, value), time) in prediction.curves.iter().zip(times) {
            rows.push_int(0, Some(self.identity.cell));
            rows.push_text(1, Some(theory));
            rows.push_int(2, clock.step().map(|s| s as i64));
            rows.push_float(3, Some(time));
            for (i, metric) in plan.metrics.iter().enumerate() {
                rows.push_float(4 + i, (metric.name == name).then_some(value));
            }
            (4 + plan.metrics.len()..plan.schemas.trajectory.columns.len())
                .for_each(|column| rows.push_null(column, 1));
        }
    }

    /// Returns the column after the last one written.
    fn emit_cell(
        &self,
        plan: &Plan,
        recorded: &Recorded,
        times: &[f64],
        setting: &Setting<'_>,
        columns: &[Column],
        rows: &mut Rows,
    ) -> usize {
        let (ending, solver) = (recorded.ending(self.dynamics.batch.is_some()), Some(recorded.route.name()));
        let mut at = push_head(plan, self.index, &self.spec, &self.identity, &ending, solver, rows);
        let Prepared { problem, svd, lambda_max } = self.prepared;
        let mut next = || {
            at += 1;
            at - 1
        };
        rows.push_int(next(), Some(problem.samples() as i64));
        rows.push_int(next(), Some(problem.feature_count() as i64));
        rows.push_int(next(), Some(svd.rank() as i64));
        rows.push_float(next(), Some(svd.condition()));
        rows.push_float(next(), Some(*lambda_max));
        rows.push_float(next(), Some(*lambda_max));
        rows.push_float(next(), (!self.is_flow()).then_some(self.dynamics.step_size));
        rows.push_bool(next(), Some(f64::EPSILON * svd.condition() < 1e-6));
        rows.push_float(next(), setting.least_bending_energy());
        for passage in recorded.passages {
            let clock = reached(passage);
            rows.push_int(next(), clock.and_then(Clock::step).map(|s| s as i64));
            rows.push_float(next(), clock.map(|clock| self.time(clock)));
        }
        if plan.metrics.iter().any(|m| BEST_BY.contains(&m.name)) {
            let measured = |name: &str| columns.iter().find(|c| c.metric.name == name)?.values.as_deref();
            let best = BEST_BY.into_iter().find_map(measured).and_then(best_row);
            let clock = best.map(|row| recorded.clocks[row]);
            rows.push_int(next(), clock.and_then(Clock::step).map(|s| s as i64));
            rows.push_float(next(), best.map(|row| times[row]));
            for column in columns {
                rows.push_float(next(), best.and_then(|row| column.value(row)));
            }
        }
        let mut interpolation = Snapshots::series(problem.feature_count());
        if let Some((coefficients, freedom)) = &recorded.interpolation {
            interpolation.push_series(coefficients, *freedom);
        }
        for column in measure(setting, &interpolation, &plan.metrics) {
            let there = recorded.interpolation.is_some();
            rows.push_float(next(), there.then(|| column.value(0)).flatten());
        }
        let last = recorded.clocks.len().checked_sub(1);
        for column in columns {
            rows.push_float(next(), last.and_then(|row| column.value(row)));
        }
        for (metric, column) in plan.metrics.iter().zip(columns) {
            if metric.wiggliness {
                rows.push_float(next(), column.values.as_deref().and_then(largest_drop));
            }
        }
        at
    }
}

/// The row of a cell that never started.
pub(crate) fn emit_failed(plan: &Plan, index: usize, spec: &CellSpec<'_>, reason: String, sheets: &mut Sheets) {
    let identity = Identity::of(&spec.canonical());
    sheets.timing.push_int(0, Some(identity.cell));
    let at = push_head(plan, index, spec, &identity, &Ending::Failed(reason), None, &mut sheets.cells);
    for column in at..plan.schemas.cells.columns.len() {
        sheets.cells.push_null(column, 1);
    }
}

/// The fixed columns and the axes; returns the first column after them.
fn push_head(
    plan: &Plan,
    index: usize,
    spec: &CellSpec<'_>,
    identity: &Identity,
    ending: &Ending,
    solver: Option<&str>,
    rows: &mut Rows,
) -> usize {
    let (status, reason) = match ending {
        Ending::Finished => ("finished", None),
        Ending::Diverged(reason) => ("diverged", Some(reason.as_str())),
        Ending::Failed(reason) => ("failed", Some(reason.as_str())),
    };
    rows.push_int(0, Some(identity.cell));
    rows.push_text(1, Some(&identity.key));
    rows.push_int(2, Some(spec.replicate as i64));
    rows.push_text(3, Some(status));
    rows.push_text(4, reason);
    rows.push_text(5, solver);
    plan.push_axes(index, crate::tables::CELL_HEAD, rows)
}

/// θ₀ of a cell; Gaussian starts use the stream `start`, so they do not depend on the motion.
fn start(spec: &CellSpec<'_>, p: usize, seed: u64) -> Result<Vec<f64>, String> {
    use taut_problem::Init;
    match &spec.model.init {
        Init::Zero => Ok(vec![0.0; p]),
        Init::Gaussian(gaussian) => {
            let mut draws = stream(seed, "start", spec.replicate);
            Ok((0..p).map(|_| gaussian.scale.get() * normal(&mut draws)).collect())
        }
        Init::Constant(constant) => Ok(vec![constant.scale.get(); p]),
        Init::File(file) => {
            let theta = spec.theta.ok_or_else(|| format!("the start in {} was not read", file.file))?;
            if theta.len() != p {
                return Err(format!("the start in {} has {} entries for {p} features", file.file, theta.len()));
            }
            Ok(theta.to_vec())
        }
    }
}
