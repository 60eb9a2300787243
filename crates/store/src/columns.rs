//! The shape of a table: its columns with type, unit and one line of documentation.

use std::fmt;

/// What a column's cells are; tables know no other types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int64,
    /// A double. NaN is a value; null means "not measured".
    Float64,
    /// Text.
    String,
}

impl fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ColumnType::Bool => "Bool",
            ColumnType::Int64 => "Int64",
            ColumnType::Float64 => "Float64",
            ColumnType::String => "String",
        })
    }
}

/// One column: name, type, unit and one line of documentation.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// The name in the parquet file, in snake_case.
    pub name: String,
    /// What the cells are.
    pub kind: ColumnType,
    /// The unit, empty where there is none; kept in the footer of every part.
    pub unit: String,
    /// One line saying what the column holds; kept in the footer of every part.
    pub doc: String,
}

impl Column {
    /// A column of this name, type, unit and documentation.
    pub fn new(name: impl Into<String>, kind: ColumnType, unit: impl Into<String>, doc: impl Into<String>) -> Self {
        Column { name: name.into(), kind, unit: unit.into(), doc: doc.into() }
    }
}

/// A table's name and its columns in order; the same in every part of the table.
#[derive(Clone, PartialEq, Debug)]
pub struct TableSchema {
    /// The folder's name inside the study's folder: `cells`, `trajectory`, …
    pub name: String,
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// The position of the column with this name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    pub(crate) fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_by_its_name() {
        let schema = TableSchema {
            name: "cells".into(),
            columns: vec![
                Column::new("cell", ColumnType::Int64, "", "the cell"),
                Column::new("risk", ColumnType::Float64, "", "mean squared error"),
            ],
        };
        assert_eq!(schema.column("risk"), Some(1));
        assert_eq!(schema.column("loss"), None);
    }
}
