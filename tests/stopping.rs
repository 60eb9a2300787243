//! How often a run has to be told to stop.

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::study::{Bench, Said, watch};

/// One cell that takes minutes.
const LONG: &str = r#"title = "long"

[data.curve]
target  = { sine = { frequency = 1 } }
samples = 8
design  = "midpoint"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9 } }

[train]
solver = "stepped"
until  = { steps = 1e9 }
"#;

/// A run that is told to stop at these times after it has begun.
fn told_to_stop_at(times: &[Duration]) -> Said {
    let bench = Bench::new(LONG);
    let mut command = bench.command(&["--quiet", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let began = Instant::now();
    while !bench.out().join("manifest.json").is_file() {
        assert!(began.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (began, pid) = (Instant::now(), child.id().to_string());
    for time in times {
        std::thread::sleep(time.saturating_sub(began.elapsed()));
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill").success());
    }
    watch(child, Duration::from_secs(20))
}

/// As Slurm does of a job that is cancelled: once to every process, once more through the script.
#[test]
fn signals_in_quick_succession_are_one_asking() {
    let said = told_to_stop_at(&[Duration::ZERO, Duration::from_millis(20), Duration::from_millis(200)]);
    assert_eq!(said.code, Some(75), "{said:?}");
}
