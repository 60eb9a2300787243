//! A figure with its rows: the values to draw, and what to say of them.

use super::picked::Picked;
use super::thinning::{Limit, thin};
use super::{Channel, Figure};
use crate::{Database, Kind, QueryError};
use polars::prelude::{AnyValue, Column, DataType, PolarsError};
use serde_json::{Number, Value};
use std::collections::{BTreeMap, BTreeSet};
use taut_store::TableSchema;

/// Source of rows that training made: first and solid wherever it appears.
pub(super) const TRAINED: &str = "trained";
/// Whole numbers from here on are not told apart by readers of JSON.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// A figure with its rows.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Its words.
    pub figure: Figure,
    /// The columns that it draws, all of one length.
    pub columns: Vec<DrawnColumn>,
    /// What a reader should know: rows left out, rows thinned.
    pub notes: Vec<String>,
    /// The columns of the ribbon's lower and upper edge.
    pub ribbon: Option<(usize, usize)>,
    /// Why there are no rows, where the query has no answer.
    pub failure: Option<QueryError>,
}

/// One column of a figure.
#[derive(Clone, Debug)]
pub struct DrawnColumn {
    /// Its name in the query.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Its unit, if it is a table's; empty otherwise.
    pub unit: String,
    /// What it holds, if it is a table's; empty otherwise.
    pub doc: String,
    /// A number, text, truth value or null per row.
    pub values: Vec<Value>,
}

/// How many rows all figures of a report share, and one of them has at most.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// In one figure; four times as many under a slider.
    pub rows_per_figure: usize,
    /// In all figures together.
    pub rows: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { rows_per_figure: 5000, rows: 40_000 }
    }
}

impl Budget {
    fn of(self, figures: usize) -> Limit {
        let rows = self.rows_per_figure.min(self.rows / figures.max(1)).max(200);
        Limit { rows, rows_of_slider: (4 * rows).min(self.rows / figures.max(1)).max(rows) }
    }
}

/// Asks the tables for the rows of every figure, and thins what nobody could see.
///
/// A query without an answer leaves its figure without rows and with the reason; a study's own check has refused those,
/// but for variants of it.
pub fn draw(figures: &[Figure], database: &Database, tables: &[&TableSchema], budget: Budget) -> Vec<Drawing> {
    let limit = budget.of(figures.len());
    let drawing = |figure: &Figure| match rows(figure, database, limit) {
        Ok(picked) => Drawing::new(figure.clone(), &picked, tables),
        Err(failure) => Drawing::failed(figure.clone(), failure),
    };
    figures.iter().map(drawing).collect()
}

fn rows(figure: &Figure, database: &Database, limit: Limit) -> Result<Picked, QueryError> {
    let answer = database.rows(&figure.sql)?;
    let failed = |reason: PolarsError| QueryError::of(&reason, &figure.sql);
    let mut picked = Picked::of(figure, answer).map_err(failed)?;
    let at = |channel: &Channel| picked.position(&channel.column);
    let separating: Vec<usize> = figure.separating().into_iter().map(at).collect();
    let slider = figure.slider.as_ref().map(at);
    thin(&mut picked, figure, &separating, slider, limit).map_err(failed)?;
    Ok(picked)
}

impl Drawing {
    fn new(figure: Figure, picked: &Picked, tables: &[&TableSchema]) -> Self {
        let mut columns: Vec<DrawnColumn> = picked
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let known = tables.iter().flat_map(|table| &table.columns).find(|column| column.name == *name);
                let column = picked.column(at);
                let (unit, doc) = known.map(|known| (known.unit.clone(), known.doc.clone())).unwrap_or_default();
                DrawnColumn { name: name.clone(), kind: Kind::of(column.dtype()), unit, doc, values: values(column) }
            })
            .collect();
        let order = from_back_to_front(&figure, &columns);
        for column in &mut columns {
            column.values = order.iter().map(|row| column.values[*row].clone()).collect();
        }
        Self { figure, columns, notes: picked.notes.clone(), ribbon: picked.ribbon, failure: None }
    }

    fn failed(figure: Figure, failure: QueryError) -> Self {
        Self { figure, columns: Vec::new(), notes: Vec::new(), ribbon: None, failure: Some(failure) }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The column that a channel shows.
    pub fn column(&self, channel: &Channel) -> &DrawnColumn {
        let found = self.columns.iter().find(|column| column.name == channel.column);
        found.expect("every channel's column was drawn")
    }

    /// The different values that a channel shows, in the order in which they are shown: `trained` first, then those
    /// that the study orders, then by size or alphabet.
    pub fn levels(&self, channel: &Channel) -> Vec<Value> {
        levels(self.column(channel), channel)
    }

    /// The smallest and the largest number of a channel, ribbon included.
    pub fn extent(&self, channel: &Channel) -> Option<(f64, f64)> {
        let of_y = channel.column == self.figure.y.column;
        let edges = self.ribbon.filter(|_| of_y).into_iter().flat_map(|(low, high)| [low, high]);
        let second = self.figure.y2.iter().filter(|_| of_y).map(|channel| self.column(channel));
        let columns = edges.map(|at| &self.columns[at]).chain(second).chain([self.column(channel)]);
        let numbers = columns.flat_map(|column| column.values.iter().filter_map(Value::as_f64));
        numbers.fold(None, |known, number| match known {
            None => Some((number, number)),
            Some((low, high)) => Some((number.min(low), number.max(high))),
        })
    }
}

