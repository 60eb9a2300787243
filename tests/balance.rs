//! Balance between factors, exact paths of two factors, frozen directions and exact reductions: tables written by `taut
//! run` against references and identities.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use support::figures::{Worst, predicted};
use support::study::{Bench, Tables};
use support::tensors::{Matrix, Parameters, read};
use support::{Sheet, here};

/// Cells by the text that `name` makes of their rows.
fn cells_by(cells: &Sheet, name: impl Fn(usize) -> String) -> BTreeMap<String, i64> {
    cells.rows().map(|row| (name(row), cells.int("cell", row).unwrap())).collect()
}

/// The trained rows of one cell, by step.
fn trained(trajectory: &Sheet, cell: i64) -> BTreeMap<i64, usize> {
    let rows = trajectory.rows().filter(|&row| trajectory.text("source", row) == "trained");
    rows.filter(|&row| trajectory.int("cell", row) == Some(cell))
        .map(|row| (trajectory.int("step", row).expect("a step"), row))
        .collect()
}

/// QQᵀ of Q = [W₁ᵀ; W₂].
fn gram(w1: &Matrix, w2: &Matrix) -> Matrix {
    let inputs = w1.columns;
    let q = Matrix::from_fn(inputs + w2.rows, w1.rows, |i, a| match i < inputs {
        true => w1.at(a, i),
        false => w2.at(i - inputs, a),
    });
    q.times(&q.transposed())
}

