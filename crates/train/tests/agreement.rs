//! Two ways along one path: the closed form against the loop, flow against small steps, limit against a long run.
//!
//! **Tolerance.** A step rounds every entry of θ to a few eps of the largest, and |1 − ηλᵢ| ≤ 1 keeps
//! what earlier steps left: after k steps the loop is off by about k·eps, 2e-13 at a thousand. The
//! closed form is off by eps·s₁/sᵢ in direction i, which such a run has learned up to a thousandth of
//! that at most. So 1e-9 of the largest entry is loose for correct code and tight for any other.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

use std::sync::Arc;
use taut_numerics::{DMatrix, ThinSvd, normal, stream, uniform};
use taut_problem::{
    Basis, Clock, Cosine, Degree, Dynamics, FeatureMap, Fourier, Harmonics, NonNegative, ParametrizationKind, Passage,
    Polynomial, Regression, Snapshots, Task, Trajectory,
};
use taut_train::{Lane, Method, SpectralPath, Stepped};

const TOLERANCE: f64 = 1e-9;

fn polynomial(basis: Basis, degree: u32, decay: f64) -> Arc<dyn FeatureMap> {
    let degree = Degree::try_from(f64::from(degree)).unwrap();
    Arc::new(Polynomial { basis, degree, decay: NonNegative::try_from(decay).unwrap(), constant: true })
}

fn harmonics(count: u32) -> Harmonics {
    Harmonics::try_from(f64::from(count)).unwrap()
}

/// The feature maps compared, narrow and wide, well and badly conditioned.
fn bases() -> Vec<(String, Arc<dyn FeatureMap>)> {
    let mut all: Vec<(String, Arc<dyn FeatureMap>)> = Vec::new();
    for basis in Basis::ALL {
        for (degree, decay) in [(3, 0.0), (25, 0.0), (25, 1.5)] {
            all.push((format!("{basis:?} {degree} decay {decay}"), polynomial(basis, degree, decay)));
        }
    }
    let decay = NonNegative::default();
    all.push(("fourier".into(), Arc::new(Fourier { harmonics: harmonics(9), decay, constant: true })));
    all.push(("cosine".into(), Arc::new(Cosine { harmonics: harmonics(15), decay, constant: false })));
    all
}

/// Drawn points and values; the sizes are those of the panel's studies.
fn problem(features: &Arc<dyn FeatureMap>, n: usize, replicate: u64) -> Regression {
    let mut draws = stream(3, "agreement", replicate);
    let x: Vec<f64> = (0..n).map(|_| 2.0 * uniform(&mut draws) - 1.0).collect();
    let y = x.iter().map(|x| (3.0 * x).sin() + 0.3 * normal(&mut draws)).collect();
    Regression::new(x, y, None, Arc::clone(features))
}

fn start(p: usize, scale: f64, replicate: u64) -> Vec<f64> {
    let mut draws = stream(3, "start", replicate);
    (0..p).map(|_| scale * normal(&mut draws)).collect()
}

fn lambda_max(svd: &ThinSvd, problem: &Regression) -> f64 {
    svd.s[0] * svd.s[0] / problem.samples() as f64
}

fn descent(problem: &Regression, step_size: f64, theta0: &[f64], levels: &[f64]) -> Stepped {
    let dynamics = Dynamics::descent(step_size);
    let lane = Lane { task: Task::Rows(problem), dynamics: &dynamics, start: theta0, replicate: 0 };
    Stepped::new(&[lane], 1, &ParametrizationKind::Direct, &Method::GradientDescent, 0, levels)
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, v| most.max(v.abs()))
}

/// sup|a − b| over sup|b|, and 0 for two zeros.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(a.len() == b.len() && off.is_finite());
    if off > 0.0 { off / largest(b) } else { 0.0 }
}

