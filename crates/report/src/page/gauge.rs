//! Where measured values lie beside their bound, as a strip: the allowed stretch, and a dot per group.

use super::numbers::shown;
use crate::claims::{Bound, Measured, Verdict};
use serde::Serialize;

/// As many dots as can be told apart.
const MOST_DOTS: usize = 400;
/// Free room beside the outermost value, in parts of the strip.
const ROOM: f64 = 0.1;
/// Positive values that span more than this are shown by their logarithms.
const LOG_FROM: f64 = 50.0;

/// Positions in percent of the strip's width.
#[derive(Serialize)]
pub(super) struct Gauge {
    pub(super) from: f64,
    pub(super) width: f64,
    pub(super) ends: Vec<End>,
    pub(super) dots: Vec<Dot>,
    pub(super) description: String,
}

/// An end of the allowed stretch.
#[derive(Serialize)]
pub(super) struct End {
    pub(super) at: f64,
    pub(super) label: String,
    pub(super) anchor: &'static str,
}

/// A measured value.
#[derive(Serialize)]
pub(super) struct Dot {
    pub(super) at: f64,
    pub(super) class: &'static str,
    pub(super) label: String,
}

impl Gauge {
    /// The strip of a bound on numbers; none where there is no number to show.
    pub(super) fn of(bound: Bound, measured: &[Measured]) -> Option<Self> {
        if bound.is_truth() {
            return None;
        }
        let (low, high) = bound.ends();
        let ends: Vec<f64> = [low, high].into_iter().flatten().filter(|end| end.is_finite()).collect();
        let finite = |measured: &Measured| measured.value.filter(|value| value.is_finite());
        let values: Vec<f64> = measured.iter().filter_map(finite).collect();
        if values.is_empty() || ends.is_empty() {
            return None;
        }
        let place = Scale::over(values.iter().chain(&ends).copied())?;
        let edge = |end: Option<f64>, open: f64| end.filter(|e| e.is_finite()).map_or(open, |end| place.percent(end));
        let (from, to) = (edge(low, 0.0), edge(high, 100.0));
        let mut dots: Vec<Dot> = Vec::new();
        for measured in measured.iter().filter(|measured| finite(measured).is_some()).take(MOST_DOTS) {
            let value = measured.value.unwrap_or(f64::NAN);
            let named = if measured.group.is_empty() { String::new() } else { format!("{}: ", measured.group) };
            dots.push(Dot {
                at: place.percent(value),
                class: if measured.verdict == Verdict::Fails { "outside" } else { "inside" },
                label: format!("{named}{}", shown(value)),
            });
        }
        let anchor = |at: f64| {
            if at < 12.0 {
                "start"
            } else if at > 88.0 {
                "end"
            } else {
                "middle"
            }
        };
        let end = |end: &f64| End { at: place.percent(*end), label: shown(*end), anchor: anchor(place.percent(*end)) };
        let description = format!("{} measured, {bound}", if values.len() == 1 { "One value" } else { "Values" });
        Some(Self { from, width: (to - from).max(0.3), ends: ends.iter().map(end).collect(), dots, description })
    }
}

/// From values to percent.
struct Scale {
    low: f64,
    high: f64,
    log: bool,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let log = low > 0.0 && high / low > LOG_FROM;
        let (low, high) = if log { (low.ln(), high.ln()) } else { (low, high) };
        let span = if high > low { high - low } else { low.abs().max(1.0) };
        (span.is_finite()).then_some(Self { low: low - ROOM * span, high: high + ROOM * span, log })
    }

    fn percent(&self, value: f64) -> f64 {
        let value = if self.log { value.ln() } else { value };
        let percent = 100.0 * (value - self.low) / (self.high - self.low);
        (100.0 * percent.clamp(0.0, 100.0)).round() / 100.0
    }
}
