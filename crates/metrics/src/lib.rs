//! Pure functions of a snapshot, each declared once in a static table: name, unit, doc, citation,
//! needs, function.
//!
//! Floor 2. A metric never asks who produced a snapshot: trained rows, predictions and other fits
//! of the same points pass through the same functions. [`Instruments`] hold what depends on the
//! feature map alone, a [`Setting`] what all rows of one cell share, a [`Probe`] what several
//! metrics need of one block of rows; [`measure()`] fills one column per metric.

mod arc;
mod combined;
mod crossings;
mod effort;
mod family;
mod fit;
mod generalization;
mod grid;
mod instruments;
mod lanes;
mod least_bending;
mod matrix;
mod measure;
mod metric;
mod parameters;
mod probe;
mod projection;
mod risk;
mod roughness;
mod setting;
mod shape;
mod sharpness;
mod sigma_points;
mod spectrum;
mod spline;
mod steep;
mod turning;

pub use instruments::Instruments;
pub use matrix::{MatrixProbe, MatrixSetting, hessian_spectrum};
pub use measure::{Column, Look, Views, measure};
pub use metric::{METRICS, MetricDef, Needs, metric};
pub use probe::Probe;
pub use setting::Setting;
