//! A specification in the clothes of print: a white ground, letters that can be read on paper, nothing to point at.

use super::PictureError;
use super::lettering::{FAMILY, Face};
use serde_json::{Map, Value, json};

/// Font size of labels; 10 px are 7.5 pt on paper.
const LABELS: f64 = 10.0;
/// What an entry of a legend takes beside its words: the symbol, and room on both sides.
const BESIDE_ENTRY: f64 = 34.0;
const CHANNELS_WITH_LEGEND: [&str; 4] = ["color", "strokeDash", "shape", "fill"];

/// A specification made ready for print.
pub(super) struct Sheet {
    specification: Value,
}

impl Sheet {
    /// The specification for paper of this width, in pixels.
    pub(super) fn of(specification: &Value, width: f64) -> Result<Self, PictureError> {
        if let Some(place) = data_elsewhere(specification) {
            return Err(PictureError::DataElsewhere { place });
        }
        let mut specification = specification.clone();
        let Value::Object(top) = &mut specification else {
            return Err(PictureError::Specification { reason: "it is no JSON object".to_owned() });
        };
        for key in ["width", "height", "autosize"] {
            top.remove(key);
        }
        subtitle_alone(top);
        top.insert("background".to_owned(), json!("white"));
        top.insert("padding".to_owned(), json!(2));
        still(&mut specification);
        let legends = legends(&specification);
        set_columns(&mut specification, &legends, width);
        let side_by_side = legends.iter().map(Legend::in_a_row).sum::<f64>() <= width;
        let top = specification.as_object_mut().expect("it is the object from above");
        merge(top.entry("config").or_insert_with(|| json!({})), style(side_by_side));
        Ok(Self { specification })
    }

    pub(super) fn specification(&self) -> &Value {
        &self.specification
    }

    /// Whether panels stand side by side.
    pub(super) fn has_panels(specification: &Value) -> bool {
        let facet = &specification["facet"];
        facet.get("column").is_some() || facet.get("field").is_some()
    }

    /// Whether all panels are as large; concatenated views have sizes of their own.
    pub(super) fn is_of_one_size(&self) -> bool {
        ["hconcat", "vconcat", "concat"].iter().all(|key| self.specification.get(key).is_none())
    }

    /// The specification with panels of this size, in whole pixels and no larger.
    pub(super) fn sized(&mut self, width: f64, height: f64) -> &Value {
        let mut view = &mut self.specification;
        while view.get("spec").is_some_and(Value::is_object) {
            view = &mut view["spec"];
        }
        view["width"] = json!(width.floor());
        view["height"] = json!(height.floor());
        &self.specification
    }
}

/// A paper's caption says what a figure is; what a subtitle says, such as the step that is shown, it may not know.
fn subtitle_alone(top: &mut Map<String, Value>) {
    if let Some(subtitle) = top.remove("title").and_then(|mut title| title.get_mut("subtitle").map(Value::take)) {
        top.insert("title".to_owned(), json!({ "text": subtitle }));
    }
}

/// Takes away what answers a pointer: layers that only show what is pointed at, tooltips, and controls.
fn still(value: &mut Value) {
    let points = |layer: &Value| {
        let params = layer.get("params").and_then(Value::as_array);
        params.is_some_and(|params| params.iter().any(|param| param.get("select").is_some()))
    };
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(layers)) = fields.get_mut("layer") {
                layers.retain(|layer| !points(layer));
            }
            fields.remove("tooltip");
            if let Some(Value::Array(params)) = fields.get_mut("params") {
                params.retain(|param| param.get("select").is_none());
                params.iter_mut().filter_map(Value::as_object_mut).for_each(|param| drop(param.remove("bind")));
            }
            fields.iter_mut().filter(|(key, _)| *key != "data").for_each(|(_, inner)| still(inner));
        }
        Value::Array(items) => items.iter_mut().for_each(still),
        _ => {}
    }
}

/// A legend of names.
struct Legend {
    channel: &'static str,
    entries: Vec<f64>,
}

impl Legend {
    /// Its width with all entries side by side.
    fn in_a_row(&self) -> f64 {
        self.entries.iter().sum()
    }

    /// As many entries as fit side by side.
    fn columns(&self, width: f64) -> usize {
        let widest = self.entries.iter().copied().fold(BESIDE_ENTRY, f64::max);
        ((width / widest) as usize).clamp(1, self.entries.len())
    }
}

/// The legends of a specification: of every channel that shows names in a known order.
fn legends(specification: &Value) -> Vec<Legend> {
    let face = Face::regular();
    let width = |entry: &Value| {
        let text = entry.as_str().map_or_else(|| entry.to_string(), str::to_owned);
        BESIDE_ENTRY + LABELS * face.width(&text)
    };
    let of = |channel: &'static str| {
        let domain = first_channel(specification, channel)?["scale"]["domain"].as_array()?;
        (!domain.is_empty()).then(|| Legend { channel, entries: domain.iter().map(width).collect() })
    };
    CHANNELS_WITH_LEGEND.into_iter().filter_map(of).collect()
}

/// The first encoding of a channel that shows names.
fn first_channel<'s>(value: &'s Value, channel: &str) -> Option<&'s Value> {
    let of_names = |encoding: &Value| encoding.get("field").is_some() && encoding["type"] != "quantitative";
    match value {
        Value::Object(fields) => {
            let own = fields.get("encoding").and_then(|encoding| encoding.get(channel)).filter(|e| of_names(e));
            let inner = || fields.iter().filter(|(key, _)| *key != "data").find_map(|(_, v)| first_channel(v, channel));
            own.or_else(inner)
        }
        Value::Array(items) => items.iter().find_map(|item| first_channel(item, channel)),
        _ => None,
    }
}

