//! Claims over ten million rows: how long they take, how much memory, and whether their values repeat.

#![allow(clippy::print_stdout)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::ledger::{claim, manifest, schema, write};
use support::study::Said;
use taut_store::{ColumnType, Rows};

const PARTS: usize = 20;
/// Cells of a part, and saved rows of a cell: half trained, half predicted.
const CELLS: usize = 2000;
const SAVED: usize = 250;

const METRICS: [&str; 10] = [
    "train_mse",
    "risk",
    "loss",
    "bending_energy",
    "slope_energy",
    "total_variation",
    "turning_points",
    "inflections",
    "parameter_norm",
    "overshoot",
];

/// A reproducible number in [0, 1): the fractional part of a multiple, well mixed.
fn mixed(seed: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^= x >> 32;
    (x >> 11) as f64 / (1u64 << 53) as f64
}

fn five_claims() -> Value {
    let descent = "source = 'trained'";
    json!([
        claim(
            "The training error never exceeds its start",
            &format!("SELECT max(train_mse) AS worst FROM trajectory WHERE {descent}"),
            ("at_most", json!(2.5)),
            &[],
        ),
        claim(
            "Smooth bases end with little risk",
            &format!(
                "SELECT avg(t.risk) AS mean FROM trajectory t JOIN cells c USING (cell) WHERE c.decay > 0.5 AND t.{descent}"
            ),
            ("at_most", json!(2.0)),
            &[],
        ),
        claim(
            "Bending energy stays moderate in every basis",
            "SELECT c.basis, avg(t.bending_energy) AS mean FROM trajectory t JOIN cells c USING (cell) GROUP BY c.basis",
            ("between", json!([0.0, 1e6])),
            &["basis"],
        ),
        claim(
            "Nineteen of twenty rows have a norm below three",
            "SELECT quantile_cont(parameter_norm, 0.95) AS tail FROM trajectory",
            ("at_most", json!(3.0)),
            &[],
        ),
        claim(
            "No row is further from the mean of its source than four",
            "SELECT max(abs(loss - mean)) AS far
             FROM (SELECT loss, avg(loss) OVER (PARTITION BY source) AS mean FROM trajectory) AS beside",
            ("at_most", json!(4.0)),
            &[],
        ),
    ])
}

/// A study of 40,000 cells in 20 parts: 10⁷ rows of 14 columns in `trajectory`.
fn large_study(out: &Path) {
    use ColumnType::{Float64, Int64, String};
    manifest(out, &["cells", "trajectory"], PARTS, five_claims());
    let cells = schema("cells", &[("cell", Int64), ("basis", String), ("decay", Float64), ("final_risk", Float64)]);
    let mut columns = vec![("cell", Int64), ("source", String), ("step", Float64), ("time", Float64)];
    columns.extend(METRICS.map(|name| (name, Float64)));
    let trajectory = schema("trajectory", &columns);
    for part in 0..PARTS {
        let (mut of_cells, mut rows) = (Rows::new(&cells), Rows::new(&trajectory));
        for cell in part * CELLS..(part + 1) * CELLS {
            let number = (mixed(cell as u64) * 9e18) as i64;
            of_cells.push_int(0, Some(number));
            of_cells.push_text(1, Some(["monomial", "chebyshev", "legendre", "fourier", "cosine"][cell % 5]));
            of_cells.push_float(2, Some((cell % 4) as f64));
            of_cells.push_float(3, Some(mixed(cell as u64)));
            for source in ["trained", "mode_filters"] {
                one_path(&mut rows, number, cell, source);
            }
        }
        write(out, part, &rows);
        write(out, part, &of_cells);
    }
}

