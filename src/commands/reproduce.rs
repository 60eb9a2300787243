//! `taut reproduce`: a folder of studies, and one scoreboard of their claims.

use super::run::{Ran, bad_cells, compute, default_root, how};
use super::verdicts::{RULED, measured, width};
use super::{load, print};
use crate::exit::{STOPPED, Usage, spoken};
use crate::options::{Reproduce, Source};
use crate::scoreboard::{Outcome, SCHEMA, Score, Scoreboard, Scored};
use crate::stopping::stop_on_signals;
use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use taut_report::claims::{Answer, Verdicts};
use taut_sweep::study::{Claim, near};
use taut_sweep::{Catalogue, Folder, Plan, RunOptions, studies_of};

/// A study of the folder, loaded as far as it can be.
struct Candidate {
    name: String,
    plan: Result<Plan>,
}

pub(super) fn reproduce(options: &Reproduce) -> Result<ExitCode> {
    let candidates = candidates(options)?;
    let out = options.out.clone().unwrap_or_else(|| default_root(options.quick));
    let how = how(options.threads, options.force);
    let stop = stop_on_signals()?;
    let mut board = Scoreboard {
        schema: SCHEMA.to_owned(),
        program: taut_sweep::PROGRAM.to_owned(),
        date: time::OffsetDateTime::now_utc().date().to_string(),
        quick: options.quick,
        studies: Vec::new(),
    };
    let all = candidates.len();
    for (number, Candidate { name, plan }) in candidates.into_iter().enumerate() {
        let folder = Folder::at(out.join(&name));
        let score = plan.and_then(|plan| one(&name, &Arc::new(plan), &folder, &how, options.quiet, &stop));
        if stop.load(Ordering::Relaxed) {
            say(&format!("stopped in {name}, {number} of {all} studies done; run the same command to go on"));
            return Ok(ExitCode::from(STOPPED));
        }
        let score = score.unwrap_or_else(|error| broken(&name, &error));
        if let Some(mistake) = &score.mistake {
            say(&format!("{name} could not be run:\n{mistake}"));
        } else if !options.quiet {
            say(&progress(number + 1, all, &score));
        }
        board.studies.push(score);
    }
    if options.json {
        print(&serde_json::to_string_pretty(&board)?)?;
        say(&ending(&board));
    } else {
        print(&text(&board))?;
    }
    Ok(board.exit_code())
}

/// The studies that were asked for, in the order of the catalogue.
fn candidates(options: &Reproduce) -> Result<Vec<Candidate>> {
    let there = studies_of(&options.from)?;
    if there.is_empty() {
        return Err(Usage(format!("there is no study (*.toml) in {}", options.from.display())).into());
    }
    let ordered: Vec<String> = match Catalogue::of(&options.from) {
        Ok(Some(catalogue)) => catalogue.studies().map(str::to_owned).collect(),
        Ok(None) => there,
        // A study that is not listed yet can be run all the same.
        Err(wrong) => {
            say(&format!("{wrong}\nso the studies are taken in alphabetical order"));
            there
        }
    };
    let mut candidates = Vec::new();
    for name in chosen(&options.names, &ordered, &options.from)? {
        let study = options.from.join(format!("{name}.toml"));
        let plan = load(&Source { study, set: Vec::new(), quick: options.quick });
        // What is wrong with a study that cannot be read may be its answer to the sentence.
        let answers = plan.as_ref().map_or(true, |plan| answers(&plan.study().study.claim, &options.panel));
        if answers {
            candidates.push(Candidate { name, plan });
        }
    }
    if candidates.is_empty() {
        let numbers: Vec<String> = options.panel.iter().map(u8::to_string).collect();
        return Err(Usage(format!("no claim of these studies has panel = [{}]", numbers.join(", "))).into());
    }
    Ok(candidates)
}

fn answers(claims: &[Claim], sentences: &[u8]) -> bool {
    sentences.is_empty() || claims.iter().any(|claim| claim.panel.iter().any(|number| sentences.contains(number)))
}

/// The names that were asked for among those that there are: `name`, `path/name.toml`, or `beginning*`.
fn chosen(asked: &[String], there: &[String], folder: &Path) -> Result<Vec<String>> {
    if asked.is_empty() {
        return Ok(there.to_vec());
    }
    let mut wanted = vec![false; there.len()];
    for name in asked {
        let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or(name);
        let stem = file.strip_suffix(".toml").unwrap_or(file);
        let meant = |there: &String| stem.strip_suffix('*').map_or(there == stem, |begin| there.starts_with(begin));
        let found: Vec<usize> = (0..there.len()).filter(|&i| meant(&there[i])).collect();
        if found.is_empty() {
            let names: Vec<&str> = there.iter().map(String::as_str).collect();
            let near = near(stem, &names);
            return Err(Usage(format!("there is no study `{stem}` in {}{near}", folder.display())).into());
        }
        found.into_iter().for_each(|i| wanted[i] = true);
    }
    Ok(there.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(name, _)| name.clone()).collect())
}

