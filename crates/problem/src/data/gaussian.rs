//! `[data.gaussian]`: Gaussian inputs with values from a linear teacher.

use super::drawn_inputs::drawn_inputs;
use super::{Drawn, DrawnRows, EntryLaw, Purpose};
use crate::law::Root;
use crate::{Covariance, Finite, Fraction, Law, NonNegative, Positive, Samples};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, ThinSvd, dot, normal, stream, uniform};

/// Rows x of covariance Σ and values y = x·θ* + unseen signal + noise.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gaussian {
    /// How many rows n.
    pub samples: Samples,
    /// How many inputs d.
    pub inputs: Samples,
    /// Σ. Default: isotropic.
    #[serde(default)]
    pub covariance: CovarianceKind,
    /// The law of the independent entries z of x = Σ^½z. Default: Gaussian.
    #[serde(default)]
    pub entries: EntryLaw,
    /// θ*. Default: dense.
    #[serde(default)]
    pub teacher: TeacherKind,
    /// r² of a drawn teacher: ‖θ*‖² = (1 − unseen)·r². Default 1; explicit teachers bring their own. A sparse teacher
    /// with `signal` = `nonzeros` and nothing unseen has coefficients ±1.
    pub signal: Option<Positive>,
    /// Standard deviation σ of the label noise. Default 0.
    pub noise: Option<NonNegative>,
    /// r²/σ², instead of `noise`.
    pub snr: Option<Positive>,
    /// 1 − κ: the share of r² that no input sees; it adds Gaussian values of variance unseen·r². Default 0.
    pub unseen: Option<Fraction>,
    /// Divide all values, and with them teacher and noise, by the norm of the least-squares solution in the inputs, so
    /// that this has norm 1 in every draw. Default: false.
    pub unit_solution: Option<bool>,
}

/// Σ of Gaussian inputs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CovarianceKind {
    /// Σ = I
    #[default]
    Isotropic,
    /// Σ = diag(j^(−exponent)), j = 1 … d
    PowerLaw(PowerLaw),
    /// Σ = diag of these
    Eigenvalues(Vec<Positive>),
    /// Σ itself, row by row: symmetric and positive definite
    Dense(Vec<Vec<Finite>>),
}

/// The decay of eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerLaw {
    /// The power a of j^(−a).
    pub exponent: NonNegative,
}

/// The teacher θ*.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TeacherKind {
    /// A uniformly random direction
    #[default]
    Dense,
    /// Random signs on so many inputs, drawn without repetition
    Sparse(Sparse),
    /// These coefficients
    Explicit(Vec<Finite>),
}

/// How sparse a teacher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sparse {
    /// How many inputs matter.
    pub nonzeros: Samples,
}

impl Gaussian {
    /// Everything that can be said against the table.
    pub(super) fn complaints(&self) -> Vec<(&'static str, String)> {
        let mut out = self.covariance.complaints(self.inputs.size());
        out.extend(self.teacher_complaints());
        if self.noise.is_some() && self.snr.is_some() {
            let message = "noise is given twice: keep one of `noise` (standard deviation) and `snr` (r²/noise²)";
            out.push(("snr", message.to_owned()));
        }
        out
    }

    fn teacher_complaints(&self) -> Vec<(&'static str, String)> {
        let d = self.inputs.size();
        let mut out = Vec::new();
        match &self.teacher {
            TeacherKind::Dense => {}
            TeacherKind::Sparse(sparse) if sparse.nonzeros.size() <= d => {}
            TeacherKind::Sparse(sparse) => {
                let message = format!("{} nonzeros for {d} inputs: at most one per input", sparse.nonzeros.get());
                out.push(("teacher.sparse.nonzeros", message));
            }
            TeacherKind::Explicit(values) => {
                if values.len() != d {
                    let message = format!("{} coefficients for {d} inputs: one per input", values.len());
                    out.push(("teacher.explicit", message));
                }
                if self.signal.is_some() {
                    let message = "an explicit teacher brings its own signal, its squared norm: remove `signal`";
                    out.push(("signal", message.to_owned()));
                }
                if self.snr.is_some() && values.iter().all(|v| v.get().abs() <= 0.0) {
                    let message = "a teacher of zeros has no signal, so no noise has a ratio to it: use `noise`";
                    out.push(("snr", message.to_owned()));
                }
            }
        }
        out
    }

