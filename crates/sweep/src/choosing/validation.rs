//! A separate validation set.

use super::Criterion;

/// Mean squared error on the rows of `[data.validation]`.
pub(super) const CRITERION: Criterion = Criterion {
    name: "validation",
    column: "validation",
    doc: "mean squared error on the noisy values of the validation set, in expectation for moments; null without one",
    assumes: "a validation set",
    cite: "",
    estimates_descent: true,
    estimates_ridge: true,
    needs_closed_form: false,
    score: |candidates| {
        let held_out = candidates.problem.validation.as_ref()?;
        let p = candidates.problem.feature_count();
        let mut spreads = candidates.covariances.chunks_exact(p * p).map(|covariance| held_out.mean_spread(covariance));
        let score = |beta: &[f64]| held_out.mean_square(beta) + spreads.next().unwrap_or(0.0);
        (!candidates.predictors.is_empty()).then(|| candidates.predictors.chunks_exact(p).map(score).collect())
    },
};

#[cfg(test)]
mod tests {
    use super::CRITERION;
    use crate::choosing::{Candidates, Kind, Refits};
    use std::sync::Arc;
    use taut_numerics::{DMatrix, ThinSvd};
    use taut_problem::{HeldOut, Identity, Regression};

    #[test]
    fn validation_is_the_mean_squared_error_on_other_rows() {
        let inputs = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 1.0]);
        let mut problem = Regression::from_inputs(&inputs, vec![0.0, 0.0], Arc::new(Identity { count: 2 }));
        let held_out = HeldOut { design: DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, -1.0]), y: vec![1.0, 0.0] };
        problem.validation = Some(Arc::new(held_out));
        let svd = ThinSvd::new(problem.design.as_view());
        let refits = Refits::new(2, None, 0, 0);
        let scores = |problem: &Regression| {
            let predictors = &[0.0, 0.0, 2.0, 1.0];
            (CRITERION.score)(&Candidates {
                problem,
                svd: &svd,
                refits: &refits,
                predictors,
                covariances: &[],
                kind: Kind::Other,
            })
        };
        // β = 0: (1 + 0)/2; β = (2, 1): values 3 and 1, errors 2 and 1.
        assert_eq!(scores(&problem), Some(vec![0.5, 2.5]));
        problem.validation = None;
        assert_eq!(scores(&problem), None);
    }
}
