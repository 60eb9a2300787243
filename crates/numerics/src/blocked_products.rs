//! Matrix products of one lane by blocks: panels of A in the cache, tiles of C in registers.

use crate::Aligned;
use crate::lane_products::{Factor, Then, shares};
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

thread_local! {
    /// Room for some rows of A, all of them side by side; grows with the largest product of the thread.
    static PANEL: RefCell<Aligned> = RefCell::default();
}

/// C ← A·B, C + A·B or C − s(A·B): each element is one chain of multiply-adds in index order.
///
/// Rows of A are copied once, in whole vectors, whichever way they lie in memory; B is read where it is.
pub(crate) fn blocked_product(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], then: Then<'_>) {
    PANEL.with_borrow_mut(|panel| {
        let size = MOST_VECTORS * WIDEST * a.columns;
        if panel.len() < size {
            *panel = Aligned::zeros(size);
        }
        Arch::new().dispatch(Blocked { a, b, c, then, panel: &mut panel[..size] });
    });
}

/// Vectors of a tile, one above the other, and numbers in the widest vector.
const MOST_VECTORS: usize = 4;
const WIDEST: usize = 8;

/// Columns of a tile. Six would fit thirty-two registers as well, but their addresses do not, and they are no faster.
const COLUMNS: usize = 4;

struct Blocked<'a> {
    a: Factor<'a>,
    b: Factor<'a>,
    c: &'a mut [f64],
    then: Then<'a>,
    panel: &'a mut [f64],
}

impl WithSimd for Blocked<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, c, then, panel } = self;
        // Sums, a column of A, and one number of B have registers.
        let most = if S::REGISTER_COUNT >= 32 { MOST_VECTORS } else { 3 };
        for (vector, count) in shares(a.rows.div_ceil(S::F64_LANES), most) {
            let rows = [vector * S::F64_LANES, a.rows.min((vector + count) * S::F64_LANES)];
            let panel = &mut panel[..count * S::F64_LANES * a.columns];
            match count {
                4 => multiply::<S, 4>(simd, [a, b], rows, panel, c, then),
                3 => multiply::<S, 3>(simd, [a, b], rows, panel, c, then),
                2 => multiply::<S, 2>(simd, [a, b], rows, panel, c, then),
                _ => multiply::<S, 1>(simd, [a, b], rows, panel, c, then),
            }
        }
    }
}

/// Some rows of C, columns of which are V vectors.
#[inline(always)]
fn multiply<S: Simd, const V: usize>(
    simd: S,
    [a, b]: [Factor<'_>; 2],
    rows: [usize; 2],
    panel: &mut [f64],
    c: &mut [f64],
    then: Then<'_>,
) {
    simd.vectorize(Pack::<V> { a, rows, panel: &mut *panel });
    let pieces = b.columns.div_ceil(COLUMNS).max(1);
    let (size, longer) = (b.columns / pieces, b.columns % pieces);
    for (first, columns, count) in [(0, size + 1, longer), (longer * (size + 1), size, pieces - longer)] {
        let strip = Strip { panel, b, rows, height: a.rows, first, count, c: &mut *c, then };
        match columns {
            4 => simd.vectorize(Tiles::<V, 4>(strip)),
            3 => simd.vectorize(Tiles::<V, 3>(strip)),
            2 => simd.vectorize(Tiles::<V, 2>(strip)),
            1 => simd.vectorize(Tiles::<V, 1>(strip)),
            _ => {}
        }
    }
}

/// Copies some rows of A, column by column, V vectors each; what is left of the last vector is zero.
struct Pack<'a, const V: usize> {
    a: Factor<'a>,
    rows: [usize; 2],
    panel: &'a mut [f64],
}

