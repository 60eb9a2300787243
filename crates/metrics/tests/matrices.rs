//! Matrix predictors and their factors: answers known in closed form, reference tables, and rows that must not differ.

use std::collections::BTreeMap;
use std::sync::Arc;
use taut_metrics::{Column, METRICS, MatrixSetting, MetricDef, Views, hessian_spectrum, measure, metric};
use taut_numerics::{DMatrix, ThinSvd, normal, stream, symmetric_eigenvalues};
use taut_problem::{
    Covariance, DeepLinear, Entries, HadamardPower, Identity, Law, Matrices, MatrixProblem, MatrixSamples,
    Measurements, Moments, Observed, ParametrizationKind, Regression, Rows, Shape, Snapshots, Symmetric, Task, Tensors,
    TestOver,
};

fn gaussian(rows: usize, columns: usize, replicate: u64) -> DMatrix<f64> {
    let mut draws = stream(11, "matrices", replicate);
    DMatrix::from_fn(rows, columns, |_, _| normal(&mut draws))
}

fn of_moments(syx: DMatrix<f64>, sxx: Option<DMatrix<f64>>, teacher: Option<DMatrix<f64>>) -> MatrixProblem {
    let (outputs, inputs) = syx.shape();
    let observed = Observed::Moments(Moments { sxx, syx, trace_syy: None, samples: None });
    MatrixProblem { inputs, outputs, observed, teacher, test: TestOver::Inputs(None) }
}

fn deep(hidden: &[usize]) -> ParametrizationKind {
    ParametrizationKind::DeepLinear(DeepLinear::of_widths(hidden))
}

fn power(depth: f64) -> ParametrizationKind {
    ParametrizationKind::HadamardPower(HadamardPower { depth: depth.try_into().unwrap() })
}

