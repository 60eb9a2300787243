//! One study's folder: tables as folders of parts, beside a manifest.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::atomic;
use crate::columns::{Column, TableSchema};
use crate::encoding::{Unwritten, encode};
use crate::error::StoreError;
use crate::input::read_bytes;
use crate::lot::Lot;
use crate::provenance::{Footer, Provenance};
use crate::rows::Rows;
use crate::selection::Selection;
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
            Err(reason) => {
                Err(StoreError::ManifestSyntax { path, line: reason.line(), column: reason.column(), reason })
            }
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
            atomic::try_writing(folder)
                .map_err(|reason| StoreError::FolderNotWritable { path: folder.clone(), reason })?;
            atomic::remove_leftovers(folder)?;
        }
        self.clean_pieces()
    }

    /// Writes rows as `part-<part>.parquet` of their table and returns the size in bytes. The part
    /// appears whole or not at all, replacing one of the same name. An empty table is written too: it
    /// says that the part was done.
    pub fn write_part<'a>(
        &self,
        part: &str,
        rows: impl Into<Selection<'a>>,
        provenance: &Provenance,
    ) -> Result<u64, StoreError> {
        let rows = rows.into();
        let folder = self.table_folder(&rows.schema().name)?;
        let name = part_file(part)?;
        create_folder(&folder)?;
        atomic::fill_file(&folder, &name, |file| write_rows(&rows, provenance, &folder.join(&name), file))
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

    /// The tables that a part has files of, in the order of their names.
    pub fn tables_of(&self, part: &Lot) -> Result<Vec<String>, StoreError> {
        let mut tables = self.tables()?;
        tables.retain(|table| part.has(table));
        Ok(tables)
    }

    /// The complete parts of a table in the order of their names, without `part-` and `.parquet`.
    pub fn parts(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let mut parts = Vec::new();
        for entry in atomic::entries(&self.table_folder(table)?)? {
            let name = entry.file_name().to_string_lossy().into_owned();
            let part = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
            parts.extend(part.map(String::from));
        }
        parts.sort();
        Ok(parts)
    }

    /// The rows of one part in every table, whether it is there or not.
    pub fn part(&self, part: &str) -> Lot {
        Lot::part(&self.root, part)
    }

    /// A piece by its name, whether it is there or not.
    pub fn piece(&self, name: &str) -> Lot {
        Lot::piece(&self.root, name)
    }

    /// Whether a part is there and begins and ends as a parquet file does; its cells are not read.
    pub fn part_is_readable(&self, table: &str, part: &str) -> bool {
        self.part_path(table, part).is_ok_and(|path| begins_as_parquet(&path) && self.read_footer(table, part).is_ok())
    }

    /// A part's columns, number of rows and key-values, without its cells.
    pub fn read_footer(&self, table: &str, part: &str) -> Result<Footer, StoreError> {
        self.part_path(table, part)?;
        self.part(part).footer(table)
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
            None => Err(StoreError::NoParts { table: table.into(), path: self.table_folder(table)? }),
        }
    }

    /// One part of a table.
    pub fn read_part(&self, table: &str, part: &str) -> Result<Table, StoreError> {
        self.part_path(table, part)?;
        self.part(part).read(table)
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
                    Err(reason) => Err(StoreError::MoveFolder { from: self.root.clone(), to, reason }),
                };
            }
            number += 1;
        }
    }

    /// Keeps what the tables hold now as the first free one of `<name>.old-1`, `<name>.old-2`, …, and returns that path. Files
    /// get a second name there and take no space until one of the two is replaced.
    pub fn keep_aside(&self) -> Result<PathBuf, StoreError> {
        let aside = (1u32..).map(|number| self.aside(number)).find(|path| path.symlink_metadata().is_err());
        let aside = aside.unwrap_or_else(|| self.aside(0));
        create_folder(&aside)?;
        let mut files = vec![PathBuf::from(MANIFEST)];
        for table in self.tables()? {
            create_folder(&aside.join(&table))?;
            let parts = self.parts(&table)?;
            files.extend(parts.iter().map(|part| Path::new(&table).join(format!("{PREFIX}{part}{SUFFIX}"))));
        }
        for file in files {
            atomic::link(&self.root.join(&file), &aside.join(&file))?;
        }
        Ok(aside)
    }

    /// The size of the manifest, all parts and all pieces.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let mut bytes = size(&self.root.join(MANIFEST));
        for table in self.tables()? {
            bytes += self.table_bytes(&table)?;
        }
        for piece in self.pieces()? {
            bytes += atomic::entries(&piece.folder())?.iter().map(|entry| size(&entry.path())).sum::<u64>();
        }
        Ok(bytes)
    }

    /// The size of all parts of a table.
    pub fn table_bytes(&self, table: &str) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for part in self.parts(table)? {
            bytes += size(&self.part_path(table, &part)?);
        }
        Ok(bytes)
    }

    /// Writes a file that is no table, such as a report, and returns where it is; it appears whole or not at all,
    /// replacing one of the same name.
    pub fn write_document(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        create_folder(&self.root)?;
        atomic::write_file(&self.root, name, bytes)?;
        Ok(self.root.join(name))
    }

    fn table_folder(&self, table: &str) -> Result<PathBuf, StoreError> {
        refuse_unusable(table)?;
        Ok(self.root.join(table))
    }

    /// Where a part is, or would be.
    pub fn part_path(&self, table: &str, part: &str) -> Result<PathBuf, StoreError> {
        Ok(self.table_folder(table)?.join(part_file(part)?))
    }

    fn aside(&self, number: u32) -> PathBuf {
        let mut name = self.root.file_name().map_or_else(|| OsString::from("results"), OsString::from);
        name.push(format!(".old-{number}"));
        self.root.with_file_name(name)
    }

    fn refuse_other_columns(&self, expected: &TableSchema, found: &TableSchema, part: &str) -> Result<(), StoreError> {
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

pub(crate) fn refuse_unusable(name: &str) -> Result<(), StoreError> {
    if is_usable(name) {
        return Ok(());
    }
    Err(StoreError::UnusableName { name: name.into() })
}

fn is_usable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

/// Writes rows into the file that is to appear at this path, and returns its size.
pub(crate) fn write_rows(
    rows: &Selection<'_>,
    provenance: &Provenance,
    path: &Path,
    file: &mut File,
) -> Result<u64, StoreError> {
    rows.runs().iter().try_for_each(|(rows, _)| refuse_uneven(rows))?;
    encode(rows, provenance.keys(&rows.schema().columns), file).map_err(|unwritten| match unwritten {
        Unwritten::Rows(reason) => StoreError::EncodePart { path: path.into(), reason },
        Unwritten::Bytes(reason) => StoreError::WriteFile { path: path.into(), reason },
    })
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
pub(crate) fn create_folder(path: &Path) -> Result<(), StoreError> {
    let Err(reason) = fs::create_dir_all(path) else {
        return Ok(());
    };
    let blocking = path.ancestors().find(|above| above.exists() && !above.is_dir());
    Err(match blocking {
        Some(blocking) => StoreError::NotAFolder { path: blocking.into() },
        None => StoreError::CreateFolder { path: path.into(), reason },
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

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use serde_json::json;
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::columns::ColumnType;

    fn study() -> (TempDir, Folder) {
        let above = tempdir().expect("a temporary folder");
        let folder = Folder::at(above.path().join("study"));
        (above, folder)
    }

    fn provenance() -> Provenance {
        Provenance {
            schema_version: "1".into(),
            program: "taut 0.1.0 (abc)".into(),
            study: "title = \"a study\"\n".into(),
            extra: vec![("taut.metrics".into(), "[\"risk\"]".into())],
        }
    }

    fn schema() -> TableSchema {
        TableSchema {
            name: "cells".into(),
            columns: vec![
                Column::new("cell", ColumnType::Int64, "", "number of the cell"),
                Column::new("risk", ColumnType::Float64, "m²", "mean squared error"),
                Column::new("status", ColumnType::String, "", "how it ended"),
                Column::new("precision_ok", ColumnType::Bool, "", "enough digits"),
            ],
        }
    }

    /// Two rows, one with nulls and NaN.
    fn rows(first: i64) -> Rows {
        let mut rows = Rows::new(&schema());
        rows.push_int(0, Some(first));
        rows.push_int(0, None);
        rows.push_float(1, Some(f64::NAN));
        rows.push_float(1, None);
        rows.push_text(2, Some("diverged — at step 3"));
        rows.push_text(2, None);
        rows.push_bool(3, None);
        rows.push_bool(3, Some(true));
        rows
    }

    #[test]
    fn what_is_written_is_read_with_nulls_and_nan() {
        let (_above, folder) = study();
        assert!(!folder.exists());
        folder.prepare(&["cells"]).expect("writable");
        assert!(!folder.exists(), "empty folders are no results");
        for (part, first) in [("2", 20), ("1", 10)] {
            let bytes = folder.write_part(part, &rows(first), &provenance());
            assert!(bytes.expect("writable") > 0);
        }
        assert!(folder.exists());
        assert_eq!(folder.parts("cells").expect("there"), ["1", "2"]);
        assert_eq!(folder.tables().expect("there"), ["cells"]);

        let table = folder.read_table("cells").expect("there");
        assert_eq!(table.rows(), 4);
        assert_eq!(table.ints("cell").expect("ints"), [Some(10), None, Some(20), None]);
        let risks = table.floats("risk").expect("floats");
        assert!(risks[0].is_some_and(f64::is_nan) && risks[2].is_some_and(f64::is_nan));
        assert!(risks[1].is_none() && risks[3].is_none());
        let said = Some("diverged — at step 3".to_string());
        assert_eq!(table.texts("status").expect("texts"), [said.clone(), None, said, None]);
        assert_eq!(table.bools("precision_ok").expect("bools"), [None, Some(true), None, Some(true)]);
        assert_eq!(table.schema(), &schema());
        assert_eq!(table.columns()[1], ("risk", ColumnType::Float64), "the order of the file");
    }

    #[test]
    fn a_footer_tells_where_a_part_comes_from() {
        let (_above, folder) = study();
        folder.write_part("1", &rows(1), &provenance()).expect("writable");
        let footer = folder.read_footer("cells", "1").expect("just written");
        assert_eq!((footer.rows, &footer.schema), (2, &schema()));
        let key = |key: &str| footer.keys[key].as_str();
        assert_eq!(key("taut.schema_version"), "1");
        assert_eq!(key("taut.program"), "taut 0.1.0 (abc)");
        assert_eq!(key("taut.study"), "title = \"a study\"\n");
        assert_eq!(key("taut.metrics"), "[\"risk\"]");
        let columns: Value = serde_json::from_str(key("taut.columns")).expect("JSON");
        assert_eq!(columns["risk"], json!({ "unit": "m²", "doc": "mean squared error" }));
        assert_eq!(footer.keys.len(), 6, "{:?}", footer.keys.keys());
    }

    #[test]
    fn unfinished_files_are_no_parts() {
        let (_above, folder) = study();
        folder.write_part("1", &rows(1), &provenance()).expect("writable");
        let cells = folder.root().join("cells");
        fs::write(cells.join(".part-2.parquet.abc.tmp"), "half").expect("writable");
        fs::write(cells.join("notes.parquet.txt"), "mine").expect("writable");
        assert_eq!(folder.parts("cells").expect("there"), ["1"]);
        let whole = fs::metadata(cells.join("part-1.parquet")).expect("there");
        assert_eq!(folder.bytes().expect("there"), whole.len());
    }

    #[test]
    fn a_truncated_part_is_unreadable() {
        let (_above, folder) = study();
        folder.write_part("1", &rows(1), &provenance()).expect("writable");
        assert!(folder.part_is_readable("cells", "1"));
        assert!(!folder.part_is_readable("cells", "2"), "there is none");
        let path = folder.root().join("cells/part-1.parquet");
        let whole = fs::read(&path).expect("just written");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("writable");
            assert!(!folder.part_is_readable("cells", "1"), "{length} bytes");
        }
        let error = folder.read_table("cells").expect_err("truncated");
        assert!(matches!(error, StoreError::UnreadablePart { .. }));
        fs::write(&path, [&b"XXXX"[..], &whole[4..]].concat()).expect("writable");
        assert!(!folder.part_is_readable("cells", "1"), "a wrong beginning");
    }

    #[test]
    fn parts_with_other_columns_do_not_mix() {
        let (_above, folder) = study();
        folder.write_part("1", &rows(1), &provenance()).expect("writable");
        let mut fewer = schema();
        fewer.columns.truncate(1);
        folder.write_part("2", &Rows::new(&fewer), &provenance()).expect("writable");
        let error = folder.read_table("cells").expect_err("they differ");
        assert_eq!(
            error.to_string(),
            format!(
                "the part {} has other columns (cell Int64) than the parts before it (cell Int64, risk Float64, status String, precision_ok Bool); run the study again to bring its parts up to date",
                folder.root().join("cells/part-2.parquet").display()
            )
        );
    }

    #[test]
    fn a_table_without_parts_says_to_run_the_study() {
        let error = Folder::at("results/nothing").read_table("cells");
        assert_eq!(
            error.expect_err("there is none").to_string(),
            "table `cells` has no parts in results/nothing/cells; run the study first"
        );
    }

    #[test]
    fn uneven_columns_are_named() {
        let (_above, folder) = study();
        let mut rows = rows(1);
        rows.push_null(2, 1);
        let error = folder.write_part("1", &rows, &provenance());
        assert_eq!(
            error.expect_err("uneven").to_string(),
            "column `status` of table `cells` has 3 rows where the first column has 2; this is a mistake in the program, please report it"
        );
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let (_above, folder) = study();
        let mut schema = schema();
        schema.columns[1].name = "cell".into();
        let mut rows = Rows::new(&schema);
        (0..4).for_each(|column| rows.push_null(column, 1));
        let error = folder.write_part("1", &rows, &provenance());
        assert!(matches!(error, Err(StoreError::EncodePart { .. })), "{error:?}");
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let (_above, folder) = study();
        for part in ["", "../1", "a/b", ".hidden", "ä", "a b"] {
            let error = folder.write_part(part, &rows(1), &provenance());
            assert!(matches!(error, Err(StoreError::UnusableName { .. })), "{part}");
        }
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let (above, folder) = study();
        fs::write(folder.root(), "not a folder").expect("writable");
        let error = folder.prepare(&["cells"]).expect_err("a file in the way");
        assert_eq!(
            error.to_string(),
            format!(
                "{} is not a folder; move it away, or choose another folder for the results",
                above.path().join("study").display()
            )
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_folder_is_refused_before_work_begins() {
        use std::os::unix::fs::PermissionsExt;
        let (_above, folder) = study();
        folder.prepare(&["cells"]).expect("writable");
        let cells = folder.root().join("cells");
        fs::set_permissions(&cells, Permissions::from_mode(0o555)).expect("our own folder");
        if fs::write(cells.join("root writes anywhere"), "").is_ok() {
            return;
        }
        let error = folder.prepare(&["cells"]).expect_err("read-only");
        assert!(matches!(error, StoreError::FolderNotWritable { .. }), "{error}");
        fs::set_permissions(&cells, Permissions::from_mode(0o755)).expect("our own folder");
    }

    #[test]
    fn a_manifest_is_replaced_and_read() {
        let (_above, folder) = study();
        assert_eq!(folder.read_manifest().expect("none yet"), None);
        for cells in [1, 2] {
            let manifest = json!({ "cells": cells });
            folder.write_manifest(&manifest).expect("writable");
            assert_eq!(folder.read_manifest().expect("just written"), Some(manifest));
        }
        assert!(folder.exists());
        let path = folder.root().join(MANIFEST);
        let text = fs::read_to_string(&path).expect("just written");
        assert_eq!(text, "{\n  \"cells\": 2\n}\n");
        fs::write(&path, "{\n  \"cells\": ]\n}").expect("writable");
        let error = folder.read_manifest().expect_err("no JSON").to_string();
        let place = format!("{}, line 2, column 12: the manifest is not JSON", path.display());
        assert!(error.starts_with(&place), "{error}");
    }

    #[test]
    fn folders_move_aside_to_the_first_free_name() {
        let (above, folder) = study();
        for number in 1..=2 {
            folder.write_manifest(&json!({})).expect("writable");
            let aside = folder.move_aside().expect("movable");
            assert_eq!(aside, above.path().join(format!("study.old-{number}")));
            assert!(aside.join(MANIFEST).is_file() && !folder.exists());
        }
    }

    #[test]
    fn preparing_keeps_parts_and_work_in_progress() {
        let (_above, folder) = study();
        folder.write_part("1", &rows(1), &provenance()).expect("writable");
        let young = folder.root().join("cells/.part-2.parquet.abc.tmp");
        fs::write(&young, "half").expect("writable");
        folder.prepare(&["cells", "modes"]).expect("writable");
        assert_eq!(folder.parts("cells").expect("there"), ["1"]);
        assert!(young.is_file() && folder.root().join("modes").is_dir());
    }
}
