//! `taut list`: names, units, formulas and citations from the static tables.

use super::print;
use crate::options::List;
use anyhow::{Context, Result};
use std::process::ExitCode;

pub(super) fn list(options: &List) -> Result<ExitCode> {
    let listed = taut_sweep::listing(&options.kind).context("the kinds were checked by the parser")?;
    let mut out = Vec::new();
    for item in &listed {
        if options.json {
            let schema = format!("taut.{}/1", options.kind);
            out.push(
                serde_json::json!({
                    "schema": schema, "name": item.name, "unit": item.unit, "doc": item.doc,
                    "assumes": item.assumes, "cite": item.cite,
                })
                .to_string(),
            );
            continue;
        }
        let unit = if item.unit.is_empty() { String::new() } else { format!("  [{}]", item.unit) };
        out.push(format!("{}{unit}\n    {}", item.name, item.doc));
        if !item.assumes.is_empty() {
            out.push(format!("    assumes: {}", item.assumes));
        }
        if !item.cite.is_empty() {
            out.push(format!("    cites: {}", item.cite));
        }
    }
    print(&out.join("\n"))
}
