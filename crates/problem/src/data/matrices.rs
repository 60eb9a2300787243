//! `[data.matrices]`: a matrix problem given by its matrices.

use crate::{Entries, MatrixProblem, MatrixSamples, Moments, Observed, Tensors, TestOver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::DMatrix;

/// Matrices from a file in the long form `tensor,row,col,value` (zero-based): `X` and `Y`, or `Syx` with or
/// without `Sxx` and `trSyy`, or `target` and `mask`; and optionally `teacher`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrices {
    /// A CSV or parquet file, relative to the study file.
    pub file: String,
    /// Tensor names start with this.
    #[serde(default)]
    pub prefix: String,
    /// Tensors to read; others in the file are then ignored.
    #[serde(default)]
    pub only: Vec<String>,
    /// Whether samples are the columns of X and Y, or their rows. Default: columns.
    #[serde(default)]
    pub samples: Orientation,
}

/// Where samples are in a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// A sample is a column
    #[default]
    Columns,
    /// A sample is a row
    Rows,
}

impl Orientation {
    /// The other one, as a study writes it.
    fn other(self) -> &'static str {
        match self {
            Self::Columns => "rows",
            Self::Rows => "columns",
        }
    }
}

impl Matrices {
    /// The tensors that mean something.
    pub const NAMES: [&str; 8] = ["X", "Y", "Sxx", "Syx", "trSyy", "target", "mask", "teacher"];

    /// The problem that the file's tensors make; `tensors` are without the prefix.
    ///
    /// # Errors
    /// A sentence, if tensors are missing, too many, or do not fit together.
    pub fn problem(&self, tensors: &Tensors) -> Result<MatrixProblem, String> {
        let get = |name: &str| tensors.get(name);
        let kinds = [get("X").is_some(), get("Syx").is_some(), get("target").is_some()];
        if kinds.iter().filter(|there| **there).count() != 1 {
            return Err(format!(
                "expected one of `X` with `Y`, `Syx`, and `target` with `mask`; the file has {}",
                tensors.names()
            ));
        }
        self.unused(tensors)?;
        let observed = if let Some(x) = get("X") {
            let y = get("Y").ok_or("`X` needs `Y`")?;
            Observed::Moments(self.samples(x, y)?.moments())
        } else if let Some(syx) = get("Syx") {
            Observed::Moments(moments(syx, tensors)?)
        } else {
            Observed::Entries(entries(tensors)?)
        };
        let (outputs, inputs) = match &observed {
            Observed::Moments(moments) => moments.syx.shape(),
            Observed::Entries(entries) => entries.target.shape(),
            Observed::Measurements(_) => unreachable!("a file brings no measurements"),
        };
        let (teacher, test) = match &observed {
            // Completion is tested on all entries of its target.
            Observed::Entries(entries) => (Some(get("teacher").unwrap_or(&entries.target).clone()), TestOver::Entries),
            _ => (get("teacher").cloned(), TestOver::Inputs(None)),
        };
        if let Some(shape) = teacher.as_ref().map(DMatrix::shape).filter(|shape| *shape != (outputs, inputs)) {
            return Err(format!("`teacher` is {}×{}, and the predictor {outputs}×{inputs}", shape.0, shape.1));
        }
        Ok(MatrixProblem { inputs, outputs, observed, teacher, test, law: None })
    }

    /// The same, if some samples can have it.
    ///
    /// # Errors
    /// A sentence, also where second moments contradict each other.
    pub fn possible_problem(&self, tensors: &Tensors) -> Result<MatrixProblem, String> {
        let problem = self.problem(tensors)?;
        let Observed::Moments(moments @ Moments { samples: None, .. }) = &problem.observed else { return Ok(problem) };
        impossible(moments).map_or(Ok(problem), Err)
    }

    /// Inputs and outputs of that problem.
    pub(super) fn shape(&self, tensors: &Tensors) -> Option<[usize; 2]> {
        let predictor = tensors.get("Syx").or_else(|| tensors.get("target")).map(|w| [w.ncols(), w.nrows()]);
        let of_samples = || {
            let [x, y] = ["X", "Y"].map(|name| tensors.get(name).map(DMatrix::shape));
            Some(match self.samples {
                Orientation::Columns => [x?.0, y?.0],
                Orientation::Rows => [x?.1, y?.1],
            })
        };
        predictor.or_else(of_samples)
    }

    /// Tensors that go with another way to give the problem.
    fn unused(&self, tensors: &Tensors) -> Result<(), String> {
        let (main, used): (&str, &[&str]) = match tensors {
            _ if tensors.get("X").is_some() => ("X", &["X", "Y", "teacher"]),
            _ if tensors.get("Syx").is_some() => ("Syx", &["Syx", "Sxx", "trSyy", "teacher"]),
            _ => ("target", &["target", "mask", "teacher"]),
        };
        match tensors.0.keys().find(|name| !used.contains(&name.as_str())) {
            Some(other) => Err(format!("`{other}` has no use beside `{main}`: say `only = [...]` to ignore it")),
            None => Ok(()),
        }
    }

