//! Matrix predictors and their factors: answers known in closed form, reference tables, and rows that must not differ.

mod hessians;
mod references;

use std::collections::BTreeMap;
use std::sync::Arc;
use taut_metrics::{Column, METRICS, MatrixSetting, MetricDef, Views, hessian_spectrum, measure, metric};
use taut_numerics::{DMatrix, ThinSvd, normal, stream};
use taut_problem::{
    Covariance, DeepLinear, Entries, HadamardPower, Identity, Law, MatrixProblem, MatrixSamples, Measurements, Moments,
    Observed, ParametrizationKind, Regression, Shape, Snapshots, Symmetric, Task, TestOver,
};

fn gaussian(rows: usize, columns: usize, replicate: u64) -> DMatrix<f64> {
    let mut draws = stream(11, "matrices", replicate);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws))
}

fn of_moments(syx: DMatrix<f64>, sxx: Option<DMatrix<f64>>, teacher: Option<DMatrix<f64>>) -> MatrixProblem {
    let (outputs, inputs) = syx.shape();
    let observed = Observed::Moments(Moments { sxx, syx, trace_syy: None, samples: None });
    MatrixProblem { inputs, outputs, observed, teacher, test: TestOver::Inputs(None), law: None }
}

fn deep(hidden: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(hidden))
}

fn power(depth: f64) -> ParametrizationKind {
    ParametrizationKind::HadamardPower(HadamardPower { depth: depth.try_into().unwrap() })
}

fn all() -> Vec<&'static MetricDef> {
    METRICS.iter().filter(|metric| metric.of_matrix.is_some() && !metric.needs.ledger).collect()
}

fn rows_of(task: Task<'_>, kind: &ParametrizationKind, thetas: &[Vec<f64>]) -> Snapshots {
    let Shape { inputs, outputs, .. } = task.shape(1);
    let mut out = Snapshots::of_parameters(inputs * outputs, kind.parameters(inputs, outputs));
    thetas.iter().for_each(|theta| out.push_parameters(&kind.predictor(theta, inputs, outputs), theta));
    out
}

fn measured(task: Task<'_>, kind: &ParametrizationKind, thetas: &[Vec<f64>]) -> Vec<Column> {
    let setting = MatrixSetting::new(task, kind);
    let mut out = Vec::new();
    measure(Views { rows: None, matrix: Some(&setting) }, &rows_of(task, kind, thetas), &all(), &mut out);
    out
}

fn value(columns: &[Column], name: &str, row: usize) -> f64 {
    let column = columns.iter().find(|c| c.metric.name == name).expect("a listed metric");
    column.value(row).unwrap_or_else(|| panic!("{name} is null"))
}

fn is_null(columns: &[Column], name: &str) -> bool {
    columns.iter().find(|c| c.metric.name == name).expect("a listed metric").values.is_none()
}

#[track_caller]
fn close(got: f64, exact: f64, tolerance: f64) {
    assert!((got - exact).abs() <= tolerance * (1.0 + exact.abs()), "{got} against {exact}");
}

fn theta_of(factors: &[&DMatrix<f64>]) -> Vec<f64> {
    factors.iter().flat_map(|factor| factor.as_slice().to_vec()).collect()
}

/// Every way to see a matrix, with every parametrization that fits it, so that every metric is defined in one.
struct Case {
    problem: MatrixProblem,
    kind: ParametrizationKind,
}

