//! The words of a study file, as typed values.

use super::budget::Budget;
use super::figures::Figure;
use super::save_times::Times;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Data, Features, Finite, Init, NonNegative, ParametrizationKind, Steps};
use taut_train::{Solutions, Train};

/// One question, asked as a sweep of trained models.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// One line saying what the study is about.
    pub title: String,
    /// The question that it answers.
    #[serde(default)]
    pub question: String,
    /// The seed of every random stream; replicates are swept by `seed` in `[sweep]`.
    #[serde(default, deserialize_with = "whole")]
    #[schemars(with = "Steps")]
    pub seed: u64,
    /// What is fitted.
    pub data: Data,
    /// What fits it.
    pub model: Model,
    /// How the parameters move.
    pub train: Train,
    /// What is kept.
    #[serde(default)]
    pub record: Record,
    /// Other fits of the same points: rows without a time.
    #[serde(default)]
    pub solutions: Solutions,
    /// Criteria that pick a point of every path, and λ of ridge.
    pub choose: Option<Choose>,
    /// The axes: one key per swept path, their product in the order of the file, the first slowest.
    #[serde(default)]
    #[schemars(schema_with = "super::schema::sweep")]
    pub sweep: toml::Table,
    /// What a run may take before it asks.
    pub budget: Option<Budget>,
    /// What makes the small version that `--quick` runs: dotted paths with their values, as for `--set`.
    #[serde(default)]
    #[schemars(schema_with = "super::schema::quick")]
    pub quick: toml::Table,
    /// Hypotheses about the study's own tables.
    #[serde(default)]
    pub claim: Vec<Claim>,
    /// Figures of the study's own tables, drawn by `taut report`.
    #[serde(default)]
    pub figure: Vec<Figure>,
}

/// The `[model]` table.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// x ↦ φ(x).
    pub features: Features,
    /// θ ↦ β.
    #[serde(default)]
    pub parametrization: ParametrizationKind,
    /// θ₀.
    #[serde(default)]
    pub init: Init,
}

/// The `[record]` table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When to look.
    #[serde(default)]
    pub times: Times,
    /// Look at the limit t = ∞ as well; closed forms only.
    #[serde(default)]
    pub limit: bool,
    /// What to measure; left out, everything that can be measured.
    pub metrics: Option<Vec<String>>,
    /// Large tables to write as well.
    #[serde(default)]
    pub tables: Vec<TableName>,
    /// Predictions to put beside the measurements.
    #[serde(default)]
    pub theory: Vec<String>,
    /// Where the functions in the table `curves` are evaluated.
    #[serde(default)]
    pub curves: CurveGrid,
}

/// Tables that are written on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TableName {
    /// One row per mode and save time
    Modes,
    /// When each mode is half learned, and in which order
    Arrivals,
    /// Norm and balance of every factor, per save time
    Factors,
    /// The trained function on a grid, per save time
    Curves,
    /// The points to fit; `curves` brings them as well
    Samples,
    /// Every parameter, per save time
    Parameters,
    /// All eigenvalues of the Hessian in the parameters, per save time
    Hessian,
}

/// A grid on \[-1, 1\]: `points = n` equispaced ones (default 201), or explicit `x = [...]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurveGrid {
    /// How many equispaced points, both ends included; default 201.
    pub points: Option<taut_problem::Samples>,
    /// Explicit points.
    pub x: Option<Vec<Finite>>,
}

impl CurveGrid {
    /// The points.
    pub fn grid(&self) -> Vec<f64> {
        if let Some(x) = &self.x {
            return x.iter().map(|x| x.get()).collect();
        }
        let n = self.points.map_or(201, taut_problem::Samples::size);
        let last = (n - 1).max(1) as f64;
        (0..n).map(|i| -1.0 + 2.0 * i as f64 / last).collect()
    }
}

/// The `[choose]` table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// Scores of every recorded row; the row with the smallest is chosen.
    #[schemars(schema_with = "crate::choosing::names_schema")]
    pub by: Vec<String>,
    /// How many folds `kfold` makes.
    pub folds: Option<taut_problem::Samples>,
}

/// A hypothesis: a query over the study's tables with a bound on its single number.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The hypothesis in words.
    pub says: String,
    /// A query over the study's tables.
    pub sql: String,
    /// The largest value that bears the claim out.
    pub at_most: Option<Finite>,
    /// The smallest value that bears the claim out.
    pub at_least: Option<Finite>,
    /// The interval that bears the claim out, ends included.
    pub between: Option<[Finite; 2]>,
    /// The value that bears the claim out, up to `tolerance`.
    pub equals: Option<Finite>,
    /// How far from `equals` the value may be; default 0.
    pub tolerance: Option<NonNegative>,
    /// The truth value that the query must give.
    pub holds: Option<bool>,
    /// Columns of the query that name a group; the bound must hold in each.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Where the claim comes from.
    pub cite: Option<String>,
    /// Numbers of the sentences of the panel that it answers, from 1: the list is in `catalogue.toml` beside the study.
    #[serde(default)]
    #[schemars(inner(range(min = 1, max = 99)))]
    pub panel: Vec<u8>,
    /// What becomes of it in the small version of the study: `false` if only the whole study can answer it, or a
    /// bound of its own.
    pub quick: Option<InQuick>,
}

/// What becomes of a claim in the small version of its study.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum InQuick {
    /// Whether it is asked.
    Asked(bool),
    /// A bound of its own.
    Bound(Bound),
}

/// A bound by itself: the keys of a claim.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The largest value that bears the claim out.
    pub at_most: Option<Finite>,
    /// The smallest value that bears the claim out.
    pub at_least: Option<Finite>,
    /// The interval that bears the claim out, ends included.
    pub between: Option<[Finite; 2]>,
    /// The value that bears the claim out, up to `tolerance`.
    pub equals: Option<Finite>,
    /// How far from `equals` the value may be; default 0.
    pub tolerance: Option<NonNegative>,
    /// The truth value that the query must give.
    pub holds: Option<bool>,
}

impl Claim {
    /// Its bound, in the whole study.
    pub fn bound(&self) -> Bound {
        Bound {
            at_most: self.at_most,
            at_least: self.at_least,
            between: self.between,
            equals: self.equals,
            tolerance: self.tolerance,
            holds: self.holds,
        }
    }
}

fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Steps::deserialize(deserializer).map(Steps::get)
}
