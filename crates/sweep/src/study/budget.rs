//! `[budget]`: what a run may take before it asks. No part of what a row means.

use super::checks::{Finding, finding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Positive, Steps};

/// The `[budget]` table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Hours that a run may take on the threads that it has.
    pub hours: Option<Positive>,
    /// Hours that all threads together may take.
    pub cpu_hours: Option<Positive>,
    /// What the tables may take on disk: a text such as "2 GB", or a number of bytes.
    pub disk: Option<Amount>,
    /// What a run may take of memory: a text such as "8 GB", or a number of bytes.
    pub memory: Option<Amount>,
    /// How many cells there may be.
    pub cells: Option<Steps>,
}

/// An amount of disk or memory.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Amount {
    /// Bytes.
    Bytes(Positive),
    /// A number and its unit: B, kB, MB, GB or TB.
    Text(String),
}

/// Units of an amount in bytes, the smallest first.
const UNITS: [(&str, f64); 5] = [("b", 1.0), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12)];

impl Amount {
    /// The amount in bytes; none if the text is no amount.
    pub fn bytes(&self) -> Option<f64> {
        let text = match self {
            Self::Bytes(bytes) => return Some(bytes.get()),
            Self::Text(text) => text.trim().to_lowercase(),
        };
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || ".e+".contains(c));
        let number: f64 = text[..text.len() - unit.len()].parse().ok()?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        (number > 0.0 && number.is_finite()).then_some(number * factor)
    }
}

/// Mistakes of `[budget]`.
pub(crate) fn complaints(budget: &Budget) -> Vec<Finding> {
    let amounts = [("disk", &budget.disk, "2 GB"), ("memory", &budget.memory, "8 GB")];
    let wrong = amounts.into_iter().filter_map(|(key, amount, example)| match amount {
        Some(Amount::Text(text)) if amount.as_ref().and_then(Amount::bytes).is_none() => {
            let message = format!("\"{text}\" is no amount: expected a number above 0 with B, kB, MB, GB or TB");
            Some(finding(format!("budget.{key}"), message, format!("write `{key} = \"{example}\"`")))
        }
        _ => None,
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let bytes = |text: &str| Amount::Text(text.to_owned()).bytes();
        for (text, wanted) in [("2 GB", 2e9), ("1.5MB", 1.5e6), ("7 kb", 7e3), (" 12 B ", 12.0), ("1e3 TB", 1e15)] {
            assert_eq!(bytes(text), Some(wanted), "{text}");
        }
        for text in ["", "GB", "2", "2 gigs", "-1 GB", "0 GB", "1.2.3 MB", "2 GB more", "2 G B"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
