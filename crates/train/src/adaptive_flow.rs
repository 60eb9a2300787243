//! Gradient flow of any parametrization by an embedded pair with error control.

use crate::embedded_pair::{Rate, Tolerance};
use crate::followed::{Field, Followed, Integrated};
use crate::stepped::Penalties;
use taut_problem::{
    Average, Dynamics, Motion, Objective, Parametrization, ParametrizationKind, Regression, Rows, Task,
};

/// Gradient flow dθ/dt = −∇L(θ) of any task and parametrization, with smooth penalties.
///
/// The error per step and entry is at most rtol·|θᵢ| + 10⁻³·rtol·m, with m the smallest size of a non-zero entry of
/// θ₀, so that a start of any scale is resolved relative to itself; from θ₀ = 0, m = max|∇L|/λ_ref. Residuals are exact
/// to about rtol·|β|, and so is when a level is passed. Steps are explicit: near a minimum they are at most about
/// 3.3/λ_max of the Hessian, six gradients each.
pub type AdaptiveFlow = Followed<Integrated<SteepestDescent>>;

/// −∇L(θ).
pub struct SteepestDescent {
    parametrization: Box<dyn Parametrization>,
    objective: Box<dyn Objective>,
    penalties: Penalties,
    beta: Vec<f64>,
    g: Vec<f64>,
    loss: [f64; 1],
}

/// The absolute tolerance as a share of rtol times the smallest entry.
const SMALL: f64 = 1e-3;

impl AdaptiveFlow {
    /// The flow of one cell from θ₀ = `start`; `levels` are root mean square residuals whose first passage is
    /// wanted.
    ///
    /// # Errors
    /// A sentence, if the motion is no flow or has something that a flow cannot have.
    pub fn new(
        task: Task<'_>,
        kind: &ParametrizationKind,
        dynamics: &Dynamics,
        start: &[f64],
        tolerance: f64,
        levels: &[f64],
    ) -> Result<Self, String> {
        plain_flow(dynamics)?;
        let regressions: Vec<&Regression> = task.regression().into_iter().collect();
        let shape = task.shape(1);
        let mut field = SteepestDescent {
            parametrization: kind.build(shape),
            objective: Task::objective(&[task], 1, false),
            penalties: Penalties::new(&regressions, dynamics, 1),
            beta: vec![0.0; shape.slots()],
            g: vec![0.0; shape.slots()],
            loss: [0.0],
        };
        let smallest = start.iter().map(|t| t.abs()).filter(|t| *t > 0.0).min_by(f64::total_cmp);
        let smallest = smallest.unwrap_or_else(|| {
            let mut rate = vec![0.0; start.len()];
            field.rate_into(start, &mut rate);
            let curvature = task.reference_curvature(kind);
            rate.iter().fold(0.0, |largest: f64, r| largest.max(r.abs()))
                / if curvature > 0.0 { curvature } else { 1.0 }
        });
        let absolute = (SMALL * tolerance * smallest).max(f64::MIN_POSITIVE);
        let tolerance = Tolerance { relative: tolerance, absolute };
        let course = Integrated::new(field, start, tolerance);
        Ok(Self::begin(course, [start.len(), start.len(), shape.slots()], levels))
    }
}

/// Whether a flow can have everything that shapes this motion.
fn plain_flow(dynamics: &Dynamics) -> Result<(), String> {
    let refuse = |what: &str| Err(format!("the flow is followed without {what}"));
    let is_masked = dynamics.dropout.is_some_and(|dropout| !dropout.marginal);
    match dynamics {
        _ if dynamics.motion != Motion::Flow => Err("only a gradient flow is followed adaptively".to_owned()),
        _ if dynamics.batch.is_some() || dynamics.noise.is_some() || is_masked => refuse("batches, noise or masks"),
        _ if dynamics.penalty.l1.get() > 0.0 => refuse("an l1 penalty, whose steps are proximal"),
        _ if dynamics.average != Average::None => refuse("averages"),
        _ => Ok(()),
    }
}

impl Rate for SteepestDescent {
    fn rate_into(&mut self, theta: &[f64], rate: &mut [f64]) {
        self.parametrization.predictor_into(theta, &mut self.beta);
        self.objective.loss_and_grad_into(&self.beta, Rows::All, &mut self.loss, &mut self.g);
        self.parametrization.pullback_into(theta, &self.g, rate);
        self.penalties.add(theta, rate);
        rate.iter_mut().for_each(|rate| *rate = -*rate);
    }
}

impl Field for SteepestDescent {
    fn residual(&self) -> f64 {
        (2.0 * self.loss[0] * self.objective.mean_factor()).sqrt()
    }

    fn residual_at(&mut self, theta: &[f64]) -> f64 {
        self.parametrization.predictor_into(theta, &mut self.beta);
        self.objective.loss_and_grad_into(&self.beta, Rows::All, &mut self.loss, &mut self.g);
        self.residual()
    }

    fn show_into(&mut self, state: &[f64], theta: &mut [f64], predictor: &mut [f64]) {
        theta.copy_from_slice(state);
        self.parametrization.predictor_into(theta, predictor);
    }
}
