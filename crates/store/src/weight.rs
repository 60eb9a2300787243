//! How many bytes rows would take on disk. Writes nothing.

use crate::encoding::encode;
use crate::provenance::Provenance;
use crate::rows::Rows;

impl Rows {
    /// The size of a part with these rows, as it would be written; `None` for rows that cannot be written.
    pub fn bytes_on_disk(&self, provenance: &Provenance) -> Option<usize> {
        if self.uneven_column().is_some() {
            return None;
        }
        encode(&self.into(), provenance.keys(&self.schema().columns), std::io::sink()).ok().map(|bytes| bytes as usize)
    }
}
