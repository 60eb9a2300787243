//! Modes of deep linear networks: tables written by `taut run` against reference trajectories, closed forms and
//! published figures.
//!
//! References were computed with an independent program in 64-bit numbers and checked in extended precision, where
//! they differ by at most 2e-10: |a − b| ≤ 1e-9·|b| + 1e-12·max|column| leaves room for another order of sums.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use support::figures::{Worst, median, predicted};
use support::replay::{Curves, Replay, columns, crossing, imbalance, trajectory_of};
use support::study::Tables;

const TOLERANCE: f64 = 1e-9;

/// Compares a whole reference with one cell.
fn replay(run: &Replay, cell: i64, stem: &str, step_size: f64) {
    let table = trajectory_of(stem);
    run.see(cell, &table, &columns(&table), step_size).below(stem, TOLERANCE);
    let end = table.last().unwrap()["step"] * step_size;
    run.see_end(cell, stem, end).below(&format!("{stem}, factors at the end"), TOLERANCE);
}

/// The metrics of factors are those of the factors in `parameters`.
fn see_factors(run: &Replay, cell: i64, stem: &str, depth: usize, step_size: f64) {
    let (mut worst, table) = (Worst::default(), trajectory_of(stem));
    for row in &table {
        let time = row["step"] * step_size;
        let layers: Vec<_> = (1..=depth).map(|l| run.tensor(cell, time, &format!("W{l}"))).collect();
        let gap = layers.windows(2).map(|pair| imbalance(pair[1], pair[0])).fold(0.0, f64::max);
        let norms: Vec<f64> = (1..=depth).map(|l| row[&format!("fro_W{l}")]).collect();
        let (least, most) = norms.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), n| (a.min(*n), b.max(*n)));
        for (metric, exact) in [
            ("balancedness_gap", gap),
            ("factor_norm_min", least),
            ("factor_norm_max", most),
            ("largest_singular_value", row["sv1"]),
        ] {
            let got = run.metric("trained", cell, time, metric);
            worst.see(got, exact, exact, || format!("{metric}, t = {time}"));
        }
    }
    worst.below(&format!("{stem}, metrics of factors"), TOLERANCE);
}

#[test]
fn two_layers_replay_the_reference_and_its_closed_form() {
    let (stem, run, table) =
        ("c01_two_layer_spectral", Replay::of("c01_two_layer_spectral"), trajectory_of("c01_two_layer_spectral"));
    let [reference, flow] = ["reference", "flow"].map(|name| run.cell(Some(("motion", name))));
    run.see(reference, &table, &["loss", "u1", "u2", "u3"], 0.005).below(stem, TOLERANCE);
    run.see_end(reference, stem, 20.0).below("c01, factors at the end", TOLERANCE);
    // The adaptive integrator has a tolerance of 1e-9 per step.
    for (source, tolerance) in [("deep_linear_modes", 1e-9), ("trained", 1e-8)] {
        let mut worst = Worst::default();
        for row in &table {
            for (mode, s) in [(1, 3.0), (2, 1.5), (3, 0.5)] {
                let got = run.mode(source, flow, row["step"] * 0.005, mode, "projection");
                worst.see(got, row[&format!("flow_u{mode}")], s, || format!("mode {mode}, step {}", row["step"]));
            }
        }
        worst.below(&format!("c01, closed form of the flow beside {source}, relative to s"), tolerance);
    }
}

/// Descent is a distance of order η from its flow.
#[test]
fn descent_nears_its_flow_in_proportion_to_the_step_size() {
    let run = Replay::of("c01_two_layer_spectral");
    let flow = run.cell(Some(("motion", "flow")));
    let gaps = [("coarsest", 0.02), ("coarse", 0.01), ("reference", 0.005), ("fine", 0.0025)].map(|(name, eta)| {
        let cell = run.cell(Some(("motion", name)));
        let modes = [(1, 3.0), (2, 1.5), (3, 0.5)];
        let points = modes.iter().flat_map(|m| (0..=100).map(move |k| (*m, 0.2 * f64::from(k))));
        let gap = points
            .map(|((mode, s), t)| {
                let [descent, flow] = [("trained", cell), ("deep_linear_modes", flow)]
                    .map(|(source, cell)| run.mode(source, cell, t, mode, "projection"));
                (descent - flow).abs() / s
            })
            .fold(0.0, f64::max);
        eprintln!("η = {eta}: |u − flow|/s at most {gap:.5}, {:.3} of 2ηs_max", gap / (6.0 * eta));
        assert!(gap <= 6.0 * eta, "η = {eta}: {gap}");
        gap
    });
    for pair in gaps.windows(2) {
        eprintln!("halving η: ratio {:.4}", pair[1] / pair[0]);
        assert!((pair[1] / pair[0] - 0.5).abs() <= 0.02, "{gaps:?}");
    }
}