fn cases() -> Vec<Case> {
    let teacher = |outputs, inputs| Some(gaussian(outputs, inputs, 1));
    let samples =
        |outputs, inputs, n| Arc::new(MatrixSamples { x: gaussian(inputs, n, 2), y: gaussian(outputs, n, 3) });
    let few = MatrixProblem {
        inputs: 6,
        outputs: 3,
        observed: Observed::Moments(samples(3, 6, 4).moments()),
        teacher: teacher(3, 6),
        test: TestOver::Inputs(Some(DMatrix::from_fn(6, 6, |i, j| if i == j { 2.0 } else { 0.3 }))),
        law: None,
    };
    let held_out = MatrixProblem {
        inputs: 5,
        outputs: 1,
        observed: Observed::Moments(samples(1, 5, 9).moments()),
        teacher: None,
        test: TestOver::Samples(samples(1, 5, 7)),
        law: None,
    };
    let target = gaussian(4, 4, 4);
    let observed = Observed::Entries(Entries { target: target.clone(), observed: vec![0, 3, 5, 6, 10, 11, 15] });
    let completion =
        MatrixProblem { inputs: 4, outputs: 4, observed, teacher: Some(target), test: TestOver::Entries, law: None };
    let observed = Measurements { matrices: gaussian(7, 16, 5), values: gaussian(7, 1, 6).as_slice().to_vec() };
    let sensing = MatrixProblem {
        inputs: 4,
        outputs: 4,
        observed: Observed::Measurements(observed),
        teacher: teacher(4, 4),
        test: TestOver::Entries,
        law: None,
    };
    let whitened = of_moments(gaussian(3, 4, 7), None, teacher(3, 4));
    let symmetric = ParametrizationKind::Symmetric(Symmetric { width: Some(2.0.try_into().unwrap()) });
    let case = |problem: &MatrixProblem, kind| Case { problem: problem.clone(), kind };
    vec![
        case(&few, deep(&[5, 7])),
        case(&few, ParametrizationKind::Direct),
        case(&whitened, deep(&[5])),
        case(&whitened, deep(&[])),
        case(&held_out, power(2.0)),
        case(&held_out, power(3.0)),
        case(&held_out, ParametrizationKind::HadamardProduct),
        case(&held_out, deep(&[5; 9])),
        case(&completion, deep(&[4])),
        case(&sensing, symmetric),
        case(&sensing, deep(&[3])),
    ]
}

/// Rows of any size, one of zeros and one that is not finite.
fn thetas(case: &Case) -> Vec<Vec<f64>> {
    let size = case.kind.parameters(case.problem.inputs, case.problem.outputs);
    let row = |i: u64| {
        let scale = match i {
            3 => 0.0,
            5 => f64::NAN,
            i => [1.0, 0.4, 1e-3, 3.0][i as usize % 4],
        };
        (gaussian(size, 1, 20 + i) * scale).as_slice().to_vec()
    };
    (0..11).map(row).collect()
}

