//! Theories of diagonal networks against exact answers, certificates, descent and tables.
//!
//! What is reached is printed with `--nocapture`.

#![allow(clippy::print_stderr)] // the figures reached

mod matrix_cases;

use matrix_cases::{Case, gaussian, matrix_problem, number, numbers, rows, tensor};
use taut_numerics::{DMatrix, DVector, normal, stream, uniform};
use taut_problem::{
    Batch, Clock, Dynamics, HadamardPower, MatrixProblem, MatrixSamples, Noise, NonNegative, Observed,
    ParametrizationKind, Samples,
};

fn power(depth: f64) -> ParametrizationKind {
    ParametrizationKind::HadamardPower(HadamardPower { depth: Samples::try_from(depth).unwrap() })
}

/// Samples as rows of `x`.
fn regression(x: &DMatrix<f64>, y: &DVector<f64>) -> MatrixProblem {
    let samples = MatrixSamples { x: x.transpose(), y: DMatrix::from_row_slice(1, y.len(), y.as_slice()) };
    matrix_problem(1, x.ncols(), Observed::Moments(std::sync::Arc::new(samples).moments()))
}

#[test]
fn minimizers_of_q_are_those_of_the_table() {
    let (x, y) = (tensor("c06_diagonal_inputs", "X"), tensor("c06_diagonal_inputs", "y"));
    let y = DVector::from_iterator(5, y.iter().copied());
    let problem = regression(&x, &y);
    let mut worst = Vec::<(String, f64)>::new();
    for row in rows("c06_diagonal_limits") {
        let value = |name: &str| row[name].parse::<f64>().unwrap();
        let start = vec![value("alpha"); 20];
        let prediction = Case::new(&problem, &power(value("depth")), &start).predict("q_alpha_minimizer");
        assert_eq!(prediction.unmet, None);
        let away = (prediction.path[0].1[value("coord") as usize] - value("beta_q_alpha_minimiser")).abs();
        let label = format!("D = {}, α = {}", row["depth"], row["alpha"]);
        match worst.last_mut() {
            Some((last, worst)) if *last == label => *worst = worst.max(away),
            _ => worst.push((label, away)),
        }
    }
    eprintln!("{worst:?}");
    assert!(worst.len() == 9 && worst.iter().all(|(_, away)| *away < 1e-9), "{worst:?}");
}

#[test]
fn minimizers_of_q_go_from_least_l2_to_least_l1() {
    let (x, y) = (tensor("c06_diagonal_inputs", "X"), tensor("c06_diagonal_inputs", "y"));
    let y = DVector::from_iterator(5, y.iter().copied());
    let problem = regression(&x, &y);
    let shortest = x.tr_mul(&(&x * x.transpose()).try_inverse().unwrap());
    let shortest = shortest * &y;
    let at = |alpha: f64| {
        let prediction = Case::new(&problem, &power(2.0), &[alpha; 20]).predict("q_alpha_minimizer");
        assert_eq!(prediction.unmet, None, "{alpha}");
        let beta = DVector::from_column_slice(&prediction.path[0].1);
        // Feasible to rounding at every scale.
        assert!((&x * &beta - &y).norm() < 1e-13, "{alpha}");
        (beta, prediction)
    };
    let (far, near) = ((at(1.0).0 - &shortest).norm(), (at(2.0).0 - &shortest).norm());
    eprintln!("to the least l2 norm: {far:.4} at α = 1, {near:.5} at 2, ratio {:.1}", far / near);
    assert!((14.0..17.0).contains(&(far / near)));
    let (_, prediction) = at(0.01);
    let (least, exponent) = (number(&prediction, "basis_pursuit_l1_norm"), number(&prediction, "excess_l1_exponent"));
    let mut last: Option<(f64, f64)> = None;
    for alpha in [1e-2, 1e-4, 1e-6, 1e-9, 1e-12, 1e-50, 1e-150] {
        let (beta, prediction) = at(alpha);
        let excess = beta.lp_norm(1) - least;
        assert!((number(&prediction, "l1_norm") - beta.lp_norm(1)).abs() < 1e-12);
        let slope = last.map(|(a, e)| (excess / e).ln() / (alpha / a).ln());
        eprintln!("α = {alpha:e}: excess l1 {excess:.3e}, slope {slope:?}, predicted {exponent:.4}");
        last = Some((alpha, excess));
    }
    assert!(last.unwrap().1.abs() < 1e-11);
    // Three factors tend to the least l1 norm as well.
    for alpha in [1e-2, 1e-4, 1e-6, 1e-7, 1e-9, 1e-150] {
        let prediction = Case::new(&problem, &power(3.0), &[alpha; 20]).predict("q_alpha_minimizer");
        let excess = prediction.path.first().map(|(_, beta)| DVector::from_column_slice(beta).lp_norm(1) - least);
        eprintln!("D = 3, α = {alpha:e}: excess {excess:?} {:?}", prediction.unmet);
        // Off the support βⱼ = α³h(zⱼ) with |zⱼ| < 1, so the excess falls like α³, whatever the certificate.
        assert!(excess.is_some_and(|excess| (-1e-12..50.0 * alpha.powi(3) + 1e-12).contains(&excess)));
        assert!((number(&prediction, "excess_l1_exponent") - 3.0).abs() < 1e-12);
        // From both sides of where digits of 1 − |z| are lost.
        let value = number(&prediction, "q_value");
        let powers: f64 = prediction.path[0].1.iter().map(|b| b.abs().powf(2.0 / 3.0)).sum();
        assert!(alpha > 1e-5 || (value - (least - 1.5 * alpha * powers)).abs() < 1e-12, "{alpha}: {value}");
    }
}

