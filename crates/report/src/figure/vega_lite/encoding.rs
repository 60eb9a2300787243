//! Channels as encodings: types, orders, scales, titles and legends.

use super::super::{Channel, Drawing, DrawnColumn, Mark, Scale};
use super::axes::{Way, axis};
use super::field::{field, text};
use super::theme::ramp;
use crate::Kind;
use serde_json::{Map, Value, json};

/// Numbers with up to this many values are shown as names in their order, each with a line in the legend.
const MOST_NAMED_NUMBERS: usize = 12;
/// As many colours as can be told apart.
const MOST_COLOURS: usize = 8;
/// Solid, and dashes that differ in length.
const DASHES: [&[u32]; 6] = [&[1, 0], &[6, 4], &[2, 3], &[10, 3, 2, 3], &[12, 4], &[2, 6]];

/// How a channel's values are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Quantitative,
    Ordinal,
    Nominal,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Quantitative => "quantitative",
            Self::Ordinal => "ordinal",
            Self::Nominal => "nominal",
        }
    }
}

/// What an axis or legend is called: what the study says, else the column's name with its unit.
pub(super) fn title(drawing: &Drawing, channel: &Channel) -> String {
    channel.title.clone().unwrap_or_else(|| column_title(drawing.column(channel)))
}

fn column_title(column: &DrawnColumn) -> String {
    let name = column.name.replace('_', " ");
    match column.unit.as_str() {
        "" | "1" => name,
        unit if unit == name || unit.trim_end_matches('s') == name => name,
        unit => format!("{name} ({unit})"),
    }
}

/// A position to the right or upwards.
pub(super) fn position(drawing: &Drawing, channel: &Channel, way: Way) -> Value {
    let column = drawing.column(channel);
    let discrete = drawing.figure.mark == Mark::Rect || !column.is_number();
    let title_shown = !discrete || channel.title.is_some() || column.is_number();
    let mut out = json!({ "field": field(&channel.column), "title": title(drawing, channel) });
    if discrete {
        let mut levels = drawing.levels(channel);
        if way == Way::Up && column.is_number() {
            levels.reverse();
        }
        out["type"] = json!(if column.is_number() { "ordinal" } else { "nominal" });
        out["sort"] = Value::from(levels);
        out["axis"] = match way {
            Way::Right => json!({ "labelAngle": if column.is_number() { 0 } else { -35 } }),
            Way::Up => json!({ "labelLimit": 220, "labelOverlap": false, "grid": drawing.figure.mark == Mark::Point }),
        };
        if !title_shown {
            // Names say themselves what they are.
            out["title"] = Value::Null;
        }
        return out;
    }
    let shown = axis(drawing, channel, way);
    out["type"] = json!("quantitative");
    out["scale"] = shown.scale;
    if shown.axis.as_object().is_some_and(|axis| !axis.is_empty()) {
        out["axis"] = shown.axis;
    }
    out
}

/// How the values of a colour are understood.
pub(super) fn colour_type(drawing: &Drawing, channel: &Channel) -> Type {
    let column = drawing.column(channel);
    let levels = drawing.levels(channel).len();
    match (drawing.figure.mark, column.is_number()) {
        (Mark::Rect, true) => Type::Quantitative,
        (_, true) if levels > MOST_NAMED_NUMBERS => Type::Quantitative,
        (_, true) => Type::Ordinal,
        (_, false) if levels > MOST_COLOURS => Type::Ordinal,
        (_, false) => Type::Nominal,
    }
}

/// A colour for every value: a palette for names, a ramp for what has an order.
pub(super) fn colour(drawing: &Drawing, channel: &Channel) -> Value {
    let kind = colour_type(drawing, channel);
    let mut out = json!({
        "field": field(&channel.column), "type": kind.name(), "title": title(drawing, channel)
    });
    if kind == Type::Quantitative {
        let mut scale = json!({ "type": scale_name(channel.scale) });
        if let Some(domain) = channel.domain {
            scale["domain"] = json!(domain);
            scale["clamp"] = json!(true);
        } else if channel.scale != Scale::Log {
            scale["zero"] = json!(channel.zero.unwrap_or(false));
        }
        out["scale"] = scale;
        return out;
    }
    let levels = drawing.levels(channel);
    let range = (kind == Type::Ordinal).then(|| ramp(levels.len()));
    out["scale"] = json!({ "domain": levels });
    if let Some(range) = range {
        out["scale"]["range"] = json!(range);
    }
    strokes(drawing, &mut out);
    out
}

