//! Mistakes with their place, rendered as the source line with carets, what was seen, what is allowed
//! and one thing to try.

use super::tree::Place;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;

/// One of the texts that a study was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's path, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Severity {
    /// The study cannot run.
    #[default]
    Error,
    /// It can, and the user should know.
    Warning,
}

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, with the value seen and the values allowed.
    pub title: String,
    /// Where it is.
    pub place: Place,
    /// A word under the carets, usually the key's path.
    pub label: String,
    /// What else is good to know.
    pub notes: Vec<String>,
    /// What to try.
    pub helps: Vec<String>,
}

impl Diagnostic {
    pub(crate) fn new(place: Place, title: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            title: title.into(),
            place,
            label: String::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        let help = help.into();
        if !help.is_empty() {
            self.helps.push(help);
        }
        self
    }
}

/// All mistakes of a study, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    sources: Vec<Source>,
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Puts the mistakes in the order of the file and keeps one of each kind at each place.
    pub(crate) fn new(sources: Vec<Source>, mut items: Vec<Diagnostic>) -> Self {
        items.sort_by_key(|item| item.place);
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(items.len());
        for item in items {
            let seen = |other: &Diagnostic| {
                other.place == item.place
                    && (other.title == item.title || !item.label.is_empty() && other.label == item.label)
            };
            if !kept.iter().rev().take_while(|other| other.place == item.place).any(seen) {
                kept.push(item);
            }
        }
        Self { sources, items: kept }
    }

    /// The mistakes.
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// File, line and column of a mistake, the last two counted from 1, columns in characters.
    pub fn position(&self, item: &Diagnostic) -> (&str, usize, usize) {
        let source = &self.sources[item.place.source];
        let before = &source.text[..item.place.start.min(source.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (&source.name, line, column)
    }

    /// The mistakes as text; with `color`, in ANSI colours.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let parts: Vec<String> = self.items.iter().map(|item| self.render_one(&renderer, item)).collect();
        parts.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, item: &Diagnostic) -> String {
        let source = &self.sources[item.place.source];
        let level = match item.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(item.title.as_str()));
        let annotation = AnnotationKind::Primary.span(first_line(&source.text, item.place));
        let annotation = if item.label.is_empty() { annotation } else { annotation.label(item.label.as_str()) };
        group = group.element(Snippet::source(source.text.as_str()).path(source.name.as_str()).annotation(annotation));
        for note in &item.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        for help in &item.helps {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// The part of a place on its first line: carets over many lines hide more than they show.
fn first_line(text: &str, place: Place) -> std::ops::Range<usize> {
    let start = place.start.min(text.len());
    let end = place.end.clamp(start, text.len());
    let end = text[start..end].find('\n').map_or(end, |length| start + length);
    start..end
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}
