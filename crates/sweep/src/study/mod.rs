//! A study: TOML text in, every cell checked out, or all mistakes at once with line and column.

mod axes;
mod axis_reading;
mod axis_values;
mod checked;
mod checks;
mod choices;
mod column_names;
mod conformity;
mod diagnostics;
mod differences;
mod draft;
mod expansion;
mod inputs;
mod kinds;
mod loading;
mod overrides;
mod quick;
mod raw_axes;
mod reading;
mod save_times;
mod schema;
mod shape;
mod spec;
mod spelling;
mod text;
mod train_checks;
mod tree;

pub use axes::{Axis, AxisColumn, AxisValue, ColumnKind};
pub use checked::{CellSpec, Checked, Problem};
pub(crate) use checked::{Setting, data_meaning, model_meaning, train_meaning};
pub use checks::Known;
pub use diagnostics::{Diagnostic, Diagnostics, Severity, Source};
pub use differences::diff_studies;
pub use draft::Changes;
pub use inputs::{FileColumn, FileTable, Files};
pub use loading::{StudyError, load, read};
pub use save_times::{SaveStep, SaveTime, Times};
pub use schema::json_schema;
pub use spec::{
    Bound, Channel, Choose, Claim, CurveGrid, Figure, InQuick, Mark, Model, Record, Scale, ScaledColumn, Study,
    TableName,
};
pub use spelling::near;
pub(crate) use train_checks::{MOST_STEPS, single_steps, too_many_steps};
pub use tree::Place;