impl<const V: usize> WithSimd for Pack<'_, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, rows: [from, to], panel } = self;
        let panel = S::as_mut_simd_f64s(panel).0.as_chunks_mut::<V>().0;
        if a.strides[0] == 1 {
            return copy::<S, V>(simd, a, [from, to], panel);
        }
        let rows = &a.data[from * a.columns..to * a.columns];
        match S::F64_LANES {
            8 => turn::<S, V, 8>(simd, rows, a.columns, panel),
            4 => turn::<S, V, 4>(simd, rows, a.columns, panel),
            2 => turn::<S, V, 2>(simd, rows, a.columns, panel),
            _ => turn::<S, V, 1>(simd, rows, a.columns, panel),
        }
    }
}

/// Columns of A lie side by side.
#[inline(always)]
fn copy<S: Simd, const V: usize>(simd: S, a: Factor<'_>, [from, to]: [usize; 2], panel: &mut [[S::f64s; V]]) {
    for (column, packed) in a.data.chunks_exact(a.rows).zip(panel) {
        let (whole, rest) = S::as_simd_f64s(&column[from..to]);
        if let Ok(whole) = <&[S::f64s; V]>::try_from(whole) {
            *packed = *whole;
        } else {
            packed[..V - 1].copy_from_slice(&whole[..V - 1]);
            packed[V - 1] = simd.partial_load_f64s(rest);
        }
    }
}

/// Rows of A lie side by side: square blocks of N × N numbers are turned in registers, N being those of a vector.
#[inline(always)]
fn turn<S: Simd, const V: usize, const N: usize>(simd: S, rows: &[f64], inner: usize, panel: &mut [[S::f64s; V]]) {
    let height = rows.len() / inner.max(1);
    for (block, columns) in panel.chunks_mut(N).enumerate() {
        let k = block * N;
        for v in 0..V {
            let from = v * N * inner + k;
            match <&mut [[S::f64s; V]; N]>::try_from(&mut *columns) {
                Ok(columns) if (v + 1) * N <= height => {
                    let block = transposed(simd, square::<S, N>(simd, &rows[from..], inner));
                    for s in 0..N {
                        columns[s][v] = block[s];
                    }
                }
                _ => {
                    let width = columns.len();
                    let mut block = [simd.splat_f64s(0.0); N];
                    for (r, x) in block.iter_mut().enumerate().take(height - v * N) {
                        *x = simd.partial_load_f64s(&rows[from + r * inner..][..width]);
                    }
                    columns.iter_mut().zip(transposed(simd, block)).for_each(|(column, x)| column[v] = x);
                }
            }
        }
    }
}

/// The first numbers of rows that are so far apart.
#[inline(always)]
fn square<S: Simd, const N: usize>(simd: S, rows: &[f64], apart: usize) -> [S::f64s; N] {
    let mut block = [simd.splat_f64s(0.0); N];
    for r in 0..N {
        block[r] = S::as_simd_f64s(&rows[r * apart..][..N]).0[0];
    }
    block
}

/// A square of numbers, turned: its quarters beside the diagonal change places, then those of its quarters, and so on.
#[inline(always)]
fn transposed<S: Simd, const N: usize>(simd: S, mut block: [S::f64s; N]) -> [S::f64s; N] {
    if N == 8 {
        block = exchanged::<S, N, 4>(simd, block);
    }
    if N >= 4 {
        block = exchanged::<S, N, 2>(simd, block);
    }
    if N >= 2 {
        block = exchanged::<S, N, 1>(simd, block);
    }
    block
}

/// Squares of 2·HALF numbers along the diagonal, with the quarters beside it exchanged.
#[inline(always)]
fn exchanged<S: Simd, const N: usize, const HALF: usize>(simd: S, mut block: [S::f64s; N]) -> [S::f64s; N] {
    let mut first = simd.mask_between_m64s(0, HALF as u64).mask();
    for square in 1..N / (2 * HALF) {
        let start = 2 * HALF * square;
        first = simd.or_m64s(first, simd.mask_between_m64s(start as u64, (start + HALF) as u64).mask());
    }
    for i in 0..N {
        if i & HALF == 0 {
            let (x, y) = (block[i], block[i + HALF]);
            block[i] = simd.select_f64s(first, x, simd.rotate_right_f64s(y, HALF));
            block[i + HALF] = simd.select_f64s(first, simd.rotate_left_f64s(x, HALF), y);
        }
    }
    block
}

