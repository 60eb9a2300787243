//! What least squares is expected to cost, over the noise on the labels.

use crate::least_norm_end::missed;
use crate::population::Population;
use crate::singular_modes::SingularModes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "expected_risk_of_least_squares",
    doc: "mean over label noise of variance σ² of the `risk` (curves) or `test_error` of the least-norm fit at these \
          points: squared bias E(φ·Φ⁺f* − f*)², variance σ² Σᵢ E(φ·vᵢ)²/sᵢ², and their sum; signal that the features \
          do not see adds to the bias and to σ²",
    cite: "Hastie et al. 2019",
    assumes: "least squares; the target or the law is known, and with it the noise variance; a motion from zero that \
              ends at Φ⁺y. An expectation over noise: one draw scatters around it",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let unmet = |reason: &str| Prediction { unmet: Some(reason.to_owned()), ..Prediction::default() };
    let Some(modes) = SingularModes::of(&premise.problem.design) else {
        return unmet("the design has no singular vectors");
    };
    let Some(population) = Population::of(premise.problem) else {
        return unmet("neither the law of the inputs nor the target is known");
    };
    let bias =
        (population.see(&modes.solve(&population.expected)) - &population.best).norm_squared() + population.misfit;
    let energies = population.energies(&modes.v);
    let amplification: f64 = energies.iter().zip(&modes.s).map(|(e, s)| e / (s * s)).sum();
    let mut numbers =
        vec![Number::of_cell("expected_bias", bias), Number::of_cell("expected_variance_per_noise", amplification)];
    let Some(variance) = population.variance else {
        let unmet = Some("the variance of the noise on the labels is not known".to_owned());
        return Prediction { unmet, numbers, ..Prediction::default() };
    };
    numbers.push(Number::of_cell("expected_variance", variance * amplification));
    numbers.push(Number::of_cell("expected_risk", bias + variance * amplification));
    Prediction { unmet: missed(premise, modes.rank()), numbers, ..Prediction::default() }
}
