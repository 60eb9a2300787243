//! The scalar recursion of every mode: any schedule, any momentum.

use super::{Response, log_size, power};
use taut_problem::{Clock, Dynamics, Motion, Schedule};

/// d ← βₖd − xₖy, e ← e + d with xₖ = ηₖλ, from d = 0; y = e, or e + βₖd for a motion that looks ahead.
///
/// g = 1 − e is summed on its own, so that little learning is not lost beside 1. Without momentum, steps
/// of one size are taken at once, always from where that size began: the bits do not depend on the stops.
/// O(steps·modes) otherwise.
#[derive(Clone)]
pub(crate) struct Walk {
    dynamics: Dynamics,
    /// η·λᵢ.
    x: Vec<f64>,
    /// Where `here` is, and what of it lies beyond.
    step: u64,
    here: Vec<Mode>,
    /// The state at the point asked for, if that lies inside a run of equal steps.
    there: Vec<Mode>,
    is_inside: bool,
    is_limit: bool,
    /// Whether equal steps are taken at once.
    may_leap: bool,
}

#[derive(Clone, Copy)]
struct Mode {
    left: f64,
    learned: f64,
    last_move: f64,
}

const START: Mode = Mode { left: 1.0, learned: 0.0, last_move: 0.0 };

impl Walk {
    pub(crate) fn new(dynamics: &Dynamics, curvature: &[f64]) -> Self {
        Self {
            x: curvature.iter().map(|l| dynamics.step_size * l).collect(),
            here: vec![START; curvature.len()],
            there: vec![START; curvature.len()],
            step: 0,
            is_inside: false,
            is_limit: false,
            may_leap: true,
            dynamics: dynamics.clone(),
        }
    }

    /// The same, one step at a time: cheaper for who looks at every step.
    pub(crate) fn stepwise(self) -> Self {
        Self { may_leap: false, ..self }
    }

    /// βₖ, and whether the gradient is taken ahead.
    fn momentum(&self, k: u64) -> (f64, bool) {
        match self.dynamics.motion {
            Motion::HeavyBall(beta) => (beta, false),
            Motion::Nesterov(Some(beta)) => (beta, true),
            Motion::Nesterov(None) => (k as f64 / (k as f64 + 3.0), true),
            Motion::Flow | Motion::Descent | Motion::Other(_) => (0.0, false),
        }
    }

    fn has_memory(&self) -> bool {
        matches!(self.dynamics.motion, Motion::HeavyBall(_) | Motion::Nesterov(_))
    }

    /// How many steps from the k-th on are alike.
    fn run(&self, k: u64) -> u64 {
        if !self.may_leap || self.has_memory() || k < self.dynamics.warm_up {
            return 1;
        }
        match self.dynamics.schedule {
            Schedule::Constant => u64::MAX,
            Schedule::StepDecay(decay) => decay.next_change(k) - k,
            Schedule::Cosine(end) | Schedule::Linear(end) if k >= end.over.get() => u64::MAX,
            _ => 1,
        }
    }

    /// The step after which nothing moves any more, for a motion without memory.
    fn end(&self) -> Option<u64> {
        match self.dynamics.schedule {
            _ if self.has_memory() => None,
            Schedule::Cosine(end) | Schedule::Linear(end) => Some(end.over.get()),
            Schedule::StepDecay(decay) => {
                // All that remains, x·every·fᵐ/(1 − f), is below 1e-18 of what there is.
                let (factor, every) = (decay.factor.get(), decay.every.get());
                let largest = self.x.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
                let remaining = 1e-18 * (1.0 - factor) / (every * largest);
                let times = if factor > 0.0 { (remaining.ln() / factor.ln()).ceil().max(1.0) } else { 1.0 };
                Some((times * every).ceil() as u64)
            }
            _ => None,
        }
    }

