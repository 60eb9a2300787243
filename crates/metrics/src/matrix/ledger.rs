//! How far sums over every step are from what they are equal to.

use crate::{MatrixProbe, MetricDef, Needs};

/// max_l ‖D_l(k) − D_l(0) − Σ‖.
pub(crate) static BALANCEDNESS_IDENTITY_ERROR: MetricDef = MetricDef {
    name: "balancedness_identity_error",
    unit: "θ²",
    doc: "max over l of ‖D_l(k) − D_l(0) − Σ η²(G_{l+1}ᵀG_{l+1} − G_lG_lᵀ)‖_F with D_l = W_{l+1}ᵀW_{l+1} − W_lW_lᵀ and \
          G_l = ∂L/∂W_l, summed over every step: rounding for descent of factors at any step size; null for other \
          motions",
    cite: "Arora, Cohen and Hazan 2018",
    needs: Needs { ledger: true, factors: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| from_ledger(probe, out, BALANCEDNESS_IDENTITY_ERROR.name)),
};

/// max_i |ln(uᵢvᵢ) − ln αᵢ² − Σ|.
pub(crate) static EFFECTIVE_ALPHA_IDENTITY_ERROR: MetricDef = MetricDef {
    name: "effective_alpha_identity_error",
    unit: "1",
    doc: "for β = u² − v², the largest over entries of |ln(uv) − ln(u₀v₀) − Σ ln(1 − 4η²g²)| and of \
          |ln(u/v) − ln(u₀/v₀) + 2Σ artanh(2ηg)|, with g = ∂L/∂β as each update sees it, summed over every step: \
          rounding for descent, on drawn rows and labels too, at any step size; null for other motions",
    cite: "Even et al. 2023",
    needs: Needs { ledger: true, hadamard: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| from_ledger(probe, out, EFFECTIVE_ALPHA_IDENTITY_ERROR.name)),
};

fn from_ledger(probe: &MatrixProbe<'_>, out: &mut [f64], name: &str) {
    probe.ledger(name).into_iter().flatten().zip(out).for_each(|(number, out)| *out = number);
}
