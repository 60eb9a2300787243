//! `taut plan`: what would run. Writes nothing.

use super::{load, print, warn};
use crate::options;
use anyhow::Result;
use std::process::ExitCode;
use taut_sweep::Plan;

pub(super) fn plan(options: &options::Plan) -> Result<ExitCode> {
    let plan = load(&options.source)?;
    warn(&plan);
    print(&if options.json { json(&plan).to_string() } else { text(&plan) })
}

fn json(plan: &Plan) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.plan/1",
        "title": plan.study().study.title,
        "cells": plan.cells(),
        "parts": plan.parts(),
        "bundles": plan.bundles(),
        "single_steps": plan.single_steps().map(|(steps, _)| steps),
        "axes": plan.axes().iter().map(|axis| serde_json::json!({
            "columns": axis.columns, "values": axis.values, "shown": axis.shown,
        })).collect::<Vec<_>>(),
        "tables": plan.sizes().iter().map(|size| serde_json::json!({
            "name": size.name, "rows": size.rows, "columns": size.columns, "bytes": size.bytes,
        })).collect::<Vec<_>>(),
    })
}

fn text(plan: &Plan) -> String {
    let study = &plan.study().study;
    let mut out = vec![study.title.clone()];
    if !study.question.is_empty() {
        out.push(study.question.clone());
    }
    out.push(String::new());
    for axis in plan.axes() {
        out.push(format!("{:>9}  {:<24} {}", axis.values, axis.columns.join(" + "), axis.shown.join(", ")));
    }
    let bundles = match plan.bundles() {
        Some(bundles) => format!("{bundles} bundles, "),
        None => String::new(),
    };
    let parts = if plan.parts() == 1 { "1 part".to_owned() } else { format!("{} parts", plan.parts()) };
    out.push(format!("{:>9}  cells in {bundles}{parts} per table", plan.cells()));
    if let Some((steps, cells)) = plan.single_steps()
        && cells > 0
    {
        out.push(format!("{:>9}  steps one by one, in {cells} cells", format!("{steps:.3e}")));
    }
    out.push(String::new());
    out.push("table            rows up to   columns    bytes up to (before compression)".to_owned());
    for size in plan.sizes() {
        out.push(format!("{:<14} {:>12} {:>9} {:>14}", size.name, size.rows, size.columns, bytes(size.bytes)));
    }
    out.join("\n")
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
