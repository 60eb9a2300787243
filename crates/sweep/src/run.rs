//! The one place with threads: bundles in parallel, parts written as they complete.

use crate::bundle::{Bundle, Place, bundles, compute, failed};
use crate::checkpoints::Checkpoints;
use crate::identity::digest;
use crate::plan::Plan;
use crate::study::diff_studies;
use crate::tables::{SCHEMA_VERSION, Sheets};
use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use taut_store::{Folder, Provenance, StoreError};

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Worker threads; at least one.
    pub threads: usize,
    /// Move a folder that holds another study aside instead of refusing.
    pub force: bool,
    /// Program version and revision, for the footers.
    pub program: String,
    /// Name of the machine, for `timing`.
    pub host: String,
    /// Work on one bundle after which a checkpoint of it is written; usually [`CHECKPOINT_AFTER`], and
    /// [`Duration::MAX`] for none.
    pub checkpoint_after: Duration,
}

/// What a killed run may lose of every bundle that it was at: half a minute.
pub const CHECKPOINT_AFTER: Duration = Duration::from_secs(30);

/// What happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Cells in the study.
    pub cells: usize,
    /// Cells computed now.
    pub computed: usize,
    /// Cells that were there already.
    pub reused: usize,
    /// Cells whose status is `diverged`, over the whole study.
    pub diverged: usize,
    /// Cells whose status is `failed`, over the whole study.
    pub failed: usize,
    /// The first reasons, with how many cells gave each.
    pub reasons: Vec<(String, usize)>,
    /// Whether the run was asked to stop before the end.
    pub stopped: bool,
    /// Bytes on disk.
    pub bytes: u64,
    /// Where another study's results were moved to.
    pub moved_aside: Option<PathBuf>,
    /// Why long cells could not be checkpointed, if so; the rows do not suffer from that.
    pub checkpoint_trouble: Option<String>,
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

/// Told of progress; called from worker threads.
pub trait Progress: Sync {
    /// The run starts: so many cells, of which some are there already.
    fn started(&self, cells: usize, reused: usize);
    /// Some more cells are computed.
    fn cells_done(&self, count: usize);
    /// A part is on disk.
    fn part_written(&self, part: usize, parts: usize);
}

/// Says nothing.
impl Progress for () {
    fn started(&self, _cells: usize, _reused: usize) {}
    fn cells_done(&self, _count: usize) {}
    fn part_written(&self, _part: usize, _parts: usize) {}
}

/// Runs what is missing of a plan into a folder.
///
/// The rows do not depend on the number of threads, on interruptions, or on what was there before.
/// When `stop` turns true the current part is dropped and the report says `stopped`.
///
/// # Errors
/// If the folder holds another study (and `force` is off), or cannot be read or written.
pub fn run(
    plan: &Plan,
    folder: &Folder,
    options: &RunOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<RunReport, RunError> {
    let mut report = RunReport { cells: plan.cells(), ..RunReport::default() };
    report.moved_aside = claim(plan, folder, options)?;
    let tables: Vec<&str> = plan.schemas.all().iter().map(|s| s.name.as_str()).collect();
    folder.prepare(&tables)?;
    let manifest = manifest(plan, &options.program);
    if folder.read_manifest()?.as_ref() != Some(&manifest) {
        folder.write_manifest(&manifest)?;
    }
    let missing = missing_parts(plan, folder, &tables)?;
    let to_compute: usize = missing.iter().map(|&part| plan.part(part).len()).sum();
    report.reused = report.cells - to_compute;
    let checkpoints = match options.checkpoint_after {
        Duration::MAX => Checkpoints::off(),
        after => Checkpoints::open(folder, &options.program, after),
    };
    progress.started(report.cells, report.reused);

    let threads = options.threads.max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| RunError::Threads { threads, reason: e.to_string() })?;
    let context = Context {
        plan,
        folder,
        progress,
        stop,
        place: Place { host: options.host.clone(), threads },
        provenance: provenance(plan, options),
        checkpoints: &checkpoints,
    };
    report.computed = context.run_parts(&pool, &missing)?;
    report.stopped = report.computed < to_compute;
    if !report.stopped {
        checkpoints.clear();
        count_endings(folder, &mut report)?;
    }
    report.checkpoint_trouble = checkpoints.trouble();
    report.bytes = folder.bytes()?;
    Ok(report)
}

