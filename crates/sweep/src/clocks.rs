//! From `record.times` and `train.until` to the points of the clock where a cell is looked at.

use crate::study::{Record, Times};
use taut_problem::{Clock, Until};
use taut_train::Train;

/// More save times than this in one cell are a mistake: a table of a gigabyte.
pub(crate) const MOST_SAVE_TIMES: u64 = 10_000_000;

/// How many steps `record.times = { every = k }` saves up to `until.steps`; 0 for other grids.
pub(crate) fn save_steps(record: &Record, train: &Train) -> u64 {
    match (&record.times, train.until.steps) {
        (Times::Every(every), Some(steps)) => steps.get() / every.get().max(1) + 1,
        _ => 0,
    }
}

/// The points of the clock for one cell, ascending, or why there are none.
///
/// `passage` finds the first point where L ≤ a level; it is asked only if `until.loss` is set and
/// the motion has a closed form. The grid then ends there.
pub(crate) fn clocks(
    record: &Record,
    until: &Until,
    is_flow: bool,
    step_size: f64,
    passage: impl FnOnce(f64) -> Option<Clock>,
) -> Result<Vec<Clock>, String> {
    let (times, limit) = (&record.times, record.limit || record.times.has_limit());
    let reached = match until.loss {
        Some(loss) => passage(loss.get()),
        None => None,
    };
    match is_flow {
        false => {
            let limits = [
                until.steps.map(|s| s.get()),
                until.time.map(|t| (t.get() / step_size).floor().min(9e15) as u64),
                reached.and_then(Clock::step),
            ];
            let end = limits.into_iter().flatten().min();
            let end = end.ok_or("the loss of `until` is never reached, and there is no other end")?;
            if let Times::Every(every) = times
                && end / every.get().max(1) >= MOST_SAVE_TIMES
            {
                return Err(format!("record.times asks for more than {MOST_SAVE_TIMES} save times up to step {end}"));
            }
            Ok(with_limit(steps(times, end), limit))
        }
        true => {
            let limits = [
                until.time.map(|t| t.get()),
                reached.and_then(|clock| match clock {
                    Clock::Time(t) => Some(t),
                    Clock::Step(_) | Clock::Limit => None,
                }),
            ];
            let end = limits.into_iter().flatten().min_by(f64::total_cmp);
            let end = end.ok_or("the loss of `until` is never reached, and there is no other end")?;
            Ok(with_limit(flow_times(times, end), limit))
        }
    }
}

fn with_limit(mut clocks: Vec<Clock>, limit: bool) -> Vec<Clock> {
    if limit {
        clocks.push(Clock::Limit);
    }
    clocks
}

fn steps(times: &Times, end: u64) -> Vec<Clock> {
    let mut steps: Vec<u64> = match times {
        Times::Geometric(count) => {
            let inner = count.size().saturating_sub(2).max(1) as f64;
            let top = (end.max(1) as f64).ln();
            (0..count.size().saturating_sub(1)).map(|i| (top * i as f64 / inner).exp().round() as u64).collect()
        }
        Times::Linear(count) => {
            let last = count.size().saturating_sub(1).max(1) as f64;
            (0..count.size()).map(|i| (end as f64 * i as f64 / last).round() as u64).collect()
        }
        Times::Every(every) => (0..=end).step_by(every.size().max(1)).collect(),
        Times::Steps(list) => list.iter().filter_map(|s| s.step()).collect(),
        Times::Times(_) => Vec::new(),
    };
    if !matches!(times, Times::Steps(_)) {
        steps.extend([0, end]);
    }
    steps.retain(|s| *s <= end);
    steps.sort_unstable();
    steps.dedup();
    steps.into_iter().map(Clock::Step).collect()
}

/// A geometric grid of times starts ten decades below its end (after 0, which it always has).
const DECADES: f64 = 10.0;

fn flow_times(times: &Times, end: f64) -> Vec<Clock> {
    let mut grid: Vec<f64> = match times {
        Times::Geometric(count) => {
            let inner = count.size().saturating_sub(2).max(1) as f64;
            (0..count.size().saturating_sub(1))
                .map(|i| end * 10_f64.powf(-DECADES * (1.0 - i as f64 / inner)))
                .collect()
        }
        Times::Linear(count) => {
            let last = count.size().saturating_sub(1).max(1) as f64;
            (0..count.size()).map(|i| end * i as f64 / last).collect()
        }
        Times::Times(list) => list.iter().map(|t| t.time()).filter(|t| t.is_finite()).collect(),
        Times::Every(_) | Times::Steps(_) => Vec::new(),
    };
    if !matches!(times, Times::Times(_)) {
        grid.extend([0.0, end]);
    }
    grid.retain(|t| *t <= end);
    grid.sort_by(f64::total_cmp);
    grid.dedup_by(|a, b| a.total_cmp(b).is_eq());
    grid.into_iter().map(Clock::Time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_problem::{Samples, Steps};

    fn until(steps: f64) -> Until {
        Until { steps: Some(Steps::try_from(steps).unwrap()), ..Until::default() }
    }

    #[test]
    fn geometric_grids_have_both_ends_and_no_repeats() {
        let times = Times::Geometric(Samples::try_from(200.0).unwrap());
        let grid = clocks(&Record { times, ..Record::default() }, &until(1e8), false, 1.0, |_| None).unwrap();
        assert_eq!(grid[0], Clock::Step(0));
        assert_eq!(grid[1], Clock::Step(1));
        assert_eq!(grid.last(), Some(&Clock::Step(100_000_000)));
        assert!(grid.windows(2).all(|w| w[0] < w[1]) && grid.len() <= 200);
    }

    #[test]
    fn a_passed_loss_ends_the_grid() {
        let times = Times::Linear(Samples::try_from(5.0).unwrap());
        let until = Until { loss: Some(taut_problem::NonNegative::try_from(0.1).unwrap()), ..until(100.0) };
        let grid =
            clocks(&Record { times, ..Record::default() }, &until, false, 1.0, |_| Some(Clock::Step(8))).unwrap();
        assert_eq!(grid, [0, 2, 4, 6, 8].map(Clock::Step));
    }
}
