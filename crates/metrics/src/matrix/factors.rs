//! The factors of a product: how large they are, and how well neighbours match.

use crate::{MatrixProbe, MetricDef, Needs};
use taut_numerics::{DMatrix, sum_of_squares};
use taut_problem::Tensor;

/// max ‖D_l‖_F.
pub(crate) static BALANCEDNESS_GAP: MetricDef = MetricDef {
    name: "balancedness_gap",
    unit: "θ²",
    doc: "largest ‖W_{l+1}ᵀW_{l+1} − W_lW_lᵀ‖_F over neighbouring factors of a deep linear predictor; at least 0, kept \
          by gradient flow; 0 for a single factor",
    cite: "Arora, Cohen and Hazan 2018",
    needs: Needs { factors: true, parameters: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(balancedness_gap),
};

/// max ‖W_l‖_F.
pub(crate) static FACTOR_NORM_MAX: MetricDef = MetricDef {
    name: "factor_norm_max",
    unit: "θ",
    doc: "largest Frobenius norm ‖W_l‖_F of a factor of a deep linear predictor; at least 0",
    cite: "",
    needs: Needs { factors: true, parameters: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| factor_norms(probe, out, f64::max)),
};

/// min ‖W_l‖_F.
pub(crate) static FACTOR_NORM_MIN: MetricDef = MetricDef {
    name: "factor_norm_min",
    unit: "θ",
    doc: "smallest Frobenius norm ‖W_l‖_F of a factor of a deep linear predictor; at least 0",
    cite: "",
    needs: Needs { factors: true, parameters: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| factor_norms(probe, out, f64::min)),
};

fn balancedness_gap(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    for (theta, out) in probe.theta().into_iter().flatten().zip(out) {
        let factors = Tensor::matrices(probe.setting().tensors(), theta);
        let gap = |pair: &[DMatrix<f64>]| (pair[1].tr_mul(&pair[1]) - &pair[0] * pair[0].transpose()).norm();
        *out = factors.windows(2).map(gap).fold(0.0, f64::max);
    }
}

fn factor_norms(probe: &MatrixProbe<'_>, out: &mut [f64], choose: fn(f64, f64) -> f64) {
    for (theta, out) in probe.theta().into_iter().flatten().zip(out) {
        let norms = parts(probe, theta).map(|part| sum_of_squares(part).sqrt());
        *out = norms.reduce(choose).expect("a product has a factor");
    }
}

/// The tensors of θ.
fn parts<'a>(probe: &MatrixProbe<'a>, theta: &'a [f64]) -> impl Iterator<Item = &'a [f64]> {
    probe.setting().tensors().iter().scan(theta, |rest, tensor| {
        let (part, after) = rest.split_at(tensor.len());
        *rest = after;
        Some(part)
    })
}
