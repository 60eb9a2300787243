//! The panel's demonstration: what its tables say, against what is known.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use support::{Sheet, exact, here, reference, run_study};

/// Names of the bases in the references, and in the study.
const BASES: [(&str, &str); 14] = [
    ("mono", "monomial"),
    ("mono01", "monomial01"),
    ("mono_fact", "monomial-factorial"),
    ("cheb", "chebyshev"),
    ("cheb_w1", "chebyshev-w1"),
    ("cheb_w2", "chebyshev-w2"),
    ("leg_std", "legendre"),
    ("leg_on", "legendre-orthonormal"),
    ("leg_w1", "legendre-orthonormal-w1"),
    ("leg_w2", "legendre-orthonormal-w2"),
    ("fourier", "fourier"),
    ("fourier_w2", "fourier-w2"),
    ("cosine", "cosine"),
    ("cosine_w2", "cosine-w2"),
];

struct Panel {
    _folder: tempfile::TempDir,
    out: PathBuf,
    cells: Sheet,
    /// (reference name of the basis, dataset) → row of `cells`.
    rows: BTreeMap<(&'static str, String), usize>,
}

fn panel() -> &'static Panel {
    static PANEL: OnceLock<Panel> = OnceLock::new();
    PANEL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("panel");
        run_study(&here("experiments/panel_polynomial.toml"), &out, &[]);
        let cells = Sheet::read(&out, "cells");
        let rows = cells
            .rows()
            .map(|row| {
                let basis = BASES.iter().find(|(_, name)| *name == cells.text("basis", row)).unwrap().0;
                ((basis, cells.text("dataset", row).to_owned()), row)
            })
            .collect();
        Panel { _folder: folder, out, cells, rows }
    })
}

impl Panel {
    fn row(&self, basis: &'static str, dataset: &str) -> usize {
        self.rows[&(basis, dataset.to_owned())]
    }

    fn cell(&self, basis: &'static str, dataset: &str) -> i64 {
        self.cells.int("cell", self.row(basis, dataset)).unwrap()
    }

    fn of(&self, basis: &'static str, dataset: &str, column: &str) -> f64 {
        self.cells.number(column, self.row(basis, dataset))
    }
}

#[test]
fn every_cell_finishes_with_a_sound_precision() {
    let panel = panel();
    assert_eq!(panel.cells.rows().len(), 42);
    assert!(panel.cells.rows().all(|row| panel.cells.text("status", row) == "finished"));
}

/// Raw monomials get calmer before they get wild: "wigglier and wigglier" is no theorem.
#[test]
fn bending_drops_on_the_way_in_raw_monomials() {
    let panel = panel();
    let drop = panel.of("mono", "mid", "largest_drop_bending_energy");
    let trajectory = Sheet::read(&panel.out, "trajectory");
    let cell = panel.cell("mono", "mid");
    let first = trajectory
        .rows()
        .find(|&r| trajectory.int("cell", r) == Some(cell) && trajectory.int("step", r) == Some(1))
        .unwrap();
    let growth = panel.of("mono", "mid", "final_bending_energy") / trajectory.number("bending_energy", first);
    eprintln!("mono mid: largest drop {drop:.4}, limit over first step {growth:.3e}");
    assert!(drop >= 0.90 && growth > 1e5);
}

/// Where the modes live on disjoint frequencies, every energy is monotone.
#[test]
fn cosine_energies_never_fall() {
    let panel = panel();
    let trajectory = Sheet::read(&panel.out, "trajectory");
    let cell = panel.cell("cosine_w2", "mid");
    let mut rows: Vec<usize> = trajectory
        .rows()
        .filter(|&r| trajectory.int("cell", r) == Some(cell) && trajectory.text("source", r) == "trained")
        .collect();
    rows.sort_by(|a, b| trajectory.number("time", *a).total_cmp(&trajectory.number("time", *b)));
    for metric in ["slope_energy", "bending_energy"] {
        for pair in rows.windows(2) {
            let (before, after) = (trajectory.number(metric, pair[0]), trajectory.number(metric, pair[1]));
            assert!(after >= before * (1.0 - 1e-12), "{metric}: {before} then {after}");
        }
    }
    let ratio =
        panel.of("cosine_w2", "mid", "final_bending_energy") / panel.of("cosine_w2", "mid", "least_bending_energy");
    eprintln!("cosine_w2 mid: limit over least bending energy {ratio:.5}");
    assert!((1.0 - 1e-9..=1.02).contains(&ratio));
}

