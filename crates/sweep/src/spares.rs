//! Sheets whose rows are written, for the next cells: each has memory for hundreds of columns, and another thread gives it
//! back than the one that asked for it, which costs an allocator more than anything else that it does in a sweep.

use crate::tables::{Schemas, Sheets};
use std::sync::{Mutex, PoisonError};

/// At most about this many bytes are kept: what a part holds.
const MOST: usize = 64_000_000;

/// Empty sheets of one plan.
#[derive(Default)]
pub(crate) struct Spares {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Each with the bytes that it has room for.
    sheets: Vec<(Sheets, usize)>,
    bytes: usize,
}

impl Spares {
    /// Sheets without rows: some that were put back, or new ones.
    pub(crate) fn take(&self, schemas: &Schemas) -> Sheets {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((sheets, bytes)) = kept.sheets.pop() else {
            drop(kept);
            return Sheets::new(schemas);
        };
        kept.bytes -= bytes;
        sheets
    }

    /// Takes sheets back whose rows nobody needs any more.
    pub(crate) fn put(&self, mut sheets: Sheets) {
        let bytes = sheets.clear();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + bytes <= MOST {
            kept.bytes += bytes;
            kept.sheets.push((sheets, bytes));
        }
    }
}
