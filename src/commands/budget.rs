//! Whether a run may begin: the budget of its study, or a ceiling that only slips reach.

use super::costs::{duration, size};
use crate::exit::Usage;
use anyhow::Result;
use std::io::{BufRead, IsTerminal};
use std::time::Duration;
use taut_sweep::study::{Amount, Budget};
use taut_sweep::{Folder, Forecast, Plan, RunOptions, Shard};

/// Cells beyond which a study without a number of its own is asked about.
const MOST_CELLS: f64 = 1e7;

/// The same for bytes on disk.
const MOST_BYTES: f64 = 100e9;

/// How long cells are tried before a run whose time or size matters.
const TRIAL: Duration = Duration::from_millis(1500);

/// What a run is done with.
pub(super) struct Means {
    pub(super) shard: Option<Shard>,
    /// Threads of all processes together.
    pub(super) threads: usize,
    /// Threads of one process.
    pub(super) threads_of_one: usize,
}

impl Means {
    /// One process, run in this way.
    pub(super) fn of(how: &RunOptions) -> Self {
        Self { shard: how.shard, threads: how.threads, threads_of_one: how.threads }
    }
}

/// Asks, or refuses, where a run would take more than it may.
///
/// # Errors
/// With the figures, if nobody says yes.
pub(super) fn ask(plan: &Plan, folder: &Folder, means: &Means, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    let excesses = excesses(plan, folder, means)?;
    if excesses.is_empty() || (std::io::stdin().is_terminal() && agrees(&excesses)?) {
        return Ok(());
    }
    let lines: Vec<String> = excesses.iter().map(|line| format!("  {line}")).collect();
    Err(Usage(format!(
        "this run would take more than it may:\n{}\nnothing was run; give --yes to run it all the same, or change \
         [budget] in the study",
        lines.join("\n")
    ))
    .into())
}

/// What a run would take beyond what it may, a line each.
fn excesses(plan: &Plan, folder: &Folder, means: &Means) -> Result<Vec<String>> {
    let stated = plan.study().study.budget.clone();
    let is_stated = stated.is_some();
    let budget = stated.unwrap_or_default();
    let mut excesses = Vec::new();
    let most_cells = budget.cells.map_or(MOST_CELLS, |cells| cells.get() as f64);
    let upper: f64 = plan.sizes().iter().map(|size| size.bytes as f64).sum();
    let most_disk = budget.disk.as_ref().and_then(Amount::bytes).unwrap_or(MOST_BYTES);
    let cells = plan.cells();
    let is_large = cells as f64 > most_cells || upper > most_disk;
    let is_timed = budget.hours.is_some() || budget.cpu_hours.is_some() || budget.memory.is_some();
    if !(is_stated && is_timed || is_large) {
        return Ok(excesses);
    }
    let (missing, share) = taut_sweep::remaining(plan, folder, means.shard)?;
    if missing as f64 > most_cells {
        excesses.push(format!("{missing} cells, and {most_cells} are allowed"));
    }
    if share > 0.0 && (is_timed || upper > most_disk) {
        let forecast = plan.forecast(TRIAL);
        excesses.extend(beyond(&budget, most_disk, &forecast, share, means));
    }
    Ok(excesses)
}

/// What the forecast has beyond the budget.
fn beyond(budget: &Budget, most_disk: f64, forecast: &Forecast, share: f64, means: &Means) -> Vec<String> {
    let threads = means.threads;
    let factor = forecast.factor;
    let time = |what: &str, seconds: f64, most: Option<f64>| {
        let most = most.filter(|most| seconds > *most)?;
        let [about, low, high, most] = [seconds, seconds / factor, seconds * factor, most].map(duration);
        Some(format!("about {about} {what} ({low} to {high}), and {most} are allowed"))
    };
    let amount = |what: &str, bytes: f64, most: Option<f64>| {
        let most = most.filter(|most| bytes > *most)?;
        Some(format!("about {} {what}, and {} are allowed", size(bytes), size(most)))
    };
    let wall = (forecast.wall_seconds(threads) * share).max(forecast.longest_seconds.min(forecast.cpu_seconds * share));
    let on = if threads == 1 { "on 1 thread".to_owned() } else { format!("on {threads} threads") };
    [
        time(&on, wall, budget.hours.map(|hours| 3600.0 * hours.get())),
        time(
            "of all threads together",
            forecast.cpu_seconds * share,
            budget.cpu_hours.map(|hours| 3600.0 * hours.get()),
        ),
        amount("on disk", forecast.disk * share, Some(most_disk)),
        amount("of memory", forecast.memory(means.threads_of_one), budget.memory.as_ref().and_then(Amount::bytes)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Asks on the terminal; anything but yes is no.
#[allow(clippy::print_stderr)]
fn agrees(excesses: &[String]) -> Result<bool> {
    eprintln!("this run would take more than it may:");
    excesses.iter().for_each(|line| eprintln!("  {line}"));
    eprint!("run it all the same? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
