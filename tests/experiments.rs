//! What published and derived figures say of linear models, against tables of committed studies and of small ones.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use support::figures::{Worst, mean, median, predicted, standard_error};
use support::study::{Bench, Tables};
use support::{Sheet, here};

/// Values of a column over the cells that share a whole number: number → value of every cell.
type Groups = BTreeMap<i64, Vec<f64>>;

/// The test errors of rows that `keep`, by a column of `cells`.
fn test_errors(cells: &Sheet, by: &str, rows: &Sheet, keep: impl Fn(usize, i64) -> bool) -> Groups {
    let of: BTreeMap<i64, i64> =
        cells.rows().map(|r| (cells.int("cell", r).unwrap(), cells.int(by, r).unwrap())).collect();
    let mut out = Groups::new();
    for r in rows.rows() {
        let cell = rows.int("cell", r).unwrap();
        if keep(r, cell) {
            out.entry(of[&cell]).or_default().push(rows.number("test_error", r));
        }
    }
    out
}

/// A cell for every value of a column of `cells`.
fn a_cell_of_each(cells: &Sheet, by: &str) -> BTreeMap<i64, i64> {
    cells.rows().map(|r| (cells.int(by, r).unwrap(), cells.int("cell", r).unwrap())).collect()
}

/// Medians as printed by Schaeffer et al. 2023, three digits.
#[test]
fn published_medians_of_legendre_double_descent() {
    let tables = Tables::of("experiments/double_descent_legendre.toml", &[]);
    let (cells, solutions) = (tables.sheet("cells"), tables.sheet("solutions"));
    let errors = test_errors(&cells, "degree", &solutions, |r, _| solutions.text("solution", r) == "min-norm");
    assert!(errors.values().all(|of| of.len() == 30));
    let medians: BTreeMap<i64, f64> = errors.iter().map(|(k, of)| (*k, median(of))).collect();
    for (k, printed) in [
        (1, "5.11e-1"),
        (10, "1.41e1"),
        (15, "6.73e6"),
        (16, "6.42e4"),
        (20, "3.01e1"),
        (25, "4.63e-1"),
        (30, "3.51e-1"),
        (50, "5.20e-1"),
        (200, "5.56e-1"),
    ] {
        eprintln!("k = {k}: median {:.6e}, printed {printed}", medians[&k]);
        assert_eq!(format!("{:.2e}", medians[&k]), printed, "k = {k}");
    }
    assert_eq!(medians.iter().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0, &30);
    assert_eq!(medians.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0, &15);
}

/// Test errors of one way to fit, by the number of inputs, and what is predicted there.
struct Risks {
    what: &'static str,
    errors: Groups,
    predicted: BTreeMap<i64, f64>,
}

