//! Singular values of many matrices of one shape, eight and sixteen side by side.

use pulp::{Arch, Simd, WithSimd};

/// Matrices that are made bidiagonal at once.
const LANES: usize = 8;
/// Bidiagonal matrices that are swept at once: of eight, one root would wait for the other.
const SWEPT: usize = 16;
/// Above so many entries eight matrices no longer fit the second cache, and faer takes one by one.
const MOST_ENTRIES: usize = 128 * 128;
/// Numbers below it have squares that vanish; entries are scaled to at most 1 before.
const VANISHING: f64 = 1e-150;

/// All min(m, n) singular values of each matrix, descending, matrix after matrix; NaN where an entry is not finite.
///
/// Shapes: `matrices` holds m×n matrices one after the other, each column-major; `values` has min(m, n) numbers for
/// each. Householder reflections make a matrix bidiagonal, and sweeps of implicitly shifted QR make that diagonal, both
/// with the lanes of many matrices in one vector; large matrices go to faer. Errors: a few max(m, n)·eps of the largest
/// singular value, so that smaller ones than that are rounding; designs, whose small values matter, have
/// [`crate::ThinSvd`]. The values of a matrix have the same bits whatever is beside it. O(max(m, n)·min(m, n)²), and 64
/// bytes of scratch per entry. Cites Golub and Kahan 1965 and Demmel and Kahan 1990.
///
/// # Panics
/// If the slices do not have these sizes.
pub fn singular_values_into(matrices: &[f64], [m, n]: [usize; 2], values: &mut [f64]) {
    let (entries, count) = (m * n, m.min(n));
    if count == 0 {
        return assert!(values.is_empty(), "an empty matrix has no singular values");
    }
    assert_eq!(matrices.len() % entries, 0, "matrices are m×n");
    assert_eq!(values.len(), matrices.len() / entries * count, "one value per row or column of each matrix");
    if entries > MOST_ENTRIES {
        for (matrix, values) in matrices.chunks_exact(entries).zip(values.chunks_exact_mut(count)) {
            alone(matrix, [m, n], values);
        }
        return;
    }
    let mut batch = Batch::new([m, n]);
    for (matrices, values) in matrices.chunks(SWEPT * entries).zip(values.chunks_mut(SWEPT * count)) {
        batch.values_into(matrices, values);
    }
}

fn alone(matrix: &[f64], [m, n]: [usize; 2], values: &mut [f64]) {
    if matrix.iter().all(|x| x.is_finite()) {
        let view = faer::MatRef::from_column_major_slice(matrix, m, n);
        values.copy_from_slice(&view.singular_values().expect("a finite matrix has singular values"));
    } else {
        values.fill(f64::NAN);
    }
}

/// Room for sixteen matrices on their way.
struct Batch {
    shape: [usize; 2],
    /// Eight matrices with at least as many rows as columns.
    entries: Vec<f64>,
    scratch: Vec<f64>,
    /// The diagonal of each of the sixteen, and what is right of it.
    diagonal: Vec<f64>,
    above: Vec<f64>,
    /// One lane to be sorted.
    sorted: Vec<f64>,
}

impl Batch {
    fn new(shape: [usize; 2]) -> Self {
        let (tall, narrow) = (shape[0].max(shape[1]), shape[0].min(shape[1]));
        Self {
            shape,
            entries: vec![0.0; stride(tall) * narrow * LANES],
            scratch: vec![0.0; (3 * tall + 2 * narrow) * LANES],
            diagonal: vec![0.0; narrow * SWEPT],
            above: vec![0.0; narrow * SWEPT],
            sorted: vec![0.0; narrow],
        }
    }

    fn values_into(&mut self, matrices: &[f64], values: &mut [f64]) {
        let (size, narrow) = (self.shape[0] * self.shape[1], self.sorted.len());
        let mut scales = [0.0; SWEPT];
        self.diagonal.fill(0.0);
        self.above.fill(0.0);
        for (half, matrices) in matrices.chunks(LANES * size).enumerate() {
            let scales = &mut scales[half * LANES..][..LANES];
            self.gather(matrices, scales);
            let tall = size / narrow;
            Arch::new().dispatch(Bidiagonalise {
                shape: [tall, narrow],
                entries: &mut self.entries,
                scratch: &mut self.scratch,
                diagonal: &mut self.diagonal,
                above: &mut self.above,
                half,
            });
        }
        Arch::new().dispatch(Diagonalise { size: narrow, diagonal: &mut self.diagonal, above: &mut self.above });
        for (lane, (values, scale)) in values.chunks_exact_mut(narrow).zip(scales).enumerate() {
            let own = self.diagonal.iter().skip(lane).step_by(SWEPT);
            self.sorted.iter_mut().zip(own).for_each(|(sorted, d)| *sorted = d.abs());
            self.sorted.sort_unstable_by(|a, b| b.total_cmp(a));
            values.iter_mut().zip(&self.sorted).for_each(|(value, s)| *value = s / scale);
        }
    }

