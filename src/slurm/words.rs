//! One word as bash and as the `#SBATCH` lines of a script read it.

use crate::exit::Usage;

/// A word for bash that stands for this text and nothing else, whatever is in it.
pub(super) fn bash(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Several of them.
pub(super) fn bash_words<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(bash).collect::<Vec<_>>().join(" ")
}

/// A word for a `#SBATCH` line, which ends where the line does; `what` names it in the message.
///
/// # Errors
/// If the text holds a line break or another control character.
pub(super) fn header(text: &str, what: &str) -> Result<String, Usage> {
    if text.chars().any(char::is_control) {
        return Err(Usage(format!(
            "{what} {text:?} holds a control character, which no `#SBATCH` line can say; choose another"
        )));
    }
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    // Slurm reads quotes as bash does, but takes neither `$` nor a backslash before a blank for anything special.
    Ok(format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#)))
}

/// Letters that mean themselves everywhere.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-./,:=+@%".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn bash_reads_back_what_was_meant() {
        for text in [
            "plain/path-1.toml",
            "",
            " ",
            "it's",
            "a \"b\"",
            "$(touch x) `y` $HOME",
            "two\nlines",
            "é*?[a]~#",
            "\\",
            "!x",
        ] {
            let output =
                Command::new("bash").args(["-c", &format!("printf %s {}", bash(text))]).output().expect("bash");
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
        assert_eq!(bash("/a/b_c-1.toml"), "/a/b_c-1.toml");
        assert_eq!(bash_words(["--set", "a=\"b\""]), "--set 'a=\"b\"'");
    }

    #[test]
    fn header_words_keep_blanks_and_quotes() {
        assert_eq!(header("/a b/it's #1", "the folder").expect("a word"), r#""/a b/it's #1""#);
        assert_eq!(header(r#"say "a\b""#, "x").expect("a word"), r#""say \"a\\b\"""#);
        assert_eq!(header("--constraint=haswell", "x").expect("a word"), "--constraint=haswell");
        assert!(header("a\nb", "the folder").expect_err("no word").0.contains("the folder \"a\\nb\""));
    }
}
