//! Means and covariances in the tables of `taut run` against a plain recursion written down here.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use support::study::Bench;
use support::{Sheet, here, read};

const X: [f64; 6] = [-0.9, -0.5, -0.1, 0.2, 0.6, 1.0];
const Y: [f64; 6] = [-0.3, 0.1, 0.1, 0.6, 0.7, 1.2];
const STEPS: [i64; 6] = [0, 1, 2, 10, 100, 2000];
const LABELS: f64 = 0.3;
const GRADIENT: f64 = 0.05;

type Vector = [f64; 3];
type Matrix = [[f64; 3]; 3];

fn design(i: usize) -> Vector {
    [1.0, X[i], X[i] * X[i]]
}

fn entries(of: impl Fn(usize, usize) -> f64) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| of(i, j)))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    entries(|i, j| (0..3).map(|k| a[i][k] * b[k][j]).sum())
}

/// ΦᵀΦ/n and Φᵀy/n.
fn normal_equations() -> (Matrix, Vector) {
    let mean = |of: &dyn Fn(usize) -> f64| (0..6).map(of).sum::<f64>() / 6.0;
    let a = entries(|j, k| mean(&|i| design(i)[j] * design(i)[k]));
    (a, std::array::from_fn(|j| mean(&|i| design(i)[j] * Y[i])))
}

/// m ← m − η(Am − c) and S ← (I − ηA)S(I − ηA) + η²(labels²A/n + gradient²I).
fn recursion(eta: f64, steps: i64) -> (Vector, Matrix) {
    let (a, c) = normal_equations();
    let identity = entries(|i, j| f64::from(u8::from(i == j)));
    let contraction = entries(|i, j| identity[i][j] - eta * a[i][j]);
    let (mut mean, mut covariance) = ([0.0; 3], [[0.0; 3]; 3]);
    for _ in 0..steps {
        mean = std::array::from_fn(|i| mean[i] - eta * ((0..3).map(|j| a[i][j] * mean[j]).sum::<f64>() - c[i]));
        let carried = product(&product(&contraction, &covariance), &contraction);
        let noise = |i: usize, j: usize| LABELS * LABELS * a[i][j] / 6.0 + GRADIENT * GRADIENT * identity[i][j];
        covariance = entries(|i, j| carried[i][j] + eta * eta * noise(i, j));
    }
    (mean, covariance)
}

fn bench() -> Bench {
    let bench = Bench::new(&read(&here("tests/studies/moments.toml")));
    bench.run(&["--quiet"]).exits(0);
    bench
}

/// The stable cell and its step size, and the other one's place in `cells`.
fn cells(cells: &Sheet) -> (i64, f64, usize) {
    let place = |relative: f64| cells.rows().find(|&r| (cells.number("relative", r) - relative).abs() < 1e-9).unwrap();
    let stable = place(0.5);
    assert_eq!(cells.text("status", stable), "finished");
    assert_eq!(cells.text("solver", stable), "moments");
    assert!(cells.is_null("residual_rms_below_1em2_step", stable), "a mean over paths passes no level");
    (cells.int("cell", stable).unwrap(), cells.number("step_size", stable), place(4.0))
}

#[test]
fn tables_hold_the_moments_of_a_plain_recursion() {
    let bench = bench();
    let (cell, eta, _) = cells(&bench.sheet("cells"));
    let parameters = bench.sheet("parameters");
    let mut found: BTreeMap<(String, i64, i64, i64), f64> = BTreeMap::new();
    for row in parameters.rows().filter(|&row| parameters.int("cell", row) == Some(cell)) {
        let [step, i, j] = ["step", "row", "col"].map(|column| parameters.int(column, row).unwrap());
        found.insert((parameters.text("tensor", row).to_owned(), step, i, j), parameters.number("value", row));
    }
    assert_eq!(found.len(), STEPS.len() * (3 + 9));
    let mut worst = 0.0_f64;
    for step in STEPS {
        let (mean, covariance) = recursion(eta, step);
        let scale = covariance.iter().flatten().fold(1e-300_f64, |most, s| most.max(s.abs()));
        for i in 0..3 {
            worst = worst.max((found[&("mean".to_owned(), step, i as i64, 0)] - mean[i]).abs());
            for j in 0..3 {
                let got = found[&("covariance".to_owned(), step, i as i64, j as i64)];
                worst = worst.max((got - covariance[i][j]).abs() / scale);
            }
        }
    }
    eprintln!("moments in the tables: {worst:.1e}");
    // Rounding of 2000 contractions, which forget it.
    assert!(worst < 1e-11, "{worst:e}");
}

