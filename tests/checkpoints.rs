//! Long cells that are killed, stopped and taken up again in the middle: the same bits, and little of it twice.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{content, here, read};
use taut_sweep::study::Changes;
use taut_sweep::{Folder, Progress, RunOptions, RunReport, Shard};

type Content = BTreeMap<String, Vec<String>>;

/// Lanes side by side with everything that is drawn, an average, and seeds that make no full bundle.
const LANES: &str = r#"
title = "Long lanes"
[data.gaussian]
samples = 30
inputs  = 10
noise   = 0.3
[model]
features = { random-relu = { count = 40 } }
[train]
method    = { sgd = { batch = 3, replacement = false } }
step_size = { absolute = 0.001 }
noise     = { labels = 0.2, gradient = 0.1, curvature = 0.1 }
average   = { after = { steps = 10000 } }
until     = { steps = 40000 }
[record]
times  = { geometric = 40 }
tables = ["parameters"]
[sweep]
seed = { count = 3 }
"#;

const MOMENTS: &str = r#"
title = "Long moments"
[data.gaussian]
samples = 30
inputs  = 10
noise   = 0.3
[model]
features = { random-relu = { count = 40 } }
[train]
method    = { sgd = { batch = 3 } }
step_size = { absolute = 0.001 }
solver    = "moments"
until     = { steps = 15000 }
[record]
times = { geometric = 10 }
[sweep]
seed = { count = 2 }
"#;

const FLOW: &str = r#"
title = "A long flow"
[data.gaussian]
samples = 30
inputs  = 10
noise   = 0.3
[model]
parametrization = { deep-linear = { widths = [10, 10] } }
features        = "identity"
init            = { gaussian = { scale = 0.5 } }
[train]
method = "gradient-flow"
solver = "adaptive"
until  = { time = 5000 }
[record]
times = { geometric = 5 }
"#;

/// Tells the process that it is to run a study itself, and where.
const STUDY: &str = "TAUT_TEST_STUDY";

/// Tells it to take the only shard, which needs nobody's leave.
const SHARD: &str = "TAUT_TEST_SHARD";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(study: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(place.study(), study).expect("writable");
        place
    }

    fn study(&self) -> PathBuf {
        self.folder.path().join("study.toml")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn checkpoints(&self) -> Vec<PathBuf> {
        let Ok(listed) = std::fs::read_dir(self.out().join("checkpoints")) else { return Vec::new() };
        let paths = listed.map(|entry| entry.expect("a readable folder").path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "ckpt")).collect()
    }

    /// A run in a process of its own, with a checkpoint whenever one is possible.
    fn start(&self) -> Child {
        self.start_with(&[])
    }

    fn start_with(&self, variables: &[(&str, &str)]) -> Child {
        let this = std::env::current_exe().expect("a test is a program");
        let mut command = Command::new(this);
        command.args(["--exact", "the_run_that_the_other_tests_kill", "--ignored"]).env(STUDY, self.study());
        command.envs(variables.iter().copied());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    }

    fn finish(&self) {
        assert!(self.start().wait().expect("our own child").success());
    }

    /// Says that nothing is left but the rows, and which.
    fn rows(&self) -> Content {
        // What a kill in the middle of a write has left lies under a hidden name for a minute.
        assert!(self.checkpoints().is_empty(), "checkpoints are removed with the last part");
        content(&self.out())
    }
}

/// Runs a study here, all of it or its only shard.
fn run_with(
    study: &Path,
    after: Duration,
    threads: usize,
    shard: bool,
    stop: &AtomicBool,
    began: &Arc<Began>,
) -> RunReport {
    let plan = Arc::new(taut_sweep::load(study, &Changes { quick: false, set: &[] }).expect("a study"));
    let folder = Folder::at(study.with_file_name("out"));
    let options = RunOptions {
        threads,
        force: false,
        shard: shard.then_some(Shard { index: 0, of: 1 }),
        retry_failed: false,
        max_failures: None,
        program: "a test".to_owned(),
        host: "here".to_owned(),
        checkpoint_after: after,
    };
    let progress: Arc<dyn Progress> = Arc::<Began>::clone(began);
    taut_sweep::run(&plan, &folder, &options, &progress, stop).expect("a writable folder")
}

/// The same without an end.
fn run(study: &Path, after: Duration, threads: usize) -> RunReport {
    run_with(study, after, threads, false, &AtomicBool::new(false), &Arc::default())
}

