//! Axis paths that lead into a kind: the study, and every case that sets it, must use that kind, in the cells that have the
//! axis.

use super::axes::{Assignment, Axis, Settings};
use super::diagnostics::Diagnostic;
use super::shape::{Choice, Shape};
use super::tree::{Node, Value};

/// Every axis path into a kind that is not the one in use.
pub(crate) fn unused_kinds(root: &Node, axes: &[Axis], shape: &Shape) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    for (i, axis) in axes.iter().enumerate() {
        let Settings::Rows(rows) = &axis.settings else {
            continue;
        };
        let mut seen: Vec<&[String]> = Vec::new();
        for assignment in rows.iter().flat_map(|row| &row.assignments) {
            if !seen.contains(&&*assignment.path) {
                seen.push(&assignment.path);
                mistakes.extend(check(root, axes, i, assignment, shape));
            }
        }
    }
    mistakes
}

/// The same for one setting of a section: `assignments` (outer paths first) go into `base` one after the other. Also finds a
/// path that two axes set at once.
pub(crate) fn unused_kind_here(base: &Node, assignments: &[&Assignment], shape: &Shape) -> Option<Diagnostic> {
    let mut tree = base.clone();
    for (i, assignment) in assignments.iter().enumerate() {
        let path = &assignment.path;
        if assignments[..i].iter().any(|other| other.path == *path) {
            let title = format!("`{}` is set by two axes at once", path.join("."));
            let help = "a cell has one value for it: let their conditions exclude each other";
            return Some(Diagnostic::new(assignment.key_place, title).help(help));
        }
        for fork in shape.at(path).map_or_else(|_| Vec::new(), |(_, forks)| forks) {
            let (outer, wanted) = (&path[..fork.depth], &path[fork.depth]);
            let used = tree.at(&outer[1..]).zip(choice_at(shape, outer));
            if let Some(used) = used.and_then(|(node, choice)| kind_in_use(choice, node, wanted)) {
                return Some(complaint(assignment, outer, wanted, &used, ""));
            }
        }
        tree.set(&path[1..], &[assignment.key_place], assignment.node.clone());
    }
    None
}

fn check(root: &Node, axes: &[Axis], own: usize, assignment: &Assignment, shape: &Shape) -> Option<Diagnostic> {
    let path = &assignment.path;
    let (_, forks) = shape.at(path).ok()?;
    for fork in forks {
        let (outer, wanted) = (&path[..fork.depth], &path[fork.depth]);
        let choice = choice_at(shape, outer)?;
        let mut replaced = false;
        for (i, other) in axes.iter().enumerate() {
            let Settings::Rows(rows) = &other.settings else {
                continue;
            };
            let mut every = i != own && !rows.is_empty();
            for row in rows {
                let Some((node, label)) = row.assignments.iter().find_map(|a| {
                    let rest = outer.strip_prefix(&*a.path)?;
                    Some((a.node.at(rest), &row.values))
                }) else {
                    every = false;
                    continue;
                };
                if i == own {
                    continue;
                }
                if let Some(used) = node.and_then(|node| kind_in_use(choice, node, wanted)) {
                    let label = label.first().map(ToString::to_string).unwrap_or_default();
                    return Some(complaint(assignment, outer, wanted, &used, &format!(" in the case `{label}`")));
                }
            }
            replaced |= every;
        }
        if !replaced && let Some(used) = root.at(outer).and_then(|node| kind_in_use(choice, node, wanted)) {
            return Some(complaint(assignment, outer, wanted, &used, ""));
        }
    }
    None
}

fn complaint(assignment: &Assignment, outer: &[String], wanted: &str, used: &str, where_: &str) -> Diagnostic {
    let (path, outer) = (assignment.path.join("."), outer.join("."));
    let title = format!("the path `{path}` leads into `{wanted}`, but `{outer}` is `{used}`{where_}");
    Diagnostic::new(assignment.key_place, title).label(format!("`{used}` is in use")).help(format!(
        "use `{wanted}` in `{outer}`, or let the axis exist only where it is used: `{{ values = […], when = \"…\" }}`, or \
         set both together through cases: `{{ cases = {{ label = {{ \"{outer}\" = … }} }} }}`"
    ))
}

fn choice_at<'a>(shape: &'a Shape, path: &[String]) -> Option<&'a Choice> {
    match &shape.at(path).ok()?.0.shape {
        Shape::Choice(choice) => Some(choice),
        _ => None,
    }
}

/// The name of the kind that a value uses, if it is not the wanted one.
fn kind_in_use(choice: &Choice, node: &Node, wanted: &str) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.to_string()),
        Value::Table(table) if table.get(wanted).is_some() => None,
        Value::Table(table) => {
            let tagged = table.entries.iter().find(|entry| choice.kinds.iter().any(|kind| *kind.name == *entry.key));
            let wants_kind = choice.kinds.iter().any(|kind| kind.name == wanted);
            match tagged {
                Some(entry) => Some(entry.key.to_string()),
                None if wants_kind => table.entries.first().map(|entry| entry.key.to_string()),
                None => None,
            }
        }
        _ => None,
    }
}
