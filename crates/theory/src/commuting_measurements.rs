//! The flow of a symmetric factorisation under measurements that commute, in one variable per measurement.

use crate::flow_integrator::Flow;
use crate::mirror_map::{Link, MirrorProblem};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::{DMatrix, DVector};
use taut_problem::{Clock, Motion, Observed, ParametrizationKind};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "commuting_measurements",
    doc: "X(t) = α² exp(4 Σᵢ mᵢAᵢ) with dmᵢ/dt = bᵢ − ⟨Aᵢ, X⟩ from U(0) = αI (in units of L = ½Σ(⟨Aᵢ, X⟩ − bᵢ)², for which \
          dU/dt = −2GU), integrated at the saved times; at the limit, the X = α² exp(4A*(m)) with A(X) = b. `limit_trace` \
          and `minimal_trace`, its value as α → 0: the least nuclear norm of positive semidefinite solutions",
    cite: "Gunasekar et al. 2017",
    assumes: "UUᵀ with square U from αI, symmetric measurements that commute, gradient flow (descent: O(η) away). Where \
              they do not commute the limit is not of least nuclear norm",
    build: Build::Matrix(build),
};

/// Error per step of the integration, and how many steps it may take.
const TOLERANCE: f64 = 1e-11;
const STEPS: usize = 200_000;
/// ln of the scale that stands for α = 0.
const VANISHING: f64 = -600.0;

/// Measurements in their common eigenbasis.
struct Commuting {
    /// Orthonormal columns.
    basis: DMatrix<f64>,
    /// Row i has the eigenvalues of Aᵢ.
    values: DMatrix<f64>,
    /// b.
    observed: DVector<f64>,
    /// 2 ln α.
    log_scale: f64,
}

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let commuting = match Commuting::of(premise) {
        Ok(commuting) => commuting,
        Err(reason) => return Prediction::silent(reason),
    };
    let (path, complaint) = commuting.path(premise);
    let mut prediction = Prediction { path, ..Prediction::default() };
    let moved = premise.dynamics;
    let plain = matches!(moved.motion, Motion::Flow | Motion::Descent) && moved.only_schedule();
    let other = (!plain).then(|| "the motion is neither flow nor descent on the loss alone".to_owned());
    let limits = [commuting.log_scale, VANISHING.min(commuting.log_scale)].map(|scale| commuting.limit(scale));
    let mut reason = complaint.or(other);
    for (name, limit) in ["limit_trace", "minimal_trace"].into_iter().zip(&limits) {
        match limit {
            Ok(x) => prediction.numbers.push(Number::of_cell(name, x.sum())),
            Err(message) => reason = reason.or_else(|| Some(message.clone())),
        }
    }
    if let ([Ok(x), _], true) = (&limits, premise.clocks.contains(&Clock::Limit)) {
        prediction.path.push((Clock::Limit, commuting.matrix(x)));
    }
    Prediction { unmet: reason, ..prediction }
}

impl Commuting {
    fn of(premise: &MatrixPremise<'_>) -> Result<Self, String> {
        let size = premise.problem.inputs;
        let Observed::Measurements(measurements) = &premise.problem.observed else {
            return Err("what is observed is not linear measurements".to_owned());
        };
        if !matches!(premise.parametrization, ParametrizationKind::Symmetric(_)) {
            return Err(format!("the parametrization is {}, not symmetric", premise.parametrization.name()));
        }
        let alpha = premise.start[0];
        let identity = DMatrix::<f64>::identity(size, size) * alpha;
        if alpha <= 0.0 || premise.start.len() != size * size || premise.start != identity.as_slice() {
            return Err("the start is not U = αI".to_owned());
        }
        let matrix = |row: usize| {
            let entries: Vec<f64> = measurements.matrices.row(row).iter().copied().collect();
            let a = DMatrix::from_vec(size, size, entries);
            (&a + a.transpose()) * 0.5
        };
        let all: Vec<DMatrix<f64>> = (0..measurements.values.len()).map(matrix).collect();
        // A combination that no symmetry of the matrices singles out has the common eigenvectors.
        let mixed =
            all.iter().enumerate().map(|(i, a)| a * (1.0 + i as f64 * 0.618_033_988_7).fract().mul_add(1.0, 0.3));
        let mixed = mixed.fold(DMatrix::zeros(size, size), |sum, a| sum + a);
        let basis = mixed.symmetric_eigen().eigenvectors;
        let turned: Vec<DMatrix<f64>> = all.iter().map(|a| basis.tr_mul(&(a * &basis))).collect();
        let off =
            |a: &DMatrix<f64>| (a - DMatrix::from_diagonal(&a.diagonal())).norm() / a.norm().max(f64::MIN_POSITIVE);
        let off = turned.iter().map(off).fold(0.0, f64::max);
        if off > 1e-9 {
            return Err(format!("the measurements do not commute: in one basis, {off} of one is off the diagonal"));
        }
        Ok(Self {
            values: DMatrix::from_fn(all.len(), size, |i, k| turned[i][(k, k)]),
            observed: DVector::from_column_slice(&measurements.values),
            log_scale: 2.0 * alpha.ln(),
            basis,
        })
    }

    /// The eigenvalues of X at m.
    fn eigenvalues(&self, m: &[f64]) -> DVector<f64> {
        let grown = self.values.tr_mul(&DVector::from_column_slice(m)) * 4.0;
        grown.map(|g| (self.log_scale + g).exp())
    }

    /// X, column-major.
    fn matrix(&self, eigenvalues: &DVector<f64>) -> Vec<f64> {
        let x = &self.basis * DMatrix::from_diagonal(eigenvalues) * self.basis.transpose();
        x.as_slice().to_vec()
    }

    /// X at the finite times, and why it stops early.
    fn path(&self, premise: &MatrixPremise<'_>) -> (Vec<(Clock, Vec<f64>)>, Option<String>) {
        let mut flow = Flow::new(vec![0.0; self.observed.len()], TOLERANCE, STEPS, |m, slope| {
            let residual = &self.observed - &self.values * self.eigenvalues(m);
            slope.copy_from_slice(residual.as_slice());
        });
        let mut points: Vec<(Clock, f64)> = premise.clocks.iter().copied().zip(premise.times.iter().copied()).collect();
        points.retain(|(_, time)| time.is_finite());
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut path = Vec::new();
        for (clock, time) in points {
            match flow.at(time) {
                Some(m) => path.push((clock, self.matrix(&self.eigenvalues(m)))),
                None => return (path, Some(format!("more than {STEPS} steps are needed to get to time {time}"))),
            }
        }
        (path, None)
    }

    /// The eigenvalues of the solution that flow from this scale ends at.
    fn limit(&self, log_scale: f64) -> Result<DVector<f64>, String> {
        let problem = MirrorProblem { x: &self.values, y: &self.observed, link: Link::Exponential };
        problem.solve(log_scale).map(|point| point.beta)
    }
}
