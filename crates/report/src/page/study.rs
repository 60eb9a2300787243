//! The study's text, with comments, sections and keys told apart.

use serde::Serialize;

/// A stretch of a line, and the class it is shown in.
#[derive(Serialize)]
pub(super) struct Piece {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// The lines of a study. It knows a line by its beginning, so a line of a text that begins with `#` looks like a
/// comment; nothing but the colour is wrong then.
pub(super) fn lines(study: &str) -> Vec<Vec<Piece>> {
    study.lines().map(pieces).collect()
}

fn pieces(line: &str) -> Vec<Piece> {
    let piece = |class, text: &str| Piece { class, text: text.to_owned() };
    let begins = line.trim_start();
    if begins.starts_with('#') {
        return vec![piece("comment", line)];
    }
    if begins.starts_with('[') && begins.trim_end().ends_with(']') && !begins.contains('=') {
        return vec![piece("head", line)];
    }
    match line.split_once('=') {
        Some((key, value)) if is_key(key) => vec![piece("key", key), piece("value", &format!("={value}"))],
        _ => vec![piece("value", line)],
    }
}

fn is_key(text: &str) -> bool {
    let text = text.trim();
    let is_quoted = text.len() > 1 && ['"', '\''].into_iter().any(|q| text.starts_with(q) && text.ends_with(q));
    let is_bare = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "._-\"'".contains(c));
    is_quoted || is_bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_its_beginning_and_loses_nothing() {
        let study = "# why\n[data.curve]\nnoise   = 0.1 # strong\n  \"SELECT a = b\"\n\n[[claim]]";
        let classes: Vec<Vec<&str>> = lines(study).iter().map(|l| l.iter().map(|p| p.class).collect()).collect();
        assert_eq!(
            classes,
            [vec!["comment"], vec!["head"], vec!["key", "value"], vec!["value"], vec!["value"], vec!["head"]]
        );
        let text: Vec<String> = lines(study).iter().map(|l| l.iter().map(|p| p.text.as_str()).collect()).collect();
        assert_eq!(text.join("\n"), study);
    }
}
