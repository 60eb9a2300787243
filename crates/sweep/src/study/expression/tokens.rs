//! An expression taken apart into numbers, texts, names and signs.

use super::Fault;
use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Name(String),
    /// A sign or a word that joins; `&&`, `||`, `!`, `=`, `<>`, `**` under their other spelling.
    Sign(&'static str),
}

/// The longest first; each with the spelling that it goes by.
const SIGNS: [(&str, &str); 24] = [
    ("**", "^"),
    ("<=", "<="),
    (">=", ">="),
    ("==", "=="),
    ("!=", "!="),
    ("<>", "!="),
    ("&&", "and"),
    ("||", "or"),
    ("<", "<"),
    (">", ">"),
    ("=", "=="),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("%", "%"),
    ("^", "^"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
    (",", ","),
    ("!", "not"),
    ("−", "-"),
];

const WORDS: [&str; 4] = ["and", "or", "not", "in"];

/// The tokens with the bytes that each takes.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Fault> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = one(&text[at..], at)?;
        out.push((token, at..at + length));
        at += length;
    }
    Ok(out)
}

fn one(rest: &str, at: usize) -> Result<(Token, usize), Fault> {
    let fault =
        |length: usize, message: String, help: &str| Fault { span: at..at + length, message, help: help.to_owned() };
    let second = rest.chars().nth(1);
    match rest.chars().next() {
        Some(c) if c.is_ascii_digit() || c == '.' && second.is_some_and(|c| c.is_ascii_digit()) => {
            let length = number_length(rest);
            let written = &rest[..length];
            match written.parse() {
                Ok(number) => Ok((Token::Number(number), length)),
                Err(_) => Err(fault(length, format!("`{written}` is no number"), "write 0.1, 1e-3 or 12")),
            }
        }
        Some(quote @ ('\'' | '"')) => match rest[1..].find(quote) {
            Some(length) => Ok((Token::Text(rest[1..=length].to_owned()), length + 2)),
            None => Err(fault(rest.trim_end().len(), format!("a text without its closing {quote}"), "")),
        },
        Some(c) if c.is_alphabetic() || c == '_' => {
            let length = name_length(rest);
            let name = &rest[..length];
            let word = WORDS.into_iter().find(|word| name.eq_ignore_ascii_case(word));
            Ok((word.map_or_else(|| Token::Name(name.to_owned()), Token::Sign), length))
        }
        Some(c) => match SIGNS.iter().find(|(written, _)| rest.starts_with(written)) {
            Some((written, sign)) => Ok((Token::Sign(sign), written.len())),
            None => Err(fault(
                c.len_utf8(),
                format!("unknown sign `{c}`"),
                "allowed: + - * / % ^, == != < <= > >=, and or not in, ( ) [ ] and commas",
            )),
        },
        None => Err(fault(0, "an empty expression".to_owned(), "")),
    }
}

/// Digits, points and an exponent with its sign: more than a number may have, so that it is refused as a whole.
fn number_length(rest: &str) -> usize {
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        let signed = matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
        if !(c.is_ascii_alphanumeric() || c == '.' || signed) {
            return at;
        }
        before = c;
    }
    rest.len()
}

/// A name, or a dotted path, whose segments may have hyphens inside, as in `model.parametrization.deep-linear.width`.
fn name_length(rest: &str) -> usize {
    let mut dotted = false;
    let mut characters = rest.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, c)| *c);
        let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        match c {
            '.' if goes_on(next) => dotted = true,
            '-' if dotted && next.is_some_and(char::is_alphabetic) => {}
            c if goes_on(Some(c)) => {}
            _ => return at,
        }
    }
    rest.len()
}
