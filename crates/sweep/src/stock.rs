//! What is in the store already: which cells, in which part or piece, and why some of it does not serve.

use crate::keeping::{kept, lacks, recorded, surplus_theories};
use crate::plan::Plan;
use crate::tables::SCHEMA_VERSION;
use std::collections::BTreeMap;
use taut_store::{Folder, Lot, StoreError};

/// The footer key that says which plan laid a part out.
pub(crate) const FINGERPRINT_KEY: &str = "taut.fingerprint";
/// The footer key with the version of the numbers.
pub(crate) const SEMANTICS_KEY: &str = "taut.semantics";

/// A part or piece that can be used.
pub(crate) struct Usable {
    pub(crate) lot: Lot,
    /// Whether its rows are laid out for this plan; otherwise its columns are brought into order.
    pub(crate) is_ours: bool,
    /// Theories that the plan does not want any more.
    pub(crate) unwanted: Vec<String>,
}

/// One part of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// All cells are there, in one part.
    Whole,
    /// For each cell the usable lot that has it.
    Open(Vec<Option<u32>>),
}

/// Everything stored of a plan.
pub(crate) struct Stock {
    pub(crate) lots: Vec<Usable>,
    pub(crate) parts: Vec<State>,
    /// Cells that a second lot holds as well: place in the plan, first lot, second lot.
    pub(crate) duplicates: Vec<(u32, u32, u32)>,
    /// How many stored cells do not serve, by reason.
    pub(crate) unusable: BTreeMap<String, usize>,
    /// Pieces that cannot be read.
    pub(crate) damaged: Vec<Lot>,
    /// Files of parts that are there and cannot be read, or are missing beside others of their part.
    pub(crate) broken: Vec<String>,
}

/// How to look at what is there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// Cells that failed count as missing.
    pub(crate) retry_failed: bool,
    /// Every part is a lot, also where there is nothing to do.
    pub(crate) as_lots: bool,
    /// Every byte is held against its checksum; damaged lots do not count.
    pub(crate) verify: bool,
}

impl Stock {
    /// Takes stock of a folder whose parts all belong to the plan's layout.
    pub(crate) fn take(plan: &Plan, folder: &Folder, look: Look) -> Result<Self, StoreError> {
        Self::take_with(plan, folder, look, &[])
    }

    /// The same with parts of another layout.
    pub(crate) fn take_with(plan: &Plan, folder: &Folder, look: Look, strangers: &[Lot]) -> Result<Self, StoreError> {
        let looks_inside = look.retry_failed || look.as_lots;
        let mut stock = Self {
            lots: Vec::new(),
            parts: Vec::with_capacity(plan.parts()),
            duplicates: Vec::new(),
            unusable: BTreeMap::new(),
            damaged: Vec::new(),
            broken: Vec::new(),
        };
        let tables = plan.table_names();
        let listed = tables.iter().map(|table| folder.parts(table)).collect::<Result<Vec<_>, _>>()?;
        let mut open = Vec::new();
        for part in 0..plan.parts() {
            let (name, cells) = (part_name(part), plan.part(part).len());
            let has = |parts: &Vec<String>| parts.binary_search(&name).is_ok();
            let rows = if listed.iter().all(has) { readable(folder, &folder.part(&name), &tables, plan) } else { None };
            // `cells` is written last: a part without it was never finished.
            if rows.is_none() && tables.iter().zip(&listed).any(|(table, parts)| *table == "cells" && has(parts)) {
                let is_broken = |table: &&&str| !folder.part_is_readable(table, &name);
                let paths = tables.iter().filter(is_broken).map(|table| folder.part(&name).path(table));
                stock.broken.extend(paths.map(|path| path.display().to_string()));
            }
            stock.parts.push(match rows {
                Some(rows) if rows == cells && !looks_inside => State::Whole,
                _ => State::Open(vec![None; cells]),
            });
            if rows.is_some_and(|rows| rows != cells || looks_inside) {
                open.push((part, folder.part(&name)));
            }
        }
        for (part, lot) in open {
            stock.add(plan, lot, look);
            // Nothing else has been added: a part without a gap has all cells in itself, and needs no work.
            if look.retry_failed
                && matches!(&stock.parts[part], State::Open(cells) if cells.iter().all(Option::is_some))
            {
                stock.parts[part] = State::Whole;
            }
        }
        for lot in strangers.iter().cloned().chain(folder.pieces()?) {
            stock.add(plan, lot, look);
        }
        Ok(stock)
    }

    /// How many cells of a part are there.
    pub(crate) fn held(&self, plan: &Plan, part: usize) -> usize {
        match &self.parts[part] {
            State::Whole => plan.part(part).len(),
            State::Open(cells) => cells.iter().flatten().count(),
        }
    }

