//! A trajectory that is known step by step, and at every time within a step.

use crate::embedded_pair::{EmbeddedPair, Rate, Tolerance};
use taut_numerics::last_sign_change;
use taut_problem::{Clock, Memory, Passage, Snapshot, Trajectory};

/// The relative error per step of a flow that nobody has asked another of.
pub const TOLERANCE: f64 = 1e-9;

/// More steps than this are hours, and nobody waits for them: a flow whose time is very long beside its fastest motion.
const MOST_STEPS: u64 = 10_000_000;

/// A direction field with what its states mean.
pub trait Field: Rate + Send {
    /// The root mean square residual of the state whose rate was taken last.
    fn residual(&self) -> f64;

    /// The root mean square residual of a state.
    fn residual_at(&mut self, state: &[f64]) -> f64;

    /// Writes θ and β of a state.
    fn show_into(&mut self, state: &[f64], theta: &mut [f64], predictor: &mut [f64]);
}

/// A path that is known step by step, and at every time within the last step.
pub trait Course: Send {
    /// The time reached.
    fn t(&self) -> f64;

    /// The time before the last step.
    fn t_before(&self) -> f64;

    /// One step; false if the path ends here.
    fn step(&mut self) -> bool;

    /// The state at a time within the last step.
    fn at(&mut self, t: f64, state: &mut [f64]);

    /// The root mean square residual at the time reached.
    fn residual(&self) -> f64;

    /// The root mean square residual of a state.
    fn residual_at(&mut self, state: &[f64]) -> f64;

    /// Writes θ and β of a state.
    fn show_into(&mut self, state: &[f64], theta: &mut [f64], predictor: &mut [f64]);

    /// Visits everything that moves.
    fn remember(&mut self, memory: &mut Memory<'_>);

    /// How often the gradient was taken for steps; `None` where steps are not made of gradients.
    fn gradient_evaluations(&self) -> Option<u64> {
        None
    }
}

/// A direction field with the pair that follows it.
pub struct Integrated<F> {
    field: F,
    pair: EmbeddedPair,
}

impl<F: Field> Integrated<F> {
    pub(crate) fn new(mut field: F, start: &[f64], tolerance: Tolerance) -> Self {
        Self { pair: EmbeddedPair::new(start, tolerance, &mut field), field }
    }
}

impl<F: Field> Course for Integrated<F> {
    fn t(&self) -> f64 {
        self.pair.t()
    }

    fn t_before(&self) -> f64 {
        self.pair.t_before()
    }

    fn step(&mut self) -> bool {
        self.pair.step(&mut self.field)
    }

    fn at(&mut self, t: f64, state: &mut [f64]) {
        self.pair.at(t, state);
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        self.pair.remember(memory);
    }

    fn gradient_evaluations(&self) -> Option<u64> {
        Some(self.pair.evaluations())
    }

    fn residual(&self) -> f64 {
        self.field.residual()
    }

    fn residual_at(&mut self, state: &[f64]) -> f64 {
        self.field.residual_at(state)
    }

    fn show_into(&mut self, state: &[f64], theta: &mut [f64], predictor: &mut [f64]) {
        self.field.show_into(state, theta, predictor);
    }
}

/// A flow of one lane, step by step.
///
/// Save times are read within a step and first passages found there by bisection, so neither changes the bits of
/// the steps. Where a path ends, or after ten million steps, the lane has diverged. No allocation after construction.
pub struct Followed<C> {
    course: C,
    levels: Vec<Level>,
    /// Where the path ends, if it does, or is followed no further.
    lost: Option<f64>,
    steps: u64,
    /// The time that is shown.
    time: f64,
    state: Vec<f64>,
    theta: Vec<f64>,
    predictor: Vec<f64>,
}

/// A level of the residual, and when it was first reached.
struct Level {
    level: f64,
    passed: Option<f64>,
    /// θ then.
    theta: Vec<f64>,
}

impl<C: Course> Followed<C> {
    /// At t = 0; a state, θ and β have these sizes.
    pub(crate) fn begin(course: C, [states, parameters, entries]: [usize; 3], levels: &[f64]) -> Self {
        let level = |&level: &f64| Level { level, passed: None, theta: vec![0.0; parameters] };
        let mut flow = Self {
            course,
            levels: levels.iter().map(level).collect(),
            lost: None,
            steps: 0,
            time: 0.0,
            state: vec![0.0; states],
            theta: vec![0.0; parameters],
            predictor: vec![0.0; entries],
        };
        flow.watch();
        flow.show(0.0);
        flow
    }

