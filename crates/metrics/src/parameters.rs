//! The size of the parameters, and where they lie relative to the data.

use crate::{MatrixProbe, MetricDef, Needs, Probe};
use taut_numerics::{product_into, sum_of_squares};

/// ‖θ‖.
pub(crate) static PARAMETER_NORM: MetricDef = MetricDef {
    name: "parameter_norm",
    unit: "θ",
    doc: "Euclidean norm ‖θ‖ of all parameters; at least 0",
    cite: "",
    needs: Needs { coefficients: true, parameters: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: parameter_norm,
    of_matrix: Some(norm_of_parameters),
};

/// ‖(I − VVᵀ)θ‖.
pub(crate) static NULL_SPACE_NORM: MetricDef = MetricDef {
    name: "null_space_norm",
    unit: "θ",
    doc: "‖(I − VVᵀ)β‖, the part of the predictor that the data do not see (V: right singular vectors of the \
          design); with β = θ descent leaves it as it started",
    cite: "",
    needs: Needs { coefficients: true, geometry: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: null_space_norm,
    of_matrix: None,
};

/// ‖θ − θ_MN‖.
pub(crate) static DISTANCE_TO_MIN_NORM: MetricDef = MetricDef {
    name: "distance_to_min_norm",
    unit: "θ",
    doc: "‖β − β_MN‖ with β_MN = V diag(1/s) Uᵀ y, the least-squares solution of smallest norm; at least 0",
    cite: "",
    needs: Needs { coefficients: true, geometry: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: distance_to_min_norm,
    of_matrix: None,
};

/// tr(∂ŷ/∂y).
pub(crate) static DEGREES_OF_FREEDOM: MetricDef = MetricDef {
    name: "degrees_of_freedom",
    unit: "1",
    doc: "effective degrees of freedom tr(∂ŷ/∂y), the sum of the fractions learned of each mode; null where the fit \
          does not know them",
    cite: "Hastie and Tibshirani 1990",
    needs: Needs { freedom: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |probe, out| out.copy_from_slice(&probe.snapshots().freedom),
    of_matrix: None,
};

fn norm_of_parameters(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    match probe.theta() {
        Some(rows) => rows.zip(out).for_each(|(theta, out)| *out = sum_of_squares(theta).sqrt()),
        None => out.fill(f64::NAN),
    }
}

fn parameter_norm(probe: &Probe<'_>, out: &mut [f64]) {
    let theta = probe.theta();
    let width = theta.len() / out.len().max(1);
    for (row, out) in out.iter_mut().enumerate() {
        *out = sum_of_squares(&theta[row * width..(row + 1) * width]).sqrt();
    }
}

/// By subtraction of the projected vector, not of squared norms: small null parts keep their digits.
fn null_space_norm(probe: &Probe<'_>, out: &mut [f64]) {
    let (theta, space, rows) = (probe.beta(), probe.setting().row_space(), out.len());
    let width = probe.snapshots().features;
    let mut inside = vec![0.0; rows * space.rank];
    product_into(theta, &space.v, &mut inside, width, space.rank);
    let mut projected = vec![0.0; rows * space.features];
    product_into(&inside, &space.v_transposed, &mut projected, space.rank, space.features);
    for (row, out) in out.iter_mut().enumerate() {
        let projected = &projected[row * space.features..][..width];
        *out = distance(&theta[row * width..(row + 1) * width], projected);
    }
}

fn distance_to_min_norm(probe: &Probe<'_>, out: &mut [f64]) {
    let (theta, end) = (probe.beta(), probe.setting().min_norm());
    for (row, out) in out.iter_mut().enumerate() {
        *out = distance(&theta[row * end.len()..(row + 1) * end.len()], end);
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    crate::risk::squared_distance(a, b).sqrt()
}
