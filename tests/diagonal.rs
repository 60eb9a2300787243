//! What is known of diagonal networks, against tables that `taut run` writes.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use support::figures::{Worst, predicted};
use support::study::Tables;
use support::{Sheet, exact, here};

type Row = BTreeMap<String, String>;

/// A reference table as rows of text.
fn reference(name: &str) -> Vec<Row> {
    let path = here(&format!("tests/references/deep_linear/{name}.csv"));
    let mut reader = csv::Reader::from_path(path).expect("a reference");
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    reader.records().map(|r| header.iter().cloned().zip(r.unwrap().iter().map(str::to_owned)).collect()).collect()
}

/// β of every cell and source: (cell, source) → (time in bits, coefficients), in the order of time.
type Paths = BTreeMap<(i64, String), BTreeMap<u64, Vec<f64>>>;

/// Times are at least 0, so their bits are in their order.
fn predictors(parameters: &Sheet) -> Paths {
    let mut out = Paths::new();
    for row in parameters.rows().filter(|&row| parameters.text("tensor", row) == "beta") {
        let key = (parameters.int("cell", row).unwrap(), parameters.text("source", row).to_owned());
        let beta = out.entry(key).or_default().entry(parameters.number("time", row).to_bits()).or_default();
        assert_eq!(parameters.int("row", row), Some(beta.len() as i64), "coefficients come in order");
        beta.push(parameters.number("value", row));
    }
    out
}

fn last(paths: &Paths, cell: i64, source: &str) -> Vec<f64> {
    paths[&(cell, source.to_owned())].values().next_back().expect("a path").clone()
}

/// The largest difference of two vectors.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |most, (a, b)| f64::max(most, (a - b).abs()))
}

/// The Euclidean distance of two vectors.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// The cell with this text in a column of `cells`.
fn cell_of(cells: &Sheet, column: &str, text: &str) -> i64 {
    let row = cells.rows().find(|&row| cells.text(column, row) == text).unwrap_or_else(|| panic!("no {text}"));
    cells.int("cell", row).unwrap()
}

/// c06: nine networks, 21 steps each. The reference differs from its 80-bit rerun by less than 3e-13, so 1e-9 of a
/// number and 1e-12 of its column allow for any order of summation.
#[test]
fn descent_and_its_limits_are_those_of_the_reference() {
    let tables = Tables::of("tests/studies/deep_linear/c06_diagonal.toml", &[]);
    let (cells, trajectory) = (tables.sheet("cells"), tables.sheet("trajectory"));
    let paths = predictors(&tables.sheet("parameters"));
    let of: BTreeMap<String, i64> = cells
        .rows()
        .map(|r| {
            (format!("{} {}", cells.int("depth", r).unwrap(), cells.number("scale", r)), cells.int("cell", r).unwrap())
        })
        .collect();
    let losses: BTreeMap<(i64, i64), (u64, f64)> = trajectory
        .rows()
        .filter(|&r| trajectory.text("source", r) == "trained")
        .map(|r| {
            let at = (trajectory.int("cell", r).unwrap(), trajectory.int("step", r).unwrap());
            (at, (trajectory.number("time", r).to_bits(), trajectory.number("loss", r)))
        })
        .collect();
    let rows = reference("c06_diagonal_traj");
    assert_eq!(rows.len(), 9 * 21);
    let name = |row: &Row| format!("{} {}", row["depth"], exact(row, "alpha"));
    let (mut loss, mut beta) = (Worst::default(), Worst::default());
    for row in &rows {
        let cell = of[&name(row)];
        let (time, got) = losses[&(cell, exact(row, "step") as i64)];
        let label = || format!("{} step {}", name(row), row["step"]);
        let column = |column: &str| {
            rows.iter().filter(|r| name(r) == name(row)).map(|r| exact(r, column).abs()).fold(0.0, f64::max)
        };
        // In units of what is allowed.
        let allowed = |column_name: &str| 1e-9 * exact(row, column_name).abs() + 1e-12 * column(column_name);
        loss.see(got, exact(row, "loss"), allowed("loss"), label);
        for (i, got) in paths[&(cell, "trained".to_owned())][&time].iter().enumerate() {
            let column = format!("beta{i}");
            beta.see(*got, exact(row, &column), allowed(&column), label);
        }
    }
    loss.below("c06 loss, in units of 1e-9|b| + 1e-12 max|column|", 1.0);
    beta.below("c06 coefficients, in the same units", 1.0);
    ends_are_near_the_minimisers(&of, &paths);
}

