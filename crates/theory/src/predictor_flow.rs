//! Flows of the predictor itself, dW/dt = f(W), and the gradient that drives them.

use crate::flow_integrator::Flow;
use crate::teacher_frame::reached;
use crate::{MatrixPremise, Prediction};
use nalgebra::DMatrix;
use taut_problem::{MatrixProblem, Observed};

/// Error per step; seeds below it would be lost in it.
const TOLERANCE: f64 = 1e-13;

/// What a flow may cost.
const STEPS: usize = 200_000;

/// ∂L/∂W, outputs × inputs: W·Sxx − Syx, the residuals of the observed entries, or Σ(⟨Aᵢ, W⟩ − bᵢ)Aᵢ.
pub(crate) fn loss_gradient(problem: &MatrixProblem, w: &DMatrix<f64>) -> DMatrix<f64> {
    match &problem.observed {
        Observed::Moments(moments) => moments.sxx.as_ref().map_or_else(|| w.clone(), |sxx| w * sxx) - &moments.syx,
        Observed::Entries(entries) => {
            let mut residual = DMatrix::zeros(problem.outputs, problem.inputs);
            for &place in &entries.observed {
                residual.as_mut_slice()[place] = w.as_slice()[place] - entries.target.as_slice()[place];
            }
            residual
        }
        Observed::Measurements(measured) => {
            let b = nalgebra::DVector::from_column_slice(&measured.values);
            let residual = &measured.matrices * nalgebra::DVector::from_column_slice(w.as_slice()) - b;
            let sum = measured.matrices.tr_mul(&residual);
            DMatrix::from_column_slice(problem.outputs, problem.inputs, sum.as_slice())
        }
    }
}

/// The path of dW/dt = `slope`(W) from `start`, at all finite times that the integrator reaches.
pub(crate) fn follow(
    premise: &MatrixPremise<'_>,
    start: &DMatrix<f64>,
    slope: impl Fn(&DMatrix<f64>) -> DMatrix<f64>,
) -> Prediction {
    let shape = start.shape();
    let mut flow = Flow::new(start.as_slice().to_vec(), TOLERANCE, STEPS, |w, out| {
        out.copy_from_slice(slope(&DMatrix::from_column_slice(shape.0, shape.1, w)).as_slice());
    });
    let mut points: Vec<_> = reached(premise).filter(|(_, time)| time.is_finite()).collect();
    points.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut prediction = Prediction::default();
    for (clock, time) in points {
        let Some(w) = flow.at(time) else {
            prediction.unmet = Some(format!("{STEPS} steps of integration do not reach the time {time}"));
            break;
        };
        prediction.path.push((clock, w.to_vec()));
    }
    prediction
}
