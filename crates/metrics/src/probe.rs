//! What several metrics need of one block of rows, computed on first use.

use crate::Setting;
use crate::combined::Combined;
use crate::effort::Shared;
use crate::fit::Fit;
use crate::instruments::CurveInstruments;
use crate::shape::Shape;
use crate::spline::{self, SplineShape};
use std::cell::OnceCell;
use std::time::Duration;
use taut_problem::Snapshots;

/// A block of snapshots of one cell under its instruments.
pub struct Probe<'a> {
    setting: &'a Setting<'a>,
    snapshots: &'a Snapshots,
    finite: Vec<bool>,
    canonical: OnceCell<Vec<f64>>,
    combined: OnceCell<Option<Combined<'a>>>,
    fit: OnceCell<Fit>,
    energies: OnceCell<Vec<[f64; 4]>>,
    shape: OnceCell<Shape>,
    splines: OnceCell<Vec<SplineShape>>,
    shared: Shared,
}

impl<'a> Probe<'a> {
    /// Nothing is computed yet but which rows are finite.
    pub fn new(setting: &'a Setting<'a>, snapshots: &'a Snapshots) -> Self {
        let finite = if snapshots.cubics.is_empty() {
            let is_finite = |row: usize| {
                let p = snapshots.features;
                all_finite(&snapshots.coefficients[row * p..(row + 1) * p])
            };
            (0..snapshots.len()).map(is_finite).collect()
        } else {
            snapshots.cubics.iter().map(spline::is_finite).collect()
        };
        Self {
            setting,
            snapshots,
            finite,
            canonical: OnceCell::new(),
            combined: OnceCell::new(),
            fit: OnceCell::new(),
            energies: OnceCell::new(),
            shape: OnceCell::new(),
            splines: OnceCell::new(),
            shared: Shared::default(),
        }
    }

    /// Time spent so far on what several metrics share.
    pub(crate) fn shared_time(&self) -> Duration {
        self.shared.time()
    }

    pub(crate) fn rows(&self) -> usize {
        self.snapshots.len()
    }

    pub(crate) fn setting(&self) -> &'a Setting<'a> {
        self.setting
    }

    pub(crate) fn snapshots(&self) -> &'a Snapshots {
        self.snapshots
    }

    /// Whether the function of each row is finite.
    pub(crate) fn finite(&self) -> &[bool] {
        &self.finite
    }

    /// Whether the rows are piecewise cubics.
    pub(crate) fn is_spline(&self) -> bool {
        !self.snapshots.cubics.is_empty()
    }

    /// Whether the predictor lives in the space of the design's rows.
    pub(crate) fn has_predictor_parameters(&self) -> bool {
        !self.is_spline()
    }

    /// The parameters, row-major.
    pub(crate) fn theta(&self) -> &'a [f64] {
        if self.snapshots.theta.is_empty() { &self.snapshots.coefficients } else { &self.snapshots.theta }
    }

    /// The predictor's coefficients, row-major: for models that are linear in θ the parameters themselves.
    pub(crate) fn beta(&self) -> &'a [f64] {
        &self.snapshots.coefficients
    }

    /// The instruments of a series; only called where the rows are series.
    pub(crate) fn curve(&self) -> &'a CurveInstruments {
        self.setting.curve().expect("metrics of curves are only evaluated where there is one")
    }

    /// Canonical coefficients, rows × stride.
    pub(crate) fn canonical(&self) -> &[f64] {
        let (curve, rows) = (self.curve(), self.rows());
        let canonical = || match self.combined() {
            Some(combined) => combined.canonical(),
            None => curve.canonical(&self.snapshots.coefficients, rows),
        };
        self.shared.once(&self.canonical, canonical).as_slice()
    }

    /// The few series that the rows are made of, where these are known.
    pub(crate) fn combined(&self) -> Option<&Combined<'a>> {
        let combined = || self.snapshots.span.as_ref().map(|span| Combined::new(self.curve(), span));
        self.combined.get_or_init(combined).as_ref()
    }

    /// Canonical coefficients row by row.
    pub(crate) fn canonical_rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.canonical().chunks_exact(self.curve().stride)
    }

    /// Values at the samples and what is left of the data.
    pub(crate) fn fit(&self) -> &Fit {
        self.shared.once(&self.fit, || Fit::new(self))
    }

    /// ∫f², ∫f′², ∫f″², ∫f‴² of each row.
    pub(crate) fn energies(&self) -> &[[f64; 4]] {
        self.shared.once(&self.energies, || crate::roughness::energies(self)).as_slice()
    }

    /// Turning points, inflections and lengths of series.
    pub(crate) fn shape(&self) -> &Shape {
        self.shared.once(&self.shape, || Shape::new(self))
    }

    /// The same of piecewise cubics.
    pub(crate) fn splines(&self) -> &[SplineShape] {
        self.shared.once(&self.splines, || self.snapshots.cubics.iter().map(SplineShape::new).collect()).as_slice()
    }
}

fn all_finite(row: &[f64]) -> bool {
    // A sum of x·0 is NaN as soon as one x is not finite, and has no branch.
    let mut parts = [0.0; 8];
    let eights = row.chunks_exact(8);
    let rest = eights.remainder();
    for eight in eights {
        for (part, x) in parts.iter_mut().zip(eight) {
            *part += x * 0.0;
        }
    }
    for (part, x) in parts.iter_mut().zip(rest) {
        *part += x * 0.0;
    }
    parts.iter().all(|part| !part.is_nan())
}
