//! Noise, masks, penalties and averages of the loop, against exact answers.

use std::sync::Arc;
use taut_numerics::{DMatrix, DVector, ThinSvd, normal, stream, uniform};
use taut_problem::{
    Average, Basis, Batch, Clock, Cosine, Dropout, Dynamics, FeatureMap, LeastSquares, MaskKind, Noise, NonNegative,
    Objective, ParametrizationKind, Penalty, Polynomial, Probability, Regression, Rows, Task, Trajectory,
};
use taut_train::{Lane, Method, Stepped};

fn number<T: TryFrom<f64>>(x: f64) -> T
where
    T::Error: std::fmt::Debug,
{
    T::try_from(x).unwrap()
}

fn method(text: &str) -> Method {
    serde_json::from_str(text).unwrap()
}

fn problem(n: usize, degree: f64) -> Regression {
    let mut draws = stream(5, "points", n as u64);
    let x: Vec<f64> = (0..n).map(|_| 2.0 * uniform(&mut draws) - 1.0).collect();
    let y = x.iter().map(|x| (3.0 * x).sin() + 0.3 * normal(&mut draws)).collect();
    let map = Polynomial {
        basis: Basis::LegendreOrthonormal,
        degree: number(degree),
        decay: NonNegative::default(),
        constant: true,
    };
    Regression::new(x, y, None, Arc::new(map))
}

fn stepped(problem: &Regression, method: &Method, dynamics: &Dynamics, start: &[f64]) -> Stepped {
    let lane = Lane { task: Task::Rows(problem), dynamics, start, replicate: 0 };
    Stepped::new(&[lane], 1, &ParametrizationKind::Direct, method, 3, &[])
}

fn after(problem: &Regression, method: &Method, dynamics: &Dynamics, start: &[f64], steps: u64) -> Vec<f64> {
    let mut path = stepped(problem, method, dynamics, start);
    path.advance_to(Clock::Step(steps));
    path.snapshot().theta.to_vec()
}

fn lambda_max(problem: &Regression) -> f64 {
    let svd = ThinSvd::new(problem.design.as_view());
    svd.s[0] * svd.s[0] / problem.samples() as f64
}

fn gradient(problem: &Regression, theta: &[f64]) -> DVector<f64> {
    let theta = DVector::from_column_slice(theta);
    let y = DVector::from_column_slice(&problem.y);
    problem.design.tr_mul(&(&problem.design * theta - y)) / problem.samples() as f64
}

fn dropout(keep: f64, mask: MaskKind, marginal: bool) -> Option<Dropout> {
    Some(Dropout { keep: number::<Probability>(keep), mask, marginal })
}

/// Over all masks, with their probabilities: L + ½((1−q)/q)·Σ θⱼ²(ΦᵀΦ)ⱼⱼ/n, for both kinds of mask.
#[test]
fn losses_under_masks_have_the_marginal_loss_as_their_mean() {
    let (problem, keep) = (problem(3, 3.0), 0.7);
    let (n, p) = problem.design.shape();
    let theta = [0.4, -1.1, 0.7, 0.2];
    let mut objective = LeastSquares::new(&[&problem], 1);
    let (mut loss, mut g) = ([0.0], [0.0; 4]);
    objective.loss_and_grad_into(&theta, Rows::All, &mut loss, &mut g);
    let squares = (0..p).map(|j| theta[j] * theta[j] * problem.design.column(j).norm_squared()).sum::<f64>();
    let expected = loss[0] + 0.5 * (1.0 - keep) / keep * squares / n as f64;
    let masks = |count: usize| {
        (0..1_u32 << count).map(move |bits| {
            let kept: Vec<bool> = (0..count).map(|i| bits >> i & 1 == 1).collect();
            let weight: f64 = kept.iter().map(|k| if *k { keep } else { 1.0 - keep }).product();
            (weight, kept.iter().map(|k| if *k { 1.0 / keep } else { 0.0 }).collect::<Vec<f64>>())
        })
    };
    let rows: Vec<usize> = (0..n).collect();
    let mut features = 0.0;
    for (weight, factors) in masks(n * p) {
        let rows = Rows::Batch { rows: &rows, shifts: &[], factors: &factors };
        objective.loss_and_grad_into(&theta, rows, &mut loss, &mut g);
        features += weight * loss[0];
    }
    let mut weights = 0.0;
    for (weight, factors) in masks(p) {
        let masked: Vec<f64> = theta.iter().zip(&factors).map(|(t, f)| t * f).collect();
        objective.loss_and_grad_into(&masked, Rows::All, &mut loss, &mut g);
        weights += weight * loss[0];
    }
    // Sums of 4096 and 16 positive numbers.
    assert!((features / expected - 1.0).abs() < 1e-12, "{features} {expected}");
    assert!((weights / expected - 1.0).abs() < 1e-12, "{weights} {expected}");
}

