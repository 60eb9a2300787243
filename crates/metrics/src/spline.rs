//! The same measures for piecewise cubics, piece by piece.

use crate::turning::TurningPoint;
use taut_numerics::adaptive;
use taut_problem::{PiecewiseCubic, Target};

/// Signs of a derivative that is this much smaller than its largest value count as zero.
const NOISE: f64 = 32.0 * f64::EPSILON;

/// Turning points and inflections of one spline.
#[derive(Clone, Debug)]
pub(crate) struct SplineShape {
    pub(crate) ends: [f64; 2],
    pub(crate) turning: Vec<TurningPoint>,
    pub(crate) inflections: usize,
}

impl SplineShape {
    pub(crate) fn new(cubic: &PiecewiseCubic) -> Self {
        let ends = [cubic.value(-1.0, 0), cubic.value(1.0, 0)];
        if !is_finite(cubic) {
            return Self { ends, turning: Vec::new(), inflections: 0 };
        }
        let stops = stops(cubic);
        let turning = changes(cubic, 1, &stops).map(|x| TurningPoint { x, value: cubic.value(x, 0) }).collect();
        let inflections = changes(cubic, 2, &stops).count();
        Self { ends, turning, inflections }
    }
}

/// Whether the spline is finite on the domain.
pub(crate) fn is_finite(cubic: &PiecewiseCubic) -> bool {
    cubic.pieces_on(-1.0, 1.0).iter().all(|(_, _, _, c)| c.iter().all(|c| c.is_finite()))
}

/// Ends of the pieces and zeros of f″ inside them: between neighbours f′ and f″ are monotone.
fn stops(cubic: &PiecewiseCubic) -> Vec<f64> {
    let mut out = vec![-1.0];
    for (from, to, origin, [_, _, c2, c3]) in cubic.pieces_on(-1.0, 1.0) {
        let straight = origin - c2 / (3.0 * c3);
        if straight > from && straight < to {
            out.push(straight);
        }
        out.push(to);
    }
    out
}

/// Where derivative `order` changes sign.
fn changes(cubic: &PiecewiseCubic, order: u8, stops: &[f64]) -> impl Iterator<Item = f64> {
    let values: Vec<f64> = stops.iter().map(|&x| cubic.value(x, order)).collect();
    // A second derivative is known to rounding of the values over the squared knot distance.
    let pieces = stops.len() as f64;
    let size = stops.iter().map(|&x| cubic.value(x, 0).abs()).fold(0.0, f64::max);
    let largest = values.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
    let noise = NOISE * largest.max(size * pieces.powi(i32::from(order)));
    let mut last: Option<(f64, f64)> = None;
    let mut out = Vec::new();
    for (&x, value) in stops.iter().zip(values) {
        if value.abs() <= noise {
            continue;
        }
        if let Some((before, sign)) = last
            && sign * value < 0.0
        {
            out.push(taut_numerics::last_sign_change(before, x, |x| cubic.value(x, order) * value > 0.0));
        }
        last = Some((x, value));
    }
    out.into_iter()
}

/// ∫f², ∫f′², ∫f″², ∫f‴²: polynomials of degree six at most, so four Gauss nodes per piece are exact.
pub(crate) fn energies(cubic: &PiecewiseCubic) -> [f64; 4] {
    let rule = taut_numerics::GaussLegendre::new(4);
    let mut sums = [0.0; 4];
    for (from, to, origin, c) in cubic.pieces_on(-1.0, 1.0) {
        for (order, sum) in sums.iter_mut().enumerate() {
            *sum += rule.integrate(from, to, |x| derivative(&c, x - origin, order).powi(2));
        }
    }
    sums
}

/// Arc length, smooth between the stops.
pub(crate) fn arc_length(cubic: &PiecewiseCubic) -> f64 {
    if !is_finite(cubic) {
        return f64::NAN;
    }
    let rough: f64 =
        stops(cubic).windows(2).map(|w| (cubic.value(w[1], 0) - cubic.value(w[0], 0)).hypot(w[1] - w[0])).sum();
    let mut sum = 0.0;
    for (from, to, origin, c) in cubic.pieces_on(-1.0, 1.0) {
        sum += adaptive(from, to, 1e-13 * rough * (to - from), |x, out| {
            for (x, out) in x.iter().zip(out) {
                *out = derivative(&c, x - origin, 1).hypot(1.0);
            }
        });
    }
    sum
}

/// Mean of (f − f*)² over \[a, b\]; at one point if a = b.
pub(crate) fn mean_squared_error(cubic: &PiecewiseCubic, target: &Target, a: f64, b: f64) -> f64 {
    let error = |x: f64| (cubic.value(x, 0) - target.value(x)).powi(2);
    if a >= b {
        return error(a);
    }
    if !is_finite(cubic) {
        return f64::NAN;
    }
    let mut sum = 0.0;
    for (from, to, origin, c) in cubic.pieces_on(a, b) {
        let mut edges = vec![from];
        edges.extend(target.breaks().into_iter().filter(|x| from < *x && *x < to));
        edges.push(to);
        let square = |x: f64| (derivative(&c, x - origin, 0) - target.value(x)).powi(2);
        let size = derivative(&c, from - origin, 0).abs() + derivative(&c, to - origin, 0).abs();
        for ends in edges.windows(2) {
            sum += resolved(ends[0], ends[1], (f64::EPSILON * size).powi(2), square);
        }
    }
    sum / (b - a)
}

/// ∫g over \[a, b\] with panels halved until the mean stands still to 1e-12 of itself, or to `noise`.
fn resolved(a: f64, b: f64, noise: f64, g: impl Fn(f64) -> f64) -> f64 {
    let rule = taut_numerics::GaussLegendre::new(12);
    let composite = |panels: u32| {
        let end = |i: u32| a + (b - a) * f64::from(i) / f64::from(panels);
        (0..panels).map(|i| rule.integrate(end(i), end(i + 1), &g)).sum::<f64>()
    };
    let mut now = composite(1);
    for doubling in 1..=10 {
        let finer = composite(1 << doubling);
        let still = (finer - now).abs() <= 1e-12 * finer + noise * (b - a);
        now = finer;
        if still {
            break;
        }
    }
    now
}

fn derivative(c: &[f64; 4], u: f64, order: usize) -> f64 {
    match order {
        0 => c[0] + u * (c[1] + u * (c[2] + u * c[3])),
        1 => c[1] + u * (2.0 * c[2] + u * 3.0 * c[3]),
        2 => 2.0 * c[2] + 6.0 * c[3] * u,
        _ => 6.0 * c[3],
    }
}
