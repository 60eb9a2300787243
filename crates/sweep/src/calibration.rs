//! Some bundles of a plan, computed to see what their work takes. Writes nothing.

use crate::bundle::{Bundle, Place, compute};
use crate::checkpoints::Checkpoints;
use crate::plan::Plan;
use crate::stopwatch::Stopwatch;
use crate::survey::{Item, Survey};
use crate::tables::Sheets;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Seconds of a multiply-add before anything was measured.
pub(crate) const NOMINAL: f64 = 2e-10;

/// The first bundle of a kind is computed twice if it is faster than this: the first time warms up.
const BRIEF: f64 = 0.4;

/// A bundle of a kind of work takes at most this share of the time, so that others have theirs.
const SHARE: f64 = 0.5;

/// What is computed when the time is over goes on for this share of it, because it has cost most of what it takes.
const GRACE: f64 = 0.6;

/// More bundles of a kind than this say nothing new.
const ENOUGH: usize = 200;

/// Of this many long bundles of a kind a stretch is computed.
const MOST_PACED: usize = 2;

/// Where in the work of a kind its bundles are taken from, after the smallest: half of the work lies in smaller ones, …
const QUANTILES: [f64; 9] = [0.5, 0.9, 0.2, 0.7, 0.98, 0.35, 0.8, 0.1, 0.6];

/// One bundle that was computed, or moved for a while.
pub(crate) struct Seen {
    pub(crate) kind: usize,
    pub(crate) work: f64,
    pub(crate) cells: usize,
    /// Seconds of all of it.
    pub(crate) seconds: f64,
    /// Whether that is more than a guess from the first stretch of a motion that changes its pace.
    pub(crate) is_sure: bool,
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Calibration {
    pub(crate) seen: Vec<Seen>,
    /// The rows of each bundle that was computed whole, with the kind of its work.
    pub(crate) sheets: Vec<(usize, Sheets)>,
    /// Seconds for each model: its features and their instruments, which cells share.
    pub(crate) shelf_seconds: Vec<f64>,
    /// Seconds of everything that was done.
    pub(crate) took: f64,
    /// Messages of cells that panicked.
    pub(crate) panics: Vec<String>,
}

/// One kind of work while it is calibrated.
struct Kind {
    /// Its items in ascending order of work.
    order: Vec<usize>,
    total: f64,
    /// Places in `order` that are still to be computed, last first.
    next: Vec<usize>,
    /// What was seen of it: work, seconds.
    work: f64,
    seconds: f64,
    count: usize,
    /// How many of them were too long to be computed whole.
    paced: usize,
}

impl Calibration {
    /// Computes bundles of each kind of work, the smallest of each first, until the time is over.
    pub(crate) fn of(plan: &Plan, survey: &Survey, limit: Duration) -> Self {
        let began = Instant::now();
        let stop = AtomicBool::new(false);
        let (ended, end) = mpsc::channel::<()>();
        let mut calibration = std::thread::scope(|scope| {
            // What takes longer than it was thought to is stopped.
            let stop = &stop;
            scope.spawn(move || {
                if end.recv_timeout(limit.mul_f64(1.0 + GRACE)).is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
            });
            let calibration = Run { plan, survey, stop, began, limit, out: Self::default() }.all();
            drop(ended);
            calibration
        });
        calibration.took = began.elapsed().as_secs_f64();
        calibration
    }
}

struct Run<'a> {
    plan: &'a Plan,
    survey: &'a Survey,
    stop: &'a AtomicBool,
    began: Instant,
    limit: Duration,
    out: Calibration,
}

