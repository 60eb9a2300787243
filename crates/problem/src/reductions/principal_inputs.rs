//! Inputs are turned to their principal axes.

use super::network::{Bases, Network};
use crate::Entry;
use taut_numerics::ThinSvd;

pub(super) const ENTRY: Entry = Entry {
    name: "principal-inputs",
    doc: "inputs to the principal axes of Sxx, which becomes diagonal: one product of 3N − 2 is saved; full batch",
    cite: "",
};

/// The eigenvectors of Sxx, found from X where there are samples. Requires moments of full rank.
///
/// Descent is the same in every orthonormal basis of the inputs. Nothing is left out, so everything survives but what
/// depends on the basis: single entries of W and W₁.
pub(super) fn bases(network: &Network) -> Option<Bases> {
    let moments = network.moments().filter(|moments| network.rows.is_none() && !moments.has_uncorrelated_inputs())?;
    let inputs = moments.samples.as_ref().map_or(moments.sxx.as_ref()?, |samples| &samples.x);
    let svd = ThinSvd::new(inputs.as_view());
    let mut bases = vec![None; network.depth() + 1];
    bases[0] = (svd.rank() == network.problem.inputs).then_some(svd.u);
    bases[0].is_some().then_some(bases)
}
