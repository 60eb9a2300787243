//! The values of one swept path: a list, or points evenly spaced.

use super::axes::{Assignment, AxisValue, ColumnKind};
use super::axis_reading::Reader;
use super::column_names::GivenName;
use super::designs::{LAWS, Law};
use super::diagnostics::Diagnostic;
use super::raw_axes::WORDS;
use super::shape::{Field, Shape};
use super::spelling::did_you_mean;
use super::tree::{Node, Place, Table, Value, path_text};
use std::collections::HashSet;
use std::sync::Arc;
use taut_numerics::spaced_value;

/// What can make the values of an axis.
const KINDS: [&str; 5] = ["values", "linspace", "logspace", "uniform", "loguniform"];

/// Whether a list may hold a value twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// Each once: an axis of its own.
    Refused,
    /// As often as it likes: what moves together with other lists.
    Allowed,
}

/// The column that the values of a path make.
pub(crate) struct Column {
    pub(super) kind: ColumnKind,
    /// A label that only expressions use sets nothing.
    pub(super) rows: Vec<(AxisValue, Option<Assignment>)>,
    pub(super) name: GivenName,
}

impl Reader<'_> {
    /// The values of one path: a list, or a table that makes one; without a field, of a label.
    pub(super) fn column(
        &mut self,
        path: &[String],
        key_place: Place,
        node: &Node,
        field: Option<&Field>,
        repeats: Repeats,
    ) -> Option<Column> {
        let items = self.values(path, field, node)?;
        let name = self.given_name(node);
        let before = self.mistakes.len();
        let (mut numbers, mut texts) = (HashSet::new(), HashSet::new());
        for item in &items {
            if matches!(item.value, Value::Table(_) | Value::List(_) | Value::Date(_)) {
                let title = format!("expected numbers, strings or booleans, found {}", item.found());
                let help =
                    "sweep tables and lists through cases: `{ cases = { label = { \"dotted.path\" = value } } }`";
                self.say(Diagnostic::new(item.place, title).label(format!("sweep.{}", path_text(path))).help(help));
                continue;
            }
            self.fits(field, path, item);
            let fresh = match item.as_number() {
                Some(x) => numbers.insert((x + 0.0).to_bits()),
                None => texts.insert(item.to_toml()),
            };
            if !fresh && repeats == Repeats::Refused {
                let title = format!("the value {} is there twice", item.to_toml());
                self.say(
                    Diagnostic::new(item.place, title).label(format!("sweep.{}", path_text(path))).help("remove one"),
                );
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        self.column_of_items(path, key_place, node, field, items, name)
    }

    /// A column of values that fit.
    pub(super) fn column_of_items(
        &mut self,
        path: &[String],
        key_place: Place,
        node: &Node,
        field: Option<&Field>,
        items: Vec<Node>,
        name: GivenName,
    ) -> Option<Column> {
        let kind = self.column_kind(field, &items, node)?;
        let path: Arc<[String]> = path.into();
        let rows = items.into_iter().map(|node| {
            let value = axis_value(kind, &node);
            (value, field.map(|_| Assignment { path: path.clone(), key_place, node }))
        });
        Some(Column { kind, rows: rows.collect(), name })
    }

    /// Complains about a value that its field does not take.
    pub(super) fn fits(&mut self, field: Option<&Field>, path: &[String], item: &Node) {
        let Some(field) = field else { return };
        if !matches!((&field.shape, item.as_number()), (Shape::Number(number), Some(x)) if number.holds(x)) {
            self.conforms(field, path, item);
        }
    }

    pub(super) fn values(&mut self, path: &[String], field: Option<&Field>, node: &Node) -> Option<Vec<Node>> {
        let label = format!("sweep.{}", path_text(path));
        let example = "write a list `[1, 2, 3]`, `{ linspace = [0, 1], count = 5 }`, `{ logspace = [1e-3, 1], count = 4 }` \
                       or `{ name = \"column\", values = [1, 2, 3] }`";
        let table = match &node.value {
            Value::List(items) => {
                self.not_empty(items, node)?;
                return Some(items.clone());
            }
            Value::Table(table) => table,
            _ => {
                let title = format!("expected the values of an axis, found {}", node.found());
                let more =
                    format!("a single value is no axis: write `[{}]`, or set it outside [sweep]", node.to_toml());
                self.say(Diagnostic::new(node.place, title).label(label).note(more).help(example));
                return None;
            }
        };
        let before = self.mistakes.len();
        for entry in &table.entries {
            if !WORDS.contains(&&*entry.key) {
                let title = format!("unknown key `{}` in an axis", entry.key);
                self.say(Diagnostic::new(entry.key_place, title).help(did_you_mean(&entry.key, &WORDS)));
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        let given: Vec<_> = KINDS.iter().filter_map(|word| table.entry(word)).collect();
        match given.as_slice() {
            [entry] if &*entry.key == "values" => {
                if let Some(count) = table.entry("count") {
                    self.say(
                        Diagnostic::new(
                            count.key_place,
                            "`count` goes with `linspace`, `logspace`, `uniform` or `loguniform`",
                        )
                        .help("remove it"),
                    );
                    return None;
                }
                match &entry.node.value {
                    Value::List(items) => {
                        self.not_empty(items, &entry.node)?;
                        Some(items.clone())
                    }
                    _ => {
                        let title = format!("expected a list of values, found {}", entry.node.found());
                        self.say(Diagnostic::new(entry.node.place, title).label(label).help(example));
                        None
                    }
                }
            }
            [entry] => self.spaced(path, field, &entry.key, &entry.node, table, node),
            [_, second, ..] => {
                let title = format!("an axis has one of `{}`, found also `{}`", KINDS.join("`, `"), second.key);
                self.say(Diagnostic::new(second.key_place, title).help("keep one of them"));
                None
            }
            [] => {
                let title = if table.entries.is_empty() { "an axis without values" } else { "no values in this axis" };
                let mistake = Diagnostic::new(node.place, title).label(label);
                let mistake = if table.get("count").is_some() {
                    mistake.note("a bare `count` is for `seed`; a path needs `linspace`, `logspace`, `uniform` or `loguniform` beside it")
                } else {
                    mistake
                };
                self.say(mistake.help(example));
                None
            }
        }
    }

    fn spaced(
        &mut self,
        path: &[String],
        field: Option<&Field>,
        word: &str,
        ends: &Node,
        table: &Table,
        node: &Node,
    ) -> Option<Vec<Node>> {
        let label = format!("sweep.{}", path_text(path));
        let Some(count) = table.get("count") else {
            let help = format!("write `{{ {word} = {}, count = 5 }}`", ends.to_toml());
            self.say(Diagnostic::new(node.place, format!("`{word}` needs a `count`")).label(label).help(help));
            return None;
        };
        let count = self.count(count, 1e6);
        let ends = self.ends(&label, word, ends)?;
        let count = count?;
        let (log, whole) = (word.starts_with("log"), is_whole(field));
        if LAWS.contains(&word) {
            return self.drawn(path, Law { ends, log, whole }, count, node);
        }
        let [a, b] = ends;
        let mut items = Vec::with_capacity(count);
        for i in 0..count {
            let x = spaced_value(a, b, i, count, log);
            let near = x.round();
            let value = if !whole {
                Value::Float(x)
            } else if (x - near).abs() <= 1e-9 * near.abs().max(1.0) {
                Value::Int(near as i64)
            } else {
                let name = path.last().map_or("", String::as_str);
                let title = format!("`{name}` is a whole number, but this {word} gives {x}");
                let help = "choose ends and a count that give whole numbers, or write the list out";
                self.say(Diagnostic::new(node.place, title).label(label).help(help));
                return None;
            };
            items.push(Node { value, place: node.place });
        }
        Some(items)
    }

    /// The two ends between which values lie.
    pub(super) fn ends(&mut self, label: &str, word: &str, ends: &Node) -> Option<[f64; 2]> {
        let (log, is_law) = (word.starts_with("log"), LAWS.contains(&word));
        let two = match &ends.value {
            Value::List(items) => match items.as_slice() {
                [a, b] => a.as_number().zip(b.as_number()),
                _ => None,
            },
            _ => None,
        };
        let fits = |&(a, b): &(f64, f64)| {
            a.is_finite() && b.is_finite() && (!log || (a > 0.0 && b > 0.0)) && (!is_law || a < b)
        };
        if let Some((a, b)) = two.filter(fits) {
            return Some([a, b]);
        }
        let what = if log { "two numbers above 0" } else { "two finite numbers" };
        let order = if is_law { ", the smaller first" } else { "" };
        let title = format!("expected {what}{order} [from, to], found {}", ends.to_toml());
        let example = format!("the ends are values, not exponents: `{{ {word} = [1e-3, 1e3], count = 7 }}`");
        let help = if log { example } else { String::new() };
        self.say(Diagnostic::new(ends.place, title).label(label).help(help));
        None
    }

    pub(super) fn count(&mut self, node: &Node, most: f64) -> Option<usize> {
        match node.as_number().filter(|x| x.fract() == 0.0 && (1.0..=most).contains(x)) {
            Some(x) => Some(x as usize),
            None => {
                let found = if let Value::Text(_) | Value::List(_) | Value::Table(_) = node.value {
                    node.found()
                } else {
                    node.to_toml()
                };
                let title = format!("expected a whole number from 1 to {most}, found {found}");
                self.say(
                    Diagnostic::new(node.place, title).label("count").help("`count` says how many values the axis has"),
                );
                None
            }
        }
    }

    pub(super) fn not_empty(&mut self, items: &[Node], list: &Node) -> Option<()> {
        if items.is_empty() {
            let mistake = Diagnostic::new(list.place, "an empty axis: the sweep would have no cells");
            self.say(mistake.help("give at least one value, or remove the axis"));
            return None;
        }
        Some(())
    }

    pub(super) fn given_name(&mut self, node: &Node) -> GivenName {
        let name = node.as_table()?.get("name")?;
        let ok = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match name.as_text().filter(|text| ok(text)) {
            Some(text) => Some((text.to_owned(), name.place)),
            None => {
                let title = format!("expected a column name, found {}", name.found());
                self.say(Diagnostic::new(name.place, title).help("letters, digits and _, not beginning with a digit"));
                None
            }
        }
    }

    fn column_kind(&mut self, field: Option<&Field>, items: &[Node], node: &Node) -> Option<ColumnKind> {
        if let Some(Shape::Number(number)) = field.map(|field| &field.shape) {
            return Some(if number.whole { ColumnKind::Int64 } else { ColumnKind::Float64 });
        }
        let kind_of = |item: &Node| match item.value {
            Value::Bool(_) => ColumnKind::Bool,
            Value::Int(_) => ColumnKind::Int64,
            Value::Float(_) => ColumnKind::Float64,
            _ => ColumnKind::String,
        };
        let first = kind_of(&items[0]);
        if items.iter().all(|item| kind_of(item) == first) {
            return Some(first);
        }
        if items.iter().all(|item| item.as_number().is_some()) {
            return Some(ColumnKind::Float64);
        }
        let mistake =
            Diagnostic::new(node.place, "an axis of mixed types: a column holds numbers, strings or booleans");
        self.say(mistake.help("label the values: `{ cases = { label = { \"dotted.path\" = value } } }`"));
        None
    }
}

/// Whether a field takes whole numbers alone.
pub(super) fn is_whole(field: Option<&Field>) -> bool {
    matches!(field.map(|field| &field.shape), Some(Shape::Number(number)) if number.whole)
}

fn axis_value(kind: ColumnKind, node: &Node) -> AxisValue {
    match (kind, &node.value) {
        (_, Value::Bool(value)) => AxisValue::Bool(*value),
        (_, Value::Text(text)) => AxisValue::Text(text.clone()),
        (ColumnKind::Int64, _) => AxisValue::Int(node.as_number().unwrap_or_default() as i64),
        _ => AxisValue::Float(node.as_number().unwrap_or(f64::NAN)),
    }
}
