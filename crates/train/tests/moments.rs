//! Exact moments of stochastic descent against references, against every path there is, and against the
//! recursion of raw second moments.
//!
//! Moments depend on the noise through its mean and covariance alone, so noise of two signs stands for
//! Gaussian noise and every path can be counted. **Tolerance.** Sums over up to 10⁵ paths of numbers near
//! 1 round to about 1e-13; 1e-12 is loose for correct code and tight for any other.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::sync::Arc;
use support::{number, table};
use taut_numerics::{DMatrix, DVector, ThinSvd, normal, stream};
use taut_problem::{
    Average, AverageAfter, Batch, Clock, Dynamics, Identity, Motion, NonNegative, Positive, PowerDecay, Regression,
    Schedule, Steps, Trajectory,
};
use taut_train::Moments;

fn level(x: f64) -> NonNegative {
    NonNegative::try_from(x).unwrap()
}

fn regression(inputs: &DMatrix<f64>, y: &[f64]) -> Regression {
    Regression::from_inputs(inputs, y.to_vec(), Arc::new(Identity { count: inputs.ncols() }))
}

/// Points and values without structure.
fn drawn(n: usize, p: usize) -> Regression {
    let mut draws = stream(5, "moments", 0);
    let inputs = DMatrix::from_fn(n, p, |_, _| normal(&mut draws));
    let y: Vec<f64> = (0..n).map(|_| normal(&mut draws)).collect();
    regression(&inputs, &y)
}

fn moments(problem: &Regression, dynamics: &Dynamics, start: &[f64]) -> Moments {
    Moments::new(problem, &ThinSvd::new(problem.design.as_view()), dynamics, start)
}

/// Mean and covariance after `steps`.
fn after(path: &mut Moments, steps: u64) -> (DVector<f64>, DMatrix<f64>) {
    path.advance_to(Clock::Step(steps));
    let snapshot = path.snapshot();
    let p = snapshot.theta.len();
    (DVector::from_row_slice(snapshot.theta), DMatrix::from_row_slice(p, p, snapshot.covariance))
}

fn close(what: &str, got: &(DVector<f64>, DMatrix<f64>), want: &(DVector<f64>, DMatrix<f64>), tolerance: f64) {
    let (mean, covariance) = ((&got.0 - &want.0).amax() / want.0.amax(), (&got.1 - &want.1).amax() / want.1.amax());
    eprintln!("{what}: mean {mean:.1e}, covariance {covariance:.1e}");
    assert!(mean < tolerance && covariance < tolerance, "{what}: {got:?} {want:?}");
}

#[test]
fn descent_on_drawn_rows_has_the_moments_of_the_references() {
    let rows = table("sgd_small_data");
    let inputs = DMatrix::from_fn(rows.len(), 3, |i, j| number(&rows[i], &format!("x{j}")));
    let problem = regression(&inputs, &rows.iter().map(|row| number(row, "y")).collect::<Vec<_>>());
    let (mut worst, mut seen) = (0.0_f64, 0);
    for row in table("sgd_moments_small") {
        let batch = Batch { size: number(&row, "batch") as usize, replacement: true };
        let dynamics = Dynamics { batch: Some(batch), ..Dynamics::descent(number(&row, "eta")) };
        let (mean, covariance) = after(&mut moments(&problem, &dynamics, &[0.0; 3]), number(&row, "t") as u64);
        for i in 0..3 {
            let exact = number(&row, &format!("mean{i}"));
            worst = worst.max((mean[i] / exact - 1.0).abs());
            for j in i..3 {
                let exact = number(&row, &format!("cov{i}{j}"));
                worst = worst.max((covariance[(i, j)] / exact - 1.0).abs());
                seen += 1;
            }
        }
    }
    eprintln!("references: {worst:.1e} over {seen} entries");
    assert!(seen == 24 * 6 && worst < 1e-9, "{worst:e}");
}

