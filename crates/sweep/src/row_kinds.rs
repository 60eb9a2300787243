//! Rows of curves, parameters and metrics: what cells and solutions write alike.

use crate::spent::Spent;
use taut_metrics::{Column, Look, MetricDef, Views};
use taut_problem::{Clock, Snapshots};
use taut_store::Rows;

/// Draws of each law whose curve is written.
pub(crate) const DRAWN_CURVES: usize = 20;

/// The `source` of rows that come from a direct solver.
pub(crate) const SOLVED: &str = "solved";

/// What tells a solution's rows apart; all null for a trajectory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Label<'a> {
    pub(crate) solution: Option<&'a str>,
    pub(crate) variant: Option<&'a str>,
    pub(crate) parameter: Option<f64>,
    pub(crate) draw: Option<i64>,
    /// Whether its coefficients are those of features of its own.
    pub(crate) own: bool,
    /// The stage of a continuation, from 1.
    pub(crate) stage: Option<i64>,
}

/// Fills the column `stage` of the last `count` rows, in studies that have it.
pub(crate) fn push_stage(rows: &mut Rows, stage: Option<i64>, count: usize) {
    let columns = &rows.schema().columns;
    let last = columns.len() - 1;
    if columns[last].name == crate::tables::STAGE {
        rows.repeat_int(last, stage, count);
    }
}

/// The values of metrics, all of the plan or some of them in its order.
pub(crate) fn measure(
    views: Views<'_>,
    functions: &Snapshots,
    metrics: &[&'static MetricDef],
    spent: &mut Spent,
) -> Vec<Column> {
    measure_by(&Look::new(views, functions), metrics, spent)
}

/// The same of rows that are looked at for other reasons as well.
pub(crate) fn measure_by(look: &Look<'_>, metrics: &[&'static MetricDef], spent: &mut Spent) -> Vec<Column> {
    let (out, shared) = look.measure(metrics);
    spent.shared += shared.as_secs_f64();
    let mut places = spent.metrics.iter_mut();
    for column in &out {
        if let Some((_, seconds)) = places.find(|(name, _)| *name == column.metric.name) {
            *seconds += column.seconds;
        }
    }
    out
}

/// Adds a metric's values, or as many nulls.
pub(crate) fn push_column(rows: &mut Rows, column: usize, values: &Column, count: usize) {
    match &values.values {
        Some(numbers) if !values.metric.needs.freedom => rows.extend_floats(column, numbers),
        Some(_) => (0..count).for_each(|row| rows.push_float(column, values.value(row))),
        None => rows.push_null(column, count),
    }
}

pub(crate) fn emit_parameters(
    cell: i64,
    source: &str,
    place: Option<(Clock, f64)>,
    label: &Label<'_>,
    theta: &[f64],
    rows: &mut Rows,
) {
    let tensor = if label.own { "beta" } else { "theta" };
    emit_tensor(cell, source, place, label, (tensor, theta.len()), theta, rows);
}

/// Mean and covariance of a trained row.
pub(crate) fn emit_moments(cell: i64, place: Option<(Clock, f64)>, mean: &[f64], covariance: &[f64], rows: &mut Rows) {
    emit_tensor(cell, "trained", place, &Label::default(), ("mean", mean.len()), mean, rows);
    emit_tensor(cell, "trained", place, &Label::default(), ("covariance", mean.len()), covariance, rows);
}

/// A tensor by its name and number of rows, column by column.
pub(crate) fn emit_tensor(
    cell: i64,
    source: &str,
    place: Option<(Clock, f64)>,
    label: &Label<'_>,
    (tensor, height): (&str, usize),
    values: &[f64],
    rows: &mut Rows,
) {
    let count = values.len();
    rows.repeat_int(0, Some(cell), count);
    rows.repeat_text(1, Some(source), count);
    rows.repeat_int(2, place.and_then(|p| p.0.step()).map(|s| s as i64), count);
    rows.repeat_float(3, place.map(|(_, time)| time), count);
    rows.repeat_text(4, label.solution, count);
    rows.repeat_text(5, label.variant, count);
    rows.repeat_float(6, label.parameter, count);
    rows.repeat_int(7, label.draw, count);
    rows.repeat_text(8, Some(tensor), count);
    for entry in 0..count {
        rows.push_int(9, Some((entry % height) as i64));
        rows.push_int(10, Some((entry / height) as i64));
    }
    rows.extend_floats(11, values);
    push_stage(rows, label.stage, count);
}

pub(crate) fn emit_curve(
    cell: i64,
    source: &str,
    place: Option<(Clock, f64)>,
    label: &Label<'_>,
    x: &[f64],
    f: &[f64],
    rows: &mut Rows,
) {
    let count = x.len();
    rows.repeat_int(0, Some(cell), count);
    rows.repeat_text(1, Some(source), count);
    rows.repeat_text(2, label.solution, count);
    rows.repeat_text(3, label.variant, count);
    rows.repeat_float(4, label.parameter, count);
    rows.repeat_int(5, label.draw, count);
    rows.repeat_int(6, place.and_then(|p| p.0.step()).map(|s| s as i64), count);
    rows.repeat_float(7, place.map(|(_, time)| time), count);
    rows.extend_floats(8, x);
    rows.extend_floats(9, f);
    push_stage(rows, label.stage, count);
}

/// Only metrics that make sense for a function outside the study's features.
pub(crate) fn portable(metric: &MetricDef) -> bool {
    !metric.needs.coefficients && !metric.needs.geometry
}
