//! One cell, from its problem to its rows.

use crate::choosing::{self, Candidates, Choice, Kind, Path, push_choices, push_ridge_choices, push_scores, risk_of};
use crate::clocks::clocks;
use crate::identity::Identity;
use crate::plan::Plan;
use crate::recorded::{Ending, Recorded};
use crate::row_kinds::{Label, measure, measure_by, push_column, push_stage};
use crate::solved::Solved;
use crate::spent::{On, Spent};
use crate::study::{CellSpec, too_many_steps};
use crate::summary::{best_row, largest_drop, reached};
use crate::tables::{BEST_BY, Sheets};
use crate::workbench::{Bench, Prepared, Shelf};
use std::time::Instant;
use taut_metrics::{Column, Look, MatrixSetting, Setting, Views};
use taut_problem::{Clock, Dynamics, Motion, Observed, ParametrizationKind, Shape, Snapshots, Steps};
use taut_store::Rows;
use taut_theory::{MatrixPremise, Prediction, Premise, TheoryDef};
use taut_train::{Lane, Route, SpectralPath};

/// A cell with everything it needs to be looked at.
pub(crate) struct Cell<'a> {
    pub(crate) index: usize,
    pub(crate) spec: CellSpec<'a>,
    pub(crate) identity: Identity,
    pub(crate) bench: &'a Bench,
    pub(crate) shelf: &'a Shelf,
    pub(crate) dynamics: Dynamics,
    /// What a relative step size is divided by.
    pub(crate) lambda_ref: f64,
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
        bench: &'a Bench,
        shelf: &'a Shelf,
    ) -> Result<Self, String> {
        let identity = spec.identity();
        let lambda_ref = bench.reference_curvature(&spec);
        let units = spec.train.units(bench.task());
        let dynamics = spec.train.dynamics(lambda_ref, units);
        let (kind, file) = (&spec.model.parametrization, spec.start.map(|file| &**file));
        let streams = (plan.checked.study.seed, spec.replicate);
        let start = spec.model.init.draw(bench.task(), kind, file, streams)?;
        let stability = spec.train.method.optimizer().stability();
        if let (Some(prepared), true, false) = (bench.rows(), spec.is_linear(), spec.train.allow_unstable)
            && let Some(beyond) = prepared.instability(&spec.train.stiffest(prepared.lambda_max, units), stability)
        {
            return Err(format!("{beyond}: use a smaller one, or set train.allow_unstable = true"));
        }
        Ok(Self { index, spec, identity, bench, shelf, dynamics, lambda_ref, start })
    }

    /// This cell in a stepped bundle.
    pub(crate) fn lane(&self) -> Lane<'_> {
        Lane { task: self.bench.task(), dynamics: &self.dynamics, start: &self.start, replicate: self.spec.replicate }
    }

    /// How parameters make the predictor.
    pub(crate) fn kind(&self) -> &ParametrizationKind {
        &self.spec.model.parametrization
    }

    /// The shape of the predictor.
    pub(crate) fn shape(&self) -> Shape {
        self.bench.task().shape(1)
    }

    /// How the metrics of matrices see this cell; none where it is linear with one output.
    pub(crate) fn matrix_setting(&self) -> Option<MatrixSetting<'_>> {
        (!self.spec.is_linear()).then(|| MatrixSetting::new(self.bench.task(), self.kind()))
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
        match end.and_then(|end| too_many_steps(self.spec.train, self.spec.is_linear(), end)) {
            Some(reason) => Err(reason),
            None => Ok(clocks),
        }
    }

    /// Writes every row that this cell has.
    pub(crate) fn emit(
        &self,
        plan: &Plan,
        recorded: &Recorded,
        solved: Option<&Solved>,
        views: Views<'_>,
        sheets: &mut Sheets,
    ) {
        sheets.timing.push_int(0, Some(self.identity.cell));
        let look = Look::new(views, &recorded.snapshots);
        let columns = measure_by(&look, &plan.metrics, &mut sheets.spent);
        let times = self.dynamics.times(&recorded.clocks);
        let scores = self.scores(plan, recorded, solved);
        let beside = Beside { stages: &recorded.stages, scores: &scores };
        self.emit_path("trained", &recorded.clocks, &times, &columns, beside, &mut sheets.trajectory);
        let began = Instant::now();
        self.emit_details(plan, recorded, &times, &look, sheets);
        sheets.spent.details += began.elapsed().as_secs_f64();

        self.emit_theory(plan, recorded, &times, views, sheets);
        if let Some(solved) = solved {
            solved.emit(plan, self.identity.cell, sheets);
        }
        let at = self.emit_cell(plan, recorded, &times, views, &columns, sheets);
        let choices: Vec<_> = scores.iter().map(|s| Choice::new(s.as_deref(), risk_of(&columns))).collect();
        let at = push_choices(&mut sheets.cells, at, &choices, &recorded.clocks, &times);
        match solved.and_then(Solved::ridge_choices) {
            Some((choices, lambda)) => push_ridge_choices(&mut sheets.cells, at, &choices, lambda),
            None => (at..plan.schemas.cells.columns.len()).for_each(|column| sheets.cells.push_null(column, 1)),
        }
    }

    /// What every criterion of `[choose]` makes of the recorded rows.
    fn scores(&self, plan: &Plan, recorded: &Recorded, solved: Option<&Solved>) -> Vec<Option<Vec<f64>>> {
        let (Some(Prepared { problem, svd, .. }), Some(solved)) = (self.bench.rows(), solved) else {
            return vec![None; choosing::asked(&plan.checked).len()];
        };
        let (clocks, filters) = (&recorded.clocks[..], &recorded.filters[..]);
        let kind = match self.spec.route() {
            Route::Exact => Kind::Path(Path { dynamics: &self.dynamics, start: &self.start, clocks, filters }),
            _ => Kind::Other,
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

    fn emit_theory(&self, plan: &Plan, recorded: &Recorded, times: &[f64], views: Views<'_>, sheets: &mut Sheets) {
        if self.spec.train.continuation.is_some() {
            // No theory knows of stages, and one that took them for a plain motion would be wrong.
            return;
        }
        for theory in &plan.theories {
            let predict = |_: &mut Spent| self.prediction(plan, theory, &recorded.clocks, times, views);
            let prediction = sheets.spent.on(On::Theory, predict);
            self.emit_prediction(plan, theory.name, &prediction, views, sheets);
        }
    }

    fn prediction(
        &self,
        plan: &Plan,
        theory: &TheoryDef,
        clocks: &[Clock],
        times: &[f64],
        views: Views<'_>,
    ) -> Prediction {
        let (dynamics, start) = (&self.dynamics, &self.start[..]);
        if let Some(matrix) = views.matrix {
            let (problem, parametrization) = (matrix.problem(), self.kind());
            return theory.of_matrix(&MatrixPremise { problem, parametrization, dynamics, start, clocks, times });
        }
        let Some(Prepared { problem, .. }) = self.bench.rows() else {
            return Prediction::silent("there is no regression");
        };
        let ridge = plan.checked.study.solutions.ridge_grid();
        theory.of_rows(&Premise { problem, dynamics, start, clocks, times, ridge: &ridge })
    }

    fn emit_prediction(
        &self,
        plan: &Plan,
        theory: &str,
        prediction: &Prediction,
        views: Views<'_>,
        sheets: &mut Sheets,
    ) {
        let mut functions = Snapshots::series(self.shape().slots());
        for (_, coefficients) in &prediction.path {
            functions.push_series(coefficients, f64::NAN);
        }
        let clocks: Vec<Clock> = prediction.path.iter().map(|p| p.0).collect();
        let columns = measure(views, &functions, &plan.metrics, &mut sheets.spent);
        let unscored = vec![None; choosing::asked(&plan.checked).len()];
        let beside = Beside { stages: &[], scores: &unscored };
        let times = self.dynamics.times(&clocks);
        self.emit_path(theory, &clocks, &times, &columns, beside, &mut sheets.trajectory);
        self.emit_predicted_metrics(plan, theory, prediction, &mut sheets.trajectory);
        self.emit_predicted_modes(theory, prediction, sheets);
        if let Some(rows) = &mut sheets.parameters {
            for ((clock, beta), &time) in prediction.path.iter().zip(&times) {
                self.emit_predictor(theory, Some((*clock, time)), &Label::default(), beta, rows);
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
        views: Views<'_>,
        columns: &[Column],
        Sheets { cells: rows, spent, .. }: &mut Sheets,
    ) -> usize {
        let (ending, solver) = (recorded.ending(self.dynamics.batch.is_some()), Some(recorded.route.name()));
        let mut at = push_head(plan, self.index, &self.spec, &self.identity, &ending, solver, rows);
        let rows_of = self.bench.rows();
        let spectrum = rows_of.map(|prepared| &prepared.svd);
        let Shape { inputs, outputs, .. } = self.shape();
        let limit = self.spec.train.method.optimizer().stability();
        let mut next = || {
            at += 1;
            at - 1
        };
        rows.push_int(next(), Some(self.bench.task().samples() as i64));
        rows.push_int(next(), Some(inputs as i64));
        rows.push_int(next(), Some(outputs as i64));
        rows.push_int(next(), Some(self.start.len() as i64));
        rows.push_int(next(), spectrum.map(|svd| svd.rank() as i64));
        rows.push_float(next(), spectrum.map(|svd| svd.condition()));
        rows.push_float(next(), Some(rows_of.map_or_else(|| self.largest_curvature(), |p| p.lambda_max)));
        rows.push_float(next(), Some(self.lambda_ref));
        rows.push_float(next(), (!self.is_flow()).then_some(self.dynamics.step_size));
        rows.push_float(next(), limit.filter(|_| !self.is_flow()).map(|limit| limit / self.dynamics.step_size));
        rows.push_int(next(), recorded.gradient_evaluations.map(|count| count as i64));
        rows.push_text(next(), recorded.reduction.as_deref());
        rows.push_bool(next(), spectrum.map(|svd| f64::EPSILON * svd.condition() < 1e-6));
        rows.push_float(next(), views.rows.and_then(Setting::least_bending_energy));
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
        let mut interpolation = self.snapshots();
        if let Some((theta, freedom)) = &recorded.interpolation {
            self.push_theta(theta, *freedom, &mut interpolation);
        }
        for column in measure(views, &interpolation, &plan.metrics, spent) {
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

impl Cell<'_> {
    /// No rows yet, of the shape that this cell has.
    pub(crate) fn snapshots(&self) -> Snapshots {
        let entries = self.shape().slots();
        if self.kind().is_direct() {
            return Snapshots::series(entries);
        }
        Snapshots::of_parameters(entries, self.start.len())
    }

    /// Adds a row by its parameters.
    pub(crate) fn push_theta(&self, theta: &[f64], freedom: f64, rows: &mut Snapshots) {
        let Shape { inputs, outputs, .. } = self.shape();
        if self.kind().is_direct() {
            rows.push_series(theta, freedom);
        } else {
            rows.push_parameters(&self.kind().predictor(theta, inputs, outputs), theta);
        }
    }

    /// The mean squared residual is 2·L times this.
    pub(crate) fn mean_factor(&self) -> f64 {
        match self.bench {
            Bench::Rows(_) => 1.0,
            Bench::Matrix(prepared) => match &prepared.problem.observed {
                Observed::Moments(_) => 1.0 / prepared.problem.outputs as f64,
                Observed::Entries(_) | Observed::Measurements(_) => 1.0 / prepared.problem.samples() as f64,
            },
        }
    }

    fn largest_curvature(&self) -> f64 {
        match self.bench {
            Bench::Rows(prepared) => prepared.lambda_max,
            Bench::Matrix(prepared) => prepared.lambda_max(),
        }
    }
}

/// The row of a cell that never started.
pub(crate) fn emit_failed(plan: &Plan, index: usize, spec: &CellSpec<'_>, reason: String, sheets: &mut Sheets) {
    let identity = spec.identity();
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
