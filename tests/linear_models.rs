//! Optimizers, regularisers and theories of linear models: tables written by `taut run` against references
//! computed with 25 to 120 digits.
//!
//! Tolerances: 1e-9 relative is what 64-bit arithmetic keeps through a thin SVD of the worst conditioned
//! design; what is reached is printed.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use support::figures::{Worst, predicted};
use support::study::Bench;
use support::{Sheet, exact, here, reference, run_study};

/// The tables of one reference study.
struct Tables {
    _folder: tempfile::TempDir,
    out: PathBuf,
}

impl Tables {
    fn of(study: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        run_study(&here(&format!("tests/studies/linear/{study}.toml")), &out, &["--threads", "2"]);
        Self { _folder: folder, out }
    }

    fn sheet(&self, name: &str) -> Sheet {
        Sheet::read(&self.out, name)
    }
}

type Row = BTreeMap<String, String>;

/// Cells by the text that `name` makes of their rows.
fn cells_by(cells: &Sheet, name: impl Fn(usize) -> String) -> BTreeMap<String, i64> {
    cells.rows().map(|row| (name(row), cells.int("cell", row).unwrap())).collect()
}

/// Rows by (cell, step) of one source; the limit and the points of a flow have no step.
fn by_step(sheet: &Sheet, source: &str) -> BTreeMap<(i64, Option<i64>), Vec<usize>> {
    let mut out: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for row in sheet.rows().filter(|&row| sheet.text("source", row) == source) {
        out.entry((sheet.int("cell", row).unwrap(), sheet.int("step", row))).or_default().push(row);
    }
    out
}

/// Function values `f(x)` of a reference row against rows of `curves`.
fn see_points(curves: &Sheet, rows: &[usize], row: &Row, worst: &mut Worst, label: &str) {
    let points: Vec<(f64, f64)> = row
        .keys()
        .filter_map(|column| Some((column.strip_prefix("f(")?.strip_suffix(')')?.parse().ok()?, exact(row, column))))
        .collect();
    assert_eq!(points.len(), 5);
    let scale = points.iter().fold(0.0_f64, |m, p| m.max(p.1.abs()));
    for (x, f) in points {
        let found = rows.iter().find(|&&r| (curves.number("x", r) - x).abs() < 1e-9).expect("a point of the grid");
        worst.see(curves.number("f", *found), f, scale, || format!("{label} f({x})"));
    }
}

#[test]
fn momentum() {
    let tables = Tables::of("momentum");
    let (cells, trajectory, modes, curves) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("modes"), tables.sheet("curves"));
    for solver in ["exact", "stepped"] {
        let by = cells_by(&cells, |r| format!("{} {}", cells.text("solver", r), cells.text("motion", r)));
        let (places, at_modes, at_curves) =
            (by_step(&trajectory, "trained"), by_step(&modes, "trained"), by_step(&curves, "trained"));
        let mut worst = Worst::default();
        for row in reference("momentum_path_legw2_mid") {
            let cell = by[&format!("{solver} {} {}", row["method"], row["beta"])];
            let at = (cell, Some(exact(&row, "t") as i64));
            let label = format!("{} {} t={}", row["method"], row["beta"], row["t"]);
            let r = places[&at][0];
            for (column, metric) in
                [("resid_rms", "residual_rms"), ("theta_norm", "parameter_norm"), ("int_fpp2", "bending_energy")]
            {
                let value = exact(&row, column);
                // A residual is a difference of numbers of size one: below 1e-3 only its size is meant.
                let scale = if metric == "residual_rms" { value.max(1e-3) } else { value };
                worst.see(trajectory.number(metric, r), value, scale, || format!("{label} {metric}"));
            }
            if solver == "exact" {
                let largest = at_modes[&at].iter().map(|&m| modes.number("filter", m)).fold(f64::MIN, f64::max);
                let value = exact(&row, "max_filter");
                worst.see(largest, value, value, || format!("{label} largest filter"));
            }
            see_points(&curves, &at_curves[&at], &row, &mut worst, &label);
        }
        worst.below(&format!("momentum, {solver}"), 1e-9);
    }
}

