//! The largest error of many comparisons.

#![allow(clippy::print_stderr)] // the figures reached are shown by --nocapture

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
    pub fn below(&self, what: &str, tolerance: f64) {
        eprintln!("{what}: worst error {:.1e} ({})", self.0, self.1);
        assert!(self.0 <= tolerance, "{what}: {:e} at {}", self.0, self.1);
    }
}
