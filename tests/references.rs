//! Tables written by `taut run` against references computed with 60 to 120 digits.
//!
//! Tolerances: 1e-9 relative (sup-norm over a row of function values or coefficients) is what 64-bit
//! arithmetic keeps through a thin SVD of the worst conditioned basis (eps·cond = 5e-10); what is
//! reached is printed.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use support::figures::Worst;
use support::{Sheet, exact, here, reference, run_study};

/// The tables of one reference study, computed once for all tests of this file.
struct Tables {
    _folder: tempfile::TempDir,
    out: PathBuf,
    /// (basis, dataset) → row of `cells`, cell id.
    cells: BTreeMap<(String, String), (usize, i64)>,
}

fn panel() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("panel");
        run_study(&here("tests/studies/panel_reference.toml"), &out, &[]);
        let cells = Sheet::read(&out, "cells");
        let cells = cells
            .rows()
            .map(|row| {
                let key = (cells.text("basis", row).to_owned(), cells.text("dataset", row).to_owned());
                (key, (row, cells.int("cell", row).unwrap()))
            })
            .collect();
        Tables { _folder: folder, out, cells }
    })
}

impl Tables {
    fn cell(&self, row: &BTreeMap<String, String>, dataset: Option<&str>) -> (usize, i64) {
        let dataset = dataset.map_or_else(|| row["dataset"].clone(), str::to_owned);
        self.cells[&(row["basis"].clone(), dataset)]
    }
}

/// A clock of the references as (step, time is infinite).
fn clock(t: &str) -> Option<i64> {
    (t != "inf").then(|| t.parse::<f64>().unwrap() as i64)
}

type At = (i64, Option<i64>);

/// Rows of a trained trajectory by (cell, step); the limit has no step.
fn by_place(sheet: &Sheet, source: &str) -> BTreeMap<At, Vec<usize>> {
    let mut out: BTreeMap<At, Vec<usize>> = BTreeMap::new();
    for row in sheet.rows().filter(|&row| sheet.text("source", row) == source) {
        out.entry((sheet.int("cell", row).unwrap(), sheet.int("step", row))).or_default().push(row);
    }
    out
}

#[test]
fn singular_values() {
    let tables = panel();
    let modes = Sheet::read(&tables.out, "modes");
    for source in ["trained", "mode_filters"] {
        let places = by_place(&modes, source);
        let mut worst = Worst::default();
        for row in reference("singular_values") {
            let (_, cell) = tables.cell(&row, None);
            let (mode, value) = (exact(&row, "i") as i64 + 1, exact(&row, "s"));
            let found = places[&(cell, Some(0))].iter().find(|&&r| modes.int("mode", r) == Some(mode));
            if value <= 0.0 {
                assert!(found.is_none(), "a singular value that is exactly zero counts as none");
            } else {
                worst.see(modes.number("value", *found.unwrap()), value, value, || {
                    format!("{} {}", row["basis"], row["dataset"])
                });
            }
        }
        worst.below(&format!("singular values ({source})"), 1e-9);
    }
}

#[test]
fn interpolation_steps_and_minimum_norms() {
    let tables = panel();
    let cells = Sheet::read(&tables.out, "cells");
    let solutions = Sheet::read(&tables.out, "solutions");
    let (mut steps, mut norms) = (Worst::default(), Worst::default());
    for row in reference("interpolation_summary") {
        let (at, cell) = tables.cell(&row, None);
        for (column, mine) in [("steps_resid_1e-2", "1em2"), ("steps_resid_1e-3", "1em3"), ("steps_resid_1e-6", "1em6")]
        {
            let got = cells.int(&format!("residual_rms_below_{mine}_step"), at);
            let label = || format!("{} {} {column}", row["basis"], row["dataset"]);
            match row[column].parse::<f64>() {
                Err(_) => assert_eq!(got, None, "{}", label()),
                Ok(count) if count < 1e6 => assert_eq!(got, Some(count as i64), "{}", label()),
                Ok(count) => steps.see(got.unwrap() as f64, count, count, label),
            }
        }
        let min_norm = solutions
            .rows()
            .find(|&r| solutions.int("cell", r) == Some(cell) && solutions.text("solution", r) == "min-norm")
            .unwrap();
        for (column, metric) in [
            ("minnorm_theta_norm", "parameter_norm"),
            ("minnorm_int_f2", "value_energy"),
            ("minnorm_int_fp2", "slope_energy"),
            ("minnorm_int_fpp2", "bending_energy"),
        ] {
            let value = exact(&row, column);
            norms.see(solutions.number(metric, min_norm), value, value, || {
                format!("{} {} {metric}", row["basis"], row["dataset"])
            });
        }
    }
    steps.below("interpolation steps from 1e6 on", 1e-9);
    norms.below("minimum-norm interpolants", 1e-9);
}

