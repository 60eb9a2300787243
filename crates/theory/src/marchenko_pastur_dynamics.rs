//! Risk against training time on many isotropic features.

use crate::extremum::least;
use crate::filter::Filter;
use crate::isotropic_ridge_risk::Proportional;
use crate::marchenko_pastur::MarchenkoPastur;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use taut_problem::{Clock, Law, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "marchenko_pastur_dynamics",
    doc: "test_error along the path in the limit n, p → ∞ at γ = p/n: unseen + |θ₀ − β*|²[∫e^(−2st)dF + (1 − 1/γ)₊] + \
          s²γ∫(1 − e^(−st))²/s dF, with s² = noise + unseen variance and the law F of Marchenko and Pastur; descent with \
          a constant step size has (1 − ηs)ᵏ for e^(−st). Rows of `trajectory` in the column `test_error`. Best along \
          gradient flow: `optimal_stopping_time`, `optimal_stopping_test_error`; beside it `optimal_ridge_test_error`. \
          All noise-free: the error on noisy values is larger by the noise variance",
    cite: "Advani and Saxe 2017",
    assumes: "independent standardized features (Σ = I), a known law, n and p large; gradient flow, or descent with a \
              constant stable step size, or descent with ηλ_max ≤ 0.1 and any schedule, read at Σηₖ",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let law = match premise.isotropic_law() {
        Ok(law) => law,
        Err(unmet) => return Prediction { unmet: Some(unmet), ..Prediction::default() },
    };
    let path = Path::new(premise, law);
    let (time, best) = path.best();
    let ridge = path.limit.unseen + path.limit.ridge(path.limit.optimal_lambda());
    let unmet = premise.not_decaying().or_else(|| beyond_the_edge(premise, path.limit.ratio));
    let mut prediction = Prediction {
        numbers: vec![
            Number::of_cell("optimal_stopping_time", time),
            Number::of_cell("optimal_stopping_test_error", best),
            Number::of_cell("optimal_ridge_test_error", ridge),
        ],
        ..Prediction::default()
    };
    if unmet.is_none() {
        prediction.curves = premise.test_error_curve(|clock, time| path.at(premise, clock, time));
    }
    prediction.unmet = unmet;
    prediction
}

/// Why descent is unstable at the upper edge (1 + √γ)² of the limiting spectrum.
fn beyond_the_edge(premise: &Premise<'_>, ratio: f64) -> Option<String> {
    let edge = (1.0 + ratio.sqrt()) * (1.0 + ratio.sqrt());
    let eta = premise.dynamics.step_size;
    (premise.dynamics.motion != Motion::Flow && eta * edge >= 2.0)
        .then(|| format!("step size {eta} is not below 2/(1 + √γ)² = {} at γ = {ratio}", 2.0 / edge))
}

/// The risk of a path that starts at |θ₀ − β*|².
struct Path {
    limit: Proportional,
    distance: f64,
    spectrum: MarchenkoPastur,
}

impl Path {
    fn new(premise: &Premise<'_>, law: &Law) -> Self {
        let limit = Proportional::new(premise, law);
        Self { limit, distance: premise.initial_distance(law), spectrum: MarchenkoPastur::new(limit.ratio) }
    }

    fn at(&self, premise: &Premise<'_>, clock: Clock, time: f64) -> f64 {
        if time.is_infinite() {
            return self.end();
        }
        let (bias, variance) = self.parts(|s| Filter::at(premise, s, clock, time));
        self.limit.unseen + bias + variance
    }

    fn under_flow(&self, time: f64) -> f64 {
        let (bias, variance) = self.parts(|s| Filter::flow(s * time));
        self.limit.unseen + bias + variance
    }

    /// t = ∞, where the integral over small s does not converge at γ = 1.
    fn end(&self) -> f64 {
        self.limit.unseen + Proportional { signal: self.distance, ..self.limit }.ridgeless()
    }

    /// Bias and variance once modes have come this far.
    fn parts(&self, filter: impl Fn(f64) -> Filter) -> (f64, f64) {
        let bias = self.spectrum.at_zero + self.spectrum.integral(|s| filter(s).remaining.powi(2));
        let variance = self.spectrum.integral(|s| filter(s).learned.powi(2) / s);
        (self.distance * bias, self.limit.noise * self.limit.ratio * variance)
    }

