//! Figures as pictures that stand still, for papers.
//!
//! A picture is drawn from the figure's own Vega-Lite specification by the very scripts that draw it in the report,
//! in a small JavaScript engine and without a browser: one specification, one renderer, so a picture cannot differ
//! from what the report shows. What print asks for (a white ground, sizes in millimetres, a legend that leaves room
//! for the data) is laid over the specification in `sheet`.

mod lettering;
mod renderer;
mod sheet;
mod size;

pub use renderer::Renderer;
pub use size::{Length, Size};

/// A figure as SVG, with text as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The SVG document.
    pub svg: String,
    /// Width in CSS pixels, 96 to the inch.
    pub width: f64,
    /// Height in CSS pixels.
    pub height: f64,
    /// What the renderer remarked, one remark each.
    pub remarks: Vec<String>,
}

impl Picture {
    /// Width and height on paper.
    pub fn millimetres(&self) -> [f64; 2] {
        [self.width, self.height].map(size::millimetres)
    }
}

/// Why a figure could not become a picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The specification could not be drawn.
    #[error("the specification cannot be drawn: {reason}")]
    Specification {
        /// The renderer's own words.
        reason: String,
    },
    /// The specification names data that are not inside it.
    #[error("the specification reads data from {place:?}; pictures are drawn from the data inside it alone")]
    DataElsewhere {
        /// The address.
        place: String,
    },
    /// A picture so small that nothing is left for the data.
    #[error(
        "in {asked:.0} mm nothing is left for the data, beside which {taken:.0} mm are taken; \
         ask for {least:.0} mm or more"
    )]
    TooSmall {
        /// The width or height that was asked for, in millimetres.
        asked: f64,
        /// What stands beside the data.
        taken: f64,
        /// What would do.
        least: f64,
    },
    /// The engine itself failed.
    #[error("the drawing engine failed: {reason}")]
    Engine {
        /// Its own words.
        reason: String,
    },
}
