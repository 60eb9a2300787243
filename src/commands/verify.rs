//! `taut verify`: stored cells, computed again.

use super::finished::plan_and_folder;
use super::print;
use super::run::how;
use crate::exit::{CLAIMS, STOPPED};
use crate::options::Verify;
use crate::progress::Display;
use crate::stopping::stop_on_signals;
use anyhow::Result;
use std::process::ExitCode;
use taut_sweep::{Folder, Verified};

/// Cells that differ are named up to this many.
const NAMED: usize = 10;

pub(super) fn verify(options: &Verify) -> Result<ExitCode> {
    let (plan, folder) = plan_and_folder(&options.of)?;
    let (stop, how) = (stop_on_signals()?, how(options.threads, false));
    let display = Display::new(options.quiet);
    let drawn = (options.sample, options.seed);
    let verified = taut_sweep::verify(&plan, &folder, drawn, how.threads, &display.progress(), &stop);
    display.end();
    let verified = verified?;
    if !options.quiet {
        tell(&folder, &verified, &how.host);
    }
    if options.json {
        print(&json(&folder, &verified).to_string())?;
    }
    Ok(match &verified {
        Verified { damaged, differing, .. } if !(damaged.is_empty() && differing.is_empty()) => ExitCode::from(CLAIMS),
        Verified { stopped: true, .. } => ExitCode::from(STOPPED),
        Verified { stored, cells, .. } if stored < cells => ExitCode::from(STOPPED),
        _ => ExitCode::SUCCESS,
    })
}

#[allow(clippy::print_stderr)]
fn tell(folder: &Folder, verified: &Verified, host: &str) {
    for damaged in &verified.damaged {
        eprintln!("{damaged} is not as it was written; remove it and run the study again");
    }
    for mismatch in verified.differing.iter().take(NAMED) {
        eprintln!("cell {}, table {}, {}", mismatch.cell, mismatch.table, mismatch.place);
    }
    let Verified { stored, cells, files, recomputed, differing, .. } = verified;
    let same = recomputed - differing.len();
    let place = folder.root().display();
    eprintln!(
        "{place}: {stored} of {cells} cells are stored in {files} files, {} of them damaged; {recomputed} cells computed \
         again, {same} of them the same in every bit",
        verified.damaged.len()
    );
    if !differing.is_empty() && verified.hosts.iter().any(|known| known != host) {
        eprintln!(
            "some were computed on {}: on another processor the last digits may differ",
            verified.hosts.join(", ")
        );
    }
    if verified.stopped {
        eprintln!("stopped before the end of the sample");
    }
}

fn json(folder: &Folder, verified: &Verified) -> serde_json::Value {
    let differing = verified
        .differing
        .iter()
        .map(|mismatch| serde_json::json!({ "cell": mismatch.cell, "table": mismatch.table, "place": mismatch.place }));
    serde_json::json!({
        "schema": "taut.verify/1",
        "folder": folder.root().display().to_string(),
        "cells": verified.cells,
        "stored": verified.stored,
        "files": verified.files,
        "damaged": verified.damaged,
        "recomputed": verified.recomputed,
        "differing": differing.collect::<Vec<_>>(),
        "hosts": verified.hosts,
        "stopped": verified.stopped,
    })
}
