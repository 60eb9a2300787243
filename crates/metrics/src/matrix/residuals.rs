//! Residuals of a matrix one by one.

use crate::MatrixProbe;
use taut_numerics::DVector;
use taut_problem::Observed;

/// The largest residual over samples and outputs, observed entries, or measurements.
pub(crate) fn residual_max(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let observed = &probe.setting().problem().observed;
    probe.per_predictor(out, |w| match observed {
        Observed::Moments(moments) => {
            let samples = moments.samples.as_ref().expect("the needs are met");
            (&samples.y - w * &samples.x).amax()
        }
        Observed::Entries(entries) => {
            let residual = |place: &usize| (w[*place] - entries.target[*place]).abs();
            entries.observed.iter().map(residual).fold(0.0, f64::max)
        }
        Observed::Measurements(seen) => {
            let w = DVector::from_column_slice(w.as_slice());
            (&seen.matrices * w - DVector::from_column_slice(&seen.values)).amax()
        }
    });
}
