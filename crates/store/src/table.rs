//! Columns read back from the parts of a table.

use crate::columns::{ColumnType, TableSchema};
use crate::error::StoreError;
use crate::rows::Rows;
use crate::values::{Cells, Values};

/// The rows of a table in plain columns, a null as `None`. Parts follow each other in the order of
/// their names.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Rows,
}

impl Table {
    pub(crate) fn new(rows: Rows) -> Table {
        Table { rows }
    }

    /// The rows themselves.
    pub fn into_rows(self) -> Rows {
        self.rows
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The columns' names and types in the order of the file.
    pub fn columns(&self) -> Vec<(&str, ColumnType)> {
        self.schema().columns.iter().map(|column| (column.name.as_str(), column.kind)).collect()
    }

    /// The columns with unit and documentation, as the first part's footer tells them.
    pub fn schema(&self) -> &TableSchema {
        self.rows.schema()
    }

    /// A Float64 column.
    pub fn floats(&self, name: &str) -> Result<Vec<Option<f64>>, StoreError> {
        let (values, cells) = self.float_column(name)?;
        Ok(values.optional(cells).collect())
    }

    /// A Float64 column without copying: the numbers, and which of them are not null where some are.
    pub fn float_slice(&self, name: &str) -> Result<(&[f64], Option<&[bool]>), StoreError> {
        let (values, cells) = self.float_column(name)?;
        Ok((cells, values.present()))
    }

    /// An Int64 column.
    pub fn ints(&self, name: &str) -> Result<Vec<Option<i64>>, StoreError> {
        let values = self.find(name)?;
        match &values.cells {
            Cells::Ints(cells) => Ok(values.optional(cells).collect()),
            _ => Err(self.wrong_type(name, values, ColumnType::Int64)),
        }
    }

    /// A String column.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>, StoreError> {
        let values = self.find(name)?;
        match &values.cells {
            Cells::Texts(texts) => {
                let text = |(row, text): (usize, &str)| values.is_present(row).then(|| text.to_string());
                Ok(texts.all().enumerate().map(text).collect())
            }
            _ => Err(self.wrong_type(name, values, ColumnType::String)),
        }
    }

    /// A Bool column.
    pub fn bools(&self, name: &str) -> Result<Vec<Option<bool>>, StoreError> {
        let values = self.find(name)?;
        match &values.cells {
            Cells::Bools(cells) => Ok(values.optional(cells).collect()),
            _ => Err(self.wrong_type(name, values, ColumnType::Bool)),
        }
    }

    fn float_column(&self, name: &str) -> Result<(&Values, &[f64]), StoreError> {
        let values = self.find(name)?;
        match &values.cells {
            Cells::Floats(cells) => Ok((values, cells)),
            _ => Err(self.wrong_type(name, values, ColumnType::Float64)),
        }
    }

    fn find(&self, name: &str) -> Result<&Values, StoreError> {
        match self.schema().column(name) {
            Some(column) => Ok(&self.rows.columns()[column]),
            None => Err(StoreError::TableColumnMissing {
                table: self.schema().name.clone(),
                column: name.into(),
                known: self.schema().column_names(),
            }),
        }
    }

    fn wrong_type(&self, name: &str, values: &Values, asked: ColumnType) -> StoreError {
        StoreError::TableColumnType {
            table: self.schema().name.clone(),
            column: name.into(),
            found: values.kind(),
            asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Column;

    fn table() -> Table {
        let schema = TableSchema {
            name: "cells".into(),
            columns: vec![
                Column::new("cell", ColumnType::Int64, "", ""),
                Column::new("risk", ColumnType::Float64, "", ""),
            ],
        };
        let mut rows = Rows::new(&schema);
        rows.push_int(0, Some(3));
        rows.push_float(1, None);
        Table::new(rows)
    }

    #[test]
    fn a_missing_column_lists_those_there() {
        assert_eq!(
            table().floats("loss").unwrap_err().to_string(),
            "table `cells` has no column `loss`; it has: cell, risk"
        );
    }

    #[test]
    fn a_column_of_another_type_says_which() {
        assert_eq!(
            table().texts("cell").unwrap_err().to_string(),
            "column `cell` of table `cells` is Int64, not String; read it as Int64"
        );
    }

    #[test]
    fn a_null_float_keeps_its_place_in_the_slice() {
        let table = table();
        let (cells, present) = table.float_slice("risk").expect("risk is a float column");
        assert_eq!((cells.len(), present), (1, Some(&[false][..])));
    }
}
