//! Bytes as a table that a user brings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use taut_fuzz::{caught_panics, input_table};

fuzz_target!(init: caught_panics::allow(), |bytes: &[u8]| {
    caught_panics::none_escapes(|| input_table::exercise(bytes));
});
