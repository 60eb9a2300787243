//! Theories of matrices and of their factors against exact answers, certificates, descent and tables.
//!
//! What is reached is printed with `--nocapture`.

#![allow(clippy::print_stderr)] // the figures reached

mod matrix_cases;

use matrix_cases::{Case, at, deep, gaussian, matrix_problem, number, numbers, rows, tensor};
use taut_numerics::{DMatrix, DVector, normal, stream, uniform};
use taut_problem::{
    DeepLinear, Dynamics, Entries, MatrixProblem, Measurements, Moments, Motion, Observed, ParametrizationKind,
    Symmetric,
};

fn whitened(syx: DMatrix<f64>) -> MatrixProblem {
    let (outputs, inputs) = syx.shape();
    matrix_problem(outputs, inputs, Observed::Moments(Moments { sxx: None, syx, trace_syy: None, samples: None }))
}

/// An n × n matrix of this rank and Frobenius norm n, and some of its entries.
fn completion(n: usize, rank: usize, count: usize, replicate: u64) -> (DMatrix<f64>, MatrixProblem) {
    let mut draws = stream(5, "completion", replicate);
    let mut factor = || DMatrix::from_fn(n, rank, |_, _| normal(&mut draws));
    let product = factor() * factor().transpose();
    let teacher = &product * (n as f64 / product.norm());
    let mut places: Vec<usize> = (0..n * n).collect();
    for i in 0..count {
        let j = i + (uniform(&mut draws) * (n * n - i) as f64) as usize;
        places.swap(i, j);
    }
    let mut observed = places[..count].to_vec();
    observed.sort_unstable();
    let entries = Entries { target: teacher.clone(), observed };
    (teacher, matrix_problem(n, n, Observed::Entries(entries)))
}

#[test]
fn least_nuclear_norm_of_a_hundred_by_a_hundred_is_certified() {
    let (teacher, problem) = completion(100, 5, 2000, 0);
    let start = vec![0.0; 20_000];
    let began = std::time::Instant::now();
    let prediction = Case::new(&problem, &deep(2.0), &start).predict("nuclear_norm_minimizer");
    let w = DMatrix::from_column_slice(100, 100, &prediction.path[0].1);
    let (norm, gap) = (number(&prediction, "nuclear_norm"), number(&prediction, "nuclear_norm_gap"));
    let mse = (&w - &teacher).norm_squared() / 1e4;
    eprintln!(
        "nuclear norm {norm:.4}, teacher {:.4}, gap {gap:.1e}, test {mse:.4}, {:?}",
        teacher.clone().svd(false, false).singular_values.sum(),
        began.elapsed()
    );
    let Observed::Entries(entries) = &problem.observed else { unreachable!() };
    for &place in &entries.observed {
        assert!((w.as_slice()[place] - teacher.as_slice()[place]).abs() < 1e-12);
    }
    assert_eq!(prediction.unmet, None);
    assert!((205.0..225.0).contains(&norm) && gap < 1e-6);
}

#[test]
fn least_trace_under_measurements_is_certified() {
    // A rank-one teacher under 16 Gaussian measurements.
    let (size, count) = (10, 16);
    let u = gaussian(size, 1, "sensing teacher");
    let teacher = &u * u.transpose();
    let mut matrices = gaussian(count, size * size, "sensing");
    for i in 0..count {
        let a = DMatrix::from_vec(size, size, matrices.row(i).iter().copied().collect());
        let even = (&a + a.transpose()) * 0.5;
        (0..size * size).for_each(|k| matrices[(i, k)] = even.as_slice()[k]);
    }
    let values = (&matrices * DVector::from_column_slice(teacher.as_slice())).as_slice().to_vec();
    let problem = matrix_problem(size, size, Observed::Measurements(Measurements { matrices, values }));
    let kind = ParametrizationKind::Symmetric(Symmetric::default());
    let prediction = Case::new(&problem, &kind, &[0.0; 100]).predict("nuclear_norm_minimizer");
    let x = DMatrix::from_column_slice(size, size, &prediction.path[0].1);
    let (norm, gap) = (number(&prediction, "nuclear_norm"), number(&prediction, "nuclear_norm_gap"));
    let least = x.clone().symmetric_eigenvalues().min();
    eprintln!("least trace {norm:.6} (teacher {:.6}), gap {gap:.1e}, least eigenvalue {least:.1e}", teacher.trace());
    // Not the teacher: 16 measurements are too few.
    assert!(gap < 1e-6 && norm < teacher.trace() * (1.0 + 1e-9) && least > -1e-6);
    let free = Case::new(&problem, &deep(2.0), &[0.0; 200]).predict("nuclear_norm_minimizer");
    eprintln!("without the sign: {:.6}, gap {:.1e}", number(&free, "nuclear_norm"), number(&free, "nuclear_norm_gap"));
    assert!(number(&free, "nuclear_norm") <= norm * (1.0 + 1e-6));
}

