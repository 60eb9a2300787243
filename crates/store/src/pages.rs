//! One column of a row group as parquet pages.
//!
//! Numbers stand as they are, or by their place in a dictionary where few are different; texts the other way round. Pages are
//! compressed where that makes them much smaller. polars' own encoder estimates how many cells are different, asks every column for
//! its least and its largest, and compresses all of them: half of the time of writing floats, of which it then finds that
//! nothing helps.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::ops::Range;

use polars::prelude::{PolarsResult, polars_err};
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::encoding::hybrid_rle::{Encoder, bitpacked_encode, encode};
use polars_parquet::parquet::page::{CompressedDictPage, DataPageHeader, DataPageHeaderV1};
use polars_parquet::parquet::statistics::ParquetStatistics;
use polars_parquet::write::{CompressedDataPage, CompressedPage, Descriptor, Encoding};
use zstd::bulk::Compressor;

use crate::columns::{Column, ColumnType};
use crate::dictionary::Dictionary;
use crate::rows::Rows;
use crate::values::{Cells, Values};

/// Level 1 and level 3 give the same size within a percent on doubles, random and repeated; on a whole
/// sweep of 6000 short cells level 3 took 6 % more wall time.
const ZSTD_LEVEL: i32 = 1;

/// What is no larger than this is not worth a try.
const LITTLE: usize = 128;

/// Compressed pages are kept if they are smaller than this many tenths.
const TENTHS: usize = 9;

/// Doubles are first compressed in part: so many pieces of so many bytes.
const PIECES: usize = 4;
const PIECE: usize = 1 << 10;

/// Texts of a page, or of a dictionary, take about this many bytes at the most.
const TEXT_BYTES: usize = 1 << 20;

/// A longer text is not told as the least or the largest of its column.
const LONGEST_BOUND: usize = 64;

/// Rows that lie in several gatherings.
pub(crate) type Stretch<'a> = [(&'a Rows, Range<usize>)];

/// Makes pages; its memory serves one column after the other.
pub(crate) struct Pages {
    dictionary: Dictionary,
    compressor: Compressor<'static>,
}

/// Pages before compression.
struct Draft {
    /// The bytes of the dictionary, and how many entries it has.
    dictionary: Option<(Vec<u8>, usize)>,
    data: Vec<DataPage>,
    /// Whether it is worth a look at some of it before all is compressed.
    seems_random: bool,
}

struct DataPage {
    bytes: Vec<u8>,
    rows: usize,
    statistics: ParquetStatistics,
}

impl Pages {
    pub(crate) fn new() -> PolarsResult<Self> {
        Ok(Self { dictionary: Dictionary::default(), compressor: Compressor::new(ZSTD_LEVEL)? })
    }

    /// The pages of one column, by its number, over these rows.
    pub(crate) fn of(
        &mut self,
        (at, column): (usize, &Column),
        stretch: &Stretch<'_>,
        descriptor: &Descriptor,
    ) -> PolarsResult<Vec<CompressedPage>> {
        let cells = ColumnCells { at, column, stretch };
        let draft = match column.kind {
            ColumnType::Bool => cells.bools()?,
            ColumnType::Int64 | ColumnType::Float64 => cells.numbers(&mut self.dictionary)?,
            ColumnType::String => cells.texts()?,
        };
        draft.compressed(&mut self.compressor, descriptor)
    }
}

/// The cells of one column in one row group.
struct ColumnCells<'a> {
    at: usize,
    column: &'a Column,
    stretch: &'a Stretch<'a>,
}

impl<'a> ColumnCells<'a> {
    fn rows(&self) -> usize {
        self.stretch.iter().map(|(_, range)| range.len()).sum()
    }

    fn ranges(&self) -> impl Iterator<Item = (&'a Values, Range<usize>)> {
        let at = self.at;
        self.stretch.iter().map(move |(rows, range)| (&rows.columns()[at], range.clone()))
    }

    fn refusal(&self) -> polars::error::PolarsError {
        polars_err!(ComputeError: "column `{}` has cells of two types", self.column.name)
    }

