//! The words of the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::io::IsTerminal;
use std::path::PathBuf;
use taut_report::pictures::Length;
use taut_sweep::{Sample, Shard};

const EXAMPLES: &str = "\
Examples:
  taut init > my_study.toml                    a commented study to start from
  taut plan my_study.toml                      what would run; nothing is written
  taut run my_study.toml                       tables in results/my_study/
  taut run my_study.toml --set data.curve.noise=0.3 --out results/noisy
  taut status results/my_study                 how far it is; `taut collect` joins shards
  taut verify results/my_study                 a sample computed again, bit for bit
  taut check my_study.toml                     each claim with measured value and verdict
  taut report my_study.toml                    one page with claims and figures, results/my_study/report.html
  taut reproduce --quick                       small versions of all studies in experiments/
  taut show my_study.toml 0                    one cell as a study of its own
  taut submit slurm my_study.toml --shards 64  an array script for a cluster; --go puts it into the queue
  taut list metrics                            names, units, formulas

Exit codes:
  0 fine · 1 internal error · 2 usage or study · 3 a cell failed, or diverged without
  train.allow_unstable · 4 a claim does not hold (`check`, `reproduce`, `run --check`), or rows differ
  (`collect`, `verify`, `diff`) · 75 stopped early or cells missing, run again to go on ·
  130, 143 left at once at a second signal";

/// Research harness for implicit regularization: one TOML study in, tidy parquet tables out.
#[derive(Debug, Parser)]
#[command(name = "taut", version = taut_sweep::PROGRAM, after_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Taut {
    /// When to colour messages.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a study; a finished part is never computed twice.
    Run(Run),
    /// Put the finished cells of shards and stopped runs into the tables, and say what is missing.
    Collect(Collect),
    /// Say how far a folder of results is.
    Status(Status),
    /// Compute stored cells again and compare them bit for bit.
    Verify(Verify),
    /// Say how two studies or folders of results differ, and which cells they share.
    Diff(Diff),
    /// Hold the claims of a study against its tables.
    Check(Check),
    /// Write one HTML page: question, claims with verdicts, figures, tables. Opens offline in any browser.
    Report(Report),
    /// Run a folder of studies and print one scoreboard of their claims.
    Reproduce(Reproduce),
    /// Print the index of a folder of studies, as Markdown.
    Catalogue(Catalogue),
    /// Put the shards of a study into the queue of a cluster.
    Submit(Submit),
    /// Show what would run: cells, axes, rows, bytes. Writes nothing.
    Plan(Plan),
    /// List metrics, features, parametrizations, optimizers, theories, solutions or criteria.
    List(List),
    /// Print one cell of a study as a study of its own.
    Show(Show),
    /// Print the JSON Schema of a study.
    Schema,
    /// Print a commented study to start from.
    Init,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Source {
    /// The study, a TOML file.
    pub(crate) study: PathBuf,
    /// Set one field of the study, or replace an axis: PATH=VALUE with the value in TOML. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// The small version of the study, as its `[quick]` says; `--set` goes on top.
    #[arg(long)]
    pub(crate) quick: bool,
}

/// Results that are there already: by their folder, or by their study.
#[derive(Args, Debug)]
pub(crate) struct Finished {
    /// A folder of results, or a study, whose results are looked for in results/<name of the study file>.
    #[arg(value_name = "STUDY_OR_DIR")]
    pub(crate) source: PathBuf,
    /// Where the results of the study are.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The small version of the study, as `taut run --quick` made it.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Set one field of the study, as `taut run` was told: PATH=VALUE. Repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

impl Finished {
    /// The study that was named, if it is one.
    pub(crate) fn study(&self) -> Source {
        Source { study: self.source.clone(), quick: self.quick, set: self.set.clone() }
    }

