//! How a figure looks on its own, on white paper; a report puts its own colours in the place of these.

use serde_json::{Value, json};

/// Eight colours that readers with any colour vision tell apart: Okabe and Ito's, in an order that begins with those
/// of most contrast to white, the yellow darkened for the same reason.
pub(crate) const PALETTE: [&str; 8] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5C5C66", "#9C8F00"];

/// Colours for what has an order: viridis, without its last fifth, which is too light for white paper.
const RAMP: [&str; 6] = ["#440154", "#443A83", "#31688E", "#21908C", "#35B779", "#8FD744"];

/// So many colours of the ramp, from its one end to its other.
pub(super) fn ramp(count: usize) -> Vec<String> {
    let channel = |colour: &str, at: usize| u8::from_str_radix(&colour[at..at + 2], 16).map_or(0.0, f64::from);
    let at = |place: f64| {
        let left = (place.floor() as usize).min(RAMP.len() - 2);
        let share = place - left as f64;
        let mixed = |at: usize| (1.0 - share) * channel(RAMP[left], at) + share * channel(RAMP[left + 1], at);
        format!("#{:02X}{:02X}{:02X}", mixed(1).round() as u8, mixed(3).round() as u8, mixed(5).round() as u8)
    };
    let steps = count.saturating_sub(1).max(1) as f64;
    (0..count).map(|i| at((RAMP.len() - 1) as f64 * i as f64 / steps)).collect()
}

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
