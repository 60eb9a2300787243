//! Where constant steps stop making progress because noise is added to the gradient.

use crate::singular_modes::SingularModes;
use crate::{Build, Number, Prediction, Premise, TheoryDef};
use nalgebra::DVector;
use taut_problem::{Average, Clock, Motion};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "constant_step_plateau",
    doc: "noise of variance Nᵢ in mode i of every gradient keeps E(vᵢ·(θ − θ_∞))² at ηNᵢ/(λᵢ(2 − ηλᵢ)), reached as \
          1 − (1 − ηλᵢ)²ᵗ: the expected `loss` along the clock, the plateau of every mode and what the plateau costs; \
          Nᵢ = σ²λᵢ/n for labels, κ²λᵢ for curvature noise, γ² for gradient noise",
    cite: "Mandt, Hoffman and Blei 2017",
    assumes: "least squares; descent on all points with a constant step size below 2/λ_max and noise that does not \
              depend on θ. An expectation over noise",
    build: Build::Rows(build),
};

fn build(premise: &Premise<'_>) -> Prediction {
    let unmet = |reason: String| Prediction { unmet: Some(reason), ..Prediction::default() };
    let (dynamics, problem) = (premise.dynamics, premise.problem);
    if let Some(reason) = not_additive(premise) {
        return unmet(reason);
    }
    let Some(modes) = SingularModes::of(&problem.design).filter(|modes| modes.rank() > 0) else {
        return unmet("the design has no singular vectors".to_owned());
    };
    let (n, eta, curvatures) = (problem.samples() as f64, dynamics.step_size, modes.curvatures());
    if eta * curvatures[0] >= 2.0 {
        return unmet(format!("step size {eta} is not below 2/λ_max = {}", 2.0 / curvatures[0]));
    }
    let shaped = dynamics.noise.labels.get().powi(2) / n + dynamics.noise.curvature.get().powi(2);
    let noise = |lambda: f64| shaped * lambda + dynamics.noise.gradient.get().powi(2);
    let plateaus: Vec<f64> = curvatures.iter().map(|l| eta * noise(*l) / (l * (2.0 - eta * l))).collect();

    let y = DVector::from_column_slice(&problem.y);
    let floor = (&y - &modes.u * modes.u.tr_mul(&y)).norm_squared() / (2.0 * n);
    let start = modes.v.tr_mul(&DVector::from_column_slice(premise.start)) - modes.strengths(&y);
    let loss = |clock: Clock| {
        let of_mode = |i: usize| {
            let left = left(eta * curvatures[i], clock);
            0.5 * curvatures[i] * (left * start[i] * start[i] + (1.0 - left) * plateaus[i])
        };
        floor + (0..plateaus.len()).map(of_mode).sum::<f64>()
    };
    let cost: f64 = curvatures.iter().zip(&plateaus).map(|(l, plateau)| 0.5 * l * plateau).sum();
    let mut numbers = vec![Number::of_cell("plateau_excess_loss", cost)];
    numbers.extend(plateaus.iter().enumerate().map(|(i, p)| Number::at("plateau_mode_variance", (i + 1) as f64, *p)));
    let curves = premise.clocks.iter().map(|&clock| (clock, "loss", loss(clock))).collect();
    Prediction { numbers, curves, ..Prediction::default() }
}

/// Why the noise is not added to plain descent.
fn not_additive(premise: &Premise<'_>) -> Option<String> {
    let dynamics = premise.dynamics;
    let plain = dynamics.motion == Motion::Descent && dynamics.is_constant() && dynamics.average == Average::None;
    let all = premise.problem.samples();
    if !plain || dynamics.penalty.is_some() || dynamics.dropout.is_some() {
        Some("the motion is not descent with a constant step size and without average, penalty and mask".to_owned())
    } else if let Some(batch) = dynamics.batch.filter(|batch| batch.replacement || batch.size < all) {
        Some(format!("batches of {} of {all} points have a noise that depends on θ", batch.size))
    } else if !dynamics.noise.is_some() {
        Some("no noise is added: there is no plateau".to_owned())
    } else {
        None
    }
}

/// (1 − d)²ᵗ.
fn left(d: f64, clock: Clock) -> f64 {
    match clock {
        Clock::Step(0) => 1.0,
        Clock::Step(steps) => {
            let log = if d < 0.5 { (-d).ln_1p() } else { (1.0 - d).abs().ln() };
            (2.0 * steps as f64 * log).exp()
        }
        Clock::Time(_) | Clock::Limit => 0.0,
    }
}
