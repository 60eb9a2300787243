//! Being told to stop, politely at first.

use anyhow::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Signals that follow each other so fast are one asking: whoever ends a whole group of processes often reaches one twice,
/// once by itself and once through its parent. Slurm does, of a job that is cancelled.
const ONE_ASKING: Duration = Duration::from_secs(1);

/// The first INT or TERM makes this true; another one, a second later or more, leaves at once with 130 or 143.
///
/// # Errors
/// If the system lets nobody listen.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let asked = Arc::clone(&stop);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            match first {
                None => first = Some(Instant::now()),
                Some(first) if first.elapsed() < ONE_ASKING => {}
                Some(_) => signal_hook::low_level::exit(128 + signal),
            }
            asked.store(true, Ordering::Relaxed);
        }
    })?;
    Ok(stop)
}
