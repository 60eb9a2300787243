//! What print asks of a figure: its size on paper, a white ground, letters of a size that can be read there.

use super::lettering::FAMILY;
use super::{Picture, PictureError};
use serde_json::{Map, Value, json};

const PIXELS_PER_INCH: f64 = 96.0;
/// One column of a page in two columns.
const ONE_COLUMN: f64 = 86.0 / 25.4 * PIXELS_PER_INCH;
/// Both columns, for figures with panels side by side.
const BOTH_COLUMNS: f64 = 178.0 / 25.4 * PIXELS_PER_INCH;
/// Height of a panel in parts of its width.
const SHAPE_ALONE: f64 = 0.72;
const SHAPE_IN_ROW: f64 = 0.9;
/// A panel narrower than this shows nothing.
const NARROWEST: f64 = 40.0;
/// Two sizes of a panel at which the rest of the picture is measured.
const TRIALS: [f64; 2] = [160.0, 240.0];

/// A length on paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length {
    pixels: f64,
}

/// How large a whole picture is to be, axes and legends included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Default: one column of a page in two columns, both of them for panels side by side.
    pub width: Option<Length>,
    /// Default: by the width of the panels.
    pub height: Option<Length>,
}

impl std::str::FromStr for Length {
    type Err = String;

    /// A positive number with `mm`, `cm`, `in`, `pt` or `px`; alone it counts CSS pixels, 96 to the inch.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let number_ends = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(number_ends);
        let inches = match unit {
            "mm" => 1.0 / 25.4,
            "cm" => 1.0 / 2.54,
            "in" => 1.0,
            "pt" => 1.0 / 72.0,
            "px" | "" => 1.0 / PIXELS_PER_INCH,
            _ => return Err(format!("{unit:?} is no unit; use mm, cm, in, pt or px")),
        };
        match number.trim().parse::<f64>() {
            Ok(number) if number.is_finite() && number > 0.0 => Ok(Self { pixels: number * inches * PIXELS_PER_INCH }),
            _ => Err(format!("{text:?} is no length; try 86mm or 3.4in")),
        }
    }
}

/// Draws a specification so that the picture has its size.
///
/// What stands beside the panels (axes, titles, a legend) has a size of its own, so two trials tell the size of a
/// picture from the size of its panels, and a third draws it. Where labels change on the way, a fourth corrects it.
pub(super) fn fitted(
    specification: &Value,
    size: Size,
    draw: impl Fn(&Value) -> Result<Picture, PictureError>,
) -> Result<Picture, PictureError> {
    let mut sheet = Sheet::of(specification)?;
    if !sheet.has_size() {
        return draw(&sheet.specification);
    }
    let [small, large] = TRIALS;
    let (first, second) = (draw(sheet.sized(small, small))?, draw(sheet.sized(large, large))?);
    let across = Growth::between(first.width, second.width);
    let down = Growth::between(first.height, second.height);
    let alone = across.panels < 1.5;

    let wanted = size.width.map_or(if alone { ONE_COLUMN } else { BOTH_COLUMNS }, |width| width.pixels);
    let mut width = across.panel(wanted);
    let mut height = match size.height {
        Some(height) => down.panel(height.pixels),
        None => width * if alone { SHAPE_ALONE } else { SHAPE_IN_ROW },
    };
    for (panel, growth, asked) in [(width, &across, wanted), (height, &down, size.height.map_or(0.0, |h| h.pixels))] {
        if panel < NARROWEST {
            return Err(PictureError::TooSmall { asked, taken: growth.beside, least: growth.whole(NARROWEST) });
        }
    }
    let mut picture = draw(sheet.sized(width, height))?;
    let (over, too_tall) = (wanted - picture.width, size.height.map_or(0.0, |h| h.pixels - picture.height));
    if over.abs() > 1.0 || too_tall.abs() > 1.0 {
        width = (width + over / across.panels).max(NARROWEST);
        height = (height + too_tall / down.panels).max(NARROWEST);
        picture = draw(sheet.sized(width, height))?;
    }
    Ok(picture)
}

