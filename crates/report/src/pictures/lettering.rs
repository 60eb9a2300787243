//! The letters of pictures: how wide a line of text is, and the faces that draw it.
//!
//! Pictures name Helvetica, Arial, Arimo and Liberation Sans, whose letters are equally wide. Arimo is linked in, so a
//! picture is laid out alike on every machine, whatever is installed there.

use ttf_parser::{Face as Letters, GlyphId};

/// The families that an SVG names, best known first.
pub(super) const FAMILY: &str = "Helvetica, Arial, Arimo, 'Liberation Sans', sans-serif";

pub(super) const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Arimo-Regular.ttf");
pub(super) const BOLD: &[u8] = include_bytes!("../../assets/fonts/Arimo-Bold.ttf");

/// Parts of the font size that a letter takes which the face does not have.
const UNKNOWN_LETTER: f64 = 0.6;

/// A face that can be measured.
pub(super) struct Face {
    letters: Letters<'static>,
}

impl Face {
    pub(super) fn regular() -> Self {
        Self::of(REGULAR)
    }

    pub(super) fn bold() -> Self {
        Self::of(BOLD)
    }

    fn of(bytes: &'static [u8]) -> Self {
        Self { letters: Letters::parse(bytes, 0).expect("the faces that are linked in are whole") }
    }

    /// Width of a line of text, in parts of the font size: the sum of its letters' advances.
    pub(super) fn width(&self, text: &str) -> f64 {
        let em = f64::from(self.letters.units_per_em());
        let advance = |glyph: GlyphId| Some(f64::from(self.letters.glyph_hor_advance(glyph)?) / em);
        let width = |letter: char| self.letters.glyph_index(letter).and_then(advance).unwrap_or(UNKNOWN_LETTER);
        text.chars().map(width).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_wide_as_helveticas() {
        // Adobe's font metrics give, in thousandths: H 722, e 556, l 222, v 500, t 278, i 222, c 500, a 556.
        let helvetica = 0.722 + 0.556 + 0.222 + 0.500 + 0.556 + 0.278 + 0.222 + 0.500 + 0.556;
        let width = Face::regular().width("Helvetica");
        assert!((width - helvetica).abs() < 0.01, "{width}");
        assert!(Face::bold().width("Helvetica") > width);
    }

    #[test]
    fn letters_of_formulas_have_widths() {
        let face = Face::regular();
        for letter in "ηβλθμΣ²½∫√″‖·×−≤≥≈∞₁ᵀ⁰⁹⁻".chars() {
            assert!(face.letters.glyph_index(letter).is_some(), "{letter}");
        }
        assert!(face.width("").abs() < f64::MIN_POSITIVE);
    }
}
