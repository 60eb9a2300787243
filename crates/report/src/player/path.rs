//! The recorded rows of one cell's training, thinned to what a player has room for.

use super::answer::Answer;
use crate::{Database, ReportError};
use std::collections::BTreeMap;

/// A clock is drawn evenly if its largest gap is at most so many times its usual one.
const EVEN: f64 = 4.0;

/// How much longer than the motion itself a player goes on before it skips to the end.
const AFTER: f64 = 0.35;

/// A change of this share of the largest error, and of the measures, is motion.
const MOTION: f64 = 2e-3;

/// Rows of one path, at the most.
const MOST_ROWS: usize = 320;

/// How times are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// By their logarithm, with a place of its own for 0.
    Log,
    /// Evenly.
    Linear,
}

impl Scale {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Linear => "linear",
        }
    }
}

/// The rows of one cell in the order of training.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    /// Training time; infinite in the limit.
    pub(super) times: Vec<f64>,
    /// What the player's clock shows: steps where there are some, else training time; infinite in the limit.
    pub(super) clock: Vec<f64>,
    /// The measures, a list each.
    pub(super) measures: Vec<Vec<Option<f64>>>,
}

/// Whether a player counts steps: where every row before the limit has one.
pub(super) fn counts_steps(database: &Database, cells: &str) -> Result<bool, ReportError> {
    let sql = format!(
        "SELECT cell FROM trajectory WHERE cell IN ({cells}) AND source = 'trained' AND step IS NULL AND time < 1.0e308 \
         LIMIT 1"
    );
    Ok(Answer::ask(database, &sql)?.rows() == 0)
}

/// The rows of one cell that a player shows.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) path: Path,
    pub(super) scale: Scale,
    /// Whether rows are left out before the last, which lies far beyond the others.
    pub(super) tail: bool,
}

/// The rows to show of these cells: from the first motion to somewhat beyond the last, and both ends.
///
/// Where `has_error`, the first measure is the error that falls; `until` holds moments that have to be seen.
pub(super) fn shown(
    database: &Database,
    cells: &str,
    measures: &[&str],
    has_error: bool,
    is_stepped: bool,
    until: &BTreeMap<i64, f64>,
) -> Result<BTreeMap<i64, Shown>, ReportError> {
    let all = paths(database, cells, measures, is_stepped)?;
    let shown = all.into_iter().map(|(cell, path)| {
        let (scale, until) = (path.scale(), until.get(&cell).copied());
        let (rows, tail) = path.moving(scale, has_error.then_some(0), until);
        let path = path.of_rows(&rows);
        let path = path.of_rows(&path.spread(scale, MOST_ROWS, until));
        (cell, Shown { path, scale, tail })
    });
    Ok(shown.collect())
}

/// The trained rows of these cells with these columns of `trajectory`.
fn paths(
    database: &Database,
    cells: &str,
    measures: &[&str],
    is_stepped: bool,
) -> Result<BTreeMap<i64, Path>, ReportError> {
    let selected: String = measures.iter().map(|name| format!(", \"{name}\"")).collect();
    let sql = format!(
        "SELECT cell, step, time{selected} FROM trajectory WHERE cell IN ({cells}) AND source = 'trained' \
         ORDER BY cell, time, step"
    );
    let answer = Answer::ask(database, &sql)?;
    let (of, times, steps) = (answer.cells(), answer.floats("time"), answer.whole("step"));
    let columns: Vec<Vec<Option<f64>>> = measures.iter().map(|name| answer.floats(name)).collect();
    let mut paths: BTreeMap<i64, Path> = BTreeMap::new();
    for row in 0..answer.rows() {
        let Some(time) = times[row].filter(|time| !time.is_nan()) else { continue };
        let path = paths
            .entry(of[row])
            .or_insert_with(|| Path { measures: vec![Vec::new(); measures.len()], ..Path::default() });
        // Every stage of a continuation may have a limit of its own: the last one counts.
        if path.times.last() == Some(&time) {
            path.drop_last();
        }
        let shown = steps[row].filter(|_| is_stepped).map_or(time, |step| step as f64);
        path.times.push(time);
        path.clock.push(shown);
        path.measures.iter_mut().zip(&columns).for_each(|(measure, column)| measure.push(column[row]));
    }
    Ok(paths)
}

impl Path {
    pub(super) fn rows(&self) -> usize {
        self.times.len()
    }

    fn drop_last(&mut self) {
        self.times.pop();
        self.clock.pop();
        for measure in &mut self.measures {
            measure.pop();
        }
    }

    /// These rows alone.
    pub(super) fn of_rows(&self, rows: &[usize]) -> Self {
        let floats = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        let measures = self.measures.iter().map(|values| rows.iter().map(|&row| values[row]).collect()).collect();
        Self { times: floats(&self.times), clock: floats(&self.clock), measures }
    }

    /// Evenly where the rows are, else by the logarithm.
    pub(super) fn scale(&self) -> Scale {
        let finite: Vec<f64> = self.clock.iter().copied().filter(|time| time.is_finite()).collect();
        let mut gaps: Vec<f64> = finite.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        match (gaps.get(gaps.len() / 2), gaps.last()) {
            (Some(usual), Some(largest)) if *largest > EVEN * usual => Scale::Log,
            _ => Scale::Linear,
        }
    }

