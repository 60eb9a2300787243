//! What must be absent: arrows between crates, words in rooms where they have no business, things undone.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::code::{rust_code, words};
use support::{here, read, taut};

/// Every arrow that may be there, from the crate that depends to those it depends on.
const ARROWS: [(&str, &[&str]); 9] = [
    ("taut-numerics", &[]),
    ("taut-store", &[]),
    ("taut-problem", &["taut-numerics"]),
    ("taut-train", &["taut-numerics", "taut-problem"]),
    ("taut-theory", &["taut-numerics", "taut-problem"]),
    ("taut-metrics", &["taut-numerics", "taut-problem"]),
    ("taut-sweep", &["taut-metrics", "taut-numerics", "taut-problem", "taut-store", "taut-theory", "taut-train"]),
    ("taut-report", &["taut-store"]),
    ("taut", &["taut-report", "taut-sweep"]),
];

/// Crates below `sweep`.
const BELOW_SWEEP: [&str; 6] = ["metrics", "numerics", "problem", "store", "theory", "train"];

const LONGEST_FILE: usize = 600;

/// Dependencies of every crate of the workspace, those for tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(here(""))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |value: &serde_json::Value| value["name"].as_str().expect("a name").to_owned();
    let of = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().expect("dependencies");
        all.iter().filter(|d| d["kind"] != "dev").map(name).collect()
    };
    packages.iter().map(|package| (name(package), of(package))).collect()
}

/// Every Rust file under these folders of the repository.
fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| here(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

fn everything() -> Vec<PathBuf> {
    rust_files(&["src", "tests", "crates"])
}

fn sources(name: &str) -> Vec<PathBuf> {
    rust_files(&[&format!("crates/{name}/src")])
}

/// Code and documentation of a file before its tests, which follow at its end.
fn product(path: &Path) -> String {
    let text = read(path);
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].to_owned()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(here("")).unwrap_or(path).display().to_string()
}

/// Lines (of code, without comments and texts) that hold one of these, as `file:line: word`.
fn places(files: &[PathBuf], found: impl Fn(&str) -> Option<String>) -> Vec<String> {
    places_in(files, read, found)
}

/// The same for what `text` takes from each file.
fn places_in(files: &[PathBuf], text: fn(&Path) -> String, found: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut out = Vec::new();
    for path in files {
        for (number, line) in rust_code(&text(path)).lines().enumerate() {
            out.extend(found(line).map(|what| format!("{}:{}: {what}", shown(path), number + 1)));
        }
    }
    out
}

