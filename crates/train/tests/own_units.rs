//! Optimizers as published programs write them, and losses in their units.

use std::sync::Arc;
use taut_numerics::{DMatrix, normal, stream};
use taut_problem::{
    Clock, DeepLinear, Dynamics, Entries, MatrixProblem, MatrixSamples, Observed, ParametrizationKind, Task, TestOver,
    Trajectory,
};
use taut_train::{Lane, LossUnits, Method, Stepped, Train};

fn gaussian(rows: usize, columns: usize, scale: f64, seed: u64) -> DMatrix<f64> {
    let mut draws = stream(seed, "matrix", 0);
    DMatrix::from_fn(rows, columns, |_, _| scale * normal(&mut draws))
}

fn of_samples() -> MatrixProblem {
    let (x, y) = (gaussian(4, 9, 1.0, 1), gaussian(3, 9, 1.0, 2));
    let observed = Observed::Moments(Arc::new(MatrixSamples { x, y }).moments());
    MatrixProblem { inputs: 4, outputs: 3, observed, teacher: None, test: TestOver::Entries, law: None }
}

fn of_entries() -> MatrixProblem {
    let entries = Entries { target: gaussian(3, 4, 1.0, 3), observed: vec![0, 2, 3, 5, 7, 8, 11] };
    let (observed, test) = (Observed::Entries(entries), TestOver::Entries);
    MatrixProblem { inputs: 4, outputs: 3, observed, teacher: None, test, law: None }
}

fn kind() -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(&[5]))
}

fn start() -> Vec<f64> {
    gaussian(35, 1, 0.4, 4).as_slice().to_vec()
}

