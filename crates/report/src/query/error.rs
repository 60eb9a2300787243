//! Why a query has no answer: polars' words, with the place they are about and one thing to try.

use super::place;
use polars::prelude::PolarsError;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The words of the query that are wrong, where they can be told: they stand nowhere earlier in it.
    pub word: Option<String>,
    /// What is wrong.
    pub message: String,
    /// The values allowed, and one thing to try.
    pub help: String,
}

/// The most of polars' words that are shown; some of its messages hold the whole query as a tree.
const LONGEST: usize = 240;

impl QueryError {
    /// What polars says to a query.
    pub(crate) fn of(error: &PolarsError, sql: &str) -> Self {
        let text = innermost(error);
        // Polars adds what it was doing and how the plan looked; the first paragraph says what is wrong.
        let first = text.split("\n\n").next().unwrap_or(&text).trim();
        match first.strip_prefix("unable to find column ") {
            Some(rest) => Self::no_column(rest, &text, sql),
            None => Self::other(first, sql),
        }
    }

    /// Whether it is about a column that is not there, and not one of polars' own names.
    pub(super) fn lacks_a_column(&self) -> bool {
        self.message.starts_with("there is no column `") && !self.message.contains(':')
    }

    /// Polars itself broke down over a query.
    pub(crate) fn panicked(message: &str) -> Self {
        Self {
            word: None,
            message: format!("polars, which answers queries, broke down over this one: {}", shortened(message)),
            help: "write it in another way: aggregate in a subquery, or name every column".to_owned(),
        }
    }

    /// `rest` is `"name"; valid columns: ["a", "b"]`.
    fn no_column(rest: &str, text: &str, sql: &str) -> Self {
        let name = quoted(rest).unwrap_or_default();
        let valid = rest.split("valid columns: ").nth(1).unwrap_or_default().replace('"', "`");
        let valid = valid.trim_matches(['[', ']']);
        let help = if name.contains(':') {
            "in a join, GROUP BY and SELECT the column of the table that is named first".to_owned()
        } else if sql.contains(&format!("\"{name}\"")) {
            format!("a text takes single quotes: '{name}'; the columns here are {valid}")
        } else {
            let near = text.split("Did you mean ").nth(1).and_then(quoted);
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            format!("{near}the columns here are {valid}")
        };
        // `name:other` is polars' own name for a column of the second table of a join.
        let word = name.split(':').next().map(str::to_owned).filter(|word| !word.is_empty());
        Self { word, message: format!("there is no column `{name}` here"), help }
    }

    fn other(message: &str, sql: &str) -> Self {
        let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
        let (said, place) = place::split(message);
        let said = &said.replace("Expected: ", "expected ").replace(", found: ", ", found ").replace("EOF", "the end");
        let said = if said.contains("duplicate output name") {
            let name = said.split('\'').nth(1).unwrap_or_default();
            format!("two columns of the answer are called `{name}`")
        } else {
            shortened(said)
        };
        let word = match place {
            Some(place) => place::words_at(sql, place),
            None => place::named(sql, &said),
        };
        let help = trap(&said, word.as_deref());
        Self { word, message: format!("the query has no answer: {said}"), help: help.to_owned() }
    }
}

/// What most often lies behind an error whose words do not say it.
fn trap(message: &str, word: Option<&str>) -> &'static str {
    let lower = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_number = word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if has(&["subquer"]) {
        "one query inside another in place of a number is not there: CROSS JOIN it"
    } else if has(&["exists"]) {
        "use JOIN instead of EXISTS"
    } else if has(&["'rank'"]) {
        "use row_number() OVER (ORDER BY …) instead of rank()"
    } else if has(&["group by clause"]) {
        "aggregate it, as in avg(…), or GROUP BY it as well"
    } else if has(&["are called"]) {
        "give each a name of its own with AS"
    } else if has(&["parse literal"]) || is_number {
        "numbers with an exponent need a point, as in 1.0e-3"
    } else if has(&["string literal", "close delimiter"]) {
        "texts take single quotes, and a quote inside is written twice"
    } else if has(&["no column named", "table or struct column"]) {
        "a name before a point is a table's, or the one it is given after FROM or JOIN"
    } else if has(&["one statement", "(and only one)"]) {
        "keep one query; `WITH name AS (…)` holds its steps"
    } else if has(&["compare string", "dtypes str", "dtype `str`"]) {
        "texts are no numbers; compare them with texts in single quotes, or CAST(… AS DOUBLE)"
    } else {
        "the dialect is polars SQL; docs/study.md lists what surprises in it"
    }
}

/// One line of at most so many characters, without the trees that polars prints.
fn shortened(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    match line.split_once(" {") {
        Some((before, rest)) if before.chars().count() <= LONGEST => {
            let after = rest.rsplit_once('}').map_or("", |(_, after)| after);
            let after = if after.chars().count() <= LONGEST { after } else { "" };
            format!("{before} …{after}")
        }
        _ => line.chars().take(LONGEST).chain(['…']).collect(),
    }
}

fn innermost(error: &PolarsError) -> String {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => innermost(error),
        PolarsError::ColumnNotFound(text)
        | PolarsError::SQLInterface(text)
        | PolarsError::SQLSyntax(text)
        | PolarsError::InvalidOperation(text)
        | PolarsError::ComputeError(text)
        | PolarsError::SchemaMismatch(text)
        | PolarsError::Duplicate(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// The text between the first pair of double quotes.
fn quoted(text: &str) -> Option<String> {
    text.split('"').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_the_query_is_left_out() {
        let tree = format!("expression Exists {{ subquery: {} }} is not currently supported", "Query { } ".repeat(60));
        assert_eq!(shortened(&tree), "expression Exists … is not currently supported");
        assert_eq!(shortened("two\n  lines"), "two lines");
        assert_eq!(shortened(&"é".repeat(500)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_columns_are_listed_and_a_text_in_double_quotes_is_told_apart() {
        let error = PolarsError::ColumnNotFound("unable to find column \"risc\"; valid columns: [\"risk\"]".into());
        let said = QueryError::of(&error, "SELECT risc FROM cells");
        assert_eq!(said.word.as_deref(), Some("risc"));
        assert_eq!(
            (said.message.as_str(), said.help.as_str()),
            ("there is no column `risc` here", "the columns here are `risk`")
        );
        let said = QueryError::of(&error, "SELECT risk FROM cells WHERE basis = \"risc\"");
        assert_eq!(said.help, "a text takes single quotes: 'risc'; the columns here are `risk`");
    }
}
