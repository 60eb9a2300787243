//! Total variation, turning points, inflections, arc length and overshoot.

use crate::arc::{ArcRule, Pending};
use crate::crossings::{Bracket, Trace, rates_by_interpolation, rates_from_next};
use crate::family::Family;
use crate::grid::{Grid, ROWS, Sheet};
use crate::instruments::CurveInstruments;
use crate::lanes::Lanes;
use crate::turning::{Interval, Row, TurningPoint, count_changes, turning_points_into};
use crate::{MetricDef, Needs, Probe};
use taut_numerics::{Kernel, run_wide};

const SHAPE: MetricDef = MetricDef {
    name: "",
    unit: "",
    doc: "",
    cite: "",
    needs: Needs::CURVE,
    integer: false,
    wiggliness: true,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: None,
};

/// ∫|f′|.
pub(crate) static TOTAL_VARIATION: MetricDef = MetricDef {
    name: "total_variation",
    unit: "y",
    doc: "∫|f′| over [-1, 1]: how far f goes up and down in all, summed between its turning points; at least 0",
    eval_into: total_variation,
    ..SHAPE
};

/// Number of turning points.
pub(crate) static TURNING_POINTS: MetricDef = MetricDef {
    name: "turning_points",
    unit: "1",
    doc: "number of sign changes of f′ inside (-1, 1), those within rounding noise left out; a whole number",
    integer: true,
    eval_into: |probe, out| {
        of_rows(probe, out, |shape, row| shape.turning_of(row).len() as f64, |spline| spline.turning.len() as f64)
    },
    ..SHAPE
};

/// Number of inflections.
pub(crate) static INFLECTIONS: MetricDef = MetricDef {
    name: "inflections",
    unit: "1",
    doc: "number of sign changes of f″ inside (-1, 1), those within rounding noise left out; a whole number",
    integer: true,
    eval_into: |probe, out| {
        of_rows(probe, out, |shape, row| shape.inflections[row], |spline| spline.inflections as f64)
    },
    ..SHAPE
};

/// ∫√(1 + f′²).
pub(crate) static ARC_LENGTH: MetricDef = MetricDef {
    name: "arc_length",
    unit: "x",
    doc: "length of the graph, ∫√(1 + f′²) over [-1, 1]; at least 2",
    eval_into: arc_length,
    ..SHAPE
};

/// Largest excursion beyond the neighbouring samples.
pub(crate) static OVERSHOOT: MetricDef = MetricDef {
    name: "overshoot",
    unit: "y",
    doc: "largest excess of f over max(yᵢ, yᵢ₊₁), or below min(yᵢ, yᵢ₊₁), on [xᵢ, xᵢ₊₁] over neighbouring samples; \
          at least 0, and 0 for a single sample",
    eval_into: overshoot,
    ..SHAPE
};

fn of_rows(
    probe: &Probe<'_>,
    out: &mut [f64],
    series: impl Fn(&Shape, usize) -> f64,
    spline: impl Fn(&crate::spline::SplineShape) -> f64,
) {
    if probe.is_spline() {
        for (out, shape) in out.iter_mut().zip(probe.splines()) {
            *out = spline(shape);
        }
    } else {
        let shape = probe.shape();
        for (row, out) in out.iter_mut().enumerate() {
            *out = series(shape, row);
        }
    }
}

fn total_variation(probe: &Probe<'_>, out: &mut [f64]) {
    let variation = |ends: [f64; 2], turning: &[TurningPoint]| {
        let (mut sum, mut last) = (0.0, ends[0]);
        for value in turning.iter().map(|t| t.value).chain([ends[1]]) {
            sum += (value - last).abs();
            last = value;
        }
        sum
    };
    of_rows(
        probe,
        out,
        |shape, row| variation(shape.ends[row], shape.turning_of(row)),
        |spline| variation(spline.ends, &spline.turning),
    );
}

