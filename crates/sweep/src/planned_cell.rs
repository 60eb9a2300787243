//! One cell as the plan has it: its place, its key, its values on the axes, how it moves.

use crate::plan::Plan;
use crate::study::AxisValue;
use taut_problem::StepSize;

/// One cell before it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCell {
    /// Its place in the plan, from 0.
    pub place: usize,
    /// The hash of its meaning, as in `cells`.
    pub key: String,
    /// Its value in every column of the axes, in the order of the study; null where it does not have the axis.
    pub values: Vec<AxisValue>,
    /// The step size as the study says it; none for a flow.
    pub step_size: Option<StepSize>,
    /// How its motion is computed.
    pub solver: &'static str,
}

impl Plan {
    /// The names of the columns of all axes, in the order of the study.
    pub fn axis_columns(&self) -> Vec<&str> {
        self.checked.axes.iter().flat_map(|axis| &axis.columns).map(|column| column.name.as_str()).collect()
    }

    /// A cell as it will run.
    ///
    /// # Panics
    /// If `place` is not below `cells()`.
    pub fn planned_cell(&self, place: usize) -> PlannedCell {
        let cell = self.checked.cell(place);
        let of_axes = self.checked.axes.iter().zip(&cell.positions);
        let values = of_axes.flat_map(|(axis, at)| (0..axis.columns.len()).map(|column| axis.value(*at, column)));
        let is_flow = cell.train.method.is_flow();
        PlannedCell {
            place,
            key: cell.identity().key,
            values: values.collect(),
            step_size: (!is_flow).then(|| cell.train.step_size.unwrap_or_default()),
            solver: cell.route().name(),
        }
    }
}
