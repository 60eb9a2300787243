//! What a user should know before a run that is allowed: cells that cannot learn all that they are tested on.

use crate::plan::Plan;
use crate::study::{Diagnostics, Problem, Severity};
use taut_problem::StepSize;

/// Distinct data that are drawn to be looked at; more would take time and say the same.
const LOOKED_AT: usize = 20;

/// Cells whose step sizes are looked at.
const LOOKED_AT_FOR_STEPS: usize = 100_000;

impl Plan {
    /// Warnings, each with a cell that has it; nothing if there are none.
    pub fn warnings(&self) -> Option<Diagnostics> {
        let mut problems = self.blind_spots();
        problems.extend(self.steps_beyond_the_edge());
        (!problems.is_empty()).then(|| self.study().diagnostics(problems))
    }

    /// Relative step sizes beyond the edge of stability of models that are not linear in their parameters: they need not
    /// diverge, but no balanced minimum holds them.
    fn steps_beyond_the_edge(&self) -> Option<(Option<usize>, Problem)> {
        let beyond = |index: usize| {
            let cell = self.study().cell(index);
            let largest = cell.train.method.optimizer().stability()?;
            match cell.train.step_size {
                Some(StepSize::Relative(r)) if r.get() > largest && !cell.is_linear() => {
                    Some((index, r.get(), largest))
                }
                _ => None,
            }
        };
        let (index, relative, largest) = (0..self.cells().min(LOOKED_AT_FOR_STEPS)).find_map(beyond)?;
        let problem = Problem {
            severity: Severity::Warning,
            key_path: "train.step_size.relative".to_owned(),
            word: None,
            message: format!(
                "a relative step size of {relative} is beyond {largest}/λ_ref: the balanced minimum is unstable, and the \
                 run may end on a cycle or diverge"
            ),
            help: format!("use relative < {largest} to converge there"),
        };
        Some((Some(index), problem))
    }

    /// Rows and columns of a matrix that no observed entry lies in.
    fn blind_spots(&self) -> Vec<(Option<usize>, Problem)> {
        let mut seen = Vec::new();
        let mut problems = Vec::new();
        for index in 0..self.cells() {
            let cell = self.study().cell(index);
            if seen.len() == LOOKED_AT {
                break;
            }
            if !cell.data.is_matrix() || seen.contains(&cell.data_index) {
                continue;
            }
            seen.push(cell.data_index);
            let files = cell.files.map(|files| &**files);
            let Ok(problem) = cell.data.draw_matrix(cell.seed, cell.replicate, files) else { continue };
            let (rows, columns) = problem.blind_spots();
            if rows.is_empty() && columns.is_empty() {
                continue;
            }
            let said = |what: &str, places: &[usize]| match places {
                [] => None,
                places => {
                    let shown: Vec<String> = places.iter().take(8).map(usize::to_string).collect();
                    let more = if places.len() > 8 { ", …" } else { "" };
                    Some(format!("{what} {}{more}", shown.join(", ")))
                }
            };
            let places: Vec<String> = said("row", &rows).into_iter().chain(said("column", &columns)).collect();
            let message = format!(
                "no entry is observed in {} (from 0): nothing can be recovered there, and test errors count it",
                places.join(" and ")
            );
            let key_path = if cell.data.matrices.is_some() { "data.matrices" } else { "data.completion.observed" };
            let help = "observe more entries, or read `mse_unobserved` with this in mind".to_owned();
            problems.push((
                Some(index),
                Problem { severity: Severity::Warning, key_path: key_path.to_owned(), word: None, message, help },
            ));
        }
        problems
    }
}
