//! The words of `[[figure]]`: a query over the study's tables, and what of it is drawn how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_problem::{Finite, Fraction, Probability};

/// A figure: a query over the study's tables, a mark, and what each channel shows.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Shown above the figure.
    pub title: String,
    /// A query over the study's tables.
    pub sql: String,
    /// What is drawn.
    #[serde(default)]
    pub mark: Mark,
    /// What runs to the right.
    pub x: Channel,
    /// What runs upwards.
    pub y: Channel,
    /// The other edge of an area.
    pub y2: Option<Channel>,
    /// What the colour shows.
    pub color: Option<Channel>,
    /// What the dashes of lines show; `trained` is always solid. Left out, lines coloured or kept apart by `source`
    /// are dashed by it.
    pub dash: Option<Channel>,
    /// What makes lines or points of their own, without a colour.
    pub detail: Option<Channel>,
    /// The order in which a line goes through its rows; default x.
    pub along: Option<Channel>,
    /// Rows for which this column of truth values is true are points instead of places of a line: data under a fit,
    /// measurements beside a theory.
    pub points: Option<Channel>,
    /// One panel per value, side by side.
    pub column: Option<Channel>,
    /// One panel per value, one below the other.
    pub row: Option<Channel>,
    /// A slider over this column's values shows their rows one after another; rows without a value stay.
    pub slider: Option<Channel>,
    /// Draw the median over replicates, with a ribbon between two quantiles.
    pub band: Option<Band>,
    /// Straight lines to compare with.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Shown below the figure.
    pub caption: Option<String>,
}

/// What a figure draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// A line through the rows, in the order of x
    #[default]
    Line,
    /// A point per row
    Point,
    /// A bar per row
    Bar,
    /// The area between y and y2
    Area,
    /// A filled cell per row
    Rect,
}

/// A column of the query, with how it is shown.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Channel {
    /// A column's name.
    Name(String),
    /// A column with its scale and title.
    Column(ScaledColumn),
}

/// A column with its scale and title.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaledColumn {
    /// The column's name.
    pub column: String,
    /// How values become positions or colours.
    #[serde(default)]
    pub scale: Scale,
    /// Shown at the axis or legend; default the column's name, with its unit where it is a table's.
    pub title: Option<String>,
    /// Whether a linear axis begins at zero; default yes for bars and areas, no for others.
    pub zero: Option<bool>,
    /// The two ends of the axis or the colours; what lies outside is left out.
    pub domain: Option<[Finite; 2]>,
    /// Texts in the order in which they are shown; those not named follow.
    #[serde(default)]
    pub order: Vec<String>,
    /// Whether every panel has an axis of its own; default no.
    #[serde(default)]
    pub free: bool,
}

/// How values become positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// In proportion
    #[default]
    Linear,
    /// By the logarithm
    Log,
    /// By the logarithm away from zero, in proportion near it
    Symlog,
}

/// The median over replicates and a ribbon between two quantiles, for each x in each line.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The column of the query that tells replicates apart, such as `seed`.
    pub over: String,
    /// The quantile at the lower edge; default 0.1.
    pub low: Option<Fraction>,
    /// The quantile at the upper edge; default 0.9.
    pub high: Option<Probability>,
}

/// A straight line across the figure, at a value of x or of y.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where an upright line stands.
    pub x: Option<Finite>,
    /// Where a level line lies.
    pub y: Option<Finite>,
    /// What it means.
    pub title: Option<String>,
}
