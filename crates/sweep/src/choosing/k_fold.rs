//! K-fold cross-validation.

use super::Criterion;

/// Mean squared error of each sample under the fit to the other folds.
pub(super) const CRITERION: Criterion = Criterion {
    name: "kfold",
    column: "kfold",
    doc: "K-fold cross-validation, the mean over all samples of (yᵢ − f(xᵢ))² with f fitted without the fold of i, at \
          the same clock (or λ) with the same start and step size, and its loss keeps 1/n with all n",
    assumes: "a motion in closed form",
    cite: "",
    estimates_descent: true,
    estimates_ridge: true,
    needs_closed_form: true,
    score: |candidates| candidates.fold_errors(),
};
