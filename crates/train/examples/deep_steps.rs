//! What a step of the plain loop costs, in microseconds per cell and step.
//!
//! `cargo run --release -p taut-train --example deep_steps`; the best of many short runs, so that other work on the
//! machine does not count. A word after `--` chooses the lines that contain it.

#![allow(clippy::print_stdout)] // it is a report

use std::sync::Arc;
use std::time::Instant;
use taut_numerics::{DMatrix, normal, stream};
use taut_problem::{
    Batch, Clock, DeepLinear, Dynamics, Entries, FeatureMap, HadamardPower, Identity, MatrixProblem, Moments, Observed,
    ParametrizationKind, Regression, Samples, Task, TestOver, Trajectory,
};
use taut_train::{Lane, Method, Stepped};

fn main() {
    let white = |size: usize| whitened(&gaussian(size, size, 1));
    report("depth 3 width 64, one lane", Task::Matrix(&white(64)), &deep(&[64, 64]), 1, None);
    report("depth 3 width 64, eight lanes", Task::Matrix(&white(64)), &deep(&[64, 64]), 8, None);
    report("depth 3 width 10, eight lanes", Task::Matrix(&white(10)), &deep(&[10, 10]), 8, None);
    let narrow = whitened(&gaussian(1, 5, 2));
    report("depth 10 width 5 to one output, eight lanes", Task::Matrix(&narrow), &deep(&[5; 9]), 8, None);
    report("completion 3×100×100, 2000 entries, one lane", Task::Matrix(&completion()), &deep(&[100, 100]), 1, None);
    for (d, n, lanes) in [(30, 20, 8), (1000, 100, 8), (1000, 100, 1)] {
        let problem = regression(n, d);
        let name = format!("u² − v², d = {d}, n = {n}, {lanes} lanes");
        report(&name, Task::Rows(&problem), &diagonal(), lanes, None);
        if lanes > 1 {
            let one = Batch { size: 1, replacement: true };
            report(&format!("{name}, batch of one"), Task::Rows(&problem), &diagonal(), lanes, Some(one));
        }
    }
}

fn gaussian(rows: usize, columns: usize, replicate: u64) -> DMatrix<f64> {
    let mut draws = stream(1, "example", replicate);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws))
}

fn whitened(syx: &DMatrix<f64>) -> MatrixProblem {
    let (outputs, inputs) = syx.shape();
    let observed = Observed::Moments(Moments { sxx: None, syx: syx.clone(), trace_syy: None, samples: None });
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Inputs(None), law: None }
}

fn completion() -> MatrixProblem {
    let target = gaussian(100, 5, 3) * gaussian(5, 100, 4);
    let observed = (0..2000).map(|i| i * 5 + i * 7 % 5).collect();
    let observed = Observed::Entries(Entries { target, observed });
    MatrixProblem { inputs: 100, outputs: 100, observed, teacher: None, test: TestOver::Entries, law: None }
}

fn regression(n: usize, d: usize) -> Regression {
    let map: Arc<dyn FeatureMap> = Arc::new(Identity { count: d });
    Regression::from_inputs(&gaussian(n, d, 5), gaussian(n, 1, 6).as_slice().to_vec(), map)
}

fn deep(widths: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(widths))
}

fn diagonal() -> ParametrizationKind {
    ParametrizationKind::HadamardPower(HadamardPower { depth: Samples::try_from(2.0).expect("2 is a number") })
}

/// Prints the best time of four hundred runs of about a millisecond.
fn report(name: &str, task: Task<'_>, kind: &ParametrizationKind, lanes: usize, batch: Option<Batch>) {
    if std::env::args().nth(1).is_some_and(|wanted| !name.contains(&wanted)) {
        return;
    }
    let shape = task.shape(1);
    let mut draws = stream(1, "start", 0);
    let start: Vec<f64> = (0..kind.parameters(shape.inputs, shape.outputs)).map(|_| 0.1 * normal(&mut draws)).collect();
    let dynamics = Dynamics { batch, ..Dynamics::descent(1e-6) };
    let lane = |replicate| Lane { task, dynamics: &dynamics, start: &start, replicate };
    let bundle: Vec<Lane<'_>> = (0..lanes as u64).map(lane).collect();
    let mut path = Stepped::new(&bundle, lanes, kind, &Method::GradientDescent, 1, &[]);
    let mut step = 0;
    let mut run = |steps: u64| {
        step += steps;
        let clock = Instant::now();
        path.advance_to(Clock::Step(step));
        1e6 * clock.elapsed().as_secs_f64() / steps as f64
    };
    let rough = run(50);
    let steps = ((1e3 / rough) as u64).max(5);
    let best = (0..400).map(|_| run(steps)).fold(f64::INFINITY, f64::min);
    println!("{name:55} {:9.3} µs per cell and step", best / lanes as f64);
}
