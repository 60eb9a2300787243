//! A run: what is missing is computed in parallel and written as it is finished.
//!
//! Three kinds of threads. Workers compute bundles. The calling thread hands bundles out and gathers their rows. A
//! writer puts rows into files, because a worker that waits for the disk computes nothing.

use crate::checkpoints::Checkpoints;
use crate::desk::compute_all;
use crate::growth::settle;
use crate::keeping::{RECORD_KEY, kept};
use crate::plan::Plan;
use crate::spent::{Spent, Writing};
use crate::stock::{FINGERPRINT_KEY, Look, SEMANTICS_KEY, Stock, part_name};
use crate::tables::SCHEMA_VERSION;
use crate::work::{Shard, Task, numbers, of_share, share, whole};
use crate::writer::absorb;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use taut_store::{Folder, Lock, Lot, Provenance, StoreError};

/// What a killed run may lose of every bundle that it was at: half a minute.
pub const CHECKPOINT_AFTER: Duration = Duration::from_secs(30);

/// How often the calling thread looks at the clock and at `stop`.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Worker threads; at least one.
    pub threads: usize,
    /// Move a folder that holds another study aside instead of refusing.
    pub force: bool,
    /// Compute this share alone, into pieces; all of it, into parts, if there is none.
    pub shard: Option<Shard>,
    /// Compute cells again that failed.
    pub retry_failed: bool,
    /// Stop when more cells than this have failed, or diverged without leave.
    pub max_failures: Option<usize>,
    /// Program version and revision, for the footers.
    pub program: String,
    /// Name of the machine, for `timing`.
    pub host: String,
    /// Work on one bundle after which a checkpoint of it is written; usually [`CHECKPOINT_AFTER`], and
    /// [`Duration::MAX`] for none.
    pub checkpoint_after: Duration,
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunReport {
    /// Cells that were asked for: of the study, or of the shard.
    pub cells: usize,
    /// Cells computed now.
    pub computed: usize,
    /// Cells that were there already.
    pub reused: usize,
    /// Cells whose status is `diverged`, over all that is in the parts.
    pub diverged: usize,
    /// Cells whose status is `failed`, over all that is in the parts.
    pub failed: usize,
    /// The first reasons, with how many cells gave each.
    pub reasons: Vec<(String, usize)>,
    /// Whether the run was asked to stop before the end.
    pub stopped: bool,
    /// Whether it stopped because too many cells failed.
    pub gave_up: bool,
    /// Cells that are stored and had to be computed again, by reason.
    pub unusable: Vec<(String, usize)>,
    /// Files that could not be read; their cells were computed again.
    pub broken: Vec<String>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Where columns, tables and rows that the study does not have any more are kept.
    pub kept_aside: Option<PathBuf>,
    /// Where another study's results were moved to.
    pub moved_aside: Option<PathBuf>,
    /// Why long cells could not be checkpointed, if so; the rows do not suffer from that.
    pub checkpoint_trouble: Option<String>,
    /// Where the time of the workers went, all threads together.
    pub spent: Spent,
    /// What the writer took.
    pub writing: Writing,
}

/// Why a run could not be.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder holds results of another study.
    #[error(
        "{folder} holds the results of another study:\n{}\nnothing was changed; give another folder with --out, or --force to move the old one aside",
        differences.iter().map(|d| format!("  {d}")).collect::<Vec<_>>().join("\n")
    )]
    OtherStudy {
        /// The folder.
        folder: String,
        /// What differs, key by key.
        differences: Vec<String>,
    },
    /// A folder is another process's, and the run was told to stop while it waited.
    #[error("stopped while waiting for another process that works in {folder}")]
    Locked {
        /// The folder.
        folder: String,
    },
    /// The store could not read or write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread pool could not be built.
    #[error("cannot start {threads} threads: {reason}; try --threads 1")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}

