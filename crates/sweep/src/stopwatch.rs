//! How long this thread works: the time that it has a core, where the system says so, for a busy machine is no reason to
//! think that work takes longer.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Time without work that shows whether the system counts finely: some count the time of threads in ticks of milliseconds.
const TRIAL: Duration = Duration::from_micros(300);

/// What takes longer than this may be counted in ticks.
const LONG: f64 = 0.05;

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
        match self.worked {
            Some(before) if gone > LONG || counts_finely() => {
                worked().map_or(gone, |now| (now - before).clamp(1e-9, gone.max(1e-9)))
            }
            _ => gone,
        }
    }
}

/// Whether a short while of work is counted as what it is.
fn counts_finely() -> bool {
    static FINELY: OnceLock<bool> = OnceLock::new();
    *FINELY.get_or_init(|| {
        // Asking is work as well: it lies within the time that is compared.
        let (began, before) = (Instant::now(), worked());
        while began.elapsed() < TRIAL {
            std::hint::spin_loop();
        }
        let counted = before.zip(worked()).map_or(0.0, |(before, now)| now - before);
        counted > 0.0 && counted <= began.elapsed().as_secs_f64()
    })
}

/// Seconds that this thread has had a core.
fn worked() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    // Systems that do not count say zero.
    (nanoseconds > 0.0).then_some(nanoseconds * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_no_longer_than_the_clock_says() {
        let (watch, began) = (Stopwatch::start(), Instant::now());
        let sum: f64 = (1..200_000).map(|i| 1.0 / f64::from(i)).sum();
        let seconds = watch.seconds();
        assert!(sum > 12.0 && seconds > 0.0 && seconds <= began.elapsed().as_secs_f64());
    }

    #[test]
    fn sleep_is_no_work() {
        let watch = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(80));
        assert!(watch.worked.is_none() || watch.seconds() < 0.04);
    }
}
