//! The least value of a function of one positive variable.

const SCAN: usize = 64;

/// The least value of `f` on \[low, high\], 0 < low ≤ high, as (argument, value): a scan even in the
/// logarithm, then golden section between the neighbours of the best point. The value has full
/// accuracy, the argument about √ε, as for every method that only sees values.
pub(crate) fn least(low: f64, high: f64, f: impl Fn(f64) -> f64) -> (f64, f64) {
    let span = (high / low).ln();
    let at = |i: f64| low * (span * i / SCAN as f64).exp();
    let values: Vec<f64> = (0..=SCAN).map(|i| f(at(i as f64))).collect();
    let best = (0..=SCAN).min_by(|&a, &b| values[a].total_cmp(&values[b])).expect("the scan is not empty");
    let (mut a, mut b) = (best.saturating_sub(1) as f64, (best + 1).min(SCAN) as f64);
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    while b - a > 1e-9 {
        let (left, right) = (b - golden * (b - a), a + golden * (b - a));
        if f(at(left)) <= f(at(right)) { b = right } else { a = left }
    }
    let found = (at((a + b) / 2.0), f(at((a + b) / 2.0)));
    if found.1 <= values[best] { found } else { (at(best as f64), values[best]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_minima_inside_and_at_the_ends() {
        let (x, value) = least(1e-6, 1e6, |x| x.ln() * x.ln() + (3.0 - x.ln()));
        // Flat at the minimum: the argument is good to √ε.
        assert!((x.ln() - 0.5).abs() < 1e-6 && (value - 2.75).abs() < 1e-14);
        assert!((least(2.0, 5.0, |x| x).0 - 2.0).abs() < 1e-9);
        assert!((least(2.0, 2.0, |x| x).1 - 2.0).abs() < 1e-15);
    }
}
