//! The rows of a part, put together from what was computed now and what was there.
//!
//! Cells follow each other by their place in the plan, and the rows of a cell as they were written, so a part is the same
//! whoever computed which of its cells, and when.

use crate::plan::Plan;
use crate::stock::{State, Stock};
use crate::tables::{CELL_HEAD, STAGE, Sheets};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use taut_store::{Rows, Selection, StoreError, TableSchema};

/// Where the rows of a cell are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In these sheets, which were computed now.
    Fresh(u32),
    /// In this lot of the stock.
    Stored(u32),
}

/// Where the rows of every cell of a part are, by the cell's place in the plan.
pub(crate) type Wanted = BTreeMap<u32, Origin>;

/// Rows of one table and which of them belong to which cell, in the order of the plan.
struct Runs {
    of: Vec<(u32, Range<usize>)>,
}

/// Puts rows together; remembers where the cells are in the lots that it has looked at.
pub(crate) struct Assembly<'a> {
    plan: &'a Plan,
    stock: &'a Stock,
    /// By table and lot.
    runs: BTreeMap<(usize, u32), Runs>,
}

impl<'a> Assembly<'a> {
    pub(crate) fn new(plan: &'a Plan, stock: &'a Stock) -> Self {
        Self { plan, stock, runs: BTreeMap::new() }
    }

    /// Where the cells of a part are, of those that are anywhere; what was computed now goes first.
    pub(crate) fn wanted(&self, part: usize, fresh: &[Arc<Sheets>]) -> Wanted {
        let mut wanted = Wanted::new();
        let start = self.plan.part(part).start;
        if let State::Open(cells) = &self.stock.parts[part] {
            let held = cells.iter().enumerate().filter_map(|(at, lot)| Some((at, (*lot)?)));
            wanted.extend(held.map(|(at, lot)| ((start + at) as u32, Origin::Stored(lot))));
        }
        wanted.extend(self.fresh_cells(fresh));
        wanted
    }

    /// The cells that were computed now.
    pub(crate) fn fresh_cells(&self, fresh: &[Arc<Sheets>]) -> Wanted {
        let mut wanted = Wanted::new();
        for (number, sheets) in fresh.iter().enumerate() {
            let indices = sheets.cells.ints(0).iter().filter_map(|cell| self.plan.index_of(*cell));
            wanted.extend(indices.map(|index| (index as u32, Origin::Fresh(number as u32))));
        }
        wanted
    }

    /// The rows of these cells in one table of the plan, by its number in the order of writing.
    pub(crate) fn rows<'b>(
        &mut self,
        table: usize,
        wanted: &Wanted,
        fresh: &'b [Arc<Sheets>],
    ) -> Result<Assembled<'b>, StoreError> {
        let schema = Arc::clone(self.plan.schemas.in_writing_order()[table]);
        let mut stored = Rows::sharing(Arc::clone(&schema));
        let mut sources: Vec<Source<'_, 'b>> = Vec::new();
        let mut pieces: Vec<(u32, usize, Range<usize>)> = Vec::new();
        for (number, sheets) in fresh.iter().enumerate() {
            let Some(rows) = sheets.in_writing_order().nth(table) else { continue };
            let runs = Runs::new(self.plan, rows.ints(0));
            let ours =
                runs.of.into_iter().filter(|(index, _)| wanted.get(index) == Some(&Origin::Fresh(number as u32)));
            pieces.extend(ours.map(|(index, range)| (index, sources.len(), range)));
            sources.push(Source::Fresh(rows));
        }
        let mut lots: Vec<u32> = wanted.values().filter_map(|origin| origin.stored()).collect();
        lots.sort_unstable();
        lots.dedup();
        for lot in lots {
            let chosen = |index: &u32| wanted.get(index) == Some(&Origin::Stored(lot));
            let (first, last) = (wanted.keys().next(), wanted.keys().next_back());
            let bounds = first.copied().unwrap_or(0)..last.map_or(0, |last| last + 1);
            let found: Vec<(u32, Range<usize>)> =
                self.runs(table, lot)?.within(bounds).iter().filter(|(index, _)| chosen(index)).cloned().collect();
            let Some(start) = found.iter().map(|(_, range)| range.start).min() else { continue };
            let end = found.iter().map(|(_, range)| range.end).max().unwrap_or(start);
            let usable = &self.stock.lots[lot as usize];
            let rows = usable.lot.rows(&schema.name, start..end)?.into_rows();
            let columns = (!usable.is_ours).then(|| columns_of(&schema, rows.schema()));
            let moved = |(index, range): (u32, Range<usize>)| (index, range.start - start..range.end - start);
            pieces.extend(found.into_iter().map(moved).map(|(index, range)| (index, sources.len(), range)));
            sources.push(Source::Stored { rows, columns, unwanted: &usable.unwanted });
        }
        // Stable: several runs of one cell keep their order.
        pieces.sort_by_key(|(index, ..)| *index);
        let mut runs = Vec::with_capacity(pieces.len());
        for (index, source, range) in pieces {
            match &sources[source] {
                Source::Fresh(rows) => runs.push((Some(*rows), range)),
                Source::Stored { rows, columns, unwanted } => {
                    let before = stored.len();
                    for range in without(rows, range, unwanted) {
                        match columns {
                            None => stored.append_range(rows, range),
                            Some(columns) => convert(self.plan, index as usize, rows, columns, range, &mut stored),
                        }
                    }
                    runs.push((None, before..stored.len()));
                }
            }
        }
        Ok(Assembled { schema, stored, runs })
    }

    fn runs(&mut self, table: usize, lot: u32) -> Result<&Runs, StoreError> {
        if !self.runs.contains_key(&(table, lot)) {
            let name = &self.plan.schemas.in_writing_order()[table].name;
            let cells = self.stock.lots[lot as usize].lot.columns(name, &["cell"])?.into_rows();
            self.runs.insert((table, lot), Runs::new(self.plan, cells.ints(0)));
        }
        Ok(&self.runs[&(table, lot)])
    }
}

