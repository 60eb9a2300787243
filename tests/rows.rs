//! Rows of many inputs through the whole house, against numbers that are known exactly.

mod support;

use support::Sheet;
use support::study::Bench;

const STUDY: &str = r#"
title = "rows of many inputs"

[data.gaussian]
samples = 20
inputs = 60
signal = 3
noise = 0.2
unseen = 0.25

[data.validation]
samples = 20000

[model]
features = { first-inputs = { count = 60 } }

[train]
until = { steps = 100 }

[record]
times = { geometric = 5 }
limit = true

[solutions]
min-norm = {}

[sweep]
seed = { count = 200 }
"#;

/// Mean and standard error over the rows that `keep` says.
fn mean(sheet: &Sheet, column: &str, keep: impl Fn(usize) -> bool) -> (f64, f64) {
    let values: Vec<f64> = sheet.rows().filter(|&row| keep(row)).map(|row| sheet.number(column, row)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// At θ = 0 the excess risk is the whole signal r², and the distance to β* the part that is seen.
#[test]
fn errors_at_the_start_are_the_signal() {
    let bench = Bench::new(&STUDY.replace("count = 200", "count = 3"));
    bench.run(&["--quiet"]).exits(0);
    let trajectory = bench.sheet("trajectory");
    let starts: Vec<usize> = trajectory.rows().filter(|&row| trajectory.int("step", row) == Some(0)).collect();
    assert_eq!(starts.len(), 3);
    for row in starts {
        assert!((trajectory.number("test_error", row) - 3.0).abs() < 1e-12);
        assert!((trajectory.number("estimation_error", row) - 2.25).abs() < 1e-12);
        // The mean of 20000 squares of N(0, 3.04), within four standard errors.
        let validation = trajectory.number("validation_error", row);
        assert!((validation - 3.04).abs() < 4.0 * 3.04 * (2.0_f64 / 20_000.0).sqrt(), "{validation}");
        assert!(!trajectory.has("risk") && !trajectory.has("bending_energy"), "no cell has a curve");
    }
    let cells = bench.sheet("cells");
    for row in cells.rows() {
        assert!(cells.number("best_test_error", row) <= cells.number("final_test_error", row));
        assert!(!cells.has("best_risk") && !cells.is_null("best_risk_time", row));
    }
}

/// For isotropic rows and p > n + 1: E excess = unseen + r²(1 − n/p) + s²n/(p − n − 1), with s² the noise and
/// the signal that the p inputs do not see; for p < n − 1: unseen + s²p/(n − p − 1).
#[test]
fn the_minimum_norm_interpolant_has_its_expected_risk() {
    let n = 20.0;
    for p in [10.0, 40.0, 60.0] {
        let study = STUDY.replace("count = 60", &format!("count = {p}")).replace("samples = 20000", "samples = 1");
        let bench = Bench::new(&study);
        bench.run(&["--quiet"]).exits(0);
        let solutions = bench.sheet("solutions");
        let (found, error) = mean(&solutions, "test_error", |row| solutions.text("solution", row) == "min-norm");
        let seen = 2.25 * p / 60.0;
        let unseen = 3.0 - seen;
        let rest = unseen + 0.04;
        let exact = if p > n {
            unseen + seen * (1.0 - n / p) + rest * n / (p - n - 1.0)
        } else {
            unseen + rest * p / (n - p - 1.0)
        };
        assert!((found - exact).abs() < 4.0 * error, "p = {p}: {found} ± {error}, exact {exact}");
    }
}

/// The law's exact error against the mean over 20000 rows drawn from it.
#[test]
fn rows_to_test_on_agree_with_the_law() {
    let few = STUDY.replace("count = 200", "count = 2");
    let rows = few.replace("[data.validation]", "[data.test]");
    let [law, sampled] = [few, rows].map(|study| {
        let bench = Bench::new(&study);
        bench.run(&["--quiet"]).exits(0);
        bench.sheet("cells")
    });
    for row in law.rows() {
        let other = sampled.rows().find(|&other| sampled.int("seed", other) == law.int("seed", row)).expect("the seed");
        let (exact, mean) = (law.number("final_test_error", row), sampled.number("final_test_error", other));
        // Errors are Gaussian: four standard errors of a mean of 20000 squares.
        assert!((mean / exact - 1.0).abs() < 4.0 * (2.0_f64 / 20_000.0).sqrt(), "{mean} {exact}");
    }
}

const TABLE: &str = r#"
title = "rows of a file"

[data.table]
file = "points.csv"
inputs = ["b", "a"]
output = "value"
replicate_column = "repeat"

[data.test]
file = "points.csv"
select = { column = "part", value = "test" }

[data.validation]
file = "more.csv"

[model]
features = "identity"

[train]
until = { steps = 0 }

[record]
metrics = ["test_error", "validation_error", "train_mse"]

[solutions]
min-norm = {}

[sweep]
seed = [4, 7]
"#;

const POINTS: &str = "a,b,value,repeat,part\n1,2,3,4,test\n100,0,1,7,fit\n0,50,2,7,test\n5,5,5,5,fit\n";

#[test]
fn rows_of_a_file_go_with_their_replicate() {
    let run = |more: &str| {
        let bench = Bench::new(TABLE);
        bench.write("points.csv", POINTS);
        bench.write("more.csv", more);
        bench.run(&["--quiet"]).exits(0);
        bench
    };
    let bench = run("a,b,value\n1,0,2\n0,1,4\n");
    let (cells, solutions) = (bench.sheet("cells"), bench.sheet("solutions"));
    let row_of = |seed| cells.rows().find(|&row| cells.int("seed", row) == Some(seed)).expect("the seed");
    assert_eq!([4, 7].map(|seed| cells.int("n", row_of(seed))), [Some(1), Some(2)]);
    // At θ = 0 errors are mean squares of the values.
    let at = |column: &str, seed| cells.number(column, row_of(seed));
    let exactly = |column: &str, values: [f64; 2]| {
        for (seed, value) in [4, 7].into_iter().zip(values) {
            assert!((at(column, seed) - value).abs() <= 0.0, "{column} of replicate {seed}");
        }
    };
    exactly("final_test_error", [9.0, 4.0]);
    exactly("final_train_mse", [9.0, 2.5]);
    exactly("final_validation_error", [10.0, 10.0]);
    // Replicate 7 is solved by a = 1/100, b = 2/50.
    let solved = solutions.rows().find(|&row| {
        solutions.text("solution", row) == "min-norm" && solutions.int("cell", row) == cells.int("cell", row_of(7))
    });
    let error = solutions.number("validation_error", solved.expect("the interpolant"));
    let exact = ((2.0 - 0.01_f64).powi(2) + (4.0 - 0.04_f64).powi(2)) / 2.0;
    assert!((error - exact).abs() < 1e-13);
    let other = run("a,b,value\n1,0,2\n0,1,5\n");
    assert_ne!(other.cell_texts("key"), bench.cell_texts("key"), "held-out files are part of the meaning");
}