    /// The law of the inputs and values, for one replicate.
    ///
    /// The stream `data-teacher` draws the teacher. A sparse one is nested: more nonzeros keep the
    /// inputs and signs of fewer.
    fn law(&self, seed: u64, replicate: u64) -> Law {
        let unseen = self.unseen.map_or(0.0, Fraction::get);
        let (direction, signal) = self.teacher(seed, replicate);
        // r² is the whole signal; an explicit teacher is the part of it that is seen.
        let signal = match self.teacher {
            TeacherKind::Explicit(_) => signal / (1.0 - unseen),
            TeacherKind::Dense | TeacherKind::Sparse(_) => self.signal.map_or(1.0, Positive::get),
        };
        let length = ((1.0 - unseen) * signal).sqrt();
        let predictor = match self.teacher {
            TeacherKind::Explicit(_) => direction,
            TeacherKind::Dense | TeacherKind::Sparse(_) => direction.into_iter().map(|t| t * length).collect(),
        };
        let noise_variance = match (self.noise, self.snr) {
            (Some(noise), _) => noise.get() * noise.get(),
            (None, Some(snr)) => signal / snr.get(),
            (None, None) => 0.0,
        };
        Law {
            covariance: self.covariance.sigma(self.inputs.size()),
            predictor,
            noise_variance,
            unseen_variance: unseen * signal,
        }
    }

    /// The teacher's direction (or itself, if explicit) with its squared norm.
    fn teacher(&self, seed: u64, replicate: u64) -> (Vec<f64>, f64) {
        let d = self.inputs.size();
        let mut draws = stream(seed, "data-teacher", replicate);
        let mut teacher: Vec<f64> = match &self.teacher {
            TeacherKind::Dense => (0..d).map(|_| normal(&mut draws)).collect(),
            TeacherKind::Sparse(sparse) => {
                let mut places: Vec<usize> = (0..d).collect();
                let mut teacher = vec![0.0; d];
                for i in 0..sparse.nonzeros.size() {
                    let other = i + (uniform(&mut draws) * (d - i) as f64) as usize;
                    places.swap(i, other);
                    teacher[places[i]] = if uniform(&mut draws) < 0.5 { 1.0 } else { -1.0 };
                }
                teacher
            }
            TeacherKind::Explicit(values) => values.iter().map(|v| v.get()).collect(),
        };
        let squared = teacher.iter().map(|t| t * t).sum::<f64>();
        if !matches!(self.teacher, TeacherKind::Explicit(_)) {
            teacher.iter_mut().for_each(|t| *t /= squared.sqrt());
        }
        (teacher, squared)
    }

    /// The rows of one replicate, with `test` and `validation` new rows held out.
    pub(super) fn draw(&self, seed: u64, replicate: u64, test: usize, validation: usize) -> Result<Drawn, String> {
        let law = self.law(seed, replicate);
        let root = law.covariance.root().ok_or("the covariance is not positive definite")?;
        let rows = |purpose: Purpose, n: usize| rows(self.entries, &law, &root, purpose, n, (seed, replicate));
        let DrawnRows { inputs, y } = rows(Purpose::Fit, self.samples.size());
        let held_out = |purpose, n| (n > 0).then(|| rows(purpose, n));
        let mut drawn = Drawn {
            test: held_out(Purpose::Test, test),
            validation: held_out(Purpose::Validation, validation),
            noise_variance: Some(law.noise_variance),
            law: Some(law),
            ..Drawn::of(inputs, y)
        };
        if self.unit_solution == Some(true) {
            normalise(&mut drawn)?;
        }
        Ok(drawn)
    }
}

impl CovarianceKind {
    pub(super) fn complaints(&self, d: usize) -> Vec<(&'static str, String)> {
        match self {
            Self::Eigenvalues(values) if values.len() != d => {
                vec![("covariance.eigenvalues", format!("{} eigenvalues for {d} inputs: one per input", values.len()))]
            }
            Self::Dense(rows) => dense_complaint(rows, d).map(|said| ("covariance.dense", said)).into_iter().collect(),
            Self::Isotropic | Self::PowerLaw(_) | Self::Eigenvalues(_) => Vec::new(),
        }
    }

    pub(super) fn sigma(&self, d: usize) -> Covariance {
        match self {
            Self::Isotropic => Covariance::Isotropic,
            Self::PowerLaw(law) => {
                Covariance::Diagonal((1..=d).map(|j| (j as f64).powf(-law.exponent.get())).collect())
            }
            Self::Eigenvalues(values) => Covariance::Diagonal(values.iter().map(|v| v.get()).collect()),
            Self::Dense(rows) => Covariance::Dense(matrix(rows)),
        }
    }
}

