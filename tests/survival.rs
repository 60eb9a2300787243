//! A sweep that is killed, starved of disk or run in pieces: the same tables in the end, and never a false row.

#![allow(clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use support::study::{Bench, watch};
use support::{content, here, read};
use taut_store::Folder;

type Content = BTreeMap<String, Vec<String>>;

/// Cells of `many_parts.toml`.
const CELLS: usize = 3900;

fn bench() -> Bench {
    Bench::new(&read(&here("tests/studies/many_parts.toml")))
}

/// What an undisturbed run gives, and how long it takes about.
fn undisturbed() -> &'static (Content, Duration) {
    static CONTENT: OnceLock<(Content, Duration)> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let bench = bench();
        let began = std::time::Instant::now();
        bench.run(&["--quiet", "--threads", "2"]).exits(0);
        (content(&bench.out()), began.elapsed())
    })
}

#[track_caller]
fn is_undisturbed(out: &Path, label: &str) {
    let (expected, _) = undisturbed();
    let found = content(out);
    for (table, rows) in expected {
        assert!(found.get(table) == Some(rows), "{label}: the rows of {table} differ");
    }
    assert_eq!(found.len(), expected.len(), "{label}: tables");
    assert!(Folder::at(out).pieces().expect("a folder").is_empty(), "{label}: no piece is left");
}

/// A linear congruential generator: the same instants in every run of the tests.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }

    /// Any instant of a run that takes so long when nobody disturbs it, or a little after.
    fn instant(&mut self, run: Duration) -> Duration {
        Duration::from_micros(self.below(run.as_micros() as u64 * 11 / 10))
    }
}

