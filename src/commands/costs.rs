//! What a run would take, in words and as JSON.

use super::plan::bytes;
use taut_sweep::Forecast;

/// Threads of a large machine, whose time is told where nobody asks for another number.
const MANY_THREADS: usize = 40;

/// One thread per core.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Numbers of threads whose time is worth telling: those of this machine, and those that were asked for.
pub(super) fn threads_to_tell(asked: Option<u16>) -> Vec<usize> {
    let mut all = vec![cores(), asked.map_or(MANY_THREADS, usize::from)];
    all.retain(|threads| *threads > 1);
    all.sort_unstable();
    all.dedup();
    all
}

/// Time, disk and memory, a line each.
pub(super) fn text(forecast: &Forecast, threads: &[usize]) -> Vec<String> {
    let (low, high) = (forecast.cpu_seconds / forecast.factor, forecast.cpu_seconds * forecast.factor);
    let more: Vec<String> = threads.iter().map(|&n| format!("{} on {n}", duration(forecast.wall_seconds(n)))).collect();
    let more = if more.is_empty() { String::new() } else { format!("; {} threads", more.join(", ")) };
    let about =
        format!("about {} of one core ({} to {}){more}", duration(forecast.cpu_seconds), duration(low), duration(high));
    let mut lines = vec![line("time", &about)];
    let most = threads.last().copied().unwrap_or(1);
    if forecast.longest_seconds > 1.0 && forecast.longest_seconds > forecast.cpu_seconds / most as f64 {
        let text = format!("{}: no number of threads makes the run shorter", duration(forecast.longest_seconds));
        lines.push(line("longest", &text));
    }
    let word = if forecast.rows_at_most { "at most" } else { "about" };
    lines.push(line("disk", &format!("{word} {}", size(forecast.disk))));
    let of_memory = |n: usize| format!("{} on {n} threads", size(forecast.memory(n)));
    let memory: Vec<String> = if threads.is_empty() {
        vec![size(forecast.memory(1))]
    } else {
        threads.iter().map(|&n| of_memory(n)).collect()
    };
    lines.push(line("memory", &format!("about {}", memory.join(", "))));
    let cells =
        if forecast.computed_cells == 1 { "1 cell".to_owned() } else { format!("{} cells", forecast.computed_cells) };
    lines.push(line("tried", &format!("{cells} in {}", duration(forecast.took))));
    for kind in forecast.kinds.iter().filter(|kind| kind.seen == 0) {
        let text = format!("none of {:.0} bundles of {} ({})", kind.bundles, kind.parametrization, kind.solver);
        lines.push(line("", &text));
    }
    for (reason, count) in &forecast.failures {
        lines.push(line("failed", &format!("{count} × {reason}")));
    }
    lines
}

fn line(word: &str, text: &str) -> String {
    format!("{word:>9}  {text}")
}

/// The same for programs.
pub(super) fn json(forecast: &Forecast, threads: &[usize]) -> serde_json::Value {
    let on = |n: usize| serde_json::json!({ "threads": n, "wall_seconds": forecast.wall_seconds(n), "memory_bytes": forecast.memory(n) });
    let of_threads: Vec<_> = std::iter::once(1).chain(threads.iter().copied()).map(on).collect();
    serde_json::json!({
        "cpu_seconds": forecast.cpu_seconds,
        "factor": forecast.factor,
        "longest_seconds": forecast.longest_seconds,
        "threads": of_threads,
        "disk_bytes": forecast.disk,
        "rows_at_most": forecast.rows_at_most,
        "tried_cells": forecast.computed_cells,
        "tried_bundles": forecast.computed,
        "tried_seconds": forecast.took,
        "kinds": forecast.kinds.iter().map(|kind| serde_json::json!({
            "solver": kind.solver,
            "parametrization": kind.parametrization,
            "bundles": kind.bundles,
            "tried": kind.seen,
            "cpu_seconds": kind.seconds,
        })).collect::<Vec<_>>(),
        "failures": forecast.failures,
    })
}

/// Bytes for people.
pub(super) fn size(count: f64) -> String {
    bytes(count.min(1e18) as usize)
}

/// A time for people: two digits or three, and a unit.
pub(super) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 0.0995 => (s * 1e3, "ms"),
        s if s < 120.0 => (s, "s"),
        s if s < 7200.0 => (s / 60.0, "min"),
        s if s < 172_800.0 => (s / 3600.0, "h"),
        s if s < 1e8 => (s / 86_400.0, "days"),
        s => (s / 31_557_600.0, "years"),
    };
    match value {
        v if v < 10.0 => format!("{v:.1} {unit}"),
        v if v < 1e6 => format!("{v:.0} {unit}"),
        v => format!("{v:.0e} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_fitting_units() {
        for (seconds, text) in [
            (0.004, "4.0 ms"),
            (0.0995, "0.1 s"),
            (12.0, "12 s"),
            (119.9, "120 s"),
            (150.0, "2.5 min"),
            (7200.0, "2.0 h"),
            (200_000.0, "2.3 days"),
            (4e9, "127 years"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
