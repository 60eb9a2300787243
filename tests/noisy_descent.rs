//! Batches and masks that are drawn for every update: where descent settles, and from which step size on it does not.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use support::Sheet;
use support::figures::{Worst, mean, predicted, standard_error};
use support::study::{Bench, Tables};

/// Five rows of twelve inputs, numbers without structure.
fn five_rows() -> Vec<Vec<f64>> {
    let entry = |i: usize, j: usize| (1.0 + 3.7 * i as f64 + 1.3 * (j * j) as f64 + 0.9 * (i * j) as f64).sin();
    (0..5).map(|i| (0..12).map(|j| entry(i, j)).collect()).collect()
}

/// The same five rows in coordinates of their own span: all inner products stay, and so does every path.
fn rows_in_their_span(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut out: Vec<Vec<f64>> = vec![vec![0.0; rows.len()]; rows.len()];
    for i in 0..rows.len() {
        for j in 0..=i {
            let rest = inner(&rows[i], &rows[j]) - inner(&out[i][..j], &out[j][..j]);
            out[i][j] = if i == j { rest.sqrt() } else { rest / out[j][j] };
        }
    }
    out
}

/// Single-row and small-batch descent to zero values; cases are (batch, step size).
fn small_batches(x: &[Vec<f64>], solver: &str, steps: [u64; 2], cases: &[(usize, f64)], seeds: usize) -> Bench {
    let [from, to] = steps;
    let mut settings = String::new();
    for (place, (batch, eta)) in cases.iter().enumerate() {
        let method = format!("{{ sgd = {{ batch = {batch}, replacement = true }} }}");
        writeln!(settings, "c{place:04} = {{ \"train.method\" = {method}, \"train.step_size.absolute\" = {eta:?} }}")
            .unwrap();
    }
    let bench = Bench::new(&format!(
        r#"
        title = "Step sizes near the critical one"
        data.table = {{ x = {x:?}, y = [0, 0, 0, 0, 0] }}
        model = {{ features = "identity", init = {{ constant = {{ scale = 1.0 }} }} }}
        [train]
        method = {{ sgd = {{ batch = 1, replacement = true }} }}
        step_size = {{ absolute = 0.01 }}
        solver = "{solver}"
        until = {{ steps = {to} }}
        allow_unstable = true
        [record]
        times = {{ steps = [{from}, {to}] }}
        metrics = ["loss"]
        theory = ["sgd_stability"]
        [sweep]
        seed = {{ count = {seeds} }}
        [sweep.setting.cases]
        {settings}"#
    ));
    bench.run(&["--quiet"]).exits(0);
    bench
}

/// Mean growth of log loss per step between two steps, by setting; infinite where it overflows or underflows.
fn growths(bench: &Bench, [from, to]: [i64; 2]) -> Vec<f64> {
    let (cells, trajectory) = (bench.sheet("cells"), bench.sheet("trajectory"));
    let mut logs: BTreeMap<(i64, i64), f64> = BTreeMap::new();
    for r in trajectory.rows().filter(|&r| trajectory.text("source", r) == "trained") {
        let at = (trajectory.int("cell", r).unwrap(), trajectory.int("step", r).unwrap());
        logs.insert(at, trajectory.number("loss", r).ln());
    }
    let mut by_setting: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in cells.rows() {
        let cell = cells.int("cell", row).unwrap();
        let growth = match (logs.get(&(cell, from)), logs.get(&(cell, to))) {
            (Some(early), Some(late)) if *late < f64::INFINITY => (late - early) / (to - from) as f64,
            _ => f64::INFINITY,
        };
        by_setting.entry(cells.text("setting", row).to_owned()).or_default().push(growth);
    }
    by_setting.values().map(|of| mean(of)).collect()
}

const BATCHES: [usize; 3] = [1, 2, 4];

/// The predicted critical step sizes of the three batches, and 2/λ_max.
fn critical_step_sizes(x: &[Vec<f64>]) -> ([f64; 3], f64) {
    let bench = small_batches(x, "stepped", [0, 1], &BATCHES.map(|batch| (batch, 0.01)), 1);
    let (cells, predictions) = (bench.sheet("cells"), bench.sheet("predictions"));
    let of = |case: usize, quantity: &str| {
        let row = cells.rows().find(|&r| cells.text("setting", r) == format!("c{case:04}")).unwrap();
        predicted(&predictions, cells.int("cell", row).unwrap(), quantity, None)
    };
    ([0, 1, 2].map(|case| of(case, "critical_step_size")), of(0, "critical_step_size_of_the_mean"))
}

