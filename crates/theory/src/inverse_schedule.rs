//! How slowly step sizes η/k learn.

use crate::singular_modes::SingularModes;
use crate::{Build, Mode, Number, Prediction, Premise, TheoryDef};
use nalgebra::DVector;
use taut_problem::{Clock, Motion, Positive, Schedule};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "inverse_schedule",
    doc: "with ηₖ = η/(1 + k/c) the error of mode i after T steps is Π(1 − ηₖλᵢ) = \
          Γ(T + c − cηλᵢ)Γ(c)/(Γ(c − cηλᵢ)Γ(T + c)), which falls as T^(−cηλᵢ). Rows of `modes`, and that exponent for \
          the slowest mode and, as a function of its number, for every mode",
    cite: "Nemirovski et al. 2009",
    assumes: "least squares; descent on all points with the schedule `inverse` or `power` with exponent 1, no warm-up \
              and nothing added",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let unmet = |reason: String| Prediction { unmet: Some(reason), ..Prediction::default() };
    let dynamics = premise.dynamics;
    let Some(delay) = delay(dynamics.schedule) else {
        return unmet(format!("the schedule is not of the form 1/(1 + k/c): {:?}", dynamics.schedule));
    };
    if dynamics.motion != Motion::Descent || !dynamics.only_schedule() || dynamics.warm_up > 0 {
        return unmet(format!("the motion is not bare descent without warm-up (of {} steps)", dynamics.warm_up));
    }
    let Some(modes) = SingularModes::of(&premise.problem.design) else {
        return unmet("the design has no singular vectors".to_owned());
    };
    let start = modes.v.tr_mul(&DVector::from_column_slice(premise.start));
    let end = modes.strengths(&DVector::from_column_slice(&premise.problem.y));
    let exponents: Vec<f64> = modes.curvatures().iter().map(|lambda| delay * dynamics.step_size * lambda).collect();
    let mut prediction = Prediction::default();
    for &clock in premise.clocks {
        for (i, &exponent) in exponents.iter().enumerate() {
            let left = match clock {
                Clock::Step(steps) => Left::after(steps, exponent, delay),
                Clock::Time(_) | Clock::Limit => Left { log: f64::NEG_INFINITY, sign: 1.0 },
            };
            let strength = left.error() * start[i] + left.learned() * end[i];
            prediction.modes.push(Mode {
                clock,
                mode: i + 1,
                value: modes.s[i],
                strength,
                filter: Some(left.learned()),
                projection: None,
            });
        }
    }
    let slowest = exponents.last().map(|exponent| Number::of_cell("slowest_mode_exponent", *exponent));
    prediction.numbers.extend(slowest);
    let each = exponents.iter().enumerate().map(|(i, e)| Number::at("mode_exponent", (i + 1) as f64, *e));
    prediction.numbers.extend(each);
    prediction
}

/// c, if the schedule is 1/(1 + k/c).
fn delay(schedule: Schedule) -> Option<f64> {
    match schedule {
        Schedule::Inverse => Some(1.0),
        Schedule::Power(power) if (power.exponent.get() - 1.0).abs() <= 0.0 => {
            Some(power.delay.map_or(1.0, Positive::get))
        }
        _ => None,
    }
}

/// What is left of the error of a mode, as a logarithm with a sign: 1e6 steps can leave 1e-300.
#[derive(Clone, Copy, Debug)]
struct Left {
    log: f64,
    sign: f64,
}

impl Left {
    /// Π_{k < T} (1 − a/(c + k)) with a = cηλ: factor by factor until Stirling's series is exact, then
    /// ln Γ(T + c − a) − ln Γ(T + c) and the same at the last factor.
    fn after(steps: u64, a: f64, c: f64) -> Self {
        let first = steps.min((a - c).max(0.0).ceil() as u64 + STIRLING as u64);
        let mut left = Self { log: 0.0, sign: 1.0 };
        for k in 0..first {
            let removed = a / (c + k as f64);
            left.sign *= (1.0 - removed).signum();
            left.log += if removed < 0.5 { (-removed).ln_1p() } else { (1.0 - removed).abs().ln() };
        }
        if steps > first {
            left.log += ln_gamma_shift(c + steps as f64, -a) - ln_gamma_shift(c + first as f64, -a);
        }
        left
    }

    fn error(self) -> f64 {
        self.sign * self.log.exp()
    }

    /// 1 − error, with all digits of small fractions.
    fn learned(self) -> f64 {
        if self.sign > 0.0 { -self.log.exp_m1() } else { 1.0 + self.log.exp() }
    }
}

/// From here on six terms of Stirling's series are exact to 1e-18.
const STIRLING: f64 = 16.0;

/// ln Γ(x + d) − ln Γ(x) for x and x + d of at least 16; never as a difference of two logarithms of
/// Γ, which have seven digits before the point where the shift has none.
fn ln_gamma_shift(x: f64, d: f64) -> f64 {
    (x + d - 0.5) * (d / x).ln_1p() + d * x.ln() - d + (tail(x + d) - tail(x))
}

/// ln Γ(x) − (x − ½)ln x + x − ½ln 2π.
fn tail(x: f64) -> f64 {
    const TERMS: [f64; 6] = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    let inverse_square = 1.0 / (x * x);
    TERMS.iter().rev().fold(0.0, |sum, term| sum * inverse_square + term) / x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gamma_ratio_is_the_product() {
        for (a, c) in [(0.2, 1.0), (1.0e-9, 1.0), (2.5, 1.0), (40.3, 100.0), (1500.7, 8.0), (0.7, 1e4)] {
            for steps in [0, 1, 7, 100, 30_000] {
                let product: f64 = (0..steps).map(|k| 1.0 - a / (c + k as f64)).product();
                let left = Left::after(steps, a, c);
                // Thousands of factors lose a few of the last digits on both sides.
                assert!((left.error() - product).abs() <= 1e-11 * product.abs(), "{a} {c} {steps} {product}");
            }
        }
    }

    #[test]
    fn a_mode_hit_exactly_is_learned_at_once() {
        let left = Left::after(5, 1.0, 1.0);
        assert!(left.error().abs() <= 0.0 && (left.learned() - 1.0).abs() <= 0.0);
    }

    #[test]
    fn small_fractions_keep_their_digits() {
        // 1 − Π(1 − a/k) = a·H_T to first order: H₁₀ = 7381/2520.
        assert!((Left::after(10, 1e-14, 1.0).learned() / (1e-14 * 7381.0 / 2520.0) - 1.0).abs() < 1e-12);
    }
}
