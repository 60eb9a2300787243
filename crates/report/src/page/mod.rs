//! A report: one page that holds what a study asked, what its numbers say, and the pictures of it.

mod claims;
mod gauge;
mod numbers;
mod scripts;
mod study;
mod tables;

use crate::claims::Verdicts;
use crate::figure::{Drawing, specification};
use crate::player::players;
use crate::{Database, QueryError, ReportError, Results, StoredTable};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use numbers::{bytes, shown};
use polars::prelude::AnyValue;
pub use tables::address;

use scripts::{FIGURES, LIBRARIES, PLAYER, STYLE, THEME, embedded, policy};
use serde::Serialize;
use serde_json::Value;

/// A report and the files beside it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The page, whole in itself.
    pub html: String,
    /// The specification of every figure that has rows, with the name of its file.
    pub specifications: Vec<(String, Value)>,
}

/// Makes the page of a study's results.
///
/// `base` is the way from the page to the folder of results, for links: empty where it lies in it, else ending with
/// `/`.
///
/// # Errors
/// If a table cannot be read.
pub fn page(results: &Results, verdicts: &Verdicts, drawings: &[Drawing], base: &str) -> Result<Page, ReportError> {
    let database = Database::of_results(results)?;
    let mut specifications = Vec::new();
    let mut figures = Vec::new();
    for (at, drawing) in drawings.iter().enumerate() {
        let file = file_name(at + 1, &drawing.figure.title);
        let specification = (drawing.rows() > 0).then(|| specification(drawing));
        figures.push(Figure::of(at + 1, drawing, &file, specification.as_ref()));
        specifications.extend(specification.map(|specification| (file, specification)));
    }
    let manifest = &results.manifest;
    let scripts = LIBRARIES.into_iter().chain([THEME, FIGURES, PLAYER]);
    let template = Report {
        policy: policy(scripts),
        style: STYLE,
        theme: THEME,
        libraries: LIBRARIES,
        drawing: FIGURES,
        playing: PLAYER,
        title: &manifest.title,
        question: &manifest.question,
        quick: manifest.quick,
        summary: claims::summary(verdicts),
        claims: claims::claims(verdicts),
        players: players(results, &database)?.iter().map(|player| embedded(&player.payload)).collect(),
        figures,
        study: study::lines(&manifest.study),
        provenance: provenance(results, &database)?,
        tables: tables::previews(results, &database, base)?,
        manifest: format!("{base}manifest.json"),
        program: &manifest.program,
    };
    Ok(Page { html: render(&template), specifications })
}

const ENDING: &str = ".vl.json";

fn file_name(number: usize, title: &str) -> String {
    format!("{}{ENDING}", figure_name(number, title))
}

/// What files of a figure are called, without an ending: "03-wiggliness-along-the-path".
pub fn figure_name(number: usize, title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 48 {
            break;
        }
    }
    let slug = if slug.is_empty() { "figure" } else { slug.trim_end_matches('-') };
    format!("{number:02}-{slug}")
}

const TEMPLATE: &str = include_str!("../../templates/report.html");

/// Fills the template. Whatever it shows is escaped, but for the scripts and data that it marks as safe.
fn render(report: &Report<'_>) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("prose", |text: &str| minijinja::Value::from_safe_string(prose(text)));
    environment
        .render_str(TEMPLATE, minijinja::value::Serde(report))
        .expect("the template names what a report has, as its tests show")
}

/// A sentence as markup: all escaped, and what stands between two backticks as code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let pieces: Vec<&str> = text.split('`').collect();
    for (at, piece) in pieces.iter().enumerate() {
        let is_code = at % 2 == 1 && at + 1 < pieces.len();
        // An odd backtick at the end is one.
        let lone = at % 2 == 1 && !is_code;
        out.push_str(if is_code {
            "<code>"
        } else if lone {
            "`"
        } else {
            ""
        });
        for letter in piece.chars() {
            match letter {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                letter => out.push(letter),
            }
        }
        out.push_str(if is_code { "</code>" } else { "" });
    }
    out
}

