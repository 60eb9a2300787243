//! One bar over cells on a terminal, a plain line every ten seconds elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use taut_sweep::Progress;

const LINE_EVERY: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);

/// What workers count and the ticker shows.
#[derive(Default)]
struct Counts {
    cells: AtomicUsize,
    done: AtomicUsize,
    started: AtomicBool,
    quiet: AtomicBool,
    ended: Mutex<bool>,
    wake: Condvar,
}

/// A progress display with its own thread; workers only add to a counter.
pub(crate) struct Display {
    counts: Arc<Counts>,
    ticker: Option<JoinHandle<()>>,
}

impl Display {
    /// Starts showing, or not if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let counts = Arc::new(Counts::default());
        counts.quiet.store(quiet, Ordering::Relaxed);
        let ticker = (!quiet).then(|| {
            let counts = Arc::clone(&counts);
            std::thread::spawn(move || show(&counts))
        });
        Self { counts, ticker }
    }

    /// What a run tells its progress to.
    pub(crate) fn progress(&self) -> Arc<dyn Progress> {
        Arc::clone(&self.counts) as Arc<dyn Progress>
    }

    /// Stops showing and clears the bar.
    pub(crate) fn end(mut self) {
        *self.counts.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        self.counts.wake.notify_all();
        if let Some(ticker) = self.ticker.take() {
            // A ticker that panicked has nothing left to show.
            let _ = ticker.join();
        }
    }
}

impl Progress for Counts {
    #[allow(clippy::print_stderr)]
    fn waiting(&self) {
        eprintln!("another taut works in this folder: waiting until it has ended; Ctrl-C stops");
    }

    fn started(&self, cells: usize, reused: usize) {
        self.cells.store(cells, Ordering::Relaxed);
        self.done.store(reused, Ordering::Relaxed);
        self.started.store(true, Ordering::Release);
    }

    fn cells_done(&self, count: usize) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    #[allow(clippy::print_stderr)]
    fn stopping(&self) {
        if !self.quiet.load(Ordering::Relaxed) {
            eprintln!("stopping: what is finished is written; again to leave at once");
        }
    }
}

#[allow(clippy::print_stderr)]
fn show(counts: &Counts) {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{bar:32} {pos}/{len} cells  {elapsed} gone, {eta} to go")
            .expect("a fixed template"),
    );
    let began = Instant::now();
    let mut last_line = began;
    let mut ended = counts.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut base = None;
    while !*ended {
        (ended, _) = counts.wake.wait_timeout(ended, TICK).unwrap_or_else(std::sync::PoisonError::into_inner);
        if !counts.started.load(Ordering::Acquire) {
            continue;
        }
        let (cells, done) = (counts.cells.load(Ordering::Relaxed), counts.done.load(Ordering::Relaxed));
        let reused = *base.get_or_insert_with(|| {
            bar.set_length(cells as u64);
            bar.set_position(done as u64);
            bar.reset_eta();
            done
        });
        bar.set_position(done as u64);
        if bar.is_hidden() && last_line.elapsed() >= LINE_EVERY && !*ended {
            last_line = Instant::now();
            let gone = began.elapsed().as_secs_f64();
            let rate = (done - reused.min(done)) as f64 / gone;
            let left =
                if rate > 0.0 { format!("{:.0} s to go", (cells - done) as f64 / rate) } else { "…".to_owned() };
            eprintln!("{done}/{cells} cells, {gone:.0} s gone, {left}");
        }
    }
    bar.finish_and_clear();
}