#[test]
fn quadratic_metrics_are_expectations_and_others_null() {
    let bench = bench();
    let (cell, eta, _) = cells(&bench.sheet("cells"));
    let trajectory = bench.sheet("trajectory");
    let mut worst = 0.0_f64;
    for row in trajectory.rows().filter(|&row| trajectory.int("cell", row) == Some(cell)) {
        let (mean, covariance) = recursion(eta, trajectory.int("step", row).unwrap());
        let at = |i: usize, beta: &Vector| design(i).iter().zip(beta).map(|(x, b)| x * b).sum::<f64>();
        let mse = (0..6).map(|i| (at(i, &mean) - Y[i]).powi(2)).sum::<f64>() / 6.0;
        let trace: f64 = product(&normal_equations().0, &covariance).iter().enumerate().map(|(i, row)| row[i]).sum();
        // f = a + bx + cx² has ∫f″² = 8c² over [-1, 1].
        let bending = 8.0 * (mean[2] * mean[2] + covariance[2][2]);
        let expected = [("train_mse", mse + trace), ("loss", 0.5 * (mse + trace)), ("bending_energy", bending)];
        for (metric, expected) in expected {
            worst = worst.max((trajectory.number(metric, row) - expected).abs());
        }
        for metric in ["residual_rms", "total_variation", "turning_points", "parameter_norm", "degrees_of_freedom"] {
            assert!(trajectory.is_null(metric, row), "{metric} is no quadratic");
        }
        assert!(trajectory.number("risk", row) > 0.0);
    }
    eprintln!("expected metrics: {worst:.1e}");
    assert!(worst < 1e-11, "{worst:e}");
}

#[test]
fn moments_that_grow_without_end_are_data_with_a_step() {
    let bench = bench();
    let sheet = bench.sheet("cells");
    let (_, _, unstable) = cells(&sheet);
    assert_eq!(sheet.text("status", unstable), "diverged");
    let reason = sheet.text("reason", unstable);
    assert!(reason.starts_with("the mean or the covariance stops being finite at step "), "{reason}");
}

#[test]
fn what_has_no_moments_is_refused_with_a_reason() {
    let study = read(&here("tests/studies/moments.toml"));
    let noise = "noise          = { labels = 0.3, gradient = 0.05 }";
    let flow = "method = \"gradient-flow\"\nnoise = { labels = 0.3 }";
    let wide = "degree = 700";
    for (from, to, says) in [
        (noise, "", "without anything random"),
        (noise, &format!("{noise}\npenalty = {{ l1 = 0.1 }}"), "proximal steps are not linear"),
        (noise, &format!("{noise}\ndropout = {{ keep = 0.8 }}"), "it knows no masks"),
        (noise, &format!("{noise}\ncontinuation = {{ ridge = [1.0, 0.0] }}"), "continuation"),
        (noise, flow, "the moments of descent and of the heavy ball are known"),
        ("steps = 2000 }", "steps = 2000, loss = 1e-3 }", "follows all draws at once"),
        ("2000] }", "2000, inf] }", "which solver = \"moments\" never reaches"),
        ("degree = 2", wide, "a covariance is known up to 512"),
    ] {
        assert!(study.contains(from), "{from}");
        let said = Bench::new(&study.replacen(from, to, 1)).run(&[]).exits(2);
        assert!(said.stderr.contains(says), "{says}:\n{}", said.stderr);
    }
}

