//! The leave-one-out shortcut of linear smoothers.

use super::Criterion;

/// Leave-one-out as if the held-out smoother were a rank-one update.
pub(super) const CRITERION: Criterion = Criterion {
    name: "shortcut",
    column: "loo_shortcut",
    doc: "(1/n)Σ((yᵢ − ŷᵢ)/(1 − Sᵢᵢ))² with ŷ = Sy, for starts at zero; equals `loo` for ridge only",
    assumes: "a motion in closed form, from zero; not a risk estimate for descent",
    cite: "Patil, Wu and Tibshirani 2024",
    estimates_descent: false,
    estimates_ridge: true,
    needs_closed_form: true,
    score: |candidates| candidates.smoothed(|smoother, remaining| smoother.leave_one_out(remaining)),
};
