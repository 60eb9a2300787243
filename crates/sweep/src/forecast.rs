//! What a whole run would take, as far as some of its cells show: time, rows, bytes on disk, memory.

use crate::calibration::{Calibration, Seen};
use crate::plan::Plan;
use crate::run::provenance;
use crate::survey::Survey;
use crate::tables::Sheets;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Estimates are never better than this: machines have other things to do as well.
const LEAST_SPREAD: f64 = 0.15;

/// Beyond this factor nothing is known.
const MOST_FACTOR: f64 = 10.0;

/// Natural logarithm of the factor by which a kind of work may be off of which one bundle was seen.
const SPREAD_OF_ONE: f64 = 0.4;

/// The same of one whose pace was guessed from the first stretch of the way.
const SPREAD_OF_GUESSES: f64 = 0.7;

/// The same of one of which none was seen.
const SPREAD_OF_NONE: f64 = 1.1;

/// The share of what lies far beyond what was seen, in the logarithm.
const SPREAD_BEYOND: f64 = 0.35;

/// Work of more than this many times the largest that was seen is far beyond it.
const BEYOND: f64 = 3.0;

/// Parts that a run holds at a time: one that is computed, one that is written, one on its way.
const PARTS_IN_MEMORY: f64 = 3.0;

/// Seconds of putting a byte of rows into a file, compression included, and of a file however small it is.
const SECONDS_PER_BYTE: f64 = 3e-9;
const SECONDS_PER_FILE: f64 = 5e-4;

/// Seconds that every run takes: reading the study, and asking the tables what they say to its claims.
const SECONDS_OF_A_RUN: f64 = 0.08;

/// Seconds of handing a bundle out and its rows back.
const SECONDS_PER_BUNDLE: f64 = 1.5e-5;

/// Memory of the program itself where the system does not say, in bytes.
const PROGRAM: f64 = 60e6;

/// What a run of a whole plan would take.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Cells of the plan.
    pub cells: usize,
    /// Bundles that were computed, or moved for a while, to find out.
    pub computed: usize,
    /// Cells in them.
    pub computed_cells: usize,
    /// How long that took, in seconds.
    pub took: f64,
    /// Seconds of one core.
    pub cpu_seconds: f64,
    /// The time may be smaller or larger by this factor, 1.2 to 10.
    pub factor: f64,
    /// Seconds of the bundle that takes longest: no number of threads makes a run shorter.
    pub longest_seconds: f64,
    /// Bytes on disk.
    pub disk: f64,
    /// Rows of every table.
    pub rows: Vec<(String, f64)>,
    /// Whether the rows and bytes of some kinds of cells are upper bounds, because none of them was computed whole.
    pub rows_at_most: bool,
    /// Each kind of work: solver, parametrization, bundles, seconds of one core, and how many of them were seen.
    pub kinds: Vec<KindOfWork>,
    /// Reasons of cells that failed while they were tried, with how many gave each.
    pub failures: Vec<(String, usize)>,
    /// Seconds of each bundle, longest first; of a sample where there are too many.
    bundles: Vec<f64>,
    scale: f64,
    resident: f64,
    working: f64,
    of_parts: f64,
}

/// One kind of work.
#[derive(Clone, Debug)]
pub struct KindOfWork {
    /// How its motions are computed.
    pub solver: &'static str,
    /// How its parameters make a predictor.
    pub parametrization: &'static str,
    /// Bundles of it.
    pub bundles: f64,
    /// How many of them were seen.
    pub seen: usize,
    /// Seconds of one core for all of them.
    pub seconds: f64,
}

/// Seconds ≈ a + b·work, and how far that is off.
#[derive(Clone, Copy, Debug)]
struct Line {
    a: f64,
    b: f64,
    /// How far sums may be off, in the logarithm: the root mean square of that of measured over expected, over √n.
    spread: f64,
    /// The largest work that was seen.
    largest: f64,
}

impl Plan {
    /// Computes a few bundles of each kind of work, within about this time, and says what all of it would take. Writes
    /// nothing.
    pub fn forecast(&self, limit: Duration) -> Forecast {
        let survey = Survey::of(self);
        let calibration = Calibration::of(self, &survey, limit);
        Forecast::new(self, &survey, &calibration)
    }
}

