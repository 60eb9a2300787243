//! `taut catalogue`: the index of a folder of studies, as Markdown on stdout.

use super::{finished, load, print};
use crate::exit::Usage;
use crate::index::{self, Entry};
use crate::options::{self, Source};
use crate::scoreboard::Scoreboard;
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;
use taut_sweep::{CATALOGUE, Catalogue};

/// What `taut reproduce --json` printed, beside the studies.
const SCOREBOARD: &str = "scoreboard.json";

pub(super) fn catalogue(options: &options::Catalogue) -> Result<ExitCode> {
    let folder = &options.folder;
    let Some(catalogue) = Catalogue::of(folder)? else {
        let message = format!("there is no {CATALOGUE} in {}; docs/study.md says what it holds", folder.display());
        return Err(Usage(message).into());
    };
    let (board, how) = scoreboard(folder)?;
    let mut entries = Vec::new();
    let mut strays = Vec::new();
    for name in catalogue.studies() {
        let study = folder.join(format!("{name}.toml"));
        let text = taut_sweep::study::read(&study)?;
        let plan = load(&Source { study, set: Vec::new(), quick: false })?;
        let entry = Entry::new(name, &text, &finished::manifest(&plan)?, &board)
            .map_err(|stale| Usage(format!("{stale}; `{how}` makes it anew")))?;
        entries.push(entry);
        strays.push((name, plan.study().study.claim.clone()));
    }
    let strays = catalogue.strays(strays.iter().map(|(name, claims)| (*name, claims.as_slice())));
    if !strays.is_empty() {
        return Err(Usage(strays.join("\n")).into());
    }
    let page = if options.brief {
        index::brief(&catalogue, &entries)
    } else {
        index::page(folder, &catalogue, &entries, &board)
    };
    print(page.trim_end())
}

/// The scoreboard of a folder, and the command that makes it.
fn scoreboard(folder: &Path) -> Result<(Scoreboard, String)> {
    let path = folder.join(SCOREBOARD);
    let how = format!("taut reproduce --from {} --json > {}", folder.display(), path.display());
    let wrong = |what: String| Usage(format!("{what}; `{how}` makes it anew"));
    let text =
        std::fs::read_to_string(&path).map_err(|reason| wrong(format!("cannot read {}: {reason}", path.display())))?;
    let board: Scoreboard =
        serde_json::from_str(&text).map_err(|reason| wrong(format!("{}: {reason}", path.display())))?;
    if board.quick {
        return Err(wrong(format!("{} is of the small versions", path.display())).into());
    }
    Ok((board, how))
}
