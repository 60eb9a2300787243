//! Exit codes, and how an error becomes one.

use anyhow::Error;
use std::process::ExitCode;
use taut_report::ReportError;
use taut_sweep::study::StudyError;
use taut_sweep::{CatalogueError, RunError};

/// Usage or study is wrong; nothing was written.
pub(crate) const USAGE: u8 = 2;
/// A cell failed, or diverged without leave.
pub(crate) const CELLS: u8 = 3;
/// A claim fails or is undecided.
pub(crate) const CLAIMS: u8 = 4;
/// Stopped early; run again to go on.
pub(crate) const STOPPED: u8 = 75;

/// Prints the error on stderr and picks its code: 2 for what people can mend, 1 for the rest.
#[allow(clippy::print_stderr)]
pub(crate) fn report(error: &Error, colour: bool) -> ExitCode {
    if let Some(study) = error.downcast_ref::<StudyError>() {
        match study {
            StudyError::Invalid(mistakes) => eprintln!("{}", mistakes.render(colour)),
            other => eprintln!("error: {other}"),
        }
        return ExitCode::from(USAGE);
    }
    eprintln!("error: {error:#}");
    let mendable = error.downcast_ref::<RunError>().is_some()
        || error.downcast_ref::<ReportError>().is_some()
        || error.downcast_ref::<CatalogueError>().is_some()
        || error.downcast_ref::<Usage>().is_some();
    ExitCode::from(if mendable { USAGE } else { 1 })
}

/// The error in words, without colour.
pub(crate) fn spoken(error: &Error) -> String {
    match error.downcast_ref::<StudyError>() {
        Some(StudyError::Invalid(mistakes)) => mistakes.render(false),
        _ => format!("error: {error:#}"),
    }
}

/// A mistake on the command line that clap cannot see.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
