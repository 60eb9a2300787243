//! Queries as nobody should write them: each has an answer or an error, soon, and no file but the study's own is opened.

use proptest::prelude::*;
use std::time::{Duration, Instant};
use taut_report::{Database, Kind};
use taut_store::{Column, ColumnType, TableSchema};

/// Queries that have an answer; the others are made of their pieces.
const GOOD: [&str; 12] = [
    "SELECT max(risk) AS worst FROM trajectory WHERE source = 'trained' AND time < 1.0e3",
    "SELECT avg(t.risk) AS mean FROM trajectory t JOIN cells c USING (cell) WHERE c.decay > 0.5",
    "SELECT c.basis, quantile_cont(t.risk, 0.95) AS q FROM trajectory t JOIN cells c USING (cell) GROUP BY c.basis",
    "WITH a AS (SELECT cell, max(risk) AS worst FROM trajectory GROUP BY cell) SELECT avg(worst) AS mean FROM a",
    "SELECT sum(CASE WHEN decay > 1 THEN 1.0 ELSE 0.0 END) / count(*) AS share FROM cells",
    "SELECT max(n) AS n FROM (SELECT row_number() OVER (PARTITION BY source ORDER BY time) AS n FROM trajectory) AS q",
    "SELECT abs(a.risk - b.risk) AS gap FROM trajectory a JOIN trajectory b ON a.cell = b.cell WHERE a.source <> b.source",
    "SELECT basis FROM cells WHERE basis IN ('legendre', 'monomial') UNION SELECT 'x' AS basis FROM cells",
    "SELECT max(risk) < 3.0 AS small FROM trajectory WHERE risk IS NOT NULL HAVING count(*) > 3",
    "SELECT DISTINCT ON (basis) basis, decay FROM cells ORDER BY decay DESC LIMIT 3 OFFSET 1",
    "SELECT lag(risk) OVER (PARTITION BY cell ORDER BY time) AS before FROM trajectory QUALIFY before > 0",
    "SELECT CAST(decay AS BIGINT) % 2 AS odd, median(decay) AS m FROM cells GROUP BY CAST(decay AS BIGINT) % 2",
];

/// Words that mean something to the parser where they should not stand.
const STRAY: [&str; 40] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "JOIN",
    "ON",
    "USING",
    "AS",
    "OVER",
    "(",
    ")",
    "((",
    "))",
    ",",
    ";",
    "'",
    "\"",
    "`",
    "*",
    "-",
    "--",
    "/*",
    "/",
    "//",
    "::",
    "->",
    "[0]",
    "{",
    "NULL",
    "NaN",
    "1e-3",
    "1e999",
    "99999999999999999999999999",
    "'2020-01-01'::date",
    "INTERVAL '1 day'",
    "EXISTS (SELECT 1)",
    "UNNEST([1])",
    "\u{1F600}",
];

fn database() -> Database {
    use ColumnType::{Bool, Float64, Int64, String};
    let table = |name: &str, columns: &[(&str, ColumnType)]| TableSchema {
        name: name.to_owned(),
        columns: columns.iter().map(|(name, kind)| Column::new(*name, *kind, "", "")).collect(),
    };
    let tables = [
        table("cells", &[("cell", Int64), ("basis", String), ("decay", Float64), ("precision_ok", Bool)]),
        table("trajectory", &[("cell", Int64), ("source", String), ("time", Float64), ("risk", Float64)]),
    ];
    Database::of_schemas(&tables, [("modes".to_owned(), "add \"modes\" to `record.tables`".to_owned())])
}

/// Asks, and expects an answer or a readable error within a while.
fn ask(database: &Database, sql: &str) -> Result<(), TestCaseError> {
    let began = Instant::now();
    let answer = database.columns(sql);
    prop_assert!(began.elapsed() < Duration::from_secs(20), "{:?} for {sql}", began.elapsed());
    if let Err(error) = answer {
        prop_assert!(!error.message.is_empty() && !error.help.is_empty());
        prop_assert!(error.message.len() < 2000, "{}", error.message);
        prop_assert!(error.word.is_none_or(|word| !word.is_empty()));
    }
    Ok(())
}

/// The tokens of a query: words, numbers and single signs.
fn tokens(sql: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for c in sql.chars().filter(|c| !c.is_whitespace() || *c == ' ') {
        let is_word = c.is_alphanumeric() || c == '_' || c == '.';
        match found.last_mut() {
            Some(last) if is_word && inside => last.push(c),
            _ if c == ' ' => {}
            _ => found.push(c.to_string()),
        }
        inside = is_word;
    }
    found
}

/// One thing done to a query.
#[derive(Clone, Debug)]
enum Harm {
    Cut(usize),
    Swap(usize, usize),
    Drop(usize),
    Repeat(usize, usize),
    Stray(usize, usize),
    Borrow(usize, usize, usize),
    Noise(usize, String),
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = || 0..60usize;
    prop_oneof![
        at().prop_map(Harm::Cut),
        (at(), at()).prop_map(|(a, b)| Harm::Swap(a, b)),
        at().prop_map(Harm::Drop),
        (at(), 1..80usize).prop_map(|(at, times)| Harm::Repeat(at, times)),
        (at(), 0..STRAY.len()).prop_map(|(at, word)| Harm::Stray(at, word)),
        (at(), 0..GOOD.len(), at()).prop_map(|(at, from, which)| Harm::Borrow(at, from, which)),
        (at(), "\\PC{0,12}").prop_map(|(at, noise)| Harm::Noise(at, noise)),
    ]
}