/// The first of these pieces of text in a line.
fn holds<'a>(pieces: &'a [&'a str]) -> impl Fn(&str) -> Option<String> + 'a {
    |line| pieces.iter().find(|piece| line.contains(**piece)).map(|piece| (*piece).to_owned())
}

/// The first of these whole words in a line.
fn says<'a>(wanted: &'a [&'a str]) -> impl Fn(&str) -> Option<String> + 'a {
    |line| words(line).find(|word| wanted.contains(word)).map(str::to_owned)
}

#[track_caller]
fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn arrows_between_crates_are_those_of_the_design() {
    let dependencies = dependencies();
    let allowed: BTreeMap<&str, BTreeSet<String>> =
        ARROWS.iter().map(|(from, to)| (*from, to.iter().map(|name| (*name).to_owned()).collect())).collect();
    let names: Vec<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        allowed.keys().copied().collect::<Vec<_>>(),
        "a new crate needs a line here and in docs/architecture.md"
    );
    for (from, all) in &dependencies {
        let ours: BTreeSet<String> = all.iter().filter(|name| allowed.contains_key(name.as_str())).cloned().collect();
        assert_eq!(ours, allowed[from.as_str()], "arrows from {from}");
    }
}

#[test]
fn heavy_and_impure_dependencies_stay_in_their_rooms() {
    for (dependency, rooms) in [
        ("polars", &["taut-report", "taut-store"][..]),
        ("toml", &["taut-sweep"]),
        ("rayon", &["taut-sweep"]),
        ("clap", &["taut"]),
        ("indicatif", &["taut"]),
        ("anyhow", &["taut"]),
    ] {
        let users: Vec<String> =
            dependencies().into_iter().filter(|(_, all)| all.contains(dependency)).map(|(name, _)| name).collect();
        assert_eq!(users, rooms, "who depends on {dependency}");
    }
}

#[test]
fn siblings_do_not_mention_each_other() {
    for (room, wanted) in [
        ("theory", &["taut_train", "taut_metrics", "SpectralPath", "Stepped", "Rule"][..]),
        ("train", &["prediction", "theory", "metrics", "taut_theory", "taut_metrics", "Prediction"]),
        ("metrics", &["source", "taut_train", "taut_theory"]),
        ("problem", &["taut_train", "taut_theory", "taut_metrics"]),
    ] {
        none(places(&sources(room), says(wanted)), &format!("{room} must not know of these"));
    }
}

/// A textual approximation: the store passes numbers on, so it needs neither decimals nor mathematics.
/// Whole numbers (rows, bytes, lines) are counted there, and zero stands in for a null.
#[test]
fn the_store_does_not_compute_with_numbers() {
    const MATHEMATICS: [&str; 16] = [
        "sqrt",
        "powi",
        "powf",
        "exp",
        "exp_m1",
        "ln",
        "ln_1p",
        "log10",
        "sin",
        "cos",
        "tan",
        "hypot",
        "mul_add",
        "EPSILON",
        "round",
        "total_cmp",
    ];
    let files = sources("store");
    none(places(&files, says(&MATHEMATICS)), "mathematics in the store");
    let decimal = |line: &str| {
        let bytes = line.as_bytes();
        let at = bytes.windows(3).position(|w| w[0].is_ascii_digit() && w[1] == b'.' && w[2].is_ascii_digit())?;
        (&line[at..at + 3] != "0.0").then(|| line.trim().to_owned())
    };
    none(places_in(&files, product, decimal), "decimals in the store");
}

#[test]
fn nothing_below_sweep_reads_toml_or_starts_threads() {
    for room in BELOW_SWEEP {
        let files = sources(room);
        none(places_in(&files, product, says(&["toml", "rayon", "thread", "par_iter", "spawn"])), "below sweep");
    }
}

#[test]
fn parallelism_is_in_one_place() {
    let files: Vec<PathBuf> = everything().into_iter().filter(|path| !path.starts_with(here("crates/sweep"))).collect();
    let parallel = ["par_iter", "par_iter_mut", "into_par_iter", "par_chunks", "par_chunks_mut", "par_bridge"];
    none(places(&files, says(&parallel)), "parallel iterators outside sweep");
}

#[test]
fn only_the_command_line_prints() {
    let mut files = Vec::new();
    for room in BELOW_SWEEP.into_iter().chain(["sweep"]) {
        files.extend(sources(room));
    }
    none(places(&files, holds(&["print!", "println!", "eprint!", "eprintln!"])), "printing below the root package");
}

#[test]
fn nothing_is_unsafe() {
    // A counting allocator cannot be written otherwise, and is no part of the product.
    let allowed = here("crates/train/tests/allocation.rs");
    let files: Vec<PathBuf> = everything().into_iter().filter(|path| *path != allowed).collect();
    none(places(&files, says(&["unsafe"])), "unsafe");
}

#[test]
fn every_file_opens_with_a_sentence() {
    let open = |path: &PathBuf| {
        let text = read(path);
        let first = text.lines().next().unwrap_or_default().strip_prefix("//! ").unwrap_or_default();
        first.split_whitespace().count() >= 2 && !first.starts_with(char::is_whitespace)
    };
    let silent: Vec<String> = everything().iter().filter(|path| !open(path)).map(|path| shown(path)).collect();
    none(silent, "files whose first line is not `//! ` and a sentence");
}

#[test]
fn nothing_is_left_undone() {
    none(places(&everything(), holds(&["dbg!", "todo!", "unimplemented!"])), "left undone");
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let mut found = Vec::new();
    for path in everything() {
        for (number, line) in read(&path).lines().enumerate() {
            if words(line).any(|word| marks.contains(&word)) {
                found.push(format!("{}:{}: {}", shown(&path), number + 1, line.trim()));
            }
        }
    }
    none(found, "left undone");
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = |path: &PathBuf| {
        let lines = read(path).lines().count();
        (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", shown(path)))
    };
    none(everything().iter().filter_map(long).collect(), "files above 600 lines");
}

#[test]
fn the_written_schema_is_the_one_printed() {
    let path = here("docs/study.schema.json");
    let written: serde_json::Value = serde_json::from_str(&read(&path)).expect("docs/study.schema.json is JSON");
    let output = taut(&["schema"]);
    assert!(output.status.success());
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("`taut schema` prints JSON");
    assert!(written == printed, "docs/study.schema.json is out of date: taut schema > docs/study.schema.json");
}

#[test]
fn every_experiment_plans_and_is_listed() {
    let index = read(&here("experiments/README.md"));
    let mut studies: Vec<PathBuf> = std::fs::read_dir(here("experiments"))
        .expect("experiments")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "toml") && !path.ends_with("catalogue.toml")
        })
        .collect();
    studies.sort();
    assert!(!studies.is_empty());
    for study in studies {
        let name = study.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(index.contains(name), "experiments/README.md does not list {name}");
        for version in [&["--calibrate", "0"][..], &["--calibrate", "0", "--quick"]] {
            let output = taut(&[&["plan", study.to_str().expect("a path in UTF-8")], version].concat());
            assert!(output.status.success(), "{name} {version:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let opening = read(&study);
        for said in ["Question", "Expected", "Cost"] {
            assert!(
                opening.lines().take(12).any(|line| line.starts_with('#') && line.contains(said)),
                "{name} opens with question, expected picture and cost; `{said}` is missing"
            );
        }
    }
}

/// Theories name the metrics that they predict along the clock in texts, `(clock, "loss", …)`.
#[test]
fn every_predicted_curve_is_of_a_metric() {
    let output = taut(&["list", "metrics", "--json"]);
    let metrics = String::from_utf8(output.stdout).expect("UTF-8");
    let (mut unknown, mut seen) = (Vec::new(), 0);
    for path in rust_files(&["crates/theory/src"]) {
        for name in read(&path).split("(clock, \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            seen += 1;
            if !metrics.contains(&format!("\"{name}\"")) {
                unknown.push(format!("{}: {name}", shown(&path)));
            }
        }
    }
    assert!(seen >= 4, "{seen} curves");
    none(unknown, "curves of no metric");
}

#[test]
fn everything_that_can_be_named_says_what_it_is() {
    for kind in ["metrics", "features", "parametrizations", "optimizers", "theories", "solutions"] {
        let output = taut(&["list", kind, "--json"]);
        assert!(output.status.success(), "{kind}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let mut names = BTreeSet::new();
        for line in text.lines() {
            let item: serde_json::Value = serde_json::from_str(line).expect("a JSON object per line");
            let said = |key: &str| item[key].as_str().is_some_and(|text| !text.trim().is_empty());
            assert!(said("name") && said("doc"), "{kind}: {line}");
            assert!(kind != "metrics" || said("unit"), "a metric without a unit: {line}");
            assert!(kind != "theories" || (said("assumes") && said("cite")), "a theory says what it assumes: {line}");
            assert!(names.insert(item["name"].to_string()), "{kind}: {} is listed twice", item["name"]);
        }
        assert!(!names.is_empty(), "{kind}");
    }
}