impl Risks {
    /// Asserts means within 3 standard errors, or a share, of what is predicted.
    fn within(&self, share: f64, inputs: &[i64]) {
        let Self { what, errors, predicted } = self;
        for p in inputs {
            let (got, sem, value) = (mean(&errors[p]), standard_error(&errors[p]), predicted[p]);
            let (off, percent) = (got - value, 100.0 * (got / value - 1.0));
            eprintln!(
                "{what}, p = {p}: {got:.5} ± {sem:.5}, predicted {value:.5}: {:.1} sem, {percent:.2} %",
                off / sem
            );
            assert!(off.abs() <= (3.0 * sem).max(share * value), "{what}, p = {p}");
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.errors.extend(other.errors);
        self.predicted.extend(other.predicted);
        self
    }
}

/// The optimal ridge, a fixed one, flow at t = 2 and the least norm, of 300 samples.
fn risks(inputs: &str, draws: usize) -> [Risks; 4] {
    let set = [format!("data.gaussian.inputs={inputs}"), format!("seed={{ count = {draws} }}")];
    let tables = Tables::of("experiments/optimal_ridge_has_no_peak.toml", &[&set[0], &set[1]]);
    let (cells, trajectory, solutions, predictions) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("solutions"), tables.sheet("predictions"));
    let of = |cell: i64, quantity: &str, parameter| predicted(&predictions, cell, quantity, parameter);
    let optimal: BTreeMap<i64, f64> = cells
        .rows()
        .map(|r| cells.int("cell", r).unwrap())
        .map(|cell| (cell, of(cell, "optimal_ridge_lambda", None)))
        .collect();
    let solved = |name: &str, lambda: &dyn Fn(i64) -> Option<f64>| {
        let is = |r: usize, cell: i64| {
            lambda(cell).is_none_or(|wanted| (solutions.number("parameter", r) / wanted - 1.0).abs() < 1e-12)
        };
        test_errors(&cells, "inputs", &solutions, |r, cell| solutions.text("solution", r) == name && is(r, cell))
    };
    let at_two = |source: &str| {
        let is = |r: usize| (trajectory.number("time", r) - 2.0).abs() < 1e-12;
        test_errors(&cells, "inputs", &trajectory, |r, _| trajectory.text("source", r) == source && is(r))
    };
    let of_each = |quantity: &str, parameter| -> BTreeMap<i64, f64> {
        a_cell_of_each(&cells, "inputs").into_iter().map(|(p, cell)| (p, of(cell, quantity, parameter))).collect()
    };
    let law = at_two("marchenko_pastur_dynamics").into_iter().map(|(p, of)| (p, of[0])).collect();
    [
        ("optimal ridge", solved("ridge", &|cell| Some(optimal[&cell])), of_each("optimal_ridge_test_error", None)),
        ("ridge 0.1", solved("ridge", &|_| Some(0.1)), of_each("ridge_test_error", Some(0.1))),
        ("flow at t = 2", at_two("trained"), law),
        ("ridgeless", solved("min-norm", &|_| None), of_each("ridgeless_mean_test_error", None)),
    ]
    .map(|(what, errors, predicted)| Risks { what, errors, predicted })
}

/// Few inputs cost little and scatter most, so there are more draws of them. The first 50 draws at p = 75 happen to
/// lie 9 % and 3.5 standard errors below the exact expectation, which 4000 draws meet within 0.2 standard errors.
#[test]
fn draws_of_300_samples_have_the_predicted_mean_risk() {
    let many = risks("[270, 300, 330, 600, 1200]", 50);
    let all = [75, 150, 270, 300, 330, 600, 1200];
    let [optimal, fixed, flow, ridgeless] = {
        let mut many = many.into_iter();
        risks("[75, 150]", 200).map(|few| few.and(many.next().unwrap()))
    };
    assert!(optimal.errors.keys().eq(&all) && optimal.errors.values().all(|of| of.len() >= 50));
    for ridge_or_flow in [&optimal, &fixed, &flow] {
        ridge_or_flow.within(0.04, &all);
    }
    // Nearer to p = n so few draws do not know the mean.
    ridgeless.within(0.05, &[75, 150, 600, 1200]);

    let curve = all.map(|p| mean(&optimal.errors[&p]));
    assert!(curve.windows(2).all(|pair| pair[0] < pair[1]), "no interior maximum: {curve:?}");
    let medians = all.map(|p| median(&ridgeless.errors[&p]));
    eprintln!("ridgeless, medians over p: {medians:.4?}; mean at 300: {:.1}", mean(&ridgeless.errors[&300]));
    let (before, beyond) = medians.split_at(3);
    assert!(before.windows(2).all(|pair| pair[0] < pair[1]), "up to the peak");
    assert!(before[2] < beyond[0] && beyond[0] > beyond[1] && beyond[1] > beyond[2], "the peak at p = n");
}