#[test]
fn path_values() {
    let tables = panel();
    let trajectory = Sheet::read(&tables.out, "trajectory");
    let curves = Sheet::read(&tables.out, "curves");
    let places = by_place(&trajectory, "trained");
    let mut curve_at: BTreeMap<At, Vec<usize>> = BTreeMap::new();
    for row in curves.rows().filter(|&r| curves.text("source", r) == "trained") {
        curve_at.entry((curves.int("cell", row).unwrap(), curves.int("step", row))).or_default().push(row);
    }
    let (mut values, mut metrics) = (Worst::default(), Worst::default());
    for row in reference("gd_path_values") {
        let (_, cell) = tables.cell(&row, None);
        let at = (cell, clock(&row["t"]));
        let label = |what: &str| format!("{} {} t={} {what}", row["basis"], row["dataset"], row["t"]);
        let r = places[&at][0];
        for (column, metric) in [
            ("theta_norm", "parameter_norm"),
            ("df", "degrees_of_freedom"),
            ("int_fp2", "slope_energy"),
            ("int_fpp2", "bending_energy"),
            ("test_mse", "risk"),
        ] {
            let value = exact(&row, column);
            metrics.see(trajectory.number(metric, r), value, value, || label(metric));
        }
        // A residual is a difference of numbers of size one: below 1e-6 only its size is meant.
        let residual = exact(&row, "resid_rms");
        metrics.see(trajectory.number("residual_rms", r), residual, residual.max(1e-3), || label("residual_rms"));
        let grid: Vec<f64> = (0..=20).map(|i| f64::from(i) / 10.0 - 1.0).collect();
        let truth: Vec<f64> =
            grid.iter().map(|x| exact(&row, &format!("f({:.1})", x + 0.0).replace("-0.0)", "0.0)"))).collect();
        let scale = truth.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        for (x, f) in grid.iter().zip(&truth) {
            let found = curve_at[&at].iter().find(|&&c| (curves.number("x", c) - x).abs() < 1e-9).unwrap();
            values.see(curves.number("f", *found), *f, scale, || label(&format!("f({x:.1})")));
        }
    }
    values.below("function values along the path", 1e-9);
    metrics.below("metrics along the path", 1e-9);
}

#[test]
fn coefficients_along_the_path() {
    let tables = panel();
    let parameters = Sheet::read(&tables.out, "parameters");
    let places = by_place(&parameters, "trained");
    let rows = reference("gd_path_coefs_mid");
    let mut worst = Worst::default();
    for t in ["1", "10", "1000", "100000", "10000000", "inf"] {
        let column = format!("t={t}");
        let mut scales: BTreeMap<&str, f64> = BTreeMap::new();
        for row in &rows {
            let scale = scales.entry(&row["basis"]).or_default();
            *scale = scale.max(exact(row, &column).abs());
        }
        for row in &rows {
            let (_, cell) = tables.cell(row, Some("mid"));
            let k = exact(row, "k") as i64;
            let found = places[&(cell, clock(t))].iter().find(|&&r| parameters.int("row", r) == Some(k)).unwrap();
            worst.see(parameters.number("value", *found), exact(row, &column), scales[row["basis"].as_str()], || {
                format!("{} {column} k={k}", row["basis"])
            });
        }
    }
    worst.below("coefficients along the path", 1e-9);
}

/// (cell, solution, parameter) → row.
fn find(sheet: &Sheet, cell: i64, solution: &str, parameter: f64) -> usize {
    sheet
        .rows()
        .find(|&r| {
            sheet.int("cell", r) == Some(cell)
                && sheet.text("solution", r) == solution
                && (parameter.is_nan() || (sheet.number("parameter", r) / parameter - 1.0).abs() < 1e-12)
        })
        .unwrap_or_else(|| panic!("{solution} {parameter}"))
}

