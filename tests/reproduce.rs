//! A folder of studies and its one scoreboard: what runs, what is said, and how it ends.

mod support;

use std::path::{Path, PathBuf};
use std::process::Output;
use support::{here, read, taut};

const STUDY: &str = r#"title = "Three points"
question = "Does it run?"

[data.curve]
target  = { line = { intercept = 0.0, slope = 1.0 } }
samples = 3
design  = "equispaced"

[model]
features = { polynomial = { basis = "legendre", degree = 4 } }

[train]
until = { steps = 100 }

[record]
times   = { steps = [0, 100] }
metrics = ["train_mse", "risk"]

[sweep]
seed = { count = 3 }

[quick]
"sweep.seed" = { count = 2 }

[[claim]]
says    = "There are three cells"
sql     = "SELECT CAST(count(*) AS DOUBLE) AS cells FROM cells"
equals  = 3
panel   = [1]
cite    = "Nobody 2020"
quick   = { equals = 2 }
"#;

const SECOND: &str = r#"
[[claim]]
says    = "The residual is small in every cell"
sql     = "SELECT cell, final_train_mse AS mse FROM cells"
at_most = BOUND
group_by = ["cell"]
panel   = [2]
quick   = false
"#;

const CATALOGUE: &str = r#"source = "A panel."

[[sentence]]
number  = 1
says    = "There are *three* | cells."
verdict = "holds"
because = "So it is."

[[sentence]]
number  = 2
says    = "It fits."
verdict = "depends"
because = "On the bound."

[[group]]
title   = "Both"
studies = ["one", "two"]

[[paper]]
cite  = "Nobody 2020"
title = "Nothing"
at    = "arXiv:2001.00001"
"#;

