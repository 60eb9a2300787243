//! Metrics that a study names and that none of its cells can measure.

use crate::study::{Checked, Model, Problem};
use taut_metrics::Needs;
use taut_problem::{Data, Features};

/// One mistake per metric that is named and null everywhere.
pub(crate) fn unmeasurable(checked: &Checked) -> Vec<Problem> {
    let names = checked.study.record.metrics.iter().flatten().enumerate();
    let metrics = names.filter_map(|(i, name)| Some((i, taut_metrics::metric(name)?)));
    metrics
        .filter_map(|(i, metric)| {
            let (lacks, help) = lacking(checked, metric.needs)?;
            Some(Problem {
                key_path: format!("record.metrics.{i}"),
                message: format!("no cell of this study can measure {}: it needs {lacks}", metric.name),
                help: help.to_owned(),
                ..Problem::default()
            })
        })
        .collect()
}

/// What no pair of data and model has, with a remedy.
fn lacking(checked: &Checked, needs: Needs) -> Option<(&'static str, &'static str)> {
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
