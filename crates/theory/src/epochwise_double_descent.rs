//! Double descent in training time: fast and slow features that overfit one after the other.

use crate::filter::Filter;
use crate::principal_axes::principal_axes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use taut_numerics::last_sign_change;
use taut_problem::{Clock, Motion};

/// Samples per feature from which the formula is taken to be good; it neglects terms of order p/n.
const SAMPLES_PER_FEATURE: f64 = 20.0;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "epochwise_double_descent",
    doc: "test_error along the path for n much larger than p, feature by feature: unseen + Σⱼ[lⱼdⱼ²(1 − ηlⱼ)²ᵏ + \
          (s²/n)(1 − (1 − ηlⱼ)ᵏ)²] with the variances lⱼ, d = θ₀ − β* along the principal axes and \
          s² = noise + unseen variance; flow has e^(−lt) for (1 − ηl)ᵏ. Rows of `trajectory` in the column `test_error`. \
          `local_minimum_test_error` and `local_maximum_test_error` at the training times t = ηk where the curve turns. \
          Noise-free: the error on noisy values is larger by the noise variance",
    cite: "Heckel and Yilmaz 2020; Pezeshki, Mitra, Bengio and Lajoie 2021",
    assumes: "features with known variances, independent along the principal axes, and n ≥ 20p; gradient flow, or descent \
              with a constant stable step size, or descent with ηλ_max ≤ 0.1 and any schedule, read at Σηₖ",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let path = match Path::new(premise) {
        Ok(path) => path,
        Err(unmet) => return Prediction { unmet: Some(unmet), ..Prediction::default() },
    };
    if let Some(unmet) = premise.not_decaying() {
        return Prediction { unmet: Some(unmet), ..Prediction::default() };
    }
    let error = |clock: Clock, time: f64| {
        path.test_error(|feature| Filter::at(premise, path.features[feature].variance, clock, time))
    };
    Prediction {
        unmet: too_few_samples(premise),
        curves: premise.test_error_curve(error),
        numbers: path.turns(&path.rates(premise)),
        ..Prediction::default()
    }
}

fn too_few_samples(premise: &Premise<'_>) -> Option<String> {
    let (n, p) = (premise.problem.samples(), premise.problem.feature_count());
    let ratio = n as f64 / p as f64;
    (ratio < SAMPLES_PER_FEATURE).then(|| {
        format!("n/p = {n}/{p} = {ratio}: terms of order p/n are neglected, n/p ≥ {SAMPLES_PER_FEATURE} is asked")
    })
}

/// A feature along a principal axis.
struct Feature {
    /// lⱼ.
    variance: f64,
    /// dⱼ = θ₀ − β*.
    distance: f64,
}

/// What shapes the path.
struct Path {
    features: Vec<Feature>,
    /// s²/n.
    noise_per_sample: f64,
    unseen: f64,
}

impl Path {
    fn new(premise: &Premise<'_>) -> Result<Self, String> {
        let law = premise.known_law()?;
        let away: Vec<f64> = premise.start.iter().zip(&law.predictor).map(|(start, beta)| start - beta).collect();
        let axes = principal_axes(law, &away)?;
        Ok(Self {
            features: axes.into_iter().map(|(variance, distance)| Feature { variance, distance }).collect(),
            noise_per_sample: (law.noise_variance + law.unseen_variance) / premise.problem.samples() as f64,
            unseen: law.unseen_variance,
        })
    }

    /// The error once the j-th feature has come as far as `filter(j)` says; each may go at a pace of its own.
    fn test_error(&self, filter: impl Fn(usize) -> Filter) -> f64 {
        let part = |(j, feature): (usize, &Feature)| {
            let Filter { remaining, learned } = filter(j);
            feature.variance * (feature.distance * remaining).powi(2) + self.noise_per_sample * learned * learned
        };
        self.unseen + self.features.iter().enumerate().map(part).sum::<f64>()
    }

