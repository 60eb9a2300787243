//! Predictors that are matrices, or made of parameters that are not their coefficients.

mod alignment;
mod effective_alpha;
mod factors;
mod generalization;
mod gradient;
mod hessian;
mod lanczos;
mod landscape;
mod ledger;
mod predictor;
mod residuals;
mod spectrum;

pub(crate) use alignment::OFF_DIAGONAL_MASS;
pub(crate) use effective_alpha::{LOG_EFFECTIVE_ALPHA_MEAN, LOG_EFFECTIVE_ALPHA_MIN};
pub(crate) use factors::{BALANCEDNESS_GAP, FACTOR_NORM_MAX, FACTOR_NORM_MIN};
pub(crate) use generalization::{
    MSE_UNOBSERVED, TEST_ERROR_FROZEN, TEST_ERROR_LEARNED, TEST_ERROR_NORMALISED, estimation_error, test_error,
};
pub(crate) use gradient::{GRADIENT_NORM, RESIDUAL_OPERATOR_NORM};
pub use hessian::hessian_spectrum;
pub(crate) use hessian::sharpness;
pub(crate) use ledger::{BALANCEDNESS_IDENTITY_ERROR, EFFECTIVE_ALPHA_IDENTITY_ERROR};
pub(crate) use predictor::{DETERMINANT, PREDICTOR_L1_NORM, PREDICTOR_NORM};
pub(crate) use residuals::residual_max;
pub(crate) use spectrum::{EFFECTIVE_RANK, LARGEST_SINGULAR_VALUE, NUCLEAR_NORM, STABLE_RANK};

use crate::effort::Shared;
use crate::{MetricDef, Needs};
use landscape::Landscape;
use std::cell::{OnceCell, RefCell};
use std::time::Duration;
use taut_numerics::{DMatrix, ThinSvd, singular_values_into};
use taut_problem::{
    LEDGER, MatrixProblem, Moments, Objective, Observed, ParametrizationKind, Rows, Shape, Snapshots, TargetModes,
    Task, Tensor, TestOver,
};

/// One cell's task with what the metrics of matrices need to know of it.
///
/// Belongs to one thread, like [`crate::Setting`].
pub struct MatrixSetting<'a> {
    task: Task<'a>,
    kind: &'a ParametrizationKind,
    /// That of a regression.
    problem: OnceCell<MatrixProblem>,
    tensors: Vec<Tensor>,
    objective: OnceCell<RefCell<Box<dyn Objective>>>,
    landscape: OnceCell<RefCell<Landscape>>,
    seen_inputs: OnceCell<Option<DMatrix<f64>>>,
    target_modes: OnceCell<Option<TargetModes>>,
}

impl<'a> MatrixSetting<'a> {
    /// A cell's task, and how its predictor is made.
    pub fn new(task: Task<'a>, kind: &'a ParametrizationKind) -> Self {
        let Shape { inputs, outputs, .. } = task.shape(1);
        Self {
            task,
            kind,
            problem: OnceCell::new(),
            tensors: kind.tensors(inputs, outputs),
            objective: OnceCell::new(),
            landscape: OnceCell::new(),
            seen_inputs: OnceCell::new(),
            target_modes: OnceCell::new(),
        }
    }

    /// The problem; a regression is one with a single output.
    pub fn problem(&self) -> &MatrixProblem {
        match self.task {
            Task::Rows(problem) => self.problem.get_or_init(|| MatrixProblem::of_regression(problem)),
            Task::Matrix(problem) => problem,
        }
    }

    /// The modes of what is to be learned; `None` where they are not known.
    pub fn target_modes(&self) -> Option<&TargetModes> {
        self.target_modes.get_or_init(|| TargetModes::of(self.problem())).as_ref()
    }

    /// An orthonormal basis of the inputs that the samples span, inputs × rank; `None` if they span all.
    pub(crate) fn seen_inputs(&self) -> Option<&DMatrix<f64>> {
        let find = || {
            let Observed::Moments(moments) = &self.problem().observed else { return None };
            let svd = match (&moments.samples, &moments.sxx) {
                (Some(samples), _) => ThinSvd::new(samples.x.as_view()),
                (None, sxx) => ThinSvd::new(sxx.as_ref()?.as_view()),
            };
            Some(svd.u).filter(|basis| basis.ncols() < basis.nrows())
        };
        self.seen_inputs.get_or_init(find).as_ref()
    }

