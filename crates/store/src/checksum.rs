//! A file that knows its own bytes: a checksum of the whole file inside its parquet footer.
//!
//! The footer's key-values stand in the file as they are, so a value of known length can be written as zeros first and
//! replaced by the hash of the file once that is known. Any flipped bit, also inside a page that would still
//! decode, is then found before a decoder sees it.

use std::cell::Cell;
use std::io::{self, Write};
use std::ops::Range;

pub(crate) const CHECKSUM_KEY: &str = "taut.checksum";

/// 32 bytes of blake3 in hexadecimal digits.
const DIGITS: usize = 64;

const MAGIC: &[u8; 4] = b"PAR1";

/// The value to write first.
pub(crate) fn placeholder() -> (String, String) {
    (CHECKSUM_KEY.into(), "0".repeat(DIGITS))
}

/// Bytes that come in small pieces go on together.
const TOGETHER: usize = 1 << 16;

/// A file that is hashed on its way out, while its pages are still in the cache; its end is kept until the hash is known.
pub(crate) struct Sealed<'a, W> {
    out: W,
    hasher: blake3::Hasher,
    /// What has not gone out.
    pending: Vec<u8>,
    written: u64,
    /// Whether what comes now is the end of the file.
    is_end: &'a Cell<bool>,
    failure: Option<io::Error>,
}

impl<'a, W: Write> Sealed<'a, W> {
    pub(crate) fn new(out: W, is_end: &'a Cell<bool>) -> Self {
        let pending = Vec::with_capacity(2 * TOGETHER);
        Self { out, hasher: blake3::Hasher::new(), pending, written: 0, is_end, failure: None }
    }

    /// What kept the bytes from going out, if something did.
    pub(crate) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Puts the hash of the file with its placeholder in the place of that, and ends it; returns its size, `None` if there is no
    /// placeholder.
    pub(crate) fn seal(mut self) -> io::Result<Option<u64>> {
        let Some(place) = place(&self.pending) else {
            return Ok(None);
        };
        let digest = digest(self.hasher, &self.pending, &place);
        self.pending[place].copy_from_slice(digest.as_bytes());
        self.out.write_all(&self.pending)?;
        Ok(Some(self.written + self.pending.len() as u64))
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|reason| {
            let kind = reason.kind();
            self.failure = Some(reason);
            kind.into()
        })
    }
}

impl<W: Write> Write for Sealed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_end.get() && self.pending.len() + bytes.len() > TOGETHER {
            let mut pending = std::mem::take(&mut self.pending);
            self.pass(&pending)?;
            pending.clear();
            self.pending = pending;
            if bytes.len() > TOGETHER {
                self.pass(bytes)?;
                return Ok(bytes.len());
            }
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a file is as it was sealed.
pub(crate) fn is_intact(bytes: &[u8]) -> bool {
    let digest = |place: &Range<usize>| digest(blake3::Hasher::new(), bytes, place);
    place(bytes).is_some_and(|place| bytes[place.clone()] == *digest(&place).as_bytes())
}

/// The hash over what was hashed before and the end of the file, but for the place of the hash, which counts as zeros.
fn digest(mut hasher: blake3::Hasher, bytes: &[u8], place: &Range<usize>) -> String {
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
