//! Every linear motion with every schedule and quadratic penalty: the closed form against the loop.
//!
//! **Tolerance.** As in `agreement.rs`: k steps leave k·eps, here up to 2000·eps/(1 − β) with momentum, and
//! the closed form is off by eps·cond of the (longer) design. 1e-9 of the largest entry holds both.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

use std::sync::Arc;
use taut_numerics::{ThinSvd, normal, stream, uniform};
use taut_problem::{
    Basis, Clock, Dropout, Dynamics, Fraction, MaskKind, Motion, NonNegative, Over, ParametrizationKind, Passage,
    Penalty, Polynomial, Positive, PowerDecay, Probability, Regression, Schedule, StepDecay, Task, Trajectory,
};
use taut_train::{Lane, Method, SpectralPath, Stepped, largest_curvature};

const TOLERANCE: f64 = 1e-9;

fn number<T: TryFrom<f64>>(x: f64) -> T
where
    T::Error: std::fmt::Debug,
{
    T::try_from(x).unwrap()
}

fn problem(n: usize, degree: f64) -> Regression {
    let mut draws = stream(3, "agreement", n as u64);
    let x: Vec<f64> = (0..n).map(|_| 2.0 * uniform(&mut draws) - 1.0).collect();
    let y = x.iter().map(|x| (3.0 * x).sin() + 0.3 * normal(&mut draws)).collect();
    let decay = NonNegative::default();
    let basis = Basis::LegendreOrthonormal;
    Regression::new(x, y, None, Arc::new(Polynomial { basis, degree: number(degree), decay, constant: true }))
}

