//! How a sweep is dealt to shards: every cell once, evenly, and the same each time.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use taut_sweep::{Plan, Shard, cells_of_shard};

fn plan(seeds: usize, degrees: &[u32], steps: u32) -> Plan {
    let text = format!(
        r#"
title = "dealt out"
[data.curve]
target = {{ line = {{ intercept = 0.0, slope = 1.0 }} }}
samples = 5
design = "equispaced"
noise = 0.1
[model]
features = {{ polynomial = {{ basis = "legendre", degree = 3 }} }}
[train]
solver = "stepped"
until = {{ steps = {steps} }}
[record]
times = {{ steps = [{steps}] }}
metrics = ["train_mse"]
[sweep]
seed = {{ count = {seeds} }}
"model.features.polynomial.degree" = {degrees:?}
"#
    );
    taut_sweep::load_text(&text, Path::new("study.toml")).unwrap_or_else(|error| panic!("{error}"))
}

fn shares(plan: &Plan, shards: usize) -> Vec<Vec<i64>> {
    (0..shards).map(|index| cells_of_shard(plan, Shard { index, of: shards })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_cell_is_dealt_once_and_evenly(seeds in 1usize..60, wide in 1usize..5, steps in 1u32..500, shards in 1usize..20) {
        let degrees: Vec<u32> = (0..wide as u32).map(|i| 2 + 7 * i).collect();
        let plan = plan(seeds, &degrees, steps);
        let shares = shares(&plan, shards);
        let all: BTreeSet<i64> = shares.iter().flatten().copied().collect();
        prop_assert_eq!(all.len(), plan.cells(), "every cell");
        prop_assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), plan.cells(), "once");
        // The longest shard has at most one bundle, of eight cells, more than the mean.
        let places: Vec<Vec<usize>> =
            shares.iter().map(|cells| cells.iter().filter_map(|cell| plan.find(&cell.to_string())).collect()).collect();
        let work: Vec<f64> = places.iter().map(|cells| cells.iter().map(|cell| plan.work_of_cell(*cell)).sum()).collect();
        let mean = work.iter().sum::<f64>() / shards as f64;
        let longest_cell = (0..plan.cells()).map(|cell| plan.work_of_cell(cell)).fold(0.0, f64::max);
        let longest = work.iter().copied().fold(0.0, f64::max);
        prop_assert!(longest <= 2.0 * mean + 8.0 * longest_cell, "{longest} against a mean of {mean}");
    }

    #[test]
    fn a_shard_is_the_same_whatever_the_order_of_values(seeds in 1usize..40, shards in 1usize..9) {
        let (one, again) = (plan(seeds, &[2, 9, 16], 50), plan(seeds, &[2, 9, 16], 50));
        prop_assert_eq!(shares(&one, shards), shares(&again, shards));
        // More seeds deal anew, and keep every number.
        let more: BTreeSet<i64> = shares(&plan(seeds + 3, &[16, 2, 9], 50), shards).into_iter().flatten().collect();
        prop_assert!(shares(&one, shards).iter().flatten().all(|cell| more.contains(cell)));
    }
}

#[test]
fn shards_are_written_as_two_numbers() {
    assert_eq!("3/8".parse(), Ok(Shard { index: 3, of: 8 }));
    for (text, said) in [
        ("8/8", "shard 8 of 8: shards are counted from 0, so give I/N with I below N"),
        ("0/0", "shard 0 of 0: shards are counted from 0, so give I/N with I below N"),
        ("3", "give I/N, such as 0/8 for the first of eight shards"),
        ("-1/8", "give I/N, such as 0/8 for the first of eight shards"),
    ] {
        assert_eq!(text.parse::<Shard>(), Err(said.to_owned()));
    }
}
