//! One part: rows to the bytes of a parquet file and back. Knows no folders.
//!
//! Everything runs on the calling thread: polars' own pool is never woken, so that parts may be
//! written from many workers at once and the bytes depend on the rows alone.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Cursor;
use std::ops::Range;

use polars::io::mmap::MmapBytesReader;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    ArrowDataType, BooleanChunked, ChunkedArray, Column as Series, DataFrame, DataType, Field, Float64Chunked,
    Int64Chunked, IntoColumn, KeyValueMetadata, NewChunkedArray, ParallelStrategy, ParquetCompression, ParquetReader,
    ParquetWriter, PlSmallStr, PolarsError, PolarsNumericType, PolarsResult, Schema, SerReader, StatisticsOptions,
    StringChunked, polars_err,
};

use crate::checksum;
use crate::columns::{Column, ColumnType, TableSchema};
use crate::provenance::{Footer, describe};
use crate::rows::Rows;
use crate::selection::Selection;
use crate::untrusted::{refuse_bombs, refuse_long_lists, without_panics};
use crate::values::{Cells, Values};

/// Rows per row group: large enough to compress, small enough that its columns stay in the cache and their memory is
/// used again. Groups of 2¹⁸ rows, polars' own choice, took 40 % more time to write a trajectory of 100,000 rows.
const ROW_GROUP: usize = 1 << 15;

/// Level 1 and level 3 give the same size within a percent on doubles, random and repeated; on a whole
/// sweep of 6000 short cells level 3 took 6 % more wall time.
const ZSTD_LEVEL: i32 = 1;

/// Where three quarters of the columns are floats, most are measured and hardly compress: by zstd they take 7 % less room
/// than by snappy, and writing them takes twice as long. Other tables take 20 to 40 % less, in little time.
fn compression(columns: &[Column]) -> PolarsResult<ParquetCompression> {
    let floats = columns.iter().filter(|column| column.kind == ColumnType::Float64).count();
    if 4 * floats >= 3 * columns.len() {
        return Ok(ParquetCompression::Snappy);
    }
    Ok(ParquetCompression::Zstd(Some(ZstdLevel::try_new(ZSTD_LEVEL)?)))
}

/// The rows as a parquet file in memory, so that what fails afterwards is the disk and not the rows.
pub(crate) fn encode(selection: &Selection<'_>, mut keys: Vec<(String, String)>) -> PolarsResult<Vec<u8>> {
    keys.push(checksum::placeholder());
    let columns = &selection.schema().columns;
    let compression = compression(columns)?;
    let columns = columns.iter();
    let schema: Schema =
        columns.map(|column| Field::new(column.name.as_str().into(), data_type(column.kind))).collect();
    let mut bytes = Vec::new();
    let mut writer = ParquetWriter::new(&mut bytes)
        .with_compression(compression)
        .with_statistics(StatisticsOptions::default())
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(keys)))
        .set_parallel(false)
        .batched(&schema)?;
    for stretch in selection.stretches(ROW_GROUP) {
        writer.write_batch(&frame(selection.schema(), &stretch)?)?;
    }
    writer.finish()?;
    drop(writer);
    if !checksum::seal(&mut bytes) {
        return Err(polars_err!(ComputeError: "its footer has no place for a checksum"));
    }
    Ok(bytes)
}

fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::String => DataType::String,
    }
}

/// The rows of one row group in polars' form, each column in one piece.
fn frame(schema: &TableSchema, stretch: &[(&Rows, Range<usize>)]) -> PolarsResult<DataFrame> {
    let height = stretch.iter().map(|(_, range)| range.len()).sum();
    let joined = |(at, column): (usize, &Column)| {
        let mut values = Values::with_capacity(column.kind, height);
        for (rows, range) in stretch {
            if !values.append_range(&rows.columns()[at], range.clone()) {
                return Err(polars_err!(ComputeError: "column `{}` has cells of two types", column.name));
            }
        }
        Ok(series(column.name.as_str().into(), values))
    };
    DataFrame::new(height, schema.columns.iter().enumerate().map(joined).collect::<PolarsResult<_>>()?)
}

