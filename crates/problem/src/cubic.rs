//! A piecewise cubic with linear ends: what a natural spline is.

/// Cubic pieces between knots, continued as straight lines beyond the first and the last.
///
/// Piece i lives on \[knots\[i\], knots\[i+1\]\] and is Σ pieces\[i\]\[d\]·(x − knots\[i\])ᵈ.
#[derive(Clone, Debug, PartialEq)]
pub struct PiecewiseCubic {
    knots: Vec<f64>,
    pieces: Vec<[f64; 4]>,
}

impl PiecewiseCubic {
    /// The natural cubic spline through (knots, values) with the given second derivatives at the
    /// knots (zero at both ends for a natural spline).
    ///
    /// # Panics
    /// If there are fewer than two knots, they do not ascend, or the lengths differ.
    pub fn from_second_derivatives(knots: &[f64], values: &[f64], second: &[f64]) -> Self {
        assert!(knots.len() >= 2 && knots.len() == values.len() && knots.len() == second.len());
        assert!(knots.windows(2).all(|w| w[0] < w[1]), "knots ascend");
        let pieces = (0..knots.len() - 1)
            .map(|i| {
                let h = knots[i + 1] - knots[i];
                let slope = (values[i + 1] - values[i]) / h - h * (2.0 * second[i] + second[i + 1]) / 6.0;
                [values[i], slope, second[i] / 2.0, (second[i + 1] - second[i]) / (6.0 * h)]
            })
            .collect();
        Self { knots: knots.to_vec(), pieces }
    }

    /// The pieces that cover \[a, b\], each as (from, to, origin, coefficients about the origin).
    pub fn pieces_on(&self, a: f64, b: f64) -> Vec<(f64, f64, f64, [f64; 4])> {
        let (first, last) = (self.knots[0], self.knots[self.knots.len() - 1]);
        let mut out = Vec::with_capacity(self.pieces.len() + 2);
        if a < first {
            let [value, slope, ..] = self.pieces[0];
            out.push((a, first.min(b), first, [value, slope, 0.0, 0.0]));
        }
        for (i, piece) in self.pieces.iter().enumerate() {
            let (from, to) = (self.knots[i].max(a), self.knots[i + 1].min(b));
            if from < to {
                out.push((from, to, self.knots[i], *piece));
            }
        }
        if b > last {
            out.push((last.max(a), b, last, [self.value(last, 0), self.value(last, 1), 0.0, 0.0]));
        }
        out
    }

    /// The `order`-th derivative (0 to 3) at `x`.
    pub fn value(&self, x: f64, order: u8) -> f64 {
        let (first, last) = (self.knots[0], self.knots[self.knots.len() - 1]);
        let inside = x.clamp(first, last);
        let i = self.knots.partition_point(|k| *k <= inside).clamp(1, self.pieces.len()) - 1;
        let at = |x: f64, order: u8| derivative(&self.pieces[i], x - self.knots[i], order);
        if x >= first && x <= last {
            return at(x, order);
        }
        match order {
            0 => at(inside, 0) + at(inside, 1) * (x - inside),
            1 => at(inside, 1),
            _ => 0.0,
        }
    }
}

fn derivative(c: &[f64; 4], u: f64, order: u8) -> f64 {
    match order {
        0 => c[0] + u * (c[1] + u * (c[2] + u * c[3])),
        1 => c[1] + u * (2.0 * c[2] + u * 3.0 * c[3]),
        2 => 2.0 * c[2] + 6.0 * c[3] * u,
        _ => 6.0 * c[3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line_everywhere() {
        let s = PiecewiseCubic::from_second_derivatives(&[-0.5, 0.0, 0.7], &[0.0, 0.5, 1.2], &[0.0; 3]);
        for x in [-1.0, -0.5, -0.2, 0.0, 0.3, 0.7, 1.0] {
            assert!((s.value(x, 0) - (x + 0.5)).abs() < 1e-15);
            assert!((s.value(x, 1) - 1.0).abs() < 1e-15);
        }
        let covered: f64 = s.pieces_on(-1.0, 1.0).iter().map(|p| p.1 - p.0).sum();
        assert!((covered - 2.0).abs() < 1e-15);
    }

    #[test]
    fn value_and_slope_are_continuous_at_knots() {
        // x³ on [0, 1] has second derivatives 0 and 6.
        let s = PiecewiseCubic::from_second_derivatives(&[0.0, 1.0], &[0.0, 1.0], &[0.0, 6.0]);
        assert!((s.value(0.5, 0) - 0.125).abs() < 1e-15);
        assert!((s.value(1.0 - 1e-12, 1) - s.value(1.0 + 1e-12, 1)).abs() < 1e-10);
    }
}
