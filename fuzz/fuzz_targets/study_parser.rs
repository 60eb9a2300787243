//! A study from its text to its plan.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use taut_fuzz::study_parser::{SEPARATOR, exercise};
use toml::Value;

/// A few words make a sweep of a million cells, which is good and takes longer than a fuzzer waits.
const MOST_CELLS: usize = 2000;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if std::str::from_utf8(bytes).is_ok_and(is_long) {
        return Corpus::Reject;
    }
    exercise(bytes);
    Corpus::Keep
});

/// Whether its axes may make too many cells, with its small version and every `--set`.
fn is_long(text: &str) -> bool {
    let mut cells = 1_usize;
    for piece in text.split(SEPARATOR) {
        let Ok(table) = piece.parse::<toml::Table>() else { continue };
        let is_study = table.contains_key("title") || table.contains_key("data");
        for (key, value) in &table {
            if !is_study || key == "sweep" || key == "quick" {
                cells = cells.saturating_mul(longest(key, value));
            }
        }
    }
    cells > MOST_CELLS
}

/// At most so many cells come from this, whatever it is.
fn longest(key: &str, value: &Value) -> usize {
    match value {
        Value::Integer(count) if key.ends_with("count") => usize::try_from(*count).unwrap_or(1),
        Value::Float(count) if key.ends_with("count") => *count as usize,
        Value::Array(items) => items.len().max(1),
        Value::Table(table) => {
            table.iter().fold(table.len().max(1), |cells, (key, value)| cells.saturating_mul(longest(key, value)))
        }
        _ => 1,
    }
}