impl Forecast {
    fn new(plan: &Plan, survey: &Survey, calibration: &Calibration) -> Self {
        let lines = lines(survey, &calibration.seen);
        let mut bundles: Vec<f64> = survey.items.iter().map(|item| lines[item.kind].at(item.work)).collect();
        let weight = Weight::of(plan, survey, calibration);
        let shelf = mean(&calibration.shelf_seconds) * survey.models as f64;
        let in_bundles = bundles.iter().sum::<f64>() + SECONDS_PER_BUNDLE * bundles.len() as f64;
        let kinds = kinds(survey, &lines, &calibration.seen);
        let spread: f64 = spread(survey, &lines, &bundles);
        bundles.sort_by(|a, b| b.total_cmp(a));
        Self {
            cells: plan.cells(),
            computed: calibration.seen.len(),
            computed_cells: calibration.seen.iter().map(|seen| seen.cells).sum(),
            took: calibration.took,
            cpu_seconds: SECONDS_OF_A_RUN + (in_bundles + shelf) * survey.scale + weight.write_seconds,
            factor: (1.5 * spread).exp().min(MOST_FACTOR),
            longest_seconds: bundles.first().copied().unwrap_or(0.0),
            disk: weight.disk,
            rows: weight.rows,
            rows_at_most: weight.at_most,
            kinds,
            failures: failures(calibration),
            bundles,
            scale: survey.scale,
            resident: resident().unwrap_or(PROGRAM),
            working: plan.working_bytes(),
            of_parts: PARTS_IN_MEMORY * weight.part_bytes,
        }
    }

    /// Seconds on so many threads, if each goes on with the longest bundle that is left.
    pub fn wall_seconds(&self, threads: usize) -> f64 {
        let threads = threads.max(1);
        let even = self.cpu_seconds / threads as f64;
        if self.scale > 1.0 {
            return even.max(self.longest_seconds);
        }
        let mut loads: BinaryHeap<Reverse<u64>> = (0..threads).map(|_| Reverse(0)).collect();
        // Positive numbers are ordered as their bits are.
        for seconds in &self.bundles {
            if let Some(Reverse(load)) = loads.pop() {
                loads.push(Reverse((f64::from_bits(load) + seconds).to_bits()));
            }
        }
        let longest = loads.into_iter().map(|Reverse(load)| f64::from_bits(load)).fold(0.0, f64::max);
        longest.max(even)
    }

    /// Rows of a table, about.
    pub fn rows_of(&self, table: &str) -> Option<f64> {
        self.rows.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows)
    }

    /// Bytes of memory at the most, on so many threads.
    pub fn memory(&self, threads: usize) -> f64 {
        self.resident + threads.max(1) as f64 * self.working + self.of_parts
    }
}

impl Line {
    fn at(&self, work: f64) -> f64 {
        self.a + self.b * work
    }

    /// The line through what was seen with the least sum of squared relative errors, without negative parts.
    fn through(points: &[(f64, f64)], are_sure: bool) -> Self {
        let largest = points.iter().map(|point| point.0).fold(0.0, f64::max);
        // Σ (1 − a·u − b·v)² with u = 1/s, v = w/s.
        let (mut uu, mut uv, mut vv, mut u, mut v) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(work, seconds) in points {
            let (x, y) = (1.0 / seconds, work / seconds);
            (uu, uv, vv, u, v) = (uu + x * x, uv + x * y, vv + y * y, u + x, v + y);
        }
        let determinant = uu * vv - uv * uv;
        let (mut a, mut b) = (0.0, v / vv);
        if determinant > 1e-6 * uu * vv {
            let both = ((u * vv - v * uv) / determinant, (uu * v - uv * u) / determinant);
            if both.0 > 0.0 && both.1 > 0.0 {
                (a, b) = both;
            }
        }
        // Among bundles that differ much, the sum is what counts.
        let sums = points.iter().fold((0.0, 0.0), |(s, t), &(work, seconds)| (s + seconds, t + a + b * work));
        let line = Self { a: a * sums.0 / sums.1, b: b * sums.0 / sums.1, spread: 0.0, largest };
        let squares: f64 = points.iter().map(|&(work, seconds)| (seconds / line.at(work)).ln().powi(2)).sum();
        // Of the mean, not of one.
        let spread = squares.sqrt() / points.len() as f64;
        let least = if are_sure { SPREAD_OF_ONE / points.len() as f64 } else { SPREAD_OF_GUESSES };
        let spread = if points.len() == 1 { least } else { spread.max(least) };
        Self { spread, ..line }
    }
}

/// A line for each kind of work; kinds that were not seen have that of all others together.
fn lines(survey: &Survey, seen: &[Seen]) -> Vec<Line> {
    let points = |of: &dyn Fn(&Seen) -> bool| -> Vec<(f64, f64)> {
        let good = seen.iter().filter(|seen| of(seen) && seen.seconds > 0.0 && seen.work > 0.0);
        good.map(|seen| (seen.work, seen.seconds)).collect()
    };
    let all = points(&|_| true);
    let any = if all.is_empty() {
        Line { a: 0.0, b: crate::calibration::NOMINAL, spread: SPREAD_OF_NONE, largest: 0.0 }
    } else {
        Line { spread: SPREAD_OF_NONE, largest: 0.0, ..Line::through(&all, false) }
    };
    let of_kind = |kind: usize| {
        let own = points(&|seen| seen.kind == kind);
        let are_sure = seen.iter().all(|seen| seen.kind != kind || seen.is_sure);
        if own.is_empty() { any } else { Line::through(&own, are_sure) }
    };
    (0..survey.kinds.len()).map(of_kind).collect()
}

