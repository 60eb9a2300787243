//! CSV with a header, read strictly: every complaint names its line.

use std::collections::HashSet;
use std::path::Path;

use ::csv::{Reader, ReaderBuilder, StringRecord};

use super::{InputColumn, InputTable, InputValues, number};
use crate::error::StoreError;

const COMMENT: u8 = b'#';

/// Reads twice: first numbers and lines, then the texts of those columns that are not all numbers.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<InputTable, StoreError> {
    refuse_other_encodings(path, bytes)?;
    let names = header(path, bytes)?;
    let Numbers { columns, lines } = numbers(path, bytes, names.len())?;
    if lines.is_empty() {
        return Err(StoreError::InputNoRows { path: path.into() });
    }
    let values = with_texts(bytes, columns);
    let columns = names.into_iter().zip(values);
    Ok(InputTable {
        columns: columns.map(|(name, values)| InputColumn { name, values }).collect(),
        rows: lines.len(),
        path: path.into(),
        lines,
        unread: Vec::new(),
    })
}

fn refuse_other_encodings(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    std::str::from_utf8(bytes).map(drop).map_err(|error| {
        let line = LineCounter::new(bytes).advance(error.valid_up_to());
        let path = path.into();
        StoreError::InputNotText { path, line }
    })
}

/// The columns' names, after looking for the usual mistakes of a first line.
fn header(path: &Path, bytes: &[u8]) -> Result<Vec<String>, StoreError> {
    let path = path.to_path_buf();
    let mut records = Records::new(bytes);
    let Some(line) = records.advance() else {
        return Err(StoreError::InputEmpty { path });
    };
    let names: Vec<String> = records.cells().map(String::from).collect();
    if names.iter().all(|name| number(name).is_some()) {
        let seen = names[0].clone();
        return Err(StoreError::InputHeader { path, line, seen });
    }
    let separator = |c: &char| matches!(c, ';' | '\t');
    if let [only] = &names[..]
        && let Some(seen) = only.chars().find(separator)
    {
        return Err(StoreError::InputSeparator { path, line, seen });
    }
    // A spreadsheet's nameless columns are no mistake as long as nobody asks for them.
    let mut seen = HashSet::new();
    let named = names.iter().filter(|name| !name.is_empty());
    match named.into_iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(StoreError::InputColumnTwice { path, line, column: twice.clone() }),
        None => Ok(names),
    }
}

/// What the first reading finds.
struct Numbers {
    /// The columns that are all numbers, `None` for the others.
    columns: Vec<Option<Vec<f64>>>,
    /// The line of each row.
    lines: Vec<u64>,
}

fn numbers(path: &Path, bytes: &[u8], width: usize) -> Result<Numbers, StoreError> {
    let mut columns = vec![Some(Vec::new()); width];
    let mut lines = Vec::new();
    let mut records = Records::after_header(bytes);
    while let Some(line) = records.advance() {
        if records.record.len() != width {
            return Err(StoreError::InputRagged {
                path: path.into(),
                line,
                expected: width,
                found: records.record.len(),
            });
        }
        lines.push(line);
        for (column, cell) in columns.iter_mut().zip(records.cells()) {
            if let Some(numbers) = column {
                match number(cell) {
                    Some(value) => numbers.push(value),
                    None => *column = None,
                }
            }
        }
    }
    Ok(Numbers { columns, lines })
}

/// Fills the columns that are not all numbers with their texts.
fn with_texts(bytes: &[u8], numbers: Vec<Option<Vec<f64>>>) -> Vec<InputValues> {
    let mut values: Vec<_> =
        numbers.into_iter().map(|column| column.map_or(InputValues::Texts(Vec::new()), InputValues::Floats)).collect();
    if values.iter().all(|values| matches!(values, InputValues::Floats(_))) {
        return values;
    }
    let mut records = Records::after_header(bytes);
    while records.advance().is_some() {
        for (values, cell) in values.iter_mut().zip(records.cells()) {
            if let InputValues::Texts(texts) = values {
                texts.push(cell.into());
            }
        }
    }
    values
}

/// Records one after another, each with its line.
struct Records<'a> {
    reader: Reader<&'a [u8]>,
    record: StringRecord,
    lines: LineCounter<'a>,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(COMMENT)).from_reader(bytes);
        Records { reader, record: StringRecord::new(), lines: LineCounter::new(bytes) }
    }

    fn after_header(bytes: &'a [u8]) -> Self {
        let mut records = Records::new(bytes);
        records.advance();
        records
    }

    /// Goes to the next record and says its line; `None` at the end.
    fn advance(&mut self) -> Option<u64> {
        let start = self.reader.position().byte();
        let found = self.reader.read_record(&mut self.record);
        let found = found.expect("checked text in memory with rows of any length has no errors");
        let start = usize::try_from(start).expect("a position in memory");
        found.then(|| self.lines.record_at(start))
    }

    fn cells(&self) -> impl Iterator<Item = &str> {
        self.record.iter().map(str::trim)
    }
}

