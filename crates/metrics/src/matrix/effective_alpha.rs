//! The scale at which a diagonal network acts now: what its start would have to be.

use crate::{MatrixProbe, MetricDef, Needs};
use taut_problem::ParametrizationKind;

/// Mean of ln α².
pub(crate) static LOG_EFFECTIVE_ALPHA_MEAN: MetricDef = MetricDef {
    name: "log_effective_alpha_mean",
    unit: "1",
    doc: "mean over coordinates of ln α² with α² = u∘v for β = u² − v², and (u² − v²)/4 for β = u∘v: the start α from \
          which gradient flow comes here. Flow keeps it, finite steps lower it; NaN where a coordinate has α² < 0, \
          −inf where one is 0",
    cite: "Even et al. 2023",
    needs: Needs { hadamard: true, parameters: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| of_logarithms(probe, out, |logs| logs.clone().sum::<f64>() / logs.len() as f64)),
};

/// min ln α².
pub(crate) static LOG_EFFECTIVE_ALPHA_MIN: MetricDef = MetricDef {
    name: "log_effective_alpha_min",
    unit: "1",
    doc: "least over coordinates of ln α², as in log_effective_alpha_mean; NaN where a coordinate has α² < 0, −inf \
          where one is 0",
    cite: "Even et al. 2023",
    needs: Needs { hadamard: true, parameters: true, ..Needs::MATRIX },
    integer: false,
    wiggliness: false,
    quadratic: false,
    eval_into: |_, _| {},
    of_matrix: Some(|probe, out| of_logarithms(probe, out, least)),
};

/// Whether the scale is defined: only of squares and products.
pub(super) fn is_defined(kind: &ParametrizationKind) -> bool {
    match kind {
        ParametrizationKind::HadamardPower(power) => power.depth.size() == 2,
        ParametrizationKind::HadamardProduct => true,
        _ => false,
    }
}

fn least(logs: std::slice::Iter<'_, f64>) -> f64 {
    // A comparison with NaN would drop it.
    logs.fold(f64::INFINITY, |least, log| if log.is_nan() || *log < least { *log } else { least })
}

/// α² of one coordinate. u∘v = w₊² − w₋² with w± = (u ± v)/2, so that α² = w₊w₋; factored, to keep digits.
fn squared_alpha(kind: &ParametrizationKind, u: f64, v: f64) -> f64 {
    if matches!(kind, ParametrizationKind::HadamardProduct) { 0.25 * (u - v) * (u + v) } else { u * v }
}

fn of_logarithms(probe: &MatrixProbe<'_>, out: &mut [f64], of: impl Fn(std::slice::Iter<'_, f64>) -> f64) {
    let kind = probe.setting().kind();
    for (theta, out) in probe.theta().into_iter().flatten().zip(out) {
        let (u, v) = theta.split_at(theta.len() / 2);
        let logs: Vec<f64> = u.iter().zip(v).map(|(u, v)| squared_alpha(kind, *u, *v).ln()).collect();
        *out = of(logs.iter());
    }
}
