//! Turning points to full precision, and sign changes counted where two may hide in one cell.

use crate::crossings::{Bracket, Place};
use crate::family::{CurveAt, Family};
use crate::grid::Grid;
use crate::lanes::Lanes;
use taut_numerics::run_wide;

/// A place where f turns, with its value there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TurningPoint {
    pub(crate) x: f64,
    pub(crate) value: f64,
}

/// An interval of x with f′ of opposite signs at its ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Interval {
    x: [f64; 2],
    slope: [f64; 2],
    bend: [f64; 2],
}

/// A Newton step of this share of a cell has met the root well enough: the value there is off by
/// the cube of it.
const CLOSE: f64 = 1e-4;
/// Safeguarded steps: bisection alone would need 53.
const STEPS: usize = 80;

/// Number of sign changes of f″ among the brackets.
pub(crate) fn count_changes(family: &Family, grid: &Grid, c: &[f64], scale: f64, brackets: &[Bracket]) -> usize {
    let one = |bracket: &Bracket| {
        if !bracket.is_dip {
            return 1;
        }
        let x = bracket.ends.map(|end| position(grid, end));
        if crossing_of_dip(family, c, 2, x, scale * grid.noise[1][bracket.ends[0].node]).is_some() { 2 } else { 0 }
    };
    brackets.iter().map(one).sum()
}

/// One row's f′ and f″ on the grid.
pub(crate) struct Row<'a> {
    pub(crate) family: &'a Family,
    pub(crate) grid: &'a Grid,
    /// Canonical coefficients, and the largest of them.
    pub(crate) c: &'a [f64],
    pub(crate) scale: f64,
    /// Slopes and bends of both halves.
    pub(crate) values: [&'a [Lanes]; 2],
}

/// All turning points by ascending x.
#[inline(always)]
pub(crate) fn turning_points_into(
    row: &Row<'_>,
    brackets: &[Bracket],
    intervals: &mut Vec<Interval>,
    out: &mut Vec<TurningPoint>,
) {
    let Row { family, grid, c, scale, values } = *row;
    intervals.clear();
    for bracket in brackets {
        let interval = interval(grid, values, bracket);
        if bracket.is_dip {
            let noise = scale * grid.noise[0][bracket.ends[0].node];
            push_parts(family, c, interval, noise, intervals);
        } else {
            intervals.push(interval);
        }
    }
    out.clear();
    for eight in intervals.chunks(8) {
        // Spare lanes repeat the last interval.
        let mut lanes = [eight[eight.len() - 1]; 8];
        lanes[..eight.len()].copy_from_slice(eight);
        out.extend_from_slice(&polish(family, c, scale, &lanes)[..eight.len()]);
    }
}

/// The two halves of a dip that crosses zero.
fn push_parts(family: &Family, c: &[f64], whole: Interval, noise: f64, out: &mut Vec<Interval>) {
    if let Some((x, slope, bend)) = crossing_of_dip(family, c, 1, whole.x, noise) {
        for end in 0..2 {
            let mut part = whole;
            part.x[1 - end] = x;
            part.slope[1 - end] = slope;
            part.bend[1 - end] = bend;
            out.push(part);
        }
    }
}

fn position(grid: &Grid, place: Place) -> f64 {
    if place.half == 0 { grid.x[place.node] } else { -grid.x[place.node] }
}

fn interval(grid: &Grid, values: [&[Lanes]; 2], bracket: &Bracket) -> Interval {
    let at = |order: usize, place: Place| {
        let half = values[order].len() / 2;
        let value = values[order][place.half * half + place.node / 8][place.node % 8];
        if order == 0 && place.half == 1 { -value } else { value }
    };
    Interval {
        x: bracket.ends.map(|end| position(grid, end)),
        slope: bracket.ends.map(|end| at(0, end)),
        bend: bracket.ends.map(|end| at(1, end)),
    }
}

/// Eight roots of f′ at once, with the values there.
///
/// The cubic through slopes and bends at the ends of a cell gives the root to about 1e-5 of the
/// cell; one Newton step from there, and the value from its second-order expansion, leave an error
/// below rounding. Lanes where the step is not that short go on with safeguarded steps.
#[inline(always)]
fn polish(family: &Family, c: &[f64], scale: f64, intervals: &[Interval; 8]) -> [TurningPoint; 8] {
    let mut x: Lanes = [0.0; 8];
    for lane in 0..8 {
        x[lane] = guess(&intervals[lane]);
    }
    let [value, slope, bend] = family.curve(c, x);
    let mut out = [TurningPoint::default(); 8];
    let mut open = false;
    for lane in 0..8 {
        let step = -slope[lane] / bend[lane];
        let width = intervals[lane].x[1] - intervals[lane].x[0];
        out[lane] = TurningPoint { x: x[lane] + step, value: value[lane] + 0.5 * slope[lane] * step };
        let is_close = step.abs() <= CLOSE * width; // false for NaN, where the slope is flat
        open |= !is_close;
    }
    if open {
        polish_safely(family, c, scale, intervals, x, &mut out);
    }
    out
}

