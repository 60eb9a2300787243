//! A claim as the manifest tells it.

use super::Bound;
use serde::Deserialize;

/// A hypothesis: a query over the study's tables with a bound on its single number.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The hypothesis in words.
    pub says: String,
    /// The query.
    pub sql: String,
    at_most: Option<f64>,
    at_least: Option<f64>,
    between: Option<[f64; 2]>,
    equals: Option<f64>,
    tolerance: Option<f64>,
    holds: Option<bool>,
    /// Columns of the query that name a group; the bound must hold in each.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Where it comes from.
    pub cite: Option<String>,
    /// The sentences of the panel that it answers.
    #[serde(default)]
    pub panel: Vec<u8>,
    quick: Option<InQuick>,
}

/// What becomes of a claim in the small version of its study.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum InQuick {
    Asked(bool),
    Bound(Keys),
}

/// The keys of a bound, of which one is there.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    at_most: Option<f64>,
    at_least: Option<f64>,
    between: Option<[f64; 2]>,
    equals: Option<f64>,
    tolerance: Option<f64>,
    holds: Option<bool>,
}

impl Claim {
    /// What bears it out, in the whole study.
    pub fn bound(&self) -> Bound {
        let Self { at_most, at_least, between, equals, tolerance, holds, .. } = *self;
        Keys { at_most, at_least, between, equals, tolerance, holds }.bound()
    }

    /// What bears it out in the small version of the study; `None` if only the whole one can answer it.
    pub fn quick_bound(&self) -> Option<Bound> {
        match self.quick {
            None | Some(InQuick::Asked(true)) => Some(self.bound()),
            Some(InQuick::Asked(false)) => None,
            Some(InQuick::Bound(keys)) => Some(keys.bound()),
        }
    }
}

impl Keys {
    /// A study without a bound, or with several, is refused before it comes here; of several the first in the order of
    /// the documentation counts, and without one nothing bears the claim out.
    fn bound(self) -> Bound {
        if let Some(most) = self.at_most {
            Bound::AtMost(as_written(most))
        } else if let Some(least) = self.at_least {
            Bound::AtLeast(as_written(least))
        } else if let Some([low, high]) = self.between {
            Bound::Between(as_written(low), as_written(high))
        } else if let Some(value) = self.equals {
            Bound::Equals { value: as_written(value), tolerance: as_written(self.tolerance.unwrap_or(0.0)) }
        } else if let Some(truth) = self.holds {
            Bound::Holds(truth)
        } else {
            Bound::Between(f64::INFINITY, f64::NEG_INFINITY)
        }
    }
}

/// A number as the study has it. The manifest's reader gets 1e-29 and its like wrong by one unit in the last place, so of a
/// number and its neighbours the one with the fewest digits is taken.
fn as_written(value: f64) -> f64 {
    let digits = |value: &f64| format!("{value:e}").len();
    [value, value.next_up(), value.next_down()].into_iter().min_by_key(digits).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_survive_the_manifest() {
        for written in ["1e-23", "1e-29", "3.5e-28", "-2.5e-45", "0.1", "0.30000000000000004", "25000000", "0", "1e300"]
        {
            let claim = format!(r#"{{ "says": "", "sql": "", "at_most": {written} }}"#);
            let claim: Claim = serde_json::from_str(&claim).expect("a claim");
            let expected: f64 = written.parse().expect("a number");
            let Bound::AtMost(most) = claim.bound() else { panic!("{written}") };
            let units = (most.to_bits() as i64 - expected.to_bits() as i64).abs();
            assert!(units <= i64::from(written.len() > 8), "{written}: {most}");
        }
    }
}
