//! `[data.completion]`: some entries of a matrix of low rank.

use super::drawn_matrix::{DrawnMatrix, drawn_places, frames};
use crate::{Entries, MatrixProblem, NonNegative, Observed, Positive, Samples, TestOver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, normal, stream};

/// A matrix ABᵀ with Gaussian factors, of which some entries are observed.
///
/// The loss is ½ Σ over the observed entries; test errors are over all entries, against ABᵀ.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// Rows of the matrix: its outputs.
    pub rows: Samples,
    /// Columns of the matrix: its inputs.
    pub columns: Samples,
    /// Columns of the factors A and B, whose entries are standard normal before scaling.
    pub rank: Samples,
    /// The Frobenius norm that ABᵀ is scaled to. Default √(rows·columns): entries of mean square 1.
    pub norm: Option<Positive>,
    /// How many entries are observed, drawn without repetition; more keep the fewer.
    pub observed: Samples,
    /// Standard deviation of the noise on observed entries. Default 0.
    #[serde(default)]
    pub noise: NonNegative,
}

/// ABᵀ scaled to a norm, by default that of entries of mean square 1.
pub(super) fn scaled_product(a: &DMatrix<f64>, b: &DMatrix<f64>, norm: Option<Positive>) -> DMatrix<f64> {
    let product = a * b.transpose();
    let norm = norm.map_or((product.len() as f64).sqrt(), Positive::get);
    let factor = norm / product.norm();
    product * factor
}

/// A complaint about a rank above that of any matrix of this shape.
pub(super) fn rank_complaint(rank: Samples, rows: usize, columns: usize) -> Option<(&'static str, String)> {
    let most = rows.min(columns);
    (rank.size() > most).then(|| ("rank", format!("rank {} of a matrix {rows}×{columns}: at most {most}", rank.get())))
}

impl Completion {
    /// Every entry has noise of its own, observed or not: another mask sees the same values.
    fn add_noise(&self, target: &mut DMatrix<f64>, (seed, replicate): (u64, u64)) {
        if self.noise.get() > 0.0 {
            let mut draws = stream(seed, "data-noise", replicate);
            target.iter_mut().for_each(|value| *value += self.noise.get() * normal(&mut draws));
        }
    }
}

impl DrawnMatrix for Completion {
    fn complaints(&self) -> Vec<(&'static str, String)> {
        let [columns, rows] = self.shape();
        let mut out: Vec<_> = rank_complaint(self.rank, rows, columns).into_iter().collect();
        if self.observed.size() > rows * columns {
            let message = format!("{} of {} entries: at most all", self.observed.get(), rows * columns);
            out.push(("observed", message));
        }
        out
    }

    fn shape(&self) -> [usize; 2] {
        [self.columns.size(), self.rows.size()]
    }

    fn samples(&self) -> usize {
        self.observed.size()
    }

    fn entries(&self) -> f64 {
        self.rows.get() as f64 * self.columns.get() as f64
    }

    fn draw(&self, seeds: (u64, u64)) -> Result<MatrixProblem, String> {
        let [inputs, outputs] = self.shape();
        let [a, b] = frames(outputs, inputs, self.rank.size(), seeds);
        let teacher = scaled_product(&a, &b, self.norm);
        let mut target = teacher.clone();
        self.add_noise(&mut target, seeds);
        let (seed, replicate) = seeds;
        let mut draws = stream(seed, "data-mask", replicate);
        let mut observed = drawn_places(inputs * outputs, self.observed.size(), &mut draws);
        observed.sort_unstable();
        let observed = Observed::Entries(Entries { target, observed });
        Ok(MatrixProblem { inputs, outputs, observed, teacher: Some(teacher), test: TestOver::Entries, law: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(observed: f64, noise: f64) -> Completion {
        let whole = |x| Samples::try_from(x).unwrap();
        let noise = NonNegative::try_from(noise).unwrap();
        Completion {
            rows: whole(9.0),
            columns: whole(7.0),
            rank: whole(2.0),
            norm: None,
            observed: whole(observed),
            noise,
        }
    }

    fn entries(problem: &MatrixProblem) -> &Entries {
        let Observed::Entries(entries) = &problem.observed else { panic!("entries") };
        entries
    }

    #[test]
    fn a_target_has_its_rank_and_norm_and_its_mask_so_many_entries() {
        let mut data = completion(20.0, 0.0);
        let problem = data.draw((1, 0)).unwrap();
        let target = problem.teacher.as_ref().unwrap();
        assert_eq!((taut_numerics::ThinSvd::new(target.as_view()).rank(), target.shape()), (2, (9, 7)));
        assert!((target.norm() - 63.0_f64.sqrt()).abs() < 1e-14);
        let observed = &entries(&problem).observed;
        assert!(observed.len() == 20 && observed.windows(2).all(|pair| pair[0] < pair[1]) && observed[19] < 63);
        assert_eq!(&entries(&problem).target, target);
        data.norm = Some(Positive::try_from(100.0).unwrap());
        assert!((data.draw((1, 0)).unwrap().teacher.unwrap().norm() - 100.0).abs() < 1e-12);
    }

    #[test]
    fn more_observed_entries_keep_the_fewer_with_their_noise() {
        let (few, many) = (completion(10.0, 0.5).draw((1, 0)).unwrap(), completion(40.0, 0.5).draw((1, 0)).unwrap());
        assert!(entries(&few).observed.iter().all(|place| entries(&many).observed.contains(place)));
        assert_eq!(entries(&few).target, entries(&many).target);
        let noise = &entries(&few).target - few.teacher.as_ref().unwrap();
        // A mean of 63 squares, to four standard errors √(2/63).
        assert!((noise.norm_squared() / 63.0 / 0.25 - 1.0).abs() < 0.72);
        assert_eq!(few.teacher, completion(10.0, 0.0).draw((1, 0)).unwrap().teacher);
    }

    #[test]
    fn blind_spots_are_rows_and_columns_without_an_observed_entry() {
        let mut problem = completion(63.0, 0.0).draw((1, 0)).unwrap();
        assert_eq!(problem.blind_spots(), (vec![], vec![]));
        let Observed::Entries(entries) = &mut problem.observed else { panic!("entries") };
        entries.observed.retain(|place| place % 9 != 4 && place / 9 != 2 && place / 9 != 6);
        assert_eq!(problem.blind_spots(), (vec![4], vec![2, 6]));
    }

    #[test]
    fn more_entries_than_there_are_and_a_rank_too_high_are_refused() {
        let mut data = completion(64.0, 0.0);
        data.rank = Samples::try_from(8.0).unwrap();
        let said: Vec<String> = data.complaints().into_iter().map(|(_, message)| message).collect();
        assert_eq!(said, ["rank 8 of a matrix 9×7: at most 7", "64 of 63 entries: at most all"]);
    }
}
