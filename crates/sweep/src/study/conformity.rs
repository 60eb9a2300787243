//! Whether a tree has the shape of a study: every mistake, at its own place.

use super::diagnostics::Diagnostic;
use super::shape::{Choice, Field, Shape, TableShape};
use super::spelling::{did_you_mean, nearest};
use super::tree::{Node, Place, Table, Value, key_text, quoted, spoken_path};
use std::collections::BTreeSet;

/// Walks a tree beside its shape and collects what does not fit.
pub(crate) struct Conformity<'a> {
    /// The shape of a whole study, to say where a misplaced key belongs.
    study: &'a Shape,
    /// Paths that axes will provide: what they start with may be missing.
    provided: &'a [Vec<String>],
    path: Vec<String>,
    mistakes: Vec<Diagnostic>,
    /// Top-level keys with a mistake somewhere inside.
    broken: BTreeSet<String>,
}

/// What surrounds a value: the words about its key, and the other kinds that could stand there.
#[derive(Clone, Copy)]
struct Around<'a> {
    doc: &'a str,
    kinds: &'a [Field],
}

impl<'a> Conformity<'a> {
    pub(crate) fn new(study: &'a Shape, provided: &'a [Vec<String>]) -> Self {
        Self { study, provided, path: Vec::new(), mistakes: Vec::new(), broken: BTreeSet::new() }
    }

    /// Every mistake of a value that stands at `path`.
    pub(crate) fn check(mut self, field: &Field, path: &[String], node: &Node) -> Vec<Diagnostic> {
        self.path = path.to_vec();
        self.value(&field.shape, node, Around { doc: &field.doc, kinds: &[] });
        self.mistakes
    }

    /// Every mistake of a whole study, `[sweep]` aside, and the top-level keys that have any.
    pub(crate) fn check_study(mut self, root: &Node) -> (Vec<Diagnostic>, BTreeSet<String>) {
        self.value(self.study, root, Around { doc: "", kinds: &[] });
        (self.mistakes, self.broken)
    }

    fn push(&mut self, mistake: Diagnostic) {
        self.broken.extend(self.path.first().cloned());
        self.mistakes.push(mistake);
    }

    fn value(&mut self, shape: &Shape, node: &Node, around: Around<'_>) {
        match (shape, &node.value) {
            (Shape::Anything, _) | (Shape::Bool, Value::Bool(_)) | (Shape::Text, Value::Text(_)) => {}
            (Shape::Number(number), Value::Int(_) | Value::Float(_)) => {
                let x = node.as_number().unwrap_or(f64::NAN);
                if !number.holds(x) {
                    let title = format!("expected {}, found {}", number.expected(), plain_number(x));
                    let near = number.nearest(x).filter(|_| x.is_finite());
                    let try_this = near.map(|near| format!("; the nearest such number is {}", plain_number(near)));
                    self.say(Diagnostic::new(node.place, title), around.doc, &try_this.unwrap_or_default());
                }
            }
            (Shape::List { item, length }, Value::List(items)) => self.list(item, *length, items, node, around),
            (Shape::Table(table), Value::Table(found)) => self.table(table, found, node.place, around),
            (Shape::Choice(choice), _) => self.choice(choice, node, around),
            _ => self.wrong_type(shape, node, around),
        }
    }

    fn list(&mut self, item: &Shape, length: Option<usize>, items: &[Node], node: &Node, around: Around<'_>) {
        if let Some(length) = length
            && items.len() != length
        {
            let title = format!("expected a list of {length} values, found {}", items.len());
            self.say(Diagnostic::new(node.place, title), around.doc, "");
        }
        for (i, value) in items.iter().enumerate() {
            self.path.push(i.to_string());
            self.value(item, value, around);
            self.path.pop();
        }
    }

    fn table(&mut self, shape: &TableShape, found: &Table, place: Place, around: Around<'_>) {
        for entry in &found.entries {
            match shape.field(&entry.key) {
                Some(_) if self.path.is_empty() && &*entry.key == "sweep" => {}
                Some(field) => {
                    self.path.push(entry.key.to_string());
                    self.value(&field.shape, &entry.node, Around { doc: &field.doc, kinds: &[] });
                    self.path.pop();
                }
                None => self.unknown_key(shape, &entry.key, entry.key_place, around),
            }
        }
        // A misspelt key is one mistake, not two.
        let misspelt = |name: &str| {
            let unknown = found.entries.iter().filter(|entry| shape.field(&entry.key).is_none());
            unknown.filter_map(|entry| nearest(&entry.key, shape.names())).any(|meant| meant == name)
        };
        let absent = shape.fields.iter().filter(|field| field.required && found.get(&field.name).is_none());
        let absent: Vec<&Field> = absent.filter(|field| !misspelt(&field.name)).collect();
        for field in absent {
            self.missing(field, place);
        }
    }

