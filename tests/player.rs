//! What the players of a report are given to draw, against the tables it comes from.

mod support;

use serde_json::Value;
use std::path::Path;
use support::study::Bench;
use support::{Sheet, here, read};
use taut_report::player::{Player, players};
use taut_report::{Database, Results};

/// Weighted and raw polynomials; the labels are what a hostile study would call them.
const FITS: &str = r#"
title = "fits"

[data.curve]
target = { sine = { frequency = 1.0 } }
samples = 8
design = "chebyshev"
noise = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 15 } }

[train]
until = { steps = 1e9 }

[record]
times = { geometric = 150 }
limit = true
metrics = ["train_mse", "bending_energy", "turning_points", "risk"]
tables = ["curves"]
curves = { points = 51 }

[solutions]
min-norm = {}
ridge = { lambda = [1e-3, 1.0] }
smoothing-spline = { select = "loo" }
random-interpolator = { draws = 30, law = ["same", "unit"] }

[sweep]
seed = { count = 2 }

[sweep.basis.cases]
"</script><img src=x onerror=alert(1)>" = { "model.features.polynomial.decay" = 2.0 }
plain = { "model.features.polynomial.decay" = 0.0 }
"#;

/// Two factors that learn three modes from a small start.
const MODES: &str = r#"
title = "modes"

[data.teacher]
inputs = 5
outputs = 4
singular_values = [4.0, 2.0, 1.0]

[model]
features = "identity"
parametrization = { deep-linear = { depth = 2, width = 6 } }
init = { gaussian = { scale = 1e-4 } }

[train]
method = "gradient-flow"
until = { time = 30 }

[record]
times = { linear = 301 }
metrics = ["loss"]
tables = ["modes"]
theory = ["random_start_modes"]
"#;

/// Sizes of a page that holds several players.
const MOST_BYTES: usize = 3_500_000;

fn players_of(out: &Path) -> Vec<Player> {
    let results = Results::open(out).expect("results");
    let database = Database::of_results(&results).expect("tables");
    players(&results, &database).expect("players")
}

/// The payloads of a study, after a run.
fn payloads(study: &str) -> (Bench, Vec<Value>) {
    let bench = Bench::new(study);
    bench.run(&["--quiet"]).exits(0);
    let payloads: Vec<Value> = players_of(&bench.out()).into_iter().map(|player| player.payload).collect();
    (bench, payloads)
}