#[test]
fn schedules() {
    let tables = Tables::of("schedules");
    let (cells, trajectory, curves) = (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("curves"));
    let by = cells_by(&cells, |r| format!("{} {}", cells.text("solver", r), cells.text("schedule_name", r)));
    let (places, at_curves) = (by_step(&trajectory, "trained"), by_step(&curves, "trained"));
    for solver in ["exact", "stepped"] {
        let mut worst = Worst::default();
        for row in reference("schedule_path_legw2_mid") {
            let at = (by[&format!("{solver} {}", row["schedule"])], Some(exact(&row, "t") as i64));
            let label = format!("{} t={}", row["schedule"], row["t"]);
            for (column, metric) in [
                ("resid_rms", "residual_rms"),
                ("theta_norm", "parameter_norm"),
                ("int_fpp2", "bending_energy"),
                ("sum_eta", "time"),
            ] {
                let value = exact(&row, column);
                worst.see(trajectory.number(metric, places[&at][0]), value, value, || format!("{label} {metric}"));
            }
            see_points(&curves, &at_curves[&at], &row, &mut worst, &label);
        }
        worst.below(&format!("schedules, {solver}"), 1e-9);
    }
}

#[test]
fn marginalised_dropout_and_its_scale_equivariance() {
    let tables = Tables::of("dropout");
    let (cells, trajectory, curves, parameters) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("curves"), tables.sheet("parameters"));
    let by = cells_by(&cells, |r| format!("{} {}", cells.text("basis", r), cells.number("keep", r)));
    let limit = |sheet: &Sheet, source: &str| -> BTreeMap<i64, Vec<usize>> {
        let mut out: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for row in sheet.rows().filter(|&r| sheet.text("source", r) == source && sheet.number("time", r).is_infinite())
        {
            out.entry(sheet.int("cell", row).unwrap()).or_default().push(row);
        }
        out
    };
    for source in ["trained", "dropout_ridge"] {
        let places = limit(&trajectory, source);
        let mut worst = Worst::default();
        for row in reference("dropout_marginal_mid") {
            let cell = by[&format!("{} {}", row["basis"], exact(&row, "keep_prob"))];
            let label = format!("{} q={}", row["basis"], row["keep_prob"]);
            for (column, metric) in
                [("resid_rms", "residual_rms"), ("w_norm", "parameter_norm"), ("int_fpp2", "bending_energy")]
            {
                let value = exact(&row, column);
                worst.see(trajectory.number(metric, places[&cell][0]), value, value, || format!("{label} {metric}"));
            }
        }
        worst.below(&format!("marginalised dropout, {source}"), 1e-9);
    }
    let (at_curves, at_parameters) = (limit(&curves, "trained"), limit(&parameters, "trained"));
    let mut worst = Worst::default();
    for row in reference("dropout_marginal_mid") {
        let cell = by[&format!("{} {}", row["basis"], exact(&row, "keep_prob"))];
        let label = format!("{} q={}", row["basis"], row["keep_prob"]);
        see_points(&curves, &at_curves[&cell], &row, &mut worst, &label);
        let norm = exact(&row, "w_norm");
        for k in [0, 1, 2, 3, 10, 50] {
            let found = at_parameters[&cell].iter().find(|&&r| parameters.int("row", r) == Some(k)).unwrap();
            let value = exact(&row, &format!("w{k}"));
            worst.see(parameters.number("value", *found), value, norm, || format!("{label} w{k}"));
        }
    }
    worst.below("marginalised dropout, functions and parameters", 1e-9);
    for keep in ["0.99", "0.9", "0.8", "0.7", "0.5"] {
        let values = |basis: &str| -> Vec<f64> {
            at_curves[&by[&format!("{basis} {keep}")]].iter().map(|&r| curves.number("f", r)).collect()
        };
        for (plain, weighted) in values("leg_on").iter().zip(values("leg_w2")) {
            assert!((plain - weighted).abs() < 1e-10, "q = {keep}: {plain} {weighted}");
        }
    }
}

#[test]
fn isotropic_ridge_and_ridgeless_risk() {
    let tables = Tables::of("isotropic_risk");
    let (cells, predictions) = (tables.sheet("cells"), tables.sheet("predictions"));
    let by = cells_by(&cells, |r| format!("{} {}", cells.int("inputs", r).unwrap(), cells.number("snr", r)));
    let (mut worst, mut seen) = (Worst::default(), 0);
    for row in reference("ridge_risk_isotropic") {
        let p = (100.0 * exact(&row, "gamma")).round();
        let Some(&cell) = by.get(&format!("{p} {}", exact(&row, "snr"))) else { continue };
        seen += 1;
        let label = |what: &str| format!("γ={} SNR={} {what}", row["gamma"], row["snr"]);
        for (column, quantity, parameter) in [
            ("excess_ridgeless", "ridgeless_test_error", None),
            ("lambda_opt", "optimal_ridge_lambda", None),
            ("excess_ridge_opt", "optimal_ridge_test_error", None),
            ("excess_ridge_1e-3", "ridge_test_error", Some(1e-3)),
            ("excess_ridge_1e-2", "ridge_test_error", Some(1e-2)),
            ("excess_ridge_1e-1", "ridge_test_error", Some(1e-1)),
            ("excess_ridge_1", "ridge_test_error", Some(1.0)),
        ] {
            let value = exact(&row, column);
            worst.see(predicted(&predictions, cell, quantity, parameter), value, value, || label(quantity));
        }
    }
    assert_eq!(seen, reference("ridge_risk_isotropic").len(), "every row of the reference has a cell");
    worst.below("isotropic ridge risk", 1e-9);
}

