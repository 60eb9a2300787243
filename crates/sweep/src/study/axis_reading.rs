//! Axes read against the shape of a study: groups, replicates, and paths that must exist.

use super::axes::{Assignment, Axis, AxisColumn, AxisValue, ColumnKind, Row, Settings};
use super::axis_values::{Column, Repeats};
use super::column_names::{GivenName, name_columns};
use super::conformity::Conformity;
use super::dependent_axes::look_up;
use super::diagnostics::{Diagnostic, Source};
use super::formula::Formula;
use super::raw_axes::{DESIGNS, RawAxis, SECTIONS, WORDS, is_filter, mentioned_names, provided_paths, raw_axes, split};
use super::shape::{Field, Shape};
use super::spelling::{did_you_mean, nearest};
use super::tree::{Node, Place, Table, Value};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What reading the axes gave.
pub(crate) struct Read {
    pub(crate) axes: Vec<Axis>,
    /// What the cells must not fail, as `where` says.
    pub(crate) filters: Vec<Formula>,
    pub(crate) mistakes: Vec<Diagnostic>,
    /// Sections that an unreadable axis would have touched; all of them if it is a group or an expression.
    pub(crate) broken: BTreeSet<String>,
}

impl Read {
    /// Whether some expression decides about cells or values.
    pub(crate) fn depends(&self) -> bool {
        !self.filters.is_empty() || self.axes.iter().any(|axis| axis.formulas().next().is_some())
    }
}

/// What the axes are read against.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The study without its axes.
    pub(crate) root: &'a Node,
    pub(crate) shape: &'a Shape,
    /// The texts that it was read from.
    pub(crate) sources: &'a [Source],
    /// Names that columns of the tables have.
    pub(crate) reserved: &'a [&'a str],
}

/// Reads all axes of a study.
pub(crate) fn read_axes(raw: &[RawAxis], around: Surroundings<'_>) -> Read {
    let mut read = Read { axes: Vec::new(), filters: Vec::new(), mistakes: Vec::new(), broken: BTreeSet::new() };
    let provided = provided_paths(raw);
    let mentioned = mentioned_names(raw);
    let seed = match around.root.at(&["seed"]).map(|node| &node.value) {
        Some(Value::Int(seed)) => *seed as u64,
        Some(Value::Float(seed)) => *seed as u64,
        _ => 0,
    };
    let mut named = Vec::new();
    for axis in raw {
        let mut reader = Reader { around, provided: &provided, mentioned: &mentioned, seed, mistakes: Vec::new() };
        if is_filter(axis) {
            read.filters.extend(reader.filters(&axis.node));
        } else {
            match reader.conditional(axis) {
                Some((axis, names)) if reader.mistakes.is_empty() => {
                    read.axes.push(axis);
                    named.push(names);
                }
                _ => match SECTIONS.iter().find(|section| **section == axis.path[0]) {
                    Some(section) => read.broken.extend([(*section).to_owned()]),
                    None => read.broken.extend(SECTIONS.map(str::to_owned)),
                },
            }
        }
        read.mistakes.append(&mut reader.mistakes);
    }
    set_twice(&read.axes, &mut read.mistakes);
    name_columns(&mut read.axes, &named, around.reserved, &mut read.mistakes);
    if read.mistakes.is_empty() {
        look_up(&mut read, around);
    }
    if read.depends() && !read.mistakes.is_empty() {
        read.broken.extend(SECTIONS.map(str::to_owned));
    }
    read
}

