//! Exact reductions against the networks that they stand for.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::sync::Arc;
use support::{Row, number, table};
use taut_numerics::{DMatrix, ThinSvd, normal, stream};
use taut_problem::{
    Batch, Clock, DeepLinear, Dynamics, Entries, Identity, MatrixProblem, MatrixSamples, Moments, Motion, Noise,
    NonNegative, Observed, ParametrizationKind, Penalty, Positive, PowerDecay, Reduced, Regression, Rows, Schedule,
    Shape, Task, TestOver, Trajectory, observation_components, reduce, rescaled,
};
use taut_train::{Lane, Lifted, Method, Stepped};

const STEPS: u64 = 6000;

fn gaussian(rows: usize, columns: usize, name: &str) -> DMatrix<f64> {
    let mut draws = stream(5, name, 0);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws))
}

fn of_samples(x: DMatrix<f64>, y: DMatrix<f64>) -> MatrixProblem {
    let (inputs, outputs) = (x.nrows(), y.nrows());
    let observed = Observed::Moments(Arc::new(MatrixSamples { x, y }).moments());
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Inputs(None), law: None }
}

fn whitened(syx: DMatrix<f64>) -> MatrixProblem {
    let (outputs, inputs) = syx.shape();
    let trace_syy = Some(syx.norm_squared());
    let observed = Observed::Moments(Moments { sxx: None, syx, trace_syy, samples: None });
    MatrixProblem { inputs, outputs, observed, teacher: None, test: TestOver::Inputs(None), law: None }
}

/// Gaussian factors of these sizes, entries of W_l with variance scale²/d_{l−1}.
fn factors(sizes: &[usize], scale: f64) -> Vec<DMatrix<f64>> {
    let factor = |pair: &[usize]| gaussian(pair[1], pair[0], "factor") * (scale / (pair[0] as f64).sqrt());
    sizes.windows(2).map(factor).collect()
}

fn theta(factors: &[DMatrix<f64>]) -> Vec<f64> {
    factors.iter().flat_map(|factor| factor.as_slice().to_vec()).collect()
}

fn rotation(size: usize, scale: f64) -> DMatrix<f64> {
    gaussian(size, size, "rotation").qr().q() * scale
}

fn network(sizes: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(&sizes[1..sizes.len() - 1]))
}

fn method(text: &str) -> Method {
    serde_json::from_str(text).unwrap()
}

fn non_negative(value: f64) -> NonNegative {
    NonNegative::try_from(value).unwrap()
}

/// The loss over all rows.
fn loss(problem: &MatrixProblem, beta: &[f64]) -> f64 {
    let mut objective = MatrixProblem::objective(&[problem], 1, false);
    let (mut loss, mut g) = ([0.0], vec![0.0; beta.len()]);
    objective.loss_and_grad_into(beta, Rows::All, &mut loss, &mut g);
    loss[0]
}

struct Case {
    name: &'static str,
    problem: MatrixProblem,
    sizes: Vec<usize>,
    start: Vec<DMatrix<f64>>,
    smaller: Vec<usize>,
}

