//! The closed forms against 120-digit references.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::sync::Arc;
use support::{Row, number, table};
use taut_numerics::{DMatrix, Mat, ThinSvd};
use taut_problem::{
    Basis, Clock, Cosine, Degree, Dropout, Dynamics, FeatureMap, Fourier, Fraction, Harmonics, MaskKind, Motion,
    NonNegative, Over, Passage, Penalty, Polynomial, Positive, PowerDecay, Probability, Regression, Schedule,
    StepDecay, Steps, Trajectory,
};
use taut_train::SpectralPath;

fn features(basis: &str) -> Arc<dyn FeatureMap> {
    let (name, decay) = match basis.rsplit_once("_w") {
        Some((name, decay)) => (name, decay.parse().unwrap()),
        None => (basis, 0.0),
    };
    let decay = NonNegative::try_from(decay).unwrap();
    let polynomial = |basis| Polynomial { basis, degree: Degree::try_from(50.0).unwrap(), decay, constant: true };
    let harmonics = |h: f64| Harmonics::try_from(h).unwrap();
    match (name, basis.contains("_w")) {
        ("mono", _) => Arc::new(polynomial(Basis::Monomial)),
        ("mono01", _) => Arc::new(polynomial(Basis::Monomial01)),
        ("mono_fact", _) => Arc::new(polynomial(Basis::MonomialFactorial)),
        ("cheb", _) => Arc::new(polynomial(Basis::Chebyshev)),
        ("leg_std", _) => Arc::new(polynomial(Basis::Legendre)),
        ("leg_on", _) | ("leg", true) => Arc::new(polynomial(Basis::LegendreOrthonormal)),
        ("fourier", _) => Arc::new(Fourier { harmonics: harmonics(25.0), decay, constant: true }),
        ("cosine", _) => Arc::new(Cosine { harmonics: harmonics(50.0), decay, constant: true }),
        _ => panic!("{basis}"),
    }
}

fn problem(basis: &str, dataset: &str) -> Regression {
    let rows: Vec<Row> = table("data_points").into_iter().filter(|r| r["dataset"] == dataset).collect();
    let x = rows.iter().map(|r| number(r, "x")).collect();
    let y = rows.iter().map(|r| number(r, "y")).collect();
    Regression::new(x, y, None, features(basis))
}

fn descent(problem: &Regression) -> SpectralPath {
    let svd = ThinSvd::new(problem.design.as_view());
    let step = problem.samples() as f64 / (svd.s[0] * svd.s[0]);
    SpectralPath::new(problem, &svd, &Dynamics::descent(step), &vec![0.0; problem.feature_count()])
}

fn clock(t: &str) -> Clock {
    if t == "inf" { Clock::Limit } else { Clock::Step(t.parse::<f64>().unwrap() as u64) }
}

#[test]
fn singular_values_to_1e_9_relative() {
    let mut worst = 0.0_f64;
    for row in table("singular_values") {
        let svd = ThinSvd::new(problem(&row["basis"], &row["dataset"]).design.as_view());
        let (i, exact) = (number(&row, "i") as usize, number(&row, "s"));
        if exact <= 0.0 {
            assert_eq!(svd.rank(), i, "{} {}", row["basis"], row["dataset"]);
        } else {
            worst = worst.max((svd.s[i] / exact - 1.0).abs());
        }
    }
    eprintln!("singular values: {worst:.1e}");
    assert!(worst < 1e-11, "{worst:e}");
}

