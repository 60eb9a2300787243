//! How the modes of a two-layer linear network are learned when its layers differ in size.

use crate::factored_start::{factors, product};
use crate::teacher_frame::{TeacherFrame, not_flow, together};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;
use taut_numerics::last_sign_change;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "unbalanced_modes",
    doc: "two layers, mode strengths u = ab from an aligned start with a and b in the first and second layer: with \
          c = a² − b², κ = √(c² + 4s²) and z = b/a, (z − z₊)/(z − z₋) falls as e^(−κt), z± = (−c ± κ)/(2s), and \
          u = cz/(1 − z²); evaluated in a form that holds for c = 0 and s = 0 too. Large |c| is the lazy regime. Rows \
          of `modes`, the path, and as functions of the mode's number `approach_rate` κ, `unbalance` c, `half_time`",
    cite: "Saxe, McClelland and Ganguli 2014",
    assumes: "square loss with Sxx = cI; W₁vₐ and W₂ᵀuₐ parallel, and orthogonal from mode to mode; gradient flow, or \
              descent with a small step size",
    build: Build::Matrix(build),
};

/// What counts as rounding, relative to the start.
const ROUNDING: f64 = 1e-9;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    match (factors(premise), TeacherFrame::of(premise)) {
        (Ok(factors), Ok(frame)) if factors.len() == 2 => predict(premise, &factors, &frame),
        (Ok(factors), Ok(_)) => Prediction::silent(format!("{} factors, and the result is for two", factors.len())),
        (Err(reason), _) | (_, Err(reason)) => Prediction::silent(reason),
    }
}

fn predict(premise: &MatrixPremise<'_>, factors: &[DMatrix<f64>], frame: &TeacherFrame) -> Prediction {
    let (first, second) = (&factors[0] * &frame.modes.v, factors[1].tr_mul(&frame.modes.u));
    let mode = |a: usize| {
        let (x, y) = (first.column(a), second.column(a));
        let sign = if x.dot(&y) < 0.0 { -1.0 } else { 1.0 };
        UnbalancedMode { a: x.norm(), b: sign * y.norm(), target: frame.modes.s[a] }
    };
    let modes: Vec<UnbalancedMode> = (0..frame.modes.rank()).map(mode).collect();
    let rate = modes.iter().map(|mode| mode.rate()).fold(0.0, f64::max) * frame.curvature;
    let mut numbers = Vec::new();
    for (a, mode) in modes.iter().enumerate() {
        let at = |name, value| Number::at(name, (a + 1) as f64, value);
        numbers.push(at("approach_rate", mode.rate() * frame.curvature));
        numbers.push(at("unbalance", mode.unbalance()));
        numbers.extend(mode.half_time().map(|t| at("half_time", t / frame.curvature)));
    }
    Prediction {
        unmet: together([not_flow(premise.dynamics, rate), not_aligned(factors, frame, &modes, &first, &second)]),
        numbers,
        ..frame.predict(premise, |a, time| modes[a].at(frame.curvature * time))
    }
}

/// Why modes do not part: what the product holds beside them, or what their hidden directions share.
fn not_aligned(
    factors: &[DMatrix<f64>],
    frame: &TeacherFrame,
    modes: &[UnbalancedMode],
    first: &DMatrix<f64>,
    second: &DMatrix<f64>,
) -> Option<String> {
    let w = product(factors);
    let strengths: Vec<f64> = modes.iter().map(|mode| mode.a * mode.b).collect();
    let mass = (&w - frame.matrix(&strengths)).norm();
    let size = factors.iter().map(DMatrix::norm_squared).fold(0.0, f64::max);
    let shared = |x: &DMatrix<f64>| {
        let gram = x.tr_mul(x);
        (&gram - DMatrix::from_diagonal(&gram.diagonal())).norm()
    };
    // The rest of the layers, outside the target's singular spaces, must not meet the modes in the hidden layer.
    let outside_first = (&factors[0] - first * frame.modes.v.transpose()).tr_mul(second).norm();
    let outside_second = ((&factors[1] - &frame.modes.u * second.transpose()) * first).norm();
    let hidden = shared(first).max(shared(second)).max(outside_first).max(outside_second);
    (mass > ROUNDING * w.norm() || hidden > ROUNDING * size)
        .then(|| format!("the start is not aligned: off-diagonal mass {mass} of W, {hidden} in the hidden layer"))
}

/// da/dt = b(s − ab), db/dt = a(s − ab).
#[derive(Clone, Copy, Debug)]
struct UnbalancedMode {
    a: f64,
    b: f64,
    target: f64,
}

impl UnbalancedMode {
    /// c = a² − b², conserved.
    fn unbalance(self) -> f64 {
        (self.a - self.b) * (self.a + self.b)
    }

    /// κ.
    fn rate(self) -> f64 {
        self.unbalance().hypot(2.0 * self.target)
    }

