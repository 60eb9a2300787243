//! How much of each mode has been learned when.

use crate::{Mode, Number, Prediction, Premise, TheoryDef};
use taut_problem::{Clock, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "mode_filters",
    doc: "fraction learned of mode i: 1 − (1 − ηλᵢ)ᵗ for descent, 1 − exp(−λᵢt) for flow, with λᵢ = sᵢ²/n; \
          strength vᵢ·θ = (1 − gᵢ)vᵢ·θ₀ + gᵢuᵢ·y/sᵢ. Rows of `modes`",
    cite: "Ali, Kolter and Tibshirani 2019",
    assumes: "least squares; gradient flow, or descent with a constant step size below 2/λ_max",
    build,
};

fn build(premise: &Premise<'_>) -> Prediction {
    let problem = premise.problem;
    let n = problem.samples() as f64;
    // faer's bidiagonalisation: not the trainer's decomposition. (nalgebra's own loses ten digits
    // where singular values cluster, as those of a cosine design do.)
    let (rows, columns) = problem.design.shape();
    let design = faer::MatRef::from_column_major_slice(problem.design.as_slice(), rows, columns);
    let Ok(svd) = design.thin_svd() else {
        return Prediction { unmet: Some("the design has no singular vectors".to_owned()), ..Prediction::default() };
    };
    let (u, v) = (svd.U(), svd.V());
    let s: Vec<f64> = svd.S().column_vector().iter().copied().collect();
    let largest = s.iter().copied().fold(0.0, f64::max);
    let tolerance = problem.samples().max(problem.feature_count()) as f64 * f64::EPSILON * largest;
    let mut order: Vec<usize> = (0..s.len()).filter(|&i| s[i] > tolerance).collect();
    order.sort_by(|a, b| s[*b].total_cmp(&s[*a]));

    let mut prediction = Prediction { unmet: premise.not_plain(), ..Prediction::default() };
    if !premise.dynamics.is_plain() {
        return prediction;
    }
    for &clock in premise.clocks {
        for (number, &i) in order.iter().enumerate() {
            let lambda = s[i] * s[i] / n;
            let row: Vec<f64> = v.col(i).iter().copied().collect();
            // The trainer's sign rule, stated in the tables: the largest component is positive.
            let largest =
                row.iter().copied().fold(0.0_f64, |m, v| if v.abs() > m.abs() * (1.0 + 1e-9) { v } else { m });
            let sign = if largest < 0.0 { -1.0 } else { 1.0 };
            let start: f64 = row.iter().zip(premise.start).map(|(v, t)| v * t).sum();
            let end: f64 = u.col(i).iter().zip(&problem.y).map(|(u, y)| u * y).sum::<f64>() / s[i];
            let filter = learned(premise, lambda, clock);
            prediction.modes.push(Mode {
                clock,
                mode: number + 1,
                value: s[i],
                strength: sign * ((1.0 - filter) * start + filter * end),
                filter,
            });
        }
    }
    if let Some(&slowest) = order.last() {
        let lambda = s[slowest] * s[slowest] / n;
        let eta = premise.dynamics.step_size;
        let rate = match premise.dynamics.motion {
            Motion::Flow => lambda,
            _ => -log_decay(eta * lambda) / eta,
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
