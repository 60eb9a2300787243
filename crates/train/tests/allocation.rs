//! Nothing is allocated on the way: everything that moves has its memory when it is built.

#![allow(unsafe_code)] // `GlobalAlloc` is an unsafe trait; counting its calls is the only way to see them

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::everything::{METHODS, aligned_start, kinds, matrix_problems, problem};
use taut_numerics::ThinSvd;
use taut_problem::{
    Average, Clock, Dropout, Dynamics, MaskKind, Motion, ParametrizationKind, Probability, Schedule, Task, Trajectory,
};
use taut_train::{AdaptiveFlow, DualFlow, Lane, Method, ModeRecursion, RiccatiFlow, SpectralPath, Stepped, TOLERANCE};

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
    for (text, mask) in METHODS.iter().flat_map(|text| [(text, MaskKind::Features), (text, MaskKind::Weights)]) {
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

#[test]
fn no_parametrization_and_no_objective_allocates_on_the_way() {
    let sgd: Method = serde_json::from_str(r#"{ "sgd": { "batch": 2 } }"#).unwrap();
    for (kind, problem) in kinds().iter().flat_map(|kind| matrix_problems().into_iter().map(move |p| (kind, p))) {
        if kind.misfit(problem.inputs, problem.outputs).is_some() {
            continue;
        }
        let start = vec![0.1; kind.parameters(problem.inputs, problem.outputs)];
        let by_rows = problem.outputs == 1;
        let method = if by_rows { sgd } else { Method::GradientDescent };
        let dynamics = Dynamics { batch: method.optimizer().batch(), ..Dynamics::descent(1e-3) };
        let lane = Lane { task: Task::Matrix(&problem), dynamics: &dynamics, start: &start, replicate: 0 };
        for lanes in [1, 3, 8] {
            let mut path = Stepped::new(&[lane], lanes, kind, &method, 0, &[0.5, 0.1]).with_ledger();
            let counted = allocations(|| {
                (1..=5).for_each(|k| path.advance_to(Clock::Step(20 * k)));
                assert!(path.snapshot().lanes == lanes && path.diverged(0).is_none());
            });
            assert_eq!(counted, 0, "{kind:?}, {lanes} lanes");
        }
    }
}

#[test]
fn no_flow_that_is_followed_allocates_on_the_way() {
    let dynamics = Dynamics::flow();
    let times = |path: &mut dyn Trajectory| {
        allocations(|| (1..=50).for_each(|k| path.advance_to(Clock::Time(0.1 * f64::from(k)))))
    };
    for (kind, problem) in kinds().iter().flat_map(|kind| matrix_problems().into_iter().map(move |p| (kind, p))) {
        if kind.misfit(problem.inputs, problem.outputs).is_some() {
            continue;
        }
        let (task, start) = (Task::Matrix(&problem), vec![0.1; kind.parameters(problem.inputs, problem.outputs)]);
        let levels = [0.6, 0.5, 0.4];
        let mut path = AdaptiveFlow::new(task, kind, &dynamics, &start, 1e-6, &levels).unwrap();
        assert_eq!(times(&mut path), 0, "{kind:?}");
        if let Ok(mut path) = DualFlow::new(task, kind, &dynamics, &start, TOLERANCE, &levels) {
            assert_eq!(times(&mut path), 0, "{kind:?}");
        }
    }
}

#[test]
fn no_closed_form_of_factors_allocates_on_the_way() {
    let kind: ParametrizationKind = serde_json::from_str(r#"{ "deep-linear": { "widths": [10] } }"#).unwrap();
    let problem = &matrix_problems()[1];
    let task = Task::Matrix(problem);
    let start = aligned_start();
    let mut exact = RiccatiFlow::new(task, &kind, &Dynamics::flow(), &start, &[0.5]).unwrap();
    let counted = allocations(|| (1..=50).for_each(|k| exact.advance_to(Clock::Time(0.1 * f64::from(k)))));
    assert_eq!(counted, 0);
    let descent = Dynamics::descent(0.01);
    let mut modes = ModeRecursion::new(task, &kind, &descent, &Method::GradientDescent, &start, &[0.5]).unwrap();
    assert_eq!(allocations(|| (1..=50).for_each(|k| modes.advance_to(Clock::Step(10 * k)))), 0);
}
