//! The plain loop over a bundle of lanes: every motion, with everything that shapes it.

mod draws;
mod ledger;
mod penalties;
mod watches;

use crate::{Method, Rule};
use draws::Draws;
use ledger::Ledger;
pub(crate) use penalties::Penalties;
use taut_numerics::Aligned;
use taut_problem::{
    Clock, Dynamics, Memory, Objective, Parametrization, ParametrizationKind, Passage, Regression, Rows, Snapshot,
    Task, Tensor, Trajectory, lane_of,
};
use watches::Watches;

/// One cell of a bundle.
#[derive(Clone, Copy)]
pub struct Lane<'a> {
    /// What it fits.
    pub task: Task<'a>,
    /// How it moves. Lanes of one bundle differ in the step size alone.
    pub dynamics: &'a Dynamics,
    /// θ₀.
    pub start: &'a [f64],
    /// Which draws it sees: with the study's seed it names the streams of this lane.
    pub replicate: u64,
}

/// A motion step by step, several cells side by side.
///
/// Every array holds the lanes of one entry next to each other. A lane's bits depend neither on its
/// neighbours nor on the save times: each has random streams of its own (`sgd`, `label-noise`,
/// `dropout`, `gradient-noise`). Residual levels are those of the data alone, for the iterate or
/// average that is shown. They, and divergence, are checked at every step of a deterministic motion, and at every
/// ⌈n/batch⌉-th of a stochastic one, on all rows. No allocation after construction.
pub struct Stepped {
    kind: ParametrizationKind,
    parametrization: Box<dyn Parametrization>,
    objective: Box<dyn Objective>,
    rule: Box<dyn Rule>,
    /// What all lanes share but the step size.
    dynamics: Dynamics,
    lanes: usize,
    step_size: Vec<f64>,
    /// ηₖ of each lane.
    eta: Vec<f64>,
    step: u64,
    theta: Aligned,
    /// Where a gradient is taken if not at θ: ahead of it, or behind a mask.
    point: Aligned,
    masked: Aligned,
    /// The running mean of the iterates; empty if the iterate itself is shown.
    mean: Aligned,
    beta: Aligned,
    loss: Vec<f64>,
    g: Aligned,
    gradient: Aligned,
    /// Whether an update is θ ← θ − ηJᵀg and nothing else.
    is_plain: bool,
    draws: Option<Draws>,
    penalties: Penalties,
    ledger: Option<Ledger>,
    /// Steps between two looks at the full loss.
    stride: u64,
    watches: Watches,
}

