//! Numbers in few digits: a page holds many, and a screen shows no more.

use serde_json::Value;

/// Digits of what is read as a number.
const DIGITS: usize = 4;

/// Digits of a point on the clock.
const CLOCK_DIGITS: usize = 6;

/// Steps of the window's height, finer than a screen.
pub(super) const HEIGHT: f64 = 2000.0;

/// How far a function is followed outside its window.
pub(super) const BEYOND: f64 = 20_000.0;

/// A number in four digits; null where it is none.
pub(super) fn rounded(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| to_digits(value, DIGITS))
}

/// A point on the clock; null in the limit.
pub(super) fn moment(time: f64) -> Value {
    to_digits(time, CLOCK_DIGITS)
}

fn to_digits(value: f64, digits: usize) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        // Without the `.0` of a float; step counts keep all their digits.
        return Value::from(value as i64);
    }
    // Not finite: null.
    format!("{value:.*e}", digits - 1).parse::<f64>().map_or(Value::Null, Value::from)
}

/// The window that functions are drawn in: their values as whole steps above its lower edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    low: f64,
    unit: f64,
}

impl Window {
    /// Around the data and the target, with air above and below: a wild function leaves it and flattens nothing.
    pub(super) fn around(values: impl Iterator<Item = f64> + Clone) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let scale = if high > low { high - low } else { high.abs().max(1.0) };
        let air = 0.4 * scale;
        Self { low: low - air, unit: (high - low + 2.0 * air) / HEIGHT }
    }

    /// The lower edge, and one step.
    pub(super) fn edges(self) -> (Value, Value) {
        let exact = |value: f64| format!("{value:.8e}").parse::<f64>().map_or(Value::Null, Value::from);
        (exact(self.low), exact(self.unit))
    }

    /// A value in steps; null where it is none.
    pub(super) fn steps(self, value: Option<f64>) -> Value {
        match value {
            Some(value) if !value.is_nan() => {
                let steps = ((value - self.low) / self.unit).round().clamp(-BEYOND, BEYOND);
                Value::from(steps as i64)
            }
            _ => Value::Null,
        }
    }

    /// A function in steps.
    pub(super) fn function(self, values: &[Option<f64>]) -> Value {
        Value::Array(values.iter().map(|value| self.steps(*value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits_and_whole_ones_all() {
        let text = |value: f64| rounded(Some(value)).to_string();
        assert_eq!(text(0.123_456), "0.1235");
        assert_eq!(text(1.234_56e-9), "1.235e-9");
        assert_eq!(text(82_407.0), "82407");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(1e300).parse(), Ok(1e300));
        assert_eq!(text(f64::NAN), "null");
        assert_eq!(text(f64::INFINITY), "null");
        assert_eq!(rounded(None), Value::Null);
        assert_eq!(moment(f64::INFINITY), Value::Null);
    }

    #[test]
    fn a_window_holds_the_data_and_lets_wild_functions_leave() {
        let window = Window::around([-1.0, f64::NAN, 1.0].into_iter());
        assert_eq!(window.steps(Some(0.0)), Value::from(1000));
        let (low, high) = (window.steps(Some(-1.0)), window.steps(Some(1.0)));
        assert!(low.as_i64() > Some(0) && high.as_i64() < Some(2000));
        assert_eq!(window.steps(Some(1e200)), Value::from(20_000));
        assert_eq!(window.steps(Some(f64::NEG_INFINITY)), Value::from(-20_000));
        assert_eq!(window.steps(Some(f64::NAN)), Value::Null);
        // Nothing at all, or a constant, still has a window.
        assert_eq!(Window::around(std::iter::empty()).steps(Some(0.0)), Value::from(1000));
        assert_eq!(Window::around([3.0].into_iter()).steps(Some(3.0)), Value::from(1000));
    }
}
