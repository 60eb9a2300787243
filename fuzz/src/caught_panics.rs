//! Panics of polars that the store catches are refusals like others; one that it does not catch is a crash.
//!
//! libFuzzer's own hook ends the process at the first panic, caught or not.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;

/// What the last panic said, and where.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Replaces the hook that ends the process by one that remembers what the panic said.
pub fn allow() {
    set_hook(Box::new(|about| {
        if let Ok(mut last) = LAST.lock() {
            *last = about.to_string();
        }
    }));
}

/// Ends the process if a panic comes out of this.
pub fn none_escapes(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        eprintln!("{}", LAST.lock().map(|last| last.clone()).unwrap_or_default());
        std::process::abort();
    }
}
