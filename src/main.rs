//! The command line: words and progress bars to people.

mod commands;
mod exit;
mod index;
mod options;
mod progress;
mod scoreboard;
mod slurm;
mod stopping;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = options::Taut::parse();
    let colour = options.colour();
    match commands::dispatch(options) {
        Ok(code) => code,
        Err(error) => exit::report(&error, colour),
    }
}
