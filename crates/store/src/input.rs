//! A user's own numbers, from CSV or parquet; never from `results/`.

mod csv;
mod parquet;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// A table that the user brought: named columns of numbers or texts.
#[derive(Clone, Debug)]
pub struct InputTable {
    /// The columns in the order of the file.
    pub columns: Vec<InputColumn>,
    /// How many rows each column has, at least one.
    pub rows: usize,
    path: PathBuf,
    /// The line of each row in a CSV file, empty for parquet.
    lines: Vec<u64>,
    /// Columns that are neither numbers nor texts.
    unread: Vec<UnreadColumn>,
}

#[derive(Clone, Debug)]
struct UnreadColumn {
    name: String,
    kind: String,
}

/// One column of an [`InputTable`].
#[derive(Clone, PartialEq, Debug)]
pub struct InputColumn {
    /// The name in the header.
    pub name: String,
    /// The cells.
    pub values: InputValues,
}

/// The cells of an [`InputColumn`].
#[derive(Clone, PartialEq, Debug)]
pub enum InputValues {
    /// Every cell is a number (perhaps infinite or NaN; [`InputTable::floats`] refuses those).
    Floats(Vec<f64>),
    /// Some cell is no number: all cells as they are written, without the blanks around them.
    Texts(Vec<String>),
}

/// Where a row stands in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A line of a text file, from 1.
    Line(u64),
    /// A row of a parquet file, from 1.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(formatter, "line {line}"),
            Place::Row(row) => write!(formatter, "row {row}"),
        }
    }
}

/// Reads a user's table. CSV has a header line with the columns' names, commas between cells, and may
/// have comment lines beginning with `#`; parquet may have numbers of 32 or 64 bits, truth values (as 0
/// and 1) and texts; a column of another type is an error once it is asked for.
pub fn read_input(path: &Path) -> Result<InputTable, StoreError> {
    InputTable::from_bytes(path, &read_bytes(path)?)
}

/// A file's bytes, or an error saying that it is not there.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    fs::read(path).map_err(|reason| unreadable(path, reason))
}

/// Why a file cannot be opened or read: not there, or something else.
pub(crate) fn unreadable(path: &Path, reason: io::Error) -> StoreError {
    let path = path.to_path_buf();
    match reason.kind() {
        io::ErrorKind::NotFound => StoreError::MissingFile { path },
        _ => StoreError::ReadFile { path, reason },
    }
}

impl InputTable {
    /// The table in bytes read from this path, for callers that also want the bytes (to hash them).
    /// The path's extension tells CSV from parquet.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<InputTable, StoreError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("csv") => csv::read(path, bytes),
            Some("parquet") => parquet::read(path, bytes),
            _ => Err(StoreError::InputFormat { path: path.into() }),
        }
    }

    /// Where a row (from 0) stands in the file, for messages about its values.
    pub fn place(&self, row: usize) -> Place {
        match self.lines.get(row) {
            Some(&line) => Place::Line(line),
            None => Place::Row(row + 1),
        }
    }

    /// A column of finite numbers; the first cell that is none is an error with its place.
    pub fn floats(&self, name: &str) -> Result<&[f64], StoreError> {
        match &self.column(name)?.values {
            InputValues::Floats(cells) => match cells.iter().position(|cell| !cell.is_finite()) {
                None => Ok(cells),
                Some(row) => Err(StoreError::InputNotFinite {
                    path: self.path.clone(),
                    place: self.place(row),
                    column: name.into(),
                    seen: cells[row],
                }),
            },
            InputValues::Texts(cells) => {
                let row = cells.iter().position(|cell| number(cell).is_none());
                let row = row.expect("a column of texts has a cell that is no number");
                Err(StoreError::InputNotANumber {
                    path: self.path.clone(),
                    place: self.place(row),
                    column: name.into(),
                    seen: cells[row].clone(),
                })
            }
        }
    }

    /// A column of texts; one where every cell is a number is an error.
    pub fn texts(&self, name: &str) -> Result<&[String], StoreError> {
        match &self.column(name)?.values {
            InputValues::Texts(cells) => Ok(cells),
            InputValues::Floats(_) => Err(StoreError::InputNumbers { path: self.path.clone(), column: name.into() }),
        }
    }

    fn column(&self, name: &str) -> Result<&InputColumn, StoreError> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| self.no_column(name))
    }

    fn no_column(&self, name: &str) -> StoreError {
        let path = self.path.clone();
        let column = name.into();
        match self.unread.iter().find(|column| column.name == name) {
            Some(unread) => StoreError::InputColumnType { path, column, found: unread.kind.clone() },
            None => StoreError::InputColumnMissing {
                path,
                column,
                known: self.columns.iter().map(|column| column.name.clone()).collect(),
            },
        }
    }
}

/// The double nearest to a decimal, however many digits it has.
fn number(cell: &str) -> Option<f64> {
    cell.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(
            read_input(Path::new("data/nowhere.csv")).unwrap_err().to_string(),
            "there is no file data/nowhere.csv; check the spelling, and the folder that a relative path starts from"
        );
    }

    #[test]
    fn an_unknown_extension_is_refused() {
        assert_eq!(
            InputTable::from_bytes(Path::new("d.xlsx"), b"").unwrap_err().to_string(),
            "cannot tell how to read d.xlsx; give a file whose name ends in .csv or .parquet"
        );
    }

    #[test]
    fn decimals_of_forty_digits_are_read_to_the_nearest_double() {
        let bytes = b"x\n0.1000000000000000055511151231257827021181\n1234567890123456789012345678901234567890\n";
        let table = InputTable::from_bytes(Path::new("d.CSV"), bytes).expect("two numbers");
        assert_eq!(table.floats("x").expect("numbers"), [0.1, 1.234_567_890_123_456_8e39]);
    }
}
