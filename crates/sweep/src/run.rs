//! A run: what is missing is computed in parallel and written as it is finished.
//!
//! Three kinds of threads. Workers compute bundles. The calling thread hands bundles out and gathers their rows. A
//! writer puts rows into files, because a worker that waits for the disk computes nothing.

use crate::assembly::Assembly;
use crate::bundle::{Bundle, Place, compute, failed};
use crate::checkpoints::Checkpoints;
use crate::growth::settle;
use crate::keeping::{RECORD_KEY, kept};
use crate::plan::Plan;
use crate::stock::{FINGERPRINT_KEY, Look, SEMANTICS_KEY, State, Stock, part_name};
use crate::tables::{SCHEMA_VERSION, Sheets};
use crate::work::{Goal, Shard, Task, cells_of_shard, of_shard, whole};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use taut_store::{Folder, Lock, Lot, Provenance, StoreError};

/// Finished cells wait for their part at most about this long before they are written as a piece: what a kill loses.
const WAIT: Duration = Duration::from_secs(10);

/// A task that takes long is written less often: each time it has taken this much longer, as a share.
const LONGER: f64 = 0.02;

/// Bundles that are still computed when a run is told to stop have this long to end.
const LAST_CALL: Duration = Duration::from_secs(2);

/// What a killed run may lose of every bundle that it was at: half a minute.
pub const CHECKPOINT_AFTER: Duration = Duration::from_secs(30);

/// How often the calling thread looks at the clock and at `stop`.
const TICK: Duration = Duration::from_millis(50);

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Whether the folder held results of a smaller study, which have been kept.
    pub has_grown: bool,
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
    let settled = settle(plan, folder, &options.program, options.force)?;
    // The folder that was locked may have been moved aside.
    let lock = if settled.moved_aside.is_some() { lock_again(folder, progress, stop, lock)? } else { lock };
    (report.moved_aside, report.has_grown) = (settled.moved_aside, settled.has_grown);
    folder.prepare(&plan.table_names())?;
    // Shards write pieces with names of their own, and need nobody's leave.
    let lock = options.shard.is_none().then_some(lock);
    // A shard only asks what is done: whoever puts its pieces into parts reads all of their bytes.
    let look = Look { retry_failed: options.retry_failed, verify: options.shard.is_none(), ..Look::default() };
    let stock = Stock::take(plan, folder, look)?;
    report.unusable = stock.unusable.iter().map(|(reason, cells)| (reason.clone(), *cells)).collect();
    let tasks = match options.shard {
        None => whole(plan, &stock),
        Some(shard) => of_shard(plan, &stock, shard),
    };
    let missing: usize = tasks.iter().map(Task::cells).sum();
    report.cells = match options.shard {
        None => plan.cells(),
        Some(shard) => cells_of_shard(plan, shard).len(),
    };
    report.reused = report.cells - missing;
    progress.started(report.cells, report.reused);
    let checkpoints = Arc::new(match options.checkpoint_after {
        Duration::MAX => Checkpoints::off(),
        after => Checkpoints::open(folder, &options.program, after),
    });
    let ended = compute_all(plan, (folder, &stock, &checkpoints), tasks, options, progress, stop)?;
    (report.computed, report.gave_up) = (ended.computed, ended.gave_up);
    report.stopped = report.computed < missing && !report.gave_up;
    if lock.is_some() {
        absorb(plan, folder, &stock, report.computed == missing)?;
        if report.computed == missing {
            checkpoints.clear();
        }
    }
    report.checkpoint_trouble = checkpoints.trouble();
    count_endings(plan, folder, options.shard, &mut report)?;
    report.bytes = folder.bytes()?;
    Ok(report)
}

