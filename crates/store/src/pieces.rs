//! Pieces: finished cells on their way to a part.
//!
//! A piece is a folder `pieces/<name>/` with one file per table. It appears whole, by one rename of its folder, so a
//! cell is either there in every table or not at all. No reader of the tables sees it: the folders of the
//! tables hold parts alone, so that a cell is never there twice.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir};

use crate::atomic::{self, SUFFIX as UNFINISHED, sync_folder};
use crate::error::StoreError;
use crate::folder::{Folder, create_folder, refuse_unusable, write_rows};
use crate::lot::Lot;
use crate::provenance::Provenance;
use crate::selection::Selection;

pub(crate) const FOLDER: &str = "pieces";

impl Folder {
    /// The pieces in the order of their names.
    pub fn pieces(&self) -> Result<Vec<Lot>, StoreError> {
        let mut names = Vec::new();
        for entry in atomic::entries(&self.root().join(FOLDER))? {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && entry.path().is_dir() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names.iter().map(|name| Lot::piece(self.root(), name)).collect())
    }

    /// Writes the rows of some cells, one table after the other, as a piece, and returns its size in bytes. If there is
    /// one of this name already, that one stays.
    pub fn write_piece<'a>(
        &self,
        name: &str,
        tables: impl IntoIterator<Item = Selection<'a>>,
        provenance: &Provenance,
    ) -> Result<u64, StoreError> {
        refuse_unusable(name)?;
        let mut bytes = 0;
        self.appear(name, |unfinished| {
            for rows in tables {
                let path = unfinished.join(format!("{}.parquet", rows.schema().name));
                let failed = |reason| StoreError::WriteFile { path: path.clone(), reason };
                let mut file = File::create_new(&path).map_err(failed)?;
                bytes += write_rows(&rows, provenance, &path, &mut file)?;
                file.sync_all().map_err(failed)?;
            }
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Makes a piece of a part whose layout has gone: of its files of these tables. The part leaves the folders of the
    /// tables afterwards. A process that dies between leaves both, and the next one ends it.
    pub fn dissolve(&self, part: &Lot, tables: &[&str]) -> Result<Lot, StoreError> {
        let piece = Lot::piece(self.root(), part.name());
        if !piece.folder().is_dir() {
            self.appear(part.name(), |unfinished| {
                for table in tables {
                    atomic::link(&part.path(table), &unfinished.join(format!("{table}.parquet")))?;
                }
                Ok(())
            })?;
        }
        self.remove_part(part.name())?;
        Ok(piece)
    }

    /// Removes the files of a part from every table, `cells` first: no cell is listed without its rows.
    pub fn remove_part(&self, part: &str) -> Result<(), StoreError> {
        let mut tables: Vec<PathBuf> = atomic::entries(self.root())?.iter().map(fs::DirEntry::path).collect();
        tables.retain(|path| path.is_dir());
        tables.sort_by_key(|path| (path.file_name().is_none_or(|name| name != "cells"), path.clone()));
        for table in tables {
            let path = table.join(format!("part-{part}.parquet"));
            match fs::remove_file(&path) {
                Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::RemoveFile { path, reason });
                }
                _ => {}
            }
            // A table that the study no longer has leaves no empty folder behind.
            let _ = fs::remove_dir(table);
        }
        Ok(())
    }

    /// Removes a piece; nobody sees half of it. One that has gone already is as good.
    pub fn remove_piece(&self, piece: &Lot) -> Result<(), StoreError> {
        let path = piece.folder();
        let hidden = self.root().join(FOLDER).join(format!(".{}{UNFINISHED}", piece.name()));
        match fs::rename(&path, &hidden) {
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(reason) => return Err(StoreError::RemoveFile { path, reason }),
            Ok(()) => {}
        }
        // What stays costs space only, and is removed as a leftover.
        let _ = fs::remove_dir_all(&hidden);
        Ok(())
    }

    /// Puts a piece that cannot be read where nobody takes it for one, and returns where it is now.
    pub fn set_aside(&self, piece: &Lot) -> Result<PathBuf, StoreError> {
        let (path, aside) = (piece.folder(), self.root().join(FOLDER).join(format!(".{}.damaged", piece.name())));
        match fs::rename(&path, &aside) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(StoreError::RemoveFile { path, reason }),
            _ => Ok(aside),
        }
    }

    /// Removes what interrupted processes left of pieces, and the folder of pieces if it is empty.
    pub fn clean_pieces(&self) -> Result<(), StoreError> {
        let folder = self.root().join(FOLDER);
        atomic::remove_leftovers(&folder)?;
        // Succeeds for an empty folder alone.
        let _ = fs::remove_dir(folder);
        Ok(())
    }

    /// Fills a hidden folder and gives it its name.
    fn appear(&self, name: &str, fill: impl FnOnce(&Path) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let pieces = self.root().join(FOLDER);
        create_folder(&pieces)?;
        let failed = |reason| StoreError::WriteFile { path: pieces.join(name), reason };
        let unfinished = Builder::new().prefix(&format!(".{name}.")).suffix(UNFINISHED).tempdir_in(&pieces);
        let unfinished = unfinished.map_err(failed)?;
        make_readable(&unfinished);
        // Tells a leftover from work in progress, where the file system has locks.
        let holder = File::open(unfinished.path()).ok();
        if let Some(holder) = &holder {
            let _ = holder.try_lock();
        }
        fill(unfinished.path())?;
        sync_folder(unfinished.path()).map_err(failed)?;
        match fs::rename(unfinished.path(), pieces.join(name)) {
            Ok(()) => {
                // Renamed: there is nothing left to remove.
                let _ = unfinished.keep();
            }
            // Somebody else has made it.
            Err(_) if pieces.join(name).is_dir() => {}
            Err(reason) => return Err(failed(reason)),
        }
        sync_folder(&pieces).map_err(failed)
    }
}

/// Temporary folders are private by default; results are as readable as the user's umask says.
fn make_readable(folder: &TempDir) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask shows in a folder made in the plain way.
        let probe = folder.path().join("probe");
        let mode = fs::create_dir(&probe).and_then(|()| fs::metadata(&probe)).map(|about| about.permissions().mode());
        let _ = fs::remove_dir(&probe);
        if let Ok(mode) = mode {
            let _ = fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
}
