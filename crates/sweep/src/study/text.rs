//! A study written back as TOML, when it is no longer the text that was read.

use super::tree::{Node, Table, Value, key_text};

/// The study as TOML: one `[table]` per section, everything below inline, axes in their order.
pub(crate) fn study_text(root: &Table, sweep: &[(String, &Node)], opening: &str) -> String {
    let mut text = opening.to_owned();
    let is_section = |node: &Node| match &node.value {
        Value::Table(_) => true,
        Value::List(items) => items.first().is_some_and(|item| item.as_table().is_some()),
        _ => false,
    };
    for entry in root.entries.iter().filter(|entry| !is_section(&entry.node)) {
        text.push_str(&format!("{} = {}\n", key_text(&entry.key), entry.node.to_toml()));
    }
    for entry in &root.entries {
        match &entry.node.value {
            Value::Table(table) => section(&format!("[{}]", key_text(&entry.key)), table, &mut text),
            Value::List(items) if is_section(&entry.node) => {
                for table in items.iter().filter_map(Node::as_table) {
                    section(&format!("[[{}]]", key_text(&entry.key)), table, &mut text);
                }
            }
            _ => {}
        }
    }
    if !sweep.is_empty() {
        text.push_str("\n[sweep]\n");
        for (key, node) in sweep {
            text.push_str(&format!("{} = {}\n", key_text(key), node.to_toml()));
        }
    }
    text
}

fn section(header: &str, table: &Table, text: &mut String) {
    text.push_str(&format!("\n{header}\n"));
    for entry in &table.entries {
        text.push_str(&format!("{} = {}\n", key_text(&entry.key), entry.node.to_toml()));
    }
}
