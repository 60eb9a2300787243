//! One file per command.

mod init;
mod list;
mod plan;
mod run;
mod show;

use crate::exit::Usage;
use crate::options::{Command, Source, Taut};
use anyhow::Result;
use clap::CommandFactory;
use std::process::ExitCode;
use taut_sweep::Plan;
use taut_sweep::study::Changes;

/// Does what was asked.
pub(crate) fn dispatch(options: Taut) -> Result<ExitCode> {
    match options.command {
        Command::Run(run) => run::run(&run),
        Command::Plan(plan) => plan::plan(&plan),
        Command::List(list) => list::list(&list),
        Command::Show(show) => show::show(&show),
        Command::Schema => print(&format!("{:#}", taut_sweep::study::json_schema())),
        Command::Init => print(init::STUDY.trim_end()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Taut::command(), "taut", &mut script);
            print(String::from_utf8(script)?.trim_end())
        }
    }
}

/// Checks a study and lays it out.
fn load(source: &Source) -> Result<Plan> {
    if source.study.is_dir() {
        return Err(Usage(format!("{} is a folder; give a study, a TOML file", source.study.display())).into());
    }
    Ok(taut_sweep::load(&source.study, &Changes { quick: source.quick, set: &source.set })?)
}

/// Says on stderr what a user should know before a run that is allowed.
#[allow(clippy::print_stderr)]
fn warn(plan: &Plan) {
    if let Some(warnings) = plan.warnings() {
        eprintln!("{warnings}");
    }
}

/// Data goes to stdout; a reader that closed its end early is not an error.
fn print(text: &str) -> Result<ExitCode> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