fn arc_length(probe: &Probe<'_>, out: &mut [f64]) {
    if probe.is_spline() {
        for (out, cubic) in out.iter_mut().zip(&probe.snapshots().cubics) {
            *out = crate::spline::arc_length(cubic);
        }
    } else if probe.setting().wants_arc() {
        out.copy_from_slice(&probe.shape().lengths);
    } else {
        out.copy_from_slice(&Shape::with_lengths(probe).lengths);
    }
}

fn overshoot(probe: &Probe<'_>, out: &mut [f64]) {
    let (problem, fit) = (probe.setting().problem(), probe.fit());
    let order = &probe.setting().samples().order;
    let excess = |row: usize, turning: &[TurningPoint]| {
        let (mut most, mut next) = (0.0_f64, 0);
        for pair in order.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let (low, high) = (problem.y[a].min(problem.y[b]), problem.y[a].max(problem.y[b]));
            let mut see = |f: f64| most = most.max(f - high).max(low - f);
            see(fit.value(row, a));
            see(fit.value(row, b));
            while turning.get(next).is_some_and(|t| t.x < problem.x[b]) {
                if turning[next].x > problem.x[a] {
                    see(turning[next].value);
                }
                next += 1;
            }
        }
        most
    };
    for (row, out) in out.iter_mut().enumerate() {
        *out = if probe.is_spline() {
            excess(row, &probe.splines()[row].turning)
        } else {
            excess(row, probe.shape().turning_of(row))
        };
    }
}

/// What one sweep over the grid finds out about each row.
#[derive(Default)]
pub(crate) struct Shape {
    /// Turning points of all rows by ascending x, with the end of each row's share.
    turning: Vec<TurningPoint>,
    share: Vec<usize>,
    /// f(−1) and f(1).
    ends: Vec<[f64; 2]>,
    inflections: Vec<f64>,
    /// Arc lengths, if they were asked for.
    lengths: Vec<f64>,
}

impl Shape {
    pub(crate) fn new(probe: &Probe<'_>) -> Self {
        Self::swept(probe, probe.setting().wants_arc())
    }

    fn with_lengths(probe: &Probe<'_>) -> Self {
        Self::swept(probe, true)
    }

    fn turning_of(&self, row: usize) -> &[TurningPoint] {
        let from = if row == 0 { 0 } else { self.share[row - 1] };
        &self.turning[from..self.share[row]]
    }

    fn swept(probe: &Probe<'_>, wants_arc: bool) -> Self {
        let mut shape = Self::default();
        let mut sweep = Sweep::new(probe.curve());
        let stride = probe.curve().stride;
        let mut sheet = Sheet::default();
        for (block, finite) in probe.canonical().chunks(ROWS * stride).zip(probe.finite().chunks(ROWS)) {
            sheet.fill(&probe.curve().grid, block, stride);
            run_wide(Rows { sweep: &mut sweep, sheet: &sheet, block, finite, wants_arc, shape: &mut shape });
            let from = shape.lengths.len().saturating_sub(finite.len());
            sweep.arc.finish(sweep.grid, &mut sweep.pending, &mut shape.lengths[from..]);
        }
        shape
    }
}

/// The rows of one sheet, one after the other.
struct Rows<'a, 'b> {
    sweep: &'a mut Sweep<'b>,
    sheet: &'a Sheet,
    block: &'a [f64],
    finite: &'a [bool],
    wants_arc: bool,
    shape: &'a mut Shape,
}

impl Kernel for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.block.len() / self.finite.len();
        for (row, (c, finite)) in self.block.chunks_exact(stride).zip(self.finite).enumerate() {
            self.sweep.row(self.sheet, row, c, *finite, self.wants_arc, self.shape);
        }
    }
}

/// Scratch for one row after the other.
struct Sweep<'a> {
    family: &'a Family,
    grid: &'a Grid,
    arc: &'a ArcRule,
    slopes: Vec<Lanes>,
    bends: Vec<Lanes>,
    rates: Vec<Lanes>,
    brackets: Vec<Bracket>,
    intervals: Vec<Interval>,
    points: Vec<TurningPoint>,
    pending: Pending,
}