    /// About how many runs of equal steps there are up to [`Self::end`].
    pub(crate) fn runs_to_end(&self) -> f64 {
        let Some(end) = self.end() else { return 0.0 };
        let (end, rise) = (end as f64, self.dynamics.warm_up as f64);
        match self.dynamics.schedule {
            Schedule::StepDecay(decay) => rise.min(end) + end / decay.every.get().max(1.0),
            _ => end,
        }
    }

    fn advance(&self, state: &mut [Mode], k: u64, count: u64) {
        let (factor, (beta, is_ahead)) = (self.dynamics.factor(k), self.momentum(k));
        for (mode, x) in state.iter_mut().zip(&self.x) {
            let x = factor * x;
            if count == 1 {
                let at = if is_ahead { mode.left + beta * mode.last_move } else { mode.left };
                mode.last_move = beta * mode.last_move - x * at;
                mode.left += mode.last_move;
                mode.learned -= mode.last_move;
            } else {
                let (log, negative) = (log_size(x), x > 1.0);
                let kept = power(count, log, negative);
                let lost = if negative { 1.0 - kept } else { -(count as f64 * log).exp_m1() };
                mode.learned += mode.left * lost;
                mode.left *= kept;
            }
        }
    }

    fn walk_to(&mut self, target: u64) {
        let target = self.end().map_or(target, |end| target.min(end));
        if target < self.step {
            (self.step, self.is_inside) = (0, false);
            self.here.fill(START);
        }
        while self.step < target {
            let count = self.run(self.step);
            self.is_inside = count > target - self.step;
            if self.is_inside {
                let mut there = std::mem::take(&mut self.there);
                there.copy_from_slice(&self.here);
                self.advance(&mut there, self.step, target - self.step);
                self.there = there;
                return;
            }
            let mut here = std::mem::take(&mut self.here);
            self.advance(&mut here, self.step, count);
            self.here = here;
            self.step += count;
        }
        self.is_inside = false;
    }

    fn mode(&self, mode: usize) -> Mode {
        if self.is_inside { self.there[mode] } else { self.here[mode] }
    }
}

impl Response for Walk {
    fn move_to(&mut self, t: Clock) {
        self.is_limit = false;
        match (t, self.end()) {
            (Clock::Step(step), _) => self.walk_to(step),
            (_, Some(end)) => self.walk_to(end),
            (_, None) => self.is_limit = true,
        }
    }

    fn left(&self, mode: usize) -> f64 {
        match self.is_limit {
            false => self.mode(mode).left,
            true if self.dies_out(mode) => 0.0,
            true => f64::NAN,
        }
    }

    fn learned(&self, mode: usize) -> f64 {
        if self.is_limit { 1.0 - self.left(mode) } else { self.mode(mode).learned }
    }

    fn dies_out(&self, mode: usize) -> bool {
        let beta = match self.dynamics.motion {
            Motion::Nesterov(beta) => beta.unwrap_or(1.0),
            _ => 0.0,
        };
        let stable = match self.dynamics.motion {
            Motion::HeavyBall(beta) => 2.0 * (1.0 + beta),
            _ => (2.0 + 2.0 * beta) / (1.0 + 2.0 * beta),
        };
        match self.dynamics.schedule {
            Schedule::Constant => self.x[mode] < stable - 1e-12,
            // The steps become small whatever they were, and add up to infinity.
            _ => self.dynamics.schedule.reaches_limit(),
        }
    }

    fn falls(&self, mode: usize) -> bool {
        let _ = mode;
        false
    }

    fn leaps(&self) -> bool {
        matches!(self.dynamics.schedule, Schedule::Constant | Schedule::StepDecay(_)) && !self.has_memory()
    }

    fn largest_share(&self) -> Option<f64> {
        (!self.has_memory()).then(|| self.x.iter().copied().fold(0.0, f64::max))
    }

    fn fresh(&self) -> Box<dyn Response> {
        let mut fresh = self.clone();
        fresh.here.fill(START);
        Box::new(Self { step: 0, is_inside: false, is_limit: false, ..fresh })
    }
}
