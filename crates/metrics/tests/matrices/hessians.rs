//! Hessians against differences, spectra in closed form, and the top of each.

use super::{cases, close, deep, gaussian, measured, of_moments, theta_of, thetas, value};
use std::sync::Arc;
use taut_metrics::hessian_spectrum;
use taut_numerics::{DMatrix, ThinSvd, symmetric_eigenvalues};
use taut_problem::{MatrixProblem, MatrixSamples, Moments, Observed, Rows, Shape, Task, TestOver};

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
    // 2·20² parameters are too many for eight side by side. Top: N·s₁^(2−2/N) = 2s₁ with s₁ = 3 over a bulk below 1.
    let n = 20;
    let s = |i: usize| if i == 0 { 3.0 } else { 1.0 / i as f64 };
    let (u, v) = (gaussian(n, n, 1).qr().q(), gaussian(n, n, 2).qr().q());
    let roots = DMatrix::from_fn(n, n, |i, j| if i == j { f64::sqrt(s(i)) } else { 0.0 });
    let problem = of_moments(&u * &roots * &roots * v.transpose(), None, None);
    let theta = theta_of(&[&(&roots * v.transpose()), &(&u * &roots)]);
    let other = gaussian(2 * n * n, 1, 3).as_slice().to_vec();
    let top = hessian_spectrum(Task::Matrix(&problem), &deep(&[n]), &other)[0];
    let rows = [theta.clone(), vec![0.0; 2 * n * n], theta, other];
    let columns = measured(Task::Matrix(&problem), &deep(&[n]), &rows);
    close(value(&columns, "sharpness", 3), top, 1e-9);
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
        law: None,
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

/// Sxx = cI: the least sharp of all minima has sharpness N·c·s₁^{2−2/N} with W = Syx/c.
#[test]
fn a_relative_step_of_two_is_the_edge_of_stability_of_the_balanced_minimum() {
    for (depth, c) in [(1, 0.125), (2, 0.125), (3, 0.125), (2, 4.0), (4, 2.5)] {
        let w = DMatrix::from_diagonal(&taut_numerics::DVector::from_column_slice(&[2.0, 1.2, 0.5]));
        let moments = Moments { sxx: Some(DMatrix::identity(3, 3) * c), syx: &w * c, trace_syy: None, samples: None };
        let observed = Observed::Moments(moments);
        let test = TestOver::Inputs(None);
        let problem = MatrixProblem { inputs: 3, outputs: 3, observed, teacher: None, test, law: None };
        let factor = w.map(|s: f64| if s > 0.0 { s.powf(1.0 / depth as f64) } else { 0.0 });
        let theta: Vec<f64> = (0..depth).flat_map(|_| factor.as_slice().to_vec()).collect();
        let kind = deep(&vec![3; depth - 1]);
        let top = hessian_spectrum(Task::Matrix(&problem), &kind, &theta)[0];
        let reference = problem.reference_curvature(depth);
        assert!((top / reference - 1.0).abs() < 1e-12, "{depth} {c}: {top} {reference}");
    }
}
