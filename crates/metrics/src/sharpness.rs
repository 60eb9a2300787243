//! How curved the loss is where the parameters are.

use crate::{MetricDef, Needs, Probe};
use taut_numerics::product_into;

/// The largest eigenvalue of ∇²L(θ).
pub(crate) static SHARPNESS: MetricDef = MetricDef {
    name: "sharpness",
    unit: "y²/θ²",
    doc: "largest eigenvalue of the Hessian of L at θ, by the change of the gradient along the design's leading right \
          singular vector; models linear in θ have one Hessian ΦᵀΦ/n, so every solution is equally sharp",
    cite: "",
    needs: Needs { coefficients: true, geometry: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: sharpness,
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
    let values = |parameters: &[f64]| {
        let mut values = vec![0.0; parameters.len() / p * n];
        // n × p by columns is Φᵀ by rows.
        product_into(parameters, problem.design.as_slice(), &mut values, p, n);
        values
    };
    let ahead: Vec<f64> = theta.chunks_exact(p).flat_map(|row| row.iter().zip(&v).map(|(t, v)| t + v)).collect();
    let (here, there, along) = (values(theta), values(&ahead), values(&v));
    for ((here, there), out) in here.chunks_exact(n).zip(there.chunks_exact(n)).zip(out) {
        let change = here.iter().zip(there).zip(&along).map(|((here, there), along)| along * (there - here));
        *out = change.sum::<f64>() / n as f64;
    }
}
