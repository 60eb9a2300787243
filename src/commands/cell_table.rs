//! `taut plan --table`: the cells as they will run, one per line.

use anyhow::Result;
use serde_json::{Map, Value, json};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use taut_sweep::study::AxisValue;
use taut_sweep::{Plan, PlannedCell};

/// Cells whose texts make the widths of the columns; a longer text further on moves its own line only.
const MEASURED: usize = 1000;

/// Digits of a key that are shown; any command takes as many.
const KEY_DIGITS: usize = 10;

/// Prints the first `limit` cells, or all; a reader that closes its end early has seen enough.
pub(super) fn print(plan: &Plan, limit: Option<usize>, as_json: bool) -> Result<ExitCode> {
    let shown = limit.map_or(plan.cells(), |limit| limit.min(plan.cells()));
    let out = BufWriter::new(io::stdout().lock());
    match if as_json { lines(plan, shown, out) } else { table(plan, shown, out) } {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn lines(plan: &Plan, shown: usize, mut out: impl Write) -> io::Result<()> {
    let columns = plan.axis_columns();
    for place in 0..shown {
        let cell = plan.planned_cell(place);
        let values: Map<String, Value> =
            columns.iter().zip(&cell.values).map(|(name, value)| ((*name).to_owned(), to_json(value))).collect();
        let line = json!({
            "place": place, "key": cell.key, "axes": values, "step_size": cell.step_size, "solver": cell.solver,
        });
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// A number that JSON does not have becomes its text.
fn to_json(value: &AxisValue) -> Value {
    match value {
        AxisValue::Bool(value) => json!(value),
        AxisValue::Int(value) => json!(value),
        AxisValue::Float(value) if value.is_finite() => json!(value),
        AxisValue::Float(value) => json!(value.to_string()),
        AxisValue::Text(value) => json!(**value),
        AxisValue::Null => Value::Null,
    }
}

fn table(plan: &Plan, shown: usize, mut out: impl Write) -> io::Result<()> {
    let names = plan.axis_columns();
    let heads: Vec<String> =
        ["cell", "key"].iter().chain(&names).chain(&["step size", "solver"]).map(|name| (*name).to_owned()).collect();
    let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
    for place in 0..shown.min(MEASURED) {
        let texts = texts(&plan.planned_cell(place));
        widths.iter_mut().zip(&texts).for_each(|(width, text)| *width = text.chars().count().max(*width));
    }
    if let Some(last) = shown.checked_sub(1) {
        widths[0] = widths[0].max(last.to_string().len());
    }
    line(&heads, &widths, &mut out)?;
    for place in 0..shown {
        line(&texts(&plan.planned_cell(place)), &widths, &mut out)?;
    }
    if shown < plan.cells() {
        writeln!(out, "… {} more", plan.cells() - shown)?;
    }
    out.flush()
}

fn texts(cell: &PlannedCell) -> Vec<String> {
    let mut texts = vec![cell.place.to_string(), cell.key[..KEY_DIGITS].to_owned()];
    // A cell without an axis shows it by an empty place.
    texts.extend(cell.values.iter().map(|value| match value {
        AxisValue::Null => String::new(),
        value => value.to_string(),
    }));
    texts.push(cell.step_size.map_or_else(String::new, step_size));
    texts.push(cell.solver.to_owned());
    texts
}

/// "relative 0.5", as the study says it.
fn step_size(step_size: taut_sweep::StepSize) -> String {
    match step_size {
        taut_sweep::StepSize::Relative(of_largest) => format!("relative {}", of_largest.get()),
        taut_sweep::StepSize::Absolute(size) => format!("absolute {}", size.get()),
    }
}

/// One line of the table: places to the right, the rest to the left.
fn line(texts: &[String], widths: &[usize], out: &mut impl Write) -> io::Result<()> {
    let mut written = String::new();
    for (column, (text, width)) in texts.iter().zip(widths).enumerate() {
        let space = " ".repeat(width.saturating_sub(text.chars().count()));
        match column {
            0 => written.push_str(&format!("{space}{text}")),
            _ => written.push_str(&format!("  {text}{space}")),
        }
    }
    writeln!(out, "{}", written.trim_end())
}
