//! The index of a folder of studies as Markdown: sentences and papers, the claims that speak of them, what was measured.

use crate::scoreboard::{Scoreboard, Scored, Tally};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use taut_report::Manifest;
use taut_sweep::{Answer, Catalogue, Sentence};

/// A study with what became of its claims.
pub(crate) struct Entry {
    name: String,
    question: String,
    cost: String,
    claims: Vec<Scored>,
}

/// A scoreboard that is not of the studies as they are now.
#[derive(Debug, thiserror::Error)]
#[error("{study}: {what}, so the scoreboard is out of date")]
pub(crate) struct Stale {
    study: String,
    what: String,
}

impl Entry {
    /// A study as its text, its manifest and the scoreboard tell it.
    pub(crate) fn new(name: &str, text: &str, manifest: &Manifest, board: &Scoreboard) -> Result<Self, Stale> {
        let stale = |what: String| Stale { study: name.to_owned(), what };
        let score = board.studies.iter().find(|score| score.study == name);
        let score = score.ok_or_else(|| stale("no score of it".to_owned()))?;
        if score.claims.len() != manifest.claims.len() {
            return Err(stale(format!("{} claims, {} of them scored", manifest.claims.len(), score.claims.len())));
        }
        for (i, (claim, scored)) in manifest.claims.iter().zip(&score.claims).enumerate() {
            let bound = claim.bound().to_string();
            let same = claim.says == scored.says && bound == scored.bound && claim.cite == scored.cite;
            if !same || claim.panel != scored.panel {
                return Err(stale(format!("claim {} is another than the one that was scored", i + 1)));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            question: manifest.question.clone(),
            cost: cost(text),
            claims: score.claims.clone(),
        })
    }

    fn link(&self) -> String {
        format!("[{0}]({0}.toml)", self.name)
    }

    fn tally(&self) -> Tally {
        Tally::of(self.claims.iter().map(|claim| claim.verdict))
    }
}

/// What the opening comment of a study says after `Cost:`.
fn cost(text: &str) -> String {
    let comments = text.lines().take_while(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    let mut words = Vec::new();
    let mut inside = false;
    for line in comments {
        // A label stands one space in, what goes on below it further.
        if !line.starts_with("  ") {
            inside = line.trim_start().starts_with("Cost:");
        }
        if inside {
            words.extend(line.split_whitespace().filter(|word| *word != "Cost:"));
        }
    }
    words.join(" ").trim_end_matches('.').to_owned()
}

/// Every claim of a study that passes, with its study.
fn claims_that<'a>(
    entries: &'a [Entry],
    passes: impl Fn(&Scored) -> bool + 'a,
) -> impl Iterator<Item = (&'a Entry, &'a Scored)> {
    let of = |entry: &'a Entry| entry.claims.iter().map(move |claim| (entry, claim));
    entries.iter().flat_map(of).filter(move |(_, claim)| passes(claim))
}

fn answers(sentence: &Sentence) -> impl Fn(&Scored) -> bool + use<> {
    let number = *sentence.number.get_ref();
    move |claim| claim.panel.contains(&number)
}

