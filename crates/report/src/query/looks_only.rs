//! A query looks at the study's own tables, and at nothing else.

use super::QueryError;

/// Counts something in a query.
type Count = fn(&str) -> usize;

/// The most that a query may have of each: time and stack of polars' planner grow with the square or cube of them, and
/// nobody reads a claim as long as that.
const MOST: [(&str, usize, Count); 3] =
    [("bytes", 16_384, str::len), ("operators", 500, operators), ("SELECTs", 100, selects)];

/// Functions that open other files.
const OPENING: [&str; 4] = ["read_parquet", "read_csv", "read_ipc", "read_json"];

/// Refuses statements that change tables, and functions that open other files.
pub(super) fn refuse_others(sql: &str) -> Result<(), QueryError> {
    let help = "write `SELECT … FROM cells`, or `WITH name AS (…) SELECT …`".to_owned();
    for (what, most, count) in MOST {
        let found = count(sql);
        if found > most {
            let message = format!("a query of {found} {what}, where at most {most} are allowed");
            return Err(QueryError { word: None, message, help: "ask in several claims or figures".to_owned() });
        }
    }
    let first = first_word(sql);
    if !["SELECT", "WITH"].iter().any(|allowed| first.eq_ignore_ascii_case(allowed)) {
        let seen = if first.is_empty() { "nothing".to_owned() } else { format!("`{first}`") };
        let word = (!first.is_empty()).then(|| first.to_owned());
        return Err(QueryError { word, message: format!("expected a query that selects rows, found {seen}"), help });
    }
    let lower = sql.to_ascii_lowercase();
    match OPENING.into_iter().find_map(|name| lower.find(name).map(|at| &sql[at..at + name.len()])) {
        None => Ok(()),
        Some(name) => Err(QueryError {
            word: Some(name.to_owned()),
            message: format!("`{name}` opens other files; a query sees the study's own tables"),
            help,
        }),
    }
}

/// Signs and words that polars answers by calling itself; those inside texts count as well.
fn operators(sql: &str) -> usize {
    let signs = sql.bytes().filter(|byte| b"+-*/%|&<>=".contains(byte)).count();
    signs + count_words(sql, &["AND", "OR", "NOT", "LIKE", "BETWEEN", "JOIN"])
}

fn selects(sql: &str) -> usize {
    count_words(sql, &["SELECT", "VALUES"])
}

fn count_words(sql: &str, wanted: &[&str]) -> usize {
    let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted))).count()
}

/// The first word after white space, comments and parentheses.
fn first_word(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        let begun = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        rest = if let Some(comment) = begun.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = begun.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, rest)| rest)
        } else {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let end = begun.find(|c: char| !is_word(c)).unwrap_or(begun.len());
            // What begins with no word is shown as far as the next gap.
            let end = if end == 0 { begun.find(char::is_whitespace).unwrap_or(begun.len()) } else { end };
            return &begun[..end];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_may_begin_with_comments_and_parentheses() {
        for sql in ["select 1", "-- why\nSELECT 1", "/* a; b */ (SELECT 1)", "  with a as (select 1) select * from a"] {
            assert_eq!(refuse_others(sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn everything_else_is_named() {
        let seen = |sql: &str| refuse_others(sql).expect_err(sql).word;
        assert_eq!(seen("DROP TABLE cells").as_deref(), Some("DROP"));
        assert_eq!(seen("without a"), Some("without".to_owned()));
        assert_eq!(seen("-- nothing"), None);
        assert_eq!(seen("<script> x"), Some("<script>".to_owned()));
        assert_eq!(seen("SELECT * FROM Read_Parquet('x')").as_deref(), Some("Read_Parquet"));
    }

    #[test]
    fn what_no_planner_could_take_is_counted() {
        let said = |sql: &str| refuse_others(sql).map_err(|error| error.message);
        let refused = |found: usize, what: &str, most: usize| {
            Err(format!("a query of {found} {what}, where at most {most} are allowed"))
        };
        assert_eq!(said(&format!("SELECT {}1", "1+".repeat(500))), Ok(()));
        assert_eq!(said(&format!("SELECT {}1", "1+".repeat(501))), refused(501, "operators", 500));
        assert_eq!(said(&format!("SELECT {}1", "a or ".repeat(501))), refused(501, "operators", 500));
        assert_eq!(said(&format!("SELECT 1{}", " UNION SELECT 1".repeat(100))), refused(101, "SELECTs", 100));
        assert_eq!(said(&format!("SELECT {}", "1, ".repeat(9000))), refused(27_007, "bytes", 16_384));
    }
}
