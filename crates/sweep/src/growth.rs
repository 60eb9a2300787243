//! Whether a folder's cells are this study's, and how parts of an older layout become pieces of the new one.

use crate::keeping::{kept, loses, recorded};
use crate::plan::Plan;
use crate::run::{RunError, manifest};
use crate::stock::{FINGERPRINT_KEY, cells_of, other_version, part_name};
use crate::study::diff_studies;
use std::collections::BTreeSet;
use std::path::PathBuf;
use taut_store::{Folder, Lot, StoreError};

/// What it took to make a folder this plan's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Where another study's results were moved to.
    pub(crate) moved_aside: Option<PathBuf>,
    /// Where what the study does not want any more has been kept.
    pub(crate) kept_aside: Option<PathBuf>,
}

/// Makes a folder this plan's: a new one, or one whose cells the plan has all. Whoever calls it holds the lock.
///
/// A shard must not change what pieces of other shards are good for: with pieces of an older study there, it is refused.
pub(crate) fn settle(
    plan: &Plan,
    folder: &Folder,
    program: &str,
    (force, is_shard): (bool, bool),
) -> Result<Settled, RunError> {
    let mut settled = Settled::default();
    let stored = match folder.read_manifest() {
        // It is written anew from the plan; whose the tables are is said by their own footers.
        Err(StoreError::ManifestSyntax { .. }) => None,
        read => read?,
    };
    let is_ours = stored.as_ref().is_some_and(|manifest| manifest["fingerprint"] == plan.fingerprint());
    let strangers = strangers(plan, folder)?;
    let lots = if is_ours { Vec::new() } else { folder.pieces()? };
    if !(strangers.is_empty() && lots.is_empty()) {
        let text = |key: &str| stored.as_ref().and_then(|m| m[key].as_str()).unwrap_or_default();
        let mut differences = contradictions(plan, text("study"), strangers.iter().chain(&lots))?;
        if stored.is_none() && !differences.is_empty() {
            differences = vec!["its tables are of other cells, and no manifest.json says whose they are".to_owned()];
        }
        if is_shard && differences.is_empty() && stored.is_some() && !lots.is_empty() {
            differences = diff_studies(text("study"), &plan.checked.text);
            differences.push("shards of the stored study have not been collected: run `taut collect` first".to_owned());
        }
        if !differences.is_empty() {
            if !force {
                return Err(RunError::OtherStudy { folder: folder.root().display().to_string(), differences });
            }
            settled.moved_aside = Some(folder.move_aside()?);
        } else {
            if has_more(plan, &strangers)? {
                settled.kept_aside = Some(folder.keep_aside()?);
            }
            dissolve(folder, &strangers)?;
        }
    }
    let manifest = manifest(plan, program);
    if stored.as_ref() != Some(&manifest) || settled.moved_aside.is_some() {
        folder.write_manifest(&manifest)?;
    }
    Ok(settled)
}

/// Parts that another plan laid out; those of this plan that cannot be read are none of them.
pub(crate) fn strangers(plan: &Plan, folder: &Folder) -> Result<Vec<Lot>, StoreError> {
    let mut strangers = Vec::new();
    for name in folder.parts("cells")? {
        let part = folder.part(&name);
        let has_our_name = name.parse().is_ok_and(|part| part < plan.parts() && part_name(part) == name);
        match part.footer("cells") {
            Ok(footer)
                if has_our_name
                    && footer.keys.get(FINGERPRINT_KEY).is_some_and(|found| found == plan.fingerprint()) => {}
            Err(_) if has_our_name => {}
            _ => strangers.push(part),
        }
    }
    Ok(strangers)
}

/// Why the stored cells are not cells of this plan; nothing if they are.
pub(crate) fn contradictions<'a>(
    plan: &Plan,
    stored_study: &str,
    lots: impl Iterator<Item = &'a Lot>,
) -> Result<Vec<String>, StoreError> {
    let (mut all, mut foreign) = (0, 0);
    let mut versions: BTreeSet<String> = BTreeSet::new();
    for lot in lots {
        let footer = match lot.footer("cells") {
            Ok(footer) => footer,
            // A piece that cannot be read is computed again; a part with a foreign name is somebody's.
            Err(_) if lot.is_piece() => continue,
            Err(damaged) => return Err(damaged),
        };
        versions.extend(other_version(&footer.keys));
        let cells = cells_of(lot)?;
        all += cells.len();
        foreign += cells.iter().filter(|cell| plan.index_of(**cell).is_none()).count();
    }
    if !versions.is_empty() {
        return Ok(versions.into_iter().map(|version| format!("the results were {version}")).collect());
    }
    if foreign == 0 {
        return Ok(Vec::new());
    }
    let mut differences = diff_studies(stored_study, &plan.checked.text);
    if differences.is_empty() {
        let files = plan.files();
        differences.push(match files.is_empty() {
            true => "a part in it belongs to another study".to_owned(),
            false => format!("a file that the study reads has changed: {}", files.join(", ")),
        });
    }
    differences.push(format!("so {foreign} of the {all} stored cells are not in this study"));
    Ok(differences)
}

/// Whether parts hold columns, tables or rows that the plan does not have.
fn has_more(plan: &Plan, parts: &[Lot]) -> Result<bool, StoreError> {
    let wanted = kept(plan);
    for part in parts {
        let footer = part.footer("cells")?;
        if recorded(&footer.keys).is_some_and(|record| loses(&record, &wanted)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes parts out of the tables; their rows stay as pieces until they are in the parts of the new layout.
fn dissolve(folder: &Folder, parts: &[Lot]) -> Result<(), StoreError> {
    for part in parts {
        let tables = folder.tables_of(part)?;
        let names: Vec<&str> = tables.iter().map(String::as_str).collect();
        folder.dissolve(part, &names)?;
    }
    Ok(())
}
