//! Tables of a study whose cells move through stages.

mod support;

use std::path::PathBuf;
use std::sync::OnceLock;
use support::{Sheet, here, run_study};

struct Tables {
    _folder: tempfile::TempDir,
    out: PathBuf,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("continuation");
        run_study(&here("tests/studies/continuation.toml"), &out, &[]);
        Tables { _folder: folder, out }
    })
}

/// The row of `cells` of one case, and its cell.
fn cell(cells: &Sheet, way: &str) -> (usize, i64) {
    let row = cells.rows().find(|&row| cells.text("way", row) == way).unwrap();
    assert_eq!(cells.text("status", row), "finished", "{}", cells.text("reason", row));
    (row, cells.int("cell", row).unwrap())
}

/// The rows of a trajectory, in order.
fn path(trajectory: &Sheet, cell: i64) -> Vec<usize> {
    trajectory.rows().filter(|&row| trajectory.int("cell", row) == Some(cell)).collect()
}

#[test]
fn save_times_count_within_a_stage_and_steps_from_the_start() {
    let out = &tables().out;
    let (cells, trajectory) = (Sheet::read(out, "cells"), Sheet::read(out, "trajectory"));
    let (row, number) = cell(&cells, "degree");
    assert_eq!(cells.text("solver", row), "staged");
    let seen: Vec<_> =
        path(&trajectory, number).iter().map(|&r| (trajectory.int("stage", r), trajectory.int("step", r))).collect();
    let stage = |stage: i64, steps: &[i64]| -> Vec<_> { steps.iter().map(|k| (Some(stage), Some(*k))).collect() };
    let wanted = [
        stage(1, &[0, 1, 100, 10_000]),
        stage(2, &[10_001, 10_100, 20_000]),
        stage(3, &[20_001, 20_100, 30_000]),
        stage(4, &[30_001, 30_100, 40_000]),
    ];
    assert_eq!(seen, wanted.concat());
    let eta = cells.number("step_size", row);
    for r in path(&trajectory, number) {
        let steps = trajectory.int("step", r).unwrap() as f64;
        assert!((trajectory.number("time", r) - steps * eta).abs() <= 1e-12 * steps);
    }
    let (_, direct) = cell(&cells, "direct");
    assert!(path(&trajectory, direct).iter().all(|&r| trajectory.is_null("stage", r)));
}

#[test]
fn every_table_with_a_clock_knows_the_stage() {
    let out = &tables().out;
    let cells = Sheet::read(out, "cells");
    let (_, number) = cell(&cells, "ridge_limit");
    for (name, per_row) in [("modes", 10), ("parameters", 51), ("curves", 3)] {
        let sheet = Sheet::read(out, name);
        for stage in 1..=4 {
            let of = |&row: &usize| sheet.int("cell", row) == Some(number) && sheet.int("stage", row) == Some(stage);
            // The start, and then the limit of every stage.
            let rows = if stage == 1 { 2 } else { 1 };
            assert_eq!(sheet.rows().filter(of).count(), rows * per_row, "{name} {stage}");
        }
    }
}

/// A metric at the end of a stage.
fn after(out: &std::path::Path, way: &str, stage: i64, metric: &str) -> f64 {
    let (cells, trajectory) = (Sheet::read(out, "cells"), Sheet::read(out, "trajectory"));
    let (_, number) = cell(&cells, way);
    let of_stage = |row: &usize| trajectory.int("stage", *row) == Some(stage);
    let last = path(&trajectory, number).into_iter().rfind(of_stage).unwrap();
    trajectory.number(metric, last)
}

/// Figures: the polynomials of least squares through the ten points, from NumPy.
#[test]
fn degrees_in_turn_end_at_the_polynomial_through_the_points() {
    let out = &tables().out;
    for (stage, risk) in [(2, 0.00146578), (4, 0.00184640), (8, 0.163582), (10, 0.86264), (11, 0.86264)] {
        let got = after(out, "degree_limit", stage, "risk");
        assert!((got / risk - 1.0).abs() < 1e-5, "{stage}: {got}");
    }
    let (cells, solutions) = (Sheet::read(out, "cells"), Sheet::read(out, "solutions"));
    let (row, number) = cell(&cells, "degree_limit");
    let least = |metric: &str| {
        let of = |&r: &usize| solutions.int("cell", r) == Some(number) && solutions.text("solution", r) == "min-norm";
        solutions.number(metric, solutions.rows().find(of).unwrap())
    };
    assert!(cells.number("final_risk", row) > 2.0 * least("risk"));
    assert!(cells.number("final_bending_energy", row) < 0.2 * least("bending_energy"));
    // A line first and everything after it: what the line explains is not learned anew.
    assert!(after(out, "degree", 4, "risk") < 0.1 * least("risk"));
}

#[test]
fn falling_ridge_and_rising_noise_end_at_the_least_norm() {
    let out = &tables().out;
    let cells = Sheet::read(out, "cells");
    for (way, rounding) in [("ridge_limit", 1e-13), ("noise_limit", 1e-13), ("ridge", 1e-13), ("noise", 1e-13)] {
        let (row, _) = cell(&cells, way);
        // 10⁴ steps of 1/λ_max leave nothing: the condition of this design is 1.17.
        assert!(cells.number("final_distance_to_min_norm", row) < rounding, "{way}");
    }
    // Without noise the end goes through the line, which misses the values by their offsets.
    let missed = after(out, "noise_limit", 1, "train_mse").sqrt();
    assert!((missed - 0.1645).abs() < 5e-5, "{missed}");
    let (row, _) = cell(&cells, "noise_limit");
    assert_eq!(cells.int("residual_rms_below_1em3_step", row), None);
    assert!(cells.number("residual_rms_below_1em3_time", row).is_infinite());
    let (row, _) = cell(&cells, "noise");
    let step = cells.int("residual_rms_below_1em3_step", row).unwrap();
    assert!(step > 20_000 && step < 20_020, "{step}");
}