    /// The same problem, tested on the held-out samples `X` and `Y`.
    ///
    /// # Errors
    /// A sentence, if there are none, or of another shape.
    pub fn tested_on(&self, held_out: &Tensors, problem: MatrixProblem) -> Result<MatrixProblem, String> {
        let (x, y) = held_out.get("X").zip(held_out.get("Y")).ok_or_else(|| {
            format!("held-out samples are the tensors `X` and `Y`; the file has {}", held_out.names())
        })?;
        let samples = self.samples(x, y)?;
        let (inputs, outputs) = (samples.x.nrows(), samples.y.nrows());
        if (inputs, outputs) != (problem.inputs, problem.outputs) {
            return Err(format!(
                "held-out samples have {inputs} inputs and {outputs} outputs, and the predictor {} and {}",
                problem.inputs, problem.outputs
            ));
        }
        Ok(MatrixProblem { test: TestOver::Samples(samples), ..problem })
    }

    fn samples(&self, x: &DMatrix<f64>, y: &DMatrix<f64>) -> Result<Arc<MatrixSamples>, String> {
        let ([(a, b), (c, d)], other) = ([x.shape(), y.shape()], self.samples.other());
        let (x, y) = match self.samples {
            Orientation::Columns => (x.clone(), y.clone()),
            Orientation::Rows => (x.transpose(), y.transpose()),
        };
        if x.ncols() == y.ncols() {
            return Ok(Arc::new(MatrixSamples { x, y }));
        }
        let hint = if x.nrows() == y.nrows() { format!("; `samples = \"{other}\"` would fit") } else { String::new() };
        let (n, m) = (x.ncols(), y.ncols());
        Err(format!("`X` is {a}×{b} and `Y` {c}×{d}: {n} samples, and {m} values{hint}"))
    }
}

fn moments(syx: &DMatrix<f64>, tensors: &Tensors) -> Result<Moments, String> {
    let sxx = tensors.get("Sxx").cloned();
    let d = syx.ncols();
    if let Some(sxx) = &sxx {
        if sxx.shape() != (d, d) {
            return Err(format!("`Sxx` is {}×{}, and `Syx` has {d} columns", sxx.nrows(), sxx.ncols()));
        }
        if (sxx - sxx.transpose()).amax() > 1e-12 * sxx.amax() {
            return Err("`Sxx` is not symmetric".to_owned());
        }
    }
    let trace_syy = tensors.get("trSyy");
    if let Some((rows, columns)) = trace_syy.map(DMatrix::shape).filter(|shape| *shape != (1, 1)) {
        return Err(format!("`trSyy` is {rows}×{columns}, and should be one number"));
    }
    let trace_syy = trace_syy.map(|trace| trace[(0, 0)]);
    let moments = Moments { sxx, syx: syx.clone(), trace_syy, samples: None };
    Ok(moments)
}

/// What is left of a relation between second moments may be this large, of rounding in the file.
const ROUNDING: f64 = 1e-9;

/// Why no samples have these second moments: [Sxx, Syxᵀ; Syx, Syy] would have a negative eigenvalue.
fn impossible(moments: &Moments) -> Option<String> {
    let (best, floor) = moments.best();
    if let Some(sxx) = &moments.sxx {
        let eigenvalues = sxx.symmetric_eigenvalues();
        let (least, most) = (eigenvalues.min(), eigenvalues.max());
        if least < -ROUNDING * most.max(0.0) {
            return Some(format!("`Sxx` has the eigenvalue {least:.3e}: second moments have none below 0"));
        }
        let left = (&moments.syx - &best * sxx).amax();
        // What a direction of variance ε² holds of the outputs is of order ε.
        if left > ROUNDING.sqrt() * moments.syx.amax() {
            return Some("`Syx` is not zero along inputs whose variance in `Sxx` is zero".to_owned());
        }
    }
    let trace = moments.trace_syy?;
    let least = trace - 2.0 * floor;
    (floor < -ROUNDING * least.abs()).then(|| {
        format!("`trSyy` is {trace}, and at least {least} with these `Syx` and `Sxx`: the loss would be negative")
    })
}

