//! Files that say how far long cells have come, so that a run that is killed in the middle of one goes on from there.
//!
//! A checkpoint is a convenience, never a result: it is written now and then, removed when the rows of its bundle are on
//! disk, and ignored unless every byte of it is what this very program would have written for the same cells. Two
//! processes at the same bundle may both write it: the later wins, and both are right.

use crate::bundle::Bundle;
use crate::identity::{SEMANTICS, digest};
use crate::plan::Plan;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use taut_problem::State;
use taut_store::{Documents, Folder, StoreError};

/// The subfolder of a results folder.
const FOLDER: &str = "checkpoints";
const SUFFIX: &str = ".ckpt";

/// The first line of every checkpoint.
const MAGIC: &[u8] = b"taut checkpoint 1\n";

/// Bytes of a hash.
const HASH: usize = 32;

/// Writing may take this share of the time at the most: a checkpoint that took w seconds is followed by 1/share·w
/// without one.
const LARGEST_SHARE: f64 = 0.05;

/// When a run is asked to stop, work of this length is worth a file, and a file of this size is written in time.
const WORTH_KEEPING: Duration = Duration::from_secs(1);
const QUICKLY_WRITTEN: usize = 64 << 20;

/// Save times that follow each other quickly pass between two looks at the time.
const PATIENCE: u32 = 16;

/// The checkpoints of one results folder, or none.
pub(crate) struct Checkpoints {
    kept: Option<Kept>,
    /// Work after which a checkpoint is due.
    after: Duration,
}

struct Kept {
    documents: Documents,
    program: String,
    version: OnceLock<Option<String>>,
    /// Names of the files that are there.
    names: Mutex<BTreeSet<String>>,
    trouble: Mutex<Option<String>>,
}

impl Checkpoints {
    /// None are written, and none looked for.
    pub(crate) fn off() -> Self {
        Self { kept: None, after: Duration::MAX }
    }

    /// Those of a results folder; files of other programs are removed.
    pub(crate) fn open(folder: &Folder, program: &str, after: Duration) -> Self {
        let Ok(documents) = Documents::within(folder, FOLDER) else { return Self::off() };
        let listed = documents.names();
        let kept = Kept {
            documents,
            program: program.to_owned(),
            version: OnceLock::new(),
            names: Mutex::default(),
            trouble: Mutex::default(),
        };
        let mut names: BTreeSet<String> = match listed {
            Ok(names) => names.into_iter().filter(|name| name.ends_with(SUFFIX)).collect(),
            Err(error) => {
                kept.note(Err(error));
                BTreeSet::new()
            }
        };
        if !names.is_empty() {
            let own = kept.version().map(|version| format!("{version}-"));
            names.retain(|name| {
                let is_own = own.as_ref().is_some_and(|own| name.starts_with(own));
                if !is_own {
                    kept.note(kept.documents.remove(name));
                }
                is_own
            });
            kept.note(kept.documents.clean());
            *kept.names() = names;
        }
        Self { kept: Some(kept), after }
    }

    /// Whether there is nothing to remove.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.names().is_empty())
    }

    /// Removes the checkpoints of a bundle whose rows are on disk.
    pub(crate) fn done(&self, plan: &Plan, bundle: &Bundle) {
        let Some(kept) = self.kept.as_ref().filter(|_| !self.is_empty()) else { return };
        let Some(version) = kept.version() else { return };
        // After a panic the cells were computed one by one.
        for bundle in bundle.single_cells().iter().chain([bundle]) {
            kept.remove(|name| name.starts_with(&format!("{version}-{}-", short(&bundle_key(plan, bundle)))));
        }
    }

    /// Removes all checkpoints, when every cell of the study is on disk.
    pub(crate) fn clear(&self) {
        if let Some(kept) = &self.kept {
            kept.remove(|_| true);
            kept.note(kept.documents.clean());
        }
    }

    /// The first thing that went wrong with a file, if any did: a run goes on without checkpoints.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.kept.as_ref().and_then(|kept| lock(&kept.trouble).clone())
    }

    /// Where a bundle that begins now may be interrupted.
    pub(crate) fn breaks<'a>(&'a self, plan: &'a Plan, bundle: &'a Bundle, stop: &'a AtomicBool) -> Breaks<'a> {
        Breaks { checkpoints: self, plan, bundle, stop, last: Cell::new(Instant::now()), pause: Cell::new(self.after) }
    }
}

