//! Folds: a problem without some of its rows, decomposed once for everything that is fitted to it.

use taut_numerics::{DMatrix, ThinSvd, stream, uniform};
use taut_problem::{HeldOut, Regression};

/// The rows that stay and the rows that are held out.
///
/// The loss keeps its 1/n with the n of all rows, L = Σ over kept rows (yᵢ − φᵢ·θ)²/(2n), so step sizes,
/// times and λ mean what they mean in the whole problem. With m rows kept, design and values are
/// multiplied by √(m/n): |√(m/n)(y − Φθ)|²/(2m) is that loss.
pub struct Fold {
    /// The kept rows, m × p, scaled; without the points, the law and the held-out data of the whole.
    pub problem: Regression,
    /// Thin SVD of the scaled design.
    pub svd: ThinSvd,
    held: HeldOut,
}

impl Fold {
    /// Takes the rows `held` (ascending) out of `problem`. O(min(m, p)²·max(m, p)).
    ///
    /// # Panics
    /// If no row is left.
    pub fn new(problem: &Regression, held: &[usize]) -> Self {
        let n = problem.samples();
        let kept: Vec<usize> = (0..n).filter(|i| held.binary_search(i).is_err()).collect();
        assert!(!kept.is_empty(), "a fold keeps a row");
        let scale = (kept.len() as f64 / n as f64).sqrt();
        let design: DMatrix<f64> = problem.design.select_rows(&kept) * scale;
        let svd = ThinSvd::new(design.as_view());
        let problem_of_kept = Regression {
            x: Vec::new(),
            y: kept.iter().map(|&i| scale * problem.y[i]).collect(),
            target: None,
            features: std::sync::Arc::clone(&problem.features),
            design,
            noise_variance: None,
            law: None,
            test: None,
            validation: None,
        };
        let held =
            HeldOut { design: problem.design.select_rows(held), y: held.iter().map(|&i| problem.y[i]).collect() };
        Self { problem: problem_of_kept, svd, held }
    }

    /// Σ (φᵢ·β − yᵢ)² over the held-out rows, against their observed values.
    pub fn squared_error(&self, beta: &[f64]) -> f64 {
        self.held.mean_square(beta) * self.held.y.len() as f64
    }
}

/// n folds of one row each.
pub fn leave_one_out(n: usize) -> Vec<Vec<usize>> {
    (0..n).map(|i| vec![i]).collect()
}

/// The rows of each of `folds` folds, ascending; their sizes differ by at most one.
///
/// The stream `folds` of the replicate shuffles the rows; the row at place j of the shuffled list is in
/// fold j mod `folds`. So the order of the data has no say, and cells that share their data and their
/// replicate share their folds.
///
/// # Panics
/// If `folds` is 0.
pub fn shuffled_folds(n: usize, folds: usize, seed: u64, replicate: u64) -> Vec<Vec<usize>> {
    let mut draws = stream(seed, "folds", replicate);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        let other = (uniform(&mut draws) * (last + 1) as f64) as usize;
        order.swap(last, other);
    }
    let mut rows = vec![Vec::new(); folds];
    for (place, row) in order.into_iter().enumerate() {
        rows[place % folds].push(row);
    }
    rows.iter_mut().for_each(|rows| rows.sort_unstable());
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_held_out_once() {
        let folds = shuffled_folds(11, 4, 7, 0);
        let mut all: Vec<usize> = folds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..11).collect::<Vec<_>>());
        assert!(folds.iter().all(|rows| rows.len() == 2 || rows.len() == 3));
        assert!(folds.iter().all(|rows| rows.windows(2).all(|w| w[0] < w[1])));
    }

    #[test]
    fn folds_depend_on_seed_and_replicate_only() {
        assert_eq!(shuffled_folds(20, 5, 1, 2), shuffled_folds(20, 5, 1, 2));
        assert_ne!(shuffled_folds(20, 5, 1, 2), shuffled_folds(20, 5, 1, 3));
        assert_ne!(shuffled_folds(20, 5, 1, 2), shuffled_folds(20, 5, 2, 2));
    }

    #[test]
    fn as_many_folds_as_rows_leave_one_out() {
        let mut folds = shuffled_folds(9, 9, 3, 0);
        folds.sort();
        assert_eq!(folds, leave_one_out(9));
    }
}
