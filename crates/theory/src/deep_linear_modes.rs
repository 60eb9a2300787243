//! How the modes of a deep linear network are learned one after the other, from an aligned start.

use crate::factored_start::{factors, not_balanced, product};
use crate::mode_growth::Growth;
use crate::singular_modes::SingularModes;
use crate::teacher_frame::{TeacherFrame, not_flow, together};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;
use taut_problem::Motion;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "deep_linear_modes",
    doc: "mode strengths uₐᵀWvₐ from an aligned balanced start, for N factors: du/dt = N·u^(2−2/N)(sₐ − u) solved in \
          closed form: a sigmoid for N = 2, elementary functions for N ≥ 3, algebraic decay where sₐ = 0. For \
          descent, s in the exponent is ln(1 + ηs)/η for N = 2 (descent is then ahead by ¾η·ln(s/(s − u))), the power \
          (1 − η)ᵏ is exact for N = 1, and deeper networks are taken for flow at t = Σηₖ. Rows of `modes`, the path U diag(u) Vᵀ, and `half_time` as a \
          function of the mode's number: the training time to s/2",
    cite: "Saxe, McClelland and Ganguli 2014",
    assumes: "square loss with Sxx = cI; W_l = R_{l+1} diag(a) R_lᵀ at the start, with the singular vectors of Syx at \
              the ends; gradient flow, or descent with a small step size",
    build: Build::Matrix(build),
};

/// Off-diagonal mass (relative to W), imbalance and differences that count as rounding.
const ROUNDING: f64 = 1e-9;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    match (layers(premise), TeacherFrame::of(premise)) {
        (Ok(layers), Ok(frame)) => predict(premise, &layers, frame),
        (Err(reason), _) | (_, Err(reason)) => Prediction::silent(reason),
    }
}

fn predict(premise: &MatrixPremise<'_>, layers: &[DMatrix<f64>], mut frame: TeacherFrame) -> Prediction {
    let (depth, w) = (layers.len(), product(layers));
    let stiffness = frame.stiffness(depth);
    add_null_modes(&mut frame, &w);
    let start = frame.strengths(&w);
    let mass = (&w - frame.matrix(&start)).norm();
    let lowest = start.iter().copied().fold(0.0, f64::min);
    let unmet = together([
        not_in_motion(premise, &frame, depth, stiffness),
        (mass > ROUNDING * w.norm())
            .then(|| format!("the start is not aligned: off-diagonal mass {mass} of a norm {}", w.norm())),
        not_balanced(layers),
        (depth > 1 && lowest < -ROUNDING * w.norm()).then(|| format!("a mode starts at a negative strength {lowest}")),
        ambiguous(&frame, &start, ROUNDING * w.norm()),
    ]);
    let growth = |a: usize| Growth { depth, target: frame.modes.s[a] };
    let pace = |a: usize| frame.pace(premise.dynamics, depth, frame.modes.s[a]);
    let half = |a: usize| Some(Number::at("half_time", (a + 1) as f64, growth(a).half_time(start[a])? / pace(a)));
    Prediction {
        unmet,
        numbers: (0..start.len()).filter_map(half).collect(),
        ..frame.predict(premise, |a, time| growth(a).at(start[a], pace(a) * time))
    }
}

/// W₁, …, W_N; W itself where training moves it.
fn layers(premise: &MatrixPremise<'_>) -> Result<Vec<DMatrix<f64>>, String> {
    if premise.parametrization.is_direct() {
        let problem = premise.problem;
        return Ok(vec![DMatrix::from_column_slice(problem.outputs, problem.inputs, premise.start)]);
    }
    factors(premise)
}

/// Appends the singular modes of what W is outside the target's singular spaces, with s = 0.
fn add_null_modes(frame: &mut TeacherFrame, w: &DMatrix<f64>) {
    let SingularModes { u, s, v } = &frame.modes;
    let left = w - u * u.tr_mul(w);
    let outside = &left - &left * v * v.transpose();
    if outside.norm() <= ROUNDING * w.norm() {
        return;
    }
    let most = outside.nrows().min(outside.ncols()) - s.len();
    let Some(null) = SingularModes::of(&outside) else { return };
    let count = most.min(null.rank());
    let join = |a: &DMatrix<f64>, b: &DMatrix<f64>| {
        DMatrix::from_fn(a.nrows(), s.len() + count, |i, j| if j < s.len() { a[(i, j)] } else { b[(i, j - s.len())] })
    };
    let (u, v) = (join(u, &null.u), join(v, &null.v));
    let s = s.iter().copied().chain(std::iter::repeat_n(0.0, count)).collect();
    frame.modes = SingularModes { u, s, v };
}

/// Why the motion is not the one of the formulas. For one factor a constant step needs to be below 1/c only.
fn not_in_motion(premise: &MatrixPremise<'_>, frame: &TeacherFrame, depth: usize, stiffness: f64) -> Option<String> {
    let dynamics = premise.dynamics;
    let exact = depth == 1 && dynamics.is_plain() && dynamics.motion == Motion::Descent;
    if exact && dynamics.step_size * frame.curvature < 1.0 { None } else { not_flow(dynamics, stiffness) }
}

