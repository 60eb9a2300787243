//! The points to fit, as the table `samples` writes them down, with the noise-free function beside the curves.

mod support;

use support::Sheet;
use support::study::Bench;

/// Three points, given in no order, of a line that is known.
const GIVEN: &str = r#"
title = "points of the study's own"

[data.curve]
target = { line = { intercept = 0.25, slope = 0.5 } }
x = [0.5, -1.0, 0.125]
y = [1.0, -2.0, 0.0625]

[model]
features = { polynomial = { basis = "legendre", degree = 4 } }

[train]
until = { steps = 10 }

[record]
times = { steps = [0, 10] }
metrics = ["train_mse"]
tables = ["samples"]

[sweep]
"train.step_size.relative" = [0.5, 1.0]
"#;

/// Points and noise that every replicate draws for itself.
const DRAWN: &str = r#"
title = "drawn points"

[data.curve]
target = { sine = { frequency = 1.5 } }
samples = 6
design = "uniform"
noise = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9 } }

[train]
until = { steps = 10 }

[record]
times = { steps = [0, 10] }
metrics = ["train_mse"]
tables = ["curves"]
curves = { points = 5 }

[sweep]
seed = { count = 3 }
"train.step_size.relative" = [0.5, 1.0]
"#;

const UNKNOWN: (&str, &str) = ("target = { line = { intercept = 0.25, slope = 0.5 } }\n", "");

fn ran(study: &str) -> Bench {
    let bench = Bench::new(study);
    bench.run(&["--quiet"]).exits(0);
    bench
}

/// x, y and f*(x) of one cell, in the order of `sample`.
fn points(samples: &Sheet, cell: i64) -> Vec<[f64; 3]> {
    let rows: Vec<usize> = samples.rows().filter(|&row| samples.int("cell", row) == Some(cell)).collect();
    for (number, &row) in rows.iter().enumerate() {
        assert_eq!(samples.int("sample", row), Some(number as i64));
    }
    rows.iter().map(|&row| ["x", "y", "target"].map(|column| samples.number(column, row))).collect()
}

/// The cells with their replicates.
fn cells(bench: &Bench) -> Vec<(i64, i64)> {
    let cells = bench.sheet("cells");
    cells.rows().map(|row| (cells.int("cell", row).unwrap(), cells.int("seed", row).unwrap())).collect()
}

#[test]
fn points_of_the_study_come_back_as_they_were_given() {
    let bench = ran(GIVEN);
    let (samples, cells) = (bench.sheet("samples"), cells(&bench));
    assert_eq!((cells.len(), samples.rows().count()), (2, 6));
    for (cell, _) in cells {
        // The target at 1/8, 1/2 and −1 has no rounding.
        assert_eq!(points(&samples, cell), [[0.5, 1.0, 0.5], [-1.0, -2.0, -0.25], [0.125, 0.0625, 0.3125]]);
    }
    assert!(!bench.out().join("curves").exists(), "points do not bring curves");
}

#[test]
fn without_a_known_function_the_target_is_null() {
    let bench = ran(&GIVEN.replace(UNKNOWN.0, UNKNOWN.1).replace("[\"samples\"]", "[\"curves\"]"));
    let (samples, curves) = (bench.sheet("samples"), bench.sheet("curves"));
    assert_eq!(samples.rows().count(), 6);
    assert!(samples.rows().all(|row| samples.is_null("target", row) && !samples.is_null("y", row)));
    assert!(curves.rows().all(|row| ["trained", "solved"].contains(&curves.text("source", row))));
}

#[test]
fn drawn_points_belong_to_their_replicate() {
    let bench = ran(DRAWN);
    let (samples, cells) = (bench.sheet("samples"), cells(&bench));
    assert_eq!((cells.len(), samples.rows().count()), (6, 36), "curves bring the points");
    for &(cell, seed) in &cells {
        let mine = points(&samples, cell);
        for &(other, of) in &cells {
            assert_eq!(mine == points(&samples, other), seed == of, "replicates {seed} and {of}");
        }
        for [x, y, target] in mine {
            assert!((target - (1.5 * std::f64::consts::PI * x).sin()).abs() < 1e-15);
            // Six standard deviations, and never none at all.
            assert!((y - target).abs() < 0.6 && y.to_bits() != target.to_bits());
        }
    }
}

/// Step 0 is f = 0, so what is left of y there is the training error: the points are those that were trained on.
#[test]
fn the_error_at_the_start_is_that_of_these_points() {
    let bench = ran(DRAWN);
    let (samples, trajectory) = (bench.sheet("samples"), bench.sheet("trajectory"));
    for row in trajectory.rows().filter(|&row| trajectory.int("step", row) == Some(0)) {
        let points = points(&samples, trajectory.int("cell", row).unwrap());
        let mean = points.iter().map(|[_, y, _]| y * y).sum::<f64>() / 6.0;
        assert!((trajectory.number("train_mse", row) / mean - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_noise_free_function_stands_among_the_curves() {
    let bench = ran(DRAWN);
    let curves = bench.sheet("curves");
    let of_target: Vec<usize> = curves.rows().filter(|&row| curves.text("source", row) == "target").collect();
    assert_eq!(of_target.len(), 6 * 5);
    for row in of_target {
        let (x, f) = (curves.number("x", row), curves.number("f", row));
        assert!((f - (1.5 * std::f64::consts::PI * x).sin()).abs() < 1e-15);
        assert_eq!(curves.text("solution", row), "");
        assert!(["step", "time", "draw"].iter().all(|column| curves.is_null(column, row)));
    }
}

#[test]
fn a_plan_counts_the_points() {
    let bench = Bench::new(DRAWN);
    let plan = bench.taut(&["plan", "study.toml", "--json"]).exits(0).json();
    let tables = plan["tables"].as_array().expect("tables");
    let rows = |name: &str| tables.iter().find(|table| table["name"] == name).expect("the table")["rows"].clone();
    assert_eq!(rows("samples"), 36);
    // Two functions of the path, the line that is always fitted, and the target, on five points.
    assert_eq!(rows("curves"), 6 * 4 * 5);
}
