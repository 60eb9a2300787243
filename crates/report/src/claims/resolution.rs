//! Claims held against a study's tables before they have rows: what could never be answered is found here.

use super::{Bound, Claim};
use crate::{Database, Finding, Kind, QueryError};

/// Mistakes of the claims: a query without an answer, or with one that the bound has no use for.
pub fn resolve(claims: &[Claim], database: &Database) -> Vec<Finding> {
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
    let listed = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(missing) = claim.group_by.iter().find(|group| !columns.iter().any(|(name, _)| name == *group)) {
        return Err(QueryError {
            word: Some(missing.clone()),
            message: format!("`group_by` names `{missing}`, which is no column of the query; it gives {listed}"),
            help: format!("SELECT {missing} as well, or name it with `AS {missing}`"),
        });
    }
    let mut left = columns.iter().filter(|(name, _)| !claim.group_by.contains(name));
    let (Some((name, kind)), None) = (left.next(), left.next()) else {
        return Err(QueryError {
            word: None,
            message: format!("one number is due beside the columns of `group_by`; the query gives {listed}"),
            help: "SELECT that number alone, or name the columns that distinguish groups in `group_by = [\"…\"]`"
                .to_owned(),
        });
    };
    let fits = match kind {
        Kind::Number => !bound.is_truth(),
        Kind::Bool => bound.is_truth(),
        Kind::Text | Kind::Null | Kind::List | Kind::Other => false,
    };
    if fits { Ok(name.clone()) } else { Err(wrong_kind(name, *kind, bound)) }
}

fn wrong_kind(name: &str, kind: Kind, wanted: Bound) -> QueryError {
    let help = match (wanted, kind) {
        (Bound::Holds(_), Kind::Number) => {
            "compare the number (`… < 3.0 AS x`), or use at_most, at_least, between or equals"
        }
        (_, Kind::List) => {
            "aggregate it, or GROUP BY it, or compute it outside: SELECT … FROM (SELECT … GROUP BY …) AS g"
        }
        (_, Kind::Bool) => "use `holds = true` for a truth value, or count: avg(CASE WHEN … THEN 1.0 ELSE 0.0 END)",
        _ => "CAST(… AS DOUBLE) makes a number",
    };
    let due = if wanted.is_truth() { "`holds` is about a truth value" } else { "the bound is about a number" };
    let message = format!("{due}, and the query's column `{name}` is {}", kind.spoken());
    QueryError { word: None, message, help: help.to_owned() }
}