/// Noise of two signs with the covariance of Gaussian noise, all its values.
fn signs(count: usize) -> Vec<Vec<f64>> {
    (0..1 << count).map(|bits| (0..count).map(|i| if bits >> i & 1 == 0 { 1.0 } else { -1.0 }).collect()).collect()
}

/// The rows of all batches that are equally likely.
fn batches(n: usize, batch: Option<Batch>) -> Vec<Vec<usize>> {
    let Some(Batch { size, replacement }) = batch else { return vec![(0..n).collect()] };
    let drawn = (0..n.pow(size as u32)).map(|code| (0..size as u32).map(|at| code / n.pow(at) % n).collect());
    let repeats = |rows: &Vec<usize>| (1..rows.len()).any(|at| rows[..at].contains(&rows[at]));
    drawn.filter(|rows| replacement || !repeats(rows)).collect()
}

/// Every path of a few updates.
struct Paths<'a> {
    problem: &'a Regression,
    dynamics: &'a Dynamics,
    ends: Vec<DVector<f64>>,
    batches: Vec<Vec<usize>>,
    labels: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
    curvatures: Vec<Vec<f64>>,
}

impl<'a> Paths<'a> {
    fn new(problem: &'a Regression, dynamics: &'a Dynamics) -> Self {
        let (n, p) = problem.design.shape();
        let noise = dynamics.noise;
        let of = |scale: f64, count: usize| if scale > 0.0 { signs(count) } else { vec![vec![0.0; count]] };
        Self {
            problem,
            dynamics,
            ends: Vec::new(),
            batches: batches(n, dynamics.batch),
            labels: of(noise.labels.get(), dynamics.batch.map_or(n, |batch| batch.size)),
            gradients: of(noise.gradient.get(), p),
            curvatures: of(noise.curvature.get(), n),
        }
    }

    fn walk(&mut self, step: u64, theta: &DVector<f64>, last_move: &DVector<f64>, sum: &DVector<f64>, left: u64) {
        let from = self.dynamics.average.from();
        if left == 0 {
            let counted = from.map_or(0, |from| step.saturating_sub(from));
            self.ends.push(if counted > 0 { sum / counted as f64 } else { theta.clone() });
            return;
        }
        let (phi, noise) = (&self.problem.design, self.dynamics.noise);
        let n = phi.nrows() as f64;
        let eta = self.dynamics.step_size * self.dynamics.factor(step);
        let momentum = if let Motion::HeavyBall(beta) = self.dynamics.motion { beta } else { 0.0 };
        let (batches, labels) = (self.batches.clone(), self.labels.clone());
        let (gradients, curvatures) = (self.gradients.clone(), self.curvatures.clone());
        for rows in &batches {
            for label in &labels {
                let mut drawn = theta * self.dynamics.penalty.ridge.get();
                for (&i, sign) in rows.iter().zip(label) {
                    let x = phi.row(i).transpose();
                    let residual = x.dot(theta) - self.problem.y[i] - noise.labels.get() * sign;
                    drawn += x * (residual / rows.len() as f64);
                }
                for flat in &gradients {
                    for curved in &curvatures {
                        let gradient = &drawn
                            + DVector::from_row_slice(flat) * noise.gradient.get()
                            + phi.transpose() * DVector::from_row_slice(curved) * (noise.curvature.get() / n.sqrt());
                        let next_move = last_move * momentum - gradient * eta;
                        let next = theta + &next_move;
                        let sum = if from.is_some_and(|from| step >= from) { sum + &next } else { sum.clone() };
                        self.walk(step + 1, &next, &next_move, &sum, left - 1);
                    }
                }
            }
        }
    }

    fn moments(mut self, start: &[f64], steps: u64) -> (DVector<f64>, DMatrix<f64>) {
        let start = DVector::from_row_slice(start);
        let zero = DVector::zeros(start.len());
        self.walk(0, &start, &zero, &zero, steps);
        let count = self.ends.len() as f64;
        let mean = self.ends.iter().sum::<DVector<f64>>() / count;
        let spread = self.ends.iter().map(|end| (end - &mean) * (end - &mean).transpose());
        (mean.clone(), spread.sum::<DMatrix<f64>>() / count)
    }
}