/// Reads one axis, collecting its mistakes.
pub(crate) struct Reader<'a> {
    pub(super) around: Surroundings<'a>,
    provided: &'a [Vec<String>],
    /// Names in expressions: a label among them may be an axis that sets nothing itself.
    mentioned: &'a BTreeSet<String>,
    /// The study's seed, from which random axes are drawn.
    pub(super) seed: u64,
    pub(super) mistakes: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn say(&mut self, mistake: Diagnostic) {
        self.mistakes.push(mistake);
    }

    pub(super) fn axis(&mut self, raw: &RawAxis) -> Option<(Axis, Vec<GivenName>)> {
        if raw.path == ["seed"] {
            return self.seed(raw);
        }
        let table = raw.node.as_table();
        if let Some(cases) = table.and_then(|t| t.get("cases")) {
            self.known_words(raw, &["cases", "name", "when"]);
            return self.cases(raw, cases);
        }
        if let Some(zip) = table.and_then(|t| t.get("zip")) {
            self.known_words(raw, &["zip", "when"]);
            return self.zip(raw, zip);
        }
        if let Some((word, members)) = table.and_then(|t| DESIGNS.iter().find_map(|word| Some((*word, t.get(word)?)))) {
            self.known_words(raw, &[word, "count", "when"]);
            return self.design(raw, word, members);
        }
        if let Some(derive) = table.and_then(|t| t.get("derive")) {
            self.known_words(raw, &["derive", "name", "when"]);
            return self.derived(raw, derive);
        }
        self.misspelt_group(raw)?;
        let field = self.target(&raw.path, raw.key_place)?;
        let column = self.column(&raw.path, raw.key_place, &raw.node, field, Repeats::Refused)?;
        let rows = column
            .rows
            .into_iter()
            .map(|(value, assignment)| Row { values: vec![value], assignments: assignment.into_iter().collect() });
        let columns = vec![column_of(column.kind, &raw.path)];
        Some((new_axis(raw, columns, Settings::Rows(rows.collect())), vec![column.name]))
    }

    /// A label before a table in which no word says what it is.
    fn misspelt_group(&mut self, raw: &RawAxis) -> Option<()> {
        let ([label], Some(table)) = (&raw.path[..], raw.node.as_table()) else { return Some(()) };
        let beside = ["count", "name", "when"];
        let is_known = |key: &str| WORDS.contains(&key) && !beside.contains(&key);
        if SECTIONS.contains(&label.as_str()) || table.entries.iter().any(|entry| is_known(&entry.key)) {
            return Some(());
        }
        let Some(entry) = table.entries.iter().find(|entry| !beside.contains(&&*entry.key)) else { return Some(()) };
        let words = ["cases", "zip", "random", "halton", "latin-hypercube", "derive"];
        let title = format!("unknown key `{}` after the label `{label}`", entry.key);
        let help = format!("{}; a path starts with data, model or train", did_you_mean(&entry.key, &words));
        self.say(Diagnostic::new(entry.key_place, title).help(help));
        None
    }

    /// The field that an axis sets; none for a label that only expressions use.
    #[allow(clippy::option_option)] // a path that leads nowhere, a label, a field
    pub(super) fn target(&mut self, path: &[String], key_place: Place) -> Option<Option<&'a Field>> {
        match path {
            [label] if !SECTIONS.contains(&label.as_str()) && self.mentioned.contains(label) => Some(None),
            _ => self.field(path, key_place).map(Some),
        }
    }

    fn seed(&mut self, raw: &RawAxis) -> Option<(Axis, Vec<GivenName>)> {
        let help = "write `seed = { count = 100 }` for replicates 0 to 99, or a list of replicate numbers";
        let settings = match &raw.node.value {
            Value::List(items) => self.replicates(items, &raw.node)?,
            Value::Table(table) => {
                if let Some(when) = table.entry("when") {
                    let mistake =
                        Diagnostic::new(when.key_place, "replicates exist in every cell: `seed` has no `when`");
                    self.say(mistake.help("filter replicates by `where`, which knows `seed`"));
                    return None;
                }
                self.known_words(raw, &["count", "values", "name"]);
                match (table.get("count"), table.get("values").map(|node| (node, &node.value))) {
                    (Some(count), None) => {
                        let len = self.count(count, 1e9)?;
                        return Some(seed_axis(raw, Settings::Count, len));
                    }
                    (None, Some((node, Value::List(items)))) => self.replicates(items, node)?,
                    (None, Some((node, _))) => {
                        let title = format!("expected a list of replicate numbers, found {}", node.found());
                        self.say(Diagnostic::new(node.place, title).label("sweep.seed.values").help(help));
                        return None;
                    }
                    (Some(_), Some((node, _))) => {
                        self.say(
                            Diagnostic::new(node.place, "`seed` has both `count` and `values`")
                                .help("keep one of them"),
                        );
                        return None;
                    }
                    (None, None) => {
                        self.say(Diagnostic::new(raw.node.place, "`seed` has no `count`").help(help));
                        return None;
                    }
                }
            }
            _ => {
                let title = format!("expected replicates, found {}", raw.node.found());
                let here = "the study's own seed is the top-level key `seed`, before the first [table]";
                self.say(Diagnostic::new(raw.node.place, title).label("sweep.seed").note(here).help(help));
                return None;
            }
        };
        let len = match &settings {
            Settings::Replicates(list) => list.len(),
            _ => 0,
        };
        Some(seed_axis(raw, settings, len))
    }

    fn replicates(&mut self, items: &[Node], list: &Node) -> Option<Settings> {
        self.not_empty(items, list)?;
        let before = self.mistakes.len();
        let mut seen = HashSet::new();
        let mut numbers = Vec::with_capacity(items.len());
        for item in items {
            match item.as_number().filter(|x| x.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(x)) {
                Some(x) if seen.insert(x as u64) => numbers.push(x as u64),
                Some(x) => {
                    self.say(Diagnostic::new(item.place, format!("replicate {x} is listed twice")).help("remove one"))
                }
                None => {
                    let title = format!("expected a replicate number (0, 1, 2, …), found {}", item.found());
                    self.say(Diagnostic::new(item.place, title).label("sweep.seed"));
                }
            }
        }
        (self.mistakes.len() == before).then_some(Settings::Replicates(numbers))
    }

    fn cases(&mut self, raw: &RawAxis, cases: &Node) -> Option<(Axis, Vec<GivenName>)> {
        let example = "write `{ cases = { low = { \"model.features.polynomial.degree\" = 5 }, high = { … } } }`";
        let Some(table) = cases.as_table().filter(|table| !table.entries.is_empty()) else {
            let title = format!("expected labelled cases, found {}", cases.found());
            self.say(Diagnostic::new(cases.place, title).label(raw.path.join(".")).help(example));
            return None;
        };
        let before = self.mistakes.len();
        let mut rows = Vec::new();
        for case in &table.entries {
            let Some(settings) = case.node.as_table().filter(|table| !table.entries.is_empty()) else {
                let is_empty = case.node.as_table().is_some();
                let (title, help) = match is_empty {
                    true => (
                        format!("the case `{}` sets nothing", case.key),
                        "a case sets at least one path; write down the value that the study has already",
                    ),
                    false => {
                        (format!("expected what the case `{}` sets, found {}", case.key, case.node.found()), example)
                    }
                };
                self.say(Diagnostic::new(case.node.place, title).help(help));
                continue;
            };
            let mut assignments = Vec::new();
            for (path, key_place, node) in self.case_settings(settings) {
                let Some(field) = self.field(&path, key_place) else {
                    continue;
                };
                self.conforms(field, &path, &node);
                assignments.push(Assignment { path: path.into(), key_place, node });
            }
            rows.push(Row { values: vec![AxisValue::Text(case.key.clone())], assignments });
        }
        if self.mistakes.len() > before {
            return None;
        }
        let axis = new_axis(raw, vec![column_of(ColumnKind::String, &raw.path)], Settings::Rows(rows));
        let name = self.given_name(&raw.node);
        Some((axis, vec![name]))
    }

    /// Settings of a case: quoted paths, or plain ones that nest down to a field.
    fn case_settings(&self, settings: &Table) -> Vec<(Vec<String>, Place, Node)> {
        let mut out = Vec::new();
        for entry in &settings.entries {
            let path = split(&entry.key);
            let plain_section = path.len() == 1 && SECTIONS.contains(&path[0].as_str());
            match entry.node.as_table() {
                // `data.curve.samples = 3` nests in TOML; only whole sections need to be taken apart.
                Some(table) if plain_section => {
                    for inner in &table.entries {
                        let path = path.iter().cloned().chain(split(&inner.key)).collect();
                        out.push((path, inner.key_place, inner.node.clone()));
                    }
                }
                _ => out.push((path, entry.key_place, entry.node.clone())),
            }
        }
        out
    }

    fn zip(&mut self, raw: &RawAxis, zip: &Node) -> Option<(Axis, Vec<GivenName>)> {
        let example = "write `{ zip = { \"data.curve.samples\" = [10, 20], \"train.until.steps\" = [100, 400] } }`";
        let Some(table) = zip.as_table().filter(|table| !table.entries.is_empty()) else {
            let title = format!("expected paths that move together, found {}", zip.found());
            self.say(Diagnostic::new(zip.place, title).label(raw.path.join(".")).help(example));
            return None;
        };
        let before = self.mistakes.len();
        let mut members = Vec::new();
        for member in members_of(table, zip.place) {
            let Some(field) = self.target(&member.path, member.key_place) else { continue };
            if let Some(column) = self.column(&member.path, member.key_place, &member.node, field, Repeats::Allowed) {
                members.push((member, column));
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        let len = members[0].1.rows.len();
        for (member, column) in &members[1..] {
            if column.rows.len() != len {
                let (a, b) = (members[0].0.path.join("."), member.path.join("."));
                let title = format!("lists of one zip differ in length: {} here, {len} in `{a}`", column.rows.len());
                self.say(
                    Diagnostic::new(member.node.place, title)
                        .label(b)
                        .help("a zip takes the first of each list, then the second, …: give all lists one length"),
                );
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        Some(side_by_side(raw, members))
    }

    /// Refuses keys beside a group that mean nothing there.
    fn known_words(&mut self, raw: &RawAxis, words: &[&str]) {
        for entry in raw.node.as_table().map_or(&[][..], |table| &table.entries) {
            if !words.contains(&&*entry.key) {
                let title = format!("unknown key `{}` beside `{}`", entry.key, words[0]);
                self.say(Diagnostic::new(entry.key_place, title).help(did_you_mean(&entry.key, words)));
            }
        }
    }

    /// The field that a path leads to, or what is wrong with the path.
    pub(super) fn field(&mut self, path: &[String], key_place: Place) -> Option<&'a Field> {
        let dotted = path.join(".");
        if !SECTIONS.contains(&path[0].as_str()) {
            self.say(outside(path, key_place, self.around.shape));
            return None;
        }
        match self.around.shape.at(path) {
            Ok((field, _)) if path.len() > 1 => Some(field),
            Ok(_) => {
                let help = format!("sweep its fields: `\"{dotted}.… \" = [...]`");
                self.say(Diagnostic::new(key_place, format!("[{dotted}] cannot be swept as a whole")).help(help));
                None
            }
            Err(wrong) => {
                let key = &path[wrong.known];
                let names: Vec<&str> = wrong.names.iter().map(String::as_str).collect();
                let home = path[..wrong.known].join(".");
                let title = if names.is_empty() {
                    format!("`{home}` has no keys inside it, so `{dotted}` cannot be swept")
                } else {
                    format!("unknown key `{key}` in the path `{dotted}`")
                };
                let mistake = Diagnostic::new(segment_place(path, wrong.known, key_place), title);
                self.say(mistake.help(did_you_mean(key, &names)));
                None
            }
        }
    }

    pub(super) fn conforms(&mut self, field: &Field, path: &[String], node: &Node) {
        self.mistakes.extend(Conformity::new(self.around.shape, self.provided).check(field, path, node));
    }
}

/// Where a segment of a quoted path stands; the whole key if it is written otherwise.
fn segment_place(path: &[String], segment: usize, key_place: Place) -> Place {
    let before: usize = path[..segment].iter().map(|s| s.len() + 1).sum();
    if key_place.end - key_place.start != path.join(".").len() + 2 {
        return key_place;
    }
    let start = key_place.start + 1 + before;
    Place { start, end: start + path[segment].len(), ..key_place }
}

fn seed_axis(raw: &RawAxis, settings: Settings, len: usize) -> (Axis, Vec<GivenName>) {
    let columns = vec![AxisColumn { name: "seed".to_owned(), kind: ColumnKind::Int64, path: "seed".to_owned() }];
    (Axis { len, is_seed: true, ..new_axis(raw, columns, settings) }, vec![None])
}

pub(super) fn column_of(kind: ColumnKind, path: &[String]) -> AxisColumn {
    AxisColumn { name: String::new(), kind, path: path.join(".") }
}

pub(super) fn new_axis(raw: &RawAxis, columns: Vec<AxisColumn>, settings: Settings) -> Axis {
    let len = if let Settings::Rows(rows) = &settings { rows.len() } else { 0 };
    let (key, place) = (raw.path.join("."), raw.key_place);
    Axis { columns, len, is_seed: false, key, place, settings, when: None, derived: None }
}

/// The paths of a group with what stands there.
pub(super) fn members_of(table: &Table, place: Place) -> Vec<RawAxis> {
    let flat = Node { value: Value::Table(table.clone()), place };
    raw_axes(flat.as_table().unwrap_or(table))
}

/// An axis whose columns, all of one length, move together.
pub(super) fn side_by_side(raw: &RawAxis, members: Vec<(RawAxis, Column)>) -> (Axis, Vec<GivenName>) {
    let columns = members.iter().map(|(member, column)| column_of(column.kind, &member.path)).collect();
    let names = members.iter().map(|(_, column)| column.name.clone()).collect();
    let len = members.first().map_or(0, |(_, column)| column.rows.len());
    let rows = (0..len).map(|i| Row {
        values: members.iter().map(|(_, column)| column.rows[i].0.clone()).collect(),
        assignments: members.iter().filter_map(|(_, column)| column.rows[i].1.clone()).collect(),
    });
    (new_axis(raw, columns, Settings::Rows(rows.collect())), names)
}

/// Two axes that set the same path: which one would win?
fn set_twice(axes: &[Axis], mistakes: &mut Vec<Diagnostic>) {
    let paths = |axis: &Axis| -> Vec<(Arc<[String]>, Place)> {
        let derived = axis.derived.iter().map(|derived| (derived.path.clone(), axis.place));
        let mut paths: Vec<_> = axis.all_assignments().map(|a| (a.path.clone(), a.key_place)).chain(derived).collect();
        paths.dedup();
        paths
    };
    for (i, axis) in axes.iter().enumerate() {
        if axes[..i].iter().any(|other| other.is_seed && axis.is_seed) {
            mistakes.push(Diagnostic::new(axis.place, "`seed` is swept twice").help("keep one of the axes"));
        }
        let own = paths(axis);
        // Where a condition is, the cells tell whether both axes exist at once.
        for other in axes[..i].iter().filter(|other| axis.when.is_none() && other.when.is_none()) {
            let theirs = paths(other);
            if let Some((path, place)) = own.iter().find(|(path, _)| theirs.iter().any(|(p, _)| p == path)) {
                let title = format!("`{}` is set by two axes, `{}` and `{}`", path.join("."), other.key, axis.key);
                mistakes.push(Diagnostic::new(*place, title).help("a cell has one value for it: keep one of them"));
            }
        }
    }
}

/// An axis whose path starts outside data, model and train.
fn outside(path: &[String], key_place: Place, shape: &Shape) -> Diagnostic {
    let dotted = path.join(".");
    let mistake = Diagnostic::new(key_place, format!("`{dotted}` cannot be swept"));
    if path == ["seed"] {
        return mistake.help("`seed` is an axis of its own: write `seed = { count = n }` directly in [sweep]");
    }
    let first = path[0].as_str();
    if matches!(first, "zip" | "cases") {
        return mistake
            .help(format!("give the group a label: `label = {{ {first} = {{ … }} }}`, or `[sweep.label.{first}]`"));
    }
    if shape.fields().iter().any(|field| field.name == first) {
        return mistake
            .note("only paths into data, model and train, and seed, may be swept; the rest is one for all cells");
    }
    let whole: Vec<String> = shape.homes_of(path.last().map_or("", String::as_str));
    let mut homes = whole.iter().filter(|home| SECTIONS.contains(&home.split('.').next().unwrap_or_default()));
    let help = match (nearest(first, SECTIONS.into_iter().chain(["seed"])), homes.next()) {
        (Some(section), _) => {
            format!("did you mean `{section}`? a path starts with data, model or train")
        }
        (None, Some(home)) => {
            format!("did you mean `{home}.{}`? a path starts with data, model or train", path[path.len() - 1])
        }
        (None, None) => {
            "a path starts with data, model or train; any other key is a label for `cases`, `zip` or a design, or a \
             name that expressions use"
                .to_owned()
        }
    };
    mistake.help(help)
}
