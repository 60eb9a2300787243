//! Pieces become parts.

use crate::assembly::{Assembly, Origin, Wanted};
use crate::checkpoints::Checkpoints;
use crate::growth::settle;
use crate::plan::Plan;
use crate::run::{Progress, RunError, lock, provenance};
use crate::stock::{Look, State, Stock};
use crate::writer::{absorb, write_part};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use taut_store::Folder;

/// What came of collecting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Cells of the study.
    pub cells: usize,
    /// Of these, cells that are in the parts now.
    pub there: usize,
    /// Cells that were found more than once, with the same rows.
    pub duplicates: usize,
    /// Cells of which two copies differ: their numbers, and where the copies are.
    pub differing: Vec<(i64, [String; 2])>,
    /// Parts that were written now.
    pub written: usize,
    /// Pieces that cannot be read, where they have been set aside, and files of parts; their cells count as missing.
    pub damaged: Vec<String>,
    /// Cells in pieces that do not serve, by reason.
    pub unusable: Vec<(String, usize)>,
}

impl Collected {
    /// Cells that are not there.
    pub fn missing(&self) -> usize {
        self.cells - self.there
    }
}

/// Puts every finished cell of a folder into the parts of the plan, checks that copies of one cell are equal, and removes the
/// pieces that have become useless. A part with missing cells is written too, and completed later.
///
/// # Errors
/// If the folder holds another study, or cannot be read or written.
pub fn collect(
    plan: &Plan,
    folder: &Folder,
    program: &str,
    progress: &Arc<dyn Progress>,
    stop: &AtomicBool,
) -> Result<Collected, RunError> {
    let _lock = lock(folder, progress, stop)?;
    settle(plan, folder, program, (false, false))?;
    folder.prepare(&plan.table_names())?;
    let stock = Stock::take(plan, folder, Look { verify: true, ..Look::default() })?;
    // Shards and `status` would take a damaged piece for a whole one as long as it lies there.
    let damaged = stock.damaged.iter().map(|lot| Ok(folder.set_aside(lot)?.display().to_string()));
    let damaged = damaged.collect::<Result<Vec<_>, RunError>>()?;
    let mut collected = Collected {
        cells: plan.cells(),
        damaged: damaged.into_iter().chain(stock.broken.iter().cloned()).collect(),
        unusable: stock.unusable.iter().map(|(reason, cells)| (reason.clone(), *cells)).collect(),
        ..Collected::default()
    };
    let mut assembly = Assembly::new(plan, &stock);
    compare(plan, &stock, &mut assembly, &mut collected)?;
    let provenance = provenance(plan, program);
    for part in 0..plan.parts() {
        let held = stock.held(plan, part);
        collected.there += held;
        if needs_writing(&stock, part) {
            let wanted = assembly.wanted(part, &[]);
            write_part(plan, folder, &mut assembly, part, &wanted, &[], &provenance)?;
            collected.written += 1;
        }
        progress.cells_done(held);
    }
    // Copies that differ stay for whoever wants to know why.
    if collected.differing.is_empty() {
        let is_complete = collected.missing() == 0;
        let now = Stock::take(plan, folder, Look::default())?;
        absorb(plan, folder, &now, is_complete)?;
        if is_complete {
            Checkpoints::open(folder, program, Duration::MAX).clear();
        }
    }
    Ok(collected)
}

/// Whether some cell of a part is in another place than the part itself.
fn needs_writing(stock: &Stock, part: usize) -> bool {
    match &stock.parts[part] {
        State::Whole => false,
        State::Open(cells) => cells.iter().flatten().any(|lot| {
            let usable = &stock.lots[*lot as usize];
            usable.lot.is_piece() || !usable.is_ours
        }),
    }
}

/// Holds every second copy of a cell against the first, in all tables but `timing`.
fn compare(plan: &Plan, stock: &Stock, assembly: &mut Assembly<'_>, collected: &mut Collected) -> Result<(), RunError> {
    let mut duplicates = stock.duplicates.clone();
    duplicates.sort_unstable();
    for group in duplicates.chunk_by(|a, b| plan.part_of(a.0 as usize) == plan.part_of(b.0 as usize)) {
        let mut rest = group.to_vec();
        while !rest.is_empty() {
            // One copy of every cell at a time.
            let round: Vec<_> = rest.chunk_by(|a, b| a.0 == b.0).map(|copies| copies[0]).collect();
            rest.retain(|copy| !round.contains(copy));
            let side = |second: bool| -> Wanted {
                round.iter().map(|(cell, a, b)| (*cell, Origin::Stored(if second { *b } else { *a }))).collect()
            };
            if are_equal(plan, assembly, &side(false), &side(true))? {
                collected.duplicates += round.len();
                continue;
            }
            for (cell, first, second) in round {
                let of = |lot| Wanted::from([(cell, Origin::Stored(lot))]);
                if are_equal(plan, assembly, &of(first), &of(second))? {
                    collected.duplicates += 1;
                } else {
                    let names =
                        [first, second].map(|lot| stock.lots[lot as usize].lot.path("cells").display().to_string());
                    collected.differing.push((plan.number_of(cell as usize), names));
                }
            }
        }
    }
    Ok(())
}

/// Whether two sets of origins give the same bits.
fn are_equal(plan: &Plan, assembly: &mut Assembly<'_>, one: &Wanted, other: &Wanted) -> Result<bool, RunError> {
    for (table, name) in plan.table_names().into_iter().enumerate() {
        if name == "timing" {
            continue;
        }
        let (a, b) = (assembly.rows(table, one, &[])?.joined(), assembly.rows(table, other, &[])?.joined());
        if !a.same_bits(0..a.len(), &b, 0..b.len()) {
            return Ok(false);
        }
    }
    Ok(true)
}
