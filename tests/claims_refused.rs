//! What bad claims and bad results folders are told, word by word.

mod support;

use serde_json::json;
use support::claims::{TINY, with_claims};
use support::golden::golden;
use support::ledger::{VERSION, claim, manifest, provenance, schema, write};
use support::study::{Bench, Said};
use taut_store::{Column, ColumnType, Folder, Rows, TableSchema};

/// What `taut plan` says to a study with these claims.
#[track_caller]
fn refused(claims: &[&str]) -> String {
    let bench = Bench::new(&with_claims(TINY, claims));
    let said = bench.taut(&["plan", "study.toml"]).exits(2);
    assert!(said.stdout.is_empty() && !said.stderr.contains("panicked"), "{said:?}");
    // A run stops at the same mistakes before it makes a folder.
    assert_eq!(bench.run(&[]).exits(2).stderr, said.stderr);
    assert!(!bench.out().exists());
    said.stderr
}

/// Claims that differ in their query alone.
fn queries(all: &[&str]) -> Vec<String> {
    all.iter().map(|sql| format!("sql = '''{sql}'''\nat_most = 1")).collect()
}

#[track_caller]
fn golden_of_queries(name: &str, all: &[&str]) {
    let claims = queries(all);
    let found = refused(&claims.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(found.matches("error: ").count(), all.len(), "every query has its mistake:\n{found}");
    golden(name, &found);
}

#[test]
fn unknown_names() {
    golden_of_queries(
        "claim_names",
        &[
            "SELECT max(train_msee) AS m FROM trajectory",
            "SELECT max(f) AS m FROM curves",
            "SELECT max(x) AS m FROM trajectoryy",
            "SELECT max(wall_seconds) AS m FROM timing",
            "SELECT max(basis) AS m FROM trajectory",
            "SELECT max(t.risk) AS m FROM trajectory AS s",
            "SELECT max(t.risk) AS m FROM trajectory t JOIN cells c ON t.cel = c.cell",
            "SELECT max(risk) AS m FROM trajectory WHERE source = \"trained\"",
            "SELECT max(final_risk) AS m FROM (SELECT seed FROM cells) AS q",
            "SELECT maximum(risk) AS m FROM trajectory",
        ],
    );
}

#[test]
fn syntax() {
    golden_of_queries(
        "claim_syntax",
        &[
            "SELECT max(risk) < 1e-3 AS small FROM trajectory",
            "SELECT max(risk AS m FROM trajectory",
            "SELECT max(risk)) AS m FROM trajectory",
            "SELECT max(risk) AS m FROM trajectory; SELECT 1 AS m FROM cells",
            "SELECT max(risk) AS m FRM trajectory",
            "SELECT",
            "",
            "SELECT max(risk) AS m FROM trajectory WHERE source = 'trained",
            "DROP TABLE cells",
            "SELECT max(risk) AS m FROM read_parquet('/etc/passwd')",
            "SELECT max(risk) AS m FROM trajectory WHERE EXISTS (SELECT 1 FROM cells)",
            "SELECT max(risk) / (SELECT max(risk) FROM trajectory) AS m FROM trajectory",
            "SELECT rank() OVER (ORDER BY risk) AS m FROM trajectory",
            "SELECT avg(risk) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS m FROM trajectory",
            "SELECT max(risk), max(risk) FROM trajectory",
            "SELECT max(risk) AS m FROM trajectory WHERE source = 1",
            "SELECT avg(source) AS m FROM trajectory",
        ],
    );
}

#[test]
fn answers_of_another_shape() {
    let found = refused(&[
        "sql = 'SELECT cell, final_risk FROM cells'\nat_most = 1",
        "sql = 'SELECT * FROM cells'\nat_most = 1",
        "sql = 'SELECT basis FROM cells GROUP BY basis'\nat_most = 1\ngroup_by = ['basis']",
        "sql = 'SELECT basis, max(n) AS n FROM cells GROUP BY basis'\nat_most = 1\ngroup_by = ['bases']",
        "sql = 'SELECT basis, seed, max(n) AS n FROM cells GROUP BY basis, seed'\nat_most = 1\ngroup_by = ['seed']",
        "sql = 'SELECT max(n) AS n FROM cells'\nholds = true",
        "sql = 'SELECT max(n) > 3 AS large FROM cells'\nat_least = 1",
        "sql = 'SELECT basis FROM cells'\nat_most = 1",
        "sql = 'SELECT final_risk FROM cells GROUP BY basis'\nat_most = 1",
        "sql = 'SELECT final_risk / max(n) AS r FROM cells GROUP BY basis'\nat_most = 1",
        "sql = 'SELECT NULL AS nothing FROM cells'\nat_most = 1",
    ]);
    golden("claim_shapes", &found);
}

#[test]
fn bounds() {
    let sql = "sql = 'SELECT max(n) AS n FROM cells'\n";
    let claims = [
        "at_most = 'one'",
        "at_most = nan",
        "at_least = inf",
        "between = [1, 2, 3]",
        "equals = 1\ntolerance = -1",
        "holds = 1",
        "at_mots = 1",
    ]
    .map(|bound| format!("{sql}{bound}"));
    let of_the_words = refused(&claims.iter().map(String::as_str).collect::<Vec<_>>());
    let claims = ["", "at_most = 1\nat_least = 0", "between = [3, 1]", "at_most = 1\ntolerance = 1"];
    let claims = claims.map(|bound| format!("{sql}{bound}"));
    let of_their_meaning = refused(&claims.iter().map(String::as_str).collect::<Vec<_>>());
    golden("claim_bounds", &format!("{of_the_words}\n{of_their_meaning}"));
}

#[test]
fn places_inside_the_query() {
    let found = refused(&[
        "sql = \"\"\"\n  -- the worst\n  SELECT max(risc) AS m\n  FROM trajectory\"\"\"\nat_most = 1",
        "sql = '''\n  SELECT max(risk) AS m\n  FORM trajectory'''\nat_most = 1",
        "sql = 'SELECT max(r\u{ef}sk) AS m, max(risk) AS \u{3bb} FROM trajectory WHERE (source = 1'\nat_most = 1",
        "sql = \"SELECT max(risk) AS m FROM trajectory WHERE source = \\\"trained\\\"\"\nat_most = 1",
        "sql = \"SELECT max(\\u0072isk) + ) AS m FROM trajectory\"\nat_most = 1",
    ]);
    golden("claim_places", &found);
}

#[test]
fn all_at_once_and_in_the_order_of_the_file() {
    // Mistakes that the file's own words show come first, then those of its sections together, then those of the tables.
    let claims =
        queries(&["SELECT max(a) AS m FROM cells", "SELECT max(b) AS m FROM cells", "SELECT max(c) AS m FROM x"]);
    let claims: Vec<&str> = claims.iter().map(String::as_str).collect();
    let found = refused(&claims);
    let at = |word: &str| found.find(word).unwrap_or_else(|| panic!("{word} is missing in {found}"));
    assert!(at("claim[0].sql") < at("claim[1].sql") && at("claim[1].sql") < at("claim[2].sql"));
}

/// A folder of two parts of `cells` with a claim over them.
fn folder(bench: &Bench) {
    manifest(
        &bench.out(),
        &["cells"],
        2,
        json!([claim("mean", "SELECT avg(x) + min(cell) AS mean FROM cells", ("at_most", json!(1)), &[])]),
    );
    for part in 0..2 {
        let mut rows = Rows::new(&cells());
        for cell in 0..5000 {
            rows.push_int(0, Some(cell));
            rows.push_float(1, Some((cell as f64).sin()));
        }
        write(&bench.out(), part, &rows);
    }
}

fn cells() -> TableSchema {
    schema("cells", &[("cell", ColumnType::Int64), ("x", ColumnType::Float64)])
}

/// What `taut check` says to a folder after something has happened to it.
fn after(harm: impl Fn(&Bench)) -> String {
    let bench = Bench::new(TINY);
    folder(&bench);
    bench.taut(&["check", "out"]).exits(0);
    harm(&bench);
    told(&bench, &["check", "out"])
}

#[track_caller]
fn told(bench: &Bench, arguments: &[&str]) -> String {
    let said: Said = bench.taut(arguments).exits(2);
    assert!(said.stdout.is_empty() && !said.stderr.contains("panicked"), "{said:?}");
    format!("$ taut {}\n{}", arguments.join(" "), said.stderr)
}

#[test]
fn folders_that_hold_no_results() {
    let bench = Bench::new(TINY);
    std::fs::create_dir(bench.path("empty")).expect("a writable folder");
    bench.write("notes.txt", "not a study");
    let mut found = String::new();
    for arguments in [
        &["check", "nowhere"][..],
        &["check", "empty"],
        &["check", "studdy.toml"],
        &["check", "study.toml"],
        &["check", "study.toml", "--out", "empty"],
        &["check", "notes.txt"],
        &["check", "empty", "--out", "elsewhere"],
        &["check", "empty", "--set", "seed=3"],
    ] {
        found += &told(&bench, arguments);
    }
    golden("check_no_results", &found);
}

#[test]
fn folders_that_something_has_happened_to() {
    let part = |bench: &Bench| bench.path("out/cells/part-00001.parquet");
    let cut = |bench: &Bench, bytes: usize| {
        let whole = std::fs::read(part(bench)).expect("it was written");
        std::fs::write(part(bench), &whole[..whole.len() - bytes]).expect("a writable folder");
    };
    let other = |bench: &Bench, version: &str, column: &str| {
        let mut schema = cells();
        schema.columns[1] = Column::new(column, ColumnType::Float64, "", "");
        let mut rows = Rows::new(&schema);
        rows.push_int(0, Some(1));
        rows.push_float(1, Some(1.0));
        Folder::at(bench.out()).write_part("00001", &rows, &provenance(version)).expect("a writable folder");
    };
    let found = [
        ("no parts", after(|bench| std::fs::remove_dir_all(bench.path("out/cells")).expect("it was written"))),
        ("a manifest cut short", after(|bench| bench.write("out/manifest.json", "{ \"title\": \"by ha"))),
        ("a manifest of something else", after(|bench| bench.write("out/manifest.json", "{ \"name\": \"left-pad\" }"))),
        ("parts of two versions", after(|bench| other(bench, "3", "x"))),
        ("a column of another name", after(|bench| other(bench, VERSION, "y"))),
        (
            "more parts than the study has",
            after(|bench| {
                std::fs::copy(part(bench), bench.path("out/cells/part-00002.parquet")).expect("a writable folder");
            }),
        ),
        ("an empty part", after(|bench| std::fs::write(part(bench), "").expect("a writable folder"))),
        ("a part cut at its end", after(|bench| cut(bench, 3))),
        ("a part without its footer", after(|bench| cut(bench, 2000))),
        (
            "a part of noise",
            after(|bench| std::fs::write(part(bench), "noise ".repeat(999)).expect("a writable folder")),
        ),
    ];
    let found: String = found.map(|(what, told)| format!("# {what}\n{told}\n")).concat();
    golden("check_damaged", &found);
}

/// Bytes inside a part are changed, its footer is as it was: whatever polars makes of that, it is told or harmless.
#[test]
fn a_part_damaged_inside_is_named_or_read_on() {
    let bench = Bench::new(TINY);
    folder(&bench);
    let path = bench.path("out/cells/part-00001.parquet");
    let whole = std::fs::read(&path).expect("it was written");
    let mut named = 0;
    for at in (4..whole.len() - 1500).step_by(whole.len() / 40) {
        let mut harmed = whole.clone();
        harmed[at..at + 16].fill(0xff);
        std::fs::write(&path, &harmed).expect("a writable folder");
        let said = bench.taut(&["check", "out"]);
        assert!(matches!(said.code, Some(0 | 2 | 4)), "byte {at}: {said:?}");
        if said.code == Some(2) {
            assert!(said.stderr.contains("part-00001.parquet"), "byte {at}: {said:?}");
            named += 1;
        }
    }
    assert!(named > 0, "no damage was seen");
}
