//! Gauss–Legendre rules, fixed and adaptive.

use std::num::NonZeroUsize;

/// Nodes and weights of the n-point Gauss–Legendre rule on \[-1, 1\]: exact for degree 2n − 1.
#[derive(Clone, Debug)]
pub struct GaussLegendre {
    /// The nodes, ascending.
    pub nodes: Vec<f64>,
    /// The weights; they add up to 2.
    pub weights: Vec<f64>,
}

impl GaussLegendre {
    /// The rule with `points` nodes (at least one).
    pub fn new(points: usize) -> Self {
        let points = NonZeroUsize::new(points.max(1)).expect("at least one");
        let rule = gauss_quad::GaussLegendre::new(points);
        let mut pairs: Vec<(f64, f64)> = rule.iter().map(|(node, weight)| (*node, *weight)).collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { nodes: pairs.iter().map(|p| p.0).collect(), weights: pairs.iter().map(|p| p.1).collect() }
    }

    /// ∫ f over \[a, b\].
    pub fn integrate(&self, a: f64, b: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
        let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
        let mut sum = 0.0;
        for (node, weight) in self.nodes.iter().zip(&self.weights) {
            sum += weight * f(middle + half * node);
        }
        half * sum
    }
}

/// ∫ f over \[a, b\] by bisection of panels until an 8- and a 12-point rule agree to `tolerance`
/// (absolute, shared out by length), at most 40 levels deep and 10,000 panels wide.
///
/// `f` fills the values at twelve nodes at once, so that it can be evaluated in lanes. Panels are
/// visited from left to right; the sum is in that order.
pub fn adaptive(a: f64, b: f64, tolerance: f64, mut f: impl FnMut(&[f64; 8], &mut [f64; 8])) -> f64 {
    // Two half panels of eight nodes against one whole panel of eight.
    let nodes = NODES_8;
    let mut panel = |lo: f64, hi: f64| {
        let (middle, half) = (0.5 * (lo + hi), 0.5 * (hi - lo));
        let points: [f64; 8] = std::array::from_fn(|i| middle + half * nodes[i].0);
        let mut values = [0.0; 8];
        f(&points, &mut values);
        half * values.iter().zip(&nodes).map(|(v, n)| v * n.1).sum::<f64>()
    };
    let per_length = tolerance / (b - a);
    let mut total = 0.0;
    let mut stack = vec![(a, b, panel(a, b), 0_u32)];
    let mut panels = 0;
    while let Some((lo, hi, whole, depth)) = stack.pop() {
        panels += 1;
        let middle = 0.5 * (lo + hi);
        let (left, right) = (panel(lo, middle), panel(middle, hi));
        // The halves are far better than the whole: their error is about (difference)/2¹⁶.
        if (left + right - whole).abs() <= per_length * (hi - lo) * 64.0 || depth >= 40 || panels > MOST_PANELS {
            total += left + right;
        } else {
            stack.push((middle, hi, right, depth + 1));
            stack.push((lo, middle, left, depth + 1));
        }
    }
    total
}

/// A tolerance below rounding would otherwise bisect 2⁴⁰ times.
const MOST_PANELS: usize = 10_000;

/// Nodes and weights of the 8-point Gauss–Legendre rule.
const NODES_8: [(f64, f64); 8] = [
    (-0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
    (-0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (-0.525_532_409_916_329, 0.313_706_645_877_887_27),
    (-0.183_434_642_495_649_8, 0.362_683_783_378_361_96),
    (0.183_434_642_495_649_8, 0.362_683_783_378_361_96),
    (0.525_532_409_916_329, 0.313_706_645_877_887_27),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_2, 0.101_228_536_290_376_26),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_for_degree_two_n_minus_one() {
        let rule = GaussLegendre::new(26);
        for k in 0..52 {
            let exact = if k % 2 == 0 { 2.0 / f64::from(k + 1) } else { 0.0 };
            assert!((rule.integrate(-1.0, 1.0, |x| x.powi(k)) - exact).abs() < 1e-14, "x^{k}");
        }
    }

    #[test]
    fn adaptive_resolves_a_near_kink() {
        // ∫ sqrt(1 + a² x²) has its branch points at ± i/a, close to the real axis.
        let a: f64 = 1e4;
        let exact = (1.0 + a * a).sqrt() + a.asinh() / a;
        let got = adaptive(-1.0, 1.0, 1e-9, |x, y| {
            for i in 0..8 {
                y[i] = (1.0 + a * a * x[i] * x[i]).sqrt();
            }
        });
        assert!((got - exact).abs() < 1e-9 * exact);
    }
}