#[test]
fn a_positive_matrix_of_rank_one_is_completed_from_a_row() {
    // The first row of uuᵀ fixes its trace from below: tr X ≥ Σ X₁ⱼ²/X₁₁ for X ⪰ 0, with equality at uuᵀ.
    let u = gaussian(6, 1, "completed");
    let target = &u * u.transpose();
    let entries = Entries { target: target.clone(), observed: (0..6).map(|j| 6 * j).collect() };
    let problem = matrix_problem(6, 6, Observed::Entries(entries));
    let kind = ParametrizationKind::Symmetric(Symmetric::default());
    let prediction = Case::new(&problem, &kind, &[0.0; 36]).predict("nuclear_norm_minimizer");
    assert_eq!(prediction.unmet, None);
    let (norm, gap) = (number(&prediction, "nuclear_norm"), number(&prediction, "nuclear_norm_gap"));
    eprintln!("least trace {norm:.9}, exactly {:.9}, gap {gap:.1e}", target.trace());
    // A gap of 1e-9 bounds the trace; distances are its square root.
    assert!((norm / target.trace() - 1.0).abs() < 1e-8);
    let found = DMatrix::from_column_slice(6, 6, &prediction.path[0].1);
    assert!((found - &target).norm() < 1e-4 * target.norm());
}

/// Measurements that are diagonal in a random basis, of a positive rank-two matrix.
fn commuting(size: usize, count: usize) -> (MatrixProblem, DMatrix<f64>, DMatrix<f64>) {
    let basis = gaussian(size, size, "commuting basis").qr().q();
    let values = gaussian(count, size, "commuting values");
    let truth = DVector::from_fn(size, |i, _| if i < 2 { 2.0 - i as f64 } else { 0.0 });
    let mut matrices = DMatrix::zeros(count, size * size);
    for i in 0..count {
        let a = &basis * DMatrix::from_diagonal(&values.row(i).transpose()) * basis.transpose();
        matrices.set_row(i, &DVector::from_column_slice(a.as_slice()).transpose());
    }
    let seen = (&values * &truth).as_slice().to_vec();
    (matrix_problem(size, size, Observed::Measurements(Measurements { matrices, values: seen })), basis, values)
}

#[test]
fn commuting_measurements_lead_to_the_least_trace() {
    let (problem, ..) = commuting(8, 5);
    let kind = ParametrizationKind::Symmetric(Symmetric::default());
    let least = Case::new(&problem, &kind, &[0.0; 64]).predict("nuclear_norm_minimizer");
    let least = DMatrix::from_column_slice(8, 8, &least.path[0].1);
    let mut distances = Vec::new();
    for alpha in [0.1, 0.01, 1e-4, 1e-30] {
        let start = DMatrix::<f64>::identity(8, 8) * alpha;
        let prediction = Case::new(&problem, &kind, start.as_slice())
            .until_limit(&[0.0, 1.0, 20.0])
            .predict("commuting_measurements");
        assert_eq!(prediction.unmet, None);
        let x = DMatrix::from_column_slice(8, 8, &prediction.path[3].1);
        let Observed::Measurements(m) = &problem.observed else { unreachable!() };
        let residual = &m.matrices * DVector::from_column_slice(x.as_slice()) - DVector::from_column_slice(&m.values);
        assert!(residual.norm() < 1e-9);
        let traces = (number(&prediction, "limit_trace"), number(&prediction, "minimal_trace"));
        distances.push((&x - &least).norm());
        eprintln!(
            "α = {alpha}: to the least trace {:.2e}; traces {traces:?}, {:.9}",
            (&x - &least).norm(),
            least.trace()
        );
        assert!((traces.1 - least.trace()).abs() < 1e-6 && traces.0 >= traces.1 - 1e-9);
    }
    assert!(distances.windows(2).all(|pair| pair[1] < pair[0]) && distances[3] < 1e-5);
}

