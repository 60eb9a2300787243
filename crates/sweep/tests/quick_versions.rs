//! The small version that `[quick]` makes of a study, and what is said of a bad one.

mod support;

use std::path::Path;
use support::*;
use taut_sweep::study::{Bound, Diagnostics, InQuick, StudyError, diff_studies};

const SWEPT: &str = r#"
[sweep]
seed = { count = 100 }
"model.features.polynomial.degree" = [10, 20, 40]

[quick]
"sweep.seed.count" = 5
"model.features.polynomial.degree" = [10, 20]
"train.until.steps" = 1e3
record.times = { geometric = 7 }

[[claim]]
says    = "asked of both"
sql     = "SELECT 1"
at_most = 2
panel   = [1, 3]

[[claim]]
says      = "asked of the small one with more room"
sql       = "SELECT 1"
equals    = 2
tolerance = 0.1
quick     = { between = [0, 4] }

[[claim]]
says    = "asked of the whole alone"
sql     = "SELECT 1"
at_most = 2
quick   = false
"#;

fn study() -> String {
    format!("{GOOD}{SWEPT}")
}

/// What is said of a study with this in `[quick]`, asked for its small version or not.
fn told(quick: &str, small: bool) -> Diagnostics {
    let text = format!("{GOOD}\n[sweep]\nseed = {{ count = 9 }}\n\n[quick]\n{quick}\n");
    match version(&text, small, &[]) {
        Err(StudyError::Invalid(mistakes)) => mistakes,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing is wrong with\n{text}"),
    }
}

#[test]
fn the_whole_study_is_as_it_is_written() {
    let study = version(&study(), false, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert!(!study.quick);
    assert_eq!(study.cells(), 300);
    assert!(study.text.contains("[quick]"));
    assert_eq!(study.study.claim[0].panel, [1, 3]);
    assert_eq!(study.study.claim[2].quick, Some(InQuick::Asked(false)));
}

#[test]
fn the_small_version_changes_values_axes_and_bounds() {
    let small = version(&study(), true, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert!(small.quick);
    assert_eq!(small.cells(), 10);
    assert_eq!(small.cell(0).train.until.steps.map(|steps| steps.get()), Some(1000));
    assert!(small.text.starts_with("# --quick\n"), "{}", small.text);
    let [same, own, none] = [0, 1, 2].map(|i| &small.study.claim[i]);
    assert_eq!((same.quick.clone(), same.at_most.map(|x| x.get())), (None, Some(2.0)));
    assert_eq!(own.bound(), Bound { between: own.between, ..Bound::default() }, "its own bound and no other");
    assert_eq!(own.between.map(|ends| ends.map(|x| x.get())), Some([0.0, 4.0]));
    assert_eq!(none.quick, Some(InQuick::Asked(false)));
}

#[test]
fn overrides_go_on_top_of_the_small_version() {
    let small = version(&study(), true, &["sweep.seed.count=2"]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(small.cells(), 4);
}

#[test]
fn a_study_without_a_small_version_is_run_whole() {
    let small = version(GOOD, true, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(small.cells(), 1);
}

/// The text of a small version is what `run` compares a stored folder with: written again, it is the same study.
#[test]
fn the_text_of_a_small_version_is_a_study() {
    let small = version(&study(), true, &[]).unwrap_or_else(|error| panic!("{error}"));
    let again = version(&small.text, false, &[]).unwrap_or_else(|error| panic!("{error}\n{}", small.text));
    assert_eq!(again.cells(), small.cells());
    assert!(diff_studies(&small.text, &again.text).is_empty());
}

#[test]
fn a_path_that_leads_nowhere_is_an_error_where_it_stands() {
    for (quick, what, column) in [
        (r#""train.until.stps" = 10"#, "unknown key `stps` in [train.until]", 1),
        (r#""sweep.sed.count" = 2"#, "sed", 1),
        (r#""model.features.cosine.harmonics" = 3"#, "`model.features` is given two kinds", 1),
        (r#""train.until.steps" = "many""#, "found the string \"many\"", 23),
        (r#""titel" = "small""#, "the small version of a study cannot change `titel`", 1),
        (r#""claim" = []"#, "cannot change `claim`", 1),
        ("train.until.stps = 10", "unknown key `stps`", 13),
    ] {
        for small in [false, true] {
            let mistakes = told(quick, small);
            let text = mistakes.to_string();
            assert!(text.contains(what), "{quick}:\n{text}");
            let (file, line, at) = mistakes.position(&mistakes.items()[0]);
            assert_eq!((Path::new(file).file_name().and_then(|name| name.to_str()), line), (Some("study.toml"), 24));
            assert_eq!(at, column, "{quick}:\n{text}");
        }
    }
}

#[test]
fn what_only_the_small_version_can_be_wrong_about_shows_there() {
    let text = told("\"record.times\" = { steps = [5] }\n\"train.until.steps\" = 4", true).to_string();
    assert!(text.contains("step 5 is beyond train.until.steps = 4"), "{text}");
}

#[test]
fn quick_must_be_a_table() {
    let text = format!("quick = 3\n{GOOD}");
    let Err(error) = version(&text, false, &[]) else { panic!("it is a number") };
    assert!(error.to_string().contains("expected a table of dotted paths, found 3"), "{error}");
}

#[test]
fn a_bound_for_the_small_version_is_checked_like_any_other() {
    for (quick, what) in [
        ("{ at_most = 1, at_least = 0 }", "a claim with several bounds"),
        ("{}", "a claim without a bound"),
        ("{ tolerance = 1 }", "a claim without a bound"),
        ("{ between = [2, 1] }", "expected [a, b] with a <= b, found [2, 1]"),
        ("{ at_msot = 1 }", "unknown key `at_msot`"),
        ("\"no\"", "expected"),
    ] {
        let claim = format!("\n[[claim]]\nsays = \"s\"\nsql = \"SELECT 1\"\nat_most = 1\nquick = {quick}\n");
        let Err(error) = version(&format!("{GOOD}{claim}"), false, &[]) else { panic!("{quick} is accepted") };
        assert!(error.to_string().contains(what), "{quick}:\n{error}");
    }
}

#[test]
fn sentences_of_the_panel_are_numbers_and_named_once() {
    for (panel, what) in
        [("[0]", "from 1 to 99"), ("[2, 2]", "named twice"), ("3", "expected a list"), ("[1.5]", "whole")]
    {
        let claim = format!("\n[[claim]]\nsays = \"s\"\nsql = \"SELECT 1\"\nat_most = 1\npanel = {panel}\n");
        let Err(error) = version(&format!("{GOOD}{claim}"), false, &[]) else { panic!("{panel} is accepted") };
        assert!(error.to_string().contains(what), "{panel}:\n{error}");
    }
}
