//! A tiny study with claims, and what `taut check` says to them.

use super::study::Said;
use super::table;
use serde_json::Value;
use std::path::Path;

/// Six cells in one part, in less than a second.
pub const TINY: &str = r#"title = "tiny"

[data.curve]
target  = { sine = { frequency = 1 } }
samples = 8
design  = "midpoint"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9 } }

[train]
until = { steps = 100 }

[record]
metrics = ["train_mse", "risk", "bending_energy"]
times   = { linear = 5 }

[solutions]
min-norm = {}

[sweep]
seed = { count = 3 }
"model.features.polynomial.basis" = ["legendre", "chebyshev"]
"#;

/// A study with claims after it, each its keys in TOML.
pub fn with_claims(study: &str, claims: &[&str]) -> String {
    let claims: Vec<String> = claims
        .iter()
        .enumerate()
        .map(|(number, keys)| format!("\n[[claim]]\nsays = \"claim {}\"\n{keys}\n", number + 1))
        .collect();
    format!("{study}{}", claims.concat())
}

/// The verdicts in the JSON of `taut check` or `taut run`.
pub fn verdicts(json: &Value) -> Vec<String> {
    let claims = json["claims"].as_array().expect("a list of claims");
    claims.iter().map(|claim| claim["verdict"].as_str().expect("a word").to_owned()).collect()
}

/// Expects the table `claims` to hold what the JSON says, group by group.
#[track_caller]
pub fn table_says_the_same(out: &Path, said: &Said) {
    let table = table(out, "claims");
    let texts = |name: &str| table.texts(name).expect("a column of texts");
    let floats = |name: &str| table.floats(name).expect("a column of numbers");
    let (numbers, says, group) = (table.ints("claim").expect("numbers"), texts("says"), texts("group"));
    let (value, margin, lower, upper) = (floats("value"), floats("margin"), floats("lower"), floats("upper"));
    let (verdict, reason, cite) = (texts("verdict"), texts("reason"), texts("cite"));
    let mut row = 0;
    for (number, claim) in said.json()["claims"].as_array().expect("a list").iter().enumerate() {
        for measured in claim["groups"].as_array().expect("a list") {
            let place = format!("row {row}: {claim}");
            assert_eq!(numbers[row], Some(number as i64 + 1), "{place}");
            assert_eq!(says[row].as_deref(), claim["says"].as_str(), "{place}");
            assert_eq!(group[row].as_deref(), measured["group"].as_str(), "{place}");
            assert_eq!(verdict[row].as_deref(), measured["verdict"].as_str(), "{place}");
            assert_eq!(reason[row].as_deref(), measured["reason"].as_str(), "{place}");
            assert_eq!(cite[row].as_deref(), claim["cite"].as_str(), "{place}");
            for (column, told) in [
                (&value, &measured["value"]),
                (&margin, &measured["margin"]),
                (&lower, &claim["lower"]),
                (&upper, &claim["upper"]),
            ] {
                assert_eq!(column[row].map(f64::to_bits), number_of(told).map(f64::to_bits), "{place}: {told}");
            }
            row += 1;
        }
    }
    assert_eq!(table.rows(), row, "the table has rows of no claim");
}

/// A number of the JSON; those that JSON does not know are texts.
fn number_of(told: &Value) -> Option<f64> {
    told.as_f64().or_else(|| told.as_str().map(|text| text.parse().expect("inf, -inf or NaN")))
}