#[test]
fn the_flow_under_commuting_measurements_is_that_of_the_factors() {
    let (problem, ..) = commuting(4, 2);
    let kind = ParametrizationKind::Symmetric(Symmetric::default());
    let start = DMatrix::<f64>::identity(4, 4) * 0.3;
    let times = [0.0, 0.1, 0.5];
    let prediction = Case::new(&problem, &kind, start.as_slice()).until_limit(&times).predict("commuting_measurements");
    let Observed::Measurements(m) = &problem.observed else { unreachable!() };
    let slope = |u: &DMatrix<f64>| {
        let x = u * u.transpose();
        let r = &m.matrices * DVector::from_column_slice(x.as_slice()) - DVector::from_column_slice(&m.values);
        let g = DMatrix::from_column_slice(4, 4, m.matrices.tr_mul(&r).as_slice());
        -((&g + g.transpose()) * u)
    };
    let (h, mut u) = (1e-4, start.clone());
    for k in 0..=5000 {
        if let Some(at) = times.iter().position(|t| (t / h - f64::from(k)).abs() < 0.5) {
            let x = DMatrix::from_column_slice(4, 4, &prediction.path[at].1);
            // Runge and Kutta's method at h = 1e-4, 1e-11 per step of the prediction.
            assert!((x - &u * u.transpose()).norm() < 1e-8, "{at}");
        }
        let a = slope(&u);
        let b = slope(&(&u + &a * (0.5 * h)));
        let c = slope(&(&u + &b * (0.5 * h)));
        let d = slope(&(&u + &c * h));
        u += (a + (b + c) * 2.0 + d) * (h / 6.0);
    }
}

#[test]
fn the_hessian_at_the_balanced_minimum_is_that_of_the_table() {
    let syx = tensor("c09_hessian_inputs", "b_W3")
        * tensor("c09_hessian_inputs", "b_W2")
        * tensor("c09_hessian_inputs", "b_W1");
    let problem = whitened(syx);
    let start = vec![0.0; deep(3.0).parameters(4, 3)];
    let heavy = Dynamics { motion: Motion::HeavyBall(0.9), ..Dynamics::descent(0.01) };
    let prediction = Case::new(&problem, &deep(3.0), &start).moved(&heavy, &[]).predict("balanced_minimum_sharpness");
    let own = numbers(&prediction, "hessian_eigenvalue");
    let table: Vec<f64> = rows("c09_hessian_spectrum")
        .iter()
        .filter(|row| row["case"] == "b")
        .map(|row| row["eigenvalue"].parse().unwrap())
        .collect();
    let worst = own.iter().zip(&table).map(|(a, b): (&f64, &f64)| (a - b).abs()).fold(0.0, f64::max);
    let rest = table[own.len()..].iter().map(|v| v.abs()).fold(0.0, f64::max);
    eprintln!("{} eigenvalues, worst {worst:.1e}, the rest of the table below {rest:.1e}", own.len());
    assert!(worst < 1e-9 && rest < 1e-9 && prediction.unmet.is_none());
    let sharpness = number(&prediction, "sharpness");
    assert!((sharpness - 3.0 * 2f64.powf(4.0 / 3.0)).abs() < 1e-9);
    assert!((number(&prediction, "critical_step_size") - 3.8 / sharpness).abs() < 1e-12);
    let narrow = ParametrizationKind::DeepLinear(DeepLinear::of_widths(&[2, 2]));
    let start = vec![0.0; narrow.parameters(4, 3)];
    assert!(Case::new(&problem, &narrow, &start).predict("balanced_minimum_sharpness").unmet.is_some());
}

