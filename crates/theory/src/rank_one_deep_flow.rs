//! A deep linear network with one output, as a flow of its vector of coefficients.

use crate::factored_start::{factors, not_balanced, product};
use crate::predictor_flow::{follow, loss_gradient};
use crate::teacher_frame::{not_flow, together};
use crate::{Build, MatrixPremise, Prediction, TheoryDef};
use nalgebra::DMatrix;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "rank_one_deep_flow",
    doc: "one output, N factors, balanced start: the whole network obeys dw/dt = −‖w‖^(2−2/N)·[g + (N − 1)(w·g)w/‖w‖²] \
          with g = ∂L/∂w, for any design; integrated with an error of 1e-13 per step. The path at finite times",
    cite: "Arora, Cohen and Hazan 2018; Advani and Saxe 2017",
    assumes: "one output; a balanced start, whose first factors are then of rank one; gradient flow, or descent with a \
              small step size",
    build: Build::Matrix(build),
};

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let problem = premise.problem;
    let factors = match factors(premise) {
        Ok(factors) if problem.outputs == 1 => factors,
        Ok(_) => return Prediction::silent(format!("there are {} outputs, not one", problem.outputs)),
        Err(reason) => return Prediction::silent(reason),
    };
    let start = product(&factors);
    if start.norm() <= 0.0 {
        return Prediction::silent("the start is zero, where the flow rests");
    }
    let depth = factors.len() as f64;
    let path = follow(premise, &start, |w| velocity(depth, w, &loss_gradient(problem, w)));
    let motion = not_flow(premise.dynamics, problem.reference_curvature(factors.len()));
    Prediction { unmet: together([motion, not_balanced(&factors), path.unmet.clone()]), ..path }
}

/// −‖w‖^(2−2/N)·[g + (N − 1)(w·g)w/‖w‖²].
fn velocity(depth: f64, w: &DMatrix<f64>, g: &DMatrix<f64>) -> DMatrix<f64> {
    let square = w.norm_squared();
    if square <= 0.0 {
        return DMatrix::zeros(w.nrows(), w.ncols());
    }
    (g + w * ((depth - 1.0) * w.dot(g) / square)) * -square.powf(1.0 - 1.0 / depth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, factor_flow, gaussian};
    use crate::mode_growth::Growth;
    use taut_problem::Observed;

    #[test]
    fn the_vector_follows_the_factors_at_every_depth() {
        for depth in 1..=4 {
            // W₁ = a·q xᵀ, hidden a·q qᵀ, last a·qᵀ: balanced, of rank one.
            let direction = |size: usize, draw: u64| gaussian(size, 1, draw).normalize();
            let (widths, scale) = ([5, 4, 3, 6], 0.4);
            let size = |l: usize| if l == depth { 1 } else { widths[l] };
            let side = |l: usize| if l == depth { DMatrix::identity(1, 1) } else { direction(size(l), 30 + l as u64) };
            let layers: Vec<_> = (1..=depth).map(|l| side(l) * side(l - 1).transpose() * scale).collect();
            let mut case = MatrixCase::deep(gaussian(1, 5, 40), &layers);
            let design = gaussian(5, 8, 41);
            let Observed::Moments(moments) = &mut case.problem.observed else { unreachable!("made of moments") };
            moments.sxx = Some(&design * design.transpose() / 8.0);
            let times = [0.0, 0.5, 2.0, 6.0];
            let prediction = case.under_flow(&THEORY, &times);
            assert_eq!(prediction.unmet, None);
            let exact = factor_flow(&case, &layers, &times);
            for ((_, w), exact) in prediction.path.iter().zip(&exact) {
                let gap = (DMatrix::from_column_slice(1, 5, w) - exact).norm();
                // Two integrations at 1e-13 per step.
                assert!(gap < 1e-10, "{depth}: {gap}");
            }
        }
    }

    #[test]
    fn along_the_target_it_is_a_single_mode() {
        let target = DMatrix::from_row_slice(1, 3, &[0.6, 0.0, 0.8]);
        let layers = [target.scale(0.1), DMatrix::from_element(1, 1, 0.1), DMatrix::from_element(1, 1, 0.1)];
        let prediction = MatrixCase::deep(target, &layers).under_flow(&THEORY, &[4.0]);
        let exact = Growth { depth: 3, target: 1.0 }.at(1e-3, 4.0);
        assert!((prediction.path[0].1[2] - 0.8 * exact).abs() < 1e-10);
    }

    #[test]
    fn unbalanced_starts_and_several_outputs_are_named() {
        let case = MatrixCase::deep(gaussian(1, 3, 1), &[gaussian(2, 3, 2), gaussian(1, 2, 3)]);
        assert!(case.under_flow(&THEORY, &[0.1]).unmet.unwrap().contains("not balanced"));
        let wide = MatrixCase::deep(gaussian(2, 3, 1), &[gaussian(2, 3, 2), gaussian(2, 2, 3)]);
        assert!(wide.under_flow(&THEORY, &[0.1]).unmet.unwrap().contains("2 outputs"));
    }
}
