//! What averaging the iterates of noisy descent leaves to gain.

use crate::singular_modes::SingularModes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use taut_problem::{Average, Clock, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "averaged_iterate_bound",
    doc: "the excess loss σ²r/(2t) that the average of t iterates approaches under gradient noise of covariance σ²A on a \
          design of rank r, whatever the step size: `averaged_excess_loss` at every saved step count t; schedules are \
          measured against it",
    cite: "Bach and Moulines 2013",
    assumes: "least squares; descent with a constant step size below 2/λ_max that shows the average of all iterates; \
              noise in the shape of the Hessian; t large against the time that the slowest mode takes",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let (dynamics, problem) = (premise.dynamics, premise.problem);
    let Some(modes) = SingularModes::of(&problem.design).filter(|modes| modes.rank() > 0) else {
        return Prediction { unmet: Some("the design has no singular vectors".to_owned()), ..Prediction::default() };
    };
    let n = problem.samples() as f64;
    let variance = dynamics.noise.curvature.get().powi(2) + dynamics.noise.labels.get().powi(2) / n;
    let steps = premise.clocks.iter().filter_map(|clock| match clock {
        Clock::Step(step) if *step > 0 => Some(*step as f64),
        _ => None,
    });
    let bound = |t: f64| Number::at("averaged_excess_loss", t, variance * modes.rank() as f64 / (2.0 * t));
    Prediction {
        unmet: not_averaged(premise, &modes.curvatures()),
        numbers: steps.map(bound).collect(),
        ..Prediction::default()
    }
}

/// Which assumption is not met.
fn not_averaged(premise: &Premise<'_>, curvatures: &[f64]) -> Option<String> {
    let dynamics = premise.dynamics;
    let eta = dynamics.step_size;
    if dynamics.motion != Motion::Descent || !dynamics.is_constant() || dynamics.average != Average::All {
        return Some("the motion is not descent with a constant step size and the average of all iterates".to_owned());
    }
    if dynamics.batch.is_some() || dynamics.noise.gradient.get() > 0.0 || !dynamics.noise.is_some() {
        return Some("the noise does not have the shape of the Hessian alone".to_owned());
    }
    let (largest, smallest) = (curvatures[0], curvatures[curvatures.len() - 1]);
    if eta * largest >= 2.0 {
        return Some(format!("step size {eta} is not below 2/λ_max = {}", 2.0 / largest));
    }
    let last = premise.clocks.iter().filter_map(|clock| clock.step()).max().unwrap_or(0);
    let slowest = 1.0 / (eta * smallest);
    (slowest > 0.1 * last as f64)
        .then(|| format!("the slowest mode takes {slowest:.0} steps, and the last row is at {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian_cases;
    use nalgebra::DMatrix;
    use taut_problem::{Dynamics, Noise, NonNegative};

    #[test]
    fn ten_modes_have_the_bound_of_the_references() {
        let problem = gaussian_cases::problem(&DMatrix::identity(10, 10), None);
        let noise = Noise { curvature: NonNegative::try_from(1.0).unwrap(), ..Noise::default() };
        let dynamics = Dynamics { noise, average: Average::All, ..Dynamics::descent(1.0) };
        let clocks = [0, 500, 2000, 10_000].map(Clock::Step);
        let premise = Premise {
            problem: &problem,
            dynamics: &dynamics,
            start: &[0.0; 10],
            clocks: &clocks,
            times: &[],
            ridge: &[],
        };
        let prediction = build(&premise);
        let values: Vec<f64> = prediction.numbers.iter().map(|n| n.value).collect();
        // The column d_sigma2_over_2T of schedule_ce3.csv.
        for (got, expected) in values.iter().zip([0.01, 0.0025, 0.0005]) {
            assert!((got / expected - 1.0).abs() < 1e-14, "{got} {expected}");
        }
        assert_eq!(prediction.unmet, None);
    }
}
