//! The distinct settings of one section (data, model or train): a cell's three sections are found by
//! arithmetic on its position, so a million cells need only as many settings as differ.

use super::axes::{Assignment, Axis};
use super::grid::Grid;
use super::tree::Node;

/// More distinct settings of one section than this are a slip, not a study.
pub(crate) const MOST_SETTINGS: usize = 5_000_000;

/// One section of the study with the axes that touch it.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// Touching axes in the order of the file, with their lengths; the last varies fastest.
    pub(crate) axes: Vec<(usize, usize)>,
    pub(crate) base: Node,
    /// The combinations of these axes that cells have, ascending; all of them if there is no list.
    reached: Option<Vec<u64>>,
}

impl Section {
    /// The section of a study with this grid of cells.
    pub(crate) fn new(name: &'static str, axes: &[Axis], base: Node, grid: &Grid) -> Self {
        let touching = axes.iter().enumerate().filter(|(_, axis)| axis.touches(name));
        let mut section = Self { name, axes: touching.map(|(i, axis)| (i, axis.len)).collect(), base, reached: None };
        if !grid.is_product() {
            section.reached = section.reached(grid);
        }
        section
    }

    /// The combinations that cells have; `None` if they are all, or too many to list.
    fn reached(&self, grid: &Grid) -> Option<Vec<u64>> {
        let mut reached: Vec<u64> = grid.combinations().map(|cell| self.number(&grid.positions(cell))).collect();
        reached.sort_unstable();
        reached.dedup();
        // Axes that nothing depends on add all their positions to each.
        for (axis, len) in grid.independent() {
            let Some(at) = self.axes.iter().position(|(of, _)| of == axis) else { continue };
            let weight: u64 = self.axes[at + 1..].iter().map(|(_, len)| *len as u64).product();
            if reached.len().saturating_mul(*len) > MOST_SETTINGS {
                return None;
            }
            let of = |number: u64| (0..*len as u64).map(move |position| number + position * weight);
            reached = reached.into_iter().flat_map(of).collect();
            reached.sort_unstable();
        }
        // Where all are there, arithmetic is enough.
        (reached.len() != self.len()).then_some(reached)
    }

    /// How many distinct settings there are.
    pub(crate) fn len(&self) -> usize {
        match &self.reached {
            Some(reached) => reached.len(),
            None => self.axes.iter().fold(1, |product, (_, len)| product.saturating_mul(*len)),
        }
    }

    /// The number of a combination of the touching axes.
    fn number(&self, positions: &[usize]) -> u64 {
        let digit = |number: u64, (axis, len): &(usize, usize)| {
            number.wrapping_mul(*len as u64).wrapping_add(positions[*axis] as u64)
        };
        self.axes.iter().fold(0, digit)
    }

    /// The setting that a cell has, from its positions on all axes.
    pub(crate) fn index(&self, positions: &[usize]) -> usize {
        let number = self.number(positions);
        match &self.reached {
            Some(reached) => reached.partition_point(|reached| *reached < number),
            None => number as usize,
        }
    }

    /// The positions of a setting on the touching axes.
    pub(crate) fn positions(&self, index: usize) -> Vec<(usize, usize)> {
        let mut rest = self.reached.as_ref().map_or(index as u64, |reached| reached[index]);
        let mut positions: Vec<(usize, usize)> = self
            .axes
            .iter()
            .rev()
            .map(|(axis, len)| {
                let position = (rest % *len as u64) as usize;
                rest /= *len as u64;
                (*axis, position)
            })
            .collect();
        positions.reverse();
        positions
    }

    /// The section as this setting has it: the base with the axes' values set, outer paths first.
    pub(crate) fn tree(&self, axes: &[Axis], index: usize) -> Node {
        let mut tree = self.base.clone();
        for assignment in self.assignments(axes, index) {
            tree.set(&assignment.path[1..], &[assignment.key_place], assignment.node.clone());
        }
        tree
    }

    /// What the axes set in this setting, outer paths first.
    pub(crate) fn assignments<'a>(&self, axes: &'a [Axis], index: usize) -> Vec<&'a Assignment> {
        let mut assignments: Vec<&Assignment> = self
            .positions(index)
            .into_iter()
            .flat_map(|(axis, position)| axes[axis].assignments(position))
            .filter(|assignment| assignment.path[0] == self.name)
            .collect();
        assignments.sort_by_key(|assignment| assignment.path.len());
        assignments
    }

    /// "basis = legendre, degree = 5": the axes' values in this setting; empty if no axis touches it.
    pub(crate) fn describe(&self, axes: &[Axis], index: usize) -> String {
        let positions = self.positions(index).into_iter();
        positions.flat_map(|(axis, position)| axes[axis].describe(position)).collect::<Vec<_>>().join(", ")
    }
}
