//! The largest step size at which stochastic descent does not blow up.

use crate::second_moments::SecondMoments;
use crate::singular_modes::SingularModes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use taut_problem::{Batch, Dynamics, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "sgd_stability",
    doc: "η_crit beyond which second moments grow under S ↦ E[(I − ηĤ)S(I − ηĤ)], for the study's batch and, as a \
          function of the batch size, for 1, 2, 4, …; η_crit·λ_max; 2/max|φᵢ|², below which single rows are stable; \
          2/λ_max, which is all that the mean needs",
    cite: "Defossez and Bach 2015",
    assumes: "least squares; descent with a constant step size, independent batches, no penalty and no mask",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let Dynamics { motion, penalty, dropout, batch, .. } = premise.dynamics;
    let unmet = |reason: String| Prediction { unmet: Some(reason), ..Prediction::default() };
    let Some(modes) = SingularModes::of(&premise.problem.design).filter(|modes| modes.rank() > 0) else {
        return unmet("the design has no singular vectors".to_owned());
    };
    let (n, r) = (premise.problem.samples(), modes.rank());
    if n as f64 * (r * r) as f64 > LARGEST {
        return unmet(format!("{n} points in {r} modes are more than is solved here (n·r² up to {LARGEST:e})"));
    }
    let critical = |batch| SecondMoments::new(&modes, batch).critical_step_size();
    let (lambda, own) = (modes.curvatures()[0], critical(*batch));
    let longest = premise.problem.design.row_iter().map(|row| row.norm_squared()).fold(0.0, f64::max);
    let mut numbers = vec![
        Number::of_cell("critical_step_size", own),
        Number::of_cell("critical_step_size_relative", own * lambda),
        Number::of_cell("stable_step_size_of_single_rows", 2.0 / longest),
        Number::of_cell("critical_step_size_of_the_mean", 2.0 / lambda),
    ];
    let replacement = batch.is_none_or(|batch| batch.replacement);
    for size in std::iter::successors(Some(1), |size| Some(2 * size)).take_while(|size| *size < n) {
        let at = critical(Some(Batch { size, replacement }));
        numbers.push(Number::at("critical_step_size_relative", size as f64, at * lambda));
    }
    let plain = *motion == Motion::Descent && premise.dynamics.is_constant();
    let other = !plain || penalty.is_some() || dropout.is_some();
    let reason = "the motion is not descent with a constant step size and without penalty and mask";
    Prediction { unmet: other.then(|| reason.to_owned()), numbers, ..Prediction::default() }
}

/// n·r² of one product: a thousand of these take seconds.
const LARGEST: f64 = 1e7;
