//! `taut check`: the claims of a study against its tables.

use super::{finished, print, verdicts};
use crate::options::Check;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;
use taut_report::Results;
use taut_report::claims::{self, Verdicts};

pub(super) fn check(options: &Check) -> Result<ExitCode> {
    let (folder, verdicts) = if options.of.source.is_file() { of_study(options)? } else { of_folder(options)? };
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
    let path = &options.of.source;
    let has_strays = options.of.has_words_for_a_study();
    let results = finished::of_folder(path, has_strays.then_some("--out, --quick and --set go"))?;
    results.verify()?;
    let verdicts = claims::evaluate(&results.manifest, &results)?;
    keep(&verdicts, &results);
    Ok((path.clone(), verdicts))
}

/// The claims as the study has them now, over the tables that a run of it wrote.
fn of_study(options: &Check) -> Result<(PathBuf, Verdicts)> {
    let (results, manifest) = finished::of_study(&options.of.study(), options.of.out.as_deref())?;
    results.verify()?;
    let verdicts = claims::evaluate(&manifest, &results)?;
    keep(&verdicts, &results);
    Ok((results.folder().root().to_path_buf(), verdicts))
}

/// Writes the verdicts beside the tables. Somebody else's results may be read only, and are checked all the same.
#[allow(clippy::print_stderr)]
fn keep(verdicts: &Verdicts, results: &Results) {
    if let Err(reason) = claims::record(verdicts, results) {
        eprintln!("warning: the verdicts are not kept in the table `claims`: {reason}");
    }
}