fn after(problem: &MatrixProblem, method: &Method, dynamics: &Dynamics, steps: u64) -> Vec<f64> {
    let start = start();
    let lane = Lane { task: Task::Matrix(problem), dynamics, start: &start, replicate: 0 };
    let mut path = Stepped::new(&[lane], 3, &kind(), method, 0, &[]);
    path.advance_to(Clock::Step(steps));
    path.snapshot().theta.iter().step_by(3).copied().collect()
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn motion(method: &Method, eta: f64) -> Dynamics {
    Dynamics { motion: method.optimizer().motion(), ..Dynamics::descent(eta) }
}

fn method(text: &str) -> Method {
    serde_json::from_str(text).unwrap()
}

#[test]
fn nesterov_ahead_is_where_nesterov_looks() {
    let problem = of_samples();
    for momentum in [r#""momentum": 0.8, "#, ""] {
        let of = |form: &str| method(&format!(r#"{{ "nesterov": {{ {momentum}"form": "{form}" }} }}"#));
        let (iterate, ahead) = (of("iterate"), of("ahead"));
        let at = |k| after(&problem, &iterate, &motion(&iterate, 0.02), k);
        for k in [1_u64, 2, 7, 50, 300] {
            let beta = if momentum.is_empty() { k as f64 / (k as f64 + 3.0) } else { 0.8 };
            let looked: Vec<f64> =
                at(k).iter().zip(at(k - 1)).map(|(now, before)| now + beta * (now - before)).collect();
            let found = after(&problem, &ahead, &motion(&ahead, 0.02), k);
            assert!(apart(&looked, &found) < 1e-12, "{k}");
        }
    }
}

#[test]
fn group_rmsprop_moves_by_the_step_size_along_the_gradient() {
    let problem = of_samples();
    let rms = method(r#"{ "group-rmsprop": { "epsilon": 1e-12 } }"#);
    let first = after(&problem, &rms, &motion(&rms, 0.02), 1);
    let plain = after(&problem, &Method::GradientDescent, &Dynamics::descent(1.0), 1);
    let moved = |to: &[f64]| -> Vec<f64> { to.iter().zip(start()).map(|(to, from)| to - from).collect() };
    let (first, plain) = (moved(&first), moved(&plain));
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    assert!((norm(&first) - 0.02).abs() < 1e-12);
    for (a, b) in first.iter().zip(&plain) {
        assert!((a / 0.02 - b / norm(&plain)).abs() < 1e-12);
    }
    // v̂ after two steps is the mean of both squares, weighted α : 1.
    let two = after(&problem, &rms, &motion(&rms, 0.02), 2);
    let at_one = {
        let moved: Vec<f64> = first.iter().zip(start()).map(|(m, s)| m + s).collect();
        let dynamics = Dynamics::descent(1.0);
        let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &moved, replicate: 0 };
        let mut path = Stepped::new(&[lane], 1, &kind(), &Method::GradientDescent, 0, &[]);
        path.advance_to(Clock::Step(1));
        path.snapshot().theta.iter().zip(&moved).map(|(to, from)| from - to).collect::<Vec<f64>>()
    };
    let square = (0.99 * norm(&plain).powi(2) + norm(&at_one).powi(2)) / 1.99;
    for ((two, one), g) in two.iter().zip(first.iter().zip(start()).map(|(m, s)| m + s)).zip(&at_one) {
        assert!((one - two - 0.02 * g / square.sqrt()).abs() < 1e-12);
    }
}

fn train(method: &str, loss: &str, eta: f64) -> Train {
    let text = format!(
        r#"{{ "method": {method}, "loss": "{loss}", "step_size": {{ "absolute": {eta} }}, "until": {{ "steps": 10 }} }}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_loss_is_so_many_times_the_other() {
    let (samples, entries) = (of_samples(), of_entries());
    let of =
        |problem| [LossUnits::HalfMean, LossUnits::Mean, LossUnits::HalfSum].map(|l| l.factor(Task::Matrix(problem)));
    // Nine samples of three outputs; seven entries.
    assert!(apart(&of(&samples), &[1.0, 2.0 / 3.0, 9.0]) < 1e-15);
    assert!(apart(&of(&entries), &[1.0, 2.0 / 7.0, 1.0]) < 1e-15);
}

#[test]
fn units_of_the_loss_are_units_of_the_step() {
    let problem = of_samples();
    for text in [r#""gradient-descent""#, r#"{ "heavy-ball": { "momentum": 0.8 } }"#, r#"{ "nesterov": {} }"#] {
        for (loss, c) in [("mean", 2.0 / 3.0), ("half-sum", 9.0)] {
            let train = train(text, loss, 0.01);
            let dynamics = train.dynamics(1.0, train.units(Task::Matrix(&problem)));
            let expected = after(&problem, &train.method, &motion(&train.method, 0.01 * c), 20);
            assert!(apart(&after(&problem, &train.method, &dynamics, 20), &expected) < 1e-13, "{text} {loss}");
        }
    }
}

#[test]
fn units_of_the_loss_are_units_of_epsilon() {
    let problem = of_entries();
    for name in ["group-rmsprop", "adam"] {
        let of = |epsilon: f64| format!(r#"{{ "{name}": {{ "epsilon": {epsilon:e} }} }}"#);
        let published = train(&of(0.1), "mean", 0.01);
        let dynamics = published.dynamics(1.0, published.units(Task::Matrix(&problem)));
        // With ½Σ in place of the mean over m entries, ε is ε·m/2.
        let own = method(&of(0.1 * 7.0 / 2.0));
        let expected = after(&problem, &own, &motion(&own, 0.01), 50);
        assert!(apart(&after(&problem, &published.method, &dynamics, 50), &expected) < 1e-13, "{name}");
    }
}

#[test]
fn relative_steps_know_no_units() {
    let text = r#"{ "loss": "half-sum", "step_size": { "relative": 0.5 }, "until": { "steps": 10 } }"#;
    let train: Train = serde_json::from_str(text).unwrap();
    assert!((train.dynamics(4.0, 9.0).step_size - 0.125).abs() < 1e-15);
}