struct Context<'a> {
    plan: &'a Plan,
    folder: &'a Folder,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
    place: Place,
    provenance: Provenance,
    checkpoints: &'a Checkpoints,
}

impl Context<'_> {
    /// Computes part after part on the pool; a thread of its own joins and writes each while the next
    /// is computed, because a worker that waits for the disk computes nothing. Two parts are in memory.
    fn run_parts(&self, pool: &rayon::ThreadPool, missing: &[usize]) -> Result<usize, StoreError> {
        std::thread::scope(|scope| {
            let (parts, waiting) = std::sync::mpsc::sync_channel::<(usize, Vec<Sheets>)>(0);
            let writer = scope.spawn(move || -> Result<usize, StoreError> {
                let mut cells = 0;
                for (part, sheets) in waiting {
                    cells += self.write(part, sheets)?;
                }
                Ok(cells)
            });
            for &part in missing {
                let Some(sheets) = pool.install(|| self.compute(part)) else { break };
                if parts.send((part, sheets)).is_err() {
                    // The writer has met an error, and says so below.
                    break;
                }
            }
            drop(parts);
            writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// The rows of a part in the order of its bundles; `None` if asked to stop.
    fn compute(&self, part: usize) -> Option<Vec<Sheets>> {
        let bundles = bundles(self.plan, self.plan.part(part));
        bundles.par_iter().map(|bundle| self.compute_bundle(bundle)).collect()
    }

    fn compute_bundle(&self, bundle: &Bundle) -> Option<Sheets> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let sheets = match self.try_bundle(bundle) {
            Ok(sheets) => sheets?,
            Err(reason) if bundle.cells().len() == 1 => failed(self.plan, bundle, &reason, &self.place),
            Err(_) => self.compute_alone(bundle)?,
        };
        self.progress.cells_done(bundle.cells().len());
        Some(sheets)
    }

    /// Rows of a bundle, `None` if asked to stop, or the message of a panic.
    fn try_bundle(&self, bundle: &Bundle) -> Result<Option<Sheets>, String> {
        catch_unwind(AssertUnwindSafe(|| compute(self.plan, bundle, &self.place, self.stop, self.checkpoints)))
            .map_err(|panic| panic_message(&*panic))
    }

    /// Cell by cell, so that one that panics does not take its neighbours along: a cell's rows do
    /// not depend on its company.
    fn compute_alone(&self, bundle: &Bundle) -> Option<Sheets> {
        let mut all = Sheets::new(&self.plan.schemas);
        for alone in bundle.single_cells() {
            let sheets = match self.try_bundle(&alone) {
                Ok(sheets) => sheets?,
                Err(reason) => failed(self.plan, &alone, &reason, &self.place),
            };
            all.append(&sheets);
        }
        Some(all)
    }

    /// Writes a part's tables, `cells` last; returns the number of cells.
    fn write(&self, part: usize, computed: Vec<Sheets>) -> Result<usize, StoreError> {
        let mut sheets = Sheets::new(&self.plan.schemas);
        for bundle in computed {
            sheets.append(&bundle);
        }
        for rows in sheets.in_writing_order() {
            self.folder.write_part(&part_name(part), rows, &self.provenance)?;
        }
        if !self.checkpoints.is_empty() {
            let bundles = bundles(self.plan, self.plan.part(part));
            bundles.iter().for_each(|bundle| self.checkpoints.done(self.plan, bundle));
        }
        self.progress.part_written(part, self.plan.parts());
        Ok(self.plan.part(part).len())
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    format!("panicked: {text}")
}

fn part_name(part: usize) -> String {
    format!("{part:05}")
}

/// Makes sure that the folder is this study's, or empty.
fn claim(plan: &Plan, folder: &Folder, options: &RunOptions) -> Result<Option<PathBuf>, RunError> {
    if !folder.exists() {
        return Ok(None);
    }
    let stored = folder.read_manifest()?;
    let text = |key: &str| stored.as_ref().and_then(|m| m[key].as_str()).unwrap_or_default();
    if text("fingerprint") == fingerprint(plan) {
        return Ok(None);
    }
    if folder.tables()?.is_empty() {
        // A run that was stopped before its first part has left nothing to lose.
        return Ok(None);
    }
    if options.force {
        return Ok(Some(folder.move_aside()?));
    }
    let mut differences = match &stored {
        None => vec!["the folder has tables but no manifest.json that says whose they are".to_owned()],
        Some(_) => diff_studies(text("study"), &plan.checked.text),
    };
    if differences.is_empty() && text("semantics") != crate::identity::SEMANTICS {
        differences.push(format!(
            "the same study under another version of the numbers: stored {}, now {}",
            text("semantics"),
            crate::identity::SEMANTICS
        ));
    }
    if differences.is_empty() {
        let files = plan.files();
        differences.push(format!("a file that the study reads has changed: {}", files.join(", ")));
    }
    Err(RunError::OtherStudy { folder: folder.root().display().to_string(), differences })
}

/// What the stored rows depend on: not title, question, claims or figures.
pub fn fingerprint(plan: &Plan) -> String {
    let meaning = format!("{}\n{SCHEMA_VERSION}\n{}\n{}", plan.meaning(), plan.cells(), plan.parts());
    digest(&meaning).to_hex()[..32].to_owned()
}

/// What `manifest.json` says of the results of a plan.
pub fn manifest(plan: &Plan, program: &str) -> serde_json::Value {
    let study = &plan.checked.study;
    serde_json::json!({
        "schema_version": SCHEMA_VERSION,
        "semantics": crate::identity::SEMANTICS,
        "program": program,
        "fingerprint": fingerprint(plan),
        "title": study.title,
        "question": study.question,
        "quick": plan.checked.quick,
        "cells": plan.cells(),
        "parts": plan.parts(),
        "metrics": plan.metrics.iter().map(|m| m.name).collect::<Vec<_>>(),
        "tables": plan.schemas.all().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        "claims": serde_json::to_value(&study.claim).unwrap_or_default(),
        "figures": serde_json::to_value(&study.figure).unwrap_or_default(),
        "study": plan.checked.text,
    })
}

fn provenance(plan: &Plan, options: &RunOptions) -> Provenance {
    Provenance {
        schema_version: SCHEMA_VERSION.to_owned(),
        program: options.program.clone(),
        study: plan.checked.text.clone(),
        extra: vec![("taut.semantics".to_owned(), crate::identity::SEMANTICS.to_owned())],
    }
}

/// Parts that are not there in every table, or cannot be read.
fn missing_parts(plan: &Plan, folder: &Folder, tables: &[&str]) -> Result<Vec<usize>, StoreError> {
    let stored: Vec<Vec<String>> = tables.iter().map(|t| folder.parts(t)).collect::<Result<_, _>>()?;
    Ok((0..plan.parts())
        .filter(|&part| {
            let name = part_name(part);
            let there = stored.iter().all(|parts| parts.binary_search(&name).is_ok());
            !(there && tables.iter().all(|table| folder.part_is_readable(table, &name)))
        })
        .collect())
}

/// Counts statuses over the finished study, part by part.
fn count_endings(folder: &Folder, report: &mut RunReport) -> Result<(), StoreError> {
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for part in folder.parts("cells")? {
        let table = folder.read_part("cells", &part)?;
        for (status, reason) in table.texts("status")?.into_iter().zip(table.texts("reason")?) {
            match status.as_deref() {
                Some("diverged") => report.diverged += 1,
                Some("failed") => report.failed += 1,
                _ => continue,
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
