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
    /// Numbers of the sentences that it answers.
    #[serde(default)]
    pub panel: Vec<u8>,
    /// Whether it is asked of this version of the study: the small version cannot answer every claim.
    #[serde(default = "yes")]
    pub asked: bool,
}

fn yes() -> bool {
    true
}

impl Claim {
    /// What bears it out. A study without a bound, or with several, is refused before it comes here; of several the
    /// first in the order of the documentation counts, and without one nothing bears it out.
    pub fn bound(&self) -> Bound {
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
