//! TOML to plan to parallel run to rows: the only room where train, theory and metrics meet.

mod arrivals;
mod bundle;
mod catalogue;
mod cell;
mod checkpoints;
mod choosing;
mod clocks;
mod crossings;
mod details;
mod files;
mod identity;
mod listing;
mod misfits;
mod moving;
mod nonlinear;
mod outlook;
mod plan;
mod recorded;
mod row_kinds;
mod run;
mod solved;
mod spectra;
pub mod study;
mod summary;
mod tables;
mod unmeasurable;
mod walk;
mod warnings;
mod workbench;

pub use catalogue::{Answer, CATALOGUE, Catalogue, CatalogueError, Group, Paper, Sentence, cited, studies_of};
pub use identity::SEMANTICS;
pub use listing::{KINDS, Listed, listing};
pub use outlook::Reduction;
pub use plan::{AxisSummary, Plan, TableSize};
pub use run::{CHECKPOINT_AFTER, Progress, RunError, RunOptions, RunReport, fingerprint, manifest, run};
pub use tables::SCHEMA_VERSION;
pub use taut_store::Folder;

use std::path::Path;
use study::{Changes, Known, StudyError};

/// Version and git revision of this build.
pub const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), env!("TAUT_REVISION"));

/// Reads the version of a study that is meant, checks all of it, and lays it out.
///
/// # Errors
/// Everything that is wrong with the study, all at once.
pub fn load(path: &Path, changes: &Changes<'_>) -> Result<Plan, StudyError> {
    let text = study::read(path)?;
    let (metrics, theories) = listing::known();
    let known = Known { metrics: &metrics, theories: &theories };
    Plan::new(study::load(&text, path, changes, &known, &files::Disk)?)
}
