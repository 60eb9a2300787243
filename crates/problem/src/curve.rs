//! Curve fitting: points, features and their design.

use crate::{FeatureMap, Target};
use std::sync::Arc;
use taut_numerics::{DMatrix, Mat};

/// Least squares on the line: everything that the trainers, theories and metrics agree on.
#[derive(Clone)]
pub struct CurveProblem {
    /// Points in \[-1, 1\].
    pub x: Vec<f64>,
    /// Observed values.
    pub y: Vec<f64>,
    /// The noise-free function, where it is known.
    pub target: Option<Target>,
    /// The feature map.
    pub features: Arc<dyn FeatureMap>,
    /// Φ, n × p.
    pub design: DMatrix<f64>,
}

impl CurveProblem {
    /// Builds the design of the points.
    ///
    /// # Panics
    /// If `x` and `y` differ in length.
    pub fn new(x: Vec<f64>, y: Vec<f64>, target: Option<Target>, features: Arc<dyn FeatureMap>) -> Self {
        assert_eq!(x.len(), y.len(), "one value per point");
        let mut design = DMatrix::zeros(x.len(), features.features());
        features.design_into(Mat::from_slice(&x, x.len(), 1), 0, design.as_view_mut());
        Self { x, y, target, features, design }
    }

    /// n.
    pub fn samples(&self) -> usize {
        self.x.len()
    }

    /// p.
    pub fn feature_count(&self) -> usize {
        self.design.ncols()
    }
}
