//! The player of fits: a function of one input growing through its points, with its wiggliness beside it.

use super::answer::Answer;
use super::choice::{Choice, Offered};
use super::compact::{BEYOND, HEIGHT, Window, moment, rounded};
use super::functions::{Function, Scene, Solution, scenes, trained};
use super::path::{Shown, counts_steps, listed, shown};
use super::{Player, columns, described, has_tables};
use crate::{Database, ReportError, Results};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TITLE: &str = "The fit on its way to the points";

/// Bytes of all functions together, about.
const BUDGET: usize = 3_000_000;

/// Bytes of one value, about.
const BYTES: usize = 5;

/// Frames of one cell, at the least and at the most.
const FRAMES: [usize; 2] = [30, 120];

/// Points of a function, at the least, with fewer it is no curve, and at the most.
const POINTS: [usize; 2] = [21, 201];

/// Points of the data.
const MOST_SAMPLES: usize = 500;

/// Named solutions, each in a colour of its own.
const MOST_SOLUTIONS: usize = 7;

/// The errors that fall, of which the first that was recorded is shown, each where the root mean square residual is 1e-3.
const ERRORS: [(&str, f64); 3] = [("train_mse", 1e-6), ("loss", 5e-7), ("residual_rms", 1e-3)];

/// What may be shown beside the measures of wiggliness.
const ALSO: [&str; 2] = ["risk", "parameter_norm"];

/// The player of a study that recorded `curves`; none where no cell has points on a line.
pub(super) fn fits(results: &Results, database: &Database) -> Result<Option<Player>, ReportError> {
    if !has_tables(results, &["cells", "trajectory", "curves", "samples"]) {
        return Ok(None);
    }
    let of = "SELECT cell FROM curves WHERE source = 'trained' GROUP BY cell";
    let Some(choice) = Choice::new(results, database, of)? else { return Ok(None) };
    let cells = listed(choice.cells.iter().map(|offered| offered.cell));
    let is_stepped = counts_steps(database, &cells)?;
    let (error, level) = ERRORS.into_iter().find(|(name, _)| is_recorded(results, name)).unzip();
    let metrics = metrics(results);
    let through = passages(database, &cells, is_stepped)?;
    let measures: Vec<&str> = error.into_iter().chain(metrics.iter().copied()).collect();
    let paths = shown(database, &cells, &measures, error.is_some(), is_stepped, &through)?;
    let scenes = scenes(results, database, &cells, &metrics)?;
    let mut drawn: Vec<Value> = Vec::new();
    for offered in &choice.cells {
        let (Some(shown), Some(scene)) = (paths.get(&offered.cell), scenes.get(&offered.cell)) else { continue };
        let through = through.get(&offered.cell).copied();
        let rows = shown.path.spread(shown.scale, FRAMES[1], through);
        let times: Vec<f64> = rows.iter().map(|&row| shown.path.times[row]).collect();
        let functions = trained(results, database, offered.cell, &times)?;
        let cells = choice.cells.len();
        drawn.extend(Parts { shown, functions, scene, through, has_error: error.is_some(), cells }.payload(offered));
    }
    if drawn.is_empty() {
        return Ok(None);
    }
    let payload = json!({
        "kind": "curves",
        "title": TITLE,
        "note": choice.note,
        "clock": if is_stepped { "step" } else { "time" },
        "axes": choice.axes,
        "train": error.map(|name| described(results, name)),
        "level": level,
        "metrics": metrics.iter().map(|name| described(results, name)).collect::<Vec<_>>(),
        "cells": drawn,
    });
    Ok(Some(Player { title: TITLE.to_owned(), payload }))
}

fn is_recorded(results: &Results, name: &str) -> bool {
    columns(results, "trajectory").iter().any(|column| column.name == name)
}

/// The measures of wiggliness that were recorded, which `cells` has the largest drop of, and a few others.
fn metrics(results: &Results) -> Vec<&str> {
    let wiggliness = columns(results, "cells").iter().filter_map(|column| column.name.strip_prefix("largest_drop_"));
    let mut metrics: Vec<&str> = wiggliness.chain(ALSO).filter(|name| is_recorded(results, name)).collect();
    // The one that everybody means comes first.
    metrics.sort_by_key(|name| *name != "bending_energy");
    metrics
}

