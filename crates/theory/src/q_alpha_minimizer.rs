//! Which interpolant a diagonal network finds: the one of least Q_α, between ‖β‖₁ and ‖β‖₂.

use crate::basis_pursuit::BasisPursuit;
use crate::diagonal_network::DiagonalNetwork;
use crate::min_norm_limit::nearest;
use crate::mirror_map::{Link, MirrorPoint, MirrorProblem};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DVector;
use taut_problem::{Clock, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "q_alpha_minimizer",
    doc: "the limit of gradient flow: argmin Q_α(β) subject to Xβ = y, from n dual variables, X·2α² sinh(Xᵀν) = y for two \
          factors and α^D·h_D beyond. `q_value`, `l1_norm`; for comparison `basis_pursuit_l1_norm` (by the simplex \
          method) and `min_l2_norm`. How small α has to be: `excess_l1_exponent`, the power of α with which ‖β‖₁ − \
          min ‖β‖₁ falls: 2(1 − γ*) for two factors, with `certificate_margin` γ* = min over dual certificates of the \
          largest |x_j·ν| off the support, and D for D ≥ 3; `sufficient_alpha_for_l1` and `sufficient_alpha_for_l2` at ε (within 1 + ε; sufficient, and \
          extremely loose)",
    cite: "Woodworth et al. 2020",
    assumes: "a diagonal network β = u^D − v^D, D ≥ 2, from u = v = α (or u∘v from u = 2α, v = 0), interpolation, gradient \
              flow; descent ends O(η) away",
    build: Build::Matrix(build),
};

/// Where sufficient scales are shown.
const EPSILONS: [f64; 3] = [0.1, 0.5, 1.0];
/// n·d of the largest design on which basis pursuit is run.
const LARGEST: usize = 1_000_000;
/// 1 − |z| from which on its digits do not count.
const LOST: f64 = 1e-8;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let network = match DiagonalNetwork::of(premise) {
        Ok(network) => network,
        Err(reason) => return Prediction::silent(reason),
    };
    let sparse = (network.x.len() <= LARGEST).then(|| BasisPursuit::of(&network.x, &network.y)).flatten();
    let margin = sparse.as_ref().and_then(|sparse| sparse.margin(&network.x)).filter(|margin| *margin < 1.0);
    let mut numbers = norms(&network, sparse.as_ref(), margin);
    let moved = premise.dynamics;
    let plain = matches!(moved.motion, Motion::Flow | Motion::Descent) && moved.only_schedule();
    let other = (!plain).then(|| "the motion is neither flow nor descent on the loss alone".to_owned());
    let at_the_end = || sparse.as_ref().zip(margin).and_then(|(sparse, margin)| vanishing(&network, sparse, margin));
    match at_the_end().map_or_else(|| minimizer(&network), Ok) {
        Ok(point) => {
            numbers.push(Number::of_cell("q_value", point.potential));
            numbers.push(Number::of_cell("l1_norm", point.beta.lp_norm(1)));
            let path = vec![(Clock::Limit, point.beta.as_slice().to_vec())];
            Prediction { unmet: other, path, numbers, ..Prediction::default() }
        }
        Err(reason) => Prediction { unmet: Some(reason), numbers, ..Prediction::default() },
    }
}

fn minimizer(network: &DiagonalNetwork) -> Result<MirrorPoint, String> {
    let link = if network.depth == 2 { Link::Sinh } else { Link::Power(network.depth) };
    MirrorProblem { x: &network.x, y: &network.y, link }.solve(network.depth as f64 * network.log_alpha)
}

/// The solution for more than two factors where α is so small that 1 − |z| ~ α^(D−2) is lost in 64 bits: then the
/// excess over ‖β‖₁, Σ α^D·h_D(zⱼ)(1 − |zⱼ|) off the support, is far below rounding. `None` where it is not.
fn vanishing(network: &DiagonalNetwork, sparse: &BasisPursuit, margin: f64) -> Option<MirrorPoint> {
    let depth = network.depth as f64;
    if network.depth == 2 || (depth - 2.0) * network.log_alpha > LOST.ln() {
        return None;
    }
    let off = Link::Power(network.depth).at(depth * network.log_alpha, margin).0;
    // Q = Σ|βᵢ| − (D/2)·α^(D−2)·Σ|βᵢ|^(2/D) to leading order in α.
    let powers: f64 = sparse.beta.iter().map(|b| b.abs().powf(2.0 / depth)).sum();
    let potential = sparse.norm() - 0.5 * depth * ((depth - 2.0) * network.log_alpha).exp() * powers;
    let exact = network.x.ncols() as f64 * off <= 1e-14 * sparse.norm();
    exact.then(|| MirrorPoint { beta: sparse.beta.clone(), potential })
}

/// What the minimizer lies between.
fn norms(network: &DiagonalNetwork, sparse: Option<&BasisPursuit>, margin: Option<f64>) -> Vec<Number> {
    let DiagonalNetwork { x, y, .. } = network;
    let shortest: DVector<f64> = nearest(x, y);
    let mut numbers = vec![Number::of_cell("min_l2_norm", shortest.norm())];
    let l2 = |epsilon: f64| (2.0 * (1.0 + epsilon) * (1.0 + 2.0 / epsilon) * shortest.norm()).sqrt();
    if network.depth == 2 {
        numbers.extend(EPSILONS.map(|epsilon| Number::at("sufficient_alpha_for_l2", epsilon, l2(epsilon))));
    }
    let Some(sparse) = sparse else { return numbers };
    let norm = sparse.norm();
    numbers.push(Number::of_cell("basis_pursuit_l1_norm", norm));
    if network.depth == 2 {
        let d = x.ncols() as f64;
        let l1 = |epsilon: f64| {
            let by_norm = (2.0 * (1.0 + epsilon) * norm).powf(-(2.0 + epsilon) / (2.0 * epsilon));
            by_norm.min((-d / (epsilon * norm)).exp())
        };
        numbers.extend(EPSILONS.map(|epsilon| Number::at("sufficient_alpha_for_l1", epsilon, l1(epsilon))));
    }
    // The excess is Σ |βⱼ|(1 − |zⱼ|) off the support: βⱼ ~ α^(2(1−|zⱼ|)) for two factors, α^D·h_D(zⱼ) for more.
    if let Some(margin) = margin {
        let exponent = if network.depth == 2 { 2.0 * (1.0 - margin) } else { network.depth as f64 };
        numbers.push(Number::of_cell("certificate_margin", margin));
        numbers.push(Number::of_cell("excess_l1_exponent", exponent));
    }
    numbers
}
