//! `[data.teacher]`: samples with values from a matrix of chosen singular values.

use super::CovarianceKind;
use super::drawn_inputs::{EntryLaw, drawn_inputs};
use super::drawn_matrix::{DrawnMatrix, drawn_places, frames};
use crate::orthonormal::{gaussian, orthonormal};
use crate::{
    Covariance, MatrixLaw, MatrixProblem, MatrixSamples, Moments, NonNegative, Observed, Positive, Samples, TestOver,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::{DMatrix, DVector, stream};

/// Inputs x, and values y = W̄x + noise of a random matrix W̄.
///
/// The loss is (1/2n) Σ |y − Wx|²; test errors are over new inputs of the covariance, against W̄ itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeacherMatrix {
    /// Columns of W̄.
    pub inputs: Samples,
    /// Rows of W̄.
    pub outputs: Samples,
    /// W̄ = U diag(these) Vᵀ with uniformly random orthonormal columns U and V; a longer list keeps the directions
    /// of a shorter one. Not with `matrix`.
    pub singular_values: Option<Vec<Positive>>,
    /// W̄ itself drawn, instead of `singular_values`.
    pub matrix: Option<MatrixKind>,
    /// How many samples n to draw. Left out: as many as inputs, with second moment XXᵀ/n = Σ exactly, so that Syx is
    /// W̄Σ and, if whitened, independent noise of variance noise²/inputs.
    pub samples: Option<Samples>,
    /// Σ of the inputs. Default: isotropic.
    #[serde(default)]
    pub covariance: CovarianceKind,
    /// Make drawn inputs whitened exactly, XXᵀ/n = I, by orthonormalising the rows of X.
    #[serde(default)]
    pub whiten: bool,
    /// Standard deviation of the noise on every value. Default 0.
    #[serde(default)]
    pub noise: NonNegative,
    /// Whether values are moved between samples. Default: none.
    #[serde(default)]
    pub shuffle: Shuffle,
}

/// How a matrix is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixKind {
    /// Independent entries N(0, 1/inputs)
    Gaussian,
}

/// How values are moved between samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shuffle {
    /// Values stay
    #[default]
    None,
    /// A sample gets all values of another; with as many whitened samples as inputs this leaves the singular
    /// values of Syx
    Items,
    /// Every output is permuted by itself
    Outputs,
}

impl TeacherMatrix {
    fn size(&self) -> [usize; 2] {
        [self.inputs.size(), self.outputs.size()]
    }

    fn is_white(&self) -> bool {
        self.covariance == CovarianceKind::Isotropic && (self.whiten || self.samples.is_none())
    }

    fn teacher(&self, seeds: (u64, u64)) -> DMatrix<f64> {
        let [inputs, outputs] = self.size();
        let Some(values) = &self.singular_values else {
            let (seed, replicate) = seeds;
            return gaussian(outputs, inputs, &mut stream(seed, "data-teacher", replicate)) / (inputs as f64).sqrt();
        };
        let [u, v] = frames(outputs, inputs, values.len(), seeds).map(orthonormal);
        let s = DVector::from_iterator(values.len(), values.iter().map(|s| s.get()));
        u * DMatrix::from_diagonal(&s) * v.transpose()
    }

    /// X, inputs × n.
    fn inputs(&self, sigma: &Covariance, seeds: (u64, u64)) -> Result<DMatrix<f64>, String> {
        let root = sigma.root().ok_or("the covariance is not positive definite")?;
        let [d, _] = self.size();
        let Some(samples) = self.samples else {
            let mut rows = DMatrix::identity(d, d) * (d as f64).sqrt();
            root.apply(&mut rows);
            return Ok(rows.transpose());
        };
        let n = samples.size();
        let x = drawn_inputs(EntryLaw::Gaussian, &root, [n, d], "data-design", seeds).transpose();
        Ok(if self.whiten { orthonormal(x) * (n as f64).sqrt() } else { x })
    }

