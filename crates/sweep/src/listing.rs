//! What a study can name, from the static tables.

use taut_problem::{Entry, FEATURES, PARAMETRIZATIONS};
use taut_train::{OPTIMIZERS, SOLUTIONS};

/// One listed thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// Unit of its values; empty where there are none.
    pub unit: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// What it assumes (theories), or what it is not (criteria); empty elsewhere.
    pub assumes: &'static str,
    /// Where it comes from.
    pub cite: &'static str,
}

/// The kinds of things that can be listed.
pub static KINDS: [&str; 7] =
    ["metrics", "features", "parametrizations", "optimizers", "theories", "solutions", "criteria"];

/// Everything of one kind; `None` if there is no such kind.
pub fn listing(kind: &str) -> Option<Vec<Listed>> {
    let entries = |entries: &'static [Entry]| {
        entries.iter().map(|e| Listed { name: e.name, unit: "", doc: e.doc, assumes: "", cite: e.cite }).collect()
    };
    Some(match kind {
        "features" => entries(FEATURES),
        "parametrizations" => entries(PARAMETRIZATIONS),
        "optimizers" => entries(OPTIMIZERS),
        "solutions" => entries(SOLUTIONS),
        "metrics" => taut_metrics::METRICS
            .iter()
            .map(|m| Listed { name: m.name, unit: m.unit, doc: m.doc, assumes: "", cite: m.cite })
            .collect(),
        "theories" => taut_theory::THEORIES
            .iter()
            .map(|t| Listed { name: t.name, unit: "", doc: t.doc, assumes: t.assumes, cite: t.cite })
            .collect(),
        "criteria" => crate::choosing::CRITERIA
            .iter()
            .map(|c| Listed { name: c.name, unit: "y²", doc: c.doc, assumes: c.assumes, cite: c.cite })
            .collect(),
        _ => return None,
    })
}

/// The names that a study may use, for the parser's messages.
pub(crate) fn known() -> (Vec<&'static str>, Vec<&'static str>) {
    (taut_metrics::METRICS.iter().map(|m| m.name).collect(), taut_theory::THEORIES.iter().map(|t| t.name).collect())
}
