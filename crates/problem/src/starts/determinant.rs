//! The sign of a start's determinant, which balanced motions keep.

use crate::{ParametrizationKind, Tensor};
use taut_numerics::DMatrix;

/// Why there is no sign to choose; `sizes` are d₀, …, d_N.
pub(super) fn complaint(kind: &ParametrizationKind, sizes: &[usize]) -> Option<String> {
    let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
    let narrowest = *sizes.iter().min().expect("a network has layers");
    if !matches!(kind, ParametrizationKind::Direct | ParametrizationKind::DeepLinear(_)) {
        Some(format!(
            "the sign of a determinant is chosen in `direct` and `deep-linear` models, not in `{}`",
            kind.name()
        ))
    } else if inputs != outputs {
        Some(format!("a predictor of {outputs} rows and {inputs} columns has no determinant: it must be square"))
    } else if narrowest < inputs {
        Some(format!("through a width of {narrowest}, the {inputs}×{inputs} product has determinant 0"))
    } else {
        None
    }
}

/// Whether det A < 0, by the signs of the pivots: no underflow.
pub(super) fn is_negative(matrix: &DMatrix<f64>) -> bool {
    let lu = matrix.clone().lu();
    let negative = lu.u().diagonal().iter().filter(|pivot| **pivot < 0.0).count();
    (negative % 2 == 1) != (lu.p().determinant::<f64>() < 0.0)
}

/// Turns the sign of the first row of the last tensor if det W < 0.
pub(super) fn make_positive(theta: &mut [f64], kind: &ParametrizationKind, tensors: &[Tensor], size: usize) {
    let product = DMatrix::from_vec(size, size, kind.predictor(theta, size, size));
    if is_negative(&product) {
        let last = tensors.last().expect("a parametrization has tensors");
        let begin = theta.len() - last.len();
        theta[begin..].iter_mut().step_by(last.rows).for_each(|entry| *entry = -*entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use taut_numerics::{normal, stream};

    #[test]
    fn the_sign_is_that_of_the_determinant() {
        let mut draws = stream(1, "matrices", 0);
        for size in [1, 2, 3, 5] {
            for _ in 0..20 {
                let matrix = DMatrix::from_fn(size, size, |_, _| normal(&mut draws));
                assert_eq!(is_negative(&matrix), matrix.determinant() < 0.0);
            }
        }
    }
}
