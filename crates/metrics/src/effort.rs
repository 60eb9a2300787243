//! How long measuring takes: what several metrics share is told apart from what is one metric's own.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

/// Time spent on what several metrics need of one block of rows.
///
/// The clock is read when something is made, never per row, and no value depends on it.
#[derive(Default)]
pub(crate) struct Shared(Cell<Duration>);

impl Shared {
    /// What is kept there, made and timed on first use. What is made on the way to something else counts once.
    pub(crate) fn once<'a, T>(&self, place: &'a OnceCell<T>, make: impl FnOnce() -> T) -> &'a T {
        place.get_or_init(|| {
            let (before, began) = (self.0.get(), Instant::now());
            let made = make();
            self.0.set(before + began.elapsed());
            made
        })
    }

    /// All so far.
    pub(crate) fn time(&self) -> Duration {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_within_something_else_counts_once() {
        let (shared, outer, inner, nap) =
            (Shared::default(), OnceCell::new(), OnceCell::new(), Duration::from_millis(5));
        let began = Instant::now();
        let make_inner = || *shared.once(&inner, || std::thread::sleep(nap));
        shared.once(&outer, || {
            make_inner();
            std::thread::sleep(nap);
        });
        make_inner();
        assert!(shared.time() >= 2 * nap && shared.time() <= began.elapsed());
        let before = shared.time();
        shared.once(&outer, || std::thread::sleep(nap));
        assert_eq!(shared.time(), before);
    }
}