fn cases() -> Vec<Case> {
    let case = |name, problem, sizes: &[usize], start, smaller: &[usize]| Case {
        name,
        problem,
        sizes: sizes.to_vec(),
        start,
        smaller: smaller.to_vec(),
    };
    let few = || of_samples(gaussian(12, 4, "x"), gaussian(3, 4, "y"));
    let syx = |outputs, inputs| gaussian(outputs, 2, "u") * gaussian(2, inputs, "v") / 6.0;
    let sizes = [8, 20, 20, 20, 3];
    let hidden = |first, second| {
        let mut start = factors(&[8, 20, 20, 20, 3], 0.6);
        (start[1], start[2]) = (first, second);
        start
    };
    let many = || of_samples(gaussian(8, 30, "x"), gaussian(3, 30, "y"));
    let identity = DMatrix::identity(20, 20);
    vec![
        case("row-space", few(), &[12, 7, 6, 3], factors(&[12, 7, 6, 3], 0.8), &[4, 7, 6, 3]),
        case("principal-inputs", many(), &[8, 6, 5, 8, 3], factors(&[8, 6, 5, 8, 3], 0.6), &[8, 6, 5, 8, 3]),
        case("hidden-span", many(), &[8, 30, 3], factors(&[8, 30, 3], 0.5), &[8, 11, 3]),
        case("row-space and hidden-span", few(), &[12, 30, 3], factors(&[12, 30, 3], 0.5), &[4, 7, 3]),
        case("orthogonal", many(), &sizes, hidden(rotation(20, 1.1), rotation(20, 0.7)), &[8, 11, 11, 11, 3]),
        case("identity", few_of(8), &sizes, hidden(identity.clone(), identity * 0.9), &[4, 7, 7, 7, 3]),
        case("low-rank", whitened(syx(14, 15)), &[15, 4, 4, 14], factors(&[15, 4, 4, 14], 0.5), &[6, 4, 4, 6]),
        case(
            "low-rank, samples",
            of_samples(gaussian(6, 20, "x"), gaussian(25, 1, "u") * gaussian(1, 20, "v")),
            &[6, 3, 25],
            factors(&[6, 3, 25], 0.5),
            &[6, 3, 4],
        ),
    ]
}

fn few_of(inputs: usize) -> MatrixProblem {
    of_samples(gaussian(inputs, 4, "x"), gaussian(3, 4, "y"))
}

