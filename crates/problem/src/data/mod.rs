//! `[data]`: what is fitted. One file per kind of source, one field of [`Data`].

mod completion;
mod curve;
mod drawn_inputs;
mod drawn_matrix;
mod gaussian;
mod held_out;
mod matrices;
mod sensing;
mod table;
mod teacher_matrix;
mod tree;

pub use completion::Completion;
pub use curve::{Curve, Design, Select};
pub use drawn_inputs::EntryLaw;
pub use gaussian::{CovarianceKind, Gaussian, PowerLaw, Sparse, TeacherKind};
pub use held_out::HeldOutRows;
pub use matrices::{Matrices, Orientation};
pub use sensing::{MeasurementKind, Sensing};
pub use table::Table;
pub use teacher_matrix::{MatrixKind, Shuffle, TeacherMatrix};
pub use tree::Tree;

use crate::{HeldOut, Law, MatrixProblem, Samples, Target, Tensors, design};
use drawn_matrix::DrawnMatrix;
use held_out::Purpose;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::DMatrix;

/// The `[data]` table: one source of points, or of a matrix.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Points on the line, drawn, given or read from a file.
    pub curve: Option<Curve>,
    /// Gaussian inputs with values from a linear teacher.
    pub gaussian: Option<Gaussian>,
    /// Rows of any number of inputs, given or read from a file.
    pub table: Option<Table>,
    /// A matrix problem, given by its matrices.
    pub matrices: Option<Matrices>,
    /// Samples with values from a matrix of chosen singular values.
    pub teacher: Option<TeacherMatrix>,
    /// Items at the leaves of a tree, with features that flip along its edges.
    pub tree: Option<Tree>,
    /// Some entries of a matrix of low rank.
    pub completion: Option<Completion>,
    /// Linear measurements of a matrix of low rank.
    pub sensing: Option<Sensing>,
    /// Held-out rows with noise-free values: what `test_error` averages over.
    pub test: Option<HeldOutRows>,
    /// Held-out rows with noisy values: what `validation_error` averages over.
    pub validation: Option<HeldOutRows>,
}

/// A mistake in a table, at one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key in the table, with that of the table: `curve.samples`.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Points that came from a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TablePoints {
    /// The points, one list per input.
    pub inputs: Vec<Vec<f64>>,
    /// The values, if the file has them.
    pub y: Option<Vec<f64>>,
    /// The values of every output, where there are several; empty otherwise.
    pub outputs: Vec<Vec<f64>>,
    /// The replicate that each row belongs to, if the study names such a column.
    pub replicate: Option<Vec<u64>>,
}

impl TablePoints {
    /// The number of rows; the largest of any replicate if each has its own.
    fn rows(&self) -> usize {
        let Some(replicates) = &self.replicate else {
            return self.inputs.first().map_or(0, Vec::len);
        };
        let mut sorted = replicates.clone();
        sorted.sort_unstable();
        sorted.chunk_by(|a, b| a == b).map(<[u64]>::len).max().unwrap_or(0)
    }

    /// The rows of one replicate.
    fn of(&self, replicate: u64) -> Self {
        let Some(replicates) = &self.replicate else {
            return self.clone();
        };
        let kept = |values: &Vec<f64>| -> Vec<f64> {
            values.iter().zip(replicates).filter(|(_, r)| **r == replicate).map(|(value, _)| *value).collect()
        };
        let all = |lists: &[Vec<f64>]| lists.iter().map(kept).collect();
        Self { inputs: all(&self.inputs), y: self.y.as_ref().map(kept), outputs: all(&self.outputs), replicate: None }
    }
}

/// What the files of a `[data]` table hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataFiles {
    /// The points to fit.
    pub points: Option<TablePoints>,
    /// Rows held out for `test_error`.
    pub test: Option<TablePoints>,
    /// Rows held out for `validation_error`.
    pub validation: Option<TablePoints>,
    /// The tensors of `[data.matrices]`, without their prefix.
    pub tensors: Option<Tensors>,
    /// `X` and `Y` of the samples held out of them.
    pub test_tensors: Option<Tensors>,
}

/// The data of one replicate.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// n × d.
    pub inputs: DMatrix<f64>,
    /// n values.
    pub y: Vec<f64>,
    /// Whether the inputs are points on \[-1, 1\].
    pub on_line: bool,
    /// The noise-free function of one input, where it is known.
    pub target: Option<Target>,
    /// Variance of the noise on y, where it is known.
    pub noise_variance: Option<f64>,
    /// The law of the inputs and values, where it is known.
    pub law: Option<Law>,
    /// Rows held out to test.
    pub test: Option<DrawnRows>,
    /// Rows held out to choose by.
    pub validation: Option<DrawnRows>,
}

