//! What the writer of a run does: rows into files, and away with what has become useless by that.

use crate::assembly::{Assembled, Assembly, Wanted};
use crate::bundle::Bundle;
use crate::checkpoints::Checkpoints;
use crate::plan::Plan;
use crate::spares::Spares;
use crate::stock::{Stock, cells_of, part_name};
use crate::tables::Sheets;
use std::sync::Arc;
use taut_store::{Folder, Lot, Provenance, StoreError};

/// What the writer is told.
pub(crate) enum Order {
    /// A part of the plan, with these rows and what the stock has; then these pieces are of no use any more.
    Part { part: usize, rows: Gathered },
    /// These rows by themselves; then these pieces are of no use any more.
    Piece { name: String, rows: Gathered },
}

/// Rows to be written, and what becomes useless by that.
pub(crate) struct Gathered {
    pub(crate) fresh: Vec<Arc<Sheets>>,
    /// Whose checkpoints nobody needs any more.
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) pieces: Vec<String>,
}

/// Puts rows into files.
pub(crate) struct Writer<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) folder: &'a Folder,
    pub(crate) assembly: Assembly<'a>,
    pub(crate) checkpoints: &'a Checkpoints,
    pub(crate) provenance: Provenance,
    pub(crate) spares: &'a Spares,
}

impl Writer<'_> {
    pub(crate) fn obey(&mut self, order: Order) -> Result<(), StoreError> {
        let Gathered { bundles, pieces, fresh } = match order {
            Order::Part { part, rows } => {
                let wanted = self.assembly.wanted(part, &rows.fresh);
                write_part(self.plan, self.folder, &mut self.assembly, part, &wanted, &rows.fresh, &self.provenance)?;
                rows
            }
            Order::Piece { name, rows } => {
                let wanted = self.assembly.fresh_cells(&rows.fresh);
                let tables = 0..self.plan.schemas.in_writing_order().len();
                let tables = tables.map(|table| self.assembly.rows(table, &wanted, &rows.fresh));
                let tables = tables.collect::<Result<Vec<_>, _>>()?;
                self.folder.write_piece(&name, tables.iter().map(Assembled::selection), &self.provenance)?;
                rows
            }
        };
        // Those of a piece are kept for the part.
        fresh.into_iter().filter_map(Arc::into_inner).for_each(|sheets| self.spares.put(sheets));
        if !self.checkpoints.is_empty() {
            bundles.iter().for_each(|bundle| self.checkpoints.done(self.plan, bundle));
        }
        pieces.iter().try_for_each(|name| self.folder.remove_piece(&self.folder.piece(name)))
    }
}

/// Writes a part's tables, `cells` last: its part is the sign that the others are there.
pub(crate) fn write_part(
    plan: &Plan,
    folder: &Folder,
    assembly: &mut Assembly<'_>,
    part: usize,
    wanted: &Wanted,
    fresh: &[Arc<Sheets>],
    provenance: &Provenance,
) -> Result<(), StoreError> {
    for table in 0..plan.schemas.in_writing_order().len() {
        let rows = assembly.rows(table, wanted, fresh)?;
        folder.write_part(&part_name(part), rows.selection(), provenance)?;
    }
    Ok(())
}

/// Removes pieces of which every cell is in a part.
pub(crate) fn absorb(plan: &Plan, folder: &Folder, stock: &Stock, is_complete: bool) -> Result<(), StoreError> {
    let is_in_a_part = |lot: &Lot| {
        let cells = cells_of(lot).unwrap_or_default();
        let written = |cell: &i64| plan.index_of(*cell).is_some_and(|index| stock.is_in_a_part(plan, index));
        !cells.is_empty() && cells.iter().all(written)
    };
    for piece in folder.pieces()? {
        if is_complete || is_in_a_part(&piece) {
            folder.remove_piece(&piece)?;
        }
    }
    folder.clean_pieces()
}