/// The payload of a study that has one player.
fn payload(study: &str) -> (Bench, Value) {
    let (bench, mut payloads) = payloads(study);
    assert_eq!(payloads.len(), 1);
    (bench, payloads.remove(0))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// A function of the payload in the units of y; a null is not a number.
fn function(cell: &Value, f: &Value) -> Vec<f64> {
    let (low, unit) = (cell["low"].as_f64().unwrap(), cell["unit"].as_f64().unwrap());
    numbers(f).into_iter().map(|q| low + unit * q).collect()
}

/// The clock never runs backwards, its limit comes last, and every list has a value for each of its rows.
fn check_clock(cell: &Value) {
    let clock = list(&cell["clock"]);
    let finite: Vec<f64> = clock.iter().filter_map(Value::as_f64).collect();
    assert!(finite.windows(2).all(|pair| pair[0] < pair[1]), "{finite:?}");
    assert!(clock[..clock.len() - 1].iter().all(|time| !time.is_null()));
    assert_eq!(list(&cell["train"]).len(), clock.len());
}

/// The cell of a payload by its place among the bases, as `cells` has it with seed 0.
fn cell_of(bench: &Bench, basis: &str) -> i64 {
    let cells = bench.sheet("cells");
    let is_it = |row: &usize| cells.text("basis", *row) == basis && cells.int("seed", *row) == Some(0);
    cells.int("cell", cells.rows().find(is_it).expect("the cell")).expect("a number")
}

/// Rows of one cell's function in `curves`, by x.
fn stored(curves: &Sheet, cell: i64, keep: impl Fn(usize) -> bool) -> Vec<f64> {
    let mut points: Vec<(f64, f64)> = curves
        .rows()
        .filter(|&row| curves.int("cell", row) == Some(cell) && keep(row))
        .map(|row| (curves.number("x", row), curves.number("f", row)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.into_iter().map(|(_, f)| f).collect()
}

#[test]
fn the_last_frame_is_the_end_of_training() {
    let (bench, payload) = payload(FITS);
    let curves = bench.sheet("curves");
    assert_eq!((&payload["kind"], &payload["clock"]), (&Value::from("curves"), &Value::from("step")));
    assert_eq!(list(&payload["cells"]).len(), 2);
    for (cell, basis) in list(&payload["cells"]).iter().zip(list(&payload["axes"][0]["values"])) {
        check_clock(cell);
        let number = cell_of(&bench, basis.as_str().unwrap());
        let rows = numbers(&cell["frames"]["row"]);
        let frames = list(&cell["frames"]["f"]);
        assert_eq!((rows.len(), rows[0]), (frames.len(), 0.0));
        assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(rows.last(), Some(&((list(&cell["clock"]).len() - 1) as f64)));
        assert!(cell["clock"].as_array().unwrap().last().unwrap().is_null(), "the limit is recorded");
        let limit = |row| curves.text("source", row) == "trained" && curves.is_null("step", row);
        let wanted = stored(&curves, number, limit);
        let (unit, height) = (cell["unit"].as_f64().unwrap(), cell["height"].as_f64().unwrap());
        assert_eq!(wanted.len(), 51);
        for (found, wanted) in function(cell, frames.last().unwrap()).into_iter().zip(wanted) {
            let inside = wanted.abs() < unit * height;
            assert!(!inside || (found - wanted).abs() <= 0.5001 * unit, "{found} {wanted}");
        }
        // It starts from zero.
        assert!(function(cell, &frames[0]).into_iter().all(|f| f.abs() <= unit));
    }
}

#[test]
fn points_target_and_other_solutions_are_those_of_the_tables() {
    let (bench, payload) = payload(FITS);
    let (samples, curves, solutions) = (bench.sheet("samples"), bench.sheet("curves"), bench.sheet("solutions"));
    let (cell, number) = (&payload["cells"][0], cell_of(&bench, payload["axes"][0]["values"][0].as_str().unwrap()));
    let found: Vec<Vec<f64>> = list(&cell["samples"]).iter().map(numbers).collect();
    let wanted: Vec<usize> = samples.rows().filter(|&row| samples.int("cell", row) == Some(number)).collect();
    assert_eq!((found.len(), wanted.len()), (8, 8));
    for (point, row) in found.iter().zip(wanted) {
        assert!(
            (point[0] - samples.number("x", row)).abs() < 1e-4 && (point[1] - samples.number("y", row)).abs() < 1e-3
        );
    }
    let unit = cell["unit"].as_f64().unwrap();
    let target = stored(&curves, number, |row| curves.text("source", row) == "target");
    assert!(function(cell, &cell["target"]).iter().zip(target).all(|(a, b)| (a - b).abs() <= 0.5001 * unit));
    // A grid of ridge is no line of its own, and every law is a cloud.
    let names =
        |key: &str| list(&cell[key]).iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names("solutions"), ["linear-fit", "min-norm", "smoothing-spline (loo)"]);
    let mut clouds = names("clouds");
    clouds.sort();
    assert_eq!(clouds, ["random-interpolator (same)", "random-interpolator (unit)"]);
    for cloud in list(&cell["clouds"]) {
        assert_eq!((list(&cloud["f"]).len(), list(&cloud["metrics"][0]).len()), (20, 20));
    }
    let row = solutions
        .rows()
        .find(|&row| solutions.int("cell", row) == Some(number) && solutions.text("solution", row) == "min-norm");
    let bending = solutions.number("bending_energy", row.unwrap());
    assert_eq!(payload["metrics"][0]["name"], "bending_energy");
    assert!((cell["solutions"][1]["metrics"][0].as_f64().unwrap() / bending - 1.0).abs() < 1e-3);
}

#[test]
fn it_goes_through_the_points_where_the_table_says_so() {
    let (bench, payload) = payload(FITS);
    let cells = bench.sheet("cells");
    for (cell, basis) in list(&payload["cells"]).iter().zip(list(&payload["axes"][0]["values"])) {
        let number = cell_of(&bench, basis.as_str().unwrap());
        let row = cells.rows().find(|&row| cells.int("cell", row) == Some(number)).unwrap();
        let step = cells.int("residual_rms_below_1em3_step", row).expect("it interpolates");
        assert_eq!(cell["through"].as_i64(), Some(step));
        // Around it there are frames, and the error of the rows agrees.
        let clock = numbers(&cell["clock"]);
        let frames = numbers(&cell["frames"]["row"]);
        let at = clock.iter().position(|time| *time >= step as f64).unwrap();
        assert!(frames.contains(&(at as f64)));
        let train = numbers(&cell["train"]);
        assert!(train[at] <= 1e-6 && train[at - 1] > 1e-6);
    }
}

#[test]
fn names_stay_what_they_are_and_never_become_markup() {
    let (_, payload) = payload(FITS);
    assert_eq!(payload["axes"][0]["values"][0], "</script><img src=x onerror=alert(1)>");
    assert_eq!(payload["cells"][0]["label"], "basis = </script><img src=x onerror=alert(1)>");
    assert_eq!(payload["note"], "2 of 4 cells: those with seed = 0.");
    let script = read(&here("crates/report/assets/player.js"));
    for way in
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "http://", "https://"]
    {
        let found: Vec<&str> =
            script.lines().filter(|line| line.contains(way) && !line.contains("www.w3.org/2000/svg")).collect();
        assert!(found.is_empty(), "{way}: {found:?}");
    }
}

#[test]
fn a_large_sweep_stays_small_on_the_page() {
    let study = FITS
        .replace("curves = { points = 51 }", "curves = { points = 1001 }")
        .replace("\"</script><img src=x onerror=alert(1)>\" = { \"model.features.polynomial.decay\" = 2.0 }\n", "")
        .replace(
            "seed = { count = 2 }",
            "seed = { count = 2 }\n\"data.curve.noise\" = { linspace = [0.0, 0.3], count = 20 }",
        );
    let (_, payload) = payload(&study);
    let cells = list(&payload["cells"]);
    assert_eq!(cells.len(), 16);
    assert_eq!(payload["note"], "16 of 40 cells: those with seed = 0.");
    let noises: Vec<f64> =
        list(&payload["axes"][0]["values"]).iter().map(|v| v.as_str().unwrap().parse().unwrap()).collect();
    assert_eq!((noises[0], noises[15]), (0.0, 0.3));
    assert!(noises.windows(2).all(|pair| pair[0] < pair[1]));
    for cell in cells {
        assert!(list(&cell["x"]).len() <= 201 && list(&cell["frames"]["f"]).len() <= 120);
        assert_eq!((&cell["x"][0], list(&cell["x"]).last().unwrap()), (&Value::from(-1), &Value::from(1)));
    }
    let bytes = payload.to_string().len();
    assert!(bytes < MOST_BYTES, "{bytes}");
}

#[test]
fn modes_arrive_in_order_beside_their_theory() {
    let (bench, payload) = payload(MODES);
    assert_eq!((&payload["kind"], &payload["clock"], &payload["note"]), (&"modes".into(), &"time".into(), &"".into()));
    let cell = &payload["cells"][0];
    check_clock(cell);
    assert_eq!(cell["scale"], "linear");
    let modes: Vec<Vec<f64>> = list(&cell["modes"]).iter().map(numbers).collect();
    let theory: Vec<Vec<f64>> = list(&cell["theories"][0]["modes"]).iter().map(numbers).collect();
    assert_eq!(cell["theories"][0]["name"], "random_start_modes");
    assert_eq!((modes.len(), theory.len()), (3, 3), "the null mode has no projection");
    let ends = numbers(&cell["ends"]);
    let half = |mode: &[f64], end: f64| mode.iter().position(|s| *s >= 0.5 * end);
    let halves: Vec<usize> = modes.iter().zip(&ends).map(|(mode, end)| half(mode, *end).unwrap()).collect();
    assert!(halves[0] < halves[1] && halves[1] < halves[2]);
    for ((mode, theory), wanted) in modes.iter().zip(&theory).zip([4.0, 2.0, 1.0]) {
        assert!((mode.last().unwrap() / wanted - 1.0).abs() < 1e-2);
        assert_eq!(theory.len(), list(&cell["theories"][0]["clock"]).len());
        assert!((theory.last().unwrap() / wanted - 1.0).abs() < 1e-2);
    }
    let table = bench.sheet("modes");
    let last = |row: &usize| {
        table.text("source", *row) == "trained"
            && table.number("time", *row) > 29.99
            && table.int("mode", *row) == Some(2)
    };
    let wanted = table.number("projection", table.rows().find(last).unwrap());
    assert!((modes[1].last().unwrap() / wanted - 1.0).abs() < 1e-3);
    assert!(payload.to_string().len() < 100_000);
}

/// Steps that are always the same from some point on are skipped, and the end is still the end.
#[test]
fn what_does_not_move_any_more_is_left_out() {
    let study = FITS.replace("limit = true\n", "").replace("steps = 1e9", "steps = 1e15");
    let (_, payload) = payload(&study);
    for cell in list(&payload["cells"]) {
        let clock = numbers(&cell["clock"]);
        assert_eq!((clock[0], *clock.last().unwrap()), (0.0, 1e15));
        assert_eq!(cell["tail"], true);
        let before = clock[clock.len() - 2];
        assert!(before < 1e13, "{before}");
        assert!(before >= cell["through"].as_f64().unwrap());
    }
}

#[test]
fn flows_are_on_the_clock_of_time() {
    let study = FITS.replace("until = { steps = 1e9 }", "method = \"gradient-flow\"\nuntil = { time = 1e9 }");
    let (_, payload) = payload(&study);
    assert_eq!(payload["clock"], "time");
    for cell in list(&payload["cells"]) {
        check_clock(cell);
        assert_eq!(cell["scale"], "log");
        // The grid begins ten decades below its end, where nothing happens yet.
        assert!(numbers(&cell["clock"])[1] > 1e-4);
    }
}

/// Each stage of a continuation has its own limit: the player ends in the last one.
#[test]
fn stages_with_limits_end_in_the_last() {
    let study = FITS
        .replace("limit = true\n", "")
        .replace("times = { geometric = 150 }\n", "")
        .replace("until = { steps = 1e9 }", "until = { limit = true }\ncontinuation = { ridge = [1.0, 0.1, 0.0] }");
    let (bench, payload) = payload(&study);
    let (curves, cell) = (bench.sheet("curves"), &payload["cells"][1]);
    check_clock(cell);
    let number = cell_of(&bench, "plain");
    let wanted = stored(&curves, number, |row| curves.int("stage", row) == Some(3) && curves.is_null("step", row));
    let found = function(cell, list(&cell["frames"]["f"]).last().unwrap());
    let (unit, height) = (cell["unit"].as_f64().unwrap(), cell["height"].as_f64().unwrap());
    assert_eq!(wanted.len(), 51);
    assert!(found.iter().zip(wanted).all(|(a, b)| b.abs() > unit * height || (a - b).abs() <= 0.5001 * unit));
    // Stages have no passage of their own; the error says that it goes through the points.
    assert!(cell["through"].is_null());
    assert!(numbers(&cell["train"]).last().unwrap() <= &payload["level"].as_f64().unwrap());
}

#[test]
fn a_divergence_is_shown_as_far_as_there_are_numbers() {
    let study = FITS
        .replace(
            "until = { steps = 1e9 }",
            "step_size = { relative = 3.0 }\nallow_unstable = true\nuntil = { steps = 1e6 }",
        )
        .replace("limit = true\n", "");
    let (_, payload) = payload(&study);
    for cell in list(&payload["cells"]) {
        check_clock(cell);
        let beyond = cell["beyond"].as_f64().unwrap();
        for frame in list(&cell["frames"]["f"]) {
            assert!(list(frame).iter().filter_map(Value::as_f64).all(|q| q.abs() <= beyond));
        }
        assert!(cell["through"].is_null());
        // It is seen from the start, not from where it is already beyond all numbers.
        let train = numbers(&cell["train"]);
        assert!(train[1] < 1e3 * train[0] && list(&cell["frames"]["f"]).len() > 20, "{train:?}");
    }
}

#[test]
fn studies_without_functions_and_modes_have_no_player() {
    let rows = FITS.replace("tables = [\"curves\"]\ncurves = { points = 51 }\n", "");
    assert!(payloads(&rows).1.is_empty());
    // A few points of the grid are no curve.
    assert!(payloads(&FITS.replace("points = 51", "points = 5")).1.is_empty());
    // Modes of a design are no modes of factors.
    assert!(payloads(&rows.replace("limit = true\n", "limit = true\ntables = [\"modes\"]\n")).1.is_empty());
    // Without any measure there is still a fit to look at.
    let (_, bare) = payload(&FITS.replace(
        "metrics = [\"train_mse\", \"bending_energy\", \"turning_points\", \"risk\"]",
        "metrics = [\"turning_points\"]",
    ));
    assert!(bare["train"].is_null());
    assert_eq!(bare["metrics"].as_array().map(Vec::len), Some(1));
}
