//! Faults planted on purpose: a wrong bound, wrong tables, and mistakes in the program itself each turn a verdict red.

#![allow(clippy::print_stdout)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::claims::verdicts;
use support::ledger::tamper;
use support::study::Bench;
use support::{here, read, run_study, taut};
use taut_store::Table;

/// The claims that do not hold, by number from 1, with measured value and bound.
fn red(json: &serde_json::Value) -> Vec<(usize, String)> {
    let claims = json["claims"].as_array().expect("a list of claims");
    let bad = claims.iter().enumerate().filter(|(_, claim)| claim["verdict"] != "holds");
    bad.map(|(at, claim)| (at + 1, format!("measured {} {} {}", claim["value"], claim["verdict"], claim["bound"])))
        .collect()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn study(name: &str) -> PathBuf {
    here(&format!("experiments/{name}.toml"))
}

#[test]
fn a_wrong_bound_turns_a_verdict_red() {
    let start = here("experiments/data").display().to_string();
    let text = read(&study("two_weight_net")).replace("\"data/", &format!("\"{start}/"));
    let right = "between = [1.9, 2.1]";
    assert!(text.contains(right));
    let bench = Bench::new(&text);
    bench.run(&["--quiet", "--check"]).exits(0);
    bench.write("study.toml", &text.replace(right, "between = [1.9, 1.95]"));
    let said = bench.taut(&["check", "study.toml", "--out", "out", "--json"]).exits(4);
    assert_eq!(red(&said.json()).iter().map(|(claim, _)| *claim).collect::<Vec<_>>(), [3], "{}", said.stdout);
    bench.run(&["--quiet", "--check"]).exits(4);
}

/// Tables changed after the run: which study, which column, how, and the claims that must notice.
type Tampering = (&'static str, &'static str, &'static str, fn(&Table, usize, f64) -> f64, &'static [usize]);

fn is_of(table: &Table, row: usize, source: &str) -> bool {
    table.texts("source").expect("a column of sources")[row].as_deref() == Some(source)
}

#[test]
fn wrong_tables_turn_verdicts_red() {
    let all: [Tampering; 6] = [
        // A metric of the other sign.
        ("panel_whitened", "cells", "final_bending_energy", |_, _, value| -value, &[2, 3]),
        // A metric one per cent too large.
        ("panel_whitened", "cells", "final_bending_energy", |_, _, value| 1.01 * value, &[1, 2]),
        // Rows of a theory ten per cent too large; those of the trainer as they were.
        (
            "two_weight_net",
            "modes",
            "strength",
            |table, row, value| if is_of(table, row, "unbalanced_modes") { 1.1 * value } else { value },
            &[5],
        ),
        // Rows of the trainer, and the theory as it was.
        (
            "two_weight_net",
            "modes",
            "strength",
            |table, row, value| if is_of(table, row, "trained") { value - 0.1 } else { value },
            &[5],
        ),
        // Half a risk everywhere.
        ("panel_whitened", "cells", "best_risk", |_, _, value| 0.5 * value, &[6]),
        // Nothing measured any more.
        ("panel_whitened", "cells", "largest_drop_bending_energy", |_, _, _| f64::NAN, &[4, 5]),
    ];
    for (name, table, column, change, noticed) in all {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = folder.path().join("out");
        run_study(&study(name), &out, &["--check"]);
        tamper(&out, table, column, change);
        let output = taut(&["check", "--json", out.to_str().expect("UTF-8")]);
        assert_eq!(output.status.code(), Some(4), "{name}: {column}");
        let red = red(&json(&output));
        let numbers: Vec<usize> = red.iter().map(|(claim, _)| *claim).collect();
        assert!(noticed.iter().all(|claim| numbers.contains(claim)), "{name}: {column}: {red:?}");
    }
}

/// The variable that names the fault which a planted program shows; without it there is none.
const PLANTED: &str = "TAUT_PLANTED_FAULT";

/// A mistake in the source: what it replaces in which file, in which study it must show, and in which claims.
struct Fault {
    name: &'static str,
    what: &'static str,
    file: &'static str,
    /// What stands there, and what is planted, in which `FAULTY` asks whether the fault is to show.
    places: &'static [(&'static str, &'static str)],
    study: &'static str,
    noticed: &'static [usize],
}

const FAULTS: [Fault; 4] = [
    Fault {
        name: "curvature",
        what: "a metric: every other term of f″ of polynomials with the wrong sign",
        file: "crates/metrics/src/roughness.rs",
        places: &[
            (
                "    for sum in &mut sums {\n        let (mut odd",
                "    for (order, sum) in sums.iter_mut().enumerate() {\n        let sign = if order == 1 && FAULTY { -1.0 } else { 1.0 };\n        let (mut odd",
            ),
            ("fma1(*norm, *c, even)", "fma1(*norm, *c, mul([sign; 8], even))"),
        ],
        study: "panel_whitened",
        noticed: &[1, 2, 3],
    },
    Fault {
        name: "filter",
        what: "a theory: modes learned at 1.001 times their rate",
        file: "crates/theory/src/mode_filters.rs",
        places: &[(
            "compound(premise.dynamics.step_size * lambda, k)",
            "compound(premise.dynamics.step_size * lambda * if FAULTY { 1.001 } else { 1.0 }, k)",
        )],
        study: "panel_polynomial",
        noticed: &[24],
    },
    Fault {
        name: "early-stopping",
        what: "a theory: the bound on flow against ridge with x/2 in place of x",
        file: "crates/theory/src/gradient_flow_against_ridge.rs",
        places: &[(
            "(x, -(-x).exp_m1() * (1.0 + x) / x)",
            "(x, -(-x).exp_m1() * (1.0 + if FAULTY { x / 2.0 } else { x }) / x)",
        )],
        study: "early_stopping_vs_ridge",
        noticed: &[1, 2, 3],
    },
    Fault {
        name: "clock",
        what: "a theory: modes of an unbalanced net with a clock twice too fast",
        file: "crates/theory/src/unbalanced_modes.rs",
        places: &[(
            "let (c, kappa) = (self.unbalance(), self.rate());",
            "let (c, kappa) = (self.unbalance(), self.rate());\n        let t = if FAULTY { 2.0 * t } else { t };",
        )],
        study: "two_weight_net",
        noticed: &[5],
    },
];

/// Where the program under test was built: its crates of others are used again.
fn target() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_taut"));
    program.ancestors().nth(2).expect("target/release/taut").to_path_buf()
}

