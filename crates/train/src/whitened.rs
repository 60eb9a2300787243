//! The second moments of a task whose inputs are whitened.

use taut_numerics::DMatrix;
use taut_problem::{MatrixProblem, Moments, Observed, Task};

/// How far Sxx may be from the identity, in the Frobenius norm.
const ROUNDING: f64 = 1e-10;

/// The second moments of a task with Sxx = I.
///
/// # Errors
/// A sentence, with ‖Sxx − I‖_F where the inputs have another second moment.
pub(crate) fn whitened(task: Task<'_>) -> Result<Moments, String> {
    let of_rows;
    let problem = match task {
        Task::Matrix(problem) => problem,
        Task::Rows(regression) => {
            of_rows = MatrixProblem::of_regression(regression);
            &of_rows
        }
    };
    let Observed::Moments(moments) = &problem.observed else {
        return Err("it needs samples with whitened inputs, not entries or measurements".to_owned());
    };
    if let Some(sxx) = &moments.sxx {
        let gap = (sxx - DMatrix::identity(problem.inputs, problem.inputs)).norm();
        if gap > ROUNDING * (problem.inputs as f64).sqrt() {
            return Err(format!("it needs whitened inputs, and ‖Sxx − I‖ is {gap:.1e}"));
        }
    }
    Ok(moments.clone())
}
