//! Outputs become what data and last factor span, and whitened inputs what data and first factor span.

use super::network::{Bases, Network, span};
use crate::Entry;

pub(super) const ENTRY: Entry = Entry {
    name: "low-rank-teacher",
    doc: "outputs to rank [Y, W_N], or [Syx, W_N] without samples; whitened inputs to rank [Syxᵀ, W₁ᵀ]; any depth, full \
          batch",
    cite: "",
};

/// Bases of both ends. Requires moments and a full batch.
///
/// Everything survives but means over outputs: what lies outside is exactly zero at all times. Data alone would not
/// do: rows of W_N outside of them decay, and are not frozen.
pub(super) fn bases(network: &Network) -> Option<Bases> {
    let moments = network.moments().filter(|_| network.rows.is_none())?;
    let (first, last) = (network.factors.first()?, network.factors.last()?);
    let values = moments.samples.as_ref().map_or(&moments.syx, |samples| &samples.y);
    let mut bases = vec![None; network.depth() + 1];
    bases[network.depth()] = span(&[values, last]);
    if moments.sxx.is_none() {
        bases[0] = span(&[&moments.syx.transpose(), &first.transpose()]);
    }
    bases.iter().any(Option::is_some).then_some(bases)
}
