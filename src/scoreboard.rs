//! What became of every claim of every study of a folder: a file, a table for people, and an exit code.

use crate::exit::{CELLS, CLAIMS, USAGE};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use taut_report::claims::{Verdict, Verdicts};

/// The layout of the file.
pub(crate) const SCHEMA: &str = "taut.reproduce/1";

/// What became of a folder of studies.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Scoreboard {
    pub(crate) schema: String,
    /// The program that asked, and the day, in UTC.
    pub(crate) program: String,
    pub(crate) date: String,
    /// Whether of the small versions.
    pub(crate) quick: bool,
    pub(crate) studies: Vec<Score>,
}

/// What became of a study.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Score {
    pub(crate) study: String,
    pub(crate) cells: usize,
    /// How many cells were computed now; the others were there.
    pub(crate) computed: usize,
    /// How many cells failed, or diverged without leave.
    pub(crate) bad_cells: usize,
    /// What it took now.
    pub(crate) wall_seconds: f64,
    pub(crate) claims: Vec<Scored>,
    /// What is wrong with the study, if it could not be run.
    pub(crate) mistake: Option<String>,
}

/// What became of a claim.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Scored {
    pub(crate) says: String,
    pub(crate) panel: Vec<u8>,
    pub(crate) cite: Option<String>,
    pub(crate) bound: String,
    /// Over all groups, to four digits; none where there is no value.
    pub(crate) measured: Option<String>,
    /// How far inside the bound the group is that comes closest to it.
    pub(crate) margin: Option<f64>,
    pub(crate) groups: usize,
    /// The group that comes closest.
    pub(crate) closest: String,
    pub(crate) verdict: Outcome,
    pub(crate) reason: Option<String>,
}

/// A verdict, in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Holds,
    Fails,
    Undecided,
    Skipped,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Holds => Self::Holds,
            Verdict::Fails => Self::Fails,
            Verdict::Undecided => Self::Undecided,
            Verdict::Skipped => Self::Skipped,
        }
    }
}

impl Outcome {
    /// Readable without colour.
    pub(crate) fn glyph(self) -> char {
        match self {
            Self::Holds => '✓',
            Self::Fails => '✗',
            Self::Undecided => '?',
            Self::Skipped => '–',
        }
    }

    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Holds | Self::Skipped)
    }
}

/// How many claims have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) holds: usize,
    pub(crate) fails: usize,
    pub(crate) undecided: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    pub(crate) fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            *match outcome {
                Outcome::Holds => &mut tally.holds,
                Outcome::Fails => &mut tally.fails,
                Outcome::Undecided => &mut tally.undecided,
                Outcome::Skipped => &mut tally.skipped,
            } += 1;
        }
        tally
    }

    pub(crate) fn of_verdicts(verdicts: &Verdicts) -> Self {
        Self::of(verdicts.answers.iter().map(|answer| answer.verdict().into()))
    }

    /// "all 12 hold", or the whole tally where they do not.
    pub(crate) fn brief(self) -> String {
        match self.all() {
            0 => "none".to_owned(),
            1 if self.holds == 1 => "1 holds".to_owned(),
            all if self.holds == all => format!("all {all} hold"),
            _ => self.to_string(),
        }
    }

    pub(crate) fn all(self) -> usize {
        self.holds + self.fails + self.undecided + self.skipped
    }
}

/// "12 claims: 11 hold, 1 fails".
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.all();
        let some = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let parts = [
            some(self.holds, "holds", "hold"),
            some(self.fails, "fails", "fail"),
            some(self.undecided, "undecided", "undecided"),
            some(self.skipped, "skipped in the small version", "skipped in the small version"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match all {
            0 => write!(f, "no claims"),
            1 => write!(f, "1 claim: {}", parts.concat()),
            all => write!(f, "{all} claims: {}", parts.join(", ")),
        }
    }
}

impl Score {
    pub(crate) fn tally(&self) -> Tally {
        Tally::of(self.claims.iter().map(|claim| claim.verdict))
    }
}

impl Scoreboard {
    /// Every claim, with its study and its place there.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&Score, usize, &Scored)> {
        self.studies.iter().flat_map(|score| score.claims.iter().enumerate().map(move |(i, claim)| (score, i, claim)))
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::of(self.claims().map(|(_, _, claim)| claim.verdict))
    }

    /// A study that is wrong, a bad cell, a claim that does not hold, in this order.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.studies.iter().any(|score| score.mistake.is_some()) {
            ExitCode::from(USAGE)
        } else if self.studies.iter().any(|score| score.bad_cells > 0) {
            ExitCode::from(CELLS)
        } else if self.claims().any(|(_, _, claim)| !claim.verdict.is_good()) {
            ExitCode::from(CLAIMS)
        } else {
            ExitCode::SUCCESS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_read_like_sentences() {
        use Outcome::{Fails, Holds, Skipped, Undecided};
        let shown = |outcomes: &[Outcome]| Tally::of(outcomes.iter().copied()).to_string();
        assert_eq!(shown(&[]), "no claims");
        assert_eq!(shown(&[Holds]), "1 claim: 1 holds");
        assert_eq!(shown(&[Holds, Holds, Fails, Undecided]), "4 claims: 2 hold, 1 fails, 1 undecided");
        assert_eq!(shown(&[Holds, Skipped]), "2 claims: 1 holds, 1 skipped in the small version");
    }
}
