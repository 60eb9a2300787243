//! Which positions on the axes make cells.
//!
//! Without conditions the cells are the product of the axes, and a cell is found by arithmetic on its number. A derived
//! value is looked up in a table over the axes that it depends on. Where conditions or a filter leave cells out, the
//! kept combinations of the axes that they speak of are listed; the axes after those go on by arithmetic.

mod derivation;
mod making;
mod search;

use super::axes::Axis;
use super::diagnostics::Diagnostic;
use super::formula::Formula;
use super::shape::Shape;
use super::tree::{Node, Place};
use making::Making;

/// Something that depends on the positions on a few axes, for every combination of these.
#[derive(Clone, Debug)]
struct Tabulated<T> {
    /// The axes with their lengths, the last fastest.
    axes: Vec<(usize, usize)>,
    entries: Vec<T>,
}

impl<T: Copy> Tabulated<T> {
    fn at(&self, positions: &[usize]) -> T {
        self.entries[self.axes.iter().fold(0, |index, (axis, len)| index * len + positions[*axis])]
    }
}

/// Which positions make cells.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    /// How many axes there are, derived ones included.
    axes: usize,
    /// The axes that multiply cells, with their lengths, in the order of the file: the last varies fastest.
    free: Vec<(usize, usize)>,
    /// Derived axes, each after those that it depends on.
    derived: Vec<(usize, Tabulated<u32>)>,
    /// Numbers of the kept combinations of the first free axes, ascending; all of them if there is no list.
    kept: Option<Vec<u64>>,
    /// How many cells each combination of the first axes has: the product of the rest.
    tail: usize,
    pub(crate) cells: usize,
    /// How many cells there would be without `where`; `None` where there is none, or too many to count.
    pub(crate) unfiltered: Option<usize>,
}

/// Planning looks at every cell, and nobody waits for so many.
pub(crate) const MOST_CELLS: usize = 100_000_000;

/// What is said then, at the first axis; `root` where there is none.
pub(crate) fn too_many_cells(axes: &[Axis], root: Place) -> Diagnostic {
    let title = format!("the axes make more than {MOST_CELLS} cells");
    let place = axes.first().map_or(root, |axis| axis.place);
    Diagnostic::new(place, title).help("shorten the axes, or split the study")
}

/// What making a grid gives beside it.
#[derive(Default)]
pub(crate) struct Remarks {
    pub(crate) mistakes: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Grid {
    /// All combinations of axes without conditions.
    pub(crate) fn product(axes: &[Axis]) -> Self {
        let free: Vec<(usize, usize)> = axes.iter().enumerate().map(|(i, axis)| (i, axis.len)).collect();
        let cells = free.iter().try_fold(1_usize, |cells, (_, len)| cells.checked_mul(*len));
        let (derived, kept, tail) = (Vec::new(), None, cells.unwrap_or(0));
        Self { axes: axes.len(), free, derived, kept, tail, cells: cells.unwrap_or(0), unfiltered: None }
    }

    /// The cells of axes that may depend on each other; derived axes get their rows.
    pub(crate) fn new(axes: &mut [Axis], filters: &[Formula], root: &Node, shape: &Shape) -> (Option<Self>, Remarks) {
        Making::new(root, shape).grid(axes, filters)
    }

    /// The positions of a cell on all axes.
    pub(crate) fn positions(&self, cell: usize) -> Vec<usize> {
        let mut positions = vec![0; self.axes];
        let (prefix, mut rest) = (cell / self.tail, cell % self.tail);
        let mut upper = self.kept.as_ref().map_or(prefix as u64, |kept| kept[prefix]);
        let mut tail = self.tail;
        for (axis, len) in self.free.iter().rev() {
            // The axes of the tail come off the remainder until it is used up.
            if tail > 1 {
                positions[*axis] = rest % len;
                (rest, tail) = (rest / len, tail / len);
            } else if *len > 1 {
                positions[*axis] = (upper % *len as u64) as usize;
                upper /= *len as u64;
            }
        }
        self.derive(&mut positions);
        positions
    }

    fn derive(&self, positions: &mut [usize]) {
        for (axis, table) in &self.derived {
            positions[*axis] = table.at(positions) as usize;
        }
    }

    /// Whether every combination of the axes that multiply is a cell.
    pub(crate) fn leaves_no_cell_out(&self) -> bool {
        self.kept.is_none()
    }

    /// Whether the cells are all combinations of the axes.
    pub(crate) fn is_product(&self) -> bool {
        self.kept.is_none() && self.derived.is_empty()
    }

    /// Cells one of which has every combination of the axes that depend on each other; the other axes are at their first
    /// position in all of them.
    pub(crate) fn combinations(&self) -> impl Iterator<Item = usize> {
        (0..self.cells).step_by(self.tail.max(1))
    }

    /// The axes that nothing depends on, with their lengths: they go on by arithmetic.
    pub(crate) fn independent(&self) -> &[(usize, usize)] {
        let mut product = 1;
        let is_before = |(_, len): &&(usize, usize)| {
            product *= len;
            product <= self.tail
        };
        let count = self.free.iter().rev().take_while(is_before).count();
        &self.free[self.free.len() - count..]
    }

    /// What tells this grid from another one over the same axes.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for number in self.kept.iter().flatten() {
            hasher.update(&number.to_le_bytes());
        }
        for (axis, table) in &self.derived {
            hasher.update(&axis.to_le_bytes());
            table.entries.iter().for_each(|position| {
                hasher.update(&position.to_le_bytes());
            });
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Sets the positions on these axes to a combination by its number.
fn spread(index: usize, axes: &[(usize, usize)], positions: &mut [usize]) {
    let mut rest = index;
    for (axis, len) in axes.iter().rev() {
        (positions[*axis], rest) = (rest % len, rest / len);
    }
}
