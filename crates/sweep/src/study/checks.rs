//! What is wrong with values that each have their right shape: settings that contradict each other.

use super::save_times::Times;
use super::spec::{Bound, Claim, InQuick, Record, TableName};
use super::spelling::did_you_mean;
use taut_problem::{Data, Samples, Solver};
use taut_train::{Route, Solutions, Train};

/// The names that a study may ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Every metric.
    pub metrics: &'a [&'a str],
    /// Every theory.
    pub theories: &'a [&'a str],
}

/// A mistake at a dotted path; a number in the path counts in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

pub(crate) fn finding(path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Finding {
    Finding { path: path.into(), message: message.into(), help: help.into() }
}

/// Mistakes of `[data]`.
pub(crate) fn data(data: &Data) -> Vec<Finding> {
    let path = |key: &str| if key.is_empty() { "data".to_owned() } else { format!("data.{key}") };
    data.complaints().into_iter().map(|complaint| finding(path(&complaint.key), complaint.message, "")).collect()
}

/// What the solutions need of the data; `samples` is the number of points.
pub(crate) fn solutions(solutions: &Solutions, samples: usize) -> Vec<Finding> {
    let mut out = Vec::new();
    if let Some(fit) = &solutions.least_squares
        && fit.degree.size() + 1 > samples
    {
        let degree = fit.degree.get();
        out.push(finding(
            "solutions.least-squares.degree",
            format!(
                "fewer samples than needed: degree {degree} has {} coefficients, the data {samples} points",
                degree + 1
            ),
            format!("use a degree of at most {}, or more samples", samples - 1),
        ));
    }
    if solutions.natural_spline.is_some() && samples < 2 {
        out.push(finding(
            "solutions.natural-spline",
            format!("fewer samples than needed: a spline goes through at least 2 points, the data have {samples}"),
            "use more samples, or remove the solution",
        ));
    }
    out
}

/// What is asked of points and their functions in a study whose data are all matrices.
pub(crate) fn of_functions(record: &Record, has_solutions: bool, has_choose: bool) -> Vec<Finding> {
    let help = "remove it, or use `[data.curve]`, `[data.gaussian]` or `[data.table]`";
    let lack = |(i, table): (usize, &TableName)| {
        let message = match table {
            TableName::Curves => "the data are matrices: there are no curves",
            TableName::Samples => "the data are matrices: there are no points",
            _ => return None,
        };
        Some((format!("record.tables.{i}"), message))
    };
    let tables = record.tables.iter().enumerate().filter_map(lack);
    let solutions = "the data are matrices, and solutions are other fits of points";
    let choose = "the data are matrices, and criteria choose by rows left out";
    let solutions = has_solutions.then(|| ("solutions".to_owned(), solutions));
    let choose = has_choose.then(|| ("choose".to_owned(), choose));
    let others = [solutions, choose].into_iter().flatten();
    tables.chain(others).map(|(path, message)| finding(path, message, help)).collect()
}

/// What is asked of factors in a study that has none.
pub(crate) fn of_factors(record: &Record) -> Option<Finding> {
    let table = record.tables.iter().position(|table| *table == TableName::Factors)?;
    let message = "no model of this study is a product of factors";
    let help = "remove it, or use `parametrization = { deep-linear = { depth = 2 } }`";
    Some(finding(format!("record.tables.{table}"), message, help))
}

/// What the save times need of `[train]`.
pub(crate) fn save_times(record: &Record, train: &Train, is_linear: bool) -> Vec<Finding> {
    let times = &record.times;
    let mut out = Vec::new();
    let name = train.method.name();
    match (times, train.method.is_flow()) {
        (Times::Every(_), true) => out.push(finding(
            "record.times.every",
            "gradient-flow has no steps to save every so many of",
            "use `times = { times = [0, 0.5, inf] }`, `{ geometric = 200 }` or `{ linear = 100 }`",
        )),
        (Times::Steps(_), true) => out.push(finding(
            "record.times.steps",
            "gradient-flow has no steps: its save times are training times",
            "use `times = { times = [0, 0.5, inf] }`, `{ geometric = 200 }` or `{ linear = 100 }`",
        )),
        (Times::Times(_), false) => out.push(finding(
            "record.times.times",
            format!("{name} counts steps: its save times are step counts"),
            "use `times = { steps = [0, 1, 10, inf] }`, `{ geometric = 200 }` or `{ linear = 100 }`",
        )),
        _ => {}
    }
    let ends = !train.schedule.unwrap_or_default().reaches_limit();
    let way = match train.route(is_linear) {
        _ if ends && !train.method.is_flow() => "a schedule whose steps add up to a finite time",
        Route::Exact => "",
        Route::Stepped if train.solver == Solver::Stepped => "solver = \"stepped\"",
        Route::Stepped => "a motion that is stepped",
        Route::Moments => "solver = \"moments\"",
        Route::Adaptive | Route::Dual | Route::Riccati | Route::Modes => "a motion that is integrated",
        Route::Staged => "",
    };
    if (times.has_limit() || record.limit) && !way.is_empty() {
        let key = match times {
            _ if record.limit => "record.limit",
            Times::Steps(_) => "record.times.steps",
            _ => "record.times.times",
        };
        out.push(finding(
            key,
            format!("this asks for the limit t = inf, which {way} never reaches"),
            match (ends, is_linear) {
                (true, _) => "remove it, or use a schedule whose steps add up to infinity, such as \"inverse-sqrt\"",
                (false, true) => "remove it, or use a motion with a closed form and solver = \"auto\"",
                (false, false) => "remove it: only models that are linear in their parameters have a closed form",
            },
        ));
    }
    if train.until.is_limit() && (record.limit || times.has_limit()) {
        let message = "`until.limit` looks at the limit of every stage already";
        out.push(finding(if record.limit { "record.limit" } else { "record.times" }, message, "remove it"));
    }
    out
}

/// What `[record]` holds that no cell has a use for.
pub(crate) fn unused_records<'a>(record: &Record, mut trains: impl Iterator<Item = &'a Train> + Clone) -> Vec<Finding> {
    let mut out = Vec::new();
    if trains.clone().all(|train| train.continuation.is_some() && train.until.is_limit())
        && record.times != Times::default()
    {
        let message = "with `until.limit` only the start and the end of every stage are looked at";
        out.push(finding("record.times", message, "remove it, or use `until.steps`"));
    }
    if !record.theory.is_empty() && trains.all(|train| train.continuation.is_some()) {
        let message = "no theory predicts a continuation";
        out.push(finding("record.theory", message, "remove it, or `train.continuation`"));
    }
    out
}