    fn missing(&mut self, field: &Field, place: Place) {
        let is_section = self.path.is_empty() && !field.shape.fields().is_empty();
        let title = match is_section {
            true => format!("missing [{}]", field.name),
            false => format!("missing `{}` in {}", field.name, self.table_name()),
        };
        let help = if is_section {
            format!("add a table [{}]: {}", field.name, first_lower(&field.doc))
        } else if field.doc.is_empty() {
            format!("add `{} = …`: {}", key_text(&field.name), field.shape.expected())
        } else {
            format!("add `{} = …`: {} ({})", key_text(&field.name), first_lower(&field.doc), field.shape.expected())
        };
        self.path.push(field.name.clone());
        if !self.provided.iter().any(|axis| axis.starts_with(&self.path)) {
            self.push(Diagnostic::new(place, title).help(help));
        }
        self.path.pop();
    }

    fn unknown_key(&mut self, shape: &TableShape, key: &str, place: Place, around: Around<'_>) {
        let mut mistake = Diagnostic::new(place, format!("unknown key `{key}` in {}", self.table_name()));
        let names = shape.names();
        let others: Vec<&str> = around
            .kinds
            .iter()
            .filter(|kind| Some(kind.name.as_str()) != self.path.last().map(String::as_str))
            .filter(|kind| kind.shape.fields().iter().any(|field| field.name == key))
            .map(|kind| kind.name.as_str())
            .collect();
        if !others.is_empty() {
            mistake = mistake.note(format!("`{key}` is a key of {}, not of {}", others.join(" and "), self.last()));
        } else if nearest(key, names.iter().copied()).is_none() {
            let homes = self.study.homes_of(key);
            if !homes.is_empty() && homes.len() <= 8 {
                mistake = mistake.note(format!("`{key}` is a key of [{}]", homes.join("], [")));
            }
        }
        let help = did_you_mean(key, &names);
        let help = if help.is_empty() { "this table has no keys; remove it".to_owned() } else { help };
        self.push(mistake.help(help));
    }

    fn choice(&mut self, choice: &Choice, node: &Node, around: Around<'_>) {
        match &node.value {
            Value::Text(text) if choice.names.iter().any(|name| **name == **text) => {}
            Value::Text(text)
                if choice.has_names() && !choice.others.iter().any(|other| matches!(other, Shape::Text)) =>
            {
                match choice.kinds.iter().find(|kind| *kind.name == **text) {
                    Some(kind) => self.bare_kind(kind, node.place),
                    None => self.unknown_name(choice, text, node.place),
                }
            }
            Value::Table(table) if choice.kinds.iter().any(|kind| table.get(&kind.name).is_some()) => {
                self.kind(choice, table, node.place);
            }
            Value::Table(table) => match self.best_table(choice, table) {
                Some(other) => self.table(other, table, node.place, Around { doc: around.doc, kinds: &[] }),
                None => self.unknown_kind(choice, table, node, around),
            },
            _ => match choice.others.iter().find(|other| takes(other, node)) {
                Some(other) => self.value(other, node, around),
                None => {
                    let title = format!("expected {}, found {}", choice.expected(), node.found());
                    self.say(Diagnostic::new(node.place, title), around.doc, "");
                }
            },
        }
    }

