//! Small matrices, as `parameters` has them.

use super::Sheet;
use std::collections::BTreeMap;

/// A matrix, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f64>,
}

impl Matrix {
    pub fn from_fn(rows: usize, columns: usize, at: impl Fn(usize, usize) -> f64) -> Self {
        let values = (0..rows * columns).map(|slot| at(slot % rows, slot / rows)).collect();
        Self { rows, columns, values }
    }

    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.values[column * self.rows + row]
    }

    pub fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    #[track_caller]
    pub fn times(&self, other: &Self) -> Self {
        assert_eq!(self.columns, other.rows);
        let entry = |i, j| (0..self.columns).map(|k| self.at(i, k) * other.at(k, j)).sum();
        Self::from_fn(self.rows, other.columns, entry)
    }

    #[track_caller]
    pub fn minus(&self, other: &Self) -> Self {
        assert_eq!((self.rows, self.columns), (other.rows, other.columns));
        Self::from_fn(self.rows, self.columns, |i, j| self.at(i, j) - other.at(i, j))
    }

    pub fn scaled(&self, by: f64) -> Self {
        Self::from_fn(self.rows, self.columns, |i, j| by * self.at(i, j))
    }

    /// Frobenius norm.
    pub fn norm(&self) -> f64 {
        self.values.iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// The largest entry.
    pub fn largest(&self) -> f64 {
        self.values.iter().fold(0.0, |largest, v| v.abs().max(largest))
    }

    /// An orthonormal basis of the columns, which are independent: Gram and Schmidt, twice.
    pub fn orthonormal(&self) -> Self {
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for column in self.values.chunks(self.rows) {
            let mut next = column.to_vec();
            for earlier in basis.iter().chain(&basis) {
                let along: f64 = earlier.iter().zip(&next).map(|(a, b)| a * b).sum();
                next.iter_mut().zip(earlier).for_each(|(n, e)| *n -= along * e);
            }
            let norm = next.iter().map(|v| v * v).sum::<f64>().sqrt();
            basis.push(next.iter().map(|v| v / norm).collect());
        }
        Self { rows: self.rows, columns: self.columns, values: basis.concat() }
    }

    /// Lines `tensor,row,col,value`.
    pub fn lines(&self, name: &str) -> String {
        let line = |slot: usize| format!("{name},{},{},{:?}\n", slot % self.rows, slot / self.rows, self.values[slot]);
        (0..self.values.len()).map(line).collect()
    }
}

/// Entries by the place of their matrix, in the order of the file.
fn gather<K: Ord>(entries: impl Iterator<Item = (K, usize, usize, f64)>) -> BTreeMap<K, Matrix> {
    let mut all: BTreeMap<K, Vec<(usize, usize, f64)>> = BTreeMap::new();
    for (key, row, column, value) in entries {
        all.entry(key).or_default().push((row, column, value));
    }
    let matrix = |entries: Vec<(usize, usize, f64)>| {
        let size = |of: fn(&(usize, usize, f64)) -> usize| 1 + entries.iter().map(of).max().expect("an entry");
        let (rows, columns) = (size(|e| e.0), size(|e| e.1));
        let mut values = vec![f64::NAN; rows * columns];
        entries.iter().for_each(|(row, column, value)| values[column * rows + row] = *value);
        Matrix { rows, columns, values }
    };
    all.into_iter().map(|(key, entries)| (key, matrix(entries))).collect()
}

/// The matrices of a reference file.
pub fn read(path: &std::path::Path) -> BTreeMap<String, Matrix> {
    let mut reader = csv::Reader::from_path(path).expect("a reference");
    let rows: Vec<(String, usize, usize, f64)> = reader.deserialize().map(|row| row.expect("a row")).collect();
    gather(rows.into_iter())
}

/// The trained rows of `parameters`.
pub struct Parameters(BTreeMap<(i64, [i64; 2], String), Matrix>);

impl Parameters {
    pub fn of(sheet: &Sheet) -> Self {
        let entry = |row: usize| {
            let place = place(sheet.int("step", row), sheet.number("time", row));
            let key = (sheet.int("cell", row).expect("a cell"), place, sheet.text("tensor", row).to_owned());
            let index = |column: &str| sheet.int(column, row).expect("a place") as usize;
            (key, index("row"), index("col"), sheet.number("value", row))
        };
        Self(gather(sheet.rows().filter(|&row| sheet.text("source", row) == "trained").map(entry)))
    }

    /// A tensor at a step.
    #[track_caller]
    pub fn at_step(&self, cell: i64, step: i64, tensor: &str) -> &Matrix {
        self.find(cell, place(Some(step), f64::NAN), tensor)
    }

    /// A tensor of a flow at a time.
    #[track_caller]
    pub fn at_time(&self, cell: i64, time: f64, tensor: &str) -> &Matrix {
        self.find(cell, place(None, time), tensor)
    }

    /// Whether a cell has this tensor at a step.
    pub fn has(&self, cell: i64, step: i64, tensor: &str) -> bool {
        self.0.contains_key(&(cell, place(Some(step), f64::NAN), tensor.to_owned()))
    }

    #[track_caller]
    fn find(&self, cell: i64, place: [i64; 2], tensor: &str) -> &Matrix {
        self.0.get(&(cell, place, tensor.to_owned())).unwrap_or_else(|| panic!("no {tensor} at {place:?}"))
    }
}

/// A step, or the bits of a time.
fn place(step: Option<i64>, time: f64) -> [i64; 2] {
    step.map_or([1, time.to_bits() as i64], |step| [0, step])
}
