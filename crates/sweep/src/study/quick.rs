//! `[quick]`: what makes the small version of a study, told like `--set`, and what becomes of its claims there.

use super::axis_reading::{Surroundings, read_axes};
use super::conformity::Conformity;
use super::diagnostics::Diagnostic;
use super::draft::{Draft, lies_in};
use super::kinds::unused_kinds;
use super::overrides::Override;
use super::raw_axes::provided_paths;
use super::shape::Shape;
use super::spelling::did_you_mean;
use super::tree::{Node, Place, Table, Value};

/// What the small version may change.
const SECTIONS: [&str; 8] = ["data", "model", "train", "record", "solutions", "choose", "sweep", "seed"];

/// The words of a claim's bound.
const BOUNDS: [&str; 6] = ["at_most", "at_least", "between", "equals", "tolerance", "holds"];

/// `[quick]` taken apart.
pub(crate) fn read(quick: &Node) -> Result<Vec<Override>, Vec<Diagnostic>> {
    let help = "write `[quick]` and below it dotted paths, as for `--set`: `\"sweep.seed.count\" = 5`";
    let Some(table) = quick.as_table() else {
        let title = format!("expected a table of dotted paths, found {}", quick.found());
        return Err(vec![Diagnostic::new(quick.place, title).label("quick").help(help)]);
    };
    let mut changes = Vec::new();
    follow(table, &[], &[], &mut changes);
    let strays = changes.iter().filter(|change| !SECTIONS.contains(&change.path[0].as_str()));
    let mistakes: Vec<Diagnostic> = strays
        .map(|change| {
            let name = &change.path[0];
            let title = format!("the small version of a study cannot change `{name}`");
            Diagnostic::new(change.whole_path(), title).help(did_you_mean(name, &SECTIONS))
        })
        .collect();
    if mistakes.is_empty() { Ok(changes) } else { Err(mistakes) }
}

/// Follows the tables that dots in keys make; an inline table is a value.
fn follow(table: &Table, path: &[String], places: &[Place], out: &mut Vec<Override>) {
    for entry in &table.entries {
        let mut path = path.to_vec();
        let mut places = places.to_vec();
        path.extend(entry.key.split('.').map(str::to_owned));
        places.resize(path.len(), entry.key_place);
        match &entry.node.value {
            Value::Table(inner) if entry.node.place == entry.key_place => follow(inner, &path, &places, out),
            _ => out.push(Override { path, places, node: entry.node.clone() }),
        }
    }
}

/// What a claim says of the small version becomes what it says: a bound of its own takes the place of the other.
/// `quick = false` stays: such a claim is not asked.
pub(crate) fn settle_claims(root: &mut Node) {
    let Value::Table(root) = &mut root.value else { return };
    let Some(Value::List(claims)) = root.get_mut("claim").map(|node| &mut node.value) else { return };
    for claim in claims {
        let Value::Table(claim) = &mut claim.value else { continue };
        match claim.get("quick").map(|quick| quick.value.clone()) {
            Some(Value::Table(bound)) => {
                claim.take("quick");
                claim.entries.retain(|entry| !BOUNDS.contains(&&*entry.key));
                claim.entries.extend(bound.entries);
            }
            Some(Value::Bool(true)) => {
                claim.take("quick");
            }
            _ => {}
        }
    }
}

/// What is wrong with `[quick]` in a study that is not asked for its small version: paths that lead nowhere and
/// values of the wrong shape. What the sections then mean for each other shows when it is asked for.
pub(crate) fn mistakes(draft: &Draft, shape: &Shape, reserved: &[&str]) -> Vec<Diagnostic> {
    let (mut root, mut raw) = (draft.root.clone(), draft.raw.clone());
    draft.quick.iter().cloned().for_each(|change| change.apply(&mut root, &mut raw));
    let provided = provided_paths(&raw);
    let (mut found, _) = Conformity::new(shape, &provided).check_study(&root);
    let read = read_axes(&raw, Surroundings { root: &root, shape, sources: &draft.sources, reserved });
    if !read.depends() {
        found.extend(unused_kinds(&root, &read.axes, shape));
    }
    found.extend(read.mistakes);
    found.extend(super::overrides::without_effect(&draft.quick, &read.axes));
    let inside = |place: Place| {
        draft.quick.iter().any(|change| lies_in(place, Place { end: change.node.place.end, ..change.places[0] }))
    };
    found.retain(|mistake| inside(mistake.place));
    found
}
