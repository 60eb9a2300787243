//! A grid in the making: expressions become tables, and tables say which combinations are kept.

use super::search::{Check, MOST_LOOKED_THROUGH, kept, unfiltered};
use super::{Grid, MOST_CELLS, Remarks, Tabulated, spread, too_many_cells};
use crate::study::axes::Axis;
use crate::study::diagnostics::{Diagnostic, Severity};
use crate::study::expression::Expression;
use crate::study::formula::Formula;
use crate::study::shape::Shape;
use crate::study::tree::{Node, Place};

/// Combinations of the axes of one expression, at the most.
const MOST_TABULATED: usize = 2_000_000;

/// A grid in the making.
pub(super) struct Making<'a> {
    pub(super) root: &'a Node,
    pub(super) shape: &'a Shape,
    pub(super) remarks: Remarks,
    /// Derived values that do not fit their field: axis and position, reported if a cell has them.
    pub(super) faults: Vec<(usize, usize, Diagnostic)>,
}

impl<'a> Making<'a> {
    pub(super) fn new(root: &'a Node, shape: &'a Shape) -> Self {
        Self { root, shape, remarks: Remarks::default(), faults: Vec::new() }
    }

    /// The grid, if nothing is wrong, and what there is to say.
    pub(super) fn grid(mut self, axes: &mut [Axis], filters: &[Formula]) -> (Option<Grid>, Remarks) {
        let grid = self.make(axes, filters);
        (grid.filter(|_| self.remarks.mistakes.is_empty()), self.remarks)
    }

    fn make(&mut self, axes: &mut [Axis], filters: &[Formula]) -> Option<Grid> {
        let mut derived = Vec::new();
        for axis in order(axes) {
            if axes[axis].derived.is_some() {
                let table = self.derived(axes, axis)?;
                derived.push((axis, table));
            }
        }
        let free: Vec<(usize, usize)> =
            (0..axes.len()).filter(|&i| axes[i].derived.is_none()).map(|i| (i, axes[i].len)).collect();
        let levels = levels(axes.len(), &free, &derived);
        let mut checks = Vec::new();
        for (at, (axis, len)) in free.iter().enumerate() {
            if let Some(when) = &axes[*axis].when {
                let exists = self.condition(axes, when, &when.expression, Some((*axis, len - 1)))?;
                checks.push(Check { level: level_of(&levels, &exists, at), filters: false, holds: exists });
            }
        }
        for filter in filters {
            let mut ever_false = false;
            for conjunct in filter.expression.conjuncts() {
                let holds = self.condition(axes, filter, &conjunct, None)?;
                ever_false |= holds.entries.contains(&false);
                checks.push(Check { level: level_of(&levels, &holds, 0), filters: true, holds });
            }
            if !ever_false {
                let title = "this condition removes nothing: it is false for no cell".to_owned();
                self.remarks.warnings.push(warning(filter, title).label("where"));
            }
        }
        let involved =
            checks.iter().map(|check| check.level + 1).chain(derived.iter().map(|(axis, _)| levels[*axis] + 1));
        let first = involved.max().unwrap_or(0).min(free.len());
        let product =
            |free: &[(usize, usize)]| free.iter().try_fold(1_usize, |cells, (_, len)| cells.checked_mul(*len));
        let (Some(all), Some(tail)) = (product(&free), product(&free[first..])) else {
            return self.too_many(axes);
        };
        let mut grid = Grid { axes: axes.len(), free, derived, kept: None, tail, cells: all, unfiltered: None };
        if !checks.is_empty() {
            self.keep(&mut grid, axes, filters, &checks, first)?;
        }
        if grid.cells > MOST_CELLS {
            return self.too_many(axes);
        }
        self.reached(&grid, axes);
        for formula in axes.iter().flat_map(Axis::formulas).chain(filters) {
            self.remarks.warnings.extend(formula.strangers(axes));
        }
        Some(grid)
    }

    fn too_many<T>(&mut self, axes: &[Axis]) -> Option<T> {
        self.remarks.mistakes.push(too_many_cells(axes, self.root.place));
        None
    }

    fn too_long<T>(&mut self, axes: &[Axis], filters: &[Formula]) -> Option<T> {
        let title = format!("more than {MOST_LOOKED_THROUGH} combinations of the axes to look through");
        let help = "shorten the axes, or put the axes that expressions speak of first";
        self.remarks.mistakes.push(Diagnostic::new(self.place(axes, filters), title).help(help));
        None
    }

    /// The filter, or the first axis.
    fn place(&self, axes: &[Axis], filters: &[Formula]) -> Place {
        let place = filters.first().map(|filter| filter.place).or(axes.first().map(|axis| axis.place));
        place.unwrap_or(self.root.place)
    }

    /// Lists the combinations of the first axes that no check refuses.
    fn keep(
        &mut self,
        grid: &mut Grid,
        axes: &[Axis],
        filters: &[Formula],
        checks: &[Check],
        first: usize,
    ) -> Option<()> {
        let place = self.place(axes, filters);
        let Some(kept) = kept(grid, checks, first) else { return self.too_long(axes, filters) };
        let unfiltered = unfiltered(grid, checks, first);
        if kept.is_empty() {
            let of = unfiltered.map_or_else(String::new, |cells| format!(" of {cells}"));
            let title = format!("`where` leaves no cell{of}");
            let help = "a cell stays unless some condition is false for it";
            self.remarks.mistakes.push(Diagnostic::new(place, title).label("where").help(help));
            return None;
        }
        let Some(cells) = kept.len().checked_mul(grid.tail) else { return self.too_many(axes) };
        grid.unfiltered = unfiltered.filter(|_| !filters.is_empty());
        // Where nothing is left out, arithmetic is enough.
        grid.kept = (cells != grid.cells).then_some(kept);
        grid.cells = cells;
        Some(())
    }