/// Save times that no cell reaches: `ends` are the `until` of all cells.
pub(crate) fn never_reached<'a>(times: &Times, trains: impl Iterator<Item = &'a Train> + Clone) -> Vec<Finding> {
    let mut out = Vec::new();
    match times {
        Times::Steps(steps) => {
            let Some(last) =
                trains.clone().map(|t| t.until.steps.map(|s| s.get())).max_by_key(|s| s.unwrap_or(u64::MAX)).flatten()
            else {
                return out;
            };
            for (i, step) in steps.iter().enumerate() {
                if let Some(step) = step.step().filter(|step| *step > last) {
                    out.push(finding(
                        format!("record.times.steps.{i}"),
                        format!("step {step} is beyond train.until.steps = {last}, so it is never reached"),
                        format!("set until.steps to {step}, or remove it (`inf` is the limit)"),
                    ));
                }
            }
        }
        Times::Times(times) => {
            let ends: Vec<f64> = trains.map(|t| t.until.time.map_or(f64::INFINITY, |time| time.get())).collect();
            let last = ends.into_iter().fold(0.0, f64::max);
            for (i, time) in times.iter().enumerate() {
                if time.time().is_finite() && time.time() > last {
                    out.push(finding(
                        format!("record.times.times.{i}"),
                        format!("time {} is beyond train.until.time = {last}, so it is never reached", time.time()),
                        format!("set until.time to {}, or remove it (`inf` is the limit)", time.time()),
                    ));
                }
            }
        }
        Times::Geometric(_) | Times::Linear(_) | Times::Every(_) => {}
    }
    out
}

