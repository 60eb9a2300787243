//! Which rows are drawn where there are too many to see: those that the shape of a line needs, and of what is left
//! every k-th of each line, with its ends.

use super::Figure;
use super::picked::{Picked, counted, grouped};
use super::shape::simplify;
use polars::prelude::{ChunkCompareEq, DataFrame, IdxCa, IdxSize, PolarsResult};

/// How many rows one figure shows at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// In one picture.
    pub(super) rows: usize,
    /// Under a slider, in all its positions together.
    pub(super) rows_of_slider: usize,
}

/// Fewer positions than this make a slider jump.
const LEAST_POSITIONS: usize = 24;
/// A line needs a few rows to be one.
const LEAST_PER_LINE: usize = 8;

/// Leaves out rows until the limit is kept, and says which.
pub(super) fn thin(
    picked: &mut Picked,
    figure: &Figure,
    separating: &[usize],
    slider: Option<usize>,
    limit: Limit,
) -> PolarsResult<()> {
    let most = if slider.is_some() { limit.rows_of_slider } else { limit.rows };
    if picked.frame.height() <= most {
        return Ok(());
    }
    simplify(picked, figure, separating)?;
    if let Some(slider) = slider {
        thin_positions(picked, slider, most)?;
    }
    thin_lines(picked, separating, most)?;
    thin_rows(picked, separating, most)
}

/// Keeps every k-th position of the slider, and the rows that stay in all of them.
fn thin_positions(picked: &mut Picked, slider: usize, most: usize) -> PolarsResult<()> {
    let column = picked.column(slider).clone();
    let positions = runs(&picked.frame, &[slider])?;
    // Nulls come first in the order, as one run.
    let fixed = usize::from(column.null_count() > 0);
    let moving = positions.len() - fixed;
    let wanted = (moving * most / picked.frame.height().max(most)).max(LEAST_POSITIONS);
    let every = moving.div_ceil(wanted);
    if every <= 1 {
        return Ok(());
    }
    let kept = |at: usize| at < fixed || (at - fixed).is_multiple_of(every) || at + 1 == positions.len();
    let rows = positions.iter().enumerate().filter(|(at, _)| kept(*at)).flat_map(|(_, run)| run.clone());
    take(picked, rows)?;
    let name = picked.names[slider].clone();
    picked.notes.push(format!("The slider stops at every {} of {} values of `{name}`.", nth(every), grouped(moving)));
    Ok(())
}

/// Keeps every k-th line where even their ends would be too many.
fn thin_lines(picked: &mut Picked, separating: &[usize], most: usize) -> PolarsResult<()> {
    let lines = runs(&picked.frame, separating)?;
    let every = (lines.len() * LEAST_PER_LINE).div_ceil(most.max(1));
    if picked.frame.height() <= most || every <= 1 {
        return Ok(());
    }
    let rows = lines.iter().step_by(every).flat_map(Clone::clone);
    take(picked, rows)?;
    picked.notes.push(format!("Drawn: every {} of {}.", nth(every), counted(lines.len(), "line")));
    Ok(())
}

/// Keeps every k-th row of each line, and its last one.
fn thin_rows(picked: &mut Picked, separating: &[usize], most: usize) -> PolarsResult<()> {
    let all = picked.frame.height();
    if all <= most {
        return Ok(());
    }
    let lines = runs(&picked.frame, separating)?;
    let left = |every: usize| -> usize { lines.iter().map(|line| (line.len() - 1).div_ceil(every) + 1).sum() };
    let longest = lines.iter().map(std::ops::Range::len).max().unwrap_or(1);
    let every = (all.div_ceil(most)..longest).find(|every| left(*every) <= most).unwrap_or(longest);
    let rows = lines.iter().flat_map(|line| {
        let last = line.end - 1;
        line.clone().filter(move |row| (row - line.start).is_multiple_of(every) || *row == last)
    });
    take(picked, rows)?;
    picked.notes.push(format!("Drawn: every {} of {}.", nth(every), counted(all, "row")));
    Ok(())
}

/// The stretches of sorted rows with the same values in these columns.
pub(super) fn runs(frame: &DataFrame, by: &[usize]) -> PolarsResult<Vec<std::ops::Range<usize>>> {
    let rows = frame.height();
    let mut begins = vec![false; rows];
    for at in by {
        let column = frame.columns()[*at].as_materialized_series();
        let differs = column.not_equal_missing(&column.shift(1))?;
        begins.iter_mut().zip(differs.iter()).for_each(|(begins, differs)| *begins |= differs == Some(true));
    }
    // The row before the first counts as null, which the first may be as well.
    if let Some(first) = begins.first_mut() {
        *first = true;
    }
    let starts: Vec<usize> = begins.iter().enumerate().filter(|(_, begins)| **begins).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([rows]);
    Ok(starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect())
}

pub(super) fn take(picked: &mut Picked, rows: impl Iterator<Item = usize>) -> PolarsResult<()> {
    let rows: Vec<IdxSize> = rows.map(|row| row as IdxSize).collect();
    picked.frame = picked.frame.take(&IdxCa::from_vec("rows".into(), rows))?;
    Ok(())
}

/// "2nd", "7th", "21st".
fn nth(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{ending}", grouped(number))
}
