//! `taut report`: one page with what a study asked and what its tables say.

use super::finished;
use super::pictures::pictures;
use super::plan::bytes;
use crate::exit::Usage;
use crate::options::{Report, Source};
use crate::scoreboard::Tally;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use taut_report::claims;
use taut_report::figure::{Budget, draw};
use taut_report::{Database, Manifest, Page, Results, page};
use taut_sweep::Folder;

const PAGE: &str = "report.html";
const FIGURES: &str = "figures";

pub(super) fn report(options: &Report) -> Result<ExitCode> {
    let results = match options.source.is_file() {
        true => of_study(options)?,
        false => finished::of_folder(&options.source, options.quick.then_some("--quick goes"))?,
    };
    let schemas: Vec<_> = results.tables().iter().map(|table| &table.schema).collect();
    let database = Database::of_results(&results)?;
    let drawings = draw(&results.manifest.figures, &database, &schemas, Budget::default());
    if let Some(folder) = &options.pictures.svg {
        return pictures(&drawings, folder, &options.pictures, options.quiet);
    }
    let verdicts = claims::evaluate(&results.manifest, &results)?;
    let (folder, name) = place(options, &results)?;
    let page = page(&results, &verdicts, &drawings, &way(&folder, results.folder().root()))?;
    let path = write(&folder, &name, &page)?;
    if !options.quiet {
        tell(&path, &page, &verdicts);
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables that a run of the study wrote, with its claims and figures as they are now.
fn of_study(options: &Report) -> Result<Results> {
    let source = Source { study: options.source.clone(), quick: options.quick, set: Vec::new() };
    let (mut results, now) = finished::of_study(&source, None)?;
    let stored = results.manifest;
    results.manifest = Manifest { program: stored.program, ..now };
    Ok(results)
}

/// The folder of the page, and its name there.
fn place(options: &Report, results: &Results) -> Result<(PathBuf, String)> {
    let Some(out) = &options.out else {
        return Ok((results.folder().root().to_path_buf(), PAGE.to_owned()));
    };
    if out.is_dir() {
        let message =
            format!("--out {} is a folder; name a file in it, such as {}", out.display(), out.join(PAGE).display());
        return Err(Usage(message).into());
    }
    let name = out.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Usage(format!("--out {} names no file", out.display())))?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((folder.to_path_buf(), name.to_owned()))
}

/// The way from the page to the tables, for links: relative, so that both can move together; ends with `/`, or is
/// empty.
fn way(page: &Path, tables: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let (page, tables) = (whole(page), whole(tables));
    let shared = page.components().zip(tables.components()).take_while(|(a, b)| a == b).count();
    let up = page.components().skip(shared).map(|_| "..".to_owned());
    let down = tables.components().skip(shared);
    let down = down.map(|part| taut_report::address(&part.as_os_str().to_string_lossy()));
    up.chain(down).map(|part| format!("{part}/")).collect()
}

fn write(folder: &Path, name: &str, page: &Page) -> Result<PathBuf> {
    let figures = Folder::at(folder.join(FIGURES));
    for (name, specification) in &page.specifications {
        figures.write_document(name, format!("{specification:#}\n").as_bytes())?;
    }
    Ok(Folder::at(folder).write_document(name, page.html.as_bytes())?)
}

#[allow(clippy::print_stderr)]
fn tell(path: &Path, page: &Page, verdicts: &claims::Verdicts) {
    let size = bytes(page.html.len());
    let figures = match page.specifications.len() {
        0 => "no figures".to_owned(),
        1 => "1 figure".to_owned(),
        count => format!("{count} figures"),
    };
    let claims =
        if verdicts.answers.is_empty() { "no claims".to_owned() } else { Tally::of_verdicts(verdicts).to_string() };
    eprintln!("{} ({size}): {claims}; {figures}", path.display());
}
