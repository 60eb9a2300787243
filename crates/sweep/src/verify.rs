//! Stored cells, computed again and held against what is stored.

use crate::assembly::{Assembly, Origin, Wanted};
use crate::bundle::{Bundle, Place, bundles, compute};
use crate::checkpoints::Checkpoints;
use crate::growth::{contradictions, strangers};
use crate::plan::Plan;
use crate::run::{Progress, RunError};
use crate::stock::{Look, State, Stock};
use crate::tables::Sheets;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use taut_store::{Folder, Rows};

/// How many cells to compute again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// This share of the stored cells, at least one.
    Share(f64),
    /// This many.
    Count(usize),
}

impl std::str::FromStr for Sample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text.strip_suffix('%').map(|number| number.trim().parse::<f64>());
        match (percent, text.parse::<usize>()) {
            (Some(Ok(percent)), _) if (0.0..=100.0).contains(&percent) => Ok(Self::Share(percent / 100.0)),
            (None, Ok(count)) => Ok(Self::Count(count)),
            _ => Err("give a share of the cells, such as 1%, or how many, such as 20".to_owned()),
        }
    }
}

/// What verifying has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// Cells that are stored, of those of the study.
    pub stored: usize,
    /// Cells of the study.
    pub cells: usize,
    /// Files of which every byte was read.
    pub files: usize,
    /// Files that are not as they were written.
    pub damaged: Vec<String>,
    /// Cells that were computed again.
    pub recomputed: usize,
    /// Cells whose rows differ.
    pub differing: Vec<Mismatch>,
    /// Machines that the stored cells were computed on.
    pub hosts: Vec<String>,
    /// Whether it was asked to stop.
    pub stopped: bool,
}

/// A cell whose rows differ from what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The number of the cell.
    pub cell: i64,
    /// The first table with a difference.
    pub table: String,
    /// Where, and the two values: "row 3, column `risk`: stored 0.1, now 0.2".
    pub place: String,
}

/// Reads every byte of what is stored against its checksum, computes a sample of the stored cells again, and compares the rows
/// bit for bit, in all tables but `timing`.
///
/// Which cells are in the sample depends on `seed` and their numbers alone. Writes nothing.
///
/// # Errors
/// If the folder cannot be read.
pub fn verify(
    plan: &Plan,
    folder: &Folder,
    (sample, seed): (Sample, u64),
    threads: usize,
    progress: &Arc<dyn Progress>,
    stop: &AtomicBool,
) -> Result<Verified, RunError> {
    let mut verified = Verified { cells: plan.cells(), ..Verified::default() };
    let strangers = strangers(plan, folder)?;
    let differences = contradictions(plan, "", strangers.iter())?;
    if !differences.is_empty() {
        let folder = folder.root().display().to_string();
        return Err(RunError::OtherStudy {
            folder,
            differences: vec!["its cells are not those of this study".to_owned()],
        });
    }
    let stock = Stock::take(plan, folder, Look { as_lots: true, ..Look::default() })?;
    check_files(plan, &stock, &mut verified)?;
    let stored: Vec<usize> = (0..plan.cells()).filter(|cell| stock.has(plan, *cell)).collect();
    verified.stored = stored.len();
    let count = match sample {
        Sample::Count(count) => count.min(stored.len()),
        Sample::Share(share) => ((share * stored.len() as f64).ceil() as usize).min(stored.len()),
    };
    let mut drawn = stored;
    drawn.sort_by_cached_key(|cell| lot_number(seed, plan.number_of(*cell)));
    drawn.truncate(count);
    drawn.sort_unstable();
    progress.started(count, 0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| RunError::Threads { threads, reason: e.to_string() })?;
    let mut assembly = Assembly::new(plan, &stock);
    for cells in drawn.chunk_by(|a, b| plan.part_of(*a) == plan.part_of(*b)) {
        let fresh = pool.install(|| recompute(plan, cells, threads, progress, stop));
        let Some(fresh) = fresh else {
            verified.stopped = true;
            break;
        };
        verified.recomputed += cells.len();
        compare(plan, &stock, &mut assembly, cells, &fresh, &mut verified)?;
    }
    Ok(verified)
}