    /// Whether a condition holds, over the axes that it mentions. For an axis (with the position of its absence): whether
    /// the axis is there exactly if the condition is true. For a filter: whether it is not false.
    fn condition(
        &mut self,
        axes: &[Axis],
        formula: &Formula,
        expression: &Expression,
        of: Option<(usize, usize)>,
    ) -> Option<Tabulated<bool>> {
        let mut over = formula.axes_of(expression);
        over.extend(of.map(|(axis, _)| axis));
        let (axes_of, count) = self.combinations(axes, formula, over)?;
        let mut positions = vec![0; axes.len()];
        let mut entries = Vec::with_capacity(count);
        for index in 0..count {
            spread(index, &axes_of, &mut positions);
            let values = |name: usize| formula.value(name, axes, self.root, &positions);
            match expression.holds(&values) {
                Ok(holds) => entries.push(match of {
                    Some((axis, absence)) => (holds == Some(true)) == (positions[axis] != absence),
                    None => holds != Some(false),
                }),
                Err(fault) => {
                    let own = |(axis, _): &&(usize, usize)| Some(*axis) != of.map(|(own, _)| own);
                    let others: Vec<(usize, usize)> = axes_of.iter().filter(own).copied().collect();
                    let note = described(axes, &others, &positions);
                    self.remarks.mistakes.push(with_note(formula.fault(fault), &note));
                    return None;
                }
            }
        }
        Some(Tabulated { axes: axes_of, entries })
    }

    /// The combinations of some axes, unless there are too many.
    pub(super) fn combinations(
        &mut self,
        axes: &[Axis],
        formula: &Formula,
        over: Vec<usize>,
    ) -> Option<(Vec<(usize, usize)>, usize)> {
        let over: Vec<(usize, usize)> = over.into_iter().map(|axis| (axis, axes[axis].len)).collect();
        let count = over.iter().try_fold(1_usize, |product, (_, len)| product.checked_mul(*len));
        if let Some(count) = count.filter(|count| *count <= MOST_TABULATED) {
            return Some((over, count));
        }
        let title = format!("an expression over more than {MOST_TABULATED} combinations of its axes");
        let help = "shorten the axes, or make two expressions of it";
        self.remarks.mistakes.push(Diagnostic::new(formula.place, title).help(help));
        None
    }

    /// Reports values that do not fit and that some cell has, and axes that no cell has.
    fn reached(&mut self, grid: &Grid, axes: &[Axis]) {
        let dependent: Vec<usize> = (0..axes.len()).filter(|&i| axes[i].formulas().next().is_some()).collect();
        if dependent.is_empty() {
            return;
        }
        let mut seen: Vec<Vec<bool>> = dependent.iter().map(|&axis| vec![false; axes[axis].len]).collect();
        for cell in grid.combinations() {
            let positions = grid.positions(cell);
            dependent.iter().zip(&mut seen).for_each(|(axis, seen)| seen[positions[*axis]] = true);
        }
        for (axis, position, mistake) in std::mem::take(&mut self.faults) {
            if dependent.iter().position(|&other| other == axis).is_some_and(|i| seen[i][position]) {
                self.remarks.mistakes.push(mistake);
            }
        }
        for (&axis, seen) in dependent.iter().zip(&seen) {
            let rows = axes[axis].rows().iter().zip(seen);
            if rows.clone().all(|(row, seen)| !seen || row.is_absence())
                && let Some(formula) = axes[axis].when.as_ref().or(axes[axis].formulas().next())
            {
                let title = format!("no cell has the axis `{}`", axes[axis].key);
                self.remarks.warnings.push(warning(formula, title));
            }
        }
    }
}

/// The axes, each after those that it depends on; axes that go in circles have been refused.
fn order(axes: &[Axis]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(axes.len());
    loop {
        let settled = |on: &usize| order.contains(on);
        let ready =
            |axis: &usize| !settled(axis) && axes[*axis].formulas().flat_map(Formula::axes).all(|on| settled(&on));
        match (0..axes.len()).find(ready) {
            Some(next) => order.push(next),
            None => return order,
        }
    }
}

/// For each axis the level of the free axes at which its position is known.
fn levels(axes: usize, free: &[(usize, usize)], derived: &[(usize, Tabulated<u32>)]) -> Vec<usize> {
    let mut levels = vec![0; axes];
    for (level, (axis, _)) in free.iter().enumerate() {
        levels[*axis] = level;
    }
    for (axis, table) in derived {
        levels[*axis] = level_of(&levels, table, 0);
    }
    levels
}

fn level_of<T>(levels: &[usize], table: &Tabulated<T>, least: usize) -> usize {
    table.axes.iter().map(|(axis, _)| levels[*axis]).max().unwrap_or(0).max(least)
}

pub(super) fn described(axes: &[Axis], of: &[(usize, usize)], positions: &[usize]) -> String {
    of.iter().flat_map(|(axis, _)| axes[*axis].describe(positions[*axis])).collect::<Vec<_>>().join(", ")
}

pub(super) fn with_note(mistake: Diagnostic, settings: &str) -> Diagnostic {
    if settings.is_empty() { mistake } else { mistake.note(format!("in cells with {settings}")) }
}

fn warning(formula: &Formula, title: String) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..Diagnostic::new(formula.place, title) }
}
