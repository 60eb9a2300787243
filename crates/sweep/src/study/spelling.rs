//! The nearest name to a misspelt one.

/// The name that is fewest edits away, if that is few enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = 1 + word.chars().count() / 4;
    let names: Vec<&str> = names.into_iter().collect();
    let begins = |long: &str, short: &str| short.len() >= 3 && long.starts_with(short);
    let begun = names.iter().find(|name| begins(name, word) || begins(word, name));
    let edited = names
        .iter()
        .map(|name| (distance(&plain(word), &plain(name)), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, name)| *name);
    edited.or(begun.copied())
}

/// Names separated by commas.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// "did you mean `x`? allowed: x, y, z", as far as it can be said.
pub(crate) fn did_you_mean(word: &str, names: &[&str]) -> String {
    let allowed = listed(names.iter().copied());
    match nearest(word, names.iter().copied()) {
        _ if names.is_empty() => String::new(),
        Some(name) => format!("did you mean `{name}`? allowed: {allowed}"),
        None => format!("allowed: {allowed}"),
    }
}

/// "; did you mean `x`?", or the names that there are, or nothing.
pub fn near(word: &str, names: &[&str]) -> String {
    match (nearest(word, names.iter().copied()), names.len()) {
        (Some(name), _) => format!("; did you mean `{name}`?"),
        (None, 1..=12) => format!("; there are: {}", listed(names.iter().copied())),
        _ => String::new(),
    }
}

fn plain(word: &str) -> Vec<char> {
    word.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        assert_eq!(nearest("dgree", ["basis", "degree", "decay"]), Some("degree"));
        assert_eq!(nearest("legnedre", ["legendre", "chebyshev"]), Some("legendre"));
        assert_eq!(nearest("gradient_descent", ["gradient-descent"]), Some("gradient-descent"));
        assert_eq!(nearest("harmonics", ["basis", "degree"]), None);
    }
}