/// Rows with their values.
#[derive(Clone, Debug)]
pub struct DrawnRows {
    /// m × d.
    pub inputs: DMatrix<f64>,
    /// m values.
    pub y: Vec<f64>,
}

/// The one source of a `[data]` table.
enum Source<'a> {
    Curve(&'a Curve),
    Gaussian(&'a Gaussian),
    Table(&'a Table),
    Matrices(&'a Matrices),
    /// A drawn matrix problem, with its key.
    Drawn(&'static str, &'a dyn DrawnMatrix),
}

impl Data {
    /// `None` if there is none, or several; `complaints` says so.
    fn source(&self) -> Option<Source<'_>> {
        let mut sources = self.sources().map(|(_, source)| source);
        sources.next().filter(|_| sources.next().is_none())
    }

    /// Every source that is given, with its key.
    fn sources(&self) -> impl Iterator<Item = (&'static str, Source<'_>)> {
        let sources = [
            ("curve", self.curve.as_ref().map(Source::Curve)),
            ("gaussian", self.gaussian.as_ref().map(Source::Gaussian)),
            ("table", self.table.as_ref().map(Source::Table)),
            ("matrices", self.matrices.as_ref().map(Source::Matrices)),
        ];
        let drawn = self.drawn_matrices().into_iter().map(|(key, drawn)| (key, drawn.map(|d| Source::Drawn(key, d))));
        sources.into_iter().chain(drawn).filter_map(|(key, source)| Some((key, source?)))
    }

    fn drawn_matrices(&self) -> [(&'static str, Option<&dyn DrawnMatrix>); 4] {
        fn of<T: DrawnMatrix>(source: &Option<T>) -> Option<&dyn DrawnMatrix> {
            source.as_ref().map(|source| source as &dyn DrawnMatrix)
        }
        [
            ("teacher", of(&self.teacher)),
            ("tree", of(&self.tree)),
            ("completion", of(&self.completion)),
            ("sensing", of(&self.sensing)),
        ]
    }

    /// Everything that can be said against the table without reading a file.
    pub fn complaints(&self) -> Vec<Complaint> {
        let within = |table: &str, complaints: Vec<(&'static str, String)>| {
            complaints
                .into_iter()
                .map(|(key, message)| Complaint {
                    key: [table, key].join(".").trim_end_matches('.').to_owned(),
                    message,
                })
                .collect::<Vec<_>>()
        };
        let Some(source) = self.source() else {
            let found = self.sources().map(|(key, _)| format!("`[data.{key}]`")).collect::<Vec<_>>().join(" and ");
            let found = if found.is_empty() { "none".to_owned() } else { found };
            let message = format!(
                "expected one source of points, one of `[data.curve]`, `[data.gaussian]` and `[data.table]`, or of a \
                 matrix, one of `[data.matrices]`, `[data.teacher]`, `[data.tree]`, `[data.completion]` and \
                 `[data.sensing]`; found {found}"
            );
            return vec![Complaint { key: String::new(), message }];
        };
        let mut out = match &source {
            Source::Curve(curve) => within("curve", curve.complaints()),
            Source::Gaussian(gaussian) => within("gaussian", gaussian.complaints()),
            Source::Table(table) => within("table", table.complaints()),
            Source::Matrices(_) => Vec::new(),
            Source::Drawn(key, drawn) => within(key, drawn.all_complaints()),
        };
        for (purpose, rows) in [(Purpose::Test, &self.test), (Purpose::Validation, &self.validation)] {
            if let Some(rows) = rows {
                out.extend(within(purpose.key(), rows.complaints(&source, purpose)));
            }
        }
        out
    }

    /// Whether what is fitted is a matrix, and no function of a row.
    pub fn is_matrix(&self) -> bool {
        match self.source() {
            Some(Source::Matrices(_) | Source::Drawn(..)) => true,
            Some(Source::Table(table)) => table.outputs.is_some(),
            Some(Source::Curve(_) | Source::Gaussian(_)) | None => false,
        }
    }

    /// The matrix problem of one replicate.
    ///
    /// Streams: `data-teacher` and `data-teacher-inputs` for the matrix, `data-design` for inputs and measurements,
    /// `data-noise`, `data-mask` and `data-shuffle`. None depends on the model, so cells that differ in anything else
    /// share their data.
    ///
    /// # Errors
    /// A sentence, if there is none.
    pub fn draw_matrix(&self, seed: u64, replicate: u64, files: Option<&DataFiles>) -> Result<MatrixProblem, String> {
        match self.source() {
            Some(Source::Matrices(matrices)) => {
                let tensors = files.and_then(|files| files.tensors.as_ref());
                let problem = matrices.problem(tensors.ok_or("the file of [data.matrices] was not read")?)?;
                match files.and_then(|files| files.test_tensors.as_ref()) {
                    Some(held_out) => matrices.tested_on(held_out, problem),
                    None => Ok(problem),
                }
            }
            Some(Source::Table(table)) if table.outputs.is_some() => {
                let of = |points: &TablePoints| points.of(replicate);
                let points = files.and_then(|files| files.points.as_ref()).map(of);
                let test = files.and_then(|files| files.test.as_ref()).map(of);
                table.problem(points.as_ref(), test.as_ref())
            }
            Some(Source::Drawn(_, drawn)) => drawn.draw((seed, replicate)),
            _ => Err("these data are rows, and no matrix".to_owned()),
        }
    }

    /// Inputs and outputs of a matrix problem, without drawing it; `None` where it is no matrix or its file is bad.
    pub fn matrix_shape(&self, files: Option<&DataFiles>) -> Option<[usize; 2]> {
        match self.source()? {
            Source::Matrices(matrices) => matrices.shape(files?.tensors.as_ref()?),
            Source::Drawn(_, drawn) => Some(drawn.shape()),
            Source::Table(table) => table.matrix_shape(),
            Source::Curve(_) | Source::Gaussian(_) => None,
        }
    }

    /// Whether the points lie on the line.
    pub fn is_curve(&self) -> bool {
        self.curve.is_some()
    }

    /// The number of inputs d.
    pub fn inputs(&self) -> usize {
        match self.source() {
            Some(Source::Gaussian(gaussian)) => gaussian.inputs.size(),
            Some(Source::Table(table)) => table.input_count(),
            Some(Source::Drawn(_, drawn)) => drawn.shape()[0],
            Some(Source::Curve(_) | Source::Matrices(_)) | None => 1,
        }
    }

    /// The number of samples n, as far as it is known before anything is drawn.
    pub fn samples(&self, files: Option<&DataFiles>) -> Option<usize> {
        let in_file = || files?.points.as_ref().map(TablePoints::rows);
        match self.source()? {
            Source::Curve(curve) => {
                curve.x.as_ref().map(Vec::len).or(curve.samples.map(Samples::size)).or_else(in_file)
            }
            Source::Gaussian(gaussian) => Some(gaussian.samples.size()),
            Source::Table(table) => table.x.as_ref().map(Vec::len).or_else(in_file),
            Source::Matrices(_) => self.draw_matrix(0, 0, files).ok().map(|problem| problem.samples()),
            Source::Drawn(_, drawn) => Some(drawn.samples()),
        }
    }

    /// Whether each replicate has points, noise or held-out rows of its own.
    pub fn is_random(&self) -> bool {
        let held_out = [&self.test, &self.validation];
        let drawn = held_out.into_iter().flatten().any(|rows| rows.samples.is_some());
        drawn
            || match self.source() {
                Some(Source::Curve(curve)) => curve.is_random(),
                Some(Source::Gaussian(_) | Source::Drawn(..)) => true,
                Some(Source::Table(table)) => table.replicate_column.is_some(),
                Some(Source::Matrices(_)) | None => false,
            }
    }

    /// Whether each replicate has its own points (not only its own noise).
    pub fn has_random_design(&self) -> bool {
        match self.source() {
            Some(Source::Curve(curve)) => curve.has_random_design(),
            Some(Source::Gaussian(_) | Source::Drawn(..)) => true,
            Some(Source::Table(table)) => table.replicate_column.is_some(),
            Some(Source::Matrices(_)) | None => false,
        }
    }

    /// The files it names.
    pub fn files(&self) -> Vec<&str> {
        let curve = self.curve.iter().filter_map(|curve| curve.file.as_deref());
        let table = self.table.iter().filter_map(|table| table.file.as_deref());
        let held_out = [&self.test, &self.validation].into_iter().flatten().filter_map(|rows| rows.file.as_deref());
        let matrices = self.matrices.iter().map(|matrices| matrices.file.as_str());
        curve.chain(table).chain(matrices).chain(held_out).collect()
    }

    /// The key of the column that says which replicate a row of the file belongs to, with its name.
    pub fn replicate_column(&self) -> Option<(&'static str, &str)> {
        let curve = self.curve.as_ref().and_then(|curve| Some(("curve", curve.replicate_column.as_deref()?)));
        curve.or_else(|| self.table.as_ref().and_then(|table| Some(("table", table.replicate_column.as_deref()?))))
    }

    /// The data of one replicate; `files` holds what the files do.
    ///
    /// Streams: `data-design` for drawn points (`data-design-j` for Gaussian input j), `data-noise` for
    /// noise, `data-teacher` for a teacher, `data-unseen` for a signal that no input sees, and the same
    /// with `data-test` and `data-validation` for held-out rows. None depends on the model, so cells
    /// that differ in anything else share their data.
    ///
    /// # Errors
    /// A sentence, if the points cannot be had.
    pub fn draw(&self, seed: u64, replicate: u64, files: Option<&DataFiles>) -> Result<Drawn, String> {
        let own = |points: fn(&DataFiles) -> Option<&TablePoints>| files.and_then(points).map(|p| p.of(replicate));
        let points = own(|files| files.points.as_ref());
        if points.as_ref().is_some_and(|points| points.rows() == 0) {
            return Err(match self.replicate_column() {
                Some((_, column)) => no_rows(replicate, column),
                None => "no points: at least 1 is needed".to_owned(),
            });
        }
        let source = self.source().ok_or("no source of points")?;
        let count = |rows: &Option<HeldOutRows>| rows.as_ref().and_then(|rows| rows.samples).map_or(0, Samples::size);
        let mut drawn = match &source {
            Source::Curve(curve) => curve.draw(seed, replicate, points.as_ref())?,
            Source::Gaussian(gaussian) => gaussian.draw(seed, replicate, count(&self.test), count(&self.validation))?,
            Source::Table(table) => table.draw(points.as_ref())?,
            Source::Matrices(_) | Source::Drawn(..) => return Err("these data are a matrix, and no rows".to_owned()),
        };
        let held_out = |rows: &Option<HeldOutRows>, purpose, file: Option<TablePoints>| {
            rows.as_ref().map(|rows| rows.draw(&source, purpose, file.as_ref(), seed, replicate)).transpose()
        };
        let test = held_out(&self.test, Purpose::Test, own(|files| files.test.as_ref()))?;
        let validation = held_out(&self.validation, Purpose::Validation, own(|files| files.validation.as_ref()))?;
        drawn.test = drawn.test.or(test.flatten());
        drawn.validation = drawn.validation.or(validation.flatten());
        Ok(drawn)
    }
}

/// What a replicate is told that a file says nothing about.
fn no_rows(replicate: u64, column: &str) -> String {
    format!("seed {replicate}: no row has {column} = {replicate}")
}

impl DataFiles {
    /// Why a replicate has no points, if it has none; `column` is what the study calls the replicate's.
    pub fn missing(&self, replicate: u64, column: &str) -> Option<String> {
        let replicates = self.points.as_ref()?.replicate.as_ref()?;
        (!replicates.contains(&replicate)).then(|| no_rows(replicate, column))
    }
}

impl Drawn {
    /// Points and values of which nothing else is known.
    pub(crate) fn of(inputs: DMatrix<f64>, y: Vec<f64>) -> Self {
        let (target, law, test, validation) = (None, None, None, None);
        Self { inputs, y, on_line: false, target, noise_variance: None, law, test, validation }
    }

    /// The regression in these features, with the law that they see.
    pub fn regression(self, features: Arc<dyn crate::FeatureMap>) -> crate::Regression {
        let seen = features.first_inputs();
        let law = self.law.zip(seen).map(|(law, p)| Arc::new(law.of_first(p)));
        let x = if self.on_line { self.inputs.as_slice().to_vec() } else { Vec::new() };
        let held_out = |rows: Option<DrawnRows>| {
            rows.map(|rows| Arc::new(HeldOut { design: design(&*features, &rows.inputs), y: rows.y }))
        };
        let (test, validation) = (held_out(self.test), held_out(self.validation));
        crate::Regression {
            x,
            target: self.target,
            noise_variance: self.noise_variance,
            law,
            test,
            validation,
            ..crate::Regression::from_inputs(&self.inputs, self.y, features)
        }
    }
}