fn compare_points(curves: &Sheet, row: &BTreeMap<String, String>, place: (i64, &str, f64), worst: &mut Worst) {
    let (cell, solution, parameter) = place;
    let points: Vec<(f64, f64)> = row
        .keys()
        .filter_map(|column| Some((column.strip_prefix("f(")?.strip_suffix(')')?.parse().ok()?, exact(row, column))))
        .collect();
    assert!(points.len() >= 5);
    let scale = points.iter().fold(0.0_f64, |m, p| m.max(p.1.abs()));
    for (x, f) in points {
        let found = curves
            .rows()
            .find(|&r| {
                curves.int("cell", r) == Some(cell)
                    && curves.text("solution", r) == solution
                    && (parameter.is_nan() || (curves.number("parameter", r) / parameter - 1.0).abs() < 1e-12)
                    && (curves.number("x", r) - x).abs() < 1e-9
            })
            .unwrap();
        worst.see(curves.number("f", found), f, scale, || format!("{solution} {parameter:e} f({x})"));
    }
}

#[test]
fn ridge_path() {
    let tables = panel();
    let (solutions, curves) = (Sheet::read(&tables.out, "solutions"), Sheet::read(&tables.out, "curves"));
    let (mut worst, mut values) = (Worst::default(), Worst::default());
    for row in reference("ridge_path_mid") {
        let (_, cell) = tables.cell(&row, Some("mid"));
        let lambda = exact(&row, "lambda");
        let r = find(&solutions, cell, "ridge", lambda);
        for (column, metric) in [
            ("df", "degrees_of_freedom"),
            ("theta_norm", "parameter_norm"),
            ("int_fpp2", "bending_energy"),
            ("test_mse", "risk"),
        ] {
            let value = exact(&row, column);
            worst.see(solutions.number(metric, r), value, value, || format!("{} λ={lambda:e} {metric}", row["basis"]));
        }
        let residual = exact(&row, "resid_rms");
        worst.see(solutions.number("residual_rms", r), residual, residual.max(1e-3), || {
            format!("{} λ={lambda:e} residual", row["basis"])
        });
        compare_points(&curves, &row, (cell, "ridge", lambda), &mut values);
    }
    worst.below("ridge path", 1e-9);
    values.below("ridge function values", 1e-9);
}

#[test]
fn smoothing() {
    let tables = panel();
    let (solutions, curves) = (Sheet::read(&tables.out, "solutions"), Sheet::read(&tables.out, "curves"));
    let mut worst = Worst::default();
    let cell = tables.cells[&("leg_on".to_owned(), "mid".to_owned())].1;
    for row in reference("smoothing_mid") {
        let mu = exact(&row, "mu");
        let (solution, mu) = match row["model"].as_str() {
            "poly50" => ("smoothing-features", mu),
            _ if mu > 0.0 => ("smoothing-spline", mu),
            _ => ("natural-spline", f64::NAN),
        };
        let r = find(&solutions, cell, solution, mu);
        for (column, metric) in [("df", "degrees_of_freedom"), ("int_fpp2", "bending_energy")] {
            let value = exact(&row, column);
            worst.see(solutions.number(metric, r), value, value, || format!("{solution} μ={mu:e} {metric}"));
        }
        let residual = exact(&row, "resid_rms");
        worst.see(solutions.number("residual_rms", r), residual, residual.max(1e-3), || {
            format!("{solution} μ={mu:e} residual")
        });
        compare_points(&curves, &row, (cell, solution, mu), &mut worst);
    }
    worst.below("smoothing", 1e-8);
}

#[test]
fn least_rough_interpolants_do_not_depend_on_the_basis() {
    let tables = panel();
    let solutions = Sheet::read(&tables.out, "solutions");
    for (dataset, known) in [("mid", 562.957), ("end", 410.172), ("irr", 1573.46)] {
        let of = |basis: &str| {
            let cell = tables.cells[&(basis.to_owned(), dataset.to_owned())].1;
            solutions.number("bending_energy", find(&solutions, cell, "min-bending", f64::NAN))
        };
        assert!((of("leg_on") / known - 1.0).abs() < 1e-5, "{dataset}: {}", of("leg_on"));
        for basis in ["mono", "mono01", "mono_fact", "cheb_w2", "leg_w2"] {
            assert!((of(basis) / of("leg_on") - 1.0).abs() < 1e-9, "{dataset} {basis}");
        }
    }
}