/// The whole page.
#[derive(Serialize)]
struct Report<'r> {
    policy: String,
    style: &'static str,
    theme: &'static str,
    libraries: [&'static str; 3],
    drawing: &'static str,
    playing: &'static str,
    title: &'r str,
    question: &'r str,
    /// Whether this is the small version of a study.
    quick: bool,
    summary: Option<claims::Summary>,
    claims: Vec<claims::Shown>,
    /// As JSON for script elements.
    players: Vec<String>,
    figures: Vec<Figure>,
    study: Vec<Vec<study::Piece>>,
    provenance: Vec<(&'static str, String)>,
    tables: Vec<tables::Preview>,
    manifest: String,
    program: &'r str,
}

/// A figure of the page.
#[derive(Serialize)]
struct Figure {
    number: usize,
    title: String,
    name: String,
    file: String,
    caption: Option<String>,
    notes: Vec<String>,
    sql: String,
    columns: Vec<Meaning>,
    /// As JSON for a script element; none where there is nothing to draw.
    specification: Option<String>,
    /// What stands in the place of the picture then.
    instead: String,
}

impl Figure {
    fn of(number: usize, drawing: &Drawing, file: &str, specification: Option<&Value>) -> Self {
        let instead = match &drawing.failure {
            None => "Nothing to draw: the query gives no row with a place in this figure.".to_owned(),
            Some(error) => format!("Not drawn: {error}."),
        };
        Self {
            number,
            title: drawing.figure.title.clone(),
            name: file.trim_end_matches(ENDING).to_owned(),
            file: format!("figures/{file}"),
            caption: drawing.figure.caption.clone(),
            notes: drawing.notes.clone(),
            sql: drawing.figure.sql.clone(),
            columns: drawing.columns.iter().filter(|column| !column.doc.is_empty()).map(Meaning::of).collect(),
            specification: specification.map(embedded),
            instead,
        }
    }
}

/// What a column of a figure holds.
#[derive(Serialize)]
struct Meaning {
    name: String,
    unit: String,
    doc: String,
}

impl Meaning {
    fn of(column: &crate::figure::DrawnColumn) -> Self {
        let unit = if column.unit == "1" { String::new() } else { column.unit.clone() };
        Self { name: column.name.clone(), unit, doc: column.doc.clone() }
    }
}

/// Where the numbers come from.
fn provenance(results: &Results, database: &Database) -> Result<Vec<(&'static str, String)>, ReportError> {
    let manifest = &results.manifest;
    let missing = results.missing().unwrap_or_else(|| "all there".to_owned());
    let parts = format!("{} per table, {missing}", manifest.parts);
    Ok(vec![
        ("Program", manifest.program.clone()),
        ("Cells", format!("{}: {}", shown(manifest.cells as f64), statuses(results, database)?)),
        ("Parts", parts),
        ("Size", bytes(results.folder().bytes()?)),
        ("Layout of the tables", format!("version {}", manifest.schema_version)),
        ("Numbers", format!("version {} of the code's semantics", manifest.semantics)),
        ("Fingerprint", manifest.fingerprint.clone()),
    ])
}

/// "40 finished, 2 diverged".
fn statuses(results: &Results, database: &Database) -> Result<String, ReportError> {
    let has_status = |table: &StoredTable| table.schema.name == "cells" && table.schema.column("status").is_some();
    if !results.tables().iter().any(has_status) {
        return Ok("status unknown".to_owned());
    }
    let failed = |reason: QueryError| ReportError::Query { what: "table `cells`".to_owned(), reason };
    let sql = "SELECT status, count(*) AS cells FROM cells GROUP BY status ORDER BY cells DESC, status";
    let answer = database.rows(sql).map_err(failed)?;
    let value = |column: usize, row: usize| match answer.columns()[column].get(row) {
        Ok(AnyValue::String(text)) => text.to_owned(),
        Ok(AnyValue::StringOwned(text)) => text.to_string(),
        Ok(other) => other.extract::<f64>().map_or_else(String::new, shown),
        Err(_) => String::new(),
    };
    let said: Vec<String> = (0..answer.height()).map(|row| format!("{} {}", value(1, row), value(0, row))).collect();
    Ok(said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_escaped_and_knows_code() {
        assert_eq!(prose("a `b` c"), "a <code>b</code> c");
        assert_eq!(prose("`<i>` & \"'"), "<code>&lt;i&gt;</code> &amp; &quot;&#39;");
        assert_eq!(prose("it`s `x`"), "it<code>s </code>x`");
        assert_eq!(prose("a ` b"), "a ` b");
    }

    #[test]
    fn files_are_named_after_titles() {
        assert_eq!(file_name(3, "Wiggliness along the path"), "03-wiggliness-along-the-path.vl.json");
        assert_eq!(file_name(1, "<script>alert(1)</script>"), "01-script-alert-1-script.vl.json");
        assert_eq!(file_name(12, "∫f″²"), "12-f.vl.json");
        assert_eq!(file_name(1, "…"), "01-figure.vl.json");
    }
}
