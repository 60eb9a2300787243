//! `taut diff`: how two studies or folders of results differ.

use super::finished::stored_plan;
use super::{load, print};
use crate::exit::CLAIMS;
use crate::options::{Diff, Source};
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;
use taut_sweep::{Comparison, Folder, Plan, comparison};

pub(super) fn diff(options: &Diff) -> Result<ExitCode> {
    let (first, second) = (plan_of(&options.first)?, plan_of(&options.second)?);
    let found = comparison(&first, &second);
    let [a, b] = [&options.first, &options.second].map(|path| path.display().to_string());
    print(&if options.json { json(&found).to_string() } else { text(&found, &a, &b) })?;
    let is_same = found.only_first.is_empty() && found.only_second.is_empty() && found.lacking.is_empty();
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::from(CLAIMS) })
}

fn plan_of(path: &Path) -> Result<Plan> {
    if path.is_dir() {
        return stored_plan(&Folder::at(path));
    }
    load(&Source { study: path.to_path_buf(), set: Vec::new(), quick: false })
}

fn text(found: &Comparison, first: &str, second: &str) -> String {
    let mut out: Vec<String> = found.settings.clone();
    if !out.is_empty() {
        out.push(String::new());
    }
    out.push(format!("{:>9}  cells in both", found.shared));
    for (reasons, place, other) in [(&found.only_first, first, second), (&found.only_second, second, first)] {
        for (reason, cells) in reasons {
            out.push(format!("{cells:>9}  only in {place}: {reason} than in {other}"));
        }
    }
    for reason in &found.lacking {
        out.push(format!("the cells of {first} do not serve {second}: {reason}"));
    }
    out.join("\n")
}

fn json(found: &Comparison) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.diff/1",
        "settings": found.settings,
        "shared": found.shared,
        "only_first": found.only_first,
        "only_second": found.only_second,
        "lacking": found.lacking,
    })
}
