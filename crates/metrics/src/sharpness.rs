//! How curved the loss is where the parameters are.

use crate::{MetricDef, Needs, Probe};
use taut_numerics::product_into;

/// The largest eigenvalue of ∇²L(θ).
pub(crate) static SHARPNESS: MetricDef = MetricDef {
    name: "sharpness",
    unit: "y²/θ²",
    doc: "largest eigenvalue of the Hessian of L at θ: by the change of the gradient along the design's leading right \
          singular vector for models linear in θ, which have one Hessian ΦᵀΦ/n, so that every solution is equally \
          sharp; by Lanczos on products with the Hessian of L∘β for others, to a relative 1e-8",
    cite: "",
    needs: Needs { coefficients: true, geometry: true, parameters: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: sharpness,
    of_matrix: Some(crate::matrix::sharpness),
};

/// v·(∇L(θ + v) − ∇L(θ)) = Φv·(Φ(θ + v) − Φθ)/n for the leading unit vector v: exact for a quadratic, and
/// both gradients are evaluated where θ is, so a loss with several Hessians would show.
fn sharpness(probe: &Probe<'_>, out: &mut [f64]) {
    let (theta, v) = (probe.theta(), probe.setting().leading_direction());
    let problem = probe.setting().problem();
    let (n, p) = (problem.samples(), v.len());
    if p == 0 {
        // A design without directions has no curvature.
        return out.fill(0.0);
    }
    // Φᵀ by rows, filled up with zeros to whole vectors.
    let width = n.next_multiple_of(16);
    let mut table = vec![0.0; p * width];
    for (row, column) in table.chunks_exact_mut(width).zip(problem.design.column_iter()) {
        row.iter_mut().zip(&column).for_each(|(to, from)| *to = *from);
    }
    let values = |parameters: &[f64]| {
        let mut values = vec![0.0; parameters.len() / p * width];
        product_into(parameters, &table, &mut values, p, width);
        values
    };
    let mut ahead = theta.to_vec();
    for row in ahead.chunks_exact_mut(p) {
        row.iter_mut().zip(&v).for_each(|(t, v)| *t += v);
    }
    let (here, there, along) = (values(theta), values(&ahead), values(&v));
    for ((here, there), out) in here.chunks_exact(width).zip(there.chunks_exact(width)).zip(out) {
        let mut parts = [0.0; 8];
        for ((here, there), along) in here.chunks_exact(8).zip(there.chunks_exact(8)).zip(along.chunks_exact(8)) {
            for (((part, here), there), along) in parts.iter_mut().zip(here).zip(there).zip(along) {
                *part += along * (there - here);
            }
        }
        *out = parts.iter().sum::<f64>() / n as f64;
    }
}
