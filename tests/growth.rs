//! A study that grows over its old results: the tables become those of a fresh run, byte for byte, and only what is new is
//! computed.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use support::study::Bench;

const BASE: &str = r#"
title = "a study that grows"

[data.curve]
target  = { sine = { frequency = 1 } }
samples = 8
design  = "uniform"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9, decay = 1.0 } }

[train]
until = { steps = 100 }

[record]
times   = { linear = 4 }
metrics = ["train_mse", "risk", "bending_energy"]
tables  = ["modes", "curves"]
theory  = ["mode_filters", "min_norm_limit"]

[solutions]
min-norm = {}

[sweep]
seed = { count = 40 }
"#;

/// Every file of the tables but `timing`.
fn files(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for table in std::fs::read_dir(out).expect("a folder").flatten().filter(|entry| entry.path().is_dir()) {
        let name = table.file_name().to_string_lossy().into_owned();
        assert_ne!(name, "pieces", "no piece is left");
        if name == "timing" {
            continue;
        }
        for part in std::fs::read_dir(table.path()).expect("a folder").flatten() {
            let bytes = std::fs::read(part.path()).expect("a part");
            all.insert(format!("{name}/{}", part.file_name().to_string_lossy()), bytes);
        }
    }
    all
}

/// Runs one study after the other in one folder; the last one must leave what a fresh run of it would, and have reused so many
/// cells.
#[track_caller]
fn grows(studies: &[String], reused: usize) {
    let bench = Bench::new(&studies[0]);
    let mut report = serde_json::Value::Null;
    for study in studies {
        bench.write("study.toml", study);
        report = bench.run(&["--json"]).exits(0).json();
    }
    assert_eq!(report["reused"], reused, "{report}");
    let fresh = Bench::new(studies.last().expect("a study"));
    fresh.run(&["--quiet"]).exits(0);
    let (grown, fresh) = (files(&bench.out()), files(&fresh.out()));
    assert_eq!(grown.keys().collect::<Vec<_>>(), fresh.keys().collect::<Vec<_>>());
    for (name, bytes) in &fresh {
        assert!(grown[name] == *bytes, "{name} differs from a fresh run's");
    }
}

fn with(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from}");
    BASE.replace(from, to)
}

#[test]
fn more_replicates_and_more_values() {
    let axis = |values: &str| format!("{BASE}\"model.features.polynomial.decay\" = {values}\n");
    grows(&[BASE.to_owned(), with("count = 40", "count = 55")], 40);
    grows(&[BASE.to_owned(), with("{ count = 40 }", "[39, 3, 45, 0]").replace("[39, 3, 45, 0]", "{ count = 41 }")], 40);
    grows(&[axis("[1.0]"), axis("[0.0, 1.0, 2.0]")], 40);
    // An axis whose column was whole numbers becomes one of fractions.
    grows(&[axis("[0, 1]"), axis("[0, 0.5, 1]")], 80);
    grows(&[axis("[0.0, 1.0]"), axis("[1.0, 0.0]")], 80);
}

#[test]
fn a_new_axis_in_front_and_behind() {
    let degree = "\"model.features.polynomial.degree\" = [9, 12]\n";
    grows(&[BASE.to_owned(), format!("{BASE}{degree}")], 40);
    grows(&[BASE.to_owned(), with("[sweep]\n", &format!("[sweep]\n{degree}"))], 40);
    // A stage of a continuation brings a column to tables that had none.
    let ways = concat!(
        "way = { cases = { plain = { \"model.features.polynomial.degree\" = 9 }, ",
        "staged = { \"train.continuation\" = { ridge = [0.1, 0.0] } } } }\n"
    );
    grows(&[BASE.to_owned(), format!("{BASE}{ways}")], 40);
}

#[test]
fn less_is_there_already() {
    grows(&[BASE.to_owned(), with("\"train_mse\", ", "")], 40);
    grows(&[BASE.to_owned(), with(", \"bending_energy\"", "")], 40);
    grows(&[BASE.to_owned(), with("\"risk\", ", "")], 40);
    grows(&[BASE.to_owned(), with("\"modes\", \"curves\"", "\"curves\"")], 40);
    grows(&[BASE.to_owned(), with("\"modes\", ", "").replace("\"mode_filters\", ", "")], 40);
    grows(&[BASE.to_owned(), with("theory  = [\"mode_filters\", \"min_norm_limit\"]\n", "")], 40);
    grows(&[BASE.to_owned(), with("\"train_mse\", \"risk\", ", "\"risk\", \"train_mse\", ")], 40);
}

