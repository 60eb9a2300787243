//! Running the binary and reading its tables.

#![allow(dead_code, unreachable_pub)] // a module of many test binaries; each uses a part of it

pub mod claims;
pub mod code;
pub mod figures;
pub mod golden;
pub mod ledger;
pub mod replay;
pub mod study;
pub mod tensors;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use taut_store::{Folder, Table};

/// A path inside the repository.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Runs the binary.
pub fn taut<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_taut")).args(arguments).output().expect("the binary starts")
}

/// Runs a study into a folder and expects success.
pub fn run_study(study: &Path, out: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["run", study.to_str().unwrap(), "--quiet", "--out", out.to_str().unwrap()];
    arguments.extend(more);
    let output = taut(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// One table of a results folder.
pub fn table(out: &Path, name: &str) -> Table {
    Folder::at(out).read_table(name).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Columns by name, for row-wise looking.
pub struct Sheet {
    rows: usize,
    floats: HashMap<String, Vec<Option<f64>>>,
    ints: HashMap<String, Vec<Option<i64>>>,
    texts: HashMap<String, Vec<Option<String>>>,
}

impl Sheet {
    pub fn read(out: &Path, name: &str) -> Self {
        let table = table(out, name);
        let (mut floats, mut ints, mut texts) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (column, kind) in table.columns() {
            match kind {
                taut_store::ColumnType::Float64 => {
                    drop(floats.insert(column.to_owned(), table.floats(column).unwrap()))
                }
                taut_store::ColumnType::Int64 => drop(ints.insert(column.to_owned(), table.ints(column).unwrap())),
                taut_store::ColumnType::String => drop(texts.insert(column.to_owned(), table.texts(column).unwrap())),
                taut_store::ColumnType::Bool => {}
            }
        }
        Self { rows: table.rows(), floats, ints, texts }
    }

    pub fn rows(&self) -> std::ops::Range<usize> {
        0..self.rows
    }

    /// A number; null is NaN, so that every comparison with it fails.
    pub fn number(&self, column: &str, row: usize) -> f64 {
        self.floats.get(column).unwrap_or_else(|| panic!("no column {column}"))[row].unwrap_or(f64::NAN)
    }

    /// Whether there is such a column of numbers.
    pub fn has(&self, column: &str) -> bool {
        self.floats.contains_key(column) || self.ints.contains_key(column)
    }

    pub fn is_null(&self, column: &str, row: usize) -> bool {
        self.floats
            .get(column)
            .map(|c| c[row].is_none())
            .or_else(|| self.ints.get(column).map(|c| c[row].is_none()))
            .unwrap()
    }

    pub fn int(&self, column: &str, row: usize) -> Option<i64> {
        self.ints.get(column).unwrap_or_else(|| panic!("no column {column}"))[row]
    }

    pub fn text(&self, column: &str, row: usize) -> &str {
        self.texts.get(column).unwrap_or_else(|| panic!("no column {column}"))[row].as_deref().unwrap_or("")
    }
}

/// A reference table of linear models as rows of text.
pub fn reference(name: &str) -> Vec<BTreeMap<String, String>> {
    reference_in("linear", name)
}

/// A reference table in one of the folders.
pub fn reference_in(folder: &str, name: &str) -> Vec<BTreeMap<String, String>> {
    // Two rows of one table are short: bases that never interpolate say so and nothing else.
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(here(&format!("tests/references/{folder}/{name}.csv")))
        .expect("a reference");
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    reader.records().map(|r| header.iter().cloned().zip(r.unwrap().iter().map(str::to_owned)).collect()).collect()
}

pub fn exact(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row.get(column).unwrap_or_else(|| panic!("no column {column}")).parse().unwrap_or_else(|_| panic!("{column}"))
}

/// Rows of every table but `timing`, as sorted text: what determinism promises.
pub fn content(out: &Path) -> BTreeMap<String, Vec<String>> {
    let folder = Folder::at(out);
    let mut all = BTreeMap::new();
    let of_cells =
        ["cells", "trajectory", "modes", "arrivals", "factors", "curves", "samples", "parameters", "hessian"];
    for name in of_cells.into_iter().chain(["solutions", "predictions"]) {
        if folder.parts(name).map_or(true, |parts| parts.is_empty()) {
            continue;
        }
        all.insert(name.to_owned(), lines(&table(out, name)));
    }
    assert!(all.contains_key("cells"), "no tables in {}", out.display());
    all
}

/// The rows of a table as sorted text; numbers by their bits.
pub fn lines(table: &Table) -> Vec<String> {
    let columns: Vec<_> = table.columns().iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    let mut lines = lines_of(table, &columns);
    lines.sort();
    lines
}

/// Some columns of a table as text, row by row.
pub fn lines_of(table: &Table, columns: &[(String, taut_store::ColumnType)]) -> Vec<String> {
    let mut lines = vec![String::new(); table.rows()];
    for (column, kind) in columns {
        let cells: Vec<String> = match kind {
            taut_store::ColumnType::Float64 => {
                table.floats(column).unwrap().iter().map(|v| format!("{:?}", v.map(f64::to_bits))).collect()
            }
            taut_store::ColumnType::Int64 => table.ints(column).unwrap().iter().map(|v| format!("{v:?}")).collect(),
            taut_store::ColumnType::String => table.texts(column).unwrap().iter().map(|v| format!("{v:?}")).collect(),
            taut_store::ColumnType::Bool => table.bools(column).unwrap().iter().map(|v| format!("{v:?}")).collect(),
        };
        for (line, cell) in lines.iter_mut().zip(cells) {
            line.push_str(&cell);
            line.push('|');
        }
    }
    lines
}
