//! How a linear network learns the levels of a tree, from the broadest split down.

use crate::factored_start::{depth, factors};
use crate::mode_growth::Growth;
use crate::teacher_frame::{TeacherFrame, not_flow, together};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use taut_problem::MatrixLaw;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "hierarchical_tree",
    doc: "items at the P = B^D leaves of a tree, one-hot, with features that flip along edges with probability ε: the \
          item covariance has the eigenvalues λ_l = Σ_{k ≥ l} (q_k − q_{k−1})P/B^k with q_k = (1 − 2ε)^(2(D−k)), falling \
          with l. As functions of the level l (0 is the mean, 1 the broadest split): `level_strength`, what modes of the \
          level have learned in the end; `level_value`, the singular value of Syx Sxx^(−½); `level_modes`, how many they \
          are; and, for two layers from a small random start, `level_half_time` with the mean seed hσ²/2",
    cite: "Saxe, McClelland and Ganguli 2019",
    assumes: "features of a tree, as many that √(P/F) is small: fewer split the levels, so levels hold on average; Sxx = \
              cI; half times: two layers, a start far below the modes, gradient flow or descent with a small step size",
    build: Build::Matrix(build),
};

/// √(P/F) from which the spread within a level matters.
const SPREAD: f64 = 0.1;

/// (λ_l, multiplicity) for l = 0, …, D: eigenvalues of E\[yᵢyⱼ\] = (1 − 2ε)^(2(D−k)), k the level of the last common
/// ancestor of two leaves.
pub(crate) fn tree_eigenvalues(levels: usize, branching: usize, flip: f64) -> Vec<(f64, usize)> {
    let b = branching as f64;
    let leaves = b.powi(levels as i32);
    let covariance = |k: usize| (1.0 - 2.0 * flip).powi(2 * (levels - k) as i32);
    let step = |k: usize| covariance(k) - if k == 0 { 0.0 } else { covariance(k - 1) };
    let eigenvalue = |l: usize| (l..=levels).map(|k| step(k) * leaves / b.powi(k as i32)).sum();
    let multiplicity = |l: usize| if l == 0 { 1 } else { branching.pow(l as u32) - branching.pow(l as u32 - 1) };
    (0..=levels).map(|l| (eigenvalue(l), multiplicity(l))).collect()
}

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    let Some(MatrixLaw::Tree { levels, branching, flip, features }) = premise.problem.law else {
        return Prediction::silent("no tree is known behind the data");
    };
    let frame = match TeacherFrame::of(premise) {
        Ok(frame) => frame,
        Err(reason) => return Prediction::silent(reason),
    };
    let items = premise.problem.inputs as f64;
    // Features may be divided by √F or not: Σs² over modes is P·E y², and Σλ = P.
    let total: f64 = frame.modes.s.iter().map(|s| s * s).sum();
    let scale = (total / items).sqrt();
    let tree = tree_eigenvalues(levels, branching, flip);
    let mut numbers = Vec::new();
    for (l, (eigenvalue, multiplicity)) in tree.iter().enumerate() {
        let strength = scale * eigenvalue.sqrt();
        numbers.push(Number::at("level_strength", l as f64, strength));
        numbers.push(Number::at("level_value", l as f64, strength * frame.curvature.sqrt()));
        numbers.push(Number::at("level_modes", l as f64, *multiplicity as f64));
    }
    let strengths: Vec<f64> = tree.iter().map(|level| scale * level.0.sqrt()).collect();
    let timing = half_times(premise, &frame, &strengths);
    let spread = (items / features as f64).sqrt();
    let few = (spread > SPREAD)
        .then(|| format!("{features} features for {items} items spread the levels by a fraction of {spread}"));
    let (times, reason) = timing.map_or_else(|reason| (Vec::new(), Some(reason)), |times| (times, None));
    numbers.extend(times);
    let motion = not_flow(premise.dynamics, frame.stiffness(2));
    Prediction { numbers, unmet: together([few, reason, motion]), ..Prediction::default() }
}

