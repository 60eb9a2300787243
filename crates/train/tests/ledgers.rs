//! Identities of descent that hold at any step size, summed over every step.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

use std::sync::Arc;
use taut_numerics::{DMatrix, normal, stream};
use taut_problem::{
    Batch, Clock, DeepLinear, Dynamics, Entries, HadamardPower, LEDGER, MatrixProblem, MatrixSamples, Noise, Observed,
    ParametrizationKind, Samples, Task, TestOver, Trajectory,
};
use taut_train::{Lane, Method, Stepped};

fn gaussian(rows: usize, columns: usize, scale: f64, seed: u64) -> DMatrix<f64> {
    let mut draws = stream(seed, "matrix", 0);
    DMatrix::from_fn(rows, columns, |_, _| scale * normal(&mut draws))
}

fn of_samples(x: DMatrix<f64>, y: DMatrix<f64>) -> MatrixProblem {
    let (inputs, outputs) = (x.nrows(), y.nrows());
    let observed = Observed::Moments(Arc::new(MatrixSamples { x, y }).moments());
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Entries, law: None }
}

fn factors(widths: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(widths))
}

/// The numbers of the ledger after so many steps, lane by lane.
fn ledger(
    problem: &MatrixProblem,
    kind: &ParametrizationKind,
    dynamics: &Dynamics,
    method: &Method,
    start: &[f64],
    steps: u64,
) -> Vec<f64> {
    let other = Dynamics { step_size: 0.5 * dynamics.step_size, ..dynamics.clone() };
    let lane = |dynamics, replicate| Lane { task: Task::Matrix(problem), dynamics, start, replicate };
    let lanes = [lane(dynamics, 0), lane(&other, 1)];
    let mut path = Stepped::new(&lanes, 2, kind, method, 11, &[]).with_ledger();
    path.advance_to(Clock::Step(steps));
    let numbers = path.snapshot().ledger.to_vec();
    assert_eq!(numbers.len(), 2 * LEDGER.len());
    // Carrying a ledger does not change the motion.
    let mut plain = Stepped::new(&lanes, 2, kind, method, 11, &[]);
    plain.advance_to(Clock::Step(steps));
    assert_eq!(plain.snapshot().theta, path.snapshot().theta);
    assert!(plain.snapshot().ledger.is_empty());
    numbers
}

#[test]
fn imbalance_is_the_sum_of_what_the_steps_add() {
    let samples = of_samples(gaussian(6, 20, 1.0, 1), gaussian(3, 20, 1.0, 2));
    let target = gaussian(6, 6, 1.0, 3);
    let entries = Entries { target, observed: (0..36).filter(|place| place % 3 != 0).collect() };
    let (observed, test) = (Observed::Entries(entries), TestOver::Entries);
    let completion = MatrixProblem { inputs: 6, outputs: 6, observed, teacher: None, test, law: None };
    for (problem, widths, eta) in
        [(&samples, vec![9], 0.02), (&samples, vec![9, 4, 7], 0.01), (&completion, vec![6, 6], 0.05)]
    {
        let kind = factors(&widths);
        let count = kind.parameters(problem.inputs, problem.outputs);
        let start = gaussian(count, 1, 0.4, 4).as_slice().to_vec();
        let numbers = ledger(problem, &kind, &Dynamics::descent(eta), &Method::GradientDescent, &start, 4000);
        eprintln!("{widths:?}: {numbers:?}");
        // Rounding of 4000 updates of entries of order 1.
        assert!(numbers[..2].iter().all(|error| *error < 1e-12), "{numbers:?}");
        assert!(numbers[2..].iter().all(|number| number.is_nan()));
    }
}

/// How far W₂ᵀW₂ − W₁W₁ᵀ has gone from its start at a training time t of steps as long as η/(1 − β).
fn drift(text: &str, beta: f64, eta: f64, t: f64) -> f64 {
    let problem = of_samples(gaussian(6, 20, 1.0, 1), gaussian(3, 20, 1.0, 2));
    let (kind, method): (_, Method) = (factors(&[9]), serde_json::from_str(text).unwrap());
    let start = gaussian(kind.parameters(6, 3), 1, 0.4, 4).as_slice().to_vec();
    let gap = |theta: &[f64]| {
        let (w1, w2) = theta.split_at(54);
        let (w1, w2) = (DMatrix::from_column_slice(9, 6, w1), DMatrix::from_column_slice(3, 9, w2));
        w2.tr_mul(&w2) - &w1 * w1.transpose()
    };
    let dynamics = Dynamics { motion: method.optimizer().motion(), ..Dynamics::descent(eta * (1.0 - beta)) };
    let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
    let mut path = Stepped::new(&[lane], 1, &kind, &method, 0, &[]);
    path.advance_to(Clock::Step((t / eta).round() as u64));
    (gap(path.snapshot().theta) - gap(&start)).norm()
}