#[test]
fn second_moments_stop_settling_at_the_predicted_step_size() {
    let rows = five_rows();
    let (critical, of_the_mean) = critical_step_sizes(&rows);
    // Near the critical size growth per step is linear in the step size, up to the square of the distance, 1e-8.
    let cases: Vec<(usize, f64)> = BATCHES
        .iter()
        .zip(critical)
        .flat_map(|(batch, eta)| [(*batch, eta * (1.0 - 1e-4)), (*batch, eta * (1.0 + 1e-4))])
        .collect();
    let bench = small_batches(&rows, "moments", [10_000, 30_000], &cases, 1);
    let growth = growths(&bench, [10_000, 30_000]);
    for (place, (batch, eta)) in BATCHES.iter().zip(critical).enumerate() {
        let (below, beyond) = (growth[2 * place], growth[2 * place + 1]);
        let measured = eta * (1.0 - 1e-4 + 2e-4 * below / (below - beyond));
        let error = measured / eta - 1.0;
        eprintln!(
            "batch {batch}: growth {below:.3e}, {beyond:.3e}; critical step {measured:.9}, predicted {eta:.9} ({:.4} of \
             the mean's): {error:.1e}",
            eta / of_the_mean
        );
        assert!(below < 0.0 && beyond > 0.0);
        assert!(error.abs() < 1e-6, "batch {batch}: {error:e}");
    }
    assert!(critical[0] < critical[1] && critical[1] < critical[2] && critical[2] < of_the_mean);
}

/// Moments blow up before typical paths do: rare paths carry the mean.
#[test]
fn sample_paths_grow_only_beyond_the_critical_step_size() {
    // Outside the span of the rows rounding would put a floor under the losses.
    let rows = rows_in_their_span(&five_rows());
    let (critical, _) = critical_step_sizes(&rows);
    for (own, in_span) in critical_step_sizes(&five_rows()).0.iter().zip(critical) {
        assert!((own / in_span - 1.0).abs() < 1e-12, "{own} {in_span}");
    }
    let shares: Vec<f64> = (0..=30).map(|place| 1.0 + 0.01 * f64::from(place)).collect();
    for (batch, eta) in BATCHES.into_iter().zip(critical) {
        let cases: Vec<(usize, f64)> = shares.iter().map(|share| (batch, share * eta)).collect();
        let growth = growths(&small_batches(&rows, "stepped", [200, 2000], &cases, 20), [200, 2000]);
        let beyond = growth.iter().position(|&g| g > 0.0).unwrap_or_else(|| panic!("{batch}: {growth:?}"));
        assert!(beyond > 0, "batch {batch}: paths grow at the critical size, {:e}", growth[0]);
        let (before, after) = (growth[beyond - 1], growth[beyond]);
        assert!(before.is_finite() && after.is_finite(), "near the boundary growth is slow");
        let boundary = shares[beyond - 1] + 0.01 * before / (before - after);
        eprintln!(
            "batch {batch}: log growth of paths at the critical size {:.1e} a step; they grow from {boundary:.4} of it on",
            growth[0]
        );
        // 2 %, 14 % and 23 % here; twenty paths know it to a tenth of a percent.
        assert!((1.005..=1.25).contains(&boundary), "batch {batch}: {boundary}");
    }
}

/// The Hessian of a model that is linear in its parameters is the same everywhere.
#[test]
fn every_end_is_equally_sharp() {
    let tables = Tables::of(
        "experiments/sgd_flatness_is_empty_here.toml",
        &["record.metrics=[\"sharpness\", \"parameter_norm\"]", "seed={ count = 3 }"],
    );
    let (cells, trajectory, solutions) = (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("solutions"));
    let mut of_seed: BTreeMap<i64, (f64, f64, usize)> = BTreeMap::new();
    let seed: BTreeMap<i64, (i64, f64)> = cells
        .rows()
        .map(|r| (cells.int("cell", r).unwrap(), (cells.int("seed", r).unwrap(), cells.number("lambda_max", r))))
        .collect();
    let mut worst = Worst::default();
    let mut see = |cell: i64, sharpness: f64, what: &str| {
        let (seed, lambda) = seed[&cell];
        worst.see(sharpness, lambda, lambda, || format!("{what}, seed {seed}, against λ_max"));
        let seen = of_seed.entry(seed).or_insert((f64::INFINITY, 0.0, 0));
        *seen = (seen.0.min(sharpness), seen.1.max(sharpness), seen.2 + 1);
    };
    for r in trajectory.rows().filter(|&r| trajectory.text("source", r) == "trained") {
        see(trajectory.int("cell", r).unwrap(), trajectory.number("sharpness", r), "path");
    }
    let mut interpolators = 0;
    for r in solutions.rows().filter(|&r| !solutions.is_null("sharpness", r)) {
        interpolators += usize::from(solutions.text("solution", r) == "random-interpolator");
        see(solutions.int("cell", r).unwrap(), solutions.number("sharpness", r), solutions.text("solution", r));
    }
    assert_eq!(interpolators, 3 * 4 * 20);
    worst.below("sharpness against the largest curvature", 1e-14);
    for (seed, (least, most, rows)) in of_seed {
        eprintln!("seed {seed}: {rows} points of sharpness {least:.6}, spread {:.1e}", most / least - 1.0);
        assert!(most / least - 1.0 <= 1e-14);
    }
}

