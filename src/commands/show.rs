//! `taut show`: one cell as a study that runs.

use super::{load, print};
use crate::exit::Usage;
use crate::options::Show;
use anyhow::Result;
use std::process::ExitCode;

pub(super) fn show(options: &Show) -> Result<ExitCode> {
    let plan = load(&options.source)?;
    let cell = plan.find(&options.cell).ok_or_else(|| {
        Usage(format!(
            "{} has no cell `{}`: give a number from 0 to {}, or a `cell` or `key` from its tables",
            options.source.study.display(),
            options.cell,
            plan.cells() - 1
        ))
    })?;
    print(plan.study().cell_study(cell).trim_end())
}
