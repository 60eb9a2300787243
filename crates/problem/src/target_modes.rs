//! The singular modes of what is to be learned.

use crate::{MatrixProblem, Moments, Observed};
use taut_numerics::{DMatrix, DVector, Factor, ThinSvd, dot, lane_product_into};

/// Singular values up to this times the largest are rounding errors of the products that made the matrix.
const RANK_TOLERANCE: f64 = 1e-12;

/// The modes that a linear model learns: U diag(s) Vᵀ, in descending order, null modes left out.
///
/// The matrix is Syx Sxx^{−1/2} (pseudo-inverse root) where the loss sees second moments, so Syx itself for whitened
/// inputs; elsewhere it is the teacher. The largest component of every vᵢ is positive. Where singular values
/// coincide, only the subspace is defined, not its basis.
#[derive(Clone, Debug)]
pub struct TargetModes {
    /// Left singular vectors, outputs × modes.
    pub u: DMatrix<f64>,
    /// Singular values, descending and positive.
    pub s: Vec<f64>,
    /// Right singular vectors, inputs × modes.
    pub v: DMatrix<f64>,
}

impl TargetModes {
    /// The modes of a problem; `None` where entries or measurements come without a teacher.
    pub fn of(problem: &MatrixProblem) -> Option<Self> {
        let target = match &problem.observed {
            Observed::Moments(moments) => whitened(moments),
            Observed::Entries(_) | Observed::Measurements(_) => problem.teacher.clone()?,
        };
        let ThinSvd { u, s, v, .. } = ThinSvd::with_tolerance(target.as_view(), RANK_TOLERANCE);
        Some(Self { u, s, v })
    }

    /// UᵀWV of a predictor W, outputs × inputs and column-major: modes × modes. Its diagonal holds the mode
    /// strengths uᵢᵀWvᵢ.
    ///
    /// # Panics
    /// If W is of another shape.
    pub fn projected(&self, w: &[f64]) -> DMatrix<f64> {
        let (outputs, modes) = self.u.shape();
        let images = self.images(w);
        let mut out = DMatrix::zeros(modes, modes);
        let (u, images) = (Factor::new(self.u.as_slice(), outputs, modes), Factor::new(&images, outputs, modes));
        lane_product_into(u.transposed(), images, out.as_mut_slice(), 1, false);
        out
    }

    /// The mode strengths uᵢᵀWvᵢ alone, at half the cost.
    ///
    /// # Panics
    /// If W is of another shape.
    pub fn strengths(&self, w: &[f64]) -> Vec<f64> {
        let outputs = self.u.nrows().max(1);
        let images = self.images(w);
        self.u.as_slice().chunks_exact(outputs).zip(images.chunks_exact(outputs)).map(|(u, x)| dot(u, x)).collect()
    }

    /// WV, outputs × modes.
    fn images(&self, w: &[f64]) -> Vec<f64> {
        let (outputs, inputs, modes) = (self.u.nrows(), self.v.nrows(), self.s.len());
        let mut images = vec![0.0; outputs * modes];
        let v = Factor::new(self.v.as_slice(), inputs, modes);
        lane_product_into(Factor::new(w, outputs, inputs), v, &mut images, 1, false);
        images
    }
}

/// Syx Sxx^{−1/2}, from the samples where there are any: a square root of small second moments would lose
/// half of the digits.
fn whitened(moments: &Moments) -> DMatrix<f64> {
    match (&moments.samples, &moments.sxx) {
        (_, None) => moments.syx.clone(),
        (Some(samples), _) => {
            let svd = ThinSvd::new(samples.x.as_view());
            let seen = &samples.y * &svd.v * svd.u.transpose();
            seen / (samples.x.ncols() as f64).sqrt()
        }
        (None, Some(sxx)) => {
            let svd = ThinSvd::new(sxx.as_view());
            let roots = DVector::from_iterator(svd.rank(), svd.s.iter().map(|s| 1.0 / s.sqrt()));
            &moments.syx * (&svd.u * DMatrix::from_diagonal(&roots)) * svd.u.transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entries, MatrixSamples, TestOver};
    use std::sync::Arc;

    fn numbers(rows: usize, columns: usize, seed: f64) -> DMatrix<f64> {
        DMatrix::from_fn(rows, columns, |i, j| ((i * 7 + j * 13) as f64 * 0.37 + seed).sin())
    }

    fn problem(observed: Observed, shape: (usize, usize), teacher: Option<DMatrix<f64>>) -> MatrixProblem {
        MatrixProblem { inputs: shape.1, outputs: shape.0, observed, teacher, test: TestOver::Inputs(None), law: None }
    }

    fn rebuilt(modes: &TargetModes) -> DMatrix<f64> {
        &modes.u * DMatrix::from_diagonal(&DVector::from_column_slice(&modes.s)) * modes.v.transpose()
    }

    #[test]
    fn whitened_modes_are_those_of_the_correlations() {
        let syx = numbers(4, 2, 0.3) * numbers(2, 6, 1.0);
        let moments = Moments { sxx: None, syx: syx.clone(), trace_syy: None, samples: None };
        let modes = TargetModes::of(&problem(Observed::Moments(moments), (4, 6), None)).unwrap();
        assert_eq!(modes.s.len(), 2);
        assert!((rebuilt(&modes) - &syx).amax() < 1e-14);
        assert!(modes.v.column_iter().all(|v| v[v.icamax()] > 0.0));
        let projected = modes.projected(syx.as_slice());
        let strengths = modes.strengths(syx.as_slice());
        assert!(strengths.iter().zip(&modes.s).all(|(a, b)| (a - b).abs() < 1e-14));
        assert!((projected - DMatrix::from_diagonal(&DVector::from_column_slice(&modes.s))).amax() < 1e-14);
    }

    #[test]
    fn samples_and_their_moments_have_the_same_modes() {
        // A sine of i + j has rank 2, so that both ways must leave three directions out.
        let samples = Arc::new(MatrixSamples { x: numbers(5, 9, 0.1), y: numbers(3, 9, 0.7) });
        let with = samples.moments();
        let without = Moments { samples: None, ..with.clone() };
        let of = |moments| TargetModes::of(&problem(Observed::Moments(moments), (3, 5), None)).unwrap();
        let (a, b) = (of(with.clone()), of(without));
        assert_eq!((a.s.len(), b.s.len()), (2, 2));
        assert!((rebuilt(&a) - rebuilt(&b)).amax() < 1e-13);
        // A Sxx^{1/2} = Syx determines A: compare A Aᵀ with Syx Sxx⁺ Syxᵀ.
        let (best, _) = with.best();
        let square = rebuilt(&a) * rebuilt(&a).transpose();
        assert!((square - best * with.syx.transpose()).amax() < 1e-13);
    }

    #[test]
    fn completion_knows_its_modes_only_with_a_teacher() {
        let target = numbers(3, 2, 0.3) * numbers(2, 3, 1.0);
        let observed = || Observed::Entries(Entries { target: target.clone(), observed: vec![0, 4] });
        assert!(TargetModes::of(&problem(observed(), (3, 3), None)).is_none());
        let modes = TargetModes::of(&problem(observed(), (3, 3), Some(target.clone()))).unwrap();
        assert!((rebuilt(&modes) - &target).amax() < 1e-14);
    }
}
