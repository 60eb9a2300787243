//! Verdicts as people, programs and shells read them.

use crate::exit::CLAIMS;
use crate::scoreboard::{Outcome, Tally};
use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use std::process::ExitCode;
use taut_report::Results;
use taut_report::claims::{self, Answer, Bound, Measured, Verdict, Verdicts};
use taut_sweep::Folder;

/// The width of a table where there is no terminal to ask.
const WIDTH: u16 = 110;

/// From this width on, sentences have room beside the columns of numbers.
const WIDE: u16 = 100;

/// A rule under the header and none between rows.
pub(super) const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// The claims stored with a finished run, and the table of their verdicts written beside the others.
pub(super) fn read_off(folder: &Folder) -> Result<Verdicts> {
    let results = Results::open(folder.root())?;
    let verdicts = claims::evaluate(&results.manifest, &results)?;
    claims::record(&verdicts, &results)?;
    Ok(verdicts)
}

/// 0 if every claim holds.
pub(super) fn exit_code(verdicts: &Verdicts) -> ExitCode {
    if verdicts.all_hold() { ExitCode::SUCCESS } else { ExitCode::from(CLAIMS) }
}

/// The verdicts on stderr, after a run; nothing for a study without claims.
#[allow(clippy::print_stderr)]
pub(super) fn tell(verdicts: &Verdicts) {
    if !verdicts.answers.is_empty() {
        eprintln!("{}", text(verdicts));
    }
}

