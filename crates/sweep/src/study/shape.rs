//! What a study may hold, read off the JSON Schema of its types: the same words for the parser, the
//! messages and the editors.

use super::schema::json_schema;
use serde_json::Value as Json;
use std::sync::LazyLock;

/// What a value may be.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Bool,
    Text,
    Number(NumberShape),
    List { item: Box<Shape>, length: Option<usize> },
    Table(TableShape),
    Choice(Choice),
    Anything,
}

/// A range of numbers.
#[derive(Clone, Debug)]
pub(crate) struct NumberShape {
    pub(crate) whole: bool,
    pub(crate) low: Option<f64>,
    pub(crate) above: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) below: Option<f64>,
    /// Whether `inf`, the limit, is allowed as well.
    pub(crate) limit: bool,
}

/// Named fields and no others.
#[derive(Clone, Debug)]
pub(crate) struct TableShape {
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: String,
}

/// One of several kinds: bare names, named kinds with settings, or values told apart by their type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) names: Vec<String>,
    pub(crate) kinds: Vec<Field>,
    pub(crate) others: Vec<Shape>,
}

/// Why a path leads nowhere.
#[derive(Debug)]
pub(crate) struct NoSuchPath {
    /// The number of segments that exist.
    pub(crate) known: usize,
    /// The names that could stand there.
    pub(crate) names: Vec<String>,
}

/// A segment of a path that picks one kind of a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fork {
    /// How many segments lead to the choice.
    pub(crate) depth: usize,
}

impl Shape {
    /// The shape of a whole study, made once.
    pub(crate) fn of_a_study() -> &'static Self {
        static STUDY: LazyLock<Shape> = LazyLock::new(|| {
            let schema = json_schema();
            Shape::from_schema(&schema, &schema)
        });
        &STUDY
    }

    /// The shape that a JSON Schema describes; `root` holds the definitions.
    pub(crate) fn from_schema(root: &Json, schema: &Json) -> Self {
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return Self::from_schema(root, &root["definitions"][name]);
        }
        if let Some([only]) = schema.get("allOf").and_then(Json::as_array).map(Vec::as_slice) {
            return Self::from_schema(root, only);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(key).and_then(Json::as_array) {
                return Self::from_branches(root, branches);
            }
        }
        if schema.get("const").is_some() || schema.get("enum").is_some() {
            return Self::from_branches(root, std::slice::from_ref(schema));
        }
        match type_of(schema) {
            Some("boolean") => Self::Bool,
            Some("string") => Self::Text,
            Some("number" | "integer") => Self::Number(NumberShape::from_schema(schema)),
            Some("array") => Self::List {
                item: Box::new(schema.get("items").map_or(Self::Anything, |item| Self::from_schema(root, item))),
                length: schema.get("maxItems").and_then(Json::as_u64).map(|n| n as usize),
            },
            Some("object") if schema.get("additionalProperties") == Some(&Json::Bool(false)) => {
                Self::Table(TableShape::from_schema(root, schema))
            }
            _ => Self::Anything,
        }
    }

    fn from_branches(root: &Json, branches: &[Json]) -> Self {
        let branches: Vec<&Json> = branches.iter().filter(|b| type_of(b) != Some("null")).collect();
        let mut choice = Choice::default();
        for branch in &branches {
            let names = branch.get("enum").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            let names = names.iter().chain(branch.get("const")).filter_map(Json::as_str);
            let before = choice.names.len();
            choice.names.extend(names.map(str::to_owned));
            if choice.names.len() > before {
                continue;
            }
            match tagged(branch) {
                Some((name, schema)) => choice.kinds.push(Field {
                    name: name.clone(),
                    shape: Self::from_schema(root, schema),
                    required: false,
                    doc: doc_of(branch),
                }),
                None => match Self::from_schema(root, branch) {
                    Self::Choice(inner) => choice.absorb(inner),
                    other => choice.others.push(other),
                },
            }
        }
        match (choice.names.is_empty() && choice.kinds.is_empty(), choice.others.len()) {
            (true, 1) => choice.others.remove(0),
            _ => Self::Choice(choice),
        }
    }

    /// The fields that may stand in a table of this shape.
    pub(crate) fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Table(table) => table.fields.iter().collect(),
            Self::Choice(choice) => {
                choice.kinds.iter().chain(choice.others.iter().flat_map(|other| other.fields())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The shape at the end of a path, and the choices on the way.
    pub(crate) fn at<S: AsRef<str>>(&self, path: &[S]) -> Result<(&Field, Vec<Fork>), NoSuchPath> {
        let (mut shape, mut found, mut forks) = (self, None, Vec::new());
        for (depth, key) in path.iter().enumerate() {
            if let Self::Choice(_) = shape {
                forks.push(Fork { depth });
            }
            let fields = shape.fields();
            let Some(field) = fields.iter().find(|field| field.name == key.as_ref()) else {
                return Err(NoSuchPath { known: depth, names: fields.iter().map(|f| f.name.clone()).collect() });
            };
            (shape, found) = (&field.shape, Some(*field));
        }
        found.map(|field| (field, forks)).ok_or(NoSuchPath { known: 0, names: Vec::new() })
    }

    /// Every dotted path of tables that has a field of this name, for "it belongs in …".
    pub(crate) fn homes_of(&self, name: &str) -> Vec<String> {
        let mut homes = Vec::new();
        self.collect_homes(name, &mut Vec::new(), &mut homes);
        homes
    }

    fn collect_homes<'a>(&'a self, name: &str, path: &mut Vec<&'a str>, homes: &mut Vec<String>) {
        for field in self.fields() {
            if field.name == name && !path.is_empty() {
                homes.push(path.join("."));
            }
            path.push(&field.name);
            field.shape.collect_homes(name, path, homes);
            path.pop();
        }
    }

    /// The value in words: "a whole number from 0 to 1000".
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Number(number) => number.expected(),
            Self::List { item, length } => {
                let item = item.expected();
                let item = item.strip_prefix("a ").or(item.strip_prefix("an ")).unwrap_or(&item).to_owned();
                match length {
                    Some(n) => format!("a list of {n} values, each a {item}"),
                    None => format!("a list, each value a {item}"),
                }
            }
            Self::Table(table) if table.fields.is_empty() => "an empty table {}".to_owned(),
            Self::Table(_) => "a table".to_owned(),
            Self::Choice(choice) => choice.expected(),
            Self::Anything => "a value".to_owned(),
        }
    }
}

