//! Claims through the command line: verdicts, exit codes, and the table beside the others.

mod support;

use serde_json::{Value, json};
use support::claims::{TINY, table_says_the_same, verdicts, with_claims};
use support::ledger::{claim, manifest, schema, write};
use support::study::{Bench, Said};
use support::table;
use taut_store::{ColumnType, Folder, Rows};

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for word in wanted {
        assert!(text.contains(word), "`{word}` is missing in:\n{text}");
    }
}

/// `taut check DIR --json`, which exits with 0 or 4.
fn checked(bench: &Bench, out: &str) -> Said {
    let said = bench.taut(&["check", out, "--json"]);
    let all_hold = verdicts(&said.json()).iter().all(|verdict| verdict == "holds");
    said.exits(if all_hold { 0 } else { 4 })
}

/// A folder by hand: `cells` with a number, a text and a truth value, cut into parts.
fn by_hand(bench: &Bench, parts: &[&[(i64, Option<f64>, &str)]], claims: Value) {
    use ColumnType::{Float64, Int64, String};
    manifest(&bench.out(), &["cells"], parts.len(), claims);
    let schema = schema("cells", &[("cell", Int64), ("x", Float64), ("basis", String)]);
    for (number, part) in parts.iter().enumerate() {
        let mut rows = Rows::new(&schema);
        for (cell, x, basis) in *part {
            rows.push_int(0, Some(*cell));
            rows.push_float(1, *x);
            rows.push_text(2, Some(basis));
        }
        write(&bench.out(), number, &rows);
    }
}

/// Each bound once on the right and once on the wrong side of six cells, with the margins.
const BOUNDS: [(&str, &str, f64); 12] = [
    ("at_most = 7", "holds", 1.0),
    ("at_most = 5.5", "fails", -0.5),
    ("at_least = 6", "holds", 0.0),
    ("at_least = 7", "fails", -1.0),
    ("between = [5, 10]", "holds", 1.0),
    ("between = [1, 5]", "fails", -1.0),
    ("between = [7, 9]", "fails", -1.0),
    ("equals = 6", "holds", 0.0),
    ("equals = 6.5\ntolerance = 0.5", "holds", 0.0),
    ("equals = 5", "fails", -1.0),
    ("equals = 4\ntolerance = 1.5", "fails", -0.5),
    ("between = [6, 6]", "holds", 0.0),
];

#[test]
fn every_bound_holds_and_fails_with_its_margin() {
    let sql = "sql = \"SELECT count(*) AS cells FROM cells\"\n";
    let mut claims: Vec<String> = BOUNDS.iter().map(|(bound, _, _)| format!("{sql}{bound}")).collect();
    let truth = "sql = \"SELECT count(*) > 5 AS many FROM cells\"\n";
    claims.extend([format!("{truth}holds = true"), format!("{truth}holds = false\ncite = \"nobody2024\"")]);
    let claims: Vec<&str> = claims.iter().map(String::as_str).collect();
    let bench = Bench::new(&with_claims(TINY, &claims));
    // A claim that fails is an answer, and no failure of the run.
    let run = bench.run(&[]).exits(0);
    says(&run.stderr, &["14 claims: 7 hold, 7 fail", "✓ holds", "✗ fails", "in [5, 10]", "= 6.5 ± 0.5", "≤ 5.5"]);
    let said = checked(&bench, "out");
    let json = said.json();
    for ((bound, verdict, margin), told) in BOUNDS.iter().zip(json["claims"].as_array().expect("a list")) {
        assert_eq!(told["verdict"], *verdict, "{bound}: {told}");
        assert_eq!((&told["value"], &told["margin"]), (&json!(6.0), &json!(margin)), "{bound}: {told}");
        assert!(told["reason"].is_null() && told["cite"].is_null(), "{told}");
    }
    assert_eq!(verdicts(&json)[12..], ["holds", "fails"]);
    assert_eq!(json["claims"][13]["cite"], "nobody2024");
    assert_eq!(json["claims"][13]["value"], 1.0);
    table_says_the_same(&bench.out(), &said);
    let text = bench.taut(&["check", "out"]).exits(4);
    assert!(text.stderr.is_empty(), "{}", text.stderr);
    says(&text.stdout, &["claim 12", "true", "false", "14 claims: 7 hold, 7 fail"]);
    // The same verdicts by other ways.
    bench.run(&["--check", "--quiet"]).exits(4);
    let again = bench.run(&["--json", "--quiet"]).exits(0);
    assert_eq!(verdicts(&again.json()), verdicts(&json));
    let of_study = bench.taut(&["check", "study.toml", "--out", "out", "--json"]).exits(4);
    assert_eq!(of_study.json()["claims"], json["claims"]);
    assert_eq!(json["schema"], "taut.check/1");
}

