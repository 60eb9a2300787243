//! Curvature of deep linear networks, from the tables: spectra of Hessians, and where descent ends whose step is long.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use support::figures::{Worst, median, predicted};
use support::study::{Bench, Tables};
use support::{Sheet, exact, here};

/// The cells of each value of a text column.
fn cells_of(cells: &Sheet, column: &str) -> BTreeMap<String, Vec<i64>> {
    let mut out: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for row in cells.rows() {
        out.entry(cells.text(column, row).to_owned()).or_default().push(cells.int("cell", row).unwrap());
    }
    out
}

/// A column of `cells` by cell.
fn of_cells(cells: &Sheet, column: &str) -> BTreeMap<i64, f64> {
    cells.rows().map(|row| (cells.int("cell", row).unwrap(), cells.number(column, row))).collect()
}

/// A trained column of one cell from a step on.
fn path(trajectory: &Sheet, cell: i64, column: &str, from: i64) -> Vec<f64> {
    let is_it = |row: &usize| {
        trajectory.int("cell", *row) == Some(cell)
            && trajectory.text("source", *row) == "trained"
            && trajectory.int("step", *row) >= Some(from)
    };
    trajectory.rows().filter(is_it).map(|row| trajectory.number(column, row)).collect()
}

/// Reference c09: the whole spectrum at a generic two-layer point, and at a balanced minimum of three layers, where
/// the theory has it in closed form.
#[test]
fn whole_spectra_of_hessians() {
    let tables = Tables::of("tests/studies/deep_linear/hessian_spectra.toml", &[]);
    let (cells, hessian, trajectory, predictions) =
        (tables.sheet("cells"), tables.sheet("hessian"), tables.sheet("trajectory"), tables.sheet("predictions"));
    let cases = cells_of(&cells, "case");
    let at_start: BTreeMap<(i64, i64), f64> = hessian
        .rows()
        .filter(|&row| hessian.int("step", row) == Some(0))
        .map(|row| {
            let place = (hessian.int("cell", row).unwrap(), hessian.int("index", row).unwrap());
            (place, hessian.number("eigenvalue", row))
        })
        .collect();
    let mut reader =
        csv::Reader::from_path(here("tests/references/deep_linear/c09_hessian_spectrum.csv")).expect("a reference");
    let mut worst = Worst::default();
    let mut seen = 0;
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.expect("a row");
        let index = exact(&row, "index") as i64 + 1;
        let found = at_start[&(cases[&row["case"]][0], index)];
        // Some eigenvalues are zero: errors are relative to the largest, 4.9 and 7.6.
        worst.see(found, exact(&row, "eigenvalue"), 4.0, || format!("{} {index}", row["case"]));
        seen += 1;
    }
    assert_eq!((seen, at_start.len()), (35 + 44, 35 + 44));
    worst.below("c09, eigenvalues", 1e-9);
    let mut worst = Worst::default();
    for (case, of) in &cases {
        let sharpness = path(&trajectory, of[0], "sharpness", 0)[0];
        // Lanczos stops at a relative 1e-8, and is usually far better.
        worst.see(sharpness, at_start[&(of[0], 1)], 4.0, || case.clone());
    }
    worst.below("c09, sharpness against the first eigenvalue", 1e-8);
    let minimum = cases["b"][0];
    let mut worst = Worst::default();
    for index in 1..=12 {
        let theory = predicted(&predictions, minimum, "hessian_eigenvalue", Some(f64::from(index)));
        worst.see(at_start[&(minimum, i64::from(index))], theory, 4.0, || format!("{index}"));
    }
    worst.below("c09, balanced minimum against theory", 1e-9);
}

#[test]
fn hessians_beyond_two_thousand_parameters_are_refused() {
    let bench = Bench::new(
        r#"
title = "too many"
[data.teacher]
inputs = 40
outputs = 40
singular_values = [1.0]
[model]
features = "identity"
parametrization = { deep-linear = { depth = 2, width = 40 } }
init = { gaussian = { scale = 0.1 } }
[train]
until = { steps = 1 }
[record]
tables = ["hessian"]
"#,
    );
    let said = bench.taut(&["plan", "study.toml"]).exits(2);
    assert!(said.stderr.contains("3200 parameters") && said.stderr.contains("record.tables[0]"), "{}", said.stderr);
}

#[test]
fn the_edge_of_stability_is_where_theory_says() {
    let tables = Tables::of("experiments/edge_of_stability.toml", &[]);
    let (cells, trajectory, predictions) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("predictions"));
    let runs = cells_of(&cells, "run");
    let final_loss = of_cells(&cells, "final_loss");
    // 0.99 and 1.01 of 2/(N·s₁^(2−2/N)). Machine zero: thirty entries of up to 2, each off by a few eps.
    for run in ["below_2", "below_3"] {
        let largest = runs[run].iter().map(|cell| final_loss[cell]).fold(0.0, f64::max);
        eprintln!("{run}: final loss at most {largest:.1e}");
        assert!(largest < 1e-29, "{run}");
    }
    for run in ["above_2", "above_3"] {
        let smallest =
            runs[run].iter().flat_map(|&cell| path(&trajectory, cell, "loss", 3000)).fold(f64::INFINITY, f64::min);
        eprintln!("{run}: loss never below {smallest:.4}");
        assert!(smallest > 0.01, "{run}");
    }
    the_two_cycle(&trajectory, &predictions, &runs["cycle"]);
    hovering(&cells, &trajectory, &runs);
    heavy_ball(&cells, &runs, &final_loss);
}

