//! The catalogue of a folder of studies: their order, the sentences that they ask about, the papers that they go by.

use crate::study::{Claim, near};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The name of its file, which is no study.
pub const CATALOGUE: &str = "catalogue.toml";

/// What `catalogue.toml` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Where the sentences come from.
    #[serde(default)]
    pub source: String,
    /// The sentences, numbered from 1.
    #[serde(default, rename = "sentence")]
    pub sentences: Vec<Sentence>,
    /// The studies in their order, every one once.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
    /// The papers that claims may cite.
    #[serde(default, rename = "paper")]
    pub papers: Vec<Paper>,
}

/// A sentence that claims answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// Its number, which claims name in `panel`.
    pub number: Spanned<u8>,
    /// The sentence.
    pub says: String,
    /// The answer in a word.
    pub verdict: Answer,
    /// The answer in a line.
    pub because: String,
}

/// What becomes of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is so.
    Holds,
    /// On something that it does not name.
    Depends,
    /// It is not so.
    Fails,
}

impl Answer {
    /// The answer as a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Depends => "depends",
            Self::Fails => "fails",
        }
    }
}

/// Studies that belong together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What about.
    pub title: String,
    /// Their names: files of the folder, without `.toml`.
    pub studies: Vec<Spanned<String>>,
}

/// A paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// How claims cite it: authors and year.
    pub cite: Spanned<String>,
    /// Its title.
    pub title: String,
    /// Where it is to be found.
    pub at: String,
}

/// What is wrong with a catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is not a catalogue.
    #[error("{}: {message}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What the parser says, with line and column.
        message: String,
    },
    /// It says things that are not so.
    #[error("{}", complaints.iter().map(|c| format!("{}:{c}", path.display())).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// All of them, each beginning with its line.
        complaints: Vec<String>,
    },
}

/// The studies of a folder by name, in alphabetical order: all its `*.toml` but the catalogue.
///
/// # Errors
/// If the folder cannot be read.
pub fn studies_of(folder: &Path) -> Result<Vec<String>, CatalogueError> {
    let unreadable = |reason| CatalogueError::Unreadable { path: folder.to_path_buf(), reason };
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_study =
            path.extension().is_some_and(|e| e == "toml") && path.file_name().is_some_and(|n| n != CATALOGUE);
        if is_study && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) {
            names.insert(stem.to_owned());
        }
    }
    Ok(names.into_iter().collect())
}

impl Catalogue {
    /// Reads the catalogue of a folder, if it has one, and holds it against the studies that are there.
    ///
    /// # Errors
    /// If it cannot be read, is malformed, or does not name every study once.
    pub fn of(folder: &Path) -> Result<Option<Self>, CatalogueError> {
        let path = folder.join(CATALOGUE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(reason) => return Err(CatalogueError::Unreadable { path, reason }),
        };
        let catalogue: Self = toml::from_str(&text)
            .map_err(|error| CatalogueError::Malformed { path: path.clone(), message: error.to_string() })?;
        let complaints = catalogue.complaints(&text, &studies_of(folder)?);
        if complaints.is_empty() { Ok(Some(catalogue)) } else { Err(CatalogueError::Wrong { path, complaints }) }
    }