/// The mean is infinite at p = n, so what a mean of some draws typically shows grows with their number.
#[test]
fn the_peak_grows_with_the_number_of_draws() {
    let at_the_peak = "model.features.first-inputs.count=40";
    let tables = Tables::of("experiments/double_descent_isotropic.toml", &["seed={ count = 1000 }", at_the_peak]);
    let solutions = tables.sheet("solutions");
    let errors: Vec<f64> = solutions
        .rows()
        .filter(|&r| solutions.text("solution", r) == "min-norm")
        .map(|r| solutions.number("test_error", r))
        .collect();
    assert_eq!(errors.len(), 1000);
    let typical = [1, 10, 100].map(|draws| median(&errors.chunks(draws).map(mean).collect::<Vec<_>>()));
    eprintln!("p = n = 40, median over means of 1, 10, 100 draws: {typical:?}; mean of 1000: {:.1}", mean(&errors));
    assert!(typical[0] < typical[1] && typical[1] < typical[2], "{typical:?}");
}

/// The ten points and the raw monomials of degree up to 50.
struct Monomials {
    design: Vec<[f64; 51]>,
    y: Vec<f64>,
    x: Vec<f64>,
}

impl Monomials {
    fn at_midpoints() -> Self {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_path(here("experiments/data/panel_points.csv"))
            .expect("the points");
        let rows = reader.records().map(Result::unwrap).filter(|row| &row[0] == "mid");
        let (x, y): (Vec<f64>, Vec<f64>) =
            rows.map(|row| (row[1].parse::<f64>().unwrap(), row[2].parse::<f64>().unwrap())).unzip();
        let design = x.iter().map(|x: &f64| std::array::from_fn(|k| x.powi(k as i32))).collect();
        Self { design, y, x }
    }

    /// Φv/√n and back, again and again.
    fn largest_curvature(&self) -> f64 {
        let (mut v, mut largest) = ([1.0; 51], 0.0);
        for _ in 0..2000 {
            let mut next = [0.0; 51];
            for row in &self.design {
                let along: f64 = row.iter().zip(&v).map(|(a, b)| a * b).sum();
                next.iter_mut().zip(row).for_each(|(next, a)| *next += along * a / 10.0);
            }
            largest = next.iter().map(|a| a * a).sum::<f64>().sqrt();
            v = next.map(|a| a / largest);
        }
        largest
    }

    /// θ ← θ + η s(k) Φᵀ(y − Φθ)/n for k = 0, 1, …
    fn descend(&self, steps: u64, schedule: impl Fn(u64) -> f64) -> [f64; 51] {
        let eta = 1.0 / self.largest_curvature();
        let mut theta = [0.0; 51];
        for step in (0..steps).map(schedule) {
            let mut move_by = [0.0; 51];
            for (row, y) in self.design.iter().zip(&self.y) {
                let rest = y - row.iter().zip(&theta).map(|(a, b)| a * b).sum::<f64>();
                move_by.iter_mut().zip(row).for_each(|(to, a)| *to += rest * a);
            }
            theta.iter_mut().zip(move_by).for_each(|(to, by)| *to += eta * step * by / 10.0);
        }
        theta
    }

    /// ½∫(f − 0.3 − 0.8x)², term by term.
    fn risk(theta: &[f64; 51]) -> f64 {
        let mut off = *theta;
        off[0] -= 0.3;
        off[1] -= 0.8;
        let term =
            |i: usize, j: usize| if (i + j).is_multiple_of(2) { off[i] * off[j] / (i + j + 1) as f64 } else { 0.0 };
        (0..51).flat_map(|i| (0..51).map(move |j| (i, j))).map(|(i, j)| term(i, j)).sum()
    }

    fn study(&self, init: &str, relative: f64, cases: &str) -> String {
        format!(
            r#"
            title = "Ends of schedules in raw monomials"
            [data.curve]
            target = {{ line = {{ intercept = 0.3, slope = 0.8 }} }}
            x = {:?}
            y = {:?}
            [model]
            features = {{ polynomial = {{ basis = "monomial", degree = 50 }} }}
            init = {init}
            [train]
            step_size = {{ relative = {relative:?} }}
            until = {{ steps = 1e6 }}
            [record]
            times = {{ steps = [0, 7, 1000, 1e6] }}
            metrics = ["risk"]
            tables = ["parameters"]
            [solutions]
            min-norm = {{}}
            [sweep.way.cases]
            {cases}"#,
            self.x, self.y
        )
    }
}