fn entries(tensors: &Tensors) -> Result<Entries, String> {
    let target = tensors.get("target").ok_or("no `target`")?.clone();
    let mask = tensors.get("mask").ok_or("`target` needs `mask`: 1 where an entry is observed, 0 elsewhere")?;
    if mask.shape() != target.shape() {
        let [(a, b), (c, d)] = [mask.shape(), target.shape()];
        return Err(format!("`mask` is {a}×{b}, and `target` {c}×{d}"));
    }
    if let Some(other) = mask.iter().find(|m| m.abs() > 0.0 && (*m - 1.0).abs() > 0.0) {
        return Err(format!("`mask` holds {other}: expected 1 (observed) or 0"));
    }
    let observed: Vec<usize> = (0..mask.len()).filter(|&place| mask.as_slice()[place] > 0.5).collect();
    if observed.is_empty() {
        return Err("`mask` observes no entry".to_owned());
    }
    Ok(Entries { target, observed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(samples: Orientation, tensors: &[(&str, usize, usize)]) -> Result<MatrixProblem, String> {
        let of = |(name, rows, columns): &(&str, usize, usize)| {
            ((*name).to_owned(), DMatrix::from_fn(*rows, *columns, |i, j| f64::from(u8::from(i == j))))
        };
        Matrices { samples, ..Matrices::default() }.problem(&Tensors(tensors.iter().map(of).collect()))
    }

    #[test]
    fn samples_are_columns_or_rows() {
        let by_columns = problem(Orientation::Columns, &[("X", 4, 6), ("Y", 3, 6)]).unwrap();
        let by_rows = problem(Orientation::Rows, &[("X", 6, 4), ("Y", 6, 3)]).unwrap();
        assert_eq!([by_columns.inputs, by_columns.outputs, by_columns.samples()], [4, 3, 6]);
        assert_eq!([by_rows.inputs, by_rows.outputs, by_rows.samples()], [4, 3, 6]);
        let tensors = |shapes: [(&str, usize, usize); 2]| {
            Tensors(shapes.map(|(name, rows, columns)| (name.to_owned(), DMatrix::zeros(rows, columns))).into())
        };
        let of = |samples, shapes| Matrices { samples, ..Matrices::default() }.shape(&tensors(shapes));
        assert_eq!(of(Orientation::Columns, [("X", 4, 6), ("Y", 3, 6)]), Some([4, 3]));
        assert_eq!(of(Orientation::Rows, [("X", 6, 4), ("Y", 6, 3)]), Some([4, 3]));
        assert_eq!(of(Orientation::Columns, [("Syx", 3, 4), ("Sxx", 4, 4)]), Some([4, 3]));
    }

    #[test]
    fn shapes_that_do_not_fit_are_told_with_a_way_out() {
        let said = |tensors: &[(&str, usize, usize)]| problem(Orientation::Columns, tensors).unwrap_err();
        assert_eq!(
            said(&[("X", 6, 4), ("Y", 6, 3)]),
            "`X` is 6×4 and `Y` 6×3: 4 samples, and 3 values; `samples = \"rows\"` would fit"
        );
        assert_eq!(said(&[("X", 6, 4), ("Y", 2, 3)]), "`X` is 6×4 and `Y` 2×3: 4 samples, and 3 values");
        assert_eq!(said(&[("Syx", 3, 4), ("Sxx", 3, 3)]), "`Sxx` is 3×3, and `Syx` has 4 columns");
        assert_eq!(said(&[("Syx", 3, 4), ("trSyy", 2, 1)]), "`trSyy` is 2×1, and should be one number");
        assert_eq!(said(&[("target", 3, 4), ("mask", 4, 3)]), "`mask` is 4×3, and `target` 3×4");
        assert_eq!(said(&[("Syx", 3, 4), ("teacher", 4, 3)]), "`teacher` is 4×3, and the predictor 3×4");
        assert!(said(&[("X", 3, 4), ("Syx", 3, 3)]).ends_with("the file has Syx, X"));
        assert_eq!(
            said(&[("X", 3, 4), ("Y", 3, 4), ("mask", 3, 3)]),
            "`mask` has no use beside `X`: say `only = [...]` to ignore it"
        );
    }

    #[test]
    fn second_moments_that_no_samples_have_are_refused() {
        let said = |sxx: [f64; 4], syx: [f64; 2], trace: f64| {
            let of = |name: &str, rows, entries: &[f64]| {
                (name.to_owned(), DMatrix::from_row_slice(rows, entries.len() / rows, entries))
            };
            let tensors = [of("Sxx", 2, &sxx), of("Syx", 1, &syx), of("trSyy", 1, &[trace])];
            Matrices::default().possible_problem(&Tensors(tensors.into())).err()
        };
        let identity = [1.0, 0.0, 0.0, 1.0];
        assert_eq!(said(identity, [0.6, 0.8], 1.0), None, "interpolated by rounding");
        assert!(said(identity, [0.6, 0.8], 0.5).unwrap().starts_with("`trSyy` is 0.5, and at least 1 "));
        assert!(said([1.0, 2.0, 2.0, 1.0], [1.0, 1.0], 9.0).unwrap().contains("the eigenvalue -1.000e0"));
        assert!(said([1.0, 0.0, 0.0, 0.0], [1.0, 1.0], 9.0).unwrap().contains("not zero along inputs"));
        assert_eq!(said([1.0, 1.0, 1.0, 1.0], [2.0, 2.0], 9.0), None, "two equal inputs");
    }
}
