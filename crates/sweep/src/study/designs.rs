//! Axes whose values are drawn: one by itself, or several together as points of a design.

use super::axes::Axis;
use super::axis_reading::{Reader, members_of, side_by_side};
use super::axis_values::{Column, is_whole};
use super::column_names::GivenName;
use super::diagnostics::Diagnostic;
use super::raw_axes::RawAxis;
use super::shape::Field;
use super::spelling::did_you_mean;
use super::tree::{Node, Value};
use std::collections::HashSet;
use taut_numerics::{HaltonDimension, MOST_HALTON_DIMENSIONS, Stream, latin_dimension, scaled_value, stream, uniform};

/// The words for laws.
pub(super) const LAWS: [&str; 2] = ["uniform", "loguniform"];

/// Points that are tried where whole numbers and lists repeat themselves.
fn tries(count: usize) -> usize {
    count.saturating_mul(1000).min(5_000_000.max(2 * count))
}

/// A law of one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    pub(super) ends: [f64; 2],
    /// Whether the logarithm is uniform.
    pub(super) log: bool,
    /// Whether whole numbers are drawn, both ends included.
    pub(super) whole: bool,
}

impl Law {
    /// The value below which a share u of the law lies.
    fn at(self, u: f64) -> Value {
        let [low, high] = self.ends;
        if !self.whole {
            return Value::Float(scaled_value(low, high, u, self.log).clamp(low, high));
        }
        let x = match self.log {
            // Each number has the stretch that is rounded to it.
            true => scaled_value(low - 0.5, high + 0.5, u, true).round(),
            false => low + (u * (high - low + 1.0)).floor(),
        };
        Value::Int(x.clamp(low, high) as i64)
    }
}

/// What a member of a design may be: a law, or one of a list.
enum Choice {
    Law(Law),
    List(Vec<Node>),
}

impl Choice {
    fn at(&self, u: f64, place: &Node) -> Node {
        match self {
            Self::Law(law) => Node { value: law.at(u), place: place.place },
            Self::List(items) => items[((u * items.len() as f64) as usize).min(items.len() - 1)].clone(),
        }
    }
}

/// One dimension of a design: its coordinate at each point, in \[0, 1).
enum Dimension {
    Random(Box<Stream>),
    Halton(HaltonDimension),
    Latin(Vec<f64>),
}

impl Dimension {
    /// The coordinate of point i; points are asked for one after the other.
    fn at(&mut self, i: usize) -> Option<f64> {
        match self {
            Self::Random(stream) => Some(uniform(stream)),
            Self::Halton(dimension) => Some(dimension.at(i as u64)),
            Self::Latin(points) => points.get(i).copied(),
        }
    }
}