/// Lines are told apart in the legend by strokes, also where dots lie on them.
fn strokes(drawing: &Drawing, encoding: &mut Value) {
    if drawing.figure.mark == Mark::Line {
        encoding["legend"] =
            json!({ "symbolType": "stroke", "symbolSize": 340, "symbolStrokeWidth": 2.5, "symbolOpacity": 1 });
    }
}

fn scale_name(scale: Scale) -> &'static str {
    match scale {
        Scale::Linear => "linear",
        Scale::Log => "log",
        Scale::Symlog => "symlog",
    }
}

/// Dashes: `trained`, or whatever comes first, is solid.
pub(super) fn dashes(drawing: &Drawing, channel: &Channel) -> Value {
    // One legend shows colours and dashes of one column, so they have one order.
    let ordering = drawing.figure.color.as_ref().filter(|colour| colour.column == channel.column).unwrap_or(channel);
    let levels = drawing.levels(ordering);
    let range: Vec<Value> = (0..levels.len()).map(|at| json!(DASHES[at % DASHES.len()])).collect();
    let mut out = json!({
        "field": field(&channel.column), "type": "nominal", "title": title(drawing, ordering),
        "scale": { "domain": levels, "range": range }
    });
    strokes(drawing, &mut out);
    out
}

/// What keeps lines apart without being seen.
pub(super) fn details(drawing: &Drawing) -> Option<Value> {
    let figure = &drawing.figure;
    let mut columns: Vec<&str> = figure.detail.iter().map(|channel| channel.column.as_str()).collect();
    // Colours of a ramp do not make lines of their own.
    if let Some(colour) = &figure.color
        && figure.mark == Mark::Line
        && colour_type(drawing, colour) == Type::Quantitative
    {
        columns.push(&colour.column);
    }
    let fields = columns.into_iter().map(|column| json!({ "field": field(column), "type": "nominal" }));
    let fields: Vec<Value> = fields.collect();
    (!fields.is_empty()).then(|| Value::from(fields))
}

/// One panel per value.
pub(super) fn facet(drawing: &Drawing, channel: &Channel) -> Value {
    let column = drawing.column(channel);
    // In brackets, because the label is put in as an expression that has a condition in it.
    let named = format!("{} + ' = ' + (datum.label)", text(&title(drawing, channel)));
    let mut header = json!({ "title": null });
    if column.kind != Kind::Text {
        header["labelExpr"] = json!(named);
    }
    json!({
        "field": field(&channel.column), "type": if column.is_number() { "ordinal" } else { "nominal" },
        "sort": drawing.levels(channel), "header": header
    })
}

/// Every column once, with its title.
pub(super) fn tooltip(drawing: &Drawing) -> Value {
    let figure = &drawing.figure;
    let channels = figure.channels();
    let mut out: Vec<Value> = Vec::new();
    for (at, column) in drawing.columns.iter().enumerate() {
        let channel = channels.iter().find(|(_, channel)| channel.column == column.name).map(|(_, channel)| *channel);
        let edge = drawing.ribbon.is_some_and(|(low, high)| at == low || at == high);
        let mut shown = Map::new();
        shown.insert("field".to_owned(), json!(field(&column.name)));
        let named = channel.map_or_else(|| column_title(column), |channel| title(drawing, channel));
        let median = drawing.ribbon.is_some() && column.name == figure.y.column;
        shown.insert("title".to_owned(), json!(if median { format!("{named}, median") } else { named }));
        if column.is_number() && (edge || channel.is_some()) {
            shown.insert("type".to_owned(), json!("quantitative"));
            shown.insert("format".to_owned(), json!(".5~g"));
        } else {
            shown.insert("type".to_owned(), json!("nominal"));
        }
        out.push(Value::Object(shown));
    }
    Value::from(out)
}