/// The study for rows drawn for every update, with every kind of noise.
fn sgd(solver: &str, replacement: bool, sweep: &str) -> String {
    let study = read(&here("tests/studies/moments.toml"));
    let (head, _) = study.split_once("[sweep]").unwrap();
    let noise = "noise          = { labels = 0.3, gradient = 0.05 }";
    let all = "noise = { labels = 0.3, gradient = 0.05, curvature = 0.1 }";
    let method = format!("method = {{ sgd = {{ batch = 2, replacement = {replacement} }} }}\n{all}");
    let head = head.replacen(noise, &method, 1).replacen("\"moments\"", &format!("\"{solver}\""), 1);
    let head = head.replacen("steps = 2000 }", "steps = 12 }", 1).replacen("[0, 1, 2, 10, 100, 2000]", "[12]", 1);
    format!("{head}metrics = [\"loss\"]\n\n[sweep]\n{sweep}")
}

/// Entries of a tensor of every cell, by row and column.
fn tensor(parameters: &Sheet, name: &str) -> BTreeMap<(i64, i64), Vec<f64>> {
    let mut out: BTreeMap<(i64, i64), Vec<f64>> = BTreeMap::new();
    for row in parameters.rows().filter(|&row| parameters.text("tensor", row) == name) {
        let [i, j] = ["row", "col"].map(|column| parameters.int(column, row).unwrap());
        out.entry((i, j)).or_default().push(parameters.number("value", row));
    }
    out
}

#[test]
fn the_loop_draws_from_these_moments() {
    let cases = "\"train.average\" = [\"none\", \"all\"]";
    for replacement in [true, false] {
        for (case, average) in ["none", "all"].into_iter().enumerate() {
            let exact = Bench::new(&sgd("moments", replacement, cases));
            exact.run(&["--quiet"]).exits(0);
            let of = |name: &str| tensor(&exact.sheet("parameters"), name);
            let (mean, covariance) = (of("mean"), of("covariance"));
            let drawn = sgd("stepped", replacement, "seed = { count = 4000 }");
            let drawn = Bench::new(&drawn.replacen("[train]\n", &format!("[train]\naverage = \"{average}\"\n"), 1));
            drawn.run(&["--quiet"]).exits(0);
            let theta = tensor(&drawn.sheet("parameters"), "theta");
            let count = theta[&(0, 0)].len() as f64;
            assert!((count - 4000.0).abs() < 0.5);
            let average_of = |values: &dyn Fn(usize) -> f64| (0..4000).map(values).sum::<f64>() / count;
            let (m, s) = (|i: i64| mean[&(i, 0)][case], |i: i64, j: i64| covariance[&(i, j)][case]);
            let mut worst = 0.0_f64;
            for i in 0..3 {
                let got = average_of(&|r| theta[&(i, 0)][r]);
                worst = worst.max((got - m(i)).abs() / (s(i, i) / count).sqrt());
                for j in 0..=i {
                    let got = average_of(&|r| (theta[&(i, 0)][r] - m(i)) * (theta[&(j, 0)][r] - m(j)));
                    let deviation = ((s(i, i) * s(j, j) + s(i, j) * s(i, j)) / count).sqrt();
                    worst = worst.max((got - s(i, j)).abs() / deviation);
                }
            }
            eprintln!("replacement {replacement}, average {average}: worst of nine {worst:.2} standard errors");
            // Nine numbers, each beyond four standard errors once in 16000.
            assert!(worst < 4.0, "{worst}");
        }
    }
}

#[test]
fn rows_do_not_depend_on_threads() {
    let content = ["1", "2"].map(|threads| {
        let bench = Bench::new(&read(&here("tests/studies/moments.toml")));
        bench.run(&["--quiet", "--threads", threads]).exits(0);
        support::content(&bench.out())
    });
    assert_eq!(content[0], content[1]);
}

/// Two ways to one number: the score, from the covariance, and the metric, from points with that covariance.
#[test]
fn the_validation_score_is_the_expected_validation_error() {
    let bench = Bench::new(&read(&here("tests/studies/noisy_motions.toml")));
    bench.run(&["--quiet"]).exits(0);
    let (cells, trajectory) = (bench.sheet("cells"), bench.sheet("trajectory"));
    let mut seen = 0;
    for cell in cells.rows().filter(|&r| cells.text("solver", r) == "moments") {
        for row in trajectory.rows().filter(|&r| trajectory.int("cell", r) == cells.int("cell", cell)) {
            let (score, metric) = (trajectory.number("validation", row), trajectory.number("validation_error", row));
            assert!((score / metric - 1.0).abs() < 1e-12, "{score} {metric}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