impl DrawnColumn {
    /// Whether its values are numbers, not names.
    pub fn is_number(&self) -> bool {
        self.kind == Kind::Number && self.values.iter().all(|value| value.is_number() || value.is_null())
    }
}

/// The order in which rows are drawn: those of training first, and then as their legend says. What comes later is drawn
/// on top, so that dashes on a solid line are seen.
fn from_back_to_front(figure: &Figure, columns: &[DrawnColumn]) -> Vec<usize> {
    let rows = columns.first().map_or(0, |column| column.values.len());
    let mut keys: Vec<Vec<usize>> = vec![Vec::new(); rows];
    if let Some(source) = columns.iter().find(|column| column.values.iter().any(|value| value == TRAINED)) {
        keys.iter_mut().zip(&source.values).for_each(|(key, value)| key.push(usize::from(value != TRAINED)));
    }
    for channel in [figure.color.as_ref(), figure.dash()].into_iter().flatten() {
        let Some(column) = columns.iter().find(|column| column.name == channel.column) else { continue };
        let levels = levels(column, channel);
        let places: BTreeMap<String, usize> =
            levels.iter().enumerate().map(|(at, value)| (value.to_string(), at)).collect();
        let place = |value: &Value| places.get(&value.to_string()).copied().unwrap_or(levels.len());
        keys.iter_mut().zip(&column.values).for_each(|(key, value)| key.push(place(value)));
    }
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|a, b| keys[*a].cmp(&keys[*b]));
    order
}

/// The different values of a column, in the order in which a channel shows them.
fn levels(column: &DrawnColumn, channel: &Channel) -> Vec<Value> {
    let mut levels: Vec<Value> = Vec::new();
    let mut seen = BTreeSet::new();
    for value in column.values.iter().filter(|value| !value.is_null()) {
        if seen.insert(value.to_string()) {
            levels.push(value.clone());
        }
    }
    let place = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        channel.order.iter().position(|known| known == text).unwrap_or(usize::MAX)
    };
    levels.sort_by(|a, b| {
        let trained = |value: &Value| value != TRAINED;
        let first = place(a).cmp(&place(b)).then(trained(a).cmp(&trained(b)));
        first.then_with(|| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => natural(&a.to_string()).cmp(&natural(&b.to_string())),
        })
    });
    levels
}

fn values(column: &Column) -> Vec<Value> {
    // Whole numbers that JSON readers would round, such as those of cells, are names.
    let as_texts = column.dtype().is_integer()
        && (0..column.len()).any(|row| number(column, row).is_some_and(|number| number.abs() > LARGEST_WHOLE));
    let of_row = |row| match column.get(row) {
        Ok(AnyValue::Boolean(truth)) => Value::Bool(truth),
        Ok(AnyValue::String(text)) => Value::String(text.to_owned()),
        Ok(AnyValue::StringOwned(text)) => Value::String(text.to_string()),
        Ok(AnyValue::Null) | Err(_) => Value::Null,
        Ok(other) if as_texts => Value::String(other.to_string()),
        Ok(other) => other.extract::<f64>().map_or(Value::Null, json_number),
    };
    (0..column.len()).map(of_row).collect()
}

fn number(column: &Column, row: usize) -> Option<f64> {
    match column.dtype() {
        DataType::String => None,
        _ => column.get(row).ok()?.extract::<f64>(),
    }
}

/// JSON has no NaN and no infinity: they are null. Whole numbers are written without a point.
fn json_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= LARGEST_WHOLE {
        return Value::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A text cut into words and numbers, so that `depth-2` comes before `depth-10`.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut pieces: Vec<(u64, String)> = Vec::new();
    let mut digits = String::new();
    for letter in text.chars() {
        if letter.is_ascii_digit() && digits.len() < 18 {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            pieces.push((digits.parse().unwrap_or(0), String::new()));
            digits.clear();
        }
        pieces.push((u64::MAX, letter.to_string()));
    }
    if !digits.is_empty() {
        pieces.push((digits.parse().unwrap_or(0), String::new()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_are_ordered_by_size() {
        let mut texts = vec!["depth-10", "depth-2", "depth", "a"];
        texts.sort_by_key(|text| natural(text));
        assert_eq!(texts, ["a", "depth", "depth-2", "depth-10"]);
    }

    #[test]
    fn json_has_no_nan_and_whole_numbers_no_point() {
        assert_eq!(json_number(f64::NAN), Value::Null);
        assert_eq!(json_number(f64::INFINITY), Value::Null);
        assert_eq!(json_number(1e8).to_string(), "100000000");
        assert_eq!(json_number(0.1).to_string(), "0.1");
        assert_eq!(json_number(-0.0).to_string(), "0");
    }
}
