//! A study's own files, read through the store.

use crate::study::{FileColumn, FileTable, Files};
use std::path::Path;
use taut_store::{InputTable, InputValues, read_bytes};

/// Files as they lie on disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk;

impl Files for Disk {
    fn table(&self, path: &Path) -> Result<FileTable, String> {
        let bytes = read_bytes(path).map_err(|e| e.to_string())?;
        let table = InputTable::from_bytes(path, &bytes).map_err(|e| e.to_string())?;
        let columns = table
            .columns
            .iter()
            .map(|column| {
                let numbers = table.floats(&column.name).map(<[f64]>::to_vec).map_err(|e| e.to_string());
                let texts = match &column.values {
                    InputValues::Texts(texts) => texts.clone(),
                    InputValues::Floats(values) => values.iter().map(f64::to_string).collect(),
                };
                FileColumn { name: column.name.clone(), numbers, texts }
            })
            .collect();
        Ok(FileTable { columns })
    }

    fn hash(&self, path: &Path) -> Result<String, String> {
        let bytes = read_bytes(path).map_err(|e| e.to_string())?;
        Ok(blake3::hash(&bytes).to_hex().to_string())
    }
}
