//! Moving a path from save time to save time, with breaks on the way.

use crate::checkpoints::Breaks;
use crate::recorded::Recorded;
use crate::summary::reached;
use taut_problem::{Clock, Exact, Memory, State, Trajectory};

/// A path of one or more cells and where each is looked at.
pub(crate) struct Walk<'a> {
    pub(crate) path: &'a mut dyn Trajectory,
    /// Keys of the cells, lane by lane; padding has none.
    pub(crate) keys: Vec<&'a str>,
    /// Save times of every lane, ascending; none where a lane failed.
    pub(crate) grids: Vec<&'a [Clock]>,
    /// The level of the residual at which a lane is at its end.
    pub(crate) level: Option<f64>,
    /// Whether a path that is lost is followed no further.
    pub(crate) ends_lost: bool,
    /// Steps between two looks at what the run is asked.
    pub(crate) stride: u64,
}

/// How far a walk has come: all that it takes to go on, and to end as if there had been no break.
struct Progress {
    /// How many of all save times are behind.
    done: usize,
    recorded: Vec<Recorded>,
}

impl Walk<'_> {
    /// Goes along all save times, or on from a checkpoint; `None` if asked to stop on the way.
    ///
    /// The path goes on to the end of its longest lane, or until all have reached their level; what a lane does after its
    /// own end is not seen.
    pub(crate) fn record(self, recorded: Vec<Recorded>, breaks: &Breaks<'_>) -> Option<Vec<Recorded>> {
        let mut times: Vec<Clock> = self.grids.iter().copied().flatten().copied().collect();
        times.sort_by(order);
        times.dedup_by(|a, b| order(a, b).is_eq());
        let meaning = meaning(&self.keys, &self.grids, self.path.lanes());
        let mut bookmark = breaks.bookmark(&meaning);
        let mut progress = Progress { done: 0, recorded };
        if let Some(state) = bookmark.find() {
            // One that does not fit changes nothing, and the path begins at its start.
            let _ = state.restore(|memory| progress.remember(memory, self.path, times.len()));
        }
        'times: while let Some(clock) = times.get(progress.done) {
            loop {
                if self.is_over(&progress) {
                    break 'times;
                }
                if breaks.should_stop() {
                    bookmark.leave(|| progress.state(self.path, times.len()));
                    return None;
                }
                if self.path.advance_towards(*clock, self.stride) {
                    break;
                }
                bookmark.pass(true, || progress.state(self.path, times.len()));
            }
            if self.is_over(&progress) {
                break;
            }
            self.look(*clock, &mut progress.recorded);
            progress.done += 1;
            bookmark.pass(false, || progress.state(self.path, times.len()));
        }
        bookmark.end(|| progress.state(self.path, times.len()));
        Some(progress.recorded)
    }

    /// Adds a row to every lane that has a save time now, and is neither lost nor at its end.
    fn look(&self, clock: Clock, recorded: &mut [Recorded]) {
        for (lane, recorded) in recorded.iter_mut().enumerate() {
            let is_wanted = self.grids[lane].binary_search_by(|time| order(time, &clock)).is_ok();
            if is_wanted && recorded.diverged.is_none() && !self.has_passed(lane) {
                recorded.push(self.path, lane, clock);
            }
        }
    }

    fn has_passed(&self, lane: usize) -> bool {
        self.level.is_some_and(|level| reached(self.path.first_passage(lane, level)).is_some())
    }

    fn is_over(&self, progress: &Progress) -> bool {
        let mut lanes = progress.recorded.iter().enumerate();
        lanes.all(|(lane, recorded)| self.has_passed(lane) || self.ends_lost && recorded.diverged.is_some())
    }
}

impl Progress {
    fn remember(&mut self, memory: &mut Memory<'_>, path: &mut dyn Trajectory, times: usize) {
        memory.indices("save times", std::slice::from_mut(&mut self.done), times + 1);
        self.recorded.iter_mut().for_each(|recorded| recorded.remember(memory, path));
        path.remember(memory);
    }

    fn state(&mut self, path: &mut dyn Trajectory, times: usize) -> Option<State> {
        State::of(|memory| self.remember(memory, path, times))
    }
}

/// The hash of what is looked at, and when.
fn meaning<'a>(keys: &'a [&str], grids: &'a [&[Clock]], lanes: usize) -> impl Fn() -> blake3::Hash + 'a {
    move || {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(lanes as u64).to_le_bytes());
        for (key, grid) in keys.iter().zip(grids) {
            hasher.update(key.as_bytes());
            hasher.update(&(grid.len() as u64).to_le_bytes());
            grid.iter().for_each(|clock| clock.write(&mut |word| _ = hasher.update(&word.to_le_bytes())));
        }
        hasher.finalize()
    }
}

/// Points of one clock in their order.
pub(crate) fn order(a: &Clock, b: &Clock) -> std::cmp::Ordering {
    a.partial_cmp(b).expect("times are numbers")
}
