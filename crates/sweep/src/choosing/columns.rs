//! The columns of scores and choices, and how they are filled.

use super::{Choice, asked};
use crate::study::Checked;
use taut_problem::Clock;
use taut_store::{Column, ColumnType, Rows};

fn float(name: String, unit: &str, doc: String) -> Column {
    Column::new(name, ColumnType::Float64, unit, doc)
}

/// The scores of `trajectory`.
pub(crate) fn of_path(checked: &Checked) -> Vec<Column> {
    asked(checked).iter().map(|c| float(c.column.to_owned(), "y²", c.labelled(false))).collect()
}

/// The scores of `solutions`.
pub(crate) fn of_solutions(checked: &Checked) -> Vec<Column> {
    asked(checked).iter().map(|c| float(c.column.to_owned(), "y²", c.labelled(true))).collect()
}

/// The choices of `cells`: along the path, and along ridge if there is a grid of λ.
pub(crate) fn of_cells(checked: &Checked) -> Vec<Column> {
    let mut columns = Vec::new();
    let risks = |columns: &mut Vec<Column>, start: &str, what: &str, rows: &str| {
        let risk = format!("risk of {what}; test_error where the data have no curve; null where neither is recorded");
        columns.push(float(format!("{start}_risk"), "y²", risk));
        let regret = format!("{start}_risk minus the smallest over {rows}, which is what the oracle has; at least 0");
        columns.push(float(format!("{start}_regret"), "y²", regret));
    };
    for criterion in asked(checked) {
        let start = format!("chosen_{}", criterion.name);
        let caution = if criterion.estimates_descent { "" } else { " (not a risk estimate for descent)" };
        let what = format!("the recorded row with the smallest {}{caution}", criterion.column);
        columns.push(Column::new(format!("{start}_step"), ColumnType::Int64, "steps", format!("step of {what}")));
        columns.push(float(format!("{start}_time"), "1", format!("time of {what}")));
        risks(&mut columns, &start, &what, "the recorded rows");
    }
    if checked.study.solutions.ridge.is_some() {
        for criterion in asked(checked) {
            let start = format!("chosen_ridge_{}", criterion.name);
            let what = format!("ridge with the smallest {}", criterion.column);
            columns.push(float(format!("{start}_lambda"), "1", format!("λ of {what}")));
            risks(&mut columns, &start, &what, "the grid of λ");
        }
    }
    columns
}

/// Adds one column of numbers or nulls per criterion from column `at` on.
pub(crate) fn push_scores(rows: &mut Rows, at: usize, scores: &[Option<Vec<f64>>], count: usize) {
    for (i, scores) in scores.iter().enumerate() {
        match scores {
            Some(values) => rows.extend_floats(at + i, values),
            None => rows.push_null(at + i, count),
        }
    }
}

/// Adds what was chosen on a path; returns the column after it.
pub(crate) fn push_choices(
    rows: &mut Rows,
    mut at: usize,
    choices: &[Option<Choice>],
    clocks: &[Clock],
    times: &[f64],
) -> usize {
    for choice in choices {
        rows.push_int(at, choice.and_then(|c| clocks[c.row].step()).map(|step| step as i64));
        rows.push_float(at + 1, choice.map(|c| times[c.row]));
        rows.push_float(at + 2, choice.and_then(|c| c.risk));
        rows.push_float(at + 3, choice.and_then(|c| c.regret));
        at += 4;
    }
    at
}

/// Adds which λ were chosen.
pub(crate) fn push_ridge_choices(rows: &mut Rows, mut at: usize, choices: &[Option<Choice>], lambda: &[f64]) {
    for choice in choices {
        rows.push_float(at, choice.map(|c| lambda[c.row]));
        rows.push_float(at + 1, choice.and_then(|c| c.risk));
        rows.push_float(at + 2, choice.and_then(|c| c.regret));
        at += 3;
    }
}
