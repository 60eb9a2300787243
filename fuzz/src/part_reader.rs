//! Bytes as a part of a table: footer first, then the rows, through the doors that a run and a report use.

use std::path::Path;
use taut_store::{Column, ColumnType, Folder};

/// Puts the bytes where a part would be in this folder and reads it in every way.
///
/// # Panics
/// If the ways disagree, or a refusal has no words.
pub fn exercise(root: &Path, bytes: &[u8]) {
    let folder = Folder::at(root);
    let path = folder.part_path("cells", "fuzz").expect("plain names");
    std::fs::create_dir_all(root.join("cells")).expect("a folder that can be written");
    std::fs::write(&path, bytes).expect("a folder that can be written");
    let footer = folder.read_footer("cells", "fuzz");
    let is_readable = folder.part_is_readable("cells", "fuzz");
    match &footer {
        Ok(footer) => assert!(footer.schema.name == "cells"),
        Err(error) => assert!(!is_readable && !error.to_string().is_empty()),
    }
    match folder.read_part("cells", "fuzz") {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(table) => {
            let footer = footer.expect("a part whose rows are read has a footer");
            assert_eq!(table.rows(), footer.rows);
            for Column { name, kind, .. } in &footer.schema.columns {
                let rows = match kind {
                    ColumnType::Bool => table.bools(name).map(|cells| cells.len()),
                    ColumnType::Int64 => table.ints(name).map(|cells| cells.len()),
                    ColumnType::Float64 => table.floats(name).map(|cells| cells.len()),
                    ColumnType::String => table.texts(name).map(|cells| cells.len()),
                };
                assert_eq!(rows.expect("a column of this type"), table.rows());
            }
        }
    }
}