    /// Y = W̄X + noise, moved between samples; sample by sample, so more samples begin with the fewer.
    fn values(&self, teacher: &DMatrix<f64>, x: &DMatrix<f64>, (seed, replicate): (u64, u64)) -> DMatrix<f64> {
        let mut y = teacher * x;
        if self.noise.get() > 0.0 {
            y += gaussian(y.nrows(), y.ncols(), &mut stream(seed, "data-noise", replicate)) * self.noise.get();
        }
        let n = y.ncols();
        let mut draws = stream(seed, "data-shuffle", replicate);
        match self.shuffle {
            Shuffle::None => y,
            Shuffle::Items => y.select_columns(&drawn_places(n, n, &mut draws)),
            Shuffle::Outputs => {
                let from: Vec<Vec<usize>> = (0..y.nrows()).map(|_| drawn_places(n, n, &mut draws)).collect();
                DMatrix::from_fn(y.nrows(), n, |i, j| y[(i, from[i][j])])
            }
        }
    }

    /// Known where Syx is a matrix of chosen singular values plus independent noise.
    fn law(&self) -> Option<MatrixLaw> {
        let noise = self.noise.get();
        let known = self.is_white() && self.singular_values.is_some() && self.shuffle == Shuffle::None && noise > 0.0;
        // Entries of noise·Xᵀ/n have variance noise²/n for whitened X.
        let noise_variance = noise * noise * self.inputs.get() as f64 / self.samples() as f64;
        known.then_some(MatrixLaw::Spiked { noise_variance })
    }
}

impl DrawnMatrix for TeacherMatrix {
    fn complaints(&self) -> Vec<(&'static str, String)> {
        let [inputs, outputs] = self.size();
        let mut out = self.covariance.complaints(inputs);
        let mut say = |key, message: String| out.push((key, message));
        match (&self.singular_values, self.matrix) {
            (None, None) => say(
                "singular_values",
                "no teacher: give its `singular_values = [3.0, 1.5]`, or `matrix = \"gaussian\"`".to_owned(),
            ),
            (Some(_), Some(_)) => {
                say("matrix", "the teacher is given twice: keep one of `singular_values` and `matrix`".to_owned());
            }
            (Some(values), None) if values.len() > inputs.min(outputs) => say(
                "singular_values",
                format!(
                    "{} singular values of a matrix {outputs}×{inputs}: at most {}",
                    values.len(),
                    inputs.min(outputs)
                ),
            ),
            _ => {}
        }
        match self.samples.map(Samples::size) {
            _ if !self.whiten => {}
            None => say("whiten", "without `samples` the inputs are whitened already: remove `whiten`".to_owned()),
            Some(n) if n < inputs => say(
                "whiten",
                format!("{n} samples of {inputs} inputs cannot be whitened: at least as many samples as inputs"),
            ),
            Some(_) if self.covariance != CovarianceKind::Isotropic => {
                say("whiten", "whitened inputs have no other covariance: remove `covariance` or `whiten`".to_owned());
            }
            Some(_) => {}
        }
        out
    }

    fn shape(&self) -> [usize; 2] {
        self.size()
    }

    fn samples(&self) -> usize {
        self.samples.unwrap_or(self.inputs).size()
    }

