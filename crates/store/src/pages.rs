//! One column of a row group as parquet pages, by polars' own encoder.
//!
//! Left to itself that asks every column how many of its cells are different, and for its least and its largest, and
//! compresses all of them: half of the time of writing measured numbers, of which it then finds that nothing helps.

use std::ops::Range;

use polars::prelude::{
    BooleanChunked, Column as Series, CompatLevel, Float64Chunked, Int64Chunked, IntoColumn, NewChunkedArray,
    PlSmallStr, PolarsError, PolarsResult, StringChunked, polars_err,
};
use polars_parquet::read::ParquetError;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Compressor, DynStreamingIterator, Encoding, FallibleStreamingIterator,
    ParquetType, StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns,
};

use crate::columns::{Column, ColumnType};
use crate::rows::Rows;
use crate::values::{Cells, Values};

/// Level 1 and level 3 give the same size within a percent on doubles, random and repeated; on a whole
/// sweep of 6000 short cells level 3 took 6 % more wall time.
const ZSTD_LEVEL: i32 = 1;

/// So many numbers are looked at to see whether a column repeats itself.
const SAMPLE: usize = 384;

/// So many of them stand there twice or more where it does: of 4096 numbers in any number of rows about eighteen. One or two
/// are what all cells begin with.
const REPEATED: usize = 4;

/// Numbers that do not repeat are compressed if so many pieces of so many bytes become smaller than this many tenths.
const PIECES: usize = 4;
const PIECE: usize = 1 << 10;
const TENTHS: usize = 9;

/// Rows that lie in several gatherings.
pub(crate) type Stretch<'a> = [(&'a Rows, Range<usize>)];

/// What numbers are compressed with to see whether that helps: one context for all, for a new one costs more than the trial.
pub(crate) type Trial = zstd::bulk::Compressor<'static>;

/// Nothing is tried yet.
pub(crate) fn trial() -> PolarsResult<Trial> {
    Ok(Trial::new(ZSTD_LEVEL)?)
}

/// The pages of one column, by its number, over these rows.
pub(crate) fn pages_of(
    (at, column): (usize, &Column),
    stretch: &Stretch<'_>,
    of: ParquetType,
    trial: &mut Trial,
) -> PolarsResult<DynStreamingIterator<'static, CompressedPage, PolarsError>> {
    let mut values = Values::new(column.kind);
    values.reserve(stretch.iter().map(|(_, range)| range.len()).sum());
    for (rows, range) in stretch {
        if !values.append_range(&rows.columns()[at], range.clone()) {
            return Err(polars_err!(ComputeError: "column `{}` has cells of two types", column.name));
        }
    }
    let (encoding, is_compressed) = match &values.cells {
        Cells::Floats(cells) if !repeats(cells) => (Encoding::Plain, shrinks(cells, trial)),
        Cells::Bools(_) => (Encoding::Plain, true),
        _ => (Encoding::RleDictionary, true),
    };
    let statistics = match column.kind {
        // Of measured numbers nobody asks for one group of rows, and NaN has no place in an order.
        ColumnType::Float64 => StatisticsOptions { null_count: true, ..StatisticsOptions::empty() },
        _ => StatisticsOptions::default(),
    };
    let compression = match is_compressed {
        true => CompressionOptions::Zstd(Some(ZstdLevel::try_new(ZSTD_LEVEL)?)),
        false => CompressionOptions::Uncompressed,
    };
    let options = WriteOptions { statistics, compression, version: Version::V1, data_page_size: None };
    let series = series(column.name.as_str().into(), values).take_materialized_series();
    let array = series.to_arrow(0, CompatLevel::newest());
    let pages = array_to_columns(array, of, options, &[encoding])?
        .pop()
        .ok_or_else(|| polars_err!(ComputeError: "no pages"))?;
    let pages = pages.map(|page| page.map_err(|reason| ParquetError::FeatureNotSupported(reason.to_string())));
    Ok(DynStreamingIterator::new(Compressor::new(pages, compression, Vec::new()).map_err(PolarsError::from)))
}

/// Whether a column repeats itself, seen from numbers that stand at irregular distances: at regular ones, those of a grid that
/// comes again and again could all differ.
fn repeats(cells: &[f64]) -> bool {
    let stride = (cells.len() / SAMPLE).max(1);
    let place = |at: usize| at * stride + (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize % stride;
    let mut sample: Vec<u64> = (0..SAMPLE.min(cells.len())).map(|at| cells[place(at)].to_bits()).collect();
    sample.sort_unstable();
    let (mut different, mut repeated) = (0, 0);
    for equal in sample.chunk_by(|a, b| a == b) {
        different += 1;
        repeated += usize::from(equal.len() > 1);
    }
    repeated >= REPEATED || 4 * different <= 3 * sample.len()
}

/// Whether some of these numbers become much smaller.
fn shrinks(cells: &[f64], trial: &mut Trial) -> bool {
    let piece = PIECE / size_of::<f64>();
    let mut sample = Vec::with_capacity(PIECES * PIECE);
    for number in 0..PIECES {
        let start = number * cells.len().saturating_sub(piece) / (PIECES - 1);
        for cell in &cells[start..cells.len().min(start + piece)] {
            sample.extend_from_slice(&cell.to_le_bytes());
        }
    }
    trial.compress(&sample).is_ok_and(|smaller| 10 * smaller.len() < TENTHS * sample.len())
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
            let cells = texts.all();
            if is_full {
                return StringChunked::from_iter_values(name, cells).into_column();
            }
            let options = cells.zip(&present).map(|(cell, there)| there.then_some(cell));
            StringChunked::from_iter_options(name, options).into_column()
        }
    }
}
