//! Total variation, turning points, inflections, arc length and overshoot.

use crate::arc::{ArcRule, Pending};
use crate::crossings::{Bracket, Flags, Trace, rates_by_interpolation, rates_from_next};
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
        let (stride, grid) = (probe.curve().stride, &probe.curve().grid);
        let combined = probe.combined().map(|combined| (combined, combined.on_grid(grid)));
        let (mut sheet, mut least) = (Sheet::default(), [0.0; ROWS]);
        for (index, (block, finite)) in
            probe.canonical().chunks(ROWS * stride).zip(probe.finite().chunks(ROWS)).enumerate()
        {
            match &combined {
                Some((combined, on_grid)) => {
                    let (first, rank) = (index * ROWS, combined.rank());
                    let weights = &combined.weights()[first * rank..(first + finite.len()) * rank];
                    sheet.combine(on_grid, weights, rank);
                    least =
                        std::array::from_fn(|row| if row < finite.len() { combined.scale(first + row) } else { 0.0 });
                }
                None => sheet.fill(grid, block, stride),
            }
            run_wide(Rows { sweep: &mut sweep, sheet: &sheet, block, finite, wants_arc, least, shape: &mut shape });
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
    /// Rounding errors are those of coefficients of this size, if not of larger ones.
    least: [f64; ROWS],
    shape: &'a mut Shape,
}

impl Kernel for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.block.len() / self.finite.len();
        for (row, (c, finite)) in self.block.chunks_exact(stride).zip(self.finite).enumerate() {
            let scale = c.iter().fold(self.least[row], |scale, c| if c.abs() > scale { c.abs() } else { scale });
            self.sweep.row(self.sheet, (row, scale), c, *finite, self.wants_arc, self.shape);
        }
    }
}

/// Scratch for one row after the other.
struct Sweep<'a> {
    family: &'a Family,
    grid: &'a Grid,
    arc: &'a ArcRule,
    /// Slopes and bends, where the sheet does not have them as they are.
    scratch: [Vec<Lanes>; 2],
    rates: Vec<Lanes>,
    flags: Flags,
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
            scratch: [(); 2].map(|()| vec![[0.0; 8]; vectors]),
            rates: vec![[0.0; 8]; vectors],
            flags: Flags::default(),
            brackets: Vec::new(),
            intervals: Vec::new(),
            points: Vec::new(),
            pending: Pending::default(),
        }
    }

    #[inline(always)]
    fn row(
        &mut self,
        sheet: &Sheet,
        (row, scale): (usize, f64),
        c: &[f64],
        finite: bool,
        wants_arc: bool,
        shape: &mut Shape,
    ) {
        if !finite || scale > LARGEST {
            shape.ends.push([f64::NAN; 2]);
            shape.inflections.push(f64::NAN);
            shape.lengths.push(f64::NAN);
            shape.share.push(shape.turning.len());
            return;
        }
        let Self { family, grid, arc, scratch, rates, flags, brackets, intervals, points, pending } = self;
        let c = &c[..family.len()];
        let [slopes, bends] = sheet.halves(row, scratch);
        shape.ends.push(sheet.ends(row));

        rates_by_interpolation(grid, bends, rates);
        let trace = Trace { values: bends, rates, noise: &grid.noise[1], scale, is_slope: false };
        trace.brackets_into(grid, flags, brackets);
        shape.inflections.push(count_changes(family, grid, c, scale, brackets) as f64);

        rates_from_next(grid, bends, rates);
        if wants_arc {
            shape.lengths.push(arc.survey(grid, row, slopes, rates, pending));
        }

        let trace = Trace { values: slopes, rates, noise: &grid.noise[0], scale, is_slope: true };
        trace.brackets_into(grid, flags, brackets);
        let row = Row { family, grid, c, scale, values: [slopes, bends] };
        turning_points_into(&row, brackets, intervals, points);
        shape.turning.extend_from_slice(points);
        shape.share.push(shape.turning.len());
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
