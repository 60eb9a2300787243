//! What fuzzing kept goes through the same functions on the stable toolchain, and nothing panics: see `fuzz/README.md`.

#![allow(unreachable_pub)] // the fuzz targets' own files

mod support;

#[path = "../fuzz/src/input_table.rs"]
mod input_table;
#[path = "../fuzz/src/part_reader.rs"]
mod part_reader;
#[path = "../fuzz/src/study_parser.rs"]
mod study_parser;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use support::here;

/// Fuzzing refuses what takes ten seconds; this machine may be slower, and busy.
const LONGEST: Duration = Duration::from_secs(60);

/// Every kept input of a target, in the order of the names.
fn each_of(target: &str, exercise: impl Fn(&[u8])) {
    let folder = here("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{} inputs of {target}", inputs.len());
    let fails = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).expect("a kept input");
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| exercise(&bytes)));
        outcome.is_err() || start.elapsed() > LONGEST
    };
    let failed: Vec<String> = inputs.iter().filter(|path| fails(path)).map(|path| path.display().to_string()).collect();
    assert!(failed.is_empty(), "these panic, or take long:\n  {}", failed.join("\n  "));
}

#[test]
fn kept_studies_are_refused_or_planned() {
    each_of("study_parser", study_parser::exercise);
}

#[test]
fn kept_parts_are_refused_or_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    each_of("part_reader", |bytes| part_reader::exercise(folder.path(), bytes));
}

#[test]
fn kept_tables_of_users_are_refused_or_read() {
    each_of("input_table", input_table::exercise);
}