/// Reads every file to its end; what is damaged does not count as stored.
fn check_files(plan: &Plan, stock: &Stock, verified: &mut Verified) -> Result<(), RunError> {
    for usable in &stock.lots {
        for table in plan.table_names() {
            verified.files += 1;
            if usable.lot.verify(table).is_err() {
                verified.damaged.push(usable.lot.path(table).display().to_string());
            }
        }
        if let Ok(timing) = usable.lot.columns("timing", &["host"]) {
            verified.hosts.extend(timing.texts("host")?.into_iter().flatten());
            verified.hosts.sort();
            verified.hosts.dedup();
        }
    }
    verified.damaged.extend(stock.broken.iter().cloned());
    verified.damaged.extend(stock.damaged.iter().map(|lot| lot.path("cells").display().to_string()));
    Ok(())
}

/// The order in which cells are drawn.
fn lot_number(seed: u64, cell: i64) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_be_bytes()).update(&cell.to_be_bytes());
    let mut number = [0; 8];
    number.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    number
}

/// The rows of some cells of one part; `None` if asked to stop.
fn recompute(
    plan: &Plan,
    cells: &[usize],
    threads: usize,
    progress: &Arc<dyn Progress>,
    stop: &AtomicBool,
) -> Option<Vec<Arc<Sheets>>> {
    let place = Place { host: String::new(), threads };
    let all = bundles(plan, plan.part(plan.part_of(cells[0])));
    let chosen = all.into_iter().filter_map(|bundle| bundle.retaining(|cell| cells.binary_search(&cell).is_ok()));
    let chosen: Vec<Bundle> = chosen.collect();
    let one = |bundle: &Bundle| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let sheets = compute(plan, bundle, &place, stop, &Checkpoints::off(), Sheets::new(&plan.schemas))?;
        progress.cells_done(bundle.cells().len());
        Some(Arc::new(sheets))
    };
    chosen.par_iter().map(one).collect()
}

fn compare(
    plan: &Plan,
    stock: &Stock,
    assembly: &mut Assembly<'_>,
    cells: &[usize],
    fresh: &[Arc<Sheets>],
    verified: &mut Verified,
) -> Result<(), RunError> {
    let now = assembly.fresh_cells(fresh);
    for &cell in cells {
        let part = plan.part_of(cell);
        let State::Open(lots) = &stock.parts[part] else { continue };
        let Some(lot) = lots[cell - plan.part(part).start] else { continue };
        let key = cell as u32;
        let Some(origin) = now.get(&key) else { continue };
        let stored = Wanted::from([(key, Origin::Stored(lot))]);
        let fresh_one = Wanted::from([(key, *origin)]);
        for (table, name) in plan.table_names().into_iter().enumerate() {
            if name == "timing" {
                continue;
            }
            let before = match assembly.rows(table, &stored, &[]) {
                Ok(rows) => rows.joined(),
                // Already told as damaged.
                Err(_) => break,
            };
            let after = assembly.rows(table, &fresh_one, fresh)?.joined();
            if !before.same_bits(0..before.len(), &after, 0..after.len()) {
                let (table, place) = (name.to_owned(), first_difference(&before, &after));
                verified.differing.push(Mismatch { cell: plan.number_of(cell), table, place });
                break;
            }
        }
    }
    Ok(())
}

/// Where two gatherings of rows differ first, in words.
fn first_difference(before: &Rows, after: &Rows) -> String {
    if before.len() != after.len() {
        return format!("{} rows are stored, {} now", before.len(), after.len());
    }
    for row in 0..before.len() {
        for (column, about) in before.schema().columns.iter().enumerate() {
            let (a, b) = (before.shown(column, row), after.shown(column, row));
            if a != b {
                return format!("row {row}, column `{}`: stored {a}, now {b}", about.name);
            }
        }
    }
    "in the last bits".to_owned()
}
