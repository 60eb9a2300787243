//! A folder of finished tables: its manifest, its tables and where their parts are.

use crate::{Manifest, ReportError};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use taut_store::{Folder, TableSchema};

/// The table of verdicts: a result of results, which claims and figures do not see.
pub(crate) const CLAIMS: &str = "claims";

/// The table of clocks, hosts and threads: a verdict on it would be another one on another day.
pub(crate) const TIMING: &str = "timing";

/// A folder of finished tables.
#[derive(Clone, Debug)]
pub struct Results {
    folder: Folder,
    /// What it says of itself.
    pub manifest: Manifest,
    tables: Vec<StoredTable>,
    finished: usize,
}

/// One table on disk.
#[derive(Clone, Debug)]
pub struct StoredTable {
    /// Its name and columns, with unit and documentation.
    pub schema: TableSchema,
    /// Its parts in order.
    pub parts: Vec<PathBuf>,
    /// Its rows over all parts.
    pub rows: usize,
}

impl Results {
    /// Opens a folder that a run has written, wholly or in part.
    ///
    /// # Errors
    /// If it is no such folder, holds no finished part, or holds parts of two versions.
    pub fn open(path: &Path) -> Result<Self, ReportError> {
        if !path.is_dir() {
            return Err(ReportError::Missing { path: path.to_path_buf() });
        }
        let folder = Folder::at(path);
        let Some(manifest) = folder.read_manifest()? else {
            return Err(ReportError::NotResults { path: path.to_path_buf() });
        };
        let manifest: Manifest = serde_json::from_value(manifest)
            .map_err(|reason| ReportError::Manifest { path: path.join("manifest.json"), reason })?;
        let tables = manifest.tables.iter().map(|table| stored(&folder, &manifest, table));
        let tables = tables.collect::<Result<Vec<_>, _>>()?;
        let finished = finished(&tables);
        Ok(Self { folder, manifest, tables, finished })
    }

    /// Where it is.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The tables in the order of the manifest, without the verdicts.
    pub fn tables(&self) -> &[StoredTable] {
        &self.tables
    }

    /// Holds every byte of every part against its checksum.
    ///
    /// # Errors
    /// If a part is not as it was written.
    pub fn verify(&self) -> Result<(), ReportError> {
        for table in &self.tables {
            let name = &table.schema.name;
            for part in self.folder.parts(name)? {
                self.folder.part(&part).verify(name)?;
            }
        }
        Ok(())
    }

    /// Reads every part to its end.
    ///
    /// # Errors
    /// If one is damaged: what its footer promises is not there.
    pub fn read_through(&self) -> Result<(), ReportError> {
        for table in &self.tables {
            let name = &table.schema.name;
            for part in self.folder.parts(name)? {
                self.folder.read_part(name, &part)?;
            }
        }
        Ok(())
    }

    /// What of the study is not there yet, in words; `None` if all of it is.
    pub fn missing(&self) -> Option<String> {
        let Manifest { parts, cells, .. } = &self.manifest;
        let missing = parts.saturating_sub(self.finished);
        if missing > 0 {
            return Some(format!("{missing} of {parts} parts are missing"));
        }
        // A part may be there before all of its cells are.
        let there = self.tables.iter().find(|table| table.schema.name == "cells")?.rows;
        let missing = cells.saturating_sub(there);
        (missing > 0).then(|| format!("{missing} of {cells} cells are missing"))
    }
}

/// How many parts are there in every table.
fn finished(tables: &[StoredTable]) -> usize {
    let names = |table: &StoredTable| -> BTreeSet<OsString> {
        table.parts.iter().filter_map(|part| part.file_name().map(OsString::from)).collect()
    };
    let common = tables.iter().map(names).reduce(|a, b| &a & &b);
    common.map_or(0, |common| common.len())
}

/// A table of the manifest, its parts all of one version with the same columns.
fn stored(folder: &Folder, manifest: &Manifest, table: &str) -> Result<StoredTable, ReportError> {
    let mut found: Option<StoredTable> = None;
    for part in folder.parts(table)? {
        let footer = folder.read_footer(table, &part)?;
        let path = folder.part_path(table, &part)?;
        let version = footer.keys.get("taut.schema_version").cloned().unwrap_or_default();
        if version != manifest.schema_version {
            return Err(ReportError::SchemaVersion { path, found: version, expected: manifest.schema_version.clone() });
        }
        match &mut found {
            None => found = Some(StoredTable { schema: footer.schema, parts: vec![path], rows: footer.rows }),
            Some(stored) if stored.schema.columns == footer.schema.columns => {
                stored.rows += footer.rows;
                stored.parts.push(path);
            }
            Some(_) => return Err(ReportError::Columns { path, table: table.to_owned() }),
        }
    }
    if found.as_ref().is_some_and(|stored| stored.parts.len() > manifest.parts) {
        return Err(ReportError::Surplus {
            path: folder.root().join(table),
            found: folder.parts(table)?.len(),
            expected: manifest.parts,
        });
    }
    found.ok_or_else(|| ReportError::Empty { path: folder.root().to_path_buf(), table: table.to_owned() })
}
