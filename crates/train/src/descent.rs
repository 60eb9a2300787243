//! Gradient descent as a plain loop over a bundle of lanes: what the closed forms are checked against.

use crate::{Method, Rule};
use taut_problem::{
    Clock, Dynamics, LeastSquares, Objective, Parametrization, Passage, Regression, Snapshot, Trajectory,
};

/// θ ← θ − η ∇L(θ), several cells side by side.
///
/// Every array holds the lanes of one entry next to each other. A lane's bits depend neither on its
/// neighbours nor on the save times. Residual levels to watch are checked at every step. No
/// allocation after construction.
pub struct Descent {
    parametrization: Box<dyn Parametrization>,
    objective: LeastSquares,
    rule: Box<dyn Rule>,
    /// What all lanes share but the step size.
    dynamics: Dynamics,
    lanes: usize,
    step_size: Vec<f64>,
    /// ηₖ of each lane.
    eta: Vec<f64>,
    step: u64,
    theta: Vec<f64>,
    beta: Vec<f64>,
    loss: Vec<f64>,
    g: Vec<f64>,
    gradient: Vec<f64>,
    watches: Vec<Watch>,
    diverged: Vec<Option<u64>>,
}

/// One level of the residual: when each lane first passed it, and its predictor then.
struct Watch {
    level: f64,
    passed: Vec<Option<u64>>,
    /// lanes × features, lane by lane.
    predictors: Vec<f64>,
}

impl Descent {
    /// A bundle of `lanes` lanes, one per problem; lanes beyond the problems repeat the last one.
    ///
    /// `levels` are root mean square residuals whose first passage is wanted.
    ///
    /// # Panics
    /// If problems, step sizes and starts differ in number, or there are none.
    pub fn new(
        problems: &[&Regression],
        lanes: usize,
        parametrization: Box<dyn Parametrization>,
        method: &Method,
        dynamics: &[Dynamics],
        starts: &[Vec<f64>],
        levels: &[f64],
    ) -> Self {
        assert!(!problems.is_empty() && problems.len() == dynamics.len() && problems.len() == starts.len());
        let lanes = lanes.max(problems.len());
        let last = problems.len() - 1;
        let objective = LeastSquares::new(problems, lanes);
        let features = objective.features();
        let parameters = parametrization.parameters(features);
        let start = |slot: usize| starts[(slot % lanes).min(last)][slot / lanes];
        let theta = (0..parameters * lanes).map(start).collect();
        let mut descent = Self {
            parametrization,
            objective,
            lanes,
            rule: method.optimizer().rule(parameters * lanes).expect("the plan steps no flow"),
            dynamics: dynamics[0].clone(),
            step_size: (0..lanes).map(|lane| dynamics[lane.min(last)].step_size).collect(),
            eta: vec![0.0; lanes],
            step: 0,
            theta,
            beta: vec![0.0; features * lanes],
            loss: vec![0.0; lanes],
            g: vec![0.0; features * lanes],
            gradient: vec![0.0; parameters * lanes],
            watches: levels
                .iter()
                .map(|&level| Watch { level, passed: vec![None; lanes], predictors: vec![0.0; features * lanes] })
                .collect(),
            diverged: vec![None; lanes],
        };
        descent.look();
        descent
    }

    /// Loss and gradient here, and what the watches make of it.
    fn look(&mut self) {
        self.parametrization.predictor_into(&self.theta, &mut self.beta, self.lanes);
        self.objective.loss_and_grad_into(&self.beta, &mut self.loss, &mut self.g);
        for lane in 0..self.lanes {
            if !self.loss[lane].is_finite() {
                self.diverged[lane].get_or_insert(self.step);
                continue;
            }
            let residual = (2.0 * self.loss[lane]).sqrt();
            for watch in &mut self.watches {
                if watch.passed[lane].is_none() && residual <= watch.level {
                    watch.passed[lane] = Some(self.step);
                    let features = self.beta.len() / self.lanes;
                    for k in 0..features {
                        watch.predictors[lane * features + k] = self.beta[k * self.lanes + lane];
                    }
                }
            }
        }
    }

    fn watch(&self, level: f64) -> Option<&Watch> {
        self.watches.iter().find(|w| w.level.total_cmp(&level).is_eq())
    }
}

impl Trajectory for Descent {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn advance_to(&mut self, t: Clock) {
        let Clock::Step(target) = t else { unreachable!("the plan gives a stepped run steps") };
        while self.step < target {
            self.parametrization.pullback_into(&self.theta, &self.g, &mut self.gradient, self.lanes);
            let factor = self.dynamics.factor(self.step);
            for (eta, step_size) in self.eta.iter_mut().zip(&self.step_size) {
                *eta = factor * step_size;
            }
            self.rule.update(self.step, &self.eta, &self.gradient, &mut self.theta);
            self.step += 1;
            self.look();
        }
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            clock: Clock::Step(self.step),
            theta: &self.theta,
            predictor: &self.beta,
            filters: &[],
            covariance: &[],
            lanes: self.lanes,
        }
    }

    fn first_passage(&self, lane: usize, level: f64) -> Passage {
        match self.watch(level).and_then(|w| w.passed[lane]) {
            Some(step) => Passage::At(Clock::Step(step)),
            None => Passage::NotYet,
        }
    }

    fn at_passage(&self, lane: usize, level: f64) -> Option<(Vec<f64>, f64)> {
        let watch = self.watch(level)?;
        watch.passed[lane]?;
        let features = self.beta.len() / self.lanes;
        Some((watch.predictors[lane * features..(lane + 1) * features].to_vec(), f64::NAN))
    }

    fn diverged(&self, lane: usize) -> Option<Clock> {
        self.diverged[lane].map(Clock::Step)
    }
}