/// Waits for the right to change the parts of a folder.
pub(crate) fn lock(folder: &Folder, progress: &Arc<dyn Progress>, stop: &AtomicBool) -> Result<Lock, RunError> {
    let mut has_told = false;
    loop {
        match folder.try_lock()? {
            Some(lock) => return Ok(lock),
            None if stop.load(Ordering::Relaxed) => {
                return Err(RunError::Locked { folder: folder.root().display().to_string() });
            }
            None if !has_told => {
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

/// How the computing ended.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    computed: usize,
    gave_up: bool,
}

/// What a worker hands back.
struct Done {
    task: usize,
    bundle: Bundle,
    /// None if it was told to stop.
    sheets: Option<Sheets>,
}

/// What the writer is told.
enum Order {
    /// A part of the plan, with these rows and what the stock has; then these pieces are of no use any more.
    Part { part: usize, rows: Gathered },
    /// These rows by themselves; then these pieces are of no use any more.
    Piece { name: String, rows: Gathered },
}

/// Rows to be written, and what becomes useless by that.
struct Gathered {
    fresh: Vec<Arc<Sheets>>,
    /// Whose checkpoints nobody needs any more.
    bundles: Vec<Bundle>,
    pieces: Vec<String>,
}

/// A task that is being computed.
struct Open {
    number: usize,
    goal: Goal,
    /// Bundles that nobody has begun, the next one last.
    waiting: Vec<Bundle>,
    /// Bundles that are not back yet.
    missing: usize,
    fresh: Vec<Arc<Sheets>>,
    /// The bundle of each.
    finished: Vec<Bundle>,
    /// How many of `fresh` are on disk, in these pieces.
    written: usize,
    pieces: Vec<String>,
    began: Instant,
    last_written: Instant,
}

impl Open {
    fn new(number: usize, task: Task) -> Self {
        let (missing, mut waiting, now) = (task.bundles.len(), task.bundles, Instant::now());
        waiting.reverse();
        Self {
            number,
            goal: task.goal,
            waiting,
            missing,
            fresh: Vec::new(),
            finished: Vec::new(),
            written: 0,
            pieces: Vec::new(),
            began: now,
            last_written: now,
        }
    }

    /// Whether finished cells have waited long enough.
    fn is_due(&self) -> bool {
        let patience = WAIT.max(self.began.elapsed().mul_f64(LONGER));
        self.written < self.fresh.len() && self.last_written.elapsed() >= patience
    }

    /// The finished rows that are not on disk, as a piece.
    fn piece(&mut self) -> Order {
        let name = piece_name();
        self.pieces.push(name.clone());
        let fresh = self.fresh[self.written..].to_vec();
        let bundles = self.finished[self.written..].to_vec();
        (self.written, self.last_written) = (self.fresh.len(), Instant::now());
        Order::Piece { name, rows: Gathered { fresh, bundles, pieces: Vec::new() } }
    }

    /// All rows, now that all are there.
    fn end(self) -> Order {
        let rows = Gathered { fresh: self.fresh, bundles: self.finished, pieces: self.pieces };
        match self.goal {
            Goal::Part(part) => Order::Part { part, rows },
            Goal::Piece => Order::Piece { name: piece_name(), rows },
        }
    }
}

/// A name that nobody else gives.
fn piece_name() -> String {
    use std::hash::{BuildHasher, Hasher};
    let draw = || std::hash::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}

fn compute_all(
    plan: &Arc<Plan>,
    (folder, stock, checkpoints): (&Folder, &Stock, &Arc<Checkpoints>),
    tasks: Vec<Task>,
    options: &RunOptions,
    progress: &Arc<dyn Progress>,
    stop: &AtomicBool,
) -> Result<Ended, RunError> {
    let threads = options.threads.max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| RunError::Threads { threads, reason: e.to_string() })?;
    let (results, gathered) = channel();
    let workshop = Workshop {
        plan: Arc::clone(plan),
        place: Place { host: options.host.clone(), threads },
        progress: Arc::clone(progress),
        halt: Arc::new(AtomicBool::new(false)),
        checkpoints: Arc::clone(checkpoints),
        results,
    };
    std::thread::scope(|scope| {
        let (orders, inbox) = sync_channel(1);
        let provenance = provenance(plan, &options.program);
        let writer = scope.spawn(move || {
            let mut writer = Writer { plan, folder, assembly: Assembly::new(plan, stock), checkpoints, provenance };
            inbox.into_iter().try_for_each(|order| writer.obey(order))
        });
        let mut desk = Desk {
            pool: &pool,
            workshop,
            gathered,
            orders,
            tasks: tasks.into_iter().enumerate().collect(),
            open: VecDeque::new(),
            in_flight: 0,
            ended: Ended::default(),
            failures: 0,
        };
        desk.run(options, stop);
        let ended = desk.ended;
        drop(desk);
        writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(ended)
    })
}

/// Hands bundles out and gathers rows.
struct Desk<'a> {
    pool: &'a rayon::ThreadPool,
    workshop: Workshop,
    gathered: Receiver<Done>,
    orders: SyncSender<Order>,
    tasks: VecDeque<(usize, Task)>,
    open: VecDeque<Open>,
    in_flight: usize,
    ended: Ended,
    failures: usize,
}

/// The writer has met an error, and says so itself.
struct NoWriter;

impl Desk<'_> {
    /// Until everything is computed and ordered to be written, or nothing more is to be.
    fn run(&mut self, options: &RunOptions, stop: &AtomicBool) {
        // Enough that no worker waits for this thread.
        let most = 4 * options.threads.max(1);
        loop {
            if stop.load(Ordering::Relaxed) || options.max_failures.is_some_and(|most| self.failures > most) {
                self.ended.gave_up = !stop.load(Ordering::Relaxed);
                break;
            }
            self.hand_out(most);
            if self.in_flight == 0 {
                break;
            }
            let step = match self.gathered.recv_timeout(TICK) {
                Ok(done) => self.take(done),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if step.and_then(|()| self.write_what_waits(Open::is_due)).is_err() {
                break;
            }
        }
        self.workshop.halt.store(true, Ordering::Relaxed);
        if self.in_flight > 0 {
            self.workshop.progress.stopping();
            self.last_call();
        }
        // A writer with an error has said what there is to say.
        let _ = self.write_what_waits(|open| open.written < open.fresh.len());
    }

    /// Keeps the pool supplied, from two tasks at the most: the second one starts when the first has no bundle left.
    fn hand_out(&mut self, most: usize) {
        while self.in_flight < most {
            let next = self.open.iter_mut().find_map(|open| Some((open.number, open.waiting.pop()?)));
            match next {
                Some((task, bundle)) => {
                    self.in_flight += 1;
                    let workshop = self.workshop.clone();
                    self.pool.spawn_fifo(move || workshop.work(task, bundle));
                }
                None if self.open.len() < 2 => {
                    let Some((number, task)) = self.tasks.pop_front() else { return };
                    self.open.push_back(Open::new(number, task));
                    // A part may have all its cells in pieces.
                    if self.close_full().is_err() {
                        return;
                    }
                }
                None => return,
            }
        }
    }

    fn take(&mut self, done: Done) -> Result<(), NoWriter> {
        self.in_flight -= 1;
        let Some(open) = self.open.iter_mut().find(|open| open.number == done.task) else { return Ok(()) };
        let Some(sheets) = done.sheets else { return Ok(()) };
        open.missing -= 1;
        self.ended.computed += done.bundle.cells().len();
        open.finished.push(done.bundle);
        self.failures += sheets.failures(&self.workshop.plan);
        open.fresh.push(Arc::new(sheets));
        self.close_full()
    }

    /// Orders tasks to be written of which everything is there.
    fn close_full(&mut self) -> Result<(), NoWriter> {
        while let Some(at) = self.open.iter().position(|open| open.missing == 0) {
            let Some(open) = self.open.remove(at) else { break };
            self.order(open.end())?;
        }
        Ok(())
    }

    fn write_what_waits(&mut self, is_due: impl Fn(&Open) -> bool) -> Result<(), NoWriter> {
        for at in 0..self.open.len() {
            if is_due(&self.open[at]) {
                let order = self.open[at].piece();
                self.order(order)?;
            }
        }
        Ok(())
    }

    fn order(&self, order: Order) -> Result<(), NoWriter> {
        self.orders.send(order).map_err(|_| NoWriter)
    }

    /// Workers look at `halt` every few milliseconds in their loops; what is not back by then is dropped.
    fn last_call(&mut self) {
        let began = Instant::now();
        while self.in_flight > 0 {
            let Some(left) = LAST_CALL.checked_sub(began.elapsed()) else { return };
            let Ok(done) = self.gathered.recv_timeout(left) else { return };
            if self.take(done).is_err() {
                return;
            }
        }
    }
}

/// What a worker needs.
#[derive(Clone)]
struct Workshop {
    plan: Arc<Plan>,
    place: Place,
    progress: Arc<dyn Progress>,
    halt: Arc<AtomicBool>,
    checkpoints: Arc<Checkpoints>,
    results: Sender<Done>,
}

impl Workshop {
    fn work(&self, task: usize, bundle: Bundle) {
        let sheets = self.compute_bundle(&bundle);
        if sheets.is_some() {
            self.progress.cells_done(bundle.cells().len());
        }
        // Nobody waits for it any more if the run has ended.
        let _ = self.results.send(Done { task, bundle, sheets });
    }

    fn compute_bundle(&self, bundle: &Bundle) -> Option<Sheets> {
        if self.halt.load(Ordering::Relaxed) {
            return None;
        }
        match self.try_bundle(bundle) {
            Ok(sheets) => sheets,
            Err(reason) if bundle.cells().len() == 1 => Some(failed(&self.plan, bundle, &reason, &self.place)),
            Err(_) => self.compute_alone(bundle),
        }
    }

    /// Rows of a bundle, `None` if asked to stop, or the message of a panic.
    fn try_bundle(&self, bundle: &Bundle) -> Result<Option<Sheets>, String> {
        catch_unwind(AssertUnwindSafe(|| compute(&self.plan, bundle, &self.place, &self.halt, &self.checkpoints)))
            .map_err(|panic| panic_message(&*panic))
    }

    /// Cell by cell, so that one that panics does not take its neighbours along: a cell's rows do
    /// not depend on its company.
    fn compute_alone(&self, bundle: &Bundle) -> Option<Sheets> {
        let mut all = Sheets::new(&self.plan.schemas);
        for alone in bundle.single_cells() {
            let sheets = match self.try_bundle(&alone) {
                Ok(sheets) => sheets?,
                Err(reason) => failed(&self.plan, &alone, &reason, &self.place),
            };
            all.append(&sheets);
        }
        Some(all)
    }
}

/// Puts rows into files.
struct Writer<'a> {
    plan: &'a Plan,
    folder: &'a Folder,
    assembly: Assembly<'a>,
    checkpoints: &'a Checkpoints,
    provenance: Provenance,
}

