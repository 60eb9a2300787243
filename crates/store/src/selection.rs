//! Rows that lie in several gatherings of one table, in the order in which they are to be written: named, not copied.

use std::ops::Range;

use crate::columns::TableSchema;
use crate::rows::Rows;

/// Runs of rows, one after the other.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    schema: &'a TableSchema,
    runs: Vec<(&'a Rows, Range<usize>)>,
    rows: usize,
}

impl<'a> Selection<'a> {
    /// No rows yet, of a table with this schema.
    pub fn of(schema: &'a TableSchema) -> Self {
        Selection { schema, runs: Vec::new(), rows: 0 }
    }

    /// Adds a range of these rows.
    ///
    /// # Panics
    /// Where their table has other columns.
    #[track_caller]
    pub fn push(&mut self, rows: &'a Rows, range: Range<usize>) {
        let same = std::ptr::eq(rows.schema(), self.schema) || rows.schema() == self.schema;
        assert!(same, "rows of table `{}` do not fit table `{}`", rows.schema().name, self.schema.name);
        self.rows += range.len();
        match self.runs.last_mut() {
            Some((last, end)) if std::ptr::eq(*last, rows) && end.end == range.start => end.end = range.end,
            _ => self.runs.push((rows, range)),
        }
    }

    /// The table these rows belong to.
    pub fn schema(&self) -> &'a TableSchema {
        self.schema
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn runs(&self) -> &[(&'a Rows, Range<usize>)] {
        &self.runs
    }

    /// The runs cut into stretches of this many rows, the last one shorter; one empty stretch is none.
    pub(crate) fn stretches(&self, length: usize) -> Vec<Vec<(&'a Rows, Range<usize>)>> {
        let mut stretches = Vec::new();
        let (mut stretch, mut room) = (Vec::new(), length);
        for (rows, range) in &self.runs {
            let mut start = range.start;
            while start < range.end {
                let end = range.end.min(start + room);
                stretch.push((*rows, start..end));
                room -= end - start;
                start = end;
                if room == 0 {
                    stretches.push(std::mem::take(&mut stretch));
                    room = length;
                }
            }
        }
        stretches.extend((!stretch.is_empty()).then_some(stretch));
        stretches
    }
}

impl<'a> From<&'a Rows> for Selection<'a> {
    fn from(rows: &'a Rows) -> Self {
        let mut all = Selection::of(rows.schema());
        all.push(rows, 0..rows.len());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{Column, ColumnType};

    #[test]
    fn stretches_hold_every_row_once_and_in_order() {
        let schema = TableSchema { name: "t".into(), columns: vec![Column::new("row", ColumnType::Int64, "", "")] };
        let (mut first, mut second) = (Rows::new(&schema), Rows::new(&schema));
        (0..7).for_each(|row| first.push_int(0, Some(row)));
        (10..14).for_each(|row| second.push_int(0, Some(row)));
        let mut selection = Selection::of(first.schema());
        selection.push(&first, 0..2);
        selection.push(&first, 2..3);
        selection.push(&second, 1..4);
        selection.push(&first, 5..5);
        selection.push(&first, 4..7);
        assert_eq!((selection.len(), selection.runs().len()), (9, 4), "what follows is one run");
        for length in 1..12 {
            let stretches = selection.stretches(length);
            let rows =
                |stretch: &Vec<(&Rows, Range<usize>)>| stretch.iter().map(|(_, range)| range.len()).sum::<usize>();
            assert!(stretches.iter().rev().skip(1).all(|stretch| rows(stretch) == length));
            let listed: Vec<i64> =
                stretches.into_iter().flatten().flat_map(|(rows, range)| rows.ints(0)[range].to_vec()).collect();
            assert_eq!(listed, [0, 1, 2, 11, 12, 13, 4, 5, 6]);
        }
    }
}
