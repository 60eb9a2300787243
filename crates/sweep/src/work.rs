//! What is to be computed, in which order, and by which shard.

use crate::bundle::{Bundle, bundles};
use crate::plan::Plan;
use crate::stock::{State, Stock};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Which share of a sweep one process computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            Some((index, of)) => {
                Err(format!("shard {index} of {of}: shards are counted from 0, so give I/N with I below N"))
            }
            None => Err("give I/N, such as 0/8 for the first of eight shards".to_owned()),
        }
    }
}

/// What becomes of the rows of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// A part of the plan, with what the stock has of it.
    Part(usize),
    /// A piece: the rest of the part is somebody else's.
    Piece,
}

/// Bundles whose rows are written together.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) goal: Goal,
    pub(crate) bundles: Vec<Bundle>,
}

impl Task {
    pub(crate) fn cells(&self) -> usize {
        self.bundles.iter().map(|bundle| bundle.cells().len()).sum()
    }
}

/// Everything that is missing, part by part; within a part the longest bundle first.
pub(crate) fn whole(plan: &Plan, stock: &Stock) -> Vec<Task> {
    let open = (0..plan.parts()).filter(|part| matches!(stock.parts[*part], State::Open(_)));
    let task = |part| {
        let mut bundles = missing(plan, stock, bundles(plan, plan.part(part)));
        longest_first(plan, &mut bundles);
        Task { goal: Goal::Part(part), bundles }
    };
    open.map(task).collect()
}

/// What is missing of a share, in the order of the plan, in tasks of about the size of a part.
pub(crate) fn of_share(plan: &Plan, stock: &Stock, share: Vec<Bundle>) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    let mut cells = 0;
    for bundle in missing(plan, stock, share) {
        if cells == 0 || cells + bundle.cells().len() > plan.cells_per_part() {
            tasks.push(Task { goal: Goal::Piece, bundles: Vec::new() });
            cells = 0;
        }
        cells += bundle.cells().len();
        tasks.last_mut().expect("just begun").bundles.push(bundle);
    }
    tasks.iter_mut().for_each(|task| longest_first(plan, &mut task.bundles));
    tasks
}

/// Everything that a shard is to compute. Dealing looks at the whole plan: ask once.
pub(crate) fn share(plan: &Plan, shard: Shard) -> Vec<Bundle> {
    shares(plan, shard.of).swap_remove(shard.index)
}

/// The numbers of the cells in bundles.
pub(crate) fn numbers(plan: &Plan, bundles: &[Bundle]) -> Vec<i64> {
    bundles.iter().flat_map(Bundle::cells).map(|cell| plan.number_of(*cell)).collect()
}

/// The numbers of a shard's cells.
pub fn cells_of_shard(plan: &Plan, shard: Shard) -> Vec<i64> {
    numbers(plan, &share(plan, shard))
}

/// The shards that have cells missing.
pub(crate) fn unfinished(plan: &Plan, stock: &Stock, shards: usize) -> Vec<usize> {
    let shares = shares(plan, shards).into_iter().enumerate();
    let is_missing = |bundle: &Bundle| bundle.cells().iter().any(|cell| !stock.has(plan, *cell));
    shares.filter(|(_, share)| share.iter().any(is_missing)).map(|(shard, _)| shard).collect()
}

/// Every bundle of a plan, in its order.
pub(crate) fn all(plan: &Plan) -> impl Iterator<Item = Bundle> {
    (0..plan.parts()).flat_map(|part| bundles(plan, plan.part(part)))
}

/// Deals all bundles of a plan to shards: the longest first, each to the shard with the least work so far. What was
/// computed already plays no part, so a shard is the same set of cells whenever it runs.
fn shares(plan: &Plan, shards: usize) -> Vec<Vec<Bundle>> {
    let all: Vec<Bundle> = all(plan).collect();
    let mut order: Vec<(Reverse<u64>, usize)> =
        all.iter().enumerate().map(|(number, bundle)| (Reverse(work(plan, bundle)), number)).collect();
    order.sort_unstable();
    let mut least: BinaryHeap<Reverse<(u64, usize)>> = (0..shards).map(|shard| Reverse((0, shard))).collect();
    let mut owner = vec![0; all.len()];
    for (Reverse(work), number) in order {
        let Some(Reverse((load, shard))) = least.pop() else { break };
        owner[number] = shard;
        least.push(Reverse((load.saturating_add(work), shard)));
    }
    let mut shares: Vec<Vec<Bundle>> = vec![Vec::new(); shards];
    for (bundle, shard) in all.into_iter().zip(owner) {
        shares[shard].push(bundle);
    }
    shares
}

/// The bundles without the cells that are there.
fn missing(plan: &Plan, stock: &Stock, bundles: Vec<Bundle>) -> Vec<Bundle> {
    let without = |bundle: Bundle| bundle.retaining(|cell| !stock.has(plan, cell));
    bundles.into_iter().filter_map(without).collect()
}

fn longest_first(plan: &Plan, bundles: &mut [Bundle]) {
    bundles.sort_by_cached_key(|bundle| Reverse(work(plan, bundle)));
}

/// Whole multiply-adds, so that sums are the same in any order.
fn work(plan: &Plan, bundle: &Bundle) -> u64 {
    plan.work_of(bundle.cells()).ceil().max(1.0) as u64
}
