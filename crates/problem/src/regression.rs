//! Least squares in features: points, values, design, and what is known of the law behind them.

use crate::matrix_problem::reference_curvature;
use crate::{FeatureMap, Law, Target};
use std::sync::Arc;
use taut_numerics::{DMatrix, DVector, Mat};

/// Everything that the trainers, theories and metrics agree on.
#[derive(Clone)]
pub struct Regression {
    /// Points of one input in \[-1, 1\]; empty where the inputs are not points on that line.
    pub x: Vec<f64>,
    /// Observed values.
    pub y: Vec<f64>,
    /// The noise-free function of one input, where it is known.
    pub target: Option<Target>,
    /// The feature map.
    pub features: Arc<dyn FeatureMap>,
    /// Φ, n × p.
    pub design: DMatrix<f64>,
    /// Variance of the noise on y, where it is known.
    pub noise_variance: Option<f64>,
    /// The law of a new row of the design and its value, where its moments are known.
    pub law: Option<Arc<Law>>,
    /// Held-out rows with the values to predict: what `test_error` averages over.
    pub test: Option<Arc<HeldOut>>,
    /// Held-out rows with noisy values, to choose by.
    pub validation: Option<Arc<HeldOut>>,
}

/// Rows of a design that no motion sees, with their values.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// m × p.
    pub design: DMatrix<f64>,
    /// m values.
    pub y: Vec<f64>,
}

impl HeldOut {
    /// Mean of (φᵢ·β − yᵢ)² over the rows; O(m·p), column by column as the design is stored.
    pub fn mean_square(&self, beta: &[f64]) -> f64 {
        let m = self.y.len();
        let mut error: Vec<f64> = self.y.iter().map(|y| -y).collect();
        for (column, b) in self.design.as_slice().chunks_exact(m.max(1)).zip(beta) {
            error.iter_mut().zip(column).for_each(|(e, phi)| *e += b * phi);
        }
        taut_numerics::sum_of_squares(&error) / m as f64
    }
}

impl HeldOut {
    /// Mean of φᵢᵀSφᵢ over the rows: what a covariance S (row-major, p × p) of the predictor adds to the mean
    /// square at its mean.
    pub fn mean_spread(&self, covariance: &[f64]) -> f64 {
        let p = self.design.ncols();
        let mut sum = 0.0;
        for row in self.design.row_iter() {
            for (a, line) in row.iter().zip(covariance.chunks_exact(p.max(1))) {
                sum += a * row.iter().zip(line).map(|(b, s)| b * s).sum::<f64>();
            }
        }
        sum / self.y.len() as f64
    }
}

impl Regression {
    /// Points on the line: builds their design.
    ///
    /// # Panics
    /// If `x` and `y` differ in length.
    pub fn new(x: Vec<f64>, y: Vec<f64>, target: Option<Target>, features: Arc<dyn FeatureMap>) -> Self {
        let inputs = DMatrix::from_column_slice(x.len(), 1, &x);
        Self { x, target, ..Self::from_inputs(&inputs, y, features) }
    }

    /// Any number of inputs (n × d): builds their design.
    ///
    /// # Panics
    /// If there is not one value per row.
    pub fn from_inputs(inputs: &DMatrix<f64>, y: Vec<f64>, features: Arc<dyn FeatureMap>) -> Self {
        assert_eq!(inputs.nrows(), y.len(), "one value per point");
        let design = design(&*features, inputs);
        Self {
            x: Vec::new(),
            y,
            target: None,
            features,
            design,
            noise_variance: None,
            law: None,
            test: None,
            validation: None,
        }
    }

    /// n.
    pub fn samples(&self) -> usize {
        self.y.len()
    }

    /// p.
    pub fn feature_count(&self) -> usize {
        self.design.ncols()
    }

    /// What a relative step size is divided by, see [`crate::MatrixProblem::reference_curvature`], for λ_max(ΦᵀΦ/n): from the
    /// design itself, whose second moments may be much larger.
    pub fn reference_curvature(&self, depth: usize, lambda_max: f64) -> f64 {
        let pull = self.design.tr_mul(&DVector::from_column_slice(&self.y)).norm() / self.samples() as f64;
        reference_curvature(depth, pull, lambda_max)
    }
}

/// Φ of n × d inputs, n × p.
pub fn design(features: &dyn FeatureMap, inputs: &DMatrix<f64>) -> DMatrix<f64> {
    let mut phi = DMatrix::zeros(inputs.nrows(), features.features());
    let view = Mat::from_slice(inputs.as_slice(), inputs.nrows(), inputs.ncols());
    features.design_into(view, 0, phi.as_view_mut());
    phi
}
