//! What a results folder says of itself.

use crate::claims::Claim;
use crate::figure::Figure;
use serde::Deserialize;

/// The part of `manifest.json` that reports read.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// The version of the tables' layout.
    pub schema_version: String,
    /// The version of the numbers.
    pub semantics: String,
    /// Program version and git revision.
    pub program: String,
    /// What the stored rows depend on, as a hash.
    pub fingerprint: String,
    /// The study's title.
    pub title: String,
    /// The study's question.
    pub question: String,
    /// Whether the tables are those of the study's small version.
    pub quick: bool,
    /// How many cells there are in the end.
    pub cells: usize,
    /// How many parts each table has in the end.
    pub parts: usize,
    /// The tables of the study.
    pub tables: Vec<String>,
    /// The hypotheses.
    pub claims: Vec<Claim>,
    /// The pictures.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// The study's text.
    pub study: String,
}
