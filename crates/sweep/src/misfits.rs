//! Models that do not go with the data of a cell.

use crate::study::{CellSpec, Checked, Problem};
use std::collections::BTreeSet;
use taut_problem::{Features, Init, ParametrizationKind};

/// Every mistake, each pair of shape and model once, with a cell that has it.
pub(crate) fn misfits(checked: &Checked) -> Vec<(Option<usize>, Problem)> {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for index in 0..checked.cells() {
        let cell = checked.cell(index);
        // What does not depend on the shape is checked without the data.
        if seen.insert((cell.data.inputs(), cell.shape(), cell.model_index)) {
            problems.extend(misfit(&cell).map(|problem| (Some(index), problem)));
        }
    }
    problems
}

fn problem(key: &str, message: impl Into<String>, help: impl Into<String>) -> Option<Problem> {
    let key_path = format!("model.{key}");
    Some(Problem { key_path, message: message.into(), help: help.into(), ..Problem::default() })
}

fn misfit(cell: &CellSpec<'_>) -> Option<Problem> {
    features(cell).or_else(|| parametrization(cell)).or_else(|| start(cell)).or_else(|| wrong_file(cell))
}

fn features(cell: &CellSpec<'_>) -> Option<Problem> {
    let features = &cell.model.features;
    if !cell.data.is_matrix() {
        let misfit = features.misfit(cell.data.inputs())?;
        return problem("features", misfit.message, misfit.help);
    }
    let message = || format!("{} features of data that are a matrix", features.name());
    if *features == Features::Identity {
        return None;
    }
    problem("features", message(), "write `features = \"identity\"`")
}

fn parametrization(cell: &CellSpec<'_>) -> Option<Problem> {
    let kind = &cell.model.parametrization;
    if let ParametrizationKind::DeepLinear(deep) = kind
        && let Some((key, message)) = deep.complaint()
    {
        let help = "write `{ deep-linear = { depth = 3, width = 64 } }`, or `{ deep-linear = { widths = [64, 64] } }`";
        return problem(&format!("parametrization.deep-linear.{key}"), message, help);
    }
    let [inputs, outputs] = cell.shape()?;
    let [message, help] = kind.misfit(inputs, outputs)?;
    problem("parametrization", message, help)
}

/// What every model can start from.
const OTHER_STARTS: &str = "write `init = { gaussian = { scale = 0.01 } }`, or see docs/study.md for others";

fn start(cell: &CellSpec<'_>) -> Option<Problem> {
    let (kind, init, [inputs, outputs]) = (&cell.model.parametrization, &cell.model.init, cell.shape()?);
    if let Some((key, message)) = init.complaint(kind, inputs, outputs) {
        // A start of another kind helps where this kind does not go with the model, not where one of its keys is off.
        let help = if key.contains('.') { "" } else { OTHER_STARTS };
        return problem(&format!("init.{key}"), message, help);
    }
    let from_file = || cell.start.is_some_and(|start| start.0.values().all(|tensor| tensor.amax() <= 0.0));
    let is_zero = init.is_zero() || matches!(init, Init::File(_)) && from_file();
    if kind.is_direct() || kind.depth(inputs, outputs) < 2 || !is_zero {
        return None;
    }
    let message = format!("{} never leaves a start at zero, where the gradient is zero", kind.name());
    problem("init", message, OTHER_STARTS)
}

/// A start from a file with tensors of another shape than the model has.
fn wrong_file(cell: &CellSpec<'_>) -> Option<Problem> {
    let (start, [inputs, outputs]) = (cell.start?, cell.shape()?);
    let kind = &cell.model.parametrization;
    let tensors = kind.tensors(inputs, outputs);
    let known = |name: &String| tensors.iter().any(|tensor| tensor.name == *name);
    if let Some(other) = start.0.keys().find(|name| !known(name)) {
        let message = format!("the file also has the tensor `{other}`, which this model has no use for");
        let names: Vec<String> = tensors.iter().map(|tensor| format!("\"{}\"", tensor.name)).collect();
        return problem("init.file", message, format!("say `only = [{}]` to ignore the others", names.join(", ")));
    }
    let theta = start.get("theta").filter(|theta| kind.is_direct() && outputs == 1 && theta.ncols() == 1);
    let message = match theta.map(|theta| theta.len()) {
        Some(entries) if entries != inputs => {
            Some(format!("`theta` has {entries} entries, but the model has {inputs} parameters"))
        }
        _ => start.parameters(&tensors).err(),
    };
    problem("init.file", message?, "a start has one line `tensor,row,col,value` per entry, zero-based")
}