/// Notes when cells begin to be computed.
#[derive(Default)]
struct Began(AtomicBool);

impl Progress for Began {
    fn waiting(&self) {}
    fn started(&self, _cells: usize, _reused: usize) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn cells_done(&self, _count: usize) {}
    fn stopping(&self) {}
}

#[test]
#[ignore = "a process that the other tests of this file start and kill"]
fn the_run_that_the_other_tests_kill() {
    if let Some(study) = std::env::var_os(STUDY) {
        let is_shard = std::env::var_os(SHARD).is_some();
        run_with(Path::new(&study), Duration::ZERO, 1, is_shard, &AtomicBool::new(false), &Arc::default());
    }
}

#[track_caller]
fn same(one: &Content, other: &Content, label: &str) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{label}");
    for (table, rows) in one {
        assert!(*rows == other[table], "{label}: {table} differs");
    }
}

/// Runs a study whose processes live for a third of what it takes, so that no process can finish it alone. On a machine
/// that is busy elsewhere for a moment what it takes says little: then again.
fn killed_again_and_again(name: &str, study: &str) {
    let undisturbed = Place::new(study);
    undisturbed.finish();
    for _ in 0..5 {
        let began = Instant::now();
        Place::new(study).finish();
        let (place, whole) = (Place::new(study), began.elapsed());
        let kills = finish_in_lives(&place, whole / 3);
        eprintln!("{name}: {kills} kills, {whole:?} in one go");
        same(&undisturbed.rows(), &place.rows(), name);
        if kills >= 2 {
            return;
        }
    }
    panic!("{name}: no three lives in five attempts");
}

/// Kills processes after so long until one comes to the end; how many were killed.
fn finish_in_lives(place: &Place, life: Duration) -> usize {
    for kills in 0..60 {
        let mut child = place.start();
        let began = Instant::now();
        while began.elapsed() < life {
            if let Some(status) = child.try_wait().expect("our own child") {
                assert!(status.success());
                return kills;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("our own child");
        child.wait().expect("our own child");
    }
    panic!("it gets nowhere in lives of {life:?}");
}

#[test]
fn killed_lanes_go_on_where_they_were() {
    killed_again_and_again("lanes", LANES);
}

#[test]
fn killed_moments_go_on_where_they_were() {
    killed_again_and_again("moments", MOMENTS);
}

#[test]
fn killed_flows_go_on_where_they_were() {
    killed_again_and_again("flow", FLOW);
}

/// Stops a run so long after it began to compute; the report says whether it was in time.
fn stopped_after(place: &Place, after: Duration, life: Duration, threads: usize) -> RunReport {
    let (stop, began, over) = (AtomicBool::new(false), Arc::<Began>::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !began.0.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            let began = Instant::now();
            while began.elapsed() < life && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            stop.store(true, Ordering::Relaxed);
        });
        let report = run_with(&place.study(), after, threads, false, &stop, &began);
        over.store(true, Ordering::Relaxed);
        report
    })
}

/// Networks of several widths, reduced or not and up to a loss: a bundle whose cells go one after the other.
const NETWORKS: &str = r#"
title = "Networks up to a loss"
[data.teacher]
inputs          = 6
outputs         = 4
singular_values = [2.0, 1.2, 0.5]
samples         = 20
noise           = 0.1
[model]
features        = "identity"
parametrization = { deep-linear = { widths = [30, 30] } }
init            = { gaussian = { scale = 0.3 } }
[train]
step_size = { absolute = 0.003 }
until     = { steps = 30000, loss = 0.2 }
[record]
times   = { every = 300 }
metrics = ["loss", "balancedness_identity_error"]
tables  = ["factors"]
[sweep]
"train.step_size.absolute" = [0.001, 0.002, 0.003]
"train.penalty.ridge"      = [0.0, 0.01]
"train.until.loss"         = { name = "end", values = [0.5, 1e-9] }
[sweep.network.cases]
reduced = { "model.parametrization" = { deep-linear = { widths = [30] } } }
wide = { "model.parametrization" = { deep-linear = { widths = [26, 26] } } }
small = { "model.parametrization" = { deep-linear = { widths = [5] } } }
"#;

