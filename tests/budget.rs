//! What a run would take: told by `taut plan`, and asked about before a run that takes more than it may.

#![allow(clippy::print_stdout)]

mod support;

use support::study::{Bench, Said, files};
use support::{Sheet, here, taut};

const STUDY: &str = r#"title = "fifteen cells"

[data.curve]
target  = { sine = { frequency = 1 } }
samples = 8
design  = "midpoint"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9 } }

[train]
until = { steps = 100 }

[record]
metrics = ["train_mse", "risk", "turning_points"]
times   = { linear = 5 }
tables  = ["parameters"]
theory  = ["min_norm_limit"]

[sweep]
seed = { count = 5 }
"data.curve.noise" = [0.1, 0.2, 0.3]
"#;

#[track_caller]
fn says(said: &Said, wanted: &[&str]) {
    for word in wanted {
        assert!(said.stderr.contains(word), "`{word}` is missing in:\n{}", said.stderr);
    }
}

#[test]
fn a_plan_tells_time_rows_disk_and_memory_and_writes_nothing() {
    let bench = Bench::new(STUDY);
    let before = files(&bench.path(""));
    let plan = bench.taut(&["plan", "study.toml", "--json", "--threads", "7"]).exits(0).json();
    let forecast = &plan["forecast"];
    for key in ["cpu_seconds", "factor", "longest_seconds", "disk_bytes", "tried_seconds"] {
        let value = forecast[key].as_f64().unwrap_or(f64::NAN);
        assert!(value > 0.0 && value.is_finite(), "{key}: {forecast:#}");
    }
    assert_eq!(forecast["tried_cells"], 15);
    let threads = forecast["threads"].as_array().expect("a list");
    let wall = |n: usize| threads.iter().find(|on| on["threads"] == n).and_then(|on| on["wall_seconds"].as_f64());
    assert!(wall(7).expect("asked for") <= wall(1).expect("always there"));
    let said = bench.taut(&["plan", "study.toml"]).exits(0).stdout;
    for word in ["of one core", "on disk", "memory  about", "tried  15 cells", "rows about"] {
        assert!(said.contains(word) || word == "on disk" && said.contains("disk  about"), "{word}: {said}");
    }
    assert_eq!(files(&bench.path("")), before);
}

#[test]
fn rows_that_were_seen_are_told_as_they_will_be() {
    let bench = Bench::new(STUDY);
    let plan = bench.taut(&["plan", "study.toml", "--json"]).exits(0).json();
    bench.run(&["--quiet"]).exits(0);
    for table in plan["tables"].as_array().expect("tables") {
        let (name, about) = (table["name"].as_str().expect("a name"), table["rows_about"].as_f64().expect("a number"));
        let written = Sheet::read(&bench.out(), name).rows().len() as f64;
        assert!((about - written).abs() < 0.5, "{name}: {about} told, {written} written");
    }
}

#[test]
fn nothing_is_computed_without_time_for_it() {
    let bench = Bench::new(STUDY);
    let plan = bench.taut(&["plan", "study.toml", "--calibrate", "0", "--json"]).exits(0).json();
    assert!(plan["forecast"].is_null() && plan["tables"][0]["rows_about"].is_null(), "{plan:#}");
    let said = bench.taut(&["plan", "study.toml", "--calibrate", "0"]).exits(0).stdout;
    assert!(!said.contains("of one core") && !said.contains("rows about"), "{said}");
    bench.taut(&["plan", "study.toml", "--calibrate", "-1"]).exits(2);
    bench.taut(&["plan", "study.toml", "--calibrate", "soon"]).exits(2);
}

/// The design of drawn rows is not known before they are drawn, and so is not how large a step may be.
#[test]
fn cells_that_fail_are_told_before_the_run() {
    let study = "title = \"too far\"\n[data.gaussian]\nsamples = 10\ninputs = 3\n[model]\nfeatures = \"identity\"\n[train]\n\
                 step_size = { absolute = 100 }\nuntil = { steps = 10 }\n[sweep]\nseed = { count = 4 }\n";
    let bench = Bench::new(study);
    let plan = bench.taut(&["plan", "study.toml", "--json"]).exits(0).json();
    let failures = plan["forecast"]["failures"].as_array().expect("a list").clone();
    assert!(!failures.is_empty() && failures[0][0].as_str().is_some_and(|why| why.contains("2/")), "{failures:?}");
    assert!(bench.taut(&["plan", "study.toml"]).exits(0).stdout.contains("failed  "));
    bench.run(&["--quiet"]).exits(3);
}