#[test]
fn three_layers_from_a_random_start_replay_the_reference() {
    let run = Replay::of("c02_depth3_random");
    let cell = run.cell(None);
    replay(&run, cell, "c02_depth3_random", 0.02);
}

#[test]
fn four_layers_on_inputs_that_are_not_whitened_replay_the_reference() {
    let run = Replay::of("c03_depth4_nonwhitened");
    let cell = run.cell(None);
    replay(&run, cell, "c03_depth4_nonwhitened", 0.01);
    see_factors(&run, cell, "c03_depth4_nonwhitened", 4, 0.01);
}

#[test]
fn momentum_in_three_layers_replays_the_references() {
    let run = Replay::of("c07_momentum");
    for motion in ["heavyball", "nesterov", "heavyball_wd"] {
        let (cell, stem) = (run.cell(Some(("motion", motion))), format!("c07_momentum_{motion}"));
        replay(&run, cell, &stem, 0.002);
        see_factors(&run, cell, &stem, 3, 0.002);
    }
}

/// The references hold the full network, and a small one with the same losses.
#[test]
fn a_network_and_its_reduction_replay_the_references() {
    let run = Replay::of("c10_reduction");
    let (full, reduced) = (trajectory_of("c10_reduction_full"), trajectory_of("c10_reduction_reduced"));
    for row in run.cells.rows() {
        let cell = run.cells.int("cell", row).unwrap();
        run.see(cell, &full, &columns(&full), 0.02).below("c10, full", TOLERANCE);
        run.see(cell, &reduced, &["loss"], 0.02).below("c10, losses of the reduced network", TOLERANCE);
        run.see_end(cell, "c10_reduction", 80.0).below("c10, factors at the end", TOLERANCE);
        see_factors(&run, cell, "c10_reduction_full", 2, 0.02);
    }
}

#[test]
fn a_noisy_teacher_replays_the_reference() {
    let run = Replay::of("c11_noisy_teacher");
    let cell = run.cell(None);
    replay(&run, cell, "c11_noisy_teacher", 0.01);
}

/// Descent is half a step ahead of the clock ln(1 + ηs)/η of the prediction.
#[test]
fn modes_of_a_small_random_start_are_half_learned_when_seeds_say() {
    const ETA: f64 = 2e-3;
    let tables = Tables::of("tests/studies/deep_linear/mode_half_times.toml", &[]);
    let (curves, predictions) = (Curves::of(&tables.sheet("modes")), tables.sheet("predictions"));
    assert_eq!(curves.cells().len(), 12);
    for mode in 1..=4 {
        let gaps = |quantity: &str| -> Vec<f64> {
            let gap = |cell: &i64| {
                let measured = curves.half_time(*cell, mode).expect("a mode that is learned");
                (predicted(&predictions, *cell, quantity, Some(mode as f64)) - measured).abs() / ETA
            };
            curves.cells().iter().map(gap).collect()
        };
        let [seeds, diagonal, naive] = ["half_time", "half_time_diagonal_seed", "half_time_naive_seed"].map(gaps);
        let largest = seeds.iter().copied().fold(0.0, f64::max);
        let [diagonal, naive] = [diagonal, naive].map(|gaps| median(&gaps));
        eprintln!(
            "mode {mode}: half time off by at most {largest:.3} η; in the median {diagonal:.1} η with |p|² and \
             {naive:.0} η with |uᵀW(0)v| as seeds"
        );
        assert!(largest <= 1.0, "mode {mode}: {largest} η");
        assert!(naive > 20.0, "mode {mode}: the initial strength is no seed");
    }
}

/// u = a³ with a ← a + ηa²(s − a³), started anew where a mode crosses 5 % of s.
#[test]
fn modes_of_three_layers_follow_one_recursion_each_from_small_starts() {
    const ETA: f64 = 0.02;
    let tables = Tables::of("tests/studies/deep_linear/small_start_of_three_layers.toml", &[]);
    let (curves, cells) = (Curves::of(&tables.sheet("modes")), tables.sheet("cells"));
    let mut worst: BTreeMap<String, [f64; 3]> = BTreeMap::new();
    for row in cells.rows() {
        let cell = cells.int("cell", row).unwrap();
        for mode in 1..=3 {
            let curve = &curves.by[&(cell, mode)];
            let s = curve.value;
            let start = curve.strengths.iter().position(|u| *u >= 0.05 * s).expect("a mode that is learned");
            let mut a = curve.strengths[start].cbrt();
            let largest = &mut worst.entry(cells.number("scale", row).to_string()).or_default()[mode as usize - 1];
            for u in &curve.strengths[start..] {
                *largest = largest.max((a.powi(3) - u).abs() / s);
                a += ETA * a * a * (s - a.powi(3));
            }
        }
    }
    assert_eq!(worst.len(), 2);
    for (scale, worst) in &worst {
        eprintln!("three layers from {scale}: |u − recursion|/s at most {worst:.5?}");
        assert!(worst.iter().all(|gap| *gap <= 0.02), "{scale}: {worst:?}");
    }
}

