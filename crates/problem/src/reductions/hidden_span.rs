//! One hidden layer becomes what its two factors span.

use super::network::{Bases, Network, span};
use crate::Entry;

pub(super) const ENTRY: Entry = Entry {
    name: "hidden-span",
    doc: "two factors: the hidden layer to rank [W₁, W₂ᵀ], at most inputs + outputs; any loss of the product",
    cite: "",
};

/// The span of W₁ and W₂ᵀ. Requires two factors.
///
/// Product, Gram matrices W₁ᵀW₁ and W₂W₂ᵀ, singular values of the factors, the non-zero spectrum of the balancedness
/// gap and the tangent kernel survive on the small network itself. The Hessian has the small one's spectrum, and for each
/// hidden unit less the singular values ±σ(∂L/∂W) with zeros beside: λ_max = max(λ_max of the small one, ‖∂L/∂W‖₂).
pub(super) fn bases(network: &Network) -> Option<Bases> {
    let [first, second] = &network.factors[..] else { return None };
    let hidden = span(&[first, &second.transpose()])?;
    Some(vec![None, Some(hidden), None])
}
