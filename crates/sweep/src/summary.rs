//! What a whole path says in one row: first passages, the best point, the largest drops.

use taut_problem::{Clock, Passage};

/// The levels of the root mean square residual whose first passage is in `cells`.
pub(crate) const LEVELS: [(f64, &str); 3] = [(1e-2, "1em2"), (1e-3, "1em3"), (1e-6, "1em6")];

/// The level that counts as interpolation in `at_interpolation_*`.
pub(crate) const INTERPOLATION: f64 = 1e-3;

/// The row with the smallest finite value; the first of equals.
pub(crate) fn best_row(values: &[f64]) -> Option<usize> {
    (0..values.len()).filter(|&i| values[i].is_finite()).min_by(|&a, &b| values[a].total_cmp(&values[b]))
}

/// max over rows of (running maximum − value)/(running maximum): 0 for a path that only grows.
pub(crate) fn largest_drop(values: &[f64]) -> Option<f64> {
    let mut running = f64::NEG_INFINITY;
    let mut drop = None;
    for &value in values.iter().filter(|v| v.is_finite()) {
        running = running.max(value);
        let here = if running > 0.0 { (running - value) / running } else { 0.0 };
        drop = Some(drop.map_or(here, |d: f64| d.max(here)));
    }
    drop
}

/// The clock of a passage that happened.
pub(crate) fn reached(passage: Passage) -> Option<Clock> {
    match passage {
        Passage::At(clock) => Some(clock),
        Passage::Never | Passage::NotYet => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_relative_to_the_running_maximum() {
        let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-15;
        assert!(close(largest_drop(&[0.0, 4.0, 1.0, 2.0, 8.0]), 0.75));
        assert!(close(largest_drop(&[0.0, 1.0, 2.0]), 0.0));
        assert_eq!(largest_drop(&[f64::NAN]), None);
    }

    #[test]
    fn the_best_row_is_the_first_smallest_finite_one() {
        assert_eq!(best_row(&[f64::NAN, 2.0, 1.0, 1.0]), Some(2));
        assert_eq!(best_row(&[f64::INFINITY]), None);
    }
}
