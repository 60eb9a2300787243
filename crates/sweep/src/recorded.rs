//! A cell's path, looked at along its clock.

use crate::cell::Cell;
use crate::checkpoints::Breaks;
use crate::plan::Plan;
use crate::summary::{INTERPOLATION, LEVELS};
use crate::walk::Walk;
use crate::workbench::Prepared;
use taut_problem::{Clock, Memory, Passage, Shape, Snapshots, Trajectory, lane_of};
use taut_train::{Moments, Route, SpectralPath, Stage, Staged};

/// Multiply-adds between two looks at the stop signal: some tens of milliseconds.
pub(crate) const WORK_BETWEEN_LOOKS: usize = 100_000_000;

/// How a cell ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Finished,
    Diverged(String),
    Failed(String),
}

/// What was seen along a path.
pub(crate) struct Recorded {
    pub(crate) clocks: Vec<Clock>,
    pub(crate) snapshots: Snapshots,
    /// Fraction learned, rows × modes; empty where not known.
    pub(crate) filters: Vec<f64>,
    pub(crate) passages: [Passage; LEVELS.len()],
    /// θ at interpolation, with its degrees of freedom.
    pub(crate) interpolation: Option<(Vec<f64>, f64)>,
    pub(crate) diverged: Option<Clock>,
    /// Gradients that were evaluated, where they were counted.
    pub(crate) gradient_evaluations: Option<u64>,
    /// The exact reductions that were stepped instead, joined.
    pub(crate) reduction: Option<String>,
    pub(crate) route: Route,
    /// The stage of each row, from 1; empty without a continuation.
    pub(crate) stages: Vec<i64>,
}

impl Cell<'_> {
    /// A closed form or moments, looked at; `None` if asked to stop on the way.
    pub(crate) fn record(&self, plan: &Plan, breaks: &Breaks<'_>) -> Option<Result<Recorded, String>> {
        let Some(prepared) = self.bench.rows() else {
            return Some(Err("a matrix has no closed form of its own".to_owned()));
        };
        match self.spec.route() {
            Route::Moments => self.record_moments(plan, prepared, breaks),
            Route::Staged => Some(self.record_stages(plan, prepared)),
            _ => Some(self.record_exactly(plan, prepared)),
        }
    }

    /// Mean and covariance over all draws, looked at.
    fn record_moments(
        &self,
        plan: &Plan,
        Prepared { problem, svd, .. }: &Prepared,
        breaks: &Breaks<'_>,
    ) -> Option<Result<Recorded, String>> {
        let clocks = match self.clocks(plan, None) {
            Ok(clocks) => clocks,
            Err(reason) => return Some(Err(reason)),
        };
        let mut path = Moments::new(problem, svd, &self.dynamics, &self.start);
        let modes = svd.rank() + 1;
        let stride = (WORK_BETWEEN_LOOKS / (problem.samples() * modes * modes)).max(1) as u64;
        let walk = Walk {
            path: &mut path,
            keys: vec![&self.identity.key],
            grids: vec![&clocks],
            level: None,
            ends_lost: true,
            stride,
        };
        let recorded = walk.record(vec![Recorded::empty(self.snapshots(), Route::Moments)], breaks)?;
        Some(recorded.into_iter().next().ok_or_else(|| "nothing was looked at".to_owned()))
    }

    /// Every stage of a continuation, looked at on a grid of its own; its end always.
    fn record_stages(&self, plan: &Plan, Prepared { problem, svd, .. }: &Prepared) -> Result<Recorded, String> {
        let start = if self.is_flow() { Clock::Time(0.0) } else { Clock::Step(0) };
        let length = self.stage_length()?;
        let grid = if length == Clock::Limit { vec![start] } else { self.clocks(plan, None)? };
        let mut path = Staged::new(problem, svd, &self.dynamics, &self.stages()?, length, &self.start)?;
        let mut recorded = Recorded::empty(self.snapshots(), Route::Staged);
        let last = path.stages() - 1;
        for stage in 0..=last {
            // The start of a later stage is the end of the one before; beyond the last there is the limit.
            let inner = grid.iter().copied().filter(|c| *c < length && (stage == 0 || *c != start));
            let beyond = (stage == last && grid.last() == Some(&Clock::Limit)).then_some(Clock::Limit);
            for clock in inner.chain([length]).chain(beyond) {
                let overall = path.visit(stage, clock);
                recorded.push(&path, 0, overall);
                recorded.stages.push(stage as i64 + 1);
            }
            if recorded.diverged.is_some() {
                break;
            }
        }
        recorded.see_passages(&path);
        Ok(recorded)
    }

    fn stages(&self) -> Result<Vec<Stage>, String> {
        let continuation = self.spec.train.continuation.as_ref().ok_or("there is no continuation")?;
        let features = &self.spec.model.features;
        let Shape { inputs: all, .. } = self.shape();
        Ok(Stage::of(continuation, |degree| features.up_to(degree).unwrap_or(all)))
    }

    /// How long every stage is, whatever the save times are.
    fn stage_length(&self) -> Result<Clock, String> {
        let until = &self.spec.train.until;
        let by_time = || until.time.map(|time| (time.get() / self.dynamics.step_size).floor().min(9e15) as u64);
        let length = match (until.is_limit(), self.is_flow()) {
            (true, _) => Some(Clock::Limit),
            (false, true) => until.time.map(|time| Clock::Time(time.get())),
            (false, false) => until.steps.map(|s| s.get()).into_iter().chain(by_time()).min().map(Clock::Step),
        };
        length.ok_or_else(|| "the stages have no length".to_owned())
    }

    /// The closed form, looked at.
    fn record_exactly(&self, plan: &Plan, Prepared { problem, svd, .. }: &Prepared) -> Result<Recorded, String> {
        let mut path = SpectralPath::new(problem, svd, &self.dynamics, &self.start);
        let clocks = self.clocks(plan, Some(&path))?;
        let mut recorded = Recorded::empty(self.snapshots(), Route::Exact);
        let (rows, diverged) = path.record_into(&clocks, &mut recorded.snapshots, &mut recorded.filters);
        (recorded.clocks, recorded.diverged) = (clocks, diverged);
        recorded.clocks.truncate(rows);
        recorded.see_passages(&path);
        Ok(recorded)
    }
}

