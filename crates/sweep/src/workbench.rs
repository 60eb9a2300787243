//! What cells share: feature maps with their instruments, and decomposed designs.

use crate::study::{CellSpec, Data, Model};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use taut_metrics::Instruments;
use taut_numerics::ThinSvd;
use taut_problem::{CurveProblem, FeatureMap};

/// One model's feature map and the tables that depend on it alone; shared by all its cells.
pub(crate) struct Shelf {
    pub(crate) features: Arc<dyn FeatureMap>,
    pub(crate) instruments: Instruments,
    /// Instruments of solutions that have features of their own, by name of the solution.
    own: Mutex<BTreeMap<&'static str, Arc<Instruments>>>,
}

impl Shelf {
    pub(crate) fn new(model: &Model) -> Self {
        let features = model.features.build();
        let instruments = Instruments::new(&*features);
        Self { features, instruments, own: Mutex::new(BTreeMap::new()) }
    }

    /// The instruments for a solution's own features; a solution has one feature map per model.
    pub(crate) fn instruments_of(&self, solution: &'static str, features: &dyn FeatureMap) -> Arc<Instruments> {
        let mut own = self.own.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(own.entry(solution).or_insert_with(|| Arc::new(Instruments::new(features))))
    }
}

/// A problem with the spectrum of its design: immutable, shared by the cells that differ in motion only.
pub(crate) struct Prepared {
    pub(crate) problem: CurveProblem,
    pub(crate) svd: ThinSvd,
    pub(crate) lambda_max: f64,
}

/// Which cells share a problem: the entries of data and model, and the replicate if anything is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProblemKey {
    pub(crate) data: usize,
    pub(crate) model: usize,
    pub(crate) replicate: u64,
}

impl ProblemKey {
    pub(crate) fn of(cell: &CellSpec<'_>) -> Self {
        let replicate = if cell.data.curve.is_random() { cell.replicate } else { 0 };
        Self { data: cell.data_index, model: cell.model_index, replicate }
    }
}

impl Prepared {
    /// Draws the data and decomposes the design.
    pub(crate) fn new(cell: &CellSpec<'_>, shelf: &Shelf, seed: u64) -> Result<Self, String> {
        Self::of(cell.data, cell.table.map(|t| &**t), shelf, seed, cell.replicate)
    }

    fn of(
        data: &Data,
        points: Option<&taut_problem::TablePoints>,
        shelf: &Shelf,
        seed: u64,
        replicate: u64,
    ) -> Result<Self, String> {
        let (x, y) = data.curve.points(seed, replicate, points)?;
        let problem = CurveProblem::new(x, y, data.curve.target.clone(), Arc::clone(&shelf.features));
        let svd = ThinSvd::new(problem.design.as_view());
        let lambda_max = svd.s.first().map_or(0.0, |s| s * s / problem.samples() as f64);
        Ok(Self { problem, svd, lambda_max })
    }
}
