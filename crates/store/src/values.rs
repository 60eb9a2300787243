//! One column's cells in plain vectors, with nulls marked apart.

use std::iter::repeat_n;
use std::ops::Range;

use crate::columns::ColumnType;
use crate::texts::Texts;

/// Cells of one type. A null keeps its place with a neutral value (`false`, 0, empty text), so that
/// equal columns have equal bytes.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    Bools(Vec<bool>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Texts),
}

/// A column's cells and which of them are there; no mask means that all are.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    pub(crate) cells: Cells,
    pub(crate) present: Option<Vec<bool>>,
}

impl Values {
    pub(crate) fn new(kind: ColumnType) -> Self {
        let cells = match kind {
            ColumnType::Bool => Cells::Bools(Vec::new()),
            ColumnType::Int64 => Cells::Ints(Vec::new()),
            ColumnType::Float64 => Cells::Floats(Vec::new()),
            ColumnType::String => Cells::Texts(Texts::default()),
        };
        Values { cells, present: None }
    }

    /// Makes room for this many more cells; texts grow.
    pub(crate) fn reserve(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::Bools(cells) => cells.reserve_exact(rows),
            Cells::Ints(cells) => cells.reserve_exact(rows),
            Cells::Floats(cells) => cells.reserve_exact(rows),
            Cells::Texts(_) => {}
        }
    }

    /// Cells with a mask of the same length, where some are null.
    pub(crate) fn from_cells(cells: Cells, present: Option<Vec<bool>>) -> Self {
        Values { cells, present }
    }

    pub(crate) fn kind(&self) -> ColumnType {
        match self.cells {
            Cells::Bools(_) => ColumnType::Bool,
            Cells::Ints(_) => ColumnType::Int64,
            Cells::Floats(_) => ColumnType::Float64,
            Cells::Texts(_) => ColumnType::String,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.cells {
            Cells::Bools(cells) => cells.len(),
            Cells::Ints(cells) => cells.len(),
            Cells::Floats(cells) => cells.len(),
            Cells::Texts(cells) => cells.len(),
        }
    }

    /// Which cells are not null; `None` when all are there.
    pub(crate) fn present(&self) -> Option<&[bool]> {
        self.present.as_deref()
    }

    /// The mask over a range, `None` when that range has no nulls.
    pub(crate) fn present_in(&self, range: Range<usize>) -> Option<&[bool]> {
        let mask = &self.present.as_ref()?[range];
        mask.contains(&false).then_some(mask)
    }

    pub(crate) fn is_present(&self, row: usize) -> bool {
        self.present.as_ref().is_none_or(|mask| mask[row])
    }

    pub(crate) fn bytes(&self) -> usize {
        let cells = match &self.cells {
            Cells::Bools(cells) => cells.len(),
            Cells::Ints(cells) => size_of_val(cells.as_slice()),
            Cells::Floats(cells) => size_of_val(cells.as_slice()),
            Cells::Texts(texts) => texts.bytes(),
        };
        cells + self.present.as_ref().map_or(0, Vec::len)
    }

    /// Forgets the cells, and returns how many bytes are kept for others.
    pub(crate) fn clear(&mut self) -> usize {
        self.present = None;
        match &mut self.cells {
            Cells::Bools(cells) => emptied(cells),
            Cells::Ints(cells) => emptied(cells),
            Cells::Floats(cells) => emptied(cells),
            Cells::Texts(texts) => texts.clear(),
        }
    }

    pub(crate) fn push_nulls(&mut self, n: usize) {
        match &mut self.cells {
            Cells::Bools(cells) => cells.extend(repeat_n(false, n)),
            Cells::Ints(cells) => cells.extend(repeat_n(0, n)),
            Cells::Floats(cells) => cells.extend(repeat_n(0.0, n)),
            Cells::Texts(texts) => texts.repeat("", n),
        }
        self.mark(false, n);
    }

    /// Says of the `n` cells just added whether they are there.
    pub(crate) fn mark(&mut self, there: bool, n: usize) {
        if let Some(mask) = &mut self.present {
            mask.extend(repeat_n(there, n));
        } else if !there && n > 0 {
            let mut mask = vec![true; self.len() - n];
            mask.extend(repeat_n(false, n));
            self.present = Some(mask);
        }
    }

    /// Adds the other column's cells after these; false, adding nothing, where the types differ.
    pub(crate) fn append(&mut self, other: &Values) -> bool {
        match (&mut self.cells, &other.cells) {
            (Cells::Bools(cells), Cells::Bools(more)) => cells.extend_from_slice(more),
            (Cells::Ints(cells), Cells::Ints(more)) => cells.extend_from_slice(more),
            (Cells::Floats(cells), Cells::Floats(more)) => cells.extend_from_slice(more),
            (Cells::Texts(cells), Cells::Texts(more)) => cells.append_range(more, 0..more.len()),
            _ => return false,
        }
        self.append_mask(other.len(), other.present.as_deref());
        true
    }

    /// Adds a range of the other column's cells after these; false, adding nothing, where the types differ.
    pub(crate) fn append_range(&mut self, other: &Values, range: Range<usize>) -> bool {
        match (&mut self.cells, &other.cells) {
            (Cells::Bools(cells), Cells::Bools(more)) => cells.extend_from_slice(&more[range.clone()]),
            (Cells::Ints(cells), Cells::Ints(more)) => cells.extend_from_slice(&more[range.clone()]),
            (Cells::Floats(cells), Cells::Floats(more)) => cells.extend_from_slice(&more[range.clone()]),
            (Cells::Texts(cells), Cells::Texts(more)) => cells.append_range(more, range.clone()),
            _ => return false,
        }
        self.append_mask(range.len(), other.present_in(range));
        true
    }

    /// Whether two ranges of columns hold the same bits, nulls included; NaN is the same as itself.
    pub(crate) fn same_bits(&self, range: Range<usize>, other: &Values, others: Range<usize>) -> bool {
        if range.len() != others.len() {
            return false;
        }
        let cells = match (&self.cells, &other.cells) {
            (Cells::Bools(a), Cells::Bools(b)) => a[range.clone()] == b[others.clone()],
            (Cells::Ints(a), Cells::Ints(b)) => a[range.clone()] == b[others.clone()],
            (Cells::Floats(a), Cells::Floats(b)) => {
                let pairs = a[range.clone()].iter().zip(&b[others.clone()]);
                pairs.into_iter().all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (Cells::Texts(a), Cells::Texts(b)) => a.runs(range.clone()).eq(b.runs(others.clone())),
            _ => false,
        };
        cells && range.zip(others).all(|(row, its)| self.is_present(row) == other.is_present(its))
    }

    /// Says of the last `count` cells, which were just added, which of them are there.
    fn append_mask(&mut self, count: usize, more: Option<&[bool]>) {
        let before = self.len() - count;
        match (&mut self.present, more) {
            (None, None) => {}
            (Some(mask), Some(more)) => mask.extend_from_slice(more),
            (Some(mask), None) => mask.extend(repeat_n(true, count)),
            (None, Some(more)) => {
                let mut mask = vec![true; before];
                mask.extend_from_slice(more);
                self.present = Some(mask);
            }
        }
    }

    /// Cells as options, null as `None`.
    pub(crate) fn optional<'a, T: Copy + 'a>(&'a self, cells: &'a [T]) -> impl Iterator<Item = Option<T>> + 'a {
        cells.iter().enumerate().map(|(row, &cell)| self.is_present(row).then_some(cell))
    }
}

