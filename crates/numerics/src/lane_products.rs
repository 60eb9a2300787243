//! Small matrix products of many lanes side by side, and the same of one lane by blocks.

use crate::{Kernel, run_wide};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, Simd, WithSimd};

/// A factor of a product: column-major entries, with the lanes of one entry side by side.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a> {
    data: &'a [f64],
    rows: usize,
    columns: usize,
    /// Entries between two rows and between two columns.
    strides: [usize; 2],
    /// Whether all lanes have these entries, which are then there once.
    shared: bool,
}

impl<'a> Factor<'a> {
    /// A rows × columns matrix per lane.
    pub fn new(data: &'a [f64], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, strides: [1, rows], shared: false }
    }

    /// One rows × columns matrix for all lanes.
    pub fn shared(data: &'a [f64], rows: usize, columns: usize) -> Self {
        Self { shared: true, ..Self::new(data, rows, columns) }
    }

    /// Its transpose, without a copy.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, strides: [self.strides[1], self.strides[0]], ..self }
    }

    /// Where entry (i, j) is.
    #[inline(always)]
    fn entry(&self, i: usize, j: usize) -> usize {
        i * self.strides[0] + j * self.strides[1]
    }

    #[inline(always)]
    fn at(&self, i: usize, j: usize, lane: usize, lanes: usize) -> f64 {
        let entry = self.entry(i, j);
        self.data[if self.shared { entry } else { entry * lanes + lane }]
    }
}

/// C ← A·B, or C ← C + A·B if `add`, lane by lane.
///
/// Shapes: A m×k, B k×n, C m×n, all times `lanes`; A may be shared. With one lane the product is blocked if no size is
/// small; otherwise each element of each lane is one chain of multiply-adds in index order, so that a lane's
/// bits do not depend on its neighbours. 2mkn flops per lane; allocates nothing.
///
/// # Panics
/// If the shapes do not fit, or B is shared.
pub fn lane_product_into(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], lanes: usize, add: bool) {
    let own = if a.shared { 1 } else { lanes };
    assert_eq!(a.columns, b.rows, "inner sizes agree");
    assert_eq!(a.data.len(), a.rows * a.columns * own, "A is m×k times lanes");
    assert_eq!(b.data.len(), b.rows * b.columns * lanes, "B is k×n times lanes");
    assert_eq!(c.len(), a.rows * b.columns * lanes, "C is m×n times lanes");
    if lanes == 1 && a.rows.min(b.columns).min(a.columns) > 8 {
        let accum = if add { Accum::Add } else { Accum::Replace };
        let c = MatMut::from_column_major_slice_mut(c, a.rows, b.columns);
        return matmul(c, accum, view(a), view(b), 1.0, Par::Seq);
    }
    if lanes != 8 && !add {
        c.fill(0.0);
    }
    match lanes {
        1 => run_wide(OneLane { a, b, c }),
        8 => Arch::new().dispatch(EightLanes { a, b, c, add }),
        _ => any_lanes(a, b, c, lanes),
    }
}

fn view(f: Factor<'_>) -> MatRef<'_, f64> {
    if f.strides[0] == 1 {
        MatRef::from_column_major_slice(f.data, f.rows, f.columns)
    } else {
        MatRef::from_column_major_slice(f.data, f.columns, f.rows).transpose()
    }
}

/// C + A·B in any number of lanes.
fn any_lanes(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], lanes: usize) {
    for (slot, sum) in c.iter_mut().enumerate() {
        let (entry, lane) = (slot / lanes, slot % lanes);
        let (i, j) = (entry % a.rows, entry / a.rows);
        for k in 0..a.columns {
            *sum = f64::mul_add(a.at(i, k, lane, lanes), b.at(k, j, lane, lanes), *sum);
        }
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

/// C + A·B or A·B in eight lanes: vectors hold lanes of one entry, and some entries of C stay in registers.
///
/// Vectors are spelled out, since the compiler makes single numbers of the lanes otherwise.
struct EightLanes<'a> {
    a: Factor<'a>,
    b: Factor<'a>,
    c: &'a mut [f64],
    add: bool,
}

impl WithSimd for EightLanes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let parts = 8 / S::F64_LANES;
        let vectors = Vectors::<S> {
            simd,
            parts,
            a: self.a,
            b: self.b,
            add: self.add,
            left: S::as_simd_f64s(self.a.data).0,
            right: S::as_simd_f64s(self.b.data).0,
        };
        let c = S::as_mut_simd_f64s(self.c).0;
        for part in 0..parts {
            if self.a.shared { vectors.sweep::<true>(c, part) } else { vectors.sweep::<false>(c, part) }
        }
    }
}

