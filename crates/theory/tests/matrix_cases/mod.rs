//! Premises, answers and reference tables of matrix problems.

#![allow(dead_code)] // every test file takes what it needs

use std::collections::BTreeMap;
use taut_numerics::{DMatrix, normal, stream};
use taut_problem::{Clock, DeepLinear, Dynamics, MatrixProblem, Observed, ParametrizationKind, Samples, TestOver};
use taut_theory::{MatrixPremise, Prediction, theory};

/// A matrix problem with everything that a theory asks for.
pub(crate) struct Case<'a> {
    problem: &'a MatrixProblem,
    parametrization: &'a ParametrizationKind,
    start: &'a [f64],
    dynamics: Dynamics,
    clocks: Vec<Clock>,
}

impl<'a> Case<'a> {
    /// Under flow, looked at at the limit.
    pub(crate) fn new(problem: &'a MatrixProblem, parametrization: &'a ParametrizationKind, start: &'a [f64]) -> Self {
        Self { problem, parametrization, start, dynamics: Dynamics::flow(), clocks: vec![Clock::Limit] }
    }

    /// Under flow, looked at at these times and the limit.
    pub(crate) fn until_limit(mut self, times: &[f64]) -> Self {
        self.clocks = times.iter().map(|t| Clock::Time(*t)).chain([Clock::Limit]).collect();
        self
    }

    /// Under another motion, looked at at these points.
    pub(crate) fn moved(mut self, dynamics: &Dynamics, clocks: &[Clock]) -> Self {
        (self.dynamics, self.clocks) = (dynamics.clone(), clocks.to_vec());
        self
    }

    /// What a theory says.
    pub(crate) fn predict(&self, name: &str) -> Prediction {
        let times = self.dynamics.times(&self.clocks);
        theory(name).expect(name).of_matrix(&MatrixPremise {
            problem: self.problem,
            parametrization: self.parametrization,
            dynamics: &self.dynamics,
            start: self.start,
            clocks: &self.clocks,
            times: &times,
        })
    }
}

/// A number of the cell.
pub(crate) fn number(prediction: &Prediction, quantity: &str) -> f64 {
    let found = prediction.numbers.iter().find(|n| n.quantity == quantity && n.parameter.is_none());
    found.unwrap_or_else(|| panic!("{quantity}: {:?}", prediction.unmet)).value
}

/// All values of a function, in order.
pub(crate) fn numbers(prediction: &Prediction, quantity: &str) -> Vec<f64> {
    prediction.numbers.iter().filter(|n| n.quantity == quantity).map(|n| n.value).collect()
}

/// The value of a function there.
pub(crate) fn at(prediction: &Prediction, quantity: &str, parameter: f64) -> f64 {
    let same = |p: f64| (p - parameter).abs() < 1e-12;
    let found = prediction.numbers.iter().find(|n| n.quantity == quantity && n.parameter.is_some_and(same));
    found.expect(quantity).value
}

/// Rows of `tests/references/deep_linear/{name}.csv`.
pub(crate) fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = format!("{}/../../tests/references/deep_linear/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// A tensor of a table in long form.
pub(crate) fn tensor(name: &str, tensor: &str) -> DMatrix<f64> {
    let rows: Vec<_> = rows(name).into_iter().filter(|row| row["tensor"] == tensor).collect();
    let place = |key: &str, row: &BTreeMap<String, String>| row[key].parse::<usize>().unwrap();
    let size = |key: &str| rows.iter().map(|row| place(key, row)).max().expect(tensor) + 1;
    let mut matrix = DMatrix::zeros(size("row"), size("col"));
    for row in &rows {
        matrix[(place("row", row), place("col", row))] = row["value"].parse().unwrap();
    }
    matrix
}

/// Independent N(0, 1) entries.
pub(crate) fn gaussian(rows: usize, columns: usize, purpose: &'static str) -> DMatrix<f64> {
    let mut draws = stream(11, purpose, 0);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws))
}

/// W_N⋯W₁ of the default width.
pub(crate) fn deep(depth: f64) -> ParametrizationKind {
    let depth = Some(Samples::try_from(depth).unwrap());
    ParametrizationKind::DeepLinear(DeepLinear { depth, ..DeepLinear::default() })
}

/// A problem that nothing more is known of.
pub(crate) fn matrix_problem(outputs: usize, inputs: usize, observed: Observed) -> MatrixProblem {
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Entries, law: None }
}
