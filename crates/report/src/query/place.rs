//! Where in a query a message points, as words that stand nowhere earlier in it.

/// A line and a column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

/// Takes the place off the end of a parser's message: `… at Line: 2, Column: 7`.
pub(super) fn split(message: &str) -> (&str, Option<Place>) {
    let parsed = || {
        let (said, place) = message.rsplit_once("at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let place = Place { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
        Some((said.trim_end().trim_end_matches('.'), Some(place)))
    };
    parsed().unwrap_or((message, None))
}

/// The words from a place on, as many as it takes to be found nowhere earlier.
pub(super) fn words_at(sql: &str, place: Place) -> Option<String> {
    let before: usize = sql.split_inclusive('\n').take(place.line.checked_sub(1)?).map(str::len).sum();
    let line = sql.get(before..)?.split('\n').next()?;
    let (at, _) = line.char_indices().nth(place.column.checked_sub(1)?)?;
    let start = before + at;
    let rest = &sql[start..];
    let ends = rest.char_indices().map(|(at, _)| at).skip(1).chain([rest.len()]);
    let whole = ends.filter(|end| is_boundary(rest, *end) && !rest[..*end].ends_with(char::is_whitespace));
    whole.map(|end| &rest[..end]).find(|words| found_at(sql, words) == Some(start)).map(str::to_owned)
}

/// The first words in quotes of a message that the query holds.
pub(super) fn named(sql: &str, message: &str) -> Option<String> {
    ['\'', '"', '`'].into_iter().find_map(|quote| {
        let words = message.split(quote).skip(1).step_by(2);
        words.filter(|words| !words.is_empty()).find(|words| found_at(sql, words).is_some()).map(str::to_owned)
    })
}

/// Whether these whole words stand in a query.
pub(super) fn holds(sql: &str, words: &str) -> bool {
    found_at(sql, words).is_some()
}

/// Where whole words stand first.
fn found_at(sql: &str, words: &str) -> Option<usize> {
    let whole = |at: &usize| is_boundary(sql, *at) && is_boundary(sql, at + words.len());
    sql.match_indices(words).map(|(at, _)| at).find(whole)
}

/// Whether no word goes on across this place.
fn is_boundary(text: &str, at: usize) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !(is_inside(text[..at].chars().next_back()) && is_inside(text[at..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str, line: usize, column: usize) -> Option<String> {
        words_at(sql, Place { line, column })
    }

    #[test]
    fn a_place_is_split_off_the_message() {
        let message = "Expected: ), found: FROM at Line: 1, Column: 22";
        assert_eq!(split(message), ("Expected: ), found: FROM", Some(Place { line: 1, column: 22 })));
        assert_eq!(split("unexpected subquery"), ("unexpected subquery", None));
    }

    #[test]
    fn words_are_as_long_as_it_takes_to_find_them() {
        let sql = "SELECT max(a FROM t";
        assert_eq!(words(sql, 1, 14).as_deref(), Some("FROM"));
        let sql = "SELECT a FROM (SELECT b FROM\n t";
        assert_eq!(words(sql, 1, 25).as_deref(), Some("FROM\n t"));
        assert_eq!(words(sql, 1, 16).as_deref(), Some("SELECT b"));
        assert_eq!(words(sql, 2, 2).as_deref(), Some("t"));
        assert_eq!(words("é ü é", 1, 3).as_deref(), Some("ü"));
        assert_eq!(words("a a a", 1, 3), None, "nothing from here on stands nowhere earlier");
        assert_eq!((words(sql, 9, 1), words(sql, 0, 0), words(sql, 1, 99)), (None, None, None));
    }

    #[test]
    fn quoted_words_are_found_whole() {
        let sql = "SELECT rank() OVER (ORDER BY crank) FROM t";
        assert_eq!(named(sql, "unsupported function 'rank'").as_deref(), Some("rank"));
        assert_eq!(named("SELECT crank", "unsupported function 'rank'"), None);
        assert_eq!(named("x < 1e-3", "cannot parse literal: \"1e-3\"").as_deref(), Some("1e-3"));
    }
}