#[test]
fn the_closed_form_is_the_loop() {
    let levels = [1.0, 0.3, 0.1, 3e-2, 1e-2, 1e-3];
    let (mut worst, mut passed) = ((0.0, String::new()), 0);
    for (name, features) in bases() {
        for n in [1, 4, 10] {
            let problem = problem(&features, n, n as u64);
            let svd = ThinSvd::new(problem.design.as_view());
            for (relative, scale) in [0.3, 1.0, 1.7].into_iter().flat_map(|r| [(r, 0.0), (r, 0.5)]) {
                let label = format!("{name}, n = {n}, relative {relative}, start {scale}");
                let step_size = relative / lambda_max(&svd, &problem);
                let theta0 = start(problem.feature_count(), scale, 0);
                let mut exact = SpectralPath::new(&problem, &svd, &Dynamics::descent(step_size), &theta0);
                let mut stepped = descent(&problem, step_size, &theta0, &levels);
                for step in [0, 1, 2, 10, 1000] {
                    exact.advance_to(Clock::Step(step));
                    stepped.advance_to(Clock::Step(step));
                    let (a, b) = (exact.snapshot(), stepped.snapshot());
                    assert_eq!((a.clock, b.clock), (Clock::Step(step), Clock::Step(step)));
                    for (a, b) in [(a.theta, b.theta), (a.predictor, b.predictor)] {
                        let off = distance(a, b);
                        if off > worst.0 {
                            worst = (off, format!("{label}, step {step}"));
                        }
                    }
                }
                assert_eq!((exact.diverged(0), stepped.diverged(0)), (None, None), "{label}");
                for level in levels {
                    match (exact.first_passage(0, level), stepped.first_passage(0, level)) {
                        (Passage::At(Clock::Step(k)), seen) if k <= 1000 => {
                            assert_eq!(seen, Passage::At(Clock::Step(k)), "{label}, level {level}");
                            let ((a, freedom), (b, _)) =
                                (exact.at_passage(0, level).unwrap(), stepped.at_passage(0, level).unwrap());
                            assert!(distance(&a, &b) < TOLERANCE, "{label}, predictor at level {level}");
                            assert!((0.0..=n as f64 * 2.0).contains(&freedom), "{label}: {freedom}");
                            passed += 1;
                        }
                        (_, seen) => assert_eq!(seen, Passage::NotYet, "{label}, level {level}"),
                    }
                }
            }
        }
    }
    eprintln!("closed form against loop: {:.1e} ({}); {passed} passages", worst.0, worst.1);
    assert!(worst.0 < TOLERANCE, "{:e} at {}", worst.0, worst.1);
    assert!(passed > 500, "only {passed} passages were compared");
}

/// All rows by one product are the rows one by one, and the series they are said to be made of make them.
#[test]
fn rows_at_once_are_the_rows_one_by_one() {
    let clocks: Vec<Clock> = [0, 1, 2, 5, 10, 100, 1000].repeat(4).into_iter().map(Clock::Step).collect();
    let mut clocks = clocks;
    clocks.sort_unstable_by_key(|clock| clock.step());
    let mut spans = 0;
    for (name, features) in bases() {
        for (n, scale) in [(1, 0.0), (4, 0.0), (4, 0.5)] {
            let problem = problem(&features, n, n as u64);
            let svd = ThinSvd::new(problem.design.as_view());
            let dynamics = Dynamics::descent(0.7 / lambda_max(&svd, &problem));
            let theta0 = start(problem.feature_count(), scale, 0);
            let path = || SpectralPath::new(&problem, &svd, &dynamics, &theta0);
            let (mut at_once, mut one_by_one) = (path(), path());
            let (mut snapshots, mut filters) = (Snapshots::series(problem.feature_count()), Vec::new());
            let (rows, diverged) = at_once.record_into(&clocks, &mut snapshots, &mut filters);
            assert_eq!((rows, diverged, snapshots.len()), (clocks.len(), None, clocks.len()));
            for (row, &clock) in clocks.iter().enumerate() {
                one_by_one.advance_to(clock);
                let seen = one_by_one.snapshot();
                let theta = snapshots.coefficients_of(row);
                let same = theta.iter().zip(seen.theta).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same || scale > 0.0 && distance(theta, seen.theta) < 1e-14, "{name}, n = {n}, {clock:?}");
                assert_eq!(&filters[row * seen.filters.len()..][..seen.filters.len()], seen.filters);
            }
            if let Some(span) = &snapshots.span {
                spans += 1;
                let basis = DMatrix::from_row_slice(span.rank, problem.feature_count(), &span.basis);
                let weights = DMatrix::from_row_slice(rows, span.rank, &span.weights);
                let made = (weights * basis).transpose();
                assert!(distance(made.as_slice(), &snapshots.coefficients) < 1e-13, "{name}, n = {n}");
            }
        }
    }
    assert!(spans > 6, "only {spans} had fewer series than features");
}

