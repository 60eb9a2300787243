//! Rust source as words: comments, texts and letters in quotes taken out, lines kept.

/// The code of a source file; every comment and every literal text is blank, so line numbers stay.
pub fn rust_code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let inside_word = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + quoted(rest, 0),
        ['r', '"' | '#', ..] if !inside_word => raw(rest, 1).map_or(at, |length| at + length),
        ['b', 'r', '"' | '#', ..] if !inside_word => raw(rest, 2).map_or(at, |length| at + length),
        ['\'', '\\', ..] => at + 2 + rest[2..].iter().skip(1).position(|&c| c == '\'').map_or(0, |i| i + 2),
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut i) = (0, 0);
    while i + 1 < rest.len() {
        match (rest[i], rest[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    rest.len()
}

fn quoted(rest: &[char], from: usize) -> usize {
    let mut i = from + 1;
    while i < rest.len() && rest[i] != '"' {
        i += if rest[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(rest.len())
}

/// The length of a raw text whose hashes begin at `from`; none for a raw name such as `r#type`.
fn raw(rest: &[char], from: usize) -> Option<usize> {
    let hashes = rest[from..].iter().take_while(|&&c| c == '#').count();
    let open = from + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let ends = |i: usize| rest[i] == '"' && rest[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
    Some((open + 1..rest.len()).find(|&i| ends(i)).map_or(rest.len(), |i| i + 1 + hashes))
}

/// The words (names and keywords) of a line.
pub fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
