//! One file per command.

mod budget;
mod catalogue;
mod cell_table;
mod check;
mod collect;
mod costs;
mod diff;
mod finished;
mod init;
mod list;
mod pictures;
mod plan;
mod report;
mod reproduce;
mod run;
mod show;
mod status;
mod submit;
mod verdicts;
mod verify;
mod why;

use crate::exit::Usage;
use crate::options::{Command, Source, Taut};
use anyhow::Result;
use clap::CommandFactory;
use std::process::ExitCode;
use taut_report::{Database, Finding};
use taut_sweep::Plan;
use taut_sweep::study::{Changes, Diagnostics, Problem, Severity, StudyError};

/// Does what was asked.
pub(crate) fn dispatch(options: Taut) -> Result<ExitCode> {
    match options.command {
        Command::Run(run) => run::run(&run),
        Command::Collect(collect) => collect::collect(&collect),
        Command::Status(status) => status::status(&status),
        Command::Verify(verify) => verify::verify(&verify),
        Command::Diff(diff) => diff::diff(&diff),
        Command::Check(check) => check::check(&check),
        Command::Report(report) => report::report(&report),
        Command::Reproduce(reproduce) => reproduce::reproduce(&reproduce),
        Command::Catalogue(catalogue) => catalogue::catalogue(&catalogue),
        Command::Submit(submit) => submit::submit(&submit),
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

/// Checks a study with its claims and figures, and lays it out.
fn load(source: &Source) -> Result<Plan> {
    laid_out(source).map(|(plan, _)| plan)
}

/// The same, and says on stderr what a user should know before a run that is allowed.
#[allow(clippy::print_stderr)]
fn load_with_warnings(source: &Source) -> Result<Plan> {
    let (plan, unanswerable) = laid_out(source)?;
    for warnings in plan.study().warnings().into_iter().chain(plan.warnings()).chain(unanswerable) {
        eprintln!("{warnings}");
    }
    Ok(plan)
}

/// A plan, and the claims and figures that a variant of its study cannot answer.
fn laid_out(source: &Source) -> Result<(Plan, Option<Diagnostics>)> {
    if source.study.is_dir() {
        return Err(Usage(format!("{} is a folder; give a study, a TOML file", source.study.display())).into());
    }
    let plan = taut_sweep::load(&source.study, &Changes { quick: source.quick, set: &source.set })?;
    // A variant by `--set` may lack what the study's claims are about; it is told so, and runs.
    let severity = if source.set.is_empty() { Severity::Error } else { Severity::Warning };
    match unanswerable(&plan, severity)? {
        Some(mistakes) if severity == Severity::Error => Err(StudyError::Invalid(mistakes).into()),
        warnings => Ok((plan, warnings)),
    }
}

/// Asks what the study's claims and figures would ask, of tables without rows: a typo is found before the first step.
fn unanswerable(plan: &Plan, severity: Severity) -> Result<Option<Diagnostics>> {
    let manifest = finished::manifest(plan)?;
    let database = Database::of_schemas(plan.tables(), plan.unrecorded());
    let mut findings = taut_report::claims::resolve(&manifest.claims, &database);
    findings.extend(taut_report::figure::resolve(&manifest.figures, &database));
    let problem =
        |Finding { path, word, message, help }| (None, Problem { severity, key_path: path, word, message, help });
    let problems: Vec<_> = findings.into_iter().map(problem).collect();
    Ok((!problems.is_empty()).then(|| plan.study().diagnostics(problems)))
}

/// Data goes to stdout; a reader that closed its end early is not an error.
fn print(text: &str) -> Result<ExitCode> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
