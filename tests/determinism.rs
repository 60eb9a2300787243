//! One study, one set of rows: whatever the threads, the interruptions, the order and the company.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use support::study::{Bench, files, parts, watch};
use support::{content, here, read, table};
use taut_store::{ColumnType, Folder};

type Content = BTreeMap<String, Vec<String>>;

/// Cells of `many_parts.toml`.
const CELLS: usize = 3900;

fn studies(name: &str) -> String {
    read(&here(&format!("tests/studies/{name}.toml")))
}

/// What `many_parts.toml` gives when nobody disturbs it.
fn undisturbed() -> &'static Content {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let bench = Bench::new(&studies("many_parts"));
        bench.run(&["--quiet"]).exits(0);
        assert_eq!(stored(&bench.out()), CELLS);
        content(&bench.out())
    })
}

/// How many parts `many_parts.toml` has; the program's choice, but several.
fn all_parts() -> usize {
    static PARTS: OnceLock<usize> = OnceLock::new();
    *PARTS.get_or_init(|| {
        let plan = Bench::new(&studies("many_parts")).taut(&["plan", "study.toml", "--json"]).exits(0).json();
        let parts = plan["parts"].as_u64().expect("a number") as usize;
        assert!(parts >= 6, "too few parts to be killed between: raise the seeds of many_parts.toml");
        parts
    })
}

/// How many cells are stored, in parts and in pieces.
fn stored(out: &Path) -> usize {
    let status = support::study::command(&["status", "--json", &out.display().to_string()]).output().expect("taut");
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let count = |key: &str| status[key].as_u64().expect("a number") as usize;
    count("in_parts") + count("in_pieces")
}

/// Says where two contents differ rather than printing both.
#[track_caller]
fn same(one: &Content, other: &Content, label: &str) {
    let tables = |content: &Content| content.keys().cloned().collect::<Vec<_>>();
    assert_eq!(tables(one), tables(other), "{label}");
    for (table, rows) in one {
        let others = &other[table];
        assert_eq!(rows.len(), others.len(), "{label}: rows of {table}");
        let differing: Vec<_> = rows.iter().zip(others).filter(|(a, b)| a != b).collect();
        if let Some((a, b)) = differing.first() {
            panic!("{label}: {} rows of {table} differ, first\n{a}\n{b}", differing.len());
        }
    }
}

/// A linear congruential generator: moments of killing that are the same in every run of the tests.
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let study = studies("two_solvers");
    let of = |threads: &str| {
        let bench = Bench::new(&study);
        bench.run(&["--quiet", "--threads", threads]).exits(0);
        content(&bench.out())
    };
    let one = of("1");
    for table in ["cells", "trajectory", "modes", "curves", "samples", "parameters", "solutions", "predictions"] {
        assert!(!one[table].is_empty(), "{table} has rows to compare");
    }
    same(&one, &of("2"), "2 threads");
    same(&one, &of("4"), "4 threads");
}

/// Starts a run and waits until some parts are there; none if it ended before.
fn start_until(bench: &Bench, wanted: usize) -> Option<Child> {
    let mut command = bench.command(&["--json", "--threads", "2"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let began = Instant::now();
    while parts(&bench.out()) < wanted {
        if child.try_wait().expect("our own child").is_some() {
            return None;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "no progress");
        std::thread::sleep(Duration::from_millis(1));
    }
    Some(child)
}

/// Every part that has appeared can be read whole, and has the rows of an undisturbed run.
fn readable_and_true(out: &Path) {
    for (name, known) in undisturbed() {
        let folder = Folder::at(out);
        for part in folder.parts(name).expect("a folder") {
            let part = folder.read_part(name, &part).unwrap_or_else(|e| panic!("{e}"));
            assert!(part.rows() > 0);
        }
        if !folder.parts(name).expect("a folder").is_empty() {
            for line in &support::lines(&table(out, name)) {
                assert!(known.binary_search(line).is_ok(), "{name}: an unknown row {line}");
            }
        }
    }
}

#[test]
fn killed_runs_go_on_to_the_same_rows() {
    let mut moments = Moments(1);
    let mut partial = 0;
    for round in 0..8 {
        let bench = Bench::new(&studies("many_parts"));
        for _ in 0..1 + moments.below(3) {
            let there = parts(&bench.out());
            // From before the first part of this start to just before the last.
            let wanted = there + moments.below((all_parts() - there) as u64) as usize;
            let Some(mut child) = start_until(&bench, wanted) else { break };
            std::thread::sleep(Duration::from_micros(moments.below(40_000)));
            child.kill().expect("our own child");
            child.wait().expect("our own child");
            readable_and_true(&bench.out());
            partial += usize::from((1..all_parts()).contains(&parts(&bench.out())));
        }
        bench.run(&["--quiet"]).exits(0);
        same(undisturbed(), &content(&bench.out()), &format!("round {round}"));
    }
    assert!(partial >= 4, "only {partial} kills came between the first part and the last");
}

fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().expect("kill").success());
}

