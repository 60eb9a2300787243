//! Quadratic penalties beside the ridge: the bending energy and dropout in the mean over its masks.

use taut_numerics::DMatrix;
use taut_problem::{Dynamics, FeatureMap, Regression};

/// W with ∫f″² = |Wθ|² for f = Σ θⱼφⱼ, at most m × p; `None` for features that are no curves on the line.
pub(crate) fn bending_root(features: &dyn FeatureMap) -> Option<DMatrix<f64>> {
    let expansion = features.expansion()?;
    let root = expansion.series.bending_root() * expansion.matrix().transpose();
    let bent: Vec<usize> = (0..root.nrows()).filter(|&row| root.row(row).iter().any(|w| w.abs() > 0.0)).collect();
    Some(root.select_rows(&bent))
}

/// dⱼ = ((1−q)/q)·(ΦᵀΦ)ⱼⱼ/n: in the mean over masks dropout adds ½Σ dⱼθⱼ² to L, for masks over
/// features and over weights alike. Empty unless dropout is to be marginal.
///
/// Wager, Wang and Liang 2013.
pub(crate) fn marginal_dropout(problem: &Regression, dynamics: &Dynamics) -> Vec<f64> {
    let Some(dropout) = dynamics.dropout.filter(|dropout| dropout.marginal) else { return Vec::new() };
    let keep = dropout.keep.get();
    let scale = (1.0 - keep) / keep / problem.samples() as f64;
    problem.design.column_iter().map(|column| scale * column.norm_squared()).collect()
}

/// Rows √n·W that, put below Φ with zeros below y, add the penalty ½|Wθ|² to L; `None` if there is none.
///
/// # Panics
/// If the bending energy is asked of features that are no curves on the line.
pub(crate) fn penalty_rows(problem: &Regression, dynamics: &Dynamics) -> Option<DMatrix<f64>> {
    let (p, root_n) = (problem.feature_count(), (problem.samples() as f64).sqrt());
    let mut blocks: Vec<DMatrix<f64>> = Vec::new();
    let bending = dynamics.penalty.bending.get();
    if bending > 0.0 {
        blocks.push(bending_root(&*problem.features).expect(NO_CURVES) * (root_n * bending.sqrt()));
    }
    let dropout = marginal_dropout(problem, dynamics);
    if dropout.iter().any(|d| *d > 0.0) {
        blocks.push(DMatrix::from_fn(p, p, |i, j| if i == j { root_n * dropout[i].sqrt() } else { 0.0 }));
    }
    let rows: usize = blocks.iter().map(DMatrix::nrows).sum();
    let mut all = DMatrix::zeros(rows, p);
    let mut at = 0;
    for block in &blocks {
        all.rows_mut(at, block.nrows()).copy_from(block);
        at += block.nrows();
    }
    (rows > 0).then_some(all)
}

/// Why a bending penalty cannot be had.
pub(crate) const NO_CURVES: &str = "the bending penalty needs features that are curves on the line";
