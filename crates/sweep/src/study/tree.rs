//! A study as written: values that know where they stand, in the file or in a `--set`.

use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A stretch of one of the texts that a study was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which text: 0 is the study file, the others are `--set` texts in order.
    pub source: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Date(Arc<str>),
    List(Vec<Node>),
    Table(Table),
}

/// Keys in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Arc<str>,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.key == key)
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| &*entry.key == key)?;
        Some(self.entries.remove(at).node)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entry_mut(key).map(|entry| &mut entry.node)
    }

    fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| &*entry.key == key)
    }
}

impl Node {
    pub(crate) fn table(place: Place) -> Self {
        Self { value: Value::Table(Table::default()), place }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self.value {
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    /// Takes a key out of a table.
    pub(crate) fn take_key(&mut self, key: &str) -> Option<Self> {
        match &mut self.value {
            Value::Table(table) => table.take(key),
            _ => None,
        }
    }

    /// The node at a path of keys; a number among the keys looks into a list.
    pub(crate) fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        match &self.value {
            Value::Table(table) => table.get(first.as_ref())?.at(rest),
            Value::List(items) => items.get(first.as_ref().parse::<usize>().ok()?)?.at(rest),
            _ => None,
        }
    }

    /// Where a path stands: the value itself, or the innermost table around it that is written.
    pub(crate) fn place_of<S: AsRef<str>>(&self, path: &[S]) -> Place {
        (0..=path.len()).rev().find_map(|length| self.at(&path[..length])).map_or(self.place, |node| node.place)
    }

    /// Sets the value at a path, making the tables on the way; `places` are those of the path's
    /// segments, or one for all.
    pub(crate) fn set<S: AsRef<str>>(&mut self, path: &[S], places: &[Place], node: Self) {
        let key_place = places[0];
        let Some((first, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.value, Value::Table(_)) {
            *self = Self::table(key_place);
        }
        let Value::Table(table) = &mut self.value else {
            return;
        };
        if table.entry(first.as_ref()).is_none() {
            let key: Arc<str> = Arc::from(first.as_ref());
            table.entries.push(Entry { key, key_place, node: Self::table(key_place) });
        }
        let entry = table.entry_mut(first.as_ref()).expect("it was just made");
        if rest.is_empty() {
            entry.key_place = key_place;
        }
        entry.node.set(rest, if places.len() > 1 { &places[1..] } else { places }, node);
    }

    /// The value in words, for messages.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => self.to_toml(),
            Value::Text(text) => format!("the string {}", quoted(text)),
            Value::Date(_) => "a date".to_owned(),
            Value::List(items) => match items.len() {
                0 => "an empty list".to_owned(),
                1 => "a list of 1 value".to_owned(),
                n => format!("a list of {n} values"),
            },
            Value::Table(_) => "a table".to_owned(),
        }
    }

    /// The value as inline TOML.
    pub(crate) fn to_toml(&self) -> String {
        match &self.value {
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) if value.is_nan() => "nan".to_owned(),
            Value::Float(value) => number(*value),
            Value::Text(text) => quoted(text),
            Value::Date(text) => text.to_string(),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_toml).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(table) if table.entries.is_empty() => "{}".to_owned(),
            Value::Table(table) => {
                let entries: Vec<String> =
                    table.entries.iter().map(|e| format!("{} = {}", key_text(&e.key), e.node.to_toml())).collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }
}

/// A float as people write it: 0.3, 1e-6, 100000000.0.
pub(crate) fn number(value: f64) -> String {
    format!("{value:?}")
}

/// A string in TOML's quotes.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key, quoted where TOML asks for it.
pub(crate) fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { key.to_owned() } else { quoted(key) }
}

/// A dotted path, its keys quoted where TOML asks for it.
pub(crate) fn path_text<S: AsRef<str>>(path: &[S]) -> String {
    path.iter().map(|key| key_text(key.as_ref())).collect::<Vec<_>>().join(".")
}

/// A path as people say it: positions in lists in brackets.
pub(crate) fn spoken_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for segment in path.split('.') {
        match segment.parse::<usize>() {
            Ok(position) => out.push_str(&format!("[{position}]")),
            Err(_) if out.is_empty() => out.push_str(segment),
            Err(_) => {
                out.push('.');
                out.push_str(segment);
            }
        }
    }
    out
}

/// Where the parser stopped and what it says.
pub(crate) struct SyntaxError {
    pub(crate) place: Place,
    pub(crate) message: String,
}

/// Parses a TOML text; `source` numbers it.
pub(crate) fn parse(text: &str, source: usize) -> Result<Node, SyntaxError> {
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        SyntaxError { place: Place { source, start: span.start, end: span.end }, message: error.message().to_owned() }
    })?;
    let place = Place { source, start: 0, end: 0 };
    Ok(Node { value: Value::Table(read_table(table.get_ref(), source)), place })
}

fn read_table(table: &DeTable<'_>, source: usize) -> Table {
    let entries = table.iter().map(|(key, value)| read_entry(key, value, source)).collect();
    Table { entries }
}

fn read_entry(key: &Spanned<DeString<'_>>, value: &Spanned<DeValue<'_>>, source: usize) -> Entry {
    let span = key.span();
    Entry {
        key: Arc::from(key.get_ref().as_ref()),
        key_place: Place { source, start: span.start, end: span.end },
        node: read_value(value, source),
    }
}

fn read_value(value: &Spanned<DeValue<'_>>, source: usize) -> Node {
    let span = value.span();
    let place = Place { source, start: span.start, end: span.end };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(Arc::from(text.as_ref())),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map_or_else(|_| Value::Float(digits.as_str().parse().unwrap_or(f64::NAN)), Value::Int),
        DeValue::Float(digits) => Value::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(date) => Value::Date(Arc::from(date.to_string())),
        DeValue::Array(items) => Value::List(items.iter().map(|item| read_value(item, source)).collect()),
        DeValue::Table(table) => Value::Table(read_table(table, source)),
    };
    Node { value, place }
}
