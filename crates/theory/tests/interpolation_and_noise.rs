//! Theories of interpolation, dropout, gradient noise and schedules against tables computed with 40 to 60 digits.
//!
//! 1e-9 relative is what 64 bits keep through the worst conditioned design of the tables; what is
//! reached is printed with `--nocapture`.

#![allow(clippy::print_stderr)] // the figures reached

use std::collections::BTreeMap;
use std::sync::Arc;
use taut_numerics::DMatrix;
use taut_problem::{
    Basis, Batch, Clock, Cosine, Covariance, Degree, Dropout, Dynamics, Features, Finite, Harmonics, Law, MaskKind,
    NonNegative, Polynomial, Positive, PowerDecay, Probability, Regression, Schedule, Target,
};
use taut_theory::{Prediction, Premise, theory};

type Row = BTreeMap<String, String>;

fn reference(name: &str) -> Vec<Row> {
    let path = format!("{}/../../tests/references/linear/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

fn value(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {}", row[column]))
}

fn predict(name: &str, problem: &Regression, dynamics: &Dynamics, start: &[f64], clocks: &[Clock]) -> Prediction {
    let times = dynamics.times(clocks);
    theory(name).unwrap().of_rows(&Premise { problem, dynamics, start, clocks, times: &times, ridge: &[] })
}

fn number(prediction: &Prediction, quantity: &str) -> f64 {
    prediction.numbers.iter().find(|n| n.quantity == quantity && n.parameter.is_none()).expect(quantity).value
}

/// The largest relative error seen.
#[derive(Default)]
struct Worst(f64);

impl Worst {
    fn see(&mut self, got: f64, exact: f64, scale: f64) {
        let error = (got - exact).abs() / scale;
        self.0 = if error.is_nan() { f64::INFINITY } else { self.0.max(error) };
    }

    #[track_caller]
    fn below(&self, tolerance: f64, what: &str) {
        eprintln!("{what}: {:e}", self.0);
        assert!(self.0 < tolerance, "{what}: {:e}", self.0);
    }
}

/// The features that the tables call `name`, up to `degree`.
fn features(name: &str, degree: f64) -> Features {
    let (family, decay) = name.split_once("_w").map_or((name, 0.0), |(family, decay)| (family, decay.parse().unwrap()));
    let decay = NonNegative::try_from(decay).unwrap();
    let basis = match family {
        "cosine" => {
            return Features::Cosine(Cosine { harmonics: Harmonics::try_from(degree).unwrap(), decay, constant: true });
        }
        "mono" => Basis::Monomial,
        "cheb" => Basis::Chebyshev,
        "leg_std" => Basis::Legendre,
        "leg_on" => Basis::LegendreOrthonormal,
        "leg" => Basis::LegendreOrthonormal,
        other => panic!("{other}"),
    };
    Features::Polynomial(Polynomial { basis, degree: Degree::try_from(degree).unwrap(), decay, constant: true })
}

/// Ten midpoints with the values of the panel.
fn midpoints(features: &Features) -> Regression {
    let rows = reference("data_points");
    let rows: Vec<&Row> = rows.iter().filter(|row| row["dataset"] == "mid").collect();
    let column = |name: &str| rows.iter().map(|row| value(row, name)).collect::<Vec<f64>>();
    let finite = |x: f64| Finite::try_from(x).unwrap();
    let line = Target::Line { intercept: finite(0.3), slope: finite(0.8) };
    Regression {
        noise_variance: Some(0.16 * 0.16),
        ..Regression::new(column("x"), column("y"), Some(line), features.on_curve().expect("a map of one input"))
    }
}

/// A problem with a given design.
fn explicit(design: DMatrix<f64>, y: Vec<f64>) -> Regression {
    let x = vec![0.0; y.len()];
    let features = features("mono", design.ncols() as f64 - 1.0).on_curve().expect("a map of one input");
    Regression { design, x: Vec::new(), ..Regression::new(x, y, None, features) }
}

#[test]
fn expected_risk_over_degrees_is_bias_and_variance() {
    let (mut variance, mut total, mut count) = (Worst::default(), Worst::default(), 0);
    for row in reference("degree_sweep_mid") {
        // The table's averages over [-1, 1] are sums over 60 Gauss nodes: exact for polynomials of degree 50, and
        // too coarse for squares of cosines from degree 30 on (at 50 it gives 0.00428 for
        // a variance of 0.16²/5 = 0.00512). See the closed form below for those.
        if row["basis"].starts_with("cosine") && value(&row, "degree") >= 30.0 {
            continue;
        }
        let problem = midpoints(&features(&row["basis"], value(&row, "degree")));
        let start = vec![0.0; problem.feature_count()];
        let prediction = predict("expected_risk_of_least_squares", &problem, &Dynamics::flow(), &start, &[]);
        assert_eq!(prediction.unmet, None);
        let exact = value(&row, "expected_test_mse");
        variance.see(number(&prediction, "expected_variance"), value(&row, "variance"), value(&row, "variance"));
        total.see(number(&prediction, "expected_risk"), exact, exact);
        // Squared bias can be 1e-120: next to the sum it counts for nothing.
        total.see(number(&prediction, "expected_bias"), value(&row, "bias2"), exact);
        count += 1;
    }
    assert_eq!(count, 122);
    variance.below(1e-9, "degree sweep, variance");
    total.below(1e-9, "degree sweep, risk");
}

/// Squared bias and variance of least squares in cosines at n midpoints, by aliasing alone: k and 2nq ± k are the same
/// up to sign at the midpoints, odd multiples of n vanish there, and even ones are √2 times the constant.
fn cosine_aliasing(problem: &Regression, degree: usize, decay: f64) -> (f64, f64) {
    let n = problem.x.len();
    let weight = |k: usize| (1.0 + k as f64).powf(-2.0 * decay);
    let class = |k: usize| (k % (2 * n)).min(2 * n - k % (2 * n));
    let square = |k: usize| match k {
        0 => 1.0,
        k if k % (2 * n) == n => 0.0,
        k if k % (2 * n) == 0 => 2.0,
        _ => 1.0,
    };
    let alias_sum = |k: usize| -> f64 {
        (0..=degree).filter(|&other| class(other) == class(k)).map(|other| weight(other) * square(other)).sum()
    };
    let line = |x: f64| problem.target.as_ref().unwrap().value(x);
    // 0.3 + 0.8x: x = −(8/π²) Σ over odd k of cos(kπ(x+1)/2)/k².
    let series = |k: usize| match k {
        0 => 0.3,
        k if k % 2 == 1 => -0.8 * 4.0 * 2f64.sqrt() / (std::f64::consts::PI * k as f64).powi(2),
        _ => 0.0,
    };
    let (mut bias, mut variance) = (0.3 * 0.3 + 0.64 / 3.0, 0.0);
    for k in (0..=degree).filter(|&k| square(k) > 0.0) {
        let share = weight(k) / alias_sum(k);
        let height = if k == 0 { 1.0 } else { 2f64.sqrt() };
        let cosine = |x: f64| height * taut_numerics::cos_pi(k as f64 * (x + 1.0) / 2.0);
        let fitted = share * problem.x.iter().map(|&x| line(x) * cosine(x)).sum::<f64>() / n as f64;
        bias += (fitted - series(k)).powi(2) - series(k).powi(2);
        variance += share * share * square(k) * 0.16 * 0.16 / n as f64;
    }
    (bias, variance)
}

#[test]
fn cosines_at_midpoints_pay_by_aliasing() {
    let mut worst = Worst::default();
    for row in reference("degree_sweep_mid").iter().filter(|row| row["basis"].starts_with("cosine")) {
        let (degree, decay) = (value(row, "degree"), if row["basis"] == "cosine" { 0.0 } else { 2.0 });
        let problem = midpoints(&features(&row["basis"], degree));
        let start = vec![0.0; problem.feature_count()];
        let prediction = predict("expected_risk_of_least_squares", &problem, &Dynamics::flow(), &start, &[]);
        let (bias, variance) = cosine_aliasing(&problem, degree as usize, decay);
        worst.see(number(&prediction, "expected_bias"), bias, bias + variance);
        worst.see(number(&prediction, "expected_variance"), variance, variance);
    }
    // Degree 50: five features per alias class, so a fifth of 0.16².
    let problem = midpoints(&features("cosine", 50.0));
    let prediction = predict("expected_risk_of_least_squares", &problem, &Dynamics::flow(), &[0.0; 51], &[]);
    worst.see(number(&prediction, "expected_variance"), 0.0256 / 5.0, 0.0256 / 5.0);
    worst.below(1e-12, "cosines at midpoints, bias and variance");
}

#[test]
fn errors_of_interpolants_are_the_sum_of_their_parts() {
    let mut worst = Worst::default();
    for basis in ["mono", "cheb", "cheb_w2", "leg_std", "leg_on", "leg_w2", "cosine", "cosine_w2"] {
        for degree in [1.0, 4.0, 8.0, 9.0, 10.0, 15.0, 50.0] {
            let problem = midpoints(&features(basis, degree));
            let start = vec![0.0; problem.feature_count()];
            let prediction = predict("double_descent_decomposition", &problem, &Dynamics::flow(), &start, &[]);
            assert_eq!(prediction.unmet, None);
            assert!(number(&prediction, "smallest_singular_value") > 1e-4);
            worst.see(number(&prediction, "identity_residual"), 0.0, 1.0);
            if degree < 10.0 && basis != "cosine" && basis != "cosine_w2" {
                // Within the class of a line and with full column rank nothing is unseen.
                assert!(number(&prediction, "test_error_bias") < 1e-18, "{basis} {degree}");
            }
        }
    }
    worst.below(1e-9, "decomposition, identity");
}

#[test]
fn decomposed_errors_are_the_test_errors_of_the_panel() {
    let mut worst = Worst::default();
    for row in reference("gd_path_values").iter().filter(|row| row["dataset"] == "mid" && row["t"] == "inf") {
        if !["mono", "cheb", "leg_std", "leg_on", "leg_w2"].contains(&row["basis"].as_str()) {
            continue;
        }
        let problem = midpoints(&features(&row["basis"], 50.0));
        let prediction = predict("double_descent_decomposition", &problem, &Dynamics::flow(), &[0.0; 51], &[]);
        let exact = value(row, "test_mse");
        worst.see(number(&prediction, "test_error"), exact, exact);
    }
    assert!(worst.0 > 0.0, "there are rows");
    worst.below(1e-9, "decomposition, test error");
}

#[test]
fn decomposed_errors_are_the_excess_risk_under_a_law() {
    let (n, p) = (5, 8);
    let design = DMatrix::from_fn(n, p, |i, j| ((i * 3 + j * 7) as f64 * 0.9).sin() + f64::from(i == j));
    let root = DMatrix::from_fn(p, p, |i, j| if i >= j { 1.0 / (1.0 + (i - j) as f64) } else { 0.0 });
    let diagonal = Covariance::Diagonal((1..=p).map(|j| 1.0 / j as f64).collect());
    for covariance in [Covariance::Isotropic, diagonal, Covariance::Dense(&root * root.transpose())] {
        let law = Law {
            covariance,
            predictor: (0..p).map(|j| (j as f64).cos()).collect(),
            noise_variance: 0.3,
            unseen_variance: 0.2,
        };
        let mut problem = explicit(design.clone(), vec![1.0, -2.0, 0.5, 0.0, 3.0]);
        problem.law = Some(Arc::new(law.clone()));
        let fit = predict("min_norm_limit", &problem, &Dynamics::flow(), &vec![0.0; p], &[]).path[0].1.clone();
        let prediction = predict("double_descent_decomposition", &problem, &Dynamics::flow(), &vec![0.0; p], &[]);
        assert!((number(&prediction, "test_error") / law.excess_risk(&fit) - 1.0).abs() < 1e-12);

        // Expected risk is quadratic in the noise: exact by plus and minus one unit of it on every label in turn.
        let expected = predict("expected_risk_of_least_squares", &problem, &Dynamics::flow(), &vec![0.0; p], &[]);
        let clean = &design * taut_numerics::DVector::from_column_slice(&law.predictor);
        let risk =
            |y: &taut_numerics::DVector<f64>| problem_risk(&explicit(design.clone(), y.as_slice().to_vec()), &law);
        let without = risk(&clean);
        let mut by_units = without;
        for i in 0..n {
            let mut unit = clean.clone();
            unit[i] += 1.0;
            let above = risk(&unit);
            unit[i] -= 2.0;
            by_units += 0.5 * (0.3 + 0.2) * (above + risk(&unit) - 2.0 * without);
        }
        assert!((number(&expected, "expected_risk") / by_units - 1.0).abs() < 1e-11);
    }
}

/// Excess risk of the least-norm fit.
fn problem_risk(problem: &Regression, law: &Law) -> f64 {
    let start = vec![0.0; problem.feature_count()];
    law.excess_risk(&predict("min_norm_limit", problem, &Dynamics::flow(), &start, &[]).path[0].1)
}

#[test]
fn marginal_dropout_gives_the_tabulated_functions() {
    let at = [(-1.0, "f(-1)"), (-0.6, "f(-0.6)"), (0.0, "f(0)"), (0.45, "f(0.45)"), (1.0, "f(1)")];
    let (mut functions, mut norms, mut weights) = (Worst::default(), Worst::default(), Worst::default());
    let mut by_basis: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for row in reference("dropout_marginal_mid") {
        let problem = midpoints(&features(&row["basis"], 50.0));
        let keep = Probability::try_from(value(&row, "keep_prob")).unwrap();
        let dropout = Some(Dropout { keep, mask: MaskKind::Features, marginal: true });
        let dynamics = Dynamics { dropout, ..Dynamics::descent(1e-3) };
        let prediction = predict("dropout_ridge", &problem, &dynamics, &[0.0; 51], &[]);
        assert_eq!(prediction.unmet, None);
        let theta = &prediction.path[0].1;
        let points = DMatrix::from_fn(at.len(), 1, |i, _| at[i].0);
        let values =
            taut_problem::design(&*problem.features, &points) * taut_numerics::DVector::from_column_slice(theta);
        let scale = at.iter().map(|(_, column)| value(&row, column).abs()).fold(0.0, f64::max);
        for ((_, column), got) in at.iter().zip(&values) {
            functions.see(*got, value(&row, column), scale);
        }
        let norm = value(&row, "w_norm");
        norms.see(number(&prediction, "limit_parameter_norm"), norm, norm);
        norms.see(number(&prediction, "limit_residual_rms"), value(&row, "resid_rms"), value(&row, "resid_rms"));
        norms.see(number(&prediction, "dropout_penalty"), value(&row, "rho"), value(&row, "rho"));
        for k in [0, 1, 2, 3, 10, 50] {
            weights.see(theta[k], value(&row, &format!("w{k}")), norm);
        }
        by_basis.insert((row["basis"].clone(), row["keep_prob"].clone()), values.as_slice().to_vec());
    }
    functions.below(1e-9, "dropout, functions");
    norms.below(1e-9, "dropout, norms and residuals");
    weights.below(1e-9, "dropout, parameters");
    for ((basis, keep), values) in by_basis.iter().filter(|((basis, _), _)| basis == "leg_on") {
        let rescaled = &by_basis[&("leg_w2".to_owned(), keep.clone())];
        for (a, b) in values.iter().zip(rescaled) {
            assert!((a - b).abs() < 1e-10, "{basis} {keep}");
        }
    }
}

/// Six rows of three features.
fn small_problem() -> Regression {
    let rows = reference("sgd_small_data");
    let design = DMatrix::from_fn(rows.len(), 3, |i, j| value(&rows[i], &format!("x{j}")));
    explicit(design, rows.iter().map(|row| value(row, "y")).collect())
}

#[test]
fn stationary_moments_are_those_after_three_thousand_steps() {
    let problem = small_problem();
    let (mut means, mut traces) = (Worst::default(), Worst::default());
    // At η = 0.02 the slowest mode still has 1e-9 to go after 3000 steps.
    for row in reference("sgd_moments_small").iter().filter(|row| row["t"] == "3000" && row["eta"] != "0.02") {
        let batch = Some(Batch { size: value(row, "batch") as usize, replacement: true });
        let dynamics = Dynamics { batch, ..Dynamics::descent(value(row, "eta")) };
        let prediction = predict("sgd_stationary_covariance", &problem, &dynamics, &[0.0; 3], &[]);
        assert_eq!(prediction.unmet, None);
        for k in 0..3 {
            means.see(prediction.path[0].1[k], value(row, &format!("mean{k}")), 1.0);
        }
        let trace: f64 = ["cov00", "cov11", "cov22"].iter().map(|column| value(row, column)).sum();
        traces.see(number(&prediction, "stationary_trace"), trace, trace);
        eprintln!(
            "eta {} batch {}: Lyapunov off by {:.3}, isotropic by {:.3}; excess loss {:.4e}, small steps {:.4e}",
            row["eta"],
            row["batch"],
            number(&prediction, "lyapunov_error"),
            number(&prediction, "isotropic_error"),
            number(&prediction, "stationary_excess_loss"),
            number(&prediction, "small_step_excess_loss"),
        );
    }
    means.below(1e-9, "stationary mean");
    traces.below(1e-9, "stationary covariance, trace");
}

#[test]
fn short_cuts_for_the_covariance_are_exact_for_small_steps_only() {
    let problem = small_problem();
    let batch = Some(Batch { size: 1, replacement: true });
    for eta in [1e-3, 1e-5] {
        let dynamics = Dynamics { batch, ..Dynamics::descent(eta) };
        let prediction = predict("sgd_stationary_covariance", &problem, &dynamics, &[0.0; 3], &[]);
        // Lyapunov's equation is off in proportion to η; the isotropic covariance by the shape of the noise.
        assert!(number(&prediction, "lyapunov_error") < 2.0 * eta && number(&prediction, "isotropic_error") > 0.3);
        let ratio = number(&prediction, "small_step_excess_loss") / number(&prediction, "stationary_excess_loss");
        assert!((ratio - 1.0).abs() < 2.0 * eta);
    }
    // Fresh noise on the labels of an exact fit: covariance shaped like the curvature, isotropic in the limit.
    let exact = problem.design.column(0).iter().copied().collect();
    let fitted = explicit(problem.design.clone(), exact);
    for (eta, off) in [(1e-2, 0.2), (1e-3, 0.02)] {
        let mut dynamics = Dynamics { batch, ..Dynamics::descent(eta) };
        dynamics.noise.labels = NonNegative::try_from(1.0).unwrap();
        let prediction = predict("sgd_stationary_covariance", &fitted, &dynamics, &[0.0; 3], &[]);
        let error = number(&prediction, "isotropic_error");
        eprintln!("fresh label noise, eta {eta}: isotropic off by {error:.4}");
        assert!(error < off && error > 0.01 * off);
    }
}

#[test]
fn curvature_noise_alone_has_a_plateau_in_every_mode() {
    let problem = small_problem();
    let mut dynamics = Dynamics::descent(0.3);
    dynamics.noise.curvature = NonNegative::try_from(0.7).unwrap();
    let moments = predict("sgd_stationary_covariance", &problem, &dynamics, &[0.0; 3], &[]);
    let plateau = predict("constant_step_plateau", &problem, &dynamics, &[0.0; 3], &[Clock::Limit]);
    let of = |prediction: &Prediction, quantity: &str| -> Vec<f64> {
        prediction.numbers.iter().filter(|n| n.quantity == quantity).map(|n| n.value).collect()
    };
    let (a, b) = (of(&moments, "mode_variance"), of(&plateau, "plateau_mode_variance"));
    assert_eq!(a.len(), 3);
    for (a, b) in a.iter().zip(&b) {
        assert!((a / b - 1.0).abs() < 1e-13, "{a} {b}");
    }
    let (a, b) = (number(&moments, "stationary_excess_loss"), number(&plateau, "plateau_excess_loss"));
    assert!((a / b - 1.0).abs() < 1e-13);
}

#[test]
fn interpolable_problems_leave_no_gradient_noise() {
    let design = DMatrix::from_fn(3, 8, |i, j| ((i * 5 + j * 2) as f64).sin() + f64::from(i == j));
    let problem = explicit(design, vec![1.0, -0.5, 2.0]);
    let batch = Some(Batch { size: 1, replacement: true });
    let dynamics = Dynamics { batch, ..Dynamics::descent(0.05) };
    let prediction = predict("sgd_stationary_covariance", &problem, &dynamics, &[0.0; 8], &[]);
    assert!(prediction.unmet.unwrap().contains("the 3 points are interpolated") && prediction.numbers.is_empty());
}

#[test]
fn smaller_batches_need_smaller_steps() {
    let problem = small_problem();
    let at = |size: usize, replacement: bool| {
        let dynamics = Dynamics { batch: Some(Batch { size, replacement }), ..Dynamics::descent(0.1) };
        predict("sgd_stability", &problem, &dynamics, &[0.0; 3], &[])
    };
    let relative: Vec<f64> = [1, 2, 4, 16].map(|size| number(&at(size, true), "critical_step_size_relative")).to_vec();
    eprintln!("critical step sizes times lambda_max for batches of 1, 2, 4, 16: {relative:?}");
    assert!(relative.windows(2).all(|pair| pair[0] < pair[1]) && relative[3] < 2.0);
    // All rows at once is descent itself.
    assert!((number(&at(6, false), "critical_step_size_relative") - 2.0).abs() < 1e-12);
    let single = at(1, true);
    assert!(number(&single, "stable_step_size_of_single_rows") < number(&single, "critical_step_size"));
}

#[test]
fn orthogonal_rows_are_stable_up_to_two_over_their_squared_length() {
    // Rows √n·eᵢ: xxᵀSxxᵀ keeps only Sᵢᵢ, so (1 − ηn)² / n + 1 − 1/n < 1 exactly for η < 2/n.
    let problem = explicit(DMatrix::identity(4, 4) * 2.0, vec![1.0; 4]);
    let batch = Some(Batch { size: 1, replacement: true });
    let dynamics = Dynamics { batch, ..Dynamics::descent(0.1) };
    let prediction = predict("sgd_stability", &problem, &dynamics, &[0.0; 4], &[]);
    assert!((number(&prediction, "critical_step_size") - 0.5).abs() < 1e-14);
    assert!((number(&prediction, "stable_step_size_of_single_rows") - 0.5).abs() < 1e-15);
}

/// x²/10 with the minimum at 0: one row √0.2.
fn parabola() -> Regression {
    explicit(DMatrix::from_element(1, 1, 0.2_f64.sqrt()), vec![0.0])
}

#[test]
fn inverse_step_sizes_leave_a_ratio_of_gamma_functions() {
    let problem = parabola();
    let power = PowerDecay { exponent: Positive::try_from(1.0).unwrap(), delay: None };
    for schedule in [Schedule::Inverse, Schedule::Power(power)] {
        let dynamics = Dynamics { schedule, ..Dynamics::descent(1.0) };
        let rows = reference("schedule_ce1");
        let clocks: Vec<Clock> = rows.iter().map(|row| Clock::Step(value(row, "T") as u64)).collect();
        let prediction = predict("inverse_schedule", &problem, &dynamics, &[1.0], &clocks);
        assert_eq!(prediction.unmet, None);
        let mut worst = Worst::default();
        for (mode, row) in prediction.modes.iter().zip(&rows) {
            let exact = value(row, "x_T_eta_1_over_k");
            worst.see(mode.strength, exact, exact);
            worst.see(1.0 - mode.filter.unwrap(), exact, exact);
        }
        assert_eq!(prediction.modes.len(), 6);
        worst.below(1e-9, "inverse schedule");
    }
    let other = Dynamics { schedule: Schedule::InverseSqrt, ..Dynamics::descent(1.0) };
    assert!(predict("inverse_schedule", &problem, &other, &[1.0], &[]).unmet.is_some());
}

#[test]
fn constant_steps_end_on_their_plateau() {
    let problem = parabola();
    let mut dynamics = Dynamics::descent(0.1);
    dynamics.noise.gradient = NonNegative::try_from(1.0).unwrap();
    let rows = reference("schedule_ce2");
    let clocks: Vec<Clock> = rows.iter().map(|row| Clock::Step(value(row, "T") as u64)).collect();
    let prediction = predict("constant_step_plateau", &problem, &dynamics, &[5.0], &clocks);
    assert_eq!(prediction.unmet, None);
    let mut worst = Worst::default();
    for ((_, metric, loss), row) in prediction.curves.iter().zip(&rows) {
        assert_eq!(*metric, "loss");
        let exact = value(row, "Ex2_const_0.1");
        worst.see(10.0 * loss, exact, exact);
    }
    worst.below(1e-9, "constant step plateau");
}