    fn landscape(&self) -> &RefCell<Landscape> {
        self.landscape.get_or_init(|| RefCell::new(Landscape::new(self.task, self.kind)))
    }

    pub(crate) fn kind(&self) -> &'a ParametrizationKind {
        self.kind
    }

    /// The tensors that θ is made of.
    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    pub(crate) fn shape(&self) -> Shape {
        self.task.shape(1)
    }

    /// Whether these rows have coefficients, and parameters where the predictor is made of them.
    pub(crate) fn can_see(&self, snapshots: &Snapshots) -> bool {
        let shape = self.shape();
        let has_coefficients = snapshots.cubics.is_empty() && snapshots.features == shape.slots();
        has_coefficients && snapshots.covariances.is_empty()
    }

    fn meets(&self, needs: Needs) -> bool {
        let problem = self.problem();
        let (has_all, has_constant, has_residuals) = match &problem.observed {
            Observed::Entries(entries) => (entries.observed.len() == problem.entries(), true, true),
            Observed::Moments(moments) => (true, moments.trace_syy.is_some(), moments.samples.is_some()),
            Observed::Measurements(_) => (true, true, true),
        };
        // Regressions know more of their law and of held-out rows than a matrix problem says.
        let is_matrix = matches!(self.task, Task::Matrix(_));
        let has_teacher = problem.teacher.is_some();
        let has_test = has_teacher || matches!(problem.test, TestOver::Samples(_));
        (!needs.teacher || has_teacher)
            && (!needs.test || (is_matrix && has_test))
            && (!needs.law || (is_matrix && has_teacher))
            && (!needs.factors || matches!(self.kind, ParametrizationKind::DeepLinear(_)))
            && (!needs.entries || !has_all)
            && (!needs.hadamard || effective_alpha::is_defined(self.kind))
            && (!needs.square || problem.inputs == problem.outputs)
            && (!needs.residuals || has_residuals)
            && (!needs.constant || has_constant)
            && (!needs.unseen || self.seen_inputs().is_some())
            && (!needs.modes || self.target_modes().is_some())
    }
}

/// A block of rows of one cell, seen as matrices.
pub struct MatrixProbe<'a> {
    setting: &'a MatrixSetting<'a>,
    snapshots: &'a Snapshots,
    finite: Vec<bool>,
    fit: OnceCell<Fit>,
    singular_values: OnceCell<Vec<f64>>,
    shared: Shared,
}

/// Losses and their gradients in the predictor.
pub(crate) struct Fit {
    /// L, one per row.
    pub(crate) loss: Vec<f64>,
    /// E = ∂L/∂β, rows × entries.
    pub(crate) gradient: Vec<f64>,
    /// The mean squared residual is 2·L times this.
    pub(crate) mean_factor: f64,
}

impl<'a> MatrixProbe<'a> {
    /// Nothing is computed yet but which rows are finite.
    pub fn new(setting: &'a MatrixSetting<'a>, snapshots: &'a Snapshots) -> Self {
        let width = snapshots.features.max(1);
        let is_finite = |row: &[f64]| row.iter().all(|x| x.is_finite());
        let finite = snapshots.coefficients.chunks_exact(width).map(is_finite).collect();
        Self {
            setting,
            snapshots,
            finite,
            fit: OnceCell::new(),
            singular_values: OnceCell::new(),
            shared: Shared::default(),
        }
    }

    /// The values of a metric; `None` if it has none here.
    pub(crate) fn column(&self, metric: &MetricDef) -> Option<Vec<f64>> {
        let eval_into = metric.of_matrix?;
        let needs_theta = metric.needs.parameters;
        if metric.needs.ledger && self.ledger(metric.name).is_none() {
            return None;
        }
        if !self.setting.meets(metric.needs) || (needs_theta && self.theta().is_none()) {
            return None;
        }
        let mut values = vec![f64::NAN; self.rows()];
        eval_into(self, &mut values);
        values.iter_mut().zip(&self.finite).filter(|(_, finite)| !**finite).for_each(|(value, _)| *value = f64::NAN);
        Some(values)
    }