/// Why strengths are not defined one by one: equal singular values that start at different strengths.
fn ambiguous(frame: &TeacherFrame, start: &[f64], rounding: f64) -> Option<String> {
    let s = &frame.modes.s;
    let equal = |a: &usize| s[*a] > 0.0 && s[*a] - s[*a + 1] <= ROUNDING * s[0];
    let pair = (0..s.len() - 1).filter(equal).find(|&a| (start[a] - start[a + 1]).abs() > rounding)?;
    Some(format!(
        "the singular value {} occurs twice with strengths {} and {}: only the subspace is defined",
        s[pair],
        start[pair],
        start[pair + 1]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, diagonal};
    use crate::reference_tables::Table;
    use taut_problem::{Clock, Dynamics};

    #[test]
    fn two_layers_follow_the_sigmoids_of_the_reference() {
        let case = MatrixCase::file("c01_two_layer_spectral_inputs", "", &[6]);
        let table = Table::deep_linear("c01_two_layer_spectral_traj");
        let times: Vec<f64> = table.rows().iter().map(|row| 0.005 * row["step"]).collect();
        let prediction = case.under_flow(&THEORY, &times);
        assert_eq!(prediction.unmet, None);
        let mut worst = 0.0_f64;
        for (i, row) in table.rows().iter().enumerate() {
            for (a, name) in ["flow_u1", "flow_u2", "flow_u3"].into_iter().enumerate() {
                let mode = prediction.modes[3 * i + a].projection.unwrap();
                worst = worst.max((mode / row[name] - 1.0).abs());
            }
        }
        // The start of the table is aligned up to the 16 digits of its matrices, which grow with the mode.
        assert!(worst < 1e-9, "{worst}");
        let half = &prediction.numbers[0];
        assert!((half.value - (3.0_f64 / 1e-3 - 1.0).ln() / 6.0).abs() < 1e-9, "{half:?}");
    }

    #[test]
    fn descent_is_ahead_of_its_clock_by_less_than_a_step() {
        let table = Table::deep_linear("c01_two_layer_spectral_traj");
        let case = MatrixCase::file("c01_two_layer_spectral_inputs", "", &[6]);
        let clocks: Vec<Clock> = table.rows().iter().map(|row| Clock::Step(row["step"] as u64)).collect();
        let prediction = case.predict(&THEORY, &Dynamics::descent(0.005), &clocks);
        assert_eq!(prediction.unmet, None);
        let (mut with_clock, mut without) = (0.0_f64, 0.0_f64);
        for (i, row) in table.rows().iter().enumerate() {
            with_clock = with_clock.max((prediction.modes[3 * i].strength - row["u1"]).abs() / 3.0);
            without = without.max((row["flow_u1"] - row["u1"]).abs() / 3.0);
        }
        // Descent is ahead of this clock by ¾η·ln(s/(s − u)) to first order, which makes at most 0.3905·ηs of s.
        assert!(with_clock < 0.3905 * 0.015 * 1.02 && with_clock < 0.6 * without, "{with_clock} {without}");
    }

    #[test]
    fn one_factor_is_learned_as_a_power() {
        let case = MatrixCase::direct(diagonal(&[2.0, 0.5]), &[0.1, 0.0, 0.0, 0.0]);
        let prediction = case.predict(&THEORY, &Dynamics::descent(0.3), &[Clock::Step(4), Clock::Limit]);
        assert_eq!(prediction.unmet, None);
        let exact = 2.0 - 1.9 * 0.7_f64.powi(4);
        assert!((prediction.path[0].1[0] - exact).abs() < 1e-14);
        assert!((prediction.path[1].1[3] - 0.5).abs() < 1e-15);
    }

    #[test]
    fn scaled_inputs_only_change_the_clock() {
        // Sxx = cI with Syx = cT is T with time c·t.
        let case = MatrixCase::file("c01_two_layer_spectral_inputs", "", &[6]);
        let plain = case.under_flow(&THEORY, &[0.0, 0.25, 0.5]);
        let scaled = case.scaled(0.25).under_flow(&THEORY, &[0.0, 1.0, 2.0]);
        assert_eq!(scaled.unmet, None);
        for (a, b) in plain.modes.iter().zip(&scaled.modes) {
            assert!((a.strength - b.strength).abs() < 1e-12 && (0.5 * a.value - b.value).abs() < 1e-12);
        }
    }

    #[test]
    fn starts_that_are_not_aligned_say_by_how_much() {
        let mut case = MatrixCase::file("c01_two_layer_spectral_inputs", "", &[6]);
        case.start[0] += 0.01;
        let unmet = case.under_flow(&THEORY, &[0.0]).unmet.unwrap();
        assert!(unmet.contains("off-diagonal mass 0.000") && unmet.contains("not balanced"), "{unmet}");
        let momentum = Dynamics { motion: Motion::HeavyBall(0.9), ..Dynamics::descent(0.01) };
        assert!(case.predict(&THEORY, &momentum, &[]).unmet.unwrap().contains("neither gradient flow"));
    }

    #[test]
    fn null_modes_and_deeper_networks_follow_the_scalar_recursion() {
        // Three factors diag(a) with targets (2, 0.7, 0): descent with a small step against the flow.
        let target = diagonal(&[2.0, 0.7, 0.0]);
        let scalars = [0.3_f64, 0.4, 0.5];
        let layer = diagonal(&scalars);
        let case = MatrixCase::deep(target, &[layer.clone(), layer.clone(), layer]);
        let prediction = case.under_flow(&THEORY, &[5.0]);
        assert_eq!(prediction.unmet, None);
        for (a, s) in [2.0, 0.7, 0.0].into_iter().enumerate() {
            let eta = 1e-5;
            let end = (0..500_000).fold(scalars[a], |x, _| x + eta * x * x * (s - x.powi(3)));
            // O(η) of the recursion.
            assert!((prediction.modes[a].strength - end.powi(3)).abs() < 1e-4, "{a}");
        }
    }
}