#[test]
fn a_study_whose_claims_hold_exits_with_0() {
    let holds = "sql = \"SELECT max(final_train_mse) AS mse FROM cells\"\nat_most = 1e3";
    let bench = Bench::new(&with_claims(TINY, &[holds]));
    bench.run(&["--check", "--quiet"]).exits(0);
    assert!(bench.taut(&["check", "out"]).exits(0).stdout.contains("1 claim: 1 holds"));
    // Where the results go unless told otherwise.
    bench.taut(&["run", "study.toml", "--quiet"]).exits(0);
    let said = bench.taut(&["check", "study.toml", "--json"]).exits(0);
    assert_eq!(said.json()["folder"], "results/study");
}

/// Numbers that a reader of JSON may get wrong in their last digit.
#[test]
fn small_bounds_are_what_was_written_wherever_they_are_read() {
    let sql = "sql = \"SELECT max(abs(final_risk)) * 1.0e-31 AS small FROM cells\"\n";
    let bounds = ["1e-23", "1e-26", "3.5e-28", "1e-29", "9e-31"];
    let claims = bounds.map(|bound| format!("{sql}at_most = {bound}"));
    let bench = Bench::new(&with_claims(TINY, &claims.iter().map(String::as_str).collect::<Vec<_>>()));
    bench.run(&["--quiet"]).exits(0);
    let of_folder = bench.taut(&["check", "out", "--json"]).exits(0).json();
    let of_study = bench.taut(&["check", "study.toml", "--out", "out", "--json"]).exits(0).json();
    assert_eq!(of_folder["claims"], of_study["claims"]);
    for (claim, bound) in of_folder["claims"].as_array().expect("a list").iter().zip(bounds) {
        assert_eq!(claim["bound"], format!("≤ {bound}"));
        let expected: f64 = bound.parse().expect("a number");
        assert!((claim["upper"].as_f64().expect("a number") / expected - 1.0).abs() < 1e-15);
    }
}

#[test]
fn a_study_without_claims_says_so_and_gets_no_table() {
    let bench = Bench::new(TINY);
    bench.run(&["--quiet", "--check"]).exits(0);
    says(&bench.taut(&["check", "out"]).exits(0).stdout, &["makes no claim", "docs/study.md"]);
    assert!(!bench.path("out/claims").exists());
}

#[test]
fn where_nothing_was_measured_nothing_is_decided() {
    let bench = Bench::new(TINY);
    let at_most = || ("at_most", json!(1e9));
    by_hand(
        &bench,
        &[&[(1, Some(2.0), "legendre"), (2, None, "legendre"), (3, Some(f64::NAN), "fourier")]],
        json!([
            claim("no rows", "SELECT x FROM cells WHERE basis = 'legendree'", at_most(), &[]),
            claim("no rows, aggregated", "SELECT max(x) AS m FROM cells WHERE basis = 'legendree'", at_most(), &[]),
            claim("null", "SELECT x FROM cells WHERE cell = 2", at_most(), &[]),
            claim("NaN is no small number", "SELECT x FROM cells WHERE cell = 3", at_most(), &[]),
            claim("nor a large one", "SELECT x FROM cells WHERE cell = 3", ("at_least", json!(0)), &[]),
            claim("several rows", "SELECT cell FROM cells", at_most(), &[]),
            claim("no truth", "SELECT max(x) < 3 AS t FROM cells WHERE cell > 9", ("holds", json!(true)), &[]),
            claim("nor its contrary", "SELECT max(x) < 3 AS t FROM cells WHERE cell > 9", ("holds", json!(false)), &[]),
            claim(
                "no group",
                "SELECT basis, max(x) AS m FROM cells WHERE cell > 9 GROUP BY basis",
                at_most(),
                &["basis"]
            ),
            claim("one group of two", "SELECT basis, avg(x) AS m FROM cells GROUP BY basis", at_most(), &["basis"]),
            claim("overflow", "SELECT 1.0 / 0.0 AS m FROM cells LIMIT 1", ("at_least", json!(5)), &[]),
        ]),
    );
    let said = checked(&bench, "out");
    let json = said.json();
    assert_eq!(verdicts(&json)[..10], ["undecided"; 10].map(str::to_owned), "{json:#}");
    let reasons =
        ["no row", "is null", "is null", "is NaN", "is NaN", "3 rows", "is null", "is null", "no row", "is NaN"];
    for (claim, reason) in json["claims"].as_array().expect("a list").iter().zip(reasons) {
        says(claim["reason"].as_str().expect("a reason"), &[reason]);
    }
    assert_eq!(json["claims"][9]["groups"][1]["verdict"], "holds", "legendre has a mean, which skips null");
    assert_eq!((&json["claims"][10]["value"], &json["claims"][10]["verdict"]), (&json!("inf"), &json!("holds")));
    table_says_the_same(&bench.out(), &said);
    let text = bench.taut(&["check", "out"]).exits(4).stdout;
    says(
        &text,
        &["claim 1 is undecided: the query gave no row", "? undecided", "[1 of 2 is undecided: basis = fourier]"],
    );
    says(&text, &["aggregate, or use group_by", "11 claims: 1 holds, 10 undecided"]);
}

