//! How many digits of a measured value are kept, so that a table of verdicts does not depend on the order of sums.
//!
//! The engine adds in no fixed order: an average over a few thousand rows differs by 10⁻¹⁵ of itself from run to run, one
//! over millions by up to 3·10⁻¹³. Nine digits leave room for that; whole numbers have no such error and keep all digits.

use super::Bound;

const DIGITS: usize = 9;

/// A share of the value below which its distance to the bound is rounding: it lies on the bound.
const ROUNDING: f64 = 1e-14;

/// A number to the digits that are kept.
pub(super) fn kept(value: f64) -> f64 {
    to_digits(value, DIGITS)
}

/// The margin of a value to a bound, with as many digits as the value leaves it: a small difference of large numbers
/// has few. Its sign is that of the exact margin.
pub(super) fn kept_margin(bound: Bound, value: f64) -> f64 {
    let margin = bound.margin(value);
    if !margin.is_finite() || bound.is_truth() {
        return margin;
    }
    if margin.abs() <= ROUNDING * value.abs() {
        return 0.0;
    }
    let lost = (value.abs() / margin.abs()).log10().ceil().clamp(0.0, (DIGITS - 1) as f64);
    to_digits(margin, DIGITS - lost as usize)
}

fn to_digits(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_digits_are_kept_and_special_values_stay() {
        assert!((kept(1.0 / 3.0) - 0.333_333_333).abs() < 1e-15);
        assert_eq!(kept(1.0 + 1e-12).to_bits(), 1.0f64.to_bits());
        assert_eq!(kept(-0.0).to_bits(), (-0.0f64).to_bits());
        assert!(kept(f64::NAN).is_nan());
        assert_eq!(kept(f64::INFINITY).to_bits(), f64::INFINITY.to_bits());
        assert_eq!(kept(5e-324).to_bits(), 5e-324f64.to_bits());
    }

    #[test]
    fn a_margin_has_the_digits_that_the_value_leaves_it() {
        let margin = |value: f64| kept_margin(Bound::AtMost(1.0), value);
        assert!((margin(2.0 / 3.0) - 0.333_333_33).abs() < 1e-15, "{}", margin(2.0 / 3.0));
        assert!((margin(1.0 - 1.234_567e-7) - 1.2e-7).abs() < 1e-15);
        assert!((margin(1.0 - 1.234_567e-12) - 1e-12).abs() < 1e-20);
        assert_eq!(margin(1.0 + f64::EPSILON).to_bits(), 0.0f64.to_bits());
        assert!(margin(1.0 + 1e-13) < 0.0);
        assert_eq!(margin(f64::INFINITY).to_bits(), f64::NEG_INFINITY.to_bits());
        assert!(kept_margin(Bound::Equals { value: 0.3, tolerance: 0.0 }, 0.1 + 0.2) >= 0.0);
    }
}
