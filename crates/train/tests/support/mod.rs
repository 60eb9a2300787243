//! Reference tables as rows of text.

#![allow(unreachable_pub, dead_code)] // a module of several test binaries

pub mod everything;

use std::collections::HashMap;
use taut_numerics::DMatrix;
use taut_problem::Tensors;

pub type Row = HashMap<String, String>;

pub fn table(name: &str) -> Vec<Row> {
    read(&format!("linear/{name}"))
}

pub fn deep_linear(name: &str) -> Vec<Row> {
    read(&format!("deep_linear/{name}"))
}

/// The matrices of a table in the long form.
pub fn tensors(name: &str) -> Tensors {
    let mut all: HashMap<String, Vec<[f64; 3]>> = HashMap::new();
    for row in deep_linear(name) {
        let entry = ["row", "col", "value"].map(|column| number(&row, column));
        all.entry(row["tensor"].clone()).or_default().push(entry);
    }
    let matrix = |entries: &Vec<[f64; 3]>| {
        let size = |axis: usize| entries.iter().map(|entry| entry[axis] as usize + 1).max().unwrap();
        let mut matrix = DMatrix::zeros(size(0), size(1));
        entries.iter().for_each(|[row, column, value]| matrix[(*row as usize, *column as usize)] = *value);
        matrix
    };
    Tensors(all.iter().map(|(name, entries)| (name.clone(), matrix(entries))).collect())
}

fn read(name: &str) -> Vec<Row> {
    let path = format!("{}/../../tests/references/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).expect("a reference table");
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    reader.records().map(|r| header.iter().cloned().zip(r.unwrap().iter().map(str::to_owned)).collect()).collect()
}

pub fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {}", row[column]))
}
