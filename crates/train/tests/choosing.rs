//! Refits, generalised cross-validation and the shortcut, against fits made by hand.

use std::sync::Arc;
use taut_numerics::{DMatrix, ThinSvd};
use taut_problem::{Clock, Dynamics, Identity, Regression, Trajectory};
use taut_train::{Fold, Remaining, Smoother, SpectralPath, leave_one_out, shuffled_folds};

/// A smooth problem without structure: n rows, p features.
fn problem(n: usize, p: usize) -> Regression {
    let inputs = DMatrix::from_fn(n, p, |i, j| ((i * 7 + j * 13) as f64 * 0.37).sin() + f64::from(i == j));
    let y = (0..n).map(|i| (i as f64 * 1.3).cos() + 0.2).collect();
    Regression::from_inputs(&inputs, y, Arc::new(Identity { count: p }))
}

/// t steps of descent on Σ over `kept` rows (yᵢ − φᵢ·θ)²/(2n) by the plain loop, with n all rows.
fn descend(problem: &Regression, kept: &[usize], eta: f64, steps: u64, start: &[f64]) -> Vec<f64> {
    let n = problem.samples() as f64;
    let mut theta = start.to_vec();
    for _ in 0..steps {
        let mut gradient = vec![0.0; theta.len()];
        for &i in kept {
            let row = problem.design.row(i);
            let residual: f64 = row.iter().zip(&theta).map(|(phi, t)| phi * t).sum::<f64>() - problem.y[i];
            gradient.iter_mut().zip(row.iter()).for_each(|(g, phi)| *g += residual * phi / n);
        }
        theta.iter_mut().zip(&gradient).for_each(|(t, g)| *t -= eta * g);
    }
    theta
}

#[test]
fn a_fold_descends_with_the_step_of_the_whole() {
    for (n, p) in [(9, 4), (6, 11)] {
        let problem = problem(n, p);
        let start: Vec<f64> = (0..p).map(|j| 0.1 * j as f64 - 0.2).collect();
        for held in shuffled_folds(n, 3, 5, 0) {
            let fold = Fold::new(&problem, &held);
            let mut path = SpectralPath::new(&fold.problem, &fold.svd, &Dynamics::descent(0.05), &start);
            path.advance_to(Clock::Step(40));
            let kept: Vec<usize> = (0..n).filter(|i| !held.contains(i)).collect();
            let by_hand = descend(&problem, &kept, 0.05, 40, &start);
            // A closed form against forty steps: rounding of either.
            for (a, b) in path.snapshot().predictor.iter().zip(&by_hand) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
            let error: f64 = held
                .iter()
                .map(|&i| {
                    let value: f64 = problem.design.row(i).iter().zip(&by_hand).map(|(phi, b)| phi * b).sum();
                    (value - problem.y[i]) * (value - problem.y[i])
                })
                .sum();
            assert!((fold.squared_error(path.snapshot().predictor) - error).abs() < 1e-11 * (1.0 + error));
        }
    }
}

#[test]
fn the_shortcut_is_leave_one_out_for_ridge_with_lambda_kept() {
    // More rows than features, fewer, and as many as the rank.
    for (n, p) in [(12, 5), (8, 7), (7, 15), (8, 8)] {
        let problem = problem(n, p);
        let svd = ThinSvd::new(problem.design.as_view());
        let smoother = Smoother::new(&problem, &svd);
        for lambda in [1e-6, 1e-2, 1.0] {
            let refits: f64 = leave_one_out(n)
                .iter()
                .map(|held| {
                    let fold = Fold::new(&problem, held);
                    let per_sample = 1.0 / fold.problem.samples() as f64;
                    let filter = |s: f64| s * s * per_sample / (s * s * per_sample + lambda);
                    fold.squared_error(&fold.svd.filtered_solution(&fold.problem.y, filter))
                })
                .sum::<f64>()
                / n as f64;
            let shortcut = smoother.leave_one_out(&Remaining::of_ridge(&svd, lambda));
            // Two roads through decompositions of condition below 1e3.
            assert!((shortcut / refits - 1.0).abs() < 1e-10, "{n} {p} {lambda}: {shortcut} {refits}");
        }
    }
}

#[test]
fn scores_by_subtraction_agree_while_something_remains() {
    for (n, p) in [(12, 5), (7, 15)] {
        let problem = problem(n, p);
        let svd = ThinSvd::new(problem.design.as_view());
        let smoother = Smoother::new(&problem, &svd);
        let eta = n as f64 / (svd.s[0] * svd.s[0]);
        for (dynamics, clock) in [
            (Dynamics::descent(eta), Clock::Step(0)),
            (Dynamics::descent(1.7 * eta), Clock::Step(3)),
            (Dynamics::descent(eta), Clock::Step(10)),
            (Dynamics::flow(), Clock::Time(1.5)),
        ] {
            let mut path = SpectralPath::new(&problem, &svd, &dynamics, &vec![0.0; p]);
            path.advance_to(clock);
            let snapshot = path.snapshot();
            let g = DMatrix::from_fn(svd.rank(), svd.rank(), |i, j| if i == j { snapshot.filters[i] } else { 0.0 });
            let s = &svd.u * g * svd.u.transpose();
            let fit: Vec<f64> = (0..n)
                .map(|i| problem.design.row(i).iter().zip(snapshot.predictor).map(|(a, b)| a * b).sum())
                .collect();
            let residual: Vec<f64> = (0..n).map(|i| problem.y[i] - fit[i]).collect();
            let mean = |values: &dyn Fn(usize) -> f64| (0..n).map(values).sum::<f64>() / n as f64;
            let gcv = mean(&|i| residual[i] * residual[i]) / (1.0 - s.trace() / n as f64).powi(2);
            let loo = mean(&|i| (residual[i] / (1.0 - s[(i, i)])).powi(2));
            let remaining = Remaining::of_motion(&svd, &dynamics, clock).unwrap();
            assert!((smoother.gcv(&remaining) / gcv - 1.0).abs() < 1e-10);
            assert!((smoother.leave_one_out(&remaining) / loo - 1.0).abs() < 1e-9);
            let filtered = Remaining::of_filters(snapshot.filters);
            assert!((smoother.gcv(&filtered) / gcv - 1.0).abs() < 1e-10);
        }
    }
}

#[test]
fn in_the_limit_the_scores_are_those_of_the_slowest_mode() {
    let problem = problem(7, 15);
    let svd = ThinSvd::new(problem.design.as_view());
    let smoother = Smoother::new(&problem, &svd);
    let dynamics = Dynamics::descent(7.0 / (svd.s[0] * svd.s[0]));
    let at = |clock| smoother.gcv(&Remaining::of_motion(&svd, &dynamics, clock).unwrap());
    let slow = svd.u.column(6);
    let strength: f64 = slow.iter().zip(&problem.y).map(|(u, y)| u * y).sum();
    // n·(e c)²/e²: finite although e is 0.
    assert!((at(Clock::Limit) / (7.0 * strength * strength) - 1.0).abs() < 1e-12);
    assert!((at(Clock::Step(1_000_000_000_000)) / at(Clock::Limit) - 1.0).abs() < 1e-12);
    let unstable = Dynamics::descent(3.0 * 7.0 / (svd.s[0] * svd.s[0]));
    assert!(smoother.gcv(&Remaining::of_motion(&svd, &unstable, Clock::Limit).unwrap()).is_nan());
}
