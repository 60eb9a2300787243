//! What planning finds out by drawing a few cells: exact reductions, and solvers that cannot start.

use crate::cell::Cell;
use crate::moving::side_by_side;
use crate::plan::Plan;
use crate::study::{Problem, StudyError};
use crate::workbench::Bench;
use std::collections::{BTreeMap, BTreeSet};
use taut_problem::{Applied, ParametrizationKind};
use taut_train::Route;

/// Cells that are drawn while planning, at the most.
const DRAWN: usize = 20;

/// Cells that are looked through, at the most.
const COUNTED: usize = 100_000;

/// What is stepped instead of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// The cell's place in the plan: the first one with its data, model and motion.
    pub cell: usize,
    /// The exact reductions in their order; none if no known one is worth it.
    pub applied: Vec<Applied>,
}

impl Plan {
    /// The exact reductions that would be stepped, for the first cell of every combination of data, model and motion, 20
    /// at the most. Draws the data and starts of these cells.
    pub fn reductions(&self) -> Vec<Reduction> {
        let reducible = |route: Route, kind: &ParametrizationKind| {
            route == Route::Stepped && matches!(kind, ParametrizationKind::DeepLinear(_))
        };
        let applied = |cell: &Cell<'_>| cell.reduced().map_or_else(Vec::new, |reduced| reduced.applied);
        let of = |cell: usize| self.draw(cell, applied).ok().map(|applied| Reduction { cell, applied });
        self.representatives(reducible).into_iter().filter_map(of).collect()
    }

    /// How many cells each solver has; `None` where there are too many to count at once.
    pub fn solvers(&self) -> Option<BTreeMap<&'static str, usize>> {
        (self.cells() <= COUNTED).then(|| {
            let mut solvers = BTreeMap::new();
            (0..self.cells()).for_each(|i| *solvers.entry(self.checked.cell(i).route().name()).or_default() += 1);
            solvers
        })
    }

    /// Solvers that know one motion, model, data and start, and not those of the study.
    pub(crate) fn check_solvers(&self) -> Result<(), StudyError> {
        let special =
            |route: Route, _: &_| matches!(route, Route::Adaptive | Route::Dual | Route::Riccati | Route::Modes);
        let refusal = |index: usize| {
            let begin = |cell: &Cell<'_>| {
                let group = side_by_side(std::slice::from_ref(cell)).pop();
                group.and_then(|group| group.path(self, &[]).err())
            };
            // What cannot be drawn is reported by the cell.
            let reason = self.draw(index, begin).ok().flatten()?;
            let route = self.checked.cell(index).route();
            let problem = Problem {
                key_path: "train.solver".to_owned(),
                message: format!("the solver is `{}`, but {reason}", route.name()),
                help: another_way(route).to_owned(),
                ..Problem::default()
            };
            Some((Some(index), problem))
        };
        // One of a kind is enough: the others are the same slip.
        let first = self.representatives(special).into_iter().find_map(refusal);
        first.map_or(Ok(()), |problem| Err(StudyError::Invalid(self.checked.diagnostics([problem]))))
    }

    /// The first cells of distinct data, models and motions (step sizes aside) that are of interest.
    fn representatives(&self, wanted: impl Fn(Route, &ParametrizationKind) -> bool) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let is_first = |index: &usize| {
            let cell = self.checked.cell(*index);
            wanted(cell.route(), &cell.model.parametrization)
                && seen.insert((cell.data_index, cell.model_index, self.train_kinds[cell.train_index]))
        };
        (0..self.cells().min(COUNTED)).filter(is_first).take(DRAWN).collect()
    }

    /// Draws a cell, looks at it, and forgets it.
    fn draw<T>(&self, index: usize, look: impl FnOnce(&Cell<'_>) -> T) -> Result<T, String> {
        let spec = self.checked.cell(index);
        let shelf = self.shelf(&spec);
        let bench = Bench::new(&spec, shelf.features.as_ref(), self.checked.study.seed)?;
        let cell = Cell::new(self, index, spec, &bench, &shelf)?;
        Ok(look(&cell))
    }
}

/// What to do where a solver cannot start.
fn another_way(route: Route) -> &'static str {
    match route {
        Route::Riccati => {
            "use whitened data and a `lambda-balanced` or `balanced` start, or solver = \"adaptive\", which knows any"
        }
        Route::Modes => "use whitened data and an `aligned` start, or solver = \"stepped\", which knows any",
        Route::Dual => "use `init = { constant = { scale = 0.1 } }`, or solver = \"adaptive\", which knows any start",
        _ => "use a method with steps",
    }
}
