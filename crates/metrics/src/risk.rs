//! Squared distance to the noise-free target.

use crate::family::Family;
use crate::instruments::CurveInstruments;
use crate::lanes::{Lanes, STRIP, Strips, of_row, total};
use crate::{MetricDef, Needs, Probe, spline};
use std::f64::consts::PI;
use taut_numerics::{GaussLegendre, Kernel, run_wide};
use taut_problem::{Series, Target};

/// ½∫(f − f*)².
pub(crate) static RISK: MetricDef = MetricDef {
    name: "risk",
    unit: "y²",
    doc: "mean squared error against the noise-free target over the domain, ½∫(f − f*)² over [-1, 1]; at least 0",
    cite: "",
    needs: Needs { curve: true, target: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: risk,
    of_matrix: None,
};

/// The same within the hull of the points.
pub(crate) static RISK_IN_HULL: MetricDef = MetricDef {
    name: "risk_in_hull",
    unit: "y²",
    doc: "mean squared error against the noise-free target over [min x, max x], where there are points on both \
          sides; at least 0",
    cite: "",
    needs: Needs { curve: true, target: true, ..Needs::NOTHING },
    integer: false,
    wiggliness: false,
    quadratic: true,
    eval_into: risk_in_hull,
    of_matrix: None,
};

fn risk(probe: &Probe<'_>, out: &mut [f64]) {
    if probe.is_spline() {
        return spline_risk(probe, -1.0, 1.0, out);
    }
    let projection = probe.setting().projection().expect("the needs are met");
    for (out, c) in out.iter_mut().zip(probe.canonical_rows()) {
        *out = squared_distance(c, &projection.coefficients) + projection.rest;
    }
}

fn risk_in_hull(probe: &Probe<'_>, out: &mut [f64]) {
    if probe.is_spline() {
        let (a, b) = ends(&probe.setting().problem().x);
        return spline_risk(probe, a, b, out);
    }
    let hull = probe.setting().hull().expect("the needs are met");
    let curve = probe.curve();
    let values = match probe.combined() {
        Some(combined) => combined.values(curve, &hull.table),
        None => curve.tabulated(probe.canonical(), &hull.table),
    };
    run_wide(HullErrors { hull, values: &values, out });
}

struct HullErrors<'a> {
    hull: &'a Hull,
    values: &'a [f64],
    out: &'a mut [f64],
}

impl Kernel for HullErrors<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { hull, values, out } = self;
        let rows = out.len();
        for (row, out) in out.iter_mut().enumerate() {
            let mut parts: Lanes = [0.0; 8];
            let nodes = hull.target.chunks_exact(8).zip(hull.weights.chunks_exact(8));
            for (eighth, (target, weights)) in nodes.enumerate() {
                let f = of_row(values, rows, row, eighth);
                for lane in 0..8 {
                    let error = f[lane] - target[lane];
                    parts[lane] = f64::mul_add(weights[lane] * error, error, parts[lane]);
                }
            }
            *out = total(parts);
        }
    }
}

fn spline_risk(probe: &Probe<'_>, a: f64, b: f64, out: &mut [f64]) {
    let target = probe.setting().problem().target.as_ref().expect("the needs are met");
    for (out, cubic) in out.iter_mut().zip(&probe.snapshots().cubics) {
        *out = spline::mean_squared_error(cubic, target, a, b);
    }
}

