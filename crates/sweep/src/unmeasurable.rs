//! Metrics that a study names and that none of its cells can measure.

use crate::study::{Checked, Model, Problem, Setting};
use taut_metrics::{METRICS, MetricDef, Needs};
use taut_problem::{Completion, Data, DataFiles, Features, ParametrizationKind};

/// One mistake per metric that is named and null everywhere.
pub(crate) fn unmeasurable(checked: &Checked) -> Vec<Problem> {
    let names = checked.study.record.metrics.iter().flatten().enumerate();
    let metrics = names.filter_map(|(i, name)| Some((i, taut_metrics::metric(name)?)));
    metrics
        .filter_map(|(i, metric)| {
            let (lacks, help) = lacking(checked, metric)?;
            Some(Problem {
                key_path: format!("record.metrics.{i}"),
                message: format!("no cell of this study can measure {}: it needs {lacks}", metric.name),
                help: help.to_owned(),
                ..Problem::default()
            })
        })
        .collect()
}

/// What is measured where a study names no metric: all that some cell may be able to, but for running sums over every
/// step and for what costs much more than it is worth unasked.
pub(crate) fn measurable(checked: &Checked) -> Vec<&'static MetricDef> {
    let is_dear = |metric: &MetricDef| metric.name == "sharpness" && has_many_parameters(checked);
    let unasked = |metric: &&'static MetricDef| metric.needs.ledger || is_dear(metric);
    METRICS.iter().filter(|metric| lacking(checked, metric).is_none() && !unasked(metric)).collect()
}

/// Beyond this many parameters a row's sharpness takes milliseconds.
const MANY_PARAMETERS: usize = 2000;

/// Whether some cell that is not linear in its parameters has many of them.
fn has_many_parameters(checked: &Checked) -> bool {
    let factored = checked.model.iter().filter(|model| !model.value.parametrization.is_direct());
    let shapes = checked.data.iter().filter_map(|data| data.value.matrix_shape(data.file.as_deref()));
    let shapes: std::collections::BTreeSet<[usize; 2]> = shapes.collect();
    factored.into_iter().any(|model| {
        let kind = &model.value.parametrization;
        let many = |[inputs, outputs]: &[usize; 2]| {
            kind.misfit(*inputs, *outputs).is_none() && kind.parameters(*inputs, *outputs) > MANY_PARAMETERS
        };
        shapes.iter().any(many)
    })
}

/// What no cell has, with a remedy.
fn lacking(checked: &Checked, metric: &MetricDef) -> Option<(&'static str, &'static str)> {
    let of_matrix = metric.of_matrix.map(|_| lacking_of_matrix(checked, metric.needs));
    if of_matrix == Some(None) {
        return None;
    }
    let of_rows = if metric.needs.matrix { of_matrix.flatten() } else { lacking_of_rows(checked, metric.needs) };
    let only_matrices = checked.data.iter().all(|data| data.value.is_matrix());
    if only_matrices { of_matrix.unwrap_or(Some(NO_FUNCTION)) } else { of_rows }
}

/// Why a metric of functions has no value where everything is a matrix.
const NO_FUNCTION: (&str, &str) =
    ("a function of a row with one output", "remove it, or use `[data.curve]`, `[data.gaussian]` or `[data.table]`");

