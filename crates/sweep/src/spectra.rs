//! How large a Hessian may be whose eigenvalues are all asked for.

use crate::study::{CellSpec, Checked, Problem, TableName};
use std::collections::BTreeSet;

/// A dense decomposition of more takes half a minute and more for every row.
const MOST_PARAMETERS: usize = 2000;

/// The number of parameters; `None` if a file that says so is bad.
fn parameters(cell: &CellSpec<'_>) -> Option<usize> {
    let [inputs, outputs] = cell.shape()?;
    Some(cell.model.parametrization.parameters(inputs, outputs))
}

/// The first cell with too many parameters for the table `hessian`.
pub(crate) fn too_large(checked: &Checked) -> Option<(Option<usize>, Problem)> {
    let tables = &checked.study.record.tables;
    let at = tables.iter().position(|table| *table == TableName::Hessian)?;
    let mut seen = BTreeSet::new();
    let (index, count) = (0..checked.cells()).find_map(|index| {
        let cell = checked.cell(index);
        let is_new = seen.insert((cell.data_index, cell.model_index));
        let count = is_new.then(|| parameters(&cell)).flatten()?;
        (count > MOST_PARAMETERS).then_some((index, count))
    })?;
    let problem = Problem {
        key_path: format!("record.tables.{at}"),
        message: format!(
            "all eigenvalues of a Hessian in {count} parameters: they are found up to {MOST_PARAMETERS} of them"
        ),
        help: "the metric `sharpness` is the largest, at any size; or use a smaller model".to_owned(),
        ..Problem::default()
    };
    Some((Some(index), problem))
}