/// c = 1.1: recorded steps are odd and even in turn, and so are the two strengths.
fn the_two_cycle(trajectory: &Sheet, predictions: &Sheet, cells: &[i64]) {
    let mut worst = Worst::default();
    for &cell in cells {
        let [high, low] = [1.0, -1.0].map(|sign| predicted(predictions, cell, "cycle_strength", Some(sign)));
        let strengths = path(trajectory, cell, "largest_singular_value", 3000);
        let first_is_high = strengths[0] > f64::midpoint(high, low);
        for (i, strength) in strengths.iter().enumerate() {
            let expected = if (i % 2 == 0) == first_is_high { high } else { low };
            worst.see(*strength, expected, 1.0, || format!("cell {cell}, row {i}"));
        }
    }
    worst.below("2-cycle at c = 1.1", 1e-6);
}

/// Sharpness over 2/η of generic networks of five factors, once the first swings are over.
fn hovering(cells: &Sheet, trajectory: &Sheet, runs: &BTreeMap<String, Vec<i64>>) {
    let limits = of_cells(cells, "sharpness_limit");
    let mut stayed = 0;
    for run in ["long_step", "longer_step"] {
        for cell in &runs[run] {
            let ratios: Vec<f64> =
                path(trajectory, *cell, "sharpness", 300).iter().map(|sharpness| sharpness / limits[cell]).collect();
            // One draw of four diverges at 1.8 of the flattest minimum's step.
            if ratios.iter().any(|ratio| !ratio.is_finite()) || ratios.is_empty() {
                continue;
            }
            stayed += 1;
            let inside = ratios.iter().filter(|ratio| (0.97..=1.03).contains(*ratio)).count();
            let share = inside as f64 / ratios.len() as f64;
            let (low, high) = ratios.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), r| (l.min(*r), h.max(*r)));
            eprintln!("{run}: median {:.4}, {:.1} % within 3 %, [{low:.3}, {high:.3}]", median(&ratios), 100.0 * share);
            assert!((0.97..=1.03).contains(&median(&ratios)) && share >= 0.9);
        }
    }
    assert!(stayed >= 6, "{stayed} of 8");
}

/// 0.97 and 1.03 of 2(1+β)/λ, near the minimum.
fn heavy_ball(cells: &Sheet, runs: &BTreeMap<String, Vec<i64>>, final_loss: &BTreeMap<i64, f64>) {
    let status: BTreeMap<i64, &str> =
        cells.rows().map(|row| (cells.int("cell", row).unwrap(), cells.text("status", row))).collect();
    assert!(runs["ball_below"].iter().all(|cell| final_loss[cell] < 1e-28));
    assert!(runs["ball_above"].iter().all(|cell| status[cell] == "diverged"));
}

/// λ-balanced starts end at √(λ² + 4s²), scalar ones at √(c₀² + 4s²); descent that this is too sharp for, below 2/η.
#[test]
fn unbalanced_starts_end_at_sharper_minima() {
    let tables = Tables::of("tests/studies/deep_linear/unbalanced_sharpness.toml", &[]);
    let (cells, predictions) = (tables.sheet("cells"), tables.sheet("predictions"));
    let (runs, sharpness) = (cells_of(&cells, "run"), of_cells(&cells, "final_sharpness"));
    // Flow is followed to 1e-9 of θ; descent of step 0.001 is off by its first order.
    for (run, tolerance) in [("above", 1e-8), ("below", 1e-8), ("scalar", 1e-8), ("fine", 1e-3)] {
        let mut worst = Worst::default();
        for cell in &runs[run] {
            let end = predicted(&predictions, *cell, "sharpness", None);
            worst.see(sharpness[cell], end, end, || format!("cell {cell}"));
        }
        worst.below(run, tolerance);
    }
    let exact = [(1.5_f64, 4.0_f64, "above"), (-3.0, 4.0, "below"), (8.99, 2.0, "scalar")];
    for (lambda, twice, run) in exact {
        assert!((sharpness[&runs[run][0]] / lambda.hypot(twice) - 1.0).abs() < 1e-8, "{run}");
    }
    // The formula book saw 2.71 at 2/η = 6.67.
    let end = sharpness[&runs["descent"][0]];
    eprintln!("descent at η = 0.3 ends at sharpness {end:.4}");
    assert!((end - 2.71).abs() < 5e-3);
}

/// 80 of the 1600 runs of Marion and Chizat 2024 that the studies hold.
#[test]
fn sharpness_settles_between_the_flattest_minimum_and_the_edge() {
    let tables = Tables::of("experiments/sharpness_plateau.toml", &["seed={ count = 2 }"]);
    let (cells, solutions, predictions) =
        (tables.sheet("cells"), tables.sheet("solutions"), tables.sheet("predictions"));
    let least: BTreeMap<i64, f64> = solutions
        .rows()
        .filter(|&row| solutions.text("solution", row) == "min-norm")
        .map(|row| (solutions.int("cell", row).unwrap(), solutions.number("loss", row)))
        .collect();
    let mut ranges = Vec::new();
    for row in cells.rows() {
        let cell = cells.int("cell", row).unwrap();
        if cells.number("final_loss", row) <= (1.0 + 1e-6) * least[&cell] {
            let lower = predicted(&predictions, cell, "sharpness_lower_bound", None);
            let sharpness = cells.number("final_sharpness", row);
            ranges.push((sharpness / lower, sharpness / cells.number("sharpness_limit", row)));
        }
    }
    let lowest = ranges.iter().fold(f64::INFINITY, |m, r| m.min(r.0));
    let highest = ranges.iter().fold(0.0_f64, |m, r| m.max(r.1));
    eprintln!("{} runs converged: from {lowest:.3} of the lower bound to {highest:.4} of 2/η", ranges.len());
    // A millionth of the loss leaves a part in a thousand for the sharpness to move.
    assert!(ranges.len() > 30 && lowest >= 1.0 && highest <= 1.01);
}