/// Σ (a − b)² with eight interleaved partial sums.
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut parts: Lanes = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = a8.remainder().iter().zip(b8.remainder());
    for (a, b) in a8.zip(b8) {
        for lane in 0..8 {
            parts[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    for (part, (a, b)) in parts.iter_mut().zip(rest) {
        *part += (a - b) * (a - b);
    }
    total(parts)
}

fn ends(x: &[f64]) -> (f64, f64) {
    (x.iter().copied().fold(f64::INFINITY, f64::min), x.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// A Gauss rule with the fastest two members of the span, as if its interval were the domain.
#[derive(Clone, Debug)]
pub(crate) struct HullRule {
    rule: GaussLegendre,
    waves: Vec<[f64; 2]>,
}

impl HullRule {
    /// `times` as many nodes as the square of the fastest member needs.
    pub(crate) fn new(family: &Family, times: usize) -> Self {
        // Squares of polynomials are exact from m nodes on; a square of waves needs one node per two
        // radians to either side, and a margin.
        let per_wave = if matches!(family.series, Series::Legendre { .. }) { 2.0 } else { PI };
        let rule = GaussLegendre::new(times * ((per_wave * family.half_waves()).ceil() as usize + 16));
        let (table, n, m) = (family.table(&rule.nodes), rule.nodes.len(), family.len());
        let waves = (0..n).map(|i| [m.saturating_sub(2), m - 1].map(|k| table[k * n + i])).collect();
        Self { rule, waves }
    }
}

/// The family and the target at quadrature nodes between the first and the last point.
pub(crate) struct Hull {
    /// Members at the nodes.
    table: Strips,
    /// f* at the nodes.
    target: Vec<f64>,
    /// Weights that add up to 1; zero where strips are filled up.
    weights: Vec<f64>,
}

impl Hull {
    /// A single Gauss rule where it resolves the target, else panels halved until they do.
    pub(crate) fn new(curve: &CurveInstruments, x: &[f64], target: &Target) -> Self {
        let (a, b) = ends(x);
        if a >= b {
            return Self::at(
                &curve.family,
                &Nodes { x: vec![a], weights: vec![1.0], values: vec![target.value(a)], moments: [0.0; 4], panels: 1 },
            );
        }
        let mut edges = vec![a];
        edges.extend(target.breaks().into_iter().filter(|x| a < *x && *x < b));
        edges.push(b);
        edges.sort_by(f64::total_cmp);
        let [coarse, fine] = &curve.hull;
        let mut now = Nodes::new(target, &edges, coarse, 1);
        for halvings in 0..8 {
            let finer = Nodes::new(target, &edges, fine, 1 << halvings);
            if now.agrees_with(&finer) {
                break;
            }
            now = finer;
        }
        Self::at(&curve.family, &now)
    }

    fn at(family: &Family, nodes: &Nodes) -> Self {
        let table = Strips::new(&family.table(&nodes.x), family.len(), nodes.x.len());
        let padded = nodes.x.len().next_multiple_of(STRIP);
        let (mut target, mut weights) = (nodes.values.clone(), nodes.weights.clone());
        target.resize(padded, 0.0);
        weights.resize(padded, 0.0);
        Self { table, target, weights }
    }
}

/// Quadrature nodes with the target at them.
struct Nodes {
    x: Vec<f64>,
    /// They add up to 1.
    weights: Vec<f64>,
    values: Vec<f64>,
    /// Means of f*², f*, and f* times the waves.
    moments: [f64; 4],
    /// Panels between neighbouring edges.
    panels: usize,
}

impl Nodes {
    /// `count` panels between neighbouring edges.
    fn new(target: &Target, edges: &[f64], rule: &HullRule, count: usize) -> Self {
        let whole = edges[edges.len() - 1] - edges[0];
        let mut out = Self { x: Vec::new(), weights: Vec::new(), values: Vec::new(), moments: [0.0; 4], panels: count };
        for ends in edges.windows(2) {
            let half = (ends[1] - ends[0]) / (2 * count) as f64;
            for panel in 0..count {
                let middle = ends[0] + half * (2 * panel + 1) as f64;
                for ((node, weight), waves) in rule.rule.nodes.iter().zip(&rule.rule.weights).zip(&rule.waves) {
                    let (x, w) = (middle + half * node, weight * half / whole);
                    let f = target.value(x);
                    for (moment, factor) in out.moments.iter_mut().zip([f, 1.0, waves[0], waves[1]]) {
                        *moment += w * f * factor;
                    }
                    out.x.push(x);
                    out.weights.push(w);
                    out.values.push(f);
                }
            }
        }
        out
    }

    /// Whether the target is resolved as well as by a finer rule: its square, and its overlap with
    /// the waves (comparable on the same panels only).
    fn agrees_with(&self, finer: &Self) -> bool {
        let scale = finer.moments[0].sqrt();
        (self.moments[0] - finer.moments[0]).abs() <= 1e-13 * finer.moments[0]
            && (1..if self.panels == finer.panels { 4 } else { 2 })
                .all(|i| (self.moments[i] - finer.moments[i]).abs() <= 1e-13 * scale)
    }
}
