//! A user's parquet file: whatever holds numbers becomes doubles, whatever holds texts stays.

use std::io::Cursor;
use std::path::Path;

use polars::prelude::{
    ArrowDataType, Column as Series, DataFrame, DataType, ParallelStrategy, PolarsResult, SerReader,
};

use super::{InputColumn, InputTable, InputValues, UnreadColumn};
use crate::error::StoreError;
use crate::part;
use crate::untrusted::without_panics;
use crate::values::{Cells, Values};

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<InputTable, StoreError> {
    let (frame, unread) = without_panics(|| read_frame(bytes)).map_err(|reason| {
        let path = path.into();
        StoreError::InputParquet { path, reason }
    })?;
    if frame.height() == 0 {
        return Err(StoreError::InputNoRows { path: path.into() });
    }
    let columns = frame
        .columns()
        .iter()
        .map(|series| InputColumn { name: series.name().to_string(), values: input_values(series) });
    Ok(InputTable { columns: columns.collect(), rows: frame.height(), path: path.into(), lines: Vec::new(), unread })
}

/// The columns of numbers and texts, and the others by name: a column of dates is no obstacle as long
/// as nobody asks for it.
fn read_frame(bytes: &[u8]) -> PolarsResult<(DataFrame, Vec<UnreadColumn>)> {
    let mut reader = part::reader(Cursor::new(bytes))?;
    let mut wanted = Vec::new();
    let mut unread = Vec::new();
    for (index, field) in reader.schema()?.iter_values().enumerate() {
        if is_readable(&field.dtype) {
            wanted.push(index);
        } else {
            unread.push(UnreadColumn { name: field.name.to_string(), kind: format!("{:?}", field.dtype) });
        }
    }
    let frame = reader.with_projection(Some(wanted)).read_parallel(ParallelStrategy::None).finish()?;
    part::refuse_uneven(&frame)?;
    Ok((frame, unread))
}

/// The types that polars reads as we build it; smaller integers need features that we leave out.
fn is_readable(kind: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    let is_integer = matches!(kind, A::Int32 | A::Int64 | A::UInt32 | A::UInt64);
    let is_float = matches!(kind, A::Float32 | A::Float64);
    let is_text = matches!(kind, A::Utf8 | A::LargeUtf8 | A::Utf8View);
    is_integer || is_float || is_text || matches!(kind, A::Boolean)
}

/// A column as numbers or texts; a null among numbers makes the column texts, with `null` for the
/// cell, so that asking for numbers names it.
fn input_values(series: &Series) -> InputValues {
    let values = match series.dtype() {
        DataType::String => part::values(series),
        _ => series.cast(&DataType::Float64).ok().and_then(|series| part::values(&series)),
    };
    let values = values.expect("every readable type is text or becomes a double");
    match &values.cells {
        Cells::Floats(cells) if values.present().is_none() => InputValues::Floats(cells.clone()),
        Cells::Floats(cells) => InputValues::Texts(texts(&values, |row| cells[row].to_string())),
        Cells::Texts(cells) => InputValues::Texts(texts(&values, |row| cells.get(row).to_string())),
        Cells::Bools(_) | Cells::Ints(_) => unreachable!("these were made doubles"),
    }
}

fn texts(values: &Values, text: impl Fn(usize) -> String) -> Vec<String> {
    let text = |row| match values.is_present(row) {
        true => text(row),
        false => "null".into(),
    };
    (0..values.len()).map(text).collect()
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Float64Chunked, IntoColumn, NewChunkedArray, ParquetWriter, Scalar};

    use super::*;
    use crate::columns::{Column, ColumnType, TableSchema};
    use crate::encoding::encode;
    use crate::rows::Rows;

    fn bytes() -> Vec<u8> {
        let column = |name: &str, kind| Column::new(name, kind, "", "");
        let schema = TableSchema {
            name: "d".into(),
            columns: vec![
                column("x", ColumnType::Float64),
                column("row", ColumnType::Int64),
                column("mask", ColumnType::Bool),
                column("tensor", ColumnType::String),
                column("gap", ColumnType::Float64),
            ],
        };
        let mut rows = Rows::new(&schema);
        rows.extend_floats(0, &[0.1, 0.2]);
        rows.repeat_int(1, Some(3), 2);
        rows.push_bool(2, Some(true));
        rows.push_bool(2, Some(false));
        rows.repeat_text(3, Some("X"), 2);
        rows.push_float(4, Some(1.5));
        rows.push_float(4, None);
        let mut bytes = Vec::new();
        encode(&(&rows).into(), Vec::new(), &mut bytes).expect("a table");
        bytes
    }

    #[test]
    fn numbers_truth_values_and_texts_are_read() {
        let table = read(Path::new("d.parquet"), &bytes()).expect("a table");
        assert_eq!(table.rows, 2);
        assert_eq!(table.floats("x").expect("numbers"), [0.1, 0.2]);
        assert_eq!(table.floats("row").expect("numbers"), [3.0, 3.0]);
        assert_eq!(table.floats("mask").expect("numbers"), [1.0, 0.0]);
        assert_eq!(table.texts("tensor").expect("texts"), ["X", "X"]);
    }

    #[test]
    fn a_null_among_numbers_is_named_with_its_row() {
        let table = read(Path::new("d.parquet"), &bytes()).expect("a table");
        assert_eq!(
            table.floats("gap").unwrap_err().to_string(),
            "d.parquet, row 2, column `gap`: `null` is not a number; write decimals such as 0.5 or 1e-3"
        );
    }

    #[test]
    fn a_file_that_is_no_parquet_is_refused() {
        let error = read(Path::new("d.parquet"), b"x,y\n1,2\n").unwrap_err();
        assert!(matches!(error, StoreError::InputParquet { .. }), "{error}");
    }

    #[test]
    fn a_column_of_another_type_is_refused_only_when_asked_for() {
        let numbers = Float64Chunked::from_slice("x".into(), &[1.0]).into_column();
        let nothing = Series::new_scalar("when".into(), Scalar::null(DataType::Null), 1);
        let mut frame = DataFrame::new(1, vec![numbers, nothing]).expect("two columns");
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).set_parallel(false).finish(&mut frame).expect("a table");
        let table = read(Path::new("d.parquet"), &bytes).expect("a table");
        assert_eq!(table.floats("x").expect("numbers"), [1.0]);
        assert_eq!(
            table.floats("when").unwrap_err().to_string(),
            "column `when` of d.parquet is of type Null; give numbers of 32 or 64 bits, truth values or texts"
        );
    }
}