#[test]
fn risk_along_flow_under_the_marchenko_pastur_law() {
    let tables = Tables::of("marchenko_pastur");
    let (cells, trajectory, predictions) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("predictions"));
    let by = cells_by(&cells, |r| format!("{} {}", cells.int("inputs", r).unwrap(), cells.number("snr", r)));
    let cell_of = |row: &Row| by[&format!("{} {}", (100.0 * exact(row, "gamma")).round(), exact(row, "snr"))];
    let mut risks: BTreeMap<(i64, u64), f64> = BTreeMap::new();
    for r in trajectory.rows().filter(|&r| trajectory.text("source", r) == "marchenko_pastur_dynamics") {
        let at = (trajectory.int("cell", r).unwrap(), trajectory.number("time", r).to_bits());
        risks.insert(at, trajectory.number("test_error", r));
    }
    let mut worst = Worst::default();
    for row in reference("mp_training_dynamics") {
        let (cell, t, value) = (cell_of(&row), exact(&row, "t"), exact(&row, "excess_risk"));
        worst.see(risks[&(cell, t.to_bits())], value, value, || format!("γ={} SNR={} t={t}", row["gamma"], row["snr"]));
    }
    worst.below("training dynamics", 1e-9);
    let (mut risk, mut time) = (Worst::default(), Worst::default());
    for row in reference("mp_optimal_stopping") {
        let (cell, label) = (cell_of(&row), format!("γ={} SNR={}", row["gamma"], row["snr"]));
        for (column, quantity) in
            [("excess_gf_opt", "optimal_stopping_test_error"), ("excess_ridge_opt", "optimal_ridge_test_error")]
        {
            let value = exact(&row, column);
            risk.see(predicted(&predictions, cell, quantity, None), value, value, || format!("{label} {quantity}"));
        }
        let value = exact(&row, "t_opt");
        time.see(predicted(&predictions, cell, "optimal_stopping_time", None), value, value, || label);
    }
    risk.below("optimal stopping, risk", 1e-9);
    // The table's own precision: a minimum is flat, so its place is known to the root of the precision.
    time.below("optimal stopping, time", 1e-4);
}

#[test]
fn constants_of_flow_against_ridge() {
    let bench = Bench::new(
        r#"
        title = "Random designs"
        [data.gaussian]
        samples = 12
        inputs = 8
        noise = 0.5
        [model]
        features = "identity"
        [train]
        method = "gradient-flow"
        until = { time = 1e4 }
        [record]
        times = { geometric = 60 }
        metrics = ["test_error"]
        theory = ["gradient_flow_against_ridge"]
        [sweep]
        seed = { count = 100 }
        "data.gaussian.inputs" = [3, 8, 12, 30]
        "#,
    );
    bench.run(&[]).exits(0);
    let (cells, predictions) = (bench.sheet("cells"), bench.sheet("predictions"));
    let first = cells.int("cell", 0).unwrap();
    let table = reference("gf_ridge_constants");
    let named = |start: &str| exact(table.iter().find(|row| row["name"].starts_with(start)).unwrap(), "value");
    for (quantity, value) in [("risk_ratio_bound", named("squared")), ("tuned_bayes_bound", named("max (1+x)"))] {
        let got = predicted(&predictions, first, quantity, None);
        assert!((got / value - 1.0).abs() < 1e-12, "{quantity}: {got} {value}");
    }
    let mut largest: BTreeMap<&str, f64> = BTreeMap::new();
    for quantity in ["largest_estimation_risk_ratio", "largest_in_sample_risk_ratio"] {
        for r in predictions.rows().filter(|&r| predictions.text("quantity", r) == quantity) {
            let ratio = predictions.number("value", r);
            assert!(ratio <= 1.68591 * (1.0 + 1e-9), "{quantity}: {ratio}");
            let most = largest.entry(quantity).or_default();
            *most = most.max(ratio);
        }
    }
    assert_eq!(largest.len(), 2);
    eprintln!("400 random designs: {largest:?}");
}

