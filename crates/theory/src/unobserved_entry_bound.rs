//! How large the entry nobody sees has to become, while the determinant keeps its sign.

use crate::factored_start::{factors, not_balanced, product};
use crate::{Build, MatrixPremise, Number, Prediction, TheoryDef};
use taut_problem::Observed;

pub(crate) const THEORY: TheoryDef = TheoryDef {
    name: "unobserved_entry_bound",
    doc: "|w₀₀| where w₀₁ = w₁₀ = 1 and w₁₁ = 0 are observed and det W > 0: `unobserved_entry_bound` = \
          (1 − √(2L))²/√(2L) as a function of the loss L (ten values a decade below ½), and \
          `unobserved_entry_sharp_bound`, the smallest |w₀₀| that any such W has (derived here): (1 − a)²/√(2L − 2a²) with \
          a = (√(1+8L) − 1)/2 up to L = 3/8, and √(1 − 2L) from there to ½. Every norm grows without bound while the effective rank falls to 1",
    cite: "Razin and Cohen 2020",
    assumes: "a deep linear network on these three entries, gradient flow from a balanced start with det W > 0. From \
              small random starts the determinant usually changes its sign, and |w₀₀| saturates",
    build: Build::Matrix(build),
};

/// Losses down to 10^(−this).
const DECADES: i32 = 12;

fn build(premise: &MatrixPremise<'_>) -> Prediction {
    if let Some(reason) = other_entries(premise) {
        return Prediction::silent(reason);
    }
    let losses = (1..=10 * DECADES).map(|k| 10f64.powf(-f64::from(k) / 10.0)).filter(|loss| *loss < 0.5);
    let numbers = losses.flat_map(|loss| {
        let bound = Number::at("unobserved_entry_bound", loss, bound(loss));
        [bound, Number::at("unobserved_entry_sharp_bound", loss, sharp_bound(loss))]
    });
    Prediction { unmet: start_is_unfit(premise), numbers: numbers.collect(), ..Prediction::default() }
}

/// No residual is larger than √(2L), and w₀₀w₁₁ > w₀₁w₁₀.
fn bound(loss: f64) -> f64 {
    let residual = (2.0 * loss).sqrt();
    (1.0 - residual).powi(2) / residual
}

/// min (1−a)(1−b)/c over a² + b² + c² = 2L, where c² = a(1−a) = b(1−b): a = b, and a(1 + a) = 2L; or a + b = 1, and
/// ab = 1 − 2L, which is real from L = 3/8 on, and then lower.
fn sharp_bound(loss: f64) -> f64 {
    if loss >= 0.375 {
        return (1.0 - 2.0 * loss).max(0.0).sqrt();
    }
    // (√(1+8L) − 1)/2 without its cancellation.
    let a = 4.0 * loss / (1.0 + (1.0 + 8.0 * loss).sqrt());
    (1.0 - a).powi(2) / (2.0 * loss - 2.0 * a * a).sqrt()
}

/// What else is observed.
fn other_entries(premise: &MatrixPremise<'_>) -> Option<String> {
    const WANTED: &str = "the entries (0,1) = (1,0) = 1 and (1,1) = 0 of a 2 × 2 matrix";
    let problem = premise.problem;
    let seen = match &problem.observed {
        Observed::Entries(entries) => entries.observed.iter().map(|&i| (i, entries.target.as_slice()[i])).collect(),
        _ => Vec::new(),
    };
    let expected = [(1, 1.0), (2, 1.0), (3, 0.0)];
    let same =
        |((i, value), (place, wanted)): (&(usize, f64), &(usize, f64))| i == place && (value - wanted).abs() <= 0.0;
    let all = [problem.outputs, problem.inputs] == [2, 2] && seen.len() == 3 && seen.iter().zip(&expected).all(same);
    (!all).then(|| format!("what is observed is not {WANTED}"))
}

/// Whether the start keeps the determinant from being positive for ever.
fn start_is_unfit(premise: &MatrixPremise<'_>) -> Option<String> {
    let factors = match factors(premise) {
        Ok(factors) => factors,
        Err(reason) => return Some(reason),
    };
    let det = product(&factors).determinant();
    let sign = (det <= 0.0).then(|| format!("the determinant is {det} at the start"));
    sign.or_else(|| not_balanced(&factors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sharp_bound_is_attained_and_never_undercut() {
        for loss in [0.49, 0.4, 0.37, 0.3, 0.1, 1e-2, 1e-4] {
            let least = sharp_bound(loss);
            assert!(least >= bound(loss));
            let quarter = |i: u32, count: u32| std::f64::consts::FRAC_PI_2 * f64::from(i) / f64::from(count);
            let mut found = f64::INFINITY;
            for (i, j) in (0..1000).flat_map(|i| (0..=200).map(move |j| (i, j))) {
                let [up, along] = [quarter(i, 1000), quarter(j, 200)];
                let [a, b] = [along.cos(), along.sin()].map(|share| share * up.sin() * (2.0 * loss).sqrt());
                found = f64::min(found, (1.0 - a) * (1.0 - b) / (up.cos() * (2.0 * loss).sqrt()));
            }
            // The grid misses the minimum by the square of its spacing, times a curvature of at most a hundred.
            assert!(found >= least * (1.0 - 1e-12) && found < least * (1.0 + 1e-3), "{loss}: {found} {least}");
        }
    }
}
