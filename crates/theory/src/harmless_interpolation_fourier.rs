//! What aliasing does to signal and noise when sines interpolate points that are equispaced on the circle.

use crate::least_norm_end::missed;
use crate::population::Population;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::DVector;
use taut_numerics::{cos_pi, sin_pi};
use taut_problem::{Clock, Regression, Series};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "harmless_interpolation_fourier",
    doc: "least-norm interpolation of n points that are equispaced on the circle by `fourier` features of weights \
          wⱼ = (1+j)^(−2·decay): harmonic j keeps wⱼ/Aⱼ of its coefficient, with Aⱼ = Σ w|ₖ| over −H ≤ k ≤ H, k ≡ j \
          mod n; the rest goes to its aliases. Survival and loss of a unit signal by harmonic, energy \
          σ²/n·Σₖ(w|ₖ|/Aₖ)² of the fitted noise (σ²/m for n·m features without decay), signal loss and expected risk \
          where the target is known. The fit itself is a row of `trajectory` at time +∞",
    cite: "Muthukumar et al. 2020",
    assumes: "least squares from zero to Φ⁺y; fourier features; points at equal distances 2/n on the circle of length \
              2 (the design `midpoint`; not `equispaced`, whose ends −1 and 1 are one point of the circle)",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let problem = premise.problem;
    let unmet = |reason: String| Prediction { unmet: Some(reason), ..Prediction::default() };
    let Some(sines) = Sines::of(problem) else {
        return unmet("the features are not fourier features of points on a line".to_owned());
    };
    let n = problem.samples();
    let (shortest, longest) = gaps(&problem.x);
    let equal = 2.0 / n as f64;
    if longest - shortest > EQUAL {
        return unmet(format!("gaps on the circle run from {shortest} to {longest}; equal ones would be {equal}"));
    }
    let aliases = sines.aliases(n);
    let mut numbers = by_harmonic(&sines, &aliases, problem.x[0]);
    let mut amplification = 0.0;
    sines.each(n, |class, weight| amplification += (weight / aliases[class]).powi(2) / n as f64);
    numbers.push(Number::of_cell("noise_energy_per_variance", amplification));
    if let Some(population) = Population::of(problem) {
        let fit = sines.fit(&problem.x, population.expected.as_slice(), &aliases);
        let loss = (population.see(&fit) - &population.best).norm_squared() + population.misfit;
        numbers.push(Number::of_cell("signal_loss", loss));
        if let Some(variance) = population.variance {
            numbers.push(Number::of_cell("noise_energy", variance * amplification));
            numbers.push(Number::of_cell("expected_risk", loss + variance * amplification));
        }
    }
    let rank = aliases.iter().filter(|sum| **sum > 0.0).count();
    let fit = sines.fit(&problem.x, &problem.y, &aliases);
    let path = vec![(Clock::Limit, fit.as_slice().to_vec())];
    Prediction { unmet: missed(premise, rank), path, numbers, ..Prediction::default() }
}

/// Gaps differ by this much at most: a dozen roundings of points of order one.
const EQUAL: f64 = 1e-12;

/// Shortest and longest gap between neighbours on the circle of length 2.
fn gaps(x: &[f64]) -> (f64, f64) {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    let around = x[0] + 2.0 - x[x.len() - 1];
    let inside = x.windows(2).map(|pair| pair[1] - pair[0]);
    inside.fold((around, around), |(low, high), gap| (low.min(gap), high.max(gap)))
}

/// √2 cos πjx and √2 sin πjx times dⱼ. Their kernel is Σ w|ₖ| exp(iπk(x − x′)) over −H ≤ k ≤ H with wⱼ = dⱼ²: real
/// sines of least norm are complex exponentials of least norm.
struct Sines {
    /// (number in the orthonormal family, dⱼ) of every feature.
    features: Vec<(usize, f64)>,
    /// wⱼ for j = 0 … H; zero where the feature is left out.
    weights: Vec<f64>,
}

impl Sines {
    fn of(problem: &Regression) -> Option<Self> {
        let expansion = problem.features.expansion().filter(|_| !problem.x.is_empty())?;
        let Series::Fourier { harmonics } = expansion.series else { return None };
        let mut weights = vec![0.0; harmonics + 1];
        let mut features = Vec::new();
        for row in expansion.coefficients.chunks(expansion.series.len()) {
            let own = row.iter().position(|scale| *scale > 0.0)?;
            features.push((own, row[own]));
            weights[own.div_ceil(2)] = row[own] * row[own];
        }
        Some(Self { features, weights })
    }

