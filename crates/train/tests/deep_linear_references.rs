//! The stepped loop on products of factors, entries and diagonal networks, against reference tables.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::sync::Arc;
use support::{Row, deep_linear, number, tensors};
use taut_numerics::{DMatrix, ThinSvd};
use taut_problem::{
    Clock, DeepLinear, Dynamics, Entries, HadamardPower, MatrixProblem, MatrixSamples, Moments, Observed,
    ParametrizationKind, Rows, Samples, Task, Tensor, Tensors, TestOver, Trajectory,
};
use taut_train::{Lane, Method, ModeRecursion, Stepped};

fn problem(observed: Observed, outputs: usize, inputs: usize) -> MatrixProblem {
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Entries, law: None }
}

fn of_samples(x: DMatrix<f64>, y: DMatrix<f64>) -> MatrixProblem {
    let (outputs, inputs) = (y.nrows(), x.nrows());
    problem(Observed::Moments(Arc::new(MatrixSamples { x, y }).moments()), outputs, inputs)
}

/// The problem that the inputs of a case describe.
fn of_inputs(given: &Tensors) -> MatrixProblem {
    if let (Some(x), Some(y)) = (given.get("X"), given.get("Y")) {
        return of_samples(x.clone(), y.clone());
    }
    if let (Some(target), Some(mask)) = (given.get("target"), given.get("mask")) {
        let observed = (0..mask.len()).filter(|&place| mask.as_slice()[place] > 0.5).collect();
        let entries = Entries { target: target.clone(), observed };
        return problem(Observed::Entries(entries), target.nrows(), target.ncols());
    }
    let syx = given.get("Syx").unwrap().clone();
    let (outputs, inputs) = syx.shape();
    problem(Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None }), outputs, inputs)
}

/// The factors of a start, by name.
fn kind_of(given: &Tensors) -> ParametrizationKind {
    let count = (1..).take_while(|l| given.get(&format!("W{l}")).is_some()).count();
    let widths: Vec<usize> = (1..count).map(|l| given.get(&format!("W{l}")).unwrap().nrows()).collect();
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(&widths))
}

fn loss(task: Task<'_>, beta: &[f64]) -> f64 {
    let (mut loss, mut g) = ([0.0], vec![0.0; beta.len()]);
    Task::objective(&[task], 1, false).loss_and_grad_into(beta, Rows::All, &mut loss, &mut g);
    loss[0]
}

/// What a column of a table says of a state.
fn measured(column: &str, given: &Tensors, problem: &MatrixProblem, factors: &[DMatrix<f64>], w: &DMatrix<f64>) -> f64 {
    let s = || ThinSvd::new(w.as_view()).all;
    let index = |prefix: &str| column.strip_prefix(prefix).and_then(|rest| rest.parse::<usize>().ok());
    if let Some(i) = index("sv") {
        return s()[i - 1];
    }
    if let Some(i) = index("u") {
        return given.get("U").unwrap().column(i - 1).dot(&(w * given.get("V").unwrap().column(i - 1)));
    }
    if let Some(l) = index("fro_W") {
        return factors[l - 1].norm();
    }
    if let Some(both) = index("imbalance_") {
        let (above, below) = (&factors[both / 10 - 1], &factors[both % 10 - 1]);
        return (above.tr_mul(above) - below * below.transpose()).norm();
    }
    match column {
        "loss" | "loss_half_sum_observed" => loss(Task::Matrix(problem), w.as_slice()),
        "nuclear_norm" => s().iter().sum(),
        "effective_rank" => {
            let (s, sum) = (s(), s().iter().sum::<f64>());
            s.iter().filter(|s| **s > 0.0).map(|s| -(s / sum) * (s / sum).ln()).sum::<f64>().exp()
        }
        "mse_unobserved" => {
            let (target, mask) = (given.get("target").unwrap(), given.get("mask").unwrap());
            let unseen: Vec<f64> = (0..mask.len())
                .filter(|&i| mask.as_slice()[i] < 0.5)
                .map(|i| (w.as_slice()[i] - target.as_slice()[i]).powi(2))
                .collect();
            unseen.iter().sum::<f64>() / unseen.len() as f64
        }
        _ => panic!("{column}"),
    }
}