/// Orthonormal features spike at the points and return to nothing between them.
#[test]
fn orthonormal_features_spike() {
    let panel = panel();
    for dataset in ["end", "mid", "irr"] {
        let turns = panel.of("leg_on", dataset, "final_turning_points");
        let risk = panel.of("leg_on", dataset, "final_risk");
        eprintln!("leg_on {dataset}: {turns} turning points, risk {risk:.4}");
        assert!(turns >= 30.0 && (0.22..=0.26).contains(&risk), "{dataset}: {turns} {risk}");
    }
}

/// The fraction of random interpolators with less ∫f″² than the one descent finds.
fn fraction_smoother(solutions: &Sheet, panel: &Panel, basis: &'static str, dataset: &str, law: &str) -> f64 {
    let (cell, limit) = (panel.cell(basis, dataset), panel.of(basis, dataset, "final_bending_energy"));
    let draws: Vec<f64> = solutions
        .rows()
        .filter(|&r| solutions.int("cell", r) == Some(cell) && solutions.text("variant", r) == law)
        .filter(|&r| solutions.text("solution", r) == "random-interpolator")
        .map(|r| solutions.number("bending_energy", r))
        .collect();
    assert_eq!(draws.len(), 4000, "{basis} {dataset} {law}");
    draws.iter().filter(|b| **b < limit).count() as f64 / 4000.0
}

#[test]
fn random_interpolators_are_rougher_only_in_weighted_bases() {
    let panel = panel();
    let solutions = Sheet::read(&panel.out, "solutions");
    let raw = fraction_smoother(&solutions, panel, "mono", "mid", "same");
    let weighted = fraction_smoother(&solutions, panel, "leg_w2", "mid", "same");
    eprintln!("smoother than descent: monomial {raw}, weighted Legendre {weighted}");
    assert!((0.22..=0.35).contains(&raw) && weighted < 0.002);
    // The other laws and bases, against a Monte Carlo of the same size: four standard errors of each.
    for row in reference("demo_summary").into_iter().filter(|row| row["cond"].parse::<f64>().is_ok()) {
        let (basis, _) = BASES.iter().find(|(name, _)| *name == row["basis"]).unwrap();
        for (law, column) in
            [("same", "rand_same_frac_below"), ("unit", "rand_unit_frac_below"), ("ball", "rand_ball10_frac_below")]
        {
            let theirs = exact(&row, column);
            let ours = fraction_smoother(&solutions, panel, basis, &row["dataset"], law);
            let error = (2.0 * theirs.max(0.001) * (1.0 - theirs.min(0.999)) / 4000.0).sqrt();
            assert!((ours - theirs).abs() <= 4.5 * error, "{basis} {} {law}: {ours} against {theirs}", row["dataset"]);
        }
    }
}

/// E ∫(f⁽ᵐ⁾)² over standard Gaussian null-space parts is known exactly.
#[test]
fn mean_energies_of_random_interpolators() {
    let panel = panel();
    let solutions = Sheet::read(&panel.out, "solutions");
    let mut worst = 0.0_f64;
    for row in reference("random_interpolators_exact") {
        let (basis, _) = BASES.iter().find(|(name, _)| *name == row["basis"]).unwrap();
        let cell = panel.cell(basis, &row["dataset"]);
        for (metric, base, trace) in [
            ("slope_energy", "minnorm_int_fp2", "null_trace_fp2"),
            ("bending_energy", "minnorm_int_fpp2", "null_trace_fpp2"),
        ] {
            let expected = exact(&row, base) + exact(&row, trace);
            let draws: Vec<f64> = solutions
                .rows()
                .filter(|&r| solutions.int("cell", r) == Some(cell) && solutions.text("variant", r) == "unit")
                .map(|r| solutions.number(metric, r))
                .collect();
            let n = draws.len() as f64;
            let mean = draws.iter().sum::<f64>() / n;
            let error = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            worst = worst.max((mean - expected).abs() / error);
        }
    }
    eprintln!("means of 4000 draws: worst deviation {worst:.2} standard errors over 84 means");
    // 84 means: a deviation above 4 standard errors has probability 0.5 %; the draws are fixed.
    assert!(worst < 4.0);
}

