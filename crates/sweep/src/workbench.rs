//! What cells share: feature maps with their instruments, and decomposed designs.

use crate::study::{CellSpec, Model};
use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use taut_metrics::Instruments;
use taut_numerics::{DMatrix, Mat, ThinSvd, product_into};
use taut_problem::{Dynamics, FeatureMap, MatrixProblem, Motion, Observed, Regression, Snapshots, TargetModes, Task};
use taut_train::largest_curvature;

/// One model's feature map and the tables that depend on it alone; shared by all its cells.
pub(crate) struct Shelf {
    /// The map of one input; none where it depends on the data or the replicate.
    pub(crate) features: Option<Arc<dyn FeatureMap>>,
    pub(crate) instruments: Instruments,
    /// φ on the study's curve grid, row-major, features × points; empty if no curves are wanted.
    pub(crate) curve_table: Vec<f64>,
    /// Instruments of solutions that have features of their own, by name of the solution.
    own: Mutex<BTreeMap<&'static str, Arc<Instruments>>>,
}

impl Shelf {
    fn new(model: &Model, curve_grid: Option<&[f64]>) -> Self {
        let features = model.features.on_curve();
        let instruments = features.as_ref().map_or_else(Instruments::none, |map| Instruments::new(&**map));
        let curve_table = match (&features, curve_grid) {
            (Some(features), Some(grid)) => transposed_design(&**features, grid),
            _ => Vec::new(),
        };
        Self { features, instruments, curve_table, own: Mutex::new(BTreeMap::new()) }
    }

    /// f on the curve grid for every row, row-major; nothing where there is no line.
    pub(crate) fn curve_values(&self, problem: &Regression, functions: &Snapshots, grid: &[f64]) -> Vec<f64> {
        if problem.x.is_empty() {
            return Vec::new();
        }
        // Maps that belong to a replicate have no table on the shelf.
        let drawn = self.features.is_none().then(|| transposed_design(&*problem.features, grid));
        let table = drawn.as_ref().unwrap_or(&self.curve_table);
        let mut out = vec![0.0; functions.len() * grid.len()];
        product_into(&functions.coefficients, table, &mut out, functions.features, grid.len());
        out
    }

    /// The instruments for a solution's own features; a solution has one feature map per model.
    pub(crate) fn instruments_of(&self, solution: &'static str, features: &dyn FeatureMap) -> Arc<Instruments> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(own.entry(solution).or_insert_with(|| Arc::new(Instruments::new(features))))
    }
}

/// φₖ at the grid points, row-major, features × points.
pub(crate) fn transposed_design(features: &dyn FeatureMap, grid: &[f64]) -> Vec<f64> {
    let mut phi = DMatrix::zeros(grid.len(), features.features());
    features.design_into(Mat::from_slice(grid, grid.len(), 1), 0, phi.as_view_mut());
    phi.as_slice().to_vec()
}

/// The shelves of a sweep, built when first asked for.
///
/// A sweep over thousands of models must not keep them all. Bundles are ordered by model, so each
/// thread stays with one for a while: the two per thread that were used last are kept.
#[derive(Default)]
pub(crate) struct Shelves {
    recent: Mutex<VecDeque<(usize, Slot)>>,
}

/// A shelf that the first thread to ask for it builds, outside the lock on the list.
type Slot = Arc<OnceLock<Arc<Shelf>>>;

impl Shelves {
    /// The shelf of the model with this number.
    pub(crate) fn get(&self, index: usize, model: &Model, curve_grid: Option<&[f64]>) -> Arc<Shelf> {
        let slot = {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            let known = recent.iter().position(|(of, _)| *of == index).and_then(|at| recent.remove(at));
            let (_, slot) = known.unwrap_or_else(|| (index, Arc::default()));
            recent.push_back((index, Arc::clone(&slot)));
            if recent.len() > 2 * rayon::current_num_threads() {
                recent.pop_front();
            }
            slot
        };
        Arc::clone(slot.get_or_init(|| Arc::new(Shelf::new(model, curve_grid))))
    }
}

/// What a cell fits, with what its cells share of it.
pub(crate) enum Bench {
    /// Rows of a regression.
    Rows(Box<Prepared>),
    /// A matrix.
    Matrix(Box<PreparedMatrix>),
}

/// The benches of a bundle, whose cells seldom differ in what they fit: decompositions are found once for those that share one.
#[derive(Default)]
pub(crate) struct Benches {
    known: BTreeMap<ProblemKey, Rc<Bench>>,
}

impl Benches {
    /// The bench of a cell.
    pub(crate) fn get(&mut self, cell: &CellSpec<'_>, shelf: &Shelf, seed: u64) -> Result<Rc<Bench>, String> {
        let key = ProblemKey::of(cell);
        if let Some(bench) = self.known.get(&key) {
            return Ok(Rc::clone(bench));
        }
        let bench = Rc::new(Bench::new(cell, shelf.features.as_ref(), seed)?);
        self.known.insert(key, Rc::clone(&bench));
        Ok(bench)
    }
}

impl Bench {
    /// Draws the data of a cell.
    pub(crate) fn new(cell: &CellSpec<'_>, features: Option<&Arc<dyn FeatureMap>>, seed: u64) -> Result<Self, String> {
        if cell.data.is_matrix() {
            let problem = cell.data.draw_matrix(seed, cell.replicate, cell.files.map(|files| &**files))?;
            return Ok(Self::Matrix(Box::new(PreparedMatrix::new(problem))));
        }
        Prepared::new(cell, features, seed).map(|prepared| Self::Rows(Box::new(prepared)))
    }

