//! The search for the combinations of axes that no condition refuses.

use super::{Grid, Tabulated};

/// Combinations that are looked through, at the most.
pub(super) const MOST_LOOKED_THROUGH: usize = 20_000_000;

/// A condition on positions, checked as soon as the free axes up to some level are set.
pub(super) struct Check {
    pub(super) level: usize,
    /// Whether it belongs to a filter, and not to an axis.
    pub(super) filters: bool,
    pub(super) holds: Tabulated<bool>,
}

/// The numbers of the combinations of the first axes that all checks let through, ascending; `None` if there are too many to
/// look through.
pub(super) fn kept(grid: &Grid, checks: &[Check], first: usize) -> Option<Vec<u64>> {
    let mut kept = Vec::new();
    search(grid, checks.iter().collect(), first, &mut |number| kept.push(number))?;
    Some(kept)
}

/// How many cells there are without the filters; `None` if there are too many to count.
pub(super) fn unfiltered(grid: &Grid, checks: &[Check], first: usize) -> Option<usize> {
    let conditions: Vec<&Check> = checks.iter().filter(|check| !check.filters).collect();
    let last = conditions.iter().map(|check| check.level + 1).max().unwrap_or(0).min(first);
    let mut combinations = 0_usize;
    search(grid, conditions, last, &mut |_| combinations += 1)?;
    let rest = grid.free[last..first].iter().try_fold(grid.tail, |cells, (_, len)| cells.checked_mul(*len))?;
    combinations.checked_mul(rest)
}

fn search(grid: &Grid, checks: Vec<&Check>, first: usize, found: &mut dyn FnMut(u64)) -> Option<()> {
    let mut positions = vec![0; grid.axes];
    if grid.free.is_empty() {
        grid.derive(&mut positions);
        if checks.iter().all(|check| check.holds.at(&positions)) {
            found(0);
        }
        return Some(());
    }
    Search { grid, checks, first, found, seen: 0 }.follow(0, 0, &mut positions)
}

struct Search<'a> {
    grid: &'a Grid,
    checks: Vec<&'a Check>,
    /// How many of the free axes are set.
    first: usize,
    found: &'a mut dyn FnMut(u64),
    seen: usize,
}

impl Search<'_> {
    /// Sets the axis at a level to each of its positions in turn.
    fn follow(&mut self, level: usize, number: u64, positions: &mut [usize]) -> Option<()> {
        if level == self.first {
            (self.found)(number);
            return Some(());
        }
        let (axis, len) = self.grid.free[level];
        for position in 0..len {
            self.seen += 1;
            if self.seen > MOST_LOOKED_THROUGH {
                return None;
            }
            positions[axis] = position;
            // What depends on axes further on is not known yet, and nobody asks for it.
            self.grid.derive(positions);
            if self.checks.iter().all(|check| check.level != level || check.holds.at(positions)) {
                self.follow(level + 1, number * len as u64 + position as u64, positions)?;
            }
        }
        positions[axis] = 0;
        Some(())
    }
}
