//! `taut check`: the claims of a study against its tables.

use super::{load, print, run::default_folder, verdicts};
use crate::exit::Usage;
use crate::options::{Check, Source};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use taut_report::claims::{self, Verdicts};
use taut_report::{Manifest, Results};
use taut_sweep::Plan;

pub(super) fn check(options: &Check) -> Result<ExitCode> {
    let (folder, verdicts) = if options.source.is_file() { of_study(options)? } else { of_folder(options)? };
    if options.json {
        let json = serde_json::json!({
            "schema": "taut.check/1",
            "folder": folder.display().to_string(),
            "claims": verdicts::json(&verdicts),
        });
        print(&json.to_string())?;
    } else {
        print(&verdicts::text(&verdicts))?;
    }
    Ok(verdicts::exit_code(&verdicts))
}

/// The claims that were stored with the tables.
fn of_folder(options: &Check) -> Result<(PathBuf, Verdicts)> {
    let path = &options.source;
    if !path.exists() && path.extension().is_some_and(|extension| extension == "toml") {
        // Names the studies nearby.
        taut_sweep::study::read(path)?;
    }
    if options.out.is_some() || options.quick || !options.set.is_empty() {
        let message =
            format!("--out, --quick and --set go with a study, and {} is a folder of results", path.display());
        return Err(Usage(message).into());
    }
    let results = Results::open(path)?;
    let verdicts = claims::evaluate(&results.manifest, &results)?;
    keep(&verdicts, &results);
    Ok((path.clone(), verdicts))
}

/// The claims as the study has them now, over the tables that a run of it wrote.
fn of_study(options: &Check) -> Result<(PathBuf, Verdicts)> {
    let source = Source { study: options.source.clone(), quick: options.quick, set: options.set.clone() };
    let plan = load(&source)?;
    let folder = match &options.out {
        Some(out) => out.clone(),
        None => default_folder(&source)?,
    };
    let results = Results::open(&folder)?;
    refuse_another_study(&plan, &results, &options.source)?;
    let manifest: Manifest = serde_json::from_value(taut_sweep::manifest(&plan, taut_sweep::PROGRAM))?;
    let verdicts = claims::evaluate(&manifest, &results)?;
    keep(&verdicts, &results);
    Ok((folder, verdicts))
}

/// Writes the verdicts beside the tables. Somebody else's results may be read only, and are checked all the same.
#[allow(clippy::print_stderr)]
fn keep(verdicts: &Verdicts, results: &Results) {
    if let Err(reason) = claims::record(verdicts, results) {
        eprintln!("warning: the verdicts are not kept in the table `claims`: {reason}");
    }
}

/// Tables that another study made say nothing of this one.
pub(super) fn refuse_another_study(plan: &Plan, results: &Results, study: &Path) -> Result<()> {
    if results.manifest.fingerprint == taut_sweep::fingerprint(plan) {
        return Ok(());
    }
    let (folder, study) = (results.folder().root().display(), study.display());
    let message = format!(
        "{folder} holds results of another study, or of {study} as it was; run `taut run {study}` first, name the folder \
         with --out, or give the folder itself to check the claims that were stored with it"
    );
    Err(Usage(message).into())
}
