//! Questions in SQL over a study's tables: the finished ones, or empty ones before anything has run.

use crate::{ReportError, Results};
use polars::prelude::{
    DataFrame, DataType, Engine, Field, IntoLazy, LazyFrame, PlRefPath, PolarsError, ScanArgsParquet, Schema,
};
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

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The word of the query that is wrong, where there is one.
    pub word: Option<String>,
    /// What is wrong, with the values allowed.
    pub message: String,
    /// One thing to try.
    pub help: String,
}

/// The tables of a study, as a query sees them.
#[derive(Clone)]
pub struct Database {
    tables: Vec<(String, LazyFrame)>,
    /// Tables that the study could have, and how it would get them.
    unrecorded: Vec<(String, String)>,
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
                reason: QueryError::of(&reason),
            })?;
            Ok((table.schema.name.clone(), frame))
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
        let empty = |table: &TableSchema| (table.name.clone(), DataFrame::empty_with_schema(&schema(table)).lazy());
        Self { tables: schemas.into_iter().map(empty).collect(), unrecorded: unrecorded.into_iter().collect() }
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
        refuse_other_than_select(sql)?;
        // A context of its own: one that has seen a query fail keeps its aliases.
        let mut context = SQLContext::new();
        for (name, frame) in &self.tables {
            context.register(name, frame.clone());
        }
        let answer = context.execute(sql).and_then(|lazy| lazy.collect_with_engine(Engine::Streaming));
        match answer {
            Ok(answer) => Ok(answer.unwrap_single()),
            Err(reason) => Err(self.with_tables(QueryError::of(&reason))),
        }
    }

    /// Says which tables there are, and how the study would get the one that is missing.
    fn with_tables(&self, mut error: QueryError) -> QueryError {
        let Some(name) = relation(&error.message) else { return error };
        let known: Vec<&str> = self.tables.iter().map(|(name, _)| name.as_str()).collect();
        error.message = format!("there is no table `{name}` here; this study has {}", known.join(", "));
        error.help = match self.unrecorded.iter().find(|(table, _)| *table == name) {
            Some((_, remedy)) => remedy.clone(),
            None => "check the spelling; `WITH name AS (…)` makes a table of a query's own".to_owned(),
        };
        error.word = Some(name);
        error
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

/// A claim looks; statements that change tables, and functions that open other files, are not for it.
fn refuse_other_than_select(sql: &str) -> Result<(), QueryError> {
    let first: String = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(').chars().take(6).collect();
    let first = first.to_ascii_uppercase();
    let help = "write `SELECT … FROM cells`, or `WITH name AS (…) SELECT …`".to_owned();
    if !first.starts_with("SELECT") && !first.starts_with("WITH") {
        let word = sql.split_whitespace().next().map(str::to_owned);
        let seen = word.as_deref().map_or("nothing".to_owned(), |word| format!("`{word}`"));
        return Err(QueryError { word, message: format!("expected a query that selects rows, found {seen}"), help });
    }
    let lower = sql.to_ascii_lowercase();
    match ["read_parquet", "read_csv", "read_ipc", "read_json"].into_iter().find(|name| lower.contains(name)) {
        None => Ok(()),
        Some(name) => Err(QueryError {
            word: Some(name.to_owned()),
            message: format!("`{name}` opens other files; a query sees the study's own tables"),
            help,
        }),
    }
}

impl QueryError {
    pub(crate) fn of(error: &PolarsError) -> Self {
        let text = innermost(error);
        // Polars adds what it was doing and how the plan looked; the first paragraph says what is wrong.
        let first = text.split("\n\n").next().unwrap_or(&text).trim();
        let suggestion = text.split("Did you mean ").nth(1).and_then(quoted);
        if let Some(rest) = first.strip_prefix("unable to find column ") {
            let word = quoted(rest);
            let valid = rest.split("valid columns: ").nth(1).unwrap_or_default().replace('"', "`");
            let name = word.clone().unwrap_or_default();
            // Polars' own name for a column of the second table of a join.
            let word = word.map(|word| word.split(':').next().unwrap_or_default().to_owned());
            return Self {
                word,
                message: format!("there is no column `{name}` here; there are {}", valid.trim_matches(['[', ']'])),
                help: match suggestion {
                    _ if name.contains(':') => {
                        "in a join, GROUP BY and SELECT the column of the table that is named first".to_owned()
                    }
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "docs/tables.md lists the columns of every table; `taut plan` the axes".to_owned(),
                },
            };
        }
        if let Some(rest) = first.strip_prefix("no column named '")
            && let Some((word, _)) = rest.split_once('\'')
        {
            let help = "docs/tables.md lists the columns of every table; `taut plan` the axes".to_owned();
            return Self { word: Some(word.to_owned()), message: format!("there is {first}"), help };
        }
        let first = first.strip_prefix("sql parser error: ").unwrap_or(first);
        Self { word: None, message: format!("the query has no answer: {first}"), help: trap(first).to_owned() }
    }
}

/// What most often lies behind an error whose words do not say it.
fn trap(message: &str) -> &'static str {
    let lower = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["subquer"]) {
        "a query for one number inside another is not supported here: CROSS JOIN it"
    } else if has(&["exists", "rank"]) {
        "use JOIN for EXISTS, and row_number() OVER (ORDER BY …) for rank()"
    } else if has(&["numeric", "number", "literal", "expected:"]) {
        "numbers with an exponent need a point: 1.0e-3; texts take single quotes"
    } else {
        "the dialect is polars SQL; docs/study.md lists its traps"
    }
}

fn innermost(error: &PolarsError) -> String {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => innermost(error),
        PolarsError::ColumnNotFound(text)
        | PolarsError::SQLInterface(text)
        | PolarsError::SQLSyntax(text)
        | PolarsError::InvalidOperation(text)
        | PolarsError::ComputeError(text)
        | PolarsError::SchemaMismatch(text)
        | PolarsError::Duplicate(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// The text between the first pair of double quotes.
fn quoted(text: &str) -> Option<String> {
    text.split('"').nth(1).map(str::to_owned)
}

/// The table that polars did not find.
fn relation(message: &str) -> Option<String> {
    let rest = message.split("relation '").nth(1)?;
    rest.split('\'').next().map(str::to_owned)
}
