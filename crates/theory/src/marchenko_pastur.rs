//! The law of Marchenko and Pastur: the eigenvalues of ΦᵀΦ/n for isotropic rows as n, p → ∞ with p/n → γ.

use std::f64::consts::{FRAC_PI_2, PI};
use taut_numerics::GaussLegendre;

/// Halvings of the angle towards each end of the spectrum; the last panel is 10⁻⁹ wide, so that
/// exp(−st) is resolved up to t = 10¹⁷ even at γ = 1, where s goes down to zero.
const HALVINGS: i32 = 30;

/// Nodes per panel. On \[a, 2a\] the nearest pole is at 0, so the error falls as 5.8^(−2·16).
const NODES: usize = 16;

/// Quadrature against the law.
pub(crate) struct MarchenkoPastur {
    /// Mass at zero, 1 − 1/γ for γ > 1.
    pub(crate) at_zero: f64,
    /// (s, weight) of the rest, whose mass is min(1, 1/γ).
    nodes: Vec<(f64, f64)>,
}

impl MarchenkoPastur {
    /// The law at γ > 0.
    ///
    /// With s = 1 + γ + 2√γ cos φ the density is 2 sin²φ/(πs) dφ on \[0, π\]: analytic, but for a pole
    /// near φ = π if γ is near 1.
    pub(crate) fn new(ratio: f64) -> Self {
        let root = ratio.sqrt();
        let (lower, upper) = ((1.0 - root) * (1.0 - root), (1.0 + root) * (1.0 + root));
        let mut nodes = Vec::new();
        // The angle from either end; s from its distance to that end, for the digits of small s.
        for (angle, weight) in graded_angles() {
            let into = 4.0 * root * (angle / 2.0).sin().powi(2);
            for s in [lower + into, upper - into] {
                nodes.push((s, weight * 2.0 * angle.sin().powi(2) / (PI * s)));
            }
        }
        Self { at_zero: (1.0 - 1.0 / ratio).max(0.0), nodes }
    }

    /// (s, weight) over s > 0.
    pub(crate) fn nodes(&self) -> &[(f64, f64)] {
        &self.nodes
    }

    /// ∫ f dF over s > 0.
    pub(crate) fn integral(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.nodes.iter().map(|(s, weight)| weight * f(*s)).sum()
    }
}

/// Angles in (0, π/2) with weights, denser and denser towards 0.
fn graded_angles() -> Vec<(f64, f64)> {
    let rule = GaussLegendre::new(NODES);
    let panel = |k: i32| {
        let high = FRAC_PI_2 * 0.5_f64.powi(k);
        (if k == HALVINGS { 0.0 } else { high / 2.0 }, high)
    };
    let in_panel = |(low, high): (f64, f64)| {
        let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
        rule.nodes.iter().zip(&rule.weights).map(move |(x, w)| (middle + half * x, half * w))
    };
    (0..=HALVINGS).map(panel).flat_map(in_panel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_law() {
        for ratio in [1e-4, 0.25, 0.999, 1.0, 1.001, 4.0, 300.0] {
            let law = MarchenkoPastur::new(ratio);
            let moment = |k: i32| law.integral(|s| s.powi(k));
            // A thousand positive terms: rounding only.
            assert!((moment(0) + law.at_zero - 1.0).abs() < 1e-13, "{ratio}");
            assert!((moment(1) - 1.0).abs() < 1e-13, "{ratio}");
            assert!((moment(2) / (1.0 + ratio) - 1.0).abs() < 1e-13, "{ratio}");
            if ratio < 1.0 {
                assert!((moment(-1) * (1.0 - ratio) - 1.0).abs() < 1e-12, "{ratio}");
            }
        }
    }
}
