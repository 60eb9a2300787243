//! An expression in a study: the text of a `where`, `when` or `derive`, with what its names stand for.

use super::axes::{Axis, AxisValue, ColumnKind};
use super::diagnostics::{Diagnostic, Source};
use super::expression::{Expression, Fault, Term};
use super::shape::Shape;
use super::spelling::{did_you_mean, nearest};
use super::tree::{Node, Place, Value};
use std::ops::Range;

/// An expression in a study.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    pub(crate) text: String,
    /// Where the text stands, quotes included.
    pub(crate) place: Place,
    /// How many bytes into its place the text begins; `None` where the file writes it in another way.
    offset: Option<usize>,
    pub(crate) expression: Expression,
    /// One per name of the expression, once they are known.
    pub(crate) ingredients: Vec<Ingredient>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Ingredient {
    /// A column of an axis.
    Column {
        /// The axis.
        axis: usize,
        /// Its column.
        column: usize,
    },
    /// A field of the study, as the base and these axes have it.
    Field {
        /// Its dotted path.
        path: Vec<String>,
        /// Axes that may set it.
        axes: Vec<usize>,
    },
}

impl Formula {
    /// Reads a text; its names are looked up later.
    pub(crate) fn read(node: &Node, what: &str, sources: &[Source]) -> Result<Self, Box<Diagnostic>> {
        let Some(text) = node.as_text() else {
            let example = match what {
                "derive" => "0.1 / depth",
                _ => "depth < 4 and kind == 'deep-linear'",
            };
            let title = format!("expected an expression in quotes, found {}", node.found());
            let help = format!("write `{what} = \"{example}\"`");
            return Err(Box::new(Diagnostic::new(node.place, title).label(what).help(help)));
        };
        let written = sources.get(node.place.source).and_then(|s| s.text.get(node.place.start..node.place.end));
        let offset = written.and_then(|written| written.find(text));
        let place = |fault: &Fault| place_of(node.place, offset, &fault.span);
        match Expression::parse(text) {
            Ok(expression) => {
                Ok(Self { text: text.to_owned(), place: node.place, offset, expression, ingredients: Vec::new() })
            }
            Err(fault) => {
                Err(Box::new(Diagnostic::new(place(&fault), fault.message.clone()).label(what).help(fault.help)))
            }
        }
    }

    /// Where a part of the text stands.
    pub(crate) fn place_of(&self, span: &Range<usize>) -> Place {
        place_of(self.place, self.offset, span)
    }

    pub(crate) fn fault(&self, fault: Fault) -> Diagnostic {
        Diagnostic::new(self.place_of(&fault.span), fault.message).help(fault.help)
    }

    /// The axes on which its value depends, in their order.
    pub(crate) fn axes(&self) -> Vec<usize> {
        self.axes_of(&self.expression)
    }

    /// The axes on which one of its conjuncts depends.
    pub(crate) fn axes_of(&self, expression: &Expression) -> Vec<usize> {
        let used = expression.used();
        let mut axes: Vec<usize> =
            used.into_iter().filter_map(|name| self.ingredients.get(name)).flat_map(Ingredient::axes).collect();
        axes.sort_unstable();
        axes.dedup();
        axes
    }

    /// What a name stands for at these positions on all axes.
    pub(crate) fn value(&self, name: usize, axes: &[Axis], root: &Node, positions: &[usize]) -> Term {
        match &self.ingredients[name] {
            Ingredient::Column { axis, column } => match axes[*axis].value(positions[*axis], *column) {
                AxisValue::Bool(value) => Term::Truth(value),
                AxisValue::Int(value) => Term::Number(value as f64),
                AxisValue::Float(value) => Term::Number(value),
                AxisValue::Text(value) => Term::Text(value),
                AxisValue::Null => Term::Null,
            },
            Ingredient::Field { path, axes: of } => {
                let mut found = root.at(path);
                let mut assignments: Vec<_> =
                    of.iter().flat_map(|&axis| axes[axis].assignments(positions[axis])).collect();
                // Outer paths come first, as when a cell is put together.
                assignments.sort_by_key(|assignment| assignment.path.len());
                for assignment in assignments {
                    if let Some(rest) = path.strip_prefix(&*assignment.path) {
                        found = assignment.node.at(rest);
                    }
                }
                found.map_or(Term::Null, scalar)
            }
        }
    }

    /// Looks its names up: columns by their name, swept fields by their path, other fields of data, model and train by theirs.
    pub(crate) fn look_up(&mut self, axes: &[Axis], root: &Node, shape: &Shape) -> Vec<Diagnostic> {
        let mut mistakes = Vec::new();
        let mut ingredients = Vec::with_capacity(self.expression.names.len());
        for name in &self.expression.names {
            match ingredient(&name.text, axes, root, shape) {
                Ok(ingredient) => ingredients.push(ingredient),
                Err((title, help)) => mistakes.push(Diagnostic::new(self.place_of(&name.span), title).help(help)),
            }
        }
        self.ingredients = ingredients;
        mistakes
    }