/// (1/2s)·ln(s/u₀ − 1) per level, u₀ = (‖W₁‖²/inputs + ‖W₂‖²/outputs)/4, whose mean is hσ²/2 for Gaussian entries.
fn half_times(premise: &MatrixPremise<'_>, frame: &TeacherFrame, strengths: &[f64]) -> Result<Vec<Number>, String> {
    let layers = match depth(premise)? {
        2 => factors(premise)?,
        depth => return Err(format!("{depth} factors: a random start has a closed seed for two factors only")),
    };
    let (inputs, outputs) = (premise.problem.inputs as f64, premise.problem.outputs as f64);
    let seed = 0.25 * (layers[0].norm_squared() / inputs + layers[1].norm_squared() / outputs);
    let time = |(l, &s): (usize, &f64)| {
        let half = Growth { depth: 2, target: s }.half_time(seed)?;
        Some(Number::at("level_half_time", l as f64, half / frame.pace(premise.dynamics, 2, s)))
    };
    Ok(strengths.iter().enumerate().filter_map(time).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix_cases::{MatrixCase, gaussian};
    use nalgebra::DMatrix;
    use taut_numerics::{stream, uniform};

    /// E yᵢyⱼ leaf by leaf.
    fn covariance(levels: usize, branching: usize, flip: f64) -> DMatrix<f64> {
        let leaves = branching.pow(levels as u32);
        let shared = |i: usize, j: usize| {
            let ancestor = |leaf: usize, level: usize| leaf / branching.pow((levels - level) as u32);
            (0..=levels).rev().find(|level| ancestor(i, *level) == ancestor(j, *level)).unwrap()
        };
        DMatrix::from_fn(leaves, leaves, |i, j| (1.0 - 2.0 * flip).powi(2 * (levels - shared(i, j)) as i32))
    }

    /// Features of the leaves, each a ±1 that flips along edges: outputs × items, divided by √F.
    fn features(levels: usize, branching: usize, flip: f64, count: usize) -> DMatrix<f64> {
        let mut draws = stream(5, "tree", 0);
        let rows = (0..count).map(|_| {
            let mut nodes = vec![if uniform(&mut draws) < 0.5 { 1.0 } else { -1.0 }];
            for _ in 0..levels {
                let turn = |up: &f64, draw: f64| if draw < flip { -up } else { *up };
                nodes = nodes.iter().flat_map(|up| vec![*up; branching]).collect();
                nodes.iter_mut().for_each(|node| *node = turn(node, uniform(&mut draws)));
            }
            nodes
        });
        let all: Vec<f64> = rows.flatten().map(|y| y / (count as f64).sqrt()).collect();
        DMatrix::from_row_slice(count, branching.pow(levels as u32), &all)
    }

    #[test]
    fn eigenvalues_are_those_of_the_item_covariance() {
        for (levels, branching, flip) in [(3, 2, 0.1), (2, 3, 0.05), (4, 2, 0.2)] {
            let matrix = covariance(levels, branching, flip);
            let view = faer::MatRef::from_column_major_slice(matrix.as_slice(), matrix.nrows(), matrix.ncols());
            let mut exact = view.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
            exact.sort_by(|a, b| b.total_cmp(a));
            let tree = tree_eigenvalues(levels, branching, flip);
            let listed: Vec<f64> = tree.iter().flat_map(|(value, count)| vec![*value; *count]).collect();
            assert_eq!(listed.len(), matrix.nrows());
            assert!(listed.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-13), "{listed:?} {exact:?}");
        }
    }

    fn at(prediction: &Prediction, name: &str) -> Vec<f64> {
        prediction.numbers.iter().filter(|n| n.quantity == name).map(|n| n.value).collect()
    }

    #[test]
    fn many_features_show_the_levels_in_their_singular_values_and_half_times() {
        let (levels, branching, flip, count) = (3, 2, 0.1, 3000);
        let y = features(levels, branching, flip, count);
        // One-hot items: Syx = Y/P, Sxx = I/P. The loss sees F outputs; their common rotation is left out by Y's own span.
        let layers = [gaussian(24, 8, 70) * 1e-3, gaussian(count, 24, 71) * 1e-3];
        let law = MatrixLaw::Tree { levels, branching, flip, features: count };
        let case = MatrixCase::deep(y.clone(), &layers).scaled(1.0 / 8.0).under(law);
        let prediction = case.under_flow(&THEORY, &[]);
        assert_eq!(prediction.unmet, None);
        let strengths = at(&prediction, "level_strength");
        let s = TeacherFrame::of(&premise(&case)).unwrap().modes.s;
        let means = [s[0], s[1], (s[2] + s[3]) / 2.0, s[4..].iter().sum::<f64>() / 4.0];
        for (mean, strength) in means.iter().zip(&strengths) {
            // √(P/F) = 5%, of which averages see less.
            assert!((mean / strength - 1.0).abs() < 0.04, "{means:?} {strengths:?}");
        }
        // The printed 25.5, 38.7, 49.6, 72.1 with u₀ = hσ²/2, and here that of the draw.
        for (time, printed) in at(&prediction, "level_half_time").iter().zip([25.5, 38.7, 49.6, 72.1]) {
            assert!((time / printed - 1.0).abs() < 0.03, "{time} {printed}");
        }
        // Features that are not divided by √F are as many times stronger.
        let large = MatrixCase::deep(y * (count as f64).sqrt(), &layers).scaled(1.0 / 8.0).under(law);
        let ratio = at(&large.under_flow(&THEORY, &[]), "level_value")[2] / at(&prediction, "level_value")[2];
        assert!((ratio / (count as f64).sqrt() - 1.0).abs() < 1e-12);
    }

    fn premise(case: &MatrixCase) -> MatrixPremise<'_> {
        MatrixPremise {
            problem: &case.problem,
            parametrization: &case.parametrization,
            dynamics: &FLOW,
            start: &case.start,
            clocks: &[],
            times: &[],
        }
    }

    static FLOW: std::sync::LazyLock<taut_problem::Dynamics> = std::sync::LazyLock::new(taut_problem::Dynamics::flow);

    #[test]
    fn few_features_and_other_data_are_named() {
        let law = MatrixLaw::Tree { levels: 2, branching: 2, flip: 0.1, features: 30 };
        let layers = [gaussian(5, 4, 1) * 1e-3, gaussian(30, 5, 2) * 1e-3];
        let case = MatrixCase::deep(features(2, 2, 0.1, 30), &layers);
        assert!(case.under_flow(&THEORY, &[]).unmet.unwrap().contains("no tree"));
        assert!(case.under(law).under_flow(&THEORY, &[]).unmet.unwrap().contains("30 features"));
    }
}