/// The largest error in units of the tolerance |a − b| ≤ 1e-9·|b| + 1e-12·max|column|, over columns that are no
/// theory.
fn worst_of_table(
    table: &[Row],
    path: &mut dyn Trajectory,
    mut measured: impl FnMut(&str, &[f64], &[f64]) -> f64,
) -> f64 {
    let columns: Vec<&String> = table[0].keys().filter(|c| *c != "step" && !c.starts_with("flow_")).collect();
    let size = |column: &str| table.iter().map(|row| number(row, column).abs()).fold(0.0, f64::max);
    let sizes: Vec<f64> = columns.iter().map(|column| size(column)).collect();
    let mut worst = 0.0_f64;
    for row in table {
        path.advance_to(Clock::Step(number(row, "step") as u64));
        let snapshot = path.snapshot();
        for (column, size) in columns.iter().zip(&sizes) {
            let (found, exact) = (measured(column, snapshot.theta, snapshot.predictor), number(row, column));
            worst = worst.max((found - exact).abs() / (1e-9 * exact.abs() + 1e-12 * size));
        }
    }
    worst
}

fn split(kind: &ParametrizationKind, problem: &MatrixProblem, theta: &[f64]) -> Vec<DMatrix<f64>> {
    let mut rest = theta;
    let next = |tensor: &Tensor| {
        let (here, after) = rest.split_at(tensor.len());
        rest = after;
        DMatrix::from_column_slice(tensor.rows, tensor.columns, here)
    };
    kind.tensors(problem.inputs, problem.outputs).iter().map(next).collect()
}

fn method(text: &str) -> Method {
    serde_json::from_str(text).unwrap()
}

const DESCENT: &str = r#""gradient-descent""#;

