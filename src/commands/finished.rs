//! The results that a command looks at: a folder of them, or what a run of a study wrote.

use super::{load, run::default_folder};
use crate::exit::Usage;
use crate::options::{Finished, Source};
use anyhow::Result;
use std::path::Path;
use taut_report::{Manifest, Results};
use taut_sweep::{Folder, Plan};

/// The tables of a folder, with the claims and figures that were stored beside them.
///
/// `strays` says which options go with a study, if some of them were given: `--quick goes`.
pub(super) fn of_folder(path: &Path, strays: Option<&str>) -> Result<Results> {
    if !path.exists() && path.extension().is_some_and(|extension| extension == "toml") {
        // Names the studies nearby.
        taut_sweep::study::read(path)?;
    }
    match strays {
        Some(strays) => {
            Err(Usage(format!("{strays} with a study, and {} is a folder of results", path.display())).into())
        }
        None => Ok(Results::open(path)?),
    }
}

/// The tables that a run of a study wrote, and what the study says today.
pub(super) fn of_study(source: &Source, out: Option<&Path>) -> Result<(Results, Manifest)> {
    let plan = load(source)?;
    let results = match out {
        Some(out) => Results::open(out)?,
        None => Results::open(&default_folder(source)?)?,
    };
    refuse_another_study(&plan, &results, &source.study)?;
    Ok((results, manifest(&plan)?))
}

/// What the manifest of a plan's results says.
pub(super) fn manifest(plan: &Plan) -> Result<Manifest> {
    Ok(serde_json::from_value(taut_sweep::manifest(plan, taut_sweep::PROGRAM))?)
}

/// Tables that another study made say nothing of this one.
fn refuse_another_study(plan: &Plan, results: &Results, study: &Path) -> Result<()> {
    if results.manifest.fingerprint == plan.fingerprint() {
        return Ok(());
    }
    let (folder, study) = (results.folder().root().display(), study.display());
    let message = format!(
        "{folder} holds results of another study, or of {study} as it was; run `taut run {study}` first, name the folder \
         with --out, or give the folder itself to check the claims that were stored with it"
    );
    Err(Usage(message).into())
}

/// The study of which a folder holds results, laid out as it was.
pub(super) fn stored_plan(folder: &Folder) -> Result<Plan> {
    let place = folder.root().display();
    let Some(manifest) = folder.read_manifest()? else {
        return Err(Usage(format!("{place} is no folder of results: it has no manifest.json")).into());
    };
    let text = |key: &str| manifest[key].as_str().unwrap_or_default();
    let plan = taut_sweep::load_text(text("study"), Path::new(text("study_path")))?;
    if plan.fingerprint() == text("fingerprint") {
        return Ok(plan);
    }
    let message = format!(
        "the study that is stored with {place} does not lead to the same cells any more: a file that it reads has \
         changed or moved, or this is another version of taut; give the study itself, and the folder with --out"
    );
    Err(Usage(message).into())
}

/// A folder of results with the plan of its study: the one that is stored there, or the study as it is now.
pub(super) fn plan_and_folder(of: &Finished) -> Result<(Plan, Folder)> {
    if of.source.is_dir() {
        if of.has_words_for_a_study() {
            let folder = of.source.display();
            return Err(Usage(format!("--out, --quick and --set go with a study, and {folder} is a folder")).into());
        }
        let folder = Folder::at(&of.source);
        return Ok((stored_plan(&folder)?, folder));
    }
    let source = of.study();
    let plan = load(&source)?;
    let folder = match &of.out {
        Some(out) => out.clone(),
        None => default_folder(&source)?,
    };
    if !folder.is_dir() {
        return Err(Usage(format!("there are no results in {}; name their folder with --out", folder.display())).into());
    }
    Ok((plan, Folder::at(folder)))
}
