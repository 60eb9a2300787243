//! Stopping at time t beside ridge regression with λ = 1/t: never much worse, and not the same.

use crate::extremum::least;
use crate::filter::Filter;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_numerics::last_sign_change;
use taut_problem::{Covariance, Law};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "gradient_flow_against_ridge",
    doc: "exact risk of gradient flow at t over that of ridge regression at λ = 1/t, for this design, in expectation over \
          the noise (label noise and unseen signal), at every save time t > 0, with the largest over these times as \
          `largest_…`: `estimation_risk_ratio` of E|θ − β*|² and `in_sample_risk_ratio` of E|Φ(θ − β*)|²/n are at most \
          `risk_ratio_bound` = max ((1 − e⁻ˣ)(1 + x)/x)² = 1.6859…; so is `out_of_sample_bayes_ratio`, of E|φ·(θ − β*)|² \
          averaged over an isotropic prior with the same r² = |β*|². `out_of_sample_risk_ratio`, of the same for β* as it \
          is, is outside the theorem: it has no bound and may exceed this one. `tuned_bayes_ratio`, best over all t to \
          best over all λ under the prior, is between 1 and `tuned_bayes_bound` = max (1 + x)(e⁻²ˣ + (1 − e⁻ˣ)²/x) = 1.2146…",
    cite: "Ali, Kolter and Tibshirani 2019",
    assumes: "a known law; gradient flow, or descent with ηλ_max ≤ 0.1 read at t = Σηₖ, from zero",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let unmet = premise.not_flow().or_else(|| premise.not_from_zero());
    let setting = match premise.known_law().and_then(|law| Setting::new(premise, law)) {
        Ok(setting) => setting,
        Err(unmet) => return Prediction { unmet: Some(unmet), ..Prediction::default() },
    };
    let mut numbers = vec![
        Number::of_cell("risk_ratio_bound", relative_bound().1.powi(2)),
        Number::of_cell("tuned_bayes_bound", tuned_bound().1),
    ];
    numbers.extend(setting.tuned_bayes_ratio().map(|ratio| Number::of_cell("tuned_bayes_ratio", ratio)));
    let times: Vec<f64> = premise.times.iter().copied().filter(|t| *t > 0.0 && t.is_finite()).collect();
    let ratios: Vec<[f64; 4]> = times.iter().map(|&t| setting.ratios(t)).collect();
    for (i, (ratio, largest)) in RATIOS.into_iter().enumerate() {
        // 0/0 where there is neither signal nor noise, or nothing is left of either.
        let known: Vec<(f64, f64)> =
            times.iter().zip(&ratios).map(|(t, at)| (*t, at[i])).filter(|(_, ratio)| ratio.is_finite()).collect();
        numbers.extend(known.iter().map(|&(t, value)| Number::at(ratio, t, value)));
        let most = known.iter().map(|(_, value)| *value).reduce(f64::max);
        numbers.extend(most.map(|value| Number::of_cell(largest, value)));
    }
    Prediction { unmet, numbers, ..Prediction::default() }
}

/// Names of the ratios and of their largest, in the order of [`Setting::ratios`].
const RATIOS: [(&str, &str); 4] = [
    ("estimation_risk_ratio", "largest_estimation_risk_ratio"),
    ("in_sample_risk_ratio", "largest_in_sample_risk_ratio"),
    ("out_of_sample_risk_ratio", "largest_out_of_sample_risk_ratio"),
    ("out_of_sample_bayes_ratio", "largest_out_of_sample_bayes_ratio"),
];

/// argmax and max of (1 − e⁻ˣ)(1 + x)/x, whose derivative has the sign of 1 + x + x² − eˣ.
fn relative_bound() -> (f64, f64) {
    let x = last_sign_change(1.0, 3.0, |x| x.exp_m1() >= x + x * x);
    (x, -(-x).exp_m1() * (1.0 + x) / x)
}