impl Reader<'_> {
    /// Values of one path, drawn one after the other from a stream of the path's own; none twice.
    pub(super) fn drawn(&mut self, path: &[String], law: Law, count: usize, node: &Node) -> Option<Vec<Node>> {
        let label = format!("sweep.{}", path.join("."));
        self.whole_ends(law, node)?;
        let mut stream = stream(self.seed, &format!("axis:{}", path.join(".")), 0);
        let (mut seen, mut items) = (HashSet::new(), Vec::with_capacity(count));
        for _ in 0..tries(count) {
            let item = Node { value: law.at(uniform(&mut stream)), place: node.place };
            if seen.insert(item.to_toml()) {
                items.push(item);
            }
            if items.len() == count {
                return Some(items);
            }
        }
        let title = format!("{count} different values are wanted, and only {} come up", items.len());
        self.say(Diagnostic::new(node.place, title).label(label).help("lower `count`, or write the values out"));
        None
    }

    /// Whole numbers need whole ends.
    fn whole_ends(&mut self, law: Law, node: &Node) -> Option<()> {
        let [low, high] = law.ends;
        if !law.whole || (low.fract() == 0.0 && high.fract() == 0.0) {
            return Some(());
        }
        let title = format!("expected whole numbers as ends, found [{low}, {high}]");
        self.say(Diagnostic::new(node.place, title).help("the field takes whole numbers; both ends can come up"));
        None
    }

    /// Several paths drawn together: one dimension of cells, a column each.
    pub(super) fn design(&mut self, raw: &RawAxis, word: &str, members: &Node) -> Option<(Axis, Vec<GivenName>)> {
        let example = format!(
            "write `{{ {word} = {{ \"data.curve.noise\" = {{ loguniform = [0.01, 1] }}, \"data.curve.samples\" = \
             {{ uniform = [10, 50] }} }}, count = 64 }}`"
        );
        let Some(table) = members.as_table().filter(|table| !table.entries.is_empty()) else {
            let title = format!("expected paths with their laws, found {}", members.found());
            self.say(Diagnostic::new(members.place, title).label(raw.path.join(".")).help(example));
            return None;
        };
        let Some(count) = raw.node.as_table().and_then(|table| table.get("count")) else {
            let mistake = Diagnostic::new(raw.node.place, format!("`{word}` needs a `count`"));
            self.say(mistake.label(raw.path.join(".")).help(example));
            return None;
        };
        let count = self.count(count, 1e6);
        let before = self.mistakes.len();
        let mut read: Vec<(RawAxis, Option<&Field>, Choice, GivenName)> = Vec::new();
        for member in members_of(table, members.place) {
            let Some(field) = self.target(&member.path, member.key_place) else { continue };
            let choice = self.member(&member, field, &example);
            let name = self.given_name(&member.node);
            read.extend(choice.map(|choice| (member, field, choice, name)));
        }
        if self.mistakes.len() > before {
            return None;
        }
        let mut dimensions = Vec::new();
        for (i, (member, ..)) in read.iter().enumerate() {
            dimensions.push(self.dimension(word, i, member, count?)?);
        }
        let choices: Vec<(&Choice, &Node)> = read.iter().map(|(member, _, choice, _)| (choice, &member.node)).collect();
        let points = self.points(raw, &mut dimensions, &choices, count?)?;
        let mut columns = Vec::with_capacity(read.len());
        for (i, (member, field, _, name)) in read.into_iter().enumerate() {
            let items: Vec<Node> = points.iter().map(|point| point[i].clone()).collect();
            items.iter().for_each(|item| self.fits(field, &member.path, item));
            if self.mistakes.len() > before {
                return None;
            }
            let column: Column =
                self.column_of_items(&member.path, member.key_place, &member.node, field, items, name)?;
            columns.push((member, column));
        }
        Some(side_by_side(raw, columns))
    }

    fn member(&mut self, member: &RawAxis, field: Option<&Field>, example: &str) -> Option<Choice> {
        let Some(table) = member.node.as_table() else {
            return self.values(&member.path, field, &member.node).map(Choice::List);
        };
        let law = LAWS.iter().find_map(|word| table.entry(word));
        let allowed: &[&str] = if law.is_some() { &["uniform", "loguniform", "name"] } else { &["values", "name"] };
        let strange = table.entries.iter().find(|entry| !allowed.contains(&&*entry.key));
        match (law, strange) {
            (_, Some(entry)) => {
                let title = format!("unknown key `{}` in a member of a design", entry.key);
                let words = ["uniform", "loguniform", "values", "name"];
                let note = "the design's own `count` says how many points there are";
                let mistake = Diagnostic::new(entry.key_place, title).help(did_you_mean(&entry.key, &words));
                self.say(if &*entry.key == "count" { mistake.note(note) } else { mistake });
                None
            }
            (Some(entry), None) => {
                let ends = self.ends(&format!("sweep.{}", member.path.join(".")), &entry.key, &entry.node)?;
                let law = Law { ends, log: entry.key.starts_with("log"), whole: is_whole(field) };
                self.whole_ends(law, &entry.node)?;
                Some(Choice::Law(law))
            }
            (None, None) if table.get("values").is_some() => {
                self.values(&member.path, field, &member.node).map(Choice::List)
            }
            (None, None) => {
                let title = "a member of a design without a law";
                self.say(Diagnostic::new(member.node.place, title).label(member.path.join(".")).help(example));
                None
            }
        }
    }

    /// Streams go by the member's path, so that another design or member moves no point (a Halton sequence also goes by the
    /// member's place among the others).
    fn dimension(&mut self, word: &str, i: usize, member: &RawAxis, count: usize) -> Option<Dimension> {
        let mut stream = stream(self.seed, &format!("{word}:{}", member.path.join(".")), 0);
        Some(match word {
            "random" => Dimension::Random(Box::new(stream)),
            "halton" => match HaltonDimension::new(i, &mut stream) {
                Some(dimension) => Dimension::Halton(dimension),
                None => {
                    let title = format!("a Halton sequence of more than {MOST_HALTON_DIMENSIONS} paths");
                    self.say(Diagnostic::new(member.key_place, title).help("use `random` or `latin-hypercube`"));
                    return None;
                }
            },
            _ => Dimension::Latin(latin_dimension(count, &mut stream)),
        })
    }

    /// Points, none twice: whole numbers and lists may bring one up again, and then the next one takes its place.
    fn points(
        &mut self,
        raw: &RawAxis,
        dimensions: &mut [Dimension],
        choices: &[(&Choice, &Node)],
        count: usize,
    ) -> Option<Vec<Vec<Node>>> {
        let (mut seen, mut points) = (HashSet::new(), Vec::with_capacity(count));
        for i in 0..tries(count) {
            let coordinates: Option<Vec<f64>> = dimensions.iter_mut().map(|dimension| dimension.at(i)).collect();
            // A Latin hypercube has as many points as it has.
            let Some(coordinates) = coordinates else { break };
            let point: Vec<Node> =
                coordinates.into_iter().zip(choices).map(|(u, (choice, node))| choice.at(u, node)).collect();
            if seen.insert(point.iter().map(Node::to_toml).collect::<Vec<_>>()) {
                points.push(point);
            }
            if points.len() == count {
                return Some(points);
            }
        }
        let title = format!("{count} different points are wanted, and only {} come up", points.len());
        let help = "lower `count`: whole numbers and lists have only so many combinations";
        self.say(Diagnostic::new(raw.node.place, title).label(raw.path.join(".")).help(help));
        None
    }
}
