//! Rows to the bytes of a parquet file. Knows no folders.
//!
//! Everything runs on the calling thread: polars' own pool is never woken, so that parts may be
//! written from many workers at once and the bytes depend on the rows alone.

use std::cell::Cell;
use std::io::{self, Write};

use polars::prelude::{CompatLevel, DataType, Field, PolarsError, PolarsResult, Schema, SchemaExt, polars_err};
use polars_parquet::write::{
    CompressionOptions, DynIter, FileWriter, KeyValue, StatisticsOptions, Version, WriteOptions, schema_to_metadata_key,
};

use crate::checksum::{self, Sealed};
use crate::columns::{Column, ColumnType};
use crate::pages::{self, Stretch, Trial, pages_of};
use crate::selection::Selection;

/// Rows per row group: large enough to compress, small enough that its columns stay in the cache and their memory is
/// used again. Groups of 2¹⁸ rows, polars' own choice, took 40 % more time to write a trajectory of 100,000 rows.
const ROW_GROUP: usize = 1 << 15;

/// Why there is no file.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// The rows make none.
    Rows(PolarsError),
    /// Its bytes did not go out.
    Bytes(io::Error),
}

/// Writes the rows as a parquet file, and returns its size.
pub(crate) fn encode(
    selection: &Selection<'_>,
    mut keys: Vec<(String, String)>,
    out: impl Write,
) -> Result<u64, Unwritten> {
    keys.push(checksum::placeholder());
    let is_end = Cell::new(false);
    let mut sealed = Sealed::new(out, &is_end);
    if let Err(reason) = fill(selection, keys, &mut sealed, &is_end) {
        return Err(sealed.failure().map_or(Unwritten::Rows(reason), Unwritten::Bytes));
    }
    let unsealed = || Unwritten::Rows(polars_err!(ComputeError: "its footer has no place for a checksum"));
    sealed.seal().map_err(Unwritten::Bytes)?.ok_or_else(unsealed)
}

fn fill(
    selection: &Selection<'_>,
    keys: Vec<(String, String)>,
    out: impl Write,
    is_end: &Cell<bool>,
) -> PolarsResult<()> {
    let columns = &selection.schema().columns;
    let fields = columns.iter().map(|column| Field::new(column.name.as_str().into(), data_type(column.kind)));
    let schema: Schema = fields.collect();
    if schema.len() < columns.len() {
        return Err(polars_err!(Duplicate: "two columns have one name"));
    }
    // A group of rows has one page per column, of which its own statistics say all.
    let options = WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: Version::V1,
        compression: CompressionOptions::Uncompressed,
        data_page_size: None,
    };
    let mut writer = FileWriter::try_new(out, schema.to_arrow(CompatLevel::newest()), options)?;
    let mut trial = pages::trial()?;
    for stretch in selection.stretches(ROW_GROUP) {
        write_group(&mut writer, columns, &stretch, &mut trial)?;
    }
    let keys = keys.into_iter().map(|(key, value)| KeyValue { key, value: Some(value) });
    let keys = std::iter::once(schema_to_metadata_key(writer.schema())).chain(keys).collect();
    is_end.set(true);
    writer.end(Some(keys)).map(drop)
}

/// Writes one row group, one column after the other.
fn write_group<W: Write>(
    writer: &mut FileWriter<W>,
    columns: &[Column],
    stretch: &Stretch<'_>,
    trial: &mut Trial,
) -> PolarsResult<()> {
    let rows: usize = stretch.iter().map(|(_, range)| range.len()).sum();
    let types = writer.parquet_schema().fields().to_vec();
    let columns = columns.iter().enumerate().zip(types).map(|(column, of)| pages_of(column, stretch, of, trial));
    writer.write(rows as u64, DynIter::new(columns))
}

fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Float64 => DataType::Float64,
        ColumnType::String => DataType::String,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::columns::TableSchema;
    use crate::part::{Wanted, decode, decode_some, footer};
    use crate::rows::Rows;
    use crate::values::Cells;

    fn encoded(rows: &Rows, keys: Vec<(String, String)>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let size = encode(&rows.into(), keys, &mut bytes).expect("these rows make a table");
        assert_eq!(size, bytes.len() as u64);
        bytes
    }

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
        let bytes = encoded(rows, Vec::new());
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
        let bytes = encoded(&rows, Vec::new());
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
        let bytes = || encoded(&rows, vec![("k".into(), "v".into())]);
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
        let mut bytes = encoded(&rows, vec![("taut.study".into(), "taut.checksum\u{18}@".into())]);
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
        let bytes = encoded(&rows, Vec::new());
        for range in [0..3, 5..5, ROW_GROUP - 2..ROW_GROUP + 7, n - 1..n, n..n + 5] {
            let wanted = Wanted { columns: &["source", "cell"], rows: Some(range.clone()) };
            let some = decode_some("trajectory", Cursor::new(&bytes), &wanted).expect("just encoded");
            assert_eq!(some.schema().column_names(), ["cell", "source"]);
            let expected: Vec<i64> = range.filter(|&row| row < n).map(|row| row as i64).collect();
            assert_eq!(some.ints(0), expected);
        }
    }

    /// Every kind of column in every way of being written, from one gathering or cut out of several.
    #[test]
    fn what_is_there_and_what_is_null_comes_back() {
        let column = |name: &str, kind| Column::new(name, kind, "", "");
        let kinds = [ColumnType::Int64, ColumnType::Float64, ColumnType::String, ColumnType::Bool];
        let columns =
            kinds.iter().flat_map(|&kind| ["few", "many", "none"].map(|how| column(&format!("{how} {kind}"), kind)));
        let schema = TableSchema { name: "t".into(), columns: columns.collect() };
        for (n, nulls) in [(1, 2), (7, 3), (100, usize::MAX), (100, 3), (ROW_GROUP + 50, 7), (ROW_GROUP, usize::MAX)] {
            let mut rows = Rows::new(&schema);
            for row in 0..n {
                let there = row % nulls != nulls - 1;
                rows.push_int(0, there.then_some(row as i64 / 50 - 3));
                rows.push_int(1, there.then_some((row as i64).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)));
                rows.push_float(3, there.then_some((row % 11) as f64));
                rows.push_float(4, there.then_some(1.0 / (row + 1) as f64));
                rows.push_text(6, there.then_some(["trained", "", "solved"][row / 40 % 3]));
                rows.push_text(7, there.then_some(&"x".repeat(1 + row % 90)[..]));
                rows.push_bool(9, there.then_some(row % 3 == 0));
                rows.push_bool(10, there.then_some(true));
            }
            [2, 5, 8, 11].into_iter().for_each(|none| rows.push_null(none, n));
            let whole = decoded(&rows);
            assert!(whole.same_bits(0..n, &rows, 0..n), "{n} rows, every {nulls}th null");
            let mut selection = Selection::of(rows.schema());
            let other = rows.clone();
            (0..n)
                .step_by(33)
                .for_each(|row| selection.push(if row % 2 == 0 { &rows } else { &other }, row..n.min(row + 20)));
            let mut bytes = Vec::new();
            encode(&selection, Vec::new(), &mut bytes).expect("these rows make a table");
            let some = decode("t", &bytes).expect("just encoded");
            let mut at = 0;
            for row in (0..n).step_by(33) {
                let range = row..n.min(row + 20);
                assert!(some.same_bits(at..at + range.len(), &rows, range.clone()));
                at += range.len();
            }
            assert_eq!(some.len(), at);
        }
    }

    #[test]
    fn long_texts_take_several_pages() {
        let schema = TableSchema { name: "t".into(), columns: vec![Column::new("x", ColumnType::String, "", "")] };
        let mut rows = Rows::new(&schema);
        (0..3000).for_each(|row| rows.push_text(0, (row % 5 != 0).then(|| format!("{row:01000}")).as_deref()));
        assert!(decoded(&rows).same_bits(0..3000, &rows, 0..3000));
    }

    #[test]
    fn a_disk_that_is_full_is_not_a_mistake_of_the_rows() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut rows = Rows::new(&schema());
        (0..100_000).for_each(|row| rows.push_float(1, Some(1.0 / f64::from(row + 1))));
        [0, 2, 3].into_iter().for_each(|column| rows.push_null(column, 100_000));
        let size = encoded(&rows, Vec::new()).len();
        for room in [0, size / 3, size - 1] {
            let ended = encode(&(&rows).into(), Vec::new(), Full(room));
            assert!(matches!(ended, Err(Unwritten::Bytes(reason)) if reason.kind() == io::ErrorKind::StorageFull));
        }
        assert!(encode(&(&rows).into(), Vec::new(), Full(size)).is_ok());
    }

    #[test]
    fn no_rows_still_have_columns() {
        let back = decoded(&Rows::new(&schema()));
        assert_eq!((back.len(), back.columns().len()), (0, 4));
    }
}