    /// ρⱼ with (1 − ηlⱼ)ᵏ = exp(−ρⱼt) at t = ηk. A step that jumps over the minimum has none: infinite.
    fn rates(&self, premise: &Premise<'_>) -> Vec<f64> {
        let eta = premise.dynamics.step_size;
        let compound = premise.dynamics.motion != Motion::Flow && premise.dynamics.is_constant();
        let rate = |feature: &Feature| match eta * feature.variance {
            _ if !compound => feature.variance,
            x if x < 1.0 => -(-x).ln_1p() / eta,
            _ => f64::INFINITY,
        };
        self.features.iter().map(rate).collect()
    }

    /// Where the curve turns, if every feature decays smoothly.
    fn turns(&self, rates: &[f64]) -> Vec<Number> {
        let (fastest, slowest) = rates
            .iter()
            .filter(|rate| **rate > 0.0)
            .fold((0.0_f64, f64::INFINITY), |(high, low), &rate| (high.max(rate), low.min(rate)));
        if fastest <= 0.0 || fastest.is_infinite() {
            return Vec::new();
        }
        // No feature moves before the first of these times, and none after the last.
        let (first, last) = (1e-6 / fastest, 40.0 / slowest);
        let count = 40.0 * (last / first).log10().ceil();
        let grid = (0..=count as usize).map(|i| first * (last / first).powf(i as f64 / count));
        let signs: Vec<(f64, bool)> = grid
            .map(|t| (t, self.slope(rates, t)))
            .filter(|(_, slope)| slope.abs() > 0.0)
            .map(|(t, slope)| (t, slope > 0.0))
            .collect();
        let turn = |pair: &[(f64, bool)]| {
            let (before, after) = (pair[0], pair[1]);
            (before.1 != after.1).then(|| {
                let time = last_sign_change(before.0, after.0, |t| (self.slope(rates, t) > 0.0) == after.1);
                let quantity = if after.1 { "local_minimum_test_error" } else { "local_maximum_test_error" };
                Number::at(quantity, time, self.test_error(|j| Filter::flow(rates[j] * time)))
            })
        };
        signs.windows(2).filter_map(turn).collect()
    }

