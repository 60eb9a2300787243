//! Small fixed pieces of work, one for every kernel: what is timed, and what instructions are counted of.

use std::hint::black_box;
use std::sync::Arc;
use taut_metrics::{Instruments, METRICS, MatrixSetting, MetricDef, Setting, Views, measure, metric};
use taut_numerics::{
    DMatrix, Factor, ThinSvd, lane_product_into, normal, product_into, singular_values_into, stream, subtract_scaled,
};
use taut_problem::{
    Basis, Clock, DeepLinear, Dynamics, Entries, FeatureMap, Features, HadamardPower, Identity, MatrixProblem, Moments,
    Observed, ParametrizationKind, Polynomial, Regression, Samples, Snapshots, Target, Task, TestOver, Trajectory,
};
use taut_train::{Lane, Method, Stepped};

/// A piece of work.
pub struct Workload {
    /// What it is called by.
    pub name: &'static str,
    /// Does it so often. What is done once, drawing and allocating, costs the same for any number.
    pub repeat: fn(u64),
}

/// All of them.
pub const WORKLOADS: [Workload; 13] = [
    Workload { name: "product-5-in-lanes", repeat: |times| product(5, 8, times) },
    Workload { name: "product-10-in-lanes", repeat: |times| product(10, 8, times) },
    Workload { name: "product-64", repeat: |times| product(64, 1, times) },
    Workload { name: "product-of-rows", repeat: rows },
    Workload { name: "update-in-lanes", repeat: update },
    Workload { name: "singular-values-64", repeat: values },
    Workload { name: "thin-svd-10-by-51", repeat: design },
    Workload { name: "steps-3-by-10", repeat: |times| steps(&whitened(10), &deep(&[10, 10]), 8, times) },
    Workload { name: "steps-3-by-64", repeat: |times| steps(&whitened(64), &deep(&[64, 64]), 1, times) },
    Workload { name: "steps-completion-100", repeat: |times| steps(&completion(), &deep(&[100, 100]), 1, times) },
    Workload { name: "steps-diagonal-1000", repeat: diagonal },
    Workload { name: "sharpness-10-by-5", repeat: sharpness },
    Workload { name: "metrics-of-curves", repeat: curves },
];

fn gaussian(rows: usize, columns: usize, replicate: u64) -> DMatrix<f64> {
    let mut draws = stream(1, "bench", replicate);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws))
}

fn product(size: usize, lanes: usize, times: u64) {
    let (a, b) = (gaussian(size * size, lanes, 1), gaussian(size * size, lanes, 2));
    let mut c = vec![0.0; size * size * lanes];
    for _ in 0..times {
        let [a, b] = [&a, &b].map(|factor| Factor::new(black_box(factor.as_slice()), size, size));
        lane_product_into(a, b, &mut c, lanes, false);
        black_box(&mut c);
    }
}

fn rows(times: u64) {
    let (a, table) = (gaussian(51, 200, 1), gaussian(301, 51, 2));
    let mut out = vec![0.0; 200 * 301];
    for _ in 0..times {
        product_into(black_box(a.as_slice()), table.as_slice(), &mut out, 51, 301);
        black_box(&mut out);
    }
}

fn update(times: u64) {
    let x = gaussian(300, 8, 1);
    let mut y = vec![0.0; 300 * 8];
    for _ in 0..times {
        subtract_scaled(&[1e-9; 8], black_box(x.as_slice()), &mut y);
        black_box(&mut y);
    }
}

fn values(times: u64) {
    let matrices = gaussian(64 * 64, 8, 1);
    let mut values = vec![0.0; 64 * 8];
    for _ in 0..times {
        singular_values_into(black_box(matrices.as_slice()), [64, 64], &mut values);
        black_box(&values);
    }
}

fn design(times: u64) {
    let matrix = gaussian(10, 51, 1);
    for _ in 0..times {
        black_box(ThinSvd::new(black_box(matrix.as_view())));
    }
}

fn whitened(size: usize) -> MatrixProblem {
    let syx = gaussian(size, size, 1);
    let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None });
    MatrixProblem { inputs: size, outputs: size, observed, teacher: None, test: TestOver::Inputs(None), law: None }
}

fn completion() -> MatrixProblem {
    let target = gaussian(100, 5, 3) * gaussian(5, 100, 4);
    let observed = Observed::Entries(Entries { target, observed: (0..2000).map(|i| i * 5 + i * 7 % 5).collect() });
    MatrixProblem { inputs: 100, outputs: 100, observed, teacher: None, test: TestOver::Entries, law: None }
}