/// argmax and max of (1 + x)h(x), h = e⁻²ˣ + (1 − e⁻ˣ)²/x, whose derivative is h + (1 + x)h′.
fn tuned_bound() -> (f64, f64) {
    let h = |x: f64| (-2.0 * x).exp() + (-x).exp_m1().powi(2) / x;
    let slope = |x: f64| {
        let learned = -(-x).exp_m1();
        -2.0 * (-2.0 * x).exp() + 2.0 * learned * (-x).exp() / x - (learned / x).powi(2)
    };
    let x = last_sign_change(2.0, 5.0, |x| h(x) + (1.0 + x) * slope(x) <= 0.0);
    (x, (1.0 + x) * h(x))
}

/// Expected risks of one estimator.
struct Risks {
    /// E|θ − β*|².
    estimation: f64,
    /// E|Φ(θ − β*)|²/n.
    in_sample: f64,
    /// E|φ·(θ − β*)|², φ a new row.
    out_of_sample: f64,
    /// The same averaged over β* ~ (0, τ²I).
    bayes: f64,
}

/// A design beside its law, in the design's own axes: curvatures λᵢ > 0 of ΦᵀΦ/n with directions vᵢ,
/// and what no row sees.
struct Setting<'a> {
    law: &'a Law,
    /// λᵢ.
    curvatures: Vec<f64>,
    /// vᵢ as columns, p × rank.
    directions: DMatrix<f64>,
    /// vᵢ·β*.
    coordinates: Vec<f64>,
    /// The part of β* that no row sees.
    unreachable: DVector<f64>,
    /// vᵢᵀΣvᵢ.
    alignments: Vec<f64>,
    /// tr Σ less the alignments: the trace of Σ over the null space of Φ.
    null_trace: f64,
    /// (noise + unseen variance)/n.
    noise_per_sample: f64,
    /// τ² = r²/p.
    prior: f64,
}

impl<'a> Setting<'a> {
    fn new(premise: &Premise<'_>, law: &'a Law) -> Result<Self, String> {
        let (n, p) = premise.problem.design.shape();
        let (curvatures, directions) = axes(&premise.problem.design)?;
        let beta = DVector::from_column_slice(&law.predictor);
        let coordinates = directions.tr_mul(&beta);
        let alignments: Vec<f64> = directions
            .column_iter()
            .map(|v| law.covariance.quadratic(&v.iter().copied().collect::<Vec<_>>()))
            .collect();
        let full = curvatures.len() == p;
        let null_trace = (trace(&law.covariance, p) - alignments.iter().sum::<f64>()).max(0.0);
        Ok(Self {
            law,
            unreachable: if full { DVector::zeros(p) } else { &beta - &directions * &coordinates },
            null_trace: if full { 0.0 } else { null_trace },
            curvatures,
            coordinates: coordinates.as_slice().to_vec(),
            directions,
            alignments,
            noise_per_sample: (law.noise_variance + law.unseen_variance) / n as f64,
            prior: law.signal() / p as f64,
        })
    }

    /// Gradient flow at t over ridge regression at 1/t.
    fn ratios(&self, t: f64) -> [f64; 4] {
        let flow = self.risks(|curvature| Filter::flow(curvature * t));
        let ridge = self.risks(|curvature| Filter::ridge(curvature * t));
        [
            flow.estimation / ridge.estimation,
            flow.in_sample / ridge.in_sample,
            flow.out_of_sample / ridge.out_of_sample,
            flow.bayes / ridge.bayes,
        ]
    }

