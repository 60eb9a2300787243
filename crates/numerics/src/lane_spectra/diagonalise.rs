//! Sixteen bidiagonal matrices made diagonal at once, by sweeps of implicitly shifted QR.

use super::{SWEPT, VANISHING};
use pulp::{Simd, WithSimd};

/// QR sweeps over sixteen bidiagonal matrices until they are diagonal.
pub(super) struct Diagonalise<'a> {
    pub(super) size: usize,
    pub(super) diagonal: &'a mut [f64],
    pub(super) above: &'a mut [f64],
}

impl WithSimd for Diagonalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match SWEPT / S::F64_LANES {
            2 => self.run::<S, 2>(simd),
            4 => self.run::<S, 4>(simd),
            8 => self.run::<S, 8>(simd),
            _ => self.run::<S, 16>(simd),
        }
    }
}

/// What a sweep needs to know of the lanes.
struct Course {
    /// Entries above the diagonal that count as zero.
    negligible: [f64; SWEPT],
    /// Squares of the shifts.
    shifts: [f64; SWEPT],
    /// The least diagonal entry with something beside it.
    least: [f64; SWEPT],
    /// Rows and columns that are not diagonal yet.
    left: [usize; SWEPT],
}

impl Diagonalise<'_> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { size, diagonal: d, above: e } = self;
        let mut course = Course::new(size, d, e);
        // Two sweeps per value are usual.
        for _sweep in 0..30 * size {
            let longest = course.aim(d, e);
            if longest < 2 {
                return;
            }
            let (d, e) = (S::as_mut_simd_f64s(d).0, S::as_mut_simd_f64s(e).0);
            sweep::<S, V>(simd, longest, d, e, &mut course);
        }
    }
}

impl Course {
    fn new(size: usize, d: &[f64], e: &[f64]) -> Self {
        let mut course =
            Self { negligible: [0.0; SWEPT], shifts: [0.0; SWEPT], least: [f64::MAX; SWEPT], left: [size; SWEPT] };
        for (d, e) in d.chunks_exact(SWEPT).zip(e.chunks_exact(SWEPT)) {
            for lane in 0..SWEPT {
                let [d, e] = [d[lane].abs(), e[lane].abs()];
                course.negligible[lane] = course.negligible[lane].max(0.25 * f64::EPSILON * (d + e));
                course.least[lane] = if e > 0.0 { course.least[lane].min(d) } else { course.least[lane] };
            }
        }
        course
    }

    /// Sees how much is left of each lane and chooses its shift; the most that is left of any.
    #[inline(always)]
    fn aim(&mut self, d: &[f64], e: &[f64]) -> usize {
        let mut longest = 0;
        for lane in 0..SWEPT {
            let of = |x: &[f64], i: usize| x[i * SWEPT + lane];
            let mut left = self.left[lane];
            while left > 1 && of(e, left - 2).abs() <= self.negligible[lane] {
                left -= 1;
            }
            self.left[lane] = left;
            longest = longest.max(left);
            self.shifts[lane] = 0.0;
            // A sweep without a shift takes a zero of the diagonal out; a sweep with one would come to nothing there.
            if left > 1 && self.least[lane] > self.negligible[lane] {
                let [last, before, beside] = [of(d, left - 1), of(d, left - 2), of(e, left - 2)];
                let above = if left > 2 { of(e, left - 3) } else { 0.0 };
                self.shifts[lane] = shift(last, before, beside, above);
            }
        }
        longest
    }
}

/// The eigenvalue of the last 2×2 block of BᵀB that is nearer to its last entry (Wilkinson's shift).
#[inline(always)]
fn shift(last: f64, before: f64, beside: f64, above: f64) -> f64 {
    let corner = f64::mul_add(last, last, beside * beside);
    let half = 0.5 * (f64::mul_add(before, before, above * above) - corner);
    let off = before * beside;
    let root = f64::mul_add(half, half, off * off).sqrt();
    let shift = corner - off * off / if half < 0.0 { half - root } else { half + root };
    // Of underflow nothing comes but NaN.
    if shift > 0.0 { shift } else { 0.0 }
}