#[test]
fn first_passages_match_the_references() {
    let mut worst = 0.0_f64;
    for row in table("interpolation_summary") {
        let path = descent(&problem(&row["basis"], &row["dataset"]));
        for (column, level) in [("steps_resid_1e-2", 1e-2), ("steps_resid_1e-3", 1e-3), ("steps_resid_1e-6", 1e-6)] {
            let label = format!("{} {} {column}: {}", row["basis"], row["dataset"], row[column]);
            match (path.first_passage(0, level), row[column].parse::<f64>()) {
                (Passage::At(Clock::Step(k)), Ok(exact)) if exact < 1e6 => assert_eq!(k, exact as u64, "{label}"),
                (Passage::At(Clock::Step(k)), Ok(exact)) => worst = worst.max((k as f64 / exact - 1.0).abs()),
                (Passage::Never, Err(_)) => {}
                (got, _) => panic!("{label}: {got:?}"),
            }
        }
    }
    eprintln!("first passages above 1e6: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn path_values_to_1e_9_of_their_largest() {
    let mut worst = 0.0_f64;
    let rows = table("gd_path_values");
    let x: Vec<f64> = (0..=20).map(|i| -1.0 + f64::from(i) / 10.0).collect();
    for row in &rows {
        let problem = problem(&row["basis"], &row["dataset"]);
        let mut path = descent(&problem);
        path.advance_to(clock(&row["t"]));
        let mut phi = DMatrix::zeros(x.len(), problem.feature_count());
        problem.features.design_into(Mat::from_slice(&x, x.len(), 1), 0, phi.as_view_mut());
        let theta = DMatrix::from_column_slice(problem.feature_count(), 1, path.snapshot().predictor);
        let fitted = &phi * &theta;
        let exact: Vec<f64> = x.iter().map(|x| number(row, &format!("f({x:.1})").replace("-0.0", "0.0"))).collect();
        let scale = exact.iter().fold(0.0_f64, |m, v| m.max(v.abs())).max(1e-300);
        for (got, exact) in fitted.iter().zip(&exact) {
            worst = worst.max((got - exact).abs() / scale);
        }
        let norm = number(row, "theta_norm").max(1e-300);
        worst = worst.max((theta.norm() - norm).abs() / norm.max(1e-12));
        let freedom: f64 = path.snapshot().filters.iter().sum();
        worst = worst.max((freedom - number(row, "df")).abs());
    }
    eprintln!("path values: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn coefficients_to_1e_9_of_their_largest() {
    let rows = table("gd_path_coefs_mid");
    let mut worst = 0.0_f64;
    for basis in ["mono", "mono01", "cheb", "leg_on", "leg_w2"] {
        for t in ["1", "10", "1000", "100000", "10000000", "inf"] {
            let mut path = descent(&problem(basis, "mid"));
            path.advance_to(clock(t));
            let exact: Vec<f64> =
                rows.iter().filter(|r| r["basis"] == basis).map(|r| number(r, &format!("t={t}"))).collect();
            if exact.is_empty() {
                continue;
            }
            let scale = exact.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            for (got, exact) in path.snapshot().theta.iter().zip(&exact) {
                worst = worst.max((got - exact).abs() / scale);
            }
        }
    }
    eprintln!("coefficients: {worst:.1e}");
    assert!(worst > 0.0 && worst < 1e-9, "{worst:e}");
}

/// f at the points named in a table's header, as it is known and as it came out.
fn worst_value(row: &Row, problem: &Regression, theta: &[f64]) -> f64 {
    let x = [-1.0, -0.6, 0.0, 0.45, 1.0];
    let mut phi = DMatrix::zeros(x.len(), problem.feature_count());
    problem.features.design_into(Mat::from_slice(&x, x.len(), 1), 0, phi.as_view_mut());
    let fitted = &phi * DMatrix::from_column_slice(theta.len(), 1, theta);
    let exact = x.map(|x| number(row, &format!("f({x})")));
    let scale = exact.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    fitted.iter().zip(&exact).fold(0.0, |worst, (got, exact)| f64::max(worst, (got - exact).abs() / scale))
}

fn residual(problem: &Regression, theta: &[f64]) -> f64 {
    let theta = DMatrix::from_column_slice(theta.len(), 1, theta);
    let y = DMatrix::from_column_slice(problem.samples(), 1, &problem.y);
    (&problem.design * theta - y).norm() / (problem.samples() as f64).sqrt()
}

fn norm(theta: &[f64]) -> f64 {
    theta.iter().map(|t| t * t).sum::<f64>().sqrt()
}

fn relative(got: f64, exact: f64) -> f64 {
    (got / exact - 1.0).abs()
}

/// The path of `dynamics` at η = 1/λ_max from zero.
fn path(problem: &Regression, dynamics: impl FnOnce(Dynamics) -> Dynamics) -> SpectralPath {
    let svd = ThinSvd::new(problem.design.as_view());
    let plain = Dynamics::descent(problem.samples() as f64 / (svd.s[0] * svd.s[0]));
    SpectralPath::new(problem, &svd, &dynamics(plain), &vec![0.0; problem.feature_count()])
}

#[test]
fn momentum_follows_its_references() {
    let problem = problem("leg_w2", "mid");
    let mut worst = 0.0_f64;
    for row in table("momentum_path_legw2_mid") {
        let beta = row["beta"].parse::<f64>();
        let motion = match row["method"].as_str() {
            "gd" => Motion::Descent,
            "hb" => Motion::HeavyBall(beta.unwrap()),
            _ => Motion::Nesterov(beta.ok()),
        };
        let mut path = path(&problem, |plain| Dynamics { motion, ..plain });
        path.advance_to(clock(&row["t"]));
        let snapshot = path.snapshot();
        let filter = snapshot.filters.iter().copied().fold(0.0, f64::max);
        worst = worst.max(worst_value(&row, &problem, snapshot.theta));
        worst = worst.max(relative(norm(snapshot.theta), number(&row, "theta_norm")));
        worst = worst.max(relative(filter, number(&row, "max_filter")));
        // A residual comes from values of order 1.
        worst = worst.max((residual(&problem, snapshot.theta) - number(&row, "resid_rms")).abs());
    }
    eprintln!("momentum: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn schedules_follow_their_references() {
    let problem = problem("leg_w2", "mid");
    let positive = |x: f64| Positive::try_from(x).unwrap();
    let power =
        |exponent, delay| Schedule::Power(PowerDecay { exponent: positive(exponent), delay: Some(positive(delay)) });
    let steps = |x: f64| Steps::try_from(x).unwrap();
    let mut worst = 0.0_f64;
    for row in table("schedule_path_legw2_mid") {
        let schedule = match row["schedule"].as_str() {
            "constant" => Schedule::Constant,
            "inv_t" => Schedule::Inverse,
            "inv_t_tau100" => power(1.0, 100.0),
            "inv_sqrt_t" => Schedule::InverseSqrt,
            "step_half_500" => Schedule::StepDecay(StepDecay {
                factor: Fraction::try_from(0.5).unwrap(),
                every: Positive::try_from(500.0).unwrap(),
            }),
            "cosine_T5000" => Schedule::Cosine(Over { over: steps(5000.0) }),
            "inv_t2" => power(2.0, 1.0),
            other => panic!("{other}"),
        };
        let mut path = path(&problem, |plain| Dynamics { schedule, ..plain });
        path.advance_to(clock(&row["t"]));
        let theta = path.snapshot().theta;
        worst = worst.max(worst_value(&row, &problem, theta));
        worst = worst.max(relative(norm(theta), number(&row, "theta_norm")));
        worst = worst.max(relative(residual(&problem, theta), number(&row, "resid_rms")));
    }
    eprintln!("schedules: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn descent_with_a_ridge_ends_at_ridge_regression() {
    let mut worst = 0.0_f64;
    for row in table("ridge_path_mid") {
        let problem = problem(&row["basis"], "mid");
        let ridge = NonNegative::try_from(number(&row, "lambda")).unwrap();
        let penalty = Penalty { ridge, ..Penalty::default() };
        let mut path = path(&problem, |plain| Dynamics { step_size: 0.1 * plain.step_size, penalty, ..plain });
        path.advance_to(Clock::Limit);
        if !path.snapshot().theta[0].is_finite() {
            // λ so large that this step size diverges.
            assert!(path.diverged(0).is_some());
            continue;
        }
        let (theta, freedom) = (path.snapshot().theta, path.snapshot().filters.iter().sum());
        worst = worst.max(worst_value(&row, &problem, theta));
        worst = worst.max(relative(norm(theta), number(&row, "theta_norm")));
        worst = worst.max(relative(freedom, number(&row, "df")));
    }
    eprintln!("ridge limit: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn marginal_dropout_ends_at_its_references() {
    let mut worst = 0.0_f64;
    for row in table("dropout_marginal_mid") {
        let problem = problem(&row["basis"], "mid");
        let keep = Probability::try_from(number(&row, "keep_prob")).unwrap();
        let dropout = Some(Dropout { keep, mask: MaskKind::Features, marginal: true });
        let mut path = path(&problem, |plain| Dynamics { step_size: 0.1 * plain.step_size, dropout, ..plain });
        path.advance_to(Clock::Limit);
        let theta = path.snapshot().theta;
        worst = worst.max(worst_value(&row, &problem, theta));
        worst = worst.max(relative(norm(theta), number(&row, "w_norm")));
        worst = worst.max(relative(residual(&problem, theta), number(&row, "resid_rms")));
    }
    eprintln!("marginal dropout: {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}