/// The risk of a way at a step.
fn risk_at(cells: &Sheet, trajectory: &Sheet, way: &str, step: i64) -> f64 {
    let row = cells.rows().find(|&r| cells.text("way", r) == way).unwrap();
    let cell = cells.int("cell", row);
    let found = trajectory
        .rows()
        .find(|&r| trajectory.int("cell", r) == cell && trajectory.int("step", r) == Some(step))
        .unwrap();
    trajectory.number("risk", found)
}

const LAST: i64 = 1_000_000;

/// Halved after 8, 16, … steps, with k from 0 as in studies.
const HALVED: &str = r#"halved = { "train.schedule" = { step-decay = { factor = 0.5, every = 8 } } }"#;

/// The constant step, 1/(1 + k/8)² with k from 1, and halving with k from 0.
fn schedules(points: &Monomials) -> Bench {
    let square = format!(
        "square = {{ \"train.schedule\" = {{ power = {{ exponent = 2.0, delay = 9 }} }}, \
         \"train.step_size.relative\" = {:?} }}",
        64.0 / 81.0
    );
    let cases = format!("constant = {{ \"train.schedule\" = \"constant\" }}\n{square}\n{HALVED}\n");
    let bench = Bench::new(&points.study("\"zero\"", 1.0, &cases));
    bench.run(&["--quiet"]).exits(0);
    bench
}

/// Halving with ⌊k/8⌋ and k from 1: seven whole steps, then eight of every half. Studies count from 0, so this one
/// starts where `constant` is after seven steps.
fn halved_from_one(points: &Monomials, constant: &Bench) -> Bench {
    let (cells, parameters) = (constant.sheet("cells"), constant.sheet("parameters"));
    let cell = cells.int("cell", cells.rows().find(|&r| cells.text("way", r) == "constant").unwrap());
    let after_seven = |&r: &usize| parameters.int("cell", r) == cell && parameters.int("step", r) == Some(7);
    let mut start = "tensor,row,col,value\n".to_owned();
    for r in parameters.rows().filter(after_seven) {
        writeln!(start, "theta,{},0,{:?}", parameters.int("row", r).unwrap(), parameters.number("value", r)).unwrap();
    }
    let bench = Bench::new(&points.study("{ file = \"start.csv\" }", 0.5, HALVED));
    bench.write("start.csv", &start);
    bench.run(&["--quiet"]).exits(0);
    bench
}

#[test]
fn schedules_that_end_too_soon_end_at_a_lower_risk() {
    let points = Monomials::at_midpoints();
    let bench = schedules(&points);
    let after = halved_from_one(&points, &bench);
    let (cells, trajectory, solutions) = (bench.sheet("cells"), bench.sheet("trajectory"), bench.sheet("solutions"));
    let at_end = |way: &str| risk_at(&cells, &trajectory, way, LAST);
    let in_halves = risk_at(&after.sheet("cells"), &after.sheet("trajectory"), "halved", LAST);
    let plain = |steps: u64, schedule: &dyn Fn(u64) -> f64| Monomials::risk(&points.descend(steps, schedule));
    // Nothing is left of a step after a thousand halvings.
    let halving = |k: u64| 0.5_f64.powi((k / 8).min(1000) as i32);
    let ends = [
        ("constant", at_end("constant"), plain(LAST as u64, &|_| 1.0)),
        ("1/(1 + k/8)², k from 1", at_end("square"), plain(LAST as u64, &|k| (1.0 + (k + 1) as f64 / 8.0).powi(-2))),
        ("halved every 8, k from 1", in_halves, plain(2000, &|k| halving(k + 1))),
        ("halved every 8, k from 0", at_end("halved"), plain(2000, &halving)),
    ];
    let mut worst = Worst::default();
    for (way, got, by_loop) in ends {
        eprintln!("{way}: {got:.7}, plain loop {by_loop:.7}");
        worst.see(got, by_loop, by_loop, || way.to_owned());
    }
    // A plain loop of 10⁶ steps keeps 3e-12 here.
    worst.below("ends of schedules against a plain loop", 1e-9);

    let limit = solutions.rows().find(|&r| solutions.text("solution", r) == "min-norm").unwrap();
    let limit = solutions.number("risk", limit);
    for (got, derived) in [(ends[0].1, 72.0), (ends[1].1, 0.0114), (ends[2].1, 0.0051), (limit, 114.0)] {
        eprintln!("{got:.6}, derived {derived}: {:.2} %", 100.0 * (got / derived - 1.0));
        assert!((got / derived - 1.0).abs() < 0.01);
    }
    for way in ["square", "halved"] {
        let change = at_end(way) / risk_at(&cells, &trajectory, way, 1000) - 1.0;
        eprintln!("{way}: changes by {:.2} % after step 1000", 100.0 * change);
        assert!(change.abs() < 0.02);
    }
}

