//! How much of each mode has been learned when.

use crate::singular_modes::SingularModes;
use crate::{Build, Mode, Number, Prediction, Premise, TheoryDef};
use taut_problem::{Clock, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "mode_filters",
    doc: "fraction learned of mode i: 1 − (1 − ηλᵢ)ᵗ for descent, 1 − exp(−λᵢt) for flow, with λᵢ = sᵢ²/n; \
          strength vᵢ·θ = (1 − gᵢ)vᵢ·θ₀ + gᵢuᵢ·y/sᵢ. Rows of `modes`",
    cite: "Ali, Kolter and Tibshirani 2019",
    assumes: "least squares; gradient flow, or descent with a constant step size below 2/λ_max",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let y = &premise.problem.y;
    let Some(design) = SingularModes::of(&premise.problem.design) else {
        return Prediction { unmet: Some("the design has no singular vectors".to_owned()), ..Prediction::default() };
    };
    let mut prediction = Prediction { unmet: premise.not_plain(), ..Prediction::default() };
    if !premise.dynamics.is_plain() {
        return prediction;
    }
    let lambda = design.curvatures();
    for &clock in premise.clocks {
        for (i, &value) in design.s.iter().enumerate() {
            let start: f64 = design.v.column(i).iter().zip(premise.start).map(|(v, t)| v * t).sum();
            let end: f64 = design.u.column(i).iter().zip(y).map(|(u, y)| u * y).sum::<f64>() / value;
            let filter = learned(premise, lambda[i], clock);
            let strength = (1.0 - filter) * start + filter * end;
            prediction.modes.push(Mode { clock, mode: i + 1, value, strength, filter: Some(filter), projection: None });
        }
    }
    if let Some(&slowest) = lambda.last() {
        let eta = premise.dynamics.step_size;
        let rate = match premise.dynamics.motion {
            Motion::Flow => slowest,
            _ => -log_decay(eta * slowest) / eta,
        };
        prediction.numbers.push(Number::of_cell("slowest_mode_half_time", std::f64::consts::LN_2 / rate));
    }
    prediction
}

/// ln|1 − x|, keeping the digits of small x.
fn log_decay(x: f64) -> f64 {
    if x > 0.5 { (1.0 - x).abs().ln() } else { (-x).ln_1p() }
}

/// The fraction learned.
fn learned(premise: &Premise<'_>, lambda: f64, clock: Clock) -> f64 {
    match clock {
        Clock::Step(0) => 0.0,
        Clock::Limit => 1.0,
        Clock::Step(k) => compound(premise.dynamics.step_size * lambda, k),
        Clock::Time(t) => -(-lambda * t).exp_m1(),
    }
}

/// 1 − (1 − d)ᵏ by repeated squaring of deficits: 1 − (1−a)(1−b) = a + b(1−a). No logarithm, and no
/// loss where d is below eps.
fn compound(mut deficit: f64, mut k: u64) -> f64 {
    let mut out = 0.0;
    while k > 0 {
        if k & 1 == 1 {
            out += deficit * (1.0 - out);
        }
        deficit *= 2.0 - deficit;
        k >>= 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounding_small_deficits_keeps_their_digits() {
        for (deficit, k) in [(1e-18_f64, 1_000_000_000_u64), (0.3, 7), (1.7, 5), (1e-3, 1 << 40)] {
            let exact = if deficit < 1.0 {
                -(k as f64 * (-deficit).ln_1p()).exp_m1()
            } else {
                1.0 - (1.0 - deficit).powi(k as i32)
            };
            assert!((compound(deficit, k) / exact - 1.0).abs() < 1e-13, "{deficit} {k}");
        }
    }
}
