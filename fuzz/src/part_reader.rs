//! Bytes as a part of a table: footer, some columns, some rows, and all of them after the checksum, through the doors
//! that runs, collections and reports use. The first three do not look at the checksum, so polars sees every byte.

use std::path::Path;
use taut_store::{Column, ColumnType, Folder, Table, TableSchema};

/// Puts the bytes where a part would be in this folder and reads it in every way.
///
/// # Panics
/// If the ways disagree, or a refusal has no words.
pub fn exercise(root: &Path, bytes: &[u8]) {
    let folder = Folder::at(root);
    let part = folder.part("fuzz");
    std::fs::create_dir_all(root.join("cells")).expect("a folder that can be written");
    std::fs::write(part.path("cells"), bytes).expect("a folder that can be written");
    let is_readable = folder.part_is_readable("cells", "fuzz");
    let is_intact = part.verify("cells").is_ok();
    let whole = part.read("cells");
    let footer = match part.footer("cells") {
        Ok(footer) => footer,
        Err(error) => {
            assert!(!is_readable && whole.is_err() && !error.to_string().is_empty());
            return;
        }
    };
    let names: Vec<&str> = footer.schema.columns.iter().map(|column| column.name.as_str()).collect();
    let columns = part.columns("cells", &names);
    match (&whole, &columns) {
        (Ok(whole), Ok(columns)) => {
            assert!(is_intact, "rows of a part that is not as it was written");
            agrees(whole, footer.rows, &footer.schema);
            agrees(columns, footer.rows, &footer.schema);
        }
        (Ok(_), Err(error)) => panic!("whole but not by columns: {error}"),
        (Err(_), Ok(columns)) => {
            assert!(!is_intact, "refused as a whole, and not by columns");
            agrees(columns, footer.rows, &footer.schema);
        }
        (Err(one), Err(other)) => assert!(!one.to_string().is_empty() && !other.to_string().is_empty()),
    }
    if let Ok(some) = part.rows("cells", 1..4) {
        agrees(&some, footer.rows.min(4).saturating_sub(1), &footer.schema);
    }
}

/// As many cells in every column as there are rows.
fn agrees(table: &Table, rows: usize, schema: &TableSchema) {
    assert_eq!(table.rows(), rows);
    for Column { name, kind, .. } in &schema.columns {
        let cells = match kind {
            ColumnType::Bool => table.bools(name).map(|cells| cells.len()),
            ColumnType::Int64 => table.ints(name).map(|cells| cells.len()),
            ColumnType::Float64 => table.floats(name).map(|cells| cells.len()),
            ColumnType::String => table.texts(name).map(|cells| cells.len()),
        };
        assert_eq!(cells.unwrap_or_else(|error| panic!("{error}")), rows);
    }
}
