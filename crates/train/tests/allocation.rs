//! Nothing is allocated on the way: everything that moves has its memory when it is built.

#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait; counting its calls is the only way to see them

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use taut_numerics::ThinSvd;
use taut_problem::{
    Average, Basis, Clock, Degree, Dropout, Dynamics, FeatureMap, MaskKind, Motion, NonNegative, ParametrizationKind,
    Polynomial, Probability, Regression, Schedule, Task, Trajectory,
};
use taut_train::{Lane, Method, SpectralPath, Stepped};

/// The system's allocator with a count per thread, so that tests side by side do not disturb each other.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nobody who asks.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to `System` unchanged; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often memory was asked for.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

fn problem(n: usize, degree: f64) -> Regression {
    let degree = Degree::try_from(degree).unwrap();
    let map = Polynomial { basis: Basis::Legendre, degree, decay: NonNegative::default(), constant: true };
    let features: Arc<dyn FeatureMap> = Arc::new(map);
    let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
    let y = x.iter().map(|x| x.cos()).collect();
    Regression::new(x, y, None, features)
}

#[test]
fn the_counter_counts() {
    let mut kept = Vec::new();
    assert!(allocations(|| kept.push(vec![0.0; 100])) >= 2);
    assert_eq!(allocations(|| kept[0].fill(1.0)), 0);
}

#[test]
fn a_thousand_steps_allocate_nothing() {
    for (lanes, n, degree) in [(8, 10, 50.0), (1, 10, 50.0), (3, 7, 5.0), (1, 100, 60.0)] {
        let problem = problem(n, degree);
        let start = vec![0.1; problem.feature_count()];
        // One lane diverges and one passes its levels on the way: both are written without memory.
        let mut dynamics = vec![Dynamics::descent(0.01); lanes];
        dynamics[0].step_size = 10.0;
        let lane = |dynamics| Lane { task: Task::Rows(&problem), dynamics, start: &start, replicate: 0 };
        let given: Vec<Lane<'_>> = dynamics.iter().map(lane).collect();
        let parametrization = &ParametrizationKind::Direct;
        let mut path = Stepped::new(&given, lanes, parametrization, &Method::GradientDescent, 0, &[0.5, 0.1, 1e-2]);
        let counted = allocations(|| {
            for step in (100..=1000).step_by(100) {
                path.advance_to(Clock::Step(step));
                assert!(path.snapshot().lanes == lanes);
            }
        });
        assert_eq!(counted, 0, "{lanes} lanes, {n} points, degree {degree}");
        assert!(path.diverged(0).is_some());
    }
}

#[test]
fn a_closed_form_allocates_nothing() {
    for (n, degree) in [(10, 50.0), (60, 8.0), (1, 0.0)] {
        let problem = problem(n, degree);
        let svd = ThinSvd::new(problem.design.as_view());
        let start = vec![0.1; problem.feature_count()];
        for method in [Dynamics::descent(0.1), Dynamics::flow()] {
            let mut path = SpectralPath::new(&problem, &svd, &method, &start);
            let counted = allocations(|| {
                for k in 0..50 {
                    let is_flow = method.motion == Motion::Flow;
                    path.advance_to(if is_flow { Clock::Time((1_u64 << k) as f64) } else { Clock::Step(1 << k) });
                }
                path.advance_to(Clock::Limit);
            });
            assert_eq!(counted, 0, "{method:?}, {n} points, degree {degree}");
        }
    }
}

/// Every motion with everything that can be drawn, masked, penalised and averaged.
#[test]
fn no_optimizer_and_no_noise_allocates_on_the_way() {
    let problem = problem(9, 6.0);
    let start = vec![0.1; problem.feature_count()];
    let methods = [
        r#""gradient-descent""#,
        r#"{ "heavy-ball": { "momentum": 0.5 } }"#,
        r#"{ "nesterov": {} }"#,
        r#"{ "sgd": { "batch": 2 } }"#,
        r#"{ "sgd": { "batch": 4, "replacement": false } }"#,
        r#"{ "adam": {} }"#,
    ];
    for (text, mask) in methods.iter().flat_map(|text| [(text, MaskKind::Features), (text, MaskKind::Weights)]) {
        let method: Method = serde_json::from_str(text).unwrap();
        let noise = r#"{ "labels": 0.1, "gradient": 0.1, "curvature": 0.1 }"#;
        let penalty = r#"{ "ridge": 0.1, "l1": 0.01, "bending": 1e-6 }"#;
        for marginal in [false, true] {
            let dynamics = Dynamics {
                motion: method.optimizer().motion(),
                batch: method.optimizer().batch(),
                noise: serde_json::from_str(noise).unwrap(),
                penalty: serde_json::from_str(penalty).unwrap(),
                dropout: Some(Dropout { keep: Probability::try_from(0.8).unwrap(), mask, marginal }),
                average: Average::All,
                schedule: Schedule::InverseSqrt,
                warm_up: 10,
                ..Dynamics::descent(0.01)
            };
            let lane = Lane { task: Task::Rows(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
            let parametrization = &ParametrizationKind::Direct;
            let mut path = Stepped::new(&[lane], 3, parametrization, &method, 0, &[0.5, 0.1]);
            let counted = allocations(|| {
                for step in (50..=500).step_by(50) {
                    path.advance_to(Clock::Step(step));
                    assert!(path.snapshot().lanes == 3 && path.diverged(0).is_none());
                }
            });
            assert_eq!(counted, 0, "{text}");
        }
    }
}

#[test]
fn no_response_allocates_on_the_way() {
    let problem = problem(9, 6.0);
    let svd = ThinSvd::new(problem.design.as_view());
    let start = vec![0.1; problem.feature_count()];
    let penalty = r#"{ "ridge": 0.1, "bending": 1e-6 }"#;
    for motion in [Motion::Descent, Motion::HeavyBall(0.5), Motion::Nesterov(Some(0.5)), Motion::Nesterov(None)] {
        for schedule in [Schedule::Constant, Schedule::InverseSqrt] {
            let penalty = serde_json::from_str(penalty).unwrap();
            let dynamics = Dynamics { motion, schedule, penalty, ..Dynamics::descent(0.01) };
            let mut path = SpectralPath::new(&problem, &svd, &dynamics, &start);
            let counted = allocations(|| {
                (0..15).for_each(|k| path.advance_to(Clock::Step(1 << k)));
                path.advance_to(Clock::Limit);
            });
            assert_eq!(counted, 0, "{motion:?} {schedule:?}");
        }
    }
}
