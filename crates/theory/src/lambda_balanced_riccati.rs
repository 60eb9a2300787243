//! The exact path of a two-layer linear network whose layers differ by a multiple of the identity.

use crate::factored_start::{factors, target_modes, whitened_target};
use crate::teacher_frame::{not_flow, reached, together};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "lambda_balanced_riccati",
    doc: "two layers with W₂ᵀW₂ − W₁W₁ᵀ = λI: for Q = [W₁ᵀ; W₂] and F = [[−λ/2, Syxᵀ], [Syx, λ/2]], \
          QQᵀ(t) = e^{Ft}Q₀[I + Q₀ᵀ(∫₀ᵗ e^{2Fs}ds)Q₀]⁻¹Q₀ᵀe^{Ft}, whose lower left block is W. In the eigenbasis of F, where \
          singular F is no special case, and as a semigroup with sub-steps up to 1/f_max: in one step all digits are lost \
          once 2f_max·t > 36. The path at finite times, λ as `lambda`, and `sharpness_at_minimum` √(λ² + 4s₁²)",
    cite: "Fukumizu 1998; Braun, Dominé, Fitzgerald and Saxe 2022; Dominé et al. 2024",
    assumes: "Sxx = I; W₂ᵀW₂ − W₁W₁ᵀ = λI at the start, which for λ ≠ 0 needs a hidden layer no wider than the outputs \
              (λ > 0) or the inputs (λ < 0); gradient flow, or descent with a small step size. From a small random start of \
              deviation σ it is accurate to O(σ²)",
    build: Build::Matrix(build),
};

/// What counts as rounding, relative to the start.
const ROUNDING: f64 = 1e-9;

/// What a path may cost in sub-steps.
const STEPS: f64 = 300_000.0;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    match (factors(premise), whitened_target(premise)) {
        (Ok(factors), Ok(target)) if factors.len() == 2 => predict(premise, &factors, target),
        (Ok(factors), Ok(_)) => Prediction::silent(format!("{} factors, and the result is for two", factors.len())),
        (Err(reason), _) | (_, Err(reason)) => Prediction::silent(reason),
    }
}

fn predict(premise: &MatrixPremise<'_>, factors: &[DMatrix<f64>], target: &DMatrix<f64>) -> Prediction {
    let gap = factors[1].tr_mul(&factors[1]) - &factors[0] * factors[0].transpose();
    let hidden = gap.nrows();
    let mean = gap.trace() / hidden as f64;
    let away = (&gap - DMatrix::identity(hidden, hidden) * mean).norm();
    let size = factors[0].norm_squared().max(factors[1].norm_squared());
    // A balanced start has no λ, only its rounding.
    let lambda = if mean.abs() <= 1e-14 * size { 0.0 } else { mean };
    let strongest = target_modes(premise).map_or(0.0, |modes| modes.s[0]);
    let sharpness = lambda.hypot(2.0 * strongest);
    let Some(riccati) = Riccati::new(target, lambda) else {
        return Prediction::silent("Syx has no singular vectors in double precision");
    };
    let mut prediction = riccati.path(premise, factors);
    prediction.numbers = vec![Number::of_cell("lambda", lambda), Number::of_cell("sharpness_at_minimum", sharpness)];
    let unmet = (away > ROUNDING * size).then(|| {
        format!("W₂ᵀW₂ − W₁W₁ᵀ is {away} away from {lambda}·I, where the layers have squared norms up to {size}")
    });
    prediction.unmet = together([not_flow(premise.dynamics, sharpness), unmet, prediction.unmet]);
    prediction
}

/// dQ/dt = FQ − ½QQᵀQ in the eigenbasis of F.
struct Riccati {
    /// f, in any order.
    eigenvalues: Vec<f64>,
    /// Eigenvectors as columns.
    vectors: DMatrix<f64>,
}

impl Riccati {
    fn new(target: &DMatrix<f64>, lambda: f64) -> Option<Self> {
        let (outputs, inputs) = target.shape();
        let f = DMatrix::from_fn(inputs + outputs, inputs + outputs, |i, j| match (i < inputs, j < inputs) {
            (true, true) => -0.5 * lambda * f64::from(u8::from(i == j)),
            (false, false) => 0.5 * lambda * f64::from(u8::from(i == j)),
            (true, false) => target[(j - inputs, i)],
            (false, true) => target[(i - inputs, j)],
        });
        let view = faer::MatRef::from_column_major_slice(f.as_slice(), f.nrows(), f.ncols());
        let axes = view.self_adjoint_eigen(faer::Side::Lower).ok()?;
        let eigenvalues = axes.S().column_vector().iter().copied().collect();
        let vectors = DMatrix::from_fn(f.nrows(), f.ncols(), |i, j| axes.U()[(i, j)]);
        Some(Self { eigenvalues, vectors })
    }

