//! A file that appears whole or not at all.
//!
//! Contents go to a hidden name in the same folder (`.part-3.parquet.x7Fq2k.tmp`, which neither
//! `*.parquet` nor `*` matches), are brought to the disk, and are renamed. A process killed on the way
//! leaves that hidden file behind and nothing else.
//!
//! **Telling leftovers from work in progress.** The writer holds a lock on its unfinished file, and
//! the operating system drops the lock when the process ends, however it ends. So a hidden file whose
//! lock can be had belongs to nobody: no process ids, which mean nothing on another host and are used
//! again on this one. Between a file's creation and its lock lies an instant; files changed within the
//! last minute are left alone for that reason. Where the file system knows no locks, nothing is
//! removed: leftovers cost space, never truth.

use std::fs::{self, DirEntry, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use crate::error::StoreError;

pub(crate) const SUFFIX: &str = ".tmp";
const GRACE: Duration = Duration::from_secs(60);

/// Makes `folder/name` hold these bytes, replacing what was there; the old or the new contents are
/// there at every instant, also if the power fails.
pub(crate) fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |reason| StoreError::WriteFile { path: folder.join(name), reason };
    fill_file(folder, name, |file| file.write_all(bytes).map_err(failed))
}

/// The same with what `fill` writes; nothing appears where that fails.
pub(crate) fn fill_file<T>(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut File) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let failed = |reason| StoreError::WriteFile { path: folder.join(name), reason };
    let mut file = unfinished(folder, name).map_err(failed)?;
    let told = fill(file.as_file_mut())?;
    appear(file, folder, name).map_err(failed)?;
    Ok(told)
}

fn appear(file: NamedTempFile, folder: &Path, name: &str) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(folder.join(name))?;
    sync_folder(folder)
}

/// A new locked file under a hidden name, removed again unless it is renamed.
fn unfinished(folder: &Path, name: &str) -> io::Result<NamedTempFile> {
    let prefix = format!(".{name}.");
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    if let Some(permissions) = readable_by_others() {
        builder.permissions(permissions);
    }
    let file = builder.tempfile_in(folder)?;
    // Nobody else knows the name: this fails only where the file system has no locks.
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Temporary files are private by default; results are as readable as the user's umask says.
#[cfg(unix)]
fn readable_by_others() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn readable_by_others() -> Option<Permissions> {
    None
}

/// Brings a rename in this folder to the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be opened here; the file system orders renames itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Fails where a file cannot be created in this folder. The file has no name, so that a process killed here leaves nothing.
pub(crate) fn try_writing(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Removes unfinished files and folders that no process writes any more.
pub(crate) fn remove_leftovers(folder: &Path) -> Result<(), StoreError> {
    for entry in entries(folder)? {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(SUFFIX) && is_abandoned(&entry) {
            let path = entry.path();
            // Another process may be as quick, and what stays is harmless.
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
    Ok(())
}

/// Gives a file a second name; a copy where the file system knows no second names.
pub(crate) fn link(from: &Path, to: &Path) -> Result<(), StoreError> {
    let linked = fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop));
    linked.map_err(|reason| StoreError::WriteFile { path: to.into(), reason })
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let age = entry.metadata().and_then(|about| about.modified());
    let is_old = age.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > GRACE));
    is_old && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
}

/// What is in a folder; nothing where there is none.
pub(crate) fn entries(folder: &Path) -> Result<Vec<DirEntry>, StoreError> {
    let listed = match fs::read_dir(folder) {
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(listed) => listed.collect::<io::Result<Vec<_>>>(),
        Err(reason) => Err(reason),
    };
    let path = PathBuf::from(folder);
    listed.map_err(|reason| StoreError::ListFolder { path, reason })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tempfile::tempdir;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = entries(folder)
            .expect("the folder is there")
            .iter()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn leave_unfinished(folder: &Path, name: &str, age: Duration) -> File {
        let path = folder.join(name);
        fs::write(&path, "half").expect("the folder is writable");
        let file = File::options().write(true).open(path).expect("just made");
        file.set_modified(SystemTime::now() - age).expect("our own file");
        file
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let folder = tempdir().expect("a temporary folder");
        write_file(folder.path(), "a.txt", b"one").expect("writable");
        write_file(folder.path(), "a.txt", b"two").expect("writable");
        assert_eq!(names(folder.path()), ["a.txt"]);
        assert_eq!(fs::read(folder.path().join("a.txt")).expect("there"), b"two");
    }

    #[test]
    fn unfinished_files_escape_the_glob() {
        let folder = tempdir().expect("a temporary folder");
        let file = unfinished(folder.path(), "part-1.parquet").expect("writable");
        let name = file.path().file_name().expect("a file").to_string_lossy();
        assert!(name.starts_with(".part-1.parquet.") && !name.ends_with(".parquet"));
        drop(file);
        assert!(names(folder.path()).is_empty(), "an error cleans up");
    }

    #[cfg(unix)]
    #[test]
    fn a_finished_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempdir().expect("a temporary folder");
        write_file(folder.path(), "ours", b"").expect("writable");
        fs::write(folder.path().join("plain"), "").expect("writable");
        let mode = |name: &str| {
            let about = fs::metadata(folder.path().join(name)).expect("just made");
            about.permissions().mode()
        };
        assert_eq!(mode("ours"), mode("plain"));
    }

    #[test]
    fn only_old_unlocked_unfinished_files_are_removed() {
        let folder = tempdir().expect("a temporary folder");
        let long_ago = Duration::from_secs(3600);
        leave_unfinished(folder.path(), ".part-1.parquet.aaa.tmp", long_ago);
        leave_unfinished(folder.path(), ".part-2.parquet.bbb.tmp", Duration::ZERO);
        leave_unfinished(folder.path(), "notes.tmp", long_ago);
        let busy = leave_unfinished(folder.path(), ".part-3.parquet.ccc.tmp", long_ago);
        busy.lock().expect("this file system has locks");
        remove_leftovers(folder.path()).expect("the folder can be listed");
        assert_eq!(names(folder.path()), [".part-2.parquet.bbb.tmp", ".part-3.parquet.ccc.tmp", "notes.tmp"]);
        drop(busy);
        remove_leftovers(folder.path()).expect("the folder can be listed");
        assert_eq!(names(folder.path()), [".part-2.parquet.bbb.tmp", "notes.tmp"]);
    }
}
