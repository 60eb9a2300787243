//! How curved the loss is where the parameters are.

use crate::{MetricDef, Needs, Probe};

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

/// v·(∇L(θ + v) − ∇L(θ)) for the leading unit vector v: exact for a quadratic, and both gradients are
/// evaluated where θ is, so a loss with several Hessians would show.
fn sharpness(probe: &Probe<'_>, out: &mut [f64]) {
    let (theta, v) = (probe.theta(), probe.setting().leading_direction());
    for (row, out) in theta.chunks_exact(v.len().max(1)).zip(out) {
        let ahead: Vec<f64> = row.iter().zip(&v).map(|(t, v)| t + v).collect();
        let (here, there) = (slope(probe, row, &v), slope(probe, &ahead, &v));
        *out = there - here;
    }
}

/// v·∇L(θ) = (Φv)·(Φθ − y)/n.
fn slope(probe: &Probe<'_>, theta: &[f64], v: &[f64]) -> f64 {
    let problem = probe.setting().problem();
    let along = |x: &[f64], i: usize| problem.design.row(i).iter().zip(x).map(|(phi, x)| phi * x).sum::<f64>();
    let sum: f64 = (0..problem.samples()).map(|i| along(v, i) * (along(theta, i) - problem.y[i])).sum();
    sum / problem.samples() as f64
}
