//! Tables as a page shows them: the first rows, what every column means, and where the parts are.

use super::numbers::{bytes, shown};
use crate::figure::grouped;
use crate::{Database, QueryError, ReportError, Results, StoredTable};
use polars::prelude::{AnyValue, Column};
use serde::Serialize;

/// Enough to see what a table is.
const ROWS: usize = 8;
/// As many parts are linked; the others lie beside them.
const MOST_LINKS: usize = 24;

/// One table.
#[derive(Serialize)]
pub(super) struct Preview {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) columns: Vec<Head>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) left: String,
    pub(super) links: Vec<Link>,
    pub(super) more_links: usize,
}

/// A column's name, unit and meaning.
#[derive(Serialize)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) unit: String,
    pub(super) doc: String,
    pub(super) class: &'static str,
}

/// A value.
#[derive(Serialize)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) class: &'static str,
}

/// A file beside the report.
#[derive(Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) name: String,
}

/// Every table of the folder; `base` is the way from the report to the folder, empty or ending with `/`.
pub(super) fn previews(results: &Results, database: &Database, base: &str) -> Result<Vec<Preview>, ReportError> {
    results.tables().iter().map(|table| preview(results, table, database, base)).collect()
}

fn preview(results: &Results, table: &StoredTable, database: &Database, base: &str) -> Result<Preview, ReportError> {
    let name = &table.schema.name;
    let failed = |reason: QueryError| ReportError::Query { what: format!("table `{name}`"), reason };
    let first = database.rows(&format!("SELECT * FROM {name} LIMIT {ROWS}")).map_err(failed)?;
    let columns: Vec<Head> = table
        .schema
        .columns
        .iter()
        .map(|column| Head {
            name: column.name.clone(),
            kind: column.kind.to_string(),
            unit: if column.unit == "1" { String::new() } else { column.unit.clone() },
            doc: column.doc.clone(),
            class: if matches!(column.kind.to_string().as_str(), "Int64" | "Float64") { "number" } else { "" },
        })
        .collect();
    let rows = (0..first.height()).map(|row| first.columns().iter().map(|column| cell(column, row)).collect());
    let part = |path: &std::path::PathBuf| {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Link { href: format!("{base}{}/{}", address(name), address(&file)), name: file }
    };
    let size = results.folder().table_bytes(name)?;
    Ok(Preview {
        name: name.clone(),
        size: format!("{} rows · {} columns · {}", grouped(table.rows), columns.len(), bytes(size)),
        columns,
        rows: rows.collect(),
        left: if table.rows > ROWS { grouped(table.rows - ROWS) } else { String::new() },
        links: table.parts.iter().take(MOST_LINKS).map(part).collect(),
        more_links: table.parts.len().saturating_sub(MOST_LINKS),
    })
}

fn cell(column: &Column, row: usize) -> Cell {
    let number = |text: String| Cell { text, class: "number" };
    match column.get(row) {
        Ok(AnyValue::Null) | Err(_) => Cell { text: "null".to_owned(), class: "none" },
        Ok(AnyValue::String(text)) => Cell { text: text.to_owned(), class: "" },
        Ok(AnyValue::StringOwned(text)) => Cell { text: text.to_string(), class: "" },
        Ok(AnyValue::Boolean(truth)) => Cell { text: truth.to_string(), class: "" },
        Ok(AnyValue::Float64(value)) => number(shown(value)),
        Ok(other) => number(other.to_string()),
    }
}

/// A name as a piece of an address: letters and digits as they are, all else by the numbers of its bytes.
pub fn address(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
