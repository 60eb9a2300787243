//! The size of a predictor, and which way it turns space.

use crate::{MetricDef, Needs};
use taut_numerics::{DMatrix, sum_of_squares};

/// ‖W‖_F.
pub(crate) static PREDICTOR_NORM: MetricDef = MetricDef {
    name: "predictor_norm",
    unit: "y/x",
    doc: "Frobenius norm ‖W‖_F of the predictor, ‖β‖ for one output; at least 0",
    cite: "",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| probe.per_predictor(out, |w| sum_of_squares(w.as_slice()).sqrt())),
};

/// Σ|β|.
pub(crate) static PREDICTOR_L1_NORM: MetricDef = MetricDef {
    name: "predictor_l1_norm",
    unit: "y/x",
    doc: "Σ|Wᵢⱼ| over the entries of the predictor, ‖β‖₁ for one output; at least 0",
    cite: "",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| probe.per_predictor(out, |w| w.iter().map(|x| x.abs()).sum())),
};

/// det W.
pub(crate) static DETERMINANT: MetricDef = MetricDef {
    name: "determinant",
    unit: "(y/x)^d",
    doc: "det W of a square predictor; its sign is kept by gradient flow from a balanced start. Null where the \
          predictor is not square",
    cite: "Razin and Cohen 2020",
    needs: Needs { square: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| probe.per_predictor(out, DMatrix::determinant)),
};
