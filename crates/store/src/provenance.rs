//! Where a part comes from: the key-values of its parquet footer.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::columns::{Column, TableSchema};

pub(crate) const COLUMNS_KEY: &str = "taut.columns";

/// What every part says about its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The version of the tables' layout: `taut.schema_version`.
    pub schema_version: String,
    /// Program version and git revision: `taut.program`.
    pub program: String,
    /// The text of the study: `taut.study`.
    pub study: String,
    /// Further keys with their values, written as they are.
    pub extra: Vec<(String, String)>,
}

impl Provenance {
    /// The footer of a part with these columns.
    pub(crate) fn keys(&self, columns: &[Column]) -> Vec<(String, String)> {
        let mut keys = vec![
            ("taut.schema_version".into(), self.schema_version.clone()),
            ("taut.program".into(), self.program.clone()),
            ("taut.study".into(), self.study.clone()),
            (COLUMNS_KEY.into(), described(columns)),
        ];
        keys.extend(self.extra.iter().cloned());
        keys
    }
}

/// What can be known of a part without reading its cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Footer {
    /// The table's name and the columns of this part, with unit and documentation.
    pub schema: TableSchema,
    /// How many rows the part holds.
    pub rows: usize,
    /// All key-values, `taut.…` and extra ones.
    pub keys: BTreeMap<String, String>,
}

/// Name → unit and doc, as JSON.
fn described(columns: &[Column]) -> String {
    let described: Map<String, Value> = columns
        .iter()
        .map(|column| {
            let about = json!({ "unit": column.unit, "doc": column.doc });
            (column.name.clone(), about)
        })
        .collect();
    Value::Object(described).to_string()
}

/// Puts unit and doc from the footer back on the columns; columns it does not mention stay bare.
pub(crate) fn describe(columns: &mut [Column], keys: &BTreeMap<String, String>) {
    let Some(described) = keys.get(COLUMNS_KEY).and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return;
    };
    for column in columns {
        let word = |key: &str| {
            let word = described.get(&column.name).and_then(|about| about.get(key));
            word.and_then(Value::as_str).unwrap_or_default().to_string()
        };
        (column.unit, column.doc) = (word("unit"), word("doc"));
    }
}