    /// The estimator Σᵢ gᵢ (vᵢ·θ_LS) vᵢ: bias and variance of every risk.
    fn risks(&self, filter: impl Fn(f64) -> Filter) -> Risks {
        let filters: Vec<Filter> = self.curvatures.iter().map(|c| filter(*c)).collect();
        let left: Vec<f64> = filters.iter().zip(&self.coordinates).map(|(f, c)| f.remaining * c).collect();
        let bias = &self.unreachable + &self.directions * DVector::from_column_slice(&left);
        let mut risks = Risks {
            estimation: self.unreachable.norm_squared(),
            in_sample: 0.0,
            out_of_sample: self.law.covariance.quadratic(bias.as_slice()),
            bayes: self.bayes(&filters),
        };
        for (i, filter) in filters.iter().enumerate() {
            let (squared, curvature) = (left[i] * left[i], self.curvatures[i]);
            let variance = self.noise_per_sample * filter.learned * filter.learned;
            risks.estimation += squared + variance / curvature;
            risks.in_sample += curvature * squared + variance;
            risks.out_of_sample += self.alignments[i] * variance / curvature;
        }
        risks
    }

    /// Out-of-sample risk averaged over the prior.
    fn bayes(&self, filters: &[Filter]) -> f64 {
        let part = |(i, filter): (usize, &Filter)| {
            let variance = self.noise_per_sample * filter.learned * filter.learned / self.curvatures[i];
            self.alignments[i] * (self.prior * filter.remaining * filter.remaining + variance)
        };
        self.prior * self.null_trace + filters.iter().enumerate().map(part).sum::<f64>()
    }

    /// The best of flow over the best of ridge under the prior; none without noise or signal.
    ///
    /// Ridge is best at λ* = s²/(nτ²), for every mode at once. Flow would stop mode i at
    /// ln(1 + λᵢ/λ*)/λᵢ, so the best common time is between the first and the last of these.
    fn tuned_bayes_ratio(&self) -> Option<f64> {
        let optimum = self.noise_per_sample / self.prior;
        let all = |filter: &dyn Fn(f64) -> Filter| {
            self.bayes(&self.curvatures.iter().map(|c| filter(*c)).collect::<Vec<_>>())
        };
        let stops = self.curvatures.iter().map(|c| (c / optimum).ln_1p() / c);
        let (first, last) = stops.fold((f64::INFINITY, 0.0_f64), |(low, high), t| (low.min(t), high.max(t)));
        if !(optimum > 0.0 && optimum.is_finite() && first <= last) {
            return None;
        }
        let (_, flow) = least(first, last, |t| all(&|curvature| Filter::flow(curvature * t)));
        Some(flow / all(&|curvature| Filter::ridge(curvature / optimum)))
    }
}

/// λᵢ > 0 and vᵢ of ΦᵀΦ/n, by faer's decomposition of Φ.
fn axes(design: &DMatrix<f64>) -> Result<(Vec<f64>, DMatrix<f64>), String> {
    let (n, p) = design.shape();
    let svd = faer::MatRef::from_column_major_slice(design.as_slice(), n, p)
        .thin_svd()
        .map_err(|_| format!("the {n} × {p} design has no singular vectors in double precision"))?;
    let (values, v) = (svd.S().column_vector(), svd.V());
    let largest = values.iter().copied().fold(0.0, f64::max);
    let tolerance = n.max(p) as f64 * f64::EPSILON * largest;
    let kept: Vec<usize> = (0..n.min(p)).filter(|&i| values[i] > tolerance).collect();
    let curvatures = kept.iter().map(|&i| values[i] * values[i] / n as f64).collect();
    Ok((curvatures, DMatrix::from_fn(p, kept.len(), |row, i| v[(row, kept[i])])))
}

