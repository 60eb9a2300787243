//! Small matrix products of many lanes side by side, and the same of one lane by blocks.

use crate::blocked_products::blocked_product;
use crate::{Kernel, run_wide};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

/// A factor of a product: column-major entries, with the lanes of one entry side by side.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a> {
    pub(crate) data: &'a [f64],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Entries between two rows and between two columns.
    pub(crate) strides: [usize; 2],
    /// Whether all lanes have these entries, which are then there once.
    shared: bool,
}

impl<'a> Factor<'a> {
    /// A rows × columns matrix per lane.
    #[inline]
    pub fn new(data: &'a [f64], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, strides: [1, rows], shared: false }
    }

    /// One rows × columns matrix for all lanes.
    pub fn shared(data: &'a [f64], rows: usize, columns: usize) -> Self {
        Self { shared: true, ..Self::new(data, rows, columns) }
    }

    /// Its transpose, without a copy.
    #[inline]
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, strides: [self.strides[1], self.strides[0]], ..self }
    }

    /// Where entry (i, j) is.
    #[inline(always)]
    pub(crate) fn entry(&self, i: usize, j: usize) -> usize {
        i * self.strides[0] + j * self.strides[1]
    }

    #[inline(always)]
    fn at(&self, i: usize, j: usize, lane: usize, lanes: usize) -> f64 {
        let entry = self.entry(i, j);
        self.data[if self.shared { entry } else { entry * lanes + lane }]
    }
}

/// What becomes of a product.
#[derive(Clone, Copy)]
pub(crate) enum Then<'a> {
    /// C ← A·B.
    Replace,
    /// C ← C + A·B.
    Add,
    /// C ← C − s∘(A·B), with one factor s per lane.
    Subtract(&'a [f64]),
}

/// C ← A·B, or C ← C + A·B if `add`, lane by lane.
///
/// Shapes: A m×k, B k×n, C m×n, all times `lanes`; A may be shared. Each element of each lane is one chain of
/// multiply-adds in index order, so that a lane's bits do not depend on its neighbours, nor on the vectors of the
/// processor; one lane of more than 256 in some size is left to a general product, whose order is its own. 2mkn
/// flops per lane; allocates nothing but, once per thread, a panel of A.
///
/// # Panics
/// If the shapes do not fit, or B is shared.
pub fn lane_product_into(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], lanes: usize, add: bool) {
    multiply(a, b, c, lanes, if add { Then::Add } else { Then::Replace });
}

/// C ← C − s∘(A·B), lane by lane, with one factor s per lane: the update of descent without a gradient in between.
///
/// The same bits as those of [`lane_product_into`] followed by [`crate::subtract_scaled`], but for one lane of sizes that
/// are left to a general product there. Shapes, cost and panics as there.
pub fn subtract_lane_product(s: &[f64], a: Factor<'_>, b: Factor<'_>, c: &mut [f64]) {
    multiply(a, b, c, s.len(), Then::Subtract(s));
}

fn multiply(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], lanes: usize, then: Then<'_>) {
    let own = if a.shared { 1 } else { lanes };
    assert_eq!(a.columns, b.rows, "inner sizes agree");
    assert_eq!(a.data.len(), a.rows * a.columns * own, "A is m×k times lanes");
    assert_eq!(b.data.len(), b.rows * b.columns * lanes, "B is k×n times lanes");
    assert_eq!(c.len(), a.rows * b.columns * lanes, "C is m×n times lanes");
    match lanes {
        1 => one_lane(a, b, c, then),
        8 => Arch::new().dispatch(EightLanes { a, b, c, then }),
        _ => any_lanes(a, b, c, lanes, then),
    }
}

fn one_lane(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], then: Then<'_>) {
    let accum = match then {
        Then::Replace => Accum::Replace,
        Then::Add => Accum::Add,
        Then::Subtract(_) => return blocked_product(a, b, c, then),
    };
    let sizes = [a.rows, a.columns, b.columns];
    if sizes.iter().any(|size| *size <= NARROW) {
        if let Accum::Replace = accum {
            c.fill(0.0);
        }
        run_wide(OneLane { a, b, c });
    } else if sizes.iter().any(|size| *size > WIDE) {
        let c = MatMut::from_column_major_slice_mut(c, a.rows, b.columns);
        matmul(c, accum, view(a), view(b), 1.0, Par::Seq);
    } else {
        blocked_product(a, b, c, then);
    }
}

