//! Flows that are followed: against closed forms, references, and each other.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::sync::Arc;
use support::{deep_linear, number, tensors};
use taut_numerics::{DMatrix, normal, stream};
use taut_problem::{
    Clock, DeepLinear, Dynamics, HadamardPower, MatrixProblem, MatrixSamples, Moments, Observed, ParametrizationKind,
    Passage, Samples, Task, TestOver, Trajectory,
};
use taut_train::{AdaptiveFlow, DualFlow, Lane, Method, RiccatiFlow, Stepped, TOLERANCE};

fn problem(moments: Moments) -> MatrixProblem {
    let (outputs, inputs) = moments.syx.shape();
    let (observed, test) = (Observed::Moments(moments), TestOver::Entries);
    MatrixProblem { inputs, outputs, observed, teacher: None, test, law: None }
}

fn whitened(syx: DMatrix<f64>) -> MatrixProblem {
    problem(Moments { sxx: None, syx, trace_syy: None, samples: None })
}

fn of_samples(x: DMatrix<f64>, y: DMatrix<f64>) -> MatrixProblem {
    problem(Arc::new(MatrixSamples { x, y }).moments())
}

fn factors(widths: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(widths))
}

fn squares() -> ParametrizationKind {
    ParametrizationKind::HadamardPower(HadamardPower { depth: Samples::try_from(2.0).unwrap() })
}

/// Five rows of ten inputs.
fn rows() -> MatrixProblem {
    let given = tensors("c06_diagonal_inputs");
    let y = given.get("y").unwrap();
    of_samples(given.get("X").unwrap().transpose(), DMatrix::from_row_slice(1, y.len(), y.as_slice()))
}

fn gaussian(rows: usize, columns: usize, scale: f64, seed: u64) -> DMatrix<f64> {
    let mut draws = stream(seed, "matrix", 0);
    DMatrix::from_fn(rows, columns, |_, _| scale * normal(&mut draws))
}

fn flow(problem: &MatrixProblem, kind: &ParametrizationKind, start: &[f64], levels: &[f64]) -> AdaptiveFlow {
    AdaptiveFlow::new(Task::Matrix(problem), kind, &Dynamics::flow(), start, TOLERANCE, levels).unwrap()
}