#[test]
fn short_cuts_to_the_stationary_covariance_err_as_derived() {
    let tables = Tables::of("tests/studies/linear/sgd_moments.toml", &["train.method.sgd.batch=1"]);
    let (cells, predictions) = (tables.sheet("cells"), tables.sheet("predictions"));
    let errors: Vec<(f64, f64, f64)> = cells
        .rows()
        .map(|r| {
            let cell = cells.int("cell", r).unwrap();
            let of = |quantity: &str| predicted(&predictions, cell, quantity, None);
            (cells.number("absolute", r), of("lyapunov_error"), of("isotropic_error"))
        })
        .collect();
    eprintln!("(step size, error of Lyapunov's equation, error of the isotropic short cut): {errors:.4?}");
    let percent = |x: f64| (100.0 * x).round() as i64;
    assert_eq!(errors.iter().skip(1).map(|of| percent(of.1)).collect::<Vec<_>>(), [9, 27]);
    assert_eq!(percent(errors[1].2), 48, "at a step size of 0.1");
}

/// A cubic on ten points whose features or parameters fail with probability 0.2.
fn dropout(settings: &str, steps: u64, last: &str, sweep: &str) -> Bench {
    let x: Vec<f64> = (0..10).map(|i| -0.9 + 0.2 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| 0.3 + 0.8 * x + 0.3 * (5.0 * i as f64).sin()).collect();
    let bench = Bench::new(&format!(
        r#"
        title = "Dropout"
        data.curve = {{ x = {x:?}, y = {y:?} }}
        model = {{ features = {{ polynomial = {{ basis = "legendre", degree = 3 }} }} }}
        [train]
        step_size = {{ relative = 0.1 }}
        until = {{ steps = {steps} }}
        dropout = {{ keep = 0.8, {settings} }}
        [record]
        times = {{ steps = [{last}] }}
        metrics = ["loss"]
        tables = ["parameters"]
        {sweep}"#
    ));
    bench.run(&["--quiet"]).exits(0);
    bench
}

/// The values of every parameter in the rows that are kept, in the order of the cells.
fn parameters_of(sheet: &Sheet, keep: impl Fn(usize) -> bool) -> [Vec<f64>; 4] {
    let mut out: [Vec<f64>; 4] = Default::default();
    for r in sheet.rows().filter(|&r| sheet.text("source", r) == "trained" && keep(r)) {
        out[sheet.int("row", r).unwrap() as usize].push(sheet.number("value", r));
    }
    out
}

/// Random masks leave the iterates wandering, around the solution of the mean problem.
#[test]
fn dropout_wanders_around_its_marginal_solution() {
    let marginal = dropout("marginal = true", 10, "inf", "").sheet("parameters");
    let exact = parameters_of(&marginal, |_| true).map(|of| of[0]);
    let shown = "[sweep]\nseed = { count = 60 }\n[sweep.shown.cases]\nlast = { \"train.average\" = \"none\" }\n\
                 averaged = { \"train.average\" = { after = { steps = 2000 } } }\n";
    for mask in ["features", "weights"] {
        let drawn = dropout(&format!("mask = \"{mask}\""), 20_000, "20000", shown);
        let (cells, parameters) = (drawn.sheet("cells"), drawn.sheet("parameters"));
        let way: BTreeMap<i64, &str> =
            cells.rows().map(|r| (cells.int("cell", r).unwrap(), cells.text("shown", r))).collect();
        let of = |shown: &str| parameters_of(&parameters, |r| way[&parameters.int("cell", r).unwrap()] == shown);
        let (averaged, last) = (of("averaged"), of("last"));
        for j in 0..4 {
            assert_eq!((averaged[j].len(), last[j].len()), (60, 60));
            let (got, sem) = (mean(&averaged[j]), standard_error(&averaged[j]));
            let scatter = standard_error(&last[j]) * 60.0_f64.sqrt();
            let off = (got - exact[j]) / sem;
            eprintln!(
                "{mask}, θ{j}: {got:.7} ± {sem:.7}, marginal {:.7} ({off:.1} sem); last: {scatter:.1e}",
                exact[j]
            );
            assert!(off.abs() < 4.0, "{mask}, θ{j}");
            // Masks on parameters disturb only what is correlated, here little, but do not let it settle either.
            assert!(scatter > 10.0 * sem, "{mask}, θ{j}: {scatter:e}");
        }
    }
}
