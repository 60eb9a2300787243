//! Eight matrices made bidiagonal at once, by Householder reflections from both sides.

use super::{LANES, VANISHING};
use pulp::{Simd, WithSimd};

/// Entries from column to column: an odd number, since columns that begin 4096 bytes apart push each other out of the
/// first cache.
#[inline(always)]
pub(super) fn stride(rows: usize) -> usize {
    rows | 1
}

/// A ← UᵀAV with two diagonals for eight matrices, of which only the diagonals are kept.
pub(super) struct Bidiagonalise<'a> {
    /// Rows, and columns: no more of them.
    pub(super) shape: [usize; 2],
    pub(super) entries: &'a mut [f64],
    pub(super) scratch: &'a mut [f64],
    pub(super) diagonal: &'a mut [f64],
    pub(super) above: &'a mut [f64],
    /// Which eight of the sixteen these are.
    pub(super) half: usize,
}

impl WithSimd for Bidiagonalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { shape, entries, scratch, diagonal, above, half } = self;
        let parts = LANES / S::F64_LANES;
        let [diagonal, above] = [diagonal, above].map(|to| S::as_mut_simd_f64s(to).0);
        let (a, scratch) = (S::as_mut_simd_f64s(entries).0, S::as_mut_simd_f64s(scratch).0);
        for part in 0..parts {
            let lanes = Reflected { simd, shape, parts, part };
            lanes.run(a, scratch, diagonal, above, half * parts + part);
        }
    }
}

/// One vector of lanes of eight matrices.
#[derive(Clone, Copy)]
struct Reflected<S: Simd> {
    simd: S,
    shape: [usize; 2],
    parts: usize,
    part: usize,
}

impl<S: Simd> Reflected<S> {
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> usize {
        (i + j * stride(self.shape[0])) * self.parts + self.part
    }

    /// Takes v wᵀ + z uᵀ of the last step away when a column is next looked at, and so reads and writes it once a step.
    #[inline(always)]
    fn run(
        &self,
        a: &mut [S::f64s],
        scratch: &mut [S::f64s],
        diagonal: &mut [S::f64s],
        above: &mut [S::f64s],
        lane: usize,
    ) {
        let (simd, [m, n]) = (self.simd, self.shape);
        let zero = simd.splat_f64s(0.0);
        let (v, rest) = scratch.split_at_mut(m);
        let (z, rest) = rest.split_at_mut(m);
        let (next, rest) = rest.split_at_mut(m);
        let (w, u) = rest.split_at_mut(n);
        let u = &mut u[..n];
        [&mut *v, z, w, u].into_iter().for_each(|part| part.fill(zero));
        let width = 2 * self.parts;
        for k in 0..n {
            self.take_away(a, [k, k], v, z, w[k], u[k]);
            let column = |i: usize| a[self.at(i, k)];
            let (mut even, mut odd) = (zero, zero);
            for i in (k + 1..m).step_by(2) {
                let x = column(i);
                even = simd.mul_add_f64s(x, x, even);
                if i + 1 < m {
                    let x = column(i + 1);
                    odd = simd.mul_add_f64s(x, x, odd);
                }
            }
            let [beta, tau, scale] = self.reflector(column(k), simd.add_f64s(even, odd));
            diagonal[k * width + lane] = beta;
            if k + 1 == n {
                break;
            }
            next[k] = simd.splat_f64s(1.0);
            for i in k + 1..m {
                next[i] = simd.mul_f64s(column(i), scale);
            }
            let mut j = k + 1;
            while j < n {
                let across = (n - j).min(4);
                match across {
                    4 => self.columns::<4>(a, [k, j], [v, z, next], [&mut *w, &mut *u], tau),
                    3 => self.columns::<3>(a, [k, j], [v, z, next], [&mut *w, &mut *u], tau),
                    2 => self.columns::<2>(a, [k, j], [v, z, next], [&mut *w, &mut *u], tau),
                    _ => self.columns::<1>(a, [k, j], [v, z, next], [&mut *w, &mut *u], tau),
                }
                j += across;
            }
            // Row k is now a − w; what is right of its first entry is reflected away.
            let (mut sum, row) = (zero, |j: usize, w: &[S::f64s]| simd.sub_f64s(a[self.at(k, j)], w[j]));
            for j in k + 2..n {
                u[j] = row(j, w);
                sum = simd.mul_add_f64s(u[j], u[j], sum);
            }
            let [beta, tau, scale] = self.reflector(row(k + 1, w), sum);
            above[k * width + lane] = beta;
            u[k + 1] = simd.splat_f64s(1.0);
            let mut overlap = w[k + 1];
            for j in k + 2..n {
                u[j] = simd.mul_f64s(u[j], scale);
                overlap = simd.mul_add_f64s(w[j], u[j], overlap);
            }
            z[k + 1..].fill(zero);
            let mut j = k + 1;
            while j < n {
                let across = (n - j).min(4);
                match across {
                    4 => self.add::<4>(a, [k + 1, j], u, z),
                    3 => self.add::<3>(a, [k + 1, j], u, z),
                    2 => self.add::<2>(a, [k + 1, j], u, z),
                    _ => self.add::<1>(a, [k + 1, j], u, z),
                }
                j += across;
            }
            for i in k + 1..m {
                v[i] = next[i];
                z[i] = simd.mul_f64s(tau, simd.negate_mul_add_f64s(next[i], overlap, z[i]));
            }
        }
    }