impl Writer<'_> {
    fn obey(&mut self, order: Order) -> Result<(), StoreError> {
        let Gathered { bundles, pieces, .. } = match order {
            Order::Part { part, rows } => {
                let wanted = self.assembly.wanted(part, &rows.fresh);
                write_part(self.plan, self.folder, &mut self.assembly, part, &wanted, &rows.fresh, &self.provenance)?;
                rows
            }
            Order::Piece { name, rows } => {
                let wanted = self.assembly.fresh_cells(&rows.fresh);
                let tables = 0..self.plan.schemas.in_writing_order().len();
                let tables = tables.map(|table| self.assembly.rows(table, &wanted, &rows.fresh));
                let tables = tables.collect::<Result<Vec<_>, _>>()?;
                self.folder.write_piece(&name, &tables, &self.provenance)?;
                rows
            }
        };
        if !self.checkpoints.is_empty() {
            bundles.iter().for_each(|bundle| self.checkpoints.done(self.plan, bundle));
        }
        pieces.iter().try_for_each(|name| self.folder.remove_piece(&self.folder.piece(name)))
    }
}

/// Writes a part's tables, `cells` last: its part is the sign that the others are there.
pub(crate) fn write_part(
    plan: &Plan,
    folder: &Folder,
    assembly: &mut Assembly<'_>,
    part: usize,
    wanted: &crate::assembly::Wanted,
    fresh: &[Arc<Sheets>],
    provenance: &Provenance,
) -> Result<(), StoreError> {
    for table in 0..plan.schemas.in_writing_order().len() {
        let rows = assembly.rows(table, wanted, fresh)?;
        folder.write_part(&part_name(part), &rows, provenance)?;
    }
    Ok(())
}