    /// u(t) = xy/(1 + q·(∫₀ᵗ e^{2Fs}ds)q) with q = (a, b), F = \[\[c/2, s\], \[s, −c/2\]\] and (x, y) = e^{Ft}q. As F² = (κ/2)²I,
    /// e^{Ft} = cosh(κt/2)I + sinh(κt/2)F/(κ/2); everything is divided by e^{κt}, so that t may be infinite.
    fn at(self, t: f64) -> f64 {
        let Self { a, b, target: s } = self;
        let (c, kappa) = (self.unbalance(), self.rate());
        if kappa <= 0.0 || t <= 0.0 {
            // s = 0 and c = 0: a² = b² decays as 1/t.
            return if t <= 0.0 { a * b } else { a * b / (1.0 + 2.0 * (a * b).abs() * t) };
        }
        let turned = [0.5 * c * a + s * b, s * a - 0.5 * c * b];
        let gone = -(-kappa * t).exp_m1();
        let (even, odd) = (0.5 * (2.0 - gone), gone / kappa);
        let (x, y) = (even * a + odd * turned[0], even * b + odd * turned[1]);
        let form = a * turned[0] + b * turned[1];
        let bracket =
            (1.0 - gone) + gone * (2.0 - gone) / (2.0 * kappa) * (a * a + b * b) + (gone / kappa).powi(2) * form;
        x * y / bracket
    }

    /// The time to s/2, for modes that start below it, and do not rest at a saddle.
    fn half_time(self) -> Option<f64> {
        let (half, start) = (0.5 * self.target, self.a * self.b);
        let moves = self.a + self.b > 0.0;
        if !(moves && start < half) {
            return None;
        }
        // Doubling finds a bracket; a mode reaches its target within a few hundred units of 1/κ for every start in 64 bits.
        let high = (0..60).map(|k| 2.0_f64.powi(k) / self.rate()).find(|t| self.at(*t) >= half)?;
        Some(last_sign_change(0.0, high, |t| self.at(t) >= half))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_integrator::Flow;
    use crate::matrix_cases::{MatrixCase, diagonal};
    use crate::mode_growth::Growth;

    #[test]
    fn strengths_follow_the_riccati_equation_of_the_ratio() {
        for (a, b, s) in [(1.3, 0.2, 0.7), (0.1, 2.0, 0.4), (3.0, -0.5, 1.0), (0.9, 0.0, 0.3), (0.2, 0.1, 0.0)] {
            let mode = UnbalancedMode { a, b, target: s };
            let (c, kappa) = (mode.unbalance(), mode.rate());
            let mut flow = Flow::new(vec![a, b], 1e-13, 100_000, |y, slope| {
                let error = s - y[0] * y[1];
                slope.copy_from_slice(&[y[1] * error, y[0] * error]);
            });
            for t in [0.0_f64, 0.3, 1.0, 4.0, 12.0] {
                let y = flow.at(t).unwrap();
                // The integrator's own 1e-13 per step.
                assert!((mode.at(t) - y[0] * y[1]).abs() < 1e-10, "{a} {b} {s} {t}");
                if s > 0.0 {
                    let (up, down) = ((kappa - c) / (2.0 * s), (-kappa - c) / (2.0 * s));
                    let ratio = (-kappa * t).exp() * (b / a - up) / (b / a - down);
                    let z = (up - ratio * down) / (1.0 - ratio);
                    assert!((mode.at(t) - c * z / (1.0 - z * z)).abs() < 1e-9, "{a} {b} {s} {t}");
                }
            }
        }
    }

    #[test]
    fn balanced_modes_are_the_sigmoids() {
        let mode = UnbalancedMode { a: 0.03, b: 0.03, target: 1.7 };
        let sigmoid = Growth { depth: 2, target: 1.7 };
        for t in [0.0, 0.5, 1.0, 2.0, 5.0, f64::INFINITY] {
            assert!((mode.at(t) / sigmoid.at(9e-4, t) - 1.0).abs() < 1e-12, "{t}");
        }
        assert!((mode.half_time().unwrap() / sigmoid.half_time(9e-4).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_network_of_diagonal_layers_is_its_modes() {
        let case = MatrixCase::deep(diagonal(&[2.0, 0.5]), &[diagonal(&[1.5, 0.1]), diagonal(&[0.01, 0.8])]);
        let prediction = case.under_flow(&THEORY, &[0.7, f64::INFINITY]);
        assert_eq!(prediction.unmet, None);
        let second = UnbalancedMode { a: 0.1, b: 0.8, target: 0.5 };
        assert!((prediction.path[0].1[3] - second.at(0.7)).abs() < 1e-15);
        assert!((prediction.path[1].1[0] - 2.0).abs() < 1e-14);
        assert!((prediction.numbers[0].value - (1.5_f64.powi(2) - 1e-4).hypot(4.0)).abs() < 1e-12);
        let mut turned = case;
        turned.start[1] = 0.2;
        assert!(turned.under_flow(&THEORY, &[]).unmet.unwrap().contains("not aligned"));
    }
}
