//! How well a function does on rows that it was not fitted to.

use crate::matrix;
use crate::{MetricDef, Needs, Probe};
use taut_problem::{HeldOut, Law};

/// E(f − noise-free value)².
pub(crate) static TEST_ERROR: MetricDef = MetricDef {
    name: "test_error",
    unit: "y²",
    doc: "mean squared error against noise-free values: over the rows of data.test if there are any, else exactly \
          under the law of Gaussian data, (β − β*)ᵀΣ(β − β*) plus the variance of the signal that the features do not \
          see; for a matrix the mean over all its entries, or over the outputs of new or held-out inputs; at least 0",
    cite: "",
    needs: Needs { coefficients: true, test: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: test_error,
    of_matrix: Some(matrix::test_error),
};

/// ‖β − β*‖².
pub(crate) static ESTIMATION_ERROR: MetricDef = MetricDef {
    name: "estimation_error",
    unit: "θ²",
    doc: "‖β − β*‖², the squared distance to the best predictor in these features under the law of Gaussian data, or \
          ‖W − teacher‖²_F; at least 0",
    cite: "",
    needs: Needs { coefficients: true, law: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: estimation_error,
    of_matrix: Some(matrix::estimation_error),
};

/// Mean of (f − y)² over data.validation.
pub(crate) static VALIDATION_ERROR: MetricDef = MetricDef {
    name: "validation_error",
    unit: "y²",
    doc: "mean squared error against the noisy values of data.validation; at least 0",
    cite: "",
    needs: Needs { coefficients: true, validation: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: validation_error,
    of_matrix: None,
};

fn test_error(probe: &Probe<'_>, out: &mut [f64]) {
    let problem = probe.setting().problem();
    match (&problem.test, &problem.law) {
        (Some(test), _) => mean_squares(probe, test, out),
        (None, Some(law)) => per_row(probe, out, |beta| law.excess_risk(beta)),
        (None, None) => unreachable!("the needs are met"),
    }
}

fn estimation_error(probe: &Probe<'_>, out: &mut [f64]) {
    let law: &Law = probe.setting().problem().law.as_deref().expect("the needs are met");
    per_row(probe, out, |beta| crate::risk::squared_distance(beta, &law.predictor));
}

fn validation_error(probe: &Probe<'_>, out: &mut [f64]) {
    let rows = probe.setting().problem().validation.as_deref().expect("the needs are met");
    mean_squares(probe, rows, out);
}

fn mean_squares(probe: &Probe<'_>, rows: &HeldOut, out: &mut [f64]) {
    per_row(probe, out, |beta| rows.mean_square(beta));
}

fn per_row(probe: &Probe<'_>, out: &mut [f64], value: impl Fn(&[f64]) -> f64) {
    let functions = probe.snapshots();
    for (beta, out) in functions.coefficients.chunks_exact(functions.features.max(1)).zip(out) {
        *out = value(beta);
    }
}
