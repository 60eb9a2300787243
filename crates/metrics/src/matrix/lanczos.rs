//! Largest eigenvalues of symmetric matrices that are known by their products, one matrix per lane.

use taut_numerics::{Factor, dot, lane_product_into};

/// To this share of itself an eigenvalue is known, see [`largest_eigenvalues`].
const TOLERANCE: f64 = 1e-8;

/// At most so many products.
const PRODUCTS: usize = 300;

/// The largest eigenvalue of each lane's matrix.
///
/// Lanczos with full reorthogonalisation. With the largest Ritz value θ and the norm r of its residual some
/// eigenvalue is within r of θ; it stops at r ≤ 1e-8·|θ|, or where rounding leaves no more, else after 300 products.
/// The error is then mostly r²/gap, near eps. (To stop by r²/gap instead would save a tenth of the time, but the gap
/// is not known: near small starts, where eigenvalues lie in tight clusters, the answer was 1e-6 off.)
///
/// Shapes: `start` and what `apply` reads and writes are size × lanes; one value per lane, NaN where the start is not
/// finite. Lanes do not influence each other. A start without any part in the leading eigenspace finds the
/// largest eigenvalue that it has a part in. `basis` is room, best used again, since fresh pages cost as much as the
/// vectors in them. Cites Parlett 1998.
pub(super) fn largest_eigenvalues(
    start: &[f64],
    lanes: usize,
    basis: &mut Vec<f64>,
    mut apply: impl FnMut(&[f64], &mut [f64]),
) -> Vec<f64> {
    let size = start.len() / lanes;
    let mut w = start.to_vec();
    let mut lane: Vec<Tridiagonal> = (0..lanes).map(|_| Tridiagonal::default()).collect();
    let mut scale = vec![0.0; lanes];
    let mut overlaps = Vec::new();
    norms_into(&w, &mut scale);
    for (lane, norm) in lane.iter_mut().zip(&scale) {
        lane.is_done = !norm.is_finite();
    }
    let last = size.min(PRODUCTS);
    for k in 0..last {
        push_scaled(basis, k, &w, &scale);
        apply(&basis[k * w.len()..(k + 1) * w.len()], &mut w);
        // Of exact vectors only the last two overlap. Once they are taken away, all that is left to take is rounding,
        // and taking it away in one sweep makes no new: a sweep over everything at once would let errors grow.
        let near = k.saturating_sub(1);
        orthogonalise(&basis[near * w.len()..], &mut w, &mut overlaps, lanes);
        let alpha = overlaps[overlaps.len() - lanes..].to_vec();
        orthogonalise(basis, &mut w, &mut overlaps, lanes);
        norms_into(&w, &mut scale);
        for (i, lane) in lane.iter_mut().enumerate().filter(|(_, lane)| !lane.is_done) {
            lane.push(alpha[i], scale[i]);
            if lane.is_done {
                lane.value = f64::NAN;
            } else if k + 1 == last || lane.is_closed() || (k >= 4 && k % 2 == 0) {
                lane.look();
            }
        }
        if lane.iter().all(|lane| lane.is_done) {
            break;
        }
    }
    lane.iter().map(|lane| lane.value).collect()
}

/// What Lanczos knows of one lane: a tridiagonal matrix.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Below the diagonal, and last the norm of what is left.
    below: Vec<f64>,
    /// At least the largest eigenvalue.
    above: f64,
    value: f64,
    is_done: bool,
    pivots: Vec<f64>,
}

impl Default for Tridiagonal {
    fn default() -> Self {
        Self {
            diagonal: Vec::new(),
            below: Vec::new(),
            above: f64::NAN,
            value: f64::NAN,
            is_done: false,
            pivots: Vec::new(),
        }
    }
}

impl Tridiagonal {
    fn push(&mut self, alpha: f64, beta: f64) {
        self.is_done = !(alpha.is_finite() && beta.is_finite());
        // xᵀTx ≤ above·|y|² + 2β|y||z| + α|z|² for x = (y, z).
        self.above = match self.below.last() {
            Some(beta) => 0.5 * (self.above + alpha) + (0.5 * (self.above - alpha)).hypot(*beta),
            None => alpha,
        };
        self.diagonal.push(alpha);
        self.below.push(beta);
    }

    /// A bound on the size of all eigenvalues.
    fn bound(&self) -> f64 {
        let row = |i: usize| {
            let before = if i > 0 { self.below[i - 1] } else { 0.0 };
            let after = if i + 1 < self.diagonal.len() { self.below[i] } else { 0.0 };
            self.diagonal[i].abs() + before + after
        };
        (0..self.diagonal.len()).map(row).fold(0.0, f64::max)
    }

    /// Whether nothing is left: the space found so far is invariant, to rounding.
    fn is_closed(&self) -> bool {
        let left = *self.below.last().expect("something was pushed");
        left <= 1e-13 * self.bound()
    }

    /// Finds the largest eigenvalue and sees whether it is good enough.
    fn look(&mut self) {
        let bound = self.bound();
        if bound <= 0.0 {
            (self.value, self.is_done) = (0.0, true);
            return;
        }
        self.value = self.largest(bound);
        self.above = self.value;
        let residual = self.residual(bound);
        let allowed = TOLERANCE * self.value.abs();
        self.is_done = self.is_closed() || residual <= allowed || residual <= 1e-14 * bound;
    }