/// One row per claim, and what is undecided with its reason below.
pub(super) fn text(verdicts: &Verdicts) -> String {
    if verdicts.answers.is_empty() {
        return "the study makes no claim; [[claim]] in docs/study.md".to_owned();
    }
    let mut table = Table::new();
    table.load_style(RULED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width());
    let rows = verdicts.answers.iter().enumerate().map(|(number, answer)| row(number, answer));
    if width() < WIDE {
        table.add_rows(rows.map(stacked));
    } else {
        table.set_header(["", "claim", "measured", "bound", "margin", "verdict"]);
        table.add_rows(rows);
        for column in [2, 3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let reasons = verdicts.answers.iter().enumerate().filter_map(|(number, answer)| {
        let reason = answer.decisive()?.reason.as_deref().filter(|_| answer.verdict() == Verdict::Undecided)?;
        Some(format!("claim {} is undecided: {reason}\n", number + 1))
    });
    let lines: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    format!("{lines}{}{}", reasons.collect::<String>(), Tally::of_verdicts(verdicts))
}

/// A row where columns would leave no room for sentences: the numbers stand below the claim.
fn stacked([number, claim, measured, bound, margin, verdict]: [String; 6]) -> [String; 2] {
    let margin = if margin.is_empty() { margin } else { format!(", margin {margin}") };
    [number, format!("{claim}\n{verdict}: measured {measured}, bound {bound}{margin}")]
}

/// How wide a table may be.
pub(super) fn width() -> u16 {
    terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0)
}

fn row(number: usize, answer: &Answer) -> [String; 6] {
    let decisive = answer.decisive();
    let is_truth = answer.bound.is_truth();
    let verdict = answer.verdict();
    let group = decisive.map_or_else(String::new, |decisive| group(answer, verdict, decisive));
    [
        (number + 1).to_string(),
        printable(&format!("{}{group}", answer.claim.says)),
        decisive.and_then(|measured| shown(answer.bound, measured)).unwrap_or_else(|| "–".to_owned()),
        answer.bound.to_string(),
        decisive.and_then(|measured| measured.margin).filter(|_| !is_truth).map_or(String::new(), digits),
        format!("{} {verdict}", Outcome::from(verdict).glyph()),
    ]
}

/// Which group decides, and how many there are of its kind.
fn group(answer: &Answer, verdict: Verdict, decisive: &Measured) -> String {
    let (name, all) = (&decisive.group, answer.measured.len());
    let alike = answer.measured.iter().filter(|measured| measured.verdict == verdict).count();
    match verdict {
        _ if name.is_empty() => String::new(),
        _ if all == 1 => format!(" [{name}]"),
        Verdict::Fails if alike == 1 => format!(" [1 of {all} fails: {name}]"),
        Verdict::Fails => format!(" [{alike} of {all} fail, worst: {name}]"),
        Verdict::Undecided if alike == 1 => format!(" [1 of {all} is undecided: {name}]"),
        Verdict::Undecided => format!(" [{alike} of {all} are undecided, one is {name}]"),
        Verdict::Holds | Verdict::Skipped => format!(" [closest of {all}: {name}]"),
    }
}

/// A study's own words without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What was measured, over all groups: one value, or the smallest and the largest.
pub(super) fn measured(answer: &Answer) -> Option<String> {
    let values: Vec<f64> = answer.measured.iter().filter_map(|measured| measured.value).collect();
    if answer.bound.is_truth() {
        return answer.decisive()?.value.map(|value| (value > 0.0).to_string());
    }
    let least = values.iter().copied().min_by(f64::total_cmp).map(digits)?;
    let most = values.iter().copied().max_by(f64::total_cmp).map(digits)?;
    Some(if least == most { least } else { format!("{least} to {most}") })
}

/// A truth value, or a number in four digits, or in as many as it takes to see on which side of the bound it lies.
fn shown(bound: Bound, measured: &Measured) -> Option<String> {
    let value = measured.value?;
    if bound.is_truth() {
        return Some((value > 0.0).to_string());
    }
    if value.fract().abs() < f64::MIN_POSITIVE && (1.0..1e9).contains(&value.abs()) {
        // A count of steps is compared with one.
        return Some(value.to_string());
    }
    let is_inside = |value: f64| bound.margin(value) >= 0.0;
    let side = measured.margin.map_or_else(|| is_inside(value), |margin| margin >= 0.0);
    let tells = |text: &String| text.parse().is_ok_and(|shown| is_inside(shown) == side);
    (4..10).map(|count| to_digits(value, count)).find(tells).or_else(|| Some(digits(value)))
}

/// Four digits, with an exponent where the number is very small or large.
fn digits(value: f64) -> String {
    to_digits(value, 4)
}

fn to_digits(value: f64, count: i32) -> String {
    let size = value.abs();
    if size < f64::MIN_POSITIVE {
        return "0".to_owned();
    }
    if value.fract().abs() < f64::MIN_POSITIVE && size < 1e6 {
        return format!("{value}");
    }
    if (1e-3..1e6).contains(&size) {
        let decimals = f64::from(count - 1) - size.log10().floor();
        return format!("{value:.*}", decimals.max(0.0) as usize);
    }
    format!("{value:.*e}", (count - 1) as usize)
}

/// One object per claim.
pub(super) fn json(verdicts: &Verdicts) -> serde_json::Value {
    verdicts.answers.iter().map(of_answer).collect()
}

fn of_answer(answer: &Answer) -> serde_json::Value {
    let bound = answer.bound;
    let (lower, upper) = bound.ends();
    let decisive = answer.decisive();
    serde_json::json!({
        "says": answer.claim.says,
        "cite": answer.claim.cite,
        "panel": answer.claim.panel,
        "bound": bound.to_string(),
        "lower": lower,
        "upper": upper,
        "verdict": answer.verdict().name(),
        "value": number(decisive.and_then(|measured| measured.value)),
        "margin": number(decisive.and_then(|measured| measured.margin)),
        "reason": decisive.and_then(|measured| measured.reason.as_deref()),
        "groups": answer.measured.iter().map(|measured| serde_json::json!({
            "group": measured.group,
            "value": number(measured.value),
            "margin": number(measured.margin),
            "verdict": measured.verdict.name(),
            "reason": measured.reason,
        })).collect::<Vec<_>>(),
    })
}

/// A number, or the name of one that JSON does not know: inf, -inf, NaN.
fn number(value: Option<f64>) -> serde_json::Value {
    match value {
        Some(value) if !value.is_finite() => value.to_string().into(),
        value => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_shown() {
        let shown = [0.0, 3.0, 0.5, 0.012_345_6, 1.685_91, 123.456, 1e-12, 2.5e9, f64::INFINITY].map(digits);
        assert_eq!(shown, ["0", "3", "0.5000", "0.01235", "1.686", "123.5", "1.000e-12", "2.500e9", "inf"]);
    }

    #[test]
    fn the_side_of_the_bound_is_seen() {
        let shown = |bound: Bound, value: f64| {
            let (margin, verdict) = (Some(bound.margin(value)), Verdict::Holds);
            let measured = Measured { group: String::new(), value: Some(value), margin, verdict, reason: None };
            shown(bound, &measured).expect("there is a value")
        };
        assert_eq!(shown(Bound::AtMost(1.0), 0.999_99), "1.0000");
        assert_eq!(shown(Bound::AtMost(0.999_999), 0.999_998_93), "0.999999");
        assert_eq!(shown(Bound::AtMost(1.6859), 1.685_912), "1.686");
        assert_eq!(shown(Bound::AtMost(1.686), 1.686_012), "1.68601");
        assert_eq!(shown(Bound::AtMost(1e-9), 1.000_04e-9), "1.00004e-9");
        assert_eq!(shown(Bound::Holds(true), 0.0), "false");
        assert_eq!(shown(Bound::AtLeast(3.0), 3.0), "3");
    }
}