/// Mean and covariance of θ₁ over many replicates.
fn first_update(problem: &Regression, dynamics: &Dynamics, start: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
    const LANES: u64 = 50;
    let p = problem.feature_count();
    let (mut sum, mut squares) = (DVector::zeros(p), DMatrix::zeros(p, p));
    for bundle in 0..DRAWS / LANES {
        let lanes: Vec<Lane<'_>> = (0..LANES)
            .map(|lane| Lane { task: Task::Rows(problem), dynamics, start, replicate: bundle * LANES + lane })
            .collect();
        let mut path = Stepped::new(&lanes, 1, &ParametrizationKind::Direct, &Method::GradientDescent, 3, &[]);
        path.advance_to(Clock::Step(1));
        let theta = DMatrix::from_row_slice(p, LANES as usize, path.snapshot().theta);
        for column in theta.column_iter() {
            sum += column;
            squares += column * column.transpose();
        }
    }
    let mean = sum / DRAWS as f64;
    let covariance = squares / DRAWS as f64 - &mean * mean.transpose();
    (mean, covariance)
}

const DRAWS: u64 = 20_000;

/// Whether these moments are those of the draws, within five standard errors.
fn check(label: &str, drawn: &(DVector<f64>, DMatrix<f64>), mean: &DVector<f64>, covariance: Option<&DMatrix<f64>>) {
    let p = mean.len();
    // What is certain is off by the rounding of the sums alone, DRAWS·eps.
    let error = |variance: f64| 5.0 * (variance.max(0.0) / DRAWS as f64).sqrt() + 5e-12;
    for j in 0..p {
        let off = (drawn.0[j] - mean[j]).abs();
        assert!(off < error(drawn.1[(j, j)]), "{label}: mean {j} off by {off}");
        for k in 0..p {
            let Some(exact) = covariance else { continue };
            // Twice the Gaussian error: what is drawn here has short tails.
            let spread = exact[(j, j)] * exact[(k, k)] + exact[(j, k)].powi(2);
            let off = (drawn.1[(j, k)] - exact[(j, k)]).abs();
            assert!(off < 2.0 * error(spread), "{label}: covariance {j} {k} off by {off} from {}", exact[(j, k)]);
        }
    }
}