    /// Half the derivative of the error by time.
    fn slope(&self, rates: &[f64], time: f64) -> f64 {
        let part = |(feature, &rate): (&Feature, &f64)| {
            let Filter { remaining, learned } = Filter::flow(rate * time);
            rate * remaining
                * (self.noise_per_sample * learned - feature.variance * feature.distance.powi(2) * remaining)
        };
        self.features.iter().zip(rates).map(part).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases::{GaussianCase, gaussian_design, problem};
    use crate::reference_tables::Table;
    use nalgebra::DMatrix;
    use taut_problem::{Covariance, Dynamics, Law};

    const ETA: f64 = 0.01;

    /// 40 fast features, 2 slow ones with large coefficients, s²/n = 0.1.
    fn fast_and_slow() -> Path {
        let group = |count, variance, distance| (0..count).map(move |_| Feature { variance, distance });
        let features = group(40, 1.0, 0.5).chain(group(2, 0.001, 40.0)).collect();
        Path { features, noise_per_sample: 0.1, unseen: 0.0 }
    }

    fn law(samples: usize) -> Law {
        let path = fast_and_slow();
        Law {
            covariance: Covariance::Diagonal(path.features.iter().map(|f| f.variance).collect()),
            predictor: path.features.iter().map(|f| f.distance).collect(),
            noise_variance: 0.1 * samples as f64,
            unseen_variance: 0.0,
        }
    }

    #[test]
    fn agrees_with_sixty_digits_for_equal_and_for_rescaled_steps() {
        let path = fast_and_slow();
        // A feature alone is best once (1 − ηl)ᵏ = 1/(1 + ld²/(s²/n)). The fast group's step is cut so that
        // it gets there when the slow group does: 4.421715947665057e-6.
        let excess = |j: usize| (path.features[j].variance * path.features[j].distance.powi(2) / 0.1).ln_1p();
        let slow_optimum = excess(41) / -(-ETA * path.features[41].variance).ln_1p();
        let cut_step = -(-excess(0) / slow_optimum).exp_m1();
        assert!((cut_step / 4.421_715_947_665_057e-6 - 1.0).abs() < 1e-14);
        let rescaled = |j: usize| if j < 40 { cut_step } else { ETA };
        for row in Table::read("epochwise_dd").rows() {
            let steps = row["t"] as u64;
            let equal = path.test_error(|j| Filter::descent(ETA * path.features[j].variance, steps));
            let cut = path.test_error(|j| Filter::descent(rescaled(j) * path.features[j].variance, steps));
            // Sums of 42 positive terms, powers with exponents up to 1e6 or so: 1e-12 is what is asked.
            assert!((equal / row["risk_equal_steps"] - 1.0).abs() < 1e-12, "{steps}: {equal}");
            assert!((cut / row["risk_steps_rescaled"] - 1.0).abs() < 1e-12, "{steps}: {cut}");
        }
    }

    #[test]
    fn the_error_falls_rises_and_falls_again() {
        let samples = 4000;
        let problem = problem(&gaussian_design(samples, 42, 0), Some(law(samples)));
        let dynamics = Dynamics::descent(ETA);
        let clocks = [Clock::Step(0), Clock::Step(1), Clock::Limit];
        let times = dynamics.times(&clocks);
        let premise = Premise {
            problem: &problem,
            dynamics: &dynamics,
            start: &[0.0; 42],
            clocks: &clocks,
            times: &times,
            ridge: &[],
        };
        let prediction = build(&premise);
        assert!(prediction.unmet.is_none());
        assert!((prediction.curves[0].2 - 13.2).abs() < 1e-12 && (prediction.curves[2].2 - 4.2).abs() < 1e-12);
        let turns: Vec<(&str, f64, f64)> = prediction
            .numbers
            .iter()
            .map(|n| (n.quantity, (n.parameter.unwrap() / ETA).round(), (n.value * 1e3).round()))
            .collect();
        // The best and worst whole numbers of steps, by the formula in 40 digits.
        let expected = [
            ("local_minimum_test_error", 125.0, 6049.0),
            ("local_maximum_test_error", 711.0, 7149.0),
            ("local_minimum_test_error", 283_320.0, 4188.0),
        ];
        assert_eq!(turns, expected);
    }

    #[test]
    fn a_turned_covariance_gives_the_same_curve() {
        let (samples, turn) = (60, 0.6_f64);
        let rotation = DMatrix::from_row_slice(2, 2, &[turn.cos(), -turn.sin(), turn.sin(), turn.cos()]);
        let variances = DMatrix::from_row_slice(2, 2, &[2.0, 0.0, 0.0, 0.1]);
        let beta = nalgebra::DVector::from_column_slice(&[1.0, -3.0]);
        let straight = Law {
            covariance: Covariance::Diagonal(vec![2.0, 0.1]),
            predictor: beta.as_slice().to_vec(),
            noise_variance: 0.5,
            unseen_variance: 0.2,
        };
        let turned = Law {
            covariance: Covariance::Dense(&rotation * variances * rotation.transpose()),
            predictor: (&rotation * beta).as_slice().to_vec(),
            ..straight.clone()
        };
        let curve = |law: Law| {
            let problem = problem(&gaussian_design(samples, 2, 0), Some(law));
            crate::gaussian_cases::under_flow(&THEORY, &problem, &[0.0, 0.7, 20.0, f64::INFINITY], &[]).curves
        };
        for (a, b) in curve(straight).iter().zip(curve(turned)) {
            // Rounding of a 2 × 2 decomposition.
            assert!((a.2 / b.2 - 1.0).abs() < 1e-13);
        }
    }

    #[test]
    fn few_samples_per_feature_are_said() {
        let case = GaussianCase { samples: 30, predictor: vec![0.5; 10], noise: 0.1, unseen: 0.0 };
        assert!(case.predict_at(&THEORY, &[1.0]).unmet.unwrap().contains("30/10 = 3"));
        assert!(GaussianCase::predict_without_law(&THEORY).curves.is_empty());
    }
}
