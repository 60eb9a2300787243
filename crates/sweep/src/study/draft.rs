//! A study parsed and changed as asked, not yet looked at.

use super::diagnostics::{Diagnostic, Diagnostics, Source};
use super::overrides::{Override, take_apart};
use super::quick;
use super::raw_axes::{RawAxis, raw_axes};
use super::text::study_text;
use super::tree::{Entry, Node, Place, Table, Value, parse};
use std::path::Path;
use std::sync::Arc;

/// Which version of a study is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// Whether the small version: what `[quick]` says is set first.
    pub quick: bool,
    /// `--set` overrides, `path=value` each.
    pub set: &'a [String],
}

impl Changes<'_> {
    /// Whether the study is meant as it is written.
    pub fn is_none(&self) -> bool {
        !self.quick && self.set.is_empty()
    }
}

/// A study parsed and changed, not yet looked at.
pub(crate) struct Draft {
    pub(crate) sources: Vec<Source>,
    pub(crate) root: Node,
    pub(crate) raw: Vec<RawAxis>,
    /// What `[quick]` says.
    pub(crate) quick: Vec<Override>,
    /// What was changed.
    pub(crate) overrides: Vec<Override>,
    pub(crate) mistakes: Vec<Diagnostic>,
}

impl Draft {
    /// # Errors
    /// If the text is no TOML.
    pub(crate) fn new(text: &str, path: &Path, changes: &Changes<'_>) -> Result<Self, Diagnostics> {
        let mut sources = vec![Source { name: path.display().to_string(), text: text.to_owned() }];
        sources.extend(changes.set.iter().map(|text| Source { name: "--set".to_owned(), text: text.clone() }));
        let root = parse(text, 0).map_err(|error| {
            let item = Diagnostic::new(error.place, format!("not TOML: {}", error.message)).label("here");
            Diagnostics::new(sources.clone(), vec![item])
        })?;
        let none = Vec::new;
        let mut draft = Self { sources, root, raw: Vec::new(), quick: none(), overrides: none(), mistakes: Vec::new() };
        draft.take_sweep();
        draft.take_quick();
        if changes.quick {
            quick::settle_claims(&mut draft.root);
            draft.overrides = draft.quick.clone();
        }
        for (i, text) in changes.set.iter().enumerate() {
            match take_apart(text, i + 1) {
                Ok(set) => draft.overrides.push(set),
                Err(mistake) => draft.mistakes.push(*mistake),
            }
        }
        for change in draft.overrides.clone() {
            change.apply(&mut draft.root, &mut draft.raw);
        }
        Ok(draft)
    }

    fn take_sweep(&mut self) {
        let Some(sweep) = self.root.take_key("sweep") else {
            return;
        };
        match sweep.as_table() {
            Some(table) => self.raw = raw_axes(table),
            None => {
                let title = format!("expected a table of axes, found {}", sweep.found());
                let help = "write `[sweep]` and below it `\"model.features.polynomial.degree\" = [10, 20]`";
                self.mistakes.push(Diagnostic::new(sweep.place, title).label("sweep").help(help));
            }
        }
    }

    fn take_quick(&mut self) {
        let Some(quick) = self.root.take_key("quick") else {
            return;
        };
        match quick::read(&quick) {
            Ok(changes) => self.quick = changes,
            Err(mistakes) => self.mistakes.extend(mistakes),
        }
    }

    /// `[sweep]` as a table of dotted keys.
    pub(crate) fn sweep_table(&self) -> Node {
        let entries = self.raw.iter().map(|axis| Entry {
            key: Arc::from(axis.path.join(".")),
            key_place: axis.key_place,
            node: axis.node.clone(),
        });
        Node { value: Value::Table(Table { entries: entries.collect() }), place: self.root.place }
    }

    /// The text of the study as it was changed.
    pub(crate) fn rewritten(&self, changes: &Changes<'_>) -> String {
        let sets = changes.set.iter().map(|set| format!("# --set {}\n", set.replace('\n', " ")));
        let opening: String = changes.quick.then(|| "# --quick\n".to_owned()).into_iter().chain(sets).collect();
        let sweep: Vec<(String, &Node)> = self.raw.iter().map(|axis| (axis.path.join("."), &axis.node)).collect();
        self.root.as_table().map(|root| study_text(root, &sweep, &opening)).unwrap_or_default()
    }
}

/// Where something of a text begins and ends, as far as a place lies in it.
pub(crate) fn lies_in(place: Place, around: Place) -> bool {
    place.source == around.source && around.start <= place.start && place.end <= around.end
}
