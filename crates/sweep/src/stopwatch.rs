//! How long this thread works: the time that it has a core, where the system says so, for a busy machine is no reason to
//! think that work takes longer.

use std::time::Instant;

/// What takes less than this is timed by the clock: some systems count the time of threads in ticks of a few milliseconds.
const BRIEF: f64 = 0.02;

/// Started now, on this thread.
pub(crate) struct Stopwatch {
    started: Instant,
    worked: Option<f64>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { worked: worked(), started: Instant::now() }
    }

    /// Seconds of work since the start.
    pub(crate) fn seconds(&self) -> f64 {
        let gone = self.started.elapsed().as_secs_f64();
        match (self.worked, gone < BRIEF) {
            (Some(before), false) => worked().map_or(gone, |now| (now - before).clamp(0.0, gone)),
            _ => gone,
        }
    }
}

/// Seconds that this thread has had a core.
fn worked() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    // Systems that do not count say zero.
    (nanoseconds > 0.0).then_some(nanoseconds * 1e-9)
}
