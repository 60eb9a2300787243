//! `taut run`: the cells that are missing, into a folder of tables.

use super::budget::{self, Means};
use super::{load, load_with_warnings, plan::bytes, print, verdicts};
use crate::exit::{CELLS, STOPPED, Usage};
use crate::options::{Run, Source};
use crate::progress::Display;
use crate::stopping::stop_on_signals;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use taut_report::claims::Verdicts;
use taut_sweep::{Folder, Plan, RunError, RunOptions, RunReport, Writing};

/// What a run has come to.
pub(super) struct Ran {
    pub(super) report: RunReport,
    /// Of the study's claims, once all of it is there.
    pub(super) verdicts: Option<Verdicts>,
    pub(super) seconds: f64,
}

pub(super) fn run(options: &Run) -> Result<ExitCode> {
    let plan = Arc::new(if options.quiet { load(&options.source)? } else { load_with_warnings(&options.source)? });
    let folder = Folder::at(match &options.out {
        Some(out) => out.clone(),
        None => default_folder(&options.source)?,
    });
    let how = RunOptions {
        shard: options.shard,
        retry_failed: options.retry_failed,
        max_failures: options.fail_fast.then_some(0).or(options.max_failures),
        ..how(options.threads, options.force)
    };
    budget::ask(&plan, &folder, &Means::of(&how), options.yes)?;
    // Until here nothing is lost, and a question on the terminal can be left by Ctrl-C.
    let stop = stop_on_signals()?;
    let ran = match compute(&plan, &folder, &how, options.quiet, &stop) {
        Err(error) if matches!(error.downcast_ref(), Some(RunError::Locked { .. })) => {
            complain(&error);
            return Ok(ExitCode::from(STOPPED));
        }
        ran => ran?,
    };
    if !options.quiet {
        tell(&plan, &folder, &ran);
    }
    if options.json {
        print(&json(&plan, &folder, &ran).to_string())?;
    }
    if !options.quiet
        && let Some(verdicts) = &ran.verdicts
    {
        verdicts::tell(verdicts);
    }
    Ok(exit_code(&plan, &ran, options.check))
}

/// How to run: with so many threads, or as many as Slurm gave, or one per core.
pub(super) fn how(threads: Option<u16>, force: bool) -> RunOptions {
    let threads = threads.or_else(slurm_cpus).map(usize::from);
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    RunOptions {
        threads,
        force,
        shard: None,
        retry_failed: false,
        max_failures: None,
        program: taut_sweep::PROGRAM.to_owned(),
        host: host(),
        checkpoint_after: taut_sweep::CHECKPOINT_AFTER,
    }
}

/// The cores of this task under Slurm, which does not everywhere keep a program off the others.
fn slurm_cpus() -> Option<u16> {
    let cpus = std::env::var("SLURM_CPUS_PER_TASK").ok()?.parse().ok()?;
    (cpus > 0).then_some(cpus)
}

/// Computes what is missing, and asks the tables what they say to the claims.
pub(super) fn compute(
    plan: &Arc<Plan>,
    folder: &Folder,
    how: &RunOptions,
    quiet: bool,
    stop: &AtomicBool,
) -> Result<Ran> {
    let display = Display::new(quiet);
    let began = Instant::now();
    let outcome = taut_sweep::run(plan, folder, how, &display.progress(), stop);
    display.end();
    let report = outcome?;
    let seconds = began.elapsed().as_secs_f64();
    let is_whole = !report.stopped && !report.gave_up && how.shard.is_none();
    let verdicts = if is_whole { Some(verdicts::read_off(folder)?) } else { None };
    Ok(Ran { report, verdicts, seconds })
}

/// Where the results of a study go unless told otherwise.
pub(super) fn default_folder(source: &Source) -> Result<PathBuf> {
    let stem = source.study.file_stem();
    let stem = stem.ok_or_else(|| Usage(format!("{} names no file", source.study.display())))?;
    Ok(default_root(source.quick).join(stem))
}

/// Where the results of all studies go unless told otherwise, a folder each.
pub(super) fn default_root(quick: bool) -> PathBuf {
    PathBuf::from(if quick { "results/quick" } else { "results" })
}

#[allow(clippy::print_stderr)]
fn complain(error: &anyhow::Error) {
    eprintln!("{error:#}");
}

