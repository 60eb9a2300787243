//! Finished cells that lie together: their rows in every table.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::input::{read_bytes, unreadable};
use crate::part::{self, Wanted};
use crate::provenance::Footer;
use crate::table::Table;

/// Where a lot lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    /// One file in the folder of every table.
    Part,
    /// A folder of its own, with one file per table.
    Piece,
}

/// The rows of some cells in every table: a part, or a piece that is yet to become one.
///
/// Names are taken on trust from the folder's listing, so that a lot can be looked for before it is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lot {
    root: PathBuf,
    home: Home,
    name: String,
}

impl Lot {
    pub(crate) fn part(root: &Path, name: &str) -> Lot {
        Lot { root: root.into(), home: Home::Part, name: name.into() }
    }

    pub(crate) fn piece(root: &Path, name: &str) -> Lot {
        Lot { root: root.into(), home: Home::Piece, name: name.into() }
    }

    /// The name of the part or piece.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a piece.
    pub fn is_piece(&self) -> bool {
        self.home == Home::Piece
    }

    /// The file with its rows of a table.
    pub fn path(&self, table: &str) -> PathBuf {
        match self.home {
            Home::Part => self.root.join(table).join(format!("part-{}.parquet", self.name)),
            Home::Piece => self.folder().join(format!("{table}.parquet")),
        }
    }

    /// A piece's own folder; of a part, where a piece of its name would be.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.join(crate::pieces::FOLDER).join(&self.name)
    }

    /// Whether it has a file for this table.
    pub fn has(&self, table: &str) -> bool {
        self.path(table).is_file()
    }

    /// The columns, number of rows and key-values of a table, without its cells.
    pub fn footer(&self, table: &str) -> Result<Footer, StoreError> {
        self.looked_at(table, |file| part::footer(table, file))
    }

    /// All rows of a table, after its checksum was found right.
    pub fn read(&self, table: &str) -> Result<Table, StoreError> {
        let path = self.path(table);
        // Into memory rather than mapped: another host may replace the file under a map.
        let bytes = read_bytes(&path)?;
        part::decode(table, &bytes).map(Table::new).map_err(|reason| StoreError::UnreadablePart { path, reason })
    }

    /// Some columns of a table; its checksum is not looked at.
    pub fn columns(&self, table: &str, columns: &[&str]) -> Result<Table, StoreError> {
        let wanted = Wanted { columns, rows: None };
        self.looked_at(table, |file| part::decode_some(table, file, &wanted)).map(Table::new)
    }

    /// Some rows of a table; its checksum is not looked at.
    pub fn rows(&self, table: &str, rows: std::ops::Range<usize>) -> Result<Table, StoreError> {
        let wanted = Wanted { columns: &[], rows: Some(rows) };
        self.looked_at(table, |file| part::decode_some(table, file, &wanted)).map(Table::new)
    }

    /// Reads every byte of a table and compares the checksum.
    pub fn verify(&self, table: &str) -> Result<(), StoreError> {
        let path = self.path(table);
        if crate::checksum::is_intact(&read_bytes(&path)?) { Ok(()) } else { Err(StoreError::DamagedPart { path }) }
    }

    /// The size of its files of these tables.
    pub fn bytes(&self, tables: &[&str]) -> u64 {
        tables.iter().map(|table| fs::metadata(self.path(table)).map_or(0, |about| about.len())).sum()
    }

    fn looked_at<T>(
        &self,
        table: &str,
        look: impl FnOnce(File) -> Result<T, polars::error::PolarsError>,
    ) -> Result<T, StoreError> {
        let path = self.path(table);
        let file = File::open(&path).map_err(|reason| unreadable(&path, reason))?;
        look(file).map_err(|reason| StoreError::UnreadablePart { path, reason })
    }
}
