//! What keeps a motion from ending at the least-squares fit of least norm.

use crate::Premise;
use crate::prediction::largest_curvature;
use taut_problem::{Motion, Schedule};

/// The first reason found why the motion does not end at Φ⁺y, for a design of this rank.
pub(crate) fn missed(premise: &Premise<'_>, rank: usize) -> Option<String> {
    let (n, p) = premise.problem.design.shape();
    let start = premise.start.iter().map(|t| t * t).sum::<f64>().sqrt();
    if start > 0.0 && rank < p {
        return Some(format!(
            "the start has norm {start}, and what it has in the {} null directions of the design stays",
            p - rank
        ));
    }
    unsettled(premise).or_else(|| {
        let batch = premise.dynamics.batch.filter(|batch| batch.size < n || batch.replacement)?;
        (rank < n).then(|| {
            format!("with rank {rank} the {n} points are not interpolated, and batches of {} keep moving", batch.size)
        })
    })
}

/// Reasons that do not depend on the rank: what is added to the loss or its gradient, and step sizes.
fn unsettled(premise: &Premise<'_>) -> Option<String> {
    let dynamics = premise.dynamics;
    let (penalty, noise) = (dynamics.penalty, dynamics.noise);
    if penalty.is_some() {
        let (ridge, l1, bending) = (penalty.ridge.get(), penalty.l1.get(), penalty.bending.get());
        return Some(format!("a penalty is added to the loss: ridge {ridge}, l1 {l1}, bending {bending}"));
    }
    if noise.is_some() {
        let (labels, gradient, curvature) = (noise.labels.get(), noise.gradient.get(), noise.curvature.get());
        return Some(format!("noise is added: labels {labels}, gradient {gradient}, curvature {curvature}"));
    }
    if let Some(dropout) = dynamics.dropout {
        return Some(format!("masks keep {} of the features only", dropout.keep.get()));
    }
    if !dynamics.schedule.reaches_limit() {
        return Some("the step sizes add up to a finite training time".to_owned());
    }
    too_long_a_step(premise)
}

/// Steps beyond what the largest curvature allows, for the motions whose bound is known.
fn too_long_a_step(premise: &Premise<'_>) -> Option<String> {
    let bound = match premise.dynamics.motion {
        Motion::Flow => return None,
        Motion::Descent => 2.0,
        Motion::HeavyBall(beta) => 2.0 * (1.0 + beta),
        Motion::Nesterov(beta) => {
            let beta = beta.unwrap_or(1.0);
            2.0 * (1.0 + beta) / (1.0 + 2.0 * beta)
        }
        Motion::Other(name) => return Some(format!("{name} does not stay in the row space of the design")),
    };
    let curvature = largest_curvature(premise.problem);
    let eta = premise.dynamics.step_size;
    (premise.dynamics.schedule == Schedule::Constant && eta * curvature >= bound - 1e-9)
        .then(|| format!("step size {eta} is not below {bound}/λ_max = {}", bound / curvature))
}
