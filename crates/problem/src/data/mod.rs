//! `[data]`: what is fitted. One file per kind of source, one field of [`Data`].

mod curve;
mod gaussian;

pub use curve::{Curve, Design, Select};
pub use gaussian::{CovarianceKind, Gaussian, PowerLaw, Sparse, TeacherKind};

use crate::{Law, Samples, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::DMatrix;

/// The `[data]` table: one source of points.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Points on the line, drawn, given or read from a file.
    pub curve: Option<Curve>,
    /// Gaussian inputs with values from a linear teacher.
    pub gaussian: Option<Gaussian>,
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
    /// The replicate that each row belongs to, if the study names such a column.
    pub replicate: Option<Vec<u64>>,
}

/// What the files of a `[data]` table hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataFiles {
    /// The points to fit.
    pub points: Option<TablePoints>,
}

/// The data of one replicate.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// n × d.
    pub inputs: DMatrix<f64>,
    /// n values.
    pub y: Vec<f64>,
    /// The noise-free function of one input, where it is known.
    pub target: Option<Target>,
    /// Variance of the noise on y, where it is known.
    pub noise_variance: Option<f64>,
    /// The law of the inputs and values, where it is known.
    pub law: Option<Law>,
}

/// The one source of a `[data]` table.
enum Source<'a> {
    Curve(&'a Curve),
    Gaussian(&'a Gaussian),
}

impl Data {
    /// `None` if there is none, or several; `complaints` says so.
    fn source(&self) -> Option<Source<'_>> {
        match (&self.curve, &self.gaussian) {
            (Some(curve), None) => Some(Source::Curve(curve)),
            (None, Some(gaussian)) => Some(Source::Gaussian(gaussian)),
            _ => None,
        }
    }

    /// Everything that can be said against the table without reading a file.
    pub fn complaints(&self) -> Vec<Complaint> {
        let within = |table: &str, complaints: Vec<(&'static str, String)>| {
            complaints
                .into_iter()
                .map(|(key, message)| Complaint { key: format!("{table}.{key}"), message })
                .collect::<Vec<_>>()
        };
        match self.source() {
            Some(Source::Curve(curve)) => within("curve", curve.complaints()),
            Some(Source::Gaussian(gaussian)) => within("gaussian", gaussian.complaints()),
            None => vec![Complaint {
                key: String::new(),
                message: "expected one source of points: `[data.curve]` or `[data.gaussian]`".to_owned(),
            }],
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
            Some(Source::Curve(_)) | None => 1,
        }
    }

    /// The number of samples n, as far as it is known before anything is drawn.
    pub fn samples(&self, files: Option<&DataFiles>) -> Option<usize> {
        match self.source()? {
            Source::Curve(curve) => {
                let given = curve.x.as_ref().map(Vec::len).or(curve.samples.map(Samples::size));
                given.or_else(|| Some(files?.points.as_ref()?.inputs.first()?.len()))
            }
            Source::Gaussian(gaussian) => Some(gaussian.samples.size()),
        }
    }

    /// Whether each replicate draws its own points or noise.
    pub fn is_random(&self) -> bool {
        match self.source() {
            Some(Source::Curve(curve)) => curve.is_random(),
            Some(Source::Gaussian(_)) => true,
            None => false,
        }
    }

    /// Whether each replicate draws its own points (not only its own noise).
    pub fn has_random_design(&self) -> bool {
        match self.source() {
            Some(Source::Curve(curve)) => curve.has_random_design(),
            Some(Source::Gaussian(_)) => true,
            None => false,
        }
    }

    /// The files it names.
    pub fn files(&self) -> Vec<&str> {
        self.curve.iter().filter_map(|curve| curve.file.as_deref()).collect()
    }

    /// The data of one replicate; `files` holds what the files do.
    ///
    /// Streams: `data-design` for drawn points, `data-noise` for noise, `data-teacher` for a teacher;
    /// none depends on the model, so cells that differ in anything else share their data.
    ///
    /// # Errors
    /// A sentence, if the points cannot be had.
    pub fn draw(&self, seed: u64, replicate: u64, files: Option<&DataFiles>) -> Result<Drawn, String> {
        match self.source() {
            Some(Source::Curve(curve)) => {
                let (x, y) = curve.points(seed, replicate, files.and_then(|files| files.points.as_ref()))?;
                let noise = if curve.y.is_some() || curve.offsets.is_some() { None } else { curve.noise };
                Ok(Drawn {
                    inputs: DMatrix::from_column_slice(x.len(), 1, &x),
                    y,
                    target: curve.target.clone(),
                    noise_variance: noise.map(|noise| noise.get() * noise.get()),
                    law: None,
                })
            }
            Some(Source::Gaussian(gaussian)) => gaussian.draw(seed, replicate),
            None => Err("no source of points".to_owned()),
        }
    }
}

impl Drawn {
    /// The regression in these features, with the law that they see.
    pub fn regression(self, features: Arc<dyn crate::FeatureMap>) -> crate::Regression {
        let seen = features.first_inputs();
        let law = self.law.zip(seen).map(|(law, p)| Arc::new(law.of_first(p)));
        let x = if self.inputs.ncols() == 1 { self.inputs.as_slice().to_vec() } else { Vec::new() };
        crate::Regression {
            x,
            target: self.target,
            noise_variance: self.noise_variance,
            law,
            ..crate::Regression::from_inputs(&self.inputs, self.y, features)
        }
    }
}