fn harmed(sql: &str, harms: &[Harm]) -> String {
    let mut all = tokens(sql);
    for harm in harms {
        let count = all.len().max(1);
        if all.is_empty() {
            break;
        }
        match harm {
            Harm::Cut(at) => all.truncate(at % count),
            Harm::Swap(a, b) => all.swap(a % count, b % count),
            Harm::Drop(at) => drop(all.remove(at % count)),
            Harm::Repeat(at, times) => {
                let token = vec![all[at % count].clone(); *times];
                drop(all.splice(at % count..at % count, token));
            }
            Harm::Stray(at, word) => all.insert(at % count, STRAY[*word].to_owned()),
            Harm::Borrow(at, from, which) => {
                let others = tokens(GOOD[*from]);
                all[at % count] = others[which % others.len()].clone();
            }
            Harm::Noise(at, noise) => all.insert(at % count, noise.clone()),
        }
    }
    all.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
    ))]

    #[test]
    fn harmed_queries_have_an_answer_or_an_error(
        from in 0..GOOD.len(),
        harms in prop::collection::vec(harm(), 1..6),
    ) {
        ask(&database(), &harmed(GOOD[from], &harms))?;
    }

    #[test]
    fn any_text_has_an_error(text in "\\PC{0,60}") {
        ask(&database(), &text)?;
        ask(&database(), &format!("SELECT {text} FROM cells"))?;
    }

    #[test]
    fn any_bytes_have_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        ask(&database(), &format!("SELECT {} FROM cells", String::from_utf8_lossy(&bytes)))?;
    }
}

#[test]
fn the_queries_that_are_harmed_have_answers() {
    for sql in GOOD {
        assert!(
            database().columns(sql).is_ok() || sql.contains("HAVING") || sql.contains("QUALIFY"),
            "{sql}: {:?}",
            database().columns(sql)
        );
    }
    let columns = database().columns(GOOD[2]).expect("it has an answer");
    assert_eq!(columns, [("basis".to_owned(), Kind::Text), ("q".to_owned(), Kind::Number)]);
}

#[test]
fn very_long_and_very_deep_queries_end() {
    let database = database();
    let nested = |open: &str, inner: &str, close: &str, depth: usize| open.repeat(depth) + inner + &close.repeat(depth);
    let queries = [
        format!("SELECT {}1 AS x FROM cells", "1 + ".repeat(400)),
        format!("SELECT {}1 AS x FROM cells", "1 + ".repeat(100_000)),
        format!("SELECT count(*) AS n FROM cells WHERE {}decay > 2", "decay < 3 OR ".repeat(240)),
        format!("SELECT count(*) AS n FROM cells WHERE cell IN ({}2)", "1, ".repeat(5000)),
        format!("SELECT {} AS x FROM cells", nested("(", "1", ")", 3000)),
        format!("SELECT {} AS x FROM cells", nested("abs(", "1", ")", 3000)),
        format!("SELECT {}true AS x FROM cells", "NOT ".repeat(499)),
        format!("SELECT * FROM {}", nested("(SELECT * FROM ", "cells", ")", 90)),
        vec!["SELECT 1 AS x FROM cells"; 60].join(" UNION ALL "),
        format!("SELECT '{}' AS x FROM cells", "ö".repeat(8000)),
        "SELECT ".repeat(90),
        "(".repeat(16_000),
        format!("SELECT {}", "a.".repeat(8000)),
    ];
    for sql in queries {
        let began = Instant::now();
        let _ = database.columns(&sql);
        let start: String = sql.chars().take(60).collect();
        assert!(began.elapsed() < Duration::from_secs(60), "{:?} for {start}", began.elapsed());
    }
}

#[test]
fn no_function_opens_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("secret.parquet");
    std::fs::write(&path, "not for queries").expect("a writable folder");
    let path = path.display();
    for sql in [
        format!("SELECT * FROM read_parquet('{path}')"),
        format!("SELECT * FROM READ_PARQUET('{path}')"),
        format!("SELECT * FROM \"read_parquet\"('{path}')"),
        format!("SELECT * FROM cells, read_parquet ('{path}')"),
        format!("WITH a AS (SELECT * FROM read_csv('{path}')) SELECT * FROM a"),
        format!("SELECT * FROM read_json('{path}')"),
        format!("SELECT * FROM read_ipc('{path}')"),
    ] {
        let error = database().columns(&sql).expect_err("it opens a file");
        assert!(error.message.contains("opens other files"), "{sql}: {error}");
    }
    for sql in [
        format!("SELECT * FROM '{path}'"),
        format!("SELECT * FROM \"{path}\""),
        format!("COPY cells TO '{path}'"),
        format!("CREATE TABLE a AS SELECT * FROM read_parquet('{path}')"),
        format!("SELECT * FROM scan_parquet('{path}')"),
        "DROP TABLE cells".to_owned(),
        "DELETE FROM cells".to_owned(),
        "TRUNCATE TABLE cells".to_owned(),
        "WITH a AS (SELECT 1) DELETE FROM cells".to_owned(),
        "SELECT 1; DROP TABLE cells".to_owned(),
        "EXPLAIN SELECT * FROM cells".to_owned(),
        "SHOW TABLES".to_owned(),
    ] {
        let error = database().columns(&sql).expect_err("it is no look at the tables");
        assert!(!error.message.contains("not for queries"), "{sql}: {error}");
    }
    let database = database();
    assert!(database.columns("SELECT * FROM cells").is_ok(), "the tables are still there");
}
