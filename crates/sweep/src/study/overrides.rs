//! An override, by `--set path=value` or in `[quick]`: it replaces a value of the study, or an axis.

use super::axes::Axis;
use super::diagnostics::Diagnostic;
use super::raw_axes::{RawAxis, raw_axes};
use super::tree::{Entry, Node, Place, Table, Value, parse};
use std::sync::Arc;

/// One override, taken apart.
#[derive(Clone)]
pub(crate) struct Override {
    pub(crate) path: Vec<String>,
    /// Where each segment of the path stands.
    pub(crate) places: Vec<Place>,
    pub(crate) node: Node,
}

impl Override {
    pub(crate) fn whole_path(&self) -> Place {
        let (first, last) = (self.places[0], self.places[self.places.len() - 1]);
        Place { end: last.end, ..first }
    }

    /// Applies it to the study and its axes.
    pub(crate) fn apply(self, root: &mut Node, axes: &mut Vec<RawAxis>) {
        let key_place = self.whole_path();
        let Self { path, places, node } = self;
        if path[0] == "sweep" && path.len() > 1 {
            sweep(&path[1..], &places[1..], node, axes);
            return;
        }
        if let (["sweep"], Some(table)) = (&path.iter().map(String::as_str).collect::<Vec<_>>()[..], node.as_table()) {
            *axes = raw_axes(table);
            return;
        }
        let is_values = matches!(node.value, Value::List(_) | Value::Table(_));
        match axes.iter().position(|axis| axis.path == path) {
            // The study's own seed and the axis share a name; one is a number, the other is not.
            Some(_) if path == ["seed"] && !is_values => root.set(&path, &places, node),
            Some(at) if is_values => axes[at] = RawAxis { path, key_place, node },
            Some(at) => {
                axes.remove(at);
                root.set(&path, &places, node);
            }
            None => root.set(&path, &places, node),
        }
    }
}

/// Overrides of a value that every position of some axis then replaces as a whole.
pub(crate) fn without_effect(overrides: &[Override], axes: &[Axis]) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for set in overrides {
        let replaced = |assigned: &[String]| set.path.starts_with(assigned);
        let by = axes.iter().find(|axis| {
            axis.key != set.path.join(".")
                && axis.len > 0
                && (0..axis.len).all(|position| axis.assignments(position).iter().any(|a| replaced(&a.path)))
        });
        if let Some(axis) = by {
            let message =
                format!("`{}` has no effect: the axis `{}` sets it in every cell", set.path.join("."), axis.key);
            let instead = match set.places[0].source {
                0 => format!("`\"sweep.{}\" = …`", axis.key),
                _ => format!("`--set sweep.{}=…`", axis.key),
            };
            out.push(Diagnostic::new(set.whole_path(), message).help(format!("override the axis: {instead}")));
        }
    }
    out
}

/// An axis by name: replaced, changed inside, or added.
fn sweep(path: &[String], places: &[Place], node: Node, axes: &mut Vec<RawAxis>) {
    let key_place = Place { end: places[places.len() - 1].end, ..places[0] };
    let inside = axes.iter_mut().find(|axis| path.starts_with(&axis.path));
    match inside {
        Some(axis) if axis.path.len() == path.len() => *axis = RawAxis { path: path.to_vec(), key_place, node },
        Some(axis) => axis.node.set(&path[axis.path.len()..], &places[axis.path.len()..], node),
        None => axes.push(RawAxis { path: path.to_vec(), key_place, node }),
    }
}

/// A `--set` text, taken apart; `source` numbers it.
pub(crate) fn take_apart(text: &str, source: usize) -> Result<Override, Box<Diagnostic>> {
    let whole = Place { source, start: 0, end: text.len() };
    let example = "write `--set train.until.steps=1e6`; strings need no quotes";
    let Some((key, value)) = text.split_once('=') else {
        return Err(Box::new(Diagnostic::new(whole, "expected `path=value`").help(example)));
    };
    if key.trim().is_empty() {
        return Err(Box::new(Diagnostic::new(whole, "expected a path before the `=`").help(example)));
    }
    if let Ok(node) = parse(text, source)
        && let Some(found) = innermost(node)
    {
        return Ok(found);
    }
    let start = key.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.trim();
    let place = Place { source, start, end: start + value.len() };
    let structured = value.is_empty() || value.starts_with(['[', '{', '"', '\'']) || value.contains(['\n', '"']);
    if structured {
        let message = parse(text, source).err().map(|error| error.message).unwrap_or_default();
        return Err(Box::new(Diagnostic::new(place, format!("not a TOML value: {message}")).help(example)));
    }
    // A bare word: the path must still be one.
    let probe = format!("{key}=0");
    let path = parse(&probe, source).ok().and_then(innermost);
    let Some(Override { path, places, .. }) = path else {
        return Err(Box::new(
            Diagnostic::new(Place { end: key.len(), ..whole }, "expected a dotted path before the `=`").help(example),
        ));
    };
    Ok(Override { path, places, node: Node { value: Value::Text(Arc::from(value)), place } })
}

/// The single value of `a.b.c = value`, with the path's own dots: a quoted "a.b.c" is a path as well.
fn innermost(node: Node) -> Option<Override> {
    let (mut path, mut places): (Vec<String>, Vec<Place>) = (Vec::new(), Vec::new());
    let mut node = node;
    loop {
        // An inline table is a value; only the tables that dots make are followed.
        let dotted = places.last().is_none_or(|place| node.place == *place);
        match node.value {
            Value::Table(Table { mut entries }) if dotted && entries.len() == 1 => {
                let Entry { key, key_place: place, node: inner } = entries.remove(0);
                path.extend(key.split('.').map(str::to_owned));
                places.resize(path.len(), place);
                node = inner;
            }
            _ if path.is_empty() => return None,
            value => {
                return Some(Override { path, places, node: Node { value, place: node.place } });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> (String, String) {
        let taken = take_apart(text, 1).unwrap_or_else(|mistake| panic!("{text}: {}", mistake.title));
        (taken.path.join("."), taken.node.to_toml())
    }

    #[test]
    fn values_are_toml_or_bare_words() {
        assert_eq!(taken("a.b=3"), ("a.b".into(), "3".into()));
        assert_eq!(taken("a.b = [1, 2]"), ("a.b".into(), "[1, 2]".into()));
        assert_eq!(taken("a.b={ c = 1 }"), ("a.b".into(), "{ c = 1 }".into()));
        assert_eq!(taken("\"a.b\"=true"), ("a.b".into(), "true".into()));
        assert_eq!(taken("a.b=legendre-orthonormal"), ("a.b".into(), "\"legendre-orthonormal\"".into()));
        assert!(take_apart("a.b", 1).is_err() && take_apart("=3", 1).is_err() && take_apart("a=[1", 1).is_err());
    }
}
