//! Bytes as a part of a table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;
use taut_fuzz::{caught_panics, part_reader};

static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("taut-part-reader-{}", std::process::id())));

fuzz_target!(init: caught_panics::allow(), |bytes: &[u8]| {
    caught_panics::none_escapes(|| part_reader::exercise(&FOLDER, bytes));
});