/// Every way of moving that has a closed form: a method here has one unless its batch or name says no.
fn methods() -> Vec<Method> {
    let text = [
        r#""gradient-descent""#,
        r#"{ "heavy-ball": { "momentum": 0.0 } }"#,
        r#"{ "heavy-ball": { "momentum": 0.5 } }"#,
        r#"{ "heavy-ball": { "momentum": 0.97 } }"#,
        r#"{ "nesterov": { "momentum": 0.0 } }"#,
        r#"{ "nesterov": { "momentum": 0.9 } }"#,
        r#"{ "nesterov": {} }"#,
    ];
    text.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn schedules() -> Vec<(Schedule, u64)> {
    let decay = |exponent, delay| PowerDecay { exponent: number(exponent), delay: Some(number::<Positive>(delay)) };
    vec![
        (Schedule::Constant, 0),
        (Schedule::Constant, 30),
        (Schedule::Inverse, 0),
        (Schedule::InverseSqrt, 7),
        (Schedule::Power(decay(0.7, 10.0)), 0),
        (Schedule::StepDecay(StepDecay { factor: number::<Fraction>(0.5), every: number(40.0) }), 15),
        (Schedule::Cosine(Over { over: number(500.0) }), 0),
        (Schedule::Linear(Over { over: number(300.0) }), 20),
    ]
}

fn penalties() -> Vec<(&'static str, Penalty, Option<Dropout>)> {
    let penalty =
        |ridge: f64, bending: f64| Penalty { ridge: number(ridge), bending: number(bending), ..Penalty::default() };
    let dropout =
        |keep: f64| Some(Dropout { keep: number::<Probability>(keep), mask: MaskKind::Weights, marginal: true });
    vec![
        ("none", penalty(0.0, 0.0), None),
        ("ridge", penalty(0.3, 0.0), None),
        ("bending", penalty(0.0, 1e-4), None),
        ("marginal dropout", penalty(0.0, 0.0), dropout(0.8)),
        ("all", penalty(0.01, 1e-5), dropout(0.9)),
    ]
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(a.len() == b.len() && off.is_finite());
    if off > 0.0 { off / b.iter().fold(0.0, |most, v| f64::max(most, v.abs())) } else { 0.0 }
}

#[test]
fn closed_form_against_loop() {
    let levels = [1.0, 0.3, 0.1, 3e-2];
    let (mut worst, mut passed) = ((0.0, String::new()), 0);
    for (n, degree) in [(6, 9.0), (12, 4.0)] {
        let problem = problem(n, degree);
        let svd = ThinSvd::new(problem.design.as_view());
        let mut draws = stream(3, "start", 0);
        let drawn: Vec<f64> = (0..problem.feature_count()).map(|_| 0.5 * normal(&mut draws)).collect();
        for method in methods() {
            let optimizer = method.optimizer();
            for (schedule, warm_up) in schedules() {
                for (name, penalty, dropout) in penalties() {
                    for start in [&vec![0.0; drawn.len()], &drawn] {
                        let label = format!("{n} points, {method:?}, {schedule:?}, {warm_up}, {name}");
                        let mut dynamics = Dynamics {
                            motion: optimizer.motion(),
                            schedule,
                            warm_up,
                            penalty,
                            dropout,
                            ..Dynamics::descent(1.0)
                        };
                        // Some modes swing and none grows.
                        let share = 0.6 * optimizer.stability().unwrap();
                        dynamics.step_size = share / largest_curvature(&problem, &svd, &dynamics);
                        let mut exact = SpectralPath::new(&problem, &svd, &dynamics, start);
                        let lane = Lane { task: Task::Rows(&problem), dynamics: &dynamics, start, replicate: 0 };
                        let direct = &ParametrizationKind::Direct;
                        let mut stepped = Stepped::new(&[lane], 1, direct, &method, 0, &levels);
                        for step in [0, 1, 2, 39, 41, 700, 2000] {
                            exact.advance_to(Clock::Step(step));
                            stepped.advance_to(Clock::Step(step));
                            let off = distance(exact.snapshot().theta, stepped.snapshot().theta);
                            if off > worst.0 {
                                worst = (off, format!("{label}, step {step}"));
                            }
                            let leapt = exact.at(Clock::Step(step)).0;
                            assert!(distance(&leapt, exact.snapshot().theta) <= 0.0, "{label}: bits of a fresh walk");
                        }
                        for level in levels {
                            let (a, b) = (exact.first_passage(0, level), stepped.first_passage(0, level));
                            match (a, b) {
                                (Passage::At(Clock::Step(k)), Passage::NotYet) => assert!(k > 2000, "{label} {level}"),
                                (Passage::Never, b) => assert_eq!(b, Passage::NotYet, "{label} {level}"),
                                (a, b) => assert_eq!(a, b, "{label}, level {level}"),
                            }
                            passed += usize::from(matches!(b, Passage::At(_)));
                        }
                    }
                }
            }
        }
    }
    eprintln!("closed form against loop: {:.1e} ({}); {passed} passages", worst.0, worst.1);
    assert!(worst.0 < TOLERANCE, "{:e} at {}", worst.0, worst.1);
    assert!(passed > 500, "only {passed} passages were compared");
}

/// The trace of the smoother, against ∂ŷ/∂y by differences of a linear map (exact but for rounding).
#[test]
fn degrees_of_freedom_are_the_trace_of_the_smoother() {
    for (name, penalty, dropout) in penalties() {
        let problem = problem(7, 9.0);
        let svd = ThinSvd::new(problem.design.as_view());
        let mut dynamics = Dynamics { penalty, dropout, ..Dynamics::descent(1.0) };
        dynamics.step_size = 0.9 / largest_curvature(&problem, &svd, &dynamics);
        let theta = |y: &[f64]| {
            let mut moved = problem.clone();
            moved.y = y.to_vec();
            let path = SpectralPath::new(&moved, &svd, &dynamics, &vec![0.0; problem.feature_count()]);
            path.at(Clock::Step(60))
        };
        let trace: f64 = (0..7)
            .map(|i| {
                let mut unit = vec![0.0; 7];
                unit[i] = 1.0;
                let fit = theta(&unit).0;
                problem.design.row(i).iter().zip(&fit).map(|(phi, t)| phi * t).sum::<f64>()
            })
            .sum();
        let freedom = theta(&problem.y).1;
        assert!((trace - freedom).abs() < 1e-11, "{name}: {trace} {freedom}");
    }
}

/// Doubling the steps many times over: 1e12 steps of momentum leave what the slow root says.
#[test]
fn momentum_is_right_at_a_trillion_steps() {
    let problem = problem(4, 3.0);
    let svd = ThinSvd::new(problem.design.as_view());
    let lambda = svd.s[3] * svd.s[3] / 4.0;
    for beta in [0.0, 0.5, 0.9] {
        for motion in [Motion::HeavyBall(beta), Motion::Nesterov(Some(beta))] {
            // So small a step that the slowest mode has gone half-way: x/(1−β)·10¹² = ln 2, up to x.
            let step_size = (1.0 - beta) * 2f64.ln() * 1e-12 / lambda;
            let dynamics = Dynamics { motion, ..Dynamics::descent(step_size) };
            let mut path = SpectralPath::new(&problem, &svd, &dynamics, &[0.0; 4]);
            path.advance_to(Clock::Step(1_000_000_000_000));
            let half = path.snapshot().filters[3];
            // The next order is x·β/(1−β)² ≈ 1e-11.
            assert!((half - 0.5).abs() < 1e-10, "{motion:?}: {half}");
        }
    }
}

#[test]
fn limits_are_where_they_exist_and_nowhere_else() {
    let problem = problem(5, 8.0);
    let svd = ThinSvd::new(problem.design.as_view());
    let step_size = 5.0 / (svd.s[0] * svd.s[0]);
    let interpolant = svd.filtered_solution(&problem.y, |_| 1.0);
    for method in methods() {
        for (schedule, warm_up) in schedules() {
            let motion = method.optimizer().motion();
            let dynamics = Dynamics { motion, schedule, warm_up, ..Dynamics::descent(step_size) };
            let mut path = SpectralPath::new(&problem, &svd, &dynamics, &[0.0; 9]);
            path.advance_to(Clock::Limit);
            let (limit, label) = (path.snapshot().theta.to_vec(), format!("{method:?} {schedule:?}"));
            if schedule.reaches_limit() {
                assert!(distance(&limit, &interpolant) < 1e-12, "{label}");
            } else if motion == Motion::Descent {
                // Steps that add up to a number end on the way.
                let end = path.at(Clock::Step(100_000_000)).0;
                assert!(distance(&limit, &end) < 1e-12 && distance(&limit, &interpolant) > 1e-6, "{label}");
            } else {
                assert_eq!(path.diverged(0), Some(Clock::Limit), "{label}: no formula");
            }
        }
    }
}

#[test]
fn every_method_is_stable_up_to_what_it_says() {
    let problem = problem(5, 3.0);
    let svd = ThinSvd::new(problem.design.as_view());
    for method in methods() {
        let optimizer = method.optimizer();
        let limit = optimizer.stability().unwrap();
        let grows = |relative: f64| {
            let step_size = relative * 5.0 / (svd.s[0] * svd.s[0]);
            let dynamics = Dynamics { motion: optimizer.motion(), ..Dynamics::descent(step_size) };
            let mut path = SpectralPath::new(&problem, &svd, &dynamics, &[1.0; 4]);
            path.advance_to(Clock::Step(50_000));
            let theta = path.snapshot().theta;
            !theta.iter().all(|t| t.abs() < 1e3)
        };
        assert!(!grows(0.99 * limit) && grows(1.01 * limit), "{method:?}: {limit}");
    }
}

/// Ill-conditioned, so that the passages lie far beyond what can be scanned.
#[test]
fn momentum_passes_levels_where_it_says() {
    let problem = problem(7, 9.0);
    let map =
        Polynomial { basis: Basis::Monomial, degree: number(20.0), decay: NonNegative::default(), constant: true };
    let problem = Regression::new(problem.x, problem.y, None, Arc::new(map));
    let svd = ThinSvd::new(problem.design.as_view());
    let residual = |theta: &[f64]| {
        let fit = &problem.design * taut_numerics::DVector::from_column_slice(theta);
        let squares = fit.iter().zip(&problem.y).map(|(f, y)| (f - y).powi(2));
        (squares.sum::<f64>() / 7.0).sqrt()
    };
    let mut far = 0;
    for motion in [Motion::HeavyBall(0.9), Motion::Nesterov(Some(0.99))] {
        let dynamics = Dynamics { motion, ..Dynamics::descent(7.0 / (svd.s[0] * svd.s[0])) };
        let path = SpectralPath::new(&problem, &svd, &dynamics, &[0.1; 21]);
        for level in [0.3, 0.1, 1e-2, 1e-3, 1e-6] {
            let Passage::At(Clock::Step(k)) = path.first_passage(0, level) else { panic!("{motion:?} {level}") };
            let at = |k: u64| residual(&path.at(Clock::Step(k)).0);
            // Rounding of values of order 1 is far below the smallest level's own 1e-9.
            assert!(at(k) <= level * (1.0 + 1e-8), "{motion:?} {level}: {} at {k}", at(k));
            assert!(k == 0 || at(k - 1) > level * (1.0 - 1e-8), "{motion:?} {level}: {} before {k}", at(k - 1));
            far += usize::from(k > 10_000);
        }
        let ridge = Penalty { ridge: number(0.1), ..Penalty::default() };
        let path = SpectralPath::new(&problem, &svd, &Dynamics { penalty: ridge, ..dynamics }, &[0.0; 21]);
        assert!(!matches!(path.first_passage(0, 1e-3), Passage::At(_)), "a ridge leaves more than that");
    }
    assert!(far >= 2, "only {far} passages are far");
}
