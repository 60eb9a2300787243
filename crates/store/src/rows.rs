//! Rows being gathered, column by column, without an allocation per row.

use std::iter::repeat_n;
use std::ops::Range;
use std::sync::Arc;

use crate::columns::{ColumnType, TableSchema};
use crate::values::{Cells, Values};

/// Rows of one table being gathered. Each column grows on its own; all must have the same length
/// when the rows are written.
///
/// Columns are named by their position in the schema. Putting a value into a column of another type
/// is a mistake of the calling code, and panics with the names of column and table.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Shared with all rows that will be appended: comparing and copying names costs more than rows do.
    schema: Arc<TableSchema>,
    columns: Vec<Values>,
}

impl Rows {
    /// No rows yet, of a table with this schema.
    pub fn new(schema: &TableSchema) -> Rows {
        Rows::sharing(Arc::new(schema.clone()))
    }

    /// No rows yet, of a table with this schema, which is shared and not copied.
    pub fn sharing(schema: Arc<TableSchema>) -> Rows {
        Rows { columns: schema.columns.iter().map(|column| Values::new(column.kind)).collect(), schema }
    }

    pub(crate) fn from_columns(schema: TableSchema, columns: Vec<Values>) -> Rows {
        Rows { schema: Arc::new(schema), columns }
    }

    /// The table these rows belong to.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// How many rows are complete, which is the length of the shortest column.
    pub fn len(&self) -> usize {
        self.columns.iter().map(Values::len).min().unwrap_or(0)
    }

    /// Whether no row is complete.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how much memory the cells take; use it to decide when a part is full.
    pub fn estimated_bytes(&self) -> usize {
        self.columns.iter().map(Values::bytes).sum()
    }

    /// Forgets the rows and keeps the memory for the next ones; returns how many bytes that is, about.
    pub fn clear(&mut self) -> usize {
        self.columns.iter_mut().map(Values::clear).sum()
    }

    /// Adds the rows of another gathering of the same table after these.
    ///
    /// # Panics
    /// Where the schemas differ.
    #[track_caller]
    pub fn append(&mut self, other: &Rows) {
        assert!(
            Arc::ptr_eq(&self.schema, &other.schema) || self.schema == other.schema,
            "rows of table `{}` cannot follow rows of table `{}` with other columns",
            other.schema.name,
            self.schema.name
        );
        self.append_columns(other);
    }

    /// Adds rows with the same names and types, whatever their documentation says.
    pub(crate) fn append_columns(&mut self, other: &Rows) {
        for (column, more) in self.columns.iter_mut().zip(&other.columns) {
            assert!(column.append(more), "the caller compared the types");
        }
    }

    /// Adds a range of the rows of another gathering of the same table after these.
    ///
    /// # Panics
    /// Where the types of the columns differ, or the range is beyond the other's rows.
    #[track_caller]
    pub fn append_range(&mut self, other: &Rows, range: Range<usize>) {
        for column in 0..self.columns.len() {
            self.append_cells(column, other, column, range.clone());
        }
    }

    /// Adds a range of one column of another table's rows to one of these.
    ///
    /// # Panics
    /// Where the types differ, or the range is beyond the other's rows.
    #[track_caller]
    pub fn append_cells(&mut self, column: usize, other: &Rows, its: usize, range: Range<usize>) {
        if !self.columns[column].append_range(&other.columns[its], range) {
            self.refuse(column, other.columns[its].kind());
        }
    }

    /// Whether a range of these rows and one of another gathering of the same table hold the same bits.
    pub fn same_bits(&self, range: Range<usize>, other: &Rows, others: Range<usize>) -> bool {
        let same = |(a, b): (&Values, &Values)| a.same_bits(range.clone(), b, others.clone());
        self.columns.len() == other.columns.len() && self.columns.iter().zip(&other.columns).all(same)
    }

    /// A column of whole numbers, nulls as 0; empty if the column is none.
    pub fn ints(&self, column: usize) -> &[i64] {
        match &self.columns[column].cells {
            Cells::Ints(cells) => cells,
            _ => &[],
        }
    }

    /// A text, `None` if it is null or the column holds no texts.
    pub fn text(&self, column: usize, row: usize) -> Option<&str> {
        match &self.columns[column].cells {
            Cells::Texts(texts) if self.columns[column].is_present(row) => Some(texts.get(row)),
            _ => None,
        }
    }

    /// A cell's value for people, numbers with all their digits.
    pub fn shown(&self, column: usize, row: usize) -> String {
        let values = &self.columns[column];
        match &values.cells {
            _ if !values.is_present(row) => "null".to_owned(),
            Cells::Bools(cells) => cells[row].to_string(),
            Cells::Ints(cells) => cells[row].to_string(),
            Cells::Floats(cells) => format!("{:?}", cells[row]),
            Cells::Texts(texts) => format!("`{}`", texts.get(row)),
        }
    }

