//! Bytes as a table that a user brings, CSV or parquet: every column asked for, as numbers and as texts.

use std::path::Path;
use taut_store::InputTable;

/// Reads the bytes as the format that they begin as.
///
/// # Panics
/// If columns differ in length, or a refusal has no words.
pub fn exercise(bytes: &[u8]) {
    let path = Path::new(if bytes.starts_with(b"PAR1") { "table.parquet" } else { "table.csv" });
    let table = match InputTable::from_bytes(path, bytes) {
        Ok(table) => table,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(table.rows > 0);
    for column in &table.columns {
        for said in [table.floats(&column.name).err(), table.texts(&column.name).err()].into_iter().flatten() {
            assert!(!said.to_string().is_empty());
        }
    }
    assert!(!table.place(table.rows - 1).to_string().is_empty());
    assert!(table.floats("a column that is not there").is_err());
}