struct Vectors<'a, S: Simd> {
    simd: S,
    /// Vectors that hold the lanes of one entry.
    parts: usize,
    a: Factor<'a>,
    b: Factor<'a>,
    add: bool,
    left: &'a [S::f64s],
    right: &'a [S::f64s],
}

impl<S: Simd> Vectors<'_, S> {
    #[inline(always)]
    fn sweep<const SHARED: bool>(&self, c: &mut [S::f64s], part: usize) {
        let mut j = 0;
        while j < self.b.columns {
            let across = share(self.b.columns - j);
            match across {
                4 => self.column::<SHARED, 4>(c, j, part),
                3 => self.column::<SHARED, 3>(c, j, part),
                2 => self.column::<SHARED, 2>(c, j, part),
                _ => self.column::<SHARED, 1>(c, j, part),
            }
            j += across;
        }
    }

    /// C columns of the product.
    #[inline(always)]
    fn column<const SHARED: bool, const C: usize>(&self, c: &mut [S::f64s], j: usize, part: usize) {
        let (rows, mut i) = (self.a.rows, 0);
        // A single column has registers for more rows.
        while C == 1 && i + 8 <= rows {
            self.tile::<SHARED, 8, C>(c, [i, j], part);
            i += 8;
        }
        while i < rows {
            let down = share(rows - i);
            match down {
                4 => self.tile::<SHARED, 4, C>(c, [i, j], part),
                3 => self.tile::<SHARED, 3, C>(c, [i, j], part),
                2 => self.tile::<SHARED, 2, C>(c, [i, j], part),
                _ => self.tile::<SHARED, 1, C>(c, [i, j], part),
            }
            i += down;
        }
    }

    #[inline(always)]
    fn tile<const SHARED: bool, const R: usize, const C: usize>(
        &self,
        c: &mut [S::f64s],
        [i, j]: [usize; 2],
        part: usize,
    ) {
        let Self { simd, parts, a, b, add, left, right } = *self;
        let slot = |r: usize, s: usize| (i + r + (j + s) * a.rows) * parts + part;
        let mut sums = [[simd.splat_f64s(0.0); R]; C];
        if add {
            for s in 0..C {
                for r in 0..R {
                    sums[s][r] = c[slot(r, s)];
                }
            }
        }
        for k in 0..a.columns {
            let mut column = [simd.splat_f64s(0.0); R];
            for (r, column) in column.iter_mut().enumerate() {
                let entry = a.entry(i + r, k);
                *column = if SHARED { simd.splat_f64s(a.data[entry]) } else { left[entry * parts + part] };
            }
            for s in 0..C {
                let x = right[b.entry(k, j + s) * parts + part];
                for r in 0..R {
                    sums[s][r] = simd.mul_add_f64s(column[r], x, sums[s][r]);
                }
            }
        }
        for s in 0..C {
            for r in 0..R {
                c[slot(r, s)] = sums[s][r];
            }
        }
    }
}

/// How many of the rest to take at once: four, but no single one is left over, whose sums would wait for each other.
#[inline(always)]
fn share(rest: usize) -> usize {
    if rest == 5 { 3 } else { rest.min(4) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DMatrix;

    fn numbers(count: usize, seed: f64) -> Vec<f64> {
        (0..count).map(|i| (i as f64 * 0.7 + seed).sin()).collect()
    }

    fn lane(data: &[f64], rows: usize, columns: usize, lanes: usize, lane: usize) -> DMatrix<f64> {
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
