//! What moves the cells of a stepped bundle, and which of them go side by side.

use crate::cell::Cell;
use crate::plan::Plan;
use std::sync::Arc;
use taut_problem::{ParametrizationKind, Positive, Reduced, Trajectory, reduce};
use taut_train::{AdaptiveFlow, DualFlow, Lane, Lifted, ModeRecursion, RiccatiFlow, Route, Stepped, TOLERANCE};

/// Lanes of a stepped bundle with a small design; larger ones step alone. Fixed by the shape.
pub(crate) const LANES: usize = 8;

/// Designs up to this many entries step in lanes, each lane on its own. Larger ones do if all lanes share one, which then is
/// read once for all of them.
pub(crate) const SMALL: usize = 4096;

/// Factors up to this size step in lanes, filled up where cells are missing.
pub(crate) const NARROW: usize = 24;

/// Factors up to this size step in lanes as well, if there are enough of them. Eight of larger ones leave the second cache:
/// at 64, lanes take 82 µs per step of a study and blocks 72. A lane has the same bits alone: how many there are is seen in the time
/// only.
const MEDIUM: usize = 40;

/// Eight lanes take as long as this many cells one after the other: of factors by blocks, and on a large design.
const ENOUGH: usize = 7;
const ENOUGH_ON_A_DESIGN: usize = 3;

/// Cells that go side by side, on exact reductions or as they are.
pub(crate) struct Group<'a, 'b> {
    pub(crate) cells: Vec<&'b Cell<'a>>,
    /// The reduction of every cell; empty if they are stepped as they are.
    reduced: Vec<Arc<Reduced>>,
    width: usize,
    size: Size,
}

/// How large the factors are that step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Narrow,
    Medium,
    /// Rows of a large design.
    Rows,
    Wide,
}

impl Size {
    /// How many cells it takes to go side by side.
    fn enough(self) -> usize {
        match self {
            Self::Medium => ENOUGH,
            Self::Rows => ENOUGH_ON_A_DESIGN,
            Self::Narrow | Self::Wide => 1,
        }
    }
}

/// Groups the lanes of a bundle: those with a reduction and those without, and both by how many go side by side. So
/// the bits of a lane depend on no other.
pub(crate) fn side_by_side<'a, 'b>(lanes: &'b [Cell<'a>]) -> Vec<Group<'a, 'b>> {
    let mut groups: Vec<Group<'a, 'b>> = Vec::new();
    let mut known: Vec<(&Cell<'_>, Option<Arc<Reduced>>)> = Vec::new();
    for cell in lanes {
        // Lanes differ in their step size, of which no reduction knows.
        let reduced = match known.iter().find(|(other, _)| cell.begins_like(other)) {
            Some((_, reduced)) => reduced.clone(),
            None => cell.reduced().map(Arc::new),
        };
        known.push((cell, reduced.clone()));
        let size = cell.size(reduced.as_deref());
        let width = if size == Size::Wide { 1 } else { LANES };
        let fits = |group: &&mut Group<'_, '_>| {
            group.size == size
                && group.cells.len() < width
                && group.reduced.is_empty() == reduced.is_none()
                && (size != Size::Rows || shares_design(cell, group.cells[0]))
        };
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.cells.push(cell);
                group.reduced.extend(reduced);
            }
            None => groups.push(Group { cells: vec![cell], reduced: reduced.into_iter().collect(), width, size }),
        }
    }
    groups.into_iter().flat_map(Group::split_if_few).collect()
}

impl Group<'_, '_> {
    /// One group per cell, where there are too few for lanes.
    fn split_if_few(self) -> Vec<Self> {
        if self.cells.len() >= self.size.enough() {
            return vec![self];
        }
        let mut reduced = self.reduced.into_iter();
        let alone =
            |cell| Self { cells: vec![cell], reduced: reduced.next().into_iter().collect(), width: 1, size: self.size };
        self.cells.into_iter().map(alone).collect()
    }

    /// Names of the exact reductions of each cell.
    pub(crate) fn reductions(&self) -> Vec<Option<String>> {
        let names = |reduced: &Reduced| reduced.applied.iter().map(|applied| applied.name).collect::<Vec<_>>();
        let joined = |reduced: &Arc<Reduced>| Some(names(reduced).join(" + "));
        if self.reduced.is_empty() { vec![None; self.cells.len()] } else { self.reduced.iter().map(joined).collect() }
    }

