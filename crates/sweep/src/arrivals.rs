//! When each mode was half learned, in which order, and how long nothing arrived before it.

use taut_problem::Clock;
use taut_store::Rows;
use taut_theory::Mode;

/// The progress of every mode along one path, row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals {
    modes: Vec<Progress>,
}

/// How far one mode has come.
#[derive(Clone, Debug)]
struct Progress {
    mode: usize,
    value: f64,
    /// The last share of its goal below one half, with its time.
    below: Option<(f64, f64)>,
    /// When it was half learned, with the clock of the first row that shows it.
    arrived: Option<(f64, Clock)>,
}

impl Arrivals {
    /// Notes how far a mode has come at a time, as a share of where it goes; shares that are no numbers say nothing.
    pub(crate) fn see(&mut self, mode: &Mode, time: f64, share: f64) {
        let known = self.modes.iter().position(|progress| progress.mode == mode.mode);
        let place = known.unwrap_or_else(|| {
            self.modes.push(Progress { mode: mode.mode, value: mode.value, below: None, arrived: None });
            self.modes.len() - 1
        });
        let progress = &mut self.modes[place];
        if progress.arrived.is_some() || !share.is_finite() {
            return;
        }
        if share < 0.5 {
            progress.below = Some((time, share));
            return;
        }
        // Between two rows the share is taken for a straight line; at the limit t = ∞ there is none.
        let half = progress
            .below
            .filter(|_| time.is_finite())
            .map_or(time, |(before, low)| before + (time - before) * (0.5 - low) / (share - low));
        progress.arrived = Some((half, mode.clock));
    }

    /// The modes that arrived, the earliest first.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.modes.len()).filter(|&i| self.modes[i].arrived.is_some()).collect();
        let time = |i: usize| self.modes[i].arrived.map_or(f64::INFINITY, |(time, _)| time);
        order.sort_by(|&a, &b| time(a).total_cmp(&time(b)));
        order
    }
}

/// Writes one row per mode.
pub(crate) fn emit_arrivals(cell: i64, source: &str, arrivals: &Arrivals, rows: &mut Rows) {
    let order = arrivals.order();
    let time = |i: usize| arrivals.modes[i].arrived.map(|(time, _)| time);
    for (i, progress) in arrivals.modes.iter().enumerate() {
        let place = order.iter().position(|&other| other == i);
        let before = place.map(|place| place.checked_sub(1).and_then(|p| time(order[p])).unwrap_or(0.0));
        rows.push_int(0, Some(cell));
        rows.push_text(1, Some(source));
        rows.push_int(2, Some(progress.mode as i64));
        rows.push_float(3, Some(progress.value));
        rows.push_int(4, progress.arrived.and_then(|(_, clock)| clock.step()).map(|step| step as i64));
        rows.push_float(5, time(i));
        rows.push_int(6, place.map(|place| place as i64 + 1));
        rows.push_float(7, time(i).zip(before).map(|(here, before)| here - before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(mode: usize, step: u64) -> Mode {
        Mode { clock: Clock::Step(step), mode, value: 1.0, strength: 0.0, filter: None, projection: None }
    }

    #[test]
    fn halves_are_read_between_rows() {
        let mut arrivals = Arrivals::default();
        for (step, shares) in [(0, [0.0, 0.1]), (10, [0.4, 0.1]), (20, [0.8, 0.3]), (30, [1.0, 0.7])] {
            for (i, share) in shares.into_iter().enumerate() {
                arrivals.see(&mode(i + 1, step), step as f64 * 0.1, share);
            }
        }
        assert_eq!(arrivals.order(), [0, 1]);
        let (first, clock) = arrivals.modes[0].arrived.unwrap();
        assert!((first - 1.25).abs() < 1e-15 && clock == Clock::Step(20));
        assert!((arrivals.modes[1].arrived.unwrap().0 - 2.5).abs() < 1e-15);
    }

    #[test]
    fn a_mode_that_is_there_from_the_start_arrives_at_the_start() {
        let mut arrivals = Arrivals::default();
        arrivals.see(&mode(1, 0), 0.0, 0.9);
        assert!(arrivals.modes[0].arrived.unwrap().0.abs() < 1e-300);
    }
}