#[test]
fn one_update_has_the_mean_of_descent_and_the_covariance_of_its_noise() {
    let problem = problem(6, 3.0);
    let (n, p) = problem.design.shape();
    let (start, eta) = ([0.3, -0.2, 0.5, 0.1], 0.3 / lambda_max(&problem));
    let plain = Dynamics::descent(eta);
    let mean = DVector::from_column_slice(&start) - eta * gradient(&problem, &start);
    let gram = problem.design.tr_mul(&problem.design) / n as f64;

    let noise = |labels, gradient, curvature| Noise {
        labels: number(labels),
        gradient: number(gradient),
        curvature: number(curvature),
    };
    let square = eta * eta;
    for (label, noise, covariance) in [
        ("labels", noise(0.4, 0.0, 0.0), &gram * (0.16 * square / n as f64)),
        ("gradient", noise(0.0, 0.5, 0.0), DMatrix::identity(p, p) * (0.25 * square)),
        ("curvature", noise(0.0, 0.0, 0.6), &gram * (0.36 * square)),
    ] {
        let drawn = first_update(&problem, &Dynamics { noise, ..plain.clone() }, &start);
        check(label, &drawn, &mean, Some(&covariance));
    }

    let of_row = |i: usize| -> DVector<f64> {
        let row = problem.design.row(i).transpose();
        let residual = row.dot(&DVector::from_column_slice(&start)) - problem.y[i];
        row * residual - gradient(&problem, &start)
    };
    let scatter = (0..n).fold(DMatrix::zeros(p, p), |sum, i| sum + of_row(i) * of_row(i).transpose()) / n as f64;
    for (size, replacement) in [(1, true), (2, true), (9, true), (1, false), (4, false), (6, false)] {
        let batch = Some(Batch { size, replacement });
        let drawn = first_update(&problem, &Dynamics { batch, ..plain.clone() }, &start);
        let share = if replacement { 1.0 } else { (n - size) as f64 / (n - 1) as f64 };
        let covariance = &scatter * (square * share / size as f64);
        check(&format!("batch of {size}, {replacement}"), &drawn, &mean, Some(&covariance));
    }
    let few =
        Dynamics { batch: Some(Batch { size: 3, replacement: true }), noise: noise(0.4, 0.0, 0.0), ..plain.clone() };
    let covariance = (&scatter + &gram * 0.16) * (square / 3.0);
    check("labels of a batch", &first_update(&problem, &few, &start), &mean, Some(&covariance));

    for mask in [MaskKind::Features, MaskKind::Weights] {
        let masked = Dynamics { dropout: dropout(0.6, mask, false), ..plain.clone() };
        let marginal = Dynamics { dropout: dropout(0.6, mask, true), ..plain.clone() };
        let exact = after(&problem, &Method::GradientDescent, &marginal, &start, 1);
        check(&format!("{mask:?}"), &first_update(&problem, &masked, &start), &DVector::from_vec(exact), None);
    }
}