/// How a picture grows with its panels: `beside + panels · size`.
struct Growth {
    beside: f64,
    panels: f64,
}

impl Growth {
    fn between(small: f64, large: f64) -> Self {
        let panels = ((large - small) / (TRIALS[1] - TRIALS[0])).max(0.1);
        Self { beside: small - panels * TRIALS[0], panels }
    }

    fn panel(&self, whole: f64) -> f64 {
        (whole - self.beside) / self.panels
    }

    fn whole(&self, panel: f64) -> f64 {
        self.beside + self.panels * panel
    }
}

/// A specification in the clothes of print.
struct Sheet {
    specification: Value,
}

impl Sheet {
    fn of(specification: &Value) -> Result<Self, PictureError> {
        if let Some(place) = data_elsewhere(specification) {
            return Err(PictureError::DataElsewhere { place });
        }
        let mut specification = specification.clone();
        let Value::Object(top) = &mut specification else {
            return Err(PictureError::Specification { reason: "it is no JSON object".to_owned() });
        };
        // Only the top may say what follows.
        for key in ["width", "height", "autosize", "padding"] {
            top.remove(key);
        }
        top.insert("background".to_owned(), json!("white"));
        top.insert("padding".to_owned(), json!(2));
        merge(top.entry("config").or_insert_with(|| json!({})), &style());
        Ok(Self { specification })
    }

    /// Concatenated views have sizes of their own.
    fn has_size(&self) -> bool {
        ["hconcat", "vconcat", "concat"].iter().all(|key| self.specification.get(key).is_none())
    }

    fn sized(&mut self, width: f64, height: f64) -> &Value {
        let mut view = &mut self.specification;
        while view.get("spec").is_some_and(Value::is_object) {
            view = &mut view["spec"];
        }
        view["width"] = json!(width.round());
        view["height"] = json!(height.round());
        &self.specification
    }
}

/// 10 px are 7.5 pt on paper.
fn style() -> Value {
    json!({
        "font": FAMILY,
        "axis": {
            "labelFontSize": 10, "titleFontSize": 11, "titleFontWeight": "normal",
            "labelColor": "#222", "titleColor": "#000",
        },
        "legend": { "labelFontSize": 10, "titleFontSize": 10, "titleFontWeight": "normal", "labelColor": "#222" },
        "header": { "labelFontSize": 10, "titleFontSize": 10, "titleFontWeight": "normal", "labelColor": "#222" },
        "title": { "fontSize": 12, "anchor": "start", "color": "#000" },
    })
}

/// Lays one value over another, object by object.
fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
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
    fn lengths_have_units() {
        let pixels = |text: &str| text.parse::<Length>().expect(text).pixels;
        assert!((pixels("1in") - 96.0).abs() < 1e-9);
        assert!((pixels("25.4 mm") - 96.0).abs() < 1e-9);
        assert!((pixels("72pt") - 96.0).abs() < 1e-9);
        assert!((pixels("340") - 340.0).abs() < 1e-9);
        for bad in ["", "mm", "-3in", "0", "3 parsecs", "inf", "nan", "1e400"] {
            assert!(bad.parse::<Length>().is_err(), "{bad}");
        }
    }

    #[test]
    fn one_value_is_laid_over_another() {
        let mut under = json!({ "axis": { "grid": true, "labelFontSize": 14 } });
        merge(&mut under, &json!({ "axis": { "labelFontSize": 10 }, "font": "x" }));
        assert_eq!(under, json!({ "axis": { "grid": true, "labelFontSize": 10 }, "font": "x" }));
    }

    #[test]
    fn data_from_elsewhere_are_found_at_any_depth() {
        let layered = json!({ "layer": [{ "data": { "values": [{ "data": { "url": "a row" } }] } }, { "data": { "url": "x.csv" } }] });
        assert_eq!(data_elsewhere(&layered).as_deref(), Some("x.csv"));
        assert_eq!(data_elsewhere(&json!({ "data": { "values": [] } })), None);
    }
}