    /// Begins a page with which of its rows are there; and how many are not.
    fn start(&self, page: &mut Vec<u8>) -> PolarsResult<usize> {
        let masked = || self.ranges().map(|(values, range)| (values.present_in(range.clone()), range.len()));
        if masked().all(|(mask, _)| mask.is_none()) {
            levels(page, |page| Ok(<bool as Encoder<bool>>::run_length_encode(page, self.rows(), true, 1)?))?;
            return Ok(0);
        }
        let present = || masked().flat_map(|(mask, rows)| (0..rows).map(move |row| mask.is_none_or(|mask| mask[row])));
        levels(page, |page| Ok(encode::<bool, _, _>(page, present(), 1)?))?;
        Ok(present().filter(|there| !there).count())
    }

    fn bools(&self) -> PolarsResult<Draft> {
        let mut page = Vec::new();
        let nulls = self.start(&mut page)?;
        let mut there = Vec::with_capacity(self.rows() - nulls);
        for (values, range) in self.ranges() {
            let Cells::Bools(cells) = &values.cells else { return Err(self.refusal()) };
            there.extend(range.filter(|row| values.is_present(*row)).map(|row| cells[row]));
        }
        bitpacked_encode(&mut page, there.iter().copied())?;
        Ok(Draft::plain(page, self.rows(), counted(nulls)))
    }

    fn numbers(&self, dictionary: &mut Dictionary) -> PolarsResult<Draft> {
        let mut page = Vec::with_capacity(8 * self.rows() + LITTLE);
        let nulls = self.start(&mut page)?;
        let start = page.len();
        for (values, range) in self.ranges() {
            let mask = values.present_in(range.clone());
            match (self.column.kind, &values.cells) {
                (ColumnType::Float64, Cells::Floats(cells)) => put(&mut page, &cells[range], mask, f64::to_le_bytes),
                (ColumnType::Int64, Cells::Ints(cells)) => put(&mut page, &cells[range], mask, i64::to_le_bytes),
                _ => return Err(self.refusal()),
            }
        }
        let (numbers, _) = page[start..].as_chunks::<8>();
        let is_found = dictionary.find(numbers);
        let different = if is_found { dictionary.entries() } else { numbers };
        let mut statistics = counted(nulls);
        // Of measured numbers nobody asks for one group of rows, and NaN has no place in an order.
        if self.column.kind == ColumnType::Int64 {
            let ints = || different.iter().map(|bytes| i64::from_le_bytes(*bytes));
            statistics.min_value = ints().min().map(|least| least.to_le_bytes().to_vec());
            statistics.max_value = ints().max().map(|largest| largest.to_le_bytes().to_vec());
        }
        if !is_found {
            let seems_random = self.column.kind == ColumnType::Float64;
            return Ok(Draft { seems_random, ..Draft::plain(page, self.rows(), statistics) });
        }
        let entries = (different.as_flattened().to_vec(), different.len());
        page.truncate(start);
        put_places(&mut page, dictionary.places().iter().copied(), entries.1)?;
        Ok(Draft { dictionary: Some(entries), ..Draft::plain(page, self.rows(), statistics) })
    }

    fn texts(&self) -> PolarsResult<Draft> {
        // What is there: texts, each with how many rows in a row hold it.
        let mut there: Vec<(&str, usize)> = Vec::with_capacity(self.stretch.len());
        for (values, range) in self.ranges() {
            let Cells::Texts(texts) = &values.cells else { return Err(self.refusal()) };
            let mut row = range.start;
            for (text, rows) in texts.runs(range) {
                let mask = values.present_in(row..row + rows);
                there.push((text, mask.map_or(rows, |mask| mask.iter().filter(|there| **there).count())));
                row += rows;
            }
        }
        there.retain(|(_, rows)| *rows > 0);
        match text_dictionary(&there) {
            Some((entries, places)) => {
                let mut page = Vec::new();
                let nulls = self.start(&mut page)?;
                put_places(&mut page, places, entries.len())?;
                let mut statistics = counted(nulls);
                let bound =
                    |text: Option<&&str>| text.filter(|t| t.len() <= LONGEST_BOUND).map(|t| t.as_bytes().to_vec());
                (statistics.min_value, statistics.max_value) =
                    (bound(entries.iter().min()), bound(entries.iter().max()));
                let mut bytes = Vec::new();
                entries.iter().for_each(|text| put_text(&mut bytes, text));
                Ok(Draft { dictionary: Some((bytes, entries.len())), ..Draft::plain(page, self.rows(), statistics) })
            }
            None => self.plain_texts(there.iter().map(|(text, rows)| text.len() * rows).sum()),
        }
    }