/// The minimiser of Q_α is an independent convex solve on both sides; the gap between it and descent is O(η), and the
/// same on both.
fn ends_are_near_the_minimisers(of: &BTreeMap<String, i64>, paths: &Paths) {
    let (mut ends, mut minimisers, mut gaps) = (Worst::default(), Worst::default(), Worst::default());
    let limits = reference("c06_diagonal_limits");
    for (name, cell) in of {
        let rows: Vec<&Row> =
            limits.iter().filter(|row| format!("{} {}", row["depth"], exact(row, "alpha")) == *name).collect();
        let column = |column: &str| rows.iter().map(|row| exact(row, column)).collect::<Vec<_>>();
        let (gd, q) = (column("beta_gd_final"), column("beta_q_alpha_minimiser"));
        let (end, minimiser) = (last(paths, *cell, "trained"), last(paths, *cell, "q_alpha_minimizer"));
        ends.see(apart(&end, &gd), 0.0, 1.0, || name.clone());
        minimisers.see(apart(&minimiser, &q), 0.0, 1.0, || name.clone());
        let (gap, printed) = (apart(&end, &minimiser), apart(&gd, &q));
        eprintln!("c06 {name}: |end of descent − minimiser| {gap:.3e}, in the reference {printed:.3e}");
        gaps.see(gap, printed, printed, || name.clone());
    }
    ends.below("c06 ends of descent", 1e-9);
    minimisers.below("c06 minimisers", 1e-9);
    // Both ends are known to 1e-9 of a gap of 6e-5 or more.
    gaps.below("c06 gaps, relative", 1e-4);
}

/// Flow ends at the minimiser and descent O(η) away: the second-order part is 2 % of the gap at the largest step here.
#[test]
fn the_distance_from_the_minimiser_halves_with_the_step_size() {
    let tables = Tables::of("tests/studies/deep_linear/diagonal_step_halving.toml", &[]);
    let (cells, parameters) = (tables.sheet("cells"), tables.sheet("parameters"));
    let paths = predictors(&parameters);
    let gaps: Vec<f64> = cells
        .rows()
        .map(|row| cells.int("cell", row).unwrap())
        .map(|cell| distance(&last(&paths, cell, "trained"), &last(&paths, cell, "q_alpha_minimizer")))
        .collect();
    let ratios: Vec<f64> = gaps.windows(2).map(|pair| pair[0] / pair[1]).collect();
    eprintln!("gaps at η = 0.02, 0.01, 0.005, 0.0025: {gaps:.5?}, ratios {ratios:.4?}");
    assert_eq!(ratios.len(), 3);
    assert!(ratios.iter().all(|ratio| (1.9..2.1).contains(ratio)));
}

/// An identity in exact arithmetic; 20,000 sums of logarithms leave 3e-13. The drift is its leading order in η, for
/// noise in the mean over draws: single paths scatter.
#[test]
fn the_effective_start_moves_by_the_sum_over_steps() {
    let tables = Tables::of("tests/studies/deep_linear/effective_alpha.toml", &[]);
    let (cells, trajectory) = (tables.sheet("cells"), tables.sheet("trajectory"));
    for row in cells.rows() {
        let (cell, eta, motion) =
            (cells.int("cell", row).unwrap(), cells.number("absolute", row), cells.text("motion", row));
        let of = |source: &str, column: &str| -> Vec<f64> {
            let is = |r: &usize| trajectory.int("cell", *r) == Some(cell) && trajectory.text("source", *r) == source;
            trajectory.rows().filter(is).map(|r| trajectory.number(column, r)).collect()
        };
        let worst = of("trained", "effective_alpha_identity_error").into_iter().fold(0.0, f64::max);
        let falls = ["trained", "effective_alpha_drift"].map(|source| {
            let means = of(source, "log_effective_alpha_mean");
            assert_eq!(means.len(), 21, "{source} of {motion}");
            means[20] - means[0]
        });
        eprintln!("{motion} at η = {eta}: identity {worst:.1e}, fall {:.4}, predicted {:.4}", falls[0], falls[1]);
        assert!(worst > 0.0 && worst < 1e-11, "{motion} at η = {eta}");
        assert!(falls[0] < 0.0 && (falls[0] / falls[1] - 1.0).abs() < 0.15, "{motion} at η = {eta}");
    }
}

