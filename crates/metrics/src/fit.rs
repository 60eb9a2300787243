//! How well a function fits the samples.

use crate::lanes::{STRIP, Strips, of_row, total};
use crate::matrix::residual_max;
use crate::{MatrixProbe, MetricDef, Needs, Probe};
use taut_numerics::{Kernel, run_wide};

/// L, the quantity that training lowers.
pub(crate) static LOSS: MetricDef = MetricDef {
    name: "loss",
    unit: "y²",
    doc: "L = Σᵢ (yᵢ − f(xᵢ))² / (2n), the quantity that training lowers; for a matrix (1/2n) Σ |y − Wx|² (zero at \
          its minimum where tr Syy is not known), or half the sum over observed entries or measurements; at least 0",
    cite: "",
    needs: Needs::NOTHING,
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: |probe, out| per_row(probe, out, |fit, n, row| fit.squares[row] / (2.0 * n)),
    of_matrix: Some(|probe, out| out.copy_from_slice(&probe.fit().loss)),
};

/// Mean squared residual.
pub(crate) static TRAIN_MSE: MetricDef = MetricDef {
    name: "train_mse",
    unit: "y²",
    doc: "mean squared residual Σᵢ (yᵢ − f(xᵢ))² / n, twice the loss; for a matrix the mean over samples and outputs, \
          observed entries or measurements; at least 0",
    cite: "",
    needs: Needs { constant: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: |probe, out| per_row(probe, out, |fit, n, row| fit.squares[row] / n),
    of_matrix: Some(|probe, out| of_loss(probe, out, |mse| mse)),
};

/// Root mean square residual.
pub(crate) static RESIDUAL_RMS: MetricDef = MetricDef {
    name: "residual_rms",
    unit: "y",
    doc: "root mean square residual √(Σᵢ (yᵢ − f(xᵢ))² / n); at least 0",
    cite: "",
    needs: Needs { constant: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |probe, out| per_row(probe, out, |fit, n, row| (fit.squares[row] / n).sqrt()),
    of_matrix: Some(|probe, out| of_loss(probe, out, f64::sqrt)),
};

/// Largest residual.
pub(crate) static RESIDUAL_MAX: MetricDef = MetricDef {
    name: "residual_max",
    unit: "y",
    doc: "largest residual maxᵢ |yᵢ − f(xᵢ)|, over samples and outputs, observed entries or measurements; at least 0",
    cite: "",
    needs: Needs { residuals: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |probe, out| per_row(probe, out, |fit, _, row| fit.largest[row]),
    of_matrix: Some(residual_max),
};

/// A function of the mean squared residual, which for matrices is a multiple of the loss.
fn of_loss(probe: &MatrixProbe<'_>, out: &mut [f64], of: fn(f64) -> f64) {
    let fit = probe.fit();
    out.iter_mut().zip(&fit.loss).for_each(|(out, loss)| *out = of(2.0 * loss * fit.mean_factor));
}

fn per_row(probe: &Probe<'_>, out: &mut [f64], value: impl Fn(&Fit, f64, usize) -> f64) {
    let (fit, n) = (probe.fit(), probe.setting().problem().samples() as f64);
    for (row, out) in out.iter_mut().enumerate() {
        *out = value(fit, n, row);
    }
}

/// Values at the samples, with the sum of squares and the largest of the residuals.
pub(crate) struct Fit {
    rows: usize,
    /// Laid out by [`Strips`].
    pub(crate) values: Vec<f64>,
    squares: Vec<f64>,
    largest: Vec<f64>,
}

impl Fit {
    /// The design is used directly: residuals may be 1e-7 of the values, and the way over canonical
    /// coefficients would cost digits.
    pub(crate) fn new(probe: &Probe<'_>) -> Self {
        let (rows, table) = (probe.rows(), probe.setting().samples());
        let mut values = Vec::new();
        if probe.is_spline() {
            values = spline_values(probe, &table.design);
        } else {
            table.design.product_into(&probe.snapshots().coefficients, rows, &mut values);
        }
        let mut fit = Self { rows, values, squares: vec![0.0; rows], largest: vec![0.0; rows] };
        run_wide(Residuals { fit: &mut fit, y: &table.y });
        fit
    }

    /// f(xᵢ) in row `row`.
    pub(crate) fn value(&self, row: usize, sample: usize) -> f64 {
        self.values[((sample / STRIP) * self.rows + row) * STRIP + sample % STRIP]
    }
}

/// Squares and largest residuals from the values.
struct Residuals<'a> {
    fit: &'a mut Fit,
    y: &'a [f64],
}

impl Kernel for Residuals<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { fit, y } = self;
        for row in 0..fit.rows {
            let (mut squares, mut largest) = ([0.0_f64; 8], [0.0_f64; 8]);
            for (eighth, y) in y.chunks_exact(8).enumerate() {
                let f = of_row(&fit.values, fit.rows, row, eighth);
                for lane in 0..8 {
                    let residual = (y[lane] - f[lane]).abs();
                    squares[lane] = f64::mul_add(residual, residual, squares[lane]);
                    largest[lane] = if residual > largest[lane] { residual } else { largest[lane] };
                }
            }
            fit.squares[row] = total(squares);
            fit.largest[row] = largest.into_iter().fold(0.0, f64::max);
        }
    }
}

fn spline_values(probe: &Probe<'_>, design: &Strips) -> Vec<f64> {
    let (rows, x) = (probe.rows(), &probe.setting().problem().x);
    let mut values = vec![0.0; design.strips() * rows * STRIP];
    for (row, cubic) in probe.snapshots().cubics.iter().enumerate() {
        for (i, &x) in x.iter().enumerate() {
            values[((i / STRIP) * rows + row) * STRIP + i % STRIP] = cubic.value(x, 0);
        }
    }
    values
}