    /// The untagged table that shares a key with what was found, or the only one if there are no kinds.
    fn best_table<'s>(&self, choice: &'s Choice, found: &Table) -> Option<&'s TableShape> {
        let tables: Vec<&TableShape> = choice
            .others
            .iter()
            .filter_map(|other| if let Shape::Table(table) = other { Some(table) } else { None })
            .collect();
        let sharing = tables.iter().find(|t| t.fields.iter().any(|field| found.get(&field.name).is_some()));
        match (sharing, tables.as_slice(), choice.kinds.is_empty()) {
            (Some(table), _, _) | (None, [table], true) => Some(table),
            _ => None,
        }
    }

    fn kind(&mut self, choice: &Choice, found: &Table, place: Place) {
        let mut used: Option<&Field> = None;
        for entry in &found.entries {
            match (choice.kinds.iter().find(|kind| *kind.name == *entry.key), used) {
                (Some(kind), None) => {
                    used = Some(kind);
                    self.path.push(kind.name.clone());
                    self.value(&kind.shape, &entry.node, Around { doc: &kind.doc, kinds: &choice.kinds });
                    self.path.pop();
                }
                (Some(kind), Some(first)) => {
                    let title = format!("`{}` is given two kinds: `{}` and `{}`", self.dotted(), first.name, kind.name);
                    self.push(Diagnostic::new(entry.key_place, title).help("keep one of them"));
                }
                (None, _) => {
                    let title = format!("unknown key `{}` in {}", entry.key, self.table_name());
                    let help = did_you_mean(&entry.key, &choice.all_names());
                    self.push(Diagnostic::new(entry.key_place, title).help(help));
                }
            }
        }
        debug_assert!(used.is_some(), "a kind was found at {place:?}");
    }

    fn bare_kind(&mut self, kind: &Field, place: Place) {
        let title = format!("`{}` needs settings of its own", kind.name);
        let settings = kind.shape.fields();
        let required: Vec<String> =
            settings.iter().filter(|field| field.required).map(|field| format!("{} = …", field.name)).collect();
        let inner = match (required.is_empty(), &kind.shape) {
            (true, Shape::Table(_)) => "{}".to_owned(),
            (true, _) => "…".to_owned(),
            (false, _) => format!("{{ {} }}", required.join(", ")),
        };
        let help = format!("write `{} = {{ {} = {inner} }}`", key_text(self.last()), key_text(&kind.name));
        self.push(Diagnostic::new(place, title).label(self.dotted()).help(help));
    }

    fn unknown_name(&mut self, choice: &Choice, text: &str, place: Place) {
        let title = format!("unknown {} {}", self.last_name(), quoted(text));
        let mistake = Diagnostic::new(place, title).label(self.dotted());
        self.push(mistake.help(did_you_mean(text, &choice.all_names())));
    }

    fn unknown_kind(&mut self, choice: &Choice, found: &Table, node: &Node, around: Around<'_>) {
        let Some(entry) = found.entries.first() else {
            let title = format!("expected {}, found an empty table", choice.expected());
            self.say(Diagnostic::new(node.place, title), around.doc, "");
            return;
        };
        if choice.kinds.is_empty() && choice.names.is_empty() {
            let title = format!("expected {}, found a table", choice.expected());
            self.say(Diagnostic::new(node.place, title), around.doc, "");
            return;
        }
        let mut mistake =
            Diagnostic::new(entry.key_place, format!("unknown kind `{}` for `{}`", entry.key, self.dotted()));
        if choice.names.iter().any(|name| **name == *entry.key) {
            mistake.title = format!("`{}` has no settings", entry.key);
            mistake = mistake.help(format!("write `{} = \"{}\"`", key_text(self.last()), entry.key));
        } else {
            let mut names = choice.all_names();
            let fields = choice.others.iter().flat_map(|other| other.fields());
            names.extend(fields.map(|field| field.name.as_str()));
            mistake = mistake.help(did_you_mean(&entry.key, &names));
        }
        self.push(mistake);
    }

    fn wrong_type(&mut self, shape: &Shape, node: &Node, around: Around<'_>) {
        let title = format!("expected {}, found {}", shape.expected(), node.found());
        let unquoted = node.as_text().filter(|text| {
            matches!(shape, Shape::Number(_)) && text.parse::<f64>().is_ok()
                || matches!(shape, Shape::Bool) && matches!(*text, "true" | "false")
        });
        let mistake = Diagnostic::new(node.place, title);
        let more = unquoted.map(|text| format!("; remove the quotes: {text}")).unwrap_or_default();
        self.say(mistake, around.doc, &more);
    }

    /// Adds a mistake about the value at the current path, with the words about its key.
    fn say(&mut self, mistake: Diagnostic, doc: &str, more: &str) {
        let says_nothing = doc.trim_end_matches('.').eq_ignore_ascii_case(self.last_name());
        let help = match (doc.is_empty() || says_nothing, more) {
            (true, "") => String::new(),
            (true, more) => more.trim_start_matches("; ").to_owned(),
            (false, more) => format!("`{}`: {}{more}", self.last_name(), first_lower(doc)),
        };
        self.push(mistake.label(self.dotted()).help(help));
    }

    fn table_name(&self) -> String {
        if self.path.is_empty() { "the study".to_owned() } else { format!("[{}]", self.dotted()) }
    }

    fn last(&self) -> &str {
        self.path.last().map_or("the study", String::as_str)
    }

    /// The last segment that is a name, not a position in a list.
    fn last_name(&self) -> &str {
        let name = self.path.iter().rev().find(|segment| segment.parse::<usize>().is_err());
        name.map_or("the study", String::as_str)
    }

    fn dotted(&self) -> String {
        spoken_path(&self.path.join("."))
    }
}

fn takes(shape: &Shape, node: &Node) -> bool {
    matches!(
        (shape, &node.value),
        (Shape::Bool, Value::Bool(_))
            | (Shape::Text, Value::Text(_))
            | (Shape::Number(_), Value::Int(_) | Value::Float(_))
            | (Shape::List { .. }, Value::List(_))
            | (Shape::Anything, _)
    )
}

fn plain_number(x: f64) -> String {
    if x.is_nan() { "nan".to_owned() } else { format!("{x}") }
}

fn first_lower(doc: &str) -> String {
    let doc = doc.trim_end_matches('.');
    let mut chars = doc.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && (second.is_lowercase() || second == ' ') => {
            first.to_lowercase().chain(doc.chars().skip(1)).collect()
        }
        _ => doc.to_owned(),
    }
}