fn host() -> String {
    std::fs::read_to_string("/etc/hostname").map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// Cells that failed, or diverged without leave.
pub(super) fn bad_cells(plan: &Plan, report: &RunReport) -> usize {
    report.failed + if plan.allows_divergence() { 0 } else { report.diverged }
}

/// The first of: stopped, a bad cell, a claim that does not hold where that was asked.
fn exit_code(plan: &Plan, ran: &Ran, check: bool) -> ExitCode {
    match &ran.verdicts {
        _ if ran.report.stopped => ExitCode::from(STOPPED),
        _ if ran.report.gave_up || bad_cells(plan, &ran.report) > 0 => ExitCode::from(CELLS),
        Some(verdicts) if check => verdicts::exit_code(verdicts),
        _ => ExitCode::SUCCESS,
    }
}

fn json(plan: &Plan, folder: &Folder, Ran { report, verdicts, seconds }: &Ran) -> serde_json::Value {
    serde_json::json!({
        "schema": "taut.run/1",
        "title": plan.study().study.title,
        "folder": folder.root().display().to_string(),
        "cells": report.cells,
        "computed": report.computed,
        "reused": report.reused,
        "diverged": report.diverged,
        "failed": report.failed,
        "reasons": report.reasons,
        "stopped": report.stopped,
        "gave_up": report.gave_up,
        "unusable": report.unusable,
        "bytes": report.bytes,
        "claims": verdicts.as_ref().map(verdicts::json),
        "wall_seconds": seconds,
        "spent_seconds": report.spent.by_purpose().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "writing_seconds": report.writing.seconds,
        "waited_for_writing_seconds": report.writing.waited,
    })
}

/// Shares of the time of all threads, the largest first; what has less than a hundredth is told together.
fn where_time_went(report: &RunReport) -> String {
    let mut purposes = report.spent.by_purpose();
    purposes.push(("writing", report.writing.seconds));
    let all: f64 = purposes.iter().map(|(_, seconds)| seconds).sum();
    let share = |seconds: f64| 100.0 * seconds / all.max(f64::MIN_POSITIVE);
    let is_told = |(name, seconds): &(&str, f64)| share(*seconds) >= 1.0 || *name == "writing";
    let (mut told, rest): (Vec<_>, Vec<_>) = purposes.into_iter().partition(is_told);
    told.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rest: f64 = rest.iter().map(|(_, seconds)| seconds).sum();
    let told = told.into_iter().chain((share(rest) >= 1.0).then_some(("the rest", rest)));
    let told: Vec<String> = told.map(|(name, seconds)| format!("{:.0} % {name}", share(seconds))).collect();
    let Writing { seconds, waited } = report.writing;
    format!("time: {}; the writer took {seconds:.2} s, {waited:.2} s of it waited for", told.join(", "))
}

#[allow(clippy::print_stderr)]
fn tell(plan: &Plan, folder: &Folder, Ran { report, seconds, .. }: &Ran) {
    if let Some(old) = &report.moved_aside {
        eprintln!("another study's results were moved to {}", old.display());
    }
    if let Some(old) = &report.kept_aside {
        eprintln!("the old tables hold more than this study asks for: they are kept in {}", old.display());
    }
    for broken in &report.broken {
        eprintln!("{broken} could not be read: its cells were not taken from there");
    }
    for (reason, cells) in &report.unusable {
        eprintln!("{cells} stored cells were not enough: {reason}");
    }
    if let Some(reason) = &report.checkpoint_trouble {
        eprintln!(
            "long cells could not be checkpointed, which costs time when a run is killed and nothing else: {reason}"
        );
    }
    let place = folder.root().display();
    let size = bytes(usize::try_from(report.bytes).unwrap_or(usize::MAX));
    if report.gave_up {
        let done = report.reused + report.computed;
        eprintln!("gave up after too many failures: {done} of {} cells are in {place}", report.cells);
    }
    if report.stopped {
        let done = report.reused + report.computed;
        eprintln!("stopped: {done} of {} cells are in {place}; run the same command to go on", report.cells);
        return;
    }
    if report.computed == 0 {
        eprintln!("nothing to do: all {} cells are in {place} ({size})", report.cells);
    } else {
        let reused = if report.reused > 0 { format!(", {} were there", report.reused) } else { String::new() };
        eprintln!("{} cells computed in {seconds:.1} s{reused}; tables in {place} ({size})", report.computed);
        eprintln!("{}", where_time_went(report));
    }
    if report.failed + report.diverged > 0 {
        let leave = if plan.allows_divergence() { " (allowed)" } else { "" };
        eprintln!("{} cells failed, {} diverged{leave}; cells.reason says why:", report.failed, report.diverged);
        for (reason, count) in &report.reasons {
            eprintln!("  {count} × {reason}");
        }
    }
}