/// (1 − ηλ)^(t/η) = exp(−λt)·(1 − ηλ²t/2 + …): the error is of first order in η.
#[test]
fn small_steps_approach_the_flow_at_first_order() {
    for (name, features) in bases() {
        let problem = problem(&features, 6, 2);
        let svd = ThinSvd::new(problem.design.as_view());
        let theta0 = start(problem.feature_count(), 0.5, 1);
        let time = 3.0 / lambda_max(&svd, &problem);
        let mut flow = SpectralPath::new(&problem, &svd, &Dynamics::flow(), &theta0);
        flow.advance_to(Clock::Time(time));
        let error = |steps: u64| {
            let mut stepped = descent(&problem, time / steps as f64, &theta0, &[]);
            stepped.advance_to(Clock::Step(steps));
            distance(stepped.snapshot().theta, flow.snapshot().theta)
        };
        let [coarse, fine, finest] = [200, 400, 800].map(error);
        assert!(coarse < 0.02, "{name}: {coarse}");
        // The next order of the expansion is ηλ ≈ 1 % of the first.
        for ratio in [fine / coarse, finest / fine] {
            assert!((ratio - 0.5).abs() < 0.01, "{name}: the error shrinks by {ratio}");
        }
    }
}

#[test]
fn a_flow_passes_levels_where_it_says() {
    for (name, features) in bases() {
        let problem = problem(&features, 5, 4);
        let svd = ThinSvd::new(problem.design.as_view());
        let theta0 = vec![0.0; problem.feature_count()];
        let mut flow = SpectralPath::new(&problem, &svd, &Dynamics::flow(), &theta0);
        for level in [0.5, 0.1, 1e-2] {
            let Passage::At(Clock::Time(time)) = flow.first_passage(0, level) else { continue };
            let mut residual = |time: f64| {
                flow.advance_to(Clock::Time(time));
                let theta = flow.snapshot().theta;
                let squares = (0..problem.samples()).map(|i| {
                    let fit: f64 = theta.iter().enumerate().map(|(k, t)| problem.design[(i, k)] * t).sum();
                    (problem.y[i] - fit).powi(2)
                });
                (squares.sum::<f64>() / problem.samples() as f64).sqrt()
            };
            if time > 0.0 {
                let (before, after) = (residual(time * (1.0 - 1e-6)), residual(time * (1.0 + 1e-6)));
                assert!(
                    before > level * (1.0 - 1e-9) && after < level * (1.0 + 1e-9),
                    "{name} {level}: {before} {after}"
                );
            }
        }
    }
}

#[test]
fn the_limit_is_where_a_long_run_ends() {
    for (name, features) in bases() {
        let problem = problem(&features, 4, 5);
        let svd = ThinSvd::new(problem.design.as_view());
        let (p, step_size) = (problem.feature_count(), 1.0 / lambda_max(&svd, &problem));
        for scale in [0.0, 0.5] {
            let theta0 = start(p, scale, 2);
            let mut path = SpectralPath::new(&problem, &svd, &Dynamics::descent(step_size), &theta0);
            path.advance_to(Clock::Step(1 << 60));
            let long = path.snapshot().theta.to_vec();
            path.advance_to(Clock::Limit);
            let limit = path.snapshot().theta.to_vec();
            assert!(distance(&long, &limit) < 1e-14, "{name}: the same numbers, summed the same way");
            let mut flow = SpectralPath::new(&problem, &svd, &Dynamics::flow(), &theta0);
            flow.advance_to(Clock::Limit);
            assert!(distance(flow.snapshot().theta, &limit) < 1e-14, "{name}: flow and descent end at one place");
            // 40,000 steps learn all of it where sᵢ²/s₁² > 1e-3; one that still moves is no limit.
            if svd.condition() < 30.0 {
                let mut stepped = descent(&problem, step_size, &theta0, &[]);
                stepped.advance_to(Clock::Step(40_000));
                assert!(distance(stepped.snapshot().theta, &limit) < 1e-10, "{name}: the loop");
            }
            // Directions that no data see have not moved at all.
            let moved: Vec<f64> = limit.iter().zip(&theta0).map(|(a, b)| a - b).collect();
            let seen: Vec<f64> = (0..p)
                .map(|k| {
                    (0..svd.rank())
                        .map(|i| svd.v[(k, i)] * svd.v.column(i).iter().zip(&moved).map(|(v, m)| v * m).sum::<f64>())
                        .sum()
                })
                .collect();
            assert!(distance(&moved, &seen) < 1e-9, "{name}: null directions move");
        }
    }
}

#[test]
fn both_diverge_at_the_same_step() {
    for (name, features) in bases() {
        for (relative, n) in [(2.5, 6), (3.7, 3), (40.0, 2)] {
            let problem = problem(&features, n, 6);
            let svd = ThinSvd::new(problem.design.as_view());
            let step_size = relative / lambda_max(&svd, &problem);
            let theta0 = start(problem.feature_count(), 0.1, 3);
            let mut exact = SpectralPath::new(&problem, &svd, &Dynamics::descent(step_size), &theta0);
            let mut stepped = descent(&problem, step_size, &theta0, &[]);
            let far = Clock::Step(4000);
            exact.advance_to(far);
            stepped.advance_to(far);
            let (Some(Clock::Step(a)), Some(Clock::Step(b))) = (exact.diverged(0), stepped.diverged(0)) else {
                panic!("{name}, relative {relative}: {:?} and {:?}", exact.diverged(0), stepped.diverged(0));
            };
            assert!(a.abs_diff(b) <= 1, "{name}, relative {relative}: the closed form at {a}, the loop at {b}");
        }
    }
}