/// The only copy of the cells is the one that put them together: polars takes the vectors over.
fn series(name: PlSmallStr, values: Values) -> Series {
    let Values { cells, present } = values;
    // Every mask has a null: ranges without one bring none along.
    let is_full = present.is_none();
    let bits = present.as_ref().map(|mask| mask.iter().copied().collect());
    let present = present.unwrap_or_default();
    match cells {
        Cells::Floats(cells) => Float64Chunked::from_vec_validity(name, cells, bits).into_column(),
        Cells::Ints(cells) => Int64Chunked::from_vec_validity(name, cells, bits).into_column(),
        Cells::Bools(cells) if is_full => BooleanChunked::from_slice(name, &cells).into_column(),
        Cells::Bools(cells) => {
            let options = cells.iter().zip(&present).map(|(cell, there)| there.then_some(*cell));
            BooleanChunked::from_iter_options(name, options).into_column()
        }
        Cells::Texts(texts) => {
            let cells = (0..texts.len()).map(|row| texts.get(row));
            if is_full {
                return StringChunked::from_iter_values(name, cells).into_column();
            }
            let options = cells.zip(&present).map(|(cell, there)| there.then_some(cell));
            StringChunked::from_iter_options(name, options).into_column()
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> TableSchema {
        TableSchema {
            name: "trajectory".into(),
            columns: vec![
                Column::new("cell", ColumnType::Int64, "", "the cell"),
                Column::new("wall", ColumnType::Float64, "s", "wall clock"),
                Column::new("source", ColumnType::String, "", "who made the row"),
                Column::new("ok", ColumnType::Bool, "", "whether it is fine"),
            ],
        }
    }

    fn decoded(rows: &Rows) -> Rows {
        let bytes = encode(&rows.into(), Vec::new()).expect("these rows make a table");
        decode(&rows.schema().name, &bytes).expect("just encoded")
    }

    fn float_cells(rows: &Rows, column: usize) -> &[f64] {
        match &rows.columns()[column].cells {
            Cells::Floats(cells) => cells,
            _ => panic!("a column of floats"),
        }
    }

    #[test]
    fn every_double_keeps_its_bits() {
        // Few distinct values go through a dictionary, many do not: signs of zero must survive both.
        let special = [0.0, -0.0, f64::NAN, f64::INFINITY, -f64::INFINITY, 5e-324, 0.1];
        let many = (0..2000u64).map(|i| f64::from_bits(i * 0x0012_3456_789a_bcde));
        for cells in [special.repeat(50), many.chain(special).filter(|x| !x.is_nan()).collect()] {
            let schema = TableSchema { name: "t".into(), columns: vec![Column::new("x", ColumnType::Float64, "", "")] };
            let mut rows = Rows::new(&schema);
            rows.extend_floats(0, &cells);
            let bits = |cells: &[f64]| cells.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(float_cells(&decoded(&rows), 0)), bits(&cells));
        }
    }

    #[test]
    fn rows_of_several_groups_come_back_in_order() {
        let n = ROW_GROUP + 3;
        let mut rows = Rows::new(&schema());
        for row in 0..n {
            rows.push_int(0, Some(row as i64));
            rows.push_bool(3, Some(row % 3 == 0));
        }
        rows.push_null(1, n - 1);
        rows.push_float(1, Some(1.0));
        rows.repeat_text(2, Some("trained"), n);
        let bytes = encode(&(&rows).into(), Vec::new()).expect("these rows make a table");
        let footer = footer("trajectory", Cursor::new(&bytes)).expect("just encoded");
        assert_eq!(footer.rows, n);
        let back = decode("trajectory", &bytes).expect("just encoded");
        let (Cells::Ints(cells), Cells::Bools(oks)) = (&back.columns()[0].cells, &back.columns()[3].cells) else {
            panic!("Int64 and Bool columns");
        };
        assert!(cells.iter().enumerate().all(|(row, &cell)| cell == row as i64));
        assert!(oks.iter().enumerate().all(|(row, &ok)| ok == (row % 3 == 0)));
        assert!(!back.columns()[1].is_present(n - 2) && back.columns()[1].is_present(n - 1));
    }

    #[test]
    fn equal_rows_have_equal_bytes_on_any_thread() {
        let mut rows = Rows::new(&schema());
        rows.repeat_int(0, Some(1), 10);
        rows.extend_floats(1, &[0.5; 10]);
        rows.repeat_text(2, None, 10);
        rows.push_null(3, 10);
        let bytes = || encode(&(&rows).into(), vec![("k".into(), "v".into())]).expect("a table");
        let here = bytes();
        let there = std::thread::scope(|scope| scope.spawn(bytes).join().expect("no panic"));
        assert_eq!(here, there);
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let mut rows = Rows::new(&schema());
        rows.repeat_int(0, Some(1), 20);
        (0..20).for_each(|row| rows.push_float(1, Some(1.0 / f64::from(row))));
        rows.repeat_text(2, Some("taut.checksum"), 20);
        rows.push_null(3, 20);
        let mut bytes =
            encode(&(&rows).into(), vec![("taut.study".into(), "taut.checksum\u{18}@".into())]).expect("a table");
        assert!(checksum::is_intact(&bytes));
        for at in 0..bytes.len() {
            bytes[at] ^= 0x10;
            assert!(!checksum::is_intact(&bytes) && decode("trajectory", &bytes).is_err(), "byte {at}");
            bytes[at] ^= 0x10;
        }
        (0..bytes.len()).for_each(|end| assert!(!checksum::is_intact(&bytes[..end]), "cut at {end}"));
        assert!(checksum::is_intact(&bytes));
    }

    #[test]
    fn some_rows_and_columns_are_those_of_the_whole() {
        let n = ROW_GROUP + 100;
        let mut rows = Rows::new(&schema());
        (0..n).for_each(|row| rows.push_int(0, Some(row as i64)));
        rows.push_null(1, n);
        rows.repeat_text(2, Some("trained"), n);
        rows.push_null(3, n);
        let bytes = encode(&(&rows).into(), Vec::new()).expect("a table");
        for range in [0..3, 5..5, ROW_GROUP - 2..ROW_GROUP + 7, n - 1..n, n..n + 5] {
            let wanted = Wanted { columns: &["source", "cell"], rows: Some(range.clone()) };
            let some = decode_some("trajectory", Cursor::new(&bytes), &wanted).expect("just encoded");
            assert_eq!(some.schema().column_names(), ["cell", "source"]);
            let expected: Vec<i64> = range.filter(|&row| row < n).map(|row| row as i64).collect();
            assert_eq!(some.ints(0), expected);
        }
    }

    #[test]
    fn no_rows_still_have_columns() {
        let back = decoded(&Rows::new(&schema()));
        assert_eq!((back.len(), back.columns().len()), (0, 4));
    }
}