fn trace(covariance: &Covariance, p: usize) -> f64 {
    match covariance {
        Covariance::Isotropic => p as f64,
        Covariance::Diagonal(variances) => variances.iter().sum(),
        Covariance::Dense(sigma) => sigma.trace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases::{GaussianCase, gaussian_design, problem, under_flow};
    use crate::reference_tables::Table;
    use taut_problem::{Clock, Dynamics};

    const BOUND: f64 = 1.685_909_058_3 * (1.0 + 1e-9);

    fn value(prediction: &Prediction, name: &str) -> f64 {
        prediction.numbers.iter().find(|n| n.quantity == name).unwrap_or_else(|| panic!("{name}")).value
    }

    #[test]
    fn the_constants_have_twelve_digits() {
        let table = Table::read("gf_ridge_constants");
        let (bound, tuned) = (relative_bound(), tuned_bound());
        let ours = [(bound.0, bound.1), (bound.0, bound.1.powi(2)), tuned];
        for (row, (x, value)) in table.rows().iter().zip(ours) {
            assert!((value - row["value"]).abs() < 1e-12, "{row:?}: {value}");
            // The zero of a derivative that is known to 1e-16 with a slope of order 0.1.
            assert!((x - row["argmax_x"]).abs() < 1e-12, "{row:?}: {x}");
        }
    }

    #[test]
    fn estimation_and_in_sample_risk_keep_the_bound_on_random_designs() {
        let times: Vec<f64> = (0..40).map(|i| 10.0_f64.powf(-3.0 + 0.2 * f64::from(i))).collect();
        let mut worst = [0.0_f64; 4];
        let mut tuned = (f64::INFINITY, 0.0_f64);
        for draw in 0..150 {
            let (n, p) = (3 + draw as usize % 17, 2 + (7 * draw as usize) % 23);
            let entry = gaussian_design(p, 3, 1000 + draw);
            let decay = (draw % 4) as f64 * 0.5;
            let scale = |j: usize| ((j + 1) as f64).powf(-decay);
            let mut design = gaussian_design(n, p, draw);
            for (j, mut column) in design.column_iter_mut().enumerate() {
                column *= scale(j);
            }
            let law = Law {
                covariance: Covariance::Diagonal((0..p).map(|j| entry[(j, 2)].exp()).collect()),
                predictor: entry.column(0).iter().copied().collect(),
                noise_variance: 10.0 * entry[(0, 1)].powi(2) * 0.01_f64.powi((draw % 3) as i32),
                unseen_variance: 0.1 * entry[(1, 1)].powi(2) * f64::from((draw % 2) as u8),
            };
            let prediction = under_flow(&THEORY, &problem(&design, Some(law)), &times, &[]);
            assert!(prediction.unmet.is_none());
            for (worst, (_, name)) in worst.iter_mut().zip(RATIOS) {
                *worst = worst.max(value(&prediction, name));
            }
            let ratio = value(&prediction, "tuned_bayes_ratio");
            tuned = (tuned.0.min(ratio), tuned.1.max(ratio));
        }
        assert!(worst[0] <= BOUND && worst[1] <= BOUND && worst[3] <= BOUND, "{worst:?}");
        // Not an empty check: the bound is nearly reached.
        assert!(worst[0] > 1.5, "{worst:?}");
        assert!(tuned.0 >= 1.0 - 1e-12 && tuned.1 <= tuned_bound().1, "{tuned:?}");
    }

    #[test]
    fn a_fixed_signal_out_of_sample_has_no_bound() {
        // A = diag(1, 4), β* = (1, 1), no noise; u is orthogonal to the bias (1/2, 1/5) of ridge at t = 1.
        let root = 2.0_f64.sqrt();
        let design = DMatrix::from_diagonal(&DVector::from_column_slice(&[root, 2.0 * root]));
        let u = DVector::from_column_slice(&[0.2, -0.5]);
        let ratio = |floor: f64| {
            let law = Law {
                covariance: Covariance::Dense(&u * u.transpose() + DMatrix::identity(2, 2) * floor),
                predictor: vec![1.0, 1.0],
                noise_variance: 0.0,
                unseen_variance: 0.0,
            };
            let prediction = under_flow(&THEORY, &problem(&design, Some(law)), &[0.0, 1.0, f64::INFINITY], &[]);
            assert!(prediction.unmet.is_none(), "the assumptions hold; the theorem does not speak of this ratio");
            for name in ["estimation_risk_ratio", "in_sample_risk_ratio", "out_of_sample_bayes_ratio"] {
                assert!(value(&prediction, name) <= BOUND, "{name}");
            }
            let found = prediction.numbers.iter().find(|n| n.quantity == "out_of_sample_risk_ratio").unwrap();
            assert!((found.parameter.unwrap() - 1.0).abs() < 1e-16);
            found.value
        };
        assert!((ratio(1e-3) - 14.777).abs() < 1e-3, "{}", ratio(1e-3));
        assert!(ratio(1e-6) > 1e4);
    }

    #[test]
    fn risks_are_those_of_the_matrix_formula() {
        let (n, p, t) = (6, 9, 1.3);
        let design = gaussian_design(n, p, 5);
        let law = Law {
            covariance: Covariance::Dense({
                let root = gaussian_design(p, p, 6);
                root.tr_mul(&root)
            }),
            predictor: gaussian_design(p, 1, 7).as_slice().to_vec(),
            noise_variance: 0.4,
            unseen_variance: 0.1,
        };
        let beta = DVector::from_column_slice(&law.predictor);
        let Covariance::Dense(sigma) = law.covariance.clone() else { unreachable!("just made dense") };
        let curvature = design.tr_mul(&design) / n as f64;
        let problem = problem(&design, Some(law));
        let (dynamics, start) = (Dynamics::flow(), vec![0.0; p]);
        let premise = Premise {
            problem: &problem,
            dynamics: &dynamics,
            start: &start,
            clocks: &[Clock::Time(t)],
            times: &[t],
            ridge: &[],
        };
        let setting = Setting::new(&premise, problem.law.as_deref().unwrap()).ok().unwrap();
        let risks = setting.risks(|c| Filter::ridge(c * t));
        // Ridge at λ = 1/t as the books write it: θ = (A + λ)⁻¹Φᵀy/n.
        let inverse = (&curvature + DMatrix::identity(p, p) / t).try_inverse().unwrap();
        let bias = &inverse * &beta / t;
        let spread = &inverse * &curvature * &inverse * (0.5 / n as f64);
        let prior = beta.norm_squared() / p as f64;
        for (value, exact) in [
            (risks.estimation, bias.norm_squared() + spread.trace()),
            (risks.in_sample, bias.dot(&(&curvature * &bias)) + (&curvature * &spread).trace()),
            (risks.out_of_sample, bias.dot(&(&sigma * &bias)) + (&sigma * &spread).trace()),
            (risks.bayes, prior * (&sigma * &inverse * &inverse).trace() / (t * t) + (&sigma * &spread).trace()),
        ] {
            // Two routes through well-conditioned 9 × 9 matrices.
            assert!((value / exact - 1.0).abs() < 1e-12, "{value} {exact}");
        }
    }

    #[test]
    fn large_steps_and_unknown_laws_are_said() {
        let case = GaussianCase::predict_without_law(&THEORY);
        assert!(case.unmet.unwrap().contains("4 points") && case.numbers.is_empty());
        let law = Law {
            covariance: Covariance::Isotropic,
            predictor: vec![1.0; 2],
            noise_variance: 1.0,
            unseen_variance: 0.0,
        };
        let problem = problem(&DMatrix::identity(2, 2), Some(law));
        let said = |eta: f64, start: [f64; 2]| {
            let dynamics = Dynamics::descent(eta);
            let (clocks, times) = ([Clock::Step(3)], [3.0 * eta]);
            let premise = Premise {
                problem: &problem,
                dynamics: &dynamics,
                start: &start,
                clocks: &clocks,
                times: &times,
                ridge: &[],
            };
            build(&premise).unmet
        };
        assert!(said(1.0, [0.0; 2]).unwrap().contains("0.5/λ_max"));
        assert!(said(0.1, [0.0; 2]).is_none());
        assert!(said(0.1, [3.0, 4.0]).unwrap().contains("norm is 5"));
    }
}