/// Runs what is missing of one study.
fn one(
    name: &str,
    plan: &Arc<Plan>,
    folder: &Folder,
    how: &RunOptions,
    quiet: bool,
    stop: &AtomicBool,
) -> Result<Score> {
    let ran = compute(plan, folder, how, quiet, stop)?;
    let Ran { report, verdicts, seconds } = &ran;
    Ok(Score {
        study: name.to_owned(),
        cells: report.cells,
        computed: report.computed,
        bad_cells: bad_cells(plan, report),
        wall_seconds: (seconds * 10.0).round() / 10.0,
        claims: verdicts.as_ref().map_or(Vec::new(), scored),
        mistake: None,
    })
}

fn broken(name: &str, error: &anyhow::Error) -> Score {
    Score {
        study: name.to_owned(),
        cells: 0,
        computed: 0,
        bad_cells: 0,
        wall_seconds: 0.0,
        claims: Vec::new(),
        mistake: Some(spoken(error)),
    }
}

fn scored(verdicts: &Verdicts) -> Vec<Scored> {
    let one = |answer: &Answer| {
        let decisive = answer.decisive();
        Scored {
            says: answer.claim.says.clone(),
            panel: answer.claim.panel.clone(),
            cite: answer.claim.cite.clone(),
            bound: answer.bound.to_string(),
            measured: measured(answer),
            margin: decisive.and_then(|measured| measured.margin).filter(|margin| margin.is_finite()).map(four_digits),
            groups: answer.measured.len(),
            closest: decisive.map_or_else(String::new, |measured| measured.group.clone()),
            verdict: answer.verdict().into(),
            reason: decisive.and_then(|measured| measured.reason.clone()),
        }
    };
    verdicts.answers.iter().map(one).collect()
}

/// Rounded to what does not change from one run to the next.
fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn progress(number: usize, all: usize, score: &Score) -> String {
    let width = all.to_string().len();
    let took = match score.computed {
        0 => "already there".to_owned(),
        _ => format!("in {:.1} s", score.wall_seconds),
    };
    let cells = if score.cells == 1 { "1 cell".to_owned() } else { format!("{} cells", score.cells) };
    format!("[{number:>width$}/{all}] {}: {cells} {took}; {}", score.study, score.tally())
}

/// One row per study, and below what does not hold.
fn text(board: &Scoreboard) -> String {
    let mut table = Table::new();
    table.load_style(RULED).set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
    table.set_header(["study", "cells", "seconds", "claims", "hold", "fail", "undecided", "skipped"]);
    for score in &board.studies {
        let tally = score.tally();
        let counts = [tally.all(), tally.holds, tally.fails, tally.undecided, tally.skipped];
        let mut row = vec![score.study.clone(), score.cells.to_string(), format!("{:.1}", score.wall_seconds)];
        row.extend(counts.map(|count| if count == 0 { String::new() } else { count.to_string() }));
        if score.mistake.is_some() {
            row[1..4].clone_from_slice(&["could".to_owned(), "not be".to_owned(), "run".to_owned()]);
        }
        table.add_row(row);
    }
    (1..8).filter_map(|at| table.column_mut(at).map(|c| c.set_cell_alignment(CellAlignment::Right))).for_each(drop);
    let mut out = format!("{table}\n");
    for (score, number, claim) in board.claims().filter(|(_, _, claim)| !claim.verdict.is_good()) {
        out.push_str(&complaint(&score.study, number, claim));
    }
    for score in board.studies.iter().filter(|score| score.bad_cells > 0) {
        out.push_str(&format!(
            "✗ {}: {} cells failed or diverged; cells.reason says why\n",
            score.study, score.bad_cells
        ));
    }
    out + &ending(board)
}

/// "✗ name, claim 3: says; measured 0.41 where ≤ 0.3 is due [group]".
fn complaint(study: &str, number: usize, claim: &Scored) -> String {
    let group = if claim.closest.is_empty() { String::new() } else { format!(" [{}]", claim.closest) };
    let found = match (claim.verdict, &claim.measured, &claim.reason) {
        (Outcome::Undecided, _, Some(reason)) => reason.clone(),
        (_, measured, _) => {
            format!("measured {}, bound {}", measured.as_deref().unwrap_or("nothing"), claim.bound)
        }
    };
    format!("{} {study}, claim {}: {}\n  {found}{group}\n", claim.verdict.glyph(), number + 1, claim.says)
}

fn ending(board: &Scoreboard) -> String {
    let seconds: f64 = board.studies.iter().map(|score| score.wall_seconds).sum();
    let broken = board.studies.iter().filter(|score| score.mistake.is_some()).count();
    let broken = match broken {
        0 => String::new(),
        1 => "; 1 study could not be run".to_owned(),
        broken => format!("; {broken} studies could not be run"),
    };
    let studies =
        if board.studies.len() == 1 { "1 study".to_owned() } else { format!("{} studies", board.studies.len()) };
    format!("{studies} in {seconds:.0} s, {}{broken}", board.tally())
}

#[allow(clippy::print_stderr)]
fn say(text: &str) {
    eprintln!("{text}");
}
