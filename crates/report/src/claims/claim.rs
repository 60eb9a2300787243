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
            Bound::AtMost(most)
        } else if let Some(least) = self.at_least {
            Bound::AtLeast(least)
        } else if let Some([low, high]) = self.between {
            Bound::Between(low, high)
        } else if let Some(value) = self.equals {
            Bound::Equals { value, tolerance: self.tolerance.unwrap_or(0.0) }
        } else if let Some(truth) = self.holds {
            Bound::Holds(truth)
        } else {
            Bound::Between(f64::INFINITY, f64::NEG_INFINITY)
        }
    }
}
