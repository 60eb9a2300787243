//! Claims held against a study's tables before they have rows: what could never be answered is found here.

use super::{Bound, Claim};
use crate::{Database, Finding, Kind, QueryError};

/// Mistakes of the claims: a query without an answer, or with one that the bound has no use for.
pub fn resolve(claims: &[Claim], database: &Database) -> Vec<Finding> {
    let database = database.clone().without_clocks();
    let found = claims.iter().enumerate().filter_map(|(number, claim)| {
        let answer = database.columns(&claim.sql).and_then(|columns| {
            let bounds = [Some(claim.bound()), claim.quick_bound()];
            bounds.into_iter().flatten().try_for_each(|bound| value_column(claim, bound, &columns).map(drop))
        });
        let QueryError { word, message, help } = answer.err()?;
        // A word of `group_by` is looked for there, every other one in the query.
        let of_groups = word.as_ref().is_some_and(|word| claim.group_by.contains(word) && !claim.sql.contains(word));
        let key = if of_groups { "group_by" } else { "sql" };
        Some(Finding { path: format!("claim.{number}.{key}"), word, message, help })
    });
    found.collect()
}

/// The column with the number that the bound is about: the only one that names no group.
///
/// # Errors
/// If a group's column is not there, if several columns are left, or none, or one of another kind.
pub(super) fn value_column(claim: &Claim, bound: Bound, columns: &[(String, Kind)]) -> Result<String, QueryError> {
    let listed = listed(columns);
    if let Some(missing) = claim.group_by.iter().find(|group| !columns.iter().any(|(name, _)| name == *group)) {
        return Err(QueryError {
            word: Some(missing.clone()),
            message: format!("`group_by` names `{missing}`, which is no column of the query; it gives {listed}"),
            help: format!("SELECT {missing} as well, or name it with `AS {missing}`"),
        });
    }
    let left: Vec<&(String, Kind)> = columns.iter().filter(|(name, _)| !claim.group_by.contains(name)).collect();
    let [(name, kind)] = left[..] else {
        let beside = if claim.group_by.is_empty() { "" } else { " beside the columns of `group_by`" };
        let help = if left.is_empty() {
            "SELECT what was measured as well"
        } else {
            "SELECT that number alone, or name the columns that tell groups apart in `group_by = [\"…\"]`"
        };
        let message = format!("one number is due{beside}; the query gives {listed}");
        return Err(QueryError { word: None, message, help: help.to_owned() });
    };
    let fits = match kind {
        Kind::Number => !bound.is_truth(),
        Kind::Bool => bound.is_truth(),
        Kind::Text | Kind::Null | Kind::List | Kind::Other => false,
    };
    if fits { Ok(name.clone()) } else { Err(wrong_kind(name, *kind, bound)) }
}

/// The first columns by name, and how many there are if that is not all.
fn listed(columns: &[(String, Kind)]) -> String {
    const SHOWN: usize = 6;
    let names: Vec<&str> = columns.iter().take(SHOWN).map(|(name, _)| name.as_str()).collect();
    let more = if columns.len() > SHOWN { format!(", … ({} columns)", columns.len()) } else { String::new() };
    names.join(", ") + &more
}

fn wrong_kind(name: &str, kind: Kind, wanted: Bound) -> QueryError {
    let help = match (wanted, kind) {
        (Bound::Holds(_), Kind::Number) => {
            "compare the number (`… < 3.0 AS x`), or use at_most, at_least, between or equals"
        }
        (_, Kind::List) => {
            "aggregate it, or GROUP BY it, or compute it outside: SELECT … FROM (SELECT … GROUP BY …) AS g"
        }
        (_, Kind::Null) => "the claim would never be decided; SELECT what was measured",
        (_, Kind::Bool) => "use `holds = true` for a truth value, or count: avg(CASE WHEN … THEN 1.0 ELSE 0.0 END)",
        _ => "CAST(… AS DOUBLE) makes a number",
    };
    let due = if wanted.is_truth() { "`holds` is about a truth value" } else { "the bound is about a number" };
    let message = format!("{due}, and the query's column `{name}` is {}", kind.spoken());
    QueryError { word: Some(name.to_owned()), message, help: help.to_owned() }
}