impl Stepped {
    /// A bundle of `width` lanes; those beyond the given ones repeat the last one.
    ///
    /// `levels` are root mean square residuals whose first passage is wanted; `seed` is the study's.
    ///
    /// # Panics
    /// If there is no lane, shapes or starts differ in size, the method is a flow, or a bending
    /// penalty is asked of features that are no curves.
    pub fn new(
        given: &[Lane<'_>],
        width: usize,
        kind: &ParametrizationKind,
        method: &Method,
        seed: u64,
        levels: &[f64],
    ) -> Self {
        let lanes = width.max(given.len());
        let tasks: Vec<Task<'_>> = given.iter().map(|lane| lane.task).collect();
        let objective = Task::objective(&tasks, lanes, given[0].dynamics.sees_rows());
        let stepped = Self::of_parts(given, kind.build(tasks[0].shape(lanes)), objective, method, seed, levels);
        Self { kind: kind.clone(), ..stepped }
    }

    /// The same for a parametrization that no study names.
    pub(crate) fn of_parts(
        given: &[Lane<'_>],
        parametrization: Box<dyn Parametrization>,
        objective: Box<dyn Objective>,
        method: &Method,
        seed: u64,
        levels: &[f64],
    ) -> Self {
        let of = |lane: usize| &given[lane.min(given.len() - 1)];
        let dynamics = given[0].dynamics.clone();
        let (samples, entries, lanes) = (objective.samples(), objective.entries(), objective.lanes());
        let slots = given[0].start.len() * lanes;
        let parameters: usize = parametrization.tensors().iter().map(Tensor::len).sum();
        assert!(given.iter().all(|lane| lane.start.len() == parameters), "one start per parameter");
        let replicates: Vec<u64> = (0..lanes).map(|lane| of(lane).replicate).collect();
        let all: Vec<&Regression> = (0..lanes).filter_map(|lane| of(lane).task.regression()).collect();
        let batch = dynamics.batch.map_or(samples, |batch| batch.size.min(samples));
        let draws = Draws::new(&dynamics, [samples, entries, parameters], seed, &replicates);
        let mut stepped = Self {
            kind: ParametrizationKind::Direct,
            parametrization,
            lanes,
            rule: method.optimizer().rule(slots).expect("the plan steps no flow"),
            step_size: (0..lanes).map(|lane| of(lane).dynamics.step_size).collect(),
            eta: vec![0.0; lanes],
            step: 0,
            theta: (0..slots).map(|slot| of(slot % lanes).start[slot / lanes]).collect(),
            point: Aligned::zeros(slots),
            masked: Aligned::zeros(slots),
            mean: Aligned::zeros(if dynamics.average.from().is_some() { slots } else { 0 }),
            beta: Aligned::zeros(entries * lanes),
            loss: vec![0.0; lanes],
            g: Aligned::zeros(entries * lanes),
            gradient: Aligned::zeros(slots),
            stride: if draws.is_some() { samples.div_ceil(batch) as u64 } else { 1 },
            draws,
            is_plain: matches!(method, Method::GradientDescent)
                && dynamics.only_schedule()
                && dynamics.gradient_factor.total_cmp(&1.0).is_eq(),
            penalties: Penalties::new(&all, &dynamics, lanes),
            watches: Watches::new(levels, lanes, parameters, objective.mean_factor()),
            ledger: None,
            objective,
            dynamics,
        };
        if stepped.is_plain
            && let Some(places) = stepped.objective.seen()
        {
            stepped.parametrization.restrict(places);
        }
        stepped.look();
        stepped.show();
        stepped
    }

    /// The same with running sums over every step, for identities that hold at any step size.
    #[must_use]
    pub fn with_ledger(mut self) -> Self {
        let tensors = self.parametrization.tensors();
        self.is_plain = false;
        self.ledger = Some(Ledger::new(&self.kind, &tensors, &self.dynamics, &self.theta, self.lanes));
        // The gradient as it will be taken from now on.
        self.look_again();
        self
    }

    /// Moves every lane by one update.
    fn update(&mut self) {
        let ahead = self.rule.look_ahead(self.step, &self.theta, &mut self.point);
        // The look at θ has left the gradient there; anything else needs its own.
        if ahead || self.draws.is_some() || !self.mean.is_empty() {
            self.take_gradient(ahead);
        } else if self.is_plain {
            return self.descend();
        } else {
            self.parametrization.pullback_into(&self.theta, &self.g, &mut self.gradient);
        }
        let at = if ahead { &self.point } else { &self.theta };
        self.penalties.add(at, &mut self.gradient);
        self.set_eta();
        if let Some(ledger) = &mut self.ledger {
            ledger.add(&self.eta, &self.gradient, &self.g);
        }
        if self.dynamics.gradient_factor.total_cmp(&1.0).is_ne() {
            self.gradient.iter_mut().for_each(|g| *g *= self.dynamics.gradient_factor);
        }
        self.rule.update(self.step, &self.eta, &self.gradient, &mut self.theta);
        self.penalties.shrink(&self.eta, &mut self.theta);
        self.step += 1;
        self.average();
    }

    /// A plain step, for which nobody else asks to see the gradient.
    fn descend(&mut self) {
        self.set_eta();
        self.parametrization.descend(&self.eta, &self.g, &mut self.theta, &mut self.gradient);
        self.step += 1;
    }

    fn set_eta(&mut self) {
        let factor = self.dynamics.factor(self.step);
        for (eta, step_size) in self.eta.iter_mut().zip(&self.step_size) {
            *eta = factor * step_size;
        }
    }

    /// The gradient as this update sees it: its rows, noise and masks.
    fn take_gradient(&mut self, ahead: bool) {
        let at = if ahead { &self.point } else { &self.theta };
        let Some(draws) = &mut self.draws else {
            self.parametrization.predictor_into(at, &mut self.beta);
            self.objective.loss_and_grad_into(&self.beta, Rows::All, &mut self.loss, &mut self.g);
            self.parametrization.pullback_into(at, &self.g, &mut self.gradient);
            return;
        };
        draws.draw();
        let at = if draws.mask(at, &mut self.masked) { &self.masked } else { at };
        self.parametrization.predictor_into(at, &mut self.beta);
        self.objective.loss_and_grad_into(&self.beta, draws.rows(), &mut self.loss, &mut self.g);
        if let Some(weights) = draws.curvature_weights() {
            self.objective.add_transposed(weights, &mut self.g);
        }
        self.parametrization.pullback_into(at, &self.g, &mut self.gradient);
        draws.mask_and_shake(&mut self.gradient);
    }

    /// θ takes its place in the average.
    fn average(&mut self) {
        let Some(from) = self.dynamics.average.from() else { return };
        match self.step.saturating_sub(from) {
            0 => {}
            1 => self.mean.copy_from_slice(&self.theta),
            count => {
                for (mean, theta) in self.mean.iter_mut().zip(self.theta.iter()) {
                    *mean += (theta - *mean) / count as f64;
                }
            }
        }
    }

    /// What the outside sees: the iterate, or the average once it has begun.
    fn shown(&self) -> &[f64] {
        shown(&self.dynamics, self.step, &self.mean, &self.theta)
    }

    /// The predictor of what is shown.
    fn show(&mut self) {
        let mut beta = std::mem::take(&mut self.beta);
        let shown = shown(&self.dynamics, self.step, &self.mean, &self.theta);
        self.parametrization.predictor_into(shown, &mut beta);
        self.beta = beta;
    }

    /// What of the predictor the next update needs.
    fn predict(&mut self) {
        if self.is_plain {
            self.parametrization.predictor_seen_into(&self.theta, &mut self.beta);
        } else {
            self.show();
        }
    }

    /// Everything that the next update takes for granted: what the last look at θ has left, without what the watches
    /// have made of it.
    fn look_again(&mut self) {
        self.predict();
        self.objective.loss_and_grad_into(&self.beta, Rows::All, &mut self.loss, &mut self.g);
        if let Some(ledger) = &mut self.ledger {
            ledger.balance(&self.theta);
        }
    }

    /// Loss and gradient of what is shown, over all rows, and what the watches make of it.
    fn look(&mut self) {
        self.predict();
        self.objective.loss_and_grad_into(&self.beta, Rows::All, &mut self.loss, &mut self.g);
        let shown = shown(&self.dynamics, self.step, &self.mean, &self.theta);
        self.watches.look(self.step, &self.loss, shown);
    }
}

/// The average of the iterates once it has begun, and the iterate before.
fn shown<'a>(dynamics: &Dynamics, step: u64, mean: &'a [f64], theta: &'a [f64]) -> &'a [f64] {
    match dynamics.average.from() {
        Some(from) if step > from => mean,
        _ => theta,
    }
}

impl Trajectory for Stepped {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn advance_to(&mut self, t: Clock) {
        let Clock::Step(target) = t else { unreachable!("the plan gives a stepped run steps") };
        while self.step < target {
            self.update();
            if self.step.is_multiple_of(self.stride) {
                self.look();
            }
        }
        self.show();
        if let Some(ledger) = &mut self.ledger {
            ledger.balance(&self.theta);
        }
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: Clock::Step(self.step),
            theta: self.shown(),
            predictor: &self.beta,
            filters: &[],
            covariance: &[],
            ledger: self.ledger.as_ref().map_or(&[], Ledger::numbers),
            lanes: self.lanes,
        }
    }

    fn first_passage(&self, lane: usize, level: f64) -> Passage {
        self.watches.passed(lane, level).map_or(Passage::NotYet, |step| Passage::At(Clock::Step(step)))
    }

    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        self.watches.theta(lane, level).map(|theta| (theta, f64::NAN))
    }

    fn diverged(&self, lane: usize) -> Option<Clock> {
        // Between two looks at the loss the parameters themselves tell.
        let is_lost = || lane_of(self.shown(), lane, self.lanes).any(|theta| !theta.is_finite());
        self.watches.diverged(lane).or_else(|| is_lost().then_some(self.step)).map(Clock::Step)
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.value("step", &mut self.step);
        memory.values("theta", &mut self.theta);
        memory.values("mean", &mut self.mean);
        self.rule.remember(memory);
        if let Some(draws) = &mut self.draws {
            draws.remember(memory);
        }
        self.watches.remember(memory);
        if let Some(ledger) = &mut self.ledger {
            ledger.remember(memory);
        }
        if memory.restores() {
            self.look_again();
            self.show();
        }
    }
}