    /// Puts matrices side by side, each times a power of two that brings its largest entry into [½, 1); zeros stand in
    /// for matrices that are not there, and for those with an entry that is not finite, whose scale is NaN.
    fn gather(&mut self, matrices: &[f64], scales: &mut [f64]) {
        let [m, n] = self.shape;
        let mut from: [&[f64]; LANES] = [&matrices[..m * n]; LANES];
        let mut factors = [0.0; LANES];
        for (lane, matrix) in matrices.chunks_exact(m * n).enumerate() {
            from[lane] = matrix;
            scales[lane] = scale(matrix);
            factors[lane] = scales[lane];
        }
        let mut keep = [true; LANES];
        for (lane, keep) in keep.iter_mut().enumerate() {
            *keep = factors[lane] > 0.0;
        }
        // A wide matrix has the values of its transpose.
        let (tall, steps) = if m >= n { (m, [1, m]) } else { (n, [m, 1]) };
        for (j, column) in self.entries.chunks_exact_mut(stride(tall) * LANES).enumerate() {
            for (i, slots) in column.chunks_exact_mut(LANES).take(tall).enumerate() {
                let entry = i * steps[0] + j * steps[1];
                for lane in 0..LANES {
                    slots[lane] = if keep[lane] { from[lane][entry] * factors[lane] } else { 0.0 };
                }
            }
        }
    }
}

/// Entries from column to column: an odd number, since columns that begin 4096 bytes apart push each other out of the
/// first cache.
#[inline(always)]
fn stride(rows: usize) -> usize {
    rows | 1
}

/// 2^k with the largest entry times 2^k in [½, 1), as far as 2^k is a number; 1 for zeros, NaN where an entry is not
/// finite.
fn scale(matrix: &[f64]) -> f64 {
    let mut parts = [0.0_f64; 8];
    let eights = matrix.chunks_exact(8);
    let bits = |x: &f64| x.to_bits() & !(1 << 63);
    // Of numbers without a sign, the order of their bits is theirs, with NaN above all.
    let mut largest = eights.remainder().iter().map(bits).max().unwrap_or(0);
    for eight in eights {
        for (part, x) in parts.iter_mut().zip(eight) {
            *part = f64::from_bits(part.to_bits().max(bits(x)));
        }
    }
    largest = parts.iter().map(bits).max().unwrap_or(0).max(largest);
    if largest == 0 {
        return 1.0;
    }
    if !f64::from_bits(largest).is_finite() {
        return f64::NAN;
    }
    let exponent = (largest >> 52) as i64 - 1022;
    f64::from_bits(((1023 - exponent).clamp(1, 2046) as u64) << 52)
}

/// A ← UᵀAV with two diagonals for eight matrices, of which only the diagonals are kept.
struct Bidiagonalise<'a> {
    /// Rows, and columns: no more of them.
    shape: [usize; 2],
    entries: &'a mut [f64],
    scratch: &'a mut [f64],
    diagonal: &'a mut [f64],
    above: &'a mut [f64],
    /// Which eight of the sixteen these are.
    half: usize,
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

