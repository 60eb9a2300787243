//! Reads finished tables: evaluates claims, draws figures.
//!
//! Knows only tables: what made their rows, and how, is told by their columns and by the manifest.
//!
//! * [`Results`] is a folder of tables with what its manifest says;
//! * [`Database`] answers queries over its tables, or over a study's empty ones before anything has run;
//! * [`claims`] holds the hypotheses of a study against the answers;
//! * [`figure`] turns a study's figures into specifications of pictures;
//! * [`page()`] makes the report;
//! * [`player`] makes the numbers of an animation;
//! * [`pictures`] draws figures for papers.
#![deny(missing_docs)]

pub mod claims;
mod error;
pub mod figure;
mod finding;
mod manifest;
mod page;
pub mod pictures;
pub mod player;
mod query;
mod results;

pub use error::ReportError;
pub use finding::Finding;
pub use manifest::Manifest;
pub use page::{Page, address, figure_name, page};
pub use query::{Database, Kind, QueryError};
pub use results::{Results, StoredTable};
