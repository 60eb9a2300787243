//! The sharpness at which flow ends when one factor starts larger than the other.

use crate::critical_step::critical_step_size;
use crate::factored_start::{factors, whitened_target};
use crate::singular_modes::SingularModes;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::DMatrix;
use taut_problem::{Motion, Observed};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "unbalanced_flow_sharpness",
    doc: "`sharpness` = √(λ² + 4s₁²) of the minimum where flow ends, which remembers the conserved \
          `imbalance` λ of W₂ᵀW₂ − W₁W₁ᵀ = λI; for two scalar weights q·√(c₀² + 4s²) with c₀ = b₀² − a₀², q = Sxx and \
          s = Syx/Sxx. `critical_step_size`: where it exceeds the study's, flow's minimum is one that descent leaves",
    cite: "Braun, Dominé, Fitzgerald and Saxe 2022; the formula book, section 10",
    assumes: "two factors, λ-balanced; whitened inputs, or one input, unit and output; gradient flow, not from a saddle",
    build: Build::Matrix(build),
};

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    match ends(premise) {
        Ok((imbalance, sharpness, unmet)) => {
            let mut numbers = vec![Number::of_cell("imbalance", imbalance), Number::of_cell("sharpness", sharpness)];
            let eta = critical_step_size(premise.dynamics, sharpness);
            numbers.extend(eta.map(|eta| Number::of_cell("critical_step_size", eta)));
            Prediction { numbers, unmet: unmet.or_else(|| not_flow(premise, sharpness)), ..Prediction::default() }
        }
        Err(reason) => Prediction::silent(reason),
    }
}

/// λ, the sharpness at the end, and why it may not be reached.
fn ends(premise: &MatrixPremise<'_>) -> Result<(f64, f64, Option<String>), String> {
    let factors = factors(premise)?;
    let [first, second] = &factors[..] else {
        return Err(format!("there are {} factors, not two", factors.len()));
    };
    let gap = second.tr_mul(second) - first * first.transpose();
    let units = gap.nrows();
    let lambda = gap.trace() / units as f64;
    let away = (&gap - DMatrix::identity(units, units) * lambda).norm();
    let size = first.norm_squared().max(second.norm_squared());
    let unbalanced = (away > 1e-9 * size).then(|| format!("the start is not λ-balanced: {away} away from λI"));
    let (curvature, target) = scalar_target(premise).map_or_else(
        || whitened_target(premise).map(|syx| (1.0, syx.clone())),
        |(q, s)| Ok((q, DMatrix::from_element(1, 1, s))),
    )?;
    let modes = SingularModes::of(&target).filter(|modes| modes.rank() > 0);
    let modes = modes.ok_or_else(|| "the target is zero".to_owned())?;
    let (u, v) = (modes.u.column(0), modes.v.column(0));
    // The growing direction of the linearised flow: [W₁ᵀ; W₂] along (v, u).
    let seed = (first * v + second.tr_mul(&u)).norm();
    let saddle = (seed <= 1e-12 * size.sqrt()).then(|| "the start flows into the saddle at zero".to_owned());
    let narrow =
        (units < modes.rank()).then(|| format!("{units} units do not reach the target's rank {}", modes.rank()));
    Ok((lambda, curvature * lambda.hypot(2.0 * modes.s[0]), unbalanced.or(saddle).or(narrow)))
}

/// Sxx and Syx/Sxx of one input and one output.
fn scalar_target(premise: &MatrixPremise<'_>) -> Option<(f64, f64)> {
    let Observed::Moments(moments) = &premise.problem.observed else { return None };
    let sxx = moments.sxx.as_ref().filter(|sxx| sxx.len() == 1 && moments.syx.len() == 1)?[(0, 0)];
    (sxx > 0.0).then(|| (sxx, moments.syx[(0, 0)] / sxx))
}

fn not_flow(premise: &MatrixPremise<'_>, sharpness: f64) -> Option<String> {
    let dynamics = premise.dynamics;
    match dynamics.motion {
        Motion::Flow | Motion::Descent if !dynamics.only_schedule() => {
            Some("the motion is neither flow nor descent on the loss alone".to_owned())
        }
        Motion::Flow => None,
        Motion::Descent if dynamics.step_size * sharpness < 2.0 => None,
        Motion::Descent => Some(format!("step size {} is beyond 2/λ of where flow ends", dynamics.step_size)),
        _ => Some("the motion is neither gradient flow nor gradient descent".to_owned()),
    }
}
