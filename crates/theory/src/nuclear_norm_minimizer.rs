//! The matrix of least nuclear norm that agrees with what is observed.

use crate::min_norm_limit::nearest;
use crate::singular_modes::SingularModes;
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use nalgebra::{DMatrix, DVector};
use std::collections::BTreeMap;
use taut_problem::{Clock, MatrixProblem, Observed, ParametrizationKind};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "nuclear_norm_minimizer",
    doc: "argmin ‖W‖∗ subject to the observed entries, measurements or samples, at the limit; for UUᵀ the least trace of \
          positive semidefinite matrices. `nuclear_norm`, and `nuclear_norm_gap`, its relative distance from a dual \
          certificate: what it may be too large by",
    cite: "Candès and Recht 2009; Gunasekar et al. 2017 for the conjecture that small starts lead there, which is true for \
           measurements that commute and false in general",
    assumes: "observations that some matrix agrees with",
    build: Build::Matrix(build),
};

/// Relative gap at which the search ends.
const GAP: f64 = 1e-9;
/// Above this the answer is said to be unfinished.
const FINISHED: f64 = 1e-6;
/// Iterations, and how many of them between two looks at the gap.
const ITERATIONS: usize = 6000;
const LOOK: usize = 20;
/// Over-relaxation.
const RELAXATION: f64 = 1.7;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let problem = premise.problem;
    let positive = matches!(premise.parametrization, ParametrizationKind::Symmetric(_));
    let (w, norm, gap) = match (&problem.observed, positive) {
        (Observed::Moments(_), true) => {
            return Prediction::silent("samples and UUᵀ: the least trace is not worked out for these");
        }
        (Observed::Moments(_), false) => {
            let w = least_squares(problem);
            let norm = SingularModes::of(&w).map_or(f64::NAN, |modes| modes.s.iter().sum());
            (w, norm, 0.0)
        }
        _ => match Search::new(problem, positive).map(Search::run) {
            Some(found) => found,
            None => return Prediction::silent("the observations are not finite"),
        },
    };
    Prediction {
        unmet: (gap > FINISHED)
            .then(|| format!("the relative gap to a certificate is {gap} after {ITERATIONS} iterations")),
        path: vec![(Clock::Limit, w.as_slice().to_vec())],
        numbers: vec![Number::of_cell("nuclear_norm", norm), Number::of_cell("nuclear_norm_gap", gap)],
        ..Prediction::default()
    }
}

/// WX = Y leaves W free across the inputs only, where anything adds to the norm: the solution nearest zero.
fn least_squares(problem: &MatrixProblem) -> DMatrix<f64> {
    let Observed::Moments(moments) = &problem.observed else { unreachable!("asked of samples only") };
    let row = |k: usize| match (&moments.samples, &moments.sxx) {
        (Some(samples), _) => nearest(&samples.x.transpose(), &samples.y.row(k).transpose()),
        (None, Some(sxx)) => nearest(sxx, &moments.syx.row(k).transpose()),
        (None, None) => moments.syx.row(k).transpose(),
    };
    let rows: Vec<DVector<f64>> = (0..problem.outputs).map(row).collect();
    DMatrix::from_fn(problem.outputs, problem.inputs, |k, i| rows[k][i])
}

/// The matrices that agree with what is observed.
enum Agreement {
    /// (place, value) of entries.
    Entries(Vec<(usize, f64)>),
    /// Orthonormal measurements as columns, with their values.
    Measurements(DMatrix<f64>, DVector<f64>),
}

impl Agreement {
    /// `None` if the measurements are not finite. Among symmetric matrices A and Aᵀ measure the same.
    fn of(problem: &MatrixProblem, symmetric: bool) -> Option<Self> {
        let size = problem.outputs;
        let mirrored = |k: usize| k / size + (k % size) * size;
        let (mut rows, values) = match &problem.observed {
            Observed::Entries(entries) => {
                let value = |place: usize| (place, entries.target.as_slice()[place]);
                let seen = entries.observed.iter().map(|&place| value(place));
                return Some(Self::Entries(if symmetric {
                    both_sides(seen.flat_map(|(k, value)| [(k, value), (mirrored(k), value)]))
                } else {
                    seen.collect()
                }));
            }
            Observed::Measurements(measurements) => (measurements.matrices.clone(), measurements.values.clone()),
            Observed::Moments(_) => return None,
        };
        if symmetric {
            rows = DMatrix::from_fn(rows.nrows(), rows.ncols(), |i, k| 0.5 * (rows[(i, k)] + rows[(i, mirrored(k))]));
        }
        let modes = SingularModes::of(&rows)?;
        let strengths = modes.strengths(&DVector::from_column_slice(&values));
        Some(Self::Measurements(modes.v, strengths))
    }

    /// The nearest matrix that agrees.
    fn project(&self, w: &mut DMatrix<f64>) {
        match self {
            Self::Entries(entries) => entries.iter().for_each(|(place, value)| w.as_mut_slice()[*place] = *value),
            Self::Measurements(v, strengths) => {
                let mut flat = DVector::from_column_slice(w.as_slice());
                let away = strengths - v.tr_mul(&flat);
                flat += v * away;
                w.as_mut_slice().copy_from_slice(flat.as_slice());
            }
        }
    }
}