    /// Adds one truth value, or a null.
    #[track_caller]
    pub fn push_bool(&mut self, column: usize, value: Option<bool>) {
        match &mut self.columns[column].cells {
            Cells::Bools(cells) => cells.push(value.unwrap_or_default()),
            _ => self.refuse(column, ColumnType::Bool),
        }
        self.columns[column].mark(value.is_some(), 1);
    }

    /// Adds one whole number, or a null.
    #[track_caller]
    pub fn push_int(&mut self, column: usize, value: Option<i64>) {
        self.repeat_int(column, value, 1);
    }

    /// Adds one number, or a null. NaN is a number here: it says "diverged", a null "not measured".
    #[track_caller]
    pub fn push_float(&mut self, column: usize, value: Option<f64>) {
        self.repeat_float(column, value, 1);
    }

    /// Adds one text, or a null.
    #[track_caller]
    pub fn push_text(&mut self, column: usize, value: Option<&str>) {
        self.repeat_text(column, value, 1);
    }

    /// Adds numbers, none of them null.
    #[track_caller]
    pub fn extend_floats(&mut self, column: usize, values: &[f64]) {
        match &mut self.columns[column].cells {
            Cells::Floats(cells) => cells.extend_from_slice(values),
            _ => self.refuse(column, ColumnType::Float64),
        }
        self.columns[column].mark(true, values.len());
    }

    /// Adds the same whole number, or null, `n` times.
    #[track_caller]
    pub fn repeat_int(&mut self, column: usize, value: Option<i64>, n: usize) {
        match &mut self.columns[column].cells {
            Cells::Ints(cells) => cells.extend(repeat_n(value.unwrap_or_default(), n)),
            _ => self.refuse(column, ColumnType::Int64),
        }
        self.columns[column].mark(value.is_some(), n);
    }

    /// Adds the same number, or null, `n` times.
    #[track_caller]
    pub fn repeat_float(&mut self, column: usize, value: Option<f64>, n: usize) {
        match &mut self.columns[column].cells {
            Cells::Floats(cells) => cells.extend(repeat_n(value.unwrap_or_default(), n)),
            _ => self.refuse(column, ColumnType::Float64),
        }
        self.columns[column].mark(value.is_some(), n);
    }

    /// Adds the same text, or null, `n` times.
    #[track_caller]
    pub fn repeat_text(&mut self, column: usize, value: Option<&str>, n: usize) {
        match &mut self.columns[column].cells {
            Cells::Texts(texts) => texts.repeat(value.unwrap_or_default(), n),
            _ => self.refuse(column, ColumnType::String),
        }
        self.columns[column].mark(value.is_some(), n);
    }

    /// Adds `n` nulls to a column of any type.
    pub fn push_null(&mut self, column: usize, n: usize) {
        self.columns[column].push_nulls(n);
    }

    pub(crate) fn columns(&self) -> &[Values] {
        &self.columns
    }

    /// The first column whose length differs from the first one's.
    pub(crate) fn uneven_column(&self) -> Option<usize> {
        let rows = self.columns.first()?.len();
        self.columns.iter().position(|column| column.len() != rows)
    }

    #[track_caller]
    fn refuse(&self, column: usize, kind: ColumnType) -> ! {
        panic!(
            "column `{}` of table `{}` is {}: it cannot take a {kind}",
            self.schema.columns[column].name, self.schema.name, self.schema.columns[column].kind
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Column;

    fn schema() -> TableSchema {
        TableSchema {
            name: "trajectory".into(),
            columns: vec![
                Column::new("cell", ColumnType::Int64, "", ""),
                Column::new("risk", ColumnType::Float64, "", ""),
            ],
        }
    }

    #[test]
    fn only_complete_rows_count() {
        let mut rows = Rows::new(&schema());
        rows.repeat_int(0, Some(7), 3);
        assert!(rows.is_empty());
        rows.extend_floats(1, &[1.0, 2.0]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows.uneven_column(), Some(1));
        rows.push_null(1, 1);
        assert_eq!((rows.len(), rows.uneven_column()), (3, None));
        assert_eq!(rows.estimated_bytes(), 3 * 8 + 3 * 8 + 3);
        assert!(rows.clear() >= 3 * 8 + 3 * 8);
        assert_eq!((rows.len(), rows.estimated_bytes()), (0, 0));
    }

    #[test]
    #[should_panic(expected = "column `cell` of table `trajectory` is Int64: it cannot take a Float64")]
    fn a_value_of_another_type_is_refused_by_name() {
        Rows::new(&schema()).push_float(0, Some(1.0));
    }

    #[test]
    #[should_panic(expected = "cannot follow rows of table `trajectory`")]
    fn rows_of_another_table_do_not_append() {
        let mut other = schema();
        other.name = "cells".into();
        Rows::new(&schema()).append(&Rows::new(&other));
    }
}