    /// Q in the eigenbasis after `time`, in one step: Q ← e^{Ft}Q R⁻ᵀ with RRᵀ = I + Qᵀφ(F)Q, φ(f) = (e^{2ft} − 1)/(2f);
    /// `None` where that is not positive definite in double precision.
    fn step(&self, q: &DMatrix<f64>, time: f64) -> Option<DMatrix<f64>> {
        let (mut weighted, mut grown) = (q.clone(), q.clone());
        for (i, f) in self.eigenvalues.iter().enumerate() {
            let x = 2.0 * f * time;
            // φ(0) = t; below √ε the next term of its series is beyond 64 bits.
            let phi = if x.abs() < 1e-8 { time * (1.0 + 0.5 * x) } else { x.exp_m1() / (2.0 * f) };
            weighted.row_mut(i).scale_mut(phi);
            grown.row_mut(i).scale_mut((0.5 * x).exp());
        }
        let bracket = DMatrix::identity(q.ncols(), q.ncols()) + q.tr_mul(&weighted);
        let root = bracket.cholesky()?.l();
        Some(root.solve_lower_triangular(&grown.transpose())?.transpose())
    }

    /// The same in sub-steps of at most 1/f_max.
    fn after(&self, q: &DMatrix<f64>, time: f64) -> Option<DMatrix<f64>> {
        let count = self.sub_steps(time);
        (0..count as u64).try_fold(q.clone(), |q, _| self.step(&q, time / count))
    }

    fn sub_steps(&self, time: f64) -> f64 {
        let fastest = self.eigenvalues.iter().fold(0.0_f64, |most, f| most.max(f.abs()));
        (fastest * time).ceil().max(1.0)
    }

    /// [W₁ᵀ; W₂] in the eigenbasis.
    fn stacked(&self, factors: &[DMatrix<f64>]) -> DMatrix<f64> {
        let (inputs, hidden) = (factors[0].ncols(), factors[0].nrows());
        let rows = self.vectors.nrows();
        let entry = |i, j| if i < inputs { factors[0][(j, i)] } else { factors[1][(i - inputs, j)] };
        self.vectors.tr_mul(&DMatrix::from_fn(rows, hidden, entry))
    }

    /// QQᵀ in the original basis.
    fn gram(&self, q: &DMatrix<f64>) -> DMatrix<f64> {
        let q = &self.vectors * q;
        &q * q.transpose()
    }

    fn path(&self, premise: &MatrixPremise<'_>, factors: &[DMatrix<f64>]) -> Prediction {
        let mut points: Vec<_> = reached(premise).filter(|(_, time)| time.is_finite()).collect();
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (mut q, mut now, mut cost) = (self.stacked(factors), 0.0, 0.0);
        let inputs = premise.problem.inputs;
        let mut prediction = Prediction::default();
        for (clock, time) in points {
            cost += self.sub_steps(time - now);
            let next = (cost <= STEPS).then(|| self.after(&q, time - now)).flatten();
            let Some(next) = next else {
                prediction.unmet = Some(format!("{STEPS} sub-steps do not reach the time {time}"));
                break;
            };
            (q, now) = (next, time);
            let gram = self.gram(&q);
            let w = gram.view((inputs, 0), (premise.problem.outputs, inputs)).into_owned();
            prediction.path.push((clock, w.as_slice().to_vec()));
        }
        prediction
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, diagonal, factor_flow, gaussian};

    fn split(case: &MatrixCase, hidden: usize) -> [DMatrix<f64>; 2] {
        let (inputs, outputs) = (case.problem.inputs, case.problem.outputs);
        let (first, second) = case.start.split_at(hidden * inputs);
        [DMatrix::from_column_slice(hidden, inputs, first), DMatrix::from_column_slice(outputs, hidden, second)]
    }