/// Every kind of motion, in lives of a few milliseconds each: nearly every cell is interrupted somewhere.
#[test]
fn motions_that_are_stopped_everywhere_go_on_to_the_same_rows() {
    let noisy = read(&here("tests/studies/noisy_motions.toml")).replace("steps = 300", "steps = 3000");
    let balance = read(&here("experiments/balancedness.toml"));
    for (name, study) in [("noisy", &*noisy), ("balance", &balance), ("networks", NETWORKS)] {
        let undisturbed = Place::new(study);
        run(&undisturbed.study(), Duration::MAX, 2);
        let place = Place::new(study);
        let (mut stops, mut life) = (0, Duration::from_millis(3));
        // What is measured at the end of a cell is measured again in every life, and must fit in the last one.
        while stopped_after(&place, Duration::ZERO, life, 2).stopped {
            stops += 1;
            life = life * 6 / 5;
            assert!(life < Duration::from_secs(60), "{name} gets nowhere");
        }
        same(&undisturbed.rows(), &place.rows(), name);
        eprintln!("{name}: {stops} stops");
        assert!(stops >= 3, "{name}: only {stops} stops");
    }
}

#[test]
fn a_run_that_is_asked_to_stop_keeps_what_it_has_between_save_times() {
    let study = LANES.replace("steps = 40000", "steps = 80000").replace("geometric = 40", "steps = [0, 80000]");
    let undisturbed = Place::new(&study);
    run(&undisturbed.study(), Duration::MAX, 1);
    let place = Place::new(&study);
    let mut stops = 0;
    while stopped_after(&place, Duration::from_secs(3600), Duration::from_millis(1200), 1).stopped {
        assert_eq!(place.checkpoints().len(), 1, "after {stops} stops");
        stops += 1;
        assert!(stops < 60, "it gets nowhere");
    }
    assert!(stops > 0, "it has no time to be stopped");
    same(&undisturbed.rows(), &place.rows(), "stopped");
}

#[test]
fn short_work_leaves_no_files() {
    let place = Place::new(&LANES.replace("steps = 40000", "steps = 20000"));
    let report = stopped_after(&place, Duration::from_secs(3600), Duration::from_millis(100), 1);
    assert!(report.stopped && place.checkpoints().is_empty());
}

/// Bytes that are wrong, files of others, and what another process has left: none is trusted, all are removed.
#[test]
fn what_is_not_whole_or_not_ours_is_ignored() {
    let study = LANES.replace("steps = 40000", "steps = 20000");
    let undisturbed = Place::new(&study);
    undisturbed.finish();
    let expected = undisturbed.rows();
    let spoil: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.clear(),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| bytes[100] ^= 0x80,
    ];
    for spoil in spoil {
        let place = Place::new(&study);
        let report = stopped_after(&place, Duration::ZERO, Duration::from_millis(60), 1);
        let [path] = &place.checkpoints()[..] else { panic!("one checkpoint: {report:?}") };
        let mut bytes = std::fs::read(path).expect("there");
        spoil(&mut bytes);
        std::fs::write(path, bytes).expect("writable");
        let strange = path.with_file_name("0123456789abcdef-0123456789abcdef-0123456789abcdef.ckpt");
        std::fs::write(strange, "of another program").expect("writable");
        run(&place.study(), Duration::from_secs(3600), 1);
        same(&expected, &place.rows(), "spoilt");
    }
}

/// A checkpoint of other save times, or of other cells, is not for this run.
#[test]
fn another_study_does_not_take_it_up() {
    let study = LANES.replace("steps = 40000", "steps = 20000");
    let place = Place::new(&study);
    assert!(stopped_after(&place, Duration::ZERO, Duration::from_millis(60), 1).stopped);
    let other = study.replace("geometric = 40", "geometric = 30");
    std::fs::write(place.study(), &other).expect("writable");
    let undisturbed = Place::new(&other);
    undisturbed.finish();
    place.finish();
    same(&undisturbed.rows(), &place.rows(), "other save times");
}

#[test]
fn two_processes_at_one_bundle_do_no_harm() {
    let study = LANES.replace("steps = 40000", "steps = 20000");
    let undisturbed = Place::new(&study);
    undisturbed.finish();
    let place = Place::new(&study);
    let start = || place.start_with(&[(SHARD, "1")]);
    let (mut one, mut two) = (start(), start());
    std::thread::sleep(Duration::from_millis(300));
    one.kill().expect("our own child");
    one.wait().expect("our own child");
    let mut three = start();
    assert!(two.wait().expect("our own child").success());
    assert!(three.wait().expect("our own child").success());
    place.finish();
    same(&undisturbed.rows(), &place.rows(), "two at once");
}
