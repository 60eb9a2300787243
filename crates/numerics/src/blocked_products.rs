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

/// Columns of a tile.
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
        let most = if S::REGISTER_COUNT >= 32 { 4 } else { 3 };
        for (vector, count) in shares(a.rows.div_ceil(S::F64_LANES), most) {
            let rows = [vector * S::F64_LANES, a.rows.min((vector + count) * S::F64_LANES)];
            let panel = &mut panel[..count * S::F64_LANES * a.columns];
            pack(a, rows, count * S::F64_LANES, panel);
            let work = Panel::<S> { simd, panel: S::as_simd_f64s(panel).0, b, rows, height: a.rows, then };
            match count {
                4 => work.sweep::<4>(c),
                3 => work.sweep::<3>(c),
                2 => work.sweep::<2>(c),
                _ => work.sweep::<1>(c),
            }
        }
    }
}

/// Copies some rows of A, column by column; what is left of the last vector is zero.
#[inline(always)]
fn pack(a: Factor<'_>, [from, to]: [usize; 2], height: usize, panel: &mut [f64]) {
    let count = to - from;
    if a.strides[0] == 1 {
        for (k, column) in panel.chunks_exact_mut(height).enumerate() {
            column[..count].copy_from_slice(&a.data[k * a.rows + from..k * a.rows + to]);
            column[count..].fill(0.0);
        }
        return;
    }
    let inner = a.columns;
    let mut k = 0;
    // Eight columns at a time: rows are read in whole lines, and the lines that are written stay near.
    while k < inner {
        let width = WIDEST.min(inner - k);
        let columns = &mut panel[k * height..(k + width) * height];
        for r in 0..height {
            if r < count {
                let row = &a.data[(from + r) * inner + k..][..width];
                row.iter().enumerate().for_each(|(s, x)| columns[s * height + r] = *x);
            } else {
                (0..width).for_each(|s| columns[s * height + r] = 0.0);
            }
        }
        k += width;
    }
}

/// Some rows of A and what is to be done with them.
struct Panel<'a, S: Simd> {
    simd: S,
    panel: &'a [S::f64s],
    b: Factor<'a>,
    rows: [usize; 2],
    /// Rows of C.
    height: usize,
    then: Then<'a>,
}

impl<S: Simd> Panel<'_, S> {
    #[inline(always)]
    fn sweep<const V: usize>(&self, c: &mut [f64]) {
        for (j, across) in shares(self.b.columns, COLUMNS) {
            match across {
                4 => self.tile::<V, 4>(c, j),
                3 => self.tile::<V, 3>(c, j),
                2 => self.tile::<V, 2>(c, j),
                _ => self.tile::<V, 1>(c, j),
            }
        }
    }

    /// Loops have lengths that are known when they are compiled, or sums would not stay in registers.
    #[inline(always)]
    fn tile<const V: usize, const C: usize>(&self, c: &mut [f64], j: usize) {
        let Self { simd, b, rows: [from, to], height, .. } = *self;
        let place = |s: usize, v: usize| {
            let top = from + v * S::F64_LANES;
            (j + s) * height + top..(j + s) * height + to.min(top + S::F64_LANES)
        };
        let mut sums = [[simd.splat_f64s(0.0); V]; C];
        if let Then::Add = self.then {
            for s in 0..C {
                for v in 0..V {
                    sums[s][v] = simd.partial_load_f64s(&c[place(s, v)]);
                }
            }
        }
        let sums = if b.strides[0] == 1 { self.along_columns(sums, j) } else { self.along_rows(sums, j) };
        for s in 0..C {
            for v in 0..V {
                let c = &mut c[place(s, v)];
                let new = match self.then {
                    Then::Subtract(factor) => {
                        simd.sub_f64s(simd.partial_load_f64s(c), simd.mul_f64s(simd.splat_f64s(factor[0]), sums[s][v]))
                    }
                    Then::Replace | Then::Add => sums[s][v],
                };
                simd.partial_store_f64s(c, new);
            }
        }
    }

    /// Columns of B lie side by side.
    #[inline(always)]
    fn along_columns<const V: usize, const C: usize>(
        &self,
        mut sums: [[S::f64s; V]; C],
        j: usize,
    ) -> [[S::f64s; V]; C] {
        let (simd, inner) = (self.simd, self.b.rows);
        let mut lines = [&self.b.data[..inner]; C];
        for s in 0..C {
            lines[s] = &self.b.data[(j + s) * inner..][..inner];
        }
        let columns = &self.panel.as_chunks::<V>().0[..inner];
        for k in 0..inner {
            for s in 0..C {
                let x = simd.splat_f64s(lines[s][k]);
                for v in 0..V {
                    sums[s][v] = simd.mul_add_f64s(columns[k][v], x, sums[s][v]);
                }
            }
        }
        sums
    }

    /// Rows of B lie side by side.
    #[inline(always)]
    fn along_rows<const V: usize, const C: usize>(&self, mut sums: [[S::f64s; V]; C], j: usize) -> [[S::f64s; V]; C] {
        let simd = self.simd;
        for (column, line) in self.panel.as_chunks::<V>().0.iter().zip(self.b.data.chunks_exact(self.b.columns)) {
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
}
