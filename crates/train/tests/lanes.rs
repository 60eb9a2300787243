//! A lane has the same bits alone as among others, which is what lets a sweep choose how many go side by side.

mod support;

use support::everything::{METHODS, kinds, matrix_problems, problem};
use taut_problem::{Clock, Dynamics, MatrixProblem, Observed, ParametrizationKind, Task, Trajectory};
use taut_train::{Lane, Method, Stepped};

/// A problem of the same kind as those of the list, three times as large, so that single lanes go by blocks.
fn larger(problem: &MatrixProblem) -> Option<MatrixProblem> {
    let repeat = |m: &taut_numerics::DMatrix<f64>| {
        taut_numerics::DMatrix::from_fn(3 * m.nrows(), 3 * m.ncols(), |i, j| {
            m[(i % m.nrows(), j % m.ncols())] + (0.1 * i as f64 - 0.2 * j as f64).sin()
        })
    };
    let observed = match &problem.observed {
        Observed::Moments(moments) if moments.sxx.is_none() => {
            let mut larger = moments.clone();
            larger.syx = repeat(&moments.syx);
            Observed::Moments(larger)
        }
        Observed::Moments(moments) => {
            let samples = moments.samples.as_ref()?;
            let (x, y) = (repeat(&samples.x), repeat(&samples.y));
            Observed::Moments(std::sync::Arc::new(taut_problem::MatrixSamples { x, y }).moments())
        }
        Observed::Entries(entries) => {
            let mut larger = entries.clone();
            larger.target = repeat(&entries.target);
            Observed::Entries(larger)
        }
        Observed::Measurements(_) => return None,
    };
    let (inputs, outputs) = (3 * problem.inputs, 3 * problem.outputs);
    Some(MatrixProblem { inputs, outputs, observed, teacher: None, test: problem.test.clone(), law: None })
}

#[test]
fn a_lane_has_the_same_bits_alone() {
    let problems = matrix_problems();
    let all = problems.iter().cloned().chain(problems.iter().filter_map(larger));
    let mut tried = 0;
    for problem in all {
        let task = Task::Matrix(&problem);
        let (inputs, outputs) = (problem.inputs, problem.outputs);
        for kind in kinds().into_iter().filter(|kind| kind.misfit(inputs, outputs).is_none()) {
            for text in METHODS.iter().filter(|text| outputs == 1 || !text.contains("sgd")) {
                same_bits(task, &kind, &serde_json::from_str(text).unwrap());
                tried += 1;
            }
        }
    }
    let rows = problem(21, 40.0);
    for kind in kinds().into_iter().filter(|kind| kind.misfit(41, 1).is_none()) {
        METHODS.iter().for_each(|text| same_bits(Task::Rows(&rows), &kind, &serde_json::from_str(text).unwrap()));
    }
    assert!(tried > 200, "{tried}");
}

fn same_bits(task: Task<'_>, kind: &ParametrizationKind, method: &Method) {
    let optimizer = method.optimizer();
    let shape = task.shape(1);
    let parameters = kind.parameters(shape.inputs, shape.outputs);
    let step = 0.2 / task.reference_curvature(kind);
    let dynamics: Vec<Dynamics> = (0..8)
        .map(|lane| Dynamics {
            motion: optimizer.motion(),
            batch: optimizer.batch(),
            ..Dynamics::descent(step * (1.0 + 0.1 * f64::from(lane)))
        })
        .collect();
    let start = |lane: usize| -> Vec<f64> { (0..parameters).map(|i| 0.1 * ((i * (lane + 2)) as f64).sin()).collect() };
    let starts: Vec<Vec<f64>> = (0..8).map(start).collect();
    let lane = |i: usize| Lane { task, dynamics: &dynamics[i], start: &starts[i], replicate: i as u64 };
    let run = |lanes: &[Lane<'_>], width: usize| {
        let mut path = Stepped::new(lanes, width, kind, method, 7, &[0.5]);
        path.advance_to(Clock::Step(40));
        let of = |lane: usize| -> Vec<u64> {
            let snapshot = path.snapshot();
            let own = |all: &[f64]| all.iter().skip(lane).step_by(width).map(|x| x.to_bits()).collect::<Vec<_>>();
            let passed = format!("{:?}", path.first_passage(lane, 0.5)).bytes().map(u64::from).collect();
            [own(snapshot.theta), own(snapshot.predictor), passed].concat()
        };
        (0..lanes.len()).map(of).collect::<Vec<_>>()
    };
    let all: Vec<Lane<'_>> = (0..8).map(lane).collect();
    let together = run(&all, 8);
    for (i, together) in together.iter().enumerate() {
        let [alone] = &run(&[lane(i)], 1)[..] else { unreachable!("one lane was given") };
        assert!(together == alone, "{} by {} at lane {i}, {shape:?}", kind.name(), method.name());
    }
}
