//! Balanced factors along the modes of the target.

use super::balanced::factors_along;
use crate::orthonormal::{gaussian, orthonormal};
use crate::{MatrixProblem, NonNegative, TargetModes, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use taut_numerics::{DMatrix, Stream};

/// An aligned start: W_l = R_{l+1} diag(a) R_lᵀ with R₁ = V and R_{N+1} = U the singular vectors of the target
/// (Syx Sxx^{−½}, or the teacher where entries or measurements are observed), and the other R_l uniformly random with
/// orthonormal columns. With whitened inputs every mode then moves by itself (Saxe, McClelland and Ganguli 2014).
///
/// Modes count from the strongest, up to the narrowest layer; where the target has fewer, random directions
/// orthogonal to them stand for its null modes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlignedStart {
    /// u₀ = aᴺ of every mode, null modes too. Not with `strengths`.
    pub strength: Option<NonNegative>,
    /// u₀ = aᴺ of each mode from the strongest on; the others are at 0.
    pub strengths: Option<Vec<NonNegative>>,
}

impl AlignedStart {
    pub(super) fn complaint(&self, sizes: &[usize]) -> Option<(&'static str, String)> {
        let narrowest = narrowest(sizes);
        match (self.strength, &self.strengths) {
            (None, None) => Some(("aligned", "no strength: give `strength`, or `strengths` one by one".to_owned())),
            (Some(_), Some(_)) => Some((
                "aligned.strengths",
                "strengths are given twice: keep one of `strength` and `strengths`".to_owned(),
            )),
            (None, Some(strengths)) if strengths.len() > narrowest => {
                let n = strengths.len();
                Some((
                    "aligned.strengths",
                    format!("{n} strengths for a narrowest layer of {narrowest}: at most one per mode"),
                ))
            }
            _ => None,
        }
    }

    pub(super) fn largest_strength(&self) -> f64 {
        let strengths = self.strengths.iter().flatten().chain(&self.strength);
        strengths.map(|strength| strength.get()).fold(0.0, f64::max)
    }

    pub(super) fn draw(
        &self,
        task: Task<'_>,
        sizes: &[usize],
        draws: &mut Stream,
    ) -> Result<Vec<DMatrix<f64>>, String> {
        let modes = match task {
            Task::Rows(problem) => TargetModes::of(&MatrixProblem::of_regression(problem)),
            Task::Matrix(problem) => TargetModes::of(problem),
        };
        let TargetModes { u, v, .. } =
            modes.ok_or("an aligned start needs the target, and only some of it is known")?;
        let strengths: Vec<f64> = match &self.strengths {
            Some(strengths) => strengths.iter().map(|u0| u0.get()).collect(),
            None => vec![self.strength.map_or(0.0, NonNegative::get); narrowest(sizes)],
        };
        let (depth, count) = (sizes.len() - 1, strengths.len());
        let a: Vec<f64> = strengths.iter().map(|u0| u0.powf(1.0 / depth as f64)).collect();
        let first = frame(v, count, draws);
        let hidden = sizes[1..depth].iter().map(|size| orthonormal(gaussian(*size, count, draws)));
        let mut frames: Vec<DMatrix<f64>> = std::iter::once(first).chain(hidden).collect();
        frames.push(frame(u, count, draws));
        Ok(factors_along(&frames, &a))
    }
}

fn narrowest(sizes: &[usize]) -> usize {
    *sizes.iter().min().expect("a network has layers")
}

/// The first `count` directions of a frame, with random ones orthogonal to them where it has fewer.
fn frame(directions: DMatrix<f64>, count: usize, draws: &mut Stream) -> DMatrix<f64> {
    let (rows, known) = (directions.nrows(), directions.ncols().min(count));
    let mut all = gaussian(rows, count, draws);
    all.columns_mut(0, known).copy_from(&directions.columns(0, known));
    orthonormal(all)
}
