//! How curved the loss is where the parameters are.

use crate::lanes::{add, mul, of_row, sub};
use crate::{MetricDef, Needs, Probe};

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
    let (n, p, rows) = (probe.setting().problem().samples(), v.len(), out.len());
    if p == 0 {
        // A design without directions has no curvature.
        return out.fill(0.0);
    }
    let mut ahead = theta.to_vec();
    for row in ahead.chunks_exact_mut(p) {
        row.iter_mut().zip(&v).for_each(|(t, v)| *t += v);
    }
    let design = &probe.setting().samples().design;
    let (mut there, mut along) = (Vec::new(), Vec::new());
    design.product_into(&ahead, rows, &mut there);
    design.product_into(&v, 1, &mut along);
    let here = &probe.fit().values;
    for (row, out) in out.iter_mut().enumerate() {
        let mut parts = [0.0; 8];
        for eighth in 0..2 * design.strips() {
            let ahead = sub(of_row(&there, rows, row, eighth), of_row(here, rows, row, eighth));
            parts = add(parts, mul(of_row(&along, 1, 0, eighth), ahead));
        }
        *out = parts.iter().sum::<f64>() / n as f64;
    }
}
