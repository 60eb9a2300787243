//! Where descent and flow end: the solution nearest the start.

use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::linalg::ColPivQR;
use nalgebra::{DMatrix, DVector};
use taut_problem::Clock;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "min_norm_limit",
    doc: "the limit t = ∞: θ₀ + Φ⁺(y − Φθ₀), the interpolant (or least-squares fit) nearest the start; from zero, \
          the one of least norm. A row of `trajectory` at time +∞",
    cite: "Engl, Hanke and Neubauer 1996",
    assumes: "least squares; gradient flow, or descent with a constant step size below 2/λ_max",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let problem = premise.problem;
    let start = DVector::from_column_slice(premise.start);
    let y = DVector::from_column_slice(&problem.y);
    let limit = &start + nearest(&problem.design, &(&y - &problem.design * &start));
    let residual = &y - &problem.design * &limit;
    Prediction {
        unmet: premise.not_plain(),
        numbers: vec![
            Number::of_cell("limit_parameter_norm", limit.norm()),
            Number::of_cell("limit_residual_rms", residual.norm() / (problem.samples() as f64).sqrt()),
        ],
        path: vec![(Clock::Limit, limit.as_slice().to_vec())],
        ..Prediction::default()
    }
}

/// Φ⁺r by a complete orthogonal decomposition: pivoted QR of Φᵀ, then QR of what is left if the rank
/// is deficient. No singular values involved.
pub(crate) fn nearest(phi: &DMatrix<f64>, r: &DVector<f64>) -> DVector<f64> {
    let (n, p) = phi.shape();
    // Φᵀ P = Q R with R k×n, k = min(n, p); the columns of P order the points.
    let qr = ColPivQR::new(phi.transpose());
    let (q, factor) = (qr.q(), qr.r());
    let mut points = r.clone();
    // P permutes the columns of Φᵀ, which are the rows of r.
    qr.p().permute_rows(&mut points);
    let pivot = |i: usize| factor[(i, i)].abs();
    let tolerance = n.max(p) as f64 * f64::EPSILON * pivot(0);
    let rank = (0..n.min(p)).take_while(|&i| pivot(i) > tolerance).count();
    if rank == 0 {
        return DVector::zeros(p);
    }
    // The leading rows T = R[..rank, ..] (rank × n) have full row rank: Φ = P Tᵀ Qᵀ, and
    // θ = Q w with the least-squares w of Tᵀ w = Pᵀ r. Full rank and n ≤ p: a triangular solve.
    let t = factor.rows(0, rank);
    let w = if rank == n {
        t.columns(0, n).transpose().solve_lower_triangular(&points).expect("a diagonal above the tolerance")
    } else {
        let tall = t.transpose().qr();
        tall.r().solve_upper_triangular(&tall.q().tr_mul(&points)).expect("full column rank")
    };
    q.columns(0, rank) * w
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_pseudo_inverse_for_every_shape_and_rank() {
        for (n, p, repeat) in [(4, 9, false), (9, 4, false), (5, 5, false), (5, 9, true), (9, 5, true)] {
            let phi = DMatrix::from_fn(n, p, |i, j| {
                let i = if repeat && i == n - 1 { 0 } else { i };
                ((i * 3 + j * 5) as f64 * 0.7).sin() + f64::from(i == j)
            });
            let r = DVector::from_fn(n, |i, _| (i as f64 - 1.5).cos());
            let exact = phi.clone().pseudo_inverse(1e-10).unwrap() * &r;
            assert!((nearest(&phi, &r) - exact).norm() < 1e-10, "{n} {p} {repeat}");
        }
    }
}
