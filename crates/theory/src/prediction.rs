//! What a theory is given, and what it may answer.

use taut_problem::{Clock, Dynamics, MatrixProblem, ParametrizationKind, Regression};

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

/// The same where the predictor is a matrix W, or made of parameters that are not its coefficients.
///
/// A regression is here a matrix problem with one output.
#[derive(Clone, Copy)]
pub struct MatrixPremise<'a> {
    /// The problem.
    pub problem: &'a MatrixProblem,
    /// How parameters make the predictor.
    pub parametrization: &'a ParametrizationKind,
    /// The motion.
    pub dynamics: &'a Dynamics,
    /// θ₀: the tensors of the parametrization one after the other, each column-major.
    pub start: &'a [f64],
    /// Where predictions are wanted.
    pub clocks: &'a [Clock],
    /// Training time at each of the clocks.
    pub times: &'a [f64],
}

/// One mode at one time: of the design, or of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Where on the trajectory.
    pub clock: Clock,
    /// Number of the mode, from 1, in the order of singular values.
    pub mode: usize,
    /// Singular value of the design; of the target Syx Sxx^(−½) or the teacher where the predictor is a matrix.
    pub value: f64,
    /// vᵢ·θ; for a matrix the singular value of W.
    pub strength: f64,
    /// Fraction learned; `None` where it is not known.
    pub filter: Option<f64>,
    /// uᵢᵀWvᵢ along the modes of the target; `None` where there are none.
    pub projection: Option<f64>,
}

/// A theory's answer for one cell.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// Why the assumptions are not met, if they are not; the numbers are then extrapolations.
    pub unmet: Option<String>,
    /// Predicted predictors at some points of the clock; matrices column-major.
    pub path: Vec<(Clock, Vec<f64>)>,
    /// Predicted modes.
    pub modes: Vec<Mode>,
    /// Predicted values of single metrics along the clock, as (clock, metric, value).
    pub curves: Vec<(Clock, &'static str, f64)>,
    /// Named quantities of the cell.
    pub numbers: Vec<Number>,
}

impl Prediction {
    /// Nothing, and why.
    pub fn silent(reason: impl Into<String>) -> Self {
        Self { unmet: Some(reason.into()), ..Self::default() }
    }
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
    pub build: Build,
}

/// What a theory is about.
#[derive(Clone, Copy, Debug)]
pub enum Build {
    /// Functions of a row, linear in the parameters.
    Rows(fn(&Premise<'_>) -> Prediction),
    /// Predictors that are matrices, or made of other parameters.
    Matrix(fn(&MatrixPremise<'_>) -> Prediction),
}

impl TheoryDef {
    /// The prediction of a theory of functions; of any other, why there is none.
    pub fn of_rows(&self, premise: &Premise<'_>) -> Prediction {
        match self.build {
            Build::Rows(build) => build(premise),
            Build::Matrix(_) => Prediction::silent("this theory is about matrices, or predictors made of factors"),
        }
    }

    /// The prediction of a theory of matrices; of any other, why there is none.
    pub fn of_matrix(&self, premise: &MatrixPremise<'_>) -> Prediction {
        match self.build {
            Build::Matrix(build) => build(premise),
            Build::Rows(_) => Prediction::silent("this theory is about functions of rows with one output"),
        }
    }
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