/// Some rows of C, and which of their columns are meant.
struct Strip<'a> {
    panel: &'a [f64],
    b: Factor<'a>,
    rows: [usize; 2],
    /// Rows of C.
    height: usize,
    /// The first column, and how many tiles begin there.
    first: usize,
    count: usize,
    c: &'a mut [f64],
    then: Then<'a>,
}

/// Tiles of V vectors and C columns: a function of its own, so that the compiler finds registers for all sums and addresses.
struct Tiles<'a, const V: usize, const C: usize>(Strip<'a>);

impl<const V: usize, const C: usize> WithSimd for Tiles<'_, V, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Strip { panel, b, rows: [from, to], height, first, count, c, then } = self.0;
        let panel = S::as_simd_f64s(panel).0.as_chunks::<V>().0;
        for tile in 0..count {
            let j = first + tile * C;
            let mut sums = [[simd.splat_f64s(0.0); V]; C];
            if let Then::Add = then {
                for s in 0..C {
                    let (whole, rest) = S::as_simd_f64s(&c[(j + s) * height..][from..to]);
                    for v in 0..V {
                        sums[s][v] = if v < whole.len() { whole[v] } else { simd.partial_load_f64s(rest) };
                    }
                }
            }
            let sums = if b.strides[0] == 1 {
                along_columns(simd, panel, b, sums, j)
            } else {
                along_rows(simd, panel, b, sums, j)
            };
            let finish = |c, sum| match then {
                Then::Subtract(factor) => simd.sub_f64s(c, simd.mul_f64s(simd.splat_f64s(factor[0]), sum)),
                Then::Replace | Then::Add => sum,
            };
            for s in 0..C {
                // Parts of a vector are written by a call, for which all sums would leave their registers.
                let (whole, rest) = S::as_mut_simd_f64s(&mut c[(j + s) * height..][from..to]);
                for v in 0..V {
                    if v < whole.len() {
                        whole[v] = finish(whole[v], sums[s][v]);
                    } else {
                        let new = finish(simd.partial_load_f64s(rest), sums[s][v]);
                        simd.partial_store_f64s(rest, new);
                    }
                }
            }
        }
    }
}

/// Columns of B lie side by side. Loops have lengths that are known when they are compiled, or sums would not stay in
/// registers.
#[inline(always)]
fn along_columns<S: Simd, const V: usize, const C: usize>(
    simd: S,
    panel: &[[S::f64s; V]],
    b: Factor<'_>,
    mut sums: [[S::f64s; V]; C],
    j: usize,
) -> [[S::f64s; V]; C] {
    let inner = panel.len();
    let mut lines = [b.data; C];
    for s in 0..C {
        lines[s] = &b.data[(j + s) * inner..][..inner];
    }
    for k in 0..inner {
        for s in 0..C {
            let x = simd.splat_f64s(lines[s][k]);
            for v in 0..V {
                sums[s][v] = simd.mul_add_f64s(panel[k][v], x, sums[s][v]);
            }
        }
    }
    sums
}

/// Rows of B lie side by side.
#[inline(always)]
fn along_rows<S: Simd, const V: usize, const C: usize>(
    simd: S,
    panel: &[[S::f64s; V]],
    b: Factor<'_>,
    mut sums: [[S::f64s; V]; C],
    j: usize,
) -> [[S::f64s; V]; C] {
    for (column, line) in panel.iter().zip(b.data.chunks_exact(b.columns)) {
        let line = &line[j..j + C];
        for s in 0..C {
            let x = simd.splat_f64s(line[s]);
            for v in 0..V {
                sums[s][v] = simd.mul_add_f64s(column[v], x, sums[s][v]);
            }
        }
    }
    sums
}
