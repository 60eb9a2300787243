//! A study's column names in the two languages of Vega-Lite, paths of fields and expressions.

/// A column as a field: without escapes, `risk.mean` would be the property `mean` of a column `risk`.
pub(super) fn field(column: &str) -> String {
    let mut out = String::with_capacity(column.len());
    for letter in column.chars() {
        if matches!(letter, '\\' | '.' | '[' | ']' | '\'' | '"') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// The value of a column in a row, in an expression.
pub(super) fn value_of(column: &str) -> String {
    format!("datum[{}]", text(column))
}

/// A text in an expression.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(field("test_error"), "test_error");
        assert_eq!(field("a.b[0]"), r"a\.b\[0\]");
        assert_eq!(field(r#"it's "\"#), r#"it\'s \"\\"#);
    }

    #[test]
    fn a_name_is_a_text_in_expressions() {
        assert_eq!(value_of(r#"a"b"#), r#"datum["a\"b"]"#);
    }
}