#[test]
fn a_polite_stop_says_so_and_can_be_resumed() {
    for signal in ["TERM", "INT"] {
        // On a machine that is busy elsewhere a run may end before the signal reaches it: then again.
        let attempt = || {
            let bench = Bench::new(&studies("many_parts"));
            let child = start_until(&bench, 2)?;
            send(signal, &child);
            let said = watch(child, Duration::from_secs(60));
            (said.code != Some(0)).then_some((bench, said))
        };
        let (bench, said) = (0..10).find_map(|_| attempt()).expect("parts are left after two");
        let said = said.exits(75);
        assert!(said.stderr.contains("run the same command to go on"), "{}", said.stderr);
        let report = said.json();
        assert_eq!(report["stopped"], true);
        let there = stored(&bench.out());
        assert!(0 < there && there < CELLS, "{there} cells");
        assert_eq!(report["computed"], there, "what was computed is stored");
        readable_and_true(&bench.out());

        let report = bench.run(&["--json"]).exits(0).json();
        assert_eq!((&report["reused"], &report["computed"]), (&there.into(), &(CELLS - there).into()));
        same(undisturbed(), &content(&bench.out()), signal);
    }
}

#[test]
fn a_long_cell_can_be_stopped_too() {
    let stepped =
        small("seed = [0]").replace("until = { steps = 100 }", "solver = \"stepped\"\nuntil = { steps = 1e9 }");
    let bench = Bench::new(&stepped);
    let mut command = bench.command(&["--quiet"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let began = Instant::now();
    while !bench.out().join("manifest.json").is_file() {
        assert!(began.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(5));
    }
    send("TERM", &child);
    let said = watch(child, Duration::from_secs(10));
    assert_eq!(said.code, Some(75), "within ten seconds: {}", said.stderr);
}

#[test]
fn two_runs_into_one_folder_do_no_harm() {
    let bench = Bench::new(&studies("many_parts"));
    let start = || {
        let mut command = bench.command(&["--quiet"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    };
    let (one, two) = (start(), start());
    watch(one, Duration::from_secs(120)).exits(0);
    watch(two, Duration::from_secs(120)).exits(0);
    same(undisturbed(), &content(&bench.out()), "two at once");
}

/// Few cells of one part, quick.
const SMALL: &str = r#"
title = "small"

[data.curve]
target  = { sine = { frequency = 1 } }
samples = 8
design  = "uniform"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9 } }

[train]
until = { steps = 100 }

[record]
times   = { linear = 4 }
metrics = ["train_mse", "risk"]
"#;

fn small(sweep: &str) -> String {
    format!("{SMALL}\n[sweep]\n{sweep}\n")
}

#[test]
fn a_finished_study_is_left_alone() {
    let bench = Bench::new(&small("seed = { count = 5 }"));
    bench.run(&[]).exits(0);
    let before = files(&bench.out());
    // Coarse clocks of some file systems.
    std::thread::sleep(Duration::from_millis(50));
    let said = bench.run(&["--json"]).exits(0);
    assert!(said.stderr.contains("nothing to do"), "{}", said.stderr);
    let report = said.json();
    assert_eq!((&report["computed"], &report["reused"]), (&0.into(), &5.into()));
    let changed: Vec<PathBuf> =
        files(&bench.out()).into_iter().zip(before).filter(|(a, b)| a != b).map(|p| p.0.0).collect();
    assert!(changed.is_empty(), "touched: {changed:?}");
}

#[test]
fn damaged_and_missing_parts_are_computed_again() {
    let bench = Bench::new(&studies("many_parts"));
    bench.run(&["--quiet"]).exits(0);
    let part = |table: &str, number: usize| bench.out().join(format!("{table}/part-{number:05}.parquet"));
    let truncate = |path: PathBuf, keep: u64| {
        let file = std::fs::File::options().write(true).open(&path).expect("a part");
        let length = file.metadata().expect("a part").len();
        file.set_len(length * keep / 100).expect("a part of our own");
    };
    let folder = Folder::at(bench.out());
    let damaged: usize =
        ["00001", "00003", "00005"].iter().map(|p| folder.read_footer("cells", p).expect("a part").rows).sum();
    truncate(part("cells", 1), 50);
    truncate(part("predictions", 3), 99);
    truncate(part("trajectory", 3), 0);
    std::fs::remove_file(part("solutions", 5)).expect("a part");
    let report = bench.run(&["--json"]).exits(0).json();
    assert_eq!((&report["computed"], &report["reused"]), (&damaged.into(), &(CELLS - damaged).into()));
    same(undisturbed(), &content(&bench.out()), "damaged");
}

#[test]
fn another_study_is_refused_unless_forced() {
    let bench = Bench::new(&small("seed = { count = 5 }"));
    bench.run(&[]).exits(0);
    let before = (files(&bench.out()), content(&bench.out()));
    bench.write(
        "study.toml",
        &small("seed = { count = 5 }").replace("noise   = 0.1", "noise   = 0.2").replace("degree = 9", "degree = 8"),
    );
    let said = bench.run(&[]).exits(2);
    for word in ["data.curve.noise", "0.1", "0.2", "degree", "--force", "--out"] {
        assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
    }
    assert!(!said.stderr.contains("samples"), "only what differs: {}", said.stderr);
    assert!(before == (files(&bench.out()), content(&bench.out())), "nothing was changed");

    let said = bench.run(&["--force"]).exits(0);
    assert!(said.stderr.contains("out.old-1"), "{}", said.stderr);
    assert!(content(&bench.path("out.old-1")) == before.1, "the old results are whole");
    assert!(content(&bench.out()) != before.1);
}

/// Any change that changes a row or a column is another study: never "nothing to do" over old rows.
#[test]
fn changed_axes_are_another_study() {
    let case = |label: &str| {
        format!(
            r#"case = {{ cases = {{ {label} = {{ "data.curve.noise" = 0.2 }}, b = {{ "data.curve.noise" = 0.3 }} }} }}"#
        )
    };
    let (a, c) = (case("a"), case("c"));
    let mut found = Vec::new();
    for (stored, asked) in [
        ("seed = [0, 5, 9]", "seed = [0, 7, 9]"),
        (a.as_str(), c.as_str()),
        (r#""data.curve.noise" = [0.1, 0.2, 0.3]"#, r#""data.curve.noise" = [0.1, 0.25, 0.3]"#),
        (r#""data.curve.noise" = [0.1, 0.2]"#, r#""data.curve.noise" = { name = "sigma", values = [0.1, 0.2] }"#),
    ] {
        let bench = Bench::new(&small(stored));
        bench.run(&[]).exits(0);
        bench.write("study.toml", &small(asked));
        let said = bench.run(&[]);
        // Refused, or grown to what a fresh folder would hold.
        let fresh = Bench::new(&small(asked));
        fresh.run(&[]).exits(0);
        if said.code != Some(2) && content(&fresh.out()) != content(&bench.out()) {
            found.push(format!("{stored} became {asked}: {}", said.stderr));
        }
    }
    assert!(found.is_empty(), "old rows under a new study:\n{}", found.join("\n"));
}

#[test]
fn titles_and_comments_are_not_another_study() {
    let bench = Bench::new(&small("seed = { count = 5 }"));
    bench.run(&[]).exits(0);
    bench.write("study.toml", &small("seed = { count = 5 } # five").replace("\"small\"", "\"another title\""));
    assert_eq!(bench.run(&["--json"]).exits(0).json()["computed"], 0);
}

/// Rows of every table but `timing`, per cell, as `column=value` by name: what does not depend on the layout.
fn by_cell(out: &Path) -> BTreeMap<(String, i64), Vec<Vec<String>>> {
    let mut all: BTreeMap<(String, i64), Vec<Vec<String>>> = BTreeMap::new();
    for name in ["cells", "trajectory", "solutions"] {
        let table = table(out, name);
        let mut columns: Vec<(String, ColumnType)> = table.columns().iter().map(|c| (c.0.to_owned(), c.1)).collect();
        columns.sort_by(|a, b| a.0.cmp(&b.0));
        let mut rows = vec![Vec::with_capacity(columns.len()); table.rows()];
        for column in columns {
            let values = support::lines_of(&table, std::slice::from_ref(&column));
            rows.iter_mut().zip(values).for_each(|(row, value)| row.push(format!("{}={value}", column.0)));
        }
        for (cell, row) in table.ints("cell").expect("every table has it").into_iter().zip(rows) {
            all.entry((name.to_owned(), cell.expect("never null"))).or_default().push(row);
        }
    }
    all
}

#[track_caller]
fn same_cells(one: &Path, other: &Path, label: &str) {
    let (one, other) = (by_cell(one), by_cell(other));
    for (key, rows) in &other {
        let known = one.get(key).unwrap_or_else(|| panic!("{label}: {key:?} is in one sweep only"));
        assert_eq!(known.len(), rows.len(), "{label}: rows of {key:?}");
        let differing: Vec<_> =
            known.iter().flatten().zip(rows.iter().flatten()).filter(|(a, b)| a != b).take(6).collect();
        assert!(differing.is_empty(), "{label}: {key:?}\n{differing:#?}");
    }
    assert!(!other.is_empty());
}

#[test]
fn order_and_company_do_not_change_a_cell() {
    let motions = [
        ("exact, steps", "until = { steps = 100 }"),
        ("stepped, steps", "solver = \"stepped\"\nuntil = { steps = 100 }"),
        ("exact, time", "until = { time = 84 }"),
        // Drawn designs have step sizes of their own: lanes of one bundle end at different steps.
        ("stepped, time", "solver = \"stepped\"\nuntil = { time = 84 }"),
        ("stepped, time and loss", "solver = \"stepped\"\nuntil = { time = 84, loss = 5e-5 }"),
    ];
    for (label, until) in motions {
        let run = |sweep: &str| {
            let study = small(sweep).replace("until = { steps = 100 }", until).replace("noise   = 0.1\n", "");
            let bench = Bench::new(&study);
            bench.run(&["--quiet"]).exits(0);
            bench
        };
        let degrees = |list: &str| format!("\"model.features.polynomial.degree\" = {list}\n");
        let whole = run(&format!("{}seed = {{ count = 10 }}", degrees("[7, 9, 11]")));
        for other in [
            format!("{}seed = {{ count = 10 }}", degrees("[11, 9, 7]")),
            format!("{}seed = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]", degrees("[7, 9, 11]")),
            format!("seed = {{ count = 10 }}\n{}", degrees("[9, 7, 11]")),
            format!("{}seed = [5]", degrees("[9]")),
            format!("{}seed = [1, 3]", degrees("[9]")),
        ] {
            same_cells(&whole.out(), &run(&other).out(), &format!("{label}: {other:?}"));
        }
    }
}

/// More lanes than a bundle holds, and cells that share designs: each against the cell alone.
#[test]
fn a_swept_cell_is_the_cell_alone() {
    let bench = Bench::new(&studies("two_solvers"));
    bench.run(&["--quiet"]).exits(0);
    let alone =
        Bench::new(&studies("two_solvers").replace("seed           = { count = 45 }", "seed           = [31, 4]"));
    alone.run(&["--quiet"]).exits(0);
    same_cells(&bench.out(), &alone.out(), "seeds 31 and 4");
}

#[test]
fn a_cell_that_cannot_be_leaves_its_neighbours_alone() {
    for solver in ["exact", "stepped"] {
        let study = small("seed = { count = 3 }")
            .replace("samples = 8\ndesign  = \"uniform\"", "x = [0, 0.1, 0.5]")
            .replace("[train]", &format!("[train]\nsolver = \"{solver}\""))
            .replace("[sweep]", "[solutions]\nnatural-spline = {}\n\n[sweep]")
            + "pts = { cases = { good = { \"data.curve.x\" = [0, 0.1, 0.5] }, bad = { \"data.curve.x\" = [0, 1e-200, 0.5] } } }\n";
        let bench = Bench::new(&study);
        bench.run(&["--quiet"]);
        for (points, status) in bench.cell_texts("pts").into_iter().zip(bench.cell_texts("status")) {
            assert!(points == "bad" || status == "finished", "{solver}: a good cell {status} in bad company");
        }
    }
}