/// Measured mean cost of interpolated noise over the formula's.
fn cost_of_noise(cells: &Sheet, solutions: &Sheet, predictions: &Sheet, of: impl Fn(usize) -> String) {
    let mut costs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in cells.rows() {
        let cell = cells.int("cell", row).unwrap();
        let fit = solutions
            .rows()
            .find(|&r| solutions.int("cell", r) == Some(cell) && solutions.text("solution", r) == "min-norm");
        let formula = predicted(predictions, cell, "variance_scale", None);
        costs.entry(of(row)).or_default().push(solutions.number("test_error", fit.unwrap()) / formula);
    }
    for (law, shares) in costs {
        let (share, sem) = (mean(&shares), standard_error(&shares));
        eprintln!("{law}: mean cost {share:.3} ± {sem:.3} of the formula's, {} draws", shares.len());
        assert!((0.5..=1.1).contains(&share), "{law}: {share}");
    }
}

#[test]
fn interpolated_noise_costs_what_effective_ranks_say() {
    let tables = Tables::of("experiments/harmless_interpolation_ranks.toml", &[]);
    let (cells, solutions, predictions) =
        (tables.sheet("cells"), tables.sheet("solutions"), tables.sheet("predictions"));
    cost_of_noise(&cells, &solutions, &predictions, |r| format!("j^-{}", cells.number("exponent", r)));
}

#[test]
fn effective_ranks_of_other_laws() {
    let law = |name: &str, variance: &dyn Fn(f64) -> f64| {
        let variances: Vec<f64> = (1..=4000).map(|j| variance(f64::from(j))).collect();
        format!("{name} = {{ \"data.gaussian.covariance\" = {{ eigenvalues = {variances:?} }} }}\n")
    };
    let cases = law("inverse_square", &|j| j.powi(-2))
        + &law("inverse_log", &|j| 1.0 / (j * (j + 1.0).ln().powi(2)))
        + &law("exponential_and_constant", &|j| (-j).exp() + 1e-3);
    let bench = Bench::new(&format!(
        r#"
        title = "Effective ranks"
        data.gaussian = {{ samples = 50, inputs = 4000, signal = 1e-12, noise = 1.0 }}
        model = {{ features = "identity" }}
        train = {{ method = "gradient-flow", until = {{ time = 1.0 }} }}
        record = {{ times = {{ times = [0, 1] }}, metrics = ["test_error"], theory = ["benign_overfitting_ranks"] }}
        solutions = {{ min-norm = {{}} }}
        [sweep]
        seed = {{ count = 20 }}
        [sweep.law.cases]
        {cases}"#
    ));
    bench.run(&["--quiet"]).exits(0);
    let (cells, solutions, predictions) = (bench.sheet("cells"), bench.sheet("solutions"), bench.sheet("predictions"));
    cost_of_noise(&cells, &solutions, &predictions, |r| cells.text("law", r).to_owned());
}
