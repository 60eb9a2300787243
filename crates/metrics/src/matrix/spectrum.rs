//! What the singular values of a predictor say of its rank.

use crate::{MatrixProbe, MetricDef, Needs};

/// ‖W‖∗.
pub(crate) static NUCLEAR_NORM: MetricDef = MetricDef {
    name: "nuclear_norm",
    unit: "y/x",
    doc: "Σ sᵢ over the singular values of the predictor W; at least 0",
    cite: "",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| by_row(probe, out, |s| s.iter().sum())),
};

/// ‖W‖₂.
pub(crate) static LARGEST_SINGULAR_VALUE: MetricDef = MetricDef {
    name: "largest_singular_value",
    unit: "y/x",
    doc: "largest singular value s₁ = ‖W‖₂ of the predictor; at least 0",
    cite: "",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| by_row(probe, out, |s| s.first().copied().unwrap_or(0.0))),
};

/// exp of the entropy of s/Σs.
pub(crate) static EFFECTIVE_RANK: MetricDef = MetricDef {
    name: "effective_rank",
    unit: "1",
    doc: "exp(−Σ qᵢ ln qᵢ) with qᵢ = sᵢ/Σs over the singular values of the predictor W; from 1 to the number of \
          singular values, 0 for W = 0",
    cite: "Roy and Vetterli 2007",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| by_row(probe, out, effective_rank)),
};

/// ‖W‖²_F/‖W‖₂².
pub(crate) static STABLE_RANK: MetricDef = MetricDef {
    name: "stable_rank",
    unit: "1",
    doc: "Σ sᵢ²/s₁² over the singular values of the predictor W; from 1 to the number of singular values, 0 for W = 0",
    cite: "Rudelson and Vershynin 2007",
    needs: Needs::MATRIX,
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| by_row(probe, out, stable_rank)),
};

fn by_row(probe: &MatrixProbe<'_>, out: &mut [f64], of: impl Fn(&[f64]) -> f64) {
    let rows = probe.singular_values().chunks_exact(probe.modes().max(1));
    rows.zip(out).for_each(|(s, out)| *out = of(s));
}

fn effective_rank(s: &[f64]) -> f64 {
    let sum: f64 = s.iter().sum();
    let entropy: f64 = s.iter().filter(|s| **s > 0.0).map(|s| -(s / sum) * (s / sum).ln()).sum();
    if sum > 0.0 { entropy.exp() } else { 0.0 * sum }
}

fn stable_rank(s: &[f64]) -> f64 {
    let sum: f64 = s.iter().map(|s| s * s).sum();
    if sum > 0.0 { sum / (s[0] * s[0]) } else { 0.0 * sum }
}
