//! Nesterov's accelerated gradient: the gradient is taken where the momentum leads.

use super::{Optimizer, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::subtract_scaled_and_roll;
use taut_problem::{Entry, Fraction, Memory, Motion};

pub(super) const ENTRY: Entry = Entry {
    name: "nesterov",
    doc: "y = θ + βₖ(θ − θ₋), θ ← y − ηₖ∇L(y); β constant, or k/(k+3) if not given; stable up to \
          ηλ = (2+2β)/(1+2β); linear models in closed form. Form `ahead` shows y, and is stepped",
    cite: "Nesterov 1983",
};

/// Settings of Nesterov's method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nesterov {
    /// β; without it βₖ = k/(k+3) for k = 0, 1, …
    pub momentum: Option<Fraction>,
    /// Which of the two points of the method is θ; default the iterate.
    #[serde(default)]
    pub form: Form,
}

/// The two points of Nesterov's method.
///
/// With mₖ = θₖ − θₖ₋₁ the iterates obey mₖ₊₁ = βₖmₖ − ηₖ∇L(yₖ), so yₖ₊₁ = θₖ₊₁ + βₖ₊₁mₖ₊₁ = yₖ − ηₖ∇L(yₖ) + βₖ₊₁mₖ₊₁:
/// the points ahead move by themselves. In terms of v = −m/η, at constant η and β: v ← βv + ∇L, y ← y − η(∇L + βv).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// θ ← y − η∇L(y) with y = θ + β(θ − θ₋)
    #[default]
    Iterate,
    /// The same motion seen at y: v ← βv + ∇L(y), y ← y − η(∇L(y) + βv), as programs for networks write it
    Ahead,
}

pub(super) fn optimizer(settings: &Nesterov) -> impl Optimizer + use<> {
    *settings
}

impl Optimizer for Nesterov {
    fn motion(&self) -> Motion {
        match self.form {
            Form::Iterate => Motion::Nesterov(self.momentum.map(Fraction::get)),
            // Closed forms and theories are those of the iterate.
            Form::Ahead => Motion::Other("nesterov-ahead"),
        }
    }

    /// The roots of r² − (1−x)(1+β)r + (1−x)β lie in the unit circle while 1 + (1−x)(1+2β) > 0; a
    /// growing βₖ = k/(k+3) tends to 1.
    fn stability(&self) -> Option<f64> {
        let beta = self.momentum.map_or(1.0, Fraction::get);
        Some((2.0 + 2.0 * beta) / (1.0 + 2.0 * beta))
    }

    fn rule(&self, slots: usize) -> Option<Box<dyn Rule>> {
        let (momentum, memory) = (Momentum(self.momentum.map(Fraction::get)), vec![0.0; slots]);
        Some(match self.form {
            Form::Iterate => Box::new(Accelerate { momentum, before: memory }),
            Form::Ahead => Box::new(Ahead { momentum, last: memory }),
        })
    }
}

/// β, or k/(k+3).
struct Momentum(Option<f64>);

struct Accelerate {
    momentum: Momentum,
    /// θ₋.
    before: Vec<f64>,
}

struct Ahead {
    momentum: Momentum,
    /// m = θ − θ₋ of the iterates behind.
    last: Vec<f64>,
}

impl Momentum {
    fn at(&self, k: u64) -> f64 {
        match self.0 {
            // At rest there is no move to go on with, whatever β is.
            _ if k == 0 => 0.0,
            Some(beta) => beta,
            None => k as f64 / (k as f64 + 3.0),
        }
    }
}

impl Rule for Accelerate {
    fn look_ahead(&self, k: u64, theta: &[f64], point: &mut [f64]) -> bool {
        let beta = self.momentum.at(k);
        for ((point, theta), before) in point.iter_mut().zip(theta).zip(&self.before) {
            *point = theta + beta * (theta - before);
        }
        true
    }

    fn update(&mut self, k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        subtract_scaled_and_roll(self.momentum.at(k), eta, gradient, theta, &mut self.before);
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.values("nesterov before", &mut self.before);
    }
}

impl Rule for Ahead {
    fn update(&mut self, k: u64, eta: &[f64], gradient: &[f64], theta: &mut [f64]) {
        let (now, next, lanes) = (self.momentum.at(k), self.momentum.at(k + 1), eta.len());
        let memory = self.last.chunks_exact_mut(lanes);
        for ((theta, gradient), last) in theta.chunks_exact_mut(lanes).zip(gradient.chunks_exact(lanes)).zip(memory) {
            for lane in 0..lanes {
                let step = eta[lane] * gradient[lane];
                last[lane] = now * last[lane] - step;
                theta[lane] += next * last[lane] - step;
            }
        }
    }

    fn remember(&mut self, memory: &mut Memory<'_>) {
        memory.values("nesterov last move", &mut self.last);
    }
}
