//! What tests say of the numbers that they reach.

use super::Sheet;

/// The largest error seen, with where.
#[derive(Default)]
pub struct Worst(f64, String);

impl Worst {
    /// Relative to `scale` where that is above 0; infinities that agree have no error.
    pub fn see(&mut self, got: f64, exact: f64, scale: f64, label: impl FnOnce() -> String) {
        if got.to_bits() == exact.to_bits() && !got.is_nan() {
            return;
        }
        let error = if scale > 0.0 { (got - exact).abs() / scale } else { (got - exact).abs() };
        if error > self.0 || error.is_nan() {
            *self = Self(if error.is_nan() { f64::INFINITY } else { error }, label());
        }
    }

    #[track_caller]
    #[allow(clippy::print_stderr)] // the figures reached are shown by --nocapture
    pub fn below(&self, what: &str, tolerance: f64) {
        eprintln!("{what}: worst error {:.1e} ({})", self.0, self.1);
        assert!(self.0 <= tolerance, "{what}: {:e} at {}", self.0, self.1);
    }
}

/// One predicted number of a cell.
pub fn predicted(predictions: &Sheet, cell: i64, quantity: &str, parameter: Option<f64>) -> f64 {
    let of_parameter = |row: usize| match parameter {
        Some(wanted) => (predictions.number("parameter", row) - wanted).abs() <= 1e-12 * wanted.abs(),
        None => predictions.is_null("parameter", row),
    };
    let found = predictions.rows().find(|&row| {
        predictions.int("cell", row) == Some(cell) && predictions.text("quantity", row) == quantity && of_parameter(row)
    });
    predictions.number("value", found.unwrap_or_else(|| panic!("no {quantity} at {parameter:?}")))
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error of the mean.
pub fn standard_error(values: &[f64]) -> f64 {
    let (m, n) = (mean(values), values.len() as f64);
    (values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}