/// Which modes of eight items make the levels of a tree.
const LEVELS: [std::ops::RangeInclusive<i64>; 4] = [1..=1, 2..=2, 3..=4, 5..=8];

#[test]
fn levels_of_a_tree_are_learned_from_the_broadest_split_down() {
    let tables = Tables::of("experiments/semantic_hierarchy.toml", &[]);
    let (curves, predictions) = (Curves::of(&tables.sheet("modes")), tables.sheet("predictions"));
    for &cell in curves.cells() {
        let mut half_times = Vec::new();
        for (level, modes) in LEVELS.into_iter().enumerate() {
            let of_level = |quantity: &str| predicted(&predictions, cell, quantity, Some(level as f64));
            let modes: Vec<_> = modes.map(|mode| &curves.by[&(cell, mode)]).collect();
            let count = modes.len() as f64;
            let value = modes.iter().map(|mode| mode.value).sum::<f64>() / count;
            let mean: Vec<f64> = (0..modes[0].times.len())
                .map(|k| modes.iter().map(|mode| mode.strengths[k]).sum::<f64>() / count)
                .collect();
            let half = crossing(&modes[0].times, &mean, 0.5 * mean[mean.len() - 1]).expect("a level that is learned");
            let (of_value, of_time) = (value / of_level("level_value") - 1.0, half / of_level("level_half_time") - 1.0);
            eprintln!("level {level}: value {:+.1} %, half at {half:.1}, {:+.1} %", 100.0 * of_value, 100.0 * of_time);
            assert!(of_value.abs() < 0.04 && of_time.abs() < 0.1, "level {level}");
            half_times.push(half);
        }
        assert!(half_times.is_sorted_by(|a, b| a < b), "{half_times:?}");
    }
}

#[test]
fn test_error_under_noise_is_least_when_the_limit_of_large_matrices_says() {
    let only = ["data.teacher.noise=1.0"];
    let tables = Tables::of("experiments/generalization_and_snr.toml", &only);
    let (trajectory, predictions) = (tables.sheet("trajectory"), tables.sheet("predictions"));
    let mut paths: BTreeMap<i64, Vec<(f64, f64)>> = BTreeMap::new();
    for row in trajectory.rows().filter(|&row| trajectory.text("source", row) == "trained") {
        let point = (trajectory.number("test_error_normalised", row), trajectory.number("time", row));
        paths.entry(trajectory.int("cell", row).unwrap()).or_default().push(point);
    }
    assert_eq!(paths.len(), 8);
    for (cell, path) in paths {
        let (least, time) = path.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        let of_cell = |quantity: &str| predicted(&predictions, cell, quantity, None);
        let (off, share) = (time - of_cell("best_time"), least / of_cell("best_test_error_normalised") - 1.0);
        let rise = path[path.len() - 1].0 / least;
        eprintln!("least at {time:.2} ({off:+.3}): {least:.4} ({:+.1} %), end {rise:.1} times that", 100.0 * share);
        assert!(off.abs() <= 0.15 && share.abs() <= 0.08 && rise > 10.0);
    }
}

/// Orthonormal inputs and a start that turns with them.
#[test]
fn moving_whole_values_between_items_does_not_change_training() {
    let tables = Tables::of("experiments/random_labels.toml", &["data.teacher.samples=60"]);
    let (cells, trajectory) = (tables.sheet("cells"), tables.sheet("trajectory"));
    let mut losses: BTreeMap<(i64, String), Vec<f64>> = BTreeMap::new();
    let about: BTreeMap<i64, (i64, String)> = cells
        .rows()
        .map(|r| (cells.int("cell", r).unwrap(), (cells.int("seed", r).unwrap(), cells.text("shuffle", r).to_owned())))
        .collect();
    for row in trajectory.rows() {
        let which = about[&trajectory.int("cell", row).unwrap()].clone();
        losses.entry(which).or_default().push(trajectory.number("loss", row));
    }
    let gap = |seed: i64, shuffle: &str| {
        let (a, b) = (&losses[&(seed, "none".to_owned())], &losses[&(seed, shuffle.to_owned())]);
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    for seed in 0..4 {
        let [items, outputs] = ["items", "outputs"].map(|shuffle| gap(seed, shuffle));
        eprintln!("losses change by {items:.1e} by items, by {outputs:.1} output by output");
        assert!(items < 1e-12 && outputs > 1.0);
    }
}
