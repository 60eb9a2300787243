//! `[data.table]`: rows of any number of inputs, given or read from a file.

use super::{Drawn, Select, TablePoints};
use crate::{Finite, MatrixProblem, MatrixSamples, Observed, TestOver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::DMatrix;

/// Rows (xᵢ, yᵢ) with xᵢ of any number of inputs, of any size; nothing is known of the law behind them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// A CSV or parquet file with the rows, relative to the study file.
    pub file: Option<String>,
    /// The file's columns of inputs.
    pub inputs: Option<Vec<String>>,
    /// The file's column of values; default `y`.
    pub output: Option<String>,
    /// The file's columns of values where there are several: the predictor is then a matrix. Not with `output`.
    pub outputs: Option<Vec<String>>,
    /// Keep only the file's rows with this value in this column.
    pub select: Option<Select>,
    /// Keep only the file's rows whose value in this column is the cell's replicate.
    pub replicate_column: Option<String>,
    /// Explicit rows of inputs, instead of a file.
    pub x: Option<Vec<Vec<Finite>>>,
    /// Explicit values, one per row.
    pub y: Option<Vec<Finite>>,
}

impl Table {
    /// Everything that can be said against the table without reading a file.
    pub(super) fn complaints(&self) -> Vec<(&'static str, String)> {
        match (&self.file, &self.x) {
            (Some(_), Some(_)) => vec![("x", "rows are given twice: keep one of `x` and `file`".to_owned())],
            (None, None) => vec![("file", "no rows: give a `file`, or explicit `x` with `y`".to_owned())],
            (Some(_), None) => self.file_complaints(),
            (None, Some(x)) => self.explicit_complaints(x),
        }
    }

    fn file_complaints(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        if self.y.is_some() {
            out.push(("y", "explicit `y` goes with explicit `x`; a file brings its own values".to_owned()));
        }
        match self.inputs.as_deref() {
            None | Some([]) => {
                out.push(("inputs", "a file needs the names of its input columns: `inputs = [\"x1\", …]`".to_owned()));
            }
            Some(names) => {
                let twice = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name));
                out.extend(twice.map(|(_, name)| ("inputs", format!("the column `{name}` is named twice"))));
            }
        }
        match self.outputs.as_deref() {
            Some([]) => out.push(("outputs", "no columns: name the columns of values, or use `output`".to_owned())),
            Some(_) if self.output.is_some() => {
                out.push(("output", "the values are named twice: keep one of `output` and `outputs`".to_owned()));
            }
            Some(names) => {
                let inputs = self.inputs.iter().flatten();
                let mut all = inputs.chain(names).enumerate();
                let twice = all.find(|(i, name)| {
                    *i >= self.inputs.as_ref().map_or(0, Vec::len)
                        && self.inputs.iter().flatten().chain(names).take(*i).any(|other| other == *name)
                });
                out.extend(twice.map(|(_, name)| ("outputs", format!("the column `{name}` is named twice"))));
            }
            None => {}
        }
        out
    }

    fn explicit_complaints(&self, x: &[Vec<Finite>]) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        let d = x.first().map_or(0, Vec::len);
        if d == 0 {
            out.push(("x", "no rows: at least 1 row with at least 1 input is needed".to_owned()));
        } else if let Some(i) = x.iter().position(|row| row.len() != d) {
            let message = format!("row {} has {} inputs where the first has {d}", i + 1, x[i].len());
            out.push(("x", message));
        }
        match &self.y {
            None => out.push(("y", "no values: explicit `x` needs explicit `y`".to_owned())),
            Some(y) if y.len() != x.len() => {
                out.push(("y", format!("{} entries for {} rows: one entry per row", y.len(), x.len())));
            }
            Some(_) => {}
        }
        for (key, given) in [
            ("inputs", self.inputs.is_some()),
            ("output", self.output.is_some()),
            ("outputs", self.outputs.is_some()),
            ("select", self.select.is_some()),
            ("replicate_column", self.replicate_column.is_some()),
        ] {
            if given {
                out.push((key, format!("`{key}` belongs to a `file`, and there is none")));
            }
        }
        out
    }

    /// d.
    pub(super) fn input_count(&self) -> usize {
        let named = self.inputs.as_ref().map(Vec::len);
        named.or(self.x.as_ref().and_then(|x| x.first()).map(Vec::len)).unwrap_or(1)
    }

    /// Inputs and outputs of the predictor, if it is a matrix.
    pub(super) fn matrix_shape(&self) -> Option<[usize; 2]> {
        self.outputs.as_ref().map(|outputs| [self.input_count(), outputs.len()])
    }

    /// The matrix problem of a file's rows, tested on those of `test`.
    pub(super) fn problem(
        &self,
        points: Option<&TablePoints>,
        test: Option<&TablePoints>,
    ) -> Result<MatrixProblem, String> {
        let points = points.ok_or("several outputs need a `file`")?;
        let samples = Arc::new(points.samples());
        let (inputs, outputs) = (samples.x.nrows(), samples.y.nrows());
        let test = test.map_or(TestOver::Inputs(None), |points| TestOver::Samples(Arc::new(points.samples())));
        let observed = Observed::Moments(samples.moments());
        Ok(MatrixProblem { inputs, outputs, observed, teacher: None, test, law: None })
    }

    /// The rows; `points` holds the file's, where there is one.
    pub(super) fn draw(&self, points: Option<&TablePoints>) -> Result<Drawn, String> {
        if let (Some(x), Some(y)) = (&self.x, &self.y) {
            let inputs = DMatrix::from_fn(x.len(), self.input_count(), |i, j| x[i][j].get());
            return Ok(Drawn::of(inputs, y.iter().map(|y| y.get()).collect()));
        }
        let points = points.ok_or("no rows: give a `file`, or explicit `x` with `y`")?;
        let y = points.y.clone().ok_or("the file has no values")?;
        Ok(Drawn::of(points.matrix(), y))
    }
}

impl TablePoints {
    /// Rows with several values, as columns.
    fn samples(&self) -> MatrixSamples {
        let columns = |lists: &[Vec<f64>]| {
            DMatrix::from_fn(lists.len(), lists.first().map_or(0, Vec::len), |i, sample| lists[i][sample])
        };
        MatrixSamples { x: columns(&self.inputs), y: columns(&self.outputs) }
    }

    /// The inputs, rows × d.
    pub(super) fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.inputs.first().map_or(0, Vec::len), self.inputs.len(), |i, j| self.inputs[j][i])
    }
}
