//! How a figure looks on its own, on white paper; a report puts its own colours in the place of these.

use serde_json::{Value, json};

/// Eight colours that readers with any colour vision tell apart: Okabe and Ito's, in an order that begins with those
/// of most contrast to white, the yellow darkened for the same reason.
pub(crate) const PALETTE: [&str; 8] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5C5C66", "#9C8F00"];

/// Colours for what has an order: viridis, without its last fifth, which is too light for white paper.
const RAMP: [&str; 6] = ["#440154", "#443A83", "#31688E", "#21908C", "#35B779", "#8FD744"];

const INK: &str = "#1F2328";
const MUTED: &str = "#59616B";
const RULE: &str = "#E3E5E8";

pub(super) fn config() -> Value {
    let text = json!({ "labelColor": MUTED, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal" });
    let with = |extra: Value| {
        let mut all = text.clone();
        if let (Some(all), Value::Object(extra)) = (all.as_object_mut(), extra) {
            all.extend(extra);
        }
        all
    };
    json!({
        "background": "#FFFFFF",
        "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
        "axis": with(json!({ "gridColor": RULE, "domainColor": MUTED, "tickColor": MUTED, "labelPadding": 4, "titlePadding": 8 })),
        "legend": with(json!({ "orient": "top", "direction": "horizontal", "symbolStrokeWidth": 2, "labelLimit": 280, "titleLimit": 280 })),
        "header": with(json!({ "labelColor": INK, "labelFontWeight": 600 })),
        "title": { "color": INK, "subtitleColor": MUTED, "anchor": "start", "fontSize": 15, "fontWeight": 600, "offset": 12 },
        "range": { "category": PALETTE, "ordinal": RAMP, "ramp": RAMP, "heatmap": RAMP },
        "line": { "strokeWidth": 2, "strokeJoin": "round", "strokeCap": "round" },
        "point": { "filled": true, "size": 42, "opacity": 0.85 },
        "area": { "opacity": 0.25 },
        "style": { "sample": { "color": INK }, "reference": { "stroke": INK }, "reference-label": { "fill": MUTED, "fontSize": 12 } },
        "view": { "stroke": null, "continuousWidth": 620, "continuousHeight": 340 }
    })
}
