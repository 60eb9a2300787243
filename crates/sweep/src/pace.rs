//! How fast a bundle moves that is too long to be computed whole: a stretch of its way, timed.

use crate::bundle::Bundle;
use crate::cell::Cell;
use crate::moving::side_by_side;
use crate::plan::Plan;
use crate::stopwatch::Stopwatch;
use crate::workbench::{Bench, Benches, Prepared, Shelf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use taut_problem::{Clock, Trajectory};
use taut_train::{Moments, Route};

/// A flow of which this share was gone has shown its pace.
const STEADY: f64 = 0.1;

/// What a stretch of the way says of the whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Seconds of the whole way of the bundle, its save times aside.
    pub(crate) seconds: f64,
    /// Whether the rest of the way has the same pace: steps do, and flows of which a good share was gone.
    pub(crate) is_steady: bool,
}

impl Plan {
    /// Moves the first lanes of a bundle for some time and says how long the whole bundle would take.
    ///
    /// A motion of steps has one pace; a flow has none, and its last stretch stands for the rest. `None` where nothing moves
    /// step by step, or nothing could be begun.
    pub(crate) fn pace(&self, bundle: &Bundle, time: Duration, stop: &AtomicBool) -> Option<Pace> {
        let mut benches = Benches::default();
        let drawn: Vec<(usize, Arc<Shelf>, Rc<Bench>)> = bundle
            .cells()
            .iter()
            .filter_map(|&index| {
                let spec = self.checked.cell(index);
                let shelf = self.shelf(&spec);
                let bench = benches.get(&spec, &shelf, self.checked.study.seed).ok()?;
                Some((index, shelf, bench))
            })
            .collect();
        let cells: Vec<Cell<'_>> = drawn
            .iter()
            .filter_map(|(index, shelf, bench)| Cell::new(self, *index, self.checked.cell(*index), bench, shelf).ok())
            .collect();
        // The lanes beside the one that moves longest.
        let steps_of = |cell: &Cell<'_>| self.work_beside_and_in_steps(&[cell.index])[1];
        let longest = cells.iter().max_by(|a, b| steps_of(a).total_cmp(&steps_of(b)))?;
        let end = longest.clocks(self, None).ok()?.into_iter().rev().find(|clock| *clock != Clock::Limit)?;
        let (mut path, moved): (Box<dyn Trajectory + '_>, Vec<usize>) = match longest.spec.route() {
            Route::Exact | Route::Staged => return None,
            Route::Moments => {
                let Prepared { problem, svd, .. } = longest.bench.rows()?;
                (Box::new(Moments::new(problem, svd, &longest.dynamics, &longest.start)), vec![longest.index])
            }
            _ => {
                let mut groups = side_by_side(&cells).into_iter();
                let group = groups.find(|group| group.cells.iter().any(|cell| cell.index == longest.index))?;
                let moved = group.cells.iter().map(|cell| cell.index).collect();
                (group.path(self, &[]).ok()?, moved)
            }
        };
        let Stretch { gone, seconds_per_length } = stretch(&mut *path, end, time, stop)?;
        let is_steady = matches!(end, Clock::Step(_)) || gone > STEADY * length(end);
        let [all, these] = [bundle.cells(), &moved].map(|cells| self.work_beside_and_in_steps(cells)[1]);
        Some(Pace { seconds: seconds_per_length * length(end) * all / these, is_steady })
    }
}

/// How far a point of the clock is from the start.
fn length(clock: Clock) -> f64 {
    match clock {
        Clock::Step(step) => step as f64,
        Clock::Time(time) => time,
        Clock::Limit => 0.0,
    }
}

struct Stretch {
    gone: f64,
    seconds_per_length: f64,
}

/// Goes on by ever longer stretches until the time is over, or the end is reached. The first ones warm up: the pace
/// is that of the last.
fn stretch(path: &mut dyn Trajectory, end: Clock, time: Duration, stop: &AtomicBool) -> Option<Stretch> {
    let began = Instant::now();
    // A millionth of a flow is short also where it is stiff.
    let mut next = match end {
        Clock::Step(_) => Clock::Step(1),
        Clock::Time(time) => Clock::Time(time * 1e-6),
        Clock::Limit => return None,
    };
    let mut last: Option<Stretch> = None;
    let mut gone = 0.0;
    loop {
        let here = if next > end { end } else { next };
        let watch = Stopwatch::start();
        path.advance_to(here);
        let took = watch.seconds();
        let far = length(here) - gone;
        if far > 0.0 {
            last = Some(Stretch { gone: length(here), seconds_per_length: took / far });
        }
        gone = length(here);
        // The next stretch takes three times as long as this one.
        let is_over = began.elapsed().as_secs_f64() + 3.0 * took > time.as_secs_f64() || stop.load(Ordering::Relaxed);
        if is_over || here == end || path.diverged(0).is_some() {
            return last;
        }
        next = match here {
            Clock::Step(step) => Clock::Step(4 * step),
            Clock::Time(time) => Clock::Time(time * 4.0),
            Clock::Limit => return last,
        };
    }
}
