//! What a theory is given, and what it may answer.

use taut_problem::{Clock, Dynamics, Regression};

/// What a theory may know: the problem, the motion as plain data, the start, the save times.
#[derive(Clone, Copy)]
pub struct Premise<'a> {
    /// The problem.
    pub problem: &'a Regression,
    /// The motion.
    pub dynamics: &'a Dynamics,
    /// θ₀.
    pub start: &'a [f64],
    /// Where predictions are wanted.
    pub clocks: &'a [Clock],
    /// Training time at each of the clocks.
    pub times: &'a [f64],
    /// The λ that the study asks ridge regression for.
    pub ridge: &'a [f64],
}

/// One mode of the design at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Where on the trajectory.
    pub clock: Clock,
    /// Number of the mode, from 1, in the order of singular values.
    pub mode: usize,
    /// Singular value of the design.
    pub value: f64,
    /// vᵢ·θ.
    pub strength: f64,
    /// Fraction learned.
    pub filter: f64,
}

/// A theory's answer for one cell.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// Why the assumptions are not met, if they are not; the numbers are then extrapolations.
    pub unmet: Option<String>,
    /// Predicted parameters at some points of the clock.
    pub path: Vec<(Clock, Vec<f64>)>,
    /// Predicted modes.
    pub modes: Vec<Mode>,
    /// Predicted values of single metrics along the clock, as (clock, metric, value).
    pub curves: Vec<(Clock, &'static str, f64)>,
    /// Named quantities of the cell.
    pub numbers: Vec<Number>,
}

/// One predicted quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// What is predicted.
    pub quantity: &'static str,
    /// λ, a training time, a batch size, …: what the quantity is a function of, if anything.
    pub parameter: Option<f64>,
    /// The prediction.
    pub value: f64,
}

impl Number {
    /// A quantity of the cell as a whole.
    pub fn of_cell(quantity: &'static str, value: f64) -> Self {
        Self { quantity, parameter: None, value }
    }

    /// A quantity at a value of its parameter.
    pub fn at(quantity: &'static str, parameter: f64, value: f64) -> Self {
        Self { quantity, parameter: Some(parameter), value }
    }
}

/// One result from the literature.
#[derive(Clone, Copy, Debug)]
pub struct TheoryDef {
    /// The name as a study writes it, and the `source` of its rows.
    pub name: &'static str,
    /// What it predicts.
    pub doc: &'static str,
    /// Where it comes from.
    pub cite: &'static str,
    /// When it holds.
    pub assumes: &'static str,
    /// The prediction itself.
    pub build: fn(&Premise<'_>) -> Prediction,
}

/// λ_max(ΦᵀΦ/n) by power iteration on ΦΦᵀ: an upper digit or two is all that a stability check needs,
/// and it shares nothing with the trainer's decomposition.
pub(crate) fn largest_curvature(problem: &Regression) -> f64 {
    let phi = &problem.design;
    let n = problem.samples();
    let mut u = nalgebra::DVector::from_fn(n, |i, _| 1.0 + 0.1 * (i as f64).sin());
    let mut value = 0.0;
    for _ in 0..500 {
        let next = phi * phi.tr_mul(&u);
        value = next.norm();
        if value <= 0.0 {
            return 0.0;
        }
        let change = (&next / value - &u).norm();
        u = next / value;
        if change < 1e-12 {
            break;
        }
    }
    value / n as f64
}