    /// aⱼ ← aⱼ − v·w − z·u for one column, from row i down.
    #[inline(always)]
    fn take_away(&self, a: &mut [S::f64s], [i, j]: [usize; 2], v: &[S::f64s], z: &[S::f64s], w: S::f64s, u: S::f64s) {
        for i in i..self.shape[0] {
            let x = &mut a[self.at(i, j)];
            *x = self.simd.negate_mul_add_f64s(z[i], u, self.simd.negate_mul_add_f64s(v[i], w, *x));
        }
    }

    /// [β, τ, s] with (1 − τxxᵀ)(α, tail) = (β, 0), x = (1, s·tail) and Σtail² = `sum`.
    #[inline(always)]
    fn reflector(&self, alpha: S::f64s, sum: S::f64s) -> [S::f64s; 3] {
        let simd = self.simd;
        let [zero, one] = [0.0, 1.0].map(|x| simd.splat_f64s(x));
        let norm = simd.sqrt_f64s(simd.mul_add_f64s(alpha, alpha, sum));
        let beta = simd.select_f64s(simd.less_than_f64s(alpha, zero), norm, simd.neg_f64s(norm));
        let difference = simd.sub_f64s(beta, alpha);
        let has = simd.greater_than_f64s(sum, simd.splat_f64s(VANISHING * VANISHING));
        let or = |x: S::f64s, otherwise: S::f64s| simd.select_f64s(has, x, otherwise);
        let tau = simd.div_f64s(difference, or(beta, one));
        let scale = simd.div_f64s(simd.splat_f64s(-1.0), or(difference, one));
        [or(beta, alpha), or(tau, zero), or(scale, zero)]
    }

    /// aⱼ ← aⱼ − v·wⱼ − z·uⱼ and then wⱼ ← τ·(next·aⱼ) for some columns, from row k down.
    #[inline(always)]
    fn columns<const C: usize>(
        &self,
        a: &mut [S::f64s],
        [k, j]: [usize; 2],
        [v, z, next]: [&[S::f64s]; 3],
        [w, u]: [&mut [S::f64s]; 2],
        tau: S::f64s,
    ) {
        let (simd, m, parts) = (self.simd, self.shape[0], self.parts);
        let mut sums = [simd.splat_f64s(0.0); C];
        let [mut ws, mut us] = [sums; 2];
        ws.copy_from_slice(&w[j..j + C]);
        us.copy_from_slice(&u[j..j + C]);
        let (v, z, next) = (&v[k..m], &z[k..m], &next[k..m]);
        let mut columns = a[self.at(0, j)..].chunks_mut(stride(m) * parts);
        let columns: [&mut [S::f64s]; C] = std::array::from_fn(|_| {
            let column = columns.next().expect("as many columns as were asked for");
            &mut column[k * parts..][..(m - k - 1) * parts + 1]
        });
        for (i, ((v, z), next)) in v.iter().zip(z).zip(next).enumerate() {
            // Copies, since the compiler does not know that a column is none of these.
            let (v, z, next) = (*v, *z, *next);
            for c in 0..C {
                let x = columns[c][i * parts];
                let x = simd.negate_mul_add_f64s(z, us[c], simd.negate_mul_add_f64s(v, ws[c], x));
                columns[c][i * parts] = x;
                sums[c] = simd.mul_add_f64s(next, x, sums[c]);
            }
        }
        for c in 0..C {
            w[j + c] = simd.mul_f64s(tau, sums[c]);
        }
    }

    /// z ← z + Σ aⱼuⱼ over some columns, from row i down.
    #[inline(always)]
    fn add<const C: usize>(&self, a: &[S::f64s], [from, j]: [usize; 2], u: &[S::f64s], z: &mut [S::f64s]) {
        let (simd, m, parts) = (self.simd, self.shape[0], self.parts);
        let mut us = [simd.splat_f64s(0.0); C];
        us.copy_from_slice(&u[j..j + C]);
        let z = &mut z[from..m];
        let columns: [&[S::f64s]; C] =
            std::array::from_fn(|c| &a[self.at(from, j + c)..][..z.len().saturating_sub(1) * parts + 1]);
        for (i, z) in z.iter_mut().enumerate() {
            let mut sum = *z;
            for c in 0..C {
                sum = simd.mul_add_f64s(columns[c][i * parts], us[c], sum);
            }
            *z = sum;
        }
    }
}
