//! TOML to plan to parallel run to rows: the only room where train, theory and metrics meet.

mod arrivals;
mod bundle;
mod calibration;
mod catalogue;
mod cell;
mod choosing;
mod clocks;
mod cost;
mod crossings;
mod details;
mod files;
mod forecast;
mod identity;
mod listing;
mod misfits;
mod moving;
mod nonlinear;
mod outlook;
mod pace;
mod plan;
mod recorded;
mod row_kinds;
mod run;
mod sizes;
mod solved;
mod spectra;
mod stopwatch;
pub mod study;
mod summary;
mod survey;
mod tables;
mod unmeasurable;
mod warnings;
mod workbench;

pub use catalogue::{Answer, CATALOGUE, Catalogue, CatalogueError, Group, Paper, Sentence, cited, studies_of};
pub use forecast::{Forecast, KindOfWork};
pub use identity::SEMANTICS;
pub use listing::{KINDS, Listed, listing};
pub use outlook::Reduction;
pub use plan::{AxisSummary, Plan};
pub use run::{Progress, RunError, RunOptions, RunReport, fingerprint, manifest, run};
pub use sizes::TableSize;
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