fn agrees_with_every_path(what: &str, problem: &Regression, dynamics: &Dynamics, steps: u64) {
    let start: Vec<f64> = (0..problem.feature_count()).map(|j| 0.3 - 0.2 * j as f64).collect();
    let counted = Paths::new(problem, dynamics).moments(&start, steps);
    close(what, &after(&mut moments(problem, dynamics, &start), steps), &counted, 1e-12);
}

#[test]
fn batches_with_and_without_replacement_are_every_path() {
    for (n, p) in [(4, 2), (3, 5)] {
        let problem = drawn(n, p);
        for size in 1..=3 {
            for replacement in [true, false] {
                let batch = Some(Batch { size, replacement });
                if size == n && !replacement {
                    continue; // all rows: nothing is random
                }
                let dynamics = Dynamics { batch, ..Dynamics::descent(0.2) };
                agrees_with_every_path(&format!("{n} rows, batch {batch:?}"), &problem, &dynamics, 2);
            }
        }
        let batch = Some(Batch { size: 2, replacement: false });
        let mut dynamics = Dynamics { batch, ..Dynamics::descent(0.2) };
        dynamics.penalty.ridge = level(0.3);
        agrees_with_every_path("with ridge", &problem, &dynamics, 4);
    }
}

#[test]
fn a_batch_of_all_rows_spreads_nothing() {
    let problem = drawn(3, 2);
    let batch = Some(Batch { size: 3, replacement: false });
    let dynamics = Dynamics { batch, ..Dynamics::descent(0.2) };
    let (_, covariance) = after(&mut moments(&problem, &dynamics, &[0.1, 0.2]), 50);
    assert!(covariance.amax() <= 0.0);
}

#[test]
fn noise_of_every_kind_is_every_path() {
    let kinds = [(0.7, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.6), (0.7, 0.5, 0.6)];
    let batches = [None, Some((2, true)), Some((2, false)), Some((1, false))];
    for (labels, gradient, curvature) in kinds {
        for batch in batches {
            let problem = drawn(3, 2);
            let batch = batch.map(|(size, replacement)| Batch { size, replacement });
            let mut dynamics = Dynamics { batch, ..Dynamics::descent(0.3) };
            dynamics.noise.labels = level(labels);
            dynamics.noise.gradient = level(gradient);
            dynamics.noise.curvature = level(curvature);
            dynamics.schedule = Schedule::Inverse;
            let what = format!("noise {labels} {gradient} {curvature}, {batch:?}");
            let steps = if labels > 0.0 && gradient > 0.0 { 1 } else { 2 };
            agrees_with_every_path(&what, &problem, &dynamics, steps);
        }
    }
}

#[test]
fn directions_that_no_row_sees_spread_by_additive_noise_alone() {
    let problem = drawn(1, 3);
    let mut dynamics = Dynamics { motion: Motion::HeavyBall(0.5), ..Dynamics::descent(0.3) };
    dynamics.noise.gradient = level(0.5);
    dynamics.penalty.ridge = level(0.2);
    dynamics.average = Average::All;
    agrees_with_every_path("one row in three dimensions", &problem, &dynamics, 4);
}

#[test]
fn averages_and_momentum_are_every_path() {
    let problem = drawn(4, 2);
    let late = Average::After(AverageAfter { steps: Steps::try_from(2.0).unwrap() });
    for average in [Average::None, Average::All, late] {
        for motion in [Motion::Descent, Motion::HeavyBall(0.6)] {
            for steps in [1, 2, 3, 5] {
                let batch = Some(Batch { size: 1, replacement: true });
                let mut dynamics = Dynamics { batch, motion, average, ..Dynamics::descent(0.2) };
                dynamics.warm_up = 2;
                dynamics.penalty.ridge = level(0.1);
                agrees_with_every_path(&format!("{average:?} {motion:?} {steps}"), &problem, &dynamics, steps);
            }
        }
    }
}

