//! Why the least-norm fit errs: what it does not see, and what it makes of the residual.

use crate::least_norm_end::missed;
use crate::min_norm_limit::nearest;
use crate::population::Population;
use crate::singular_modes::SingularModes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::DVector;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "double_descent_decomposition",
    doc: "error of the least-norm fit at an unseen φ: φ·(Φ⁺Φ − I)β* + Σᵢ (1/sᵢ)(φ·vᵢ)(uᵢ·E), with the best predictor \
          β* of the class and E = y − Φβ*. Mean squares of both parts, twice their mean product, misfit of β*, and \
          their sum `test_error` (the `risk` on curves); the three factors of the weakest mode; `identity_residual`, \
          the root mean square by which the sum misses the error of the fit solved by QR",
    cite: "Schaeffer et al. 2023",
    assumes: "least squares; the law of the inputs or the target is known; a motion from zero that ends at Φ⁺y",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let problem = premise.problem;
    let Some(modes) = SingularModes::of(&problem.design).filter(|modes| modes.rank() > 0) else {
        return Prediction { unmet: Some("the design has no singular vectors".to_owned()), ..Prediction::default() };
    };
    let weakest = modes.rank() - 1;
    let mut numbers = vec![Number::of_cell("smallest_singular_value", modes.s[weakest])];
    let Some(population) = Population::of(problem) else {
        let unmet = Some("neither the law of the inputs nor the target is known".to_owned());
        return Prediction { unmet, numbers, ..Prediction::default() };
    };
    let y = DVector::from_column_slice(&problem.y);
    let residual = &y - &population.best_at_points;
    let unseen = population.see(&modes.solve(&population.best_at_points)) - &population.best;
    let excited = population.see(&modes.solve(&residual));
    let direct = population.see(&nearest(&problem.design, &y)) - &population.best;

    let (bias, variance, cross) = (unseen.norm_squared(), excited.norm_squared(), 2.0 * unseen.dot(&excited));
    let overlap = population.energies(&modes.v.columns(weakest, 1).into_owned())[0].sqrt();
    let quantities = [
        ("test_error_bias", bias),
        ("test_error_variance", variance),
        ("test_error_cross", cross),
        ("test_error_misfit", population.misfit),
        ("test_error", bias + variance + cross + population.misfit),
        ("weakest_mode_residual", modes.u.column(weakest).dot(&residual).abs()),
        ("weakest_mode_overlap", overlap),
        ("identity_residual", (direct - unseen - excited).norm()),
    ];
    numbers.extend(quantities.map(|(quantity, value)| Number::of_cell(quantity, value)));
    Prediction { unmet: missed(premise, modes.rank()), numbers, ..Prediction::default() }
}
