//! Between which values the sharpness of a deep regression ends.

use crate::factored_start::depth;
use crate::min_norm_limit::nearest;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_problem::{Motion, Observed};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "sharpness_plateau_bounds",
    doc: "`sharpness_lower_bound` = N·a·‖w*‖^(2−2/N), below which no global minimum is, with a = w*ᵀSxx w*/‖w*‖² and the \
          least-squares solution w*; `sharpness_upper_bound` = 4N·λ_max(Sxx)·‖w*‖^(2−2/N), above which flow from a \
          small start does not end; `stability_bound` = 2/η, above which descent does not stay; `alignment` = a. In \
          units of L = |y − Xw|²/(2n): the published 2Na and 8Nλ_max are for the mean without ½ and ‖w*‖ = 1",
    cite: "Marion and Chizat 2024",
    assumes: "a deep linear network with one output, a least-squares solution that is unique; the upper bound: gradient \
              flow from a small start",
    build: Build::Matrix(build),
};

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let (depth, (w, sxx)) = match (depth(premise), solution(premise)) {
        (Ok(depth), Ok(found)) => (depth as f64, found),
        (Err(reason), _) | (_, Err(reason)) => return Prediction::silent(reason),
    };
    let norm = w.norm();
    if norm <= 0.0 {
        return Prediction::silent("the least-squares solution is zero");
    }
    let largest = sxx.symmetric_eigenvalues().max();
    let smallest = sxx.symmetric_eigenvalues().min();
    let alignment = w.dot(&(&sxx * &w)) / norm.powi(2);
    // Factors scale by ‖w*‖^(1/N), and curvatures by its power 2N − 2.
    let scale = depth * norm.powf(2.0 - 2.0 / depth);
    let mut numbers = vec![
        Number::of_cell("alignment", alignment),
        Number::of_cell("sharpness_lower_bound", scale * alignment),
        Number::of_cell("sharpness_upper_bound", 4.0 * scale * largest),
    ];
    if premise.dynamics.motion == Motion::Descent {
        numbers.push(Number::of_cell("stability_bound", 2.0 / premise.dynamics.step_size));
    }
    let n = premise.problem.inputs as f64;
    let unmet = (smallest <= n * f64::EPSILON * largest).then(|| "Sxx is singular: w* is not unique".to_owned());
    Prediction { numbers, unmet, ..Prediction::default() }
}

/// w* and Sxx.
fn solution(premise: &MatrixPremise<'_>) -> Result<(DVector<f64>, DMatrix<f64>), String> {
    let problem = premise.problem;
    let Observed::Moments(moments) = &problem.observed else {
        return Err("entries or measurements are observed, not samples".to_owned());
    };
    if problem.outputs != 1 {
        return Err(format!("there are {} outputs, not one", problem.outputs));
    }
    let sxx = moments.sxx.clone().unwrap_or_else(|| DMatrix::identity(problem.inputs, problem.inputs));
    let w = match &moments.samples {
        Some(samples) => nearest(&samples.x.transpose(), &samples.y.row(0).transpose()),
        None => nearest(&sxx, &moments.syx.row(0).transpose()),
    };
    Ok((w, sxx))
}
