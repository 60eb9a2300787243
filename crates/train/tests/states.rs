//! A motion that is saved, built anew and put back goes on with the same bits, whatever it is.

mod support;

use support::everything::{METHODS, aligned_start, kinds, matrix_problems, problem};
use taut_numerics::ThinSvd;
use taut_problem::{
    Average, AverageAfter, Clock, Dropout, Dynamics, MaskKind, MatrixProblem, ParametrizationKind, Passage, Penalty,
    Probability, Schedule, State, StateError, Steps, Task, Trajectory,
};
use taut_train::{
    AdaptiveFlow, DualFlow, Lane, Lifted, Method, ModeRecursion, Moments, OPTIMIZERS, RiccatiFlow, SpectralPath,
    Stepped, TOLERANCE,
};

/// Levels that are passed at the start, on the way and never.
const LEVELS: [f64; 5] = [10.0, 0.6, 0.4, 0.3, 1e-30];

/// Where paths are looked at, and left and taken up again: between two looks of a stochastic motion as well.
const STEPS: [u64; 6] = [0, 1, 7, 8, 31, 60];

type Built = Box<dyn Trajectory>;

/// All that can be seen of a trajectory, bit by bit.
fn look(path: &dyn Trajectory) -> Vec<u64> {
    let snapshot = path.snapshot();
    let clock = |clock: Clock| match clock {
        Clock::Step(step) => step,
        Clock::Time(time) => time.to_bits(),
        Clock::Limit => u64::MAX,
    };
    let mut seen = vec![clock(snapshot.clock), path.gradient_evaluations().unwrap_or(u64::MAX)];
    for numbers in [snapshot.theta, snapshot.predictor, snapshot.covariance, snapshot.ledger] {
        seen.extend(numbers.iter().map(|number| number.to_bits()));
    }
    for lane in 0..path.lanes() {
        seen.extend(path.diverged(lane).map(clock));
        for level in LEVELS {
            seen.push(if let Passage::At(at) = path.first_passage(lane, level) { clock(at) } else { u64::MAX });
            let (theta, freedom) = path.at_passage(lane, level).unwrap_or_default();
            seen.extend(theta.into_iter().chain([freedom]).map(f64::to_bits));
        }
    }
    seen
}

/// Goes along the clocks, and again with a break at each of them.
fn breaks_do_not_show(name: &str, clocks: &[Clock], build: &dyn Fn() -> Built) {
    let mut undisturbed = build();
    let seen: Vec<Vec<u64>> = clocks.iter().map(|clock| at(&mut *undisturbed, *clock)).collect();
    rests_do_not_show(name, clocks, &seen, build);
    for (place, clock) in clocks.iter().enumerate() {
        let mut first = build();
        assert_eq!(at(&mut *first, *clock), seen[place], "{name}: save times change nothing");
        let kept = first.state().expect("it keeps a state").as_bytes().to_vec();
        drop(first);
        let (mut second, state) = (build(), State::from_bytes(kept));
        if place % 2 == 1 {
            // A path that has been elsewhere is as good as a new one.
            second.advance_to(clocks[clocks.len() - 1]);
        }
        second.restore(&state).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(look(&*second) == seen[place], "{name}: at {clock:?} itself");
        assert!(second.state() == Some(state), "{name}: the state at {clock:?}");
        for (clock, seen) in clocks.iter().zip(&seen).skip(place + 1) {
            assert!(at(&mut *second, *clock) == *seen, "{name}: from {:?} to {clock:?}", clocks[place]);
        }
    }
}

