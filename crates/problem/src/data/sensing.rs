//! `[data.sensing]`: linear measurements of a matrix of low rank.

use super::completion::{rank_complaint, scaled_product};
use super::drawn_matrix::{DrawnMatrix, frames};
use crate::{MatrixProblem, Measurements, Observed, Positive, Samples, TestOver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, DVector, Stream, normal, stream};

/// A square matrix of low rank, seen through ⟨Aᵢ, W⟩.
///
/// The loss is ½ Σ over the measurements; test errors are over all entries.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensing {
    /// Rows and columns of the matrix.
    pub size: Samples,
    /// Its rank.
    pub rank: Samples,
    /// Its Frobenius norm. Default `size`: entries of mean square 1.
    pub norm: Option<Positive>,
    /// How many measurements m; with a given `scale`, more begin with the fewer.
    pub measurements: Samples,
    /// What the matrices Aᵢ are. Default: Gaussian.
    #[serde(default)]
    pub kind: MeasurementKind,
    /// Whether the matrix is UUᵀ with Gaussian U, and every Aᵢ symmetric; otherwise it is ABᵀ. Default true.
    #[serde(default = "yes")]
    pub symmetric: bool,
    /// Standard deviation of the entries of Aᵢ (before it is made symmetric). Default 1/√m, where Σᵢ⟨Aᵢ, W⟩² is
    /// about ‖W‖²: the normalisation of the restricted isometry. Others divide by the size, `scale` = 1/size.
    pub scale: Option<Positive>,
}

/// What measures a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeasurementKind {
    /// Independent Gaussian entries; made symmetric, ½(A + Aᵀ), for a symmetric matrix
    #[default]
    Gaussian,
    /// Gaussian diagonals: matrices that commute, and see the diagonal only
    Diagonal,
}

fn yes() -> bool {
    true
}

impl Sensing {
    fn teacher(&self, seeds: (u64, u64)) -> DMatrix<f64> {
        let n = self.size.size();
        let [a, b] = frames(n, n, self.rank.size(), seeds);
        scaled_product(&a, if self.symmetric { &a } else { &b }, self.norm)
    }

    /// A with standard normal entries where it has any.
    fn measurement(&self, draws: &mut Stream) -> DMatrix<f64> {
        let n = self.size.size();
        let mut gaussian = |len: usize| DVector::from_iterator(len, (0..len).map(|_| normal(draws)));
        match self.kind {
            MeasurementKind::Diagonal => DMatrix::from_diagonal(&gaussian(n)),
            MeasurementKind::Gaussian => {
                let a = DMatrix::from_column_slice(n, n, gaussian(n * n).as_slice());
                if self.symmetric { (&a + a.transpose()) * 0.5 } else { a }
            }
        }
    }
}

impl DrawnMatrix for Sensing {
    fn complaints(&self) -> Vec<(&'static str, String)> {
        rank_complaint(self.rank, self.size.size(), self.size.size()).into_iter().collect()
    }

    fn shape(&self) -> [usize; 2] {
        [self.size.size(); 2]
    }

    fn samples(&self) -> usize {
        self.measurements.size()
    }

    fn entries(&self) -> f64 {
        self.measurements.get() as f64 * self.size.get() as f64 * self.size.get() as f64
    }

    fn draw(&self, seeds: (u64, u64)) -> Result<MatrixProblem, String> {
        let teacher = self.teacher(seeds);
        let m = self.samples();
        let scale = self.scale.map_or(1.0 / (m as f64).sqrt(), Positive::get);
        let mut draws = stream(seeds.0, "data-design", seeds.1);
        let mut matrices = DMatrix::zeros(m, teacher.len());
        for mut row in matrices.row_iter_mut() {
            let a = self.measurement(&mut draws) * scale;
            row.copy_from_slice(a.as_slice());
        }
        let values = (&matrices * DVector::from_column_slice(teacher.as_slice())).as_slice().to_vec();
        let [inputs, outputs] = self.shape();
        let observed = Observed::Measurements(Measurements { matrices, values });
        Ok(MatrixProblem { inputs, outputs, observed, teacher: Some(teacher), test: TestOver::Entries, law: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensing(size: f64, rank: f64, measurements: f64) -> Sensing {
        let whole = |x| Samples::try_from(x).unwrap();
        Sensing {
            size: whole(size),
            rank: whole(rank),
            norm: None,
            measurements: whole(measurements),
            kind: MeasurementKind::Gaussian,
            symmetric: true,
            scale: None,
        }
    }

    fn measurements(problem: &MatrixProblem) -> &Measurements {
        let Observed::Measurements(measurements) = &problem.observed else { panic!("measurements") };
        measurements
    }

    fn matrix(problem: &MatrixProblem, i: usize) -> DMatrix<f64> {
        let row: Vec<f64> = measurements(problem).matrices.row(i).iter().copied().collect();
        DMatrix::from_column_slice(problem.outputs, problem.inputs, &row)
    }

    #[test]
    fn a_symmetric_teacher_is_positive_of_its_rank_and_measured_by_symmetric_matrices() {
        let problem = sensing(6.0, 2.0, 5.0).draw((2, 0)).unwrap();
        let teacher = problem.teacher.as_ref().unwrap();
        let mut values: Vec<f64> = teacher.clone().symmetric_eigenvalues().iter().copied().collect();
        values.sort_by(f64::total_cmp);
        assert!(values[..4].iter().all(|v| v.abs() < 1e-14) && values[4] > 0.1);
        assert!((teacher.norm() - 6.0).abs() < 1e-14);
        for i in 0..5 {
            let a = matrix(&problem, i);
            assert_eq!(a, a.transpose());
            assert!((a.dot(teacher) - measurements(&problem).values[i]).abs() < 1e-13);
        }
    }

    #[test]
    fn many_measurements_are_nearly_an_isometry() {
        for symmetric in [true, false] {
            let mut data = sensing(8.0, 2.0, 4000.0);
            data.symmetric = symmetric;
            let problem = data.draw((2, 0)).unwrap();
            let sum: f64 = measurements(&problem).values.iter().map(|value| value * value).sum();
            // A mean of 4000 squared Gaussians, to four standard errors √(2/4000).
            assert!((sum / 64.0 - 1.0).abs() < 0.09, "{sum}");
            assert_eq!(matrix(&problem, 0) == matrix(&problem, 0).transpose(), symmetric);
        }
    }

    #[test]
    fn diagonal_measurements_commute_and_more_begin_with_the_fewer() {
        let mut data = sensing(8.0, 1.0, 5.0);
        data.kind = MeasurementKind::Diagonal;
        data.scale = Some(Positive::try_from(0.125).unwrap());
        let few = data.draw((2, 0)).unwrap();
        assert!((0..5).all(|i| matrix(&few, i) == DMatrix::from_diagonal(&matrix(&few, i).diagonal())));
        data.measurements = Samples::try_from(7.0).unwrap();
        let many = data.draw((2, 0)).unwrap();
        assert!((0..5).all(|i| matrix(&few, i) == matrix(&many, i)));
        assert_eq!(few.teacher, many.teacher);
    }
}
