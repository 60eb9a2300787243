//! `taut report` through the binary: what a page holds, what it says where there is too much or nothing to draw, and
//! what texts from outside cannot do to it.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::study::{Bench, Said};
use support::{here, read};

/// Four cells over a path of 40 save times, with theory.
const STUDY: &str = r#"
title    = "A small study"
question = "Is there a page?"

[data.curve]
target  = { line = { intercept = 0.3, slope = 0.8 } }
samples = 6
design  = "equispaced"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 8 } }

[train]
until = { steps = 1e6 }

[record]
times   = { geometric = 40 }
metrics = ["train_mse", "risk", "bending_energy"]
tables  = ["curves"]
curves  = { points = 11 }
theory  = ["min_norm_limit"]

[sweep]
seed = { count = 2 }
"model.features.polynomial.decay" = [0.0, 2.0]

[[claim]]
says    = "It learns"
sql     = "SELECT max(final_train_mse) AS mse FROM cells"
at_most = 0.1

[[claim]]
says    = "It learns nothing"
sql     = "SELECT min(final_train_mse) AS mse FROM cells"
at_least = 0.1
"#;

const FIGURES: &str = r#"
[[figure]]
title  = "Risk along the path"
sql    = "SELECT t.step AS step, t.risk AS risk, CASE WHEN c.seed = 0 THEN 'a theory' ELSE 'trained' END AS source, c.decay AS decay, c.seed AS seed FROM trajectory t JOIN cells c ON t.cell = c.cell WHERE t.step > 0"
x      = { column = "step", scale = "log" }
y      = { column = "risk", scale = "log" }
color  = "source"
column = "decay"
detail = "seed"
rules  = [{ y = 0.01, title = "a hundredth" }]

[[figure]]
title  = "Median risk"
sql    = "SELECT t.step AS step, t.risk AS risk, c.decay AS decay, c.seed AS seed FROM trajectory t JOIN cells c ON t.cell = c.cell WHERE t.source = 'trained'"
x      = { column = "step", scale = "symlog" }
y      = "risk"
color  = "decay"
band   = { over = "seed", low = 0.0, high = 1.0 }

[[figure]]
title  = "The fit"
sql    = "SELECT k.step AS step, k.x AS x, k.f AS f, c.seed AS seed, false AS is_data FROM curves k JOIN cells c ON k.cell = c.cell WHERE k.source = 'trained' UNION ALL SELECT CAST(NULL AS BIGINT) AS step, s.x AS x, s.y AS f, c.seed AS seed, true AS is_data FROM samples s JOIN cells c ON s.cell = c.cell"
x      = "x"
y      = "f"
column = "seed"
points = "is_data"
slider = "step"

[[figure]]
title  = "Nothing"
sql    = "SELECT step, risk FROM trajectory WHERE step < 0"
x      = "step"
y      = "risk"
"#;

/// The study with these figures, run.
fn ran(study: &str) -> Bench {
    let bench = Bench::new(study);
    bench.run(&["--quiet"]).exits(0);
    bench
}

fn reported(bench: &Bench) -> String {
    bench.taut(&["report", "out"]).exits(0);
    read(&bench.out().join("report.html"))
}

/// The specifications beside a page, in the order of their names.
fn specifications(folder: &Path) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("figures").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let named = |path: &PathBuf| path.file_name().expect("a file").to_string_lossy().into_owned();
    paths.iter().map(|path| (named(path), serde_json::from_str(&read(path)).expect("JSON"))).collect()
}

/// What stands between two quotes after every occurrence of this text.
fn attributes<'t>(html: &'t str, name: &str) -> Vec<&'t str> {
    html.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The content security policy of a page.
fn policy(html: &str) -> String {
    let policy = attributes(html, "content").into_iter().find(|text| text.contains("default-src"));
    policy.expect("a policy").replace("&#x27;", "'").replace("&#x2f;", "/")
}

/// The page without its scripts and data, which hold words that look like markup.
fn markup(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find("<script") {
        let end = rest[at..].find("</script>").expect("every script ends");
        out.push_str(&rest[..at]);
        rest = &rest[at + end + "</script>".len()..];
    }
    out + rest
}

#[test]
fn a_page_holds_claims_figures_study_tables_and_where_they_come_from() {
    let bench = ran(&format!("{STUDY}{FIGURES}"));
    let html = reported(&bench);
    for said in [
        "<h1>A small study</h1>",
        "Is there a page?",
        "1 of 2 claims hold",
        "1 fails",
        "It learns nothing",
        "at least 0.1",
        "Risk along the path",
        "part-00000.parquet",
        "4 finished",
        "the cell; joins every table to",
    ] {
        assert!(html.contains(said), "`{said}` is not in the page");
    }
    assert!(html.len() < 10_000_000);
    let names: Vec<String> = specifications(&bench.path("out/figures")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["01-risk-along-the-path.vl.json", "02-median-risk.vl.json", "03-the-fit.vl.json"]);
    assert!(html.contains("Nothing to draw: the query gives no row with a place in this figure."));
    assert_eq!(html, reported(&bench), "the same tables make the same page");
}

