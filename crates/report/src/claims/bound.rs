//! What a measured value is held against.

use std::fmt;

/// The values that bear a claim out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Up to this value.
    AtMost(f64),
    /// From this value on.
    AtLeast(f64),
    /// From the first to the second, ends included.
    Between(f64, f64),
    /// This value, give or take the tolerance.
    Equals {
        /// The value.
        value: f64,
        /// How far off it may be.
        tolerance: f64,
    },
    /// This truth value; 1 is true and 0 is false.
    Holds(bool),
}

impl Bound {
    /// How far inside the bound a value is; negative outside, zero on it.
    ///
    /// at_most b: b − v. at_least a: v − a. between: the smaller of both. equals e ± t: t − |v − e|.
    /// A truth value has no distance: 0 if it is the right one, −1 if not. NaN for a NaN value.
    pub fn margin(self, value: f64) -> f64 {
        match self {
            Self::AtMost(most) => inside(most, value),
            Self::AtLeast(least) => inside(value, least),
            Self::Between(low, high) => inside(value, low).min(inside(high, value)),
            Self::Equals { value: expected, tolerance } => tolerance - inside(value, expected).abs(),
            Self::Holds(truth) if is_true(value) == truth => 0.0,
            Self::Holds(_) => -1.0,
        }
    }

    /// The smallest and largest value allowed; an end that is open is `None`.
    pub fn ends(self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::AtMost(most) => (None, Some(most)),
            Self::AtLeast(least) => (Some(least), None),
            Self::Between(low, high) => (Some(low), Some(high)),
            Self::Equals { value, tolerance } => (Some(value - tolerance), Some(value + tolerance)),
            Self::Holds(truth) => (Some(f64::from(u8::from(truth))), Some(f64::from(u8::from(truth)))),
        }
    }

    /// Whether the query must give a truth value.
    pub fn is_truth(self) -> bool {
        matches!(self, Self::Holds(_))
    }
}

/// `a − b`; zero for two equal infinities, whose difference is none.
#[allow(clippy::float_cmp)]
fn inside(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { a - b }
}

#[allow(clippy::float_cmp)]
fn is_true(value: f64) -> bool {
    value != 0.0
}

/// A number to fifteen digits, with an exponent where that is shorter to read: what a study says has no more, and
/// a manifest is read back to the last digit but one.
fn short(value: f64) -> String {
    let value: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let (plain, exponent) = (value.to_string(), format!("{value:e}"));
    if value.is_finite() && plain.len() > exponent.len() + 2 { exponent } else { plain }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {}", short(*most)),
            Self::AtLeast(least) => write!(f, "≥ {}", short(*least)),
            Self::Between(low, high) => write!(f, "in [{}, {}]", short(*low), short(*high)),
            #[allow(clippy::float_cmp)]
            Self::Equals { value, tolerance } if *tolerance == 0.0 => write!(f, "= {}", short(*value)),
            Self::Equals { value, tolerance } => write!(f, "= {} ± {}", short(*value), short(*tolerance)),
            Self::Holds(truth) => write!(f, "{truth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_negative_outside_zero_on_the_bound_and_positive_inside() {
        let bounds = [
            (Bound::AtMost(2.0), [1.0, 2.0, 3.0]),
            (Bound::AtLeast(2.0), [3.0, 2.0, 1.0]),
            (Bound::Between(1.0, 3.0), [2.0, 3.0, 4.0]),
            (Bound::Between(1.0, 3.0), [2.0, 1.0, 0.0]),
            (Bound::Equals { value: 2.0, tolerance: 1.0 }, [2.0, 3.0, 4.0]),
            (Bound::AtMost(f64::INFINITY), [1.0, f64::INFINITY, f64::NAN]),
        ];
        for (bound, [inside, on, outside]) in bounds {
            assert!(bound.margin(inside) > 0.0, "{bound}");
            assert!(bound.margin(on).abs() < 1e-300, "{bound}");
            assert!(bound.margin(outside).is_nan() || bound.margin(outside) < 0.0, "{bound}");
        }
        assert!(Bound::Holds(true).margin(1.0) >= 0.0);
        assert!(Bound::Holds(true).margin(0.0) < 0.0);
        assert!(Bound::Holds(false).margin(0.0) >= 0.0);
    }

    #[test]
    fn bounds_are_shown_with_all_their_digits_and_no_row_of_zeros() {
        let shown = |bound: Bound| bound.to_string();
        assert_eq!(shown(Bound::AtMost(1e-29)), "≤ 1e-29");
        assert_eq!(shown(Bound::AtMost(1.000_000_000_000_000_1e-29)), "≤ 1e-29");
        assert_eq!(shown(Bound::AtLeast(0.002)), "≥ 0.002");
        assert_eq!(shown(Bound::Between(-0.5, 1.6859)), "in [-0.5, 1.6859]");
        assert_eq!(shown(Bound::Equals { value: 3.0, tolerance: 1e-9 }), "= 3 ± 1e-9");
        assert_eq!(shown(Bound::Equals { value: 3.0, tolerance: 0.0 }), "= 3");
        assert_eq!(shown(Bound::AtMost(f64::INFINITY)), "≤ inf");
        assert_eq!(shown(Bound::AtMost(25_000_000.0)), "≤ 2.5e7");
    }

    #[test]
    fn nothing_lies_between_ends_in_the_wrong_order() {
        let never = Bound::Between(f64::INFINITY, f64::NEG_INFINITY);
        assert!([f64::NEG_INFINITY, 0.0, f64::INFINITY].iter().all(|value| never.margin(*value) < 0.0));
    }
}