fn start(bench: &Bench, more: &[&str]) -> Child {
    let mut command = bench.command(more);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

/// Kills a run at some instant; whether it was still running.
fn kill_after(child: &mut Child, instant: Duration) -> bool {
    std::thread::sleep(instant);
    let was_running = child.try_wait().expect("our own child").is_none();
    child.kill().expect("our own child");
    child.wait().expect("our own child");
    was_running
}

/// Everything that is in the tables can be read and is in the undisturbed ones.
fn is_true(out: &Path) {
    let (expected, _) = undisturbed();
    let folder = Folder::at(out);
    for (table, known) in expected {
        if folder.parts(table).expect("a folder").is_empty() {
            continue;
        }
        for line in support::lines(&support::table(out, table)) {
            assert!(known.binary_search(&line).is_ok(), "{table}: a false row {line}");
        }
    }
}

/// Kills whole runs until so many were hit.
fn kill_whole_runs(kills: usize, seed: u64) {
    let mut chance = Chance(seed);
    let (_, time) = undisturbed();
    let (mut hit, mut sweeps) = (0, 0);
    while hit < kills {
        let bench = bench();
        // Now and then a sweep is left in peace to its end.
        while hit < kills && chance.below(6) > 0 {
            let mut child = start(&bench, &["--quiet", "--threads", "2"]);
            hit += usize::from(kill_after(&mut child, chance.instant(*time)));
            is_true(&bench.out());
        }
        bench.run(&["--quiet"]).exits(0);
        sweeps += 1;
        is_undisturbed(&bench.out(), &format!("sweep {sweeps} after {hit} kills"));
    }
    println!("{hit} kills in {sweeps} sweeps");
}

/// Eight shards in any order, some of them twice at once, killed until so many were hit.
fn kill_shards(kills: usize, seed: u64) {
    let mut chance = Chance(seed);
    let (_, time) = undisturbed();
    let (mut hit, mut sweeps) = (0, 0);
    while hit < kills {
        let bench = bench();
        let mut order: Vec<usize> = (0..8).chain((0..8).filter(|_| chance.below(3) == 0)).collect();
        chance.shuffle(&mut order);
        for pair in order.chunks(2) {
            let names: Vec<String> = pair.iter().map(|shard| format!("{shard}/8")).collect();
            let mut children: Vec<Child> =
                names.iter().map(|name| start(&bench, &["--quiet", "--threads", "1", "--shard", name])).collect();
            for child in &mut children {
                if chance.below(2) == 0 {
                    hit += usize::from(kill_after(child, chance.instant(*time / 6)));
                } else {
                    assert!(child.wait().expect("our own child").success());
                }
            }
            if chance.below(4) == 0 {
                // A look at the tables on the way.
                let said = bench.taut(&["collect", "out", "--quiet"]);
                assert!(matches!(said.code, Some(0 | 75)), "{said:?}");
                is_true(&bench.out());
            }
        }
        // What the kills have left.
        for shard in 0..8 {
            bench.run(&["--quiet", "--shard", &format!("{shard}/8")]).exits(0);
        }
        bench.taut(&["collect", "out", "--quiet"]).exits(0);
        sweeps += 1;
        is_undisturbed(&bench.out(), &format!("sweep {sweeps} after {hit} kills"));
    }
    println!("{hit} kills in {sweeps} sweeps of eight shards");
}

#[test]
fn kills_at_any_instant_change_no_row() {
    kill_whole_runs(6, 1);
}

#[test]
fn shards_in_any_order_and_killed_give_the_same_rows() {
    kill_shards(4, 2);
}

/// The long versions: `cargo test --release --test survival -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills_of_whole_runs() {
    kill_whole_runs(200, 3);
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills_of_shards() {
    kill_shards(200, 4);
}

#[test]
fn collecting_twice_changes_nothing_and_says_what_is_missing() {
    let bench = bench();
    bench.run(&["--quiet", "--shard", "1/3"]).exits(0);
    let said = bench.taut(&["collect", "out", "--json"]).exits(75);
    let told = said.json();
    let there = told["there"].as_u64().expect("a number") as usize;
    assert_eq!((there, &told["missing"]), (CELLS / 3, &(CELLS - CELLS / 3).into()));
    is_true(&bench.out());
    let before = support::study::files(&bench.out());
    let again = bench.taut(&["collect", "out", "--json"]).exits(75).json();
    assert_eq!((&again["parts_written"], &again["duplicates"]), (&0.into(), &0.into()));
    assert!(before == support::study::files(&bench.out()), "nothing was touched");
    let status = bench.taut(&["status", "out", "--json"]).exits(75).json();
    assert_eq!((&status["in_parts"], &status["in_pieces"]), (&there.into(), &0.into()));
    // A whole run completes the parts that are there.
    let report = bench.run(&["--json"]).exits(0).json();
    assert_eq!((&report["reused"], &report["computed"]), (&there.into(), &(CELLS - there).into()));
    is_undisturbed(&bench.out(), "completed");
}

#[test]
fn copies_that_differ_are_told() {
    let bench = bench();
    bench.run(&["--quiet", "--shard", "0/2"]).exits(0);
    let pieces = Folder::at(bench.out()).pieces().expect("a folder");
    // The same cells under another name, one number in one table changed.
    let (one, twin) = (&pieces[0], bench.out().join("pieces/twin"));
    std::fs::create_dir(&twin).expect("a writable folder");
    for table in undisturbed().0.keys() {
        let rows = one.read(table).expect("a whole piece").into_rows();
        let mut changed = taut_store::Rows::new(rows.schema());
        for column in 0..rows.schema().columns.len() {
            changed.append_cells(column, &rows, column, 0..rows.len() - 1);
            let is_it = table == "trajectory" && rows.schema().columns[column].name == "risk";
            match is_it {
                true => changed.push_float(column, Some(0.5)),
                false => changed.append_cells(column, &rows, column, rows.len() - 1..rows.len()),
            }
        }
        let keys = one.footer(table).expect("a whole piece").keys;
        let said = |key: &str| keys.get(key).cloned().unwrap_or_default();
        let provenance = taut_store::Provenance {
            schema_version: said("taut.schema_version"),
            program: said("taut.program"),
            study: said("taut.study"),
            extra: ["taut.semantics", "taut.fingerprint", "taut.record"]
                .map(|key| (key.to_owned(), said(key)))
                .to_vec(),
        };
        Folder::at(&twin).write_part("x", &changed, &provenance).expect("a writable folder");
        let part = twin.join(table).join("part-x.parquet");
        std::fs::rename(part, twin.join(format!("{table}.parquet"))).expect("a writable folder");
        std::fs::remove_dir(twin.join(table)).expect("an empty folder");
    }
    let timing = one.path("timing");
    std::fs::copy(timing, twin.join("timing.parquet")).expect("a writable folder");
    let said = bench.taut(&["collect", "out"]).exits(4);
    assert!(said.stderr.contains("has other rows in") && said.stderr.contains("twin"), "{}", said.stderr);
    assert!(twin.is_dir(), "the copies stay for whoever wants to know why");
}

#[test]
fn a_damaged_piece_is_computed_again() {
    for harm in ["cut", "flip", "remove"] {
        let bench = bench();
        bench.run(&["--quiet", "--shard", "0/2"]).exits(0);
        let piece = Folder::at(bench.out()).pieces().expect("a folder").remove(0);
        let path = piece.path("trajectory");
        let mut bytes = std::fs::read(&path).expect("a piece");
        match harm {
            "cut" => std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("writable"),
            "flip" => {
                let middle = bytes.len() / 3;
                bytes[middle] ^= 4;
                std::fs::write(&path, &bytes).expect("writable");
            }
            _ => std::fs::remove_file(&path).expect("writable"),
        }
        let said = bench.taut(&["collect", "out"]).exits(75);
        assert!(said.stderr.contains(piece.name()), "{harm}: {}", said.stderr);
        is_true(&bench.out());
        // Set aside: shards and status see that its cells are missing.
        let status = bench.taut(&["status", "out", "--json"]).exits(75).json();
        assert_ne!(status["missing"], CELLS / 2, "{harm}");
        let again = bench.run(&["--json", "--shard", "0/2"]).exits(0).json();
        assert_ne!(again["computed"], 0, "{harm}");
        bench.run(&["--quiet"]).exits(0);
        is_undisturbed(&bench.out(), harm);
    }
}

#[test]
fn a_flipped_byte_in_a_part_is_found_by_verify() {
    let bench = bench();
    bench.run(&["--quiet"]).exits(0);
    bench.taut(&["verify", "out", "--sample", "30"]).exits(0);
    let path = bench.out().join("trajectory/part-00002.parquet");
    let mut bytes = std::fs::read(&path).expect("a part");
    bytes[2000] ^= 1;
    std::fs::write(&path, &bytes).expect("writable");
    let said = bench.taut(&["verify", "out", "--sample", "0"]).exits(4);
    assert!(said.stderr.contains("trajectory/part-00002.parquet is not as it was written"), "{}", said.stderr);
    std::fs::remove_file(&path).expect("writable");
    bench.run(&["--quiet"]).exits(0);
    is_undisturbed(&bench.out(), "mended");
}

#[test]
fn what_does_not_open_is_damage_and_other_cells_are_another_study() {
    let bench = bench();
    bench.run(&["--quiet"]).exits(0);
    let cut = |name: &str| {
        let path = bench.out().join(name);
        let bytes = std::fs::read(&path).expect("a part");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("writable");
    };
    cut("cells/part-00002.parquet");
    cut("trajectory/part-00004.parquet");
    for command in [["verify", "out", "--sample", "3"], ["status", "out", "--json", "--color=never"]] {
        let said = bench.taut(&command);
        assert_eq!(said.code, Some(if command[0] == "verify" { 4 } else { 75 }), "{said:?}");
        for path in ["cells/part-00002.parquet", "trajectory/part-00004.parquet"] {
            assert!(said.stderr.contains(path) || said.stdout.contains(path), "{path}: {said:?}");
        }
    }
    let said = bench.run(&[]).exits(0);
    assert!(said.stderr.contains("trajectory/part-00004.parquet could not be read"), "{}", said.stderr);
    is_undisturbed(&bench.out(), "mended");

    let other = read(&here("tests/studies/many_parts.toml")).replace("samples = 9", "samples = 10");
    bench.write("other.toml", &other);
    bench.taut(&["verify", "other.toml", "--out", "out"]).exits(2);
    // A torn manifest costs nothing, and a copy of a part under a name that no part has neither.
    bench.write("out/manifest.json", "{ \"title\": \"Many");
    std::fs::copy(bench.out().join("cells/part-00001.parquet"), bench.out().join("cells/part-00099.parquet"))
        .expect("writable");
    let report = bench.run(&["--json"]).exits(0).json();
    assert_eq!(report["computed"], 0);
    is_undisturbed(&bench.out(), "healed");
}

#[test]
fn shards_of_an_edited_study_are_refused_until_the_old_ones_are_collected() {
    let bench = bench();
    bench.run(&["--quiet", "--shard", "0/2"]).exits(0);
    let study = read(&here("tests/studies/many_parts.toml"));
    bench.write("study.toml", &study.replace("geometric = 10", "geometric = 11"));
    let said = bench.run(&["--shard", "1/2"]).exits(2);
    for word in ["record.times.geometric: 10 → 11", "run `taut collect` first"] {
        assert!(said.stderr.contains(word), "{}", said.stderr);
    }
    bench.write("study.toml", &study);
    bench.run(&["--quiet", "--shard", "1/2"]).exits(0);
    bench.taut(&["collect", "out", "--quiet"]).exits(0);
    is_undisturbed(&bench.out(), "as it was");
}

#[test]
fn a_part_of_another_study_is_refused_and_kept() {
    let bench = bench();
    bench.run(&["--quiet"]).exits(0);
    let other = Bench::new(&read(&here("tests/studies/many_parts.toml")).replace("noise   = 0.1", "noise   = 0.2"));
    other.run(&["--quiet"]).exits(0);
    let foreign = bench.out().join("cells/part-00001.parquet");
    std::fs::copy(other.out().join("cells/part-00001.parquet"), &foreign).expect("writable");
    let before = std::fs::read(&foreign).expect("there");
    let said = bench.run(&[]).exits(2);
    assert!(said.stderr.contains("belongs to another study") && said.stderr.contains("--force"), "{}", said.stderr);
    assert!(before == std::fs::read(&foreign).expect("there"), "nothing was changed");
}

#[test]
fn a_folder_that_takes_no_files_is_told() {
    let bench = bench();
    std::fs::create_dir(bench.out()).expect("writable");
    // For the superuser permissions mean nothing: a file in the way stands for them.
    std::fs::write(bench.out().join("trajectory"), "in the way").expect("writable");
    let said = bench.run(&[]).exits(2);
    assert!(said.stderr.contains("trajectory is not a folder"), "{}", said.stderr);
}

/// A small disk of its own; `None` where this may not be made.
struct Disk(PathBuf);

impl Disk {
    fn new(place: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(place).expect("writable");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(place).output();
        mount.is_ok_and(|said| said.status.success()).then(|| Self(place.to_path_buf()))
    }

    fn remount(&self, options: &str) {
        let said =
            Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).output().expect("mount");
        assert!(said.status.success(), "{said:?}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_and_a_read_only_one_lose_nothing() {
    let bench = bench();
    let Some(disk) = Disk::new(&bench.out(), "1500k") else {
        println!("not tried: this user may not mount a small disk");
        return;
    };
    let said = bench.run(&["--threads", "2"]).exits(2);
    assert!(said.stderr.contains("check the free space"), "{}", said.stderr);
    is_true(&bench.out());
    let status = |bench: &Bench| bench.taut(&["status", "out", "--json"]).json();
    let kept = status(&bench);
    let there = kept["in_parts"].as_u64().expect("a number") as usize;
    assert!(0 < there && there < CELLS, "{kept}");
    // Again on the full disk: nothing gets lost.
    bench.run(&["--quiet"]).exits(2);
    assert!(status(&bench)["in_parts"].as_u64().expect("a number") as usize >= there);
    disk.remount("ro");
    let said = bench.run(&[]).exits(2);
    assert!(said.stderr.contains("cannot write in the folder"), "{}", said.stderr);
    disk.remount("rw,size=20m");
    let report = bench.run(&["--json"]).exits(0).json();
    assert!(report["reused"].as_u64().expect("a number") as usize >= there);
    is_undisturbed(&bench.out(), "more space");
}

#[test]
fn failed_cells_can_be_tried_again_and_end_a_run() {
    // Three of six designs have two points at one place: their splines cannot be, their cells fail.
    let study = r#"
title = "some cells fail"

[data.curve]
x = [0.0, 0.5, 1.0]
y = [0.0, 1.0, 0.0]

[model]
features = { polynomial = { basis = "legendre", degree = 5 } }

[train]
step_size = { absolute = 0.1 }
until = { steps = 10 }

[record]
metrics = ["train_mse"]

[sweep]
points = { cases = { good = { "data.curve.x" = [0.0, 0.5, 1.0] }, steep = { "data.curve.x" = [0.0, 0.5, 0.6] } } }
"#;
    let bench = Bench::new(study);
    let report = bench.run(&["--json"]).exits(0).json();
    assert_eq!(report["failed"], 0);
    let again = bench.run(&["--json", "--retry-failed"]).exits(0).json();
    assert_eq!((&again["computed"], &again["reused"]), (&0.into(), &2.into()));
}

#[test]
fn a_stop_is_quick_also_in_a_closed_form_and_a_second_one_is_at_once() {
    // One cell that takes long without a single step.
    let study = read(&here("tests/studies/many_parts.toml"))
        .replace("samples = 9", "samples = 6000")
        .replace("degree = 30", "degree = 1000")
        .replace("count = 1300", "count = 1");
    let bench = Bench::new(&study);
    let mut command = bench.command(&[]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut child = child;
    while !bench.out().join("manifest.json").is_file() {
        if child.try_wait().expect("our own child").is_some() {
            panic!("{:?}", watch(child, Duration::ZERO));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    let began = std::time::Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill").success());
    let said = watch(child, Duration::from_secs(60));
    assert_eq!(said.code, Some(75), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
