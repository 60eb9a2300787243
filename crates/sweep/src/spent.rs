//! Where the time of the work goes: moving, theories, other fits, and every metric. Seconds of a wall clock, for `timing`
//! and for people; no row of another table depends on them.

use crate::plan::Plan;
use std::time::Instant;
use taut_metrics::MetricDef;
use taut_store::Rows;

/// Seconds by purpose. What is left of the whole went into rows, axes and names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// All of it.
    pub wall: f64,
    /// Drawing data and starts, and decomposing designs.
    pub preparing: f64,
    /// Training: steps, flows and closed forms.
    pub moving: f64,
    /// Predictions of theories, without metrics.
    pub theory: f64,
    /// Other fits of the points, without metrics.
    pub solutions: f64,
    /// What other tables hold: modes, factors, curves, parameters, Hessians.
    pub details: f64,
    /// What several metrics share: predictions at the points, grids, shapes, singular values.
    pub shared: f64,
    /// Every metric of the study alone.
    pub metrics: Vec<(&'static str, f64)>,
}

/// What bringing rows to the disk took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Writing {
    /// Seconds in which the writer was at work: putting rows in order, encoding them, and the disk.
    pub seconds: f64,
    /// Seconds of a run in which something waited for it; mostly its end, when nothing is left to compute.
    pub waited: f64,
}

/// A purpose that has one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Preparing,
    Moving,
    Theory,
    Solutions,
}

impl Spent {
    /// Nothing so far.
    pub(crate) fn nothing(metrics: &[&'static MetricDef]) -> Self {
        Self { metrics: metrics.iter().map(|metric| (metric.name, 0.0)).collect(), ..Self::default() }
    }

    /// Does something and says what for; metrics that are measured meanwhile count apart.
    pub(crate) fn on<T>(&mut self, purpose: On, work: impl FnOnce(&mut Self) -> T) -> T {
        let (began, measured) = (Instant::now(), self.measured());
        let done = work(self);
        let gone = began.elapsed().as_secs_f64() - (self.measured() - measured);
        *match purpose {
            On::Preparing => &mut self.preparing,
            On::Moving => &mut self.moving,
            On::Theory => &mut self.theory,
            On::Solutions => &mut self.solutions,
        } += gone.max(0.0);
        done
    }

    fn measured(&self) -> f64 {
        self.shared + self.metrics.iter().map(|(_, seconds)| seconds).sum::<f64>()
    }

    /// Adds somebody else's.
    pub(crate) fn add(&mut self, other: &Self) {
        let ours = [&mut self.wall, &mut self.preparing, &mut self.moving];
        ours.into_iter().zip([other.wall, other.preparing, other.moving]).for_each(|(ours, more)| *ours += more);
        let ours = [&mut self.theory, &mut self.solutions, &mut self.details, &mut self.shared];
        ours.into_iter()
            .zip([other.theory, other.solutions, other.details, other.shared])
            .for_each(|(ours, more)| *ours += more);
        if self.metrics.is_empty() {
            self.metrics.clone_from(&other.metrics);
        } else {
            self.metrics.iter_mut().zip(&other.metrics).for_each(|(ours, (_, more))| ours.1 += more);
        }
    }

    /// One row for each of `cells` cells, which had even shares in it, beside numbers that are there already.
    pub(crate) fn push(&self, cells: usize, host: &str, threads: usize, rows: &mut Rows) {
        rows.repeat_text(2, Some(host), cells);
        rows.repeat_int(3, Some(threads as i64), cells);
        let purposes = [self.preparing, self.moving, self.theory, self.solutions, self.details, self.shared];
        let metrics = self.metrics.iter().map(|(_, seconds)| *seconds);
        for (column, seconds) in
            std::iter::once(1).chain(4..).zip([self.wall].into_iter().chain(purposes).chain(metrics))
        {
            rows.repeat_float(column, Some(seconds / cells as f64), cells);
        }
    }

    /// Every purpose with its seconds, the dearest first; what has none is left out.
    pub fn by_purpose(&self) -> Vec<(&'static str, f64)> {
        let named = [
            ("preparing", self.preparing),
            ("training", self.moving),
            ("theory", self.theory),
            ("solutions", self.solutions),
            ("modes and other tables", self.details),
            ("shared by metrics", self.shared),
        ];
        let known: f64 = named.iter().chain(&self.metrics).map(|(_, seconds)| seconds).sum();
        let rest = [("rows", (self.wall - known).max(0.0))];
        let mut all: Vec<_> = named.into_iter().chain(self.metrics.iter().copied()).chain(rest).collect();
        all.retain(|(_, seconds)| *seconds > 0.0);
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }
}

impl Plan {
    /// Nothing spent so far on what this plan measures.
    pub(crate) fn nothing_spent(&self) -> Spent {
        Spent::nothing(&self.metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn metrics_within_a_purpose_count_apart() {
        let mut spent = Spent::default();
        spent.on(On::Theory, |spent| {
            std::thread::sleep(Duration::from_millis(4));
            spent.shared += 1.0;
        });
        assert_eq!((spent.theory, spent.shared), (0.0, 1.0), "no purpose took less than nothing");
        spent.on(On::Moving, |_| std::thread::sleep(Duration::from_millis(4)));
        assert!(spent.moving >= 0.004);
    }

    #[test]
    fn purposes_and_the_rest_are_all_of_it() {
        let mut spent =
            Spent { wall: 10.0, moving: 6.0, metrics: vec![("risk", 1.0), ("loss", 0.0)], ..Spent::default() };
        assert_eq!(spent.by_purpose(), [("training", 6.0), ("rows", 3.0), ("risk", 1.0)]);
        spent.add(&spent.clone());
        assert_eq!((spent.wall, spent.moving, spent.metrics[0].1), (20.0, 12.0, 2.0));
    }
}
