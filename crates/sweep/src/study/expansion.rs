//! The distinct settings of one section (data, model or train): a cell's three sections are found by
//! arithmetic on its position, so a million cells need only as many settings as differ.

use super::axes::{Assignment, Axis};
use super::tree::Node;

/// One section of the study with the axes that touch it.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    /// Touching axes in the order of the file, with their lengths; the last varies fastest.
    pub(crate) axes: Vec<(usize, usize)>,
    pub(crate) base: Node,
}

impl Section {
    pub(crate) fn new(name: &'static str, axes: &[Axis], base: Node) -> Self {
        let touching = axes.iter().enumerate().filter(|(_, axis)| axis.touches(name));
        Self { name, axes: touching.map(|(i, axis)| (i, axis.len)).collect(), base }
    }

    /// How many distinct settings there are.
    pub(crate) fn len(&self) -> usize {
        self.axes.iter().fold(1, |product, (_, len)| product.saturating_mul(*len))
    }

    /// The setting that a cell has, from its positions on all axes.
    pub(crate) fn index(&self, positions: &[usize]) -> usize {
        self.axes.iter().fold(0, |index, (axis, len)| index * len + positions[*axis])
    }

    /// The positions of a setting on the touching axes.
    pub(crate) fn positions(&self, index: usize) -> Vec<(usize, usize)> {
        let mut rest = index;
        let mut positions: Vec<(usize, usize)> = self
            .axes
            .iter()
            .rev()
            .map(|(axis, len)| {
                let position = rest % len;
                rest /= len;
                (*axis, position)
            })
            .collect();
        positions.reverse();
        positions
    }

    /// The section as this setting has it: the base with the axes' values set, outer paths first.
    pub(crate) fn tree(&self, axes: &[Axis], index: usize) -> Node {
        let mut assignments: Vec<&Assignment> = self
            .positions(index)
            .into_iter()
            .flat_map(|(axis, position)| axes[axis].assignments(position))
            .filter(|assignment| assignment.path[0] == self.name)
            .collect();
        assignments.sort_by_key(|assignment| assignment.path.len());
        let mut tree = self.base.clone();
        for assignment in assignments {
            tree.set(&assignment.path[1..], &[assignment.key_place], assignment.node.clone());
        }
        tree
    }

    /// "basis = legendre, degree = 5": the axes' values in this setting; empty if no axis touches it.
    pub(crate) fn describe(&self, axes: &[Axis], index: usize) -> String {
        let positions = self.positions(index);
        let columns = positions.iter().flat_map(|(axis, position)| {
            let columns = axes[*axis].columns.iter().enumerate();
            columns.map(move |(i, column)| format!("{} = {}", column.name, axes[*axis].value(*position, i)))
        });
        columns.collect::<Vec<_>>().join(", ")
    }
}
