//! `taut report --svg`: every figure as a picture for papers.

use crate::exit::Usage;
use crate::options::Pictures;
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;
use taut_report::figure::{Drawing, specification};
use taut_report::figure_name;
use taut_report::pictures::{Picture, Renderer, Size};
use taut_sweep::Folder;

/// Draws what can be drawn; what cannot is told at the end, all of it.
pub(super) fn pictures(drawings: &[Drawing], folder: &Path, options: &Pictures, quiet: bool) -> Result<ExitCode> {
    if folder.is_file() {
        return Err(Usage(format!("--svg {} is a file; name a folder for the pictures", folder.display())).into());
    }
    let renderer = Renderer::new()?;
    let size = Size { width: options.width, height: options.height };
    let mut refused = Vec::new();
    for (at, drawing) in drawings.iter().enumerate() {
        let what = format!("figure {} ({})", at + 1, drawing.figure.title);
        if drawing.rows() == 0 {
            let nothing = || "nothing to draw, the query gives no row with a place in it".to_owned();
            let reason = drawing.failure.as_ref().map_or_else(nothing, ToString::to_string);
            say(quiet, &format!("{what}: {reason}"));
            continue;
        }
        match renderer.draw(&specification(drawing), size) {
            Ok(picture) => {
                let name = format!("{}.svg", figure_name(at + 1, &drawing.figure.title));
                let path = Folder::at(folder).write_document(&name, picture.svg.as_bytes())?;
                say(quiet, &told(&path, &picture, drawing));
            }
            Err(error) => refused.push(format!("{what}: {error}")),
        }
    }
    if drawings.is_empty() {
        say(quiet, "the study has no figures; add a [[figure]] to it");
    }
    match refused.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Err(Usage(refused.join("\n")).into()),
    }
}

fn told(path: &Path, picture: &Picture, drawing: &Drawing) -> String {
    let [width, height] = picture.millimetres();
    let remarks = drawing.notes.iter().chain(&picture.remarks);
    let remarks: String = remarks.map(|remark| format!("\n    {remark}")).collect();
    format!("{} ({width:.0} × {height:.0} mm){remarks}", path.display())
}

#[allow(clippy::print_stderr)]
fn say(quiet: bool, text: &str) {
    if !quiet {
        eprintln!("{text}");
    }
}