fn deep(widths: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(widths))
}

fn steps(problem: &MatrixProblem, kind: &ParametrizationKind, lanes: usize, times: u64) {
    path(Task::Matrix(problem), kind, lanes, times);
}

fn diagonal(times: u64) {
    let map: Arc<dyn FeatureMap> = Arc::new(Identity { count: 1000 });
    let problem = Regression::from_inputs(&gaussian(100, 1000, 5), gaussian(100, 1, 6).as_slice().to_vec(), map);
    let kind = HadamardPower { depth: Samples::try_from(2.0).expect("2 is a number") };
    path(Task::Rows(&problem), &ParametrizationKind::HadamardPower(kind), 8, times);
}

/// So many steps of all lanes.
fn path(task: Task<'_>, kind: &ParametrizationKind, lanes: usize, times: u64) {
    let shape = task.shape(1);
    let mut draws = stream(1, "start", 0);
    let start: Vec<f64> = (0..kind.parameters(shape.inputs, shape.outputs)).map(|_| 0.1 * normal(&mut draws)).collect();
    let dynamics = Dynamics::descent(1e-6);
    let bundle: Vec<Lane<'_>> =
        (0..lanes as u64).map(|replicate| Lane { task, dynamics: &dynamics, start: &start, replicate }).collect();
    let mut path = Stepped::new(&bundle, lanes, kind, &Method::GradientDescent, 1, &[]);
    path.advance_to(Clock::Step(times));
}

fn sharpness(times: u64) {
    let x = gaussian(5, 50, 1);
    let y = gaussian(1, 5, 2) * &x;
    let observed = Observed::Moments(Arc::new(taut_problem::MatrixSamples { x, y }).moments());
    let test = TestOver::Inputs(None);
    let problem = MatrixProblem { inputs: 5, outputs: 1, observed, teacher: None, test, law: None };
    let (task, kind) = (Task::Matrix(&problem), deep(&[5; 9]));
    let parameters = kind.parameters(5, 1);
    let mut map = kind.build(task.shape(1));
    let (mut draws, mut beta) = (stream(1, "start", 1), vec![0.0; 5]);
    let mut path = Snapshots::of_parameters(5, parameters);
    for _ in 0..10 {
        let theta: Vec<f64> = (0..parameters).map(|_| 0.45 * normal(&mut draws)).collect();
        map.predictor_into(&theta, &mut beta);
        path.push_parameters(&beta, &theta);
    }
    let setting = MatrixSetting::new(task, &kind);
    let wanted = [metric("sharpness").expect("a listed metric")];
    let mut out = Vec::new();
    for _ in 0..times {
        measure(Views { rows: None, matrix: Some(&setting) }, black_box(&path), &wanted, &mut out);
    }
}

fn curves(times: u64) {
    let polynomial = Polynomial {
        basis: Basis::LegendreOrthonormal,
        degree: 50.0.try_into().expect("a degree"),
        decay: 0.0.try_into().expect("not negative"),
        constant: true,
    };
    let features = Features::Polynomial(polynomial).on_curve().expect("a map of one input");
    let x: Vec<f64> = (0..10).map(|i| -0.9 + 0.2 * f64::from(i)).collect();
    let y = x.iter().map(|x| 0.3 + 0.8 * x + (20.0 * x).sin()).collect();
    let target = Target::Line { intercept: 0.3.try_into().expect("finite"), slope: 0.8.try_into().expect("finite") };
    let cell = Regression::new(x, y, Some(target), features.clone());
    let svd = ThinSvd::new(cell.design.as_view());
    let instruments = Instruments::new(&*features);
    let all: Vec<&MetricDef> = METRICS.iter().collect();
    let setting = Setting::new(&instruments, &cell, &svd, &all);
    let mut path = Snapshots::series(cell.feature_count());
    for i in 0..100 {
        let t = 10f64.powf(0.08 * f64::from(i));
        let theta = svd.filtered_solution(&cell.y, |s| -(t * (-(s / svd.s[0]).powi(2)).ln_1p()).exp_m1());
        path.push_series(&theta, 0.0);
    }
    let mut out = Vec::new();
    for _ in 0..times {
        measure(Views { rows: Some(&setting), matrix: None }, black_box(&path), &all, &mut out);
    }
}
