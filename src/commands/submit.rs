//! `taut submit`: the shards of a study for the queue of a cluster.

use super::budget::{self, Means};
use super::run::default_folder;
use super::{load_with_warnings, print};
use crate::exit::Usage;
use crate::options::{Engine, Slurm, Source, Submit};
use crate::slurm::{self, Asked, Script};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use taut_sweep::{Folder, Plan, RunError};

pub(super) fn submit(options: &Submit) -> Result<ExitCode> {
    match &options.engine {
        Engine::Slurm(options) => to_slurm(options),
    }
}

fn to_slurm(options: &Slurm) -> Result<ExitCode> {
    let plan = load_with_warnings(&options.source)?;
    let shards = shards_allowed(options.shards)?;
    let out = std::path::absolute(match &options.out {
        Some(out) => out.clone(),
        None => default_folder(&options.source)?,
    })?;
    let wanted = wanted(&plan, &out, shards, options.missing)?;
    if wanted.is_empty() {
        say(&format!("nothing is missing: taut collect {}", out.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let text = script(options, &out, shards, &wanted)?;
    if options.go {
        let cpus = usize::from(options.cpus);
        let means = Means { shard: None, threads: wanted.len() * cpus, threads_of_one: cpus };
        budget::ask(&plan, &Folder::at(&out), &means, options.yes)?;
        put_into_queue(&text, &out, &wanted, shards)
    } else {
        say(&format!(
            "{} of {shards} shards; write this to a file and `bash FILE submit`, or say --go; logs go to {}",
            wanted.len(),
            out.join("slurm").display()
        ));
        print(text.trim_end())
    }
}

/// At most as many shards as an array may have tasks.
fn shards_allowed(asked: u32) -> Result<usize> {
    let largest = slurm::largest_array(asked);
    if asked > largest {
        return Err(Usage(format!(
            "--shards {asked} is more than an array may have here (MaxArraySize {largest}); a shard is no cell: give it 10 to \
             60 minutes of work and a whole node with --cpus"
        ))
        .into());
    }
    Ok(usize::try_from(asked)?)
}

/// The shards that go into the queue.
fn wanted(plan: &Plan, out: &Path, shards: usize, missing: bool) -> Result<Vec<usize>> {
    if !missing {
        return Ok((0..shards).collect());
    }
    Ok(taut_sweep::missing_shards(plan, &Folder::at(out), shards).map_err(RunError::from)?)
}

fn script(options: &Slurm, out: &Path, shards: usize, wanted: &[usize]) -> Result<String> {
    let program = match &options.program {
        Some(program) => std::path::absolute(program)?,
        None => std::env::current_exe().context("where this program is cannot be found out")?,
    };
    let study = std::path::absolute(&options.source.study)?;
    let name = study.file_stem().unwrap_or_default().to_string_lossy();
    let script = Script {
        program: words(&program)?,
        study: words(&study)?,
        out: words(out)?,
        changes: &changes(&options.source),
        name: &name,
        shards,
        wanted,
        cpus: options.cpus,
        asked: Asked {
            time: options.time.as_deref(),
            partition: options.partition.as_deref(),
            account: options.account.as_deref(),
            qos: options.qos.as_deref(),
            mem: options.mem.as_deref(),
            more: &options.options,
        },
    };
    Ok(script.text()?)
}

/// `--quick` and `--set` as they were given.
fn changes(source: &Source) -> Vec<&str> {
    let quick = source.quick.then_some("--quick");
    quick.into_iter().chain(source.set.iter().flat_map(|set| ["--set", set])).collect()
}

fn words(path: &Path) -> Result<&str, Usage> {
    path.to_str().ok_or_else(|| Usage(format!("{} is not written in UTF-8, so no script can name it", path.display())))
}

/// Writes the script beside its logs and submits it.
fn put_into_queue(text: &str, out: &Path, wanted: &[usize], shards: usize) -> Result<ExitCode> {
    let path = written(text, &out.join("slurm"))?;
    let numbers = slurm::submit(&path)?;
    say(&format!(
        "{} of {shards} shards are in the queue, and a job that collects after them; logs and script in {}",
        wanted.len(),
        out.join("slurm").display()
    ));
    print(numbers.trim_end())
}

/// The script as a file, whole or not at all.
fn written(text: &str, folder: &Path) -> Result<PathBuf> {
    let path = folder.join("array.sh");
    let draft = folder.join(format!(".array.sh.{}", std::process::id()));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&draft, text))
        .and_then(|()| std::fs::rename(&draft, &path))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

#[allow(clippy::print_stderr)]
fn say(text: &str) {
    eprintln!("{text}");
}