#[test]
fn descent_ends_on_the_two_cycle() {
    let s = [3.0, 1.0];
    let problem = whitened(DMatrix::from_diagonal(&DVector::from_column_slice(&s)));
    for c in [1.05, 1.1, 1.15] {
        let eta = c / s[0];
        let dynamics = Dynamics::descent(eta);
        let start = vec![0.1; 8];
        let prediction =
            Case::new(&problem, &deep(2.0), &start).moved(&dynamics, &[]).predict("edge_of_stability_two_cycle");
        assert_eq!(prediction.unmet, None);
        let [high, low] = [1.0, -1.0].map(|sign| at(&prediction, "cycle_strength", sign));
        let (mut w1, mut w2) = (DMatrix::from_diagonal_element(2, 2, 0.1), DMatrix::from_diagonal_element(2, 2, 0.1));
        let target = DMatrix::from_diagonal(&DVector::from_column_slice(&s));
        let mut last = [0.0; 2];
        for _ in 0..20_000 {
            let e = &w2 * &w1 - &target;
            let (g1, g2) = (w2.tr_mul(&e), &e * w1.transpose());
            (w1, w2) = (w1 - g1 * eta, w2 - g2 * eta);
            last = [last[1], (&w2 * &w1)[(0, 0)]];
        }
        let found = [last[0].max(last[1]), last[0].min(last[1])];
        eprintln!("c = {c}: {high:.10} {low:.10}, found {found:?}");
        assert!((found[0] - high).abs() < 1e-9 && (found[1] - low).abs() < 1e-9);
        let loss = at(&prediction, "cycle_loss", 1.0);
        assert!((loss - 0.5 * (high - 3.0).powi(2)).abs() < 1e-12);
    }
    let slow = Dynamics::descent(0.3);
    let start = vec![0.1; 8];
    assert!(
        Case::new(&problem, &deep(2.0), &start)
            .moved(&slow, &[])
            .predict("edge_of_stability_two_cycle")
            .unmet
            .is_some()
    );
}

/// Top eigenvalue of the Hessian of ½q(ab − s)² at its end under flow from (a, b).
fn scalar_end(q: f64, s: f64, (mut a, mut b): (f64, f64)) -> f64 {
    let h = 1e-3;
    let slope = |a: f64, b: f64| (-q * (a * b - s) * b, -q * (a * b - s) * a);
    for _ in 0..100_000 {
        let (a1, b1) = slope(a, b);
        let (a2, b2) = slope(a + 0.5 * h * a1, b + 0.5 * h * b1);
        let (a3, b3) = slope(a + 0.5 * h * a2, b + 0.5 * h * b2);
        let (a4, b4) = slope(a + h * a3, b + h * b3);
        a += h * (a1 + 2.0 * a2 + 2.0 * a3 + a4) / 6.0;
        b += h * (b1 + 2.0 * b2 + 2.0 * b3 + b4) / 6.0;
    }
    q * (a * a + b * b)
}

#[test]
fn flow_of_two_scalars_ends_at_the_predicted_sharpness() {
    for (q, syx, a, b) in [(1.0, 1.0, 3.0, 0.1), (2.0, 0.8, 0.2, 0.5), (0.5, -1.0, 1.0, 0.3)] {
        let moments = Moments {
            sxx: Some(DMatrix::from_element(1, 1, q)),
            syx: DMatrix::from_element(1, 1, syx),
            trace_syy: None,
            samples: None,
        };
        let problem = matrix_problem(1, 1, Observed::Moments(moments));
        let prediction = Case::new(&problem, &deep(2.0), &[a, b]).predict("unbalanced_flow_sharpness");
        assert_eq!(prediction.unmet, None);
        let (predicted, found) = (number(&prediction, "sharpness"), scalar_end(q, syx / q, (a, b)));
        assert!((predicted / found - 1.0).abs() < 1e-10, "{predicted} {found}");
        assert!((number(&prediction, "imbalance") - (b * b - a * a)).abs() < 1e-12);
    }
}

