//! One process at a time assembles the parts of a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;

use crate::error::StoreError;
use crate::folder::{Folder, create_folder};

const NAME: &str = ".lock";

/// The right to change the parts of a folder, until it is dropped or its process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    /// None where the file system knows no locks.
    _file: Option<File>,
}

impl Folder {
    /// Takes the right to change parts; `None` if another process has it.
    ///
    /// Where a file system knows no locks, everybody gets it: parts are replaced by fuller ones alone, so two processes
    /// do no harm but double work.
    pub fn try_lock(&self) -> Result<Option<Lock>, StoreError> {
        create_folder(self.root())?;
        let path = self.root().join(NAME);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|reason| match reason.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StoreError::FolderNotWritable { path: self.root().to_path_buf(), reason }
            }
            _ => StoreError::WriteFile { path, reason },
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_)) => Ok(Some(Lock { _file: None })),
        }
    }
}