fn emptied<T>(cells: &mut Vec<T>) -> usize {
    cells.clear();
    cells.capacity() * size_of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(cells: &[Option<f64>]) -> Values {
        let mut values = Values::new(ColumnType::Float64);
        for cell in cells {
            match (cell, &mut values.cells) {
                (Some(cell), Cells::Floats(floats)) => {
                    floats.push(*cell);
                    values.mark(true, 1);
                }
                _ => values.push_nulls(1),
            }
        }
        values
    }

    fn listed(values: &Values) -> Vec<Option<f64>> {
        let Cells::Floats(cells) = &values.cells else {
            panic!("these are floats");
        };
        values.optional(cells).collect()
    }

    #[test]
    fn appending_keeps_nulls_in_their_places() {
        let choices: [&[Option<f64>]; 3] = [&[Some(1.0), Some(2.0)], &[None, Some(3.0)], &[]];
        for first in choices {
            for second in choices {
                let mut values = floats(first);
                assert!(values.append(&floats(second)));
                assert_eq!(listed(&values), [first, second].concat());
            }
        }
    }

    #[test]
    fn a_range_is_what_stands_there() {
        let all = [Some(1.0), None, Some(f64::NAN), Some(-0.0)];
        let whole = floats(&all);
        for start in 0..=4 {
            for end in start..=4 {
                let mut values = floats(&[Some(9.0)]);
                assert!(values.append_range(&whole, start..end));
                assert!(values.same_bits(1..1 + end - start, &whole, start..end));
            }
        }
        assert!(!whole.same_bits(1..2, &floats(&[Some(0.0)]), 0..1), "a null is no zero");
        assert!(!whole.same_bits(3..4, &floats(&[Some(0.0)]), 0..1), "nor is -0");
    }

    #[test]
    fn a_mask_without_nulls_in_range_is_no_mask() {
        let values = floats(&[Some(1.0), None, Some(2.0)]);
        assert!(values.present_in(2..3).is_none());
        assert_eq!(values.present_in(0..2), Some(&[true, false][..]));
    }

    #[test]
    fn columns_of_two_types_do_not_append() {
        assert!(!floats(&[]).append(&Values::new(ColumnType::Int64)));
    }
}