/// Rows of one table in the order of the plan: those that were computed now where they are, the others copied.
pub(crate) struct Assembled<'a> {
    schema: Arc<TableSchema>,
    stored: Rows,
    /// Each of what was computed now, or of what is stored.
    runs: Vec<(Option<&'a Rows>, Range<usize>)>,
}

impl Assembled<'_> {
    /// The rows in one place, to be compared.
    pub(crate) fn joined(&self) -> Rows {
        let mut joined = Rows::sharing(Arc::clone(&self.schema));
        for (rows, range) in &self.runs {
            joined.append_range(rows.unwrap_or(&self.stored), range.clone());
        }
        joined
    }

    /// The rows, to be written.
    pub(crate) fn selection(&self) -> Selection<'_> {
        let mut selection = Selection::of(&self.schema);
        for (rows, range) in &self.runs {
            selection.push(rows.unwrap_or(&self.stored), range.clone());
        }
        selection
    }
}

impl Origin {
    fn stored(self) -> Option<u32> {
        match self {
            Self::Fresh(_) => None,
            Self::Stored(lot) => Some(lot),
        }
    }
}

impl Runs {
    /// Consecutive rows of one cell, for all cells that the plan has.
    fn new(plan: &Plan, cells: &[i64]) -> Self {
        let mut of = Vec::new();
        let mut start = 0;
        for run in cells.chunk_by(|a, b| a == b) {
            let range = start..start + run.len();
            start = range.end;
            of.extend(plan.index_of(run[0]).map(|index| (index as u32, range)));
        }
        of.sort_by_key(|(index, _)| *index);
        Self { of }
    }

    /// The runs of cells in a range of the plan.
    fn within(&self, indices: Range<u32>) -> &[(u32, Range<usize>)] {
        let from = self.of.partition_point(|(index, _)| *index < indices.start);
        let to = self.of.partition_point(|(index, _)| *index < indices.end);
        &self.of[from..to]
    }
}

/// Rows to copy from.
enum Source<'a, 'b> {
    Fresh(&'b Rows),
    Stored {
        rows: Rows,
        /// Where each column comes from, if the rows are laid out for another plan.
        columns: Option<Vec<From>>,
        unwanted: &'a [String],
    },
}

/// Where a column of the plan's layout comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// From this column of the stored rows.
    Column(usize),
    /// The plan knows it: it is an axis.
    Axis,
    /// There was no such thing when the row was written.
    Nowhere,
}

/// The parts of a range that come from nobody unwanted.
fn without(rows: &Rows, range: Range<usize>, unwanted: &[String]) -> Vec<Range<usize>> {
    let column = rows.schema().columns.iter().position(|column| column.name == "source" || column.name == "theory");
    let Some(column) = column.filter(|_| !unwanted.is_empty()) else {
        return vec![range];
    };
    let is_wanted = |row: usize| rows.text(column, row).is_none_or(|who| unwanted.iter().all(|name| name != who));
    let mut kept: Vec<Range<usize>> = Vec::new();
    for row in range.filter(|row| is_wanted(*row)) {
        match kept.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => kept.push(row..row + 1),
        }
    }
    kept
}

/// Copies rows that another plan laid out.
fn convert(plan: &Plan, index: usize, rows: &Rows, columns: &[From], range: Range<usize>, out: &mut Rows) {
    let mut at = 0;
    while at < columns.len() {
        match columns[at] {
            From::Column(its) => out.append_cells(at, rows, its, range.clone()),
            From::Nowhere => out.push_null(at, range.len()),
            From::Axis => {
                // A cell has one row where there are axes.
                let mut after = at;
                range.clone().for_each(|_| after = plan.push_axes(index, at, out));
                at = after;
                continue;
            }
        }
        at += 1;
    }
}

/// Where each column of a table comes from. Axes are the columns behind the fixed head of `cells`.
fn columns_of(schema: &TableSchema, stored: &TableSchema) -> Vec<From> {
    let is_axis = |at: usize, doc: &str| schema.name == "cells" && at >= CELL_HEAD && doc.starts_with("axis ");
    let of = |(at, column): (usize, &taut_store::Column)| {
        if is_axis(at, &column.doc) {
            return From::Axis;
        }
        match stored.column(&column.name).filter(|&its| stored.columns[its].kind == column.kind) {
            Some(its) => From::Column(its),
            // Of all columns this one alone may be new in rows that hold what is kept.
            None => {
                debug_assert_eq!(column.name, STAGE);
                From::Nowhere
            }
        }
    };
    schema.columns.iter().enumerate().map(of).collect()
}