/// Copies every file that git knows, but for those that are there with the same content: cargo looks at times. Sources of an
/// older checkout that are no more are removed: a module may have moved.
fn copy_checkout(to: &Path) {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(here("")).output().expect("git starts");
    assert!(listed.status.success(), "a checkout of git");
    let names = String::from_utf8(listed.stdout).expect("names in UTF-8");
    let names: Vec<&str> = names.split('\0').filter(|name| !name.is_empty() && here(name).is_file()).collect();
    remove_others(to, to, &names);
    for name in names {
        let mut bytes = std::fs::read(here(name)).expect("a file of the checkout");
        if let Ok(text) = std::str::from_utf8(&bytes) {
            bytes = planted(name, text).into_bytes();
        }
        let place = to.join(name);
        if std::fs::read(&place).is_ok_and(|there| there == bytes) {
            continue;
        }
        std::fs::create_dir_all(place.parent().expect("it is in a folder")).expect("a writable folder");
        std::fs::write(&place, bytes).expect("a writable folder");
    }
}

/// Removes the files below `folder` that are none of these of `root`.
fn remove_others(root: &Path, folder: &Path, names: &[&str]) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("a readable folder").path()) {
        let name = path.strip_prefix(root).expect("it is below").to_string_lossy().into_owned();
        if path.is_dir() {
            remove_others(root, &path, names);
        } else if !names.contains(&name.as_str()) {
            std::fs::remove_file(&path).expect("a writable folder");
        }
    }
}

/// A file of the checkout with the faults that belong into it. Another version keeps what cargo builds of it apart from
/// what it builds of the checkout, and another name the program.
fn planted(name: &str, text: &str) -> String {
    let mut text = text.to_owned();
    let version = env!("CARGO_PKG_VERSION");
    if name == "Cargo.toml" {
        text = replaced(&text, "[[bin]]\nname = \"taut\"", "[[bin]]\nname = \"taut-planted\"", name);
        let own = format!("[workspace.package]\nversion = \"{version}");
        return replaced(&text, &own, &format!("{own}-planted"), name);
    }
    if name == "Cargo.lock" {
        let packages = text.split("[[package]]\n").map(|package| match package.starts_with("name = \"taut") {
            true => package.replacen(version, &format!("{version}-planted"), 1),
            false => package.to_owned(),
        });
        return packages.collect::<Vec<_>>().join("[[package]]\n");
    }
    for fault in FAULTS.iter().filter(|fault| fault.file == name) {
        let asks = format!("std::env::var(\"{PLANTED}\").is_ok_and(|planted| planted == \"{}\")", fault.name);
        for (right, wrong) in fault.places {
            text = replaced(&text, right, &wrong.replace("FAULTY", &asks), name);
        }
    }
    text
}

fn replaced(text: &str, from: &str, to: &str, file: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{file} has no single `{from}`: plant the fault anew");
    text.replacen(from, to, 1)
}

/// Builds the planted program with the crates of others that are built already.
fn build(checkout: &Path) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--locked", "--quiet"]).current_dir(checkout).env("CARGO_TARGET_DIR", target());
    // What cargo tells a test of its package would make crates with build scripts look changed, and most of polars with them.
    for (name, _) in std::env::vars_os() {
        let of_a_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if of_a_package.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    assert!(command.status().expect("cargo starts").success());
}

#[test]
#[ignore = "builds the program once more with faults in it: two to five minutes the first time"]
fn faults_in_the_program_turn_verdicts_red() {
    let checkout = target().join("planted_faults");
    copy_checkout(&checkout);
    build(&checkout);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |fault: &Fault, shown: Option<&str>| {
        let out = folder.path().join(format!("{}-{}", fault.study, shown.unwrap_or("right")));
        let mut command = Command::new(target().join("release/taut-planted"));
        command.arg("run").arg(study(fault.study)).args(["--quick", "--quiet", "--json", "--check", "--out"]).arg(out);
        shown.map(|fault| command.env(PLANTED, fault));
        command.output().expect("the planted program starts")
    };
    for fault in &FAULTS {
        let right = run(fault, None);
        assert_eq!(right.status.code(), Some(0), "{}: {}", fault.study, String::from_utf8_lossy(&right.stdout));
        let wrong = run(fault, Some(fault.name));
        let red = red(&json(&wrong));
        println!("{}\n  in {} of {} claims:", fault.what, red.len(), verdicts(&json(&wrong)).len());
        red.iter().for_each(|(claim, said)| println!("    {} claim {claim}: {said}", fault.study));
        assert_eq!(wrong.status.code(), Some(4), "{}", fault.what);
        let numbers: Vec<usize> = red.iter().map(|(claim, _)| *claim).collect();
        assert!(fault.noticed.iter().all(|claim| numbers.contains(claim)), "{}: {red:?}", fault.what);
    }
}