/// A folder with two small studies; the second claim of the second has this bound.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(bound: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a folder") };
        std::fs::create_dir(bench.studies()).expect("a folder");
        bench.write("one.toml", STUDY);
        bench.write("two.toml", &format!("{STUDY}{}", SECOND.replace("BOUND", bound)));
        bench
    }

    fn studies(&self) -> PathBuf {
        self.folder.path().join("studies")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("tables")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.studies().join(name), text).expect("it can be written");
    }

    fn reproduce(&self, more: &[&str]) -> Output {
        let (studies, out) = (self.studies(), self.out());
        let mut arguments = vec!["reproduce", "--from", path(&studies), "--out", path(&out), "--threads", "1"];
        arguments.extend(more);
        taut(&arguments)
    }

    fn catalogue(&self, more: &[&str]) -> Output {
        let studies = self.studies();
        taut(&[&["catalogue", path(&studies)], more].concat())
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn said(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn every_study_runs_and_the_scoreboard_says_so() {
    let bench = Bench::new("1000.0");
    let (board, progress, code) = said(&bench.reproduce(&[]));
    assert_eq!(code, Some(0), "{board}\n{progress}");
    assert!(board.contains("2 studies in") && board.contains("3 claims: 3 hold"), "{board}");
    assert!(progress.contains("[1/2] one: 3 cells in") && progress.contains("1 claim: 1 holds"), "{progress}");
    assert!(bench.out().join("one/cells").is_dir() && bench.out().join("two/claims").is_dir());
    let (_, again, code) = said(&bench.reproduce(&[]));
    assert_eq!(code, Some(0));
    assert!(again.contains("[2/2] two: 3 cells already there; 2 claims: 2 hold"), "{again}");
}

#[test]
fn a_claim_that_does_not_hold_is_listed_and_ends_with_4() {
    let bench = Bench::new("-1.0");
    let (board, _, code) = said(&bench.reproduce(&["--quiet"]));
    assert_eq!(code, Some(4), "{board}");
    assert!(board.contains("3 claims: 2 hold, 1 fails"), "{board}");
    assert!(board.contains("✗ two, claim 2: The residual is small in every cell"), "{board}");
    assert!(board.contains("bound ≤ -1 [cell = "), "{board}");
}

#[test]
fn the_small_versions_ask_what_they_can_answer() {
    let bench = Bench::new("-1.0");
    let (board, progress, code) = said(&bench.reproduce(&["--quick"]));
    assert_eq!(code, Some(0), "the failing claim is skipped:\n{board}\n{progress}");
    assert!(progress.contains("[1/2] one: 2 cells in"), "{progress}");
    assert!(board.contains("3 claims: 2 hold, 1 skipped in the small version"), "{board}");
}

#[test]
fn the_scoreboard_is_a_file_for_programs_too() {
    let bench = Bench::new("-1.0");
    let (json, stderr, code) = said(&bench.reproduce(&["--json", "--quiet"]));
    assert_eq!(code, Some(4), "{stderr}");
    let board: serde_json::Value = serde_json::from_str(&json).expect("JSON on stdout");
    assert_eq!(board["schema"], "taut.reproduce/1");
    assert_eq!(board["studies"][1]["claims"][1]["verdict"], "fails");
    assert_eq!(board["studies"][1]["claims"][1]["groups"], 3);
    assert_eq!(board["studies"][0]["claims"][0]["measured"], "3");
    assert_eq!(board["studies"][0]["claims"][0]["cite"], "Nobody 2020");
    assert!(stderr.contains("2 studies in"), "{stderr}");
}

#[test]
fn a_study_with_a_mistake_does_not_stop_the_others() {
    let bench = Bench::new("1000.0");
    bench.write("broken.toml", &STUDY.replace("degree = 4", "dgree = 4"));
    let (board, stderr, code) = said(&bench.reproduce(&[]));
    assert_eq!(code, Some(2), "{board}\n{stderr}");
    assert!(stderr.contains("broken could not be run") && stderr.contains("did you mean `degree`?"), "{stderr}");
    assert!(board.contains("3 claims: 3 hold; 1 study could not be run"), "{board}");
}

#[test]
fn some_studies_are_chosen_by_name_beginning_or_sentence() {
    let bench = Bench::new("1000.0");
    for (chosen, studies) in
        [(&["two"][..], 1), (&["t*"], 1), (&["one.toml", "two"], 2), (&["--panel", "2"], 1), (&["*"], 2)]
    {
        let (board, stderr, code) = said(&bench.reproduce(&[chosen, &["--json"]].concat()));
        assert_eq!(code, Some(0), "{chosen:?}: {stderr}");
        let board: serde_json::Value = serde_json::from_str(&board).expect("JSON");
        assert_eq!(board["studies"].as_array().map(Vec::len), Some(studies), "{chosen:?}");
    }
    let (_, stderr, code) = said(&bench.reproduce(&["tow"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("there is no study `tow`") && stderr.contains("did you mean `two`?"), "{stderr}");
    let (_, stderr, code) = said(&bench.reproduce(&["--panel", "7"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("no claim of these studies has panel = [7]"), "{stderr}");
}

#[test]
fn folders_without_studies_are_refused_with_their_name() {
    for (folder, what) in
        [("/nowhere/at/all", "cannot read /nowhere/at/all"), ("src", "there is no study (*.toml) in src")]
    {
        let (_, stderr, code) = said(&taut(&["reproduce", "--from", folder]));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
    }
}

#[test]
fn results_of_another_study_are_refused_unless_forced() {
    let bench = Bench::new("1000.0");
    assert_eq!(said(&bench.reproduce(&["one"])).2, Some(0));
    bench.write("one.toml", &STUDY.replace("degree = 4", "degree = 5"));
    let (_, stderr, code) = said(&bench.reproduce(&["one"]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("holds the results of another study"), "{stderr}");
    assert_eq!(said(&bench.reproduce(&["one", "--force"])).2, Some(0));
}

#[test]
fn the_index_is_made_of_catalogue_studies_and_scoreboard() {
    let bench = Bench::new("1000.0");
    let (_, stderr, code) = said(&bench.catalogue(&[]));
    assert!(code == Some(2) && stderr.contains("there is no catalogue.toml"), "{stderr}");
    bench.write("catalogue.toml", CATALOGUE);
    let (_, stderr, code) = said(&bench.catalogue(&[]));
    assert!(code == Some(2) && stderr.contains("scoreboard.json") && stderr.contains("taut reproduce"), "{stderr}");
    let (board, _, _) = said(&bench.reproduce(&["--json", "--quiet", "--quick"]));
    bench.write("scoreboard.json", &board);
    let (_, stderr, code) = said(&bench.catalogue(&[]));
    assert!(code == Some(2) && stderr.contains("is of the small versions"), "{stderr}");
    let (board, _, _) = said(&bench.reproduce(&["--json", "--quiet", "--force"]));
    bench.write("scoreboard.json", &board);
    let (page, stderr, code) = said(&bench.catalogue(&[]));
    assert_eq!(code, Some(0), "{stderr}");
    for part in [
        "2 studies, one question each, with 3 claims: 3 hold",
        "| [1](#sentence-1) | There are \\*three\\* \\| cells. | holds | all 2 hold |",
        "### Sentence 2",
        "| [two](two.toml) | The residual is small in every cell |",
        "in 3 groups | ≤ 1000 | ✓ |",
        "**Nobody 2020.** Nothing, [arXiv:2001.00001](https://arxiv.org/abs/2001.00001)",
        "`taut run studies/two.toml`",
    ] {
        assert!(page.contains(part), "{part}\nis missing in\n{page}");
    }
    let (brief, _, _) = said(&bench.catalogue(&["--brief"]));
    assert!(brief.contains("| 2 | It fits. | depends | On the bound. |"), "{brief}");

    bench.write("two.toml", &format!("{STUDY}{}", SECOND.replace("BOUND", "999.0")));
    let (_, stderr, code) = said(&bench.catalogue(&[]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("two: claim 2 is another") && stderr.contains("out of date"), "{stderr}");
}

#[test]
fn a_catalogue_that_names_what_is_not_there_is_refused() {
    let bench = Bench::new("1000.0");
    let (board, _, _) = said(&bench.reproduce(&["--json", "--quiet"]));
    bench.write("scoreboard.json", &board);
    for (from, to, what) in [
        ("\"one\", ", "", "studies of this folder that no group lists: one"),
        ("\"two\"", "\"tow\"", "no study `tow` in this folder; did you mean `two`?"),
        ("number  = 2", "number  = 3", "expected number = 2, found 3"),
        ("Nobody 2020", "Nobody 2021", "\"Nobody 2020\" is no [[paper]]"),
        ("verdict = \"holds\"", "verdict = \"maybe\"", "unknown variant `maybe`"),
        ("source =", "sauce =", "unknown field `sauce`"),
    ] {
        bench.write("catalogue.toml", &CATALOGUE.replacen(from, to, 1));
        let (_, stderr, code) = said(&bench.catalogue(&[]));
        assert_eq!(code, Some(2), "{to}: {stderr}");
        assert!(stderr.contains(what), "{to}: {stderr}");
    }
    // It can be run all the same.
    bench.write("catalogue.toml", &CATALOGUE.replacen("\"one\", ", "", 1));
    let (board, stderr, code) = said(&bench.reproduce(&[]));
    assert!(code == Some(0) && board.contains("2 studies") && stderr.contains("alphabetical"), "{stderr}");
}

/// The page is what the catalogue, the studies and the scoreboard say, and the README repeats its beginning.
#[test]
fn the_index_of_the_experiments_is_up_to_date() {
    let experiments = here("experiments");
    let (page, stderr, code) = said(&taut(&["catalogue", path(&experiments)]));
    assert_eq!(code, Some(0), "{stderr}");
    let write = "taut catalogue experiments > experiments/README.md";
    assert!(read(&experiments.join("README.md")) == page, "experiments/README.md is out of date: {write}");
    let (brief, _, _) = said(&taut(&["catalogue", path(&experiments), "--brief"]));
    let readme = read(&here("README.md"));
    assert!(
        readme.contains(&brief),
        "README.md is out of date; it must hold what `taut catalogue --brief` prints:\n{brief}"
    );
}
