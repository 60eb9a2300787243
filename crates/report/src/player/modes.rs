//! The player of modes: the modes of a network of factors arriving one after another.

use super::answer::Answer;
use super::choice::Choice;
use super::compact::{moment, rounded};
use super::path::{Path, at_times, counts_steps, listed, shown};
use super::{Player, columns, described, has_tables};
use crate::{Database, ReportError, Results};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TITLE: &str = "Modes, one after another";

/// Modes of one cell; more bars cannot be told apart.
const MOST_MODES: usize = 16;

/// The errors that fall, of which the first that was recorded is shown.
const ERRORS: [&str; 3] = ["loss", "train_mse", "test_error"];

/// Strengths by mode, and by the bits of their time.
type Strengths = BTreeMap<i64, BTreeMap<u64, f64>>;

/// Everything that one cell's table `modes` says, by source.
type Sources = BTreeMap<String, Strengths>;

/// The player of a study that recorded `modes` of matrices whose target is known; none of any other.
pub(super) fn modes(results: &Results, database: &Database) -> Result<Option<Player>, ReportError> {
    if !has_tables(results, &["cells", "trajectory", "modes"]) {
        return Ok(None);
    }
    let of = "SELECT cell FROM modes WHERE source = 'trained' AND projection IS NOT NULL GROUP BY cell";
    let Some(choice) = Choice::new(results, database, of)? else { return Ok(None) };
    let cells = listed(choice.cells.iter().map(|offered| offered.cell));
    let is_stepped = counts_steps(database, &cells)?;
    let recorded = |name: &&str| columns(results, "trajectory").iter().any(|column| column.name == *name);
    let error = ERRORS.into_iter().find(recorded);
    let measures: Vec<&str> = error.into_iter().collect();
    let paths = shown(database, &cells, &measures, error.is_some(), is_stepped, &BTreeMap::new())?;
    let mut left_out = 0;
    let mut drawn: Vec<Value> = Vec::new();
    for offered in &choice.cells {
        let Some(shown) = paths.get(&offered.cell) else { continue };
        let sources = strengths(database, offered.cell, &shown.path.times)?;
        let Some(trained) = sources.get("trained") else { continue };
        left_out = left_out.max(trained.len().saturating_sub(MOST_MODES));
        let of_modes = |strengths: &Strengths, times: &[f64]| -> Value {
            strengths.values().take(MOST_MODES).map(|mode| along(mode, times)).collect()
        };
        let path = &shown.path;
        let end = path.times.last().map_or(0, |time| time.to_bits());
        let ends = trained.values().take(MOST_MODES).map(|mode| rounded(mode.get(&end).copied()));
        let theories = sources.iter().filter(|(source, _)| *source != "trained").map(|(source, strengths)| {
            let (times, clock) = moments_of(strengths, path);
            json!({
                "name": source,
                "clock": clock.into_iter().map(moment).collect::<Vec<_>>(),
                "modes": of_modes(strengths, &times),
            })
        });
        drawn.push(json!({
            "label": offered.label,
            "at": offered.at,
            "scale": shown.scale.name(),
            "clock": path.clock.iter().map(|time| moment(*time)).collect::<Vec<_>>(),
            "tail": shown.tail,
            "train": path.measures.first().map(|error| error.iter().copied().map(rounded).collect::<Vec<_>>()),
            "modes": of_modes(trained, &path.times),
            "ends": ends.collect::<Vec<_>>(),
            "theories": theories.collect::<Vec<_>>(),
        }));
    }
    if drawn.is_empty() {
        return Ok(None);
    }
    let more = if left_out > 0 {
        format!(" The first {MOST_MODES} of {} modes.", MOST_MODES + left_out)
    } else {
        String::new()
    };
    let payload = json!({
        "kind": "modes",
        "title": TITLE,
        "note": format!("{}{more}", choice.note).trim(),
        "clock": if is_stepped { "step" } else { "time" },
        "axes": choice.axes,
        "train": error.map(|name| described(results, name)),
        "cells": drawn,
    });
    Ok(Some(Player { title: TITLE.to_owned(), payload }))
}

/// A strength for each of these times.
fn along(mode: &BTreeMap<u64, f64>, times: &[f64]) -> Value {
    times.iter().map(|time| rounded(mode.get(&time.to_bits()).copied())).collect()
}

/// The moments of the path at which a theory says something, as times and as its clock shows them.
fn moments_of(strengths: &Strengths, path: &Path) -> (Vec<f64>, Vec<f64>) {
    let said: BTreeSet<u64> = strengths.values().flat_map(|mode| mode.keys().copied()).collect();
    path.times.iter().zip(&path.clock).filter(|(time, _)| said.contains(&time.to_bits())).map(|(t, c)| (*t, *c)).unzip()
}

/// Projections of a cell on the modes of the target, by source, at these times.
fn strengths(database: &Database, cell: i64, times: &[f64]) -> Result<Sources, ReportError> {
    let times = at_times(times);
    let sql = format!(
        "SELECT source, time, mode, projection FROM modes WHERE cell = {cell} AND projection IS NOT NULL AND {times}"
    );
    let answer = Answer::ask(database, &sql)?;
    let (source, mode) = (answer.texts("source"), answer.whole("mode"));
    let (time, projection) = (answer.floats("time"), answer.floats("projection"));
    let mut found = Sources::new();
    for row in 0..answer.rows() {
        if let (Some(source), Some(mode), Some(time), Some(value)) =
            (&source[row], mode[row], time[row], projection[row])
        {
            found.entry(source.clone()).or_default().entry(mode).or_default().insert(time.to_bits(), value);
        }
    }
    Ok(found)
}
