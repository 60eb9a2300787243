//! Files beside the tables that are no tables, in a subfolder of their own.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::atomic;
use crate::error::StoreError;
use crate::folder::{Folder, refuse_unusable};
use crate::input::read_bytes;

/// The files of one subfolder of a results folder, such as `results/<study>/checkpoints/`.
///
/// A document appears whole or not at all under its name, and of two writers the later wins. The subfolder is made
/// with its first document.
#[derive(Clone, Debug)]
pub struct Documents {
    folder: PathBuf,
}

impl Documents {
    /// The documents in this subfolder; touches nothing.
    ///
    /// # Errors
    /// If the name is no plain one.
    pub fn within(folder: &Folder, name: &str) -> Result<Documents, StoreError> {
        Ok(Documents { folder: folder.root().join(plain(name)?) })
    }

    /// The names of all documents, in order; unfinished ones have none.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let entries = atomic::entries(&self.folder)?;
        let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| plain(name).is_ok()).collect();
        names.sort();
        Ok(names)
    }

    /// What a document holds; `None` if it is not there.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match read_bytes(&self.folder.join(plain(name)?)) {
            Err(StoreError::MissingFile { .. }) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Writes a document, replacing one of the same name.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let name = plain(name)?;
        let made = fs::create_dir_all(&self.folder);
        made.map_err(|reason| StoreError::CreateFolder { path: self.folder.clone(), reason })?;
        atomic::write_file(&self.folder, name, bytes)
    }

    /// Removes a document; it is no mistake if it is not there.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.folder.join(plain(name)?);
        match fs::remove_file(&path) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(StoreError::WriteFile { path, reason }),
            _ => Ok(()),
        }
    }

    /// Removes what interrupted processes have left unfinished, and the subfolder itself if nothing else is in it.
    pub fn clean(&self) -> Result<(), StoreError> {
        atomic::remove_leftovers(&self.folder)?;
        // Where there is something left, or nothing ever was, this fails as it should.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// The name, if it is one that no path can hide in.
fn plain(name: &str) -> Result<&str, StoreError> {
    refuse_unusable(name).map(|()| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_and_go() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let documents = Documents::within(&Folder::at(root.path()), "checkpoints").expect("a plain name");
        assert_eq!(documents.names().expect("an empty list"), [""; 0]);
        assert_eq!(documents.read("a").expect("readable"), None);
        documents.write("b", b"two").expect("writable");
        documents.write("a", b"").expect("writable");
        documents.write("a", b"one").expect("writable");
        fs::write(root.path().join("checkpoints/.a.x.tmp"), "half").expect("writable");
        assert_eq!(documents.names().expect("a list"), ["a", "b"]);
        assert_eq!(documents.read("a").expect("readable").as_deref(), Some(&b"one"[..]));
        assert!(matches!(documents.read("../a"), Err(StoreError::UnusableName { .. })));
        documents.remove("a").expect("removable");
        documents.remove("a").expect("gone already");
        documents.clean().expect("listed");
        assert_eq!(documents.names().expect("a list"), ["b"]);
        documents.remove("b").expect("removable");
        fs::remove_file(root.path().join("checkpoints/.a.x.tmp")).expect("our own file");
        documents.clean().expect("listed");
        assert!(!root.path().join("checkpoints").exists());
        documents.clean().expect("nothing to clean");
    }

    #[test]
    fn a_folder_of_documents_is_no_table() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::at(root.path());
        Documents::within(&folder, "checkpoints").expect("a plain name").write("a", b"one").expect("writable");
        assert_eq!(folder.tables().expect("a list"), [""; 0]);
        assert!(!folder.exists());
    }
}