/// With a size up to this, one lane has no tiles to fill.
const NARROW: usize = 8;

/// With a size above this, one lane wants blocks in all directions for the caches.
const WIDE: usize = 256;

fn view(f: Factor<'_>) -> MatRef<'_, f64> {
    if f.strides[0] == 1 {
        MatRef::from_column_major_slice(f.data, f.rows, f.columns)
    } else {
        MatRef::from_column_major_slice(f.data, f.columns, f.rows).transpose()
    }
}

/// C ← A·B, C + A·B or C − s∘(A·B) in any number of lanes.
fn any_lanes(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], lanes: usize, then: Then<'_>) {
    for (slot, c) in c.iter_mut().enumerate() {
        let (entry, lane) = (slot / lanes, slot % lanes);
        let (i, j) = (entry % a.rows, entry / a.rows);
        let before = if let Then::Add = then { *c } else { 0.0 };
        let sum =
            (0..a.columns).fold(before, |sum, k| f64::mul_add(a.at(i, k, lane, lanes), b.at(k, j, lane, lanes), sum));
        *c = if let Then::Subtract(s) = then { *c - s[lane] * sum } else { sum };
    }
}

/// C + A·B in one lane.
struct OneLane<'a> {
    a: Factor<'a>,
    b: Factor<'a>,
    c: &'a mut [f64],
}

/// Sums that are taken at once in one lane: they are independent, and do not wait for each other.
const AT_ONCE: usize = 8;

impl Kernel for OneLane<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { a, b, c } = self;
        for (j, c) in c.chunks_exact_mut(a.rows.max(1)).enumerate() {
            // Columns of A lie side by side in memory, or its rows do.
            if a.strides[0] == 1 {
                add_columns(a, b, c, j);
            } else {
                let mut i = 0;
                while i + AT_ONCE <= a.rows {
                    add_rows::<AT_ONCE>(a, b, c, [i, j]);
                    i += AT_ONCE;
                }
                while i < a.rows {
                    add_rows::<1>(a, b, c, [i, j]);
                    i += 1;
                }
            }
        }
    }
}

/// c ← c + Ab, four columns of A at once.
#[inline(always)]
fn add_columns(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], j: usize) {
    let column = |k: usize| &a.data[k * a.rows..][..a.rows];
    let factor = |k: usize| b.data[b.entry(k, j)];
    let mut k = 0;
    while k + 4 <= a.columns {
        let (columns, x) = ([0, 1, 2, 3].map(|s| column(k + s)), [0, 1, 2, 3].map(|s| factor(k + s)));
        add_four(columns, x, c);
        k += 4;
    }
    while k < a.columns {
        let x = factor(k);
        for (c, a) in c.iter_mut().zip(column(k)) {
            *c = f64::mul_add(*a, x, *c);
        }
        k += 1;
    }
}

/// c ← c + Σ xₛaₛ, in this order.
#[inline(always)]
fn add_four(a: [&[f64]; 4], x: [f64; 4], c: &mut [f64]) {
    // Iterators in step, since an index would be checked and keep numbers out of vectors.
    for ((((c, a0), a1), a2), a3) in c.iter_mut().zip(a[0]).zip(a[1]).zip(a[2]).zip(a[3]) {
        let sum = f64::mul_add(*a1, x[1], f64::mul_add(*a0, x[0], *c));
        *c = f64::mul_add(*a3, x[3], f64::mul_add(*a2, x[2], sum));
    }
}

/// c ← c + Ab for some rows of A.
#[inline(always)]
fn add_rows<const COUNT: usize>(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], [i, j]: [usize; 2]) {
    let mut rows = [&a.data[..0]; COUNT];
    let mut sums = [0.0; COUNT];
    for r in 0..COUNT {
        rows[r] = &a.data[(i + r) * a.columns..][..a.columns];
        sums[r] = c[i + r];
    }
    for (k, x) in (0..a.columns).map(|k| (k, b.data[b.entry(k, j)])) {
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = f64::mul_add(row[k], x, *sum);
        }
    }
    c[i..i + COUNT].copy_from_slice(&sums);
}

