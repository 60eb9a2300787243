//! The same training in other units.

use crate::{MatrixProblem, Moments, Observed};
use std::sync::Arc;
use taut_numerics::DMatrix;

/// The problem with its targets times cᴺ, the start times c and the step size times c^{2−2N}, for N factors.
///
/// Weights are then c times what they would have been at every step of descent and heavy ball, and losses c^{2N} times:
/// only start/target^{1/N} and η·s^{2−2/N} matter. A weight decay λ becomes c^{2N−2}·λ. Bit by bit the same if c
/// is a power of two.
pub fn rescaled(
    problem: &MatrixProblem,
    start: &[f64],
    step_size: f64,
    factors: usize,
    c: f64,
) -> (MatrixProblem, Vec<f64>, f64) {
    let target = (0..factors).fold(1.0, |product, _| product * c);
    let observed = match &problem.observed {
        Observed::Moments(moments) => Observed::Moments(Moments {
            sxx: moments.sxx.clone(),
            syx: &moments.syx * target,
            trace_syy: moments.trace_syy.map(|trace| trace * target * target),
            samples: moments.samples.as_ref().map(|samples| {
                let mut samples = (**samples).clone();
                samples.y *= target;
                Arc::new(samples)
            }),
        }),
        Observed::Entries(entries) => {
            let mut entries = entries.clone();
            entries.target *= target;
            Observed::Entries(entries)
        }
        Observed::Measurements(measurements) => {
            let mut measurements = measurements.clone();
            measurements.values.iter_mut().for_each(|value| *value *= target);
            Observed::Measurements(measurements)
        }
    };
    let teacher = problem.teacher.as_ref().map(|teacher: &DMatrix<f64>| teacher * target);
    let step_size = step_size * (c / target) * (c / target);
    let start = start.iter().map(|theta| theta * c).collect();
    (MatrixProblem { observed, teacher, ..problem.clone() }, start, step_size)
}
