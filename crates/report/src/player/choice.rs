//! Which cells a player offers: one for every combination of the axes, or as many as a page has room for.

use super::answer::Answer;
use super::columns;
use crate::{Database, ReportError, Results};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// Cells of one player, at the most.
pub(super) const MOST_CELLS: usize = 16;

/// What a cell shows on an axis that it does not have.
const NULL: &str = "null";

/// Replicates of one setting, where there is but one setting.
const MOST_REPLICATES: usize = 4;

/// A cell that can be chosen.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) cell: i64,
    /// What it is called, such as `basis = legendre, decay = 2`.
    pub(super) label: String,
    /// Its place on every axis of the choice.
    pub(super) at: Vec<usize>,
}

/// The cells of a player with the axes that tell them apart.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) cells: Vec<Offered>,
    /// For the payload: name and values of every axis that has several.
    pub(super) axes: Value,
    /// What was left out; empty if nothing was.
    pub(super) note: String,
}

/// One axis: its name, its distinct values, and the place among them that each candidate has.
struct Axis {
    name: String,
    values: Vec<String>,
    places: Vec<usize>,
}

impl Choice {
    /// Of the cells that `of` selects; `None` if there is none.
    pub(super) fn new(results: &Results, database: &Database, of: &str) -> Result<Option<Self>, ReportError> {
        let axes: Vec<&str> = columns(results, "cells")
            .iter()
            .filter(|column| column.doc.starts_with("axis "))
            .map(|column| column.name.as_str())
            .collect();
        let selected: String = axes.iter().map(|axis| format!(", c.\"{axis}\" AS \"{axis}\"")).collect();
        let sql = format!(
            "SELECT c.cell AS cell, c.seed AS seed{selected} FROM cells c JOIN ({of}) AS o ON c.cell = o.cell \
             WHERE c.status <> 'failed' ORDER BY cell"
        );
        let answer = Answer::ask(database, &sql)?;
        if answer.rows() == 0 {
            return Ok(None);
        }
        let seeds: Vec<String> = answer.texts("seed").into_iter().map(Option::unwrap_or_default).collect();
        let sweep = results.manifest.study.split_once("[sweep").map_or("", |(_, sweep)| sweep);
        let mut all: Vec<Axis> = axes.iter().map(|name| Axis::of(name, &texts(&answer, name), sweep)).collect();
        all.push(Axis::of("seed", &seeds, sweep));
        Ok(Some(choose(answer.cells(), all)))
    }
}

fn texts(answer: &Answer, column: &str) -> Vec<String> {
    let spoken = |text: String| text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    answer.texts(column).into_iter().map(|text| text.map_or_else(|| NULL.to_owned(), spoken)).collect()
}

impl Axis {
    /// Numbers by their size with what has none behind them, texts in the order in which the study names them.
    fn of(name: &str, entries: &[String], study: &str) -> Self {
        let mut values: Vec<String> = Vec::new();
        for entry in entries {
            if !values.contains(entry) {
                values.push(entry.clone());
            }
        }
        let number = |text: &String| text.parse::<f64>().ok();
        let is_null = |text: &String| text == NULL;
        if values.iter().all(|value| number(value).is_some() || is_null(value)) {
            let key = |text: &String| (is_null(text), number(text));
            values.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(Ordering::Equal));
        } else {
            values.sort_by_cached_key(|value| (word_at(study, value).unwrap_or(usize::MAX), value.clone()));
        }
        let place = |entry| values.iter().position(|value| value == entry).expect("every entry is among the values");
        let places = entries.iter().map(place).collect();
        Self { name: name.to_owned(), values, places }
    }
}

/// Where a text first stands as a word of its own.
fn word_at(text: &str, word: &str) -> Option<usize> {
    let is_inner = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_inner) && !after.starts_with(is_inner)
    })
}

fn choose(cells: Vec<i64>, axes: Vec<Axis>) -> Choice {
    let seed = axes.len() - 1;
    let all = cells.len();
    let mut kept: Vec<usize> = (0..all).collect();
    let distinct = |kept: &[usize], axis: usize| {
        let mut places: Vec<usize> = kept.iter().map(|&row| axes[axis].places[row]).collect();
        places.sort_unstable();
        places.dedup();
        places
    };
    // Replicates say the same again, unless there is nothing else to choose from.
    let has_settings = (0..seed).any(|axis| distinct(&kept, axis).len() > 1);
    let most = if has_settings { 1 } else { MOST_REPLICATES };
    let seeds: Vec<usize> = distinct(&kept, seed).into_iter().take(most).collect();
    kept.retain(|&row| seeds.contains(&axes[seed].places[row]));
    while kept.len() > MOST_CELLS {
        // The shortest axis is held at its first value, until one is left: of that one, values far and near.
        let mut longer: Vec<usize> = (0..seed).filter(|&axis| distinct(&kept, axis).len() > 1).collect();
        longer.sort_by_key(|&axis| distinct(&kept, axis).len());
        let Some(&axis) = longer.first() else { break };
        let places = distinct(&kept, axis);
        let stays: Vec<usize> = match longer.len() {
            1 => (0..MOST_CELLS).map(|i| places[i * (places.len() - 1) / (MOST_CELLS - 1)]).collect(),
            _ => vec![places[0]],
        };
        kept.retain(|&row| stays.contains(&axes[axis].places[row]));
    }
    // Cells of one setting that differ in nothing named cannot be told apart in a chooser.
    kept.truncate(MOST_CELLS);
    let note = note(&axes, &kept, all);
    let shown: Vec<(usize, Vec<usize>)> =
        (0..axes.len()).map(|axis| (axis, distinct(&kept, axis))).filter(|(_, places)| places.len() > 1).collect();
    let place = |row: usize, (axis, places): &(usize, Vec<usize>)| {
        places.iter().position(|place| *place == axes[*axis].places[row]).expect("a place of a kept row")
    };
    kept.sort_by_key(|&row| shown.iter().map(|axis| place(row, axis)).collect::<Vec<_>>());
    let label = |row: usize| {
        let said = |axis: usize| format!("{} = {}", axes[axis].name, axes[axis].values[axes[axis].places[row]]);
        shown.iter().map(|(axis, _)| said(*axis)).collect::<Vec<_>>().join(", ")
    };
    let offered = kept.iter().map(|&row| Offered {
        cell: cells[row],
        label: label(row),
        at: shown.iter().map(|axis| place(row, axis)).collect(),
    });
    let named = shown.iter().map(|(axis, places)| {
        let values: Vec<&str> = places.iter().map(|&place| axes[*axis].values[place].as_str()).collect();
        json!({ "name": axes[*axis].name, "values": values })
    });
    Choice { cells: offered.collect(), axes: Value::Array(named.collect()), note }
}