    /// Laguerre's iteration on the characteristic polynomial from above: it falls to the largest root, cubically.
    fn largest(&mut self, bound: f64) -> f64 {
        let n = self.diagonal.len() as f64;
        // Above it also after rounding: a pivot of zero has no inverse.
        let mut lambda = self.above + 1e-13 * bound;
        for _ in 0..60 {
            // p = Π dᵢ with the pivots dᵢ of T − λ; g = p′/p and h = −(p′/p)′.
            let (mut g, mut h) = (0.0, 0.0);
            let (mut slope, mut bend, mut inverse, mut square) = (0.0, 0.0, 0.0, 0.0);
            for (i, alpha) in self.diagonal.iter().enumerate() {
                let quotient = square * inverse;
                let turned = quotient * inverse;
                let (d, old) = (alpha - lambda - quotient, slope);
                slope = turned * old - 1.0;
                bend = turned * (bend - 2.0 * old * old * inverse);
                inverse = 1.0 / d;
                square = self.below[i] * self.below[i];
                let ratio = slope * inverse;
                g += ratio;
                h += ratio * ratio - bend * inverse;
            }
            // Above every root g is positive. Where rounding has gone past the largest, two roots would step to −∞.
            if g <= 0.0 {
                break;
            }
            let step = n / (g + ((n - 1.0) * (n * h - g * g).max(0.0)).sqrt());
            if step.is_nan() || step <= 4.0 * f64::EPSILON * bound {
                break;
            }
            lambda -= step;
        }
        lambda
    }

    /// βₖ|xₖ| for the unit eigenvector x of the largest eigenvalue: xᵢ₊₁ = −βᵢxᵢ/dᵢ₊₁ with the pivots dᵢ of T − λ from
    /// below, which no leading part of T that has the eigenvalue already can bring near zero.
    fn residual(&mut self, bound: f64) -> f64 {
        let k = self.diagonal.len();
        self.pivots.resize(k, 0.0);
        let mut correction = 0.0;
        for i in (1..k).rev() {
            let d = (self.diagonal[i] - self.value - correction).min(-f64::EPSILON * bound);
            self.pivots[i] = d;
            correction = self.below[i - 1] * self.below[i - 1] / d;
        }
        let (mut x, mut sum) = (1.0, 1.0);
        for (d, beta) in self.pivots[1..].iter().zip(&self.below) {
            x *= beta / -d;
            sum += x * x;
        }
        self.below[k - 1] * x / f64::sqrt(sum)
    }
}

/// Norms of the lanes, of which there are one or eight.
pub(super) fn norms_into(w: &[f64], norms: &mut [f64]) {
    if let [norm] = norms {
        *norm = dot(w, w).sqrt();
        return;
    }
    let mut sums = [0.0; 8];
    for entry in w.as_chunks::<8>().0 {
        (0..8).for_each(|lane| sums[lane] += entry[lane] * entry[lane]);
    }
    (0..8).for_each(|lane| norms[lane] = sums[lane].sqrt());
}

/// Puts w/‖w‖ in place k of the basis; zeros where nothing is left.
fn push_scaled(basis: &mut Vec<f64>, k: usize, w: &[f64], norms: &[f64]) {
    basis.truncate(k * w.len());
    basis.resize((k + 1) * w.len(), 0.0);
    let to = &mut basis[k * w.len()..];
    let inverse = |norm: f64| if norm > 0.0 { 1.0 / norm } else { 0.0 };
    if let [norm] = norms {
        let inverse = inverse(*norm);
        to.iter_mut().zip(w).for_each(|(to, x)| *to = x * inverse);
        return;
    }
    let inverse: [f64; 8] = std::array::from_fn(|lane| inverse(norms[lane]));
    for (to, x) in to.as_chunks_mut::<8>().0.iter_mut().zip(w.as_chunks::<8>().0) {
        (0..8).for_each(|lane| to[lane] = x[lane] * inverse[lane]);
    }
}

/// Writes the overlaps of w with every vector of the basis, vectors × lanes, and takes them away from w.
fn orthogonalise(basis: &[f64], w: &mut [f64], overlaps: &mut Vec<f64>, lanes: usize) {
    let vectors = basis.len() / w.len();
    overlaps.resize(vectors * lanes, 0.0);
    if lanes == 1 {
        basis.chunks_exact(w.len()).zip(&mut *overlaps).for_each(|(v, overlap)| *overlap = dot(v, w));
        for (v, overlap) in basis.chunks_exact(w.len()).zip(overlaps) {
            w.iter_mut().zip(v).for_each(|(w, v)| *w -= *overlap * v);
        }
        return;
    }
    let size = w.len() / lanes;
    let factor = Factor::new(basis, size, vectors);
    lane_product_into(factor.transposed(), Factor::new(w, size, 1), overlaps, lanes, false);
    overlaps.iter_mut().for_each(|x| *x = -*x);
    lane_product_into(factor, Factor::new(overlaps, vectors, 1), w, lanes, true);
    overlaps.iter_mut().for_each(|x| *x = -*x);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_parameters_have_a_largest_eigenvalue() {
        // Curvatures of ½(ab − 1)² at its minima a = 1/b, and around them, from many starts.
        for place in 0..2000 {
            let a = 0.2 + 0.002 * f64::from(place);
            let b = (1.0 + 1e-13 * f64::from(place % 7)) / a;
            let off = 2.0 * a * b - 1.0;
            let exact = 0.5 * (a * a + b * b) + (0.5 * (a * a - b * b)).hypot(off);
            let start = [a * f64::from(place % 3), b];
            let found = largest_eigenvalues(&start, 1, &mut Vec::new(), |v, out| {
                out.copy_from_slice(&[b * b * v[0] + off * v[1], off * v[0] + a * a * v[1]]);
            });
            assert!((found[0] / exact - 1.0).abs() < 1e-12, "{a} {b}: {found:?} for {exact}");
        }
    }
}
