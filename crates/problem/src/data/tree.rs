//! `[data.tree]`: items at the leaves of a tree, with features that flip along its edges.

use super::drawn_matrix::DrawnMatrix;
use crate::{Fraction, MatrixLaw, MatrixProblem, MatrixSamples, Observed, Samples, TestOver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use taut_numerics::{DMatrix, Stream, stream, uniform};

/// P = B^D items, each an input of its own (one-hot), and their features as outputs.
///
/// A feature is ±1 at the root and flips along every edge with probability ε, independently of the others. Values
/// are features/√F, so that the singular values of the P × F matrix of values do not grow with F; Sxx = I/P, and the
/// loss is (1/2P) Σ. The teacher is that matrix itself, and test errors are over its entries, which is over the
/// items: there are no others (Saxe, McClelland and Ganguli 2019).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Splits between the root and a leaf, D.
    pub levels: Samples,
    /// Children of every node, B.
    pub branching: Samples,
    /// The probability ε that a feature flips along an edge.
    pub flip: Fraction,
    /// How many features F; more begin with the fewer.
    pub features: Samples,
}

/// More items than this make matrices that nobody wants to wait for.
const MOST_ITEMS: usize = 4096;

impl Tree {
    /// B^D; `None` beyond [`MOST_ITEMS`].
    fn items(&self) -> Option<usize> {
        let items = self.branching.size().checked_pow(u32::try_from(self.levels.get()).ok()?)?;
        (items <= MOST_ITEMS).then_some(items)
    }

    /// One feature of all leaves, from the root down; leaves of a node stand together.
    fn feature(&self, draws: &mut Stream) -> Vec<f64> {
        let sign = |probability: f64, draws: &mut Stream| if uniform(draws) < probability { -1.0 } else { 1.0 };
        let mut nodes = vec![sign(0.5, draws)];
        for _ in 0..self.levels.get() {
            let children = nodes.iter().flat_map(|node| std::iter::repeat_n(*node, self.branching.size()));
            nodes = children.map(|parent| parent * sign(self.flip.get(), draws)).collect();
        }
        nodes
    }
}

impl DrawnMatrix for Tree {
    fn complaints(&self) -> Vec<(&'static str, String)> {
        let (levels, branching) = (self.levels.get(), self.branching.get());
        let message = || format!("{branching}^{levels} items: at most {MOST_ITEMS}");
        self.items().is_none().then(|| ("levels", message())).into_iter().collect()
    }

    fn shape(&self) -> [usize; 2] {
        [self.samples(), self.features.size()]
    }

    fn samples(&self) -> usize {
        self.items().unwrap_or(MOST_ITEMS)
    }

    fn draw(&self, (seed, replicate): (u64, u64)) -> Result<MatrixProblem, String> {
        let inputs = self.items().ok_or("too many items")?;
        let outputs = self.features.size();
        let mut draws = stream(seed, "data-teacher", replicate);
        let features: Vec<f64> = (0..outputs).flat_map(|_| self.feature(&mut draws)).collect();
        let y = DMatrix::from_row_slice(outputs, inputs, &features) / (outputs as f64).sqrt();
        let samples = Arc::new(MatrixSamples { x: DMatrix::identity(inputs, inputs), y: y.clone() });
        let law = MatrixLaw::Tree {
            levels: self.levels.size(),
            branching: self.branching.size(),
            flip: self.flip.get(),
            features: outputs,
        };
        Ok(MatrixProblem {
            inputs,
            outputs,
            observed: Observed::Moments(samples.moments()),
            teacher: Some(y),
            test: TestOver::Entries,
            law: Some(law),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moments;

    fn tree(levels: f64, branching: f64, flip: f64, features: f64) -> Tree {
        let whole = |x| Samples::try_from(x).unwrap();
        let flip = Fraction::try_from(flip).unwrap();
        Tree { levels: whole(levels), branching: whole(branching), flip, features: whole(features) }
    }

    /// The level of the last common ancestor of two leaves.
    fn meeting_level(tree: &Tree, i: usize, j: usize) -> u32 {
        let ancestor = |leaf: usize, k: u32| leaf / tree.branching.size().pow(tree.levels.get() as u32 - k);
        (0..=tree.levels.get() as u32).rev().find(|k| ancestor(i, *k) == ancestor(j, *k)).unwrap()
    }

    #[test]
    fn items_covary_by_the_level_where_they_meet() {
        for tree in [tree(3.0, 2.0, 0.1, 40_000.0), tree(2.0, 3.0, 0.2, 40_000.0)] {
            let problem = tree.draw((3, 0)).unwrap();
            let y = problem.teacher.unwrap();
            let covariance = y.tr_mul(&y);
            let (levels, flip) = (tree.levels.get() as i32, tree.flip.get());
            for i in 0..problem.inputs {
                assert!((covariance[(i, i)] - 1.0).abs() < 1e-12, "features are ±1");
                for j in 0..i {
                    let q = (1.0 - 2.0 * flip).powi(2 * (levels - meeting_level(&tree, i, j) as i32));
                    // A mean of F products ±1 of mean q has standard deviation √((1 − q²)/F); four of them.
                    let sigma = ((1.0 - q * q) / 40_000.0).sqrt();
                    assert!((covariance[(i, j)] - q).abs() < 4.0 * sigma, "{i} {j}");
                }
            }
        }
    }

    #[test]
    fn squared_singular_values_are_the_eigenvalues_of_the_tree() {
        let (levels, branching, flip) = (3_i32, 2.0_f64, 0.1_f64);
        let problem = tree(3.0, 2.0, flip, 40_000.0).draw((1, 0)).unwrap();
        let items = problem.inputs as f64;
        let q = |k: i32| if k < 0 { 0.0 } else { (1.0 - 2.0 * flip).powi(2 * (levels - k)) };
        let eigenvalue = |l: i32| (l..=levels).map(|k| (q(k) - q(k - 1)) * items / branching.powi(k)).sum::<f64>();
        let found = taut_numerics::ThinSvd::new(problem.teacher.unwrap().as_view()).s;
        let levels = [0..1, 1..2, 2..4, 4..8].map(|at| {
            let len = at.len() as f64;
            found[at].iter().map(|s| s * s).sum::<f64>() / len
        });
        for (l, mean) in levels.iter().enumerate() {
            // An eigenvalue of a sample covariance varies by about λ√(2/F); the mean over a level by less.
            assert!((mean / eigenvalue(l as i32) - 1.0).abs() < 4.0 * (2.0_f64 / 40_000.0).sqrt(), "{l} {mean}");
        }
    }

    #[test]
    fn items_are_one_hot_and_the_loss_is_a_mean_over_them() {
        let problem = tree(2.0, 2.0, 0.1, 7.0).draw((3, 0)).unwrap();
        let Observed::Moments(Moments { sxx, syx, trace_syy, .. }) = &problem.observed else { panic!("moments") };
        assert_eq!(sxx.as_ref(), Some(&(DMatrix::identity(4, 4) / 4.0)));
        assert!((syx * 4.0 - problem.teacher.unwrap()).amax() < 1e-15 && (trace_syy.unwrap() - 1.0).abs() < 1e-14);
        // More features begin with the fewer, up to their scale.
        let more = tree(2.0, 2.0, 0.1, 9.0).draw((3, 0)).unwrap().teacher.unwrap() * 3.0;
        assert!((more.rows(0, 7) - syx * 4.0 * 7.0_f64.sqrt()).amax() < 1e-14);
        assert_eq!(tree(30.0, 2.0, 0.1, 7.0).complaints().len(), 1);
    }
}
