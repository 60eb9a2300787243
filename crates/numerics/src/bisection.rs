//! Bisection over whole numbers and over brackets: slow, and never wrong about the side.

/// The smallest whole number `k` in `[0, limit]` with `holds(k)`, for a predicate that stays true
/// once it is true. `None` if it does not hold at `limit`. Doubles first, so that an early passage
/// costs few evaluations: at most 2·log₂(k) + 2.
pub fn first_true(limit: u64, mut holds: impl FnMut(u64) -> bool) -> Option<u64> {
    if holds(0) {
        return Some(0);
    }
    let (mut below, mut reach) = (0, 1_u64.min(limit));
    while !holds(reach) {
        if reach >= limit {
            return None;
        }
        below = reach;
        reach = reach.saturating_mul(2).min(limit);
    }
    while reach - below > 1 {
        let middle = below + (reach - below) / 2;
        if holds(middle) { reach = middle } else { below = middle }
    }
    Some(reach)
}

/// Bisects `[low, high]` to the last representable point where `holds` turns from false (at `low`)
/// to true (at `high`); returns the true side.
pub fn last_sign_change(mut low: f64, mut high: f64, mut holds: impl FnMut(f64) -> bool) -> f64 {
    for _ in 0..2000 {
        // The geometric middle first: times span many decades.
        let middle = if low > 0.0 && high / low > 4.0 { (low * high).sqrt() } else { low + (high - low) / 2.0 };
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_whole_number() {
        for target in [0_u64, 1, 2, 3, 17, 1 << 40, u64::MAX / 3] {
            assert_eq!(first_true(u64::MAX / 2, |k| k >= target), Some(target));
        }
        assert_eq!(first_true(1000, |k| k > 1000), None);
        assert_eq!(first_true(0, |k| k > 0), None);
    }

    #[test]
    fn brackets_close_to_neighbours() {
        let root = last_sign_change(0.0, 1e12, |t| t * t >= 2.0);
        assert!((root - 2f64.sqrt()).abs() <= 2.0 * f64::EPSILON);
    }
}
