//! The desk of a run: hands bundles out, gathers their rows, and says what is to be written when.

use crate::assembly::Assembly;
use crate::bundle::{Bundle, Place};
use crate::checkpoints::Checkpoints;
use crate::plan::Plan;
use crate::rates::{Queue, Rates, Waiting};
use crate::run::{Progress, RunError, RunOptions, TICK, provenance};
use crate::spares::Spares;
use crate::spent::{Spent, Writing};
use crate::stock::Stock;
use crate::tables::Sheets;
use crate::work::{Goal, Task};
use crate::workshop::{Done, Workshop};
use crate::writer::{Gathered, Order, Writer};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};
use taut_store::Folder;

/// Finished cells wait for their part at most about this long before they are written as a piece: what a kill loses.
const WAIT: Duration = Duration::from_secs(10);

/// A task that takes long is written less often: each time it has taken this much longer, as a share.
const LONGER: f64 = 0.02;

/// Bundles are given to a worker together up to this many seconds: handing out a tiny one by itself would cost more than
/// computing it.
const LITTLE: f64 = 1e-3;
const MOST_TOGETHER: usize = 64;

/// Bundles that are still computed when a run is told to stop have this long to end.
const LAST_CALL: Duration = Duration::from_secs(2);

/// How the computing ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    pub(crate) computed: usize,
    pub(crate) gave_up: bool,
    /// Where the workers' time went.
    pub(crate) spent: Spent,
    pub(crate) writing: Writing,
}

/// A task that is being computed.
struct Open {
    number: usize,
    goal: Goal,
    waiting: Queue,
    /// Bundles that are not back yet.
    missing: usize,
    fresh: Vec<Arc<Sheets>>,
    /// The bundles of each.
    finished: Vec<Vec<Bundle>>,
    /// How many of `fresh` are on disk, in these pieces.
    written: usize,
    pieces: Vec<String>,
    began: Instant,
    last_written: Instant,
}

impl Open {
    fn new(plan: &Plan, rates: &mut Rates, number: usize, task: Task) -> Self {
        let now = Instant::now();
        Self {
            number,
            goal: task.goal,
            missing: task.bundles.len(),
            waiting: Queue::new(plan, rates, task.bundles),
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
        let bundles = self.finished[self.written..].concat();
        (self.written, self.last_written) = (self.fresh.len(), Instant::now());
        Order::Piece { name, rows: Gathered { fresh, bundles, pieces: Vec::new() } }
    }

    /// The next bundles to be computed by one worker: one, or several that are done in no time; none if all are given out.
    fn next(&mut self, rates: &Rates) -> Option<Vec<Waiting>> {
        let first = self.waiting.pop_below(rates, f64::INFINITY)?;
        let mut left = LITTLE - rates.seconds(&first);
        let mut together = vec![first];
        while together.len() < MOST_TOGETHER
            && let Some(next) = self.waiting.pop_below(rates, left)
        {
            left -= rates.seconds(&next);
            together.push(next);
        }
        Some(together)
    }

    /// All rows, now that all are there.
    fn end(self) -> Order {
        let rows = Gathered { fresh: self.fresh, bundles: self.finished.concat(), pieces: self.pieces };
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

/// Computes the bundles of all tasks, and has their rows written.
pub(crate) fn compute_all(
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
        .thread_name(|number| format!("worker-{number}"))
        .build()
        .map_err(|e| RunError::Threads { threads, reason: e.to_string() })?;
    let (results, gathered) = channel();
    let spares = Arc::new(Spares::default());
    let workshop = Workshop {
        plan: Arc::clone(plan),
        place: Place { host: options.host.clone(), threads },
        progress: Arc::clone(progress),
        halt: Arc::new(AtomicBool::new(false)),
        checkpoints: Arc::clone(checkpoints),
        spares: Arc::clone(&spares),
        results,
    };
    std::thread::scope(|scope| {
        let (orders, inbox) = sync_channel(1);
        let provenance = provenance(plan, &options.program);
        let write = move || {
            let assembly = Assembly::new(plan, stock);
            let mut writer = Writer { plan, folder, assembly, checkpoints, provenance, spares: &spares };
            let mut busy = Duration::ZERO;
            let written = inbox.into_iter().try_for_each(|order| {
                let began = Instant::now();
                let obeyed = writer.obey(order);
                busy += began.elapsed();
                obeyed
            });
            written.map(|()| busy)
        };
        let writer = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn_scoped(scope, write)
            .map_err(|e| RunError::Threads { threads: threads + 1, reason: e.to_string() })?;
        let mut desk = Desk {
            pool: &pool,
            workshop,
            gathered,
            orders,
            tasks: tasks.into_iter().enumerate().collect(),
            open: VecDeque::new(),
            in_flight: 0,
            rates: Rates::default(),
            ended: Ended::default(),
            failures: 0,
        };
        desk.run(options, stop);
        let mut ended = std::mem::take(&mut desk.ended);
        drop(desk);
        let computed = Instant::now();
        let busy = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        ended.writing.seconds = busy.as_secs_f64();
        ended.writing.waited += computed.elapsed().as_secs_f64();
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
    rates: Rates,
    ended: Ended,
    failures: usize,
}

/// The writer has met an error, and says so itself.
struct NoWriter;

impl Desk<'_> {
    /// Until everything is computed and ordered to be written, or nothing more is to be.
    fn run(&mut self, options: &RunOptions, stop: &AtomicBool) {
        // Enough that no worker waits for this thread, and no more: what is handed out is out of order.
        let most = 2 * options.threads.max(1);
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
            let rates = &self.rates;
            let next = self.open.iter_mut().find_map(|open| Some((open.number, open.next(rates)?)));
            match next {
                Some((task, bundles)) => {
                    self.in_flight += 1;
                    let workshop = self.workshop.clone();
                    self.pool.spawn_fifo(move || workshop.work(task, bundles));
                }
                None if self.open.len() < 2 => {
                    let Some((number, task)) = self.tasks.pop_front() else { return };
                    self.open.push_back(Open::new(&self.workshop.plan, &mut self.rates, number, task));
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
        self.rates.learn(&done.works, sheets.spent.wall);
        self.ended.spent.add(&sheets.spent);
        open.missing -= done.bundles.len();
        self.ended.computed += done.bundles.iter().map(|bundle| bundle.cells().len()).sum::<usize>();
        open.finished.push(done.bundles);
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

    fn order(&mut self, order: Order) -> Result<(), NoWriter> {
        let began = Instant::now();
        let sent = self.orders.send(order).map_err(|_| NoWriter);
        self.ended.writing.waited += began.elapsed().as_secs_f64();
        sent
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