/// When every fit goes through its points: the root mean square residual is at or below 1e-3.
fn passages(database: &Database, cells: &str, is_stepped: bool) -> Result<BTreeMap<i64, f64>, ReportError> {
    let level = if is_stepped { "residual_rms_below_1em3_step" } else { "residual_rms_below_1em3_time" };
    let sql = format!("SELECT cell, {level} AS passage FROM cells WHERE cell IN ({cells}) AND {level} IS NOT NULL");
    let answer = Answer::ask(database, &sql)?;
    Ok(answer.cells().into_iter().zip(answer.floats("passage").into_iter().flatten()).collect())
}

/// What the payload of one cell is made of.
struct Parts<'a> {
    shown: &'a Shown,
    functions: BTreeMap<u64, Function>,
    scene: &'a Scene,
    through: Option<f64>,
    has_error: bool,
    /// Cells of the whole player.
    cells: usize,
}

impl Parts<'_> {
    /// `None` where there is nothing to draw: too few points of the grid, or no data.
    fn payload(&self, offered: &Offered) -> Option<Value> {
        let (scene, path) = (self.scene, &self.shown.path);
        let function = |row: usize| self.functions.get(&path.times[row].to_bits());
        let any = (0..path.rows()).find_map(function)?;
        let points = every(any.len(), POINTS[1]);
        if points.len() < POINTS[0] || scene.samples.is_empty() {
            return None;
        }
        let (solutions, clouds) = (self.solutions(any), self.scene.clouds());
        let others = solutions.len() + clouds.iter().map(|(_, draws)| draws.len()).sum::<usize>() + 1;
        let room = (BUDGET / (self.cells * points.len() * BYTES)).saturating_sub(others);
        let had: Vec<usize> = (0..path.rows()).filter(|&row| function(row).is_some()).collect();
        let kept = path.of_rows(&had).spread(self.shown.scale, room.clamp(FRAMES[0], FRAMES[1]), self.through);
        let frames: Vec<(usize, &Function)> =
            kept.iter().filter_map(|&at| Some((had[at], function(had[at])?))).collect();
        let target = scene.target.as_ref().map(|target| target.f(&points));
        let data = scene.samples.iter().map(|(_, y)| *y);
        let window = Window::around(data.chain(target.iter().flatten().flatten().copied()));
        let (low, unit) = window.edges();
        let cut = |function: &Function| window.function(&function.f(&points));
        let measures = |measure: &Vec<Option<f64>>| measure.iter().copied().map(rounded).collect::<Value>();
        let (error, metrics) = path.measures.split_at(usize::from(self.has_error));
        let samples = every(scene.samples.len(), MOST_SAMPLES).into_iter().map(|sample| scene.samples[sample]);
        Some(json!({
            "label": offered.label,
            "at": offered.at,
            "scale": self.shown.scale.name(),
            "clock": path.clock.iter().map(|time| moment(*time)).collect::<Vec<_>>(),
            "tail": self.shown.tail,
            "train": error.first().map(measures),
            "metrics": metrics.iter().map(measures).collect::<Vec<_>>(),
            "x": any.x(&points).into_iter().map(|x| rounded(Some(x))).collect::<Vec<_>>(),
            "low": low,
            "unit": unit,
            "height": HEIGHT as i64,
            "beyond": BEYOND as i64,
            "samples": samples.map(|(x, y)| [rounded(Some(x)), rounded(Some(y))]).collect::<Vec<_>>(),
            "target": target.map(|target| window.function(&target)),
            "frames": {
                "row": frames.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
                "f": frames.iter().map(|(_, function)| cut(function)).collect::<Vec<_>>(),
            },
            "through": self.through.filter(|through| path.clock.last() >= Some(through)).map(moment),
            "solutions": solutions.iter().map(|solution| json!({
                "name": solution.name,
                "f": cut(&solution.function),
                "metrics": solution.metrics.iter().copied().map(rounded).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "clouds": clouds.iter().map(|(name, draws)| json!({
                "name": name,
                "f": draws.iter().map(|draw| cut(&draw.function)).collect::<Vec<_>>(),
                "metrics": (0..draws[0].metrics.len()).map(|metric| {
                    draws.iter().map(|draw| rounded(draw.metrics.get(metric).copied().flatten())).collect::<Vec<_>>()
                }).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }))
    }

    /// The named solutions that are on the grid of the path.
    fn solutions(&self, path: &Function) -> Vec<&Solution> {
        let on_grid = |solution: &&Solution| solution.function.len() == path.len();
        self.scene.named().into_iter().filter(on_grid).take(MOST_SOLUTIONS).collect()
    }
}

/// At most `most` of `count` places, evenly, with both ends.
fn every(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|i| i * (count - 1) / (most - 1)).collect()
}