#[test]
fn a_page_asks_for_nothing_and_its_links_lead_to_files() {
    let bench = ran(&format!("{STUDY}{FIGURES}"));
    reported(&bench);
    bench.taut(&["report", "out", "--out", "else where/page.html"]).exits(0);
    for page in ["out/report.html", "else where/page.html"] {
        let path = bench.path(page);
        let html = markup(&read(&path)).replace("&#x2f;", "/");
        let policy = policy(&html);
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe-eval") && !policy.contains("http")
        );
        assert!(attributes(&html, "src").is_empty() && attributes(&html, "srcset").is_empty(), "{page}");
        for link in attributes(&html, "href") {
            match link.split_once(':') {
                Some(("data", ",")) => {}
                Some(_) => panic!("{page}: {link}"),
                None if link.starts_with('#') => {
                    assert!(html.contains(&format!(" id=\"{}\"", &link[1..])), "{page}: {link}");
                }
                None => {
                    let file = path.parent().expect("a folder").join(link.replace("%20", " "));
                    assert!(file.is_file(), "{page}: {link}");
                }
            }
        }
    }
}

#[test]
fn specifications_name_columns_that_their_rows_have() {
    let bench = ran(&format!("{STUDY}{FIGURES}"));
    reported(&bench);
    for (name, specification) in specifications(&bench.path("out/figures")) {
        let rows = specification["data"]["values"].as_array().expect("rows inside");
        let columns: BTreeSet<&String> = rows.iter().flat_map(|row| row.as_object().expect("a row").keys()).collect();
        let mut fields = BTreeSet::new();
        gather_fields(&specification, &mut fields);
        assert!(fields.len() >= 2, "{name}");
        for field in fields {
            assert!(columns.contains(&field), "{name}: `{field}` is no column; there are {columns:?}");
        }
        assert!(rows.len() <= 5000, "{name}: {} rows", rows.len());
    }
}

fn gather_fields(value: &Value, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| key.as_str() != "data") {
                match value {
                    Value::String(field) if key == "field" => drop(fields.insert(field.clone())),
                    value => gather_fields(value, fields),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather_fields(value, fields)),
        _ => {}
    }
}

#[test]
fn what_is_trained_is_solid_and_first_and_theory_is_dashed() {
    let bench = ran(&format!("{STUDY}{FIGURES}"));
    reported(&bench);
    let (_, specification) = specifications(&bench.path("out/figures")).swap_remove(0);
    let mut line = specification["spec"]["layer"].as_array().expect("layers").iter();
    let line = line.rfind(|layer| layer["mark"]["type"] == "line").expect("a line");
    let dash = &line["encoding"]["strokeDash"]["scale"];
    assert_eq!(dash["domain"], serde_json::json!(["trained", "a theory"]));
    assert_eq!(dash["range"][0], serde_json::json!([1, 0]));
    assert_eq!(line["encoding"]["color"]["scale"]["domain"], dash["domain"]);
    let rows = specification["data"]["values"].as_array().expect("rows");
    assert_eq!(rows.first().expect("rows")["source"], "trained");
}

/// With two replicates the ribbon from quantile 0 to 1 has their values as edges, and their mean as median.
#[test]
fn a_band_is_the_median_between_quantiles() {
    let bench = ran(&format!("{STUDY}{FIGURES}"));
    reported(&bench);
    let (_, specification) = specifications(&bench.path("out/figures")).swap_remove(1);
    let rows = specification["data"]["values"].as_array().expect("rows");
    let trajectory = bench.sheet("trajectory");
    let trained = trajectory.rows().filter(|row| trajectory.text("source", *row) == "trained").count();
    assert_eq!(rows.len(), trained / 2, "one row for two replicates");
    for row in rows {
        let number = |name: &str| row[name].as_f64().expect("a number");
        let (low, middle, high) = (number("risk, quantile 0"), number("risk"), number("risk, quantile 1"));
        assert!(low <= middle && middle <= high && (low + high - 2.0 * middle).abs() <= 1e-12 * high);
    }
}

