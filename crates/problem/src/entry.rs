//! What a listed thing says of itself.

/// One line of a static table: what `taut list` prints and the docs quote.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name as a study writes it.
    pub name: &'static str,
    /// One sentence, with the formula.
    pub doc: &'static str,
    /// Where it comes from; empty for textbook material.
    pub cite: &'static str,
}
