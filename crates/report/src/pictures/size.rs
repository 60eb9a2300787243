//! The size of a picture on paper: how large panels must be for the whole to be as wide and as high as asked.

use super::sheet::Sheet;
use super::{Picture, PictureError};
use serde_json::Value;

const PIXELS_PER_INCH: f64 = 96.0;
const MILLIMETRES_PER_INCH: f64 = 25.4;
/// One column of a page in two columns.
const ONE_COLUMN: f64 = 86.0 / MILLIMETRES_PER_INCH * PIXELS_PER_INCH;
/// Both columns, for figures with panels side by side.
const BOTH_COLUMNS: f64 = 178.0 / MILLIMETRES_PER_INCH * PIXELS_PER_INCH;
/// Height of a panel in parts of its width: alone or with one beside it, and among more.
const SHAPE: f64 = 0.72;
const SHAPE_IN_ROW: f64 = 0.9;
/// A panel narrower than this shows nothing.
const NARROWEST: f64 = 40.0;

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
            "mm" => 1.0 / MILLIMETRES_PER_INCH,
            "cm" => 10.0 / MILLIMETRES_PER_INCH,
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
    let default = if Sheet::has_panels(specification) { BOTH_COLUMNS } else { ONE_COLUMN };
    let width = size.width.map_or(default, |width| width.pixels).floor();
    let mut sheet = Sheet::of(specification, width)?;
    if !sheet.is_of_one_size() {
        return draw(sheet.specification());
    }
    // Panels as wide as the paper: a legend above them is narrower and does not count.
    let trials = [width, 1.25 * width];
    let mut trial = |at: f64| draw(sheet.sized(at, at)).map(|picture| (picture.width, picture.height));
    let (small, large) = (trial(trials[0])?, trial(trials[1])?);
    let across = Growth::between(trials, [small.0, large.0]);
    let down = Growth::between(trials, [small.1, large.1]);

    let mut panel = [across.panel(width)?, 0.0];
    panel[1] = match size.height {
        Some(height) => down.panel(height.pixels)?,
        None => panel[0] * if across.panels < 2.5 { SHAPE } else { SHAPE_IN_ROW },
    };
    let picture = draw(sheet.sized(panel[0], panel[1]))?;
    let missing = [width - picture.width, size.height.map_or(0.0, |height| height.pixels - picture.height)];
    // Less than a pixel of every panel is what whole pixels cost.
    if missing.iter().zip([&across, &down]).all(|(pixels, growth)| (-0.5..growth.panels + 1.0).contains(pixels)) {
        return Ok(picture);
    }
    // Down to whole pixels of every panel: a picture may be smaller than its place, not larger.
    panel[0] = panel[0].floor() + (missing[0] / across.panels).floor();
    panel[1] = panel[1].floor() + (missing[1] / down.panels).floor();
    draw(sheet.sized(panel[0].max(NARROWEST), panel[1].max(NARROWEST)))
}

/// CSS pixels on paper.
pub(super) fn millimetres(pixels: f64) -> f64 {
    pixels / PIXELS_PER_INCH * MILLIMETRES_PER_INCH
}

/// How a picture grows with its panels: `beside + panels · size`.
struct Growth {
    beside: f64,
    panels: f64,
}

impl Growth {
    fn between(panel: [f64; 2], whole: [f64; 2]) -> Self {
        // Panels that take no part of the size, such as bars of a fixed width, are not to be divided by.
        let panels = ((whole[1] - whole[0]) / (panel[1] - panel[0])).max(0.1);
        Self { beside: whole[0] - panels * panel[0], panels }
    }

    /// The size of a panel for a size of the whole.
    fn panel(&self, whole: f64) -> Result<f64, PictureError> {
        let panel = (whole - self.beside) / self.panels;
        match panel >= NARROWEST {
            true => Ok(panel),
            false => {
                let [asked, taken, least] =
                    [whole, self.beside, self.beside + self.panels * NARROWEST].map(millimetres);
                Err(PictureError::TooSmall { asked, taken, least: least.ceil() })
            }
        }
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
}