/// E zzᵀ of z = (θ, 1), as in the textbooks: ρ E MᵢZMᵢᵀ + (1 − ρ) M Z Mᵀ.
fn raw(problem: &Regression, eta: f64, spread: f64, start: &[f64], steps: u64) -> (DVector<f64>, DMatrix<f64>) {
    let (n, p) = problem.design.shape();
    let maps: Vec<DMatrix<f64>> = (0..n)
        .map(|i| {
            let x = problem.design.row(i).transpose();
            let mut map = DMatrix::identity(p + 1, p + 1);
            let mut linear = map.view_mut((0, 0), (p, p));
            linear -= &x * x.transpose() * eta;
            let mut constant = map.view_mut((0, p), (p, 1));
            constant += x * (eta * problem.y[i]);
            map
        })
        .collect();
    let mean_map = maps.iter().sum::<DMatrix<f64>>() / n as f64;
    let mut z = DVector::from_row_slice(start).push(1.0);
    let mut second = &z * z.transpose();
    for _ in 0..steps {
        let each = maps.iter().map(|m| m * &second * m.transpose()).sum::<DMatrix<f64>>() / n as f64;
        second = each * spread + &mean_map * &second * mean_map.transpose() * (1.0 - spread);
        z = &mean_map * z;
    }
    let mean = z.rows(0, p).into_owned();
    let covariance = second.view((0, 0), (p, p)) - &mean * mean.transpose();
    (mean, covariance)
}

#[test]
fn central_moments_are_raw_moments_less_the_square_of_the_mean() {
    for (n, p, size, replacement, spread) in
        [(7, 4, 1, true, 1.0), (7, 4, 3, false, 4.0 / 18.0), (4, 9, 2, true, 0.5), (20, 20, 5, false, 15.0 / 95.0)]
    {
        let problem = drawn(n, p);
        let dynamics = Dynamics { batch: Some(Batch { size, replacement }), ..Dynamics::descent(0.03) };
        let start = vec![0.1; p];
        let exact = raw(&problem, 0.03, spread, &start, 60);
        // Second moments near 1 round to about 1e-14 over sixty steps; these covariances are above 1e-3.
        close(&format!("{n} × {p}"), &after(&mut moments(&problem, &dynamics, &start), 60), &exact, 1e-11);
    }
}

#[test]
fn at_an_interpolant_the_covariance_dies_out_geometrically() {
    let problem = drawn(3, 8);
    let batch = Some(Batch { size: 1, replacement: true });
    let mut path = moments(&problem, &Dynamics { batch, ..Dynamics::descent(0.05) }, &[0.0; 8]);
    let traces: Vec<f64> = (1..=5).map(|k| after(&mut path, 200 * k).1.trace()).collect();
    let rates: Vec<f64> = traces.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    eprintln!("traces {traces:?}, log ratios {rates:.6?}");
    // Raw second moments would stop at eps·|θ|² ≈ 1e-16; here rounding of the residual, about eps, is squared.
    assert!(traces[4] < 1e-26 && traces[4] > 0.0);
    assert!(rates[1..].windows(2).all(|pair| (pair[1] / pair[0] - 1.0).abs() < 1e-2), "{rates:?}");
}

#[test]
fn beyond_mean_square_stability_the_covariance_diverges_while_the_mean_settles() {
    let problem = drawn(5, 12);
    let svd = ThinSvd::new(problem.design.as_view());
    let eta = 1.9 * 5.0 / (svd.s[0] * svd.s[0]);
    let batch = Some(Batch { size: 1, replacement: true });
    let mut path = moments(&problem, &Dynamics { batch, ..Dynamics::descent(eta) }, &[0.0; 12]);
    path.advance_to(Clock::Step(100_000));
    let Some(Clock::Step(step)) = path.diverged(0) else { panic!("the second moment grows without end") };
    eprintln!("diverged at step {step}");
    assert!(step > 10 && step < 100_000);
    let mut full = moments(&problem, &Dynamics::descent(eta), &[0.0; 12]);
    full.advance_to(Clock::Step(100_000));
    assert!(full.diverged(0).is_none());
}

