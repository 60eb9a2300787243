//! How far a folder of results is, by its parts and pieces alone.

use crate::keeping::{lacks, recorded};
use crate::stock::{cells_of, other_version};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};
use taut_store::{Folder, Lot, StoreError};

/// How far a folder of results is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The title of the study.
    pub title: String,
    /// Cells of the study.
    pub cells: usize,
    /// Cells in the parts: what the tables show.
    pub in_parts: usize,
    /// Cells that only pieces hold: `taut collect` puts them into the tables.
    pub in_pieces: usize,
    /// Cells whose status is `diverged`.
    pub diverged: usize,
    /// Cells whose status is `failed`.
    pub failed: usize,
    /// Parts that are there, and parts of the study.
    pub parts: [usize; 2],
    /// Pieces.
    pub pieces: usize,
    /// Pieces of an older study that lack something of this one.
    pub unusable: usize,
    /// Files that cannot be read.
    pub damaged: Vec<String>,
    /// Bytes of all tables.
    pub bytes: u64,
    /// How long ago the last part or piece appeared, by the clocks of disk and machine.
    pub last_written: Option<Duration>,
}

impl Status {
    /// Looks at a folder; `None` if it has no manifest.
    ///
    /// # Errors
    /// If the folder cannot be listed or its manifest is no JSON.
    pub fn of(folder: &Folder) -> Result<Option<Self>, StoreError> {
        let Some(manifest) = folder.read_manifest()? else { return Ok(None) };
        let number = |key: &str| manifest[key].as_u64().unwrap_or_default() as usize;
        let tables: Vec<&str> = manifest["tables"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let mut status = Self {
            title: manifest["title"].as_str().unwrap_or_default().to_owned(),
            cells: number("cells"),
            ..Self::default()
        };
        let parts: Vec<Lot> = folder.parts("cells")?.iter().map(|part| folder.part(part)).collect();
        let pieces = folder.pieces()?;
        status.parts = [0, number("parts")];
        status.pieces = pieces.len();
        // Cells may be in a part and in a piece that has not been cleaned up, or in two pieces.
        let mut seen: BTreeSet<i64> = BTreeSet::new();
        for lot in parts.iter().chain(&pieces) {
            let broken: Vec<String> = tables
                .iter()
                .filter(|table| lot.footer(table).is_err())
                .map(|table| lot.path(table).display().to_string())
                .collect();
            if !broken.is_empty() {
                status.damaged.extend(broken);
                continue;
            }
            if lot.is_piece() && !serves(lot, &manifest)? {
                status.unusable += 1;
                continue;
            }
            let cells = cells_of(lot)?;
            let endings = lot.columns("cells", &["status"])?.texts("status")?;
            let mut new = 0;
            for (cell, ending) in cells.iter().zip(endings) {
                if seen.insert(*cell) {
                    new += 1;
                    status.diverged += usize::from(ending.as_deref() == Some("diverged"));
                    status.failed += usize::from(ending.as_deref() == Some("failed"));
                }
            }
            if lot.is_piece() {
                status.in_pieces += new;
            } else {
                status.in_parts += new;
                status.parts[0] += 1;
            }
            status.bytes += lot.bytes(&tables);
            let written = std::fs::metadata(lot.path("cells")).and_then(|about| about.modified()).ok();
            // A disk whose clock is ahead says "just now".
            let age = written.map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
            status.last_written = status.last_written.into_iter().chain(age).min();
        }
        Ok(Some(status))
    }

    /// Cells that are nowhere.
    pub fn missing(&self) -> usize {
        self.cells.saturating_sub(self.in_parts + self.in_pieces)
    }
}

/// Whether a piece holds what the study of the manifest keeps.
fn serves(piece: &Lot, manifest: &Json) -> Result<bool, StoreError> {
    let footer = piece.footer("cells")?;
    Ok(other_version(&footer.keys).is_none()
        && recorded(&footer.keys).is_some_and(|record| lacks(&record, &manifest["record"]).is_empty()))
}