    /// The studies in their order.
    pub fn studies(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| group.studies.iter().map(|name| name.get_ref().as_str()))
    }

    fn complaints(&self, text: &str, there: &[String]) -> Vec<String> {
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let mut out = Vec::new();
        let mut seen = BTreeSet::new();
        let names: Vec<&str> = there.iter().map(String::as_str).collect();
        for name in self.groups.iter().flat_map(|group| &group.studies) {
            let (at, name) = (line(name.span().start), name.get_ref().as_str());
            if !names.contains(&name) {
                out.push(format!("{at}: there is no study `{name}` in this folder{}", near(name, &names)));
            } else if !seen.insert(name) {
                out.push(format!("{at}: the study `{name}` is listed twice; keep one"));
            }
        }
        let missing: Vec<&str> = names.iter().filter(|name| !seen.contains(*name)).copied().collect();
        if !missing.is_empty() {
            let groups = "add them to `studies` of some [[group]]";
            out.push(format!("1: studies of this folder that no group lists: {}; {groups}", missing.join(", ")));
        }
        for (i, sentence) in self.sentences.iter().enumerate() {
            if usize::from(*sentence.number.get_ref()) != i + 1 {
                let found = sentence.number.get_ref();
                let at = line(sentence.number.span().start);
                out.push(format!("{at}: expected number = {}, found {found}: sentences are counted from 1", i + 1));
            }
        }
        let mut cites = BTreeSet::new();
        for paper in self.papers.iter().filter(|paper| !cites.insert(paper.cite.get_ref())) {
            out.push(format!(
                "{}: the paper \"{}\" is listed twice",
                line(paper.cite.span().start),
                paper.cite.get_ref()
            ));
        }
        out
    }

    /// What the claims of a study name that is not listed here, and sentences that no claim of any study answers.
    pub fn strays<'a>(&self, studies: impl IntoIterator<Item = (&'a str, &'a [Claim])>) -> Vec<String> {
        let papers: Vec<&str> = self.papers.iter().map(|paper| paper.cite.get_ref().as_str()).collect();
        let mut open: BTreeSet<u8> = self.sentences.iter().map(|sentence| *sentence.number.get_ref()).collect();
        let known = open.clone();
        let mut out = Vec::new();
        for (name, claims) in studies {
            if claims.is_empty() {
                out.push(format!("{name}: no [[claim]]: a study of a catalogue answers a sentence or a paper"));
            }
            for (i, claim) in claims.iter().enumerate() {
                for number in &claim.panel {
                    open.remove(number);
                    if !known.contains(number) {
                        let last = self.sentences.len();
                        out.push(format!(
                            "{name}: claim[{i}].panel: there is no sentence {number}; there are 1 to {last}"
                        ));
                    }
                }
                for cite in cited(claim).filter(|cite| !papers.contains(cite)) {
                    let near = near(cite, &papers);
                    out.push(format!("{name}: claim[{i}].cite: \"{cite}\" is no [[paper]] of {CATALOGUE}{near}"));
                }
            }
        }
        out.extend(open.iter().map(|number| format!("no claim of any study answers sentence {number}")));
        out
    }
}

/// The papers that a claim cites.
pub fn cited(claim: &Claim) -> impl Iterator<Item = &str> {
    claim.cite.iter().flat_map(|cite| cite.split(';')).map(str::trim).filter(|cite| !cite.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[[sentence]]
number  = 1
says    = "So it is."
verdict = "depends"
because = "On what."

[[group]]
title   = "All"
studies = ["one", "two"]

[[paper]]
cite  = "Ali 2019"
title = "A view"
at    = "arXiv:1"
"#;

    fn catalogue(text: &str) -> Catalogue {
        toml::from_str(text).expect("a catalogue")
    }

    fn complaints(text: &str, there: &[&str]) -> Vec<String> {
        let there: Vec<String> = there.iter().map(|name| (*name).to_owned()).collect();
        catalogue(text).complaints(text, &there)
    }

    #[test]
    fn every_study_is_listed_once() {
        assert_eq!(complaints(TEXT, &["one", "two"]), Vec::<String>::new());
        let found = complaints(TEXT, &["one", "three", "twos"]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("10: there is no study `two`") && found[0].contains("twos"), "{found:?}");
        assert!(found[1].contains("three, twos"), "{found:?}");
        let twice = complaints(&TEXT.replace("\"two\"", "\"one\""), &["one"]);
        assert_eq!(twice, ["10: the study `one` is listed twice; keep one"]);
    }

    #[test]
    fn sentences_are_counted_from_one() {
        let found = complaints(&TEXT.replace("number  = 1", "number  = 2"), &["one", "two"]);
        assert_eq!(found, ["3: expected number = 1, found 2: sentences are counted from 1"]);
    }

    #[test]
    fn claims_name_what_is_listed() {
        let claim = |panel: &str, cite: &str| -> Claim {
            toml::from_str(&format!("says = \"\"\nsql = \"\"\nat_most = 1.0\npanel = {panel}\ncite = \"{cite}\""))
                .expect("a claim")
        };
        let good = [claim("[1]", "Ali 2019; Ali 2019")];
        assert!(catalogue(TEXT).strays([("one", &good[..])]).is_empty());
        let none = catalogue(TEXT).strays([("one", &good[..]), ("two", &[])]);
        assert!(none.len() == 1 && none[0].starts_with("two: no [[claim]]"), "{none:?}");
        let bad = [claim("[3]", "Ali 2018")];
        let found = catalogue(TEXT).strays([("one", &bad[..])]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("there is no sentence 3") && found[1].contains("Ali 2019"), "{found:?}");
        assert!(found[2].contains("sentence 1"), "{found:?}");
    }
}
