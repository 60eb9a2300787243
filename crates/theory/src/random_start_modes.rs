//! How the modes of a two-layer linear network are learned from a small random start.

use crate::factored_start::{factors, product};
use crate::mode_growth::Growth;
use crate::teacher_frame::{TeacherFrame, not_flow, together};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "random_start_modes",
    doc: "two layers from a small random start: with pₐ = (W₁vₐ + W₂ᵀuₐ)/2 and the Gram matrix (pₐ·p_b) = L diag(d) Lᵀ, \
          modes in descending order, each mode follows the sigmoid that starts at dₐ: every mode loses the part of \
          its seed that stronger modes have used. For descent s in the exponent is ln(1 + ηs)/η; descent is \
          then ahead by ¾η·ln(s/(s − u)), 0.52η at half height. Rows of `modes`, the path, and as functions of the mode's number `seed`, `half_time`, and the half \
          times of two seeds that fail, `half_time_diagonal_seed` with ‖pₐ‖² and `half_time_naive_seed` with \
          |uₐᵀW(0)vₐ|. Deeper networks have no closed seed: `first_arrival_scaling`, a₀^(2−N)/((N−2)s₁) with a₀ the \
          typical singular value of a factor, gives the power only, up to a constant",
    cite: "Saxe, McClelland and Ganguli 2014; seeds of later modes derived here from Fukumizu 1998",
    assumes: "square loss with Sxx = cI, distinct singular values, a start far below them; the error is of order \
              σ^(2(1 − sₐ₊₁/sₐ)); gradient flow, or descent with a small step size",
    build: Build::Matrix(build),
};

/// A seed that is not far below its strength: 1% of it.
const LARGE_SEED: f64 = 1e-2;

/// Neighbouring singular values closer than this (relative) are learned together.
const CLOSE: f64 = 1e-3;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    match (factors(premise), TeacherFrame::of(premise)) {
        (Ok(factors), Ok(frame)) if factors.len() == 2 => two_layers(premise, &factors, &frame),
        (Ok(factors), Ok(frame)) => deeper(&factors, &frame),
        (Err(reason), _) | (_, Err(reason)) => Prediction::silent(reason),
    }
}

fn two_layers(premise: &MatrixPremise<'_>, factors: &[DMatrix<f64>], frame: &TeacherFrame) -> Prediction {
    let s = &frame.modes.s;
    let growth = |a: usize| Growth { depth: 2, target: s[a] };
    let pace = |a: usize| frame.pace(premise.dynamics, 2, s[a]);
    let p = seed_vectors(factors, frame);
    let seeds = orthogonal_seeds(&p);
    let diagonal: Vec<f64> = p.column_iter().map(|column| column.norm_squared()).collect();
    let naive: Vec<f64> = frame.strengths(&product(factors)).iter().map(|u| u.abs()).collect();
    let mut numbers = Vec::new();
    for a in 0..s.len() {
        let mode = (a + 1) as f64;
        numbers.push(Number::at("seed", mode, seeds[a]));
        let from = [("half_time", &seeds), ("half_time_diagonal_seed", &diagonal), ("half_time_naive_seed", &naive)];
        let half = |(name, seeds): (&'static str, &Vec<f64>)| {
            Some(Number::at(name, mode, growth(a).half_time(seeds[a])? / pace(a)))
        };
        numbers.extend(from.into_iter().filter_map(half));
    }
    let large = (0..s.len()).find(|&a| diagonal[a] > LARGE_SEED * s[a]);
    let large =
        large.map(|a| format!("mode {} starts at {} of a strength {}, not far below", a + 1, diagonal[a], s[a]));
    Prediction {
        unmet: together([not_flow(premise.dynamics, frame.stiffness(2)), frame.degenerate(CLOSE), large]),
        numbers,
        ..frame.predict(premise, |a, time| growth(a).at(seeds[a], pace(a) * time))
    }
}

/// pₐ = (W₁vₐ + W₂ᵀuₐ)/2 as columns, hidden units × modes: the part of the start that grows.
fn seed_vectors(factors: &[DMatrix<f64>], frame: &TeacherFrame) -> DMatrix<f64> {
    (&factors[0] * &frame.modes.v + factors[1].tr_mul(&frame.modes.u)) * 0.5
}

/// dₐ of PᵀP = L diag(d) Lᵀ: the squared diagonal of R in P = QR, so that the Gram matrix is never formed. Zero for modes
/// beyond the number of hidden units.
fn orthogonal_seeds(p: &DMatrix<f64>) -> Vec<f64> {
    let r = p.clone().qr().r();
    (0..p.ncols()).map(|a| if a < r.nrows() { r[(a, a)] * r[(a, a)] } else { 0.0 }).collect()
}

