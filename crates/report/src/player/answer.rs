//! The columns of a query's answer as plain lists.

use crate::{Database, QueryError, ReportError};
use polars::prelude::{Column, DataFrame, DataType};

/// The rows that answer a query of the player's own.
pub(super) struct Answer(DataFrame);

impl Answer {
    pub(super) fn ask(database: &Database, sql: &str) -> Result<Self, ReportError> {
        let failed = |reason: QueryError| ReportError::Query { what: "the player".to_owned(), reason };
        database.rows(sql).map(Self).map_err(failed)
    }

    pub(super) fn rows(&self) -> usize {
        self.0.height()
    }

    fn column(&self, name: &str, kind: &DataType) -> Column {
        let column = self.0.column(name).and_then(|column| column.cast(kind));
        column.expect("the query selects this column of a table whose types are fixed")
    }

    /// A column of numbers or truth values.
    pub(super) fn floats(&self, name: &str) -> Vec<Option<f64>> {
        self.column(name, &DataType::Float64).f64().expect("just cast").iter().collect()
    }

    /// A column of whole numbers.
    pub(super) fn whole(&self, name: &str) -> Vec<Option<i64>> {
        self.column(name, &DataType::Int64).i64().expect("just cast").iter().collect()
    }

    /// A column of texts.
    pub(super) fn texts(&self, name: &str) -> Vec<Option<String>> {
        let column = self.column(name, &DataType::String);
        column.str().expect("just cast").iter().map(|text| text.map(str::to_owned)).collect()
    }

    /// The cell of every row.
    pub(super) fn cells(&self) -> Vec<i64> {
        self.whole("cell").into_iter().map(|cell| cell.expect("every row belongs to a cell")).collect()
    }
}
