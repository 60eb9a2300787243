//! A file that knows its own bytes: a checksum of the whole file inside its parquet footer.
//!
//! The footer's key-values stand in the file as they are, so a value of known length can be written as zeros first and
//! replaced by the hash of the file once that is known. Any flipped bit, also inside a page that would still
//! decode, is then found before a decoder sees it.

use std::ops::Range;

pub(crate) const CHECKSUM_KEY: &str = "taut.checksum";

/// 32 bytes of blake3 in hexadecimal digits.
const DIGITS: usize = 64;

const MAGIC: &[u8; 4] = b"PAR1";

/// The value to write first.
pub(crate) fn placeholder() -> (String, String) {
    (CHECKSUM_KEY.into(), "0".repeat(DIGITS))
}

/// Puts the hash of the file with its placeholder in the place of that; false if there is none.
#[must_use]
pub(crate) fn seal(bytes: &mut [u8]) -> bool {
    let Some(place) = place(bytes) else {
        return false;
    };
    let digest = digest(bytes, &place);
    bytes[place].copy_from_slice(digest.as_bytes());
    true
}

/// Whether a file is as it was sealed.
pub(crate) fn is_intact(bytes: &[u8]) -> bool {
    place(bytes).is_some_and(|place| bytes[place.clone()] == *digest(bytes, &place).as_bytes())
}

/// The hash over everything but the place of the hash, which counts as zeros.
fn digest(bytes: &[u8], place: &Range<usize>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..place.start]);
    hasher.update(&[b'0'; DIGITS]);
    hasher.update(&bytes[place.end..]);
    hasher.finalize().to_hex().to_string()
}

/// Where the value stands: behind its key, in the footer at the end of the file.
fn place(bytes: &[u8]) -> Option<Range<usize>> {
    // In Thrift's compact protocol: the next field is a text of 64 bytes.
    let before = [CHECKSUM_KEY.as_bytes(), &[0x18, DIGITS as u8]].concat();
    let body = bytes.len().checked_sub(8).filter(|_| bytes.ends_with(MAGIC))?;
    let length = u32::from_le_bytes(bytes[body..body + 4].try_into().ok()?) as usize;
    let footer = &bytes[body.checked_sub(length)?..body];
    let at = footer.windows(before.len()).rposition(|window| window == before)?;
    let start = body - length + at + before.len();
    (start + DIGITS <= body).then_some(start..start + DIGITS)
}
