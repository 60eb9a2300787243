//! Cells that mean the same: one cell with two rows.

use super::axes::Axis;
use super::checked::{data_meaning, model_meaning, train_meaning};
use super::diagnostics::Diagnostic;
use super::expansion::Section;
use super::loading::{Checking, Parts};
use std::collections::HashMap;

/// Sweeps larger than this are not searched for repetitions.
const MOST_COMPARED: usize = 200_000;

impl Checking<'_> {
    /// Settings that mean the same would be one cell with two rows.
    pub(super) fn repetitions(&mut self, parts: &Parts) {
        if !self.draft.mistakes.is_empty() {
            return;
        }
        let [data, model, train] = &parts.sections;
        let mut kinds: Vec<Vec<usize>> = Vec::new();
        if let Some(settings) = &parts.data {
            kinds.extend(self.repetition(parts, data, settings.iter().map(data_meaning)));
        }
        if let Some(settings) = &parts.model {
            kinds.extend(self.repetition(parts, model, settings.iter().map(model_meaning)));
        }
        if let Some(settings) = &parts.train {
            kinds.extend(self.repetition(parts, train, settings.iter().map(train_meaning)));
        }
        if kinds.len() == parts.sections.len() && self.draft.mistakes.is_empty() {
            self.repeated_cells(parts, &kinds);
        }
    }

    /// Whether an axis sets things in more than one section, or others depend on it.
    fn is_shared(&self, parts: &Parts, axis: usize) -> bool {
        !self.grid.is_product()
            || parts.sections.iter().filter(|section| section.axes.iter().any(|(of, _)| *of == axis)).count() > 1
    }

    /// Reports two settings of a section that mean the same and differ on axes of this section alone; gives every
    /// setting the number of the first that means the same.
    fn repetition<'s>(
        &mut self,
        parts: &Parts,
        section: &Section,
        meanings: impl Iterator<Item = &'s str>,
    ) -> Option<Vec<usize>> {
        if section.len() > MOST_COMPARED {
            return None;
        }
        let shared: Vec<usize> =
            section.axes.iter().map(|(axis, _)| *axis).filter(|axis| self.is_shared(parts, *axis)).collect();
        let mut first_of: HashMap<&str, usize> = HashMap::new();
        let mut seen: HashMap<(usize, Vec<usize>), usize> = HashMap::new();
        let mut kinds = Vec::with_capacity(section.len());
        for (index, meaning) in meanings.enumerate() {
            let kind = *first_of.entry(meaning).or_insert(index);
            kinds.push(kind);
            let positions = section.positions(index);
            let elsewhere = positions.iter().filter(|(axis, _)| shared.contains(axis)).map(|(_, at)| *at).collect();
            if let Some(first) = seen.insert((kind, elsewhere), index) {
                let settings = [first, index].map(|index| section.describe(&self.axes, index));
                let differing = section.positions(first).into_iter().zip(positions).find(|(a, b)| a.1 != b.1);
                let axis = differing.map_or(section.axes[0].0, |(a, _)| a.0);
                self.say_repeated(axis, &settings, "");
                return None;
            }
        }
        Some(kinds)
    }

    /// Reports two cells that mean the same because an axis that sets several sections repeats itself in all.
    fn repeated_cells(&mut self, parts: &Parts, kinds: &[Vec<usize>]) {
        if !self.grid.is_product() {
            return self.repeated_among(parts, kinds);
        }
        let lengths: Vec<usize> = self.axes.iter().map(|axis| if axis.is_seed { 1 } else { axis.len }).collect();
        let count = lengths.iter().fold(1_usize, |product, len| product.saturating_mul(*len));
        let Some(axis) = (0..self.axes.len()).find(|axis| self.is_shared(parts, *axis)) else { return };
        if count > MOST_COMPARED {
            return;
        }
        let mut seen: HashMap<Vec<usize>, Vec<usize>> = HashMap::new();
        for cell in 0..count {
            let mut rest = cell;
            let mut positions = vec![0; lengths.len()];
            for (position, len) in positions.iter_mut().zip(&lengths).rev() {
                (*position, rest) = (rest % len, rest / len);
            }
            let meaning = parts.sections.iter().zip(kinds).map(|(section, kinds)| kinds[section.index(&positions)]);
            if let Some(first) = seen.insert(meaning.collect(), positions.clone()) {
                let differing = (0..positions.len()).find(|&i| first[i] != positions[i]).unwrap_or(axis);
                let describe = |positions: &[usize]| self.axes[differing].value(positions[differing], 0).to_string();
                let name = &self.axes[differing].columns[0].name;
                let settings = [&first, &positions].map(|positions| format!("{name} = {}", describe(positions)));
                self.say_repeated(differing, &settings, "");
                return;
            }
        }
    }

    /// The same where axes depend on each other: cell by cell.
    fn repeated_among(&mut self, parts: &Parts, kinds: &[Vec<usize>]) {
        let seed = self.axes.iter().position(|axis| axis.is_seed);
        let mut seen: HashMap<[usize; 4], usize> = HashMap::new();
        let grid = self.grid.clone();
        // Replicates of a cell differ from each other as those of any other do.
        let replicates = match grid.independent().last() {
            Some((axis, len)) if Some(*axis) == seed => *len,
            _ => 1,
        };
        for cell in (0..grid.cells).step_by(replicates).take(MOST_COMPARED) {
            let positions = grid.positions(cell);
            let [data, model, train] = [0, 1, 2].map(|i| kinds[i][parts.sections[i].index(&positions)]);
            let replicate = seed.map_or(0, |seed| positions[seed]);
            if let Some(first) = seen.insert([data, model, train, replicate], cell) {
                let first = grid.positions(first);
                let differs = |&axis: &usize| first[axis] != positions[axis] && self.axes[axis].derived.is_none();
                let Some(axis) = (0..positions.len()).find(differs) else { return };
                let settings = [&first, &positions].map(|positions| describe(&self.axes, positions));
                let when = "; or let the axis exist only where it makes a difference: `when = \"…\"`";
                return self.say_repeated(axis, &settings, when);
            }
        }
    }

    fn say_repeated(&mut self, axis: usize, [one, two]: &[String; 2], more: &str) {
        let title = format!("two settings of the sweep mean the same: ({one}) and ({two})");
        let help = format!("the same cell would be run twice: remove one of the values{more}");
        self.draft.mistakes.push(Diagnostic::new(self.axes[axis].place, title).help(help));
    }
}

/// "basis = legendre, degree = 5": the values at these positions.
pub(crate) fn describe(axes: &[Axis], positions: &[usize]) -> String {
    let values = axes.iter().zip(positions).flat_map(|(axis, position)| axis.describe(*position));
    values.collect::<Vec<_>>().join(", ")
}
