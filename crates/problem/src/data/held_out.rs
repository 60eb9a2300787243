//! `[data.test]` and `[data.validation]`: rows that no motion sees.

use super::{Curve, DrawnRows, Select, Source, TablePoints};
use crate::Samples;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, normal, stream, uniform};

/// Rows of a file with the columns of the source, or new rows from the law of the source.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldOutRows {
    /// A CSV or parquet file, relative to the study file, with columns named as in the source's.
    pub file: Option<String>,
    /// Keep only the file's rows with this value in this column.
    pub select: Option<Select>,
    /// How many rows to draw from the law of the source.
    pub samples: Option<Samples>,
}

/// What rows are for: each purpose has random streams of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Fit,
    Test,
    Validation,
}

impl Purpose {
    /// The key in `[data]` of held-out rows.
    pub(super) fn key(self) -> &'static str {
        if self == Self::Test { "test" } else { "validation" }
    }

    /// The stream of the inputs.
    pub(super) fn design(self) -> &'static str {
        match self {
            Self::Fit => "data-design",
            Self::Test => "data-test",
            Self::Validation => "data-validation",
        }
    }

    /// The stream of the label noise.
    pub(super) fn noise(self) -> &'static str {
        match self {
            Self::Fit => "data-noise",
            Self::Test => "data-test-noise",
            Self::Validation => "data-validation-noise",
        }
    }

    /// The stream of the signal that no input sees.
    pub(super) fn unseen(self) -> &'static str {
        match self {
            Self::Fit => "data-unseen",
            Self::Test => "data-test-unseen",
            Self::Validation => "data-validation-unseen",
        }
    }
}

impl HeldOutRows {
    /// Everything that can be said against the table without reading a file.
    pub(super) fn complaints(&self, source: &Source<'_>, purpose: Purpose) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        let mut say = |key, message: &str| out.push((key, message.to_owned()));
        match (&self.file, self.samples, source) {
            (Some(_), None, Source::Matrices(_)) if purpose == Purpose::Test => {}
            (None, None, Source::Matrices(_)) if purpose == Purpose::Test => say("file", "no samples: give a `file`"),
            (_, _, Source::Table(table)) if table.outputs.is_some() && purpose == Purpose::Validation => {
                say("file", "nothing chooses by held-out rows where the predictor is a matrix");
            }
            (_, _, Source::Matrices(_) | Source::Drawn(..)) => {
                say("", "no rows are held out of a matrix: its test errors are exact, over all that it is tested on");
            }
            (Some(_), Some(_), _) => say("samples", "rows are given twice: keep one of `file` and `samples`"),
            (None, None, Source::Table(_)) => say("file", "no rows: give a `file`"),
            (None, None, _) => say("samples", "no rows: give `samples` to draw, or a `file`"),
            (Some(_), None, Source::Gaussian(_)) => {
                say("file", "gaussian data draw their held-out rows: use `samples = 1000` instead of a `file`");
            }
            (None, Some(_), Source::Table(_)) => {
                say("samples", "no law is known behind a table, so no new rows can be drawn: give a `file`");
            }
            (None, Some(_), Source::Curve(curve)) if curve.target.is_none() => {
                say("samples", "without a `target` no new points can be drawn: give one in [data.curve], or a `file`");
            }
            (None, Some(_), Source::Curve(curve)) if purpose == Purpose::Validation && !curve.has_known_noise() => {
                say("samples", "the noise of given values is not known, so none can be drawn: give a `file`");
            }
            _ => {}
        }
        if self.select.is_some() && self.file.is_none() {
            say("select", "`select` belongs to a `file`, and there is none");
        }
        out
    }

    /// The rows of one replicate; `None` where the source draws its own.
    pub(super) fn draw(
        &self,
        source: &Source<'_>,
        purpose: Purpose,
        file: Option<&TablePoints>,
        seed: u64,
        replicate: u64,
    ) -> Result<Option<DrawnRows>, String> {
        if file.is_some_and(|points| points.rows() == 0) {
            return Err(format!("seed {replicate}: data.{} has no row", purpose.key()));
        }
        match (source, file, self.samples) {
            (Source::Gaussian(_), _, _) => Ok(None),
            (Source::Table(_), Some(points), _) => {
                let y = points.y.clone().ok_or("the held-out file has no values")?;
                Ok(Some(DrawnRows { inputs: points.matrix(), y }))
            }
            (Source::Curve(curve), Some(points), _) => {
                let mut x = points.inputs.first().cloned().unwrap_or_default();
                curve.map_domain(&mut x)?;
                rows_on_curve(curve, purpose, x, points.y.clone(), (seed, replicate)).map(Some)
            }
            (Source::Curve(curve), None, Some(samples)) => {
                let mut draws = stream(seed, purpose.design(), replicate);
                let x = (0..samples.size()).map(|_| 2.0 * uniform(&mut draws) - 1.0).collect();
                rows_on_curve(curve, purpose, x, None, (seed, replicate)).map(Some)
            }
            _ => Err(format!("no rows for data.{}", purpose.key())),
        }
    }
}

/// Values from the file, or from the target: with noise unless they are to test.
fn rows_on_curve(
    curve: &Curve,
    purpose: Purpose,
    x: Vec<f64>,
    given: Option<Vec<f64>>,
    (seed, replicate): (u64, u64),
) -> Result<DrawnRows, String> {
    let inputs = DMatrix::from_column_slice(x.len(), 1, &x);
    if let Some(y) = given {
        return Ok(DrawnRows { inputs, y });
    }
    let target = curve.target.as_ref().ok_or("no values: give a `target`, or a file with values")?;
    let mut y: Vec<f64> = x.iter().map(|x| target.value(*x)).collect();
    if let (Purpose::Validation, Some(noise)) = (purpose, curve.noise) {
        let mut draws = stream(seed, purpose.noise(), replicate);
        y.iter_mut().for_each(|y| *y += noise.get() * normal(&mut draws));
    }
    Ok(DrawnRows { inputs, y })
}