/// Told of progress; called from several threads.
pub trait Progress: Send + Sync {
    /// Another process works in the folder: the run waits for it. Told once.
    fn waiting(&self);
    /// The run starts: so many cells, of which some are there already.
    fn started(&self, cells: usize, reused: usize);
    /// Some more cells are computed.
    fn cells_done(&self, count: usize);
    /// The run was told to stop, and writes what is finished.
    fn stopping(&self);
}

/// Says nothing.
impl Progress for () {
    fn waiting(&self) {}
    fn started(&self, _cells: usize, _reused: usize) {}
    fn cells_done(&self, _count: usize) {}
    fn stopping(&self) {}
}

/// Runs what is missing of a plan into a folder.
///
/// The rows do not depend on the number of threads, on shards, on interruptions, or on what was there before. When `stop`
/// turns true, what is finished is written within seconds, what is not is dropped, and the report says `stopped`; workers in the
/// middle of something may go on for a while, and what they do is lost.
///
/// # Errors
/// If the folder holds another study (and `force` is off), or cannot be read or written.
pub fn run(
    plan: &Arc<Plan>,
    folder: &Folder,
    options: &RunOptions,
    progress: &Arc<dyn Progress>,
    stop: &AtomicBool,
) -> Result<RunReport, RunError> {
    let mut report = RunReport::default();
    let lock = lock(folder, progress, stop)?;
    let settled = settle(plan, folder, &options.program, (options.force, options.shard.is_some()))?;
    // The folder that was locked may have been moved aside.
    let lock = if settled.moved_aside.is_some() { lock_again(folder, progress, stop, lock)? } else { lock };
    (report.moved_aside, report.kept_aside) = (settled.moved_aside, settled.kept_aside);
    folder.prepare(&plan.table_names())?;
    // Shards write pieces with names of their own, and need nobody's leave.
    let lock = options.shard.is_none().then_some(lock);
    // A shard only asks what is done: whoever puts its pieces into parts reads all of their bytes.
    let look = Look { retry_failed: options.retry_failed, verify: options.shard.is_none(), ..Look::default() };
    let stock = Stock::take(plan, folder, look)?;
    report.unusable = stock.unusable.iter().map(|(reason, cells)| (reason.clone(), *cells)).collect();
    report.broken = stock.broken.clone();
    report.broken.extend(stock.damaged.iter().map(|lot| lot.path("cells").display().to_string()));
    let share = options.shard.map(|shard| share(plan, shard));
    let own: Option<BTreeSet<i64>> = share.as_ref().map(|share| numbers(plan, share).into_iter().collect());
    report.cells = own.as_ref().map_or(plan.cells(), BTreeSet::len);
    let tasks = match share {
        None => whole(plan, &stock),
        Some(share) => of_share(plan, &stock, share),
    };
    let missing: usize = tasks.iter().map(Task::cells).sum();
    report.reused = report.cells - missing;
    progress.started(report.cells, report.reused);
    let checkpoints = Arc::new(match options.checkpoint_after {
        Duration::MAX => Checkpoints::off(),
        after => Checkpoints::open(folder, &options.program, after),
    });
    let ended = compute_all(plan, (folder, &stock, &checkpoints), tasks, options, progress, stop)?;
    (report.computed, report.gave_up) = (ended.computed, ended.gave_up);
    (report.spent, report.writing) = (ended.spent, ended.writing);
    report.stopped = report.computed < missing && !report.gave_up;
    if lock.is_some() {
        absorb(plan, folder, &stock, report.computed == missing)?;
        if report.computed == missing {
            checkpoints.clear();
        }
    }
    report.checkpoint_trouble = checkpoints.trouble();
    count_endings(plan, folder, own.as_ref(), &mut report)?;
    report.bytes = folder.bytes()?;
    Ok(report)
}

