//! Verdicts as the numbers give them: a claim holds if and only if no margin is negative, whatever the values.

use proptest::prelude::*;
use serde_json::json;
use taut_report::Results;
use taut_report::claims::{Answer, Bound, Verdict, evaluate, record};
use taut_store::{Column, ColumnType, Folder, Provenance, Rows, TableSchema};

/// Values that a metric can have, special ones often.
fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 5e-324, f64::MAX]).prop_map(Some),
        4 => (-3i32..3).prop_map(|whole| Some(f64::from(whole))),
        4 => any::<f64>().prop_map(Some),
        4 => (-2.0..2.0f64).prop_map(Some),
    ]
}

/// A bound with its keys in the manifest; its ends are often values that are measured.
fn bound() -> impl Strategy<Value = (Bound, serde_json::Value)> {
    // Numbers as people write them.
    let end = || {
        let few = (-2000i32..2000, -30i32..30).prop_map(|(digits, power)| format!("{digits}e{power}"));
        let few = few.prop_map(|written| written.parse::<f64>().expect("a number"));
        prop_oneof![(-3i32..3).prop_map(f64::from), few]
    };
    prop_oneof![
        end().prop_map(|most| (Bound::AtMost(most), json!({ "at_most": most }))),
        end().prop_map(|least| (Bound::AtLeast(least), json!({ "at_least": least }))),
        (end(), end()).prop_map(|(a, b)| {
            let (low, high) = (a.min(b), a.max(b));
            (Bound::Between(low, high), json!({ "between": [low, high] }))
        }),
        (end(), prop_oneof![Just(0.0), (0..2000i32).prop_map(|share| f64::from(share) / 1000.0)]).prop_map(
            |(value, tolerance)| {
                (Bound::Equals { value, tolerance }, json!({ "equals": value, "tolerance": tolerance }))
            }
        ),
    ]
}

/// A results folder with one row per value.
fn folder(values: &[Option<f64>], claim: &serde_json::Value, path: &std::path::Path) -> Results {
    let schema = TableSchema {
        name: "cells".to_owned(),
        columns: vec![Column::new("cell", ColumnType::Int64, "", ""), Column::new("x", ColumnType::Float64, "", "")],
    };
    let mut rows = Rows::new(&schema);
    for (cell, value) in values.iter().enumerate() {
        rows.push_int(0, Some(cell as i64));
        rows.push_float(1, *value);
    }
    let folder = Folder::at(path);
    let provenance =
        Provenance { schema_version: "4".into(), program: String::new(), study: String::new(), extra: Vec::new() };
    folder.write_part("00000", &rows, &provenance).expect("a writable folder");
    let mut claim = claim.clone();
    claim["says"] = json!("the values are inside");
    claim["sql"] = json!("SELECT cell, x FROM cells");
    claim["group_by"] = json!(["cell"]);
    let manifest = json!({
        "schema_version": "4", "semantics": "", "program": "", "fingerprint": "", "title": "", "question": "",
        "quick": false, "cells": values.len(), "parts": 1, "tables": ["cells"], "claims": [claim], "figures": [],
        "study": "",
    });
    folder.write_manifest(&manifest).expect("a writable folder");
    Results::open(path).expect("a folder of results")
}

fn holds_by_hand(bound: Bound, value: f64) -> bool {
    let (low, high) = bound.ends();
    low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high)
}

/// Whether a value lies so near an end that rounding decides.
fn is_on_the_edge(bound: Bound, value: f64) -> bool {
    let (low, high) = bound.ends();
    [low, high].into_iter().flatten().any(|end| (value - end).abs() <= 1e-13 * value.abs().max(end.abs()))
}

fn check(answer: &Answer, values: &[Option<f64>], bound: Bound) -> Result<(), TestCaseError> {
    prop_assert_eq!(answer.measured.len(), values.len());
    for (measured, value) in answer.measured.iter().zip(values) {
        let decided = value.filter(|value| !value.is_nan());
        prop_assert_eq!(measured.margin.is_some(), decided.is_some());
        prop_assert_eq!(measured.reason.is_some(), decided.is_none());
        let Some(value) = decided else {
            prop_assert_eq!(measured.verdict, Verdict::Undecided);
            continue;
        };
        let margin = measured.margin.expect("it is decided");
        prop_assert!(!margin.is_nan());
        prop_assert_eq!(measured.verdict == Verdict::Holds, margin >= 0.0, "{} {}", value, margin);
        if !is_on_the_edge(bound, value) {
            prop_assert_eq!(measured.verdict == Verdict::Holds, holds_by_hand(bound, value), "{} {}", bound, value);
        }
        let kept = measured.value.expect("it is decided");
        prop_assert!(
            kept.to_bits() == value.to_bits() || (kept - value).abs() <= 5e-9 * value.abs(),
            "{} {}",
            kept,
            value
        );
    }
    let fails = answer.measured.iter().filter_map(|measured| measured.margin).any(|margin| margin < 0.0);
    let undecided = values.iter().any(|value| value.is_none_or(f64::is_nan)) || values.is_empty();
    let expected = if fails {
        Verdict::Fails
    } else if undecided {
        Verdict::Undecided
    } else {
        Verdict::Holds
    };
    prop_assert_eq!(answer.verdict(), expected);
    let decisive = answer.decisive().expect("there is a row");
    prop_assert_eq!(decisive.verdict, expected);
    if expected != Verdict::Undecided {
        let least = answer.measured.iter().filter_map(|measured| measured.margin).fold(f64::INFINITY, f64::min);
        prop_assert_eq!(decisive.margin.expect("it is decided").to_bits(), least.to_bits());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_claim_holds_if_and_only_if_no_margin_is_negative(
        values in prop::collection::vec(value(), 1..12),
        (bound, claim) in bound(),
    ) {
        let place = tempfile::tempdir().expect("a temporary folder");
        let results = folder(&values, &claim, place.path());
        let verdicts = evaluate(&results.manifest, &results).expect("a claim that can be asked");
        prop_assert_eq!(verdicts.answers[0].bound, bound);
        check(&verdicts.answers[0], &values, bound)?;
        prop_assert_eq!(verdicts.all_hold(), verdicts.answers[0].verdict() == Verdict::Holds);
        record(&verdicts, &results).expect("a writable folder");
        let table = results.folder().read_table("claims").expect("just written");
        let kept: Vec<_> = verdicts.answers[0].measured.iter().map(|measured| measured.value.map(f64::to_bits)).collect();
        let stored: Vec<_> = table.floats("value").expect("a column").iter().map(|value| value.map(f64::to_bits)).collect();
        prop_assert_eq!(stored, kept);
    }

    #[test]
    fn a_margin_is_negative_outside_and_grows_inwards(value in -3.0..3.0f64, (bound, _) in bound()) {
        let margin = bound.margin(value);
        if !is_on_the_edge(bound, value) {
            prop_assert_eq!(margin >= 0.0, holds_by_hand(bound, value));
        }
        // One step towards the middle of the bound is a step inwards.
        let middle = match bound {
            Bound::AtMost(_) => -1e9,
            Bound::AtLeast(_) => 1e9,
            Bound::Between(low, high) => low / 2.0 + high / 2.0,
            Bound::Equals { value, .. } => value,
            Bound::Holds(_) => value,
        };
        let nearer = value + 0.25 * (middle - value);
        prop_assert!(bound.margin(nearer) >= margin - 1e-9 * margin.abs().max(1.0));
    }
}
