//! What people and disks can do wrong with tables, each with one thing to try.

use std::io;
use std::path::PathBuf;

use polars::error::PolarsError;
use thiserror::Error;

use crate::columns::ColumnType;
use crate::input::Place;

/// Everything that can go wrong here. Each message is complete: it names the file, what was seen and
/// what to try, so the cause is a field (`reason`) and not a second message in a chain.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A table's or part's name that cannot be a plain file name.
    #[error(
        "`{name}` cannot name a table or a part; use letters, digits, `-`, `_` and `.`, and begin with a letter or digit"
    )]
    UnusableName {
        /// The name.
        name: String,
    },

    /// Something else stands where a folder is needed.
    #[error("{path} is not a folder; move it away, or choose another folder for the results")]
    NotAFolder {
        /// What is no folder.
        path: PathBuf,
    },

    /// A folder could not be made.
    #[error(
        "cannot create the folder {path}: {reason}; check the permissions of the folder above it, or choose another one for the results"
    )]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// A folder is there but takes no files.
    #[error(
        "cannot write in the folder {path}: {reason}; check its permissions and the free space, or choose another folder for the results"
    )]
    FolderNotWritable {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// A folder's contents could not be listed.
    #[error("cannot list the folder {path}: {reason}; check its permissions")]
    ListFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// A folder could not be renamed.
    #[error("cannot rename {from} to {to}: {reason}; rename or remove {from} by hand, then run again")]
    MoveFolder {
        /// The folder as it is called.
        from: PathBuf,
        /// What it should be called.
        to: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// A file could not be written; nothing appeared under its name.
    #[error(
        "cannot write {path}: {reason}; check the free space and the folder's permissions, then run again to go on"
    )]
    WriteFile {
        /// The file that was to appear.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// A file that is not there.
    #[error("there is no file {path}; check the spelling, and the folder that a relative path starts from")]
    MissingFile {
        /// The file.
        path: PathBuf,
    },

    /// A file is there and cannot be read.
    #[error("cannot read {path}: {reason}; check that it is a file and its permissions")]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// Rows whose columns have different lengths: a mistake of the calling code.
    #[error(
        "column `{column}` of table `{table}` has {found} rows where the first column has {expected}; this is a mistake in the program, please report it"
    )]
    UnevenColumns {
        /// The table.
        table: String,
        /// The first column that differs.
        column: String,
        /// Its length.
        found: usize,
        /// The length of the first column.
        expected: usize,
    },

    /// Rows that do not make a parquet file: a mistake of the calling code, such as two columns of
    /// one name.
    #[error("the rows for {path} do not make a table: {reason}; this is a mistake in the program, please report it")]
    EncodePart {
        /// The part that was to appear.
        path: PathBuf,
        /// What polars said.
        reason: PolarsError,
    },

    /// A part that is no whole parquet file.
    #[error("cannot read the part {path}: {reason}; remove it and run the study again")]
    UnreadablePart {
        /// The part.
        path: PathBuf,
        /// What polars said.
        reason: PolarsError,
    },

    /// A part that could be read and is not what was written.
    #[error("{path} is not as it was written: its checksum differs; remove it and run the study again")]
    DamagedPart {
        /// The part.
        path: PathBuf,
    },

    /// A file that could not be removed.
    #[error("cannot remove {path}: {reason}; check the folder's permissions, then run again to go on")]
    RemoveFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: io::Error,
    },

    /// A part whose columns are not those of the part before it.
    #[error(
        "the part {path} has other columns ({found}) than the parts before it ({expected}); run the study again to bring its parts up to date"
    )]
    PartsDiffer {
        /// The first part that differs.
        path: PathBuf,
        /// Its columns with types.
        found: String,
        /// The columns of the parts before it.
        expected: String,
    },

    /// A table without a single complete part.
    #[error("table `{table}` has no parts in {path}; run the study first")]
    NoParts {
        /// The table.
        table: String,
        /// Where its parts would be.
        path: PathBuf,
    },

    /// A manifest that is no JSON.
    #[error(
        "{path}, line {line}, column {column}: the manifest is not JSON ({reason}); run the study again: it is written anew, and the tables stay"
    )]
    ManifestSyntax {
        /// The manifest.
        path: PathBuf,
        /// The line of the mistake, from 1.
        line: usize,
        /// The column of the mistake, from 1.
        column: usize,
        /// What the parser said.
        reason: serde_json::Error,
    },

    /// A table without the column asked for.
    #[error("table `{table}` has no column `{column}`; it has: {}", .known.join(", "))]
    TableColumnMissing {
        /// The table.
        table: String,
        /// The column asked for.
        column: String,
        /// The columns there are.
        known: Vec<String>,
    },

    /// A table's column asked for as another type.
    #[error("column `{column}` of table `{table}` is {found}, not {asked}; read it as {found}")]
    TableColumnType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        found: ColumnType,
        /// The type asked for.
        asked: ColumnType,
    },

    /// An input file of a kind we cannot read.
    #[error("cannot tell how to read {path}; give a file whose name ends in .csv or .parquet")]
    InputFormat {
        /// The file.
        path: PathBuf,
    },

    /// An input file without a header.
    #[error("{path} is empty; its first line names the columns, for example `x,y`")]
    InputEmpty {
        /// The file.
        path: PathBuf,
    },

    /// An input file whose first line is numbers.
    #[error(
        "{path}, line {line}: the first line holds only numbers (`{seen}`); put a line above it that names the columns, for example `x,y`"
    )]
    InputHeader {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The first name seen.
        seen: String,
    },

    /// An input file whose columns are not separated by commas.
    #[error("{path}, line {line}: the column names are separated by {seen:?}; separate columns by commas")]
    InputSeparator {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The separator seen.
        seen: char,
    },

    /// Two columns of one name in an input file.
    #[error("{path}, line {line}: two columns are named `{column}`; rename one of them")]
    InputColumnTwice {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The name.
        column: String,
    },

    /// An input file with names and no rows.
    #[error("{path} names its columns and has no rows; add at least one row of values")]
    InputNoRows {
        /// The file.
        path: PathBuf,
    },

    /// A row with more or fewer cells than there are columns.
    #[error(
        "{path}, line {line}: {found} cells where the header names {expected} columns; give every row {expected} cells, and write decimals with a point"
    )]
    InputRagged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The number of columns.
        expected: usize,
        /// The number of cells in this row.
        found: usize,
    },

    /// A row that is no text.
    #[error("{path}, line {line}: this is not UTF-8 text; save the file as CSV in UTF-8")]
    InputNotText {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },

    /// An input file without the column asked for.
    #[error("{path} has no column `{column}`; it has: {}", .known.join(", "))]
    InputColumnMissing {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        column: String,
        /// The columns there are.
        known: Vec<String>,
    },

    /// A cell that should be a number and is none.
    #[error(
        "{path}, {place}, column `{column}`: {} is not a number; write decimals such as 0.5 or 1e-3", shown(.seen)
    )]
    InputNotANumber {
        /// The file.
        path: PathBuf,
        /// The line or row.
        place: Place,
        /// The column.
        column: String,
        /// The text of the cell; `null` for a null in a parquet file.
        seen: String,
    },

    /// A number that is infinite or NaN.
    #[error("{path}, {place}, column `{column}`: `{seen}` is not finite; remove the row or give a finite number")]
    InputNotFinite {
        /// The file.
        path: PathBuf,
        /// The line or row.
        place: Place,
        /// The column.
        column: String,
        /// The number.
        seen: f64,
    },

    /// A column of numbers asked for as texts.
    #[error("column `{column}` of {path} holds numbers where texts are needed; name a column of texts")]
    InputNumbers {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },

    /// A parquet input that is no parquet file.
    #[error("cannot read {path} as parquet: {reason}; write the file again, or give a CSV file")]
    InputParquet {
        /// The file.
        path: PathBuf,
        /// What polars said.
        reason: PolarsError,
    },

    /// A parquet input's column that is neither numbers nor texts, or numbers of fewer bits.
    #[error("column `{column}` of {path} is of type {found}; give numbers of 32 or 64 bits, truth values or texts")]
    InputColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The type it has, in polars' words.
        found: String,
    },
}

/// A cell's text for a message: an empty one is said in words, a long one is cut.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        _ if text.is_empty() => "an empty cell".into(),
        Some((cut, _)) => format!("`{}…`", &text[..cut]),
        None => format!("`{text}`"),
    }
}