#[test]
fn every_metric_survives_every_row_and_is_defined_somewhere() {
    let mut defined = BTreeMap::new();
    for case in cases() {
        let columns = measured(Task::Matrix(&case.problem), &case.kind, &thetas(&case));
        for Column { metric, values, .. } in &columns {
            let Some(values) = values else { continue };
            defined.insert(metric.name, ());
            // Coordinates of opposite signs have no common scale, and one at 0 has a scale of 0.
            let may_lack = metric.needs.hadamard;
            for (row, value) in values.iter().enumerate() {
                assert!(if row == 5 { value.is_nan() } else { value.is_finite() || may_lack }, "{} {row}", metric.name);
            }
        }
    }
    for metric in all() {
        assert!(defined.contains_key(metric.name), "{} is null in every case", metric.name);
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_in_a_block() {
    for case in cases() {
        let (task, thetas) = (Task::Matrix(&case.problem), thetas(&case));
        let together = measured(task, &case.kind, &thetas);
        for (row, theta) in thetas.iter().enumerate() {
            let alone = measured(task, &case.kind, std::slice::from_ref(theta));
            for (one, block) in alone.iter().zip(&together) {
                let (one_value, in_block) = (one.value(0).map(f64::to_bits), block.value(row).map(f64::to_bits));
                assert_eq!(one_value, in_block, "{} row {row}", one.metric.name);
            }
        }
    }
}

#[test]
fn a_predictor_made_by_hand_has_its_norms_and_ranks() {
    let problem = of_moments(DMatrix::identity(2, 2), None, None);
    let kind = ParametrizationKind::Direct;
    let columns = measured(Task::Matrix(&problem), &kind, &[vec![0.0, -3.0, 4.0, 0.0], vec![0.0; 4]]);
    for (name, exact, of_zero) in [
        ("predictor_norm", 5.0, 0.0),
        ("predictor_l1_norm", 7.0, 0.0),
        ("nuclear_norm", 7.0, 0.0),
        ("largest_singular_value", 4.0, 0.0),
        ("stable_rank", 25.0 / 16.0, 0.0),
        ("determinant", 12.0, 0.0),
        ("effective_rank", 7.0 / (3f64.powf(3.0 / 7.0) * 4f64.powf(4.0 / 7.0)), 0.0),
        ("off_diagonal_mass", 5.0, 0.0),
        // W − I has singular values of |W − I|: (W − I)ᵀ(W − I) = [[10, −1], [−1, 17]].
        ("residual_operator_norm", ((27.0 + 53f64.sqrt()) / 2.0).sqrt(), 1.0),
        ("gradient_norm", 27f64.sqrt(), 2f64.sqrt()),
        ("loss", 13.5, 1.0),
        ("parameter_norm", 5.0, 0.0),
        ("sharpness", 1.0, 1.0),
    ] {
        close(value(&columns, name, 0), exact, 1e-14);
        close(value(&columns, name, 1), of_zero, 1e-14);
    }
    let unknown = [
        "train_mse",
        "residual_rms",
        "residual_max",
        "test_error",
        "estimation_error",
        "test_error_normalised",
        "test_error_frozen",
        "mse_unobserved",
        "balancedness_gap",
        "factor_norm_max",
        "log_effective_alpha_min",
    ];
    for name in unknown {
        assert!(is_null(&columns, name), "{name}");
    }
}

#[test]
fn factors_have_their_norms_and_gaps() {
    let problem = of_moments(gaussian(2, 3, 1), None, None);
    let (w1, w2) = (gaussian(4, 3, 2), gaussian(2, 4, 3));
    let columns = measured(Task::Matrix(&problem), &deep(&[4]), &[theta_of(&[&w1, &w2])]);
    let gap = (w2.transpose() * &w2 - &w1 * w1.transpose()).norm();
    close(value(&columns, "balancedness_gap", 0), gap, 1e-14);
    close(value(&columns, "factor_norm_max", 0), w1.norm().max(w2.norm()), 1e-14);
    close(value(&columns, "factor_norm_min", 0), w1.norm().min(w2.norm()), 1e-14);
    // Zero-mode gradients by hand: ∇W₁ = W₂ᵀE, ∇W₂ = EW₁ᵀ.
    let e = &w2 * &w1 - gaussian(2, 3, 1);
    let norm = ((w2.transpose() * &e).norm_squared() + (&e * w1.transpose()).norm_squared()).sqrt();
    close(value(&columns, "gradient_norm", 0), norm, 1e-14);
}

#[test]
fn the_effective_scale_is_the_one_that_flow_started_from() {
    let law = Task::Matrix(&cases()[4].problem).shape(1);
    assert_eq!((law.inputs, law.outputs), (5, 1));
    let problem = &cases()[4].problem;
    // u = αe^x, v = αe^−x for any x is where flow from α can be.
    let (alpha, x) = ([0.1, 0.2, 0.3, 0.4, 0.5], [0.3, -2.0, 1.0, 0.0, 4.0]);
    let u: Vec<f64> = alpha.iter().zip(&x).map(|(a, x)| a * f64::exp(*x)).collect();
    let v: Vec<f64> = alpha.iter().zip(&x).map(|(a, x)| a * f64::exp(-x)).collect();
    let sums: Vec<f64> = u.iter().zip(&v).map(|(u, v)| u + v).collect();
    let differences: Vec<f64> = u.iter().zip(&v).map(|(u, v)| u - v).collect();
    let mean = alpha.iter().map(|a| 2.0 * a.ln()).sum::<f64>() / 5.0;
    for (kind, theta) in
        [(power(2.0), [u, v].concat()), (ParametrizationKind::HadamardProduct, [sums, differences].concat())]
    {
        let mut other = theta.clone();
        other[0] = -other[0];
        let columns = measured(Task::Matrix(problem), &kind, &[theta, vec![0.0; 10], other]);
        // Sums of e⁴ and e⁻⁴ lose three digits.
        close(value(&columns, "log_effective_alpha_mean", 0), mean, 1e-12);
        close(value(&columns, "log_effective_alpha_min", 0), 2.0 * 0.1f64.ln(), 1e-12);
        let of_zero = value(&columns, "log_effective_alpha_min", 1);
        assert!(of_zero.is_infinite() && of_zero < 0.0);
        assert_eq!(value(&columns, "log_effective_alpha_mean", 2).is_nan(), kind == power(2.0));
        assert_eq!(value(&columns, "log_effective_alpha_min", 2).is_nan(), kind == power(2.0));
    }
    assert!(is_null(&measured(Task::Matrix(problem), &power(3.0), &[vec![1.0; 10]]), "log_effective_alpha_min"));
}

#[test]
fn the_test_error_splits_into_what_samples_see_and_what_they_do_not() {
    let mut problem = cases()[0].problem.clone();
    let kind = deep(&[5, 7]);
    let theta = thetas(&cases()[0])[1].clone();
    let w = DMatrix::from_vec(3, 6, kind.predictor(&theta, 6, 3));
    let off = &w - problem.teacher.as_ref().unwrap();
    let TestOver::Inputs(Some(sigma)) = &problem.test else { panic!("a law of inputs") };
    let columns = measured(Task::Matrix(&problem), &kind, std::slice::from_ref(&theta));
    close(value(&columns, "test_error", 0), (&off * sigma * off.transpose()).trace() / 3.0, 1e-14);
    close(value(&columns, "estimation_error", 0), off.norm_squared(), 1e-14);
    problem.test = TestOver::Inputs(None);
    let columns = measured(Task::Matrix(&problem), &kind, &[theta]);
    let error = off.norm_squared() / 3.0;
    close(value(&columns, "test_error", 0), error, 1e-14);
    close(value(&columns, "test_error_normalised", 0), 3.0 * error / gaussian(3, 6, 1).norm_squared(), 1e-14);
    let parts = value(&columns, "test_error_learned", 0) + value(&columns, "test_error_frozen", 0);
    close(parts, error, 1e-14);
    // What is frozen, over two directions that no sample has.
    let samples = ThinSvd::new(gaussian(6, 4, 2).as_view());
    let away = DMatrix::identity(6, 6) - &samples.u * samples.u.transpose();
    close(value(&columns, "test_error_frozen", 0), (off * away).norm_squared() / 3.0, 1e-14);
    let residuals = gaussian(3, 4, 3) - &w * gaussian(6, 4, 2);
    close(value(&columns, "residual_max", 0), residuals.amax(), 1e-14);
    close(value(&columns, "train_mse", 0), residuals.norm_squared() / 12.0, 1e-13);
}

#[test]
fn held_out_samples_completion_and_sensing_have_their_residuals() {
    let (held_out, completion, sensing) = (&cases()[7], &cases()[8], &cases()[10]);
    let first = |case: &Case| {
        let theta = thetas(case)[1].clone();
        let Shape { inputs, outputs, .. } = Task::Matrix(&case.problem).shape(1);
        let w = DMatrix::from_vec(outputs, inputs, case.kind.predictor(&theta, inputs, outputs));
        (w, measured(Task::Matrix(&case.problem), &case.kind, &[theta]))
    };
    let (w, columns) = first(held_out);
    close(value(&columns, "test_error", 0), (gaussian(1, 7, 3) - w * gaussian(5, 7, 2)).norm_squared() / 7.0, 1e-14);
    close(
        value(&columns, "test_error_normalised", 0) * gaussian(1, 7, 3).norm_squared() / 7.0,
        value(&columns, "test_error", 0),
        1e-14,
    );
    assert!(is_null(&columns, "estimation_error") && is_null(&columns, "determinant"));
    let (w, columns) = first(completion);
    let off = w - gaussian(4, 4, 4);
    let seen = [0, 3, 5, 6, 10, 11, 15];
    let square = |place: usize| off[place] * off[place];
    let of = |is_seen: bool| (0..16).filter(|place| seen.contains(place) == is_seen).map(square).sum::<f64>();
    close(value(&columns, "mse_unobserved", 0), of(false) / 9.0, 1e-14);
    close(value(&columns, "train_mse", 0), of(true) / 7.0, 1e-14);
    close(value(&columns, "test_error", 0), off.norm_squared() / 16.0, 1e-14);
    let largest = seen.iter().map(|place| off[*place].abs()).fold(0.0, f64::max);
    close(value(&columns, "residual_max", 0), largest, 1e-14);
    let (w, columns) = first(sensing);
    let residuals = gaussian(7, 16, 5) * taut_numerics::DVector::from_column_slice(w.as_slice()) - gaussian(7, 1, 6);
    close(value(&columns, "residual_max", 0), residuals.amax(), 1e-14);
    close(value(&columns, "train_mse", 0), residuals.norm_squared() / 7.0, 1e-14);
}

#[test]
fn rows_of_a_regression_keep_their_law() {
    let law = Law {
        covariance: Covariance::Diagonal(vec![1.0, 2.0, 3.0]),
        predictor: vec![1.0, 0.0, -1.0],
        noise_variance: 0.1,
        unseen_variance: 0.5,
    };
    let mut problem = Regression::from_inputs(&gaussian(2, 3, 1), vec![1.0, 2.0], Arc::new(Identity { count: 3 }));
    problem.law = Some(Arc::new(law));
    let (task, kind) = (Task::Rows(&problem), power(2.0));
    let svd = ThinSvd::new(problem.design.as_view());
    let instruments = taut_metrics::Instruments::new(&*problem.features);
    let rows = taut_metrics::Setting::new(&instruments, &problem, &svd, &[]);
    let setting = MatrixSetting::new(task, &kind);
    let views = Views { rows: Some(&rows), matrix: Some(&setting) };
    let theta = vec![1.0, 0.5, 0.2, 0.3, 0.5, 0.1];
    let beta = [0.91, 0.0, 0.03];
    let mut out = Vec::new();
    measure(
        views,
        &rows_of(task, &kind, std::slice::from_ref(&theta)),
        METRICS_OF_ROWS.map(|n| metric(n).unwrap()).as_slice(),
        &mut out,
    );
    // Unseen signal counts in the test error.
    close(value(&out, "test_error", 0), 0.09f64.powi(2) + 3.0 * 1.03f64.powi(2) + 0.5, 1e-14);
    close(value(&out, "estimation_error", 0), 0.09f64.powi(2) + 1.03f64.powi(2), 1e-14);
    close(value(&out, "sharpness", 0), hessian_spectrum(task, &kind, &theta)[0], 1e-9);
    close(value(&out, "predictor_l1_norm", 0), 0.94, 1e-14);
    close(value(&out, "parameter_norm", 0), 1.64f64.sqrt(), 1e-14);
    // Other fits have no parameters, so neither curvature nor norm there.
    let mut fits = Snapshots::series(3);
    fits.push_series(&beta, f64::NAN);
    measure(views, &fits, METRICS_OF_ROWS.map(|n| metric(n).unwrap()).as_slice(), &mut out);
    assert!(["sharpness", "parameter_norm", "gradient_norm"].iter().all(|name| is_null(&out, name)));
    close(value(&out, "estimation_error", 0), 0.09f64.powi(2) + 1.03f64.powi(2), 1e-14);
    close(value(&out, "predictor_l1_norm", 0), 0.94, 1e-14);
}

const METRICS_OF_ROWS: [&str; 6] =
    ["test_error", "estimation_error", "sharpness", "predictor_l1_norm", "parameter_norm", "gradient_norm"];