/// Coefficients beyond this would overflow in squares of derivatives; such rows count as diverged.
const LARGEST: f64 = 1e140;

impl<'a> Sweep<'a> {
    fn new(curve: &'a CurveInstruments) -> Self {
        let vectors = curve.grid.vectors();
        Self {
            family: &curve.family,
            grid: &curve.grid,
            arc: &curve.arc,
            slopes: vec![[0.0; 8]; vectors],
            bends: vec![[0.0; 8]; vectors],
            rates: vec![[0.0; 8]; vectors],
            brackets: Vec::new(),
            intervals: Vec::new(),
            points: Vec::new(),
            pending: Pending::default(),
        }
    }

    #[inline(always)]
    fn row(&mut self, sheet: &Sheet, row: usize, c: &[f64], finite: bool, wants_arc: bool, shape: &mut Shape) {
        let scale = c.iter().fold(0.0_f64, |scale, c| if c.abs() > scale { c.abs() } else { scale });
        if !finite || scale > LARGEST {
            shape.ends.push([f64::NAN; 2]);
            shape.inflections.push(f64::NAN);
            shape.lengths.push(f64::NAN);
            shape.share.push(shape.turning.len());
            return;
        }
        let c = &c[..self.family.len()];
        sheet.halves_into(row, &mut self.slopes, &mut self.bends);
        shape.ends.push(sheet.ends(row));
        shape.inflections.push(self.inflections(c, scale));
        rates_from_next(self.grid, &self.bends, &mut self.rates);
        if wants_arc {
            let length = self.arc.survey(self.grid, row, &self.slopes, &self.rates, &mut self.pending);
            shape.lengths.push(length);
        }
        self.turning_points(c, scale);
        shape.turning.extend_from_slice(&self.points);
        shape.share.push(shape.turning.len());
    }

    #[inline(always)]
    fn inflections(&mut self, c: &[f64], scale: f64) -> f64 {
        rates_by_interpolation(self.grid, &self.bends, &mut self.rates);
        let trace =
            Trace { values: &self.bends, rates: &self.rates, noise: &self.grid.noise[1], scale, is_slope: false };
        trace.brackets_into(self.grid, &mut self.brackets);
        count_changes(self.family, self.grid, c, scale, &self.brackets) as f64
    }

    #[inline(always)]
    fn turning_points(&mut self, c: &[f64], scale: f64) {
        let trace =
            Trace { values: &self.slopes, rates: &self.rates, noise: &self.grid.noise[0], scale, is_slope: true };
        trace.brackets_into(self.grid, &mut self.brackets);
        let values = [&self.slopes[..], &self.bends[..]];
        let row = Row { family: self.family, grid: self.grid, c, scale, values };
        turning_points_into(&row, &self.brackets, &mut self.intervals, &mut self.points);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use taut_problem::{Basis, Cosine, Features, Fourier, Polynomial};

    /// Features with 51 members of a family: a basis, or `fourier`, or `cosine`.
    pub(crate) fn features(name: &str) -> Features {
        let polynomial = |basis| {
            Features::Polynomial(Polynomial {
                basis,
                degree: 50.0.try_into().unwrap(),
                decay: 0.0.try_into().unwrap(),
                constant: true,
            })
        };
        let decay = 0.0.try_into().unwrap();
        match name {
            "fourier" => Features::Fourier(Fourier { harmonics: 25.0.try_into().unwrap(), decay, constant: true }),
            "cosine" => Features::Cosine(Cosine { harmonics: 50.0.try_into().unwrap(), decay, constant: true }),
            "legendre" => polynomial(Basis::LegendreOrthonormal),
            "monomial" => polynomial(Basis::Monomial),
            other => panic!("no features of that name: {other}"),
        }
    }
}