#[test]
fn excess_l1_falls_with_the_predicted_exponent() {
    for (n, d, k, name) in [(20, 60, 3, "a"), (30, 80, 4, "b"), (10, 40, 10, "c"), (15, 30, 2, "d")] {
        let x = gaussian(n, d, name);
        let truth = DVector::from_fn(d, |i, _| if i < k { 1.0 - 2.0 * (i % 2) as f64 } else { 0.0 });
        let y = &x * &truth;
        let problem = regression(&x, &y);
        let at = |alpha: f64| Case::new(&problem, &power(2.0), &vec![alpha; 2 * d]).predict("q_alpha_minimizer");
        let predicted = number(&at(1e-2), "excess_l1_exponent");
        // Corrections die out slowly where the exponent is small: look where the excess is 1e-6 and 1e-9.
        let alphas = [1e-6, 1e-9].map(|excess: f64| excess.powf(1.0 / predicted));
        let predictions = alphas.map(at);
        assert!(predictions.iter().all(|p| p.unmet.is_none()), "{:?}", predictions[0].unmet);
        let excess = predictions.each_ref().map(|p| number(p, "l1_norm") - number(p, "basis_pursuit_l1_norm"));
        let slope = (excess[1] / excess[0]).ln() / (alphas[1] / alphas[0]).ln();
        eprintln!("{n} × {d}, {k} non-zero: exponent {slope:.3}, predicted {predicted:.3}, excess {excess:?}");
        assert!((slope / predicted - 1.0).abs() < 0.05, "{slope} {predicted}");
        let tiny = at(1e-150);
        assert_eq!(tiny.unmet, None);
    }
}

#[test]
fn a_product_finds_what_a_difference_of_squares_finds() {
    let (x, y) = (tensor("c06_diagonal_inputs", "X"), tensor("c06_diagonal_inputs", "y"));
    let problem = regression(&x, &DVector::from_iterator(5, y.iter().copied()));
    let squares = Case::new(&problem, &power(2.0), &[0.1; 20]).predict("q_alpha_minimizer");
    let start = [vec![0.2; 10], vec![0.0; 10]].concat();
    let product = Case::new(&problem, &ParametrizationKind::HadamardProduct, &start).predict("q_alpha_minimizer");
    assert_eq!(squares.path, product.path);
}

/// u = v = α under descent with a gradient of the caller's; mean ln uv, and β on the way.
fn diagonal_descent(
    x: &DMatrix<f64>,
    alpha: f64,
    eta: f64,
    steps: usize,
    mut gradient: impl FnMut(&DVector<f64>) -> DVector<f64>,
) -> f64 {
    let d = x.ncols();
    let (mut u, mut v) = (DVector::from_element(d, alpha), DVector::from_element(d, alpha));
    for _ in 0..steps {
        let beta = u.component_mul(&u) - v.component_mul(&v);
        let g = gradient(&beta);
        u.component_mul_assign(&g.map(|g| 1.0 - 2.0 * eta * g));
        v.component_mul_assign(&g.map(|g| 1.0 + 2.0 * eta * g));
    }
    u.iter().zip(v.iter()).map(|(u, v)| (u * v).ln()).sum::<f64>() / d as f64
}

