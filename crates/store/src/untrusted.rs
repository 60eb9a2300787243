//! Parquet whose bytes may be anything: what would fill the memory is refused before it is decoded, and a panic of the
//! decoder is a refusal like any other.
//!
//! polars checks much of a file, and panics at the rest; lengths that it finds in pages it allocates. A panic can be
//! caught here, because everything that it interrupts is dropped with it; a failed allocation cannot.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::io::parquet::metadata::FileMetadata;
use polars::prelude::{PolarsResult, polars_ensure, polars_err};
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{FileMetaData, PageHeader};

/// The length of the footer, and four letters.
const FOOTER_END: u64 = 8;

/// A byte of a footer is a byte of a text, or an entry of a list, for which the format's own reader reckons eight.
const MOST_PER_FOOTER_BYTE: usize = 16;

/// A page holds about a megabyte where writers are left alone.
const MOST_PAGE_BYTES: i32 = 1 << 28;

/// A header holds a few numbers, and the smallest and largest value.
const HEADER_BYTES: usize = 1 << 10;
const MOST_HEADER_BYTES: usize = 1 << 24;

/// One value repeated over a row group of the usual 10⁵ to 10⁶ rows takes some hundred bytes; a decoder makes rows of
/// eight bytes and more out of them.
const MOST_ROWS_PER_BYTE: u64 = 8192;

/// Does this; a panic in it is an error.
pub(crate) fn without_panics<T>(read: impl FnOnce() -> PolarsResult<T>) -> PolarsResult<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(polars_err!(ComputeError: "its pages do not fit together ({})", said.unwrap_or("no more is known")))
    })
}

/// Refuses a footer that announces more than it can hold: polars makes room for as many as are announced.
pub(crate) fn refuse_long_lists<R: Read + Seek>(file: &mut R) -> PolarsResult<()> {
    let bytes = file.seek(SeekFrom::End(0))?;
    let Some(end) = bytes.checked_sub(FOOTER_END) else {
        return Err(polars_err!(ComputeError: "{bytes} bytes are too few"));
    };
    file.seek(SeekFrom::Start(end))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let Some(start) = end.checked_sub(length) else {
        return Err(polars_err!(ComputeError: "a footer of {length} bytes in {bytes}"));
    };
    file.seek(SeekFrom::Start(start))?;
    let mut footer = Vec::new();
    file.by_ref().take(length).read_to_end(&mut footer)?;
    let mut protocol = TCompactInputProtocol::new(&footer[..], footer.len().saturating_mul(MOST_PER_FOOTER_BYTE));
    match FileMetaData::read_from_in_protocol(&mut protocol) {
        Ok(_) => Ok(file.rewind()?),
        Err(reason) => Err(polars_err!(ComputeError: "its footer is no footer: {reason}")),
    }
}

/// Refuses a file whose rows or pages would take memory out of all proportion to its size, or lie outside of it.
pub(crate) fn refuse_bombs<R: Read + Seek>(file: &mut R, metadata: &FileMetadata) -> PolarsResult<()> {
    let bytes = file.seek(SeekFrom::End(0))?;
    let rows = metadata.row_groups.iter().try_fold(0_u64, |rows, group| rows.checked_add(group.num_rows() as u64));
    polars_ensure!(rows == Some(metadata.num_rows as u64), ComputeError: "its row groups do not add up to its rows");
    let most = bytes.saturating_mul(MOST_ROWS_PER_BYTE);
    polars_ensure!(metadata.num_rows as u64 <= most, ComputeError: "{} rows in {bytes} bytes", metadata.num_rows);
    for column in metadata.row_groups.iter().flat_map(|group| group.parquet_columns()) {
        let range = column.byte_range();
        polars_ensure!(range.end <= bytes, ComputeError: "a column ends at byte {} of {bytes}", range.end);
        // Lists have more values than rows.
        let values = u64::try_from(column.num_values()).unwrap_or(u64::MAX);
        polars_ensure!(values <= most, ComputeError: "{} values in {bytes} bytes", column.num_values());
        refuse_large_pages(file, range)?;
    }
    file.rewind()?;
    Ok(())
}

/// Goes from header to header; ends where a decoder would, at one that it cannot read.
fn refuse_large_pages<R: Read + Seek>(file: &mut R, column: Range<u64>) -> PolarsResult<()> {
    let mut at = column.start;
    while at < column.end {
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = BufReader::with_capacity(HEADER_BYTES, &mut *file).take(column.end - at);
        let mut protocol = TCompactInputProtocol::new(&mut bytes, MOST_HEADER_BYTES);
        let Ok(header) = PageHeader::read_from_in_protocol(&mut protocol) else { return Ok(()) };
        let size = header.uncompressed_page_size;
        polars_ensure!((0..=MOST_PAGE_BYTES).contains(&size), ComputeError: "a page of {size} bytes");
        let in_dictionary = header.dictionary_page_header.as_ref().map_or(0, |about| about.num_values);
        polars_ensure!(in_dictionary <= size, ComputeError: "a dictionary of {in_dictionary} values in {size} bytes");
        let counts = [
            header.data_page_header.as_ref().map(|about| about.num_values),
            header.data_page_header_v2.as_ref().map(|about| about.num_values),
        ];
        let is_counted = counts.iter().flatten().all(|count| *count >= 0);
        polars_ensure!(is_counted && header.compressed_page_size >= 0, ComputeError: "a page of a negative size");
        at = column.end - bytes.limit() + header.compressed_page_size as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let said = without_panics::<()>(|| panic!("index {} out of range", 3)).expect_err("it panics");
        assert!(said.to_string().contains("index 3 out of range"), "{said}");
        assert_eq!(without_panics(|| Ok(1)).expect("nothing panics"), 1);
    }
}
