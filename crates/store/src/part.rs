//! One part: the bytes of a parquet file to rows. Knows no folders.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Cursor;
use std::ops::Range;

use polars::io::mmap::MmapBytesReader;
use polars::prelude::{
    ArrowDataType, ChunkedArray, Column as Series, DataFrame, ParallelStrategy, ParquetReader, PolarsError,
    PolarsNumericType, PolarsResult, SerReader, polars_err,
};

use crate::checksum;
use crate::columns::{Column, ColumnType, TableSchema};
use crate::provenance::{Footer, describe};
use crate::rows::Rows;
use crate::untrusted::{refuse_bombs, refuse_long_lists, without_panics};
use crate::values::{Cells, Values};

/// The rows of a part, with unit and documentation from its footer. Bytes that are not those that were written are
/// refused before polars sees them.
pub(crate) fn decode(table: &str, bytes: &[u8]) -> PolarsResult<Rows> {
    if !checksum::is_intact(bytes) {
        return Err(polars_err!(ComputeError: "it is not as it was written: its checksum differs"));
    }
    decode_some(table, Cursor::new(bytes), &Wanted::default())
}

/// Which columns and rows are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// These columns, in the order of the file; all if none is named.
    pub(crate) columns: &'a [&'a str],
    /// These rows; all if there is no range.
    pub(crate) rows: Option<Range<usize>>,
}

/// Some columns or rows of a part.
pub(crate) fn decode_some<R: MmapBytesReader>(table: &str, file: R, wanted: &Wanted<'_>) -> PolarsResult<Rows> {
    without_panics(|| decode_wanted(table, file, wanted))
}

fn decode_wanted<R: MmapBytesReader>(table: &str, file: R, wanted: &Wanted<'_>) -> PolarsResult<Rows> {
    let mut reader = reader(file)?;
    let Footer { mut schema, rows, .. } = footer_of(table, &mut reader)?;
    if !wanted.columns.is_empty() {
        schema.columns.retain(|column| wanted.columns.contains(&column.name.as_str()));
        let names = schema.columns.iter().map(|column| column.name.clone()).collect();
        reader = reader.with_columns(Some(names));
    }
    if let Some(range) = &wanted.rows {
        let end = range.end.min(rows);
        reader = reader.with_slice(Some((range.start.min(end), end - range.start.min(end))));
    }
    let frame = reader.read_parallel(ParallelStrategy::None).finish()?;
    refuse_uneven(&frame)?;
    let columns = frame
        .columns()
        .iter()
        .map(|column| values(column).ok_or_else(|| unknown_type(column.dtype())))
        .collect::<PolarsResult<Vec<_>>>()?;
    Ok(Rows::from_columns(schema, columns))
}

/// A reader of a file that was looked at and may be decoded.
pub(crate) fn reader<R: MmapBytesReader>(mut file: R) -> PolarsResult<ParquetReader<R>> {
    refuse_long_lists(&mut file)?;
    let metadata = ParquetReader::new(&mut file).get_metadata()?.clone();
    refuse_bombs(&mut file, &metadata)?;
    let mut reader = ParquetReader::new(file);
    reader.set_metadata(metadata);
    Ok(reader)
}

/// polars takes the number of rows from the footer, and columns from their pages.
pub(crate) fn refuse_uneven(frame: &DataFrame) -> PolarsResult<()> {
    let uneven = frame.columns().iter().find(|column| column.len() != frame.height());
    match uneven {
        None => Ok(()),
        Some(column) => Err(polars_err!(
            ComputeError: "column `{}` has {} rows of {}", column.name(), column.len(), frame.height()
        )),
    }
}

/// A column's cells out of polars' form; `None` where tables have no such type.
pub(crate) fn values(column: &Series) -> Option<Values> {
    let series = column.as_materialized_series();
    let cells = if let Ok(floats) = series.f64() {
        Cells::Floats(numbers(floats))
    } else if let Ok(ints) = series.i64() {
        Cells::Ints(numbers(ints))
    } else if let Ok(bools) = series.bool() {
        Cells::Bools(bools.iter().map(Option::unwrap_or_default).collect())
    } else if let Ok(strings) = series.str() {
        Cells::Texts(strings.iter().map(Option::unwrap_or_default).collect())
    } else {
        return None;
    };
    let present = (series.null_count() > 0).then(|| series.is_not_null().no_null_iter().collect());
    Some(Values::from_cells(cells, present))
}

fn numbers<T: PolarsNumericType>(column: &ChunkedArray<T>) -> Vec<T::Native> {
    let mut cells = Vec::with_capacity(column.len());
    for chunk in column.downcast_iter() {
        match chunk.validity() {
            None => cells.extend_from_slice(chunk.values()),
            Some(_) => cells.extend(chunk.iter().map(|cell| cell.copied().unwrap_or_default())),
        }
    }
    cells
}

/// Reads what stands before and after the cells.
pub(crate) fn footer<R: MmapBytesReader>(table: &str, mut file: R) -> PolarsResult<Footer> {
    without_panics(|| {
        refuse_long_lists(&mut file)?;
        footer_of(table, &mut ParquetReader::new(file))
    })
}

fn footer_of<R: MmapBytesReader>(table: &str, reader: &mut ParquetReader<R>) -> PolarsResult<Footer> {
    let pairs = reader.get_metadata()?.key_value_metadata().clone();
    let keys: BTreeMap<String, String> = pairs
        .unwrap_or_default()
        .into_iter()
        .filter(|pair| pair.key != "ARROW:schema")
        .map(|pair| (pair.key, pair.value.unwrap_or_default()))
        .collect();
    let rows = reader.num_rows()?;
    let fields = reader.schema()?;
    if fields.is_empty() && rows > 0 {
        return Err(polars_err!(ComputeError: "{rows} rows without a column"));
    }
    let mut columns = fields
        .iter_values()
        .map(|field| Ok(Column::new(field.name.as_str(), column_type(&field.dtype)?, "", "")))
        .collect::<PolarsResult<Vec<_>>>()?;
    describe(&mut columns, &keys);
    let name = table.into();
    Ok(Footer { schema: TableSchema { name, columns }, rows, keys })
}

fn column_type(found: &ArrowDataType) -> PolarsResult<ColumnType> {
    match found {
        ArrowDataType::Boolean => Ok(ColumnType::Bool),
        ArrowDataType::Int64 => Ok(ColumnType::Int64),
        ArrowDataType::Float64 => Ok(ColumnType::Float64),
        ArrowDataType::Utf8View | ArrowDataType::LargeUtf8 | ArrowDataType::Utf8 => Ok(ColumnType::String),
        other => Err(unknown_type(other)),
    }
}

fn unknown_type(found: &impl Debug) -> PolarsError {
    polars_err!(SchemaMismatch: "it has a column of type {found:?}, which tables do not have")
}