#[test]
fn a_fixed_signal_out_of_sample_breaks_the_bound_of_flow_against_ridge() {
    let tables = Tables::of("out_of_sample");
    let (trajectory, solutions) = (tables.sheet("trajectory"), tables.sheet("solutions"));
    let at_one = trajectory.rows().find(|&r| (trajectory.number("time", r) - 1.0).abs() < 1e-12).unwrap();
    let ridge = solutions.rows().find(|&r| solutions.text("solution", r) == "ridge").unwrap();
    let ratio = trajectory.number("test_error", at_one) / solutions.number("test_error", ridge);
    eprintln!("fixed signal, out of sample: {ratio}");
    assert!((ratio - 14.777).abs() < 1e-3, "{ratio}");
}

#[test]
fn epoch_wise_double_descent() {
    let tables = Tables::of("epochwise");
    let trajectory = tables.sheet("trajectory");
    let of = |source: &str| -> BTreeMap<i64, Vec<f64>> {
        let mut out: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for r in trajectory.rows().filter(|&r| trajectory.text("source", r) == source) {
            if let Some(step) = trajectory.int("step", r) {
                out.entry(step).or_default().push(trajectory.number("test_error", r));
            }
        }
        out
    };
    let (trained, formula) = (of("trained"), of("epochwise_double_descent"));
    let (mut worst, mut simulated) = (Worst::default(), Worst::default());
    let mut means = BTreeMap::new();
    for row in reference("epochwise_dd") {
        let (t, value) = (exact(&row, "t") as i64, exact(&row, "risk_equal_steps"));
        worst.see(formula[&t][0], value, value, || format!("t={t}"));
        let mean = trained[&t].iter().sum::<f64>() / trained[&t].len() as f64;
        assert_eq!(trained[&t].len(), 30);
        means.insert(t, mean);
        simulated.see(mean, value, value, || format!("t={t}"));
    }
    worst.below("epoch-wise formula", 1e-12);
    simulated.below("epoch-wise simulation, mean of 30", 0.05);
    // Falls, rises, falls again.
    assert!(means[&0] > means[&124] && means[&124] < means[&711] && means[&711] > means[&284_803]);
}

