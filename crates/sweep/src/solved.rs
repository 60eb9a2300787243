//! The other fits of a problem's points, measured once and written for every cell that shares them.

use crate::choosing::{self, Candidates, Choice, Kind, Refits, push_scores, risk_of};
use crate::plan::Plan;
use crate::row_kinds::{DRAWN_CURVES, Label, SOLVED, emit_curve, emit_parameters, measure, portable, push_column};
use crate::spent::{On, Spent};
use crate::tables::Sheets;
use crate::workbench::{Prepared, Shelf, transposed_design};
use taut_metrics::{Column, MetricDef, Setting, Views};
use taut_numerics::{ThinSvd, product_into};
use taut_problem::Snapshots;
use taut_train::{Fits, Given};

/// Draws whose shape (total variation, counts, arc length) is measured; energies are for all.
const SHAPED_DRAWS: usize = 400;

/// Every solution with its metrics.
pub(crate) struct Solved {
    groups: Vec<Group>,
    /// The folds of the points, for every path through them.
    pub(crate) refits: Refits,
}

struct Group {
    fits: Fits,
    columns: Vec<Column>,
    /// f on the study's grid for the first rows, row-major.
    curves: Vec<f64>,
    /// One per criterion of `[choose]`.
    scores: Vec<Option<Vec<f64>>>,
}

impl Solved {
    /// Solves and measures; stream names and replicate fix every draw.
    pub(crate) fn new(
        plan: &Plan,
        prepared: &Prepared,
        shelf: &Shelf,
        views: Views<'_>,
        replicate: u64,
        spent: &mut Spent,
    ) -> Self {
        spent.on(On::Solutions, |spent| Self::measured(plan, prepared, shelf, views, replicate, spent))
    }

    fn measured(
        plan: &Plan,
        prepared: &Prepared,
        shelf: &Shelf,
        views: Views<'_>,
        replicate: u64,
        spent: &mut Spent,
    ) -> Self {
        let Prepared { problem, svd, .. } = prepared;
        let seed = plan.checked.study.seed;
        let given = Given { problem, svd, seed, replicate };
        let folds = plan.checked.study.choose.as_ref().and_then(|choose| choose.folds);
        let refits = Refits::new(problem.samples(), folds.map(taut_problem::Samples::size), seed, replicate);
        let groups = plan
            .checked
            .study
            .solutions
            .solve(&given)
            .into_iter()
            .map(|fits| {
                let columns = columns(plan, shelf, views, &fits, spent);
                let curves = curves(plan, prepared, &fits);
                let scores = scores(plan, prepared, &refits, &fits);
                Group { fits, columns, curves, scores }
            })
            .collect();
        Self { groups, refits }
    }

    /// Which λ each criterion picks, with the grid.
    pub(crate) fn ridge_choices(&self) -> Option<(Vec<Option<Choice>>, &[f64])> {
        let Group { fits, columns, scores, .. } = self.groups.iter().find(|group| group.fits.solution == "ridge")?;
        let risk = risk_of(columns);
        Some((scores.iter().map(|scores| Choice::new(scores.as_deref(), risk)).collect(), &fits.parameter))
    }

    /// Writes the rows for one cell.
    pub(crate) fn emit(&self, plan: &Plan, cell: i64, sheets: &mut Sheets) {
        for Group { fits, columns, curves, scores } in &self.groups {
            let functions = &fits.functions;
            let count = functions.len();
            if let Some(reason) = fits.reason {
                emit_reason(plan, cell, fits.solution, reason, sheets);
                continue;
            }
            let rows = &mut sheets.solutions;
            rows.repeat_int(0, Some(cell), count);
            rows.repeat_text(1, Some(fits.solution), count);
            rows.repeat_text(2, label(fits, 0).variant, count);
            for row in 0..count {
                rows.push_float(3, label(fits, row).parameter);
                rows.push_int(4, label(fits, row).draw);
            }
            rows.push_null(5, count);
            for (i, column) in columns.iter().enumerate() {
                if fits.draws && is_shape(column.metric) {
                    (0..count).for_each(|row| {
                        rows.push_float(6 + i, (row < SHAPED_DRAWS).then(|| column.value(row)).flatten())
                    });
                } else {
                    push_column(rows, 6 + i, column, count);
                }
            }
            push_scores(rows, 6 + columns.len(), scores, count);
            self.emit_details(plan, cell, fits, curves, sheets);
        }
    }

    fn emit_details(&self, plan: &Plan, cell: i64, fits: &Fits, curves: &[f64], sheets: &mut Sheets) {
        let functions = &fits.functions;
        if let Some(rows) = &mut sheets.parameters
            && functions.features > 0
            && !fits.draws
        {
            for (row, beta) in functions.coefficients.chunks_exact(functions.features).enumerate() {
                emit_parameters(cell, SOLVED, None, &label(fits, row), beta, rows);
            }
        }
        if let Some(rows) = &mut sheets.curves {
            for (row, f) in curves.chunks_exact(plan.curve_grid.len().max(1)).enumerate() {
                emit_curve(cell, SOLVED, None, &label(fits, row), &plan.curve_grid, f, rows);
            }
        }
    }
}

