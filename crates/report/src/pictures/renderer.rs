//! Vega and Vega-Lite in a small JavaScript engine: a specification in, SVG out.
//!
//! The engine has no file, no network and no clock of its own; a specification can only draw.

use super::lettering::Face;
use super::size::{Size, fitted};
use super::{Picture, PictureError};
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Runtime};
use serde::Deserialize;
use serde_json::Value;

const VEGA: &str = include_str!("../../assets/vendor/vega.min.js");
const VEGA_LITE: &str = include_str!("../../assets/vendor/vega-lite.min.js");
const ENGINE: &str = include_str!("engine.js");
const DRAWING: &str = include_str!("drawing.js");

/// Compiling recurses with the nesting of a specification; threads of tests have two megabytes.
const STACK: usize = 1 << 20;

/// Draws specifications; loading the scripts takes a tenth of a second, so keep it for all figures of a report.
pub struct Renderer {
    runtime: Runtime,
    context: Context,
}

/// What `drawing.js` leaves behind.
#[derive(Deserialize)]
struct Outcome {
    svg: String,
    width: f64,
    height: f64,
    remarks: Vec<String>,
    failures: Vec<String>,
}

impl Renderer {
    /// A renderer with its scripts loaded.
    ///
    /// # Errors
    /// If the engine cannot start, for want of memory.
    pub fn new() -> Result<Self, PictureError> {
        let runtime = Runtime::new().map_err(|error| engine(&error))?;
        runtime.set_max_stack_size(STACK);
        let context = Context::full(&runtime).map_err(|error| engine(&error))?;
        let renderer = Self { runtime, context };
        renderer.context.with(|ctx| {
            let (regular, bold) = (Face::regular(), Face::bold());
            let width = move |text: String, heavy: bool| if heavy { bold.width(&text) } else { regular.width(&text) };
            let load = || {
                ctx.globals().set("widthOfText", Function::new(ctx.clone(), width)?)?;
                for script in [ENGINE, VEGA, VEGA_LITE, DRAWING] {
                    ctx.eval::<(), _>(script)?;
                }
                Ok(())
            };
            load().catch(&ctx).map_err(|error| PictureError::Engine { reason: said(&error) })
        })?;
        Ok(renderer)
    }

    /// Draws a Vega-Lite specification for print.
    ///
    /// # Errors
    /// If the specification is none, reads data from elsewhere, or does not fit the size.
    pub fn draw(&self, specification: &Value, size: Size) -> Result<Picture, PictureError> {
        let mut picture = fitted(specification, size, |sheet| self.svg(sheet))?;
        name(&mut picture.svg, specification);
        picture.svg.retain(is_xml);
        Ok(picture)
    }

    /// Draws a specification as it stands.
    fn svg(&self, specification: &Value) -> Result<Picture, PictureError> {
        let text = specification.to_string();
        self.context.with(|ctx| {
            let draw: Function = ctx.globals().get("draw").map_err(|error| engine(&error))?;
            draw.call::<_, ()>((text,)).catch(&ctx).map_err(|error| refused(&said(&error)))
        })?;
        // Drawing ends in promises, which only run when asked to.
        while self.runtime.is_job_pending() {
            self.runtime.execute_pending_job().map_err(|error| PictureError::Engine { reason: error.to_string() })?;
        }
        let outcome = self.context.with(|ctx| outcome(&ctx))?;
        if !outcome.failures.is_empty() {
            return Err(refused(&outcome.failures.join("; ")));
        }
        Ok(Picture { svg: outcome.svg, width: outcome.width, height: outcome.height, remarks: outcome.remarks })
    }
}

/// Writes the figure's title and description into the picture, where readers that cannot see it look for them.
fn name(svg: &mut String, specification: &Value) {
    let title = specification["title"]["text"].as_str().or(specification["title"].as_str());
    let description = specification["description"].as_str();
    let words: String = [("title", title), ("desc", description)]
        .into_iter()
        .filter_map(|(tag, text)| Some(format!("<{tag}>{}</{tag}>", escaped(text?))))
        .collect();
    if let Some(end) = svg.find('>') {
        svg.insert_str(end + 1, &words);
    }
}

/// Whether XML has this letter at all; a file with another one is none.
fn is_xml(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn outcome(ctx: &Ctx<'_>) -> Result<Outcome, PictureError> {
    let text: String = ctx.eval("JSON.stringify(outcome)").map_err(|error| engine(&error))?;
    serde_json::from_str(&text).map_err(|error| PictureError::Engine { reason: error.to_string() })
}

fn engine(error: &rquickjs::Error) -> PictureError {
    PictureError::Engine { reason: error.to_string() }
}

fn refused(reason: &str) -> PictureError {
    PictureError::Specification { reason: reason.trim().to_owned() }
}

/// The message of an exception, without the lines of scripts that it went through.
fn said(error: &CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
        other => other.to_string(),
    }
}