    /// The best time of gradient flow and the error then.
    ///
    /// A mode alone is best at ln(1 + τs)/s with τ = |θ₀ − β*|²/(s²γ), which falls from τ at s = 0: before
    /// the time of the fastest mode all modes improve, after τ none does.
    fn best(&self) -> (f64, f64) {
        let tau = self.distance / (self.limit.noise * self.limit.ratio);
        if self.distance <= 0.0 {
            return (0.0, self.limit.unseen);
        }
        if tau.is_infinite() {
            return (f64::INFINITY, self.end());
        }
        let edge = (1.0 + self.limit.ratio.sqrt()) * (1.0 + self.limit.ratio.sqrt());
        least((tau * edge).ln_1p() / edge, tau, |t| self.under_flow(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases::{GaussianCase, gaussian_design, problem};
    use crate::reference_tables::Table;
    use taut_problem::{Covariance, Dynamics};

    fn path(ratio: f64, signal: f64, noise: f64) -> Path {
        let limit = Proportional { ratio, signal, noise, unseen: 0.0 };
        Path { limit, distance: signal, spectrum: MarchenkoPastur::new(ratio) }
    }

    #[test]
    fn agrees_with_the_integrals_to_nine_digits() {
        let mut worst = 0.0_f64;
        for row in Table::read("mp_training_dynamics").rows() {
            let path = path(row["gamma"], 1.0, 1.0 / row["snr"]);
            let (bias, variance) = path.parts(|s| Filter::flow(s * row["t"]));
            for (value, name) in [(bias, "bias"), (variance, "variance"), (bias + variance, "excess_risk")] {
                // A part below 1e-12 of the whole is known to no more digits than the whole.
                worst = worst.max((value - row[name]).abs() / row[name].abs().max(1e-12 * row["excess_risk"]));
            }
        }
        assert!(worst < 1e-9, "{worst}");
    }

    #[test]
    fn the_best_time_and_risk_are_those_of_the_table() {
        for row in Table::read("mp_optimal_stopping").rows() {
            let path = path(row["gamma"], 1.0, 1.0 / row["snr"]);
            let (time, best) = path.best();
            // What the table is good for: 1e-9 in risk, about 1e-5 in time.
            assert!((time / row["t_opt"] - 1.0).abs() < 1e-4, "{row:?}: {time}");
            assert!((best / row["excess_gf_opt"] - 1.0).abs() < 1e-9, "{row:?}: {best}");
            let ridge = path.limit.ridge(path.limit.optimal_lambda());
            assert!((ridge / row["excess_ridge_opt"] - 1.0).abs() < 1e-9, "{row:?}: {ridge}");
            assert!((best / ridge / row["ratio"] - 1.0).abs() < 2e-9, "{row:?}");
        }
    }

    #[test]
    fn the_path_runs_from_the_start_to_the_ridgeless_solution() {
        for ratio in [0.3, 0.98, 1.05, 3.0] {
            let path = path(ratio, 2.0, 0.4);
            assert!((path.under_flow(0.0) - 2.0).abs() < 1e-13);
            // Quadrature with geometric convergence, against a pole 1e-4 from the axis.
            assert!((path.under_flow(1e9) / path.end() - 1.0).abs() < 1e-11, "{ratio}");
        }
        let threshold = path(1.0, 1.0, 0.1);
        assert!(threshold.end().is_infinite());
        // At γ = 1 the variance grows as √t, without bound: ×10 for ×100 in time.
        let growth = threshold.under_flow(1e12) / threshold.under_flow(1e10);
        assert!((growth / 10.0 - 1.0).abs() < 1e-3, "{growth}");
    }

    #[test]
    fn small_steps_of_descent_are_flow_and_large_ones_have_their_own_filter() {
        let law = Law {
            covariance: Covariance::Isotropic,
            predictor: vec![0.3; 8],
            noise_variance: 0.5,
            unseen_variance: 0.1,
        };
        let problem = problem(&gaussian_design(16, 8, 0), Some(law));
        let clocks = [Clock::Step(0), Clock::Step(20), Clock::Step(2_000_000), Clock::Limit];
        let predict = |eta: f64| {
            let dynamics = Dynamics::descent(eta);
            let times = dynamics.times(&clocks);
            let premise = Premise {
                problem: &problem,
                dynamics: &dynamics,
                start: &[0.0; 8],
                clocks: &clocks,
                times: &times,
                ridge: &[],
            };
            build(&premise)
        };
        let small = predict(1e-6);
        let flow = path(0.5, 0.72, 0.6).under_flow(2.0) + 0.1;
        // Descent with η departs from flow by order ηs.
        assert!((small.curves[2].2 / flow - 1.0).abs() < 1e-5);
        let large = predict(0.3);
        assert!(large.unmet.is_none());
        let exact = path(0.5, 0.72, 0.6).parts(|s| Filter::descent(0.3 * s, 20));
        assert!((large.curves[1].2 - (0.1 + exact.0 + exact.1)).abs() < 1e-14);
        assert!((large.curves[3].2 - (0.1 + 0.6)).abs() < 1e-14);
        let unstable = predict(5.0);
        assert!(unstable.unmet.unwrap().contains("step size 5") && unstable.curves.is_empty());
    }

    #[test]
    fn without_noise_one_never_stops() {
        let case = GaussianCase { samples: 10, predictor: vec![0.5; 20], noise: 0.0, unseen: 0.0 };
        let prediction = case.predict_at(&THEORY, &[0.0, f64::INFINITY]);
        assert!(prediction.numbers[0].value.is_infinite());
        assert!((prediction.curves[1].2 - 2.5).abs() < 1e-14);
        assert!(GaussianCase::predict_without_law(&THEORY).curves.is_empty());
    }
}