/// Replays a case and compares its table and its last factors; returns the largest errors in units of the tolerance.
fn replay(case: &str, run: &str, eta: f64, text: &str, ridge: f64) -> [f64; 2] {
    let given = tensors(&format!("{case}_inputs"));
    let (problem, kind, method) = (of_inputs(&given), kind_of(&given), method(text));
    let start = given.parameters(&kind.tensors(problem.inputs, problem.outputs)).unwrap();
    let penalty = serde_json::from_str(&format!(r#"{{ "ridge": {ridge} }}"#)).unwrap();
    let dynamics = Dynamics { motion: method.optimizer().motion(), penalty, ..Dynamics::descent(eta) };
    let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
    let mut path = Stepped::new(&[lane], 1, &kind, &method, 0, &[]);
    let table = deep_linear(&format!("{run}_traj"));
    let of_table = worst_of_table(&table, &mut path, |column, theta, beta| {
        let w = DMatrix::from_column_slice(problem.outputs, problem.inputs, beta);
        measured(column, &given, &problem, &split(&kind, &problem, theta), &w)
    });
    let end = tensors(&format!("{run}_final"));
    let mut of_end = 0.0_f64;
    for (l, found) in split(&kind, &problem, path.snapshot().theta).iter().enumerate() {
        let exact = end.get(&format!("W{}", l + 1)).unwrap();
        for (found, exact_entry) in found.iter().zip(exact.iter()) {
            let tolerance = 1e-9 * exact_entry.abs() + 1e-12 * exact.amax();
            of_end = of_end.max((found - exact_entry).abs() / tolerance);
        }
    }
    eprintln!("{run}: {of_table:.1e} and {of_end:.1e} of the tolerance");
    [of_table, of_end]
}

#[test]
fn descent_on_factors_replays_the_references() {
    for (case, eta) in [
        ("c01_two_layer_spectral", 0.005),
        ("c02_depth3_random", 0.02),
        ("c03_depth4_nonwhitened", 0.01),
        ("c04_completion_depth2", 0.02),
        ("c05_completion_depth3", 0.01),
    ] {
        let worst = replay(case, case, eta, DESCENT, 0.0);
        assert!(worst[0] < 1.0 && worst[1] < 1.0, "{case}: {worst:?}");
    }
}

#[test]
fn momentum_and_weight_decay_replay_the_references() {
    let heavy_ball = r#"{ "heavy-ball": { "momentum": 0.9 } }"#;
    let nesterov = r#"{ "nesterov": { "momentum": 0.9, "form": "ahead" } }"#;
    for (run, text, ridge) in [
        ("c07_momentum_heavyball", heavy_ball, 0.0),
        ("c07_momentum_heavyball_wd", heavy_ball, 0.01),
        ("c07_momentum_nesterov", nesterov, 0.0),
    ] {
        let worst = replay("c07_momentum", run, 0.002, text, ridge);
        assert!(worst[0] < 1.0 && worst[1] < 1.0, "{run}: {worst:?}");
    }
}

#[test]
fn diagonal_networks_replay_the_references() {
    let given = tensors("c06_diagonal_inputs");
    let (x, y) = (given.get("X").unwrap().transpose(), given.get("y").unwrap());
    let problem = of_samples(x, DMatrix::from_row_slice(1, y.len(), y.as_slice()));
    let table = deep_linear("c06_diagonal_traj");
    let mut runs: Vec<[&str; 3]> = table.iter().map(|row| ["depth", "alpha", "lr"].map(|c| &row[c][..])).collect();
    runs.dedup();
    for run in runs {
        let [depth, alpha, eta] = run.map(|text| text.parse::<f64>().unwrap());
        let is_run = |row: &&Row| ["depth", "alpha", "lr"].map(|c| &row[c][..]) == run;
        let mut rows: Vec<Row> = table.iter().filter(is_run).cloned().collect();
        rows.iter_mut().for_each(|row| row.retain(|column, _| !["depth", "alpha", "lr"].contains(&&column[..])));
        let kind = ParametrizationKind::HadamardPower(HadamardPower { depth: Samples::try_from(depth).unwrap() });
        let (start, dynamics) = (vec![alpha; 2 * problem.inputs], Dynamics::descent(eta));
        let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
        let mut path = Stepped::new(&[lane], 1, &kind, &Method::GradientDescent, 0, &[]);
        let worst = worst_of_table(&rows, &mut path, |column, _, beta| match column {
            "loss" => loss(Task::Matrix(&problem), beta),
            column => beta[column.strip_prefix("beta").unwrap().parse::<usize>().unwrap()],
        });
        eprintln!("c06 depth {depth}, α = {alpha}: {worst:.1e} of the tolerance");
        assert!(worst < 1.0, "{run:?}: {worst}");
    }
}

#[test]
fn modes_by_themselves_replay_the_reference() {
    let given = tensors("c01_two_layer_spectral_inputs");
    let (problem, kind) = (of_inputs(&given), kind_of(&given));
    let start = given.parameters(&kind.tensors(problem.inputs, problem.outputs)).unwrap();
    let (task, dynamics) = (Task::Matrix(&problem), Dynamics::descent(0.005));
    let mut path = ModeRecursion::new(task, &kind, &dynamics, &Method::GradientDescent, &start, &[]).unwrap();
    let worst = worst_of_table(&deep_linear("c01_two_layer_spectral_traj"), &mut path, |column, theta, beta| {
        let w = DMatrix::from_column_slice(problem.outputs, problem.inputs, beta);
        measured(column, &given, &problem, &split(&kind, &problem, theta), &w)
    });
    eprintln!("modes: {worst:.1e} of the tolerance");
    assert!(worst < 1.0, "{worst}");
}