/// C ← A·B, C + A·B or C − s∘(A·B) in eight lanes: vectors hold lanes of one entry, and a tile of C stays in registers.
///
/// Vectors are spelled out, since the compiler makes single numbers of the lanes otherwise.
struct EightLanes<'a> {
    a: Factor<'a>,
    b: Factor<'a>,
    c: &'a mut [f64],
    then: Then<'a>,
}

impl WithSimd for EightLanes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let parts = 8 / S::F64_LANES;
        let c = S::as_mut_simd_f64s(self.c).0;
        for part in 0..parts {
            let vectors = Vectors::<S> {
                simd,
                parts,
                part,
                a: self.a,
                b: self.b,
                left: S::as_simd_f64s(self.a.data).0,
                right: S::as_simd_f64s(self.b.data).0,
                then: match self.then {
                    Then::Replace => Finish::Replace,
                    Then::Add => Finish::Add,
                    Then::Subtract(s) => Finish::Subtract(S::as_simd_f64s(s).0[part]),
                },
            };
            if self.a.columns == 0 || self.a.shared {
                vectors.sweep_shared(c);
            } else {
                vectors.sweep(c);
            }
        }
    }
}

/// [`Then`] with its factors in a vector.
#[derive(Clone, Copy)]
enum Finish<V> {
    Replace,
    Add,
    Subtract(V),
}

struct Vectors<'a, S: Simd> {
    simd: S,
    /// Vectors that hold the lanes of one entry, and which of them this is about.
    parts: usize,
    part: usize,
    a: Factor<'a>,
    b: Factor<'a>,
    left: &'a [S::f64s],
    right: &'a [S::f64s],
    then: Finish<S::f64s>,
}

