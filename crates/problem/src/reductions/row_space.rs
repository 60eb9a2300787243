//! Inputs become the row space of the data.

use super::network::{Bases, Network};
use crate::Entry;
use taut_numerics::ThinSvd;

pub(super) const ENTRY: Entry = Entry {
    name: "row-space",
    doc: "inputs to rank X: W₁ moves within the span of the samples only, and the rest of it is frozen but for weight \
          decay; any depth, samples drawn in batches included",
    cite: "Advani and Saxe 2017",
};

/// The left singular vectors of X, or of Sxx where there are no samples. Requires moments that are not whitened.
///
/// On the small network itself losses, gradients, the Hessian's non-zero spectrum and all layers above the first
/// survive; singular values and norms of W and W₁, test errors and the first balancedness gap need the frozen part.
pub(super) fn bases(network: &Network) -> Option<Bases> {
    let moments = network.moments()?;
    let sxx = moments.sxx.as_ref()?;
    let inputs = moments.samples.as_ref().map_or(sxx, |samples| &samples.x);
    let svd = ThinSvd::new(inputs.as_view());
    let mut bases = vec![None; network.depth() + 1];
    bases[0] = (svd.rank() > 0 && svd.rank() < network.problem.inputs).then_some(svd.u);
    bases[0].is_some().then_some(bases)
}