#[test]
fn moments_of_stochastic_descent() {
    let tables = Tables::of("sgd_moments");
    let (cells, parameters) = (tables.sheet("cells"), tables.sheet("parameters"));
    let by = cells_by(&cells, |r| format!("{} {}", cells.number("absolute", r), cells.int("batch", r).unwrap()));
    let mut entries: BTreeMap<(i64, i64, String, i64, i64), f64> = BTreeMap::new();
    for r in parameters.rows() {
        let int = |column: &str| parameters.int(column, r).unwrap_or(-1);
        let at = (int("cell"), int("step"), parameters.text("tensor", r).to_owned(), int("row"), int("col"));
        entries.insert(at, parameters.number("value", r));
    }
    let mut worst = Worst::default();
    for row in reference("sgd_moments_small") {
        let (cell, t) = (by[&format!("{} {}", exact(&row, "eta"), row["batch"])], exact(&row, "t") as i64);
        let label = |what: &str| format!("η={} b={} t={t} {what}", row["eta"], row["batch"]);
        let norm = |columns: &[&str]| columns.iter().map(|c| exact(&row, c).abs()).fold(0.0, f64::max);
        let (means, covariances) =
            (["mean0", "mean1", "mean2"], ["cov00", "cov01", "cov02", "cov11", "cov12", "cov22"]);
        for (i, column) in means.iter().enumerate() {
            let got = entries[&(cell, t, "mean".to_owned(), i as i64, 0)];
            worst.see(got, exact(&row, column), norm(&means), || label(column));
        }
        for (column, (i, j)) in covariances.iter().zip([(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]) {
            let got = entries[&(cell, t, "covariance".to_owned(), i, j)];
            worst.see(got, exact(&row, column), norm(&covariances), || label(column));
        }
    }
    worst.below("moments of stochastic descent", 1e-9);
}

#[test]
fn the_schedule_for_strong_convexity_loses_by_sixteen_orders() {
    let tables = Tables::of("inverse_schedules");
    let (cells, parameters) = (tables.sheet("cells"), tables.sheet("parameters"));
    let by = cells_by(&cells, |r| cells.text("schedule", r).to_owned());
    let places = by_step(&parameters, "trained");
    let mut worst = Worst::default();
    for row in reference("schedule_ce1") {
        let steps = exact(&row, "T") as i64;
        for (column, schedule) in
            [("x_T_eta_1_over_k", "inverse"), ("x_T_eta_1_over_sqrt_k", "inverse-sqrt"), ("x_T_eta_1", "constant")]
        {
            // The reference has no value where it is far below what 64 bits hold.
            if row[column].is_empty() {
                continue;
            }
            let value = exact(&row, column);
            let got = parameters.number("value", places[&(by[schedule], Some(steps))][0]);
            // What 64 bits cannot hold is zero there.
            worst.see(got, value, if value > 1e-300 { value } else { 1e-300 }, || format!("{schedule} T={steps}"));
        }
    }
    worst.below("schedules on x²/10", 1e-9);
}

#[test]
fn a_noisy_parabola_under_five_schedules() {
    let tables = Tables::of("noisy_parabola");
    let (cells, trajectory) = (tables.sheet("cells"), tables.sheet("trajectory"));
    let by = cells_by(&cells, |r| cells.text("way", r).to_owned());
    let places = by_step(&trajectory, "trained");
    let mut worst = Worst::default();
    for row in reference("schedule_ce2") {
        let steps = exact(&row, "T") as i64;
        let halving = format!("halving-{steps}");
        for (column, way) in [
            ("Ex2_eta_1_over_k", "x_inverse"),
            ("Ex2_eta_1_over_sqrt_k", "x_sqrt"),
            ("Ex2_eta_1_over_(lambda k)", "x_lambda"),
            ("Ex2_const_0.1", "x_constant"),
            ("Ex2_step_halving_log2T_phases", halving.as_str()),
        ] {
            let value = exact(&row, column);
            // L = x²/10.
            let got = 10.0 * trajectory.number("loss", places[&(by[way], Some(steps))][0]);
            worst.see(got, value, value, || format!("{column} T={steps}"));
        }
    }
    worst.below("noisy parabola", 1e-9);
}

#[test]
fn textbook_schedules_lose_on_ten_modes() {
    let tables = Tables::of("ten_modes");
    let (cells, trajectory) = (tables.sheet("cells"), tables.sheet("trajectory"));
    let by = cells_by(&cells, |r| cells.text("way", r).to_owned());
    let places = by_step(&trajectory, "trained");
    let mut worst = Worst::default();
    for row in reference("schedule_ce3") {
        let steps = exact(&row, "T") as i64;
        for (way, cell) in &by {
            let value = exact(&row, way);
            let got = trajectory.number("loss", places[&(*cell, Some(steps))][0]);
            worst.see(got, value, value, || format!("{way} T={steps}"));
        }
    }
    worst.below("ten modes", 1e-9);

    let tables = Tables::of("ten_modes_tuned");
    let cells = tables.sheet("cells");
    let mut best: BTreeMap<String, f64> = BTreeMap::new();
    for row in cells.rows() {
        let family = cells.text("way", row).split('-').next().unwrap().to_owned();
        let least = best.entry(family).or_insert(f64::INFINITY);
        *least = least.min(cells.number("final_loss", row));
    }
    eprintln!("tuned after 10,000 steps: {best:?}");
    let order = ["average", "step", "cosine", "linear", "inverse", "sqrt"];
    for pair in order.windows(2) {
        assert!(
            best[pair[0]] < best[pair[1]],
            "{} {} is not below {} {}",
            pair[0],
            best[pair[0]],
            pair[1],
            best[pair[1]]
        );
    }
}

/// Basis of the degree sweep → features of a study, for a degree or number of harmonics.
fn features(basis: &str, degree: i64) -> String {
    let polynomial = |name: &str, decay: f64| {
        format!("{{ polynomial = {{ basis = \"{name}\", degree = {degree}, decay = {decay:?} }} }}")
    };
    match basis {
        "mono" => polynomial("monomial", 0.0),
        "cheb" => polynomial("chebyshev", 0.0),
        "cheb_w2" => polynomial("chebyshev", 2.0),
        "leg_std" => polynomial("legendre", 0.0),
        "leg_on" => polynomial("legendre-orthonormal", 0.0),
        "leg_w2" => polynomial("legendre-orthonormal", 2.0),
        "cosine" => format!("{{ cosine = {{ harmonics = {degree} }} }}"),
        "cosine_w2" => format!("{{ cosine = {{ harmonics = {degree}, decay = 2.0 }} }}"),
        other => panic!("{other}"),
    }
}

#[test]
fn expected_risk_over_the_degree() {
    let rows = reference("degree_sweep_mid");
    let label = |row: &Row| format!("{}-{}", row["basis"], row["degree"]);
    let cases: String = rows
        .iter()
        .map(|row| {
            let features = features(&row["basis"], exact(row, "degree") as i64);
            format!("{} = {{ \"model.features\" = {features} }}\n", label(row))
        })
        .collect();
    let bench = Bench::new(&format!(
        r#"
        title = "Expected risk over the degree"
        [data.curve]
        target = {{ line = {{ intercept = 0.3, slope = 0.8 }} }}
        design = "midpoint"
        samples = 10
        noise = 0.16
        [model]
        features = {{ polynomial = {{ basis = "monomial", degree = 1 }} }}
        [train]
        method = "gradient-flow"
        until = {{ time = 1.0 }}
        [record]
        times = {{ times = [0, inf] }}
        metrics = ["risk"]
        theory = ["expected_risk_of_least_squares", "double_descent_decomposition"]
        [sweep.model_name.cases]
        {cases}"#
    ));
    bench.run(&[]).exits(0);
    let (cells, predictions, trajectory) =
        (bench.sheet("cells"), bench.sheet("predictions"), bench.sheet("trajectory"));
    let by = cells_by(&cells, |r| cells.text("model_name", r).to_owned());
    let mut worst = Worst::default();
    for row in &rows {
        // The reference averages over 60 Gauss nodes, too few for products of two cosines of harmonic 30 and more:
        // at 50 it gives 0.00428 for a variance that is 0.16²/5 exactly.
        if row["basis"].starts_with("cosine") && exact(row, "degree") >= 30.0 {
            continue;
        }
        let value = exact(row, "expected_test_mse");
        let got = predicted(&predictions, by[&label(row)], "expected_risk", None);
        worst.see(got, value, value, || label(row));
    }
    worst.below("expected risk over the degree", 1e-9);
    let cosine = predicted(&predictions, by["cosine-50"], "expected_variance", None);
    assert!((cosine - 0.16 * 0.16 / 5.0).abs() < 1e-12, "five aliases share the noise of each point: {cosine}");

    // The three factors of double descent make up the risk of the trained limit.
    let limits = by_step(&trajectory, "trained");
    let mut identity = Worst::default();
    for (name, &cell) in &by {
        if predicted(&predictions, cell, "smallest_singular_value", None) > 1e-4 {
            let trained = trajectory.number("risk", *limits[&(cell, None)].last().unwrap());
            let sum = predicted(&predictions, cell, "test_error", None);
            identity.see(sum, trained, trained.max(1.0), || name.clone());
        }
    }
    identity.below("identity of double descent", 1e-9);
}

#[test]
fn what_survives_of_a_constant_among_its_aliases() {
    let tables = Tables::of("harmless_fourier");
    let (cells, parameters, predictions) =
        (tables.sheet("cells"), tables.sheet("parameters"), tables.sheet("predictions"));
    let places = by_step(&parameters, "trained");
    for row in cells.rows() {
        let cell = cells.int("cell", row).unwrap();
        let at_limit = places[&(cell, None)].iter().copied();
        let constant = at_limit
            .filter(|&r| parameters.number("time", r).is_infinite() && parameters.int("row", r) == Some(0))
            .map(|r| parameters.number("value", r))
            .next()
            .unwrap();
        let survival = predicted_first(&predictions, cell, "survival_of_cosine");
        let label = (cells.int("harmonics", row), cells.number("decay", row));
        assert!((constant - survival).abs() < 1e-12, "{label:?}: {constant} {survival}");
        if label.1 <= 0.0 {
            // Without weights 1/m of it is left: the constant has two aliases, a sine and a cosine, per 15 harmonics.
            eprintln!("harmonics {:?}: {constant}", label.0);
        }
    }
}

/// A predicted number at its smallest parameter.
fn predicted_first(predictions: &Sheet, cell: i64, quantity: &str) -> f64 {
    let found = predictions
        .rows()
        .filter(|&r| predictions.int("cell", r) == Some(cell) && predictions.text("quantity", r) == quantity)
        .min_by(|&a, &b| predictions.number("parameter", a).total_cmp(&predictions.number("parameter", b)));
    predictions.number("value", found.unwrap_or_else(|| panic!("no {quantity}")))
}