#[test]
fn small_starts_have_small_l1_norms_and_large_ones_the_least_euclidean_norm() {
    let tables = Tables::of("tests/studies/deep_linear/c06_diagonal.toml", &[]);
    let cells = tables.sheet("cells");
    let of_two: Vec<usize> = cells.rows().filter(|&row| cells.int("depth", row) == Some(2)).collect();
    let column = |column: &str| of_two.iter().map(|&row| cells.number(column, row)).collect::<Vec<_>>();
    let alphas = column("scale");
    let norms = column("final_predictor_l1_norm");
    eprintln!("α {alphas:?}: l1 norms {norms:.2?}");
    assert!(alphas.windows(2).all(|pair| pair[0] > pair[1]), "from large to small");
    assert!(norms.windows(2).all(|pair| pair[0] > pair[1]), "monotone");
    for (norm, printed) in norms.iter().zip([3.64, 3.61, 3.11, 2.77, 2.63, 2.56]) {
        assert!((norm - printed).abs() < 0.005, "{norm} {printed}");
    }
    let distances = column("final_distance_to_min_norm");
    let ratio = distances[1] / distances[0];
    eprintln!("distance to the least Euclidean norm at α = 1 over that at 2: {ratio:.2}");
    assert!((14.0..17.0).contains(&ratio));
}

/// How much worse the end is than the best depends on how lucky the oracle is: its error scatters around
/// σ²·5/120 = 0.0104, and above 50 times is what draws have whose oracle is at two thirds of that or below.
#[test]
fn stopped_early_a_small_start_is_as_good_as_knowing_the_support() {
    let tables = Tables::of("experiments/sparse_early_stopping.toml", &["seed={ count = 4 }"]);
    let (cells, solutions) = (tables.sheet("cells"), tables.sheet("solutions"));
    let mut lucky = 0;
    for row in cells.rows().filter(|&row| cells.text("model", row) == "oracle") {
        let (seed, cell) = (cells.int("seed", row), cells.int("cell", row));
        let fit = |r: &usize| solutions.int("cell", *r) == cell && solutions.text("solution", *r) == "min-norm";
        let oracle = solutions.number("test_error", solutions.rows().find(fit).expect("the oracle's fit"));
        for network in cells.rows().filter(|&r| cells.int("seed", r) == seed) {
            let model = cells.text("model", network);
            let (best, end) = (cells.number("best_test_error", network), cells.number("final_test_error", network));
            if model == "alpha-1e-4" || model == "alpha-1e-8" {
                eprintln!(
                    "draw {} {model}: best {best:.5}, {:.3} of the oracle's {oracle:.5}; the end is {:.0} times worse",
                    seed.unwrap(),
                    best / oracle,
                    end / best
                );
                assert!((best / oracle - 1.0).abs() < 0.2);
                assert!(end > 15.0 * best);
                if oracle < 0.0104 / 1.5 {
                    lucky += 1;
                    assert!(end > 50.0 * best);
                }
            }
        }
    }
    assert!(lucky >= 2, "{lucky} cells with a lucky oracle");
}

/// The loss at a saddle, when it is predicted to be reached, and what is then active and negative.
struct Jump {
    time: f64,
    loss: f64,
    active: f64,
    negative: f64,
}

fn jumps(trajectory: &Sheet, predictions: &Sheet, cell: i64) -> Vec<Jump> {
    let is = |row: &usize| {
        trajectory.int("cell", *row) == Some(cell)
            && trajectory.text("source", *row) == "saddle_to_saddle_events"
            && trajectory.number("time", *row).is_finite()
    };
    let of = |quantity: &str, k: usize| predicted(predictions, cell, quantity, Some(k as f64));
    let jump = |(k, row): (usize, usize)| Jump {
        time: of("jump_time", k + 1),
        loss: trajectory.number("loss", row),
        active: of("active_set", k + 1),
        negative: of("negative_set", k + 1),
    };
    trajectory.rows().filter(is).enumerate().map(jump).collect()
}

