//! Reference tables as rows of text.

#![allow(unreachable_pub)] // a module of several test binaries

use std::collections::HashMap;

pub type Row = HashMap<String, String>;

pub fn table(name: &str) -> Vec<Row> {
    let path = format!("{}/../../tests/references/linear/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).expect("a reference table");
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    reader.records().map(|r| header.iter().cloned().zip(r.unwrap().iter().map(str::to_owned)).collect()).collect()
}

pub fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {}", row[column]))
}
