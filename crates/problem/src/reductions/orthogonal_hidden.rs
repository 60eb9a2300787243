//! Hidden layers between multiples of orthogonal matrices become what the two outer factors span.

use super::network::{Bases, Network, span};
use crate::Entry;
use taut_numerics::DMatrix;

pub(super) const ENTRY: Entry = Entry {
    name: "orthogonal-hidden",
    doc: "three factors or more, all hidden ones cₗ·Qₗ with an orthogonal Qₗ (the identity, say): every hidden layer \
          to rank [W₁, Q₂ᵀ⋯Q_{N−1}ᵀW_Nᵀ], at most inputs + outputs; any loss of the product",
    cite: "",
};

/// O₁ = span[W₁, Q₂ᵀ⋯Q_{N−1}ᵀW_Nᵀ] and Oₗ = QₗOₗ₋₁. Requires square hidden factors, each cₗ·Qₗ at the start.
///
/// Survives: as for one hidden layer; the complement of a hidden factor stays at its start, but for weight decay.
/// Gaussian hidden factors have no such reduction: the same closure then fills the whole layer.
pub(super) fn bases(network: &Network) -> Option<Bases> {
    let [first, hidden @ .., last] = &network.factors[..] else { return None };
    if hidden.is_empty() {
        return None;
    }
    let rotations: Vec<DMatrix<f64>> = hidden.iter().map(rotation).collect::<Option<_>>()?;
    let back = rotations.iter().rev().fold(last.transpose(), |back, rotation| rotation.tr_mul(&back));
    let mut basis = span(&[first, &back])?;
    let mut bases = vec![None, Some(basis.clone())];
    for rotation in &rotations {
        basis = rotation * basis;
        bases.push(Some(basis.clone()));
    }
    bases.push(None);
    Some(bases)
}

/// Q of a matrix c·Q with an orthogonal Q; the identity for zero.
fn rotation(factor: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let n = factor.nrows();
    if factor.ncols() != n {
        return None;
    }
    let scale = factor.norm() / (n as f64).sqrt();
    if scale <= 0.0 {
        return Some(DMatrix::identity(n, n));
    }
    let unit = factor / scale;
    let off = (unit.tr_mul(&unit) - DMatrix::identity(n, n)).amax();
    // What a QR decomposition and a sum over n leave.
    (off <= 16.0 * n as f64 * f64::EPSILON).then_some(unit)
}