#[test]
fn a_run_beyond_its_budget_is_refused_with_the_figures() {
    for (budget, words) in [
        ("cells = 14", &["15 cells, and 14 are allowed"][..]),
        ("disk = \"1 kB\"", &["on disk, and 1.0 kB are allowed"]),
        ("disk = 1000", &["on disk, and 1.0 kB are allowed"]),
        ("hours = 1e-12", &["about", "on 2 threads", "0.0 ms are allowed"]),
        ("cpu_hours = 1e-12", &["of all threads together"]),
        ("memory = \"1 MB\"", &["of memory, and 1.0 MB are allowed"]),
    ] {
        let bench = Bench::new(&format!("{STUDY}\n[budget]\n{budget}\n"));
        let said = bench.run(&["--threads", "2"]).exits(2);
        says(&said, &["this run would take more than it may", "nothing was run", "--yes", "[budget]"]);
        says(&said, words);
        assert!(!bench.out().exists(), "{budget}: something was written");
        bench.run(&["--quiet", "--yes"]).exits(0);
        // What is finished takes nothing more, and nobody is asked.
        says(&bench.run(&[]).exits(0), &["nothing to do"]);
    }
}

#[test]
fn a_budget_that_is_kept_says_nothing_and_changes_nothing() {
    let bench = Bench::new(STUDY);
    bench.run(&["--quiet"]).exits(0);
    let before = files(&bench.out().join("cells"));
    let budget = "[budget]\nhours = 1\ncpu_hours = 3\ndisk = \"1 GB\"\nmemory = \"64 GB\"\ncells = 15\n";
    bench.write("study.toml", &format!("{STUDY}\n{budget}"));
    says(&bench.run(&[]).exits(0), &["nothing to do"]);
    assert_eq!(files(&bench.out().join("cells")), before);
    let other = Bench::new(&format!("{STUDY}\n{budget}"));
    other.run(&["--quiet"]).exits(0);
}

#[test]
fn only_what_is_missing_counts() {
    let few = STUDY.replace("[0.1, 0.2, 0.3]", "[0.1, 0.2]");
    let bench = Bench::new(&few);
    bench.run(&["--quiet"]).exits(0);
    bench.write("study.toml", &format!("{STUDY}\n[budget]\ncells = 5\n"));
    bench.run(&["--quiet"]).exits(0);
    let whole = Bench::new(&format!("{STUDY}\n[budget]\ncells = 5\n"));
    whole.run(&["--quiet"]).exits(2);
    // A shard is asked about its own share.
    whole.run(&["--quiet", "--shard", "0/3"]).exits(0);
}

#[test]
fn a_slip_of_many_zeros_is_asked_about_without_a_budget() {
    let study = STUDY.replace("count = 5", "count = 4e6").replace("tables  = [\"parameters\"]\n", "");
    let bench = Bench::new(&study);
    let said = bench.run(&[]).exits(2);
    says(&said, &["12000000 cells, and 10000000 are allowed"]);
    assert!(!bench.out().exists());
}

/// Predicted against real: run by hand, for a busy machine would fail it.
#[test]
#[ignore = "compares times, which a busy machine changes: run it with --ignored --nocapture"]
fn predicted_times_are_within_a_factor_of_two() {
    for study in ["panel_polynomial", "edge_of_stability", "double_descent_isotropic"] {
        let study = here(&format!("experiments/{study}.toml"));
        let study = study.to_str().expect("UTF-8");
        let plan = taut(&["plan", study, "--quick", "--json", "--calibrate", "3"]);
        let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).expect("JSON");
        let out = tempfile::tempdir().expect("a folder");
        let began = std::time::Instant::now();
        taut(&["run", study, "--quick", "--quiet", "--threads", "1", "--out", out.path().to_str().expect("UTF-8")]);
        let real = began.elapsed().as_secs_f64();
        let predicted = plan["forecast"]["cpu_seconds"].as_f64().expect("a number");
        println!("{study}: {predicted:.2} s predicted, {real:.2} s in fact");
        assert!(predicted < 2.0 * real && real < 2.0 * predicted + 1.0, "{study}: {predicted} {real}");
    }
}