impl Kept {
    /// What the bits of a state depend on beside the study: this executable, and the vectors of this processor. `None`
    /// if the executable cannot be read.
    fn version(&self) -> Option<&str> {
        let version = self.version.get_or_init(|| {
            let (executable, vectors) = (executable()?.to_hex(), taut_numerics::vectors());
            Some(short(&digest(&[executable.as_str(), SEMANTICS, &self.program, &vectors].join("\n"))))
        });
        version.as_deref()
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        lock(&self.names)
    }

    fn remove(&self, is_meant: impl Fn(&str) -> bool) {
        let mut names = self.names();
        names.retain(|name| {
            let is_meant = is_meant(name);
            if is_meant {
                self.note(self.documents.remove(name));
            }
            !is_meant
        });
    }

    fn note(&self, outcome: Result<(), StoreError>) {
        if let Err(error) = outcome {
            lock(&self.trouble).get_or_insert(error.to_string());
        }
    }
}

/// The hash of the file that runs here, read once: two builds of one revision may differ.
fn executable() -> Option<&'static blake3::Hash> {
    static HASH: OnceLock<Option<blake3::Hash>> = OnceLock::new();
    let hash = HASH.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(std::env::current_exe().ok()?).ok()?).ok()?;
        Some(hasher.finalize())
    });
    hash.as_ref()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn short(hash: &blake3::Hash) -> String {
    hash.to_hex()[..16].to_owned()
}

/// The cells of a bundle in their order.
fn bundle_key(plan: &Plan, bundle: &Bundle) -> blake3::Hash {
    let key = |cell: &usize| plan.checked.cell(*cell).identity().key;
    digest(&bundle.cells().iter().map(key).collect::<Vec<_>>().join("\n"))
}

/// Where the computation of one bundle may be interrupted, and taken up again.
pub(crate) struct Breaks<'a> {
    checkpoints: &'a Checkpoints,
    plan: &'a Plan,
    bundle: &'a Bundle,
    stop: &'a AtomicBool,
    /// When the bundle began, or its last checkpoint was written.
    last: Cell<Instant>,
    /// How long it is to the next.
    pause: Cell<Duration>,
}

impl Breaks<'_> {
    /// Whether the run is asked to stop.
    pub(crate) fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The checkpoint of one path of the bundle; `meaning` tells it from all others, and is asked for seldom.
    pub(crate) fn bookmark<'b>(&'b self, meaning: &'b dyn Fn() -> blake3::Hash) -> Bookmark<'b> {
        Bookmark { breaks: self, meaning, name: OnceCell::new(), looks: 0 }
    }

    fn elapsed(&self) -> Duration {
        self.last.get().elapsed()
    }
}

/// The checkpoint of one path: how far it has come.
pub(crate) struct Bookmark<'a> {
    breaks: &'a Breaks<'a>,
    meaning: &'a dyn Fn() -> blake3::Hash,
    /// The file, and what it must say of itself.
    name: OnceCell<Option<(String, blake3::Hash)>>,
    looks: u32,
}

