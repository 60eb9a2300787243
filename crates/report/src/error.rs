//! What can be wrong with a results folder, each with one thing to try.

use std::path::PathBuf;
use taut_store::StoreError;

/// Why a report cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is no such folder.
    #[error("there is no folder {}; run the study first, or check the spelling", path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// The folder holds something else.
    #[error(
        "{} is not a folder of results: it has no manifest.json; give a folder that `taut run` wrote, such as results/<study>",
        path.display()
    )]
    NotResults {
        /// The folder.
        path: PathBuf,
    },
    /// The manifest is of another program or version.
    #[error(
        "{}: the manifest does not say what this version needs ({reason}); run the study again with --force, which moves the old results aside",
        path.display()
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What the parser said.
        reason: serde_json::Error,
    },
    /// Nothing has been computed yet.
    #[error("{} has no finished part of table `{table}` yet; run the study first, or `taut collect` if its shards have run", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
        /// The table.
        table: String,
    },
    /// Parts that two versions of the program wrote.
    #[error(
        "{} is of layout version {found} where {expected} is expected: two versions of taut wrote into one folder; run the study again with --force, which moves the old results aside",
        path.display()
    )]
    SchemaVersion {
        /// The part.
        path: PathBuf,
        /// The version of the part.
        found: String,
        /// The version of the manifest.
        expected: String,
    },
    /// A part whose columns are not those of the part before it.
    #[error(
        "{} has other columns than the parts of `{table}` before it; remove it and run the study again",
        path.display()
    )]
    Columns {
        /// The part.
        path: PathBuf,
        /// The table.
        table: String,
    },
    /// Parts that the study does not have.
    #[error(
        "{} holds {found} parts where the study has {expected}: some are of another run; run the study again with --force, which moves the old results aside",
        path.display()
    )]
    Surplus {
        /// The table's folder.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many the manifest tells.
        expected: usize,
    },
    /// The store could not read or write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A query failed that the study's own check had let pass.
    #[error("{what}: {reason}")]
    Query {
        /// The claim or figure.
        what: String,
        /// What went wrong.
        reason: crate::QueryError,
    },
}