const DESCENT: &str = r#""gradient-descent""#;

#[test]
fn drift_of_the_imbalance_is_first_order_in_the_step() {
    let drifts = [0.02, 0.01, 0.005, 0.0025].map(|eta| drift(DESCENT, 0.0, eta, 20.0));
    for pair in drifts.windows(2) {
        assert!((1.9..2.1).contains(&(pair[0] / pair[1])), "{drifts:?}");
    }
}

#[test]
fn momentum_drifts_further_than_its_longer_step() {
    let (eta, t) = (2e-4, 20.0);
    let plain = drift(DESCENT, 0.0, eta, t);
    for beta in [0.5, 0.9] {
        let ratio = (1.0 + beta) / (1.0 - beta);
        let of = |name: &str| {
            let text = format!(r#"{{ "{name}": {{ "momentum": {beta} }} }}"#);
            drift(&text, beta, eta, t) / plain
        };
        let (heavy_ball, nesterov) = (of("heavy-ball"), of("nesterov"));
        eprintln!("β = {beta}: {heavy_ball:.3} for {ratio:.3}, {nesterov:.3} for {:.3}", ratio - 2.0 * beta);
        assert!((heavy_ball / ratio - 1.0).abs() < 0.02);
        assert!((nesterov / (ratio - 2.0 * beta) - 1.0).abs() < 0.02);
    }
}

#[test]
fn the_effective_scale_is_the_product_of_what_the_steps_leave() {
    let mut draws = stream(5, "signs", 0);
    let x = DMatrix::from_fn(10, 5, |_, _| normal(&mut draws));
    let beta = DMatrix::from_row_slice(1, 10, &[1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let problem = of_samples(x.clone(), beta * x);
    let kind = ParametrizationKind::HadamardPower(HadamardPower { depth: Samples::try_from(2.0).unwrap() });
    let start = vec![0.1; 20];
    let descent = Dynamics::descent(0.02);
    let batch = Some(Batch { size: 1, replacement: true });
    let labels: Noise = serde_json::from_str(r#"{ "labels": 0.1 }"#).unwrap();
    let sgd: Method = serde_json::from_str(r#"{ "sgd": { "batch": 1 } }"#).unwrap();
    for (name, dynamics, method) in [
        ("descent", descent.clone(), Method::GradientDescent),
        ("sgd", Dynamics { batch, ..descent.clone() }, sgd),
        ("label noise", Dynamics { noise: labels, ..descent.clone() }, Method::GradientDescent),
        ("both", Dynamics { noise: labels, batch, ..descent }, sgd),
    ] {
        let numbers = ledger(&problem, &kind, &dynamics, &method, &start, 20_000);
        eprintln!("{name}: {numbers:?}");
        // Rounding of 20000 factors, each relative to itself.
        assert!(numbers[2..].iter().all(|error| *error < 1e-11), "{name}: {numbers:?}");
        assert!(numbers[..2].iter().all(|number| number.is_nan()));
    }
}

#[test]
fn motions_without_an_identity_carry_no_number() {
    let problem = of_samples(gaussian(4, 9, 1.0, 1), gaussian(2, 9, 1.0, 2));
    let kind = factors(&[3]);
    let start = gaussian(18, 1, 0.4, 4).as_slice().to_vec();
    let heavy_ball: Method = serde_json::from_str(r#"{ "heavy-ball": { "momentum": 0.5 } }"#).unwrap();
    let momentum = Dynamics { motion: heavy_ball.optimizer().motion(), ..Dynamics::descent(0.01) };
    let ridge = serde_json::from_str(r#"{ "ridge": 0.1 }"#).unwrap();
    let shrunk = Dynamics { penalty: ridge, ..Dynamics::descent(0.01) };
    for (dynamics, method) in [(momentum, heavy_ball), (shrunk, Method::GradientDescent)] {
        let numbers = ledger(&problem, &kind, &dynamics, &method, &start, 10);
        assert!(numbers.iter().all(|number| number.is_nan()));
    }
}
