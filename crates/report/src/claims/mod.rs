//! The hypotheses of a study, and what its tables say to them.

mod answer;
mod bound;
mod claim;
mod digits;
mod resolution;
mod table;

pub use answer::{Answer, Measured, Verdict, Verdicts, evaluate};
pub use bound::Bound;
pub use claim::Claim;
pub use resolution::resolve;
pub use table::{record, table_schema};
