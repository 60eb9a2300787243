//! How well a matrix does on entries, inputs or samples that it was not fitted to.

use crate::{MatrixProbe, MetricDef, Needs};
use taut_numerics::DMatrix;
use taut_problem::{MatrixProblem, TestOver};

/// Test error over that of W = 0.
pub(crate) static TEST_ERROR_NORMALISED: MetricDef = MetricDef {
    name: "test_error_normalised",
    unit: "1",
    doc: "test_error divided by that of W = 0; at least 0, null where nothing is known of the truth",
    cite: "Lampinen and Ganguli 2019",
    needs: Needs { test: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(test_error_normalised),
};

/// E|(W − T)Px|²/outputs.
pub(crate) static TEST_ERROR_LEARNED: MetricDef = MetricDef {
    name: "test_error_learned",
    unit: "y²",
    doc: "E|(W − teacher)Px|²/outputs over new inputs, P the projection on what the samples span: the part of the test \
          error that training sees. With test_error_frozen it adds up to test_error for isotropic inputs",
    cite: "Advani and Saxe 2017",
    needs: Needs { teacher: true, unseen: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| split(probe, out, true)),
};

/// E|(W − T)(I − P)x|²/outputs.
pub(crate) static TEST_ERROR_FROZEN: MetricDef = MetricDef {
    name: "test_error_frozen",
    unit: "y²",
    doc: "E|(W − teacher)(I − P)x|²/outputs over new inputs, I − P the projection away from what the samples span: the \
          first factor never moves there, but W does through the others. Null where the samples span all inputs",
    cite: "Advani and Saxe 2017",
    needs: Needs { teacher: true, unseen: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| split(probe, out, false)),
};

/// Mean over the entries that are not observed.
pub(crate) static MSE_UNOBSERVED: MetricDef = MetricDef {
    name: "mse_unobserved",
    unit: "y²",
    doc: "mean of (W − teacher)² over the entries that are not observed; null where all are",
    cite: "Arora, Cohen, Hu and Luo 2019",
    needs: Needs { teacher: true, entries: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(mse_unobserved),
};

/// The test error of every row.
pub(crate) fn test_error(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let problem = probe.setting().problem();
    probe.per_predictor(out, |w| error(problem, w));
}

/// ‖W − teacher‖²_F of every row.
pub(crate) fn estimation_error(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let teacher = teacher(probe);
    probe.per_predictor(out, |w| (w - teacher).norm_squared());
}

fn test_error_normalised(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let problem = probe.setting().problem();
    let nothing = error(problem, &DMatrix::zeros(problem.outputs, problem.inputs));
    probe.per_predictor(out, |w| error(problem, w) / nothing);
}

fn split(probe: &MatrixProbe<'_>, out: &mut [f64], is_learned: bool) {
    let basis = probe.setting().seen_inputs().expect("the needs are met");
    let (problem, teacher) = (probe.setting().problem(), teacher(probe));
    probe.per_predictor(out, |w| {
        let off = w - teacher;
        let inside = &off * basis * basis.transpose();
        over_inputs(problem, &if is_learned { inside } else { off - inside })
    });
}

fn mse_unobserved(probe: &MatrixProbe<'_>, out: &mut [f64]) {
    let (problem, teacher) = (probe.setting().problem(), teacher(probe));
    let unseen = problem.unobserved();
    probe.per_predictor(out, |w| {
        let square = |place: &usize| (w[*place] - teacher[*place]).powi(2);
        unseen.iter().map(square).sum::<f64>() / unseen.len() as f64
    });
}

fn teacher<'a>(probe: &MatrixProbe<'a>) -> &'a DMatrix<f64> {
    probe.setting().problem().teacher.as_ref().expect("the needs are met")
}

fn error(problem: &MatrixProblem, w: &DMatrix<f64>) -> f64 {
    const KNOWN: &str = "the needs are met";
    let off = || w - problem.teacher.as_ref().expect(KNOWN);
    match &problem.test {
        TestOver::Entries => off().norm_squared() / w.len() as f64,
        TestOver::Inputs(_) => over_inputs(problem, &off()),
        TestOver::Samples(samples) => (&samples.y - w * &samples.x).norm_squared() / samples.y.len() as f64,
    }
}

/// E|Dx|²/outputs over new inputs; isotropic ones if nothing is known of them.
fn over_inputs(problem: &MatrixProblem, off: &DMatrix<f64>) -> f64 {
    let square = match &problem.test {
        TestOver::Inputs(Some(covariance)) => (off * covariance).dot(off),
        _ => off.norm_squared(),
    };
    square / problem.outputs as f64
}
