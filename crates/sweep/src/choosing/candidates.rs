//! What a criterion scores: the points of a path, or the λ of ridge, with the refits that it may ask for.

use std::cell::OnceCell;
use taut_numerics::ThinSvd;
use taut_problem::{Clock, Dynamics, Regression, Trajectory};
use taut_train::{Fold, Remaining, Smoother, SpectralPath, leave_one_out, shuffled_folds};

/// Folds with more entries than this together are decomposed again for every cell: 128 MB.
const ENTRIES_KEPT: usize = 16_000_000;

/// The folds of one problem and replicate, decomposed when first asked for; shared by all its cells.
pub(crate) struct Refits {
    leave_one_out: Decomposed,
    k_fold: Option<Decomposed>,
}

/// Which rows each fold holds out, and the folds if they are small enough to be kept.
struct Decomposed {
    held: Vec<Vec<usize>>,
    kept: OnceCell<Vec<Fold>>,
}

impl Refits {
    /// `folds` is the K of `kfold`, at most n.
    pub(crate) fn new(samples: usize, folds: Option<usize>, seed: u64, replicate: u64) -> Self {
        let decomposed = |held| Decomposed { held, kept: OnceCell::new() };
        Self {
            leave_one_out: decomposed(leave_one_out(samples)),
            k_fold: folds.map(|folds| decomposed(shuffled_folds(samples, folds, seed, replicate))),
        }
    }
}

impl Decomposed {
    fn each(&self, problem: &Regression, mut see: impl FnMut(&Fold)) {
        let (n, p) = problem.design.shape();
        // Design, U and Vᵀ.
        let entries = self.held.len() * (n * p + (n + p) * n.min(p));
        if entries > ENTRIES_KEPT {
            return self.held.iter().for_each(|held| see(&Fold::new(problem, held)));
        }
        self.kept.get_or_init(|| self.held.iter().map(|held| Fold::new(problem, held)).collect()).iter().for_each(see);
    }
}

/// Predictors of one problem in the order of a path or a grid.
pub(crate) struct Candidates<'a> {
    pub(crate) problem: &'a Regression,
    pub(crate) svd: &'a ThinSvd,
    pub(crate) refits: &'a Refits,
    /// β, candidates × p; empty where the functions have none.
    pub(crate) predictors: &'a [f64],
    /// The covariance of each, row-major, where the rows are means over draws; empty otherwise.
    pub(crate) covariances: &'a [f64],
    pub(crate) kind: Kind<'a>,
}

/// How the predictors were made, as far as they can be made again from other rows.
pub(crate) enum Kind<'a> {
    /// A motion in closed form.
    Path(Path<'a>),
    /// Ridge with these λ.
    Ridge(&'a [f64]),
    /// Anything else.
    Other,
}

/// A motion in closed form.
pub(crate) struct Path<'a> {
    pub(crate) dynamics: &'a Dynamics,
    pub(crate) start: &'a [f64],
    pub(crate) clocks: &'a [Clock],
    /// Fraction learned, clocks × modes; empty where not known.
    pub(crate) filters: &'a [f64],
}

impl Path<'_> {
    /// The held-out squared errors of one fold are added to those of every clock.
    fn add_errors(&self, fold: &Fold, sums: &mut [f64]) {
        let mut path = SpectralPath::new(&fold.problem, &fold.svd, self.dynamics, self.start);
        for (clock, sum) in self.clocks.iter().zip(sums) {
            path.advance_to(*clock);
            *sum += fold.squared_error(path.snapshot().predictor);
        }
    }
}

impl Candidates<'_> {
    /// Mean squared error of every row under the fit that did not see it, one row at a time.
    pub(crate) fn left_out_errors(&self) -> Option<Vec<f64>> {
        self.errors(&self.refits.leave_one_out)
    }

    /// The same, a fold at a time.
    pub(crate) fn fold_errors(&self) -> Option<Vec<f64>> {
        self.errors(self.refits.k_fold.as_ref()?)
    }

    fn errors(&self, folds: &Decomposed) -> Option<Vec<f64>> {
        let mut sums = match &self.kind {
            Kind::Path(path) => vec![0.0; path.clocks.len()],
            Kind::Ridge(lambda) => vec![0.0; lambda.len()],
            Kind::Other => return None,
        };
        folds.each(self.problem, |fold| match &self.kind {
            Kind::Path(path) => path.add_errors(fold, &mut sums),
            Kind::Ridge(lambda) => {
                for (lambda, sum) in lambda.iter().zip(&mut sums) {
                    *sum += fold.squared_error(&ridge(fold, *lambda));
                }
            }
            Kind::Other => {}
        });
        let n = self.problem.samples() as f64;
        sums.iter_mut().for_each(|sum| *sum /= n);
        Some(sums)
    }

    /// A score of the smoother ŷ = Sy, where the fit is one: ridge, and motions from zero.
    pub(crate) fn smoothed(&self, score: impl Fn(&Smoother<'_>, &Remaining) -> f64) -> Option<Vec<f64>> {
        let smoother = Smoother::new(self.problem, self.svd);
        match &self.kind {
            Kind::Ridge(lambda) => {
                Some(lambda.iter().map(|lambda| score(&smoother, &Remaining::of_ridge(self.svd, *lambda))).collect())
            }
            Kind::Path(path) => {
                let modes = self.svd.rank();
                if path.start.iter().any(|theta| theta.abs() > 0.0) || path.filters.len() != path.clocks.len() * modes {
                    return None;
                }
                let remaining = |(row, clock): (usize, &Clock)| {
                    Remaining::of_motion(self.svd, path.dynamics, *clock)
                        .unwrap_or_else(|| Remaining::of_filters(&path.filters[row * modes..(row + 1) * modes]))
                };
                Some(path.clocks.iter().enumerate().map(|place| score(&smoother, &remaining(place))).collect())
            }
            Kind::Other => None,
        }
    }
}

/// θ = (ΦᵀΦ/n + λI)⁻¹Φᵀy/n of the kept rows.
fn ridge(fold: &Fold, lambda: f64) -> Vec<f64> {
    let per_sample = 1.0 / fold.problem.samples() as f64;
    fold.svd.filtered_solution(&fold.problem.y, |s| s * s * per_sample / (s * s * per_sample + lambda))
}