    /// Notes the levels that the last step has passed.
    fn watch(&mut self) {
        let residual = self.course.residual();
        let Self { course, levels, state, predictor, .. } = self;
        for Level { level, passed, theta } in levels.iter_mut().filter(|level| level.passed.is_none()) {
            if residual <= *level {
                let time = last_sign_change(course.t_before(), course.t(), |t| {
                    course.at(t, state);
                    course.residual_at(state) <= *level
                });
                course.at(time, state);
                course.show_into(state, theta, predictor);
                *passed = Some(time);
            }
        }
    }

    fn show(&mut self, time: f64) {
        self.time = time;
        if self.lost.is_some_and(|end| end < time) {
            self.theta.fill(f64::NAN);
            return self.predictor.fill(f64::NAN);
        }
        self.course.at(time, &mut self.state);
        self.course.show_into(&self.state, &mut self.theta, &mut self.predictor);
    }

    fn find(&self, level: f64) -> Option<&Level> {
        self.levels.iter().find(|watched| watched.level.total_cmp(&level).is_eq())
    }
}

impl<C: Course> Trajectory for Followed<C> {
    fn lanes(&self) -> usize {
        1
    }

    fn advance_to(&mut self, t: Clock) {
        self.advance_towards(t, u64::MAX);
    }

    fn advance_towards(&mut self, t: Clock, steps: u64) -> bool {
        let Clock::Time(target) = t else { unreachable!("the plan gives a flow that is followed times") };
        let last = self.steps.saturating_add(steps);
        while self.course.t() < target && self.lost.is_none() {
            if self.steps == last {
                self.show(self.course.t());
                return false;
            }
            self.steps += 1;
            if self.steps <= MOST_STEPS && self.course.step() {
                self.watch();
            } else {
                self.lost = Some(self.course.t());
            }
        }
        self.show(target);
        true
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: Clock::Time(self.time),
            theta: &self.theta,
            predictor: &self.predictor,
            filters: &[],
            covariance: &[],
            ledger: &[],
            lanes: 1,
        }
    }

    fn first_passage(&self, _lane: usize, level: f64) -> Passage {
        // What the last step has passed beyond the time that is shown is not known yet.
        let passed = self.find(level).and_then(|watched| watched.passed).filter(|time| *time <= self.time);
        passed.map_or(Passage::NotYet, |time| Passage::At(Clock::Time(time)))
    }

    fn at_passage(&self, _lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        let watched = self.find(level)?;
        watched.passed.filter(|time| *time <= self.time)?;
        Some((watched.theta.clone(), f64::NAN))
    }

    fn gradient_evaluations(&self) -> Option<u64> {
        self.course.gradient_evaluations()
    }

    fn diverged(&self, _lane: usize) -> Option<Clock> {
        self.lost.filter(|time| *time <= self.time).map(Clock::Time)
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        self.course.remember(memory);
        memory.value("steps", &mut self.steps);
        memory.value("lost", &mut self.lost);
        memory.value("time", &mut self.time);
        for Level { level, passed, theta } in &mut self.levels {
            memory.fixed("level", *level);
            memory.value("passed", passed);
            memory.values("passed at", theta);
        }
        if memory.restores() {
            self.show(self.time);
        }
    }
}
