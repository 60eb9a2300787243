//! Samples become their second moments.

use super::Applied;
use super::network::Network;
use crate::{Entry, Task};

pub(super) const ENTRY: Entry = Entry {
    name: "second-moments",
    doc: "samples to Sxx and Syx: a step costs the same however many samples there are; full batch, square loss",
    cite: "",
};

/// What it saves, where a regression is stepped on all its rows at once. Everything survives.
///
/// Matrix problems are seen through their moments in any case. Small losses keep their digits, since they are summed
/// from ∂L/∂W and not from traces.
pub(super) fn applied(task: Task<'_>, network: &Network) -> Option<Applied> {
    let problem = task.regression().filter(|_| network.rows.is_none())?;
    let by_rows = Network { rows: Some(problem.samples()), ..network.clone() };
    let (from, to) = (network.sizes(), network.sizes());
    Some(Applied { name: ENTRY.name, from, to, flops_saved: by_rows.flops() / network.flops() })
}
