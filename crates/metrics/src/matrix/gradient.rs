//! The gradient of the loss: in the parameters, and in the predictor.

use crate::{MatrixProbe, MetricDef, Needs};

/// ‖∇_θ L‖.
pub(crate) static GRADIENT_NORM: MetricDef = MetricDef {
    name: "gradient_norm",
    unit: "y²/θ",
    doc: "Euclidean norm ‖∇L(θ)‖ of the gradient in all parameters; at least 0",
    cite: "",
    needs: Needs { parameters: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(gradient_norm),
};

/// ‖∂L/∂W‖₂.
pub(crate) static RESIDUAL_OPERATOR_NORM: MetricDef = MetricDef {
    name: "residual_operator_norm",
    unit: "y·x",
    doc: "largest singular value of ∂L/∂W, for second moments of E = W Sxx − Syx; at least 0. Hidden units that a \
          two-layer network does not use have curvatures ± the singular values of it",
    cite: "",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(residual_operator_norm),
};

fn gradient_norm(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    probe.per_block(out, |landscape, out| {
        let mut squares = vec![0.0; landscape.lanes()];
        for gradient in landscape.find_gradient().chunks_exact(squares.len()) {
            squares.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * g);
        }
        out.iter_mut().zip(&squares).for_each(|(out, sum)| *out = sum.sqrt());
    });
}

fn residual_operator_norm(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let values = probe.singular_values_of(&probe.fit().gradient);
    values.chunks_exact(probe.modes().max(1)).zip(out).for_each(|(s, out)| *out = s[0]);
}
