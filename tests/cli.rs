//! The command line: what it says, where it says it, and how it exits.

mod support;

use support::study::{Bench, finish};
use support::{Sheet, here, read, taut};

const GOOD: &str = r#"title = "good"

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
"#;

/// Points and values from a file.
fn with_file(file: &str, more: &str) -> String {
    let data = format!("[data.curve]\nfile = \"{file}\"\n{more}\n");
    let (before, rest) = GOOD.split_once("[data.curve]").expect("a section");
    let (_, after) = rest.split_once("[model]").expect("a section");
    // A file without a target knows no risk.
    format!("{before}{data}\n[model]{after}").replace("\"risk\", ", "")
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for word in wanted {
        assert!(text.contains(word), "`{word}` is missing in:\n{text}");
    }
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let bench = Bench::new(GOOD);
    let help = bench.taut(&["--help"]).exits(0).stdout;
    says(&help, &["Examples:", "taut run my_study.toml", "Exit codes:", "75"]);
    says(&bench.taut(&["run", "--help"]).exits(0).stdout, &["Examples:", "--force", "--threads"]);
    says(&bench.taut(&["--version"]).exits(0).stdout, &["taut ", env!("CARGO_PKG_VERSION")]);
}

#[test]
fn words_that_do_not_exist_exit_with_2() {
    let bench = Bench::new(GOOD);
    for arguments in [
        &["frobnicate"][..],
        &[],
        &["run"],
        &["run", "study.toml", "--frobnicate"],
        &["run", "study.toml", "--threads", "0"],
        &["list", "frobs"],
        &["completions", "frobshell"],
    ] {
        let said = bench.taut(arguments).exits(2);
        says(&said.stderr, &["--help"]);
    }
}

#[test]
fn a_missing_study_names_those_nearby() {
    let bench = Bench::new(GOOD);
    bench.write("other_study.toml", GOOD);
    for command in ["run", "plan"] {
        let said = bench.taut(&[command, "studdy.toml"]).exits(2);
        says(&said.stderr, &["studdy.toml", "nearby", "  study.toml", "other_study.toml"]);
    }
    says(&bench.taut(&["plan", "."]).exits(2).stderr, &["is a folder"]);
    assert!(!bench.path("results").exists());
}

#[test]
fn all_mistakes_are_shown_at_their_places_and_nothing_is_created() {
    let bad = GOOD
        .replace("title", "titel")
        .replace("samples = 8", "samples = 8.5")
        .replace("degree = 9", "dgree = 9")
        .replace("\"risk\"", "\"rsik\"");
    let bench = Bench::new(&bad);
    let said = bench.run(&[]).exits(2);
    says(
        &said.stderr,
        &[
            "study.toml:1:1",
            "study.toml:5:11",
            "study.toml:10:",
            "study.toml:16:",
            "`title`",
            "`degree`",
            "`risk`",
            "8.5",
        ],
    );
    assert!(said.stderr.matches("error:").count() >= 4, "{}", said.stderr);
    assert!(said.stdout.is_empty());
    assert!(!bench.out().exists(), "a bad study leaves nothing behind");

    let bench = Bench::new("title = \n");
    says(&bench.run(&[]).exits(2).stderr, &["study.toml:1:", "not TOML"]);
    assert!(!bench.out().exists());
}

#[test]
fn a_results_folder_that_cannot_be_says_why() {
    let bench = Bench::new(GOOD);
    bench.write("file", "mine");
    for out in ["file", "file/below", "file/far/below"] {
        let said = bench.taut(&["run", "study.toml", "--out", out]);
        assert!(matches!(said.code, Some(1 | 2)), "{said:?}");
        says(&said.stderr, &["file is not a folder", "choose another folder"]);
    }
    assert_eq!(read(&bench.path("file")), "mine");
}

