//! Claims held against the tables: what was measured, and the verdict.

use super::digits::{kept, kept_margin};
use super::resolution::value_column;
use super::{Bound, Claim};
use crate::{Database, Manifest, QueryError, ReportError, Results};
use polars::prelude::{AnyValue, Column, DataFrame, DataType};
use std::fmt;

/// What the numbers say to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The measured value is inside the bound.
    Holds,
    /// It is outside.
    Fails,
    /// There is no value to hold against the bound.
    Undecided,
    /// Only the whole study can answer it, and this is its small version.
    Skipped,
}

impl Verdict {
    /// The word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Undecided => "undecided",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One row of a claim's query.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The group's columns and values, such as `basis = legendre, decay = 2`; empty where there is one group.
    pub group: String,
    /// What was measured, to nine digits where it is no whole number; a truth value as 1 or 0; `None` for a null.
    pub value: Option<f64>,
    /// How far inside the bound all digits of it are.
    pub margin: Option<f64>,
    /// What it says to the claim.
    pub verdict: Verdict,
    /// Why it is undecided.
    pub reason: Option<String>,
}

/// A claim with what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The claim.
    pub claim: Claim,
    /// What it was held against.
    pub bound: Bound,
    /// One for each group, in the order of the groups; one without a value where the query gave no row.
    pub measured: Vec<Measured>,
}

/// All claims of a study with their answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdicts {
    /// In the order of the study.
    pub answers: Vec<Answer>,
}

impl Answer {
    /// What the numbers say: fails if any group does, holds if all do.
    pub fn verdict(&self) -> Verdict {
        let has = |verdict| self.measured.iter().any(|measured| measured.verdict == verdict);
        match () {
            () if has(Verdict::Skipped) => Verdict::Skipped,
            () if has(Verdict::Fails) => Verdict::Fails,
            () if has(Verdict::Undecided) || self.measured.is_empty() => Verdict::Undecided,
            () => Verdict::Holds,
        }
    }

    /// The group that decides: of those with the claim's verdict the one with the smallest margin.
    pub fn decisive(&self) -> Option<&Measured> {
        let verdict = self.verdict();
        let margin = |measured: &&Measured| measured.margin.unwrap_or(f64::INFINITY);
        let deciding = self.measured.iter().filter(|measured| measured.verdict == verdict);
        deciding.min_by(|a, b| margin(a).total_cmp(&margin(b)))
    }
}

impl Verdicts {
    /// How many claims have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.answers.iter().filter(|answer| answer.verdict() == verdict).count()
    }

    /// Whether every claim that was asked holds.
    pub fn all_hold(&self) -> bool {
        self.count(Verdict::Holds) + self.count(Verdict::Skipped) == self.answers.len()
    }
}

/// Asks the tables what they say to each claim of a manifest: the one stored with them, or the study's own of today.
///
/// A query without an answer leaves its claim undecided; a study's own check has refused those, but for variants of it.
/// While parts are missing every verdict is undecided: the values are those of the parts that are there.
///
/// # Errors
/// If the tables cannot be opened, or if a part turns out to be damaged.
pub fn evaluate(manifest: &Manifest, results: &Results) -> Result<Verdicts, ReportError> {
    let database = Database::of_results(results)?.without_clocks();
    let missing = results.missing();
    let answer = |claim: &Claim| {
        let bound = if manifest.quick { claim.quick_bound() } else { Some(claim.bound()) };
        let Some(bound) = bound else {
            let measured =
                vec![unmeasured(String::new(), None, Verdict::Skipped, "only the whole study can answer it")];
            return Ok(Answer { claim: claim.clone(), bound: claim.bound(), measured });
        };
        let mut measured = match ask(claim, bound, &database) {
            Ok(measured) => measured,
            Err(error) => {
                // A query that no part of the tables can answer is one thing, a part that cannot be read another.
                results.read_through()?;
                vec![undecided(String::new(), None, &error.message)]
            }
        };
        if let Some(missing) = &missing {
            for measured in &mut measured {
                measured.verdict = Verdict::Undecided;
                measured.reason = Some(missing.clone());
            }
        }
        Ok(Answer { claim: claim.clone(), bound, measured })
    };
    Ok(Verdicts { answers: manifest.claims.iter().map(answer).collect::<Result<_, ReportError>>()? })
}

fn ask(claim: &Claim, bound: Bound, database: &Database) -> Result<Vec<Measured>, QueryError> {
    let rows = database.rows(&claim.sql)?;
    let value = value_column(claim, bound, &crate::query::columns(&rows))?;
    Ok(measure(claim, bound, &rows, &value))
}