    fn draw(&self, seeds: (u64, u64)) -> Result<MatrixProblem, String> {
        let [inputs, outputs] = self.size();
        let sigma = self.covariance.sigma(inputs);
        let teacher = self.teacher(seeds);
        let x = self.inputs(&sigma, seeds)?;
        let y = self.values(&teacher, &x, seeds);
        let moments = Arc::new(MatrixSamples { x, y }).moments();
        let sigma = sigma.matrix();
        // What holds exactly is not left to rounding: theories ask whether inputs are whitened.
        let sxx = match (self.is_white(), self.samples) {
            (true, _) => None,
            (false, None) => sigma.clone(),
            (false, Some(_)) => moments.sxx,
        };
        let observed = Observed::Moments(Moments { sxx, ..moments });
        let (teacher, test, law) = (Some(teacher), TestOver::Inputs(sigma), self.law());
        Ok(MatrixProblem { inputs, outputs, observed, teacher, test, law })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Finite;

    fn whole(n: usize) -> Samples {
        Samples::try_from(n as f64).unwrap()
    }

    fn teacher(inputs: usize, outputs: usize, singular_values: &[f64]) -> TeacherMatrix {
        TeacherMatrix {
            inputs: whole(inputs),
            outputs: whole(outputs),
            singular_values: Some(singular_values.iter().map(|s| Positive::try_from(*s).unwrap()).collect()),
            matrix: None,
            samples: None,
            covariance: CovarianceKind::Isotropic,
            whiten: false,
            noise: NonNegative::default(),
            shuffle: Shuffle::None,
        }
    }

    fn moments(problem: &MatrixProblem) -> &Moments {
        let Observed::Moments(moments) = &problem.observed else { panic!("a teacher is seen through moments") };
        moments
    }

    fn singular_values(matrix: &DMatrix<f64>) -> Vec<f64> {
        taut_numerics::ThinSvd::new(matrix.as_view()).all
    }

    #[test]
    fn a_teacher_has_the_singular_values_that_it_is_given() {
        let problem = teacher(9, 6, &[3.0, 1.5, 0.6]).draw((1, 0)).unwrap();
        let matrix = problem.teacher.as_ref().unwrap();
        for (found, exact) in singular_values(matrix).iter().zip([3.0, 1.5, 0.6, 0.0, 0.0, 0.0]) {
            assert!((found - exact).abs() < 1e-14);
        }
        // Whitened exactly and without noise: Syx is the teacher, to the rounding of √n·√n/n.
        assert!(moments(&problem).sxx.is_none() && (&moments(&problem).syx - matrix).amax() < 1e-15);
        assert_eq!((problem.samples(), problem.law), (9, None));
        assert!(moments(&problem).best().1 < 1e-28, "as many samples as inputs are interpolated");
        // A longer list keeps the directions: what is left is of rank one.
        let more = teacher(9, 6, &[3.0, 1.5, 0.6, 0.2]).draw((1, 0)).unwrap().teacher.unwrap();
        assert!((singular_values(&(more - matrix))[0] - 0.2).abs() < 1e-14);
    }

    #[test]
    fn noise_on_whitened_moments_has_variance_noise_squared_over_inputs() {
        let mut data = teacher(80, 50, &[2.0]);
        data.noise = NonNegative::try_from(3.0).unwrap();
        for samples in [None, Some(whole(320))] {
            data.samples = samples;
            data.whiten = samples.is_some();
            let problem = data.draw((4, 1)).unwrap();
            let MatrixLaw::Spiked { noise_variance } = problem.law.unwrap() else { panic!("a spiked matrix") };
            let exact = 9.0 * 80.0 / problem.samples() as f64;
            assert!((noise_variance - exact).abs() < 1e-12);
            assert!(moments(&problem).sxx.is_none());
            let noise = &moments(&problem).syx - problem.teacher.as_ref().unwrap();
            // The mean of 4000 squared Gaussians, to four standard errors √(2/4000).
            assert!((noise.norm_squared() / (4000.0 * noise_variance / 80.0) - 1.0).abs() < 0.09);
        }
    }

    #[test]
    fn a_spike_comes_out_where_the_theory_of_spiked_matrices_says() {
        // 100 outputs and 200 inputs: A = ½. Of spikes in units of the noise, 3 comes out at √((1 + 9)(A + 9))/3, and
        // noise ends at 1 + √A.
        let mut data = teacher(200, 100, &[6.0]);
        data.noise = NonNegative::try_from(2.0).unwrap();
        for samples in [None, Some(whole(200))] {
            (data.samples, data.whiten) = (samples, samples.is_some());
            let found = singular_values(&moments(&data.draw((3, 0)).unwrap()).syx);
            // A spike varies by about 1/√200, the edge by 200^(−2/3).
            assert!((found[0] / 2.0 - (95.0_f64).sqrt() / 3.0).abs() < 0.2, "{}", found[0] / 2.0);
            assert!((found[1] / 2.0 - 1.0 - 0.5_f64.sqrt()).abs() < 0.1, "{}", found[1] / 2.0);
        }
    }

    #[test]
    fn second_moments_are_exact_without_samples_and_whitened_on_demand() {
        let sigma = [[2.0, 0.3], [0.3, 1.0]];
        let rows = sigma.iter().map(|row| row.iter().map(|v| Finite::try_from(*v).unwrap()).collect()).collect();
        let mut data = teacher(2, 3, &[1.0]);
        data.covariance = CovarianceKind::Dense(rows);
        let problem = data.draw((2, 0)).unwrap();
        let (seen, exact) = (moments(&problem), DMatrix::from_fn(2, 2, |i, j| sigma[i][j]));
        let x = &seen.samples.as_ref().unwrap().x;
        assert!((x * x.transpose() / 2.0 - &exact).amax() < 1e-15);
        assert_eq!(seen.sxx.as_ref(), Some(&exact));
        assert!((&seen.syx - problem.teacher.as_ref().unwrap() * &exact).amax() < 1e-15);
        assert!(matches!(&problem.test, TestOver::Inputs(Some(test)) if *test == exact));

        let mut data = teacher(30, 3, &[1.0]);
        (data.samples, data.whiten) = (Some(whole(45)), true);
        let problem = data.draw((2, 0)).unwrap();
        let x = &moments(&problem).samples.as_ref().unwrap().x;
        assert!((x * x.transpose() / 45.0 - DMatrix::identity(30, 30)).amax() < 1e-14);
    }

    #[test]
    fn shuffled_items_keep_the_singular_values_and_shuffled_outputs_do_not() {
        let draw = |shuffle| TeacherMatrix { shuffle, ..teacher(40, 20, &[6.0, 3.0]) }.draw((7, 3)).unwrap();
        let [plain, items, outputs] = [Shuffle::None, Shuffle::Items, Shuffle::Outputs].map(draw);
        let values = |problem: &MatrixProblem| singular_values(&moments(problem).syx);
        for (a, b) in values(&plain).iter().zip(values(&items)) {
            assert!((a - b).abs() < 1e-14 * 6.0);
        }
        assert!((&moments(&plain).syx - &moments(&items).syx).norm() > 1.0);
        // Every row keeps its values in another order.
        let sorted = |problem: &MatrixProblem| {
            let mut row: Vec<f64> = moments(problem).syx.row(4).iter().copied().collect();
            row.sort_by(f64::total_cmp);
            row
        };
        assert_eq!(sorted(&plain), sorted(&outputs));
        assert!(values(&outputs)[0] < 0.6 * 6.0, "permuted outputs are aligned no more");
        assert_eq!(plain.teacher, outputs.teacher);
    }

    #[test]
    fn more_samples_begin_with_the_fewer() {
        let draw = |n| {
            let mut data = teacher(5, 3, &[2.0]);
            (data.samples, data.noise) = (Some(whole(n)), NonNegative::try_from(0.5).unwrap());
            moments(&data.draw((3, 2)).unwrap()).samples.clone().unwrap()
        };
        let (few, many) = (draw(4), draw(9));
        assert_eq!(few.x, many.x.columns(0, 4));
        assert!((&few.y - many.y.columns(0, 4)).amax() < 1e-15);
    }

    #[test]
    fn what_makes_no_teacher_is_refused() {
        let said = |change: &dyn Fn(&mut TeacherMatrix)| {
            let mut data = teacher(4, 3, &[1.0]);
            change(&mut data);
            data.complaints().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(said(&|_| ()), [""; 0]);
        assert_eq!(said(&|data| data.singular_values = None), ["singular_values"]);
        assert_eq!(said(&|data| data.singular_values = teacher(9, 9, &[1.0; 4]).singular_values), ["singular_values"]);
        assert_eq!(said(&|data| data.matrix = Some(MatrixKind::Gaussian)), ["matrix"]);
        assert_eq!(said(&|data| data.whiten = true), ["whiten"]);
        assert_eq!(said(&|data| (data.whiten, data.samples) = (true, Some(whole(3)))), ["whiten"]);
        assert_eq!(said(&|data| data.covariance = CovarianceKind::Eigenvalues(Vec::new())), ["covariance.eigenvalues"]);
    }
}