    /// Texts that a column is compared with and never has.
    pub(crate) fn strangers(&self, axes: &[Axis]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for comparison in self.expression.compared_texts() {
            let Some(Ingredient::Column { axis, column }) = self.ingredients.get(comparison.name) else { continue };
            let axis = &axes[*axis];
            if axis.columns[*column].kind != ColumnKind::String {
                continue;
            }
            let mut values: Vec<&str> = Vec::new();
            for row in axis.rows() {
                match &row.values[*column] {
                    AxisValue::Text(text) if !values.contains(&&**text) => values.push(text),
                    _ => {}
                }
            }
            if !values.contains(&comparison.text) {
                let name = &axis.columns[*column].name;
                let title = format!("`{name}` is never '{}'", comparison.text);
                let help = did_you_mean(comparison.text, &values);
                let mut warning = Diagnostic::new(self.place_of(&comparison.span), title).help(help);
                warning.severity = super::diagnostics::Severity::Warning;
                found.push(warning);
            }
        }
        found
    }
}

impl Ingredient {
    fn axes(&self) -> Vec<usize> {
        match self {
            Self::Column { axis, .. } => vec![*axis],
            Self::Field { axes, .. } => axes.clone(),
        }
    }
}

fn place_of(place: Place, offset: Option<usize>, span: &Range<usize>) -> Place {
    match offset {
        // What is missing at the end is shown by the closing quote.
        Some(offset) => {
            let (start, end) = (place.start + offset + span.start, place.start + offset + span.end);
            Place { start, end: end.max(start + usize::from(start < place.end)), ..place }
        }
        None => place,
    }
}

fn scalar(node: &Node) -> Term {
    match &node.value {
        Value::Bool(value) => Term::Truth(*value),
        Value::Int(_) | Value::Float(_) => Term::Number(node.as_number().unwrap_or(f64::NAN)),
        Value::Text(text) | Value::Date(text) => Term::Text(text.clone()),
        // A kind with settings is known by its name.
        Value::Table(table) => table.entries.first().map_or(Term::Null, |entry| Term::Text(entry.key.clone())),
        Value::List(_) => Term::Null,
    }
}

/// What a name stands for, or what is wrong with it and what to try.
fn ingredient(name: &str, axes: &[Axis], root: &Node, shape: &Shape) -> Result<Ingredient, (String, String)> {
    for (axis, found) in axes.iter().enumerate() {
        let by_name = found.columns.iter().position(|column| column.name == name);
        let by_path = || found.columns.iter().position(|column| column.path == name && name.contains('.'));
        if let Some(column) = by_name.or_else(by_path) {
            return Ok(Ingredient::Column { axis, column });
        }
    }
    let columns: Vec<&str> = axes.iter().flat_map(|axis| &axis.columns).map(|column| column.name.as_str()).collect();
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    if path.len() == 1 {
        let mut help = did_you_mean(name, &columns);
        if nearest(name, columns.iter().copied()).is_none()
            && let Some(home) =
                shape.homes_of(name).into_iter().find(|home| root.at(&home.split('.').collect::<Vec<_>>()).is_some())
        {
            help =
                format!("a field that is not swept goes by its path: `{home}.{name}`; columns: {}", columns.join(", "));
        }
        let help =
            if columns.is_empty() { "there are no columns; a field goes by its dotted path".to_owned() } else { help };
        return Err((format!("unknown column `{name}`"), help));
    }
    if !super::raw_axes::SECTIONS.contains(&path[0].as_str()) {
        let title = format!("unknown column `{name}`");
        return Err((title, "a path starts with data, model or train".to_owned()));
    }
    match shape.at(&path) {
        Err(wrong) => {
            let names: Vec<&str> = wrong.names.iter().map(String::as_str).collect();
            let key = &path[wrong.known];
            let minus = if key.contains('-') { "; a minus after a path needs spaces around it" } else { "" };
            Err((format!("unknown key `{key}` in the path `{name}`"), format!("{}{minus}", did_you_mean(key, &names))))
        }
        Ok((field, _)) => {
            if matches!(field.shape, Shape::Table(_) | Shape::List { .. } | Shape::Anything) {
                let title = format!("`{name}` is {}, not a number, a text or a truth value", field.shape.expected());
                return Err((title, String::new()));
            }
            let sets = |axis: &Axis| axis.all_assignments().any(|assignment| path.starts_with(&assignment.path));
            let setting: Vec<usize> = (0..axes.len()).filter(|&axis| sets(&axes[axis])).collect();
            if setting.is_empty() && root.at(&path).is_none() {
                let title = format!("`{name}` is written nowhere in the study");
                return Err((title, "write it down, or use a column".to_owned()));
            }
            Ok(Ingredient::Field { path, axes: setting })
        }
    }
}