fn cites(claim: &Scored, paper: &str) -> bool {
    claim.cite.iter().flat_map(|cite| cite.split(';')).any(|cite| cite.trim() == paper)
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '*' | '_' | '<' | '`' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

/// The sentences with their verdicts, and how many claims bear them out.
pub(crate) fn brief(catalogue: &Catalogue, entries: &[Entry]) -> String {
    let tally = Tally::of(entries.iter().flat_map(|entry| entry.claims.iter().map(|claim| claim.verdict)));
    let mut out = format!("{} studies, {tally}. {}\n\n", entries.len(), sentences_in_words(catalogue));
    out.push_str("| | what was said | verdict | what the numbers say |\n|---|---|---|---|\n");
    for sentence in &catalogue.sentences {
        let (number, says) = (sentence.number.get_ref(), cell(&sentence.says));
        let (verdict, because) = (sentence.verdict.word(), cell(&sentence.because));
        _ = writeln!(out, "| {number} | {says} | {verdict} | {because} |");
    }
    out
}

/// "Of the panel's 18 sentences 6 hold, 12 depend on something that they do not name, and none fails outright."
fn sentences_in_words(catalogue: &Catalogue) -> String {
    let count = |answer| catalogue.sentences.iter().filter(|sentence| sentence.verdict == answer).count();
    let [hold, depend, fail] = [Answer::Holds, Answer::Depends, Answer::Fails].map(count);
    let fail = match fail {
        0 => "none fails outright".to_owned(),
        1 => "1 fails".to_owned(),
        fail => format!("{fail} fail"),
    };
    let all = catalogue.sentences.len();
    format!(
        "Of the panel's {all} sentences {hold} hold, {depend} depend on something that they do not name, and {fail}."
    )
}

/// The whole index.
pub(crate) fn page(folder: &Path, catalogue: &Catalogue, entries: &[Entry], board: &Scoreboard) -> String {
    let mut out = opening(folder, entries, board);
    sentences(catalogue, entries, &mut out);
    papers(catalogue, entries, &mut out);
    others(entries, &mut out);
    studies(folder, catalogue, entries, &mut out);
    out
}

fn opening(folder: &Path, entries: &[Entry], board: &Scoreboard) -> String {
    let folder = folder.file_name().map_or_else(|| "experiments".into(), |name| name.to_string_lossy());
    let tally = board.tally();
    let Scoreboard { date, program, .. } = board;
    let version = program.split_whitespace().next().unwrap_or(program);
    format!(
        "<!-- Written by `taut catalogue {folder}`. Edit catalogue.toml and the studies, not this page. -->\n\
         # Studies\n\n\
         {} studies, one question each, with {tally}. Measured {date} by taut {version}.\n\n\
         ```sh\n\
         taut reproduce                       # all of them, and one scoreboard\n\
         taut reproduce --quick               # their small versions: minutes\n\
         taut reproduce --panel 3             # those that answer sentence 3\n\
         taut run {folder}/panel_polynomial.toml\n\
         ```\n\n\
         Tables appear in `results/<name of the study>/`. To try a variant without touching the file:\n\n\
         ```sh\n\
         taut run {folder}/panel_random_draws.toml --set seed='{{ count = 20 }}' --out results/few_draws\n\
         ```\n\n\
         What is in `data/`: [data/README.md](data/README.md). Below: [the panel's sentences](#sentences),\n\
         [papers](#papers), [all studies with cost](#all-studies). *Measured* is the value that the claim's query\n\
         gives, over groups from the smallest to the largest.\n",
        entries.len()
    )
}

/// The head of a table of claims, with what stands before the claim.
fn head(first: &[&str]) -> String {
    let columns = [first, &["claim", "measured", "bound", ""]].concat();
    format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

fn row(first: &[String], claim: &Scored) -> String {
    let measured = cell(claim.measured.as_deref().unwrap_or("–"));
    let groups = if claim.groups > 1 { format!(" in {} groups", claim.groups) } else { String::new() };
    let columns = [
        first,
        &[cell(&claim.says), format!("{measured}{groups}"), cell(&claim.bound), claim.verdict.glyph().to_string()],
    ]
    .concat();
    format!("| {} |\n", columns.join(" | "))
}

/// A name where it is the first in a row of the same, nothing after.
fn once(last: &mut String, name: &str, shown: String) -> String {
    if last == name {
        return String::new();
    }
    name.clone_into(last);
    shown
}

fn sentences(catalogue: &Catalogue, entries: &[Entry], out: &mut String) {
    _ = writeln!(out, "\n## Sentences\n\n{}\n\n{}\n", catalogue.source.trim(), sentences_in_words(catalogue));
    out.push_str("| | what was said | verdict | claims |\n|---|---|---|---|\n");
    for sentence in &catalogue.sentences {
        let number = sentence.number.get_ref();
        let tally = Tally::of(claims_that(entries, answers(sentence)).map(|(_, claim)| claim.verdict)).brief();
        let (says, verdict) = (cell(&sentence.says), sentence.verdict.word());
        _ = writeln!(out, "| [{number}](#sentence-{number}) | {says} | {verdict} | {tally} |");
    }
    for sentence in &catalogue.sentences {
        let Sentence { number, says, verdict, because } = sentence;
        _ = writeln!(
            out,
            "\n### Sentence {}\n\n> {says}\n\n**{}.** {because}\n",
            number.get_ref(),
            capital(verdict.word())
        );
        out.push_str(&head(&["study"]));
        let mut last = String::new();
        for (entry, claim) in claims_that(entries, answers(sentence)) {
            out.push_str(&row(&[once(&mut last, &entry.name, entry.link())], claim));
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn papers(catalogue: &Catalogue, entries: &[Entry], out: &mut String) {
    out.push_str("\n## Papers\n\nClaims that test or use a result of a paper; some find where it stops holding.\n");
    let order: BTreeMap<&str, _> =
        catalogue.papers.iter().map(|paper| (paper.cite.get_ref().as_str(), paper)).collect();
    for (cite, paper) in order {
        _ = writeln!(out, "\n**{cite}.** {}, {}\n", paper.title, place(&paper.at));
        out.push_str(&head(&["study"]));
        let mut last = String::new();
        for (entry, claim) in claims_that(entries, |claim| cites(claim, cite)) {
            out.push_str(&row(&[once(&mut last, &entry.name, entry.link())], claim));
        }
    }
}

/// Where a paper is, as a link where there is one.
fn place(at: &str) -> String {
    match at.strip_prefix("arXiv:") {
        Some(number) => format!("[{at}](https://arxiv.org/abs/{number})"),
        None => at.to_owned(),
    }
}

fn others(entries: &[Entry], out: &mut String) {
    let mut rest = claims_that(entries, |claim| claim.panel.is_empty() && claim.cite.is_none()).peekable();
    if rest.peek().is_none() {
        return;
    }
    out.push_str("\n## Other claims\n\nWhat studies found beside sentences and papers.\n\n");
    out.push_str(&head(&["study"]));
    let mut last = String::new();
    for (entry, claim) in rest {
        out.push_str(&row(&[once(&mut last, &entry.name, entry.link())], claim));
    }
}

fn studies(folder: &Path, catalogue: &Catalogue, entries: &[Entry], out: &mut String) {
    let folder = folder.file_name().map_or_else(|| "experiments".into(), |name| name.to_string_lossy());
    out.push_str("\n## All studies\n\nTimes are for two cores, where nothing else is said.\n");
    for group in &catalogue.groups {
        _ = writeln!(out, "\n**{}**\n\n| study | question | cost | claims | run |\n|---|---|---|---|---|", group.title);
        for name in &group.studies {
            let Some(entry) = entries.iter().find(|entry| entry.name == *name.get_ref()) else { continue };
            let (link, question, cost) = (entry.link(), cell(&entry.question), cell(&entry.cost));
            let (tally, name) = (entry.tally().brief(), &entry.name);
            _ = writeln!(out, "| {link} | {question} | {cost} | {tally} | `taut run {folder}/{name}.toml` |");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_read_off_the_opening_comment() {
        let text = "#:schema ../docs/study.schema.json\n# Question:         below.\n# Expected picture: a, then b: and so\n\
                    #                   on.\n# Cost:             42 cells: about\n#                   ten seconds.\n\
                    # Answer:           2026-11-24: yes.\ntitle = \"t\"\n";
        assert_eq!(cost(text), "42 cells: about ten seconds");
        assert_eq!(cost("# Question: below.\n# Cost: one cell.\n# Published: no.\n"), "one cell");
        assert_eq!(cost("title = \"t\"\n"), "");
    }

    #[test]
    fn what_markdown_would_take_for_itself_is_escaped() {
        assert_eq!(cell("|a_b| < c*d"), "\\|a\\_b\\| \\< c\\*d");
    }
}