impl Run<'_> {
    fn all(mut self) -> Calibration {
        let mut kinds: Vec<Kind> = (0..self.survey.kinds.len()).map(|kind| Kind::of(self.survey, kind)).collect();
        let mut models = BTreeSet::new();
        while let Some(kind) = self.neediest(&kinds) {
            let Some(at) = kinds[kind].next.pop() else { continue };
            let item = &self.survey.items[kinds[kind].order[at]];
            let rate = self.rate(&kinds, kind);
            let expected = item.work * rate;
            let left = self.left();
            let is_long = expected > left.min(SHARE * self.limit.as_secs_f64());
            if is_long && (kinds[kind].paced == MOST_PACED || left < 0.2 * self.limit.as_secs_f64()) {
                continue;
            }
            let first = self.plan.checked.cell(item.bundle.cells()[0]);
            if models.insert(first.model_index) {
                let watch = Stopwatch::start();
                self.plan.shelf(&first);
                self.out.shelf_seconds.push(watch.seconds());
            }
            let seen = if is_long { self.some_of(item, rate, left) } else { self.whole(item.kind, &item.bundle) };
            if let Some(seen) = seen {
                let kind = &mut kinds[kind];
                kind.work += seen.work;
                kind.seconds += seen.seconds;
                kind.count += 1;
                kind.paced += usize::from(is_long);
                self.out.seen.push(seen);
            }
        }
        self.out
    }

    /// Seconds that are left.
    fn left(&self) -> f64 {
        self.limit.saturating_sub(self.began.elapsed()).as_secs_f64()
    }

    /// Seconds of a multiply-add, as far as is known.
    fn rate(&self, kinds: &[Kind], kind: usize) -> f64 {
        let Kind { work, seconds, count, .. } = kinds[kind];
        if count > 0 {
            return seconds / work;
        }
        let (work, seconds) = kinds.iter().fold((0.0, 0.0), |(w, s), kind| (w + kind.work, s + kind.seconds));
        if work > 0.0 { (seconds / work).max(NOMINAL / 3.0) } else { NOMINAL }
    }

    /// The kind of which one more bundle says most: one that was not seen, or whose part of the whole time is largest for
    /// how often it was seen.
    fn neediest(&self, kinds: &[Kind]) -> Option<usize> {
        if self.stop.load(Ordering::Relaxed) || self.began.elapsed() > self.limit {
            return None;
        }
        let need = |kind: usize| {
            let Kind { total, count, .. } = kinds[kind];
            let time = total * self.rate(kinds, kind);
            if count == 0 { f64::MAX } else { time / (count as f64).powi(2) }
        };
        let open = (0..kinds.len()).filter(|&kind| !kinds[kind].next.is_empty() && kinds[kind].count < ENOUGH);
        open.max_by(|&a, &b| need(a).total_cmp(&need(b)).then(kinds[a].total.total_cmp(&kinds[b].total)))
    }

    /// Computes a bundle; none if it was stopped.
    fn whole(&mut self, kind: usize, bundle: &Bundle) -> Option<Seen> {
        let (sheets, mut seconds) = self.timed(bundle)?;
        if seconds < BRIEF
            && !self.out.seen.iter().any(|seen| seen.kind == kind)
            && let Some((_, again)) = self.timed(bundle)
        {
            seconds = seconds.min(again);
        }
        self.out.sheets.push((kind, sheets));
        let cells = bundle.cells();
        Some(Seen { kind, work: self.plan.work_of(cells), cells: cells.len(), seconds, is_sure: true })
    }

    fn timed(&mut self, bundle: &Bundle) -> Option<(Sheets, f64)> {
        let place = Place { host: String::new(), threads: 1 };
        let watch = Stopwatch::start();
        let sheets = Sheets::new(&self.plan.schemas);
        let compute = || compute(self.plan, bundle, &place, self.stop, &Checkpoints::off(), sheets);
        match catch_unwind(AssertUnwindSafe(compute)) {
            Ok(sheets) => sheets.map(|sheets| (sheets, watch.seconds())),
            Err(panic) => {
                self.out.panics.push(crate::workshop::panic_message(&*panic));
                None
            }
        }
    }

    /// A bundle that is too long: its longest cell, if cells are computed one after the other, or some of its way. Closed
    /// forms, decompositions and metrics cannot be stopped: where they take too long, nothing is tried.
    fn some_of(&mut self, item: &Item, rate: f64, left: f64) -> Option<Seen> {
        let cells = item.bundle.cells();
        if let Bundle::Exact(_) | Bundle::Moments(_) = &item.bundle {
            let alone = item.bundle.single_cells();
            let work = |bundle: &Bundle| self.plan.work_of(bundle.cells());
            // The first of equals.
            let longest = alone.into_iter().rev().max_by(|a, b| work(a).total_cmp(&work(b)))?;
            if work(&longest) * rate < SHARE * left {
                return self.whole(item.kind, &longest);
            }
        }
        let [beside, steps] = self.plan.work_beside_and_in_steps(cells).map(|work| work * rate);
        if beside > left || steps < beside || matches!(item.bundle, Bundle::Exact(_)) {
            return None;
        }
        let time = Duration::from_secs_f64(SHARE * left);
        let pace = catch_unwind(AssertUnwindSafe(|| self.plan.pace(&item.bundle, time, self.stop))).ok().flatten()?;
        let seconds = pace.seconds + beside;
        Some(Seen { kind: item.kind, work: item.work, cells: cells.len(), seconds, is_sure: pace.is_steady })
    }
}

impl Kind {
    fn of(survey: &Survey, kind: usize) -> Self {
        let items = &survey.items;
        let mut order: Vec<usize> = (0..items.len()).filter(|&item| items[item].kind == kind).collect();
        order.sort_by(|&a, &b| items[a].work.total_cmp(&items[b].work));
        let total: f64 = order.iter().map(|&item| items[item].work).sum();
        let mut below = 0.0;
        let cumulative: Vec<f64> = order
            .iter()
            .map(|&item| {
                below += items[item].work;
                below
            })
            .collect();
        let mut places = vec![0];
        let quantiles = QUANTILES.iter().copied().chain((1..ENOUGH).map(|i| i as f64 * 0.618_034 % 1.0));
        let mut known = BTreeSet::from([0]);
        for share in quantiles {
            let place = cumulative.partition_point(|below| *below < share * total).min(order.len() - 1);
            if known.insert(place) {
                places.push(place);
            }
        }
        places.reverse();
        Self { order, total, next: places, work: 0.0, seconds: 0.0, count: 0, paced: 0 }
    }
}