#[test]
fn plateau_bounds_enclose_the_balanced_minimum() {
    // Whitened: the lower bound is the least sharpness N‖w*‖^(2−2/N) itself.
    let w = [0.6, -0.8, 1.0];
    let problem = whitened(DMatrix::from_row_slice(1, 3, &w));
    let kind = deep(4.0);
    let start = vec![0.0; kind.parameters(3, 1)];
    let bounds = Case::new(&problem, &kind, &start).predict("sharpness_plateau_bounds");
    let least = Case::new(&problem, &kind, &start).predict("balanced_minimum_sharpness");
    let lower = number(&bounds, "sharpness_lower_bound");
    assert!((lower - number(&least, "sharpness")).abs() < 1e-12);
    assert!((number(&bounds, "sharpness_upper_bound") - 4.0 * lower).abs() < 1e-12);
    assert_eq!(bounds.unmet, None);
}

#[test]
fn flow_from_a_small_start_ends_between_the_bounds() {
    // Inputs of unequal variance, no noise: at the end the Hessian is that of the linearised network.
    let (n, d, depth) = (50, 5, 3);
    let x = DMatrix::from_fn(d, n, |i, j| gaussian(d, n, "plateau")[(i, j)] * [2.0, 1.0, 1.0, 0.7, 0.5][i]);
    let w = DVector::from_vec(vec![0.2, 0.5, -0.4, 0.6, 0.3]);
    let sxx = &x * x.transpose() / n as f64;
    let syx = w.transpose() * &sxx;
    let syx = DMatrix::from_row_slice(1, d, syx.as_slice());
    let moments = Moments { sxx: Some(sxx.clone()), syx: syx.clone(), trace_syy: None, samples: None };
    let problem = matrix_problem(1, d, Observed::Moments(moments));
    let start = vec![0.0; deep(3.0).parameters(d, 1)];
    let bounds = Case::new(&problem, &deep(3.0), &start).predict("sharpness_plateau_bounds");
    assert_eq!(bounds.unmet, None);
    for scale in [0.05, 0.5] {
        let mut factors = [gaussian(d, d, "l1"), gaussian(d, d, "l2"), gaussian(1, d, "l3")].map(|w| w * scale);
        for _ in 0..60_000 {
            let e = (&factors[2] * &factors[1] * &factors[0]) * &sxx - &syx;
            let g = [
                (&factors[2] * &factors[1]).tr_mul(&e),
                factors[2].tr_mul(&e) * factors[0].transpose(),
                &e * (&factors[1] * &factors[0]).transpose(),
            ];
            factors.iter_mut().zip(&g).for_each(|(w, g)| *w -= g * 5e-3);
        }
        let after = [(&factors[2] * &factors[1]).norm_squared(), factors[2].norm_squared(), 1.0];
        let before = [DMatrix::identity(d, d), factors[0].clone(), &factors[1] * &factors[0]];
        let kernel = (0..depth).fold(DMatrix::zeros(d, d), |sum, l| sum + before[l].tr_mul(&before[l]) * after[l]);
        let root = sxx.clone().cholesky().unwrap().l();
        let sharpness = (root.transpose() * kernel * root).symmetric_eigenvalues().max();
        let residual = ((&factors[2] * &factors[1] * &factors[0]).transpose() - &w).norm();
        let [lower, upper] = ["sharpness_lower_bound", "sharpness_upper_bound"].map(|name| number(&bounds, name));
        eprintln!("scale {scale}: {lower:.4} ≤ {sharpness:.4} ≤ {upper:.4}, {residual:.1e} from w*");
        assert!(residual < 1e-6 && lower <= sharpness);
        assert!(scale > 0.1 || sharpness <= upper);
    }
}

