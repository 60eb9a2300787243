//! Evenly spaced values that are the numbers people write.

/// Value i of n between two ends, rounded to 15 digits (14 for `logspace`) so that 0.1·3 is 0.3 and claims can say so.
pub fn spaced_value(a: f64, b: f64, i: usize, n: usize, log: bool) -> f64 {
    if i == 0 || n == 1 {
        return a;
    }
    if i + 1 == n {
        return b;
    }
    scaled_value(a, b, i as f64 / (n - 1) as f64, log)
}

/// The value at a share of the way between two ends, rounded as people write numbers: 15 digits, 14 for `log`.
pub fn scaled_value(a: f64, b: f64, share: f64, log: bool) -> f64 {
    if log {
        // log10 and 10^x are exact at whole decades; elsewhere they lose a digit more than a sum does.
        let x = 10_f64.powf(a.log10() + (b.log10() - a.log10()) * share);
        return format!("{x:.13e}").parse().unwrap_or(x);
    }
    let x = a + (b - a) * share;
    if x.abs() < 1e-15 * a.abs().max(b.abs()) {
        return 0.0;
    }
    format!("{x:.14e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaced_values_are_the_numbers_people_write() {
        let values: Vec<f64> = (0..7).map(|i| spaced_value(0.0, 3.0, i, 7, false)).collect();
        assert_eq!(values, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        let tenths: Vec<f64> = (0..11).map(|i| spaced_value(-0.5, 0.5, i, 11, false)).collect();
        assert_eq!(tenths, [-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5]);
        let decades: Vec<f64> = (0..7).map(|i| spaced_value(1e-3, 1e3, i, 7, true)).collect();
        assert_eq!(decades, [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0]);
    }
}