    /// Calls `term`(k mod n, w|ₖ|) for every −H ≤ k ≤ H that is there.
    fn each(&self, n: usize, mut term: impl FnMut(usize, f64)) {
        for (j, weight) in self.weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            term(j % n, *weight);
            if j > 0 {
                term((n - j % n) % n, *weight);
            }
        }
    }

    /// A of every residue class mod n.
    fn aliases(&self, n: usize) -> Vec<f64> {
        let mut sums = vec![0.0; n];
        self.each(n, |class, weight| sums[class] += weight);
        sums
    }

    /// θ = (dⱼ/Aⱼ)(√2/n)Σᵢ yᵢ cos πjxᵢ, with sin for sines and 1 for √2 cos at the constant: the discrete Fourier
    /// transform, shared out among aliases by their weights.
    fn fit(&self, x: &[f64], y: &[f64], aliases: &[f64]) -> DVector<f64> {
        let n = x.len();
        let of_feature = |&(own, scale): &(usize, f64)| {
            let j = own.div_ceil(2);
            let value = |x: f64| match own {
                0 => 1.0,
                own if own % 2 == 1 => std::f64::consts::SQRT_2 * cos_pi(j as f64 * x),
                _ => std::f64::consts::SQRT_2 * sin_pi(j as f64 * x),
            };
            let transform: f64 = x.iter().zip(y).map(|(x, y)| y * value(*x)).sum();
            scale / aliases[j % n] * transform / n as f64
        };
        DVector::from_iterator(self.features.len(), self.features.iter().map(of_feature))
    }
}