/// How many cells there are beside those that can be chosen, and what the latter have in common.
fn note(axes: &[Axis], kept: &[usize], all: usize) -> String {
    if kept.len() == all {
        return String::new();
    }
    let held = |axis: &&Axis| {
        let first = axis.places[kept[0]];
        axis.values.len() > 1 && kept.iter().all(|&row| axis.places[row] == first)
    };
    let common: Vec<String> =
        axes.iter().filter(held).map(|axis| format!("{} = {}", axis.name, axis.values[axis.places[kept[0]]])).collect();
    let common = if common.is_empty() { String::new() } else { format!(": those with {}", common.join(", ")) };
    format!("{} of {all} cells{common}.", kept.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(lengths: &[usize]) -> (Vec<i64>, Vec<Axis>) {
        let total: usize = lengths.iter().product();
        let entry = |row: usize, axis: usize| row / lengths[axis + 1..].iter().product::<usize>() % lengths[axis];
        let names = ["basis", "decay", "seed"];
        let first = names.len() - lengths.len();
        let axis = |axis: usize| {
            let entries: Vec<String> = (0..total).map(|row| entry(row, axis).to_string()).collect();
            Axis::of(names[first + axis], &entries, "")
        };
        ((0..total as i64).collect(), (0..lengths.len()).map(axis).collect())
    }

    fn chosen(lengths: &[usize]) -> Choice {
        let (cells, axes) = product(lengths);
        choose(cells, axes)
    }

    #[test]
    fn every_combination_with_its_first_replicate() {
        let choice = chosen(&[3, 4, 5]);
        assert_eq!(choice.cells.len(), 12);
        assert_eq!(choice.cells[5].cell, 25);
        assert_eq!(choice.cells[5].label, "basis = 1, decay = 1");
        assert_eq!(choice.cells[5].at, [1, 1]);
        assert_eq!(choice.note, "12 of 60 cells: those with seed = 0.");
        assert_eq!(choice.axes[1]["values"].as_array().map(Vec::len), Some(4));
    }

    #[test]
    fn where_there_are_too_many_the_shortest_axis_is_held() {
        let choice = chosen(&[14, 3, 1]);
        assert_eq!(choice.cells.len(), 14);
        assert_eq!(choice.axes.as_array().map(Vec::len), Some(1));
        assert_eq!(choice.note, "14 of 42 cells: those with decay = 0.");
    }

    #[test]
    fn of_one_long_axis_values_far_and_near() {
        let choice = chosen(&[100, 1]);
        let cells: Vec<i64> = choice.cells.iter().map(|offered| offered.cell).collect();
        assert_eq!(cells.len(), MOST_CELLS);
        assert_eq!((cells[0], cells[15]), (0, 99));
        assert_eq!(choice.note, "16 of 100 cells.");
    }

    #[test]
    fn a_single_setting_offers_a_few_replicates() {
        let choice = chosen(&[9]);
        assert_eq!(choice.cells.len(), MOST_REPLICATES);
        assert_eq!(choice.cells[3].label, "seed = 3");
        let single = chosen(&[1]);
        assert_eq!((single.cells.len(), single.note.as_str()), (1, ""));
        assert_eq!(single.axes, json!([]));
    }

    #[test]
    fn numbers_are_in_the_order_of_their_size_and_texts_in_that_of_the_study() {
        let texts: Vec<String> = ["10.0", "2.0", "-1.0"].map(str::to_owned).to_vec();
        assert_eq!(Axis::of("decay", &texts, "").values, ["-1.0", "2.0", "10.0"]);
        let texts: Vec<String> = ["w2", "raw", "raw-w2", "odd"].map(str::to_owned).to_vec();
        let study = "basis.cases]\nraw-w2 = 1\nraw = { x = \"odd\" }\nw2 = 2";
        assert_eq!(Axis::of("basis", &texts, study).values, ["raw-w2", "raw", "odd", "w2"]);
    }
}