#[test]
fn one_bad_group_fails_the_claim_and_is_named() {
    let bench = Bench::new(TINY);
    let rows: Vec<(i64, Option<f64>, &str)> = ["monomial", "legendre", "fourier"]
        .iter()
        .enumerate()
        .map(|(at, basis)| (at as i64, Some(at as f64), *basis))
        .collect();
    let by_basis = "SELECT basis, max(x) AS worst FROM cells GROUP BY basis";
    by_hand(
        &bench,
        &[&rows],
        json!([
            claim("up to two", by_basis, ("at_most", json!(2)), &["basis"]),
            claim("up to one", by_basis, ("at_most", json!(1)), &["basis"]),
            claim("up to none", by_basis, ("at_most", json!(-1)), &["basis"]),
            claim("by number", "SELECT cell, x FROM cells", ("at_least", json!(0)), &["cell"]),
            claim("by both", "SELECT cell, basis, x FROM cells", ("equals", json!(1)), &["basis", "cell"]),
            claim(
                "rows of a group",
                "SELECT basis, x FROM cells UNION ALL SELECT basis, -x AS x FROM cells",
                ("at_least", json!(-1.5)),
                &["basis"]
            ),
        ]),
    );
    let said = checked(&bench, "out");
    let json = said.json();
    assert_eq!(verdicts(&json), ["holds", "fails", "fails", "holds", "fails", "fails"]);
    let groups = |claim: usize, key: &str| -> Vec<String> {
        let groups = json["claims"][claim]["groups"].as_array().expect("a list");
        groups.iter().map(|group| group[key].as_str().map_or_else(|| group[key].to_string(), str::to_owned)).collect()
    };
    assert_eq!(groups(1, "group"), ["basis = fourier", "basis = legendre", "basis = monomial"], "in order");
    assert_eq!(groups(1, "verdict"), ["fails", "holds", "holds"]);
    assert_eq!(groups(3, "group"), ["cell = 0", "cell = 1", "cell = 2"]);
    assert_eq!(groups(4, "group")[0], "basis = fourier, cell = 2");
    assert_eq!(groups(5, "value"), ["-2.0", "2.0", "-1.0", "1.0", "-0.0", "0.0"], "rows of a group by size");
    table_says_the_same(&bench.out(), &said);
    let text = bench.taut(&["check", "out"]).exits(4).stdout;
    says(
        &text,
        &["[closest of 3: basis = fourier]", "[1 of 3 fails: basis = fourier]", "[3 of 3 fail, worst: basis ="],
    );
}

#[test]
fn missing_parts_leave_everything_undecided() {
    let bench = Bench::new(TINY);
    let total = || json!([claim("sum", "SELECT sum(x) AS s FROM cells", ("at_most", json!(9)), &[])]);
    by_hand(&bench, &[&[(1, Some(1.0), "a")], &[(2, Some(2.0), "a")], &[(3, Some(4.0), "a")]], total());
    assert_eq!(checked(&bench, "out").json()["claims"][0]["value"], 7.0);
    std::fs::remove_file(bench.path("out/cells/part-00001.parquet")).expect("it was written");
    let said = checked(&bench, "out");
    let told = &said.json()["claims"][0];
    assert_eq!((&told["verdict"], &told["value"]), (&json!("undecided"), &json!(5.0)));
    assert_eq!(told["reason"], "1 of 3 parts are missing");
    table_says_the_same(&bench.out(), &said);
    // As many parts as there should be, of which one is another table's.
    use ColumnType::Int64;
    manifest(&bench.out(), &["cells", "curves"], 2, total());
    let mut rows = Rows::new(&schema("curves", &[("cell", Int64)]));
    rows.push_int(0, Some(1));
    write(&bench.out(), 0, &rows);
    write(&bench.out(), 1, &rows);
    assert_eq!(checked(&bench, "out").json()["claims"][0]["reason"], "1 of 2 parts are missing");
}

