//! Axes that depend on others: conditions, derived values, and the filter of the cells.

use super::axes::{Axis, ColumnKind, Derived, Row, Settings};
use super::axis_reading::{Read, Reader, Surroundings, column_of, new_axis};
use super::column_names::GivenName;
use super::diagnostics::Diagnostic;
use super::formula::Formula;
use super::raw_axes::{RawAxis, SECTIONS, filters};
use super::shape::Shape;
use super::tree::Node;

impl Reader<'_> {
    pub(super) fn filters(&mut self, node: &Node) -> Vec<Formula> {
        filters(node).into_iter().filter_map(|text| self.formula(text, "where")).collect()
    }

    fn formula(&mut self, node: &Node, what: &str) -> Option<Formula> {
        Formula::read(node, what, self.around.sources).map_err(|mistake| self.say(*mistake)).ok()
    }

    /// An axis, and the condition under which it exists.
    pub(super) fn conditional(&mut self, raw: &RawAxis) -> Option<(Axis, Vec<GivenName>)> {
        let (mut axis, names) = self.axis(raw)?;
        if let Some(when) = raw.node.as_table().and_then(|table| table.get("when")) {
            axis.when = Some(self.formula(when, "when")?);
            if let (Settings::Rows(rows), None) = (&mut axis.settings, &axis.derived) {
                rows.push(Row::absence(axis.columns.len()));
                axis.len += 1;
            }
        }
        Some((axis, names))
    }

    /// A value that is computed from those of other axes.
    pub(super) fn derived(&mut self, raw: &RawAxis, derive: &Node) -> Option<(Axis, Vec<GivenName>)> {
        let is_label = raw.path.len() == 1 && !SECTIONS.contains(&raw.path[0].as_str());
        if !is_label {
            let field = self.field(&raw.path, raw.key_place)?;
            if matches!(field.shape, Shape::Table(_) | Shape::List { .. }) {
                let title =
                    format!("`{}` is {}, which no expression gives", raw.path.join("."), field.shape.expected());
                let help = "derive numbers, texts and truth values; set tables and lists through cases";
                self.say(Diagnostic::new(raw.key_place, title).help(help));
                return None;
            }
        }
        let name = self.given_name(&raw.node);
        let formula = self.formula(derive, "derive")?;
        // The column's type is that of the values, once they are there.
        let mut axis = new_axis(raw, vec![column_of(ColumnKind::Float64, &raw.path)], Settings::Rows(Vec::new()));
        axis.derived = Some(Derived { formula, path: raw.path.clone().into() });
        Some((axis, vec![name]))
    }
}

/// Looks up the names in all expressions.
pub(super) fn look_up(read: &mut Read, around: Surroundings<'_>) {
    let Surroundings { root, shape, .. } = around;
    for filter in &mut read.filters {
        read.mistakes.extend(filter.look_up(&read.axes, root, shape));
    }
    for i in 0..read.axes.len() {
        if let Some(mut when) = read.axes[i].when.take() {
            read.mistakes.extend(when.look_up(&read.axes, root, shape));
            read.axes[i].when = Some(when);
        }
        if let Some(mut derived) = read.axes[i].derived.take() {
            read.mistakes.extend(derived.formula.look_up(&read.axes, root, shape));
            read.axes[i].derived = Some(derived);
        }
    }
    read.mistakes.extend(circle(&read.axes));
}

/// An axis that depends on itself, perhaps by way of others.
fn circle(axes: &[Axis]) -> Option<Diagnostic> {
    let depends = |axis: usize| -> Vec<usize> { axes[axis].formulas().flat_map(Formula::axes).collect() };
    // An axis is settled once all that it depends on is; what is left over goes in circles.
    let mut settled = vec![false; axes.len()];
    loop {
        let ready = |axis: &usize| !settled[*axis] && depends(*axis).iter().all(|&on| settled[on]);
        let Some(next) = (0..axes.len()).find(ready) else { break };
        settled[next] = true;
    }
    let mut at = settled.iter().position(|settled| !settled)?;
    let mut way = Vec::new();
    while !way.contains(&at) {
        way.push(at);
        at = depends(at).into_iter().find(|&on| !settled[on])?;
    }
    way.drain(..way.iter().position(|&axis| axis == at)?);
    way.push(at);
    let names: Vec<&str> = way.iter().map(|&axis| axes[axis].columns[0].name.as_str()).collect();
    let formula = axes[at].formulas().find(|formula| formula.axes().iter().any(|on| way.contains(on)))?;
    let title = format!("`{}` depends on itself: {}", names[0], names.join(" → "));
    Some(Diagnostic::new(formula.place, title).help("one of these must stand by itself"))
}
