//! A figure as the manifest tells it.

use serde::Deserialize;

/// A figure: a query over the study's tables, a mark, and what each channel shows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Shown above the figure.
    pub title: String,
    /// The query.
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
    dash: Option<Channel>,
    /// What makes lines of their own without a colour.
    pub detail: Option<Channel>,
    /// The order in which a line goes through its rows; by x if there is none.
    pub along: Option<Channel>,
    /// Which rows of a figure of lines are points.
    pub points: Option<Channel>,
    /// One panel per value, side by side.
    pub column: Option<Channel>,
    /// One panel per value, one below the other.
    pub row: Option<Channel>,
    /// One row after another is shown, as a slider says.
    pub slider: Option<Channel>,
    /// The median over replicates with a ribbon.
    pub band: Option<Band>,
    /// Straight lines to compare with.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Shown below the figure.
    pub caption: Option<String>,
}

/// What a figure draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// A line through the rows.
    #[default]
    Line,
    /// A point per row.
    Point,
    /// A bar per row.
    Bar,
    /// The area between y and y2.
    Area,
    /// A filled cell per row.
    Rect,
}

/// A column of the query, with how it is shown.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "ChannelWords")]
pub struct Channel {
    /// The column's name.
    pub column: String,
    /// How values become positions or colours.
    pub scale: Scale,
    /// Shown at the axis or legend.
    pub title: Option<String>,
    /// Whether a linear axis begins at zero.
    pub zero: Option<bool>,
    /// The two ends of the axis or the colours.
    pub domain: Option<[f64; 2]>,
    /// Texts in the order in which they are shown.
    pub order: Vec<String>,
    /// Whether every panel has an axis of its own.
    pub free: bool,
}

/// How values become positions or colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// In proportion.
    #[default]
    Linear,
    /// By the logarithm.
    Log,
    /// By the logarithm away from zero, in proportion near it.
    Symlog,
}

/// The median over replicates and a ribbon between two quantiles.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The column that tells replicates apart.
    pub over: String,
    low: Option<f64>,
    high: Option<f64>,
}

impl Band {
    /// The quantile at the lower edge.
    pub fn low(&self) -> f64 {
        self.low.unwrap_or(0.1)
    }

    /// The quantile at the upper edge.
    pub fn high(&self) -> f64 {
        self.high.unwrap_or(0.9)
    }
}

/// A straight line across the figure, at a value of x or of y.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where an upright line stands.
    pub x: Option<f64>,
    /// Where a level line lies.
    pub y: Option<f64>,
    /// What it means.
    pub title: Option<String>,
}

/// The column that says who produced a row.
const SOURCE: &str = "source";

impl Figure {
    /// Every channel in use with the key it stands under.
    pub fn channels(&self) -> Vec<(&'static str, &Channel)> {
        let optional = [
            ("y2", &self.y2),
            ("color", &self.color),
            ("dash", &self.dash),
            ("detail", &self.detail),
            ("along", &self.along),
            ("points", &self.points),
            ("column", &self.column),
            ("row", &self.row),
            ("slider", &self.slider),
        ];
        let given = optional.into_iter().filter_map(|(key, channel)| channel.as_ref().map(|channel| (key, channel)));
        [("x", &self.x), ("y", &self.y)].into_iter().chain(given).collect()
    }

    /// What the dashes of lines show: what the study says, else a `source` that keeps lines apart.
    pub fn dash(&self) -> Option<&Channel> {
        let by_source = [&self.color, &self.detail].into_iter().flatten().find(|channel| channel.column == SOURCE);
        self.dash.as_ref().or(by_source).filter(|_| self.mark == Mark::Line)
    }

    /// The dash that the study asks for itself.
    pub(crate) fn asked_dash(&self) -> Option<&Channel> {
        self.dash.as_ref()
    }

    /// The channels whose values keep lines, points and panels apart, outermost first.
    pub(crate) fn separating(&self) -> Vec<&Channel> {
        let channels = [&self.slider, &self.row, &self.column, &self.points, &self.color];
        let inner = self.dash().into_iter().chain(&self.detail);
        let mut out: Vec<&Channel> = Vec::new();
        for channel in channels.into_iter().flatten().chain(inner) {
            if !out.iter().any(|known| known.column == channel.column) {
                out.push(channel);
            }
        }
        out
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ChannelWords {
    Name(String),
    Column(ScaledColumn),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScaledColumn {
    column: String,
    #[serde(default)]
    scale: Scale,
    title: Option<String>,
    zero: Option<bool>,
    domain: Option<[f64; 2]>,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    free: bool,
}

impl From<ChannelWords> for Channel {
    fn from(words: ChannelWords) -> Self {
        let words = match words {
            ChannelWords::Column(words) => words,
            ChannelWords::Name(column) => ScaledColumn {
                column,
                scale: Scale::Linear,
                title: None,
                zero: None,
                domain: None,
                order: Vec::new(),
                free: false,
            },
        };
        let ScaledColumn { column, scale, title, zero, domain, order, free } = words;
        Self { column, scale, title, zero, domain, order, free }
    }
}