/// Divides values and law by the norm of the least-squares solution.
fn normalise(drawn: &mut Drawn) -> Result<(), String> {
    let solution = ThinSvd::new(drawn.inputs.as_view()).filtered_solution(&drawn.y, |_| 1.0);
    let norm = dot(&solution, &solution).sqrt();
    if norm <= 0.0 {
        return Err("all values are zero, so no multiple of them has a least-squares solution of norm 1".to_owned());
    }
    let held_out = [&mut drawn.test, &mut drawn.validation].into_iter().flatten().map(|rows| &mut rows.y);
    let values = held_out.chain([&mut drawn.y]).chain(drawn.law.as_mut().map(|law| &mut law.predictor));
    values.flatten().for_each(|value| *value /= norm);
    if let Some(law) = &mut drawn.law {
        law.noise_variance /= norm * norm;
        law.unseen_variance /= norm * norm;
        drawn.noise_variance = Some(law.noise_variance);
    }
    Ok(())
}

fn matrix(rows: &[Vec<Finite>]) -> DMatrix<f64> {
    DMatrix::from_fn(rows.len(), rows.len(), |i, j| rows[i][j].get())
}

/// What is wrong with an explicit Σ.
fn dense_complaint(rows: &[Vec<Finite>], d: usize) -> Option<String> {
    if rows.len() != d {
        return Some(format!("{} rows for {d} inputs: one row per input", rows.len()));
    }
    if let Some(i) = rows.iter().position(|row| row.len() != d) {
        return Some(format!("row {} has {} entries for {d} inputs: one entry per input", i + 1, rows[i].len()));
    }
    let sigma = matrix(rows);
    for i in 0..d {
        for j in 0..i {
            let (low, high) = (sigma[(i, j)], sigma[(j, i)]);
            if (low - high).abs() > 1e-12 * (low.abs() + high.abs()) {
                let (row, column) = (i + 1, j + 1);
                return Some(format!(
                    "not symmetric: row {row}, column {column} holds {low}, and row {column}, column {row} {high}"
                ));
            }
        }
    }
    if Covariance::Dense(sigma.clone()).root().is_some() {
        return None;
    }
    let least = sigma.symmetric_eigenvalues().min();
    Some(format!("not positive definite: the smallest eigenvalue is {least:.3e}, expected one above 0"))
}