#[test]
fn interpolating_sgd_reaches_the_min_norm_point_with_any_batch() {
    let problem = problem(4, 12.0);
    let svd = ThinSvd::new(problem.design.as_view());
    let exact = svd.filtered_solution(&problem.y, |_| 1.0);
    let longest = problem.design.row_iter().map(|row| row.norm_squared()).fold(0.0, f64::max);
    for (batch, replacement) in [(1, true), (3, true), (8, true), (1, false), (3, false), (4, false)] {
        let method = method(&format!(r#"{{ "sgd": {{ "batch": {batch}, "replacement": {replacement} }} }}"#));
        let optimizer = method.optimizer();
        let dynamics = Dynamics { batch: optimizer.batch(), ..Dynamics::descent(1.0 / longest) };
        let theta = after(&problem, &method, &dynamics, &[0.0; 13], 30_000);
        let off = theta.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "batch {batch}, {replacement}: {off:e}");
    }
}

/// |∂L/∂θⱼ| ≤ λ, and −λ·sign θⱼ where θⱼ ≠ 0.
#[test]
fn the_fixed_point_of_l1_satisfies_its_conditions() {
    let (problem, lambda) = (problem(8, 5.0), 0.05);
    let penalty = Penalty { l1: number(lambda), ..Penalty::default() };
    for text in [
        r#""gradient-descent""#,
        r#"{ "heavy-ball": { "momentum": 0.9 } }"#,
        r#"{ "nesterov": { "momentum": 0.9 } }"#,
        r#"{ "nesterov": {} }"#,
    ] {
        let method = method(text);
        let dynamics = Dynamics { penalty, ..Dynamics::descent(1.0 / lambda_max(&problem)) };
        let theta = after(&problem, &method, &dynamics, &[0.1; 6], 100_000);
        let slope = gradient(&problem, &theta);
        let zeros = theta.iter().filter(|t| t.abs() <= 0.0).count();
        assert!(zeros > 0 && zeros < theta.len(), "{text}: {theta:?}");
        for (t, slope) in theta.iter().zip(slope.iter()) {
            let off = if t.abs() > 0.0 { slope + lambda * t.signum() } else { (slope.abs() - lambda).max(0.0) };
            assert!(off.abs() < 1e-10, "{text}: {off:e} at {t}");
        }
    }
}

#[test]
fn l1_is_the_soft_threshold_for_an_orthonormal_design() {
    let n = 9;
    let x: Vec<f64> = (0..n).map(|i| -1.0 + (2 * i + 1) as f64 / n as f64).collect();
    let y: Vec<f64> = x.iter().map(|x| (2.0 * x).cos() + x).collect();
    let decay = NonNegative::default();
    let map: Arc<dyn FeatureMap> = Arc::new(Cosine { harmonics: number(5.0), decay, constant: true });
    let problem = Regression::new(x, y, None, map);
    let lambda = 0.1;
    let dynamics = Dynamics { penalty: Penalty { l1: number(lambda), ..Penalty::default() }, ..Dynamics::descent(1.0) };
    let theta = after(&problem, &Method::GradientDescent, &dynamics, &[0.0; 6], 50);
    let least_squares = -gradient(&problem, &[0.0; 6]);
    for (t, b) in theta.iter().zip(least_squares.iter()) {
        let exact = (b.abs() - lambda).max(0.0).copysign(*b);
        assert!((t - exact).abs() < 1e-14, "{t} {exact}");
    }
}

#[test]
fn an_average_is_the_mean_of_its_iterates() {
    let problem = problem(6, 4.0);
    let step_size = 0.7 / lambda_max(&problem);
    let start = [0.5; 5];
    for (average, from) in [(r#""all""#, 0), (r#"{ "after": { "steps": 7 } }"#, 7)] {
        let average: Average = serde_json::from_str(average).unwrap();
        for text in [r#""gradient-descent""#, r#"{ "nesterov": {} }"#, r#"{ "sgd": { "batch": 2 } }"#] {
            let method = method(text);
            let bare = Dynamics { batch: method.optimizer().batch(), ..Dynamics::descent(step_size) };
            let averaged = Dynamics { average, ..bare.clone() };
            let (mut one, mut other) =
                (stepped(&problem, &method, &bare, &start), stepped(&problem, &method, &averaged, &start));
            let mut sum = [0.0; 5];
            for k in 0..=40_u64 {
                one.advance_to(Clock::Step(k));
                other.advance_to(Clock::Step(k));
                let iterate = one.snapshot().theta;
                if k > from {
                    sum.iter_mut().zip(iterate).for_each(|(s, t)| *s += t);
                }
                for (i, shown) in other.snapshot().theta.iter().enumerate() {
                    let exact = if k > from { sum[i] / (k - from) as f64 } else { iterate[i] };
                    assert!((shown - exact).abs() < 1e-13, "{text} at {k}: {shown} {exact}");
                }
                assert_eq!(other.snapshot().theta, other.snapshot().predictor);
            }
        }
    }
}

/// θ₁ = θ₀ − η·g₁/(|g₁| + ε), and θ₂ by the formulas of the paper.
#[test]
fn adam_begins_as_by_hand() {
    let problem = problem(5, 2.0);
    let adam = method(r#"{ "adam": { "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3 } }"#);
    let dynamics = Dynamics { motion: adam.optimizer().motion(), ..Dynamics::descent(0.1) };
    let start = [0.4, -0.3, 0.2];
    let first = after(&problem, &adam, &dynamics, &start, 1);
    let second = after(&problem, &adam, &dynamics, &start, 2);
    let (g1, g2) = (gradient(&problem, &start), gradient(&problem, &first));
    for j in 0..3 {
        let by_hand = start[j] - 0.1 * g1[j] / (g1[j].abs() + 1e-3);
        assert!((first[j] - by_hand).abs() < 1e-15);
        let mean = (0.8 * 0.2 * g1[j] + 0.2 * g2[j]) / (1.0 - 0.64);
        let square = (0.95 * 0.05 * g1[j] * g1[j] + 0.05 * g2[j] * g2[j]) / (1.0 - 0.9025);
        let by_hand = first[j] - 0.1 * mean / (square.sqrt() + 1e-3);
        assert!((second[j] - by_hand).abs() < 1e-15, "{} {by_hand}", second[j]);
    }
    let defaults = method(r#"{ "adam": {} }"#);
    assert_eq!(defaults, method(r#"{ "adam": { "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8 } }"#));
}

/// Everything at once, and still a lane is itself.
#[test]
fn a_noisy_lane_depends_neither_on_its_neighbours_nor_on_when_one_looks() {
    let mut problems = vec![problem(7, 5.0); 8];
    for (i, problem) in problems.iter_mut().enumerate() {
        problem.y[i % 7] += 0.3 * i as f64;
    }
    let start = [0.2; 6];
    for (text, mask) in [
        (r#"{ "sgd": { "batch": 3, "replacement": false } }"#, MaskKind::Features),
        (r#"{ "sgd": { "batch": 2 } }"#, MaskKind::Weights),
        (r#"{ "nesterov": { "momentum": 0.5 } }"#, MaskKind::Features),
        (r#"{ "adam": {} }"#, MaskKind::Weights),
    ] {
        let method = method(text);
        let dynamics: Vec<Dynamics> = (0..8)
            .map(|i| Dynamics {
                batch: method.optimizer().batch(),
                noise: Noise { labels: number(0.1), gradient: number(0.01), curvature: number(0.02) },
                dropout: dropout(0.8, mask, false),
                penalty: Penalty { ridge: number(0.01), l1: number(0.001), bending: number(1e-6) },
                average: Average::All,
                warm_up: 5,
                // One lane is lost: its neighbours must not notice.
                ..Dynamics::descent(if i == 2 { 1e3 } else { 0.002 * f64::from(i + 1) })
            })
            .collect();
        let lane = |i: usize| Lane {
            task: Task::Rows(&problems[i]),
            dynamics: &dynamics[i],
            start: &start,
            replicate: i as u64,
        };
        let run = |order: &[usize], width: usize, stops: &[u64]| {
            let lanes: Vec<Lane<'_>> = order.iter().map(|&i| lane(i)).collect();
            let mut path = Stepped::new(&lanes, width, &ParametrizationKind::Direct, &method, 3, &[0.5, 0.4]);
            stops.iter().for_each(|&k| path.advance_to(Clock::Step(k)));
            let snapshot = path.snapshot();
            let known = |at: usize| {
                let bits = snapshot.theta.iter().skip(at).step_by(snapshot.lanes).map(|t| t.to_bits());
                let passages = [0.5, 0.4]
                    .map(|level| (path.first_passage(at, level), path.at_passage(at, level).map(|known| known.0)));
                (bits.collect::<Vec<u64>>(), passages, path.diverged(at))
            };
            (0..order.len()).map(known).collect::<Vec<_>>()
        };
        let reference = run(&[0, 1, 2, 3, 4, 5, 6, 7], 8, &[300]);
        for (order, width, stops) in [
            (vec![7, 6, 5, 4, 3, 2, 1, 0], 8, vec![300]),
            (vec![4], 1, vec![300]),
            (vec![2, 5, 1], 8, vec![1, 2, 3, 100, 299, 300]),
            (vec![0, 1, 2, 3, 4, 5, 6, 7], 8, (0..=300).collect()),
        ] {
            for (found, &i) in run(&order, width, &stops).iter().zip(&order) {
                assert!(found == &reference[i], "{text}: lane {i} in {order:?}");
            }
        }
    }
}
