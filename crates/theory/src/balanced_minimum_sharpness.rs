//! The Hessian at the flattest global minimum.

use crate::critical_step::critical_step_size;
use crate::factored_start::{depth, target_modes};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "balanced_minimum_sharpness",
    doc: "the non-zero eigenvalues (sᵢ² − sⱼ²)/(sᵢ^(2/N) − sⱼ^(2/N)) of the Hessian at the balanced global minimum, over \
          all pairs of singular values of the target, zeros included (i = j: N·s^(2−2/N)): `hessian_eigenvalue` at \
          1, 2, … in descending order (at most 1000); `sharpness` = N·s₁^(2−2/N), the least of all global minima; \
          `critical_step_size`: 2/λ of descent, 2(1+β)/λ of heavy ball",
    cite: "Mulayoff and Michaeli 2020",
    assumes: "a deep linear network with hidden layers as wide as the target's rank, whitened inputs",
    build: Build::Matrix(build),
};

/// Eigenvalues shown.
const MOST: usize = 1000;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let (depth, modes) = match (depth(premise), target_modes(premise)) {
        (Ok(depth), Ok(modes)) => (depth, modes),
        (Err(reason), _) | (_, Err(reason)) => return Prediction::silent(reason),
    };
    let (inputs, outputs) = (premise.problem.inputs, premise.problem.outputs);
    let spectrum = spectrum(&modes.s, outputs, inputs, depth);
    let sharpness = spectrum[0];
    let mut numbers = vec![Number::of_cell("sharpness", sharpness)];
    numbers
        .extend(critical_step_size(premise.dynamics, sharpness).map(|eta| Number::of_cell("critical_step_size", eta)));
    let shown = spectrum.iter().take(MOST).enumerate();
    numbers.extend(shown.map(|(i, value)| Number::at("hessian_eigenvalue", (i + 1) as f64, *value)));
    let tensors = premise.parametrization.tensors(inputs, outputs);
    let narrowest = tensors.iter().map(|tensor| tensor.rows.min(tensor.columns)).min().unwrap_or(0);
    let unmet = (narrowest < modes.rank())
        .then(|| format!("the target has rank {}, and a layer has width {narrowest} only", modes.rank()));
    Prediction { numbers, unmet, ..Prediction::default() }
}

/// Descending, without zeros.
fn spectrum(s: &[f64], outputs: usize, inputs: usize, depth: usize) -> Vec<f64> {
    let factor = |i: usize| s.get(i).map_or(0.0, |s| s.powf(1.0 / depth as f64));
    let pair = |i: usize, j: usize| divided_difference(factor(i).powi(2), factor(j).powi(2), depth);
    let pairs = (0..outputs).flat_map(|i| (0..inputs).map(move |j| (i, j)));
    let mut all: Vec<f64> = pairs.map(|(i, j)| pair(i, j)).filter(|value| *value > 0.0).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    all
}

/// (xᴺ − yᴺ)/(x − y) = Σ xᴺ⁻¹⁻ᵏyᵏ: the sum loses nothing where x and y are close.
fn divided_difference(x: f64, y: f64, depth: usize) -> f64 {
    let power = |base: f64, exponent: usize| (0..exponent).fold(1.0, |product, _| product * base);
    (0..depth).map(|k| power(x, depth - 1 - k) * power(y, k)).sum()
}