/// Survival of cosine and sine, and the mean square error of the fit of a unit signal, up to harmonic n/2.
///
/// At 2j ≡ 0 mod n harmonics j and −j are aliases of each other: the grid sees only one phase of them, whose survival
/// is doubled, and that of the other phase is zero.
fn by_harmonic(sines: &Sines, aliases: &[f64], origin: f64) -> Vec<Number> {
    let n = aliases.len();
    let mut out = Vec::new();
    for (j, &weight) in sines.weights.iter().enumerate().take(n / 2 + 1).filter(|(_, weight)| **weight > 0.0) {
        let kept = weight / aliases[j % n];
        let folded = j > 0 && 2 * j % n == 0;
        let turn = if folded { cos_pi(2.0 * j as f64 * origin) } else { 0.0 };
        out.push(Number::at("survival_of_cosine", j as f64, kept * (1.0 + turn)));
        if j > 0 {
            out.push(Number::at("survival_of_sine", j as f64, kept * (1.0 - turn)));
        }
        if !folded {
            let mut spread = 0.0;
            sines.each(n, |class, w| spread += if class == j % n { (w / aliases[class]).powi(2) } else { 0.0 });
            out.push(Number::at("unit_signal_loss", j as f64, 1.0 - 2.0 * kept + spread));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::singular_modes::SingularModes;
    use taut_problem::{Dynamics, Features, Finite, Fourier, Harmonics, NonNegative, Target};

    fn problem(n: usize, harmonics: f64, decay: f64, origin: f64, constant: bool) -> Regression {
        let features = Features::Fourier(Fourier {
            harmonics: Harmonics::try_from(harmonics).unwrap(),
            decay: NonNegative::try_from(decay).unwrap(),
            constant,
        });
        let x: Vec<f64> = (0..n).map(|i| origin + 2.0 * i as f64 / n as f64).collect();
        let y = x.iter().map(|x| (3.0 * x).sin() + x * x).collect();
        let frequency = |f: f64| Finite::try_from(f).unwrap();
        let target = Target::Sine { amplitude: frequency(1.0), frequency: frequency(2.0), phase: frequency(0.3) };
        Regression {
            noise_variance: Some(0.25),
            ..Regression::new(x, y, Some(target), features.on_curve().expect("a map of one input"))
        }
    }

    fn predict(problem: &Regression) -> Prediction {
        let start = vec![0.0; problem.feature_count()];
        let dynamics = Dynamics::flow();
        build(&Premise { problem, dynamics: &dynamics, start: &start, clocks: &[], times: &[], ridge: &[] })
    }

    fn number(prediction: &Prediction, quantity: &str, parameter: Option<f64>) -> f64 {
        let same = |n: &&Number| n.quantity == quantity && n.parameter.map(f64::to_bits) == parameter.map(f64::to_bits);
        prediction.numbers.iter().find(same).expect(quantity).value
    }

    /// Even and odd n, more and fewer features than points, phases of the grid other than the midpoints'.
    fn all() -> Vec<Regression> {
        let mut out = Vec::new();
        for (n, harmonics) in [(10, 25.0), (9, 40.0), (12, 6.0), (8, 4.0), (20, 5.0), (10, 5.0)] {
            for (decay, constant) in [(0.0, true), (2.0, true), (1.0, false)] {
                for origin in [-1.0 + 1.0 / n as f64, -1.0, -0.987] {
                    out.push(problem(n, harmonics, decay, origin, constant));
                }
            }
        }
        out
    }

    #[test]
    fn the_fit_is_the_dense_solution_of_least_norm() {
        for problem in all() {
            let prediction = predict(&problem);
            assert_eq!(prediction.unmet, None);
            let dense = SingularModes::of(&problem.design).unwrap().solve(&DVector::from_column_slice(&problem.y));
            let got = DVector::from_column_slice(&prediction.path[0].1);
            // Coefficients of order one; the design has a condition below a thousand.
            assert!((&got - &dense).amax() < 1e-12, "{} of {}", (got - dense).amax(), problem.samples());
        }
    }

    #[test]
    fn survival_is_what_is_left_of_a_true_coefficient() {
        for problem in all() {
            let (n, prediction) = (problem.samples(), predict(&problem));
            let modes = SingularModes::of(&problem.design).unwrap();
            let first = problem.feature_count() % 2;
            for j in 1..=(n / 2).min(problem.feature_count() / 2) {
                for (offset, quantity) in [(0, "survival_of_cosine"), (1, "survival_of_sine")] {
                    let column = first + 2 * (j - 1) + offset;
                    let survived = modes.solve(&problem.design.column(column).into_owned())[column];
                    let predicted = number(&prediction, quantity, Some(j as f64));
                    assert!((survived - predicted).abs() < 1e-12, "{quantity} {j} of {n}: {survived} {predicted}");
                }
            }
        }
    }

    #[test]
    fn equal_weights_leave_one_in_m_of_signal_and_noise() {
        // 15 points, 45 = 3·15 features.
        let prediction = predict(&problem(15, 22.0, 0.0, -1.0, true));
        assert!((number(&prediction, "survival_of_cosine", Some(3.0)) - 1.0 / 3.0).abs() < 1e-15);
        assert!((number(&prediction, "unit_signal_loss", Some(3.0)) - 2.0 / 3.0).abs() < 1e-15);
        assert!((number(&prediction, "noise_energy", None) - 0.25 / 3.0).abs() < 1e-15);
        assert!((number(&prediction, "signal_loss", None) - 0.5 * 2.0 / 3.0).abs() < 1e-14);
    }

    #[test]
    fn signal_and_noise_add_up_to_the_expected_risk_of_least_squares() {
        for problem in all() {
            let start = vec![0.0; problem.feature_count()];
            let dynamics = Dynamics::flow();
            let premise =
                Premise { problem: &problem, dynamics: &dynamics, start: &start, clocks: &[], times: &[], ridge: &[] };
            let general = crate::expected_risk_of_least_squares::THEORY.of_rows(&premise);
            let (a, b) = (predict(&problem), general);
            let (a, b) = (number(&a, "expected_risk", None), number(&b, "expected_risk", None));
            assert!((a / b - 1.0).abs() < 1e-11, "{a} {b}");
        }
    }

    #[test]
    fn ends_that_are_one_point_of_the_circle_are_refused_with_numbers() {
        let mut doubled = problem(5, 8.0, 0.0, -1.0, true);
        doubled.x = vec![-1.0, -0.5, 0.0, 0.5, 1.0];
        let reason = predict(&doubled).unmet.unwrap();
        assert_eq!(reason, "gaps on the circle run from 0 to 0.5; equal ones would be 0.4");
    }
}
