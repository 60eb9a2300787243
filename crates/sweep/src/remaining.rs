//! How much of a plan a run would still have to compute.

use crate::growth::strangers;
use crate::plan::Plan;
use crate::stock::{Look, Stock};
use crate::work::{Shard, Task, all, of_share, share, whole};
use taut_store::{Folder, StoreError};

/// Cells that are missing in a folder, of the whole plan or of a shard, and their share of the work of the whole plan; what
/// another layout of the study has left there counts as far as it serves.
///
/// # Errors
/// If the folder cannot be read.
pub fn remaining(plan: &Plan, folder: &Folder, shard: Option<Shard>) -> Result<(usize, f64), StoreError> {
    if shard.is_none() && !folder.exists() {
        return Ok((plan.cells(), 1.0));
    }
    let stock = Stock::take_with(plan, folder, Look::default(), &strangers(plan, folder)?)?;
    let tasks = match shard {
        None => whole(plan, &stock),
        Some(shard) => of_share(plan, &stock, share(plan, shard)),
    };
    let cells = tasks.iter().map(Task::cells).sum();
    let bundles = tasks.iter().flat_map(|task| &task.bundles);
    let missing: f64 = bundles.map(|bundle| plan.work_of(bundle.cells())).sum();
    let all: f64 = all(plan).map(|bundle| plan.work_of(bundle.cells())).sum();
    Ok((cells, if all > 0.0 { missing / all } else { 1.0 }))
}