    /// Time spent so far on what several metrics share.
    pub(crate) fn shared_time(&self) -> Duration {
        self.shared.time()
    }

    pub(crate) fn rows(&self) -> usize {
        self.snapshots.len()
    }

    pub(crate) fn setting(&self) -> &'a MatrixSetting<'a> {
        self.setting
    }

    /// Writes a function of every finite predictor, outputs × inputs.
    fn per_predictor(&self, out: &mut [f64], of: impl Fn(&DMatrix<f64>) -> f64) {
        let Shape { inputs, outputs, .. } = self.setting.shape();
        for ((beta, out), finite) in self.predictors().zip(out).zip(&self.finite) {
            if *finite {
                *out = of(&DMatrix::from_column_slice(outputs, inputs, beta));
            }
        }
    }

    /// The predictors, rows × entries, each column-major.
    pub(crate) fn predictors(&self) -> std::slice::ChunksExact<'a, f64> {
        self.snapshots.coefficients.chunks_exact(self.snapshots.features.max(1))
    }

    /// The parameters, rows × parameters; `None` for rows that have none, such as predictions.
    pub(crate) fn theta(&self) -> Option<std::slice::ChunksExact<'a, f64>> {
        match self.snapshots.parameters {
            Some(_) if self.snapshots.theta.is_empty() => None,
            Some(parameters) => Some(self.snapshots.theta.chunks_exact(parameters.max(1))),
            None if self.setting.kind.is_direct() => Some(self.predictors()),
            None => None,
        }
    }

    /// One number of the ledger per row; `None` where the rows carry none, or no identity holds for them.
    pub(crate) fn ledger(&self, name: &str) -> Option<impl Iterator<Item = f64> + '_> {
        let (ledger, at) = (&self.snapshots.ledger, LEDGER.iter().position(|number| *number == name)?);
        let numbers = || ledger.iter().skip(at).step_by(LEDGER.len()).copied();
        let is_carried = ledger.len() == self.rows() * LEDGER.len() && numbers().any(|number| !number.is_nan());
        is_carried.then(numbers)
    }

    /// Losses and gradients.
    pub(crate) fn fit(&self) -> &Fit {
        self.shared.once(&self.fit, || {
            let make = || RefCell::new(Task::objective(&[self.setting.task], 1, false));
            let mut objective = self.setting.objective.get_or_init(make).borrow_mut();
            let mut fit = Fit {
                loss: vec![f64::NAN; self.rows()],
                gradient: vec![f64::NAN; self.snapshots.coefficients.len()],
                mean_factor: objective.mean_factor(),
            };
            let rows = self.predictors().zip(fit.gradient.chunks_exact_mut(self.snapshots.features.max(1)));
            for ((beta, g), loss) in rows.zip(&mut fit.loss) {
                objective.loss_and_grad_into(beta, Rows::All, std::slice::from_mut(loss), g);
            }
            if let Task::Matrix(MatrixProblem { observed, .. }) = self.setting.task
                && let Observed::Moments(Moments { samples: Some(samples), .. }) = observed
            {
                // Moments know losses below ε·tr Syy no longer; residuals do.
                let n = samples.x.ncols() as f64;
                self.per_predictor(&mut fit.loss, |w| (&samples.y - w * &samples.x).norm_squared() / (2.0 * n));
            }
            fit
        })
    }

    /// How many singular values a predictor has.
    pub(crate) fn modes(&self) -> usize {
        let shape = self.setting.shape();
        shape.inputs.min(shape.outputs)
    }

    /// Singular values of the predictors, rows × modes, descending; NaN where a row is not finite.
    pub fn singular_values(&self) -> &[f64] {
        let make = || self.singular_values_of(&self.snapshots.coefficients);
        self.shared.once::<Vec<f64>>(&self.singular_values, make).as_slice()
    }

    /// The same of other matrices of their shape.
    fn singular_values_of(&self, matrices: &[f64]) -> Vec<f64> {
        let Shape { inputs, outputs, .. } = self.setting.shape();
        let mut out = vec![f64::NAN; self.rows() * self.modes()];
        singular_values_into(matrices, [outputs, inputs], &mut out);
        out
    }
}
