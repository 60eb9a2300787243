//! How numbers become places: in proportion, by the logarithm, or both.

use super::{Channel, Scale};

/// Places from 0 to 1 of the numbers of one axis.
pub(super) struct Positions {
    scale: Scale,
    constant: f64,
    low: f64,
    span: f64,
}

impl Positions {
    /// The axis of a channel with these numbers: its own domain, else what they span.
    pub(super) fn of(channel: &Channel, values: &[f64]) -> Self {
        let constant = symlog_constant(values);
        let mut out = Self { scale: channel.scale, constant, low: 0.0, span: 1.0 };
        let shown = channel.domain.as_ref().map_or(values, |ends| &ends[..]);
        let placed = || shown.iter().map(|value| out.raw(*value)).filter(|value| value.is_finite());
        let low = placed().fold(f64::INFINITY, f64::min);
        let high = placed().fold(f64::NEG_INFINITY, f64::max);
        if low.is_finite() && high > low {
            (out.low, out.span) = (low, high - low);
        }
        out
    }

    /// The places of numbers on it.
    pub(super) fn all(&self, values: &[f64]) -> Vec<f64> {
        values.iter().map(|value| (self.raw(*value) - self.low) / self.span).collect()
    }

    fn raw(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.ln(),
            Scale::Symlog => value.signum() * (value.abs() / self.constant).ln_1p(),
        }
    }
}

/// Below it a symlog axis is in proportion: the power of ten under the smallest number that is not zero.
pub(super) fn symlog_constant(values: &[f64]) -> f64 {
    let sizes = || values.iter().map(|value| value.abs()).filter(|size| *size > 0.0 && size.is_finite());
    let least = sizes().fold(f64::INFINITY, f64::min);
    let largest = sizes().fold(0.0, f64::max);
    if least.is_finite() { 10f64.powf(least.max(largest * 1e-15).log10().floor()) } else { 1.0 }
}