/// How far the whole time may be off, in the logarithm: as if all kinds of work erred to the same side.
fn spread(survey: &Survey, lines: &[Line], bundles: &[f64]) -> f64 {
    let mut sum = 0.0;
    let mut total = 0.0;
    for (item, seconds) in survey.items.iter().zip(bundles) {
        let line = &lines[item.kind];
        let is_beyond = line.largest > 0.0 && item.work > BEYOND * line.largest;
        let beyond = if is_beyond { SPREAD_BEYOND } else { 0.0 };
        sum += seconds * (line.spread + beyond + LEAST_SPREAD);
        total += seconds;
    }
    if total > 0.0 { sum / total } else { LEAST_SPREAD }
}

fn kinds(survey: &Survey, lines: &[Line], seen: &[Seen]) -> Vec<KindOfWork> {
    let kind = |(kind, &(solver, parametrization)): (usize, &(&'static str, &'static str))| {
        let items: Vec<_> = survey.items.iter().filter(|item| item.kind == kind).collect();
        KindOfWork {
            solver,
            parametrization,
            bundles: items.len() as f64 * survey.scale,
            seen: seen.iter().filter(|seen| seen.kind == kind).count(),
            seconds: items.iter().map(|item| lines[kind].at(item.work)).sum::<f64>() * survey.scale,
        }
    };
    survey.kinds.iter().enumerate().map(kind).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Rows and bytes of a whole plan.
struct Weight {
    rows: Vec<(String, f64)>,
    disk: f64,
    /// Bytes of one part in memory.
    part_bytes: f64,
    write_seconds: f64,
    at_most: bool,
}

impl Weight {
    fn of(plan: &Plan, survey: &Survey, calibration: &Calibration) -> Self {
        let provenance = provenance(plan, crate::PROGRAM);
        let sizes = plan.sizes();
        let cells = plan.cells() as f64;
        let mut cells_of = vec![0.0; survey.kinds.len()];
        for item in &survey.items {
            cells_of[item.kind] += item.bundle.cells().len() as f64 * survey.scale;
        }
        let mut computed_of = vec![0.0; survey.kinds.len()];
        for (kind, sheets) in &calibration.sheets {
            computed_of[*kind] += sheets.cells.len() as f64;
        }
        let at_most = computed_of.iter().zip(&cells_of).any(|(computed, all)| *computed <= 0.0 && *all > 0.0);
        // Half of the rows, then all: what more rows take is not what the first ones do.
        let [half, all] = [calibration.sheets.len() / 2, calibration.sheets.len()].map(|count| {
            let mut joined = Sheets::new(&plan.schemas);
            calibration.sheets.iter().take(count).for_each(|(_, sheets)| joined.append(sheets));
            joined
        });
        let mut weight = Self { rows: Vec::new(), disk: 0.0, part_bytes: 0.0, write_seconds: 0.0, at_most };
        for (position, (all, half)) in all.in_writing_order().zip(half.in_writing_order()).enumerate() {
            let name = &all.schema().name;
            let upper = sizes.iter().find(|size| size.name == *name).map_or(0.0, |size| size.rows as f64) / cells;
            let rows: f64 = (0..survey.kinds.len())
                .map(|kind| {
                    let of_kind = calibration.sheets.iter().filter(|(of, _)| *of == kind);
                    let rows: usize =
                        of_kind.filter_map(|(_, s)| s.in_writing_order().nth(position)).map(|r| r.len()).sum();
                    let per_cell = if computed_of[kind] > 0.0 { rows as f64 / computed_of[kind] } else { upper };
                    per_cell * cells_of[kind]
                })
                .sum();
            let bytes = all.bytes_on_disk(&provenance).unwrap_or(0) as f64;
            let of_half = half.bytes_on_disk(&provenance).unwrap_or(0) as f64;
            let more = (all.len() - half.len()) as f64;
            let raw = 8.0 * all.schema().columns.len() as f64;
            // Without a row to go by, half of what the numbers take.
            let per_row = if more > 0.0 { ((bytes - of_half) / more).clamp(0.5, 1.5 * raw) } else { 0.5 * raw };
            let per_part = (bytes - per_row * all.len() as f64).max(0.0);
            weight.disk += per_row * rows + per_part * plan.parts() as f64;
            let in_memory = if all.is_empty() { raw } else { all.estimated_bytes() as f64 / all.len() as f64 };
            weight.write_seconds += SECONDS_PER_FILE * plan.parts() as f64 + SECONDS_PER_BYTE * in_memory * rows;
            weight.part_bytes += in_memory * rows / plan.parts() as f64;
            weight.rows.push((name.clone(), rows));
        }
        weight
    }
}

/// Why cells failed while they were tried.
fn failures(calibration: &Calibration) -> Vec<(String, usize)> {
    let mut reasons: Vec<(String, usize)> = Vec::new();
    let failed = calibration.sheets.iter().flat_map(|(_, sheets)| sheets.reasons_of_failures());
    for reason in failed.chain(calibration.panics.iter().cloned()) {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    reasons
}

/// Memory of this process now, where the system says.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096.0)
}
