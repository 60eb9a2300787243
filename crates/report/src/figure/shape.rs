//! Which rows the shape of a line needs: the others lie on the straight pieces between them.

use super::picked::{Picked, counted, grouped};
use super::scale::Positions;
use super::thinning::{runs, take};
use super::{Figure, Mark};
use polars::prelude::{DataType, PolarsResult};

/// How far a line may move when a row is left out, in parts of the figure's width and height: half a pixel at most.
const TOLERANCE: f64 = 1.0 / 2000.0;

/// Leaves out the rows of lines that nobody would miss, by Douglas and Peucker's rule.
pub(super) fn simplify(picked: &mut Picked, figure: &Figure, separating: &[usize]) -> PolarsResult<()> {
    let places = [&figure.x, &figure.y].map(|channel| (picked.position(&channel.column), channel));
    let are_numbers = places.iter().all(|(at, _)| picked.column(*at).dtype().is_primitive_numeric());
    if figure.mark != Mark::Line || picked.ribbon.is_some() || !are_numbers {
        return Ok(());
    }
    let mut coordinates = Vec::new();
    for (at, channel) in places {
        let values = picked.column(at).cast(&DataType::Float64)?;
        let values: Vec<f64> = values.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        coordinates.push(Positions::of(channel, &values).all(&values));
    }
    let points: Vec<[f64; 2]> = coordinates[0].iter().zip(&coordinates[1]).map(|(x, y)| [*x, *y]).collect();
    let all = points.len();
    let mut needed = vec![false; all];
    for line in runs(&picked.frame, separating)? {
        let has_place = |point: &[f64; 2]| point[0].is_finite() && point[1].is_finite();
        let mut begin = line.start;
        // A gap is needed to see that it is one, and ends the piece of line before it.
        for gap in line.clone().filter(|row| !has_place(&points[*row])) {
            needed[gap] = true;
            mark_needed(&points[begin..gap], &mut needed[begin..gap]);
            begin = gap + 1;
        }
        mark_needed(&points[begin..line.end], &mut needed[begin..line.end]);
    }
    take(picked, (0..all).filter(|row| needed[*row]))?;
    let left = picked.frame.height();
    if left < all {
        let (left, all) = (grouped(left), counted(all, "row"));
        let note = format!("Drawn: {left} of {all}; the others lie on the lines between them.");
        picked.notes.push(note);
    }
    Ok(())
}

/// Marks the ends, and between two marked points the one farthest from the straight line between them, as long as it
/// is farther than the tolerance.
fn mark_needed(points: &[[f64; 2]], needed: &mut [bool]) {
    let Some(last) = points.len().checked_sub(1) else { return };
    (needed[0], needed[last]) = (true, true);
    let mut open = vec![(0, last)];
    while let Some((from, to)) = open.pop() {
        let distances = (from + 1..to).map(|at| (at, distance(points[at], points[from], points[to])));
        let Some((farthest, distance)) = distances.max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        if distance > TOLERANCE {
            needed[farthest] = true;
            open.extend([(from, farthest), (farthest, to)]);
        }
    }
}

/// How far a point is from the piece of line between two others.
fn distance(point: [f64; 2], from: [f64; 2], to: [f64; 2]) -> f64 {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let [px, py] = [point[0] - from[0], point[1] - from[1]];
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (px - along * dx).hypot(py - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(points: &[[f64; 2]]) -> Vec<usize> {
        let mut needed = vec![false; points.len()];
        mark_needed(points, &mut needed);
        (0..points.len()).filter(|at| needed[*at]).collect()
    }

    #[test]
    fn corners_and_ends_are_kept() {
        assert_eq!(kept(&[[0.0, 0.0]]), [0]);
        assert_eq!(kept(&[[0.0, 0.0], [0.2, 0.0], [0.5, 0.0], [0.6, 1.0], [0.8, 1.0], [1.0, 1.0]]), [0, 2, 3, 5]);
        assert_eq!(kept(&[[0.0, 0.5], [0.5, 0.5], [1.0, 0.5]]), [0, 2]);
    }

    #[test]
    fn a_spike_of_one_row_is_kept() {
        let points: Vec<[f64; 2]> = (0..1001).map(|i| [f64::from(i) / 1000.0, f64::from(u8::from(i == 333))]).collect();
        assert_eq!(kept(&points), [0, 332, 333, 334, 1000]);
    }

    #[test]
    fn a_line_that_comes_back_is_no_point() {
        assert_eq!(kept(&[[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]), [0, 1, 2]);
    }
}