#[test]
fn a_slider_has_a_position_per_step_and_data_stay_at_all_of_them() {
    let bench = ran(&format!("{STUDY}{FIGURES}"));
    reported(&bench);
    let (_, specification) = specifications(&bench.path("out/figures")).swap_remove(2);
    let slider = &specification["usermeta"]["taut"]["slider"];
    let positions = slider["values"].as_array().expect("values").len();
    assert_eq!(specification["params"][0]["bind"]["max"], serde_json::json!(positions - 1));
    let rows = specification["data"]["values"].as_array().expect("rows");
    let data = rows.iter().filter(|row| row["is_data"] == true);
    assert!(data.clone().all(|row| row.get("step").is_none()));
    assert_eq!(data.count(), 4 * 6, "six points in each of four cells");
}

#[test]
fn too_many_rows_are_thinned_and_the_page_says_so() {
    let figure = r#"
[[figure]]
title = "Every row"
sql   = "SELECT a.risk AS x, b.risk AS y FROM trajectory a CROSS JOIN (SELECT risk FROM trajectory LIMIT 100) AS b"
mark  = "point"
x     = "x"
y     = "y"

[[figure]]
title = "A straight line"
sql   = "SELECT 0.01 * a.n + b.m AS x, 0.02 * a.n + 2.0 * b.m AS y FROM (SELECT row_number() OVER (ORDER BY step) AS n FROM trajectory) AS a CROSS JOIN (SELECT row_number() OVER (ORDER BY step) AS m FROM trajectory) AS b"
x     = "x"
y     = "y"
"#;
    let bench = ran(&format!("{STUDY}{figure}"));
    let html = reported(&bench);
    let specifications = specifications(&bench.path("out/figures"));
    let points = specifications[0].1["data"]["values"].as_array().expect("rows").len();
    assert!((2000..=5000).contains(&points), "{points} points");
    assert!(html.contains("Drawn: every ") && html.contains(" rows."), "the page says which rows are drawn");
    let line = specifications[1].1["data"]["values"].as_array().expect("rows").len();
    assert_eq!(line, 2, "the ends of a straight line");
    assert!(html.contains("the others lie on the lines between them"));
    assert!(html.len() < 10_000_000);
}

#[test]
fn rows_without_a_place_are_left_out_and_counted() {
    let figure = r#"
[[figure]]
title = "Logarithms"
sql   = "SELECT step, CASE WHEN step < 10 THEN 0.0 ELSE risk END AS risk FROM trajectory WHERE source = 'trained'"
mark  = "point"
x     = { column = "step", scale = "log" }
y     = { column = "risk", scale = "log" }
"#;
    let bench = ran(&format!("{STUDY}{figure}"));
    let html = reported(&bench);
    assert!(html.contains("4 rows with a <code>step</code> that is not above 0, which a log scale cannot show"));
    assert!(html.contains("with a <code>risk</code> that is not above 0, which a log scale cannot show"));
}

#[test]
fn no_text_of_a_study_is_more_than_text() {
    let bench = Bench::new(&read(&here("tests/studies/hostile_report.toml")));
    bench.run(&["--quiet"]).exits(0);
    let html = reported(&bench);
    let known = policy(&html).matches("'sha256-").count();
    assert_eq!(html.matches("<script>").count(), known, "every script is known to the policy");
    assert_eq!(html.matches("<script").count(), known + html.matches("<script type=\"application/json\"").count());
    let markup = markup(&html);
    for tag in ["<img", "<iframe", "<a href=\"javascript", "onerror=", "onload="] {
        let inert = markup.replace("&lt;", "").replace("&quot;", "");
        let seen = inert.matches(tag).count();
        let escaped = ["onerror=", "onload="].contains(&tag);
        assert!(escaped || seen == 0, "{tag}");
    }
    assert_eq!(markup.matches("<style>").count(), 1);
    assert!(markup.contains("<h1>&lt;script&gt;window.hacked=1&lt;&#x2f;script&gt;"));
    assert!(markup.contains("{{ 7 * 7 }}"), "nothing of a study is a template");
    for (name, specification) in specifications(&bench.path("out/figures")) {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)), "{name}");
        assert!(specification["data"]["values"].as_array().is_some_and(|rows| !rows.is_empty()), "{name}");
    }
}

#[test]
fn what_is_no_result_is_refused_with_a_remedy() {
    let bench = Bench::new(STUDY);
    std::fs::create_dir(bench.path("empty")).expect("a writable folder");
    let refused = |arguments: &[&str], said: &str| {
        let Said { stderr, .. } = bench.taut(arguments).exits(2);
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    };
    refused(&["report", "empty"], "is not a folder of results");
    refused(&["report", "nowhere"], "there is no folder nowhere");
    refused(&["report", "study.toml"], "run the study first");
    refused(&["report", "empty", "--quick"], "--quick goes with a study");
    bench.run(&["--quiet"]).exits(0);
    refused(&["report", "out", "--out", "empty"], "is a folder; name a file in it");
}