/// Removes pieces of which every cell is in a part.
pub(crate) fn absorb(plan: &Plan, folder: &Folder, stock: &Stock, is_complete: bool) -> Result<(), StoreError> {
    let is_in_a_part = |lot: &Lot| {
        let cells = crate::stock::cells_of(lot).unwrap_or_default();
        let written =
            |cell: &i64| plan.index_of(*cell).is_some_and(|index| stock.parts[plan.part_of(index)] == State::Whole);
        !cells.is_empty() && cells.iter().all(written)
    };
    for piece in folder.pieces()? {
        if is_complete || is_in_a_part(&piece) {
            folder.remove_piece(&piece)?;
        }
    }
    folder.clean_pieces()
}

pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    format!("panicked: {text}")
}

/// What the stored rows depend on: not title, question, claims or figures.
pub fn fingerprint(plan: &Plan) -> String {
    plan.fingerprint().to_owned()
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

/// Counts statuses over what is stored; of a shard over its own cells.
fn count_endings(plan: &Plan, folder: &Folder, shard: Option<Shard>, report: &mut RunReport) -> Result<(), StoreError> {
    let parts = (0..plan.parts()).map(|part| folder.part(&part_name(part))).filter(|part| part.has("cells"));
    let lots: Vec<Lot> = match shard {
        None => parts.collect(),
        Some(_) => parts.chain(folder.pieces()?).collect(),
    };
    let own: Option<BTreeSet<i64>> = shard.map(|shard| cells_of_shard(plan, shard).into_iter().collect());
    // A cell may be in a part and in a piece that has not been cleaned up.
    let mut seen: BTreeSet<i64> = BTreeSet::new();
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for lot in lots {
        // One that has gone, or cannot be read, is told elsewhere.
        let Ok(table) = lot.columns("cells", &["cell", "status", "reason"]) else { continue };
        let (statuses, said) = (table.texts("status")?, table.texts("reason")?);
        for (cell, (status, reason)) in table.into_rows().ints(0).iter().zip(statuses.into_iter().zip(said)) {
            let is_bad = matches!(status.as_deref(), Some("diverged" | "failed"));
            if !is_bad || own.as_ref().is_some_and(|own| !own.contains(cell)) || !seen.insert(*cell) {
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