#[test]
fn singular_values_set_out_at_the_predicted_rates() {
    // A balanced start by orthogonal matrices: W_l = R_{l+1} D R_lᵀ.
    let (n, depth) = (5, 3);
    let rotation = |name| gaussian(n, n, name).qr().q();
    let rotations = [rotation("r1"), rotation("r2"), rotation("r3"), rotation("r4")];
    let values = DVector::from_vec(vec![1.1, 0.9, 0.6, 0.4, 0.2]);
    let factors: Vec<DMatrix<f64>> =
        (0..depth).map(|l| &rotations[l + 1] * DMatrix::from_diagonal(&values) * rotations[l].transpose()).collect();
    let inputs = gaussian(n, 20, "inputs");
    let sxx = &inputs * inputs.transpose() / 20.0;
    let syx = gaussian(n, n, "target");
    let moments = Moments { sxx: Some(sxx.clone()), syx: syx.clone(), trace_syy: None, samples: None };
    let problem = matrix_problem(n, n, Observed::Moments(moments));
    let start: Vec<f64> = factors.iter().flat_map(|w| w.as_slice().to_vec()).collect();
    let prediction = Case::new(&problem, &deep(3.0), &start).predict("singular_value_flow");
    assert_eq!(prediction.unmet, None);
    let sigma = |h: f64| {
        let e = (&factors[2] * &factors[1] * &factors[0]) * &sxx - &syx;
        let g1 = (&factors[2] * &factors[1]).tr_mul(&e);
        let g2 = factors[2].tr_mul(&e) * factors[0].transpose();
        let g3 = &e * (&factors[1] * &factors[0]).transpose();
        let moved = (&factors[2] - g3 * h) * (&factors[1] - g2 * h) * (&factors[0] - g1 * h);
        let mut values: Vec<f64> = moved.svd(false, false).singular_values.iter().copied().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values
    };
    let (ahead, behind) = (sigma(1e-5), sigma(-1e-5));
    let rates = numbers(&prediction, "singular_value_rate");
    for (r, rate) in rates.iter().enumerate() {
        // Central differences.
        let difference = (ahead[r] - behind[r]) / 2e-5;
        assert!((difference - rate).abs() < 1e-7, "{r}: {difference} {rate}");
    }
    let mut unbalanced = start;
    unbalanced[0] += 0.1;
    assert!(Case::new(&problem, &deep(3.0), &unbalanced).predict("singular_value_flow").unmet.is_some());
}

#[test]
fn the_unobserved_entry_grows_with_the_inverse_root_of_the_loss() {
    let target = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]);
    let problem = matrix_problem(2, 2, Observed::Entries(Entries { target, observed: vec![1, 2, 3] }));
    // Balanced, det > 0.
    let turn = gaussian(2, 2, "turn").qr().q();
    let turn = if turn.determinant() < 0.0 {
        turn * DMatrix::from_diagonal(&DVector::from_vec(vec![1.0, -1.0]))
    } else {
        turn
    };
    let mut factors = [turn * 0.1, DMatrix::identity(2, 2) * 0.1, DMatrix::identity(2, 2) * 0.1];
    let start: Vec<f64> = factors.iter().flat_map(|w| w.as_slice().to_vec()).collect();
    let prediction = Case::new(&problem, &deep(3.0), &start).predict("unobserved_entry_bound");
    assert_eq!(prediction.unmet, None);
    let losses: Vec<(f64, f64)> = prediction
        .numbers
        .iter()
        .filter(|n| n.quantity == "unobserved_entry_sharp_bound")
        .map(|n| (n.parameter.unwrap(), n.value))
        .collect();
    let (mut next, eta) = (losses.iter().position(|(l, _)| *l < 0.3).unwrap(), 3e-3);
    for _ in 0..3_000_000 {
        let w = &factors[2] * &factors[1] * &factors[0];
        let mut e = w.clone() - DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]);
        e[(0, 0)] = 0.0;
        let loss = 0.5 * e.norm_squared();
        if loss <= losses[next].0 {
            // Descent keeps the balance up to O(η), which the bound does not know.
            let ratio = w[(0, 0)].abs() / losses[next].1;
            if (losses[next].0.log10() + 1.0).fract().abs() < 1e-9 {
                eprintln!(
                    "L = {:.0e}: |w00| = {:.4}, sharp bound {:.4}",
                    losses[next].0,
                    w[(0, 0)].abs(),
                    losses[next].1
                );
            }
            assert!(ratio > 0.999, "{loss}: {ratio}");
            next += 1;
            if losses[next].0 < 1e-3 * 0.999 {
                break;
            }
        }
        let g = [
            (&factors[2] * &factors[1]).tr_mul(&e),
            factors[2].tr_mul(&e) * factors[0].transpose(),
            &e * (&factors[1] * &factors[0]).transpose(),
        ];
        factors.iter_mut().zip(&g).for_each(|(w, g)| *w -= g * eta);
    }
    assert!(losses[next].0 < 2e-3, "stopped at {}", losses[next].0);
}