/// Goes along the clocks with a rest after every few steps, and a break at some of the rests.
fn rests_do_not_show(name: &str, clocks: &[Clock], seen: &[Vec<u64>], build: &dyn Fn() -> Built) {
    let (mut path, mut rests) = (build(), 0);
    for (clock, seen) in clocks.iter().zip(seen) {
        while !path.advance_towards(*clock, 3) {
            rests += 1;
            if rests % 7 == 1 {
                let state = path.state().expect("it keeps a state");
                path = build();
                path.restore(&state).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        assert!(look(&*path) == *seen, "{name}: rests on the way to {clock:?}");
    }
    assert!(rests > 3, "{name}: {rests} rests");
}

fn at(path: &mut dyn Trajectory, clock: Clock) -> Vec<u64> {
    path.advance_to(clock);
    look(path)
}

fn steps() -> Vec<Clock> {
    STEPS.map(Clock::Step).to_vec()
}

fn times() -> Vec<Clock> {
    [0.0, 1e-3, 0.1, 0.5, 0.51, 3.0, 9.0].map(Clock::Time).to_vec()
}

/// So many lanes with step sizes and replicates of their own; the last of eight diverges.
fn lanes<'a>(task: Task<'a>, dynamics: &'a [Dynamics], start: &'a [f64]) -> Vec<Lane<'a>> {
    (0..).zip(dynamics).map(|(replicate, dynamics)| Lane { task, dynamics, start, replicate }).collect()
}

fn sizes(dynamics: &Dynamics, count: usize) -> Vec<Dynamics> {
    let factor = |lane: usize| if lane == 7 { 1e6 } else { 1.0 + 0.1 * lane as f64 };
    (0..count).map(|lane| Dynamics { step_size: factor(lane) * dynamics.step_size, ..dynamics.clone() }).collect()
}

fn averages() -> [Average; 3] {
    let after = AverageAfter { steps: Steps::try_from(20.0).unwrap() };
    [Average::None, Average::All, Average::After(after)]
}