#[test]
fn overrides_set_fields_and_axes() {
    let bench = Bench::new(GOOD);
    let report = bench
        .run(&[
            "--set",
            "data.curve.samples=5",
            "--set",
            "sweep.seed={ count = 3 }",
            "--set",
            "train.until.steps=7",
            "--json",
        ])
        .exits(0)
        .json();
    assert_eq!(report["cells"], 3);
    let (cells, trajectory) = (bench.sheet("cells"), bench.sheet("trajectory"));
    assert!(cells.rows().all(|row| cells.int("n", row) == Some(5)));
    assert_eq!(trajectory.rows().filter_map(|row| trajectory.int("step", row)).max(), Some(7));
    // What was run is what the tables carry, so the plain study is another one.
    says(&bench.run(&[]).exits(2).stderr, &["data.curve.samples", "train.until.steps"]);

    for (bad, wanted) in [
        ("nonsense", "path=value"),
        ("data.curve.smaples=3", "samples"),
        ("data.curve.samples=many", "data.curve.samples"),
        ("data.curve.samples=-1", "-1"),
        ("model.features.polynomial.degree=[1", "--set"),
        ("sweep.\"data.curve.smaples\"=[1, 2]", "smaples"),
    ] {
        let bench = Bench::new(GOOD);
        let said = bench.run(&["--set", bad]).exits(2);
        says(&said.stderr, &["--set", wanted]);
        assert!(!bench.out().exists());
    }
}

#[test]
fn a_plan_counts_and_writes_nothing() {
    let sweep = "[sweep]\nseed = { count = 5 }\n\"data.curve.noise\" = [0.1, 0.2, 0.3]\n";
    let bench = Bench::new(&format!("{GOOD}{sweep}"));
    let plan = bench.taut(&["plan", "study.toml", "--json"]).exits(0).json();
    assert_eq!(plan["cells"], 15);
    assert_eq!(plan["axes"][1]["values"], 3);
    let rows = |name: &str| {
        let tables = plan["tables"].as_array().expect("tables");
        tables.iter().find(|t| t["name"] == name).expect("a table")["rows"].as_u64().expect("a number") as usize
    };
    says(&bench.taut(&["plan", "study.toml"]).exits(0).stdout, &["15  cells", "noise", "0.1, 0.2, 0.3", "trajectory"]);
    let there: Vec<_> =
        std::fs::read_dir(bench.path("")).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    assert_eq!(there, ["study.toml"]);

    bench.run(&["--quiet"]).exits(0);
    for name in ["cells", "trajectory", "solutions", "timing"] {
        assert!(Sheet::read(&bench.out(), name).rows().len() <= rows(name), "{name}: more rows than planned");
    }
}

const DEPENDENT: &str = r#"
[sweep]
where = "degree != 6 or seed == 0"
map.cases = { poly = { "model.features" = { polynomial = { basis = "legendre", degree = 3 } } }, cos = { "model.features" = { cosine = { harmonics = 9 } } } }
"model.features.polynomial.degree" = { values = [5, 6], when = "map == 'poly'" }
"train.step_size.relative" = { derive = "if(map == 'poly', 3 / degree, 0.5)" }
noise = { halton = { "data.curve.noise" = { loguniform = [0.01, 1] } }, count = 2 }
seed = { count = 2 }
"#;

#[test]
fn the_planned_cells_are_those_that_run() {
    let bench = Bench::new(&format!("{GOOD}{DEPENDENT}"));
    says(
        &bench.taut(&["plan", "study.toml"]).exits(0).stdout,
        &["10  cells of 12", "where  degree != 6", "5, 6  when map == 'poly'", "derived  relative"],
    );
    let table = bench.taut(&["plan", "study.toml", "--table"]).exits(0).stdout;
    assert_eq!(table.lines().count(), 11, "{table}");
    says(&table, &["cell  key", "step size", "relative 0.6", "relative 0.5"]);
    let few = bench.taut(&["plan", "study.toml", "--table", "--limit", "3"]).exits(0).stdout;
    assert_eq!((few.lines().count(), few.lines().last()), (5, Some("… 7 more")));
    bench.taut(&["plan", "study.toml", "--limit", "3"]).exits(2);

    let lines = bench.taut(&["plan", "study.toml", "--table", "--json"]).exits(0).stdout;
    let planned: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("an object per line")).collect();
    bench.run(&["--quiet"]).exits(0);
    let cells = Sheet::read(&bench.out(), "cells");
    assert_eq!(cells.rows().len(), planned.len());
    for row in cells.rows() {
        let cell = planned.iter().find(|cell| cell["key"] == cells.text("key", row)).expect("it was planned");
        let axes = &cell["axes"];
        assert_eq!(axes["map"], cells.text("map", row));
        assert_eq!(axes["degree"].as_i64(), cells.int("degree", row), "null where the cell has no degree");
        assert_eq!(axes["degree"].is_null(), axes["map"] == "cos");
        assert_eq!(axes["noise"].as_f64(), Some(cells.number("noise", row)));
        assert_eq!(axes["relative"].as_f64(), Some(cells.number("relative", row)));
        assert_eq!(cell["solver"], cells.text("solver", row));
    }
}