/// A bundle of different problems of one shape, each with its own step size and start.
struct Bundle {
    problems: Vec<Regression>,
    dynamics: Vec<Dynamics>,
    starts: Vec<Vec<f64>>,
}

impl Bundle {
    fn new(count: u64) -> Self {
        let features = polynomial(Basis::Legendre, 12, 0.0);
        let problems: Vec<Regression> = (0..count).map(|i| problem(&features, 7, 100 + i)).collect();
        let dynamics = (0..count).zip(&problems).map(|(i, problem)| {
            let svd = ThinSvd::new(problem.design.as_view());
            // One lane blows up: its neighbours must not notice.
            let relative = if i == 2 { 3.0 } else { 0.5 + 0.2 * i as f64 };
            Dynamics::descent(relative.min(3.0) / lambda_max(&svd, problem))
        });
        let dynamics = dynamics.collect();
        let starts = (0..count).map(|i| start(13, 0.3, 50 + i)).collect();
        Self { problems, dynamics, starts }
    }

    fn descent(&self, order: &[usize], lanes: usize, levels: &[f64]) -> Stepped {
        let lane = |&i: &usize| Lane {
            task: Task::Rows(&self.problems[i]),
            dynamics: &self.dynamics[i],
            start: &self.starts[i],
            replicate: i as u64,
        };
        let given: Vec<Lane<'_>> = order.iter().map(lane).collect();
        Stepped::new(&given, lanes, &ParametrizationKind::Direct, &Method::GradientDescent, 7, levels)
    }
}

/// Everything that is known of one lane, by its bits.
fn lane(path: &Stepped, lane: usize, levels: &[f64]) -> (Vec<u64>, Vec<Passage>, Option<Clock>) {
    let snapshot = path.snapshot();
    let bits = |values: &[f64]| -> Vec<u64> {
        values.iter().skip(lane).step_by(snapshot.lanes).map(|v| v.to_bits()).collect()
    };
    let mut all = [bits(snapshot.theta), bits(snapshot.predictor)].concat();
    let mut passages = Vec::new();
    for &level in levels {
        passages.push(path.first_passage(lane, level));
        all.extend(
            path.at_passage(lane, level).iter().flat_map(|(predictor, _)| predictor.iter().map(|v| v.to_bits())),
        );
    }
    (all, passages, path.diverged(lane))
}

#[test]
fn a_lane_depends_neither_on_its_neighbours_nor_on_when_one_looks() {
    let bundle = Bundle::new(8);
    let levels = [0.3, 0.1, 0.03];
    let end = Clock::Step(700);
    let whole: Vec<usize> = (0..8).collect();
    let mut reference = bundle.descent(&whole, 8, &levels);
    reference.advance_to(end);
    let known: Vec<_> = whole.iter().map(|&i| lane(&reference, i, &levels)).collect();
    assert!(known.iter().flat_map(|k| &k.1).any(|p| matches!(p, Passage::At(_))), "some level is passed");

    for (order, lanes) in [
        (vec![7, 6, 5, 4, 3, 2, 1, 0], 8),
        (vec![3, 0, 7, 1, 5, 2, 6, 4], 8),
        (vec![2, 2, 2, 1, 2, 2, 2, 2], 8),
        (vec![4, 1], 8),
        (vec![5, 2, 0], 3),
        (vec![6], 1),
    ] {
        let mut path = bundle.descent(&order, lanes, &levels);
        path.advance_to(end);
        for (at, &i) in order.iter().enumerate() {
            assert!(lane(&path, at, &levels) == known[i], "problem {i} in the bundle {order:?} of {lanes} lanes");
        }
    }

    for stops in [vec![0, 0, 1, 2, 3], (0..700).collect(), vec![13, 13, 14, 350, 699]] {
        let mut path = bundle.descent(&whole, 8, &levels);
        for &step in &stops {
            path.advance_to(Clock::Step(step));
            assert!(path.snapshot().clock == Clock::Step(step));
        }
        path.advance_to(end);
        for (i, known) in known.iter().enumerate() {
            assert!(lane(&path, i, &levels) == *known, "problem {i} looked at {} times", stops.len());
        }
    }
}