    /// Rows from the first motion to somewhat beyond the last, with both ends; and whether the end lies apart.
    ///
    /// `error` is the measure that falls; `until` a moment that has to be seen.
    pub(super) fn moving(&self, scale: Scale, error: Option<usize>, until: Option<f64>) -> (Vec<usize>, bool) {
        let last = self.rows() - 1;
        let moves =
            |a: usize, b: usize| self.measures.iter().enumerate().any(|(i, m)| differs(m, a, b, error == Some(i)));
        // From nothing, every growth of a measure is large: the error alone says when something begins.
        let begins =
            |row: usize| error.map_or_else(|| moves(row, 0), |error| differs(&self.measures[error], row, 0, true));
        let first = (0..last).find(|&row| begins(row + 1)).unwrap_or(0);
        let settled = (0..last).rev().find(|&row| moves(row, last)).map_or(0, |row| row + 1);
        let seen = until.map_or(0, |until| self.clock.iter().position(|time| *time >= until).unwrap_or(last));
        let settled = settled.max(seen).max(first);
        let place = |row: usize| match scale {
            Scale::Log => self.clock[row].max(f64::MIN_POSITIVE).ln(),
            Scale::Linear => self.clock[row],
        };
        // A start at 0 has no logarithm: the motion begins at the row after it.
        let begins = place(first.max(usize::from(self.clock[0] <= 0.0)).min(last));
        let ends = place(settled) + AFTER * (place(settled) - begins).max(0.0);
        let is_shown = |&row: &usize| {
            row == 0 || row == last || (row >= first && row <= settled) || (row > settled && place(row) <= ends)
        };
        let rows: Vec<usize> = (0..=last).filter(is_shown).collect();
        let before_last = rows.len().checked_sub(2).map_or(0, |at| rows[at]);
        (rows, before_last + 1 < last && self.clock[last].is_finite())
    }

    /// At most `count` rows, spread over the clock as it is drawn, with both ends and the first row at or after `keep`.
    pub(super) fn spread(&self, scale: Scale, count: usize, keep: Option<f64>) -> Vec<usize> {
        let last = self.rows() - 1;
        if last < count {
            return (0..=last).collect();
        }
        let inner: Vec<usize> = (0..=last)
            .filter(|&row| self.clock[row].is_finite() && (scale == Scale::Linear || self.clock[row] > 0.0))
            .collect();
        let place = |row: usize| match scale {
            Scale::Log => self.clock[row].ln(),
            Scale::Linear => self.clock[row],
        };
        let kept = keep.and_then(|keep| self.clock.iter().position(|time| *time >= keep));
        let mut rows: Vec<usize> = [0, last].into_iter().chain(kept).collect();
        if let (Some(&from), Some(&to)) = (inner.first(), inner.last()) {
            let ticks = count.saturating_sub(3).max(2);
            let mut at = 0;
            for tick in 0..ticks {
                let wanted = place(from) + (place(to) - place(from)) * tick as f64 / (ticks - 1) as f64;
                while at + 1 < inner.len() && place(inner[at]) < wanted {
                    at += 1;
                }
                rows.push(inner[at]);
            }
        }
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

/// Whether a measure has moved between two rows: an error by a share of what it was at the start, anything else of its own.
fn differs(measure: &[Option<f64>], a: usize, b: usize, is_error: bool) -> bool {
    let finite = |row: usize| measure[row].filter(|value| value.is_finite());
    match (finite(a), finite(b)) {
        // Mean squares: what the eye sees is the root.
        (Some(a), Some(b)) if is_error => {
            let start =
                measure.iter().flatten().copied().find(|value| value.is_finite() && *value > 0.0).unwrap_or(0.0);
            (a.abs().sqrt() - b.abs().sqrt()).abs() > MOTION * start.sqrt()
        }
        (Some(a), Some(b)) => (a - b).abs() > MOTION * a.abs().max(b.abs()),
        (a, b) => a.is_some() != b.is_some(),
    }
}

/// Cells as a list for `IN (…)`.
pub(super) fn listed(cells: impl Iterator<Item = i64>) -> String {
    cells.map(|cell| cell.to_string()).collect::<Vec<_>>().join(", ")
}

/// A condition on `time` that these moments fulfil; the limit is asked for where it is among them.
pub(super) fn at_times(times: &[f64]) -> String {
    // The shortest text that gives back every bit, with the point that the dialect needs before an exponent.
    let spelt = |time: &f64| match format!("{time:e}").split_once('e') {
        Some((front, back)) if !front.contains('.') => format!("{front}.0e{back}"),
        _ => format!("{time:e}"),
    };
    let finite: Vec<String> = times.iter().filter(|time| time.is_finite()).map(spelt).collect();
    let finite = if finite.is_empty() { "FALSE".to_owned() } else { format!("time IN ({})", finite.join(", ")) };
    let limit = if times.iter().any(|time| time.is_infinite()) { " OR time > 1.0e308" } else { "" };
    format!("({finite}{limit})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spelt_so_that_they_are_found_again() {
        assert_eq!(at_times(&[0.0, 1.5, 1e-7, f64::INFINITY]), "(time IN (0.0e0, 1.5e0, 1.0e-7) OR time > 1.0e308)");
        assert_eq!(at_times(&[]), "(FALSE)");
        // A player's longest list is far from the longest query.
        let times: Vec<f64> = (1..=MOST_ROWS).map(|i| -(i as f64).sqrt() * 1e-300).collect();
        assert!(at_times(&times).len() < 12_000);
    }
}