/// The root of the cubic Hermite interpolant, by Newton steps within a shrinking bracket.
#[inline(always)]
fn guess(interval: &Interval) -> f64 {
    let width = interval.x[1] - interval.x[0];
    let [a, b] = interval.slope;
    let (p, q) = (interval.bend[0] * width, interval.bend[1] * width);
    // a + p u + e u² + d u³ on u in [0, 1].
    let (e, d) = (3.0 * (b - a) - 2.0 * p - q, p + q - 2.0 * (b - a));
    let (mut low, mut high) = (0.0, 1.0);
    let mut u = a / (a - b);
    for _ in 0..4 {
        let value = a + u * (p + u * (e + u * d));
        let rate = p + u * (2.0 * e + u * 3.0 * d);
        let is_low = value * a > 0.0;
        low = if is_low { u } else { low };
        high = if is_low { high } else { u };
        let next = u - value / rate;
        u = if next > low && next < high { next } else { 0.5 * (low + high) };
    }
    interval.x[0] + u * width
}

#[cold]
fn polish_safely(
    family: &Family,
    c: &[f64],
    scale: f64,
    intervals: &[Interval; 8],
    start: Lanes,
    out: &mut [TurningPoint; 8],
) {
    let (mut x, mut brackets) = (start, intervals.map(|i| i.x));
    let mut done = [false; 8];
    for _ in 0..STEPS {
        let [value, slope, bend] = run_wide(CurveAt { family, c, x });
        for lane in 0..8 {
            if done[lane] {
                continue;
            }
            let [low, high] = &mut brackets[lane];
            if slope[lane] * intervals[lane].slope[0] > 0.0 {
                *low = x[lane];
            } else {
                *high = x[lane];
            }
            let (step, width) = (-slope[lane] / bend[lane], *high - *low);
            let next = x[lane] + step;
            let inside = next >= *low && next <= *high;
            let gain = 0.5 * slope[lane] * step;
            let is_close = step.abs() <= CLOSE * CLOSE * (intervals[lane].x[1] - intervals[lane].x[0]);
            let is_flat = gain.abs() <= f64::EPSILON * scale;
            if inside && (is_close || is_flat) || width <= 4.0 * f64::EPSILON * x[lane].abs().max(f64::EPSILON) {
                let (x, value) = if inside { (next, value[lane] + gain) } else { (x[lane], value[lane]) };
                out[lane] = TurningPoint { x, value };
                done[lane] = true;
            } else {
                x[lane] = if inside && step.abs() < 0.5 * width { next } else { 0.5 * (*low + *high) };
                out[lane] = TurningPoint { x: x[lane], value: value[lane] };
            }
        }
        if done.iter().all(|done| *done) {
            break;
        }
    }
}

/// Looks for the far side of a dip of the derivative `order` (1 or 2) on `x`: a point where it has
/// the other sign by more than the noise, with f′ and f″ there.
#[cold]
fn crossing_of_dip(family: &Family, c: &[f64], order: usize, x: [f64; 2], noise: f64) -> Option<(f64, f64, f64)> {
    let [mut low, mut high] = x;
    let [_, slope, bend] = run_wide(CurveAt { family, c, x: [low; 8] });
    let sign = if order == 1 { slope[0] } else { bend[0] }.signum();
    for _ in 0..12 {
        let step = (high - low) / 9.0;
        let points: Lanes = std::array::from_fn(|i| low + step * (i + 1) as f64);
        let curve = run_wide(CurveAt { family, c, x: points });
        let depth: Lanes = curve[order].map(|v| sign * v);
        let deepest = (0..8).fold(0, |best, i| if depth[i] < depth[best] { i } else { best });
        if depth[deepest] < -noise {
            return Some((points[deepest], curve[1][deepest], curve[2][deepest]));
        }
        (low, high) = (points[deepest] - step, points[deepest] + step);
        // What is left to gain within a bracket this narrow is a small share of the depth reached.
        if step <= 1e-9 * (x[1] - x[0]) {
            break;
        }
    }
    None
}