/// Mistakes of `[record]` by itself.
pub(crate) fn record(record: &Record, known: Known<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    let metrics = record.metrics.as_deref().unwrap_or_default();
    names("metric", "record.metrics", metrics, known.metrics, &mut out);
    names("theory", "record.theory", &record.theory, known.theories, &mut out);
    for (i, table) in record.tables.iter().enumerate() {
        if record.tables[..i].contains(table) {
            out.push(finding(format!("record.tables.{i}"), "a table is asked for twice", "remove one"));
        }
    }
    let empty = match &record.times {
        Times::Steps(steps) => steps.is_empty().then_some("steps"),
        Times::Times(times) => times.is_empty().then_some("times"),
        Times::Geometric(_) | Times::Linear(_) | Times::Every(_) => None,
    };
    if let Some(key) = empty {
        out.push(finding(format!("record.times.{key}"), "no save times: at least one is needed", "start with `[0]`"));
    }
    grid(record, &mut out);
    out
}

fn names(what: &str, path: &str, asked: &[String], known: &[&str], out: &mut Vec<Finding>) {
    for (i, name) in asked.iter().enumerate() {
        let path = format!("{path}.{i}");
        if !known.contains(&name.as_str()) {
            out.push(finding(path, format!("unknown {what} \"{name}\""), did_you_mean(name, known)));
        } else if asked[..i].contains(name) {
            out.push(finding(path, format!("the {what} \"{name}\" is asked for twice"), "remove one"));
        }
    }
}

fn grid(record: &Record, out: &mut Vec<Finding>) {
    let curves = &record.curves;
    if curves.points.is_some() && curves.x.is_some() {
        out.push(finding("record.curves.x", "the grid is given twice", "keep one of `points` and `x`"));
    }
    if curves.points.map(Samples::get) == Some(1) {
        let message = "a grid of 1 point: both ends are included, so at least 2 are needed";
        out.push(finding("record.curves.points", message, "use `x = [...]` for single points"));
    }
    for (i, x) in curves.x.iter().flatten().enumerate() {
        if x.get().abs() > 1.0 {
            let message = format!("point {} is outside [-1, 1], where the functions live", x.get());
            out.push(finding(format!("record.curves.x.{i}"), message, "use points from -1 to 1"));
        }
    }
}

/// Mistakes of the claims by themselves.
pub(crate) fn claims(claims: &[Claim]) -> Vec<Finding> {
    let mut out = Vec::new();
    for (i, claim) in claims.iter().enumerate() {
        bound(&format!("claim.{i}"), &claim.bound(), &mut out);
        if let Some(InQuick::Bound(small)) = &claim.quick {
            bound(&format!("claim.{i}.quick"), small, &mut out);
        }
        for (j, sentence) in claim.panel.iter().enumerate().filter(|(j, s)| claim.panel[..*j].contains(s)) {
            let message = format!("sentence {sentence} is named twice");
            out.push(finding(format!("claim.{i}.panel.{j}"), message, "remove one"));
        }
    }
    out
}

/// Mistakes of one bound, of a claim or of what it says in the small version.
fn bound(path: &str, bound: &Bound, out: &mut Vec<Finding>) {
    let Bound { at_most, at_least, between, equals, tolerance, holds } = bound;
    let given = [at_most.is_some(), at_least.is_some(), between.is_some(), equals.is_some(), holds.is_some()];
    match given.iter().filter(|given| **given).count() {
        0 => out.push(finding(
            path,
            "a claim without a bound: nothing could contradict it",
            "add one of `at_most`, `at_least`, `between = [a, b]`, `equals` with `tolerance`, `holds = true`",
        )),
        1 => {}
        _ => out.push(finding(
            path,
            "a claim with several bounds",
            "keep one of at_most, at_least, between, equals, holds; `between = [a, b]` has two ends",
        )),
    }
    if tolerance.is_some() && equals.is_none() {
        let message = "`tolerance` goes with `equals`, and there is none";
        out.push(finding(format!("{path}.tolerance"), message, "remove it, or use `equals`"));
    }
    if let Some([a, b]) = between
        && a.get() > b.get()
    {
        let message = format!("expected [a, b] with a <= b, found [{}, {}]", a.get(), b.get());
        out.push(finding(format!("{path}.between"), message, "swap the ends"));
    }
}