/// The rows of an answer, each against the bound, in the order of their groups.
fn measure(claim: &Claim, bound: Bound, rows: &DataFrame, value: &str) -> Vec<Measured> {
    if rows.height() == 0 {
        return vec![undecided(String::new(), None, "the query gave no row")];
    }
    if claim.group_by.is_empty() && rows.height() > 1 {
        let reason =
            format!("the query gave {} rows where one number is due; aggregate, or use group_by", rows.height());
        return vec![undecided(String::new(), None, &reason)];
    }
    let values = numbers(rows, value);
    let groups: Vec<&Column> = claim.group_by.iter().filter_map(|name| rows.column(name).ok()).collect();
    let mut measured: Vec<(Vec<Key>, Measured)> = (0..rows.height())
        .map(|row| (key(&groups, row), held_against(bound, group(&groups, row), values[row])))
        .collect();
    // The engine gives groups in no fixed order, and the rows of one group neither.
    let size = |measured: &Measured| measured.value.unwrap_or(f64::NEG_INFINITY);
    measured.sort_by(|(a, one), (b, other)| a.cmp(b).then(size(one).total_cmp(&size(other))));
    measured.into_iter().map(|(_, measured)| measured).collect()
}

fn held_against(bound: Bound, group: String, value: Option<Number>) -> Measured {
    match value {
        None => undecided(group, None, "the measured value is null"),
        Some(Number { value, .. }) if value.is_nan() => undecided(group, Some(value), "the measured value is NaN"),
        Some(Number { value, is_whole }) => {
            let margin = if is_whole { bound.margin(value) } else { kept_margin(bound, value) };
            let verdict = if margin >= 0.0 { Verdict::Holds } else { Verdict::Fails };
            let value = if is_whole { value } else { kept(value) };
            Measured { group, value: Some(value), margin: Some(margin), verdict, reason: None }
        }
    }
}

/// A measured number, and whether it is one of a column of whole numbers.
#[derive(Clone, Copy)]
struct Number {
    value: f64,
    is_whole: bool,
}

fn undecided(group: String, value: Option<f64>, reason: &str) -> Measured {
    unmeasured(group, value, Verdict::Undecided, reason)
}

fn unmeasured(group: String, value: Option<f64>, verdict: Verdict, reason: &str) -> Measured {
    Measured { group, value, margin: None, verdict, reason: Some(reason.to_owned()) }
}

/// A column as numbers; truth values are 1 and 0.
fn numbers(rows: &DataFrame, name: &str) -> Vec<Option<Number>> {
    let column = rows.column(name).expect("the column was found among those of the answer");
    let is_whole = !column.dtype().is_float();
    let column = column.cast(&DataType::Float64).expect("the column was found to be of numbers or truth values");
    let floats = column.f64().expect("just cast");
    floats.iter().map(|value| value.map(|value| Number { value, is_whole })).collect()
}

/// What groups are ordered by: numbers by size, then texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Null,
    /// The bits of a number, mapped so that their order is the numbers' own.
    Number(i64),
    Text(String),
}

fn key(groups: &[&Column], row: usize) -> Vec<Key> {
    let of = |value: AnyValue<'_>| match value {
        AnyValue::Null => Key::Null,
        AnyValue::String(text) => Key::Text(text.to_owned()),
        AnyValue::StringOwned(text) => Key::Text(text.to_string()),
        other => match other.extract::<f64>() {
            Some(number) => {
                let bits = number.to_bits() as i64;
                Key::Number(bits ^ (((bits >> 63) as u64) >> 1) as i64)
            }
            None => Key::Text(other.to_string()),
        },
    };
    groups.iter().map(|column| column.get(row).map_or(Key::Null, of)).collect()
}

/// "basis = legendre, decay = 2".
fn group(groups: &[&Column], row: usize) -> String {
    let shown = |column: &&Column| {
        let value = match column.get(row) {
            Ok(AnyValue::String(text)) => text.to_owned(),
            Ok(AnyValue::StringOwned(text)) => text.to_string(),
            // Display of a double is its shortest form; that of polars is cut.
            Ok(AnyValue::Float64(number)) => number.to_string(),
            Ok(other) => other.to_string(),
            Err(_) => String::new(),
        };
        format!("{} = {value}", column.name())
    };
    groups.iter().map(shown).collect::<Vec<_>>().join(", ")
}
