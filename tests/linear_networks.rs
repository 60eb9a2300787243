//! Modes of deep linear networks: tables written by `taut run` against reference trajectories, closed forms and
//! published figures.
//!
//! References were computed with an independent program in 64-bit numbers and checked in extended precision, where
//! they differ by at most 2e-10: |a − b| ≤ 1e-9·|b| + 1e-12·max|column| leaves room for another order of sums.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use support::figures::Worst;
use support::replay::{Replay, columns, imbalance, trajectory_of};

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
