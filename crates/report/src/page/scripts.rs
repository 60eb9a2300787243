//! The scripts of a report, the policy that lets these run and nothing else, and data that no script can leave.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// In the order in which they run.
pub(super) const LIBRARIES: [&str; 3] = [
    include_str!("../../assets/vendor/vega.min.js"),
    include_str!("../../assets/vendor/vega-lite.min.js"),
    include_str!("../../assets/vendor/vega-interpreter.min.js"),
];
pub(super) const THEME: &str = include_str!("../../assets/theme.js");
pub(super) const FIGURES: &str = include_str!("../../assets/figures.js");
pub(super) const PLAYER: &str = include_str!("../../assets/player.js");
pub(super) const STYLE: &str = concat!(include_str!("../../assets/page.css"), include_str!("../../assets/player.css"));

/// A content security policy that knows these scripts by their hashes and allows no request at all. So a text that
/// slipped through every escape would still be no script; and the renderer does without `eval`.
pub(super) fn policy<'a>(scripts: impl IntoIterator<Item = &'a str>) -> String {
    let hashes = scripts.into_iter().map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script))));
    let hashes: String = hashes.collect();
    // The renderer sets styles of single elements; styles can load nothing, since no source is allowed for it.
    format!(
        "default-src 'none'; script-src{hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// JSON that can stand in a `<script>` of data: no character of it ends the element or begins another.
pub(super) fn embedded(value: &serde_json::Value) -> String {
    let text = value.to_string();
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", letter as u32)),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_cannot_leave_their_element() {
        let value = json!({ "</script><script>alert(1)</script>": "<!-- & \u{2028}\u{2029}" });
        let text = embedded(&value);
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("still JSON"), value);
    }

    #[test]
    fn no_script_ends_its_own_element() {
        for script in LIBRARIES.into_iter().chain([THEME, FIGURES, PLAYER]) {
            let lower = script.to_ascii_lowercase();
            assert!(!lower.contains("</script") && !lower.contains("<!--"));
        }
    }
}