#[test]
fn a_study_is_reported_over_its_own_tables_only() {
    let bench = Bench::new(STUDY);
    bench.taut(&["run", "study.toml", "--quiet"]).exits(0);
    bench.write("study.toml", &format!("{STUDY}{FIGURES}"));
    bench.taut(&["report", "study.toml"]).exits(0);
    let html = read(&bench.path("results/study/report.html"));
    assert!(html.contains("Risk along the path"), "figures of a study are those of today");
    bench.write("study.toml", &STUDY.replace("samples = 6", "samples = 7"));
    let said = bench.taut(&["report", "study.toml"]).exits(2);
    assert!(said.stderr.contains("results of another study"), "{}", said.stderr);
}

/// Queries and channels of figures are tried before the first step.
#[test]
fn mistakes_of_figures_are_found_before_a_run() {
    let bench = Bench::new(STUDY);
    let figure = |more: &str| {
        let sql = "SELECT t.step AS step, t.risk AS risk, c.decay AS decay, c.status AS status, c.seed AS seed FROM trajectory t JOIN cells c ON t.cell = c.cell";
        format!("{STUDY}\n[[figure]]\ntitle = \"f\"\nsql = \"{sql}\"\n{more}\n")
    };
    for (more, said) in [
        ("x = \"stop\"\ny = \"risk\"", "`x` shows `stop`, which is no column of the query"),
        ("x = \"step\"\ny = \"status\"", "`y` is about numbers, and the query's column `status` is a text"),
        ("x = { column = \"status\", scale = \"log\" }\ny = \"risk\"", "`x` is about numbers"),
        ("x = \"step\"\ny = \"risk\"\ndetail = \"cell\"", "`detail` shows `cell`"),
        ("x = \"step\"\ny = \"risk\"\nband = { over = \"sed\" }", "`band` goes over `sed`"),
        ("x = \"step\"\ny = \"risk\"\ncolor = \"seed\"\nband = { over = \"seed\" }", "`color` keeps its values apart"),
        ("x = \"step\"\ny = \"risk\"\nband = { over = \"seed\", low = 0.9, high = 0.1 }", "lower quantile to a higher"),
        ("x = \"step\"\ny = { column = \"risk\", domain = [1.0, 0.0] }", "from a smaller number to a larger one"),
        ("x = \"step\"\ny = { column = \"risk\", scale = \"log\", domain = [0.0, 1.0] }", "begins at 0"),
        ("x = \"step\"\ny = \"risk\"\nmark = \"bar\"\ndash = \"status\"", "`dash` is about lines"),
        ("x = \"step\"\ny = \"risk\"\npoints = \"seed\"", "`points` is about truth values"),
        ("x = \"step\"\ny = \"risk\"\ny2 = \"risk\"", "`y2` is the other edge"),
        ("x = \"step\"\ny = \"risk\"\nrules = [{ title = \"nowhere\" }]", "a rule stands at one value"),
        ("x = \"step\"\ny = { column = \"risk\", scale = \"log\" }\nrules = [{ y = 0.0 }]", "the rule is at 0"),
        ("x = \"step\"\ny = { column = \"risk\", order = [\"a\"] }", "`order` names texts"),
    ] {
        bench.write("study.toml", &figure(more));
        let said_by = bench.taut(&["plan", "study.toml"]).exits(2).stderr;
        assert!(said_by.contains(said) && said_by.contains("figure[0]"), "{more}\n{said_by}");
    }
    bench.write("study.toml", &format!("{STUDY}{FIGURES}").replace("t.risk AS risk, CASE", "t.rsk AS risk, CASE"));
    let said = bench.taut(&["run", "study.toml", "--out", "out"]).exits(2).stderr;
    assert!(
        said.contains("there is no column named 'rsk' in table 't'") || said.contains("no column named 'rsk'"),
        "{said}"
    );
    assert!(!bench.out().exists(), "nothing was written");
}

/// The scripts of others are those that their table says.
#[test]
fn vendored_scripts_have_their_sums() {
    let folder = here("crates/report/assets/vendor");
    let table = read(&folder.join("README.md"));
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).expect("the vendored scripts") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let sum = std::process::Command::new("sha256sum").arg(&path).output();
            let Ok(sum) = sum.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()) else { return };
            let sum = sum.split_whitespace().next().expect("a sum");
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let row = table.lines().find(|line| line.contains(&format!("`{name}`"))).expect("a row of the table");
            assert!(row.contains(sum), "{name} has the sum {sum}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}