    /// Whether something was said that goes with a study alone.
    pub(crate) fn has_words_for_a_study(&self) -> bool {
        self.out.is_some() || self.quick || !self.set.is_empty()
    }
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut run experiments/panel_polynomial.toml
  taut run study.toml --set model.features.polynomial.degree=20 --threads 2 --out /tmp/try
  taut run study.toml --json --quiet | jq .computed
  taut run experiments/kernel_to_rich.toml --quick     minutes become seconds; tables in results/quick/

  taut run study.toml --shard 3/8 --out /shared/try    one of eight shares, on any machine
  taut run study.toml --set budget.hours=2             asks first if it would take longer

A second run of a finished study computes nothing; a run that was stopped or killed goes on where
it was; a study with more values on an axis, or more seeds, computes the new cells alone. A folder that
holds another study is refused with the differences, unless --force.")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Where the tables go; default results/<name of the study file>, with --quick results/quick/<name>.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Worker threads; default SLURM_CPUS_PER_TASK, or one per core. The rows do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) threads: Option<u16>,
    /// Exit with 4 unless every claim holds.
    #[arg(long)]
    pub(crate) check: bool,
    /// Compute this share of the cells alone: I/N, with I from 0 to N-1. `taut collect` joins the shares.
    #[arg(long, value_name = "I/N", conflicts_with = "check")]
    pub(crate) shard: Option<Shard>,
    /// Compute cells again whose status is `failed`.
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Stop when more than N cells have failed, or diverged without leave.
    #[arg(long, value_name = "N")]
    pub(crate) max_failures: Option<usize>,
    /// Stop at the first cell that fails.
    #[arg(long, conflicts_with = "max_failures")]
    pub(crate) fail_fast: bool,
    /// If DIR holds another study, move it aside (to DIR.old-1, …).
    #[arg(long)]
    pub(crate) force: bool,
    /// Run without asking beyond the study's [budget]; without one, beyond 10^7 cells or 100 GB.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print one JSON object about the run on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress, no summary; errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut collect results/sharpness_plateau       after the last of the shards, or while they run
  taut collect study.toml --out /shared/try    where files that the study reads have moved

Cells that were computed twice must be equal. Exits with 75 if cells are missing, with 4 if two copies of a cell differ.")]
pub(crate) struct Collect {
    #[command(flatten)]
    pub(crate) of: Finished,
    /// Print one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut status results/sharpness_plateau
  watch -n 10 taut status /shared/try
  taut status /shared/try --json | jq .missing

Exits with 0 if every cell is there, else with 75.")]
pub(crate) struct Status {
    /// A folder of results.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Print one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut verify results/panel_polynomial              1 % of the cells, and every byte of every file
  taut verify results/panel_polynomial --sample 20 --seed 7
  taut verify study.toml --out /shared/try --sample 100%

Writes nothing. Exits with 4 if a file is damaged or a cell differs, else with 75 if cells are missing. Rows are promised to be the same on one kind of
processor: on another they may differ in the last digits.")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) of: Finished,
    /// How many cells to compute again: a share such as 1%, or a number.
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    pub(crate) sample: Sample,
    /// Which sample: the same number draws the same cells.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Worker threads; default one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut diff results/panel_polynomial experiments/panel_polynomial.toml
  taut diff old.toml new.toml --json

Cells that both have are computed once: `taut run B` into the results of A reuses them. Exits with 0 if the cells are the
same and everything that B records was recorded for A, else with 4.")]
pub(crate) struct Diff {
    /// A study or a folder of results.
    #[arg(value_name = "A")]
    pub(crate) first: PathBuf,
    /// Another one.
    #[arg(value_name = "B")]
    pub(crate) second: PathBuf,
    /// Print one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut check results/panel_polynomial          the claims that were stored with the tables
  taut check experiments/panel_polynomial.toml the claims as the study has them now
  taut check results/panel_polynomial --json | jq '.claims[] | select(.verdict != \"holds\")'

Exits with 4 if a claim fails or is undecided: one over no rows, a null, or tables with missing parts.
The verdicts are also a table, `claims`, beside the others.")]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) of: Finished,
    /// Print one JSON object on stdout instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut report experiments/panel_polynomial.toml      over results/panel_polynomial, which `taut run` wrote
  taut report results/panel_polynomial               with the claims and figures that are stored there
  taut report results/panel_polynomial --out /tmp/panel.html
  taut report results/panel_polynomial --svg paper/figures --width 3.4in

The page holds everything it shows, scripts included, and loads nothing. Beside it, in figures/, every figure is a
Vega-Lite specification with its rows; the next report writes them anew, so edit copies.")]
pub(crate) struct Report {
    /// A study, or a folder of results.
    #[arg(value_name = "STUDY_OR_DIR")]
    pub(crate) source: PathBuf,
    /// The small version of the study, as `taut run --quick` made it.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where the page goes; default report.html in the folder of results.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) pictures: Pictures,
    /// Do not say where the page is; errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Pictures {
    /// Instead of the page, write every figure as a picture for papers into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub(crate) svg: Option<PathBuf>,
    /// Width of the pictures, such as 86mm, 3.4in, 245pt or 325px; default 86mm (one column of two), 178mm with panels
    /// side by side.
    #[arg(long, value_name = "LENGTH", requires = "svg")]
    pub(crate) width: Option<Length>,
    /// Height of the pictures; default by their width.
    #[arg(long, value_name = "LENGTH", requires = "svg")]
    pub(crate) height: Option<Length>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut reproduce                               every study of experiments/, tables in results/
  taut reproduce --quick                       their small versions, tables in results/quick/
  taut reproduce panel_polynomial schedules*   these studies
  taut reproduce --panel 3                     those with a claim on sentence 3 of the panel
  taut reproduce --json > experiments/scoreboard.json

A finished study is not computed again; a stopped or killed run goes on where it was. A study with a
mistake is reported, and the others go on.

Exits with 2 if a study could not be run, else 3 if a cell failed, else 4 if a claim fails or is undecided.")]
pub(crate) struct Reproduce {
    /// Which studies: names, or their beginning with a `*`; all if none is given.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Only studies with a claim on this sentence of the panel. Repeatable.
    #[arg(long, value_name = "N")]
    pub(crate) panel: Vec<u8>,
    /// The small versions, as `[quick]` says in each study.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The folder with the studies.
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub(crate) from: PathBuf,
    /// Where the tables go, a folder per study; default results, with --quick results/quick.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Worker threads; default SLURM_CPUS_PER_TASK, or one per core. The rows do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) threads: Option<u16>,
    /// Where a folder holds another study, or an older version of this one, move it aside (to DIR.old-1, …).
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the scoreboard as one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress; the scoreboard and mistakes only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut catalogue experiments > experiments/README.md
  taut catalogue experiments --brief           the panel's sentences alone

The index is made of DIR/catalogue.toml, of the studies, and of DIR/scoreboard.json, which is what
`taut reproduce --json` printed.")]
pub(crate) struct Catalogue {
    /// The folder with the studies.
    #[arg(value_name = "DIR", default_value = "experiments")]
    pub(crate) folder: PathBuf,
    /// Only the sentences, with their verdicts.
    #[arg(long)]
    pub(crate) brief: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut plan experiments/panel_polynomial.toml
  taut plan study.toml --set sweep.seed.count=1000 --json | jq .cells
  taut plan study.toml --table --limit 20              the first cells as they will run
  taut plan study.toml --table --json | jq .axes       one object per line
  taut plan study.toml --why                   what a run would compute, and what it would reuse
  taut plan study.toml --threads 64            the time on a machine with 64 cores as well
  taut plan study.toml --calibrate 30          estimates from half a minute of trying cells
  taut plan study.toml --calibrate 0           nothing is computed: sizes without times

Time, rows and bytes are estimated from a few cells of each kind, which are computed and forgotten.")]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Say which cells a run would compute, and why those that are stored would not do.
    #[arg(long)]
    pub(crate) why: bool,
    /// Where the results are, for --why; default as for `taut run`.
    #[arg(long, value_name = "DIR", requires = "why")]
    pub(crate) out: Option<PathBuf>,
    /// List the cells as they will run: place, key, every axis, step size, solver.
    #[arg(long)]
    pub(crate) table: bool,
    /// With --table, the first N cells alone.
    #[arg(long, value_name = "N", requires = "table")]
    pub(crate) limit: Option<usize>,
    /// Seconds in which cells are tried for the estimates; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.5, value_parser = seconds)]
    pub(crate) calibrate: f64,
    /// Estimate the time on so many threads as well; always on one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) threads: Option<u16>,
    /// Print one JSON object on stdout; with --table one per cell.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Submit {
    #[command(subcommand)]
    pub(crate) engine: Engine,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Engine {
    /// A Slurm job array, with a job after it that collects. Prints the script unless --go.
    Slurm(Slurm),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut submit slurm study.toml --shards 64 --time 2:00:00 --cpus 8 > sweep.sh
  bash sweep.sh submit                                                      after a look at it
  taut submit slurm study.toml --shards 64 --time 2:00:00 --partition short --go
  taut submit slurm study.toml --shards 64 --option constraint=skylake --go
  taut submit slurm study.toml --shards 64 --missing --go                   shards with cells to do

Two minutes before its time is up a shard writes what is finished and goes back into the queue.
A shard that was killed does not: --missing submits it again. What happens when: docs/clusters.md.")]
pub(crate) struct Slurm {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Into how many shards the cells are dealt: tasks of the array.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) shards: u32,
    /// Where the tables go, on a disk that all nodes share; default results/<name of the study file>, with --quick
    /// results/quick/<name>.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Time limit of a shard, as Slurm writes it: 90 (minutes), 2:00:00, 1-12.
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// Cores, and so threads, of a shard.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) cpus: u16,
    /// Memory of a shard, such as 4G.
    #[arg(long, value_name = "SIZE")]
    pub(crate) mem: Option<String>,
    /// The partition that shards go to.
    #[arg(long, value_name = "NAME")]
    pub(crate) partition: Option<String>,
    /// The account that pays.
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// The quality of service.
    #[arg(long, value_name = "NAME")]
    pub(crate) qos: Option<String>,
    /// Any other option of sbatch by its long name. Repeatable.
    #[arg(long = "option", value_name = "NAME[=VALUE]")]
    pub(crate) options: Vec<String>,
    /// The program on the nodes, where it is not this one.
    #[arg(long, value_name = "PATH")]
    pub(crate) program: Option<PathBuf>,
    /// Only shards with cells to do; N may be another than before.
    #[arg(long)]
    pub(crate) missing: bool,
    /// Write the script to DIR/slurm/array.sh and submit it; asks first where `taut run` would ask.
    #[arg(long)]
    pub(crate) go: bool,
    /// Submit without asking beyond the study's [budget].
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut show study.toml 0 > first_cell.toml
  taut show study.toml 4212973210846126307     the number in the column `cell` of every table
  taut show study.toml 3a77f0                  the beginning of its `key`")]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Which cell: its place in the plan (from 0), its `cell` number, or the beginning of its `key`.
    pub(crate) cell: String,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  taut list metrics
  taut list features --json")]
pub(crate) struct List {
    /// What to list.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(taut_sweep::KINDS))]
    pub(crate) kind: String,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time on the command line, up to a day.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=86_400.0).contains(&seconds) { Ok(seconds) } else { Err("it is not from 0 to 86400".to_owned()) }
}

impl Taut {
    /// Whether messages on stderr are coloured: asked for, or a terminal without NO_COLOR.
    pub(crate) fn colour(&self) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto if set("NO_COLOR") => false,
            Colour::Auto if set("CLICOLOR_FORCE") => true,
            Colour::Auto => std::io::stderr().is_terminal(),
        }
    }
}
