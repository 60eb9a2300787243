//! `taut plan --why`: which cells a run would compute, and why.

use super::finished::stored_plan;
use super::run::default_folder;
use super::{load_with_warnings, print};
use crate::options;
use anyhow::Result;
use std::process::ExitCode;
use taut_sweep::{Folder, Prospect, prospect};

pub(super) fn why(options: &options::Plan) -> Result<ExitCode> {
    let plan = load_with_warnings(&options.source)?;
    let folder = Folder::at(match &options.out {
        Some(out) => out.clone(),
        None => default_folder(&options.source)?,
    });
    // Only for finer reasons: the stored study may not be readable any more.
    let stored = stored_plan(&folder).ok();
    let prospect = prospect(&plan, &folder, stored.as_ref())?;
    print(&if options.json { json(&folder, &prospect).to_string() } else { text(&folder, &prospect) })
}

fn text(folder: &Folder, prospect: &Prospect) -> String {
    let place = folder.root().display();
    let mut out = vec![format!("{:>9}  of {} cells are in {place}", prospect.there, prospect.cells)];
    out.extend(prospect.missing.iter().map(|(reason, cells)| format!("{cells:>9}  would be computed: {reason}")));
    if !prospect.contradictions.is_empty() {
        out.push(format!("{place} would be refused, because it holds another study:"));
        out.extend(prospect.contradictions.iter().map(|difference| format!("  {difference}")));
    }
    out.join("\n")
}

fn json(folder: &Folder, prospect: &Prospect) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.why/1",
        "folder": folder.root().display().to_string(),
        "cells": prospect.cells,
        "there": prospect.there,
        "missing": prospect.missing,
        "contradictions": prospect.contradictions,
    })
}
