//! Where descent ends when its step size is a little too long for every minimum.

use crate::factored_start::{depth, target_modes, whitened_target};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use taut_problem::{Motion, Observed};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "edge_of_stability_two_cycle",
    doc: "the two strengths u± = (1 + c ± √((1+c)² − 4))/(2η) that the first mode alternates between, c = ηs₁: \
          `cycle_strength` and the loss there, `cycle_loss`, at ±1; the other modes at rest. `relative_step_size` = c",
    cite: "Cohen et al. 2021; the cycle is derived in the formula book",
    assumes: "two factors, balanced, whitened inputs; descent with a constant step size, 1 < c < √5 − 1 and ηs₂ < 1. \
              In full networks transverse modes may destabilise the cycle earlier (seen at c = 1.2)",
    build: Build::Matrix(build),
};

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let (depth, modes) = match (depth(premise), target_modes(premise)) {
        (Ok(depth), Ok(modes)) => (depth, modes),
        (Err(reason), _) | (_, Err(reason)) => return Prediction::silent(reason),
    };
    if depth != 2 {
        return Prediction::silent(format!("there are {depth} factors, not two"));
    }
    let eta = premise.dynamics.step_size;
    let c = eta * modes.s[0];
    let mut prediction = Prediction {
        numbers: vec![Number::of_cell("relative_step_size", c)],
        unmet: unmet(premise, c, eta * modes.s.get(1).copied().unwrap_or(0.0)),
        ..Prediction::default()
    };
    if c > 1.0 {
        let floor = floor(premise);
        for sign in [1.0, -1.0] {
            let u = (1.0 + c + sign * ((1.0 + c).powi(2) - 4.0).sqrt()) / (2.0 * eta);
            let loss = floor + 0.5 * (u - modes.s[0]).powi(2);
            prediction.numbers.extend([Number::at("cycle_strength", sign, u), Number::at("cycle_loss", sign, loss)]);
        }
    }
    prediction
}

fn unmet(premise: &MatrixPremise<'_>, c: f64, second: f64) -> Option<String> {
    let dynamics = premise.dynamics;
    if dynamics.motion != Motion::Descent || !dynamics.is_plain() {
        return Some("the motion is not plain descent with a constant step size".to_owned());
    }
    let high = 5f64.sqrt() - 1.0;
    if !(c > 1.0 && c < high) {
        return Some(format!("ηs₁ = {c} is not between 1, below which descent converges, and √5 − 1 = {high}"));
    }
    (second >= 1.0).then(|| format!("ηs₂ = {second} is not below 1: the second mode does not come to rest"))
}

/// The smallest loss, ½(tr Syy − ‖Syx‖²) on whitened inputs; zero where tr Syy is not known.
fn floor(premise: &MatrixPremise<'_>) -> f64 {
    match (&premise.problem.observed, whitened_target(premise)) {
        (Observed::Moments(moments), Ok(syx)) => {
            moments.trace_syy.map_or(0.0, |trace| 0.5 * (trace - syx.norm_squared()).max(0.0))
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_cycle_returns_after_two_steps() {
        for c in [1.05f64, 1.1, 1.22] {
            let (eta, s) = (0.1 * c, 10.0);
            let root = ((1.0 + c).powi(2) - 4.0).sqrt();
            let [high, low] = [1.0, -1.0].map(|sign| (1.0 + c + sign * root) / (2.0 * eta));
            // a ← a + ηa(s − a²) with u = a².
            let step = |u: f64| u * (1.0 + eta * (s - u)).powi(2);
            assert!((step(high) - low).abs() < 1e-12 * high && (step(low) - high).abs() < 1e-12 * high);
        }
    }
}