#[test]
fn claims_may_change_after_the_run() {
    let sql = "sql = \"SELECT count(*) AS cells FROM cells\"\n";
    let first = with_claims(TINY, &[&format!("{sql}at_most = 6")]);
    let second = with_claims(TINY, &[&format!("{sql}at_most = 5"), &format!("{sql}at_least = 1")]);
    let bench = Bench::new(&first);
    bench.run(&["--quiet", "--check"]).exits(0);
    bench.write("study.toml", &second);
    let of_study = || bench.taut(&["check", "study.toml", "--out", "out", "--json"]);
    assert_eq!(verdicts(&of_study().exits(4).json()), ["fails", "holds"], "the claims of today");
    assert_eq!(table(&bench.out(), "claims").rows(), 2);
    assert_eq!(verdicts(&checked(&bench, "out").json()), ["holds"], "the claims stored with the tables");
    assert_eq!(table(&bench.out(), "claims").rows(), 1);
    let run = bench.run(&["--check"]).exits(4);
    says(&run.stderr, &["nothing to do", "2 claims: 1 holds, 1 fails"]);
    assert_eq!(verdicts(&checked(&bench, "out").json()), ["fails", "holds"], "a second run stores the new ones");
    // Without claims there is nothing left to say, and no old verdict stays.
    bench.write("study.toml", TINY);
    bench.run(&["--check", "--quiet"]).exits(0);
    assert!(
        Folder::at(bench.out()).parts("claims").expect("a folder").is_empty()
            || table(&bench.out(), "claims").rows() == 0
    );
}

#[test]
fn results_that_cannot_be_written_are_checked_all_the_same() {
    let bench = Bench::new(&with_claims(TINY, &["sql = \"SELECT count(*) AS cells FROM cells\"\nequals = 6"]));
    bench.run(&["--quiet"]).exits(0);
    std::fs::remove_dir_all(bench.path("out/claims")).expect("it was written");
    bench.write("out/claims", "no folder");
    let said = bench.taut(&["check", "out", "--json"]).exits(0);
    assert_eq!(verdicts(&said.json()), ["holds"]);
    says(&said.stderr, &["warning: the verdicts are not kept", "out/claims"]);
}

#[test]
fn tables_of_another_study_say_nothing_of_this_one() {
    let holds = "sql = \"SELECT count(*) AS cells FROM cells\"\nequals = 6";
    let bench = Bench::new(&with_claims(TINY, &[holds]));
    bench.run(&["--quiet"]).exits(0);
    bench.write("study.toml", &with_claims(&TINY.replace("samples = 8", "samples = 9"), &[holds]));
    let said = bench.taut(&["check", "study.toml", "--out", "out"]).exits(2);
    says(&said.stderr, &["another study", "taut run study.toml", "--out"]);
    bench.taut(&["check", "study.toml", "--out", "out", "--set", "data.curve.samples=8"]).exits(0);
    bench.taut(&["check", "out"]).exits(0);
}

#[test]
fn the_table_of_verdicts_has_the_same_bytes_again_and_again() {
    let claims = [
        "sql = \"SELECT avg(t.risk) AS mean FROM trajectory t JOIN cells c USING (cell)\"\nat_most = 9",
        "sql = \"SELECT c.basis, avg(t.bending_energy) AS mean FROM trajectory t JOIN cells c USING (cell) GROUP BY c.basis\"\nat_most = 1e9\ngroup_by = [\"basis\"]",
        "sql = \"SELECT stddev(risk) AS spread FROM trajectory\"\nbetween = [0, 3]",
        "sql = \"SELECT seed, sum(final_risk) AS total FROM cells GROUP BY seed\"\nat_least = 0\ngroup_by = [\"seed\"]",
    ];
    let bench = Bench::new(&with_claims(TINY, &claims));
    let bytes = || std::fs::read(bench.path("out/claims/part-00000.parquet")).expect("the table of verdicts");
    bench.run(&["--quiet", "--threads", "1"]).exits(0);
    let first = bytes();
    std::fs::remove_dir_all(bench.out()).expect("our own folder");
    bench.run(&["--quiet", "--threads", "2"]).exits(0);
    assert!(bytes() == first, "two threads");
    for threads in ["1", "2", "3", "4"] {
        let mut command = support::study::command(&["check", "out"]);
        command.current_dir(bench.path("")).env("POLARS_MAX_THREADS", threads);
        support::study::finish(&mut command, std::time::Duration::from_secs(60)).exits(0);
        assert!(bytes() == first, "{threads} threads of polars");
    }
}

#[test]
fn a_study_of_today_may_lack_what_it_claims_by_set_only() {
    let claims = ["sql = \"SELECT max(final_risk) AS r FROM cells\"\nat_most = 9"];
    let bench = Bench::new(&with_claims(TINY, &claims));
    let said = bench.run(&["--set", "record.metrics=[\"train_mse\"]"]).exits(0);
    says(&said.stderr, &["there is no column `final_risk`", "1 claim: 1 undecided"]);
    says(
        &bench.run(&["--set", "record.metrics=[\"train_mse\"]", "--check"]).exits(4).stderr,
        &["claim 1 is undecided"],
    );
}