fn deeper(factors: &[DMatrix<f64>], frame: &TeacherFrame) -> Prediction {
    let depth = factors.len();
    let mut prediction = Prediction::silent(format!(
        "{depth} factors: a random start has a closed seed for two factors only, the arrival is a power law up to a constant"
    ));
    if depth > 2 {
        let order = depth as f64 - 2.0;
        let typical = |factor: &DMatrix<f64>| factor.norm() / (factor.nrows().min(factor.ncols()) as f64).sqrt();
        let scale = factors.iter().map(typical).product::<f64>().powf(1.0 / depth as f64);
        let arrival = scale.powf(-order) / (order * frame.modes.s[0] * frame.curvature);
        prediction.numbers.push(Number::of_cell("first_arrival_scaling", arrival));
    }
    prediction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, diagonal, gaussian};
    use taut_problem::{Clock, Dynamics};

    /// Descent by its definition: uₐ after every step, in the basis where the target is diagonal.
    fn descend(s: &[f64], layers: &mut [DMatrix<f64>; 2], eta: f64, steps: usize) -> Vec<Vec<f64>> {
        let target = DMatrix::from_fn(layers[1].nrows(), layers[0].ncols(), |i, j| {
            if i == j { s.get(i).copied().unwrap_or(0.0) } else { 0.0 }
        });
        let mut path = Vec::new();
        for _ in 0..=steps {
            let [w1, w2] = &*layers;
            let w = w2 * w1;
            path.push((0..s.len()).map(|a| w[(a, a)]).collect());
            let error = w - &target;
            let (g1, g2) = (w2.tr_mul(&error), &error * w1.transpose());
            layers[0] -= g1 * eta;
            layers[1] -= g2 * eta;
        }
        path
    }

    fn case(widths: [usize; 3], s: &[f64], sigma: f64, draw: u64) -> (MatrixCase, [DMatrix<f64>; 2]) {
        let [inputs, hidden, outputs] = widths;
        let layers = [gaussian(hidden, inputs, 2 * draw) * sigma, gaussian(outputs, hidden, 2 * draw + 1) * sigma];
        let target = DMatrix::from_fn(outputs, inputs, |i, j| if i == j && i < s.len() { s[i] } else { 0.0 });
        (MatrixCase::deep(target, &layers), layers)
    }

    fn number(prediction: &Prediction, name: &str, mode: usize) -> f64 {
        let at = |n: &&Number| n.quantity == name && n.parameter == Some(mode as f64);
        prediction.numbers.iter().find(at).map_or(f64::NAN, |n| n.value)
    }

    #[test]
    fn half_times_are_within_one_step_of_descent_and_other_seeds_are_not() {
        let (s, eta) = ([5.0, 3.0, 1.5, 0.8], 2e-3);
        let mut gaps = [[0.0_f64; 4]; 3];
        for draw in 0..3 {
            let (case, mut layers) = case([10, 30, 8], &s, 1e-3, draw);
            let prediction = case.predict(&THEORY, &Dynamics::descent(eta), &[]);
            assert_eq!(prediction.unmet, None);
            let path = descend(&s, &mut layers, eta, 5000);
            for a in 0..4 {
                let after = path.iter().position(|u| u[a] >= s[a] / 2.0).unwrap();
                let [low, high] = [path[after - 1][a], path[after][a]];
                let measured = eta * (after as f64 - (high - s[a] / 2.0) / (high - low));
                for (k, name) in ["half_time", "half_time_diagonal_seed", "half_time_naive_seed"].iter().enumerate() {
                    gaps[k][a] = gaps[k][a].max((number(&prediction, name, a + 1) - measured).abs() / eta);
                }
            }
        }
        // ¾·ln 2 = 0.52 steps by which descent is ahead, and what the start adds.
        assert!(gaps[0].iter().all(|gap| *gap < 1.0), "{gaps:?}");
        assert!(gaps[1][3] > 5.0 && gaps[2].iter().all(|gap| *gap > 20.0), "{gaps:?}");
    }

    #[test]
    fn the_error_falls_with_the_start_as_a_power_of_the_closest_pair() {
        let s = [5.0, 3.0, 1.8, 0.9];
        let error = |sigma: f64| {
            let (case, mut layers) = case([6, 6, 6], &s, sigma, 5);
            let eta = 1e-3;
            let steps = 12_000;
            let path = descend(&s, &mut layers, eta, steps);
            let clocks: Vec<Clock> = (0..=steps as u64).map(Clock::Step).collect();
            let prediction = case.predict(&THEORY, &Dynamics::descent(eta), &clocks);
            let gap = |(i, u): (usize, &Vec<f64>)| {
                let mode = |a: usize| (prediction.modes[4 * i + a].strength - u[a]).abs() / s[a];
                (0..4).map(mode).fold(0.0, f64::max)
            };
            path.iter().enumerate().map(gap).fold(0.0, f64::max)
        };
        let (large, small) = (error(0.1), error(0.01));
        // 2(1 − 3/5) = 0.8, above a floor of 0.39ηs₁ from the step size.
        let slope = ((large - 1.95e-3) / (small - 1.95e-3)).log10();
        assert!(small < 1e-2 && (0.5..1.3).contains(&slope), "{large} {small} {slope}");
    }

    #[test]
    fn the_first_seed_is_on_average_half_the_hidden_variance() {
        let mean = (0..200)
            .map(|draw| {
                let (case, _) = case([10, 30, 8], &[5.0, 3.0], 1e-3, 100 + draw);
                number(&case.under_flow(&THEORY, &[]), "seed", 1)
            })
            .sum::<f64>()
            / 200.0;
        // hσ²/2 = 1.5e-5, with a relative deviation of √(2/30/200) = 2%.
        assert!((mean / 1.5e-5 - 1.0).abs() < 0.06, "{mean}");
    }

    #[test]
    fn deeper_starts_give_a_power_law_only() {
        let layer = diagonal(&[0.01, 0.01]);
        let case = MatrixCase::deep(diagonal(&[2.0, 1.0]), &[layer.clone(), layer.clone(), layer]);
        let prediction = case.under_flow(&THEORY, &[1.0]);
        assert!(prediction.unmet.unwrap().contains("closed seed") && prediction.path.is_empty());
        // a₀^(−1)/s₁.
        assert!((prediction.numbers[0].value - 50.0).abs() < 1e-12);
    }
}
