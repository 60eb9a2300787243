//! The names of the axes' columns: given, or the shortest suffix of the path that is unambiguous.

use super::axes::Axis;
use super::diagnostics::Diagnostic;
use super::raw_axes::split;
use super::tree::Place;

/// A name that the study gives a column, with its place; none where it is to be made.
pub(crate) type GivenName = Option<(String, Place)>;

/// Names the columns: as given, or by the shortest suffix of the path that no other axis has.
pub(crate) fn name_columns(
    axes: &mut [Axis],
    given: &[Vec<GivenName>],
    reserved: &[&str],
    mistakes: &mut Vec<Diagnostic>,
) {
    let paths: Vec<Vec<String>> = axes.iter().flat_map(|a| &a.columns).map(|c| split(&c.path)).collect();
    let given: Vec<&GivenName> = given.iter().flatten().collect();
    let mut lengths = vec![1; paths.len()];
    let suffix = |i: usize, length: usize| {
        let path = &paths[i];
        path[path.len() - length.min(path.len())..].join("_").replace('-', "_")
    };
    loop {
        let names: Vec<String> = (0..paths.len())
            .map(|i| given[i].as_ref().map_or_else(|| suffix(i, lengths[i]), |(name, _)| name.clone()))
            .collect();
        let clash = |i: usize| (0..names.len()).any(|j| j != i && names[i] == names[j]);
        let longer: Vec<usize> =
            (0..names.len()).filter(|i| given[*i].is_none() && lengths[*i] < paths[*i].len() && clash(*i)).collect();
        if longer.is_empty() {
            break finish_names(axes, &names, &given, reserved, mistakes);
        }
        for i in longer {
            lengths[i] += 1;
        }
    }
}

fn finish_names(
    axes: &mut [Axis],
    names: &[String],
    given: &[&GivenName],
    reserved: &[&str],
    mistakes: &mut Vec<Diagnostic>,
) {
    let mut i = 0;
    for axis in axes {
        for column in &mut axis.columns {
            column.name = names[i].clone();
            let place = given[i].as_ref().map_or(axis.place, |(_, place)| *place);
            let plain = column.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && column.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let why = if axis.is_seed {
                None
            } else if names[..i].contains(&column.name) {
                Some(format!("two axes would have the column `{}`", column.name))
            } else if is_reserved(&column.name, reserved) {
                Some(format!("the column `{}` has another meaning in the tables", column.name))
            } else if !plain {
                Some(format!("the axis `{}` does not make a column name", column.name))
            } else {
                None
            };
            if let Some(title) = why {
                let help = format!("name it: `{{ name = \"{}\", … }}`", suggested_name(&column.path, &column.name));
                mistakes.push(Diagnostic::new(place, title).label(column.path.clone()).help(help));
            }
            i += 1;
        }
    }
}

fn suggested_name(path: &str, name: &str) -> String {
    let segments: Vec<&str> = path.split('.').collect();
    let joined = segments[segments.len().saturating_sub(2)..].join("_").replace('-', "_");
    if joined == name { format!("{name}_axis") } else { joined }
}

const RESERVED: [&str; 38] = [
    "cell",
    "key",
    "seed",
    "status",
    "reason",
    "n",
    "p",
    "rank",
    "condition",
    "lambda_max",
    "lambda_ref",
    "step_size",
    "precision_ok",
    "solver",
    "source",
    "step",
    "time",
    "x",
    "f",
    "solution",
    "parameter",
    "draw",
    "mode",
    "strength",
    "projection",
    "least_bending_energy",
    "variant",
    "value",
    "filter",
    "tensor",
    "row",
    "col",
    "theory",
    "quantity",
    "assumption_met",
    "wall_seconds",
    "host",
    "threads",
];
const RESERVED_STARTS: [&str; 6] =
    ["chosen_", "final_", "best_", "at_interpolation_", "largest_drop_", "residual_rms_below_"];

/// Whether a column of the tables has this name already.
fn is_reserved(name: &str, metrics: &[&str]) -> bool {
    let is_score = crate::choosing::CRITERIA.iter().any(|criterion| criterion.column == name);
    is_score
        || RESERVED.contains(&name)
        || metrics.contains(&name)
        || RESERVED_STARTS.iter().any(|start| name.starts_with(start))
}