fn motions() -> Vec<(&'static str, Method, Dynamics)> {
    let decay = Penalty { ridge: non_negative(0.01), ..Penalty::default() };
    let schedule = Schedule::Power(PowerDecay { exponent: Positive::try_from(0.2).unwrap(), delay: None });
    let plain = |text| (method(text), Dynamics { motion: method(text).optimizer().motion(), ..Dynamics::descent(0.0) });
    let (descent, ball) = (r#""gradient-descent""#, r#"{ "heavy-ball": { "momentum": 0.9 } }"#);
    let mut motions = Vec::new();
    for (name, text, penalty) in [
        ("descent", descent, Penalty::default()),
        ("heavy ball", ball, Penalty::default()),
        ("heavy ball with decay", ball, decay),
        ("descent with decay", descent, decay),
        ("nesterov with decay", r#"{ "nesterov": { "momentum": 0.9 } }"#, decay),
        ("accelerated with decay", r#"{ "nesterov": {} }"#, decay),
    ] {
        let (method, dynamics) = plain(text);
        motions.push((name, method, Dynamics { penalty, ..dynamics }));
    }
    let (method, dynamics) = plain(ball);
    motions.push(("scheduled", method, Dynamics { penalty: decay, schedule, warm_up: 10, ..dynamics }));
    motions
}

/// Largest difference of weights, and of losses relative to the start, along both runs.
fn differences(case: &Case, kind: &ParametrizationKind, method: &Method, dynamics: &Dynamics) -> [f64; 2] {
    let start = theta(&case.start);
    let lane = Lane { task: Task::Matrix(&case.problem), dynamics, start: &start, replicate: 0 };
    let mut full = Stepped::new(&[lane], 1, kind, method, 1, &[]);
    let mut lifted = Lifted::new(&[lane], 1, kind, method, 1, &[]).expect("there is a reduction");
    let small = lifted.reductions().next().unwrap();
    assert_eq!(small.applied.last().unwrap().to, case.smaller, "{}", case.name);
    let at_start = loss(&case.problem, full.snapshot().predictor);
    let mut worst = [0.0_f64; 2];
    for k in (0..=STEPS).step_by(500) {
        full.advance_to(Clock::Step(k));
        lifted.advance_to(Clock::Step(k));
        let (a, b) = (full.snapshot(), lifted.snapshot());
        let off = a.theta.iter().zip(b.theta).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let losses = (loss(&case.problem, a.predictor) - loss(&case.problem, b.predictor)).abs() / at_start;
        worst = [worst[0].max(off), worst[1].max(losses)];
    }
    let moved = full.snapshot().theta.iter().zip(&start).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(moved > 0.1, "{} does not move", case.name);
    worst
}

#[test]
fn small_networks_move_as_those_they_stand_for() {
    for (motion, method, dynamics) in motions() {
        for case in cases() {
            let kind = network(&case.sizes);
            let scale = 0.1 / Task::Matrix(&case.problem).reference_curvature(&kind);
            let momentum = if dynamics.motion == Motion::Descent { 1.0 } else { 0.3 };
            let dynamics = Dynamics { step_size: scale * momentum, ..dynamics.clone() };
            let [weights, losses] = differences(&case, &kind, &method, &dynamics);
            eprintln!("{motion}, {}: weights {weights:.1e}, loss {losses:.1e}", case.name);
            // Rounding errors of 6000 steps.
            assert!(weights < 1e-11 && losses < 1e-12, "{motion}, {}: {weights:e} {losses:e}", case.name);
        }
    }
}

/// The draws are the same: rows are seen in another basis.
#[test]
fn batches_of_rows_reduce_with_their_rows() {
    let sizes = [12, 20, 1];
    let problem = of_samples(gaussian(12, 5, "x"), gaussian(1, 5, "y"));
    let start = theta(&factors(&sizes, 0.6));
    let method = method(r#"{ "sgd": { "batch": 2 } }"#);
    let noise = Noise { labels: non_negative(0.1), ..Noise::default() };
    let batch = Some(Batch { size: 2, replacement: true });
    let dynamics = Dynamics { batch, noise, ..Dynamics::descent(0.003) };
    let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &start, replicate: 3 };
    let mut full = Stepped::new(&[lane], 1, &network(&sizes), &method, 1, &[]);
    let mut lifted = Lifted::new(&[lane], 1, &network(&sizes), &method, 1, &[]).unwrap();
    assert_eq!(lifted.reductions().next().unwrap().applied.last().unwrap().to, [5, 6, 1]);
    full.advance_to(Clock::Step(STEPS));
    lifted.advance_to(Clock::Step(STEPS));
    for (a, b) in full.snapshot().theta.iter().zip(lifted.snapshot().theta) {
        assert!((a - b).abs() < 1e-11, "{a} {b}");
    }
}

#[test]
fn a_regression_on_all_its_rows_becomes_its_moments() {
    let x = gaussian(60, 4, "x");
    let y = (&x * gaussian(4, 1, "teacher") + gaussian(60, 1, "noise") * 0.3).as_slice().to_vec();
    let problem = Regression::from_inputs(&x, y, Arc::new(Identity { count: 4 }));
    let sizes = [4, 5, 3, 1];
    let (kind, start, dynamics) = (network(&sizes), theta(&factors(&sizes, 0.8)), Dynamics::descent(0.02));
    let lane = Lane { task: Task::Rows(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
    let mut full = Stepped::new(&[lane], 1, &kind, &Method::GradientDescent, 1, &[]);
    let mut lifted = Lifted::new(&[lane], 1, &kind, &Method::GradientDescent, 1, &[]).unwrap();
    let names: Vec<&str> = lifted.reductions().next().unwrap().applied.iter().map(|applied| applied.name).collect();
    assert_eq!(names, ["second-moments", "principal-inputs"]);
    full.advance_to(Clock::Step(STEPS));
    lifted.advance_to(Clock::Step(STEPS));
    for (a, b) in full.snapshot().theta.iter().zip(lifted.snapshot().theta) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn passages_are_those_of_the_full_network() {
    for case in cases() {
        let (kind, start) = (network(&case.sizes), theta(&case.start));
        let decay = Penalty { ridge: non_negative(1e-3), ..Penalty::default() };
        let step_size = 0.1 / Task::Matrix(&case.problem).reference_curvature(&kind);
        let dynamics = Dynamics { penalty: decay, ..Dynamics::descent(step_size) };
        let lane = Lane { task: Task::Matrix(&case.problem), dynamics: &dynamics, start: &start, replicate: 0 };
        let at_start = loss(&case.problem, &kind.predictor(&start, case.problem.inputs, case.problem.outputs));
        let level = (1.8 * at_start / case.problem.outputs as f64).sqrt();
        let run = |path: &mut dyn Trajectory| {
            path.advance_to(Clock::Step(1000));
            (path.first_passage(0, level), path.at_passage(0, level).expect("it learns").0)
        };
        let full = run(&mut Stepped::new(&[lane], 8, &kind, &Method::GradientDescent, 1, &[level]));
        let small = run(&mut Lifted::new(&[lane], 8, &kind, &Method::GradientDescent, 1, &[level]).unwrap());
        assert_eq!(full.0, small.0, "{}", case.name);
        assert!(full.1.iter().zip(&small.1).all(|(a, b)| (a - b).abs() < 1e-12), "{}", case.name);
    }
}

#[test]
fn lanes_of_different_small_shapes_do_not_meet() {
    let sizes = [12, 30, 3];
    let problems = [4, 3, 4].map(|n| of_samples(gaussian(12, n, "x"), gaussian(3, n, "y")));
    let start = theta(&factors(&sizes, 0.5));
    let dynamics = Dynamics::descent(0.01);
    let lane = |problem| Lane { task: Task::Matrix(problem), dynamics: &dynamics, start: &start, replicate: 0 };
    let run = |lanes: &[Lane<'_>]| {
        let mut path = Lifted::new(lanes, 8, &network(&sizes), &Method::GradientDescent, 1, &[]).unwrap();
        path.advance_to(Clock::Step(200));
        path.snapshot().theta.to_vec()
    };
    let together = run(&[lane(&problems[0]), lane(&problems[1]), lane(&problems[2])]);
    for (i, problem) in problems.iter().enumerate() {
        let own: Vec<f64> = together.iter().skip(i).step_by(3).copied().collect();
        assert_eq!(own, run(&[lane(problem)]), "lane {i}");
    }
}

#[test]
fn what_is_not_exact_or_saves_nothing_is_refused() {
    let case = &cases()[2];
    let (kind, start) = (network(&case.sizes), theta(&case.start));
    let task = Task::Matrix(&case.problem);
    let with = |dynamics: &Dynamics| reduce(task, &kind, &start, dynamics).is_some();
    let plain = Dynamics::descent(0.1);
    let penalty = |ridge, l1| Penalty { ridge: non_negative(ridge), l1: non_negative(l1), ..Penalty::default() };
    assert!(with(&plain) && with(&Dynamics { penalty: penalty(0.1, 0.0), ..plain.clone() }));
    assert!(with(&Dynamics { motion: Motion::Other("group-rmsprop"), ..plain.clone() }));
    let decaying = Dynamics { penalty: penalty(0.1, 0.0), ..plain.clone() };
    assert!(!with(&Dynamics { motion: Motion::Other("group-rmsprop"), ..decaying }));
    assert!(!with(&Dynamics { motion: Motion::Other("adam"), ..plain.clone() }));
    assert!(!with(&Dynamics { penalty: penalty(0.0, 0.1), ..plain.clone() }));
    let noise = Noise { gradient: non_negative(0.1), ..Noise::default() };
    assert!(!with(&Dynamics { noise, ..plain.clone() }));

    // Gaussian hidden factors, and a network that is small already, with inputs on their principal axes.
    let many = whitened(gaussian(3, 8, "y"));
    for sizes in [vec![8, 20, 20, 20, 3], vec![8, 9, 3]] {
        let start = theta(&factors(&sizes, 0.5));
        assert!(reduce(Task::Matrix(&many), &network(&sizes), &start, &plain).is_none());
    }
}

/// A start of 1e-9 beside data of size 1 spans directions of its own.
#[test]
fn tiny_starts_are_not_lost_beside_the_data() {
    let sizes = [15, 4, 14];
    let problem = whitened(gaussian(14, 2, "u") * gaussian(2, 15, "v"));
    let start = theta(&factors(&sizes, 1e-9));
    let reduced = reduce(Task::Matrix(&problem), &network(&sizes), &start, &Dynamics::descent(0.1)).unwrap();
    assert_eq!(reduced.applied[0].to, [6, 4, 6]);
    let mut back = vec![0.0; start.len()];
    reduced.lift_into(&reduced.start, 1.0, &mut back);
    assert!(back.iter().zip(&start).all(|(a, b)| (a - b).abs() < 1e-23));
}

fn tensor(rows: &[Row], name: &str) -> DMatrix<f64> {
    let own = || rows.iter().filter(|row| row["tensor"] == name);
    let last = |column| own().map(|row| number(row, column) as usize).max().unwrap() + 1;
    let mut matrix = DMatrix::zeros(last("row"), last("col"));
    own().for_each(|row| matrix[(number(row, "row") as usize, number(row, "col") as usize)] = number(row, "value"));
    matrix
}

/// loss, sv1, sv2, sv3, fro_W1, fro_W2, imbalance_21.
fn columns(problem: &MatrixProblem, theta: &[f64], [inputs, hidden, outputs]: [usize; 3]) -> [f64; 7] {
    let (first, second) = theta.split_at(inputs * hidden);
    let (w1, w2) =
        (DMatrix::from_column_slice(hidden, inputs, first), DMatrix::from_column_slice(outputs, hidden, second));
    let product = &w2 * &w1;
    let s = ThinSvd::new(product.as_view()).all;
    let gap = (w2.tr_mul(&w2) - &w1 * w1.transpose()).norm();
    [loss(problem, product.as_slice()), s[0], s[1], s[2], w1.norm(), w2.norm(), gap]
}

#[test]
fn the_reference_pair_is_met() {
    let inputs = table("../deep_linear/c10_reduction_inputs");
    let problem = of_samples(tensor(&inputs, "X"), tensor(&inputs, "Y"));
    let start = theta(&[tensor(&inputs, "W1"), tensor(&inputs, "W2")]);
    let (kind, dynamics) = (network(&[9, 14, 3]), Dynamics::descent(0.02));
    let task = Task::Matrix(&problem);
    let reduced: Reduced = reduce(task, &kind, &start, &dynamics).unwrap();
    let lane = Lane { task, dynamics: &dynamics, start: &start, replicate: 0 };
    let small = Lane { task: Task::Matrix(&reduced.problem), start: &reduced.start, ..lane };
    let descent = Method::GradientDescent;
    let mut full = Stepped::new(&[lane], 1, &kind, &descent, 1, &[]);
    let mut lifted = Lifted::new(&[lane], 1, &kind, &descent, 1, &[]).unwrap();
    let mut small = Stepped::new(&[small], 1, &reduced.parametrization, &descent, 1, &[]);
    let names = ["loss", "sv1", "sv2", "sv3", "fro_W1", "fro_W2", "imbalance_21"];
    let tables = [table("../deep_linear/c10_reduction_full_traj"), table("../deep_linear/c10_reduction_reduced_traj")];
    let mut worst = [0.0_f64; 3];
    for (of_full, of_small) in tables[0].iter().zip(&tables[1]) {
        let clock = Clock::Step(number(of_full, "step") as u64);
        full.advance_to(clock);
        lifted.advance_to(clock);
        small.advance_to(clock);
        let whole =
            [&full as &dyn Trajectory, &lifted].map(|path| columns(&problem, path.snapshot().theta, [9, 14, 3]));
        let little = columns(&reduced.problem, small.snapshot().theta, [4, 7, 3]);
        for (rows, found, which) in [(of_full, whole[0], 0), (of_full, whole[1], 0), (of_small, little, 1)] {
            for (name, found) in names.iter().zip(found) {
                let exact = number(rows, name);
                let scale = if *name == "loss" { 2.2 } else { 2.4 };
                let off = (found - exact).abs() / (1e-9 * exact.abs() + 1e-12 * scale);
                worst[which] = worst[which].max(off);
                assert!(off <= 1.0, "{name}: {found:e} {exact:e}");
            }
        }
        worst[2] = worst[2].max((whole[0][0] - little[0]).abs() / 2.1);
    }
    eprintln!("c10: {:.1e} and {:.1e} of the tolerance, losses {:.1e} apart", worst[0], worst[1], worst[2]);
    assert!(worst[2] < 1e-12, "{:e}", worst[2]);
    let last = table("../deep_linear/c10_reduction_final");
    let exact = theta(&[tensor(&last, "W1"), tensor(&last, "W2")]);
    let off = exact.iter().zip(lifted.snapshot().theta).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    eprintln!("c10: lifted weights {off:.1e}");
    assert!(off < 1e-11, "{off:e}");
}

#[test]
fn twice_the_weights_are_the_same_training_bit_by_bit() {
    let entries = Entries { target: gaussian(5, 6, "target"), observed: (0..30).step_by(2).collect() };
    let entries = MatrixProblem {
        inputs: 6,
        outputs: 5,
        observed: Observed::Entries(entries),
        teacher: None,
        test: TestOver::Entries,
        law: None,
    };
    let samples = of_samples(gaussian(6, 9, "x"), gaussian(5, 9, "y"));
    for problem in [entries, samples, whitened(gaussian(5, 6, "target"))] {
        for sizes in [vec![6, 7, 5], vec![6, 7, 4, 5]] {
            for text in [r#""gradient-descent""#, r#"{ "heavy-ball": { "momentum": 0.9 } }"#] {
                let (kind, method) = (network(&sizes), method(text));
                let start = theta(&factors(&sizes, 0.5));
                let run = |problem: &MatrixProblem, start: &[f64], step_size: f64| {
                    let dynamics = Dynamics { motion: method.optimizer().motion(), ..Dynamics::descent(step_size) };
                    let lane = Lane { task: Task::Matrix(problem), dynamics: &dynamics, start, replicate: 0 };
                    let mut path = Stepped::new(&[lane], 1, &kind, &method, 1, &[]);
                    path.advance_to(Clock::Step(2000));
                    path.snapshot().theta.to_vec()
                };
                let once = run(&problem, &start, 0.004);
                let (doubled, start, step_size) = rescaled(&problem, &start, 0.004, sizes.len() - 1, 2.0);
                let twice = run(&doubled, &start, step_size);
                assert!(once.iter().all(|t| t.is_finite()));
                assert!(once.iter().zip(&twice).all(|(a, b)| (2.0 * a).to_bits() == b.to_bits()));
            }
        }
    }
}

/// The Hessian of the loss in θ, column by column.
fn hessian(problem: &MatrixProblem, kind: &ParametrizationKind, theta: &[f64]) -> DMatrix<f64> {
    let shape = Shape { inputs: problem.inputs, outputs: problem.outputs, lanes: 1 };
    let mut map = kind.build(shape);
    let mut objective = MatrixProblem::objective(&[problem], 1, false);
    let slots = || vec![0.0; shape.slots()];
    let (mut beta, mut g, mut tangent, mut g_dot) = (slots(), slots(), slots(), slots());
    let mut gradient = vec![0.0; theta.len()];
    map.predictor_into(theta, &mut beta);
    objective.loss_and_grad_into(&beta, Rows::All, &mut [0.0], &mut g);
    map.pullback_into(theta, &g, &mut gradient);
    let mut all = DMatrix::zeros(theta.len(), theta.len());
    for j in 0..theta.len() {
        let mut v = vec![0.0; theta.len()];
        v[j] = 1.0;
        map.pushforward_into(theta, &v, &mut tangent);
        objective.hessian_apply_into(&tangent, &mut g_dot);
        map.second_pullback_into(theta, &v, &g, &g_dot, all.column_mut(j).as_mut_slice());
    }
    all
}

fn spectrum(matrix: DMatrix<f64>) -> Vec<f64> {
    let mut values = matrix.symmetric_eigenvalues().as_slice().to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// Spectrum = that of the small network, and ±σ(E) with zeros for every hidden unit less.
#[test]
fn a_hidden_unit_less_is_the_gradient_less_in_the_hessian() {
    let sizes = [6, 14, 3];
    let problem = of_samples(gaussian(6, 20, "x"), gaussian(3, 20, "y"));
    for scale in [0.05, 0.8] {
        let (kind, start) = (network(&sizes), theta(&factors(&sizes, scale)));
        let reduced = reduce(Task::Matrix(&problem), &kind, &start, &Dynamics::descent(0.1)).unwrap();
        let less = 14 - reduced.applied.last().unwrap().to[1];
        assert_eq!(less, 5);
        let full = spectrum(hessian(&problem, &kind, &start));
        let small = spectrum(hessian(&reduced.problem, &reduced.parametrization, &reduced.start));
        let beta = kind.predictor(&start, 6, 3);
        let mut g = vec![0.0; 18];
        MatrixProblem::objective(&[&problem], 1, false).loss_and_grad_into(&beta, Rows::All, &mut [0.0], &mut g);
        let s = ThinSvd::new(DMatrix::from_column_slice(3, 6, &g).as_view()).all;
        let mut expected = small.clone();
        for _ in 0..less {
            expected.extend(s.iter().flat_map(|s| [*s, -s]).chain([0.0; 3]));
        }
        expected.sort_by(f64::total_cmp);
        let off = full.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        eprintln!("scale {scale}: Hessian {off:.1e}");
        assert!(full.len() == expected.len() && off < 1e-10, "{off:e}");
        assert!((full.last().unwrap() - small.last().unwrap().max(s[0])).abs() < 1e-10);
    }
}

#[test]
fn components_of_a_completion_train_apart_bit_by_bit() {
    let target = gaussian(6, 7, "target");
    // Rows 0, 2, 4 with columns 0, 3, 6, and rows 1, 3 with columns 1, 2; the others are not seen.
    let seen = |row: usize, column: usize| match column {
        0 | 3 | 6 => [0, 2, 4].contains(&row) && (row + column) % 4 != 1,
        1 | 2 => row == 1 || (row == 3 && column == 2),
        _ => false,
    };
    let observed: Vec<usize> = (0..42).filter(|place| seen(place % 6, place / 6)).collect();
    let entries = Entries { target: target.clone(), observed };
    let of_entries = |entries: Entries| MatrixProblem {
        inputs: entries.target.ncols(),
        outputs: entries.target.nrows(),
        observed: Observed::Entries(entries),
        teacher: None,
        test: TestOver::Entries,
        law: None,
    };
    let width = 5;
    let start = factors(&[7, width, 6], 0.5);
    let run = |entries: &Entries, start: &[DMatrix<f64>]| {
        let (problem, dynamics) = (of_entries(entries.clone()), Dynamics::descent(0.02));
        let theta = theta(start);
        let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &theta, replicate: 0 };
        let kind = network(&[problem.inputs, width, problem.outputs]);
        let mut path = Stepped::new(&[lane], 1, &kind, &Method::GradientDescent, 1, &[]);
        path.advance_to(Clock::Step(3000));
        let (first, second) = path.snapshot().theta.split_at(problem.inputs * width);
        (
            DMatrix::from_column_slice(width, problem.inputs, first),
            DMatrix::from_column_slice(problem.outputs, width, second),
        )
    };
    let whole = run(&entries, &start);
    let components = observation_components(&entries);
    assert_eq!(components.len(), 2);
    for component in components {
        let (rows, columns) = (&component.rows, &component.columns);
        let inside = |place: &usize| {
            let row = rows.iter().position(|row| *row == place % 6)?;
            columns.iter().position(|column| *column == place / 6).map(|column| row + column * rows.len())
        };
        let part = Entries {
            target: target.select_rows(rows).select_columns(columns),
            observed: entries.observed.iter().filter_map(inside).collect(),
        };
        let alone = run(&part, &[start[0].select_columns(columns), start[1].select_rows(rows)]);
        assert_eq!(alone.0, whole.0.select_columns(columns));
        assert_eq!(alone.1, whole.1.select_rows(rows));
    }
}