#[test]
fn noise_shrinks_the_effective_scale_as_predicted() {
    let (n, d, alpha) = (20, 30, 0.1);
    let x = gaussian(n, d, "drift");
    let truth = DVector::from_fn(d, |i, _| if i < 3 { 1.0 } else { 0.0 });
    let y = &x * truth;
    let problem = regression(&x, &y);
    let start = vec![alpha; 2 * d];
    let mut ratios = Vec::new();
    for (eta, steps) in [(0.01, 4000), (0.005, 8000), (0.0025, 16_000)] {
        let batch = Some(Batch { size: 1, replacement: true });
        let dynamics = Dynamics { batch, ..Dynamics::descent(eta) };
        let clocks = [Clock::Step(steps)];
        let predicted =
            Case::new(&problem, &power(2.0), &start).moved(&dynamics, &clocks).predict("effective_alpha_drift");
        assert_eq!(predicted.unmet, None);
        let mut draws = stream(2, "rows", 0);
        let measured = diagonal_descent(&x, alpha, eta, steps as usize, |beta| {
            let row = x.row((uniform(&mut draws) * n as f64) as usize % n).clone_owned();
            let place = (0..n).find(|&i| x.row(i) == row).unwrap();
            row.transpose() * ((&row * beta)[0] - y[place])
        });
        let base = 2.0 * f64::ln(alpha);
        ratios.push((measured - base) / (predicted.curves[0].2 - base));
    }
    eprintln!("single rows, measured/predicted drift at η = 0.01, 0.005, 0.0025: {ratios:?}");
    assert!(ratios.iter().all(|ratio| (ratio - 1.0).abs() < 0.15));
    // Noise on all labels.
    let (eta, steps, delta) = (0.01, 4000, 0.5);
    let noise = Noise { labels: NonNegative::try_from(delta).unwrap(), ..Noise::default() };
    let dynamics = Dynamics { noise, ..Dynamics::descent(eta) };
    let clocks = [Clock::Step(steps)];
    let predicted = Case::new(&problem, &power(2.0), &start).moved(&dynamics, &clocks).predict("effective_alpha_drift");
    let mut draws = stream(3, "labels", 0);
    let measured = diagonal_descent(&x, alpha, eta, steps as usize, |beta| {
        let residual = (&x * beta - &y).map(|r| r + delta * normal(&mut draws));
        x.tr_mul(&residual) / n as f64
    });
    let base = 2.0 * f64::ln(alpha);
    let ratio = (measured - base) / (predicted.curves[0].2 - base);
    eprintln!("noise on labels: {:.5} measured, ratio {ratio:.3}", measured - base);
    assert!((ratio - 1.0).abs() < 0.1);
}

/// β of the dual flow at these times, by Runge and Kutta's method on ν: the book's n-dimensional flow.
fn dual_flow(
    x: &DMatrix<f64>,
    y: &DVector<f64>,
    log_alpha: f64,
    h: f64,
    steps: usize,
    mut look: impl FnMut(f64, &DVector<f64>),
) {
    let n = y.len() as f64;
    let beta = |m: &DVector<f64>| {
        x.tr_mul(m).map(|z| {
            let size = (2.0 * log_alpha + 4.0 * z.abs()).exp() * -(-8.0 * z.abs()).exp_m1();
            size.copysign(z)
        })
    };
    let slope = |m: &DVector<f64>| (y - x * beta(m)) / n;
    let mut m = DVector::zeros(y.len());
    for k in 0..steps {
        look(k as f64 * h, &beta(&m));
        let a = slope(&m);
        let b = slope(&(&m + &a * (0.5 * h)));
        let c = slope(&(&m + &b * (0.5 * h)));
        let d = slope(&(&m + &c * h));
        m += (a + (b + c) * 2.0 + d) * (h / 6.0);
    }
}

