//! The figures of a study: its words, the rows that they show, and pictures of them.

mod drawing;
mod picked;
mod resolution;
mod scale;
mod shape;
mod thinning;
mod vega_lite;
mod words;

pub(crate) use picked::grouped;

pub use drawing::{Budget, Drawing, DrawnColumn, draw};
pub use resolution::resolve;
pub use vega_lite::specification;
pub use words::{Band, Channel, Figure, Mark, Rule, Scale};