/// Waits for the right to change the parts of a folder.
pub(crate) fn lock(folder: &Folder, progress: &Arc<dyn Progress>, stop: &AtomicBool) -> Result<Lock, RunError> {
    let (began, mut has_told) = (Instant::now(), false);
    loop {
        match folder.try_lock()? {
            Some(lock) => return Ok(lock),
            None if stop.load(Ordering::Relaxed) => {
                return Err(RunError::Locked { folder: folder.root().display().to_string() });
            }
            // Shards that start together wait for each other for a moment.
            None if !has_told && began.elapsed() > Duration::from_secs(1) => {
                progress.waiting();
                has_told = true;
            }
            None => std::thread::sleep(TICK),
        }
    }
}

fn lock_again(folder: &Folder, progress: &Arc<dyn Progress>, stop: &AtomicBool, old: Lock) -> Result<Lock, RunError> {
    drop(old);
    lock(folder, progress, stop)
}

/// What `manifest.json` says of the results of a plan.
pub fn manifest(plan: &Plan, program: &str) -> serde_json::Value {
    let study = &plan.checked.study;
    serde_json::json!({
        "schema_version": SCHEMA_VERSION,
        "semantics": crate::identity::SEMANTICS,
        "program": program,
        "fingerprint": plan.fingerprint(),
        "title": study.title,
        "question": study.question,
        "quick": plan.checked.quick,
        "cells": plan.cells(),
        "parts": plan.parts(),
        "metrics": plan.metrics.iter().map(|m| m.name).collect::<Vec<_>>(),
        "tables": plan.schemas.all().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        "claims": serde_json::to_value(&study.claim).unwrap_or_default(),
        "figures": serde_json::to_value(&study.figure).unwrap_or_default(),
        "record": kept(plan),
        "study": plan.checked.text,
        // The files that it reads are looked for from there.
        "study_path": plan.checked.path(),
    })
}

/// What every file says of its origin.
pub(crate) fn provenance(plan: &Plan, program: &str) -> Provenance {
    Provenance {
        schema_version: SCHEMA_VERSION.to_owned(),
        program: program.to_owned(),
        study: plan.checked.text.clone(),
        extra: vec![
            (SEMANTICS_KEY.to_owned(), crate::identity::SEMANTICS.to_owned()),
            (FINGERPRINT_KEY.to_owned(), plan.fingerprint().to_owned()),
            (RECORD_KEY.to_owned(), kept(plan).to_string()),
        ],
    }
}

/// Counts statuses over what is stored; of a shard over its own cells, wherever they are.
fn count_endings(
    plan: &Plan,
    folder: &Folder,
    own: Option<&BTreeSet<i64>>,
    report: &mut RunReport,
) -> Result<(), StoreError> {
    let parts = (0..plan.parts()).map(|part| folder.part(&part_name(part))).filter(|part| part.has("cells"));
    let lots: Vec<Lot> = match own {
        None => parts.collect(),
        Some(_) => parts.chain(folder.pieces()?).collect(),
    };
    // A cell may be in a part and in a piece that has not been cleaned up.
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for lot in lots {
        // One that has gone, or cannot be read, is told elsewhere.
        let Ok(table) = lot.columns("cells", &["cell", "status", "reason"]) else { continue };
        let (statuses, said) = (table.texts("status")?, table.texts("reason")?);
        for (cell, (status, reason)) in table.into_rows().ints(0).iter().zip(statuses.into_iter().zip(said)) {
            let is_bad = matches!(status.as_deref(), Some("diverged" | "failed"));
            if !is_bad || own.is_some_and(|own| !own.contains(cell)) || !seen.insert(*cell) {
                continue;
            }
            match status.as_deref() {
                Some("diverged") => report.diverged += 1,
                _ => report.failed += 1,
            }
            let reason = reason.unwrap_or_default();
            let known = reasons.iter().position(|(known, _)| *known == reason);
            match known {
                Some(at) => reasons[at].1 += 1,
                None if reasons.len() < 5 => reasons.push((reason, 1)),
                None => {}
            }
        }
    }
    report.reasons = reasons;
    Ok(())
}