    /// Texts as they are, on as many pages as this many bytes need.
    fn plain_texts(&self, bytes: usize) -> PolarsResult<Draft> {
        let rows_of_a_page = (self.rows() / (1 + bytes / TEXT_BYTES)).max(1);
        let mut data = Vec::new();
        let mut row = 0;
        while row < self.rows() {
            let stretch = within(self.stretch, row..self.rows().min(row + rows_of_a_page));
            let some = ColumnCells { stretch: &stretch, ..*self };
            let mut page = Vec::new();
            let nulls = some.start(&mut page)?;
            for (values, range) in some.ranges() {
                let Cells::Texts(texts) = &values.cells else { return Err(self.refusal()) };
                let mut at = range.start;
                for (text, rows) in texts.runs(range) {
                    (at..at + rows).filter(|row| values.is_present(*row)).for_each(|_| put_text(&mut page, text));
                    at += rows;
                }
            }
            data.push(DataPage { bytes: page, rows: some.rows(), statistics: counted(nulls) });
            row += some.rows();
        }
        Ok(Draft { dictionary: None, data, seems_random: false })
    }
}

impl Draft {
    fn plain(bytes: Vec<u8>, rows: usize, statistics: ParquetStatistics) -> Self {
        Self { dictionary: None, data: vec![DataPage { bytes, rows, statistics }], seems_random: false }
    }

    /// Compresses all pages or none: a column has one way of compression.
    fn compressed(self, compressor: &mut Compressor<'_>, descriptor: &Descriptor) -> PolarsResult<Vec<CompressedPage>> {
        let mut smaller = self.smaller(compressor)?.map(Vec::into_iter);
        let how = if smaller.is_some() { Compression::Zstd } else { Compression::Uncompressed };
        let mut stored = |bytes: Vec<u8>| {
            let smaller = smaller.as_mut().and_then(Iterator::next);
            CowBuffer::Owned(smaller.unwrap_or(bytes))
        };
        let encoding = if self.dictionary.is_some() { Encoding::RleDictionary } else { Encoding::Plain };
        let mut pages = Vec::with_capacity(1 + self.data.len());
        if let Some((bytes, entries)) = self.dictionary {
            let length = bytes.len();
            pages.push(CompressedPage::Dict(CompressedDictPage::new(stored(bytes), how, length, entries, false)));
        }
        for DataPage { bytes, rows, statistics } in self.data {
            let header = DataPageHeader::V1(DataPageHeaderV1 {
                num_values: rows as i32,
                encoding: encoding.into(),
                definition_level_encoding: Encoding::Rle.into(),
                repetition_level_encoding: Encoding::Rle.into(),
                statistics: Some(statistics),
            });
            let (length, descriptor) = (bytes.len(), descriptor.clone());
            pages.push(CompressedPage::Data(CompressedDataPage::new(
                header,
                stored(bytes),
                how,
                length,
                descriptor,
                rows,
            )));
        }
        Ok(pages)
    }

    /// All pages compressed; `None` where that is not worth it.
    fn smaller(&self, compressor: &mut Compressor<'_>) -> PolarsResult<Option<Vec<Vec<u8>>>> {
        let bytes: usize = self.pages().map(<[u8]>::len).sum();
        if bytes <= LITTLE || self.seems_random && !self.pages().all(|page| shrinks(page, compressor)) {
            return Ok(None);
        }
        let smaller = self.pages().map(|page| compressor.compress(page)).collect::<Result<Vec<_>, _>>()?;
        let is_smaller = 10 * smaller.iter().map(Vec::len).sum::<usize>() < TENTHS * bytes;
        Ok(is_smaller.then_some(smaller))
    }

