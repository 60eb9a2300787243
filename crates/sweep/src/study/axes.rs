//! The axes of a sweep: columns, positions, and what each position sets.

use super::formula::Formula;
use super::tree::{Node, Place};
use std::sync::Arc;

/// A swept field, or several that move together.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The columns in `cells`, at least one.
    pub columns: Vec<AxisColumn>,
    /// How many positions it has; for an axis with a condition the last is its absence.
    pub len: usize,
    /// Whether it sweeps the replicate.
    pub is_seed: bool,
    /// The axis in `[sweep]`: a path, `seed`, or the label of a group.
    pub key: String,
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    /// Where it exists; everywhere if there is none.
    pub(crate) when: Option<Formula>,
    /// What makes its value of the other axes' values: such an axis multiplies no cells.
    pub(crate) derived: Option<Derived>,
}

/// A value that is computed from those of other axes.
#[derive(Clone, Debug)]
pub(crate) struct Derived {
    pub(crate) formula: Formula,
    pub(crate) path: Arc<[String]>,
}

/// One column of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisColumn {
    /// Its name in `cells`.
    pub name: String,
    /// The type of its values.
    pub kind: ColumnKind,
    /// The dotted path that it sets; for cases, the label of the group.
    pub path: String,
}

/// The type of an axis's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// true or false
    Bool,
    /// Whole numbers
    Int64,
    /// Numbers
    Float64,
    /// Texts: names of kinds, labels of cases
    String,
}

/// A value of an axis's column.
#[derive(Clone, Debug, PartialEq)]
pub enum AxisValue {
    /// true or false
    Bool(bool),
    /// A whole number
    Int(i64),
    /// A number
    Float(f64),
    /// A text
    Text(Arc<str>),
    /// Of an axis that the cell does not have.
    Null,
}

impl std::fmt::Display for AxisValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Settings {
    /// Replicates 0 … n−1, not written out.
    Count,
    /// Replicates as listed.
    Replicates(Vec<u64>),
    /// For each position the values of the columns and what is set; of derived values the distinct ones.
    Rows(Vec<Row>),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) values: Vec<AxisValue>,
    pub(crate) assignments: Vec<Assignment>,
}

impl Row {
    /// The position at which an axis does not exist.
    pub(crate) fn absence(columns: usize) -> Self {
        Self { values: vec![AxisValue::Null; columns], assignments: Vec::new() }
    }

    pub(crate) fn is_absence(&self) -> bool {
        self.values.first() == Some(&AxisValue::Null)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) path: Arc<[String]>,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

impl Axis {
    /// The value of a column at a position.
    ///
    /// # Panics
    /// If the position is not below `len`, or there is no such column.
    pub fn value(&self, position: usize, column: usize) -> AxisValue {
        match &self.settings {
            Settings::Count | Settings::Replicates(_) => AxisValue::Int(self.replicate(position) as i64),
            Settings::Rows(rows) => rows[position].values[column].clone(),
        }
    }

    /// The replicate at a position of the seed axis; 0 for other axes.
    pub fn replicate(&self, position: usize) -> u64 {
        match &self.settings {
            Settings::Count => position as u64,
            Settings::Replicates(list) => list[position],
            Settings::Rows(_) => 0,
        }
    }

    /// The values of the columns at a position, `name = value` each; nothing of an axis that is not there.
    pub(crate) fn describe(&self, position: usize) -> impl Iterator<Item = String> {
        let columns = self.columns.iter().enumerate().map(move |(i, column)| (column, self.value(position, i)));
        columns
            .filter(|(_, value)| *value != AxisValue::Null)
            .map(|(column, value)| format!("{} = {value}", column.name))
    }

    /// How many values it has, its absence aside.
    pub fn values(&self) -> usize {
        match &self.settings {
            Settings::Rows(rows) => rows.iter().filter(|row| !row.is_absence()).count(),
            Settings::Count | Settings::Replicates(_) => self.len,
        }
    }

    pub(crate) fn assignments(&self, position: usize) -> &[Assignment] {
        self.rows().get(position).map_or(&[], |row| &row.assignments)
    }

    /// Its positions one by one; none for replicates, which set nothing.
    pub(crate) fn rows(&self) -> &[Row] {
        match &self.settings {
            Settings::Rows(rows) => rows,
            Settings::Count | Settings::Replicates(_) => &[],
        }
    }

    /// What it sets, over all positions.
    pub(crate) fn all_assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.rows().iter().flat_map(|row| &row.assignments)
    }

    /// Whether some position sets something in this section.
    pub(crate) fn touches(&self, section: &str) -> bool {
        self.all_assignments().any(|assignment| assignment.path[0] == section)
    }

    /// The formulas on which its positions depend.
    pub(crate) fn formulas(&self) -> impl Iterator<Item = &Formula> {
        self.derived.iter().map(|derived| &derived.formula).chain(&self.when)
    }
}
