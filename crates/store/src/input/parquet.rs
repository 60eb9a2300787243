//! A user's parquet file: whatever holds numbers becomes doubles, whatever holds texts stays.

use std::path::Path;

use polars::prelude::{Column as Series, DataType};

use super::{InputColumn, InputTable, InputValues};
use crate::error::StoreError;
use crate::part;
use crate::values::{Cells, Values};

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<InputTable, StoreError> {
    let frame = part::read_frame(bytes).map_err(|reason| StoreError::InputParquet {
        path: path.into(),
        reason,
    })?;
    if frame.height() == 0 {
        return Err(StoreError::InputNoRows { path: path.into() });
    }
    let columns = frame.columns().iter().map(|series| {
        let values = input_values(series).ok_or_else(|| StoreError::InputColumnType {
            path: path.into(),
            column: series.name().to_string(),
            found: series.dtype().to_string(),
        })?;
        let name = series.name().to_string();
        Ok(InputColumn { name, values })
    });
    Ok(InputTable {
        columns: columns.collect::<Result<_, StoreError>>()?,
        rows: frame.height(),
        path: path.into(),
        lines: Vec::new(),
    })
}

/// A column as numbers or texts; a null among numbers makes the column texts, with `null` for the
/// cell, so that asking for numbers names it.
fn input_values(series: &Series) -> Option<InputValues> {
    let is_number = series.dtype().is_primitive_numeric() || series.dtype().is_bool();
    let values = match series.dtype() {
        DataType::String => part::values(series)?,
        _ if is_number => part::values(&series.cast(&DataType::Float64).ok()?)?,
        _ => return None,
    };
    Some(match &values.cells {
        Cells::Floats(cells) if values.present().is_none() => InputValues::Floats(cells.clone()),
        Cells::Floats(cells) => InputValues::Texts(texts(&values, |row| cells[row].to_string())),
        Cells::Texts(cells) => InputValues::Texts(texts(&values, |row| cells.get(row).to_string())),
        Cells::Bools(_) | Cells::Ints(_) => return None,
    })
}

fn texts(values: &Values, text: impl Fn(usize) -> String) -> Vec<String> {
    let text = |row| match values.is_present(row) {
        true => text(row),
        false => "null".into(),
    };
    (0..values.len()).map(text).collect()
}
