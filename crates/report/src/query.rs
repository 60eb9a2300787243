//! Questions in SQL over a study's tables: the finished ones, or empty ones before anything has run.

mod deep_stack;
mod error;
mod looks_only;
mod place;

pub use error::QueryError;

use crate::results::TIMING;
use crate::{ReportError, Results};
use deep_stack::on_a_deep_stack;
use polars::prelude::{DataFrame, DataType, Engine, Field, IntoLazy, LazyFrame, PlRefPath, ScanArgsParquet, Schema};
use polars::sql::SQLContext;
use std::sync::Arc;
use taut_store::{ColumnType, TableSchema};

/// What a column of an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, whole or not.
    Number,
    /// Truth values.
    Bool,
    /// Texts.
    Text,
    /// Nothing but nulls.
    Null,
    /// Several values in each row: what polars makes of a column that a GROUP BY does not aggregate.
    List,
    /// Something that no claim or figure has a use for, such as dates.
    Other,
}

impl Kind {
    pub(crate) fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Boolean => Self::Bool,
            DataType::String => Self::Text,
            DataType::Null => Self::Null,
            kind if kind.is_primitive_numeric() => Self::Number,
            DataType::List(_) => Self::List,
            _ => Self::Other,
        }
    }

    /// For messages: "a number", ….
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Bool => "a truth value",
            Self::Text => "a text",
            Self::Null => "nothing but null",
            Self::List => "a list of the values of each group",
            Self::Other => "neither number, truth value nor text",
        }
    }
}

/// The tables of a study, as a query sees them.
#[derive(Clone)]
pub struct Database {
    tables: Vec<Table>,
    /// Tables that the study could have, and how it would get them.
    unrecorded: Vec<(String, String)>,
}

#[derive(Clone)]
struct Table {
    name: String,
    columns: Vec<String>,
    frame: LazyFrame,
}

impl Table {
    fn new(schema: &TableSchema, frame: LazyFrame) -> Self {
        let columns = schema.columns.iter().map(|column| column.name.clone()).collect();
        Self { name: schema.name.clone(), columns, frame }
    }
}

impl Database {
    /// The tables of a results folder; nothing is read before a query asks.
    ///
    /// # Errors
    /// If a part cannot be opened.
    pub fn of_results(results: &Results) -> Result<Self, ReportError> {
        let scan = |table: &crate::StoredTable| {
            let paths = table.parts.iter().map(|path| PlRefPath::try_from_path(path)).collect::<Result<Vec<_>, _>>();
            let args = ScanArgsParquet {
                schema: Some(Arc::new(schema(&table.schema))),
                // A folder may be called `runs[1]`.
                glob: false,
                ..ScanArgsParquet::default()
            };
            let frame = paths.and_then(|paths| LazyFrame::scan_parquet_files(paths.into(), args));
            let frame = frame.map_err(|reason| ReportError::Query {
                what: format!("table `{}`", table.schema.name),
                reason: QueryError::of(&reason, ""),
            })?;
            Ok(Table::new(&table.schema, frame))
        };
        let tables = results.tables().iter().map(scan).collect::<Result<_, ReportError>>()?;
        Ok(Self { tables, unrecorded: Vec::new() })
    }

    /// Tables of these schemas without rows, to find out whether a query has an answer at all; with the tables that
    /// the study does not record, and how it would.
    pub fn of_schemas<'s>(
        schemas: impl IntoIterator<Item = &'s TableSchema>,
        unrecorded: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let empty = |table: &TableSchema| Table::new(table, DataFrame::empty_with_schema(&schema(table)).lazy());
        Self { tables: schemas.into_iter().map(empty).collect(), unrecorded: unrecorded.into_iter().collect() }
    }

    /// The same tables without the one that differs between two runs of one study.
    pub(crate) fn without_clocks(mut self) -> Self {
        self.tables.retain(|table| table.name != TIMING);
        self.unrecorded.push((
            TIMING.to_owned(),
            "it differs between two runs of one study, and a verdict must not; draw it in a figure".to_owned(),
        ));
        self
    }

    /// The columns of an answer, found by asking the tables as they are: types are not known otherwise.
    ///
    /// # Errors
    /// If the query has none.
    pub fn columns(&self, sql: &str) -> Result<Vec<(String, Kind)>, QueryError> {
        Ok(columns(&self.rows(sql)?))
    }

    /// The answer to a query.
    ///
    /// # Errors
    /// If it has none: a mistake of syntax, a table, column or function that is not there, a type that does not fit.
    pub fn rows(&self, sql: &str) -> Result<DataFrame, QueryError> {
        looks_only::refuse_others(sql)?;
        on_a_deep_stack(|| self.ask(sql)).map_err(|error| self.with_names(error, sql))
    }

    fn ask(&self, sql: &str) -> Result<DataFrame, QueryError> {
        // A context of its own: one that has seen a query fail keeps its aliases.
        let mut context = SQLContext::new();
        for table in &self.tables {
            context.register(&table.name, table.frame.clone());
        }
        let answer = context.execute(sql).and_then(|lazy| lazy.collect_with_engine(Engine::Streaming));
        Ok(answer.map_err(|reason| QueryError::of(&reason, sql))?.unwrap_single())
    }

    /// Says where the table or column that is missing could be had.
    fn with_names(&self, error: QueryError, sql: &str) -> QueryError {
        if let Some(name) = relation(&error.message) {
            return self.no_table(name);
        }
        match &error.word {
            Some(name) if error.lacks_a_column() => {
                let help = self.tables_with(name, sql).map(|having| format!("{having}; {}", error.help));
                QueryError { help: help.unwrap_or_else(|| error.help.clone()), ..error }
            }
            _ => error,
        }
    }

    /// How a query would get a column that it lacks.
    fn tables_with(&self, column: &str, sql: &str) -> Option<String> {
        let having = || self.tables.iter().filter(|table| table.columns.iter().any(|name| name == column));
        let is_asked = |table: &&Table| place::holds(sql, &table.name);
        if let Some(asked) = having().find(is_asked) {
            return Some(format!("`{}` has it: SELECT it as well where that is asked", asked.name));
        }
        let names: Vec<String> = having().map(|table| format!("`{}`", table.name)).collect();
        (!names.is_empty()).then(|| format!("{} has it: JOIN it USING (cell)", names.join(" or ")))
    }

    fn no_table(&self, name: String) -> QueryError {
        let known = self.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ");
        let help = match self.unrecorded.iter().find(|(table, _)| *table == name) {
            Some((_, remedy)) => remedy.clone(),
            None => "check the spelling; `WITH name AS (…)` makes a table of a query's own".to_owned(),
        };
        let message = format!("there is no table `{name}` here; this study has {known}");
        QueryError { word: Some(name), message, help }
    }
}

/// The names and kinds of an answer's columns.
pub(crate) fn columns(answer: &DataFrame) -> Vec<(String, Kind)> {
    answer.columns().iter().map(|column| (column.name().to_string(), Kind::of(column.dtype()))).collect()
}

fn schema(table: &TableSchema) -> Schema {
    let data_type = |kind| match kind {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::String => DataType::String,
    };
    table.columns.iter().map(|column| Field::new(column.name.as_str().into(), data_type(column.kind))).collect()
}

/// The table that polars did not find.
fn relation(message: &str) -> Option<String> {
    let rest = message.split("relation '").nth(1)?;
    rest.split('\'').next().map(str::to_owned)
}