/// One sweep down: rotations chase what the first one makes out of the two diagonals.
///
/// An entry above the diagonal that is negligible becomes zero and begins a new block, so that lanes need no
/// bookkeeping of theirs. Where nothing is to be rotated everything stays as it is to the bit.
#[inline(always)]
fn sweep<S: Simd, const V: usize>(simd: S, size: usize, d: &mut [S::f64s], e: &mut [S::f64s], course: &mut Course) {
    let all = |x: f64| simd.splat_f64s(x);
    let (zero, most) = (all(0.0), all(f64::MAX));
    let [mut shifts, mut negligible] = [[zero; V]; 2];
    shifts.copy_from_slice(S::as_simd_f64s(&course.shifts).0);
    negligible.copy_from_slice(S::as_simd_f64s(&course.negligible).0);
    let mut least = [most; V];
    let clean =
        |x: S::f64s, v: usize| simd.select_f64s(simd.greater_than_f64s(simd.abs_f64s(x), negligible[v]), x, zero);
    // What was above the diagonal before the sweep: zero before the first row, as after a block.
    let (mut ahead, mut beyond) = ([zero; V], [zero; V]);
    let mut done = [zero; V];
    let (mut f, mut g) = ([zero; V], [zero; V]);
    let (mut here, mut right) = ([zero; V], [zero; V]);
    for v in 0..V {
        (here[v], right[v]) = (d[v], clean(e[v], v));
        beyond[v] = right[v];
    }
    for i in 0..size - 1 {
        for v in 0..V {
            let mut below = d[(i + 1) * V + v];
            let after = if i + 2 < size { clean(e[(i + 1) * V + v], v) } else { zero };
            let starts = simd.equal_f64s(ahead[v], zero);
            (ahead[v], beyond[v]) = (beyond[v], after);
            let plain = simd.equal_f64s(shifts[v], zero);
            let first = simd.mul_add_f64s(here[v], here[v], simd.neg_f64s(shifts[v]));
            f[v] = simd.select_f64s(starts, simd.select_f64s(plain, here[v], first), f[v]);
            let beside = simd.select_f64s(plain, right[v], simd.mul_f64s(here[v], right[v]));
            g[v] = simd.select_f64s(starts, beside, g[v]);
            let [c, s, r] = rotation(simd, f[v], g[v]);
            if i > 0 {
                let stored = simd.select_f64s(starts, zero, r);
                e[(i - 1) * V + v] = stored;
                let has = simd.greater_than_f64s(simd.abs_f64s(stored), negligible[v]);
                least[v] = simd.select_f64s(has, simd.min_f64s(least[v], done[v]), least[v]);
            }
            let top = simd.mul_add_f64s(c, here[v], simd.mul_f64s(s, right[v]));
            let side = simd.negate_mul_add_f64s(s, here[v], simd.mul_f64s(c, right[v]));
            let bulge = simd.mul_f64s(s, below);
            below = simd.mul_f64s(c, below);
            let [c, s, r] = rotation(simd, top, bulge);
            d[i * V + v] = r;
            done[v] = simd.abs_f64s(r);
            f[v] = simd.mul_add_f64s(c, side, simd.mul_f64s(s, below));
            here[v] = simd.negate_mul_add_f64s(s, side, simd.mul_f64s(c, below));
            g[v] = simd.mul_f64s(s, after);
            right[v] = simd.mul_f64s(c, after);
        }
    }
    for v in 0..V {
        e[(size - 2) * V + v] = f[v];
        d[(size - 1) * V + v] = here[v];
        let has = simd.greater_than_f64s(simd.abs_f64s(f[v]), negligible[v]);
        least[v] = simd.select_f64s(has, simd.min_f64s(least[v], done[v]), least[v]);
    }
    S::as_mut_simd_f64s(&mut course.least).0.copy_from_slice(&least);
}

/// [c, s, r] with c·f + s·g = r and c·g = s·f; [1, 0, f] where there is no g.
#[inline(always)]
fn rotation<S: Simd>(simd: S, f: S::f64s, g: S::f64s) -> [S::f64s; 3] {
    let [zero, one] = [0.0, 1.0].map(|x| simd.splat_f64s(x));
    let has = simd.greater_than_f64s(simd.abs_f64s(g), simd.splat_f64s(VANISHING));
    let norm = simd.sqrt_f64s(simd.mul_add_f64s(f, f, simd.mul_f64s(g, g)));
    let inverse = simd.div_f64s(one, norm);
    let or = |x: S::f64s, otherwise: S::f64s| simd.select_f64s(has, x, otherwise);
    [or(simd.mul_f64s(f, inverse), one), or(simd.mul_f64s(g, inverse), zero), or(norm, f)]
}
