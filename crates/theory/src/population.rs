//! Where prediction errors are averaged, and the best predictor there.

use crate::singular_modes::SingularModes;
use nalgebra::{DMatrix, DVector};
use taut_numerics::GaussLegendre;
use taut_problem::{Covariance, Law, Regression, Target, design};

/// Unseen inputs with their noise-free values: a known law, or the interval \[-1, 1\] under a known target.
pub(crate) struct Population {
    /// F with E (φ·d)² = |F d|²; the identity if `None`.
    root: Option<DMatrix<f64>>,
    /// Fβ* of the best predictor in the class.
    pub(crate) best: DVector<f64>,
    /// Φβ*, its values at the sample points.
    pub(crate) best_at_points: DVector<f64>,
    /// What is expected of y at the sample points, given all that is known.
    pub(crate) expected: DVector<f64>,
    /// Mean of (noise-free value − φ·β*)².
    pub(crate) misfit: f64,
    /// Variance of y around `expected`: label noise, with the signal that the features do not see.
    pub(crate) variance: Option<f64>,
}

impl Population {
    /// The population of a problem; `None` where neither law nor target is known.
    pub(crate) fn of(problem: &Regression) -> Option<Self> {
        match (&problem.law, &problem.target) {
            (Some(law), _) => Some(Self::under(law, problem)),
            (None, Some(target)) if !problem.x.is_empty() => Self::on_the_interval(target, problem),
            _ => None,
        }
    }

    fn under(law: &Law, problem: &Regression) -> Self {
        let beta = DVector::from_column_slice(&law.predictor);
        let root = match &law.covariance {
            Covariance::Isotropic => None,
            Covariance::Diagonal(variances) => Some(DMatrix::from_diagonal(&DVector::from_iterator(
                variances.len(),
                variances.iter().map(|v| v.sqrt()),
            ))),
            Covariance::Dense(sigma) => {
                Some(sigma.clone().cholesky().expect("a covariance is positive definite").l().transpose())
            }
        };
        let best_at_points = &problem.design * &beta;
        Self {
            best: root.as_ref().map_or_else(|| beta.clone(), |root| root * &beta),
            root,
            expected: best_at_points.clone(),
            best_at_points,
            misfit: law.unseen_variance,
            variance: Some(law.noise_variance + law.unseen_variance),
        }
    }

    /// Rows √(w/2)·φ(x) at the nodes of a Gauss rule; the best function of the class in orthonormal
    /// coefficients, because those of nearly dependent features have no digits.
    fn on_the_interval(target: &Target, problem: &Regression) -> Option<Self> {
        let expansion = problem.features.expansion()?;
        let (nodes, weights) = nodes(target, problem.feature_count());
        let halves = DVector::from_iterator(weights.len(), weights.iter().map(|w| (0.5 * w).sqrt()));
        let values = DVector::from_iterator(nodes.len(), nodes.iter().map(|x| target.value(*x)));
        let (points, size) = (nodes.len(), expansion.series.len());
        let table = DMatrix::from_row_slice(size, points, &expansion.series.table(&nodes, 0));
        let half_weights = halves.component_mul(&halves);
        let mut coefficients = &table * half_weights.component_mul(&values);
        if problem.feature_count() < size {
            let span = SingularModes::of(&expansion.matrix())?.v;
            coefficients = &span * span.tr_mul(&coefficients);
        }
        let best = table.tr_mul(&coefficients);
        let there = DMatrix::from_row_slice(size, problem.x.len(), &expansion.series.table(&problem.x, 0));
        let mut root = design(&*problem.features, &DMatrix::from_column_slice(points, 1, &nodes));
        for (mut row, half) in root.row_iter_mut().zip(&halves) {
            row *= *half;
        }
        Some(Self {
            root: Some(root),
            misfit: halves.component_mul(&(&best - &values)).norm_squared(),
            best: halves.component_mul(&best),
            best_at_points: there.tr_mul(&coefficients),
            expected: DVector::from_iterator(problem.x.len(), problem.x.iter().map(|x| target.value(*x))),
            variance: problem.noise_variance,
        })
    }

    /// Fd, so that |Fd|² is the mean of (φ·d)².
    pub(crate) fn see(&self, d: &DVector<f64>) -> DVector<f64> {
        self.root.as_ref().map_or_else(|| d.clone(), |root| root * d)
    }

    /// |F vᵢ|² of every column.
    pub(crate) fn energies(&self, v: &DMatrix<f64>) -> Vec<f64> {
        let seen = self.root.as_ref().map(|root| root * v);
        seen.as_ref().unwrap_or(v).column_iter().map(|column| column.norm_squared()).collect()
    }
}

/// Gauss–Legendre nodes and weights of \[-1, 1\], cut where the target is not smooth; more than enough for
/// squares of p polynomials or p sines of the lowest frequencies (2p and 1.6p).
fn nodes(target: &Target, features: usize) -> (Vec<f64>, Vec<f64>) {
    let rule = GaussLegendre::new(2 * features + 200);
    let mut ends = vec![-1.0];
    ends.extend(target.breaks());
    ends.push(1.0);
    let (mut nodes, mut weights) = (Vec::new(), Vec::new());
    for piece in ends.windows(2) {
        let (middle, half) = (0.5 * (piece[0] + piece[1]), 0.5 * (piece[1] - piece[0]));
        nodes.extend(rule.nodes.iter().map(|x| middle + half * x));
        weights.extend(rule.weights.iter().map(|w| half * w));
    }
    (nodes, weights)
}
