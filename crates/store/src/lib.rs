//! Typed columns to parquet parts and back, atomically, with resume.
//!
//! Knows no mathematics: values pass through unchanged and nothing here computes with them. The only
//! crate that touches `results/`; it prints nothing, spawns no threads and reads no TOML.
//!
//! * [`TableSchema`] says which columns a table has, [`Rows`] gathers values for them;
//! * [`Folder`] writes rows as parts (`results/<study>/<table>/part-*.parquet`) and reads them back as
//!   a [`Table`];
//! * [`InputTable`] is the other door: a user's own numbers, from CSV or parquet.
//!
//! ```no_run
//! use taut_store::{Column, ColumnType, Folder, Provenance, Rows, TableSchema};
//!
//! # fn main() -> Result<(), taut_store::StoreError> {
//! let schema = TableSchema {
//!     name: "cells".into(),
//!     columns: vec![Column::new("risk", ColumnType::Float64, "", "mean squared error")],
//! };
//! let mut rows = Rows::new(&schema);
//! rows.push_float(0, Some(0.25));
//!
//! let folder = Folder::at("results/study");
//! folder.prepare(&["cells"])?;
//! # let provenance = Provenance {
//! #     schema_version: "1".into(), program: String::new(), study: String::new(), extra: vec![],
//! # };
//! folder.write_part("0001", &rows, &provenance)?;
//! assert_eq!(folder.read_table("cells")?.floats("risk")?, [Some(0.25)]);
//! # Ok(())
//! # }
//! ```
//!
//! At every instant a folder is a valid set of tables: a part is written under another name, brought
//! to the disk, and renamed.
#![deny(missing_docs)]

mod atomic;
mod checksum;
mod columns;
mod documents;
mod encoding;
mod error;
mod folder;
mod input;
mod lock;
mod lot;
mod pages;
mod part;
mod pieces;
mod provenance;
mod rows;
mod selection;
mod table;
mod texts;
mod untrusted;
mod values;
mod weight;

pub use columns::{Column, ColumnType, TableSchema};
pub use documents::Documents;
pub use error::StoreError;
pub use folder::Folder;
pub use input::{InputColumn, InputTable, InputValues, Place, read_bytes, read_input};
pub use lock::Lock;
pub use lot::Lot;
pub use provenance::{Footer, Provenance};
pub use rows::Rows;
pub use selection::Selection;
pub use table::Table;
