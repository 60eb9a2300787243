//! A diagonal network that starts at β = 0 with equal factors, and the regression that it learns.

use crate::MatrixPremise;
use nalgebra::{DMatrix, DVector};
use taut_problem::{Observed, ParametrizationKind};

/// β = u^D − v^D from u = v = α, or u∘v from u = 2α, v = 0, which follows the path of u² − v² at half its speed.
pub(crate) struct DiagonalNetwork {
    /// Samples × features.
    pub(crate) x: DMatrix<f64>,
    /// The values.
    pub(crate) y: DVector<f64>,
    /// ln α: α itself may be too small for its powers.
    pub(crate) log_alpha: f64,
    /// D.
    pub(crate) depth: usize,
    /// How fast ½ ln(u/v) moves per unit of −∂L/∂β at D = 2: 2 for differences of squares, 1 for products.
    pub(crate) speed: f64,
}

impl DiagonalNetwork {
    /// What the premise is about; else why it is nothing of this kind.
    pub(crate) fn of(premise: &MatrixPremise<'_>) -> Result<Self, String> {
        let problem = premise.problem;
        let Observed::Moments(moments) = &problem.observed else {
            return Err("entries or measurements are observed, not samples".to_owned());
        };
        let samples = moments.samples.as_ref().ok_or_else(|| "the samples themselves are not known".to_owned())?;
        if problem.outputs != 1 {
            return Err(format!("there are {} outputs, not one", problem.outputs));
        }
        let (u, v) = premise.start.split_at(premise.start.len() / 2);
        let (depth, speed, alpha, other) = match premise.parametrization {
            ParametrizationKind::HadamardPower(power) => (power.depth.size(), 2.0, u[0], u[0]),
            ParametrizationKind::HadamardProduct => (2, 1.0, 0.5 * u[0], 0.0),
            kind => return Err(format!("the parametrization is {}, not a diagonal network", kind.name())),
        };
        let same = |values: &[f64], wanted: f64| values.iter().all(|value| (value - wanted).abs() <= 0.0);
        if depth < 2 || alpha <= 0.0 || !same(u, u[0]) || !same(v, other) {
            return Err("the start is not u = v = α > 0 (or u = 2α, v = 0 for products), of depth 2 or more".to_owned());
        }
        let y = samples.y.row(0).transpose();
        Ok(Self { x: samples.x.transpose(), y, log_alpha: alpha.ln(), depth, speed })
    }
}