/// QR sweeps over sixteen bidiagonal matrices until they are diagonal.
struct Diagonalise<'a> {
    size: usize,
    diagonal: &'a mut [f64],
    above: &'a mut [f64],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DMatrix;

    fn faers(matrix: &DMatrix<f64>) -> Vec<f64> {
        let (m, n) = matrix.shape();
        faer::MatRef::from_column_major_slice(matrix.as_slice(), m, n).singular_values().unwrap()
    }

    fn values(matrices: &[DMatrix<f64>]) -> Vec<Vec<f64>> {
        let (m, n) = matrices[0].shape();
        let all: Vec<f64> = matrices.iter().flat_map(|matrix| matrix.iter().copied()).collect();
        let mut out = vec![-1.0; matrices.len() * m.min(n)];
        singular_values_into(&all, [m, n], &mut out);
        out.chunks_exact(m.min(n)).map(<[f64]>::to_vec).collect()
    }

    fn numbers(m: usize, n: usize, seed: u64) -> DMatrix<f64> {
        let mut draws = crate::stream(seed, "spectra", 0);
        DMatrix::from_fn(m, n, |_, _| crate::normal(&mut draws))
    }

    fn near(found: &[f64], exact: &[f64], case: &str) {
        assert_eq!(found.len(), exact.len(), "{case}");
        assert!(found.windows(2).all(|pair| pair[0] >= pair[1]), "{case}: {found:?}");
        let allowed = 2.0 * f64::EPSILON * (found.len() as f64 + 4.0) * exact[0];
        for (a, b) in found.iter().zip(exact) {
            assert!((a - b).abs() <= allowed, "{case}: {a} for {b}, {:.1} eps", (a - b) / exact[0] / f64::EPSILON);
        }
    }

    #[test]
    fn every_shape_and_batch_has_the_values_of_faer() {
        for (m, n) in [(1, 1), (1, 7), (7, 1), (2, 2), (3, 2), (2, 9), (5, 5), (10, 10), (12, 31), (64, 64), (50, 33)] {
            for count in [1, 7, 8, 9, 16, 19] {
                let matrices: Vec<_> = (0..count).map(|seed| numbers(m, n, seed)).collect();
                for (found, matrix) in values(&matrices).iter().zip(&matrices) {
                    near(found, &faers(matrix), &format!("{m}×{n}"));
                }
            }
        }
        let large = numbers(130, 127, 3);
        near(&values(&[large.clone()])[0], &faers(&large), "large");
    }

    #[test]
    fn values_that_are_known() {
        let rotated = |s: &[f64]| {
            let (u, v) = (numbers(s.len(), s.len(), 1).qr().q(), numbers(s.len(), s.len(), 2).qr().q());
            u * DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(s)) * v
        };
        let graded: Vec<f64> = (0..20).map(|i| 10_f64.powi(-i)).collect();
        let pairs = [3.0, 3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0];
        let clusters: Vec<f64> = (0..12).map(|i| 1.0 - 1e-9 * f64::from(i / 4) - 1e-15 * f64::from(i % 4)).collect();
        for s in [&graded[..], &pairs, &clusters, &[1.0; 30], &[1.0, 1e-300], &[1e-200, 1e-201, 0.0], &[1e200, 1e-200]]
        {
            near(&values(&[rotated(s)])[0], s, "rotated");
        }
        let diagonal = |s: &[f64]| DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(s));
        assert_eq!(values(&[diagonal(&[1.0, -3.0, 0.0, 1e-30])]), [[3.0, 1.0, 1e-30, 0.0]]);
        assert_eq!(values(&[DMatrix::zeros(4, 3)]), [[0.0; 3]]);
        assert_eq!(values(&[DMatrix::from_element(1, 1, 5e-324)]), [[5e-324]]);
        near(&values(&[DMatrix::from_element(9, 6, 1e-310)])[0], &[1e-310 * 54_f64.sqrt(), 0., 0., 0., 0., 0.], "tiny");
        near(&values(&[DMatrix::from_element(9, 6, 1e307)])[0], &[1e307 * 54_f64.sqrt(), 0., 0., 0., 0., 0.], "huge");
    }

    #[test]
    fn zeros_on_two_diagonals_are_no_trap() {
        // Zeros anywhere among ones make blocks, and blocks without an inverse.
        for pattern in 0_u32..512 {
            let bit = |k: usize| f64::from((pattern >> k) & 1);
            let matrix = DMatrix::from_fn(5, 5, |i, j| match j.wrapping_sub(i) {
                0 => bit(i),
                1 => bit(5 + i),
                _ => 0.0,
            });
            if pattern & 31 > 0 || pattern >> 5 > 0 {
                near(&values(&[matrix.clone()])[0], &faers(&matrix), &format!("{pattern:b}"));
            }
        }
    }

    #[test]
    fn low_ranks_leave_rounding() {
        for rank in [1, 2, 9] {
            let matrix = numbers(20, rank, 5) * numbers(rank, 17, 6);
            near(&values(&[matrix.clone()])[0], &faers(&matrix), "low rank");
        }
    }

    #[test]
    fn a_matrix_has_the_same_bits_beside_any_others() {
        for (m, n) in [(10, 10), (6, 20), (1, 4)] {
            let others: Vec<_> = (0..37)
                .map(|seed| match seed % 4 {
                    0 => DMatrix::zeros(m, n),
                    1 => DMatrix::identity(m, n) * 1e-100,
                    2 => numbers(m, n, seed) * 1e100,
                    _ => DMatrix::from_element(m, n, f64::NAN),
                })
                .collect();
            let matrix = numbers(m, n, 99);
            let alone = values(&[matrix.clone()]);
            for place in [0, 5, 15, 16, 36] {
                let mut all = others.clone();
                all[place] = matrix.clone();
                assert_eq!(values(&all)[place], alone[0]);
            }
        }
    }

    #[test]
    fn what_is_not_finite_has_no_values() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (m, n) in [(3, 3), (150, 150)] {
                let mut matrix = numbers(m, n, 1);
                matrix[(m - 1, 1)] = bad;
                assert!(values(&[matrix])[0].iter().all(|s| s.is_nan()));
            }
        }
        singular_values_into(&[], [0, 3], &mut []);
    }
}