fn one_path(rows: &mut Rows, number: i64, cell: usize, source: &str) {
    rows.repeat_int(0, Some(number), SAVED / 2);
    rows.repeat_text(1, Some(source), SAVED / 2);
    for saved in 0..SAVED / 2 {
        let step = 1.15f64.powi(saved as i32).round();
        rows.push_float(2, Some(step));
        rows.push_float(3, Some(step * 0.01));
        for metric in 0..METRICS.len() {
            let scale = 2.0 * mixed((cell * 16 + metric) as u64);
            let exact = scale * (-step * 1e-7 * (1.0 + metric as f64)).exp();
            // Digits that do not compress, as those of measured rows do not.
            let row = 2 * (cell * SAVED + saved) + usize::from(source == "trained");
            let value = exact * (1.0 + 0.01 * mixed((row * 16 + metric) as u64));
            let counts = metric == 6 || metric == 7;
            rows.push_float(4 + metric, Some(if counts { (value * 40.0).floor() } else { value }));
        }
    }
}

/// What a run took.
struct Cost {
    seconds: f64,
    peak_bytes: u64,
    said: Said,
}

/// `taut check` on a folder, its memory watched from outside.
fn checked(out: &Path, more: &[&str], threads: &str) -> Cost {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taut"));
    command.arg("check").args(more).arg(out).stdin(Stdio::null()).env("POLARS_MAX_THREADS", threads);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let child = command.spawn().expect("the binary starts");
    let status = format!("/proc/{}/status", child.id());
    let watcher = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            // A process that has ended has no memory to speak of.
            let Some(line) = text.lines().find(|line| line.starts_with("VmHWM:")) else { break };
            let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
            peak = peak.max(kilobytes.unwrap_or(0) * 1024);
            std::thread::sleep(Duration::from_millis(2));
        }
        peak
    });
    let said = support::study::watch(child, Duration::from_secs(600));
    let seconds = began.elapsed().as_secs_f64();
    Cost { seconds, peak_bytes: watcher.join().expect("it only reads"), said }
}

#[test]
#[ignore = "half a minute: a claim over a million groups"]
fn a_million_groups_are_asked_and_shown_in_one_row() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let by_cell = "SELECT cell, x FROM cells";
    let claims = json!([claim("every cell is inside", by_cell, ("at_most", json!(0.999_999)), &["cell"])]);
    manifest(&out, &["cells"], 1, claims);
    let mut rows = Rows::new(&schema("cells", &[("cell", ColumnType::Int64), ("x", ColumnType::Float64)]));
    for cell in 0..1_000_000u64 {
        rows.push_int(0, Some(cell as i64));
        rows.push_float(1, Some(mixed(cell)));
    }
    write(&out, 0, &rows);
    let text = checked(&out, &[], "2");
    println!("table: {:.2} s, {:.0} MB at most\n{}", text.seconds, text.peak_bytes as f64 / 1e6, text.said.stdout);
    assert!(text.said.stdout.lines().count() < 8, "one row");
    let json = checked(&out, &["--json"], "2");
    println!("JSON: {:.2} s, {:.0} MB at most", json.seconds, json.peak_bytes as f64 / 1e6);
    assert_eq!(json.said.json()["claims"][0]["groups"].as_array().map(Vec::len), Some(1_000_000));
    let table = support::table(&out, "claims");
    assert_eq!(table.rows(), 1_000_000);
    assert!(table.ints("claim").expect("numbers").iter().all(|claim| *claim == Some(1)));
}

#[test]
#[ignore = "writes 1 GB and takes a minute: the promise of `taut check` on 10⁷ rows"]
fn five_claims_over_ten_million_rows_take_seconds_and_little_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    large_study(&out);
    let bytes = taut_store::Folder::at(&out).bytes().expect("just written");
    let mut costs: Vec<Cost> = (0..5).map(|_| checked(&out, &["--json"], "2")).collect();
    costs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    for cost in &costs {
        println!(
            "{:.2} s, {:.0} MB at most, tables of {:.0} MB",
            cost.seconds,
            cost.peak_bytes as f64 / 1e6,
            bytes as f64 / 1e6
        );
    }
    println!("{}", costs[0].said.stdout);
    let worst = costs.iter().map(|cost| cost.peak_bytes).max().expect("five");
    assert!(worst < 1_000_000_000, "{worst} bytes");
    assert!(costs[0].seconds < 5.0, "{} s", costs[0].seconds);
}
