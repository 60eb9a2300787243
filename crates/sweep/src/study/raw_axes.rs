//! `[sweep]` taken apart into axes, before anything is known of their values.

use super::expression::Expression;
use super::tree::{Node, Place, Table, Value};
use std::collections::BTreeSet;

/// An axis before it is looked at: its path or label, and what stands there.
#[derive(Clone, Debug)]
pub(crate) struct RawAxis {
    pub(crate) path: Vec<String>,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

/// The sections that may be swept.
pub(crate) const SECTIONS: [&str; 3] = ["data", "model", "train"];
/// The words of an axis that is written as a table.
pub(crate) const WORDS: [&str; 14] = [
    "values",
    "linspace",
    "logspace",
    "uniform",
    "loguniform",
    "count",
    "derive",
    "when",
    "name",
    "cases",
    "zip",
    "random",
    "halton",
    "latin-hypercube",
];
/// The words of groups whose members are points in several dimensions.
pub(crate) const DESIGNS: [&str; 3] = ["random", "halton", "latin-hypercube"];

/// The axes of `[sweep]` in the order of the file; unquoted dotted keys are followed to their axis.
pub(crate) fn raw_axes(sweep: &Table) -> Vec<RawAxis> {
    let mut axes = Vec::new();
    for entry in &sweep.entries {
        let path: Vec<String> = entry.key.split('.').map(str::to_owned).collect();
        follow(path, entry.key_place, &entry.node, &mut axes);
    }
    axes
}

fn follow(path: Vec<String>, key_place: Place, node: &Node, axes: &mut Vec<RawAxis>) {
    let inner = node.as_table().filter(|table| {
        SECTIONS.contains(&path[0].as_str())
            && !table.entries.is_empty()
            && !table.entries.iter().any(|entry| WORDS.contains(&&*entry.key))
    });
    let Some(table) = inner else {
        axes.push(RawAxis { path, key_place, node: node.clone() });
        return;
    };
    for entry in &table.entries {
        let deeper = path.iter().cloned().chain(entry.key.split('.').map(str::to_owned)).collect();
        follow(deeper, entry.key_place, &entry.node, axes);
    }
}

/// Every path that some axis sets.
pub(crate) fn provided_paths(raw: &[RawAxis]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for axis in raw {
        let group = axis.node.as_table().and_then(|table| {
            let group = ["zip"].iter().chain(&DESIGNS).find_map(|word| table.get(word));
            let members = group.and_then(Node::as_table).map(|members| vec![members]);
            let cases =
                || Some(table.get("cases")?.as_table()?.entries.iter().filter_map(|c| c.node.as_table()).collect());
            members.or_else(cases)
        });
        match group {
            Some(tables) => {
                let keys = tables.iter().flat_map(|table: &&Table| table.entries.iter().map(|entry| split(&entry.key)));
                paths.extend(keys);
            }
            None => paths.push(axis.path.clone()),
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

/// Whether it is the filter of the cells, which is no axis.
pub(crate) fn is_filter(axis: &RawAxis) -> bool {
    axis.path == ["where"]
}

/// Every name that some expression mentions.
pub(crate) fn mentioned_names(raw: &[RawAxis]) -> BTreeSet<String> {
    let mut texts: Vec<&str> = Vec::new();
    for axis in raw {
        if is_filter(axis) {
            texts.extend(filters(&axis.node).into_iter().filter_map(Node::as_text));
        } else if let Some(table) = axis.node.as_table() {
            texts.extend(["when", "derive"].iter().filter_map(|word| table.get(word)?.as_text()));
        }
    }
    let parsed = texts.into_iter().filter_map(|text| Expression::parse(text).ok());
    parsed.flat_map(|expression| expression.names).map(|name| name.text).collect()
}

/// The conditions of a `where`: one, or a list.
pub(crate) fn filters(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![node],
    }
}

/// A dotted path.
pub(crate) fn split(key: &str) -> Vec<String> {
    key.split('.').map(str::to_owned).collect()
}
