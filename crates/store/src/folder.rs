//! One study's folder: tables as folders of parts, beside a manifest.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::atomic;
use crate::columns::{Column, TableSchema};
use crate::error::StoreError;
use crate::input::{read_bytes, unreadable};
use crate::part;
use crate::provenance::{Footer, Provenance};
use crate::rows::Rows;
use crate::table::Table;

const MANIFEST: &str = "manifest.json";
const PREFIX: &str = "part-";
const SUFFIX: &str = ".parquet";
const MAGIC: &[u8; 4] = b"PAR1";

/// One study's folder of tables: `results/<study>/<table>/part-*.parquet` and `manifest.json`.
///
/// Several processes may write parts at once: a part appears whole under its name or not at all, and
/// of two writers of one part the later wins.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at this path, which need not be there yet; touches nothing.
    pub fn at(root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into() }
    }

    /// The path it was given.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is a manifest or a part of any table.
    pub fn exists(&self) -> bool {
        self.root.join(MANIFEST).is_file() || self.tables().is_ok_and(|tables| !tables.is_empty())
    }

    /// The manifest, `None` where there is none yet.
    pub fn read_manifest(&self) -> Result<Option<Value>, StoreError> {
        let path = self.root.join(MANIFEST);
        let bytes = match read_bytes(&path) {
            Err(StoreError::MissingFile { .. }) => return Ok(None),
            read => read?,
        };
        match serde_json::from_slice(&bytes) {
            Ok(manifest) => Ok(Some(manifest)),
            Err(reason) => Err(StoreError::ManifestSyntax {
                path,
                line: reason.line(),
                column: reason.column(),
                reason,
            }),
        }
    }

    /// Replaces the manifest, indented for readers; the old or the new one is there at every instant.
    pub fn write_manifest(&self, manifest: &Value) -> Result<(), StoreError> {
        create_folder(&self.root)?;
        let text = format!("{manifest:#}\n");
        atomic::write_file(&self.root, MANIFEST, text.as_bytes())
    }

    /// Makes the folders of these tables, finds out that files can be written there, and removes what
    /// interrupted processes left unfinished. Parts, and files that another process is writing at
    /// this moment, stay: an unfinished file is removed only if no living process holds its lock and
    /// it has not changed for a minute.
    pub fn prepare(&self, tables: &[&str]) -> Result<(), StoreError> {
        let folders = tables.iter().map(|table| self.table_folder(table));
        let folders = folders.collect::<Result<Vec<_>, _>>()?;
        for folder in std::iter::once(&self.root).chain(&folders) {
            create_folder(folder)?;
            atomic::try_writing(folder).map_err(|reason| StoreError::FolderNotWritable {
                path: folder.clone(),
                reason,
            })?;
            atomic::remove_leftovers(folder)?;
        }
        Ok(())
    }

    /// Writes rows as `part-<part>.parquet` of their table and returns the size in bytes. The part
    /// appears whole or not at all, replacing one of the same name. An empty table is written too: it
    /// says that the part was done.
    pub fn write_part(
        &self,
        part: &str,
        rows: &Rows,
        provenance: &Provenance,
    ) -> Result<u64, StoreError> {
        refuse_uneven(rows)?;
        let schema = rows.schema();
        let folder = self.table_folder(&schema.name)?;
        let name = part_file(part)?;
        let bytes = part::encode(rows, provenance.keys(&schema.columns)).map_err(|reason| {
            let path = folder.join(&name);
            StoreError::EncodePart { path, reason }
        })?;
        create_folder(&folder)?;
        atomic::write_file(&folder, &name, &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// The tables with at least one part, in the order of their names.
    pub fn tables(&self) -> Result<Vec<String>, StoreError> {
        let mut tables = Vec::new();
        for entry in atomic::entries(&self.root)? {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && is_usable(&name) && !self.parts(&name)?.is_empty() {
                tables.push(name);
            }
        }
        tables.sort();
        Ok(tables)
    }

    /// The complete parts of a table in the order of their names, without `part-` and `.parquet`.
    pub fn parts(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let mut parts = Vec::new();
        for entry in atomic::entries(&self.table_folder(table)?)? {
            let name = entry.file_name().to_string_lossy().into_owned();
            let part = name
                .strip_prefix(PREFIX)
                .and_then(|name| name.strip_suffix(SUFFIX));
            parts.extend(part.map(String::from));
        }
        parts.sort();
        Ok(parts)
    }

    /// Whether a part is there and begins and ends as a parquet file does; its cells are not read.
    pub fn part_is_readable(&self, table: &str, part: &str) -> bool {
        self.part_path(table, part)
            .is_ok_and(|path| begins_as_parquet(&path) && self.read_footer(table, part).is_ok())
    }

    /// A part's columns, number of rows and key-values, without its cells.
    pub fn read_footer(&self, table: &str, part: &str) -> Result<Footer, StoreError> {
        let path = self.part_path(table, part)?;
        let file = File::open(&path).map_err(|reason| unreadable(&path, reason))?;
        part::footer(table, file).map_err(|reason| StoreError::UnreadablePart { path, reason })
    }

    /// All parts of a table after one another, in the order of their names.
    pub fn read_table(&self, table: &str) -> Result<Table, StoreError> {
        let mut gathered: Option<Rows> = None;
        for part in self.parts(table)? {
            let rows = self.read_part(table, &part)?.into_rows();
            match &mut gathered {
                None => gathered = Some(rows),
                Some(gathered) => {
                    self.refuse_other_columns(gathered.schema(), rows.schema(), &part)?;
                    gathered.append_columns(&rows);
                }
            }
        }
        match gathered {
            Some(rows) => Ok(Table::new(rows)),
            None => Err(StoreError::NoParts {
                table: table.into(),
                path: self.table_folder(table)?,
            }),
        }
    }

    /// One part of a table.
    pub fn read_part(&self, table: &str, part: &str) -> Result<Table, StoreError> {
        let path = self.part_path(table, part)?;
        // Into memory rather than mapped: another host may replace the file under a map.
        let bytes = read_bytes(&path)?;
        part::decode(table, &bytes)
            .map(Table::new)
            .map_err(|reason| StoreError::UnreadablePart { path, reason })
    }

    /// Renames the folder to the first free one of `<name>.old-1`, `<name>.old-2`, … and returns that
    /// path.
    pub fn move_aside(&self) -> Result<PathBuf, StoreError> {
        let mut number = 1u32;
        loop {
            let to = self.aside(number);
            if to.symlink_metadata().is_err() {
                return match fs::rename(&self.root, &to) {
                    Ok(()) => Ok(to),
                    Err(reason) => Err(StoreError::MoveFolder {
                        from: self.root.clone(),
                        to,
                        reason,
                    }),
                };
            }
            number += 1;
        }
    }

    /// The size of the manifest and all parts.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let mut bytes = size(&self.root.join(MANIFEST));
        for table in self.tables()? {
            for part in self.parts(&table)? {
                bytes += size(&self.part_path(&table, &part)?);
            }
        }
        Ok(bytes)
    }

    fn table_folder(&self, table: &str) -> Result<PathBuf, StoreError> {
        refuse_unusable(table)?;
        Ok(self.root.join(table))
    }

    fn part_path(&self, table: &str, part: &str) -> Result<PathBuf, StoreError> {
        Ok(self.table_folder(table)?.join(part_file(part)?))
    }

    fn aside(&self, number: u32) -> PathBuf {
        let mut name = self
            .root
            .file_name()
            .map_or_else(|| OsString::from("results"), OsString::from);
        name.push(format!(".old-{number}"));
        self.root.with_file_name(name)
    }

    fn refuse_other_columns(
        &self,
        expected: &TableSchema,
        found: &TableSchema,
        part: &str,
    ) -> Result<(), StoreError> {
        if listed(&expected.columns) == listed(&found.columns) {
            return Ok(());
        }
        Err(StoreError::PartsDiffer {
            path: self.part_path(&expected.name, part)?,
            expected: listed(&expected.columns),
            found: listed(&found.columns),
        })
    }
}