/// What no cell has whose predictor is a matrix or made of other parameters, with a remedy.
fn lacking_of_matrix(checked: &Checked, needs: Needs) -> Option<(&'static str, &'static str)> {
    let any_data = |holds: fn(&Data) -> bool| checked.data.iter().any(|data| holds(&data.value));
    let any_model = |holds: fn(&Model) -> bool| checked.model.iter().any(|model| holds(&model.value));
    let is_hadamard = |model: &Model| match &model.parametrization {
        ParametrizationKind::HadamardPower(power) => power.depth.size() == 2,
        ParametrizationKind::HadamardProduct => true,
        _ => false,
    };
    if !any_data(Data::is_matrix) && !any_model(|model| !model.parametrization.is_direct()) {
        return Some((
            "a predictor that is a matrix or made of factors",
            "use data that are a matrix, or another `parametrization`, say `{ deep-linear = { depth = 2 } }`",
        ));
    }
    if needs.factors && !any_model(|m| matches!(m.parametrization, ParametrizationKind::DeepLinear(_))) {
        return Some((
            "several factors",
            "use `parametrization = { deep-linear = { depth = 2 } }`, or remove the metric",
        ));
    }
    if needs.entries && !any_data(|data| data.completion.is_some() || data.matrices.is_some()) {
        return Some(("entries that are not observed", "use `[data.completion]`, or `[data.matrices]` with a mask"));
    }
    let shapes = || checked.data.iter().filter_map(|data| data.value.matrix_shape(data.file.as_deref()));
    if needs.square && any_data(Data::is_matrix) && shapes().all(|[inputs, outputs]| inputs != outputs) {
        return Some(("as many outputs as inputs", "use square data, or remove the metric"));
    }
    if needs.hadamard && !any_model(is_hadamard) {
        return Some((
            "a product or power entry by entry",
            "use `parametrization = { hadamard-power = { depth = 2 } }`, or remove the metric",
        ));
    }
    lacking_data_of_matrix(checked, needs)
}

/// What no data have that a metric of matrices needs.
fn lacking_data_of_matrix(checked: &Checked, needs: Needs) -> Option<(&'static str, &'static str)> {
    let any_data = |holds: fn(&Data) -> bool| checked.data.iter().any(|data| holds(&data.value));
    let is_square = |data: &Setting<Data, DataFiles>| match data.value.is_matrix() {
        true => data.value.matrix_shape(data.file.as_deref()).is_none_or(|[inputs, outputs]| inputs == outputs),
        false => checked.model.iter().any(|model| model.value.features.count(data.value.inputs()) == 1),
    };
    if needs.entries && !any_data(has_unseen_entries) {
        return Some(("entries that are not observed", "use `[data.completion]` with fewer entries, or remove it"));
    }
    if needs.teacher && !any_data(|data| data.is_matrix() || data.gaussian.is_some()) {
        return Some(("a teacher", "use data with a teacher, such as `[data.teacher]`, or remove the metric"));
    }
    if needs.unseen && !any_data(|data| data.completion.is_none() && data.sensing.is_none()) {
        return Some(("samples of inputs", "use `[data.teacher]` with few `samples`, or remove the metric"));
    }
    if needs.square && !checked.data.iter().any(is_square) {
        return Some(("a square predictor", "use data with as many outputs as inputs, or remove the metric"));
    }
    None
}

/// Whether some entries are not observed; a file may leave some out.
fn has_unseen_entries(data: &Data) -> bool {
    let entries = |completion: &Completion| completion.rows.size() * completion.columns.size();
    data.matrices.is_some() || data.completion.as_ref().is_some_and(|c| c.observed.size() < entries(c))
}

/// What no pair of data and model has, with a remedy.
fn lacking_of_rows(checked: &Checked, needs: Needs) -> Option<(&'static str, &'static str)> {
    let any_data = |holds: fn(&Data) -> bool| checked.data.iter().any(|data| holds(&data.value));
    let any_model = |holds: fn(&Model) -> bool| checked.model.iter().any(|model| holds(&model.value));
    let has_target = any_data(|data| data.curve.as_ref().is_some_and(|curve| curve.target.is_some()));
    let has_law = any_data(|data| data.gaussian.is_some()) && any_model(sees_inputs);
    let has_test = any_data(|data| data.test.is_some());
    if needs.curve && !any_data(Data::is_curve) {
        return Some(("points on a line", "use `[data.curve]`, or other metrics: `test_error` measures new rows"));
    }
    if needs.target && !has_target {
        return Some(("a known target", "give `target` in `[data.curve]`, or use other metrics"));
    }
    if needs.test && !has_test && !has_law {
        return Some(("rows to test on, or the law of the features", "add `[data.test]`, or remove the metric"));
    }
    if needs.law && !has_law {
        return Some(("the law of the features", "use `[data.gaussian]` with features \"identity\" or first-inputs"));
    }
    if needs.validation && !any_data(|data| data.validation.is_some()) {
        return Some(("rows to choose by", "add `[data.validation]`, or remove the metric"));
    }
    None
}

fn sees_inputs(model: &Model) -> bool {
    matches!(model.features, Features::Identity | Features::FirstInputs(_))
}
