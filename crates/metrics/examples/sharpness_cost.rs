//! Prints what measuring sharpness costs: microseconds per row, on paths of descent from small to interpolating.
//!
//! `cargo run --release -p taut-metrics --example sharpness_cost`; a word after `--` chooses the lines that contain it.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;
use taut_metrics::{METRICS, MatrixSetting, Views, hessian_spectrum, measure, metric};
use taut_numerics::{DMatrix, normal, stream};
use taut_problem::{
    DeepLinear, MatrixProblem, MatrixSamples, Observed, ParametrizationKind, Rows, Shape, Snapshots, Task, TestOver,
};

fn main() {
    for (inputs, outputs, depth, scale) in
        [(5, 1, 10, 0.45), (5, 5, 10, 0.45), (5, 1, 2, 0.1), (5, 5, 3, 0.1), (20, 10, 3, 0.05), (60, 60, 3, 0.01)]
    {
        let name = format!("{inputs} inputs, {outputs} outputs, depth {depth}");
        if std::env::args().nth(1).is_some_and(|wanted| !name.contains(&wanted)) {
            continue;
        }
        let (problem, kind) = model(inputs, outputs, depth);
        let task = Task::Matrix(&problem);
        let rows = path(task, &kind, scale);
        let metrics = [metric("sharpness").expect("a listed metric")];
        let setting = MatrixSetting::new(task, &kind);
        let views = Views { rows: None, matrix: Some(&setting) };
        let mut out = Vec::new();
        let mut best = f64::INFINITY;
        for _ in 0..if inputs > 5 { 1 } else { 3000 } {
            let start = Instant::now();
            measure(views, &rows, &metrics, &mut out);
            best = best.min(start.elapsed().as_secs_f64() * 1e6 / rows.len() as f64);
        }
        let worst = (0..if inputs > 20 { 0 } else { rows.len() }).map(|row| {
            let width = rows.parameters.expect("made of parameters");
            let theta = &rows.theta[row * width..(row + 1) * width];
            let exact = hessian_spectrum(task, &kind, theta)[0];
            (out[0].value(row).expect("measured") / exact - 1.0).abs()
        });
        let worst = worst.fold(0.0, f64::max);
        println!("{name}: {best:.1} µs/row, largest relative error {worst:.1e}");
        let mut line = String::new();
        for metric in METRICS.iter().filter(|metric| metric.of_matrix.is_some()) {
            let start = Instant::now();
            measure(views, &rows, &[metric], &mut out);
            line += &format!("{} {:.2} ", metric.name, start.elapsed().as_secs_f64() * 1e6 / rows.len() as f64);
        }
        println!("    {line}");
    }
}

/// Four samples per input, and square factors but for the last.
fn model(inputs: usize, outputs: usize, depth: usize) -> (MatrixProblem, ParametrizationKind) {
    let mut draws = stream(7, "cost", 0);
    let x = DMatrix::from_fn(inputs, 4 * inputs, |_, _| normal(&mut draws));
    let y = DMatrix::from_fn(outputs, inputs, |_, _| normal(&mut draws)) * &x;
    let observed = Observed::Moments(Arc::new(MatrixSamples { x, y }).moments());
    let problem = MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Inputs(None), law: None };
    (problem, ParametrizationKind::DeepLinear(DeepLinear::of_widths(&vec![inputs; depth - 1])))
}

/// Forty rows of descent.
fn path(task: Task<'_>, kind: &ParametrizationKind, scale: f64) -> Snapshots {
    let Shape { inputs, outputs, .. } = task.shape(1);
    let (mut map, mut objective) = (kind.build(task.shape(1)), Task::objective(&[task], 1, false));
    let parameters = kind.parameters(inputs, outputs);
    let mut draws = stream(7, "cost", 1);
    let mut theta: Vec<f64> = (0..parameters).map(|_| scale * normal(&mut draws)).collect();
    let (mut beta, mut g, mut gradient) =
        (vec![0.0; inputs * outputs], vec![0.0; inputs * outputs], vec![0.0; parameters]);
    let mut out = Snapshots::of_parameters(inputs * outputs, parameters);
    for step in 0..4000 {
        map.predictor_into(&theta, &mut beta);
        if step % 100 == 0 {
            out.push_parameters(&beta, &theta);
        }
        let mut loss = [0.0];
        objective.loss_and_grad_into(&beta, Rows::All, &mut loss, &mut g);
        map.pullback_into(&theta, &g, &mut gradient);
        theta.iter_mut().zip(&gradient).for_each(|(t, g)| *t -= 0.01 * g);
    }
    out
}
