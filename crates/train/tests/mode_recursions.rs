//! Modes that move by themselves, against the full loop.

use taut_numerics::{DMatrix, DVector, normal, stream};
use taut_problem::{
    Average, Clock, DeepLinear, Dynamics, MatrixProblem, Moments, Observed, ParametrizationKind, Passage, Schedule,
    Task, TestOver, Trajectory,
};
use taut_train::{Lane, Method, ModeRecursion, Stepped};

fn orthonormal(rows: usize, columns: usize, seed: u64) -> DMatrix<f64> {
    let mut draws = stream(seed, "matrix", 0);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws)).qr().q()
}

/// Syx = U·diag(s)·Vᵀ, and the factors R_{l+1}·diag(a_l)·R_lᵀ.
fn aligned(sizes: &[usize], s: &[f64], strength: impl Fn(usize, usize) -> f64) -> (MatrixProblem, Vec<f64>) {
    let frames: Vec<DMatrix<f64>> =
        sizes.iter().enumerate().map(|(l, size)| orthonormal(*size, s.len(), l as u64)).collect();
    let diagonal = |of: &dyn Fn(usize) -> f64| DMatrix::from_diagonal(&DVector::from_fn(s.len(), |i, _| of(i)));
    let depth = sizes.len() - 1;
    let factor = |l: usize| &frames[l + 1] * diagonal(&|i| strength(l, i)) * frames[l].transpose();
    let start = (0..depth).flat_map(|l| factor(l).as_slice().to_vec()).collect();
    let syx = &frames[depth] * diagonal(&|i| s[i]) * frames[0].transpose();
    let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None });
    let (inputs, outputs) = (sizes[0], sizes[depth]);
    (MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Entries, law: None }, start)
}

fn kind(sizes: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(&sizes[1..sizes.len() - 1]))
}

/// The largest difference of factors and predictors along the way.
fn apart(sizes: &[usize], s: &[f64], strength: impl Fn(usize, usize) -> f64, text: &str, shape: &Dynamics) -> f64 {
    let (problem, start) = aligned(sizes, s, strength);
    let method: Method = serde_json::from_str(text).unwrap();
    let dynamics = Dynamics { motion: method.optimizer().motion(), ..shape.clone() };
    let (task, kind, levels) = (Task::Matrix(&problem), kind(sizes), [0.9, 0.1]);
    let lane = Lane { task, dynamics: &dynamics, start: &start, replicate: 0 };
    let mut full = Stepped::new(&[lane], 1, &kind, &method, 0, &levels);
    let mut modes = ModeRecursion::new(task, &kind, &dynamics, &method, &start, &levels).unwrap();
    let mut worst = 0.0_f64;
    for step in (0..=1000).step_by(50) {
        full.advance_to(Clock::Step(step));
        modes.advance_to(Clock::Step(step));
        let (a, b) = (full.snapshot(), modes.snapshot());
        for (a, b) in a.theta.iter().chain(a.predictor).zip(b.theta.iter().chain(b.predictor)) {
            worst = worst.max((a - b).abs());
        }
    }
    for level in levels {
        assert_eq!(full.first_passage(0, level), modes.first_passage(0, level), "{text}");
        assert_eq!(full.at_passage(0, level).is_some(), modes.at_passage(0, level).is_some());
    }
    assert!(matches!(full.first_passage(0, 0.9), Passage::At(_)), "{text}");
    worst
}

#[test]
fn modes_by_themselves_are_the_full_loop() {
    let ridge = serde_json::from_str(r#"{ "ridge": 0.01 }"#).unwrap();
    let plain = Dynamics::descent(0.02);
    let shaped = Dynamics {
        penalty: ridge,
        schedule: Schedule::InverseSqrt,
        warm_up: 20,
        average: Average::All,
        ..Dynamics::descent(0.1)
    };
    for text in [
        r#""gradient-descent""#,
        r#"{ "heavy-ball": { "momentum": 0.8 } }"#,
        r#"{ "nesterov": { "momentum": 0.8 } }"#,
        r#"{ "nesterov": { "form": "ahead" } }"#,
        // Without an ε of this size it ends in a motion that enlarges rounding.
        r#"{ "group-rmsprop": { "epsilon": 1.0 } }"#,
    ] {
        for dynamics in [&plain, &shaped] {
            // Balanced and not, equal and unequal singular values, a null mode, signs, unequal widths.
            let balanced = apart(&[6, 8, 5], &[3.0, 1.5, 0.5], |_, _| 0.1, text, dynamics);
            let uneven = |l: usize, i: usize| 0.3 + 0.1 * l as f64 - 0.07 * i as f64;
            let deep = apart(&[5, 6, 4, 7], &[2.0, 1.0, 1.0, 0.0], uneven, text, dynamics);
            // Equal singular values and equal strengths: any basis of their space is as good.
            let tree = apart(&[7, 7, 7], &[2.0, 1.0, 1.0, 0.5, 0.5, 0.5], |_, _| 0.05, text, dynamics);
            let worst = balanced.max(deep).max(tree);
            assert!(worst < 1e-12, "{text}: {balanced:e} {deep:e} {tree:e}");
        }
    }
}

#[test]
fn a_start_off_the_diagonal_is_refused_with_its_number() {
    let sizes = [4, 4, 3];
    let (problem, mut start) = aligned(&sizes, &[2.0, 1.0], |_, _| 0.1);
    let of = |start: &[f64], dynamics: &Dynamics| {
        let task = Task::Matrix(&problem);
        ModeRecursion::new(task, &kind(&sizes), dynamics, &Method::GradientDescent, start, &[])
    };
    assert!(of(&start, &Dynamics::descent(0.1)).is_ok());
    assert!(of(&start, &Dynamics::flow()).is_err());
    let noise = serde_json::from_str(r#"{ "gradient": 0.1 }"#).unwrap();
    assert!(of(&start, &Dynamics { noise, ..Dynamics::descent(0.1) }).is_err());
    start[3] += 1e-3;
    let reason = of(&start, &Dynamics::descent(0.1)).err().unwrap();
    assert!(reason.contains("off the diagonal") && reason.contains("e-"), "{reason}");
    start.fill(0.0);
    assert!(of(&start, &Dynamics::descent(0.1)).err().unwrap().contains("no mode moves"));
}
