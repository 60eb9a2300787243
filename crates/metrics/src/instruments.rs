//! Tables that depend on the feature map alone, built once and shared by all cells.

use crate::arc::ArcRule;
use crate::family::Family;
use crate::grid::Grid;
use crate::lanes::Strips;
use crate::least_bending::BendingSpan;
use crate::projection::{Projection, ProjectionRule};
use crate::risk::HullRule;
use std::sync::{Arc, Mutex, PoisonError};
use taut_problem::{Expansion, FeatureMap, Target};

/// What a feature map's functions are measured with. Share it in an `Arc`.
#[derive(Clone, Debug)]
pub struct Instruments {
    curve: Option<CurveInstruments>,
}

impl Instruments {
    /// Builds the tables of a feature map; maps of several inputs have none.
    pub fn new(features: &dyn FeatureMap) -> Self {
        Self { curve: features.expansion().map(|expansion| CurveInstruments::new(features, &expansion)) }
    }

    /// No instruments: functions that are no curves on the line.
    pub fn none() -> Self {
        Self { curve: None }
    }

    pub(crate) fn curve(&self) -> Option<&CurveInstruments> {
        self.curve.as_ref()
    }
}

/// The instruments of functions of one input on \[-1, 1\].
#[derive(Clone, Debug)]
pub(crate) struct CurveInstruments {
    /// The orthonormal family.
    pub(crate) family: Family,
    /// Length of a row of canonical coefficients: the family's, filled up with zeros to sixteens.
    pub(crate) stride: usize,
    /// How features become canonical coefficients.
    change: Change,
    /// Where slopes and curvatures are looked at.
    pub(crate) grid: Grid,
    /// How arc lengths are integrated.
    pub(crate) arc: ArcRule,
    /// What the least rough interpolant is made of.
    pub(crate) bending: Option<BendingSpan>,
    /// Rules for the projection of smooth targets, coarse and fine.
    pub(crate) projection: [ProjectionRule; 2],
    /// A rule that integrates products of two members exactly, or nearly so, over any interval, and
    /// a finer one, to see whether the first is enough for a target.
    pub(crate) hull: [HullRule; 2],
    /// The last target with its projection: cells of one model mostly share theirs.
    last_projection: Arc<Mutex<LastProjection>>,
}

/// A target with its projection.
type LastProjection = Option<(Target, Arc<Projection>)>;

/// E, the way from features to the orthonormal family.
#[derive(Clone, Debug)]
enum Change {
    /// Feature j is `factors[j]` times member j + `first`.
    Scale { first: usize, factors: Vec<f64> },
    /// Row-major, features × stride.
    Matrix(Vec<f64>),
}

impl CurveInstruments {
    fn new(features: &dyn FeatureMap, expansion: &Expansion) -> Self {
        let family = Family::new(expansion.series);
        let stride = family.len().next_multiple_of(16);
        let change = Change::new(expansion, stride);
        let grid = Grid::new(&family);
        let arc = ArcRule::new(&grid.lobatto);
        let bending = BendingSpan::new(&family, features, expansion);
        let projection = [0, 1].map(|doubling| ProjectionRule::smooth(&family, doubling));
        let hull = [1, 2].map(|times| HullRule::new(&family, times));
        Self { family, stride, change, grid, arc, bending, projection, hull, last_projection: Arc::default() }
    }

    /// The projection of a target, computed or remembered: the same bits either way.
    pub(crate) fn projection_of(&self, target: &Target) -> Arc<Projection> {
        let mut last = self.last_projection.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, projection)) if known == target => Arc::clone(projection),
            _ => {
                let projection = Arc::new(Projection::new(self, target));
                *last = Some((target.clone(), Arc::clone(&projection)));
                projection
            }
        }
    }

    /// Canonical rows times a table of the family, columns as [`Strips`] lay them out.
    pub(crate) fn tabulated(&self, canonical: &[f64], table: &Strips) -> Vec<f64> {
        let rows = canonical.chunks_exact(self.stride);
        let count = rows.len();
        let packed: Vec<f64> = rows.flat_map(|row| &row[..self.family.len()]).copied().collect();
        let mut out = Vec::new();
        table.product_into(&packed, count, &mut out);
        out
    }

    /// Canonical coefficients c = β·E, rows × stride.
    pub(crate) fn canonical(&self, beta: &[f64], rows: usize) -> Vec<f64> {
        let mut out = vec![0.0; rows * self.stride];
        if rows == 0 {
            return out;
        }
        let features = beta.len() / rows;
        match &self.change {
            Change::Scale { first, factors } => {
                for (row, c) in beta.chunks_exact(features.max(1)).zip(out.chunks_exact_mut(self.stride)) {
                    for ((c, b), factor) in c[*first..].iter_mut().zip(row).zip(factors) {
                        *c = b * factor;
                    }
                }
            }
            Change::Matrix(table) => taut_numerics::product_into(beta, table, &mut out, features, self.stride),
        }
        out
    }
}

impl Change {
    fn new(expansion: &Expansion, stride: usize) -> Self {
        let (p, m) = (expansion.features(), expansion.series.len());
        let first = m.saturating_sub(p);
        let rows = || expansion.coefficients.chunks_exact(m).enumerate();
        let is_scale = rows().all(|(j, row)| row.iter().enumerate().all(|(k, v)| k == j + first || v.abs() <= 0.0));
        if is_scale {
            return Self::Scale { first, factors: rows().map(|(j, row)| row[j + first]).collect() };
        }
        let mut table = vec![0.0; p * stride];
        for (j, row) in rows() {
            table[j * stride..j * stride + m].copy_from_slice(row);
        }
        Self::Matrix(table)
    }
}
