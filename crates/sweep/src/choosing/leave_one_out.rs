//! Exact leave-one-out.

use super::{Criterion, Kind};

/// Mean squared error of each sample under the fit to all others.
pub(super) const CRITERION: Criterion = Criterion {
    name: "loo",
    column: "loo",
    doc: "exact leave-one-out, (1/n)Σ(yᵢ − f₋ᵢ(xᵢ))²: f₋ᵢ is fitted to all samples but i, at the same clock (or λ) with \
          the same start and step size, and its loss keeps 1/n with all n",
    assumes: "a motion in closed form",
    cite: "Patil, Wu and Tibshirani 2024",
    estimates_descent: true,
    estimates_ridge: true,
    needs_closed_form: true,
    score: |candidates| match candidates.kind {
        // Here the shortcut is exact, and its terms are sums over modes.
        Kind::Ridge(_) => candidates.smoothed(|smoother, remaining| smoother.leave_one_out(remaining)),
        _ => candidates.left_out_errors(),
    },
};
