//! Results folders written by hand through the store: tables of any size and content, with claims over them.

use serde_json::{Value, json};
use std::path::Path;
use taut_store::{Column, ColumnType, Folder, Provenance, Rows, Table, TableSchema};

/// The layout that hand-made folders say they have.
pub const VERSION: &str = "6";

/// What every part of a hand-made folder says of itself.
pub fn provenance(version: &str) -> Provenance {
    Provenance {
        schema_version: version.to_owned(),
        program: "by hand".to_owned(),
        study: "title = \"by hand\"\n".to_owned(),
        extra: Vec::new(),
    }
}

/// A table's columns from names and types.
pub fn schema(name: &str, columns: &[(&str, ColumnType)]) -> TableSchema {
    let columns = columns.iter().map(|(name, kind)| Column::new(*name, *kind, "", ""));
    TableSchema { name: name.to_owned(), columns: columns.collect() }
}

/// Writes the manifest of a study with these claims; `parts` is the number that a finished run has.
pub fn manifest(out: &Path, tables: &[&str], parts: usize, claims: Value) {
    let manifest = json!({
        "schema_version": VERSION,
        "semantics": "taut-1",
        "program": "by hand",
        "fingerprint": "by hand",
        "title": "by hand",
        "question": "",
        "quick": false,
        "cells": 0,
        "parts": parts,
        "metrics": [],
        "tables": tables,
        "claims": claims,
        "figures": [],
        "study": "title = \"by hand\"\n",
    });
    let folder = Folder::at(out);
    folder.prepare(tables).expect("a writable folder");
    folder.write_manifest(&manifest).expect("a writable folder");
}

/// A claim as the manifest holds it.
pub fn claim(says: &str, sql: &str, bound: (&str, Value), group_by: &[&str]) -> Value {
    let mut claim = json!({ "says": says, "sql": sql, "group_by": group_by });
    claim[bound.0] = bound.1;
    claim
}

/// Writes one part of a table.
pub fn write(out: &Path, part: usize, rows: &Rows) {
    Folder::at(out).write_part(&format!("{part:05}"), rows, &provenance(VERSION)).expect("a writable folder");
}

/// Writes every part of a table anew with one column of numbers changed: `change` sees the table, the row and its number.
pub fn tamper(out: &Path, table: &str, column: &str, change: impl Fn(&Table, usize, f64) -> f64) {
    let folder = Folder::at(out);
    for part in folder.parts(table).expect("a table") {
        let old = folder.read_part(table, &part).expect("a whole part");
        let footer = folder.read_footer(table, &part).expect("a whole part");
        let mut rows = Rows::new(old.schema());
        for (at, (name, kind)) in old.columns().into_iter().enumerate() {
            match kind {
                ColumnType::Bool => old.bools(name).unwrap().into_iter().for_each(|v| rows.push_bool(at, v)),
                ColumnType::Int64 => old.ints(name).unwrap().into_iter().for_each(|v| rows.push_int(at, v)),
                ColumnType::String => old.texts(name).unwrap().iter().for_each(|v| rows.push_text(at, v.as_deref())),
                ColumnType::Float64 => {
                    for (row, value) in old.floats(name).unwrap().into_iter().enumerate() {
                        let changed = |value| if name == column { change(&old, row, value) } else { value };
                        rows.push_float(at, value.map(changed));
                    }
                }
            }
        }
        let said = |key: &str| footer.keys.get(key).cloned().unwrap_or_default();
        let provenance = Provenance {
            schema_version: said("taut.schema_version"),
            program: said("taut.program"),
            study: said("taut.study"),
            extra: vec![("taut.semantics".to_owned(), said("taut.semantics"))],
        };
        folder.write_part(&part, &rows, &provenance).expect("a writable folder");
    }
}