/// ½ Σ λᵢ E θᵢ², the excess loss of independent modes.
fn excess(path: &Moments, lambda: &[f64]) -> f64 {
    let snapshot = path.snapshot();
    let p = lambda.len();
    let second = |i: usize| snapshot.theta[i] * snapshot.theta[i] + snapshot.covariance[i * p + i];
    0.5 * (0..p).map(|i| lambda[i] * second(i)).sum::<f64>()
}

/// A problem with minimum 0 at 0 and these curvatures.
fn diagonal(lambda: &[f64]) -> Regression {
    let p = lambda.len();
    let inputs = DMatrix::from_fn(p, p, |i, j| if i == j { (p as f64 * lambda[i]).sqrt() } else { 0.0 });
    regression(&inputs, &vec![0.0; p])
}

fn decay(exponent: f64, delay: f64) -> Schedule {
    let positive = |x: f64| Positive::try_from(x).unwrap();
    Schedule::Power(PowerDecay { exponent: positive(exponent), delay: Some(positive(delay)) })
}

#[test]
fn schedules_under_noise_of_variance_one_have_the_references_of_one_mode() {
    // f = x²/10 from 5; the column of halvings has phases of T/log₂T steps, which are no whole numbers.
    let columns = [
        ("Ex2_eta_1_over_k", Schedule::Inverse, 1.0),
        ("Ex2_eta_1_over_sqrt_k", Schedule::InverseSqrt, 1.0),
        ("Ex2_eta_1_over_(lambda k)", Schedule::Inverse, 5.0),
        ("Ex2_const_0.1", Schedule::Constant, 0.1),
    ];
    let problem = diagonal(&[0.2]);
    let mut worst = 0.0_f64;
    for row in table("schedule_ce2") {
        for (column, schedule, step_size) in columns {
            let mut dynamics = Dynamics { schedule, ..Dynamics::descent(step_size) };
            dynamics.noise.gradient = level(1.0);
            let mut path = moments(&problem, &dynamics, &[5.0]);
            path.advance_to(Clock::Step(number(&row, "T") as u64));
            worst = worst.max((excess(&path, &[2.0]) / number(&row, column) - 1.0).abs());
        }
    }
    eprintln!("one mode: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn schedules_under_noise_like_the_curvature_have_the_references_of_ten_modes() {
    let lambda: Vec<f64> = (0..10).map(|i| if i < 5 { 1.0 } else { 0.01 }).collect();
    let start: Vec<f64> = (0..10).map(|i| if i < 5 { 1.0 } else { 10.0 }).collect();
    let columns = [
        ("textbook_1_over_mu(k+kappa)", decay(1.0, 100.0), Average::None),
        ("textbook_1_over_sqrt", Schedule::InverseSqrt, Average::None),
        ("textbook_1_over_k", Schedule::Inverse, Average::None),
        ("best_polyak_average", Schedule::Constant, Average::All),
    ];
    let problem = diagonal(&lambda);
    let mut worst = 0.0_f64;
    for row in table("schedule_ce3") {
        for (column, schedule, average) in columns {
            let mut dynamics = Dynamics { schedule, average, ..Dynamics::descent(1.0) };
            dynamics.noise.curvature = level(1.0);
            let mut path = moments(&problem, &dynamics, &start);
            path.advance_to(Clock::Step(number(&row, "T") as u64));
            let error = (excess(&path, &lambda) / number(&row, column) - 1.0).abs();
            eprintln!("{column} T = {}: {error:.1e}", row["T"]);
            worst = worst.max(error);
        }
    }
    assert!(worst < 1e-9, "{worst:e}");
}