#[test]
fn what_a_study_does_not_ask_for_any_more_is_kept_aside() {
    let bench = Bench::new(BASE);
    bench.run(&["--quiet"]).exits(0);
    let before = files(&bench.out());
    // More of everything loses nothing.
    let more = with("\"risk\", ", "\"risk\", \"total_variation\", ").replace("count = 40", "count = 42");
    bench.write("study.toml", &more);
    bench.run(&["--quiet"]).exits(0);
    assert!(!bench.path("out.old-1").exists());
    for (number, less) in
        [with("\"bending_energy\"", "\"arc_length\""), with("linear = 4", "linear = 5")].iter().enumerate()
    {
        let bench = Bench::new(BASE);
        bench.run(&["--quiet"]).exits(0);
        bench.write("study.toml", less);
        let said = bench.run(&[]).exits(0);
        assert!(said.stderr.contains("they are kept in out.old-1"), "{number}: {}", said.stderr);
        assert!(files(&bench.path("out.old-1")) == before, "{number}: the old tables are whole");
        bench.taut(&["verify", "out.old-1", "--sample", "3"]).exits(0);
    }
}

#[test]
fn more_of_every_cell_is_computed_again_and_says_why() {
    let wider = with("\"risk\", ", "\"risk\", \"total_variation\", ");
    for (changed, reason) in [
        (wider.clone(), "recorded without the metric `total_variation`"),
        (with("linear = 4", "linear = 5"), "recorded at other times"),
        (with("\"modes\", ", "\"modes\", \"parameters\", "), "recorded without the table `parameters`"),
        (with("min-norm = {}", "min-norm = {}\nleast-squares = { degree = 2 }"), "recorded with another `[solutions]`"),
    ] {
        grows(&[BASE.to_owned(), changed.clone()], 0);
        let bench = Bench::new(BASE);
        bench.run(&["--quiet"]).exits(0);
        bench.write("study.toml", &changed);
        let why = bench.taut(&["plan", "study.toml", "--why", "--out", "out"]).exits(0);
        assert!(why.stdout.contains(reason) && why.stdout.contains("0  of 40 cells"), "{}", why.stdout);
        let said = bench.run(&[]).exits(0);
        assert!(said.stderr.contains(reason), "{}", said.stderr);
    }
    // What was computed again serves the first study as well.
    grows(&[BASE.to_owned(), wider, BASE.to_owned()], 40);
}

#[test]
fn a_growth_that_was_stopped_has_lost_nothing() {
    let bench = Bench::new(BASE);
    bench.run(&["--quiet"]).exits(0);
    bench.write("study.toml", &with("\"risk\", ", "\"risk\", \"total_variation\", "));
    // A run that computes nothing, as if it had been stopped at once.
    bench.run(&["--quiet", "--shard", "39/40"]).exits(0);
    bench.write("study.toml", BASE);
    let report = bench.run(&["--json"]).exits(0).json();
    assert_eq!((&report["reused"], &report["computed"]), (&40.into(), &0.into()));
}

#[test]
fn fewer_cells_are_another_study() {
    let bench = Bench::new(BASE);
    bench.run(&["--quiet"]).exits(0);
    let before = files(&bench.out());
    bench.write("study.toml", &with("count = 40", "count = 30"));
    let said = bench.run(&[]).exits(2);
    assert!(said.stderr.contains("10 of the 40 stored cells are not in this study"), "{}", said.stderr);
    assert!(said.stderr.contains("changed sweep.seed.count: 40 → 30"), "{}", said.stderr);
    assert!(before == files(&bench.out()), "nothing was changed");
}

#[test]
fn two_studies_are_told_apart() {
    let bench = Bench::new(BASE);
    bench.run(&["--quiet"]).exits(0);
    bench.write("other.toml", &with("count = 40", "count = 55").replace("\"risk\", ", ""));
    let said = bench.taut(&["diff", "out", "study.toml"]).exits(0);
    assert!(said.stdout.contains("40  cells in both"), "{}", said.stdout);
    let told = bench.taut(&["diff", "out", "other.toml", "--json"]).exits(4).json();
    assert_eq!((&told["shared"], &told["only_first"]), (&40.into(), &serde_json::json!([])));
    assert_eq!(told["only_second"], serde_json::json!([["another replicate", 15]]));
    let text = bench.taut(&["diff", "other.toml", "study.toml"]).exits(4).stdout;
    assert!(text.contains("recorded without the metric `risk`"), "{text}");
    // The stored study reads no file: it is found again in the folder.
    std::fs::remove_file(bench.path("study.toml")).expect("it was written");
    bench.taut(&["verify", "out", "--sample", "5"]).exits(0);
    bench.taut(&["collect", "out"]).exits(0);
}

#[test]
fn cells_that_mean_the_same_are_a_mistake() {
    let bench = Bench::new(&format!(
        "{BASE}way = {{ cases = {{ one = {{ \"data.curve.noise\" = 0.1 }}, two = {{ \"data.curve.noise\" = 0.10 }} }} }}\n"
    ));
    let said = bench.run(&[]).exits(2);
    assert!(said.stderr.contains("way = one") && said.stderr.contains("way = two"), "{}", said.stderr);
}