    pub(crate) fn task(&self) -> Task<'_> {
        match self {
            Self::Rows(prepared) => Task::Rows(&prepared.problem),
            Self::Matrix(prepared) => Task::Matrix(&prepared.problem),
        }
    }

    /// The regression with its spectrum, if it is one.
    pub(crate) fn rows(&self) -> Option<&Prepared> {
        match self {
            Self::Rows(prepared) => Some(prepared),
            Self::Matrix(_) => None,
        }
    }

    /// The matrix with what is known of it, if it is one.
    pub(crate) fn matrix(&self) -> Option<&PreparedMatrix> {
        match self {
            Self::Rows(_) => None,
            Self::Matrix(prepared) => Some(prepared),
        }
    }

    /// What a relative step size of this cell is divided by.
    pub(crate) fn reference_curvature(&self, cell: &CellSpec<'_>) -> f64 {
        let kind = &cell.model.parametrization;
        match self {
            Self::Rows(prepared) if cell.is_linear() => prepared.lambda_max,
            // The design is decomposed already.
            Self::Rows(prepared) => {
                let depth = kind.depth(prepared.problem.feature_count(), 1);
                prepared.problem.reference_curvature(depth, prepared.lambda_max)
            }
            Self::Matrix(prepared) => *prepared.lambda_ref.get_or_init(|| self.task().reference_curvature(kind)),
        }
    }
}

/// A problem with the spectrum of its design: immutable, shared by the cells that differ in motion only.
pub(crate) struct Prepared {
    pub(crate) problem: Regression,
    pub(crate) svd: ThinSvd,
    pub(crate) lambda_max: f64,
}

/// A matrix problem with what its cells ask of it, each found when first asked for; shared by cells of one model.
pub(crate) struct PreparedMatrix {
    pub(crate) problem: MatrixProblem,
    /// λ_ref of the model.
    lambda_ref: OnceCell<f64>,
    lambda_max: OnceCell<f64>,
    target_modes: OnceCell<Option<TargetModes>>,
    mode_goals: OnceCell<Vec<f64>>,
}

impl PreparedMatrix {
    fn new(problem: MatrixProblem) -> Self {
        Self {
            problem,
            lambda_ref: OnceCell::new(),
            lambda_max: OnceCell::new(),
            target_modes: OnceCell::new(),
            mode_goals: OnceCell::new(),
        }
    }

    pub(crate) fn lambda_max(&self) -> f64 {
        *self.lambda_max.get_or_init(|| self.problem.largest_curvature())
    }

    /// The modes of what is to be learned; none where they are not known.
    pub(crate) fn target_modes(&self) -> Option<&TargetModes> {
        self.target_modes.get_or_init(|| TargetModes::of(&self.problem)).as_ref()
    }

    /// uᵢᵀWvᵢ of the least-squares solution, or of the teacher where only entries or measurements are seen.
    pub(crate) fn mode_goals(&self) -> &[f64] {
        self.mode_goals.get_or_init(|| {
            let Some(modes) = self.target_modes() else { return Vec::new() };
            let end = match &self.problem.observed {
                Observed::Moments(moments) => Some(moments.best().0),
                Observed::Entries(_) | Observed::Measurements(_) => self.problem.teacher.clone(),
            };
            end.map_or_else(Vec::new, |end| modes.strengths(end.as_slice()))
        })
    }
}

/// Which cells share a problem: the entries of data and model, and the replicate if anything is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProblemKey {
    pub(crate) model: usize,
    pub(crate) data: usize,
    pub(crate) replicate: u64,
}

impl ProblemKey {
    pub(crate) fn of(cell: &CellSpec<'_>) -> Self {
        let is_random = cell.data.is_random() || cell.model.features.is_random();
        let replicate = if is_random { cell.replicate } else { 0 };
        Self { data: cell.data_index, model: cell.model_index, replicate }
    }
}

impl Prepared {
    /// Draws the data and decomposes the design.
    pub(crate) fn new(cell: &CellSpec<'_>, features: Option<&Arc<dyn FeatureMap>>, seed: u64) -> Result<Self, String> {
        let drawn = cell.data.draw(seed, cell.replicate, cell.files.map(|files| &**files))?;
        let built = || cell.model.features.build(drawn.inputs.ncols(), seed, cell.replicate);
        let features = features.map_or_else(built, Arc::clone);
        let problem = drawn.regression(features);
        let svd = ThinSvd::new(problem.design.as_view());
        let lambda_max = svd.s.first().map_or(0.0, |s| s * s / problem.samples() as f64);
        Ok(Self { problem, svd, lambda_max })
    }

    /// Says so if this motion would diverge here; penalties add to the curvature.
    pub(crate) fn instability(&self, dynamics: &Dynamics, stability: Option<f64>) -> Option<String> {
        if dynamics.motion == Motion::Flow {
            return None;
        }
        let (limit, eta) = (stability?, dynamics.step_size);
        // A penalty on roughness that the features do not have is another mistake, reported elsewhere.
        let is_rough = dynamics.penalty.bending.get() > 0.0;
        let curvature = match is_rough && self.problem.features.expansion().is_none() {
            true => self.lambda_max,
            false => largest_curvature(&self.problem, &self.svd, dynamics),
        };
        // Rounding of 2/λ_max itself is no instability.
        let is_beyond = eta * curvature > limit + 1e-12;
        let most = limit / curvature;
        is_beyond.then(|| match curvature > self.lambda_max {
            true => format!("step size {eta} is beyond {limit}/λ = {most}, λ the largest curvature with its penalties"),
            false if eta > 1e9 => format!("step size {eta:e} is beyond {limit}/λ_max = {most:e}"),
            false => format!("step size {eta} is beyond {limit}/λ_max = {most}"),
        })
    }
}