impl Recorded {
    pub(crate) fn empty(snapshots: Snapshots, route: Route) -> Self {
        Self {
            clocks: Vec::new(),
            snapshots,
            filters: Vec::new(),
            passages: [Passage::NotYet; LEVELS.len()],
            interpolation: None,
            diverged: None,
            gradient_evaluations: None,
            reduction: None,
            route,
            stages: Vec::new(),
        }
    }

    /// Asks a closed form when it passes which level.
    fn see_passages(&mut self, path: &dyn Trajectory) {
        self.passages = LEVELS.map(|(level, _)| path.first_passage(0, level));
        self.interpolation = path.at_passage(0, INTERPOLATION);
    }

    /// Adds one lane of where `path` is now.
    pub(crate) fn push(&mut self, path: &dyn Trajectory, lane: usize, clock: Clock) {
        let snapshot = path.snapshot();
        self.clocks.push(clock);
        self.snapshots.push_lane(&snapshot, lane);
        self.filters.extend(lane_of(snapshot.filters, lane, snapshot.lanes));
        self.diverged = path.diverged(lane);
    }

    /// Visits what has been gathered on the way so far; `path` tells how wide its rows are.
    pub(crate) fn remember(&mut self, memory: &mut Memory<'_>, path: &dyn Trajectory) {
        let snapshot = path.snapshot();
        let per_lane = |all: &[f64]| all.len() / snapshot.lanes;
        let Snapshots { features, parameters, coefficients, theta, covariances, freedom, ledger, .. } =
            &mut self.snapshots;
        let rows = memory.length("rows", self.clocks.len());
        memory.list("clocks", &mut self.clocks, rows);
        for (entry, list, width) in [
            ("coefficients", coefficients, *features),
            ("parameters", theta, parameters.unwrap_or(0)),
            ("covariances", covariances, per_lane(snapshot.covariance)),
            ("freedom", freedom, 1),
            ("ledgers", ledger, per_lane(snapshot.ledger)),
            ("filters", &mut self.filters, per_lane(snapshot.filters)),
        ] {
            memory.list(entry, list, rows.saturating_mul(width));
        }
        memory.value("lost", &mut self.diverged);
    }

    /// How the cell ended.
    pub(crate) fn ending(&self, has_batches: bool) -> Ending {
        match self.diverged {
            Some(Clock::Step(k)) if self.route == Route::Moments => {
                Ending::Diverged(format!("the mean or the covariance stops being finite at step {k}"))
            }
            Some(Clock::Step(k)) if has_batches => Ending::Diverged(format!(
                "the loss stops being finite at step {k}; batches bear smaller steps than 2/λ_max, see the theory \
                 sgd_stability"
            )),
            Some(Clock::Step(k)) => Ending::Diverged(format!("the loss stops being finite at step {k}")),
            Some(Clock::Time(t)) => Ending::Diverged(format!(
                "the flow is not followed beyond t = {t:.3e}: it ends there, or that took ten million steps, because \
                 its fastest motion is much faster; use a shorter time or a smaller model"
            )),
            Some(Clock::Limit) => Ending::Diverged(
                "the limit is not known: a step size at or beyond 2/λ_max, or a schedule without a closed form there"
                    .to_owned(),
            ),
            None => Ending::Finished,
        }
    }
}