fn part_file(part: &str) -> Result<String, StoreError> {
    refuse_unusable(part)?;
    Ok(format!("{PREFIX}{part}{SUFFIX}"))
}

fn refuse_unusable(name: &str) -> Result<(), StoreError> {
    if is_usable(name) {
        return Ok(());
    }
    Err(StoreError::UnusableName { name: name.into() })
}

fn is_usable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

fn refuse_uneven(rows: &Rows) -> Result<(), StoreError> {
    let Some(column) = rows.uneven_column() else {
        return Ok(());
    };
    Err(StoreError::UnevenColumns {
        table: rows.schema().name.clone(),
        column: rows.schema().columns[column].name.clone(),
        found: rows.columns()[column].len(),
        expected: rows.columns()[0].len(),
    })
}

/// Makes a folder and those above it; says which of them is something else.
fn create_folder(path: &Path) -> Result<(), StoreError> {
    let Err(reason) = fs::create_dir_all(path) else {
        return Ok(());
    };
    let blocking = path.ancestors().find(|above| above.exists() && !above.is_dir());
    Err(match blocking {
        Some(blocking) => StoreError::NotAFolder {
            path: blocking.into(),
        },
        None => StoreError::CreateFolder {
            path: path.into(),
            reason,
        },
    })
}

fn begins_as_parquet(path: &Path) -> bool {
    let mut magic = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && &magic == MAGIC
}

fn listed(columns: &[Column]) -> String {
    let columns = columns.iter();
    let columns = columns.map(|column| format!("{} {}", column.name, column.kind));
    columns.collect::<Vec<_>>().join(", ")
}

/// A file's size; zero for one that is gone, perhaps moved aside this moment.
fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}
