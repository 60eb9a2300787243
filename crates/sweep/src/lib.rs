//! TOML to plan to parallel run to rows: the only room where train, theory and metrics meet.

mod arrivals;
mod assembly;
mod bundle;
mod calibration;
mod catalogue;
mod cell;
mod checkpoints;
mod choosing;
mod clocks;
mod collect;
mod comparison;
mod cost;
mod crossings;
mod desk;
mod details;
mod files;
mod forecast;
mod growth;
mod identity;
mod keeping;
mod listing;
mod misfits;
mod moving;
mod nonlinear;
mod outlook;
mod pace;
mod plan;
mod planned_cell;
mod rates;
mod recorded;
mod remaining;
mod row_kinds;
mod run;
mod sizes;
mod solved;
mod spares;
mod spectra;
mod spent;
mod status;
mod stock;
mod stopwatch;
pub mod study;
mod summary;
mod survey;
mod tables;
mod unmeasurable;
mod verify;
mod walk;
mod warnings;
mod work;
mod workbench;
mod workshop;
mod writer;

pub use catalogue::{Answer, CATALOGUE, Catalogue, CatalogueError, Group, Paper, Sentence, cited, studies_of};
pub use collect::{Collected, collect};
pub use comparison::{Comparison, Prospect, comparison, prospect};
pub use forecast::{Forecast, KindOfWork};
pub use identity::SEMANTICS;
pub use listing::{KINDS, Listed, listing};
pub use outlook::Reduction;
pub use plan::{AxisSummary, Plan};
pub use planned_cell::PlannedCell;
pub use remaining::remaining;
pub use run::{CHECKPOINT_AFTER, Progress, RunError, RunOptions, RunReport, manifest, run};
pub use sizes::TableSize;
pub use spent::{Spent, Writing};
pub use status::Status;
pub use tables::SCHEMA_VERSION;
pub use taut_problem::StepSize;
pub use taut_store::Folder;
pub use verify::{Mismatch, Sample, Verified, verify};
pub use work::{Shard, cells_of_shard};

use std::path::Path;
use study::{Changes, Known, StudyError};

/// Version and git revision of this build.
pub const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), env!("TAUT_REVISION"));

/// The same for the text of a study that stood in this file, with every change to it already made.
///
/// # Errors
/// Everything that is wrong with the study, all at once.
pub fn load_text(text: &str, path: &Path) -> Result<Plan, StudyError> {
    let (metrics, theories) = listing::known();
    let known = Known { metrics: &metrics, theories: &theories };
    Plan::new(study::load(text, path, &Changes { quick: false, set: &[] }, &known, &files::Disk)?)
}

/// The shards of so many that have cells missing in a folder.
///
/// # Errors
/// If the folder cannot be read.
pub fn missing_shards(plan: &Plan, folder: &Folder, shards: usize) -> Result<Vec<usize>, taut_store::StoreError> {
    let stock = stock::Stock::take(plan, folder, stock::Look::default())?;
    Ok(work::unfinished(plan, &stock, shards))
}

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
