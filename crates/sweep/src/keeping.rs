//! What a study keeps of every cell, and whether stored rows hold all of it.

use crate::plan::Plan;
use crate::tables::BEST_BY;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The footer key with what was kept.
pub(crate) const RECORD_KEY: &str = "taut.record";

/// Lists of which more is as good.
const LISTS: [(&str, &str); 3] = [("metrics", "metric"), ("tables", "table"), ("theory", "theory")];

/// What a plan keeps of its cells, as the footers of its parts tell it.
pub(crate) fn kept(plan: &Plan) -> Json {
    let study = &plan.checked.study;
    let mut kept = json!(study.record);
    kept["metrics"] = plan.metrics.iter().map(|metric| metric.name).collect();
    // Running sums over every step are there only if the study names a metric of them.
    kept["ledger"] = plan.needs_ledger().into();
    kept["solutions"] = json!(study.solutions);
    kept["choose"] = json!(study.choose);
    // Decides about whether there are numbers at all.
    let mut leave: Vec<bool> = plan.checked.train.iter().map(|train| train.value.allow_unstable).collect();
    leave.dedup();
    kept["allow_unstable"] = json!(leave);
    kept
}

/// What was kept of the cells in a file with these footers, if it says so.
pub(crate) fn recorded(keys: &BTreeMap<String, String>) -> Option<Json> {
    keys.get(RECORD_KEY).and_then(|record| serde_json::from_str(record).ok())
}

/// What is missing in rows of which this was kept, in words; nothing if they hold all that is wanted.
pub(crate) fn lacks(kept: &Json, wanted: &Json) -> Vec<String> {
    let mut reasons = Vec::new();
    for (key, word) in LISTS {
        let lacking = names(wanted, key).filter(|name| !names(kept, key).any(|known| known == *name));
        reasons.extend(lacking.map(|name| format!("recorded without the {word} `{name}`")));
    }
    let best = |of: &Json| BEST_BY.into_iter().find(|metric| names(of, "metrics").any(|name| name == *metric));
    // The columns `best_…` look at the row that this metric chooses.
    if let (true, Some(chooser)) = (reasons.is_empty(), best(wanted).filter(|_| best(kept) != best(wanted))) {
        reasons.push(format!("recorded with the best row chosen by another metric than `{chooser}`"));
    }
    let Some(fields) = wanted.as_object() else { return reasons };
    for (key, value) in fields {
        if LISTS.iter().any(|(list, _)| list == key) || kept.get(key) == Some(value) {
            continue;
        }
        reasons.push(match key.as_str() {
            "times" | "limit" => "recorded at other times".to_owned(),
            "curves" => "recorded with curves on another grid".to_owned(),
            "solutions" | "choose" => format!("recorded with another `[{key}]`"),
            "ledger" => "recorded without sums over every step".to_owned(),
            other => format!("recorded with another `{other}`"),
        });
    }
    reasons.dedup();
    reasons
}

/// Whether rows of which this was kept hold something that would not be in rows of which that is kept.
pub(crate) fn loses(kept: &Json, wanted: &Json) -> bool {
    let is_list = |key: &String| LISTS.iter().any(|(list, _)| list == key);
    let has_gone = |key: &str| names(kept, key).any(|name| !names(wanted, key).any(|known| known == name));
    let Some(fields) = kept.as_object() else { return false };
    // A field that was not there, or said nothing, has nothing to lose.
    let says = |value: &Json| !matches!(value, Json::Null | Json::Bool(false));
    let differs =
        |(key, value): (&String, &Json)| !is_list(key) && says(value) && !is_within(value, &wanted[key.as_str()]);
    LISTS.iter().any(|(key, _)| has_gone(key)) || fields.iter().any(differs)
}

/// Whether all that one value says is said by the other.
fn is_within(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(fields), Json::Object(others)) => fields
            .iter()
            .all(|(key, value)| value.is_null() || others.get(key).is_some_and(|other| is_within(value, other))),
        (Json::Array(items), Json::Array(others)) => items.iter().all(|item| others.contains(item)),
        _ => one == other,
    }
}

/// Theories whose rows are in the store and not wanted any more.
pub(crate) fn surplus_theories(kept: &Json, wanted: &Json) -> Vec<String> {
    let unwanted = |name: &&str| !names(wanted, "theory").any(|known| known == *name);
    names(kept, "theory").filter(unwanted).map(str::to_owned).collect()
}

fn names<'a>(of: &'a Json, key: &str) -> impl Iterator<Item = &'a str> {
    of.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(metrics: &[&str], theory: &[&str], times: u64) -> Json {
        json!({ "metrics": metrics, "tables": ["modes"], "theory": theory, "times": { "geometric": times } })
    }

    #[test]
    fn more_is_as_good_and_less_says_what_is_missing() {
        let all = kept(&["train_mse", "risk"], &["a", "b"], 20);
        assert!(lacks(&all, &all).is_empty());
        assert!(lacks(&all, &kept(&["risk"], &["b"], 20)).is_empty());
        assert_eq!(surplus_theories(&all, &kept(&["risk"], &["b"], 20)), ["a"]);
        assert!(loses(&all, &kept(&["risk", "train_mse"], &["b"], 20)), "a theory");
        assert!(loses(&all, &kept(&["risk", "train_mse"], &["a", "b"], 21)), "the times");
        assert!(!loses(&kept(&["risk"], &["b"], 20), &all));
        let with = |field: Json| json!({ "metrics": [], "solutions": field });
        assert!(!loses(&with(json!({ "lasso": null, "ridge": { "at": 1 } })), &with(json!({ "ridge": { "at": 1 } }))));
        assert!(loses(&with(json!({ "ridge": { "at": 1 } })), &with(json!({ "ridge": { "at": 2 } }))));
        assert_eq!(
            lacks(&kept(&["risk"], &["b"], 20), &all),
            ["recorded without the metric `train_mse`", "recorded without the theory `a`"]
        );
        assert_eq!(lacks(&all, &kept(&["risk"], &["b"], 21)), ["recorded at other times"]);
        assert!(lacks(&all, &kept(&["train_mse"], &["b"], 20)).is_empty(), "no best row is wanted");
        let both = kept(&["risk", "test_error"], &["b"], 20);
        let other_best = lacks(&both, &kept(&["test_error"], &["b"], 20));
        assert_eq!(other_best, ["recorded with the best row chosen by another metric than `test_error`"]);
    }
}