/// Parts are cut by the sizes, so these must be bounds for every cell and not for the first one.
#[test]
fn planned_sizes_are_upper_bounds() {
    let mut found = Vec::new();
    for (sweep, tables) in [
        ("\"data.curve.samples\" = [2, 9]", "tables = [\"modes\"]"),
        ("\"train.until.steps\" = [10, 100]", "times = { every = 1 }"),
        ("\"train.until.time\" = { name = \"end\", values = [10, 100] }", "times = { every = 1 }"),
    ] {
        let study = if tables.starts_with("times") {
            GOOD.replace("times   = { linear = 5 }", tables)
        } else {
            format!("{GOOD}{tables}\n")
        };
        let bench = Bench::new(&format!("{study}\n[sweep]\n{sweep}\n"));
        let plan = bench.taut(&["plan", "study.toml", "--json"]).exits(0).json();
        bench.run(&["--quiet"]).exits(0);
        for table in plan["tables"].as_array().expect("tables") {
            let (name, planned) = (table["name"].as_str().expect("a name"), table["rows"].as_u64().expect("a number"));
            let written = Sheet::read(&bench.out(), name).rows().len() as u64;
            if written > planned {
                found.push(format!("{sweep}: {name} has {written} rows, planned were at most {planned}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn more_save_times_than_memory_are_refused() {
    let bench = Bench::new(
        &GOOD.replace("times   = { linear = 5 }", "times = { every = 1 }").replace("steps = 100", "steps = 1e15"),
    );
    let said = bench.taut(&["plan", "study.toml"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    says(&said.stderr, &["record.times"]);
}

const UNSTABLE: &str = "step_size = { relative = 2.5 }\nallow_unstable = true\nuntil = { steps = 1e5 }";

#[test]
fn divergence_by_leave_is_a_row_and_not_an_error() {
    let study = GOOD.replace("until = { steps = 100 }", UNSTABLE);
    for solver in ["exact", "stepped"] {
        let bench = Bench::new(&study.replace("[train]", &format!("[train]\nsolver = \"{solver}\"")));
        let said = bench.run(&["--json"]).exits(0);
        let report = said.json();
        assert_eq!((&report["diverged"], &report["failed"]), (&1.into(), &0.into()));
        says(&said.stderr, &["1 diverged (allowed)"]);
        assert_eq!(bench.cell_texts("status"), ["diverged"]);
        says(&bench.cell_texts("reason")[0], &["at step "]);
        let trajectory = bench.sheet("trajectory");
        let last = trajectory.rows().max_by_key(|&row| trajectory.int("step", row)).expect("rows");
        let number = trajectory.number("train_mse", last);
        assert!(!number.is_finite() && !trajectory.is_null("train_mse", last), "{solver}: {number} is a value");
        // Without leave the plan refuses a design that it knows.
        let refused = Bench::new(&study.replace("allow_unstable = true", ""));
        says(&refused.run(&[]).exits(2).stderr, &["step_size", "allow_unstable"]);
        assert!(!refused.out().exists());
    }
}

#[test]
fn drawn_designs_fail_cell_by_cell() {
    let drawn =
        GOOD.replace("\"midpoint\"", "\"uniform\"").replace("until = {", "step_size = { absolute = 1.6 }\nuntil = {")
            + "[sweep]\nseed = { count = 12 }\n";
    let bench = Bench::new(&drawn);
    let said = bench.run(&[]).exits(3);
    says(&said.stderr, &["cells failed", "step size 1.6 is beyond", "allow_unstable"]);
    let status = bench.cell_texts("status");
    let failed = status.iter().filter(|s| *s == "failed").count();
    assert!(failed > 0 && failed < 12, "{failed} of 12: some designs are steep, some are not");
    let cells = bench.sheet("cells");
    for row in cells.rows() {
        let is_failed = cells.text("status", row) == "failed";
        assert_eq!(is_failed, cells.is_null("final_train_mse", row));
        assert_eq!(is_failed, !cells.text("reason", row).is_empty());
    }
    // The advice of the message works.
    bench.write("study.toml", &drawn.replace("until = {", "allow_unstable = true\nuntil = {"));
    let said = bench.run(&[]);
    if said.code != Some(2) {
        assert!(
            !bench.cell_texts("status").contains(&"failed".to_owned()),
            "allowed, and still failed: {}",
            said.stderr
        );
    }
}

#[test]
fn no_colour_means_no_escape_codes() {
    let bench = Bench::new(&GOOD.replace("samples", "smaples"));
    let run = |more: &[&str], variable: Option<(&str, &str)>| {
        let mut command = bench.command(more);
        command.envs(variable);
        finish(&mut command, std::time::Duration::from_secs(60)).exits(2).stderr
    };
    let escape = '\u{1b}';
    assert!(!run(&[], None).contains(escape), "not a terminal");
    assert!(!run(&[], Some(("NO_COLOR", "1"))).contains(escape));
    assert!(!run(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))).contains(escape));
    assert!(run(&["--color", "always"], None).contains(escape));
    let mut both = bench.command(&[]);
    both.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    assert!(!finish(&mut both, std::time::Duration::from_secs(60)).stderr.contains(escape), "NO_COLOR wins");
}

#[test]
fn the_first_study_plans_and_runs() {
    let bench = Bench::new(GOOD);
    let study = bench.taut(&["init"]).exits(0).stdout;
    assert!(study.lines().filter(|line| line.contains('#')).count() >= 10, "it is commented");
    bench.write("study.toml", &study);
    bench.taut(&["plan", "study.toml"]).exits(0);
    let report = bench.run(&["--json"]).exits(0).json();
    assert_eq!((&report["cells"], &report["failed"], &report["diverged"]), (&15.into(), &0.into(), &0.into()));
    assert!(bench.cell_texts("status").iter().all(|status| status == "finished"));
}

#[test]
fn a_shown_cell_is_a_study_with_that_cell() {
    let sweep = "[sweep]\nseed = { count = 3 }\n\"data.curve.noise\" = [0.1, 0.2]\n";
    let bench = Bench::new(&format!("{GOOD}{sweep}"));
    bench.run(&["--quiet"]).exits(0);
    let cells = bench.sheet("cells");
    for row in cells.rows() {
        let key = cells.text("key", row).to_owned();
        let alone = Bench::new(&bench.taut(&["show", "study.toml", &key]).exits(0).stdout);
        alone.run(&["--quiet"]).exits(0);
        assert_eq!(alone.cell_texts("key"), [key]);
        assert_eq!(alone.sheet("cells").number("final_risk", 0).to_bits(), cells.number("final_risk", row).to_bits());
    }
    says(&bench.taut(&["show", "study.toml", "zzzz"]).exits(2).stderr, &["no cell `zzzz`", "0 to 5"]);
}

#[test]
fn schema_and_completions_are_what_they_say() {
    let bench = Bench::new(GOOD);
    let schema = bench.taut(&["schema"]).exits(0).json();
    assert!(schema["properties"]["data"].is_object() && schema["properties"]["sweep"].is_object());
    for shell in ["bash", "zsh", "fish"] {
        says(&bench.taut(&["completions", shell]).exits(0).stdout, &["taut", "plan", "threads"]);
    }
}

#[test]
fn the_default_folder_has_the_name_of_the_study() {
    let bench = Bench::new(GOOD);
    bench.taut(&["run", "study.toml", "--quiet"]).exits(0);
    assert!(bench.path("results/study/cells/part-00000.parquet").is_file());
    assert!(bench.path("results/study/manifest.json").is_file());
}

#[test]
fn quiet_is_quiet_and_json_is_json() {
    let bench = Bench::new(GOOD);
    let said = bench.run(&["--quiet"]).exits(0);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""));
    let said = bench.run(&["--quiet", "--json"]).exits(0);
    assert!(said.stderr.is_empty());
    assert_eq!(said.json()["schema"], "taut.run/1");
}

/// A data file and what must be said about it.
const BAD_FILES: [(&str, &[&str]); 13] = [
    ("x,y\n0,1\n0.5\n", &["points.csv", "line 3", "1 cells", "2 columns"]),
    ("x,y\n0,1\n0.5,2,3\n", &["points.csv", "line 3", "3 cells"]),
    ("x,y\n0,1\n0.5,abc\n", &["points.csv", "line 3", "column `y`", "`abc`"]),
    ("x,y\n0,1\n,2\n", &["points.csv", "line 3", "column `x`", "empty"]),
    ("x,y\n0,1\n0.5,nan\n", &["points.csv", "line 3", "column `y`", "finite"]),
    ("x,y\n0,1\n0.5,1e999\n", &["points.csv", "line 3", "column `y`", "finite"]),
    ("x,z\n0,1\n", &["points.csv", "no column `y`", "x, z"]),
    ("0,1\n0.5,1\n", &["points.csv", "line 1", "names the columns"]),
    ("x;y\n0;1\n", &["points.csv", "line 1", "commas"]),
    ("x,x\n0,1\n", &["points.csv", "line 1", "two columns"]),
    ("x,y\n", &["points.csv", "no rows"]),
    ("", &["points.csv", "empty"]),
    ("x,y\n0,1\n3,1\n", &["points.csv", "point 3", "outside [-1, 1]", "domain"]),
];

#[test]
fn bad_data_files_are_named_with_the_line() {
    let mut unsaid = Vec::new();
    for (text, wanted) in BAD_FILES {
        let bench = Bench::new(&with_file("points.csv", ""));
        bench.write("points.csv", text);
        let said = bench.run(&[]).exits(2);
        let missing: Vec<_> = wanted.iter().chain(&["study.toml:4:8"]).filter(|w| !said.stderr.contains(**w)).collect();
        if !missing.is_empty() {
            unsaid.push(format!("{text:?} does not say {missing:?}:\n{}", said.stderr));
        }
        assert!(!bench.out().exists());
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
    let bench = Bench::new(&with_file("nowhere.csv", ""));
    says(&bench.run(&[]).exits(2).stderr, &["study.toml:4:8", "there is no file nowhere.csv", "relative"]);
    let bench = Bench::new(&with_file("points.txt", ""));
    bench.write("points.txt", "x,y\n0,1\n");
    says(&bench.run(&[]).exits(2).stderr, &["points.txt", ".csv or .parquet"]);
}

#[test]
fn good_data_files_are_read() {
    let bench = Bench::new(&with_file("points.csv", "domain = [0, 10]\nselect = { column = \"set\", value = \"b\" }"));
    bench.write("points.csv", "set,x,y\na,99,oops\nb,0,1\nb,5,2\nb,10,4\n");
    bench.run(&["--quiet"]).exits(0);
    let cells = bench.sheet("cells");
    assert_eq!((cells.rows().len(), cells.int("n", 0)), (1, Some(3)));
    // The file's bytes are part of the study.
    bench.write("points.csv", "set,x,y\na,99,oops\nb,0,1\nb,5,2\nb,10,5\n");
    let said = bench.run(&[]).exits(2);
    says(&said.stderr, &["points.csv"]);
}

#[test]
fn the_experiments_run_from_anywhere() {
    let bench = Bench::new(GOOD);
    let study = here("experiments/panel_polynomial.toml");
    let plan = bench.taut(&["plan", study.to_str().expect("UTF-8"), "--json"]).exits(0).json();
    assert_eq!(plan["cells"], 42);
}

#[test]
fn all_axes_can_be_set_at_once() {
    let study = here("tests/studies/two_solvers.toml").display().to_string();
    for set in ["sweep={ seed = { count = 3 } }", "[sweep]\nseed = { count = 3 }"] {
        let said = taut(&["plan", &study, "--calibrate", "0", "--json", "--set", set]);
        let plan: serde_json::Value = serde_json::from_slice(&said.stdout).expect("JSON");
        assert_eq!(plan["cells"], 3, "{set}");
    }
}
