//! Rows that are combinations of a few series: these are tabulated, and the rows follow by products with few terms.

use crate::grid::{Grid, ROWS, Sheet};
use crate::instruments::CurveInstruments;
use crate::lanes::Strips;
use taut_numerics::product_into;
use taut_problem::Span;

/// The series in canonical coefficients, with the rows' weights.
pub(crate) struct Combined<'a> {
    span: &'a Span,
    /// Row-major, rank × stride.
    basis: Vec<f64>,
    /// The largest coefficient of each series.
    largest: Vec<f64>,
}

impl<'a> Combined<'a> {
    pub(crate) fn new(curve: &CurveInstruments, span: &'a Span) -> Self {
        let basis = curve.canonical(&span.basis, span.rank);
        let largest = basis.chunks_exact(curve.stride).map(|row| row.iter().fold(0.0_f64, |most, c| most.max(c.abs())));
        Self { span, largest: largest.collect(), basis }
    }

    fn rows(&self) -> usize {
        self.span.weights.len() / self.span.rank
    }

    /// Length of a row of canonical coefficients.
    fn stride(&self) -> usize {
        self.basis.len() / self.span.rank
    }

    /// Canonical coefficients of all rows, rows × stride.
    pub(crate) fn canonical(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.rows() * self.stride()];
        product_into(&self.span.weights, &self.basis, &mut out, self.span.rank, self.stride());
        out
    }

    /// The weights of all rows, rows × rank.
    pub(crate) fn weights(&self) -> &'a [f64] {
        &self.span.weights
    }

    pub(crate) fn rank(&self) -> usize {
        self.span.rank
    }

    /// What rounding errors of a row are proportional to: the largest coefficient that its parts may have together.
    pub(crate) fn scale(&self, row: usize) -> f64 {
        let weights = &self.span.weights[row * self.span.rank..][..self.span.rank];
        weights.iter().zip(&self.largest).map(|(weight, largest)| weight.abs() * largest).sum()
    }

    /// Values of all rows from a table of the family, columns as [`Strips`] lay them out.
    pub(crate) fn values(&self, curve: &CurveInstruments, table: &Strips) -> Vec<f64> {
        let at = curve.tabulated(&self.basis, table);
        let mut out = Vec::new();
        Strips::of_product(at, self.span.rank).product_into(&self.span.weights, self.rows(), &mut out);
        out
    }

    /// The series on the grid.
    pub(crate) fn on_grid(&self, grid: &Grid) -> OnGrid {
        let stride = self.stride();
        let (mut sheet, mut scratch) = (Sheet::default(), [(); 2].map(|()| vec![[0.0; 8]; grid.vectors()]));
        let (mut derivatives, mut ends): ([Vec<f64>; 2], _) = (Default::default(), Vec::new());
        for block in self.basis.chunks(ROWS * stride) {
            sheet.fill(grid, block, stride);
            for row in 0..block.len() / stride {
                for (all, of_row) in derivatives.iter_mut().zip(sheet.halves(row, &mut scratch)) {
                    all.extend_from_slice(of_row.as_flattened());
                }
                ends.extend(sheet.ends(row));
            }
        }
        OnGrid { derivatives, ends: Strips::new(&ends, self.span.rank, 2) }
    }
}

/// Derivatives of a few series at all nodes of both halves, first and second, one row per series, and values at both ends.
pub(crate) struct OnGrid {
    pub(crate) derivatives: [Vec<f64>; 2],
    pub(crate) ends: Strips,
}
