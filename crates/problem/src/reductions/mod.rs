//! Smaller networks whose training is exactly that of the given one: one file per reduction and one line in the list below.

mod fading;
mod network;
mod observation_components;
mod scaling;
mod second_moments;

use crate::{Average, DeepLinear, Dynamics, Entry, MatrixProblem, Motion, ParametrizationKind, Task};
pub use fading::Fading;
use network::{Bases, Network, product};
pub use observation_components::{Component, observation_components};
pub use scaling::rescaled;
use taut_numerics::DMatrix;

/// Makes the list of reductions, in the order in which they are tried, and the table that is printed.
macro_rules! reductions {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// Every reduction.
        pub static REDUCTIONS: &[Entry] = &[second_moments::ENTRY, $($module::ENTRY,)*];

        /// Those by a change of basis, with what finds the bases.
        static BASES: &[(Entry, fn(&Network) -> Option<Bases>)] = &[$(($module::ENTRY, $module::bases),)*];
    };
}

reductions! {
    row_space,
    principal_inputs,
    low_rank_teacher,
    hidden_span,
    orthogonal_hidden,
}

/// Less work than this many times less is not worth a detour.
const WORTH_IT: f64 = 1.1;

/// A smaller network with the same motion, and the way back.
///
/// Layer l of the given network is spanned by the orthonormal columns of Oₗ as far as training sees it. The small
/// factors are OₗᵀWₗOₗ₋₁, and Wₗ = Oₗ(OₗᵀWₗOₗ₋₁)Oₗ₋₁ᵀ + c·Rₗ at any time: Rₗ is what of Wₗ(0) no gradient ever
/// meets, and c is 1, or what weight decay has left of it ([`Fading`]). The losses are the same at every step; all
/// that depends on the weights follows from [`Reduced::lift_into`]. What is measured on the small network itself
/// is not the same where its file says so.
pub struct Reduced {
    /// The data in the new bases. It has neither teacher nor test data: measure the lifted weights.
    pub problem: MatrixProblem,
    /// The small network.
    pub parametrization: ParametrizationKind,
    /// Its start.
    pub start: Vec<f64>,
    /// What was done, in this order.
    pub applied: Vec<Applied>,
    bases: Bases,
    /// Rₗ.
    frozen: Vec<DMatrix<f64>>,
    outputs: usize,
}

/// One reduction as it was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Its name in [`REDUCTIONS`].
    pub name: &'static str,
    /// d₀, …, d_N before it.
    pub from: Vec<usize>,
    /// d₀, …, d_N after it.
    pub to: Vec<usize>,
    /// By how much it divides the flops of a step.
    pub flops_saved: f64,
}

/// The smallest network with the same motion; `None` if none is known that saves anything worth while, or the motion
/// does not look the same in every orthonormal basis.
///
/// The start is that of the task and the parametrization. Bases are found by singular value decompositions, with
/// directions below max(size)·ε of a block's own size left out; a reduction whose bases do not separate the start to
/// 1e-13 of its size is not applied. O(Σ dₗdₗ₋₁·min(dₗ, dₗ₋₁)), once per cell.
pub fn reduce(task: Task<'_>, kind: &ParametrizationKind, start: &[f64], dynamics: &Dynamics) -> Option<Reduced> {
    let ParametrizationKind::DeepLinear(deep) = kind else { return None };
    if !is_equivariant(dynamics) {
        return None;
    }
    let problem = match task {
        Task::Rows(problem) => MatrixProblem::of_regression(problem),
        Task::Matrix(problem) => problem.clone(),
    };
    let given = Network::new(problem, deep, start, dynamics);
    let mut network = given.clone();
    let mut bases: Bases = vec![None; given.factors.len() + 1];
    let mut applied: Vec<Applied> = second_moments::applied(task, &given).into_iter().collect();
    for (entry, find) in BASES {
        let Some(found) = find(&network).filter(|found| network.separates(found)) else { continue };
        let smaller = network.in_bases(&found);
        applied.push(Applied {
            name: entry.name,
            from: network.sizes(),
            to: smaller.sizes(),
            flops_saved: network.flops() / smaller.flops(),
        });
        bases = bases.iter().zip(&found).map(|(outer, inner)| product(outer.as_ref(), inner.as_ref())).collect();
        network = smaller;
    }
    let saved: f64 = applied.iter().map(|applied| applied.flops_saved).product();
    (saved > WORTH_IT).then(|| Reduced::new(&given, network, bases, applied))
}

/// Whether a motion is the same in every orthonormal basis of the layers, and leaves alone what has no gradient but
/// for a decay that is known.
pub fn is_equivariant(dynamics: &Dynamics) -> bool {
    let decays = dynamics.penalty.ridge.get() > 0.0;
    let motion = match dynamics.motion {
        Motion::Flow | Motion::Descent | Motion::HeavyBall(_) | Motion::Nesterov(_) => true,
        // Normalised by the norm of the whole gradient, where the decay of the frozen part would count.
        Motion::Other(name) => name == "group-rmsprop" && !decays,
    };
    motion
        && dynamics.penalty.l1.get() <= 0.0
        && dynamics.penalty.bending.get() <= 0.0
        && dynamics.dropout.is_none()
        && dynamics.noise.gradient.get() <= 0.0
        && (dynamics.average == Average::None || !decays)
}

impl Reduced {
    fn new(given: &Network, network: Network, bases: Bases, applied: Vec<Applied>) -> Self {
        let sizes = network.sizes();
        let hidden = &sizes[1..sizes.len() - 1];
        let seen = network.lifted(&bases);
        Self {
            parametrization: ParametrizationKind::DeepLinear(DeepLinear::of_widths(hidden)),
            start: network.start(),
            applied,
            frozen: given.factors.iter().zip(&seen).map(|(whole, seen)| whole - seen).collect(),
            bases,
            outputs: given.problem.outputs,
            problem: network.problem,
        }
    }

    /// θ of the given network from that of the small one, with what [`Fading`] has left of the frozen part.
    ///
    /// Sizes: those of the two starts. O(Σ dₗdₗ₋₁rₗ) for bases of rₗ columns.
    pub fn lift_into(&self, theta_reduced: &[f64], frozen: f64, theta: &mut [f64]) {
        let mut ends = (0, 0);
        for (l, rest) in self.frozen.iter().enumerate() {
            let (below, above) = (self.bases[l].as_ref(), self.bases[l + 1].as_ref());
            let columns = below.map_or(rest.ncols(), DMatrix::ncols);
            let rows = above.map_or(rest.nrows(), DMatrix::ncols);
            let small = &theta_reduced[ends.0..ends.0 + rows * columns];
            let whole = &mut theta[ends.1..ends.1 + rest.len()];
            network::lift_into(small, [rows, columns], [below, above], whole);
            whole.iter_mut().zip(rest.as_slice()).for_each(|(w, r)| *w += frozen * r);
            ends = (ends.0 + small.len(), ends.1 + whole.len());
        }
    }

    /// The root mean square residual of the small problem where that of the given one is `level`: means are over
    /// outputs, and there are fewer.
    pub fn level(&self, level: f64) -> f64 {
        if self.problem.outputs == self.outputs {
            return level;
        }
        level * (self.outputs as f64 / self.problem.outputs as f64).sqrt()
    }
}
