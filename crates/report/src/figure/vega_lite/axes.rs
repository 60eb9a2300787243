//! Scales and ticks of positions: where numbers lie, and which of them are written at the axis.

use super::super::scale::symlog_constant;
use super::super::{Channel, Drawing, Mark, Scale};
use serde_json::{Value, json};

/// More powers of ten than this are too many for an axis.
const MOST_TICKS: usize = 8;
/// Pixels between a dot and the frame.
const DOT: usize = 8;

/// A position's scale and axis, as properties of its encoding.
pub(super) struct Axis {
    pub(super) scale: Value,
    pub(super) axis: Value,
}

/// Which way an axis runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Right,
    Up,
}

/// The scale and the axis of a channel that shows numbers.
pub(super) fn axis(drawing: &Drawing, channel: &Channel, way: Way) -> Axis {
    let extent = channel.domain.map(|[low, high]| (low, high)).or_else(|| with_rules(drawing, channel, way));
    let mut axis = match (channel.scale, extent) {
        (Scale::Linear, extent) => linear(drawing, channel, way, extent),
        (Scale::Log, Some(extent)) => log(channel, way, extent),
        (Scale::Symlog, Some(extent)) => symlog(drawing, channel, extent),
        (Scale::Log, None) => Axis { scale: json!({ "type": "log" }), axis: json!({}) },
        (Scale::Symlog, None) => Axis { scale: json!({ "type": "symlog" }), axis: json!({}) },
    };
    if drawing.figure.mark == Mark::Point && channel.domain.is_none() {
        // A dot on the frame is half a dot, or lies on a label.
        axis.scale["padding"] = json!(DOT);
    }
    axis
}

/// What a channel covers, and the rules across it.
fn with_rules(drawing: &Drawing, channel: &Channel, way: Way) -> Option<(f64, f64)> {
    let rules = drawing.figure.rules.iter().filter_map(|rule| if way == Way::Up { rule.y } else { rule.x });
    let (low, high) = drawing.extent(channel)?;
    Some(rules.fold((low, high), |(low, high), rule| (low.min(rule), high.max(rule))))
}

fn linear(drawing: &Drawing, channel: &Channel, way: Way, extent: Option<(f64, f64)>) -> Axis {
    let filled = matches!(drawing.figure.mark, Mark::Bar | Mark::Area) && way == Way::Up;
    let zero = channel.zero.unwrap_or(filled);
    let mut scale = json!({ "zero": zero, "nice": way == Way::Up || drawing.figure.mark != Mark::Line });
    let mut axis = json!({});
    let Some((low, high)) = extent else { return Axis { scale, axis } };
    if let Some(domain) = channel.domain {
        scale = json!({ "domain": domain, "nice": false, "zero": false });
    } else if !channel.free {
        let (low, high) = if zero { (low.min(0.0), high.max(0.0)) } else { (low, high) };
        // Rounding below zero would cost the axis a whole tick.
        let low = if low < 0.0 && -low < 0.002 * high { 0.0 } else { low };
        scale["domain"] = json!([low, high]);
    }
    let largest = low.abs().max(high.abs());
    if largest >= 1e5 || (largest > 0.0 && largest < 1e-3) {
        axis["format"] = json!(".3~g");
    }
    Axis { scale, axis }
}

fn log(channel: &Channel, way: Way, (low, high): (f64, f64)) -> Axis {
    if channel.free {
        return Axis { scale: json!({ "type": "log", "nice": false }), axis: json!({ "format": "~g" }) };
    }
    // A line along the frame is hard to see; to the right, lines begin and end at it.
    let room = if way == Way::Up && channel.domain.is_none() { (high / low).powf(0.03).max(1.02) } else { 1.0 };
    let scale = json!({ "type": "log", "nice": false, "domain": [low / room, high * room] });
    let powers = powers_of_ten(low / room, high * room);
    let axis = if powers.len() < 2 { json!({ "format": "~g" }) } else { ticks(&thinned(&powers)) };
    Axis { scale, axis }
}