fn all() -> Vec<&'static MetricDef> {
    METRICS.iter().filter(|metric| metric.of_matrix.is_some()).collect()
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
    };
    let held_out = MatrixProblem {
        inputs: 5,
        outputs: 1,
        observed: Observed::Moments(samples(1, 5, 9).moments()),
        teacher: None,
        test: TestOver::Samples(samples(1, 5, 7)),
    };
    let target = gaussian(4, 4, 4);
    let observed = Observed::Entries(Entries { target: target.clone(), observed: vec![0, 3, 5, 6, 10, 11, 15] });
    let completion = MatrixProblem { inputs: 4, outputs: 4, observed, teacher: Some(target), test: TestOver::Entries };
    let observed = Measurements { matrices: gaussian(7, 16, 5), values: gaussian(7, 1, 6).as_slice().to_vec() };
    let sensing = MatrixProblem {
        inputs: 4,
        outputs: 4,
        observed: Observed::Measurements(observed),
        teacher: teacher(4, 4),
        test: TestOver::Entries,
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
        for Column { metric, values } in &columns {
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
fn the_hessian_is_the_derivative_of_the_gradient() {
    for case in cases() {
        let (task, theta) = (Task::Matrix(&case.problem), &thetas(&case)[1]);
        let Shape { inputs, outputs, .. } = task.shape(1);
        let (mut map, mut objective) = (case.kind.build(task.shape(1)), Task::objective(&[task], 1, false));
        let mut gradient_at = |theta: &[f64]| {
            let (mut beta, mut g) = (vec![0.0; inputs * outputs], vec![0.0; inputs * outputs]);
            let mut gradient = vec![0.0; theta.len()];
            map.predictor_into(theta, &mut beta);
            objective.loss_and_grad_into(&beta, Rows::All, &mut [0.0], &mut g);
            map.pullback_into(theta, &g, &mut gradient);
            gradient
        };
        let h = 1e-5;
        let mut hessian = DMatrix::zeros(theta.len(), theta.len());
        for j in 0..theta.len() {
            let mut moved = theta.clone();
            moved[j] += h;
            let ahead = gradient_at(&moved);
            moved[j] -= 2.0 * h;
            let behind = gradient_at(&moved);
            (0..theta.len()).for_each(|i| hessian[(i, j)] = (ahead[i] - behind[i]) / (2.0 * h));
        }
        let symmetric = (&hessian + hessian.transpose()) * 0.5;
        let differences = symmetric_eigenvalues(symmetric.as_view());
        let exact = hessian_spectrum(task, &case.kind, theta);
        // Differences of step 1e-5 err by 1e-10 of the third derivative, and by eps/1e-5 of the gradient.
        let scale = exact.iter().fold(1e-3, |scale: f64, x| scale.max(x.abs()));
        for (exact, difference) in exact.iter().zip(&differences) {
            assert!((exact - difference).abs() < 1e-8 * scale, "{}: {exact} {difference}", case.kind.name());
        }
    }
}

#[test]
fn sharpness_is_the_top_of_the_spectrum() {
    let stated = 1e-8;
    for case in cases() {
        let (task, thetas) = (Task::Matrix(&case.problem), thetas(&case));
        let columns = measured(task, &case.kind, &thetas);
        for (row, theta) in thetas.iter().enumerate().filter(|(row, _)| *row != 5) {
            let exact = hessian_spectrum(task, &case.kind, theta);
            let scale = exact[0].abs().max(exact[exact.len() - 1].abs());
            let error = (value(&columns, "sharpness", row) - exact[0]).abs();
            // Rounding of the dense spectrum is of the size of its largest entry, not of its top.
            assert!(error <= stated * exact[0].abs() + 1e-14 * scale, "{} {row}: {error} {exact:?}", case.kind.name());
        }
    }
}

#[test]
fn a_balanced_minimum_has_the_spectrum_in_closed_form() {
    // (sᵢ² − sⱼ²)/(sᵢ^(2/N) − sⱼ^(2/N)), Nsᵢ^(2−2/N) on the diagonal; the largest is Ns₁^(2−2/N).
    let s = [2.0_f64, 1.2, 0.5];
    for depth in [2, 3, 4] {
        let n = depth as f64;
        let (u, v) = (gaussian(3, 3, 1).qr().q(), gaussian(4, 4, 2).qr().q());
        let roots = DMatrix::from_fn(4, 4, |i, j| if i == j && i < 3 { s[i].powf(1.0 / n) } else { 0.0 });
        let first = &roots * v.transpose();
        let last = &u * roots.rows(0, 3);
        let problem =
            of_moments(&u * DMatrix::from_fn(3, 4, |i, j| if i == j { s[i] } else { 0.0 }) * v.transpose(), None, None);
        let factors: Vec<&DMatrix<f64>> = (0..depth)
            .map(|l| {
                if l == 0 {
                    &first
                } else if l + 1 == depth {
                    &last
                } else {
                    &roots
                }
            })
            .collect();
        let (kind, theta) = (deep(&vec![4; depth - 1]), theta_of(&factors));
        let pair = |a: f64, b: f64| {
            if (a - b).abs() < 1e-9 {
                n * a.powf(2.0 - 2.0 / n)
            } else {
                (a * a - b * b) / (a.powf(2.0 / n) - b.powf(2.0 / n))
            }
        };
        let mut exact: Vec<f64> = (0..3).flat_map(|i| [s[0], s[1], s[2], 0.0].map(|b| pair(s[i], b))).collect();
        exact.sort_by(|a, b| b.total_cmp(a));
        let task = Task::Matrix(&problem);
        let spectrum = hessian_spectrum(task, &kind, &theta);
        for (got, exact) in spectrum.iter().zip(&exact) {
            close(*got, *exact, 1e-13);
        }
        assert!(spectrum[12..].iter().all(|x| x.abs() < 1e-13));
        let columns = measured(task, &kind, &[theta]);
        close(value(&columns, "sharpness", 0), n * 2f64.powf(2.0 - 2.0 / n), 1e-9);
        close(value(&columns, "balancedness_gap", 0), 0.0, 1e-14);
        close(value(&columns, "off_diagonal_mass", 0), 0.0, 1e-14);
        close(value(&columns, "gradient_norm", 0), 0.0, 1e-13);
    }
}

#[test]
fn large_models_are_looked_at_one_by_one_with_the_same_answer() {
    // 2·46² parameters are too many for eight side by side. Top: N·s₁^(2−2/N) = 2s₁ with s₁ = 3 over a bulk below 1.
    let n = 46;
    let s = |i: usize| if i == 0 { 3.0 } else { 1.0 / i as f64 };
    let (u, v) = (gaussian(n, n, 1).qr().q(), gaussian(n, n, 2).qr().q());
    let roots = DMatrix::from_fn(n, n, |i, j| if i == j { f64::sqrt(s(i)) } else { 0.0 });
    let problem = of_moments(&u * &roots * &roots * v.transpose(), None, None);
    let theta = theta_of(&[&(&roots * v.transpose()), &(&u * &roots)]);
    let columns = measured(Task::Matrix(&problem), &deep(&[n]), &[theta.clone(), vec![0.0; 2 * n * n], theta]);
    close(value(&columns, "sharpness", 0), 6.0, 1e-9);
    // At zero the Hessian is ± the singular values of Syx, each n times.
    close(value(&columns, "sharpness", 1), 3.0, 1e-9);
    assert_eq!(value(&columns, "sharpness", 0).to_bits(), value(&columns, "sharpness", 2).to_bits());
}

#[test]
fn hidden_units_that_nothing_uses_add_the_singular_values_of_the_residual() {
    // h = 9 hidden units in a space of dimension 4: the spectrum of the 5-4-3 network, and five times ±s(E) with two zeros.
    let (w1, w2) = (gaussian(4, 5, 1) * 0.5, gaussian(3, 4, 2) * 0.5);
    let embed = gaussian(9, 4, 3).qr().q();
    let samples = Arc::new(MatrixSamples { x: gaussian(5, 8, 4), y: gaussian(3, 8, 5) });
    let problem = MatrixProblem {
        inputs: 5,
        outputs: 3,
        observed: Observed::Moments(samples.moments()),
        teacher: None,
        test: TestOver::Inputs(None),
    };
    let task = Task::Matrix(&problem);
    let (wide1, wide2) = (&embed * &w1, &w2 * embed.transpose());
    let full = hessian_spectrum(task, &deep(&[9]), &theta_of(&[&wide1, &wide2]));
    let mut expected = hessian_spectrum(task, &deep(&[4]), &theta_of(&[&w1, &w2]));
    let Observed::Moments(moments) = &problem.observed else { panic!("moments") };
    let e = &w2 * &w1 * moments.sxx.as_ref().unwrap() - &moments.syx;
    for s in ThinSvd::new(e.as_view()).s {
        expected.extend([[s; 5], [-s; 5]].concat());
    }
    expected.extend([0.0; 10]);
    expected.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(full.len(), expected.len());
    for (got, exact) in full.iter().zip(&expected) {
        close(*got, *exact, 1e-13);
    }
    let columns = measured(task, &deep(&[9]), &[theta_of(&[&wide1, &wide2])]);
    close(value(&columns, "residual_operator_norm", 0), ThinSvd::new(e.as_view()).s[0], 1e-14);
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

/// Columns of the tables that are columns of ours.
const PAIRS: [(&str, &str); 8] = [
    ("loss", "loss"),
    ("train_loss", "loss"),
    ("loss_half_sum_observed", "loss"),
    ("sv1", "largest_singular_value"),
    ("nuclear_norm", "nuclear_norm"),
    ("effective_rank", "effective_rank"),
    ("mse_unobserved", "mse_unobserved"),
    ("test_error_normalised", "test_error_normalised"),
];

fn lines(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines.map(|line| names.iter().copied().zip(line.split(',')).collect()).collect()
}

/// Tensors in the long form whose names start with a prefix, without it.
fn tensors(text: &str, prefix: &str) -> Tensors {
    let mut entries: BTreeMap<String, Vec<(usize, usize, f64)>> = BTreeMap::new();
    for line in lines(text) {
        let Some(name) = line["tensor"].strip_prefix(prefix) else { continue };
        let entry = (line["row"].parse().unwrap(), line["col"].parse().unwrap(), line["value"].parse().unwrap());
        entries.entry(name.to_owned()).or_default().push(entry);
    }
    let matrix = |entries: Vec<(usize, usize, f64)>| {
        let size = |of: fn(&(usize, usize, f64)) -> usize| entries.iter().map(of).max().unwrap() + 1;
        let mut matrix = DMatrix::zeros(size(|e| e.0), size(|e| e.1));
        entries.iter().for_each(|&(i, j, x)| matrix[(i, j)] = x);
        matrix
    };
    Tensors(entries.into_iter().map(|(name, entries)| (name, matrix(entries))).collect())
}

macro_rules! reference {
    ($name:literal) => {
        include_str!(concat!("../../../tests/references/deep_linear/", $name, ".csv"))
    };
}

#[test]
fn starts_and_ends_of_reference_runs_have_their_columns() {
    let cases = [
        (
            reference!("c02_depth3_random_inputs"),
            reference!("c02_depth3_random_traj"),
            reference!("c02_depth3_random_final"),
            deep(&[8, 7]),
        ),
        (
            reference!("c03_depth4_nonwhitened_inputs"),
            reference!("c03_depth4_nonwhitened_traj"),
            reference!("c03_depth4_nonwhitened_final"),
            deep(&[9, 4, 7]),
        ),
        (
            reference!("c04_completion_depth2_inputs"),
            reference!("c04_completion_depth2_traj"),
            reference!("c04_completion_depth2_final"),
            deep(&[8]),
        ),
        (
            reference!("c05_completion_depth3_inputs"),
            reference!("c05_completion_depth3_traj"),
            reference!("c05_completion_depth3_final"),
            deep(&[8, 8]),
        ),
        (
            reference!("c11_noisy_teacher_inputs"),
            reference!("c11_noisy_teacher_traj"),
            reference!("c11_noisy_teacher_final"),
            deep(&[12]),
        ),
    ];
    for (inputs, path, end, kind) in cases {
        let given = tensors(inputs, "");
        let problem = Matrices::default().problem(&given).unwrap();
        let parts = kind.tensors(problem.inputs, problem.outputs);
        let starts = [given.parameters(&parts).unwrap(), tensors(end, "").parameters(&parts).unwrap()];
        let columns = measured(Task::Matrix(&problem), &kind, &starts);
        let table = lines(path);
        let mut compared = 0;
        for (row, line) in [(0, &table[0]), (1, table.last().unwrap())] {
            let number = |name: &str| line.get(name).map(|text| text.parse::<f64>().unwrap());
            for (theirs, ours) in PAIRS {
                let Some(exact) = number(theirs) else { continue };
                // Losses near the end have lost digits in the table: 1e-9 of themselves and 1e-12 of their start.
                let scale = table[0][theirs].parse::<f64>().unwrap().max(exact);
                let got = value(&columns, ours, row);
                assert!((got - exact).abs() <= 1e-9 * exact.abs() + 1e-12 * scale, "{ours} {got} {exact}");
                compared += 1;
            }
            let gaps = ["imbalance_21", "imbalance_32", "imbalance_43"].map(number).into_iter().flatten();
            if let Some(gap) = gaps.reduce(f64::max) {
                close(value(&columns, "balancedness_gap", row), gap, 1e-12);
                compared += 1;
            }
            let norms = ["fro_W1", "fro_W2", "fro_W3", "fro_W4"].map(number).into_iter().flatten();
            if let Some(norm) = norms.reduce(f64::max) {
                close(value(&columns, "factor_norm_max", row), norm, 1e-12);
                compared += 1;
            }
        }
        assert!(compared >= 6, "{compared} columns");
    }
}

#[test]
fn reference_spectra_of_hessians_come_out() {
    let text = reference!("c09_hessian_inputs");
    for (case, hidden) in [("a", vec![5]), ("b", vec![4, 4])] {
        let mut given = tensors(text, &format!("{case}_"));
        for (name, matrix) in tensors(text, "").0 {
            if ["Sxx", "Syx"].contains(&name.as_str()) {
                given.0.entry(name).or_insert(matrix);
            }
        }
        let problem = Matrices::default().problem(&given).unwrap();
        let kind = deep(&hidden);
        let theta = given.parameters(&kind.tensors(problem.inputs, problem.outputs)).unwrap();
        let spectrum = hessian_spectrum(Task::Matrix(&problem), &kind, &theta);
        let table = lines(reference!("c09_hessian_spectrum"));
        let exact: Vec<f64> =
            table.iter().filter(|line| line["case"] == case).map(|line| line["eigenvalue"].parse().unwrap()).collect();
        assert_eq!(spectrum.len(), exact.len());
        let error = spectrum.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // Two dense eigensolvers differ by eps times the largest, and the table holds 16 digits.
        assert!(error < 1e-13, "{error}");
        let columns = measured(Task::Matrix(&problem), &kind, &[theta]);
        close(value(&columns, "sharpness", 0), exact[0], 1e-9);
    }
}
