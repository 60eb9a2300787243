//! The loss as a function of the parameters, around several of them side by side.

use super::MatrixProbe;
use taut_problem::{Objective, Parametrization, ParametrizationKind, Rows, Shape, Task};

/// Up to so many parameters rows are looked at eight by eight; of more, Lanczos' vectors of one row fill the cache by
/// themselves (at a thousand, one by one is four times faster).
const SIDE_BY_SIDE: usize = 500;

/// L ∘ β with its gradient and Hessian at one θ per lane.
pub(crate) struct Landscape {
    lanes: usize,
    parameters: usize,
    map: Box<dyn Parametrization>,
    objective: Box<dyn Objective>,
    theta: Vec<f64>,
    beta: Vec<f64>,
    loss: Vec<f64>,
    /// ∂L/∂β.
    g: Vec<f64>,
    gradient: Vec<f64>,
    tangent: Vec<f64>,
    g_dot: Vec<f64>,
}

impl Landscape {
    /// Nothing is placed yet. How many lanes there are depends on the model alone, and with them the bits.
    pub(super) fn new(task: Task<'_>, kind: &ParametrizationKind) -> Self {
        let Shape { inputs, outputs, .. } = task.shape(1);
        let parameters = kind.parameters(inputs, outputs);
        let lanes = if parameters <= SIDE_BY_SIDE { 8 } else { 1 };
        let shape = Shape { inputs, outputs, lanes };
        let zeros = |len: usize| vec![0.0; len];
        Self {
            lanes,
            parameters,
            map: kind.build(shape),
            objective: Task::objective(&[task], lanes, false),
            theta: zeros(parameters * lanes),
            beta: zeros(shape.slots()),
            loss: zeros(lanes),
            g: zeros(shape.slots()),
            gradient: zeros(parameters * lanes),
            tangent: zeros(shape.slots()),
            g_dot: zeros(shape.slots()),
        }
    }

    pub(super) fn lanes(&self) -> usize {
        self.lanes
    }

    /// The number of parameters of a lane.
    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }

    /// Goes to these parameters, one row per lane; lanes beyond the rows repeat the first.
    pub(super) fn place(&mut self, rows: &[&[f64]]) {
        for (entry, slots) in self.theta.chunks_exact_mut(self.lanes).enumerate() {
            slots.iter_mut().enumerate().for_each(|(lane, slot)| *slot = rows.get(lane).unwrap_or(&rows[0])[entry]);
        }
        self.map.predictor_into(&self.theta, &mut self.beta);
        self.objective.loss_and_grad_into(&self.beta, Rows::All, &mut self.loss, &mut self.g);
    }

    /// Finds ∇(L∘β), parameters × lanes.
    pub(super) fn find_gradient(&mut self) -> &[f64] {
        self.map.pullback_into(&self.theta, &self.g, &mut self.gradient);
        &self.gradient
    }

    /// ∇²(L∘β)·v, once the gradient is found.
    pub(super) fn hessian_into(&mut self, v: &[f64], out: &mut [f64]) {
        self.push(v);
        self.map.second_pullback_into(&self.theta, v, &self.g, &self.g_dot, out);
    }

    /// JᵀHJv, H = ∂²L/∂β²: the Hessian without the curvature of β. The parametrization remembers this then, and the
    /// gradient is to be found anew.
    pub(super) fn gauss_newton_into(&mut self, v: &[f64], out: &mut [f64]) {
        self.push(v);
        self.map.pullback_into(&self.theta, &self.g_dot, out);
    }

    fn push(&mut self, v: &[f64]) {
        self.map.pushforward_into(&self.theta, v, &mut self.tangent);
        self.objective.hessian_apply_into(&self.tangent, &mut self.g_dot);
    }
}

impl MatrixProbe<'_> {
    /// Places the parameters of several rows at once, and lets `of` write their values.
    pub(super) fn per_block(&self, out: &mut [f64], mut of: impl FnMut(&mut Landscape, &mut [f64])) {
        let mut landscape = self.setting.landscape().borrow_mut();
        let rows: Vec<&[f64]> = self.theta().into_iter().flatten().collect();
        let lanes = landscape.lanes();
        for (rows, out) in rows.chunks(lanes).zip(out.chunks_mut(lanes)) {
            landscape.place(rows);
            of(&mut landscape, out);
        }
    }
}