/// Says for every legend how many entries stand side by side.
fn set_columns(value: &mut Value, legends: &[Legend], width: f64) {
    match value {
        Value::Object(fields) => {
            for legend in legends {
                let encoding = fields.get_mut("encoding").and_then(|encoding| encoding.get_mut(legend.channel));
                if let Some(encoding) = encoding.filter(|encoding| encoding.get("field").is_some()) {
                    merge(&mut encoding["legend"], json!({ "columns": legend.columns(width) }));
                }
            }
            fields.iter_mut().filter(|(key, _)| *key != "data").for_each(|(_, v)| set_columns(v, legends, width));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| set_columns(item, legends, width)),
        _ => {}
    }
}

fn style(legends_side_by_side: bool) -> Value {
    let letters = json!({
        "labelFontSize": LABELS, "titleFontSize": LABELS, "titleFontWeight": "normal",
        "labelColor": "#222", "titleColor": "#000",
    });
    let with = |more: Value| {
        let mut all = letters.clone();
        merge(&mut all, more);
        all
    };
    let direction = if legends_side_by_side { "horizontal" } else { "vertical" };
    json!({
        "font": FAMILY,
        // Readers of a paper's source see the title and description of the picture, not a sentence for every mark.
        "aria": false,
        "axis": with(json!({ "labelPadding": 3, "titlePadding": 5, "domainWidth": 0.75, "tickWidth": 0.75, "gridWidth": 0.5 })),
        "axisXQuantitative": { "labelOverlap": true, "labelFlush": true, "grid": false },
        "axisYQuantitative": { "labelOverlap": true },
        // A bar without its name says nothing.
        "axisXDiscrete": { "labelOverlap": false },
        "axisYDiscrete": { "labelOverlap": false },
        "legend": with(json!({
            "orient": "top", "direction": "horizontal", "columnPadding": 10, "rowPadding": 1, "offset": 6,
            "symbolSize": 60, "symbolStrokeWidth": 1.5, "titlePadding": 3, "labelLimit": 280,
            "layout": { "top": { "direction": direction, "anchor": "start", "margin": 8 } },
        })),
        "header": with(json!({ "labelFontWeight": "normal", "labelPadding": 3 })),
        "title": { "fontSize": LABELS, "fontWeight": "normal", "anchor": "start", "color": "#000", "offset": 6 },
        "line": { "strokeWidth": 1.4 },
        "point": { "size": 16 },
        "style": { "reference-label": { "fontSize": LABELS } },
    })
}

/// Lays one value over another, object by object.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// The address of data that are not inside the specification.
fn data_elsewhere(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let address = |data: &Map<String, Value>| data.get("url").and_then(Value::as_str).map(str::to_owned);
            let own = fields.get("data").and_then(Value::as_object).and_then(address);
            // Rows are many, and hold no specification.
            let inner =
                || fields.iter().filter(|(key, _)| *key != "values").find_map(|(_, inner)| data_elsewhere(inner));
            own.or_else(inner)
        }
        Value::Array(items) => items.iter().find_map(data_elsewhere),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_laid_over_another() {
        let mut under = json!({ "axis": { "grid": true, "labelFontSize": 14 } });
        merge(&mut under, json!({ "axis": { "labelFontSize": 10 }, "font": "x" }));
        assert_eq!(under, json!({ "axis": { "grid": true, "labelFontSize": 10 }, "font": "x" }));
    }

    #[test]
    fn data_from_elsewhere_are_found_at_any_depth() {
        let row = json!({ "data": { "url": "a row, not an address" } });
        let layers = json!({ "layer": [{ "data": { "values": [row] } }, { "data": { "url": "x.csv" } }] });
        assert_eq!(data_elsewhere(&layers).as_deref(), Some("x.csv"));
        assert_eq!(data_elsewhere(&json!({ "data": { "values": [] } })), None);
    }

    #[test]
    fn nothing_answers_a_pointer_and_the_slider_keeps_its_value() {
        let mut figure = json!({
            "params": [{ "name": "position", "value": 3, "bind": { "input": "range" } }],
            "layer": [
                { "mark": "line", "encoding": { "tooltip": [], "x": { "field": "step" } } },
                { "mark": "point", "params": [{ "name": "near", "select": "point" }] },
            ],
        });
        still(&mut figure);
        let left = json!({
            "params": [{ "name": "position", "value": 3 }],
            "layer": [{ "mark": "line", "encoding": { "x": { "field": "step" } } }],
        });
        assert_eq!(figure, left);
    }

    #[test]
    fn a_legend_has_as_many_columns_as_fit() {
        let of = |names: &[&str]| {
            json!({
                "encoding": { "color": { "field": "basis", "type": "nominal", "scale": { "domain": names } } }
            })
        };
        let columns = |names: &[&str], width: f64| legends(&of(names))[0].columns(width);
        assert_eq!(columns(&["a", "b", "c"], 325.0), 3);
        assert_eq!(columns(&["legendre-orthonormal-w2", "b", "c"], 325.0), 2);
        assert_eq!(columns(&["legendre-orthonormal-w2", "b", "c"], 50.0), 1);
    }
}