/// Each place once, with the mean of what is seen there.
fn both_sides(seen: impl Iterator<Item = (usize, f64)>) -> Vec<(usize, f64)> {
    let mut places = BTreeMap::<usize, Vec<f64>>::new();
    seen.for_each(|(place, value)| places.entry(place).or_default().push(value));
    places.into_iter().map(|(place, values)| (place, values.iter().sum::<f64>() / values.len() as f64)).collect()
}

/// Alternating directions: X is what shrinking singular values makes, Z agrees, ρU is the multiplier of X = Z.
struct Search {
    agreement: Agreement,
    /// Whether X is positive semidefinite.
    positive: bool,
    z: DMatrix<f64>,
    u: DMatrix<f64>,
    /// ρ.
    weight: f64,
}

impl Search {
    fn new(problem: &MatrixProblem, positive: bool) -> Option<Self> {
        let agreement = Agreement::of(problem, positive)?;
        let mut z = DMatrix::zeros(problem.outputs, problem.inputs);
        agreement.project(&mut z);
        let largest = SingularModes::of(&z)?.s.first().copied().unwrap_or(0.0);
        let weight = 10.0 / largest.max(f64::MIN_POSITIVE);
        Some(Self { agreement, positive, u: z.clone() * 0.0, z, weight })
    }

    /// Z, its norm, and the relative gap.
    fn run(mut self) -> (DMatrix<f64>, f64, f64) {
        let mut best = (self.z.clone(), f64::INFINITY, f64::INFINITY);
        for iteration in 1..=ITERATIONS {
            let (apart, moved) = self.advance();
            if iteration % LOOK > 0 {
                continue;
            }
            let (norm, gap) = self.gap();
            if gap < best.2 {
                best = (self.z.clone(), norm, gap);
            }
            if gap < GAP {
                break;
            }
            // Neither residual should lag behind; less and less often, so that the search settles.
            let balance = (apart / moved).clamp(0.1, 10.0);
            if (iteration / LOOK).is_power_of_two() && !(0.5..2.0).contains(&balance) {
                self.weight *= balance.sqrt();
                self.u /= balance.sqrt();
            }
        }
        best
    }

    /// One iteration; ‖X − Z‖ and ‖Z − Z₋‖.
    fn advance(&mut self) -> (f64, f64) {
        let x = self.shrunk(&(&self.z - &self.u));
        let mixed = &x * RELAXATION + &self.z * (1.0 - RELAXATION) + &self.u;
        let mut z = mixed.clone();
        self.agreement.project(&mut z);
        self.u = mixed - &z;
        let moved = (&z - &self.z).norm();
        self.z = z;
        ((x - &self.z).norm(), moved.max(f64::MIN_POSITIVE))
    }

    /// Singular values (of positive matrices: eigenvalues) less 1/ρ, those below dropped.
    fn shrunk(&self, w: &DMatrix<f64>) -> DMatrix<f64> {
        let less = 1.0 / self.weight;
        let Some((u, values, v)) = self.decomposed(w) else { return w * f64::NAN };
        let kept: Vec<usize> = (0..values.len()).filter(|&i| values[i] > less).collect();
        let mut left = u.select_columns(&kept);
        left.column_iter_mut().zip(&kept).for_each(|(mut column, &i)| column *= values[i] - less);
        left * v.select_columns(&kept).transpose()
    }

    /// U, values, V with W = U diag(values) Vᵀ.
    fn decomposed(&self, w: &DMatrix<f64>) -> Option<(DMatrix<f64>, Vec<f64>, DMatrix<f64>)> {
        if !self.positive {
            return SingularModes::of(w).map(|modes| (modes.u, modes.s, modes.v));
        }
        let size = w.nrows();
        let even = (w + w.transpose()) * 0.5;
        let eigen = faer::MatRef::from_column_major_slice(even.as_slice(), size, size);
        let eigen = eigen.self_adjoint_eigen(faer::Side::Lower).ok()?;
        let vectors = DMatrix::from_fn(size, size, |i, j| eigen.U()[(i, j)]);
        Some((vectors.clone(), eigen.S().column_vector().iter().copied().collect(), vectors))
    }

    /// ‖Z‖∗, and its relative distance from ⟨Y, Z⟩ with the multiplier Y scaled to ‖Y‖₂ ≤ 1: no matrix that agrees
    /// has less. For positive matrices Y ⪯ I, and what Z has below zero is added to the distance.
    fn gap(&self) -> (f64, f64) {
        let multiplier = &self.u * -self.weight;
        let (Some((_, own, _)), Some((_, of_y, _))) = (self.decomposed(&self.z), self.decomposed(&multiplier)) else {
            return (f64::NAN, f64::INFINITY);
        };
        let norm: f64 = own.iter().map(|value| value.abs()).sum();
        let below: f64 = own.iter().map(|value| (-value).max(0.0)).sum();
        let bound = multiplier.dot(&self.z) / of_y.iter().copied().fold(1.0, f64::max);
        (norm, ((norm - bound).abs() + below) / norm.max(f64::MIN_POSITIVE))
    }
}
