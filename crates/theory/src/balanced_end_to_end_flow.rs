//! A balanced deep linear network as a flow of its end-to-end matrix.

use crate::factored_start::{factors, not_balanced, product};
use crate::predictor_flow::{follow, loss_gradient};
use crate::teacher_frame::{not_flow, together};
use crate::{Build, MatrixPremise, Prediction, TheoryDef};
use nalgebra::DMatrix;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "balanced_end_to_end_flow",
    doc: "N factors from a balanced start, any loss of the product: dW/dt = −Σⱼ (WWᵀ)^((j−1)/N) E (WᵀW)^((N−j)/N) with \
          E = ∂L/∂W; powers from the singular values of W, integrated with an error of 1e-13 per step. The path at finite \
          times",
    cite: "Arora, Cohen and Hazan 2018",
    assumes: "W_{l+1}ᵀW_{l+1} = W_lW_lᵀ at the start; gradient flow, or descent with a small step size",
    build: Build::Matrix(build),
};

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let factors = match factors(premise) {
        Ok(factors) => factors,
        Err(reason) => return Prediction::silent(reason),
    };
    let (depth, problem) = (factors.len(), premise.problem);
    let widths = factors.iter().flat_map(|factor| [factor.nrows(), factor.ncols()]);
    let rank = widths.min().unwrap_or(0);
    let path = follow(premise, &product(&factors), |w| velocity(depth, rank, w, &loss_gradient(problem, w)));
    let motion = not_flow(premise.dynamics, problem.reference_curvature(depth));
    Prediction { unmet: together([motion, not_balanced(&factors), path.unmet.clone()]), ..path }
}

/// −Σⱼ (WWᵀ)^((j−1)/N) E (WᵀW)^((N−j)/N), for W of at most this rank.
///
/// With W = U diag(σ) Vᵀ the first and last terms are E·V diag(σ^(2−2/N)) Vᵀ and its mirror image, and the others
/// U (K ∘ UᵀEV) Vᵀ. From σ and not from eigenvalues of WWᵀ, which are only known to εσ₁²: its root of order N is not
/// small. Rounding beyond the rank that the narrowest layer allows is set to zero.
fn velocity(depth: usize, rank: usize, w: &DMatrix<f64>, e: &DMatrix<f64>) -> DMatrix<f64> {
    if depth == 1 {
        return -e;
    }
    let view = faer::MatRef::from_column_major_slice(w.as_slice(), w.nrows(), w.ncols());
    let Ok(svd) = view.thin_svd() else {
        return DMatrix::from_element(w.nrows(), w.ncols(), f64::NAN);
    };
    let sigma: Vec<f64> = svd.S().column_vector().iter().take(rank).copied().collect();
    let u = DMatrix::from_fn(w.nrows(), sigma.len(), |i, j| svd.U()[(i, j)]);
    let v = DMatrix::from_fn(w.ncols(), sigma.len(), |i, j| svd.V()[(i, j)]);
    let n = depth as f64;
    let power = |a: usize, exponent: usize| sigma[a].powf(2.0 * exponent as f64 / n);
    let seen = u.tr_mul(e) * &v;
    let between = DMatrix::from_fn(sigma.len(), sigma.len(), |a, b| {
        seen[(a, b)] * (1..depth - 1).map(|j| power(a, j) * power(b, depth - 1 - j)).sum::<f64>()
    });
    let scaled = |x: &DMatrix<f64>| DMatrix::from_fn(x.nrows(), x.ncols(), |i, a| x[(i, a)] * power(a, depth - 1));
    let right = (e * scaled(&v)) * v.transpose();
    let left = scaled(&u) * u.tr_mul(e);
    -(right + left + u * between * v.transpose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, factor_flow, gaussian};
    use taut_problem::Observed;

    /// W_l = R_{l+1} diag(a) R_lᵀ with random frames.
    fn balanced(widths: &[usize], scalars: &[f64]) -> Vec<DMatrix<f64>> {
        let frame = |l: usize| gaussian(widths[l], scalars.len(), 60 + l as u64).qr().q();
        let diagonal = crate::matrix_cases::diagonal(scalars);
        (1..widths.len()).map(|l| frame(l) * &diagonal * frame(l - 1).transpose()).collect()
    }

    #[test]
    fn the_matrix_follows_the_factors_at_every_depth() {
        for (widths, scalars, allowed) in [
            (&[4, 3][..], &[0.5, 0.3, 0.2][..], 1e-10),
            (&[4, 3, 3], &[0.5, 0.3, 0.2], 1e-10),
            (&[4, 5, 3, 3], &[0.6, 0.4, 0.3], 1e-10),
            (&[4, 3, 3, 4, 3], &[0.7, 0.5, 0.4], 1e-10),
            // Full width from a start of rank two: the third singular value is rounding, and so is its root.
            (&[4, 2, 3], &[0.6, 0.4], 1e-10),
        ] {
            let layers = balanced(widths, scalars);
            let mut case = MatrixCase::deep(gaussian(3, 4, 50), &layers);
            let design = gaussian(4, 9, 51);
            let Observed::Moments(moments) = &mut case.problem.observed else { unreachable!("made of moments") };
            moments.sxx = Some(&design * design.transpose() / 9.0);
            let times = [0.0, 0.3, 1.0, 3.0];
            let prediction = case.under_flow(&THEORY, &times);
            assert_eq!(prediction.unmet, None);
            let exact = factor_flow(&case, &layers, &times);
            for ((_, w), exact) in prediction.path.iter().zip(&exact) {
                let gap = (DMatrix::from_column_slice(3, 4, w) - exact).norm();
                assert!(gap < allowed, "{widths:?}: {gap}");
            }
        }
    }

    #[test]
    fn unbalanced_starts_are_named() {
        let case = MatrixCase::deep(gaussian(2, 3, 1), &[gaussian(2, 3, 2), gaussian(2, 2, 3)]);
        assert!(case.under_flow(&THEORY, &[0.1]).unmet.unwrap().contains("not balanced"));
    }
}
