//! Steps of constant size, and flow: e = (1 − ηλ)ᵗ or exp(−λt).

use super::{Response, log_size, power};
use taut_problem::Clock;

/// e = (1 − ηλ)ᵗ, or exp(−λt) without a step size.
#[derive(Clone)]
pub(crate) struct Geometric {
    /// ηλᵢ; zero for flow.
    x: Vec<f64>,
    /// ln|1 − ηλᵢ|, or −λᵢ.
    rate: Vec<f64>,
    at: Clock,
}

impl Geometric {
    pub(crate) fn new(step_size: Option<f64>, curvature: &[f64]) -> Self {
        let x: Vec<f64> = curvature.iter().map(|l| step_size.map_or(0.0, |eta| eta * l)).collect();
        let rate = match step_size {
            None => curvature.iter().map(|l| -l).collect(),
            Some(_) => x.iter().map(|x| log_size(*x)).collect(),
        };
        Self { x, rate, at: Clock::Step(0) }
    }

    /// Whether 1 − ηλᵢ is negative: the mode's error changes sign at every step.
    fn alternates(&self, mode: usize) -> bool {
        self.x[mode] > 1.0
    }

    /// eᵢ at `t`.
    pub(crate) fn left_at(&self, mode: usize, t: Clock) -> f64 {
        match t {
            Clock::Step(0) => 1.0,
            Clock::Step(k) => power(k, self.rate[mode], self.alternates(mode)),
            Clock::Time(time) => (time * self.rate[mode]).exp(),
            Clock::Limit if self.dies_out(mode) => 0.0,
            // No curvature at all, if only because its square is too small for a number: nothing moves.
            Clock::Limit if self.rate[mode] <= 0.0 && !self.alternates(mode) => 1.0,
            Clock::Limit => f64::NAN,
        }
    }

    /// 1 − eᵢ at `t`, without cancellation.
    pub(crate) fn learned_at(&self, mode: usize, t: Clock) -> f64 {
        match t {
            Clock::Step(0) => 0.0,
            Clock::Step(k) if !self.alternates(mode) => -(k as f64 * self.rate[mode]).exp_m1(),
            Clock::Time(time) => -(time * self.rate[mode]).exp_m1(),
            Clock::Step(_) | Clock::Limit => 1.0 - self.left_at(mode, t),
        }
    }

    /// An interval that holds eᵢ at every point from `low` to `high`.
    pub(crate) fn range(&self, mode: usize, low: Clock, high: Clock) -> (f64, f64) {
        let (a, b) = (self.left_at(mode, low), self.left_at(mode, high));
        if self.alternates(mode) && low != high {
            let size = a.abs().max(b.abs());
            return (-size, size);
        }
        (a.min(b), a.max(b))
    }
}

impl Response for Geometric {
    fn move_to(&mut self, t: Clock) {
        self.at = t;
    }

    fn left(&self, mode: usize) -> f64 {
        self.left_at(mode, self.at)
    }

    fn learned(&self, mode: usize) -> f64 {
        self.learned_at(mode, self.at)
    }

    fn dies_out(&self, mode: usize) -> bool {
        self.rate[mode] < 0.0
    }

    fn falls(&self, mode: usize) -> bool {
        self.x[mode] <= 1.0 && self.dies_out(mode)
    }

    fn leaps(&self) -> bool {
        true
    }

    fn largest_share(&self) -> Option<f64> {
        Some(self.x.iter().copied().fold(0.0, f64::max))
    }

    fn fresh(&self) -> Box<dyn Response> {
        Box::new(Self { at: Clock::Step(0), ..self.clone() })
    }
}