impl<S: Simd> Vectors<'_, S> {
    #[inline(always)]
    fn sweep(&self, c: &mut [S::f64s]) {
        // As large as registers allow, with a column of A and an entry of B beside the sums.
        let most = if S::REGISTER_COUNT >= 32 { 5 } else { 3 };
        for (j, across) in shares(self.b.columns, most) {
            match across {
                5 => self.column::<5>(c, j, most),
                4 => self.column::<4>(c, j, most),
                3 => self.column::<3>(c, j, most),
                2 => self.column::<2>(c, j, most),
                _ => self.column::<1>(c, j, 2 * most),
            }
        }
    }

    /// Some columns of the product.
    #[inline(always)]
    fn column<const C: usize>(&self, c: &mut [S::f64s], j: usize, most: usize) {
        for (i, down) in shares(self.a.rows, most) {
            match down {
                10 if C == 1 => self.tile::<10, C>(c, [i, j]),
                9 if C == 1 => self.tile::<9, C>(c, [i, j]),
                8 if C == 1 => self.tile::<8, C>(c, [i, j]),
                7 if C == 1 => self.tile::<7, C>(c, [i, j]),
                6 if C == 1 => self.tile::<6, C>(c, [i, j]),
                5 => self.tile::<5, C>(c, [i, j]),
                4 => self.tile::<4, C>(c, [i, j]),
                3 => self.tile::<3, C>(c, [i, j]),
                2 => self.tile::<2, C>(c, [i, j]),
                _ => self.tile::<1, C>(c, [i, j]),
            }
        }
    }

    /// A tile of C: loops have lengths that are known when they are compiled, or sums would not stay in registers, and
    /// addresses move by steps, for there are few registers for them as well.
    #[inline(always)]
    fn tile<const R: usize, const C: usize>(&self, c: &mut [S::f64s], at: [usize; 2]) {
        let sums = self.begin::<R, C>(c, at);
        let sums = match (self.a.strides[0] == 1, self.b.strides[0] == 1) {
            (true, true) => self.sums::<R, C, true, true>(sums, at),
            (true, false) => self.sums::<R, C, true, false>(sums, at),
            (false, true) => self.sums::<R, C, false, true>(sums, at),
            (false, false) => self.sums::<R, C, false, false>(sums, at),
        };
        self.end(sums, c, at);
    }

    /// Where entry (i, j) of C lies.
    #[inline(always)]
    fn slot(&self, [i, j]: [usize; 2]) -> usize {
        (i + j * self.a.rows) * self.parts + self.part
    }

    #[inline(always)]
    fn begin<const R: usize, const C: usize>(&self, c: &[S::f64s], [i, j]: [usize; 2]) -> [[S::f64s; R]; C] {
        let mut sums = [[self.simd.splat_f64s(0.0); R]; C];
        if let Finish::Add = self.then {
            for s in 0..C {
                for r in 0..R {
                    sums[s][r] = c[self.slot([i + r, j + s])];
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn end<const R: usize, const C: usize>(&self, sums: [[S::f64s; R]; C], c: &mut [S::f64s], [i, j]: [usize; 2]) {
        for s in 0..C {
            let column = &mut c[self.slot([i, j + s])..=self.slot([i + R - 1, j + s])];
            for r in 0..R {
                let c = &mut column[r * self.parts];
                *c = match self.then {
                    Finish::Subtract(factor) => self.simd.sub_f64s(*c, self.simd.mul_f64s(factor, sums[s][r])),
                    Finish::Replace | Finish::Add => sums[s][r],
                };
            }
        }
    }

    /// `DOWN`: columns of A lie side by side, otherwise its rows; `ALONG`: the same of B.
    #[inline(always)]
    fn sums<const R: usize, const C: usize, const DOWN: bool, const ALONG: bool>(
        &self,
        mut sums: [[S::f64s; R]; C],
        [i, j]: [usize; 2],
    ) -> [[S::f64s; R]; C] {
        let Self { simd, parts, part, a, b, left, right, .. } = *self;
        let inner = a.columns;
        // From the first entry of a row or column to its last.
        let length = (inner - 1) * parts + 1;
        let (mut rows, mut columns) = ([left; R], [right; C]);
        for r in 0..R {
            rows[r] = if DOWN { left } else { &left[(i + r) * inner * parts + part..][..length] };
        }
        for s in 0..C {
            columns[s] = if ALONG { &right[(j + s) * inner * parts + part..][..length] } else { right };
        }
        for k in 0..inner {
            let mut column = [simd.splat_f64s(0.0); R];
            let line = if DOWN { &left[(i + k * a.rows) * parts + part..][..(R - 1) * parts + 1] } else { left };
            for r in 0..R {
                column[r] = if DOWN { line[r * parts] } else { rows[r][k * parts] };
            }
            let line = if ALONG { right } else { &right[(j + k * b.columns) * parts + part..][..(C - 1) * parts + 1] };
            for s in 0..C {
                let x = if ALONG { columns[s][k * parts] } else { line[s * parts] };
                for r in 0..R {
                    sums[s][r] = simd.mul_add_f64s(column[r], x, sums[s][r]);
                }
            }
        }
        sums
    }

    /// The same where A is shared by all lanes: each of its numbers serves eight of them, and a column of C has many sums.
    #[inline(always)]
    fn sweep_shared(&self, c: &mut [S::f64s]) {
        // Rows that lie apart need an address each, of which there are few.
        let most = if S::REGISTER_COUNT >= 32 && self.a.strides[0] == 1 { 24 } else { 8 };
        for j in 0..self.b.columns {
            let mut i = 0;
            while most == 24 && i + 24 <= self.a.rows {
                self.shared_tile::<24>(c, [i, j]);
                i += 24;
            }
            while i + 8 <= self.a.rows {
                self.shared_tile::<8>(c, [i, j]);
                i += 8;
            }
            while i + 2 <= self.a.rows {
                self.shared_tile::<2>(c, [i, j]);
                i += 2;
            }
            while i < self.a.rows {
                self.shared_tile::<1>(c, [i, j]);
                i += 1;
            }
        }
    }

    #[inline(always)]
    fn shared_tile<const R: usize>(&self, c: &mut [S::f64s], [i, j]: [usize; 2]) {
        let Self { simd, parts, part, a, b, right, .. } = *self;
        let [mut sums] = self.begin::<R, 1>(c, [i, j]);
        if a.strides[0] == 1 {
            for k in 0..a.columns {
                let x = right[b.entry(k, j) * parts + part];
                let column = &a.data[i + k * a.rows..][..R];
                for r in 0..R {
                    sums[r] = simd.mul_add_f64s(simd.splat_f64s(column[r]), x, sums[r]);
                }
            }
        } else {
            let mut rows = [a.data; R];
            for r in 0..R {
                rows[r] = &a.data[(i + r) * a.columns..][..a.columns];
            }
            for k in 0..a.columns {
                let x = right[b.entry(k, j) * parts + part];
                for r in 0..R {
                    sums[r] = simd.mul_add_f64s(simd.splat_f64s(rows[r][k]), x, sums[r]);
                }
            }
        }
        self.end([sums], c, [i, j]);
    }
}

/// Cuts a length into as few pieces of at most `most` as possible, all of nearly one size: where they begin, and how long they are.
#[inline(always)]
pub(crate) fn shares(length: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let pieces = length.div_ceil(most);
    let (size, longer) = (length / pieces.max(1), length % pieces.max(1));
    (0..pieces).map(move |piece| (piece * size + piece.min(longer), size + usize::from(piece < longer)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::DMatrix;

    pub(crate) fn numbers(count: usize, seed: f64) -> Vec<f64> {
        (0..count).map(|i| (i as f64 * 0.7 + seed).sin()).collect()
    }

    pub(crate) fn lane(data: &[f64], rows: usize, columns: usize, lanes: usize, lane: usize) -> DMatrix<f64> {
        DMatrix::from_iterator(rows, columns, data.iter().skip(lane).step_by(lanes).copied())
    }

    #[test]
    fn a_shared_factor_is_that_of_every_lane_in_one_order_for_any_number_of_lanes() {
        let (m, k) = (11, 14);
        let (a, spread) = (numbers(m * k, 1.0), |x: &f64, lanes: usize| vec![*x; lanes]);
        for (n, transposed) in [(1, false), (1, true), (3, false), (3, true)] {
            let b = numbers(k * n, 2.0);
            let [rows, columns] = if transposed { [k, m] } else { [m, k] };
            let product = |lanes: usize, shared: bool| {
                let all: Vec<f64> = a.iter().flat_map(|x| spread(x, if shared { 1 } else { lanes })).collect();
                let b: Vec<f64> = b.iter().flat_map(|x| spread(x, lanes)).collect();
                let fa = Factor { shared, ..Factor::new(&all, rows, columns) };
                let fa = if transposed { fa.transposed() } else { fa };
                let mut c = vec![0.0; m * n * lanes];
                lane_product_into(fa, Factor::new(&b, k, n), &mut c, lanes, false);
                c.chunks_exact(lanes).map(|c| c[lanes - 1].to_bits()).collect::<Vec<u64>>()
            };
            for lanes in [1, 3, 8] {
                assert_eq!(product(8, false), product(lanes, true), "{n} {transposed} {lanes}");
                assert_eq!(product(8, false), product(lanes, false), "{n} {transposed} {lanes}");
            }
        }
    }

    #[test]
    fn every_lane_is_the_product_of_its_own_matrices() {
        for lanes in [1, 3, 8] {
            for (m, k, n) in [(1, 1, 1), (4, 5, 4), (5, 7, 6), (10, 10, 10), (3, 2, 9), (7, 12, 3), (33, 20, 17)] {
                for (ta, tb, add) in
                    [(false, false, false), (true, false, true), (false, true, false), (true, true, true)]
                {
                    let (a, b) = (numbers(m * k * lanes, 1.0), numbers(k * n * lanes, 2.0));
                    let fa = if ta { Factor::new(&a, k, m).transposed() } else { Factor::new(&a, m, k) };
                    let fb = if tb { Factor::new(&b, n, k).transposed() } else { Factor::new(&b, k, n) };
                    let before = numbers(m * n * lanes, 3.0);
                    let mut c = before.clone();
                    lane_product_into(fa, fb, &mut c, lanes, add);
                    for l in 0..lanes {
                        let a = if ta { lane(&a, k, m, lanes, l).transpose() } else { lane(&a, m, k, lanes, l) };
                        let b = if tb { lane(&b, n, k, lanes, l).transpose() } else { lane(&b, k, n, lanes, l) };
                        let mut expected = a * b;
                        if add {
                            expected += lane(&before, m, n, lanes, l);
                        }
                        assert!((lane(&c, m, n, lanes, l) - expected).amax() < 1e-13, "{lanes} {m} {k} {n}");
                    }
                }
            }
        }
    }
}
