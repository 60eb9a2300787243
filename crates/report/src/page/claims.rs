//! Claims as a page shows them: verdict, numbers, and where the measured values lie beside their bound.

use super::gauge::Gauge;
use super::numbers::shown;
use crate::claims::{Answer, Bound, Measured, Verdict, Verdicts};
use serde::Serialize;

/// As many groups are listed; more are counted.
const MOST_GROUPS: usize = 60;

/// What all claims together say.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) class: &'static str,
    pub(super) glyph: &'static str,
    pub(super) words: String,
    pub(super) rest: String,
    /// The claims that do not hold, where others do.
    pub(super) others: Vec<Other>,
}

/// A claim that does not hold.
#[derive(Serialize)]
pub(super) struct Other {
    pub(super) number: usize,
    pub(super) says: String,
    pub(super) verdict: &'static str,
    pub(super) glyph: &'static str,
}

/// One claim.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) number: usize,
    pub(super) says: String,
    pub(super) verdict: &'static str,
    pub(super) glyph: &'static str,
    pub(super) facts: Vec<Fact>,
    pub(super) gauge: Option<Gauge>,
    pub(super) reason: Option<String>,
    pub(super) cite: Option<String>,
    /// "2" or "2, 3": sentences of the panel.
    pub(super) panel: String,
    pub(super) groups: Vec<Group>,
    pub(super) more_groups: usize,
    pub(super) sql: String,
}

/// A number with its name; all of its digits on request.
#[derive(Serialize)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) exact: String,
}

/// One group of a claim.
#[derive(Serialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) margin: String,
    pub(super) verdict: &'static str,
    pub(super) glyph: &'static str,
    pub(super) reason: String,
}

/// A verdict readable without colour.
fn glyph(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "✓",
        Verdict::Fails => "✗",
        Verdict::Undecided => "?",
        Verdict::Skipped => "–",
    }
}

/// "5 of 7 claims hold", and how the others stand.
pub(super) fn summary(verdicts: &Verdicts) -> Option<Summary> {
    let all = verdicts.answers.len();
    let [holds, fails, undecided, skipped] =
        [Verdict::Holds, Verdict::Fails, Verdict::Undecided, Verdict::Skipped].map(|verdict| verdicts.count(verdict));
    if all == 0 {
        return None;
    }
    let worst = match () {
        () if fails > 0 => Verdict::Fails,
        () if undecided > 0 => Verdict::Undecided,
        () => Verdict::Holds,
    };
    let words = match (holds, all) {
        (1, 1) => "The claim holds".to_owned(),
        (holds, 1) => format!("{holds} of 1 claim holds"),
        (holds, all) => format!("{holds} of {all} claims hold"),
    };
    let verb = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let rest = [
        (fails > 0).then(|| verb(fails, "fails", "fail")),
        (undecided > 0).then(|| verb(undecided, "is undecided", "are undecided")),
        (skipped > 0).then(|| verb(skipped, "needs the whole study", "need the whole study")),
    ];
    let rest = rest.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let other = |(at, answer): (usize, &Answer)| {
        let verdict = answer.verdict();
        let says = answer.claim.says.clone();
        matches!(verdict, Verdict::Fails | Verdict::Undecided).then(|| Other {
            number: at + 1,
            says,
            verdict: verdict.name(),
            glyph: glyph(verdict),
        })
    };
    let others = verdicts.answers.iter().enumerate().filter_map(other).collect();
    Some(Summary { others, class: worst.name(), glyph: glyph(worst), words, rest })
}

/// Every claim with its answer.
pub(super) fn claims(verdicts: &Verdicts) -> Vec<Shown> {
    verdicts.answers.iter().enumerate().map(|(at, answer)| claim(at + 1, answer)).collect()
}

fn claim(number: usize, answer: &Answer) -> Shown {
    let verdict = answer.verdict();
    let bound = answer.bound;
    let decisive = answer.decisive();
    let groups = answer.measured.len();
    let mut facts = Vec::new();
    if let Some(value) = decisive.and_then(|measured| measured.value) {
        facts.push(fact(if groups > 1 { "closest" } else { "measured" }, value, bound));
    }
    facts.push(Fact { name: "bound", value: bound_shown(bound), exact: bound.to_string() });
    if let Some(margin) = decisive.and_then(|measured| measured.margin).filter(|_| !bound.is_truth()) {
        facts.push(Fact { name: "margin", value: shown(margin), exact: margin.to_string() });
    }
    if groups > 1 {
        let inside = answer.measured.iter().filter(|measured| measured.verdict == Verdict::Holds).count();
        let value = format!("{inside} of {groups} hold");
        facts.push(Fact { name: "groups", exact: value.clone(), value });
    }
    Shown {
        number,
        says: answer.claim.says.clone(),
        verdict: verdict.name(),
        glyph: glyph(verdict),
        facts,
        gauge: Gauge::of(bound, &answer.measured),
        reason: decisive.and_then(|measured| measured.reason.clone()),
        cite: answer.claim.cite.clone(),
        panel: answer.claim.panel.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
        groups: if groups > 1 { listed(answer, bound) } else { Vec::new() },
        more_groups: groups.saturating_sub(MOST_GROUPS),
        sql: answer.claim.sql.clone(),
    }
}

fn fact(name: &'static str, value: f64, bound: Bound) -> Fact {
    Fact { name, value: value_shown(value, bound), exact: value.to_string() }
}

fn value_shown(value: f64, bound: Bound) -> String {
    match (bound.is_truth(), value > 0.5) {
        (true, true) => "true".to_owned(),
        (true, false) => "false".to_owned(),
        (false, _) => shown(value),
    }
}

fn bound_shown(bound: Bound) -> String {
    match bound {
        Bound::AtMost(most) => format!("at most {}", shown(most)),
        Bound::AtLeast(least) => format!("at least {}", shown(least)),
        Bound::Between(low, high) => format!("from {} to {}", shown(low), shown(high)),
        Bound::Equals { value, tolerance } if tolerance > 0.0 => format!("{} ± {}", shown(value), shown(tolerance)),
        Bound::Equals { value, .. } => format!("exactly {}", shown(value)),
        Bound::Holds(truth) => truth.to_string(),
    }
}

/// The groups, those with the smallest margin first.
fn listed(answer: &Answer, bound: Bound) -> Vec<Group> {
    let mut measured: Vec<&Measured> = answer.measured.iter().collect();
    if measured.len() > MOST_GROUPS {
        let margin = |measured: &Measured| measured.margin.unwrap_or(f64::NEG_INFINITY);
        measured.sort_by(|a, b| margin(a).total_cmp(&margin(b)));
    }
    let group = |measured: &Measured| Group {
        name: measured.group.clone(),
        value: measured.value.map_or_else(|| "–".to_owned(), |value| value_shown(value, bound)),
        margin: measured.margin.map_or_else(|| "–".to_owned(), shown),
        verdict: measured.verdict.name(),
        glyph: glyph(measured.verdict),
        reason: measured.reason.clone().unwrap_or_default(),
    };
    measured.into_iter().take(MOST_GROUPS).map(group).collect()
}