fn symlog(drawing: &Drawing, channel: &Channel, (low, high): (f64, f64)) -> Axis {
    let values: Vec<f64> = drawing.column(channel).values.iter().filter_map(Value::as_f64).collect();
    let constant = symlog_constant(&values);
    let mut scale = json!({ "type": "symlog", "constant": constant, "nice": false });
    if channel.free {
        return Axis { scale, axis: json!({ "format": "~g" }) };
    }
    scale["domain"] = json!([low, high]);
    let above = if high > 0.0 { thinned(&powers_of_ten(constant, high)) } else { Vec::new() };
    let below = if low < 0.0 { thinned(&powers_of_ten(constant, -low)) } else { Vec::new() };
    let below = below.iter().rev().map(|tick| Tick { value: -tick.value, label: format!("−{}", tick.label) });
    let zero = Tick { value: 0.0, label: "0".to_owned() };
    let all: Vec<Tick> = below.chain((low <= 0.0 && high >= 0.0).then_some(zero)).chain(above).collect();
    Axis { scale, axis: ticks(&all) }
}

/// A number at an axis.
#[derive(Clone, Debug, PartialEq)]
struct Tick {
    value: f64,
    label: String,
}

/// Ticks that are told, not found: the renderer's own for logarithms crowd, and for symlog are those of a linear axis.
fn ticks(ticks: &[Tick]) -> Value {
    let values: Vec<Value> = ticks.iter().map(|tick| json!(tick.value)).collect();
    let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
    let values = Value::from(values);
    json!({ "labelExpr": format!("{}[indexof({values}, datum.value)]", Value::from(labels)), "values": values })
}

/// The powers of ten from one number to another.
fn powers_of_ten(low: f64, high: f64) -> Vec<Tick> {
    let slack = 1e-9;
    let (first, last) = ((low.log10() - slack).ceil(), (high.log10() + slack).floor());
    if !(first.is_finite() && last.is_finite()) {
        return Vec::new();
    }
    (first as i32..=last as i32).map(|power| Tick { value: ten_to(power), label: power_label(power) }).collect()
}

/// Read as people write it: `10f64.powi(-5)` is not 1e-5.
fn ten_to(power: i32) -> f64 {
    format!("1e{power}").parse().unwrap_or(f64::NAN)
}

/// "10⁻³"; the small ones as they are.
fn power_label(power: i32) -> String {
    if (0..=2).contains(&power) {
        return ten_to(power).to_string();
    }
    let digit = |digit: char| match digit {
        '-' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit.to_digit(10).unwrap_or(0) as usize],
    };
    format!("10{}", power.to_string().chars().map(digit).collect::<String>())
}

/// Every k-th, counted so that 1 is among them where it is there at all.
fn thinned(ticks: &[Tick]) -> Vec<Tick> {
    let every = ticks.len().div_ceil(MOST_TICKS);
    let one = ticks.iter().position(|tick| tick.label == "1").unwrap_or(0);
    let kept = |(at, tick): (usize, &Tick)| (at % every.max(1) == one % every.max(1)).then(|| tick.clone());
    ticks.iter().enumerate().filter_map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn powers_of_ten_are_written_as_people_do() {
        assert_eq!(labels(&powers_of_ten(0.0009, 2e4)), ["10⁻³", "10⁻²", "10⁻¹", "1", "10", "100", "10³", "10⁴"]);
        assert_eq!(labels(&powers_of_ten(1e-12, 1e-11)), ["10⁻¹²", "10⁻¹¹"]);
        assert!(powers_of_ten(2.0, 9.0).is_empty());
    }

    #[test]
    fn an_axis_over_many_powers_shows_some_and_one_among_them() {
        let shown = thinned(&powers_of_ten(1e-17, 1e9));
        assert!(shown.len() <= MOST_TICKS && labels(&shown).contains(&"1"), "{shown:?}");
    }
}