#[test]
fn saddles_are_visited_in_the_predicted_order_and_time() {
    for name in ["saddles a", "saddles b", "saddles c"] {
        let x = gaussian(12, 4, name);
        let truth = DVector::from_vec(vec![2.0, -1.0, 0.7, 0.3]);
        let y = &x * &truth;
        let problem = regression(&x, &y);
        for (alpha, close) in [(1e-12, 0.05), (1e-100, 0.01)] {
            let prediction = Case::new(&problem, &power(2.0), &[alpha; 8]).predict("saddle_to_saddle_events");
            assert_eq!(prediction.unmet, None);
            let times = numbers(&prediction, "jump_time");
            let sets = numbers(&prediction, "active_set");
            let signs = numbers(&prediction, "negative_set");
            let last = prediction.path.last().unwrap();
            assert!(last.0 == Clock::Limit && (DVector::from_column_slice(&last.1) - &truth).norm() < 1e-9);
            // A jump is where the flow gets nearer to the next saddle than to the last.
            let mut saddles: Vec<DVector<f64>> = vec![DVector::zeros(4)];
            saddles.extend(prediction.path.iter().take(times.len()).map(|(_, b)| DVector::from_column_slice(b)));
            let mut seen = vec![(0.0, 0)];
            let h = 2e-3;
            dual_flow(&x, &y, f64::ln(alpha), h, (1.2 * times.last().unwrap() / h) as usize, |t, beta| {
                let distance = |k: &usize| (beta - &saddles[*k]).norm();
                let nearest = (0..saddles.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
                if nearest != seen.last().unwrap().1 {
                    seen.push((t, nearest));
                }
            });
            let order: Vec<usize> = seen.iter().map(|s| s.1).collect();
            let ratios: Vec<f64> = seen[1..].iter().zip(&times).map(|(s, t)| (1e4 * s.0 / t).round() / 1e4).collect();
            eprintln!("{name}, α = {alpha:e}: sets {sets:?}, negative {signs:?}, seen/predicted times {ratios:?}");
            assert_eq!(order, (0..saddles.len()).collect::<Vec<_>>());
            assert!(ratios.iter().all(|ratio| (ratio - 1.0).abs() < close));
        }
    }
}

#[test]
fn coordinates_leave_and_change_their_signs_among_correlated_features() {
    let (mut busiest, mut leavers, mut turners) = (0, 0, 0);
    for replicate in 0..200 {
        let mut draws = stream(17, "correlated features", replicate);
        let mixing = DMatrix::from_fn(6, 6, |_, _| normal(&mut draws));
        let x = DMatrix::from_fn(6, 6, |_, _| normal(&mut draws)) * mixing;
        let truth = DVector::from_fn(6, |_, _| normal(&mut draws));
        let y = &x * &truth;
        let problem = regression(&x, &y);
        let prediction = Case::new(&problem, &power(2.0), &[1e-100; 12]).predict("saddle_to_saddle_events");
        let (counts, times) = (numbers(&prediction, "active_count"), numbers(&prediction, "jump_time"));
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]) && prediction.unmet.is_none());
        let last = DVector::from_column_slice(&prediction.path.last().unwrap().1);
        assert!((&x * last - &y).norm() < 1e-6 * y.norm(), "{replicate}");
        // The loss falls from saddle to saddle.
        let losses: Vec<f64> =
            prediction.path.iter().map(|(_, b)| (&x * DVector::from_column_slice(b) - &y).norm()).collect();
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-9)));
        let sets: Vec<u64> = numbers(&prediction, "active_set").iter().map(|s| *s as u64).collect();
        let negative: Vec<u64> = numbers(&prediction, "negative_set").iter().map(|s| *s as u64).collect();
        busiest = busiest.max(counts.len());
        leavers += usize::from(sets.windows(2).any(|pair| pair[0] & !pair[1] > 0));
        // Positive at some saddle, negative at another.
        let positive = sets.iter().zip(&negative).fold(0, |seen, (set, negative)| seen | (set & !negative));
        turners += usize::from(negative.iter().any(|negative| negative & positive > 0));
    }
    eprintln!(
        "of 200: {leavers} where some coordinate leaves, {turners} where one changes its sign; most jumps {busiest}"
    );
    assert!(busiest > 6 && leavers > 0 && turners > 0);
}