impl Choice {
    fn absorb(&mut self, inner: Self) {
        self.names.extend(inner.names);
        self.kinds.extend(inner.kinds);
        self.others.extend(inner.others);
    }

    pub(crate) fn expected(&self) -> String {
        let names = self.names.iter().map(|name| format!("\"{name}\""));
        let kinds = self.kinds.iter().map(|kind| format!("{{ {} = … }}", kind.name));
        let others = self.others.iter().map(|other| match other {
            Shape::Table(table) => {
                // One of the keys, where none must be there.
                let any = table.fields.iter().take(usize::from(!table.fields.iter().any(|f| f.required)));
                let fields = table.fields.iter().filter(|f| f.required).chain(any);
                let fields: Vec<String> = fields.map(|f| format!("{} = …", f.name)).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            other => other.expected(),
        });
        let all: Vec<String> = names.chain(kinds).chain(others).collect();
        match all.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => all.concat(),
        }
    }

    /// Whether a name can stand there, alone or with settings.
    pub(crate) fn has_names(&self) -> bool {
        !self.names.is_empty() || !self.kinds.is_empty()
    }

    /// Every name that a kind can have.
    pub(crate) fn all_names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).chain(self.kinds.iter().map(|kind| kind.name.as_str())).collect()
    }
}

impl NumberShape {
    fn from_schema(schema: &Json) -> Self {
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        Self {
            whole: bound("multipleOf").is_some()
                || schema.get("x-whole").is_some()
                || type_of(schema) == Some("integer"),
            low: bound("minimum"),
            above: bound("exclusiveMinimum"),
            high: bound("maximum"),
            below: bound("exclusiveMaximum"),
            limit: schema.get("x-limit").is_some(),
        }
    }

    pub(crate) fn holds(&self, x: f64) -> bool {
        if self.limit && x == f64::INFINITY {
            return true;
        }
        x.is_finite()
            && (!self.whole || x.fract() == 0.0)
            && self.low.is_none_or(|low| x >= low)
            && self.above.is_none_or(|above| x > above)
            && self.high.is_none_or(|high| x <= high)
            && self.below.is_none_or(|below| x < below)
    }

    pub(crate) fn expected(&self) -> String {
        let range = match (self.low, self.above, self.high) {
            // 2⁵³, the end of exact whole numbers, is nobody's concern.
            (Some(low), _, Some(high)) if high > 9e15 => format!(" of at least {low}"),
            (Some(low), _, Some(high)) => format!(" from {low} to {high}"),
            (Some(low), _, None) => match self.below {
                Some(below) => format!(" of at least {low} and below {below}"),
                None => format!(" of at least {low}"),
            },
            (None, Some(above), None) => format!(" above {above}"),
            (None, Some(above), Some(high)) => format!(" above {above} and at most {high}"),
            (None, None, Some(high)) => format!(" of at most {high}"),
            (None, None, None) => String::new(),
        };
        let kind = match (self.whole, range.is_empty()) {
            (true, _) => "a whole number",
            (false, true) => "a finite number",
            (false, false) => "a number",
        };
        format!("{kind}{range}{}", if self.limit { ", or inf for the limit" } else { "" })
    }

    /// The nearest number that is allowed, where there is one.
    pub(crate) fn nearest(&self, x: f64) -> Option<f64> {
        let x = if self.whole { x.round() } else { x };
        let candidates = [Some(x), self.low, self.high];
        let allowed = candidates.into_iter().flatten().filter(|candidate| self.holds(*candidate));
        allowed.min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs()))
    }
}

impl TableShape {
    fn from_schema(root: &Json, schema: &Json) -> Self {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Json::as_array)
            .map(|names| names.iter().filter_map(Json::as_str).collect())
            .unwrap_or_default();
        let properties = schema.get("properties").and_then(Json::as_object);
        let fields = properties.into_iter().flatten().map(|(name, schema)| Field {
            name: name.clone(),
            shape: Shape::from_schema(root, schema),
            required: required.contains(&name.as_str()),
            doc: doc_of(schema),
        });
        Self { fields: fields.collect() }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|field| field.name.as_str()).collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A branch of the form `{ name = … }`, written in place: serde's externally tagged kind.
fn tagged(branch: &Json) -> Option<(&String, &Json)> {
    let properties = branch.get("properties")?.as_object()?;
    let required = branch.get("required")?.as_array()?;
    (properties.len() == 1 && required.len() == 1).then(|| properties.iter().next())?
}

/// The type, where it is one, not counting null.
fn type_of(schema: &Json) -> Option<&str> {
    match schema.get("type")? {
        Json::String(name) => Some(name),
        Json::Array(names) => names.iter().filter_map(Json::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// The description as plain text on one line.
fn doc_of(schema: &Json) -> String {
    let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
    text.replace('\n', " ").replace("\\[", "[").replace("\\]", "]")
}