impl Bookmark<'_> {
    /// What was kept, if it is whole and of this path.
    pub(crate) fn find(&self) -> Option<State> {
        let kept = self.breaks.checkpoints.kept.as_ref()?;
        if kept.names().is_empty() {
            return None;
        }
        let (name, id) = self.name()?;
        if !kept.names().contains(name) {
            return None;
        }
        let bytes = kept.documents.read(name).ok().flatten()?;
        opened(bytes, id)
    }

    /// Writes a checkpoint if one is due. Asked at every save time, and at most some tens of milliseconds of work later;
    /// `was_long` if it was the latter.
    pub(crate) fn pass(&mut self, was_long: bool, state: impl FnOnce() -> Option<State>) {
        self.looks += 1;
        if self.breaks.checkpoints.kept.is_none() || !was_long && !self.looks.is_multiple_of(PATIENCE) {
            return;
        }
        if self.breaks.elapsed() >= self.breaks.pause.get() {
            self.write(state, usize::MAX);
        }
    }

    /// The path has come to its end: its neighbours may take long, and its rows wait for them.
    pub(crate) fn end(&mut self, state: impl FnOnce() -> Option<State>) {
        if self.breaks.elapsed() >= self.breaks.pause.get() / 4 {
            self.write(state, usize::MAX);
        }
    }

    /// The run stops here.
    pub(crate) fn leave(&mut self, state: impl FnOnce() -> Option<State>) {
        if self.breaks.elapsed() >= self.breaks.checkpoints.after.min(WORTH_KEEPING) {
            self.write(state, QUICKLY_WRITTEN);
        }
    }

    fn write(&mut self, state: impl FnOnce() -> Option<State>, most: usize) {
        let Some(kept) = &self.breaks.checkpoints.kept else { return };
        let began = Instant::now();
        if let Some((name, id)) = self.name()
            && let Some(state) = state().filter(|state| state.as_bytes().len() <= most)
        {
            let written = kept.documents.write(name, &closed(&state, id));
            if written.is_ok() {
                kept.names().insert(name.clone());
            }
            kept.note(written);
        }
        let cost = began.elapsed().as_secs_f64() / LARGEST_SHARE;
        self.breaks.pause.set(self.breaks.checkpoints.after.max(Duration::from_secs_f64(cost)));
        self.breaks.last.set(Instant::now());
    }

    fn name(&self) -> Option<&(String, blake3::Hash)> {
        let Breaks { checkpoints, plan, bundle, .. } = self.breaks;
        let name = self.name.get_or_init(|| {
            let version = checkpoints.kept.as_ref()?.version()?;
            let (bundle, path) = (bundle_key(plan, bundle), (self.meaning)());
            let name = format!("{version}-{}-{}{SUFFIX}", short(&bundle), short(&path));
            Some((name, digest(&format!("{version}\n{}\n{}", bundle.to_hex(), path.to_hex()))))
        });
        name.as_ref()
    }
}

/// A whole file: magic line, what it is of, the state, and the hash of all that.
fn closed(state: &State, id: &blake3::Hash) -> Vec<u8> {
    let mut bytes = [MAGIC, id.as_bytes(), state.as_bytes()].concat();
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

/// The state in a file; `None` if a byte is wrong, or it is of something else.
fn opened(mut bytes: Vec<u8>, id: &blake3::Hash) -> Option<State> {
    let end = bytes.len().checked_sub(HASH)?;
    let (before, hash) = bytes.split_at(end);
    let is_whole = blake3::hash(before) == blake3::Hash::from_slice(hash).ok()?;
    let head = [MAGIC, id.as_bytes()].concat();
    if !is_whole || !before.starts_with(&head) {
        return None;
    }
    bytes.truncate(end);
    bytes.drain(..head.len());
    Some(State::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_files_of_the_same_thing_are_opened() {
        let state = State::of(|memory| memory.values("theta", &mut [1.0, 2.0])).unwrap();
        let (id, other) = (digest("one"), digest("other"));
        let bytes = closed(&state, &id);
        assert_eq!(opened(bytes.clone(), &id), Some(state));
        assert_eq!(opened(bytes.clone(), &other), None);
        assert_eq!(opened(Vec::new(), &id), None);
        for end in 0..bytes.len() {
            assert_eq!(opened(bytes[..end].to_vec(), &id), None);
        }
        for place in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[place] ^= 1;
            assert_eq!(opened(wrong, &id), None);
        }
    }
}
