//! Settings of different sections that contradict each other, found while planning.

use crate::study::{CellSpec, Checked, Problem, Record};
use std::collections::BTreeSet;
use taut_problem::{Continuation, Solver};
use taut_train::Train;

/// Every mistake with the first cell that has it.
pub(crate) fn crossings(checked: &Checked) -> Vec<(Option<usize>, Problem)> {
    let nonlinear = |cell: &CellSpec<'_>| !cell.is_linear();
    let all_linear = checked.data.iter().all(|data| !data.value.is_matrix())
        && checked.model.iter().all(|model| model.value.parametrization.is_direct());
    if all_linear && !checked.train.iter().any(|train| concerns(&train.value)) {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut problems: Vec<(Option<usize>, Problem)> = Vec::new();
    for index in 0..checked.cells() {
        let cell = checked.cell(index);
        if !(concerns(cell.train) || nonlinear(&cell))
            || !seen.insert((cell.data_index, cell.model_index, cell.train_index))
        {
            continue;
        }
        for problem in of_cell(&cell, &checked.study.record) {
            // One of a kind is enough: the others are the same slip.
            if problems.iter().all(|(_, known)| known.key_path != problem.key_path) {
                problems.push((Some(index), problem));
            }
        }
    }
    problems
}

/// Whether `[train]` asks anything of the data or the model.
fn concerns(train: &Train) -> bool {
    let bends = train.penalty.is_some_and(|penalty| penalty.bending.get() > 0.0);
    let solver = matches!(train.solver, Solver::Dual | Solver::Riccati | Solver::Modes);
    train.continuation.is_some() || bends || solver || train.method.optimizer().batch().is_some()
}

fn of_cell(cell: &CellSpec<'_>, record: &Record) -> Vec<Problem> {
    let of_rows = [batch(cell), bending(cell), degrees(cell), noise_share(cell)].into_iter().flatten();
    of_rows.chain(crate::nonlinear::complaints(cell, record)).collect()
}

fn problem(key_path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Option<Problem> {
    Some(Problem { key_path: key_path.into(), message: message.into(), help: help.into(), ..Problem::default() })
}

/// A batch larger than the data.
fn batch(cell: &CellSpec<'_>) -> Option<Problem> {
    let optimizer = cell.train.method.optimizer();
    let batch = optimizer.batch()?;
    let samples = cell.data.samples(cell.files.map(|files| &**files))?;
    if batch.size <= samples || optimizer.may_exceed_data() {
        return None;
    }
    problem(
        format!("train.method.{}.batch", cell.train.method.name()),
        format!("a batch of {} rows, but the data have {samples}", batch.size),
        format!("use at most {samples}, or say `replacement = true` if rows are meant to repeat"),
    )
}

/// ∫f″² needs functions on the line.
fn bending(cell: &CellSpec<'_>) -> Option<Problem> {
    let bends = cell.train.penalty.is_some_and(|penalty| penalty.bending.get() > 0.0);
    if !bends || !cell.is_linear() || cell.model.features.on_curve().is_some() {
        return None;
    }
    problem(
        "train.penalty.bending",
        "these features are no functions on [-1, 1], so there is no ∫f″² to penalise",
        "use `ridge`, or features of one input",
    )
}

/// Degrees that the features do not have.
fn degrees(cell: &CellSpec<'_>) -> Option<Problem> {
    let Some(Continuation::Degree(degrees)) = &cell.train.continuation else { return None };
    let up_to = |degree: usize| cell.model.features.up_to(degree);
    let key = "train.continuation.degree";
    if up_to(0).is_none() {
        let message = "these features are not ordered by degree, so none of them come first";
        return problem(key, message, "use polynomial, fourier or cosine features");
    }
    let beyond = degrees.iter().position(|d| d.size() > 0 && up_to(d.size()) == up_to(d.size() - 1))?;
    let highest = (0..degrees[beyond].size()).find(|d| up_to(*d) == up_to(d + 1))?;
    problem(
        format!("{key}.{beyond}"),
        format!("degree {} is beyond the features, which go up to {highest}", degrees[beyond].get()),
        format!("use at most {highest}"),
    )
}

/// A share of the noise needs the values without it.
fn noise_share(cell: &CellSpec<'_>) -> Option<Problem> {
    let Some(Continuation::NoiseShare(_)) = &cell.train.continuation else { return None };
    if cell.data.curve.as_ref().is_some_and(|curve| curve.target.is_some()) {
        return None;
    }
    problem(
        "train.continuation.noise-share",
        "a share of the noise needs the values without noise, and these data have no target",
        "give `data.curve.target`, or use another continuation",
    )
}
