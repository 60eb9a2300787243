//! Columns and spectra of the reference tables.

use super::{close, deep, measured, value};
use std::collections::BTreeMap;
use taut_metrics::hessian_spectrum;
use taut_numerics::DMatrix;
use taut_problem::{Matrices, Task, Tensors};

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
        include_str!(concat!("../../../../tests/references/deep_linear/", $name, ".csv"))
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
        let problem = Matrices::default().problem(&of_data(&given)).unwrap();
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
        let problem = Matrices::default().problem(&of_data(&given)).unwrap();
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

/// The tensors that data are made of; a reference holds the start beside them.
fn of_data(given: &Tensors) -> Tensors {
    let known = |name: &str| Matrices::NAMES.contains(&name);
    Tensors(given.0.iter().filter(|(name, _)| known(name)).map(|(name, m)| (name.clone(), m.clone())).collect())
}
