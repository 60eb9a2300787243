//! Values that are computed from those of other axes.

use super::Tabulated;
use super::making::{Making, described, with_note};
use super::spread;
use crate::study::axes::{Assignment, Axis, AxisValue, ColumnKind, Row, Settings};
use crate::study::conformity::Conformity;
use crate::study::diagnostics::Diagnostic;
use crate::study::expression::Term;
use crate::study::formula::Formula;
use crate::study::raw_axes::SECTIONS;
use crate::study::shape::Shape;
use crate::study::tree::{Node, Value};
use std::collections::HashMap;
use std::sync::Arc;

impl Making<'_> {
    /// Computes the values of a derived axis: its rows are the distinct ones, and the table says which one is where.
    pub(super) fn derived(&mut self, axes: &mut [Axis], axis: usize) -> Option<Tabulated<u32>> {
        let own = axes[axis].clone();
        let derived = own.derived.as_ref()?;
        let mut over: Vec<usize> = own.formulas().flat_map(Formula::axes).collect();
        over.sort_unstable();
        over.dedup();
        let (axes_of, count) = self.combinations(axes, &derived.formula, over)?;
        let mut positions = vec![0; axes.len()];
        let (mut entries, mut terms): (Vec<u32>, Vec<(Term, String)>) = (Vec::with_capacity(count), Vec::new());
        let mut known: HashMap<Key, u32> = HashMap::new();
        for index in 0..count {
            spread(index, &axes_of, &mut positions);
            let evaluate = || {
                if let Some(when) = &own.when {
                    let holds = when.expression.holds(&|name| when.value(name, axes, self.root, &positions));
                    if holds.map_err(|fault| Box::new(when.fault(fault)))? != Some(true) {
                        return Ok(Term::Null);
                    }
                }
                let formula = &derived.formula;
                let term = formula.expression.evaluate(&|name| formula.value(name, axes, self.root, &positions));
                term.map_err(|fault| Box::new(formula.fault(fault)))
            };
            let term = match evaluate() {
                Ok(Term::Number(x)) => Term::Number(rounded(x)),
                Ok(term) => term,
                Err(mistake) => {
                    self.remarks.mistakes.push(with_note(*mistake, &described(axes, &axes_of, &positions)));
                    return None;
                }
            };
            let next = terms.len() as u32;
            let position = *known.entry(key(&term)).or_insert(next);
            if position == next {
                terms.push((term, described(axes, &axes_of, &positions)));
            }
            entries.push(position);
        }
        self.rows(axes, axis, terms);
        Some(Tabulated { axes: axes_of, entries })
    }

    /// Gives a derived axis its rows, and its column the type of the values.
    fn rows(&mut self, axes: &mut [Axis], at: usize, terms: Vec<(Term, String)>) {
        let Some(derived) = axes[at].derived.clone() else { return };
        let field = match SECTIONS.contains(&derived.path[0].as_str()) {
            true => self.shape.at(&derived.path).ok().map(|(field, _)| field),
            false => None,
        };
        let whole = match field.map(|field| &field.shape) {
            Some(Shape::Number(number)) => number.whole,
            Some(_) => false,
            None => terms.iter().all(|(term, _)| match term {
                Term::Number(x) => x.fract() == 0.0 && x.abs() < 9e15,
                _ => true,
            }),
        };
        let mut kind = None;
        let mut rows = Vec::with_capacity(terms.len());
        for (position, (term, note)) in terms.into_iter().enumerate() {
            let (value, node, of) = match term {
                Term::Null => {
                    rows.push(Row::absence(1));
                    continue;
                }
                Term::Truth(value) => (AxisValue::Bool(value), Value::Bool(value), ColumnKind::Bool),
                Term::Text(text) => (AxisValue::Text(text.clone()), Value::Text(text), ColumnKind::String),
                Term::Number(x) if whole && x.fract() == 0.0 && x.abs() < 9e15 => {
                    (AxisValue::Int(x as i64), Value::Int(x as i64), ColumnKind::Int64)
                }
                Term::Number(x) => (AxisValue::Float(x), Value::Float(x), ColumnKind::Float64),
            };
            let node = Node { value: node, place: derived.formula.place };
            if let Some(field) = field {
                let mistakes = Conformity::new(self.shape, &[]).check(field, &derived.path, &node);
                self.faults.extend(mistakes.into_iter().map(|mistake| (at, position, with_note(mistake, &note))));
            }
            let is_number = |kind: ColumnKind| matches!(kind, ColumnKind::Int64 | ColumnKind::Float64);
            let first = *kind.get_or_insert(of);
            if first != of && !(is_number(first) && is_number(of)) {
                let title = "values of mixed types: a column holds numbers, strings or booleans";
                self.faults.push((at, position, with_note(Diagnostic::new(derived.formula.place, title), &note)));
            }
            let assignment = Assignment { path: derived.path.clone(), key_place: axes[at].place, node };
            rows.push(Row { values: vec![value], assignments: field.map(|_| assignment).into_iter().collect() });
        }
        let axis = &mut axes[at];
        axis.columns[0].kind = match (field.map(|field| &field.shape), kind) {
            (Some(Shape::Number(number)), _) => {
                if number.whole {
                    ColumnKind::Int64
                } else {
                    ColumnKind::Float64
                }
            }
            (_, kind) => kind.unwrap_or(ColumnKind::Float64),
        };
        axis.len = rows.len();
        axis.settings = Settings::Rows(rows);
    }
}

/// What tells values apart.
type Key = (u8, u64, Option<Arc<str>>);

fn key(term: &Term) -> Key {
    match term {
        Term::Null => (0, 0, None),
        Term::Truth(value) => (1, u64::from(*value), None),
        Term::Number(x) => (2, x.to_bits(), None),
        Term::Text(text) => (3, 0, Some(text.clone())),
    }
}

/// A computed number as people write it, to 15 digits: 0.1·3 is 0.3.
fn rounded(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { format!("{x:.14e}").parse().unwrap_or(x) }
}
