//! Reference tables for the tests of this crate.

use nalgebra::DMatrix;
use std::collections::BTreeMap;

/// A table of numbers, as `tests/references/linear` keeps them.
pub(crate) struct Table(Vec<BTreeMap<String, f64>>);

impl Table {
    /// Reads `tests/references/linear/{name}.csv`; what is no number is left out.
    pub(crate) fn read(name: &str) -> Self {
        Self::of(&format!("linear/{name}.csv"))
    }

    /// Reads `tests/references/deep_linear/{name}.csv` in the same way.
    pub(crate) fn deep_linear(name: &str) -> Self {
        Self::of(&format!("deep_linear/{name}.csv"))
    }

    /// The matrices by name that `tests/references/deep_linear/{name}.csv` holds as `tensor,row,col,value`.
    pub(crate) fn tensors(name: &str) -> BTreeMap<String, DMatrix<f64>> {
        let mut reader = csv::Reader::from_path(path(&format!("deep_linear/{name}.csv"))).unwrap();
        let mut entries: BTreeMap<String, Vec<(usize, usize, f64)>> = BTreeMap::new();
        for record in reader.deserialize() {
            let (tensor, row, column, value): (String, usize, usize, f64) = record.unwrap();
            entries.entry(tensor).or_default().push((row, column, value));
        }
        let matrix = |entries: Vec<(usize, usize, f64)>| {
            let size = |of: fn(&(usize, usize, f64)) -> usize| entries.iter().map(of).max().map_or(0, |last| last + 1);
            let mut matrix = DMatrix::zeros(size(|e| e.0), size(|e| e.1));
            entries.iter().for_each(|&(row, column, value)| matrix[(row, column)] = value);
            matrix
        };
        entries.into_iter().map(|(name, entries)| (name, matrix(entries))).collect()
    }

    fn of(file: &str) -> Self {
        let path = path(file);
        let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let header = reader.headers().unwrap().clone();
        let rows: Vec<BTreeMap<String, f64>> = reader
            .records()
            .map(|record| {
                let record = record.unwrap();
                let cell = |(name, text): (&str, &str)| Some((name.to_owned(), text.parse().ok()?));
                header.iter().zip(record.iter()).filter_map(cell).collect()
            })
            .collect();
        assert!(!rows.is_empty(), "{path} has rows");
        Self(rows)
    }

    /// The rows, as column to value.
    pub(crate) fn rows(&self) -> &[BTreeMap<String, f64>] {
        &self.0
    }
}

fn path(file: &str) -> String {
    format!("{}/../../tests/references/{file}", env!("CARGO_MANIFEST_DIR"))
}
