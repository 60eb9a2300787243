//! How fast each singular value of the product sets out.

use crate::factored_start::{factors, not_balanced, product};
use crate::singular_modes::SingularModes;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_problem::{MatrixProblem, Motion, Observed};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "singular_value_flow",
    doc: "dσᵣ/dt = −N(σᵣ²)^(1−1/N)⟨∇L(W), uᵣvᵣᵀ⟩ at the start, for each singular value σᵣ > 0 of W = W_N⋯W₁ in \
          descending order: `initial_singular_value` and `singular_value_rate` at r = 1, 2, … (at most 100). \
          Large values move fast and small ones hardly, the more so the deeper",
    cite: "Arora, Cohen, Hu and Luo 2019",
    assumes: "a deep linear network from a balanced start, gradient flow (descent: per training time, up to O(η)); any \
              loss of the product",
    build: Build::Matrix(build),
};

/// Values shown.
const MOST: usize = 100;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let factors = match factors(premise) {
        Ok(factors) => factors,
        Err(reason) => return Prediction::silent(reason),
    };
    let w = product(&factors);
    let Some(modes) = SingularModes::of(&w).filter(|modes| modes.rank() > 0) else {
        return Prediction::silent("the product is zero at the start: no singular value has a direction");
    };
    let pull = gradient(premise.problem, &w);
    let n = factors.len() as f64;
    let numbers = (0..modes.rank().min(MOST)).flat_map(|r| {
        let along = modes.u.column(r).dot(&(&pull * modes.v.column(r)));
        let sigma = modes.s[r];
        let rate = -n * sigma.powf(2.0 - 2.0 / n) * along;
        let r = (r + 1) as f64;
        [Number::at("initial_singular_value", r, sigma), Number::at("singular_value_rate", r, rate)]
    });
    let moved = premise.dynamics;
    let plain = matches!(moved.motion, Motion::Flow | Motion::Descent) && moved.only_schedule();
    let other = (!plain).then(|| "the motion is neither flow nor descent on the loss alone".to_owned());
    Prediction { numbers: numbers.collect(), unmet: not_balanced(&factors).or(other), ..Prediction::default() }
}

/// ∂L/∂W.
fn gradient(problem: &MatrixProblem, w: &DMatrix<f64>) -> DMatrix<f64> {
    let away = match &problem.observed {
        Observed::Moments(moments) => moments.sxx.as_ref().map_or_else(|| w.clone(), |sxx| w * sxx),
        Observed::Entries(entries) => {
            let mut seen = DMatrix::zeros(w.nrows(), w.ncols());
            entries.observed.iter().for_each(|&place| seen.as_mut_slice()[place] = w.as_slice()[place]);
            seen
        }
        Observed::Measurements(measurements) => {
            let a = &measurements.matrices;
            let sum = a.tr_mul(&(a * DVector::from_column_slice(w.as_slice())));
            DMatrix::from_column_slice(w.nrows(), w.ncols(), sum.as_slice())
        }
    };
    away - problem.pull_at_zero()
}