#[test]
fn theory_and_training_agree() {
    let tables = panel();
    let (trajectory, modes) = (Sheet::read(&tables.out, "trajectory"), Sheet::read(&tables.out, "modes"));
    let (trained, theory) = (by_place(&trajectory, "trained"), by_place(&trajectory, "min_norm_limit"));
    let mut limits = Worst::default();
    for (at, rows) in &theory {
        let (a, b) = (trained[at][0], rows[0]);
        for metric in ["parameter_norm", "bending_energy", "risk", "total_variation"] {
            let (got, expected) = (trajectory.number(metric, a), trajectory.number(metric, b));
            limits.see(got, expected, expected.abs(), || format!("{at:?} {metric}"));
        }
    }
    assert_eq!(theory.len(), 42);
    // A pivoted QR and a Jacobi SVD both lose eps·cond, at most 5e-10 here, and the risk squares it.
    limits.below("limit: pivoted QR against the path", 1e-8);

    let key = |r: usize| (modes.int("cell", r), modes.int("step", r), modes.int("mode", r));
    let modes = &modes;
    let of = |source: &'static str| modes.rows().filter(move |&r| modes.text("source", r) == source);
    let predicted: BTreeMap<_, usize> = of("mode_filters").map(|r| (key(r), r)).collect();
    let (mut filters, mut compared) = (Worst::default(), 0);
    for r in of("trained") {
        let Some(&p) = predicted.get(&key(r)) else { continue };
        compared += 1;
        filters.see(modes.number("filter", r), modes.number("filter", p), 1.0, || format!("{:?}", key(r)));
    }
    assert!(compared > 5000, "{compared}");
    filters.below("filters: repeated squaring against logarithms", 1e-8);
}

#[test]
fn wiggliness_of_fixed_functions() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("wiggle");
    run_study(&here("tests/studies/wiggle_reference.toml"), &out, &[]);
    let (cells, trajectory) = (Sheet::read(&out, "cells"), Sheet::read(&out, "trajectory"));
    let row_of = |case: &str| {
        let at = cells.rows().find(|&r| cells.text("case", r) == case).unwrap();
        trajectory.rows().find(|&r| trajectory.int("cell", r) == cells.int("cell", at)).unwrap()
    };
    let energies = [
        ("int_f2", "value_energy"),
        ("int_fp2", "slope_energy"),
        ("int_fpp2", "bending_energy"),
        ("int_fppp2", "third_derivative_energy"),
        ("tv", "total_variation"),
    ];
    for row in reference("wiggle_metrics") {
        let (case, r) = (&row["case"], row_of(&row["case"]));
        let mut worst = Worst::default();
        for (column, metric) in
            energies.iter().chain(&[("arc_length", "arc_length"), ("share_deg_ge6_nonconst", "high_degree_share")])
        {
            let value = exact(&row, column);
            worst.see(trajectory.number(metric, r), value, value, || format!("{case} {metric}"));
        }
        // Chebyshev of degree 50 loses two digits on the way to Legendre.
        worst.below(case, if case.starts_with("cheb_deg50") { 1e-8 } else { 1e-9 });
        let count = |metric| trajectory.number(metric, r) as i64;
        assert_eq!(count("turning_points"), exact(&row, "n_extrema") as i64, "{case}");
        assert_eq!(count("inflections"), exact(&row, "n_inflections") as i64, "{case}");
    }
    for row in reference("wiggle_metrics_fourier") {
        let r = row_of(&row["case"]);
        let mut worst = Worst::default();
        for (column, metric) in energies {
            let value = exact(&row, column);
            worst.see(trajectory.number(metric, r), value, value, || metric.to_owned());
        }
        worst.below("fourier12", 1e-9);
        assert_eq!(trajectory.number("turning_points", r) as i64, exact(&row, "n_extrema") as i64);
    }
}
