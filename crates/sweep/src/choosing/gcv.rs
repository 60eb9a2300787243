//! Generalised cross-validation.

use super::Criterion;

/// Mean squared residual over the squared mean of what the smoother leaves.
pub(super) const CRITERION: Criterion = Criterion {
    name: "gcv",
    column: "gcv",
    doc: "generalised cross-validation, (|y − ŷ|²/n)/(1 − df/n)², for starts at zero",
    assumes: "a motion in closed form, from zero; not a risk estimate for descent",
    cite: "Golub, Heath and Wahba 1979",
    estimates_descent: false,
    estimates_ridge: true,
    needs_closed_form: true,
    score: |candidates| candidates.smoothed(|smoother, remaining| smoother.gcv(remaining)),
};