    /// What moves these cells; one alone unless they step.
    ///
    /// # Errors
    /// A sentence, if the solver does not know this motion, model, data or start.
    pub(crate) fn path(self, plan: &Plan, levels: &[f64]) -> Result<Box<dyn Trajectory>, String> {
        let first = self.cells[0];
        let (train, kind) = (first.spec.train, first.kind());
        let Lane { task, dynamics, start, .. } = first.lane();
        let tolerance = train.tolerance.map_or(TOLERANCE, Positive::get);
        match first.spec.route() {
            Route::Stepped => Ok(self.steps(plan, levels)),
            Route::Adaptive => {
                AdaptiveFlow::new(task, kind, dynamics, start, tolerance, levels).map(|flow| Box::new(flow) as Box<_>)
            }
            Route::Dual => {
                DualFlow::new(task, kind, dynamics, start, tolerance, levels).map(|flow| Box::new(flow) as Box<_>)
            }
            Route::Riccati => {
                RiccatiFlow::new(task, kind, dynamics, start, levels).map(|flow| Box::new(flow) as Box<_>)
            }
            Route::Modes => ModeRecursion::new(task, kind, dynamics, &train.method, start, levels)
                .map(|recursion| Box::new(recursion) as Box<_>),
            Route::Exact | Route::Moments | Route::Staged => Err("no closed form of lanes is known".to_owned()),
        }
    }

    fn steps(self, plan: &Plan, levels: &[f64]) -> Box<dyn Trajectory> {
        let lanes: Vec<Lane<'_>> = self.cells.iter().map(|cell| cell.lane()).collect();
        let (kind, method, seed) = (self.cells[0].kind(), &self.cells[0].spec.train.method, plan.checked.study.seed);
        if self.reduced.is_empty() {
            let path = Stepped::new(&lanes, self.width, kind, method, seed, levels);
            return Box::new(if plan.needs_ledger() { path.with_ledger() } else { path });
        }
        let path = Lifted::of(&lanes, self.reduced, self.width, kind, method, seed, levels);
        Box::new(if plan.needs_ledger() { path.with_ledger() } else { path })
    }
}

impl Cell<'_> {
    /// Whether the other cell has the same problem and the same start.
    fn begins_like(&self, other: &Self) -> bool {
        std::ptr::eq(self.bench, other.bench) && self.start == other.start
    }

    /// The exact reduction that is stepped instead of this cell, if one is.
    pub(crate) fn reduced(&self) -> Option<Reduced> {
        let is_wanted = self.spec.route() == Route::Stepped && self.spec.train.reduces();
        is_wanted.then(|| reduce(self.bench.task(), self.kind(), &self.start, &self.dynamics)).flatten()
    }

    /// How large what is stepped is.
    fn size(&self, reduced: Option<&Reduced>) -> Size {
        if self.spec.route() != Route::Stepped {
            return Size::Wide;
        }
        let [samples, inputs, outputs, _] = self.step_shape();
        match reduced {
            Some(Reduced { problem, parametrization, .. }) => size_of(parametrization, problem.inputs, problem.outputs),
            None if self.bench.rows().is_some() && samples * inputs <= SMALL => Size::Narrow,
            None if self.bench.rows().is_some() => Size::Rows,
            None => size_of(self.kind(), inputs, outputs),
        }
    }
}

fn shares_design(cell: &Cell<'_>, other: &Cell<'_>) -> bool {
    let [design, other] = [cell, other].map(|cell| cell.bench.rows().map(|prepared| &prepared.problem.design));
    design == other
}

fn size_of(kind: &ParametrizationKind, inputs: usize, outputs: usize) -> Size {
    let tensors = kind.tensors(inputs, outputs);
    let largest = tensors.iter().map(|tensor| tensor.rows.max(tensor.columns)).fold(inputs.max(outputs), usize::max);
    if largest <= NARROW {
        Size::Narrow
    } else if largest <= MEDIUM {
        Size::Medium
    } else {
        Size::Wide
    }
}
