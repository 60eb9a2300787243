//! No flipped bit and no lost end of a parquet file ends the program, or passes for what was written.

use std::fs;
use std::path::Path;
use taut_store::{Column, ColumnType, Folder, InputTable, Lot, Provenance, Rows, TableSchema};
use tempfile::{TempDir, tempdir};

const NAMES: [&str; 4] = ["cell", "risk", "status", "ok"];

/// A part of every kind of column, with nulls, and its bytes.
fn part() -> (TempDir, Lot, Vec<u8>) {
    let kinds = [ColumnType::Int64, ColumnType::Float64, ColumnType::String, ColumnType::Bool];
    let columns = NAMES.into_iter().zip(kinds).map(|(name, kind)| Column::new(name, kind, "", "")).collect();
    let mut rows = Rows::new(&TableSchema { name: "cells".into(), columns });
    for row in 0..5_i64 {
        rows.push_int(0, Some(row));
        rows.push_float(1, (row != 2).then_some(row as f64 / 3.0));
        rows.push_text(2, Some(if row == 3 { "diverged" } else { "trained" }));
        rows.push_bool(3, (row != 4).then_some(row == 1));
    }
    let above = tempdir().expect("a temporary folder");
    let folder = Folder::at(above.path());
    let (schema_version, program, study) = ("1".to_owned(), "taut".to_owned(), String::new());
    let provenance = Provenance { schema_version, program, study, extra: Vec::new() };
    folder.write_part("1", &rows, &provenance).expect("writable");
    let part = folder.part("1");
    let bytes = fs::read(part.path("cells")).expect("just written");
    (above, part, bytes)
}

/// Reads a damaged part through every door: those that look at the checksum refuse it.
fn looked_at(part: &Lot, bytes: &[u8]) {
    fs::write(part.path("cells"), bytes).expect("writable");
    assert!(part.read("cells").is_err() && part.verify("cells").is_err());
    for table in [part.columns("cells", &NAMES), part.rows("cells", 1..3)].into_iter().flatten() {
        assert!(table.rows() <= 5);
    }
    if let Err(error) = part.footer("cells") {
        assert!(error.to_string().contains("part-1.parquet"), "{error}");
    }
    if let Err(error) = InputTable::from_bytes(Path::new("d.parquet"), bytes) {
        assert!(error.to_string().contains("d.parquet"), "{error}");
    }
}

#[test]
fn no_flipped_bit_passes_or_ends_the_program() {
    let (_above, part, bytes) = part();
    // What polars panics at is caught; its words on stderr would fill the screen.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        if about.location().is_some_and(|place| place.file().ends_with("damaged_bytes.rs")) {
            hook(about);
        }
    }));
    for at in 0..bytes.len() {
        // The lowest bit, the highest one, and all of them.
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            looked_at(&part, &damaged);
        }
    }
    for length in 0..bytes.len() {
        looked_at(&part, &bytes[..length]);
    }
    drop(std::panic::take_hook());
    fs::write(part.path("cells"), &bytes).expect("writable");
    assert_eq!(part.read("cells").expect("whole again").rows(), 5);
}
