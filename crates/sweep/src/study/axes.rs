//! The axes of a sweep: columns, positions, and what each position sets.

use super::tree::{Node, Place};
use std::sync::Arc;

/// A swept field, or several that move together.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The columns in `cells`, at least one.
    pub columns: Vec<AxisColumn>,
    /// How many positions it has.
    pub len: usize,
    /// Whether it sweeps the replicate.
    pub is_seed: bool,
    /// The axis in `[sweep]`: a path, `seed`, or the label of a group.
    pub key: String,
    pub(crate) place: Place,
    pub(crate) settings: Settings,
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
}

impl std::fmt::Display for AxisValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value}"),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Settings {
    /// Replicates 0 … n−1, not written out.
    Count,
    /// Replicates as listed.
    Replicates(Vec<u64>),
    /// For each position the values of the columns and what is set.
    Rows(Vec<Row>),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) values: Vec<AxisValue>,
    pub(crate) assignments: Vec<Assignment>,
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

    pub(crate) fn assignments(&self, position: usize) -> &[Assignment] {
        match &self.settings {
            Settings::Rows(rows) => &rows[position].assignments,
            Settings::Count | Settings::Replicates(_) => &[],
        }
    }

    /// Whether some position sets something in this section.
    pub(crate) fn touches(&self, section: &str) -> bool {
        match &self.settings {
            Settings::Rows(rows) => rows.iter().flat_map(|row| &row.assignments).any(|a| a.path[0] == section),
            Settings::Count | Settings::Replicates(_) => false,
        }
    }
}