/// Entries of the reference by start and time.
fn published_grams() -> Vec<(String, f64, usize, usize, f64)> {
    let path = here("tests/references/deep_linear/c08_riccati_qqT.csv");
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

#[test]
fn exact_paths_of_lambda_balanced_factors_are_the_published_ones() {
    const STUDY: &str = "tests/studies/deep_linear/lambda_balanced.toml";
    let reference = published_grams();
    // Closed form: 1e-9 is what the reference is good for; adaptive steps: 1e-12 per step, summed.
    for (solver, tolerance) in [("riccati", 1e-9), ("adaptive", 1e-9)] {
        let mut set = vec![format!("train.solver=\"{solver}\"")];
        set.extend((solver == "adaptive").then(|| "train.tolerance=1e-12".to_owned()));
        let tables = Tables::of(STUDY, &set.iter().map(String::as_str).collect::<Vec<_>>());
        let cells = tables.sheet("cells");
        assert!(cells.rows().all(|row| cells.text("solver", row) == solver));
        let by = cells_by(&cells, |row| cells.text("start", row).to_owned());
        let parameters = Parameters::of(&tables.sheet("parameters"));
        let mut worst = Worst::default();
        for (start, time, row, column, value) in &reference {
            let tensor = |name| parameters.at_time(by[start], *time, name);
            let got = gram(tensor("W1"), tensor("W2")).at(*row, *column);
            worst.see(got, *value, value.abs().max(1e-3), || format!("{start} t = {time} ({row}, {column})"));
        }
        worst.below(&format!("QQᵀ by {solver}"), tolerance);
        let product = |cell: i64, t| parameters.at_time(cell, t, "W2").times(parameters.at_time(cell, t, "W1"));
        let off = by.values().map(|&cell| product(cell, 8.0).minus(parameters.at_time(cell, 8.0, "beta")).largest());
        assert!(off.fold(0.0, f64::max) < 1e-14, "beta is W₂W₁");
    }
}

#[test]
fn descent_follows_the_exact_paths_up_to_the_step_size() {
    const STUDY: &str = "tests/studies/deep_linear/lambda_balanced.toml";
    let reference = published_grams();
    let off = |eta: f64| {
        let steps: Vec<String> = [0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0_f64]
            .iter()
            .map(|time| format!("{}", (time / eta).round()))
            .collect();
        let set = [
            "train.method=\"gradient-descent\"".to_owned(),
            "train.solver=\"stepped\"".to_owned(),
            format!("train.step_size={{ absolute = {eta} }}"),
            format!("record.times={{ steps = [{}] }}", steps.join(", ")),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let tables = Tables::of(STUDY, &set);
        let cells = tables.sheet("cells");
        let by = cells_by(&cells, |row| cells.text("start", row).to_owned());
        let parameters = Parameters::of(&tables.sheet("parameters"));
        let mut worst = 0.0_f64;
        for (start, time, row, column, value) in &reference {
            let tensor = |name| parameters.at_step(by[start], (time / eta).round() as i64, name);
            worst = worst.max((gram(tensor("W1"), tensor("W2")).at(*row, *column) - value).abs());
        }
        worst
    };
    let (whole, half) = (off(1e-3), off(5e-4));
    eprintln!("QQᵀ of descent, η = 1e-3: off by {whole:.2e}; η = 5e-4: {half:.2e}, ratio {:.3}", whole / half);
    // Of order η: halved with it, and some times η in size.
    assert!((1.9..2.1).contains(&(whole / half)));
    assert!(whole < 20.0 * 1e-3);
}

/// Numbers that look random and are the same everywhere: a linear congruence.
fn noise(rows: usize, columns: usize, seed: u64) -> Matrix {
    let state = std::cell::Cell::new(seed);
    let values = (0..rows * columns).map(|_| {
        state.set(state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        (state.get() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    });
    let values = values.collect();
    Matrix { rows, columns, values }
}

/// 8 samples of 40 inputs with values of a teacher within their span.
fn few_samples() -> Bench {
    let bench = Bench::new(
        r#"
title = "Fewer samples than inputs"
[data.matrices]
file = "data.csv"
[model]
features        = "identity"
parametrization = { deep-linear = { widths = [12, 10] } }
init            = { gaussian = { scale = 0.25 } }
[train]
step_size = { absolute = 0.01 }
method    = "gradient-descent"
until     = { steps = 6000 }
[record]
times   = { every = 1000 }
tables  = ["parameters"]
metrics = ["loss", "test_error", "test_error_learned", "test_error_frozen", "predictor_norm"]
[sweep]
"train.reduce" = [false, true]
"train.method" = { cases = { descent = { "train.method" = "gradient-descent" }, heavy-ball = { "train.method" = { heavy-ball = { momentum = 0.9 } }, "train.step_size.absolute" = 0.001 } } }
"#,
    );
    let x = noise(40, 8, 1);
    let teacher = noise(3, 8, 2).times(&x.orthonormal().transposed());
    let y = teacher.times(&x);
    bench.write(
        "data.csv",
        &["tensor,row,col,value\n".to_owned(), x.lines("X"), y.lines("Y"), teacher.lines("teacher")].concat(),
    );
    bench
}

#[test]
fn the_first_factor_is_frozen_where_no_sample_is_and_the_product_is_not() {
    let bench = few_samples();
    bench.run(&[]).exits(0);
    let (cells, trajectory) = (bench.sheet("cells"), bench.sheet("trajectory"));
    let parameters = Parameters::of(&bench.sheet("parameters"));
    let span = noise(40, 8, 1).orthonormal();
    let beyond = |m: &Matrix| m.minus(&m.times(&span).times(&span.transposed()));
    let mut moved = BTreeMap::new();
    let mut frozen = Worst::default();
    let mut sum = Worst::default();
    for cell in cells.rows().map(|row| cells.int("cell", row).unwrap()) {
        let start = beyond(parameters.at_step(cell, 0, "W1"));
        let rows = trained(&trajectory, cell);
        let (mut still, mut product) = (0.0_f64, Vec::new());
        for (&step, &row) in &rows {
            let tensor = |name| parameters.at_step(cell, step, name);
            still = still.max(beyond(tensor("W1")).minus(&start).largest());
            let outer = tensor("W3").times(tensor("W2")).times(&start);
            product.push(outer.clone());
            // The teacher has no part there, and means are over 3 outputs.
            let error = trajectory.number("test_error_frozen", row);
            frozen.see(error, outer.norm().powi(2) / 3.0, error, || format!("step {step}"));
            let learned = trajectory.number("test_error_learned", row);
            let whole = trajectory.number("test_error", row);
            sum.see(learned + error, whole, whole, || format!("step {step}"));
        }
        let row = cells.rows().find(|&row| cells.int("cell", row) == Some(cell)).unwrap();
        let label = format!("{} {}", cells.text("method", row), cells.text("reduction", row));
        let last = rows[&6000];
        let [whole, part] = [trajectory.number("predictor_norm", last), product.last().unwrap().norm()];
        let seen = (whole * whole - part * part).sqrt();
        eprintln!("{label}: W₁ moves by {still:.1e} there; ‖W‖ is {whole:.4}, and {seen:.4} without the frozen part");
        // The product moves there all the same.
        assert!(product[0].minus(product.last().unwrap()).norm() > 1e-2 && whole > 1.01 * seen, "{label}");
        moved.insert(label, still);
    }
    assert_eq!(moved.len(), 4, "{moved:?}");
    frozen.below("test_error_frozen against ‖W₃W₂W₁(0)P⟂‖²/3", 1e-10);
    sum.below("learned and frozen add up", 1e-12);
    for (label, moved) in moved {
        // The last move is known as a difference of rounded weights: a share β of n ulps rounds to n ulps again up to
        // n = 1/(2(1 − β)), so that weights without a gradient creep by 5 ulps of at most 1 in each of 6000 steps.
        let most = if label == "heavy-ball " { 6000.0 * 5.0 * f64::EPSILON / 2.0 } else { 1e-14 };
        assert!(moved < most, "{label}: {moved:e}");
    }
}

/// W_{l+1}ᵀW_{l+1} − W_lW_lᵀ.
fn gap(parameters: &Parameters, cell: i64, step: i64, l: usize) -> Matrix {
    let below = parameters.at_step(cell, step, &format!("W{l}"));
    let above = parameters.at_step(cell, step, &format!("W{}", l + 1));
    above.transposed().times(above).minus(&below.times(&below.transposed()))
}

#[test]
fn the_balance_drifts_as_predicted_and_its_sums_are_exact() {
    let tables = Tables::of("experiments/balancedness.toml", &["record.tables=[\"parameters\"]"]);
    let (cells, trajectory, predictions) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("predictions"));
    let parameters = Parameters::of(&tables.sheet("parameters"));
    let by = cells_by(&cells, |row| format!("{} {}", cells.text("start", row), cells.text("motion", row)));
    let steps = |cell: i64| *trained(&trajectory, cell).last_key_value().unwrap().0;
    for start in ["gaussian", "balanced"] {
        let drift = |motion: &str, l: usize| {
            let cell = by[&format!("{start} {motion}")];
            gap(&parameters, cell, steps(cell), l).minus(&gap(&parameters, cell, 0, l)).norm()
        };
        for l in [1, 2] {
            for pair in ["descent-2e-2", "descent-1e-2", "descent-5e-3", "descent-25e-4"].windows(2) {
                let ratio = drift(pair[0], l) / drift(pair[1], l);
                eprintln!("{start}, D{l}: {} over {}: {ratio:.4}", pair[0], pair[1]);
                assert!((1.9..2.1).contains(&ratio), "{start} D{l} {pair:?}: {ratio}");
            }
            for motion in ["heavy-5", "heavy-9", "heavy-95", "nesterov-5", "nesterov-9"] {
                let cell = by[&format!("{start} {motion}")];
                let theory = predicted(&predictions, cell, "balancedness_drift_ratio", None);
                let ratio = drift(motion, l) / drift("descent-2e-4", l);
                eprintln!("{start}, D{l}: {motion} over descent: {ratio:.3}, predicted {theory:.3}");
                assert!((ratio / theory - 1.0).abs() < 0.02, "{start} D{l} {motion}: {ratio}, not {theory}");
            }
        }
    }
    let mut sums = Worst::default();
    for row in trajectory.rows().filter(|&row| !trajectory.is_null("balancedness_identity_error", row)) {
        sums.see(trajectory.number("balancedness_identity_error", row), 0.0, 0.0, || format!("row {row}"));
    }
    sums.below("D(k) − D(0) − Σ η²(GᵀG − GGᵀ)", 1e-12);
    let mut decay = Worst::default();
    let start = by["gaussian flow-ridge"];
    for row in trajectory.rows() {
        if trajectory.int("cell", row) == Some(start) && trajectory.text("source", row) == "trained" {
            let (now, time) = (trajectory.number("balancedness_gap", row), trajectory.number("time", row));
            let first = gap_at_zero(&parameters, start);
            decay.see(now, first * (-0.1 * time).exp(), now, || format!("t = {time}"));
        }
    }
    // The adaptive steps' 1e-11, summed.
    decay.below("e^(−2λt)", 1e-8);
}

/// max_l ‖D_l(0)‖ of a flow of three factors.
fn gap_at_zero(parameters: &Parameters, cell: i64) -> f64 {
    let gap = |l: usize| {
        let [below, above] = [l, l + 1].map(|l| parameters.at_time(cell, 0.0, &format!("W{l}")));
        above.transposed().times(above).minus(&below.times(&below.transposed())).norm()
    };
    gap(1).max(gap(2))
}

/// Losses and lifted weights of a study that runs every network in full and reduced.
fn full_against_reduced(cells: &Sheet, trajectory: &Sheet, parameters: &Parameters, tensors: &[&str]) {
    let name = |row: usize| format!("{} {}", cells.text("network", row), cells.text("motion", row));
    let is_full = |row: &usize| cells.text("reduction", *row).is_empty();
    let full: BTreeMap<String, i64> =
        cells.rows().filter(is_full).map(|row| (name(row), cells.int("cell", row).unwrap())).collect();
    let (mut losses, mut weights) = (Worst::default(), Worst::default());
    for row in cells.rows().filter(|row| !is_full(row)) {
        let (label, small) = (name(row), cells.int("cell", row).unwrap());
        let reduction = cells.text("reduction", row).to_owned();
        let (a, b) = (trained(trajectory, full[&label]), trained(trajectory, small));
        let scale = trajectory.number("loss", a[&0]);
        for (step, at) in a {
            let what = || format!("{label} ({reduction}) step {step}");
            losses.see(trajectory.number("loss", b[&step]), trajectory.number("loss", at), scale, what);
            for tensor in tensors.iter().filter(|tensor| parameters.has(small, step, tensor)) {
                let [full, small] = [full[&label], small].map(|cell| parameters.at_step(cell, step, tensor));
                let off = small.minus(full).largest();
                weights.see(off, 0.0, full.largest(), || format!("{} {tensor}", what()));
            }
        }
    }
    losses.below("losses of reduced networks", 1e-12);
    weights.below("lifted weights", 1e-11);
}

#[test]
fn reduced_networks_train_exactly_as_full_ones() {
    let tables = Tables::of("tests/studies/deep_linear/reductions.toml", &[]);
    let (cells, trajectory) = (tables.sheet("cells"), tables.sheet("trajectory"));
    let parameters = Parameters::of(&tables.sheet("parameters"));
    let reductions = |network: &str| -> Vec<&str> {
        let rows = cells.rows().filter(|&row| cells.text("network", row) == network);
        let mut names: Vec<&str> = rows.map(|row| cells.text("reduction", row)).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    assert_eq!(reductions("published"), ["", "row-space + hidden-span"]);
    assert_eq!(reductions("wide"), ["", "row-space + hidden-span"]);
    assert_eq!(reductions("narrow"), ["", "row-space"]);
    assert_eq!(reductions("deep"), ["", "row-space + orthogonal-hidden"]);
    assert_eq!(reductions("deep-plain"), ["", "row-space"], "Gaussian hidden factors are not reduced");
    full_against_reduced(&cells, &trajectory, &parameters, &["W1", "W2", "W3", "W4", "beta"]);
}

/// A low-rank teacher seen through whitened inputs: both ends of the network shrink, in lanes.
const LOW_RANK: &str = r#"
title = "A teacher of rank two"
[data.teacher]
inputs = 50
outputs = 45
singular_values = [2.0, 1.0]
[model]
features        = "identity"
parametrization = { deep-linear = { widths = [4, 5] } }
init            = { gaussian = { scale = 0.1 } }
[train]
method    = "gradient-descent"
step_size = { absolute = 0.05 }
until     = { steps = 2000 }
[record]
times   = { every = 500 }
tables  = ["parameters"]
metrics = ["loss"]
[sweep]
"train.reduce" = [true, false]
network = { cases = { two = { "model.parametrization.deep-linear.widths" = [4] }, three = { "model.parametrization.deep-linear.widths" = [4, 5] } } }
motion = { cases = { descent = { "train.method" = "gradient-descent" }, momentum = { "train.method" = { heavy-ball = { momentum = 0.5 } } } } }
seed = { count = 3 }
"#;

#[test]
fn teachers_of_low_rank_shrink_both_ends() {
    let bench = Bench::new(LOW_RANK);
    bench.run(&["--set", "seed={ count = 1 }"]).exits(0);
    let (cells, trajectory) = (bench.sheet("cells"), bench.sheet("trajectory"));
    assert_eq!(cells.rows().filter(|&row| cells.text("reduction", row) == "low-rank-teacher").count(), 4);
    full_against_reduced(&cells, &trajectory, &Parameters::of(&bench.sheet("parameters")), &["W1", "W2", "W3", "beta"]);
}

#[test]
fn reduced_lanes_do_not_depend_on_their_neighbours() {
    let losses = |count: usize| {
        let bench = Bench::new(LOW_RANK);
        bench.run(&["--set", &format!("seed={{ count = {count} }}"), "--set", "train.until.steps=300"]).exits(0);
        let trajectory = bench.sheet("trajectory");
        let key = |row| (trajectory.int("cell", row).unwrap(), trajectory.int("step", row));
        trajectory.rows().map(|row| (key(row), trajectory.number("loss", row).to_bits())).collect::<BTreeMap<_, _>>()
    };
    let (one, three) = (losses(1), losses(3));
    assert_eq!(three.len(), 3 * one.len());
    assert!(one.iter().all(|(key, bits)| three[key] == *bits));
}

#[test]
fn scaling_by_two_is_bit_identical() {
    let inputs = read(&here("tests/references/deep_linear/c10_reduction_inputs.csv"));
    let run = |c: f64, reduce: bool| {
        let bench = Bench::new(&format!(
            r#"
title = "The same training in other units"
[data.matrices]
file = "data.csv"
only = ["X", "Y"]
[model]
features        = "identity"
parametrization = {{ deep-linear = {{ widths = [14] }} }}
init            = {{ file = "data.csv", only = ["W1", "W2"] }}
[train]
method    = "gradient-descent"
step_size = {{ absolute = {:?} }}
until     = {{ steps = 1000 }}
reduce    = {reduce}
[record]
times   = {{ every = 100 }}
tables  = ["parameters"]
metrics = ["loss"]
"#,
            0.02 / (c * c)
        ));
        let scaled = [("X", 1.0), ("Y", c * c), ("W1", c), ("W2", c)];
        let lines = scaled.iter().map(|(name, by)| inputs[*name].scaled(*by).lines(name));
        bench.write("data.csv", &(String::from("tensor,row,col,value\n") + &lines.collect::<String>()));
        bench.run(&[]).exits(0);
        let (trajectory, cell) = (bench.sheet("trajectory"), bench.sheet("cells").int("cell", 0).unwrap());
        let losses: Vec<f64> = trained(&trajectory, cell).values().map(|&r| trajectory.number("loss", r)).collect();
        let parameters = Parameters::of(&bench.sheet("parameters"));
        let weights: Vec<Matrix> =
            (0..=10).flat_map(|k| ["W1", "W2"].map(|w| parameters.at_step(cell, 100 * k, w).clone())).collect();
        (losses, weights)
    };
    for reduce in [false, true] {
        let ((small, w), (large, v)) = (run(1.0, reduce), run(2.0, reduce));
        let same = |a: &f64, b: &f64, by: f64| (a * by).to_bits() == b.to_bits();
        assert!(small.iter().zip(&large).all(|(a, b)| same(a, b, 16.0)), "losses, reduce = {reduce}");
        let entries = w.iter().flat_map(|m| &m.values).zip(v.iter().flat_map(|m| &m.values));
        assert!(entries.clone().count() > 1000 && entries.clone().all(|(a, b)| same(a, b, 2.0)), "reduce = {reduce}");
    }
}

/// The published pair at one start: the full network, and its reduction by a basis of what the hidden layer spans.
/// Folders of results, in this order.
fn full_and_reduced(scale: f64) -> [Bench; 2] {
    let inputs = read(&here("tests/references/deep_linear/c10_reduction_inputs.csv"));
    let [w1, w2] = ["W1", "W2"].map(|name| inputs[name].scaled(scale));
    let small = w1.times(&inputs["Q"]);
    let seen = Matrix { values: [&small.values[..], &w2.transposed().values].concat(), rows: 14, columns: 7 };
    let basis = seen.orthonormal();
    let of = |x: &Matrix, w1: &Matrix, w2: &Matrix| {
        let bench = Bench::new(&format!(
            r#"
title = "Curvatures in full and reduced"
[data.matrices]
file = "data.csv"
only = ["X", "Y"]
[model]
features        = "identity"
parametrization = {{ deep-linear = {{ widths = [{}] }} }}
init            = {{ file = "data.csv", only = ["W1", "W2"] }}
[train]
method    = "gradient-descent"
step_size = {{ absolute = 0.02 }}
until     = {{ steps = 400 }}
reduce    = false
[record]
times   = {{ every = 40 }}
metrics = ["loss", "sharpness", "residual_operator_norm"]
tables  = ["hessian", "parameters"]
"#,
            w1.rows
        ));
        let lines = [x.lines("X"), inputs["Y"].lines("Y"), w1.lines("W1"), w2.lines("W2")].concat();
        bench.write("data.csv", &(String::from("tensor,row,col,value\n") + &lines));
        bench.run(&[]).exits(0);
        bench
    };
    let reduced = of(&inputs["Xred"], &basis.transposed().times(&small), &w2.times(&basis));
    [of(&inputs["X"], &w1, &w2), reduced]
}

/// Eigenvalues of the Hessian by step, descending.
fn spectra(bench: &Bench) -> BTreeMap<i64, Vec<f64>> {
    let hessian = bench.sheet("hessian");
    let mut out: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for row in hessian.rows() {
        out.entry(hessian.int("step", row).unwrap()).or_default().push(hessian.number("eigenvalue", row));
    }
    out.values_mut().for_each(|values| values.sort_by(|a, b| b.total_cmp(a)));
    out
}

/// For each of the 14 − 7 hidden units that the reduction leaves out, ±σ(∂L/∂W) and zeros; what inputs and outputs
/// add beside is zero.
#[test]
fn unused_hidden_units_add_the_singular_values_of_the_gradient_to_the_hessian() {
    let mut worst = Worst::default();
    // From the published start, and from a small one where the gradient makes most of the curvature.
    for scale in [1.0, 0.1] {
        let [full, reduced] = full_and_reduced(scale);
        let (trajectory, cell) = (full.sheet("trajectory"), full.sheet("cells").int("cell", 0).unwrap());
        let rows = trained(&trajectory, cell);
        let [whole, small] = [&full, &reduced].map(spectra);
        assert!(whole.values().all(|s| s.len() == 14 * 12) && small.values().all(|s| s.len() == 7 * 7));
        for (step, mut rest) in whole {
            let top = rest[0];
            for value in &small[&step] {
                let nearest =
                    rest.iter().enumerate().min_by(|a, b| (a.1 - value).abs().total_cmp(&(b.1 - value).abs()));
                let (place, found) = nearest.map(|(place, found)| (place, *found)).unwrap();
                worst.see(found, *value, top, || format!("scale {scale}, step {step}"));
                rest.remove(place);
            }
            // Three outputs: three singular values, the largest of which is a metric.
            let sigma = trajectory.number("residual_operator_norm", rows[&step]);
            let last = rest.len() - 1;
            for unit in 0..21 {
                let label = || format!("scale {scale}, step {step}, {unit}");
                let own = if unit < 7 { sigma } else { rest[unit - unit % 7] };
                worst.see(rest[unit], own, top, label);
                worst.see(rest[last - unit], -rest[unit], top, label);
            }
            (21..=last - 21).for_each(|i| worst.see(rest[i] / top, 0.0, 0.0, || format!("step {step}: no zero")));
            let sharpness = trajectory.number("sharpness", rows[&step]);
            worst.see(sharpness, small[&step][0].max(sigma), top, || format!("sharpness, step {step}"));
            // A hidden unit that is used has both curvatures: the gradient alone never decides.
            assert!(sigma <= small[&step][0] * (1.0 + 1e-12), "scale {scale}, step {step}");
        }
    }
    worst.below("Hessian of the full network", 1e-10);
}

#[test]
fn plans_tell_reductions_and_solvers() {
    let plan = |study: &str, more: &[&str]| {
        let path = here(study);
        let mut arguments = vec!["plan", path.to_str().unwrap()];
        arguments.extend(more);
        String::from_utf8(support::taut(&arguments).stdout).unwrap()
    };
    const REDUCTIONS: &str = "tests/studies/deep_linear/reductions.toml";
    let text = plan(REDUCTIONS, &[]);
    assert!(text.contains("row-space + hidden-span: 9-14-3 -> 4-7-3, 4.6 times less work"), "{text}");
    assert!(text.contains("row-space + orthogonal-hidden: 9-20-20-20-3 -> 4-7-7-7-3"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&plan(REDUCTIONS, &["--json"])).unwrap();
    let first = &json["reductions"][0];
    assert_eq!(
        (&first["applied"][1]["name"], &first["applied"][1]["to"]),
        (&"hidden-span".into(), &[4, 7, 3][..].into())
    );
    let text = plan("tests/studies/deep_linear/lambda_balanced.toml", &[]);
    assert!(text.contains("cells in the closed form of two factors (solver `riccati`)"), "{text}");
}

#[test]
fn solvers_that_cannot_start_are_refused_in_the_plan() {
    let study = |model: &str, train: &str| {
        let data = "inputs = 5\noutputs = 4\nsingular_values = [2.0, 1.0]";
        Bench::new(&format!(
            "title = \"Refused\"\n[data.teacher]\n{data}\n[model]\nfeatures = \"identity\"\n{model}\n[train]\n{train}\n"
        ))
    };
    let (gaussian, two) =
        ("init = { gaussian = { scale = 0.1 } }", "parametrization = { deep-linear = { depth = 2, width = 4 } }");
    let flow = |solver: &str| format!("method = \"gradient-flow\"\nsolver = \"{solver}\"\nuntil = {{ time = 1 }}");
    for (model, train, reason) in [
        (format!("{two}\n{gaussian}"), flow("riccati"), "the exact flow of two factors needs a λ-balanced start"),
        (
            format!("{two}\n{gaussian}"),
            "method = \"gradient-descent\"\nsolver = \"modes\"\nuntil = { steps = 10 }".to_owned(),
            "modes move by themselves from an aligned start",
        ),
        (
            format!("parametrization = {{ deep-linear = {{ depth = 3, width = 4 }} }}\n{gaussian}"),
            flow("riccati"),
            "is for { deep-linear = { depth = 2 } } on data that are a matrix, and this is deep-linear of depth 3",
        ),
    ] {
        let said = study(&model, &train).taut(&["plan", "study.toml"]).exits(2);
        assert!(said.stderr.contains(reason) && said.stderr.contains("solver = "), "{}", said.stderr);
    }
}