/// The table of the demonstration: end points, best points, drops.
#[test]
fn summaries_match_the_published_table() {
    let panel = panel();
    for row in reference("demo_summary").into_iter().filter(|row| row["cond"].parse::<f64>().is_ok()) {
        let (basis, _) = BASES.iter().find(|(name, _)| *name == row["basis"]).unwrap();
        let of = |column: &str| panel.of(basis, &row["dataset"], column);
        let label = format!("{} {}", row["basis"], row["dataset"]);
        let close = |column: &str, theirs: &str, tolerance: f64| {
            let (got, expected) = (of(column), exact(&row, theirs));
            assert!((got / expected - 1.0).abs() <= tolerance, "{label} {column}: {got} against {expected}");
        };
        close("final_bending_energy", "end_int_fpp2", 1e-5);
        close("final_risk", "end_test_mse", 1e-5);
        // Their total variation and extrema are read off 4001 points.
        close("final_total_variation", "end_TV", 2e-3);
        assert!(
            (of("final_turning_points") - exact(&row, "end_extrema")).abs() < 0.5,
            "{label}: {}",
            of("final_turning_points")
        );
        // The best point is on a grid of times, theirs and ours.
        close("best_risk", "best_test_mse", 0.02);
        assert!((of("largest_drop_bending_energy") - exact(&row, "max_rel_drop_fpp2")).abs() < 0.02, "{label}");
    }
}

/// A line is hard to beat: it has a lower risk than every interpolant, and than nearly every best stop.
#[test]
fn the_line_beats_every_interpolant() {
    let panel = panel();
    let solutions = Sheet::read(&panel.out, "solutions");
    let mut beaten = Vec::new();
    for ((basis, dataset), row) in &panel.rows {
        let cell = panel.cells.int("cell", *row);
        let line = solutions
            .rows()
            .find(|&r| solutions.int("cell", r) == cell && solutions.text("solution", r) == "linear-fit");
        let line = solutions.number("risk", line.unwrap());
        assert!(panel.of(basis, dataset, "final_risk") > line, "{basis} {dataset}");
        if panel.of(basis, dataset, "best_risk") < line {
            beaten.push(format!("{basis}/{dataset}"));
        }
    }
    eprintln!("best stops below the line: {beaten:?}");
    assert_eq!(beaten, ["mono01/end"]);
}

/// With features whitened by roughness the claim is a theorem: the path grows rougher, its first
/// plateau is the least-squares line, its end the least rough interpolant.
#[test]
fn whitened_features_make_the_claim_a_theorem() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("whitened");
    run_study(&here("experiments/panel_whitened.toml"), &out, &[]);
    let cells = Sheet::read(&out, "cells");
    let known = [("mid", 562.957, 0.0014658), ("end", 410.172, f64::NAN), ("irr", 1573.46, f64::NAN)];
    for row in cells.rows().filter(|&r| cells.number("epsilon", r) < 1e-3) {
        let (dataset, of) = (cells.text("dataset", row), |column: &str| cells.number(column, row));
        let (_, bending, risk) = known.iter().find(|k| k.0 == dataset).unwrap();
        assert!((of("final_bending_energy") / bending - 1.0).abs() < 1e-5, "{dataset}");
        assert!((of("final_bending_energy") / of("least_bending_energy") - 1.0).abs() < 1e-9, "{dataset}");
        assert!(of("largest_drop_bending_energy") < 1e-9, "{dataset}");
        assert!(risk.is_nan() || (of("best_risk") / risk - 1.0).abs() < 1e-4, "{dataset} {}", of("best_risk"));
    }
}
