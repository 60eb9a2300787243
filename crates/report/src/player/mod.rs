//! What the players of a report show: a fit, or the modes of a network, on their way through training.
//!
//! A player is a payload of numbers for `assets/player.js`. Every payload has `kind`, `title`, `note` (what was left
//! out), `clock` (`step` or `time`), `axes` (`name`, `values`), `train` (`name`, `unit`, `doc` of an error) and `cells`,
//! each with `label`, `at` (its place on the axes), `scale` of its clock (`log` or `linear`), `clock` (one entry per
//! row, null in the limit), `tail` (whether its last row lies far beyond the others) and `train` (one entry per row).
//!
//! `kind = "curves"` adds `metrics` (`name`, `unit`, `doc`) and `level` (of `train`, at which a fit goes through the points), and to every cell `x`, the window (`low`, `unit`,
//! `height`: a value is low + unit · q, and the window ends at q = height; q stays within ± `beyond`), `samples`
//! (pairs), `target` (in q, or null), `frames` (`row`: rows that are drawn, `f`: in q, for each), `metrics` (a list per
//! metric), `through` (when the fit goes through the points, or null), `solutions` (`name`, `f`, `metrics`: a value per
//! metric) and `clouds` (`name`, `f`: a list per draw, `metrics`: a list per metric).
//!
//! `kind = "modes"` adds to every cell `modes` (a list of strengths per mode), `ends`, and `theories` (`name`, `clock`,
//! `modes`).

mod answer;
mod choice;
mod compact;
mod fits;
mod functions;
mod modes;
mod path;

use crate::{Database, ReportError, Results};

/// One player: its title, and what `assets/player.js` draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Player {
    /// The heading.
    pub title: String,
    /// What it shows.
    pub payload: serde_json::Value,
}

/// The players that these tables have something for: fits where `curves` were recorded, modes of factors where `modes`
/// were.
///
/// # Errors
/// If a table cannot be read.
pub fn players(results: &Results, database: &Database) -> Result<Vec<Player>, ReportError> {
    let found = [fits::fits(results, database)?, modes::modes(results, database)?];
    Ok(found.into_iter().flatten().collect())
}

/// Whether the study recorded all of these tables.
fn has_tables(results: &Results, names: &[&str]) -> bool {
    names.iter().all(|name| results.tables().iter().any(|table| table.schema.name == *name))
}

/// The columns of a table, with unit and documentation.
fn columns<'r>(results: &'r Results, table: &str) -> &'r [taut_store::Column] {
    let found = results.tables().iter().find(|stored| stored.schema.name == table);
    found.map_or(&[], |stored| &stored.schema.columns)
}

/// Name, unit and documentation of a column of `trajectory`.
fn described(results: &Results, name: &str) -> serde_json::Value {
    let column = columns(results, "trajectory").iter().find(|column| column.name == name);
    serde_json::json!({ "name": name, "unit": column.map_or("", |c| &c.unit), "doc": column.map_or("", |c| &c.doc) })
}