fn penalty(text: &str) -> Penalty {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_optimizer_is_gone_through() {
    let stepped = OPTIMIZERS.iter().filter(|entry| entry.name != "gradient-flow");
    assert!(stepped.into_iter().all(|entry| METHODS.iter().any(|text| text.contains(entry.name))));
}

/// Every optimizer with everything that is drawn, masked, penalised and averaged.
#[test]
fn motions_on_rows() {
    let problem = problem(9, 6.0);
    let start = vec![0.1; problem.feature_count()];
    let dropout = |mask, marginal| Some(Dropout { keep: Probability::try_from(0.8).unwrap(), mask, marginal });
    let masks = [
        None,
        dropout(MaskKind::Features, false),
        dropout(MaskKind::Weights, false),
        dropout(MaskKind::Features, true),
    ];
    let noises = ["{}", r#"{ "labels": 0.1, "gradient": 0.1, "curvature": 0.1 }"#];
    let penalties = ["{}", r#"{ "ridge": 0.1, "l1": 0.01, "bending": 1e-6 }"#];
    for text in METHODS {
        let method: Method = serde_json::from_str(text).unwrap();
        for (dropout, noise) in masks.iter().flat_map(|mask| noises.map(|noise| (*mask, noise))) {
            for (penalties, average) in penalties.iter().flat_map(|text| averages().map(|a| (penalty(text), a))) {
                let dynamics = Dynamics {
                    motion: method.optimizer().motion(),
                    batch: method.optimizer().batch(),
                    noise: serde_json::from_str(noise).unwrap(),
                    penalty: penalties,
                    schedule: Schedule::InverseSqrt,
                    warm_up: 10,
                    dropout,
                    average,
                    ..Dynamics::descent(0.2)
                };
                for count in [1, 8] {
                    let all = sizes(&dynamics, count);
                    let build = || -> Built {
                        let lanes = lanes(Task::Rows(&problem), &all, &start);
                        Box::new(Stepped::new(&lanes, count, &ParametrizationKind::Direct, &method, 5, &LEVELS))
                    };
                    let name = format!("{text} {dropout:?} {noise} {penalties:?} {average:?} {count}");
                    breaks_do_not_show(&name, &steps(), &build);
                }
            }
        }
    }
}

/// Every parametrization with every task that it fits.
fn fitting() -> Vec<(ParametrizationKind, MatrixProblem)> {
    let pairs = kinds().into_iter().flat_map(|kind| matrix_problems().into_iter().map(move |p| (kind.clone(), p)));
    pairs.filter(|(kind, problem)| kind.misfit(problem.inputs, problem.outputs).is_none()).collect()
}

/// A start without symmetries.
fn start_of(kind: &ParametrizationKind, problem: &MatrixProblem) -> Vec<f64> {
    let count = kind.parameters(problem.inputs, problem.outputs);
    (0..count).map(|i| 0.2 + 0.1 * (0.9 * i as f64).sin()).collect()
}

#[test]
fn motions_of_every_parametrization() {
    for (kind, problem) in fitting() {
        let start = start_of(&kind, &problem);
        for text in METHODS {
            let method: Method = serde_json::from_str(text).unwrap();
            if method.optimizer().batch().is_some() && problem.outputs > 1 {
                continue;
            }
            for (text, average) in [("{}", Average::None), (r#"{ "ridge": 0.1, "l1": 0.01 }"#, Average::All)] {
                let (motion, batch) = (method.optimizer().motion(), method.optimizer().batch());
                let dynamics = Dynamics { motion, batch, average, penalty: penalty(text), ..Dynamics::descent(0.02) };
                for (count, ledger) in [(1, false), (1, true), (8, false), (8, true)] {
                    let all = sizes(&dynamics, count);
                    let build = || -> Built {
                        let lanes = lanes(Task::Matrix(&problem), &all, &start);
                        let path = Stepped::new(&lanes, count, &kind, &method, 5, &LEVELS);
                        Box::new(if ledger { path.with_ledger() } else { path })
                    };
                    let name = format!("{kind:?} {} {text} {average:?} {count} {ledger}", method.name());
                    breaks_do_not_show(&name, &steps(), &build);
                }
            }
        }
    }
}

#[test]
fn reduced_networks() {
    let kind: ParametrizationKind = serde_json::from_str(r#"{ "deep-linear": { "widths": [30] } }"#).unwrap();
    let problem = &matrix_problems()[3];
    let start = start_of(&kind, problem);
    for text in METHODS.iter().filter(|text| text.contains("descent") || text.contains("momentum")) {
        let method: Method = serde_json::from_str(text).unwrap();
        for (ridge, ledger) in [("{}", false), (r#"{ "ridge": 0.1 }"#, false), ("{}", true)] {
            let dynamics = Dynamics { penalty: penalty(ridge), ..Dynamics::descent(0.005) };
            let all = sizes(&Dynamics { motion: method.optimizer().motion(), ..dynamics }, 8);
            let build = || -> Built {
                let lanes = lanes(Task::Matrix(problem), &all, &start);
                let path = Lifted::new(&lanes, 8, &kind, &method, 5, &LEVELS).expect("there is a reduction");
                Box::new(if ledger { path.with_ledger() } else { path })
            };
            breaks_do_not_show(&format!("{text} {ridge} {ledger}"), &steps(), &build);
        }
    }
}

#[test]
fn moments() {
    let problem = problem(9, 12.0);
    let svd = ThinSvd::new(problem.design.as_view());
    let start = vec![0.1; problem.feature_count()];
    for text in [METHODS[0], METHODS[1], METHODS[3], METHODS[4]] {
        let method: Method = serde_json::from_str(text).unwrap();
        for average in averages() {
            for eta in [0.1, 1e6] {
                let dynamics = Dynamics {
                    motion: method.optimizer().motion(),
                    batch: method.optimizer().batch(),
                    noise: serde_json::from_str(r#"{ "labels": 0.1, "gradient": 0.1, "curvature": 0.1 }"#).unwrap(),
                    penalty: penalty(r#"{ "ridge": 0.1 }"#),
                    average,
                    ..Dynamics::descent(eta)
                };
                let build = || -> Built { Box::new(Moments::new(&problem, &svd, &dynamics, &start)) };
                breaks_do_not_show(&format!("{text} {average:?} {eta}"), &steps(), &build);
            }
        }
    }
}

#[test]
fn flows() {
    let plain = Dynamics::flow();
    let ridge = Dynamics { penalty: penalty(r#"{ "ridge": 0.1 }"#), ..Dynamics::flow() };
    for (kind, problem) in fitting() {
        let (task, start) = (Task::Matrix(&problem), start_of(&kind, &problem));
        for dynamics in [&plain, &ridge] {
            let build =
                || -> Built { Box::new(AdaptiveFlow::new(task, &kind, dynamics, &start, 1e-6, &LEVELS).unwrap()) };
            breaks_do_not_show(&format!("{kind:?} {dynamics:?}"), &times(), &build);
        }
        let even = vec![0.1; start.len()];
        if DualFlow::new(task, &kind, &plain, &even, TOLERANCE, &LEVELS).is_ok() {
            let build =
                || -> Built { Box::new(DualFlow::new(task, &kind, &plain, &even, TOLERANCE, &LEVELS).unwrap()) };
            breaks_do_not_show("dual", &times(), &build);
        }
    }
}

#[test]
fn exact_motions_of_factors() {
    let kind: ParametrizationKind = serde_json::from_str(r#"{ "deep-linear": { "widths": [10] } }"#).unwrap();
    let problem = &matrix_problems()[1];
    let (task, start, flow) = (Task::Matrix(problem), aligned_start(), Dynamics::flow());
    let build = || -> Built { Box::new(RiccatiFlow::new(task, &kind, &flow, &start, &LEVELS).unwrap()) };
    breaks_do_not_show("riccati", &times(), &build);
    let method: Method = serde_json::from_str(METHODS[1]).unwrap();
    let dynamics = Dynamics { motion: method.optimizer().motion(), ..Dynamics::descent(0.05) };
    let build = || -> Built { Box::new(ModeRecursion::new(task, &kind, &dynamics, &method, &start, &LEVELS).unwrap()) };
    breaks_do_not_show("modes", &steps(), &build);
}

#[test]
fn closed_forms_keep_no_state() {
    let problem = problem(9, 6.0);
    let svd = ThinSvd::new(problem.design.as_view());
    let mut path = SpectralPath::new(&problem, &svd, &Dynamics::descent(0.1), &vec![0.1; problem.feature_count()]);
    assert_eq!(path.state(), None);
    assert_eq!(path.restore(&State::from_bytes(Vec::new())), Err(StateError::NothingKept));
}

/// States of one trajectory are refused by all others, which go on as if nothing had been.
#[test]
fn a_state_of_another_trajectory_is_refused() {
    let (rows, wide) = (problem(9, 6.0), problem(9, 7.0));
    let starts = [vec![0.1; rows.feature_count()], vec![0.1; wide.feature_count()]];
    let method = |text: &str| serde_json::from_str::<Method>(text).unwrap();
    let build = |problem, start, text: &str, count, levels: &[f64]| -> Built {
        let method = method(text);
        let (motion, batch) = (method.optimizer().motion(), method.optimizer().batch());
        let all = sizes(&Dynamics { motion, batch, ..Dynamics::descent(0.1) }, count);
        let lanes = lanes(Task::Rows(problem), &all, start);
        Box::new(Stepped::new(&lanes, count, &ParametrizationKind::Direct, &method, 5, levels))
    };
    let svd = ThinSvd::new(rows.design.as_view());
    let noisy = Dynamics::descent(0.1);
    let builds: Vec<Box<dyn Fn() -> Built + '_>> = vec![
        Box::new(|| build(&rows, &starts[0], METHODS[0], 1, &LEVELS)),
        Box::new(|| build(&rows, &starts[0], METHODS[0], 8, &LEVELS)),
        Box::new(|| build(&rows, &starts[0], METHODS[0], 1, &LEVELS[1..])),
        Box::new(|| build(&rows, &starts[0], METHODS[0], 1, &[10.0, 0.6, 0.4, 0.3, 1e-20])),
        Box::new(|| build(&wide, &starts[1], METHODS[0], 1, &LEVELS)),
        Box::new(|| build(&rows, &starts[0], METHODS[1], 1, &LEVELS)),
        Box::new(|| build(&rows, &starts[0], METHODS[2], 1, &LEVELS)),
        Box::new(|| build(&rows, &starts[0], METHODS[3], 1, &LEVELS)),
        Box::new(|| build(&rows, &starts[0], METHODS[5], 1, &LEVELS)),
        Box::new(|| Box::new(Moments::new(&rows, &svd, &noisy, &starts[0]))),
    ];
    for (own, build) in builds.iter().enumerate() {
        for (other, strange) in builds.iter().enumerate().filter(|(other, _)| *other != own) {
            let mut strange = strange();
            strange.advance_to(Clock::Step(10));
            let mut path = build();
            let refused = path.restore(&strange.state().unwrap());
            assert!(matches!(refused, Err(StateError::OtherShape { .. })), "{own} takes {other}");
            let mut untouched = build();
            assert_eq!(at(&mut *path, Clock::Step(5)), at(&mut *untouched, Clock::Step(5)));
        }
    }
}
