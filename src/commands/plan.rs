//! `taut plan`: what would run. Writes nothing.

use super::{cell_table, costs, load_with_warnings, print};
use crate::options;
use anyhow::Result;
use std::process::ExitCode;
use std::time::Duration;
use taut_sweep::{Forecast, Plan, Reduction};

pub(super) fn plan(options: &options::Plan) -> Result<ExitCode> {
    if options.why {
        return super::why::why(options);
    }
    let plan = load_with_warnings(&options.source)?;
    if options.table {
        return cell_table::print(&plan, options.limit, options.json);
    }
    let forecast = (options.calibrate > 0.0).then(|| plan.forecast(Duration::from_secs_f64(options.calibrate)));
    let threads = costs::threads_to_tell(options.threads);
    let said = if options.json {
        json(&plan, forecast.as_ref(), &threads).to_string()
    } else {
        text(&plan, forecast.as_ref(), &threads)
    };
    print(&said)
}

fn json(plan: &Plan, forecast: Option<&Forecast>, threads: &[usize]) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.plan/1",
        "title": plan.study().study.title,
        "cells": plan.cells(),
        "parts": plan.parts(),
        "bundles": plan.bundles(),
        "solvers": plan.solvers(),
        "reductions": plan.reductions().iter().map(|reduction| serde_json::json!({
            "cell": reduction.cell,
            "applied": reduction.applied.iter().map(|applied| serde_json::json!({
                "name": applied.name, "from": applied.from, "to": applied.to, "flops_saved": applied.flops_saved,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "single_steps": plan.single_steps().map(|(steps, _)| steps),
        "axes": plan.axes().iter().map(|axis| serde_json::json!({
            "columns": axis.columns, "values": axis.values, "shown": axis.shown, "when": axis.when, "derive": axis.derived,
        })).collect::<Vec<_>>(),
        "where": plan.study().filters,
        "cells_without_where": plan.study().unfiltered(),
        "tables": plan.sizes().iter().map(|size| serde_json::json!({
            "name": size.name, "rows": size.rows, "columns": size.columns, "bytes": size.bytes,
            "rows_about": forecast.and_then(|forecast| forecast.rows_of(&size.name)),
        })).collect::<Vec<_>>(),
        "forecast": forecast.map(|forecast| costs::json(forecast, threads)),
    })
}

fn text(plan: &Plan, forecast: Option<&Forecast>, threads: &[usize]) -> String {
    let study = &plan.study().study;
    let mut out = vec![study.title.clone()];
    if !study.question.is_empty() {
        out.push(study.question.clone());
    }
    out.push(String::new());
    for axis in plan.axes() {
        let when = axis.when.map(|when| format!("  when {when}")).unwrap_or_default();
        let (count, derived) = match axis.derived {
            Some(expression) => ("derived".to_owned(), format!("  = {expression}")),
            None => (axis.values.to_string(), String::new()),
        };
        let shown = axis.shown.join(", ");
        out.push(format!("{count:>9}  {:<24} {shown}{derived}{when}", axis.columns.join(" + ")));
    }
    for filter in &plan.study().filters {
        out.push(format!("{:>9}  {filter}", "where"));
    }
    let bundles = match plan.bundles() {
        Some(bundles) => format!("{bundles} bundles, "),
        None => String::new(),
    };
    let parts = if plan.parts() == 1 { "1 part".to_owned() } else { format!("{} parts", plan.parts()) };
    let all = plan.study().unfiltered().map(|all| format!("of {all} ")).unwrap_or_default();
    out.push(format!("{:>9}  cells {all}in {bundles}{parts} per table", plan.cells()));
    if let Some((steps, cells)) = plan.single_steps()
        && cells > 0
    {
        out.push(format!("{:>9}  steps one by one, in {cells} cells", format!("{steps:.3e}")));
    }
    out.extend(solvers(plan));
    out.extend(reductions(plan));
    out.extend(forecast.map(|forecast| costs::text(forecast, threads)).unwrap_or_default());
    out.push(String::new());
    let about = if forecast.is_some() { "  rows about" } else { "" };
    out.push(format!("table            rows up to{about}   columns    bytes up to (before compression)"));
    for size in plan.sizes() {
        let rows = forecast.and_then(|forecast| forecast.rows_of(&size.name));
        let about = rows.map_or_else(String::new, |rows| format!("{rows:>12.0}"));
        out.push(format!("{:<14} {:>12}{about} {:>9} {:>14}", size.name, size.rows, size.columns, bytes(size.bytes)));
    }
    out.join("\n")
}

/// Cells whose solver nobody would guess.
fn solvers(plan: &Plan) -> impl Iterator<Item = String> {
    let known = |solver: &str| match solver {
        "adaptive" => Some("followed by adaptive steps"),
        "dual" => Some("followed in dual variables"),
        "riccati" => Some("in the closed form of two factors"),
        "modes" => Some("mode by mode"),
        _ => None,
    };
    let line = move |(solver, cells)| Some(format!("{cells:>9}  cells {} (solver `{solver}`)", known(solver)?));
    plan.solvers().unwrap_or_default().into_iter().filter_map(line)
}

/// The exact reductions that are stepped, the same ones in one line.
fn reductions(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    let reductions = plan.reductions();
    for Reduction { applied, .. } in &reductions {
        let text = match (applied.first(), applied.last()) {
            (Some(first), Some(last)) => {
                let names: Vec<&str> = applied.iter().map(|applied| applied.name).collect();
                let saved: f64 = applied.iter().map(|applied| applied.flops_saved).product();
                format!(
                    "{}: {} -> {}, {saved:.1} times less work",
                    names.join(" + "),
                    sizes(&first.from),
                    sizes(&last.to)
                )
            }
            _ => "none: no exact reduction is known that saves anything".to_owned(),
        };
        match lines.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => lines.push((text, 1)),
        }
    }
    let all = reductions.len();
    let line = |(text, count): &(String, usize)| match all {
        1 => format!("{:>9}  {text}", "reduced"),
        _ => format!("{:>9}  {text} ({count} of {all} looked at)", "reduced"),
    };
    lines.iter().map(line).collect()
}

/// Layers from inputs to outputs.
fn sizes(layers: &[usize]) -> String {
    layers.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// A size for people: three digits and a unit.
pub(super) fn bytes(count: usize) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{value} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}