/// Inputs beyond 0.1, a fifteenth of the largest coefficient, as Σ 2ⁱ; and those of them that are negative.
fn sets(beta: &[f64]) -> (f64, f64) {
    let set = |holds: fn(f64) -> bool| (0..beta.len()).filter(|&i| holds(beta[i])).map(|i| 2f64.powi(i as i32)).sum();
    (set(|b| b.abs() > 0.1), set(|b| b < -0.1))
}

/// Jumps are measured where the loss crosses the middle between two saddles; sets are read half-way between jumps,
/// because what leaves does so exponentially, and takes its time.
#[test]
fn inputs_arrive_in_the_order_and_at_the_times_of_the_event_algorithm() {
    let tables = Tables::of("experiments/saddle_to_saddle.toml", &[]);
    let (cells, trajectory, predictions) =
        (tables.sheet("cells"), tables.sheet("trajectory"), tables.sheet("predictions"));
    let paths = predictors(&tables.sheet("parameters"));
    let cell = cell_of(&cells, "run", "start 1e-12");
    let jumps = jumps(&trajectory, &predictions, cell);
    assert_eq!(jumps.len(), 3);
    let trained: Vec<(f64, f64)> = trajectory
        .rows()
        .filter(|&r| trajectory.int("cell", r) == Some(cell) && trajectory.text("source", r) == "trained")
        .map(|r| (trajectory.number("time", r), trajectory.number("loss", r)))
        .collect();
    let mut before = trained[0].1;
    let mut measured = Vec::new();
    for jump in &jumps {
        let middle = f64::midpoint(before, jump.loss);
        measured.push(trained.iter().find(|(_, loss)| *loss <= middle).expect("the loss gets there").0);
        before = jump.loss;
    }
    let path = &paths[&(cell, "trained".to_owned())];
    let end = trained.last().expect("a path").0;
    for (k, jump) in jumps.iter().enumerate() {
        let until = measured.get(k + 1).map_or(end, |next| f64::midpoint(measured[k], *next));
        let (_, beta) = path.range(..=until.to_bits()).next_back().expect("a row");
        let ratio = measured[k] / jump.time;
        eprintln!("jump {}: measured over predicted time {ratio:.4}, sets {:?}", k + 1, sets(beta));
        assert!((ratio - 1.0).abs() < 0.05);
        assert_eq!(sets(beta), (jump.active, jump.negative));
    }
    following_costs_less_than_descent(&cells, &paths);
}

/// Descent is never within 1e-6 of the path at a step size that anybody would take: it errs in proportion to η, and what
/// it would take is told by that. At the largest stable step it takes fewer gradients, and follows nothing.
fn following_costs_less_than_descent(cells: &Sheet, paths: &Paths) {
    let path = |run: &str| &paths[&(cell_of(cells, "run", run), "trained".to_owned())];
    let off = |run: &str| {
        let (exact, path) = (path("start 1e-12"), path(run));
        assert!(path.len() == 401 && path.keys().eq(exact.keys()), "{run}: the same times");
        path.values().zip(exact.values()).map(|(a, b)| apart(a, b)).fold(0.0, f64::max)
    };
    let of = |run: &str| cells.rows().find(|&row| cells.text("run", row) == run).expect("a run");
    let gradients = cells.int("gradient_evaluations", of("adaptive 1e-7")).expect("a count") as f64;
    let adaptive = off("adaptive 1e-7");
    assert!(adaptive < 1e-6, "{adaptive}");
    let per_step = [("descent 0.00025", 2.5e-4), ("descent 0.0001", 1e-4)].map(|(run, eta)| off(run) / eta);
    assert!((per_step[0] / per_step[1] - 1.0).abs() < 0.01, "{per_step:?}: in proportion to η");
    let steps = 100.0 * per_step[1] / 1e-6;
    let coarse = off("descent 0.25");
    eprintln!(
        "within {adaptive:.1e} after {gradients} gradients; descent errs by {:.1}η: {steps:.2e} steps for 1e-6, \
         {:.0} times as many; 400 steps of 0.25 are off by {coarse:.2}",
        per_step[1],
        steps / gradients
    );
    assert!(steps > 100.0 * gradients);
    assert!(coarse > 0.1);
}
