//! `taut status`: how far a folder of results is.

use super::plan::bytes;
use super::print;
use crate::exit::{STOPPED, Usage};
use crate::options;
use anyhow::Result;
use std::process::ExitCode;
use taut_sweep::{Folder, Status};

pub(super) fn status(options: &options::Status) -> Result<ExitCode> {
    if !options.folder.is_dir() {
        return Err(Usage(format!("there is no folder {}", options.folder.display())).into());
    }
    let folder = Folder::at(&options.folder);
    let Some(status) = Status::of(&folder)? else {
        let place = options.folder.display();
        return Err(Usage(format!("{place} is no folder of results: it has no manifest.json")).into());
    };
    print(&if options.json { json(&folder, &status).to_string() } else { text(&status) })?;
    Ok(if status.missing() == 0 { ExitCode::SUCCESS } else { ExitCode::from(STOPPED) })
}

fn json(folder: &Folder, status: &Status) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.status/1",
        "folder": folder.root().display().to_string(),
        "title": status.title,
        "cells": status.cells,
        "in_parts": status.in_parts,
        "in_pieces": status.in_pieces,
        "missing": status.missing(),
        "diverged": status.diverged,
        "failed": status.failed,
        "parts": status.parts[0],
        "parts_of_the_study": status.parts[1],
        "pieces": status.pieces,
        "unusable_pieces": status.unusable,
        "damaged": status.damaged,
        "bytes": status.bytes,
        "seconds_since_last_write": status.last_written.map(|age| age.as_secs_f64().round()),
    })
}

fn text(status: &Status) -> String {
    let mut out = vec![status.title.clone(), String::new()];
    let share = 100.0 * (status.cells - status.missing()) as f64 / status.cells.max(1) as f64;
    out.push(format!("{:>9}  of {} cells are in the tables", status.in_parts, status.cells));
    if status.in_pieces > 0 {
        let pieces = status.pieces;
        out.push(format!("{:>9}  in {pieces} pieces: `taut collect` puts them into the tables", status.in_pieces));
    }
    out.push(format!("{:>9}  missing ({share:.1} % are there)", status.missing()));
    for (count, ending) in [(status.diverged, "diverged"), (status.failed, "failed")] {
        if count > 0 {
            out.push(format!("{count:>9}  {ending}"));
        }
    }
    if status.unusable > 0 {
        out.push(format!("{:>9}  pieces of an older study, which lack something of this one", status.unusable));
    }
    let [there, parts] = status.parts;
    let size = bytes(usize::try_from(status.bytes).unwrap_or(usize::MAX));
    out.push(format!("{there:>9}  of {parts} parts, {size}"));
    if let Some(age) = status.last_written {
        out.push(format!("{:>9}  s since the last was written", age.as_secs()));
    }
    out.extend(status.damaged.iter().map(|path| format!("cannot be read: {path}")));
    out.join("\n")
}