/// Counts lines up to positions that only grow.
///
/// The csv crate's own line of a record is that of the blank and comment lines before it, and misses
/// one where lines end in CR LF.
struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        LineCounter { bytes, at: 0, line: 1 }
    }

    /// The line of a position.
    fn advance(&mut self, to: usize) -> u64 {
        while self.at < to {
            self.step();
        }
        self.line
    }

    /// The line of the first record at or after a position, which is the start of a line.
    fn record_at(&mut self, start: usize) -> u64 {
        self.advance(start);
        while let Some(byte) = self.bytes.get(self.at) {
            match *byte {
                b'\n' | b'\r' => self.step(),
                COMMENT => self.skip_line(),
                _ => break,
            }
        }
        self.line
    }

    fn skip_line(&mut self) {
        while !matches!(self.bytes.get(self.at), None | Some(b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn step(&mut self) {
        let next = self.bytes.get(self.at + 1);
        let ends_line = match self.bytes[self.at] {
            b'\n' => true,
            b'\r' => next != Some(&b'\n'),
            _ => false,
        };
        self.at += 1;
        self.line += u64::from(ends_line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<InputTable, StoreError> {
        read(Path::new("d.csv"), text.as_bytes())
    }

    fn complaint(text: &str) -> String {
        table(text).expect_err("this text is wrong").to_string()
    }

    fn complaint_about(text: &str, column: &str) -> String {
        let table = table(text).expect("only the column is wrong");
        let error = table.floats(column).expect_err("this column is wrong");
        error.to_string()
    }

    #[test]
    fn numbers_and_texts_are_told_apart() {
        let table = table("tensor,row, value \nX,0, 1.5\nX,1,+2e-3 \n").expect("a table");
        assert_eq!(table.rows, 2);
        assert_eq!(table.texts("tensor").expect("texts"), ["X", "X"]);
        assert_eq!(table.floats("value").expect("numbers"), [1.5, 0.002]);
        assert_eq!(
            table.texts("row").unwrap_err().to_string(),
            "column `row` of d.csv holds numbers where texts are needed; name a column of texts"
        );
    }

    #[test]
    fn comments_blank_lines_bom_and_line_ends_are_no_matter() {
        for text in [
            "# from a lab\nx,y\n\n1,2\n# again \"quoted\n3,4",
            "# from a lab\r\nx,y\r\n\r\n1,2\r\n# again\r\n3,4\r\n",
            "\u{feff}x,y\n1,2\n3,4\n",
            "x,y\r1,2\r3,4\r",
        ] {
            let table = table(text).expect("a table");
            assert_eq!(table.floats("x").expect("numbers"), [1.0, 3.0], "{text:?}");
            assert_eq!(table.floats("y").expect("numbers"), [2.0, 4.0], "{text:?}");
        }
    }

    #[test]
    fn a_bad_cell_is_named_with_its_line() {
        let expected = "d.csv, line 6, column `y`: `abc` is not a number; write decimals such as 0.5 or 1e-3";
        for text in [
            "# a\nx,y\n1,2\n\n# b\n3,abc\n",
            "# a\r\nx,y\r\n1,2\r\n\r\n# b\r\n3,abc\r\n",
            "x,y\n\"1\",2\n1,2\n1,2\n1,2\n3,abc",
            "x,y,t\n1,2,\"one\ntwo\nthree\nfour\"\n3,abc,",
        ] {
            assert_eq!(complaint_about(text, "y"), expected, "{text:?}");
        }
    }

    #[test]
    fn an_empty_or_long_cell_is_shown_readably() {
        assert_eq!(
            complaint_about("x,y\n1,\n", "y"),
            "d.csv, line 2, column `y`: an empty cell is not a number; write decimals such as 0.5 or 1e-3"
        );
        let long = "é".repeat(50);
        assert_eq!(
            complaint_about(&format!("x,y\n1,{long}\n"), "y"),
            format!(
                "d.csv, line 2, column `y`: `{}…` is not a number; write decimals such as 0.5 or 1e-3",
                "é".repeat(40)
            )
        );
    }

    #[test]
    fn infinite_and_missing_numbers_are_refused() {
        assert_eq!(
            complaint_about("x\n1\ninf\n", "x"),
            "d.csv, line 3, column `x`: `inf` is not finite; remove the row or give a finite number"
        );
        assert_eq!(
            complaint_about("x\nnan\n", "x"),
            "d.csv, line 2, column `x`: `NaN` is not finite; remove the row or give a finite number"
        );
    }

    #[test]
    fn ragged_rows_are_named_with_their_line() {
        let expected = "d.csv, line 4: 3 cells where the header names 2 columns; give every row 2 cells, and write decimals with a point";
        assert_eq!(complaint("x,y\n1,2\n\n1,5,2\n"), expected);
        assert_eq!(complaint("x,y\r\n1,2\r\n\r\n1,5,2\r\n"), expected);
    }

    #[test]
    fn a_first_line_that_is_no_header_says_so() {
        assert_eq!(complaint(""), "d.csv is empty; its first line names the columns, for example `x,y`");
        assert_eq!(complaint("# only words\n\n"), complaint(""));
        assert_eq!(
            complaint("# c\n0.5,1\n0.7,2\n"),
            "d.csv, line 2: the first line holds only numbers (`0.5`); put a line above it that names the columns, for example `x,y`"
        );
        assert_eq!(
            complaint("x;y\n1;2\n"),
            "d.csv, line 1: the column names are separated by ';'; separate columns by commas"
        );
        assert_eq!(complaint("x,y,x\n1,2,3\n"), "d.csv, line 1: two columns are named `x`; rename one of them");
        assert_eq!(
            complaint("x,y\n# nothing\n"),
            "d.csv names its columns and has no rows; add at least one row of values"
        );
    }

    #[test]
    fn text_in_another_encoding_is_refused() {
        let error = read(Path::new("d.csv"), b"x,name\n1,a\n2,M\xfcller\n").unwrap_err();
        assert_eq!(error.to_string(), "d.csv, line 3: this is not UTF-8 text; save the file as CSV in UTF-8");
    }

    #[test]
    fn a_missing_column_lists_those_there() {
        let table = table("x,y\n1,2\n").expect("a table");
        assert_eq!(table.floats("z").unwrap_err().to_string(), "d.csv has no column `z`; it has: x, y");
    }

    #[test]
    fn rows_know_their_lines() {
        let table = table("# c\nx\n1\n\n2\n").expect("a table");
        assert_eq!(table.place(1).to_string(), "line 5");
    }
}