/// Rows with their values.
fn rows(
    entries: EntryLaw,
    law: &Law,
    root: &Root,
    purpose: Purpose,
    n: usize,
    (seed, replicate): (u64, u64),
) -> DrawnRows {
    let inputs = drawn_inputs(entries, root, [n, law.predictor.len()], purpose.design(), (seed, replicate));
    let mut y = vec![0.0; n];
    for (column, teacher) in inputs.as_slice().chunks_exact(n).zip(&law.predictor) {
        if *teacher != 0.0 {
            y.iter_mut().zip(column).for_each(|(y, x)| *y += teacher * x);
        }
    }
    let mut add = |variance: f64, name: &str| {
        if variance > 0.0 {
            let mut draws = stream(seed, name, replicate);
            y.iter_mut().for_each(|y| *y += variance.sqrt() * normal(&mut draws));
        }
    };
    add(law.unseen_variance, purpose.unseen());
    if purpose != Purpose::Test {
        add(law.noise_variance, purpose.noise());
    }
    DrawnRows { inputs, y }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaussian(samples: f64, inputs: f64) -> Gaussian {
        Gaussian {
            samples: Samples::try_from(samples).unwrap(),
            inputs: Samples::try_from(inputs).unwrap(),
            covariance: CovarianceKind::Isotropic,
            entries: EntryLaw::Gaussian,
            teacher: TeacherKind::Dense,
            signal: None,
            noise: None,
            snr: None,
            unseen: None,
            unit_solution: None,
        }
    }

    fn finite(values: &[f64]) -> Vec<Finite> {
        values.iter().map(|v| Finite::try_from(*v).unwrap()).collect()
    }

    #[test]
    fn smaller_data_begin_larger_ones() {
        let small = gaussian(5.0, 3.0).draw(7, 2, 0, 0).unwrap().inputs;
        let large = gaussian(9.0, 6.0).draw(7, 2, 4, 4).unwrap().inputs;
        assert_eq!(small, large.view((0, 0), (5, 3)));
    }

    #[test]
    fn moments_are_those_of_the_law() {
        // Third row and column: correlated with the first.
        let sigma = [[2.0, 0.3, -0.5], [0.3, 1.0, 0.0], [-0.5, 0.0, 0.7]];
        let mut data = gaussian(40_000.0, 3.0);
        data.covariance = CovarianceKind::Dense(sigma.iter().map(|row| finite(row)).collect());
        data.teacher = TeacherKind::Explicit(finite(&[1.0, -2.0, 0.5]));
        data.snr = Some(Positive::try_from(4.0).unwrap());
        data.unseen = Some(Fraction::try_from(0.25).unwrap());
        let drawn = data.draw(1, 0, 40_000, 0).unwrap();
        let law = drawn.law.as_ref().unwrap();
        // ‖θ*‖² = 5.25 is three quarters of r² = 7.
        assert!((law.noise_variance - 7.0 / 4.0).abs() < 1e-14 && (law.unseen_variance - 7.0 / 4.0).abs() < 1e-14);
        let n = drawn.y.len() as f64;
        let found = drawn.inputs.transpose() * &drawn.inputs / n;
        for (i, row) in sigma.iter().enumerate() {
            for (j, exact) in row.iter().enumerate() {
                // Four standard errors of a product of Gaussians of variance at most 2.
                assert!((found[(i, j)] - exact).abs() < 4.0 * 2.0 * (2.0 / n).sqrt(), "{i} {j}");
            }
        }
        let rest = |inputs: &DMatrix<f64>, y: &[f64]| {
            let fit = inputs * taut_numerics::DVector::from_column_slice(&law.predictor);
            y.iter().zip(fit.iter()).map(|(y, f)| (y - f).powi(2)).sum::<f64>() / n
        };
        let error = 4.0 * 3.5 * (2.0 / n).sqrt();
        assert!((rest(&drawn.inputs, &drawn.y) - 3.5).abs() < error);
        let test = drawn.test.as_ref().unwrap();
        assert!((rest(&test.inputs, &test.y) - 1.75).abs() < error, "test values have no label noise");
    }

    #[test]
    fn values_in_units_of_their_solution_have_one_of_norm_one() {
        let mut data = gaussian(50.0, 5.0);
        data.noise = Some(NonNegative::try_from(1.0).unwrap());
        let plain = data.draw(7, 2, 3, 0).unwrap();
        data.unit_solution = Some(true);
        let drawn = data.draw(7, 2, 3, 0).unwrap();
        let solution = ThinSvd::new(drawn.inputs.as_view()).filtered_solution(&drawn.y, |_| 1.0);
        assert!((dot(&solution, &solution) - 1.0).abs() < 1e-14);
        // Everything else in the same units.
        let (unit, law) = (plain.y[0] / drawn.y[0], drawn.law.as_ref().unwrap());
        let ratios = [
            plain.test.as_ref().unwrap().y[1] / drawn.test.as_ref().unwrap().y[1],
            plain.law.as_ref().unwrap().predictor[3] / law.predictor[3],
            (1.0 / law.noise_variance).sqrt(),
            (1.0 / drawn.noise_variance.unwrap()).sqrt(),
        ];
        assert!(ratios.iter().all(|ratio| (ratio / unit - 1.0).abs() < 1e-14), "{ratios:?} {unit}");
    }

    #[test]
    fn a_sparse_teacher_has_its_norm_on_few_inputs() {
        let mut data = gaussian(2.0, 40.0);
        data.teacher = TeacherKind::Sparse(Sparse { nonzeros: Samples::try_from(5.0).unwrap() });
        data.signal = Some(Positive::try_from(3.0).unwrap());
        let law = data.law(3, 1);
        assert_eq!(law.predictor.iter().filter(|t| **t != 0.0).count(), 5);
        assert!((law.signal() - 3.0).abs() < 1e-14);
        // As much signal as nonzeros makes them signs.
        data.signal = Some(Positive::try_from(5.0).unwrap());
        let signs = data.law(3, 1).predictor;
        assert!(signs.iter().all(|t| *t == 0.0 || (t.abs() - 1.0).abs() < 1e-15));
    }

    #[test]
    fn what_is_no_covariance_is_refused() {
        let said = |rows: &[&[f64]]| dense_complaint(&rows.iter().map(|r| finite(r)).collect::<Vec<_>>(), 2);
        assert_eq!(said(&[&[2.0, 1.0], &[1.0, 2.0]]), None);
        assert!(said(&[&[2.0, 1.0]]).unwrap().contains("1 rows for 2 inputs"));
        assert!(said(&[&[2.0, 1.0], &[1.0]]).unwrap().contains("row 2 has 1 entries"));
        assert!(said(&[&[2.0, 1.0], &[1.5, 2.0]]).unwrap().contains("not symmetric"));
        assert!(said(&[&[1.0, 2.0], &[2.0, 1.0]]).unwrap().contains("smallest eigenvalue is -1.000e0"));
    }
}