    /// Whether a cell is there.
    pub(crate) fn has(&self, plan: &Plan, cell: usize) -> bool {
        let part = plan.part_of(cell);
        match &self.parts[part] {
            State::Whole => true,
            State::Open(cells) => cells[cell - plan.part(part).start].is_some(),
        }
    }

    /// Whether a cell is in a part, not in a piece alone.
    pub(crate) fn is_in_a_part(&self, plan: &Plan, cell: usize) -> bool {
        let part = plan.part_of(cell);
        match &self.parts[part] {
            State::Whole => true,
            // Parts were looked at first.
            State::Open(cells) => {
                cells[cell - plan.part(part).start].is_some_and(|lot| !self.lots[lot as usize].lot.is_piece())
            }
        }
    }

    /// Counts the cells of a lot in, if they serve.
    fn add(&mut self, plan: &Plan, lot: Lot, look: Look) {
        let Ok((columns, usable)) = inspect(plan, &lot, look) else {
            self.damaged.extend(lot.is_piece().then_some(lot));
            return;
        };
        let usable = match usable {
            Ok(usable) => usable,
            Err(reasons) => {
                for reason in reasons {
                    *self.unusable.entry(reason).or_default() += columns.cells.len();
                }
                return;
            }
        };
        let number = self.lots.len() as u32;
        self.lots.push(usable);
        for (row, cell) in columns.cells.iter().enumerate() {
            let Some(index) = plan.index_of(*cell) else { continue };
            if columns.failed.get(row) == Some(&true) {
                continue;
            }
            let part = plan.part_of(index);
            if let State::Open(cells) = &mut self.parts[part] {
                let place = &mut cells[index - plan.part(part).start];
                match *place {
                    None => *place = Some(number),
                    Some(first) => self.duplicates.push((index as u32, first, number)),
                }
            }
        }
    }
}

/// The cells of a lot, and which of them do not count because they failed.
struct Held {
    cells: Vec<i64>,
    failed: Vec<bool>,
}

/// What a lot holds, and how it serves or why it does not.
fn inspect(plan: &Plan, lot: &Lot, look: Look) -> Result<(Held, Result<Usable, Vec<String>>), StoreError> {
    let footer = lot.footer("cells")?;
    let key = |key: &str| footer.keys.get(key).map(String::as_str).unwrap_or_default();
    let mut held = Held { cells: cells_of(lot)?, failed: Vec::new() };
    if let Some(reason) = other_version(&footer.keys) {
        return Ok((held, Err(vec![reason])));
    }
    let record = recorded(&footer.keys).unwrap_or_default();
    let wanted = kept(plan);
    let reasons = lacks(&record, &wanted);
    if !reasons.is_empty() {
        return Ok((held, Err(reasons)));
    }
    for table in plan.table_names() {
        if look.verify {
            lot.verify(table)?;
        }
        lot.footer(table)?;
    }
    if look.retry_failed {
        let statuses = lot.columns("cells", &["status"])?.texts("status")?;
        held.failed = statuses.iter().map(|status| status.as_deref() == Some("failed")).collect();
    }
    let is_ours = key(FINGERPRINT_KEY) == plan.fingerprint();
    Ok((held, Ok(Usable { lot: lot.clone(), is_ours, unwanted: surplus_theories(&record, &wanted) })))
}

/// The numbers of the cells that a lot lists.
pub(crate) fn cells_of(lot: &Lot) -> Result<Vec<i64>, StoreError> {
    Ok(lot.columns("cells", &["cell"])?.into_rows().ints(0).to_vec())
}

/// Why rows with these footers are not of this version of the program, if so.
pub(crate) fn other_version(keys: &BTreeMap<String, String>) -> Option<String> {
    let key = |key: &str| keys.get(key).map(String::as_str).unwrap_or("none");
    let (layout, semantics) = (key("taut.schema_version"), key(SEMANTICS_KEY));
    if layout != SCHEMA_VERSION {
        return Some(format!("written with layout {layout} of the tables, where this is {SCHEMA_VERSION}"));
    }
    let ours = crate::identity::SEMANTICS;
    (semantics != ours).then(|| format!("computed under version {semantics} of the numbers, where this is {ours}"))
}

/// How many cells a part of this plan's layout holds, if it is whole in every table.
fn readable(folder: &Folder, lot: &Lot, tables: &[&str], plan: &Plan) -> Option<usize> {
    let mut rows = None;
    for table in tables {
        if !folder.part_is_readable(table, lot.name()) {
            return None;
        }
        if *table == "cells" {
            let footer = lot.footer(table).ok()?;
            let is_ours = footer.keys.get(FINGERPRINT_KEY).is_some_and(|found| found == plan.fingerprint());
            rows = is_ours.then_some(footer.rows);
        }
    }
    rows
}

/// The name of a part in its files.
pub(crate) fn part_name(part: usize) -> String {
    format!("{part:05}")
}