fn label(fits: &Fits, row: usize) -> Label<'_> {
    Label {
        solution: Some(fits.solution),
        variant: (!fits.variant.is_empty()).then_some(fits.variant),
        parameter: fits.parameter.get(row).copied(),
        draw: fits.draws.then_some(row as i64),
        own: fits.own.is_some(),
        stage: None,
    }
}

fn emit_reason(plan: &Plan, cell: i64, solution: &str, reason: &str, sheets: &mut Sheets) {
    let rows = &mut sheets.solutions;
    rows.push_int(0, Some(cell));
    rows.push_text(1, Some(solution));
    for column in 2..5 {
        rows.push_null(column, 1);
    }
    rows.push_text(5, Some(reason));
    for column in 6..plan.schemas.solutions.columns.len() {
        rows.push_null(column, 1);
    }
}

/// Metrics that need the roots of f′ or f″: dear, and enough of them in the first draws.
fn is_shape(metric: &MetricDef) -> bool {
    ["total_variation", "turning_points", "inflections", "arc_length", "overshoot"].contains(&metric.name)
}

/// The scores of `[choose]`: all of them along ridge, only a validation set for other fits in these features.
fn scores(plan: &Plan, prepared: &Prepared, refits: &Refits, fits: &Fits) -> Vec<Option<Vec<f64>>> {
    let kind = if fits.solution == "ridge" { Kind::Ridge(&fits.parameter) } else { Kind::Other };
    let predictors = if fits.own.is_none() { &fits.functions.coefficients[..] } else { &[] };
    let Prepared { problem, svd, .. } = prepared;
    choosing::scores(plan, &Candidates { problem, svd, refits, predictors, covariances: &[], kind })
}

fn columns(plan: &Plan, shelf: &Shelf, views: Views<'_>, fits: &Fits, spent: &mut Spent) -> Vec<Column> {
    if let Some(own) = &fits.own {
        let instruments = shelf.instruments_of(fits.solution, &*own.features);
        let own_svd = ThinSvd::new(own.design.as_view());
        let setting = Setting::new(&instruments, own, &own_svd, &plan.metrics);
        let mut columns = measure(Views::of_rows(&setting), &fits.functions, &plan.metrics, spent);
        columns.iter_mut().filter(|c| !portable(c.metric)).for_each(|c| c.values = None);
        return columns;
    }
    if !fits.draws || fits.functions.len() <= SHAPED_DRAWS {
        return measure(views, &fits.functions, &plan.metrics, spent);
    }
    measure_draws(plan, views, &fits.functions, spent)
}

/// Shapes for the first draws, everything else for all; shape columns are padded with NaN.
fn measure_draws(plan: &Plan, views: Views<'_>, functions: &Snapshots, spent: &mut Spent) -> Vec<Column> {
    let (shapes, others): (Vec<&'static MetricDef>, Vec<_>) = plan.metrics.iter().partition(|m| is_shape(m));
    let mut first = Snapshots::series(functions.features);
    for row in functions.coefficients.chunks_exact(functions.features).take(SHAPED_DRAWS) {
        first.push_series(row, f64::NAN);
    }
    let mut measured = measure(views, functions, &others, spent);
    for mut column in measure(views, &first, &shapes, spent) {
        if let Some(values) = &mut column.values {
            values.resize(functions.len(), f64::NAN);
        }
        measured.push(column);
    }
    plan.metrics.iter().filter_map(|m| measured.iter().find(|c| c.metric.name == m.name).cloned()).collect()
}

fn curves(plan: &Plan, prepared: &Prepared, fits: &Fits) -> Vec<f64> {
    if plan.schemas.curves.is_none() || fits.reason.is_some() {
        return Vec::new();
    }
    let grid = &plan.curve_grid;
    let functions = &fits.functions;
    if functions.features == 0 {
        return functions.cubics.iter().flat_map(|c| grid.iter().map(|x| c.value(*x, 0))).collect();
    }
    if prepared.problem.x.is_empty() {
        return Vec::new();
    }
    let features = fits.own.as_ref().map_or(&prepared.problem.features, |own| &own.features);
    let rows = if fits.draws { functions.len().min(DRAWN_CURVES) } else { functions.len() };
    let table = transposed_design(&**features, grid);
    let mut out = vec![0.0; rows * grid.len()];
    product_into(
        &functions.coefficients[..rows * functions.features],
        &table,
        &mut out,
        functions.features,
        grid.len(),
    );
    out
}