    #[test]
    fn gram_matrices_are_those_of_the_reference() {
        let path = format!("{}/../../tests/references/deep_linear/c08_riccati_qqT.csv", env!("CARGO_MANIFEST_DIR"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        let rows: Vec<(String, f64, usize, usize, f64)> = reader.deserialize().map(Result::unwrap).collect();
        let mut worst = 0.0_f64;
        for (name, hidden, lambda) in [("zero", 4, 0.0), ("pos", 3, 1.5), ("neg", 4, -1.0)] {
            let case = MatrixCase::file("c08_riccati_inputs", &format!("{name}_"), &[hidden]);
            let layers = split(&case, hidden);
            let taut_problem::Observed::Moments(moments) = &case.problem.observed else { unreachable!() };
            let riccati = Riccati::new(&moments.syx, lambda).unwrap();
            let start = riccati.stacked(&layers);
            for (_, t, i, j, value) in rows.iter().filter(|row| row.0 == name) {
                let gram = riccati.gram(&riccati.after(&start, *t).unwrap());
                worst = worst.max((gram[(*i, *j)] - value).abs() / value.abs().max(1e-3));
            }
            let prediction = case.under_flow(&THEORY, &[0.0, 2.0]);
            assert_eq!(prediction.unmet, None, "{name}");
            assert!((prediction.numbers[0].value - lambda).abs() < 1e-12, "{name}");
            let row = rows.iter().find(|r| r.0 == name && r.1 > 1.5 && r.1 < 2.5 && r.2 == 0 && r.3 == 5).unwrap();
            assert!((prediction.path[1].1[0] - row.4).abs() < 1e-10, "{name}");
        }
        // The tolerance of the table.
        assert!(worst < 1e-9, "{worst}");
    }

    #[test]
    fn one_shot_loses_all_digits_and_sub_steps_none() {
        let target = diagonal(&[4.46, 2.0, 1.0, 0.4]);
        let layers = [gaussian(4, 4, 1) * 0.1, gaussian(4, 4, 2) * 0.1];
        let riccati = Riccati::new(&target, 0.0).unwrap();
        let start = riccati.stacked(&layers);
        let error = |time: f64| {
            let exact = riccati.gram(&riccati.after(&start, time).unwrap());
            let once = riccati.step(&start, time);
            once.map_or(f64::INFINITY, |q| (riccati.gram(&q) - exact).amax())
        };
        // 2·4.46·t = 9 and 45: the condition of the bracket is e⁹ and e⁴⁵.
        assert!(error(1.0) < 1e-9, "{}", error(1.0));
        assert!(error(5.0) > 1e-3, "{}", error(5.0));
        // Other sub-steps give the same: the semigroup itself is exact.
        let (coarse, fine) = (riccati.after(&start, 5.0).unwrap(), {
            (0..50).try_fold(start.clone(), |q, _| riccati.after(&q, 0.1)).unwrap()
        });
        assert!((riccati.gram(&coarse) - riccati.gram(&fine)).amax() < 1e-12);
    }

    #[test]
    fn singular_tasks_of_any_shape_are_no_special_case() {
        for (inputs, hidden, outputs) in [(7, 4, 4), (4, 4, 7), (6, 9, 4)] {
            let frame = |rows: usize, draw: u64| gaussian(rows, 3, draw).qr().q();
            let inner = frame(hidden, 3);
            let scalars = diagonal(&[0.3, 0.2, 0.1]);
            let layers =
                [&inner * &scalars * frame(inputs, 4).transpose(), frame(outputs, 5) * &scalars * inner.transpose()];
            let case = MatrixCase::deep(gaussian(outputs, inputs, 6), &layers);
            let times = [0.0, 0.5, 2.0, 6.0];
            let prediction = case.under_flow(&THEORY, &times);
            assert_eq!(prediction.unmet, None);
            for ((_, w), exact) in prediction.path.iter().zip(factor_flow(&case, &layers, &times)) {
                let gap = (DMatrix::from_column_slice(outputs, inputs, w) - exact).norm();
                // The integrator's 1e-13 per step.
                assert!(gap < 1e-10, "{inputs} {hidden} {outputs}: {gap}");
            }
        }
    }

    #[test]
    fn small_random_starts_are_off_by_the_square_of_their_size() {
        let error = |sigma: f64| {
            let layers = [gaussian(5, 5, 7) * sigma, gaussian(5, 5, 8) * sigma];
            let case = MatrixCase::deep(diagonal(&[3.0, 2.0, 1.5, 1.0, 0.5]), &layers);
            let times: Vec<f64> = (0..40).map(|k| 0.5 * f64::from(k)).collect();
            let prediction = case.under_flow(&THEORY, &times);
            assert!(prediction.unmet.is_some());
            let exact = factor_flow(&case, &layers, &times);
            let gap =
                |(w, exact): (&(_, Vec<f64>), &DMatrix<f64>)| (DMatrix::from_column_slice(5, 5, &w.1) - exact).norm();
            prediction.path.iter().zip(&exact).map(gap).fold(0.0, f64::max) / (sigma * sigma)
        };
        let (large, small) = (error(1e-2), error(1e-3));
        assert!((large / small - 1.0).abs() < 0.3 && small < 20.0, "{large} {small}");
    }
}
