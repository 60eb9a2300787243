//! `taut collect`: pieces become parts.

use super::finished::plan_and_folder;
use super::print;
use crate::exit::{CLAIMS, STOPPED};
use crate::options::Collect;
use crate::progress::Display;
use crate::stopping::stop_on_signals;
use anyhow::Result;
use std::process::ExitCode;
use taut_sweep::{Collected, Folder};

pub(super) fn collect(options: &Collect) -> Result<ExitCode> {
    let (plan, folder) = plan_and_folder(&options.of)?;
    let stop = stop_on_signals()?;
    let display = Display::new(options.quiet);
    let collected = taut_sweep::collect(&plan, &folder, taut_sweep::PROGRAM, &display.progress(), &stop);
    display.end();
    let collected = collected?;
    if !options.quiet {
        tell(&folder, &collected);
    }
    if options.json {
        print(&json(&folder, &collected).to_string())?;
    }
    Ok(match &collected {
        Collected { differing, .. } if !differing.is_empty() => ExitCode::from(CLAIMS),
        _ if collected.missing() > 0 => ExitCode::from(STOPPED),
        _ => ExitCode::SUCCESS,
    })
}

#[allow(clippy::print_stderr)]
fn tell(folder: &Folder, collected: &Collected) {
    let place = folder.root().display();
    let Collected { cells, there, duplicates, written, .. } = collected;
    for damaged in &collected.damaged {
        eprintln!("{damaged} is damaged: its cells count as missing, and are computed by the next run or shard");
    }
    for (reason, cells) in &collected.unusable {
        eprintln!("{cells} cells in pieces are not enough: {reason}");
    }
    for (cell, places) in &collected.differing {
        eprintln!("cell {cell} has other rows in {} than in {}", places[0], places[1]);
    }
    if *duplicates > 0 {
        eprintln!("{duplicates} cells were computed more than once, with equal rows");
    }
    match collected.missing() {
        0 => eprintln!("all {cells} cells are in the tables of {place}; {written} parts written"),
        missing => eprintln!(
            "{there} of {cells} cells are in the tables of {place}, {missing} are missing; {written} parts written"
        ),
    }
}

fn json(folder: &Folder, collected: &Collected) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.collect/1",
        "folder": folder.root().display().to_string(),
        "cells": collected.cells,
        "there": collected.there,
        "missing": collected.missing(),
        "duplicates": collected.duplicates,
        "differing": collected.differing,
        "damaged": collected.damaged,
        "unusable": collected.unusable,
        "parts_written": collected.written,
    })
}
