//! A drawing as a Vega-Lite specification, whole in itself: rows, scales, titles and colours.

mod axes;
mod encoding;
mod field;
mod theme;

use super::{Channel, Drawing, Figure, Mark, Rule, Scale};
use axes::Way;
use encoding::{colour, dashes, details, facet, position, title, tooltip};
use field::{field, value_of};
use serde_json::{Map, Value, json};

const SCHEMA: &str = "https://vega.github.io/schema/vega-lite/v6.json";
/// The width of a picture that stands alone, shared by its panels.
const WIDTH: usize = 620;
const HEIGHT: usize = 340;
const LEAST_PANEL: usize = 160;
/// The height that a name beside the picture takes.
const PER_NAME: usize = 20;

/// The number of the slider's position, and the value there.
const POSITION: &str = "position";
const SHOWN: &str = "shown";

/// The specification of a drawing.
pub fn specification(drawing: &Drawing) -> Value {
    let figure = &drawing.figure;
    let panels = figure.column.as_ref().map_or(1, |channel| drawing.levels(channel).len().max(1));
    let rows = figure.row.as_ref().map_or(1, |channel| drawing.levels(channel).len().max(1));
    let mut out = json!({
        "$schema": SCHEMA,
        "title": heading(drawing),
        "description": description(drawing),
        "usermeta": { "taut": about(drawing, panels, rows) },
        "data": { "values": values(drawing) },
        "config": theme::config()
    });
    if let Some(channel) = &figure.slider {
        out["params"] = slider(drawing, channel);
        let value = value_of(&channel.column);
        out["transform"] = json!([{ "filter": format!("{value} == null || {value} == {SHOWN}") }]);
    }
    let mut picture = json!({ "layer": layers(drawing) });
    let across = panels.min(4);
    let panelled = figure.column.is_some() || figure.row.is_some();
    picture["width"] = json!(if panelled { (WIDTH / across).max(LEAST_PANEL) } else { WIDTH });
    let names = if drawing.column(&figure.y).is_number() { 0 } else { drawing.levels(&figure.y).len() };
    picture["height"] = json!((if panelled { HEIGHT * 2 / 3 } else { HEIGHT }).max(names * PER_NAME));
    if !panelled {
        merge(&mut out, picture);
        return out;
    }
    match (&figure.column, &figure.row) {
        (Some(column), None) => {
            out["facet"] = facet(drawing, column);
            out["columns"] = json!(across);
        }
        (column, row) => {
            let both = [("column", column), ("row", row)];
            let both = both.into_iter().filter_map(|(key, c)| Some((key.to_owned(), facet(drawing, c.as_ref()?))));
            out["facet"] = Value::Object(both.collect());
        }
    }
    out["spec"] = picture;
    let free = [("x", &figure.x), ("y", &figure.y)].into_iter().filter(|(_, channel)| channel.free);
    let free: Map<String, Value> = free.map(|(key, _)| (key.to_owned(), json!("independent"))).collect();
    if !free.is_empty() {
        out["resolve"] = json!({ "scale": free });
    }
    out
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

fn heading(drawing: &Drawing) -> Value {
    let figure = &drawing.figure;
    match &figure.slider {
        None => json!({ "text": figure.title }),
        Some(channel) => {
            let name = field::text(&format!("{} ", title(drawing, channel)));
            json!({ "text": figure.title, "subtitle": { "expr": format!("{name} + {SHOWN}") } })
        }
    }
}

/// What a reader who does not see the picture hears.
fn description(drawing: &Drawing) -> String {
    let figure = &drawing.figure;
    let kind = match figure.mark {
        Mark::Line => "Lines",
        Mark::Point => "Points",
        Mark::Bar => "Bars",
        Mark::Area => "Areas",
        Mark::Rect => "Cells of colour",
    };
    let by = figure.color.as_ref().map(|c| format!(", coloured by {}", title(drawing, c))).unwrap_or_default();
    format!("{}. {kind} of {} over {}{by}.", figure.title, title(drawing, &figure.y), title(drawing, &figure.x))
}

/// What a page needs to know to fit the picture into its column.
fn about(drawing: &Drawing, panels: usize, rows: usize) -> Value {
    let figure = &drawing.figure;
    let mut out = json!({
        "caption": figure.caption, "notes": drawing.notes, "sql": figure.sql,
        "panels": if figure.column.is_some() { json!(panels) } else { Value::Null },
        "rows": if figure.row.is_some() { json!(rows) } else { Value::Null },
        "words_above": figure.rules.iter().any(|rule| rule.x.is_some() && rule.title.is_some())
    });
    if let Some(channel) = &figure.slider {
        out["slider"] = json!({
            "param": POSITION, "title": title(drawing, channel), "values": drawing.levels(channel)
        });
    }
    out
}

fn values(drawing: &Drawing) -> Vec<Value> {
    let row = |row: usize| {
        let present = drawing.columns.iter().filter(|column| !column.values[row].is_null());
        Value::Object(present.map(|column| (column.name.clone(), column.values[row].clone())).collect())
    };
    (0..drawing.rows()).map(row).collect()
}

fn slider(drawing: &Drawing, channel: &Channel) -> Value {
    let levels = drawing.levels(channel);
    let last = levels.len().saturating_sub(1);
    let bind = json!({ "input": "range", "min": 0, "max": last, "step": 1, "name": title(drawing, channel) });
    json!([
        { "name": POSITION, "value": last, "bind": bind },
        { "name": SHOWN, "expr": format!("{}[{POSITION}]", Value::from(levels)) }
    ])
}

/// What is drawn, from back to front.
fn layers(drawing: &Drawing) -> Vec<Value> {
    let figure = &drawing.figure;
    let rules = figure.rules.iter().flat_map(|rule| straight(drawing, rule));
    let mut out: Vec<Value> = rules.collect();
    let shared = encoding(drawing);
    if let Some((low, high)) = drawing.ribbon {
        let mut edges = shared.clone();
        edges.insert("y".to_owned(), {
            let mut y = shared["y"].clone();
            y["field"] = json!(field(&drawing.columns[low].name));
            y
        });
        edges.insert("y2".to_owned(), json!({ "field": field(&drawing.columns[high].name) }));
        if let Some(dash) = edges.remove("strokeDash") {
            // Dashes keep ribbons apart, too, but have no meaning for them.
            let mut details = edges.get("detail").and_then(Value::as_array).cloned().unwrap_or_default();
            details.push(json!({ "field": dash["field"], "type": "nominal" }));
            edges.insert("detail".to_owned(), Value::from(details));
        }
        let mut ribbon =
            json!({ "mark": { "type": "area", "fillOpacity": 0.18, "clip": is_cut(figure) }, "encoding": edges });
        if let Some(channel) = &figure.points {
            ribbon["transform"] = json!([{ "filter": format!("{} != true", value_of(&channel.column)) }]);
        }
        out.push(ribbon);
    }
    let mut own = shared.clone();
    if figure.mark != Mark::Line {
        own.insert("tooltip".to_owned(), tooltip(drawing));
    }
    let mut main = json!({ "mark": mark(figure), "encoding": own });
    if let Some(channel) = &figure.points {
        main["transform"] = json!([{ "filter": format!("{} != true", value_of(&channel.column)) }]);
    }
    out.push(main);
    if let Some(channel) = &figure.points {
        out.extend(points(drawing, channel, &shared));
    }
    if figure.mark == Mark::Line {
        out.push(nearest(drawing, shared));
    }
    out
}

/// Rows that are points among lines, in their colour where they have one, else in that of text.
fn points(drawing: &Drawing, channel: &Channel, shared: &Map<String, Value>) -> Vec<Value> {
    let is_point = format!("{} == true", value_of(&channel.column));
    let mut coloured = shared.clone();
    for key in ["strokeDash", "order"] {
        coloured.remove(key);
    }
    let clip = is_cut(&drawing.figure);
    let mark = |style: &str| json!({ "type": "point", "filled": true, "size": 52, "opacity": 1, "clip": clip, "style": style });
    let layer = |filter: String, style: &str, encoding: Map<String, Value>| json!({ "transform": [{ "filter": filter }], "mark": mark(style), "encoding": encoding });
    let Some(colour) = &drawing.figure.color else {
        return vec![layer(is_point, "sample", coloured)];
    };
    let mut plain = coloured.clone();
    plain.remove("color");
    let value = value_of(&colour.column);
    vec![
        layer(format!("{is_point} && {value} != null"), "measured", coloured),
        layer(format!("{is_point} && {value} == null"), "sample", plain),
    ]
}

fn mark(figure: &Figure) -> Value {
    let clip = is_cut(figure);
    match figure.mark {
        Mark::Line => json!({ "type": "line", "clip": clip }),
        Mark::Point => json!({ "type": "point", "filled": true, "clip": clip }),
        Mark::Bar => json!({ "type": "bar", "clip": clip }),
        Mark::Area => json!({ "type": "area", "clip": clip, "line": true }),
        Mark::Rect => json!({ "type": "rect" }),
    }
}

/// Whether something may lie outside the frame.
fn is_cut(figure: &Figure) -> bool {
    figure.x.domain.is_some() || figure.y.domain.is_some()
}

fn encoding(drawing: &Drawing) -> Map<String, Value> {
    let figure = &drawing.figure;
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put("x", position(drawing, &figure.x, Way::Right));
    let mut y = position(drawing, &figure.y, Way::Up);
    if matches!(figure.mark, Mark::Bar | Mark::Area) {
        y["stack"] = Value::Null;
    }
    if let Some(y2) = &figure.y2 {
        put("y2", json!({ "field": field(&y2.column) }));
    } else if figure.y.scale == Scale::Log && matches!(figure.mark, Mark::Bar | Mark::Area) {
        // A bar on a log scale has no zero to stand on.
        put("y2", json!({ "datum": y["scale"]["domain"][0] }));
    }
    put("y", y);
    if let Some(channel) = &figure.color {
        put("color", colour(drawing, channel));
        let grouped = figure.mark == Mark::Bar && channel.column != figure.x.column;
        if grouped && !drawing.column(&figure.x).is_number() {
            put("xOffset", json!({ "field": field(&channel.column) }));
        }
    }
    if let Some(channel) = figure.dash() {
        put("strokeDash", dashes(drawing, channel));
    }
    if let Some(details) = details(drawing) {
        put("detail", details);
    }
    if let Some(along) = &figure.along {
        put("order", json!({ "field": field(&along.column), "type": "quantitative" }));
    }
    out
}

/// A dot at the row nearest to the pointer, which tells its values.
fn nearest(drawing: &Drawing, shared: Map<String, Value>) -> Value {
    let mut encoding = shared;
    for key in ["strokeDash", "order"] {
        encoding.remove(key);
    }
    encoding.insert("tooltip".to_owned(), tooltip(drawing));
    let opacity = json!({ "condition": { "param": "near", "empty": false, "value": 1 }, "value": 0 });
    encoding.insert("opacity".to_owned(), opacity);
    json!({
        "mark": { "type": "point", "filled": true, "size": 60, "clip": is_cut(&drawing.figure) },
        "params": [{
            "name": "near",
            "select": { "type": "point", "nearest": true, "on": "pointermove", "clear": "pointerout" }
        }],
        "encoding": encoding
    })
}

/// A straight line across the picture, and what it means.
fn straight(drawing: &Drawing, rule: &Rule) -> Vec<Value> {
    let figure = &drawing.figure;
    let mut encoding = Map::new();
    if let Some(x) = rule.x {
        let mut place = position(drawing, &figure.x, Way::Right);
        replace_field(&mut place, x);
        encoding.insert("x".to_owned(), place);
    }
    if let Some(y) = rule.y {
        let mut place = position(drawing, &figure.y, Way::Up);
        replace_field(&mut place, y);
        encoding.insert("y".to_owned(), place);
    }
    let line = json!({
        "data": { "values": [{}] },
        "mark": { "type": "rule", "style": "reference", "strokeDash": [3, 3], "opacity": 0.6 },
        "encoding": encoding
    });
    let Some(words) = &rule.title else { return vec![line] };
    let upright = rule.x.is_some();
    if upright {
        encoding.insert("y".to_owned(), json!({ "value": 0 }));
    } else {
        encoding.insert("x".to_owned(), json!({ "value": "width" }));
    }
    let to_the_left = !upright || rule.x.is_some_and(|x| beyond_the_middle(drawing, x));
    let align = if to_the_left { "right" } else { "left" };
    let (dx, dy) = match (upright, to_the_left) {
        (true, false) => (-2, -7),
        (true, true) => (2, -7),
        (false, _) => (-2, -6),
    };
    let label = json!({
        "data": { "values": [{}] },
        "mark": { "type": "text", "style": "reference-label", "text": words, "align": align, "dx": dx, "dy": dy },
        "encoding": encoding
    });
    vec![line, label]
}

/// Whether a rule is so far to the right that its words stand on its left.
fn beyond_the_middle(drawing: &Drawing, x: f64) -> bool {
    let channel = &drawing.figure.x;
    let extent = channel.domain.map(|[low, high]| (low, high)).or_else(|| drawing.extent(channel));
    let place = |value: f64| if channel.scale == Scale::Linear { value } else { value.abs().max(1e-300).ln() };
    extent.is_some_and(|(low, high)| 2.0 * place(x) > place(low) + place(high))
}

fn replace_field(encoding: &mut Value, value: f64) {
    if let Some(encoding) = encoding.as_object_mut() {
        encoding.remove("field");
        encoding.insert("datum".to_owned(), json!(value));
    }
}
