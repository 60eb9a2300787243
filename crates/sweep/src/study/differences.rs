//! What differs between two studies, key by key.

use super::tree::{Node, Value, key_text, parse};

/// Keys that no row depends on: they may change freely.
const FREE: [&str; 6] = ["budget", "claim", "figure", "question", "quick", "title"];

/// One line per dotted key that was changed, added or removed, of those that rows depend on; formatting and comments do
/// not count.
pub fn diff_studies(old: &str, new: &str) -> Vec<String> {
    let (Ok(old), Ok(new)) = (parse(old, 0), parse(new, 0)) else {
        return if old == new {
            Vec::new()
        } else {
            vec!["the text differs, and one of the two is not TOML".to_owned()]
        };
    };
    let (old, new) = (leaves(&old), leaves(&new));
    let find = |list: &[(String, String)], key: &str| list.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let mut lines = Vec::new();
    for (key, value) in &new {
        match find(&old, key) {
            Some(before) if before == *value => {}
            Some(before) => lines.push(format!("changed {key}: {before} → {value}")),
            None => lines.push(format!("added {key}: {value}")),
        }
    }
    for (key, value) in &old {
        if find(&new, key).is_none() {
            lines.push(format!("removed {key}: {value}"));
        }
    }
    if lines.is_empty() {
        let axes = |list: &[(String, String)]| -> Vec<String> {
            list.iter().map(|(key, _)| key.clone()).filter(|key| key.starts_with("sweep.")).collect()
        };
        let (before, after) = (axes(&old), axes(&new));
        if before != after {
            lines.push(format!("changed the order of the axes: {} → {}", before.join(", "), after.join(", ")));
        }
    }
    lines
}

fn leaves(root: &Node) -> Vec<(String, String)> {
    let mut out = Vec::new();
    collect(root, &mut String::new(), &mut out);
    out.retain(|(key, _)| !FREE.contains(&key.split(['.', '[']).next().unwrap_or_default()));
    out
}

fn collect(node: &Node, path: &mut String, out: &mut Vec<(String, String)>) {
    let length = path.len();
    match &node.value {
        Value::Table(table) if !table.entries.is_empty() => {
            for entry in &table.entries {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&key_text(&entry.key));
                collect(&entry.node, path, out);
                path.truncate(length);
            }
        }
        Value::List(items) if items.iter().any(|item| item.as_table().is_some()) => {
            for (i, item) in items.iter().enumerate() {
                path.push_str(&format!("[{i}]"));
                collect(item, path, out);
                path.truncate(length);
            }
        }
        _ => out.push((path.clone(), node.as_number().map_or_else(|| node.to_toml(), |x| x.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_meaning_counts() {
        let old = "title = 'a'\n[train]\nuntil = { steps = 100 }\n[sweep]\nseed = { count = 3 }\n";
        let new = "# a comment\ntitle = \"a\"\ntrain.until.steps = 1e3\nquestion = 'why?'\n";
        assert_eq!(
            diff_studies(old, new),
            ["changed train.until.steps: 100 → 1000", "removed sweep.seed.count: 3"],
            "a question changes no row"
        );
        assert!(diff_studies(old, old).is_empty());
    }
}