fn predictor(path: &mut dyn Trajectory, t: f64) -> Vec<f64> {
    path.advance_to(Clock::Time(t));
    path.snapshot().predictor.to_vec()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn balanced_modes_follow_their_sigmoids() {
    let given = tensors("c01_two_layer_spectral_inputs");
    let problem = whitened(given.get("Syx").unwrap().clone());
    let kind = factors(&[6]);
    let mut path = flow(&problem, &kind, &given.parameters(&kind.tensors(5, 4)).unwrap(), &[]);
    let mut worst = 0.0_f64;
    for row in deep_linear("c01_two_layer_spectral_traj") {
        let w = predictor(&mut path, 0.005 * number(&row, "step"));
        let w = DMatrix::from_column_slice(4, 5, &w);
        for i in 0..3 {
            let u = given.get("U").unwrap().column(i).dot(&(&w * given.get("V").unwrap().column(i)));
            worst = worst.max((u - number(&row, &format!("flow_u{}", i + 1))).abs());
        }
    }
    eprintln!("sigmoids: {worst:.1e} after {} gradients", path.gradient_evaluations().unwrap());
    // Some hundred steps of 1e-9 each, and growth by a thousand in between.
    assert!(worst < 1e-6, "{worst:e}");
}

#[test]
fn the_exact_flow_of_two_factors_replays_the_reference() {
    let given = tensors("c08_riccati_inputs");
    let table = deep_linear("c08_riccati_qqT");
    let mut worst = [0.0_f64; 2];
    for case in ["zero", "pos", "neg"] {
        let of = |name: &str| given.get(&format!("{case}_{name}")).unwrap();
        let (problem, kind) = (whitened(of("Syx").clone()), factors(&[of("W1").nrows()]));
        let start = [of("W1").as_slice(), of("W2").as_slice()].concat();
        let task = Task::Matrix(&problem);
        let mut path = RiccatiFlow::new(task, &kind, &Dynamics::flow(), &start, &[]).unwrap();
        let mut adaptive = flow(&problem, &kind, &start, &[]);
        let (inputs, width) = (problem.inputs, of("W1").nrows());
        let q_of = |theta: &[f64]| {
            let (w1, w2) = theta.split_at(inputs * width);
            let mut q = DMatrix::zeros(inputs + problem.outputs, width);
            q.rows_mut(0, inputs).copy_from(&DMatrix::from_column_slice(width, inputs, w1).transpose());
            q.rows_mut(inputs, problem.outputs).copy_from_slice(w2);
            &q * q.transpose()
        };
        for row in table.iter().filter(|row| row["case"] == case) {
            let (t, exact) = (Clock::Time(number(row, "t")), number(row, "value"));
            let place = (number(row, "row") as usize, number(row, "col") as usize);
            path.advance_to(t);
            adaptive.advance_to(t);
            worst[0] = worst[0].max((q_of(path.snapshot().theta)[place] - exact).abs());
            worst[1] = worst[1].max((q_of(adaptive.snapshot().theta)[place] - exact).abs());
        }
    }
    eprintln!("c08: {:.1e} in closed form, {:.1e} by steps", worst[0], worst[1]);
    // The tables are exact to 4e-14; a flow by steps has 1e-9 in each.
    assert!(worst[0] < 1e-12 && worst[1] < 1e-7, "{worst:?}");
}

#[test]
fn the_dual_flow_is_the_flow_of_the_factors() {
    let problem = rows();
    for alpha in [1.0, 0.1, 1e-3, 1e-6, 1e-12] {
        let start = vec![alpha; 2 * problem.inputs];
        let (task, dynamics) = (Task::Matrix(&problem), Dynamics::flow());
        let mut dual = DualFlow::new(task, &squares(), &dynamics, &start, TOLERANCE, &[1e-2]).unwrap();
        let mut path = flow(&problem, &squares(), &start, &[1e-2]);
        let mut worst = 0.0_f64;
        for t in [0.1, 1.0, 3.0, 10.0, 30.0, 60.0, 200.0] {
            worst = worst.max(distance(&predictor(&mut dual, t), &predictor(&mut path, t)));
            let (a, b) = (dual.snapshot().theta, path.snapshot().theta);
            let relative = a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
            worst = worst.max(relative);
        }
        let passages = [dual.first_passage(0, 1e-2), path.first_passage(0, 1e-2)];
        let [Passage::At(Clock::Time(a)), Passage::At(Clock::Time(b))] = passages else { panic!("{passages:?}") };
        let counts = [dual.gradient_evaluations().unwrap(), path.gradient_evaluations().unwrap()];
        eprintln!("α = {alpha:e}: {worst:.1e}, passages at {a:.6} and {b:.6}, gradients {counts:?}");
        // Errors of 1e-9 per step, in exponents that are multiplied by up to ln(1/α) = 28, over a thousand steps.
        assert!(worst < 1e-6, "{alpha:e}: {worst:e}");
        assert!((a / b - 1.0).abs() < 1e-6);
    }
}

/// ln(u/v) of every coordinate is −4∫g, so jumps come at multiples of ln(1/α).
#[test]
fn starts_far_below_the_smallest_number_jump_at_the_same_times() {
    let problem = rows();
    let (task, dynamics) = (Task::Matrix(&problem), Dynamics::flow());
    let mut all: Vec<Vec<f64>> = Vec::new();
    for ln_alpha in [-1e2_f64, -1e3, -1e4] {
        let scale = -ln_alpha;
        let mut dual = DualFlow::of_logarithms(task, &dynamics, &[ln_alpha; 10], TOLERANCE, &[]).unwrap();
        let states: Vec<f64> =
            [0.3, 0.6, 0.9, 1.5, 2.5, 4.0].iter().flat_map(|t| predictor(&mut dual, t * scale)).collect();
        assert!(states.iter().all(|beta| beta.is_finite()) && states.iter().any(|beta| beta.abs() > 0.01));
        all.push(states);
        eprintln!("ln α = {ln_alpha:e}: {} gradients", dual.gradient_evaluations().unwrap());
    }
    // Jumps in units of ln(1/α) are off their limits by about 1/ln(1/α).
    let [far, near] = [distance(&all[0], &all[1]), distance(&all[1], &all[2])];
    assert!(near < 0.2 * far && near < 0.05, "{far} {near}");
    let tiny = vec![1e-150; 20];
    let mut by_number = DualFlow::new(task, &squares(), &dynamics, &tiny, TOLERANCE, &[]).unwrap();
    let mut by_logarithm = DualFlow::of_logarithms(task, &dynamics, &[1e-150_f64.ln(); 10], TOLERANCE, &[]).unwrap();
    assert_eq!(predictor(&mut by_number, 500.0), predictor(&mut by_logarithm, 500.0));
}

/// The step that descent would need for the same accuracy, from the error at a step where it is still O(η).
#[test]
fn plateaus_are_crossed_with_a_hundredth_of_the_gradients_of_descent() {
    let syx = DMatrix::from_diagonal(&taut_numerics::DVector::from_column_slice(&[2.0, 1.0]));
    let problem = whitened(syx);
    let (kind, alpha) = (factors(&[2]), 1e-12_f64);
    let start = [alpha, 0.0, 0.0, alpha, alpha, 0.0, 0.0, alpha];
    let sigmoid = |s: f64, t: f64| s / (1.0 + (s / (alpha * alpha) - 1.0) * (-2.0 * s * t).exp());
    // Both modes are on their way up at half of their logarithms.
    let [first, second] = [2.0, 1.0].map(|s: f64| (s / (alpha * alpha)).ln() / (2.0 * s));
    let mut path = flow(&problem, &kind, &start, &[]);
    let mut error = 0.0_f64;
    for t in [first, first + 0.5, 0.5 * (first + second), second, second + 1.0] {
        let w = predictor(&mut path, t);
        error = error.max((w[0] - sigmoid(2.0, t)).abs()).max((w[3] - sigmoid(1.0, t)).abs());
    }
    let eta = 1e-4;
    let dynamics = Dynamics::descent(eta);
    let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
    let mut descent = Stepped::new(&[lane], 1, &kind, &Method::GradientDescent, 0, &[]);
    let steps = (second / eta).round();
    descent.advance_to(Clock::Step(steps as u64));
    let of_descent = (descent.snapshot().predictor[3] - sigmoid(1.0, steps * eta)).abs();
    let needed = steps * of_descent / 1e-6;
    let count = path.gradient_evaluations().unwrap();
    eprintln!("error {error:.1e} with {count} gradients; descent: {of_descent:.1e} in {steps}, {needed:.1e} for 1e-6");
    assert!(error < 1e-6, "{error:e}");
    assert!(needed > 100.0 * count as f64);
}

#[test]
fn a_random_start_of_any_scale_is_followed() {
    let (syx, kind) = (gaussian(4, 5, 1.0, 1), factors(&[6, 6]));
    let problem = whitened(syx);
    for (scale, end) in [(0.3, 100.0), (1e-2, 200.0), (1e-3, 1500.0)] {
        let start: Vec<f64> = gaussian(6 * (5 + 6 + 4), 1, scale, 2).as_slice().to_vec();
        let mut path = flow(&problem, &kind, &start, &[1e-6]);
        path.advance_to(Clock::Time(end));
        let passage = path.first_passage(0, 1e-6);
        eprintln!("scale {scale:e}: {passage:?}, {} gradients", path.gradient_evaluations().unwrap());
        assert!(matches!(passage, Passage::At(_)) && path.diverged(0).is_none());
    }
}

/// The end is the identity, which two modes of unequal starts approach along the diagonals of the square: the entries
/// off its diagonal fall to what rounding leaves of sums of order 1, far below the start.
#[test]
fn entries_that_are_nothing_but_rounding_do_not_stop_the_flow() {
    let (problem, kind) = (whitened(DMatrix::identity(2, 2)), factors(&[2]));
    for alpha in [1e-3, 1e-9, 1e-12] {
        let factor = [1.1 * alpha, 0.3 * alpha, 0.3 * alpha, 1.1 * alpha];
        let mut path = flow(&problem, &kind, &[factor, factor].concat(), &[1e-8]);
        path.advance_to(Clock::Time(100.0));
        let count = path.gradient_evaluations().unwrap();
        eprintln!("α = {alpha:e}: {:?}, {count} gradients", path.first_passage(0, 1e-8));
        assert!(path.diverged(0).is_none() && distance(path.snapshot().predictor, &[1.0, 0.0, 0.0, 1.0]) < 1e-8);
        assert!(count < 10_000, "{count}");
    }
}

#[test]
fn save_times_and_levels_leave_the_steps_alone() {
    let (problem, kind) = (rows(), squares());
    let start = vec![0.01; 20];
    let mut plain = flow(&problem, &kind, &start, &[]);
    let mut watched = flow(&problem, &kind, &start, &[0.3, 1e-2, 1e-5]);
    (1..1000).for_each(|k| watched.advance_to(Clock::Time(0.03 * f64::from(k))));
    assert_eq!(predictor(&mut plain, 30.0), predictor(&mut watched, 30.0));
    assert_eq!(plain.gradient_evaluations().unwrap(), watched.gradient_evaluations().unwrap());
    let mut late = flow(&problem, &kind, &start, &[1e-2]);
    late.advance_to(Clock::Time(1e2));
    assert_eq!(watched.first_passage(0, 1e-2), Passage::NotYet);
    (31..=100).for_each(|t| watched.advance_to(Clock::Time(f64::from(t))));
    assert!(matches!(late.first_passage(0, 1e-2), Passage::At(_)));
    assert_eq!(late.first_passage(0, 1e-2), watched.first_passage(0, 1e-2));
}

#[test]
fn a_level_is_passed_where_the_residual_says_so() {
    let (problem, kind) = (whitened(DMatrix::from_element(1, 1, 2.0)), ParametrizationKind::Direct);
    let mut path = flow(&problem, &kind, &[0.0], &[0.5, 1e-4]);
    path.advance_to(Clock::Time(1.0));
    assert_eq!(path.first_passage(0, 0.5), Passage::NotYet);
    path.advance_to(Clock::Time(20.0));
    // The residual is 2·exp(−t).
    for level in [0.5, 1e-4] {
        let Passage::At(Clock::Time(t)) = path.first_passage(0, level) else { panic!() };
        // An error of 1e-9·θ in each of some steps is 1e-9·θ/level in time.
        assert!((t - (2.0_f64 / level).ln()).abs() < 10.0 * TOLERANCE * 2.0 / level, "{t}");
        let (at, _) = path.at_passage(0, level).unwrap();
        assert!((2.0 - at[0] - level).abs() < 1e-9);
    }
}

#[test]
fn a_start_that_is_not_finite_has_diverged() {
    let problem = rows();
    let mut path = flow(&problem, &squares(), &[f64::NAN; 20], &[]);
    path.advance_to(Clock::Time(1.0));
    assert_eq!(path.diverged(0), Some(Clock::Time(0.0)));
    assert!(path.snapshot().theta[0].is_nan());
}

#[test]
fn a_ridge_shrinks_factors_as_fast_as_it_says() {
    // Without a pull the penalty is all there is but a cubic term that is as small as the start.
    let (problem, kind) = (whitened(DMatrix::zeros(2, 2)), factors(&[2]));
    let start = gaussian(8, 1, 1e-6, 3).as_slice().to_vec();
    let penalty = serde_json::from_str(r#"{ "ridge": 0.7 }"#).unwrap();
    let dynamics = Dynamics { penalty, ..Dynamics::flow() };
    let mut path = AdaptiveFlow::new(Task::Matrix(&problem), &kind, &dynamics, &start, TOLERANCE, &[]).unwrap();
    path.advance_to(Clock::Time(3.0));
    for (theta, start) in path.snapshot().theta.iter().zip(&start) {
        assert!((theta / start / (-2.1_f64).exp() - 1.0).abs() < 1e-7);
    }
}

#[test]
fn exact_flows_refuse_what_they_do_not_know() {
    let refusal = |result: Result<RiccatiFlow, String>| result.err().unwrap();
    let problem = whitened(gaussian(3, 4, 1.0, 4));
    let dynamics = Dynamics::flow();
    let start = gaussian(2 * 7, 1, 0.3, 5).as_slice().to_vec();
    let of = |problem, kind: &ParametrizationKind, start: &[f64]| {
        refusal(RiccatiFlow::new(Task::Matrix(problem), kind, &dynamics, start, &[]))
    };
    assert!(of(&problem, &factors(&[2]), &start).contains("‖W₂ᵀW₂ − W₁W₁ᵀ − λI‖ is "));
    assert!(of(&problem, &factors(&[2, 2]), &start).contains("two factors"));
    let skewed = of_samples(gaussian(4, 9, 1.0, 6), gaussian(3, 9, 1.0, 7));
    assert!(of(&skewed, &factors(&[2]), &start).contains("‖Sxx − I‖ is "));
    let of = |start: &[f64], kind: &ParametrizationKind| {
        DualFlow::new(Task::Matrix(&rows()), kind, &dynamics, start, TOLERANCE, &[]).err().unwrap()
    };
    assert!(of(&[0.1; 20], &ParametrizationKind::HadamardProduct).contains("depth 2"));
    assert!(of(&[-0.1; 20], &squares()).contains("u = v > 0"));
    let descent = Dynamics::descent(0.1);
    let adaptive = AdaptiveFlow::new(Task::Matrix(&rows()), &squares(), &descent, &[0.1; 20], TOLERANCE, &[]);
    assert!(adaptive.err().unwrap().contains("only a gradient flow"));
}
