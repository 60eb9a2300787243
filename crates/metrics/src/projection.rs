//! The target in canonical coefficients, with what is left of it outside the span.

use crate::family::Family;
use crate::instruments::CurveInstruments;
use taut_numerics::{GaussLegendre, dot, product_into};
use taut_problem::Target;

/// Πf* = Σ tₖ pₖ for the mean over the domain.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    /// tₖ, filled up with zeros to the stride of canonical rows.
    pub(crate) coefficients: Vec<f64>,
    /// ½∫(f* − Πf*)²: the risk that no coefficients can go below.
    pub(crate) rest: f64,
}

/// Nodes of a panel.
const NODES: usize = 16;
/// Panels are doubled at most this often.
const DOUBLINGS: u32 = 10;

/// Nodes over the whole domain with the family at them.
#[derive(Clone, Debug)]
pub(crate) struct ProjectionRule {
    nodes: Vec<f64>,
    /// Half the weights: for the mean over the domain.
    weights: Vec<f64>,
    table: Vec<f64>,
}

impl ProjectionRule {
    /// For targets without breaks, at the number of panels to start with times 2^`doubling`.
    pub(crate) fn smooth(family: &Family, doubling: u32) -> Self {
        Self::new(family, &[-1.0, 1.0], doubling)
    }

    fn new(family: &Family, edges: &[f64], doubling: u32) -> Self {
        // At most six radians of the fastest member to each side of a panel's middle.
        let panels = (family.half_waves() / 4.0).ceil().max(2.0) as usize;
        let (nodes, weights) = panel_nodes(family, edges, &GaussLegendre::new(NODES), panels << doubling);
        Self { table: family.table(&nodes), nodes, weights }
    }

    fn project(&self, target: &Target, stride: usize) -> Projection {
        let n = self.nodes.len();
        let values: Vec<f64> = self.nodes.iter().map(|&x| target.value(x)).collect();
        let weighted: Vec<f64> = values.iter().zip(&self.weights).map(|(f, w)| w * f).collect();
        let mut coefficients: Vec<f64> = self.table.chunks_exact(n).map(|p| dot(p, &weighted)).collect();
        let mut inside = vec![0.0; n];
        product_into(&coefficients, &self.table, &mut inside, coefficients.len(), n);
        let rest = (0..n).map(|i| self.weights[i] * (values[i] - inside[i]).powi(2)).sum();
        coefficients.resize(stride, 0.0);
        Projection { coefficients, rest }
    }
}

impl Projection {
    /// By Gauss quadrature on panels that are even in the family's own coordinate and end at the
    /// target's breaks; doubled until the coefficients stand still.
    pub(crate) fn new(curve: &CurveInstruments, target: &Target) -> Self {
        let edges = edges(&curve.family, target);
        let at = |doubling: u32| match curve.projection.get(doubling as usize) {
            Some(rule) if edges.len() == 2 => rule.project(target, curve.stride),
            _ => ProjectionRule::new(&curve.family, &edges, doubling).project(target, curve.stride),
        };
        let mut now = at(0);
        for doubling in 1..=DOUBLINGS {
            let finer = at(doubling);
            let scale = finer.coefficients.iter().map(|t| t * t).sum::<f64>() + finer.rest;
            let change = crate::risk::squared_distance(&now.coefficients, &finer.coefficients);
            // Squares: coefficients to 1e-13 of the largest, the rest to 1e-11.
            let still = change <= 1e-26 * scale && (now.rest - finer.rest).abs() <= 1e-11 * finer.rest + 1e-26 * scale;
            now = finer;
            if still {
                break;
            }
        }
        now
    }
}

/// Ends of the smooth stretches, in the family's coordinate.
fn edges(family: &Family, target: &Target) -> Vec<f64> {
    let mut edges = vec![-1.0];
    edges.extend(target.breaks().iter().map(|&x| family.coordinate(x)));
    edges.push(1.0);
    edges.sort_by(f64::total_cmp);
    edges
}

/// Nodes x and weights dx/2 of panels of about 2/`panels`, none across an edge.
fn panel_nodes(family: &Family, edges: &[f64], rule: &GaussLegendre, panels: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut nodes, mut weights) = (Vec::new(), Vec::new());
    for ends in edges.windows(2) {
        let length = ends[1] - ends[0];
        let count = (length / 2.0 * panels as f64).ceil().max(1.0) as usize;
        let half = length / (2.0 * count as f64);
        for panel in 0..count {
            let middle = ends[0] + half * (2 * panel + 1) as f64;
            for (node, weight) in rule.nodes.iter().zip(&rule.weights) {
                let s = middle + half * node;
                nodes.push(family.point(s));
                weights.push(0.5 * weight * half * family.stretch(s));
            }
        }
    }
    (nodes, weights)
}

#[cfg(test)]
mod tests {
    use crate::Instruments;
    use taut_problem::{Features, Target};

    fn features(text: &str) -> Features {
        crate::shape::tests::features(text)
    }

    fn target(projection: (&str, Target)) -> super::Projection {
        let instruments = Instruments::new(&*features(projection.0).on_curve().unwrap());
        super::Projection::new(instruments.curve().unwrap(), &projection.1)
    }

    #[test]
    fn a_line_lies_in_the_polynomials() {
        let line = Target::Line { intercept: 0.3.try_into().unwrap(), slope: 0.8.try_into().unwrap() };
        let found = target(("legendre", line));
        assert!((found.coefficients[0] - 0.3).abs() < 1e-15);
        assert!((found.coefficients[1] - 0.8 / 3f64.sqrt()).abs() < 1e-15);
        assert!(found.coefficients[2..].iter().all(|t| t.abs() < 1e-15) && found.rest < 1e-28);
    }

    #[test]
    fn a_step_keeps_its_rest() {
        // A step at 0 from 0 to 1 against 1, √2 cos πx, √2 sin πx, …: tₛⱼ = √2·(1 − cos πj)/(2πj).
        let step =
            Target::Step { at: 0.0.try_into().unwrap(), low: 0.0.try_into().unwrap(), high: 1.0.try_into().unwrap() };
        let found = target(("fourier", step));
        let mut rest = 0.5 - 0.25;
        for j in 1..=25_usize {
            let exact = if j % 2 == 1 { 2f64.sqrt() / (std::f64::consts::PI * j as f64) } else { 0.0 };
            assert!((found.coefficients[2 * j] - exact).abs() < 1e-14);
            rest -= exact * exact;
        }
        assert!((found.rest - rest).abs() < 1e-13);
    }

    #[test]
    fn fast_sines_and_narrow_bells_are_resolved() {
        let sine = Target::Sine {
            amplitude: 1.0.try_into().unwrap(),
            frequency: 400.0.try_into().unwrap(),
            phase: 0.0.try_into().unwrap(),
        };
        assert!((target(("fourier", sine)).rest - 0.5).abs() < 1e-12);
        let bell = Target::Runge { scale: 1e6.try_into().unwrap() };
        let found = target(("legendre", bell));
        let a: f64 = 1e3;
        let square = 0.5 * (a.atan() / a + 1.0 / (1.0 + a * a));
        let inside: f64 = found.coefficients.iter().map(|t| t * t).sum();
        assert!((inside + found.rest - square).abs() < 1e-11 * square);
    }
}