    fn pages(&self) -> impl Iterator<Item = &[u8]> {
        let dictionary = self.dictionary.iter().map(|(bytes, _)| &bytes[..]);
        dictionary.chain(self.data.iter().map(|page| &page.bytes[..]))
    }
}

/// Whether some of these bytes become much smaller.
fn shrinks(bytes: &[u8], compressor: &mut Compressor<'_>) -> bool {
    if bytes.len() <= 2 * PIECES * PIECE {
        return true;
    }
    let piece = |number: usize| &bytes[number * (bytes.len() - PIECE) / (PIECES - 1)..][..PIECE];
    let sample = (0..PIECES).map(piece).collect::<Vec<_>>().concat();
    compressor.compress(&sample).is_ok_and(|smaller| 10 * smaller.len() < TENTHS * sample.len())
}

/// Only how many are null is known.
fn counted(nulls: usize) -> ParquetStatistics {
    ParquetStatistics {
        null_count: Some(nulls as i64),
        max: None,
        min: None,
        distinct_count: None,
        max_value: None,
        min_value: None,
        is_max_value_exact: None,
        is_min_value_exact: None,
    }
}

/// What says which rows are there stands behind its own length.
fn levels(page: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>) -> PolarsResult<()>) -> PolarsResult<()> {
    page.extend([0; 4]);
    fill(page)?;
    let length = page.len() as u32 - 4;
    page[..4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Adds the numbers that are there.
fn put<T: Copy>(page: &mut Vec<u8>, cells: &[T], mask: Option<&[bool]>, bytes: impl Fn(T) -> [u8; 8]) {
    match mask {
        None => {
            let start = page.len();
            page.resize(start + size_of_val(cells), 0);
            let (numbers, _) = page[start..].as_chunks_mut::<8>();
            numbers.iter_mut().zip(cells).for_each(|(number, cell)| *number = bytes(*cell));
        }
        Some(mask) => {
            let there = cells.iter().zip(mask).filter(|(_, there)| **there);
            there.for_each(|(cell, _)| page.extend(bytes(*cell)));
        }
    }
}

/// Adds places in a dictionary of so many entries, behind how many bits each has.
fn put_places(page: &mut Vec<u8>, places: impl Iterator<Item = u32>, entries: usize) -> PolarsResult<()> {
    let bits = usize::BITS - entries.saturating_sub(1).leading_zeros();
    page.push(bits as u8);
    Ok(encode::<u32, _, _>(page, places, bits)?)
}

fn put_text(page: &mut Vec<u8>, text: &str) {
    page.extend((text.len() as u32).to_le_bytes());
    page.extend(text.as_bytes());
}

/// The different texts in the order in which they appear, and the place of every row among them; `None` where too many
/// are different.
fn text_dictionary<'a>(runs: &[(&'a str, usize)]) -> Option<(Vec<&'a str>, impl Iterator<Item = u32>)> {
    let rows: usize = runs.iter().map(|(_, rows)| rows).sum();
    let (mut entries, mut bytes) = (Vec::new(), 0);
    let mut places: HashMap<&str, u32> = HashMap::new();
    let mut found = Vec::with_capacity(runs.len());
    for &(text, rows_of_run) in runs {
        let place = *places.entry(text).or_insert_with(|| {
            entries.push(text);
            bytes += text.len();
            entries.len() as u32 - 1
        });
        if 2 * entries.len() > rows || bytes > TEXT_BYTES {
            return None;
        }
        found.push((place, rows_of_run));
    }
    (rows > 0).then(|| (entries, found.into_iter().flat_map(|(place, rows)| repeat_n(place, rows))))
}

/// The rows of a stretch from one to another, counted from its start.
fn within<'a>(stretch: &Stretch<'a>, rows: Range<usize>) -> Vec<(&'a Rows, Range<usize>)> {
    let mut before = 0;
    let cut = stretch.iter().map(|(gathering, range)| {
        let start = range.start + rows.start.saturating_sub(before).min(range.len());
        let end = range.start + rows.end.saturating_sub(before).min(range.len());
        before += range.len();
        (*gathering, start..end)
    });
    cut.filter(|(_, range)| !range.is_empty()).collect()
}
