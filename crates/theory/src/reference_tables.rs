//! Reference tables for the tests of this crate.

use std::collections::BTreeMap;

/// A table of numbers, as `tests/references/linear` keeps them.
pub(crate) struct Table(Vec<BTreeMap<String, f64>>);

impl Table {
    /// Reads `tests/references/linear/{name}.csv`; what is no number is left out.
    pub(crate) fn read(name: &str) -> Self {
        let path = format!("{}/../../tests/references/linear/{name}.csv", env!("CARGO_MANIFEST_DIR"));
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
