//! The exact gradient flow of a diagonal network in dual variables, one per sample.

use crate::embedded_pair::{Rate, Tolerance};
use crate::followed::{Field, Followed, Integrated};
use taut_numerics::DMatrix;
use taut_problem::{Average, Dynamics, Moments, Motion, Observed, ParametrizationKind, Task};

/// Gradient flow of β = u² − v² from u = v = α > 0 in the n variables of dm/dt = −w(Xβ − y).
///
/// β = 2α²·sinh(4Xᵀm), u = α·exp(2Xᵀm), v = α·exp(−2Xᵀm), entry by entry, with the weight w = 1/n for
/// L = |y − Xβ|²/(2n) and 1 for L = ½|y − Xβ|². Only ln α enters, so α may be far below the smallest number; θ and β
/// then underflow to zero where they are as small as that. The error of a step is at most rtol relative in u and v.
/// Cites Woodworth et al. 2020.
pub type DualFlow = Followed<Integrated<Dual>>;

/// −w(Xβ(m) − y).
pub struct Dual {
    /// X, samples × entries.
    design: DMatrix<f64>,
    y: Vec<f64>,
    weight: f64,
    ln_alpha: Vec<f64>,
    /// 2Xᵀm, then β.
    lift: Vec<f64>,
    residuals: Vec<f64>,
    /// The root mean square residual.
    residual: f64,
}

impl DualFlow {
    /// The flow of one cell from θ₀ = `start`, which holds u = v > 0; `levels` are root mean square residuals whose
    /// first passage is wanted.
    ///
    /// # Errors
    /// A sentence, if this is no plain flow of β = u² − v² from u = v > 0 on rows or measurements of one output.
    pub fn new(
        task: Task<'_>,
        kind: &ParametrizationKind,
        dynamics: &Dynamics,
        start: &[f64],
        tolerance: f64,
        levels: &[f64],
    ) -> Result<Self, String> {
        match kind {
            ParametrizationKind::HadamardPower(power) if power.depth.size() == 2 => {}
            _ => return Err("the dual flow is that of a hadamard-power of depth 2".to_owned()),
        }
        let (u, v) = start.split_at(start.len() / 2);
        let apart = u.iter().zip(v).find(|(u, v)| **u <= 0.0 || u.total_cmp(v).is_ne());
        if let Some((u, v)) = apart {
            return Err(format!("the dual flow starts at u = v > 0, not at {u:e} and {v:e}"));
        }
        let ln_alpha: Vec<f64> = u.iter().map(|u| u.ln()).collect();
        Self::of_logarithms(task, dynamics, &ln_alpha, tolerance, levels)
    }

    /// The same from ln α of every coordinate, for starts below the smallest number.
    ///
    /// # Errors
    /// A sentence, if the task has no rows of one output, or the motion is not the flow of the loss alone.
    pub fn of_logarithms(
        task: Task<'_>,
        dynamics: &Dynamics,
        ln_alpha: &[f64],
        tolerance: f64,
        levels: &[f64],
    ) -> Result<Self, String> {
        if dynamics.motion != Motion::Flow || !dynamics.only_schedule() || dynamics.average != Average::None {
            return Err("the dual flow is the gradient flow of the loss alone".to_owned());
        }
        let (design, y, weight) = rows(task)?;
        let (samples, entries) = design.shape();
        // An error δ in m moves ln u by at most 2δ·Σᵢ|Xᵢⱼ|.
        let steepest = design.column_iter().map(|column| column.lp_norm(1)).fold(f64::MIN_POSITIVE, f64::max);
        let tolerance = Tolerance { relative: 0.0, absolute: tolerance / (2.0 * steepest) };
        let field = Dual {
            y,
            weight,
            ln_alpha: ln_alpha.to_vec(),
            lift: vec![0.0; entries],
            residuals: vec![0.0; samples],
            residual: f64::NAN,
            design,
        };
        let course = Integrated::new(field, &vec![0.0; samples], tolerance);
        Ok(Self::begin(course, [samples, 2 * entries, entries], levels))
    }
}

/// X, y and w with ∂L/∂β = w·Xᵀ(Xβ − y).
fn rows(task: Task<'_>) -> Result<(DMatrix<f64>, Vec<f64>, f64), String> {
    let mean = |samples: usize| 1.0 / samples as f64;
    match task {
        Task::Rows(problem) => Ok((problem.design.clone(), problem.y.clone(), mean(problem.samples()))),
        Task::Matrix(problem) => match &problem.observed {
            Observed::Measurements(all) => Ok((all.matrices.clone(), all.values.clone(), 1.0)),
            Observed::Moments(Moments { samples: Some(samples), .. }) if problem.outputs == 1 => {
                Ok((samples.x.transpose(), samples.y.as_slice().to_vec(), mean(samples.x.ncols())))
            }
            Observed::Moments(Moments { sxx: None, syx, .. }) if problem.outputs == 1 => {
                Ok((DMatrix::identity(problem.inputs, problem.inputs), syx.as_slice().to_vec(), 1.0))
            }
            Observed::Moments(_) => Err("the dual flow needs samples of a single output".to_owned()),
            Observed::Entries(_) => Err("the dual flow needs rows or measurements, not entries".to_owned()),
        },
    }
}

impl Dual {
    /// 2Xᵀm.
    fn lift(&mut self, m: &[f64]) {
        for (lift, column) in self.lift.iter_mut().zip(self.design.column_iter()) {
            *lift = 2.0 * column.iter().zip(m).map(|(x, m)| x * m).sum::<f64>();
        }
    }

    /// Xβ − y and its root mean square.
    fn look(&mut self, m: &[f64]) {
        self.lift(m);
        for (residual, y) in self.residuals.iter_mut().zip(&self.y) {
            *residual = -y;
        }
        for ((lift, ln_alpha), column) in self.lift.iter().zip(&self.ln_alpha).zip(self.design.column_iter()) {
            let beta = predictor(*lift, *ln_alpha);
            for (residual, x) in self.residuals.iter_mut().zip(column.iter()) {
                *residual = f64::mul_add(*x, beta, *residual);
            }
        }
        let sum: f64 = self.residuals.iter().map(|r| r * r).sum();
        self.residual = (sum / self.residuals.len() as f64).sqrt();
    }
}

/// 2α²·sinh(2x) with x = 2Xᵀm: exponents are added before anything is exponentiated, so nothing overflows early.
fn predictor(x: f64, ln_alpha: f64) -> f64 {
    let size = -(2.0 * (ln_alpha + x.abs())).exp() * (-4.0 * x.abs()).exp_m1();
    size.copysign(x)
}

impl Rate for Dual {
    fn rate_into(&mut self, m: &[f64], rate: &mut [f64]) {
        self.look(m);
        for (rate, residual) in rate.iter_mut().zip(&self.residuals) {
            *rate = -self.weight * residual;
        }
    }
}

impl Field for Dual {
    fn residual(&self) -> f64 {
        self.residual
    }

    fn residual_at(&mut self, m: &[f64]) -> f64 {
        self.look(m);
        self.residual
    }

    fn show_into(&mut self, m: &[f64], theta: &mut [f64], beta: &mut [f64]) {
        self.lift(m);
        let (u, v) = theta.split_at_mut(self.lift.len());
        for (i, (x, ln_alpha)) in self.lift.iter().zip(&self.ln_alpha).enumerate() {
            u[i] = (ln_alpha + x).exp();
            v[i] = (ln_alpha - x).exp();
            beta[i] = predictor(*x, *ln_alpha);
        }
    }
}
