//! Small matrix products of many lanes side by side, and the same of one lane by blocks.

use crate::{Kernel, run_wide};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// A factor of a product: column-major entries, with the lanes of one entry side by side.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a> {
    data: &'a [f64],
    rows: usize,
    columns: usize,
    /// Entries between two rows and between two columns.
    strides: [usize; 2],
}

impl<'a> Factor<'a> {
    /// A rows × columns matrix per lane.
    pub fn new(data: &'a [f64], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, strides: [1, rows] }
    }

    /// Its transpose, without a copy.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, strides: [self.strides[1], self.strides[0]], ..self }
    }
}

/// C ← A·B, or C ← C + A·B if `add`, lane by lane.
///
/// Shapes: A m×k, B k×n, C m×n, all times `lanes`. With one lane the product is blocked; with more, each
/// element of each lane is one chain of multiply-adds in index order, so that a lane's bits do not depend on
/// its neighbours. 2mkn flops per lane; allocates nothing.
///
/// # Panics
/// If the shapes do not fit.
pub fn lane_product_into(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], lanes: usize, add: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes agree");
    assert_eq!(a.data.len(), a.rows * a.columns * lanes, "A is m×k times lanes");
    assert_eq!(b.data.len(), b.rows * b.columns * lanes, "B is k×n times lanes");
    assert_eq!(c.len(), a.rows * b.columns * lanes, "C is m×n times lanes");
    if lanes == 1 && a.rows.min(b.columns).min(a.columns) > 8 {
        let accum = if add { Accum::Add } else { Accum::Replace };
        let c = MatMut::from_column_major_slice_mut(c, a.rows, b.columns);
        matmul(c, accum, view(a), view(b), 1.0, Par::Seq);
    } else {
        run_wide(LaneProduct { a, b, c, lanes, add });
    }
}

fn view(f: Factor<'_>) -> MatRef<'_, f64> {
    if f.strides[0] == 1 {
        MatRef::from_column_major_slice(f.data, f.rows, f.columns)
    } else {
        MatRef::from_column_major_slice(f.data, f.columns, f.rows).transpose()
    }
}

struct LaneProduct<'a> {
    a: Factor<'a>,
    b: Factor<'a>,
    c: &'a mut [f64],
    lanes: usize,
    add: bool,
}

impl Kernel for LaneProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.lanes {
            8 => self.tiles(),
            _ => self.plain(),
        }
    }
}

impl LaneProduct<'_> {
    /// Any number of lanes.
    #[inline(always)]
    fn plain(self) {
        let Self { a, b, c, lanes, add } = self;
        for j in 0..b.columns {
            for i in 0..a.rows {
                for lane in 0..lanes {
                    let slot = (i + j * a.rows) * lanes + lane;
                    let mut sum = if add { c[slot] } else { 0.0 };
                    for k in 0..a.columns {
                        let left = a.data[(i * a.strides[0] + k * a.strides[1]) * lanes + lane];
                        let right = b.data[(k * b.strides[0] + j * b.strides[1]) * lanes + lane];
                        sum = f64::mul_add(left, right, sum);
                    }
                    c[slot] = sum;
                }
            }
        }
    }

    /// Eight lanes, four by four entries of C in registers.
    #[inline(always)]
    fn tiles(self) {
        let Self { a, b, c, add, .. } = self;
        let mut j = 0;
        while j < b.columns {
            let across = (b.columns - j).min(4);
            let mut i = 0;
            while i < a.rows {
                let down = (a.rows - i).min(4);
                match (down, across) {
                    (4, 4) => tile::<4, 4>(a, b, c, [i, j], add),
                    (3, 4) => tile::<3, 4>(a, b, c, [i, j], add),
                    (2, 4) => tile::<2, 4>(a, b, c, [i, j], add),
                    (1, 4) => tile::<1, 4>(a, b, c, [i, j], add),
                    (4, 3) => tile::<4, 3>(a, b, c, [i, j], add),
                    (4, 2) => tile::<4, 2>(a, b, c, [i, j], add),
                    (4, 1) => tile::<4, 1>(a, b, c, [i, j], add),
                    _ => {
                        for column in j..j + across {
                            for row in i..i + down {
                                tile::<1, 1>(a, b, c, [row, column], add);
                            }
                        }
                    }
                }
                i += down;
            }
            j += across;
        }
    }
}

#[inline(always)]
fn tile<const R: usize, const C: usize>(a: Factor<'_>, b: Factor<'_>, c: &mut [f64], [i, j]: [usize; 2], add: bool) {
    let mut sums = [[[0.0_f64; 8]; R]; C];
    let slot = |r: usize, s: usize| ((i + r) + (j + s) * a.rows) * 8;
    if add {
        for (s, column) in sums.iter_mut().enumerate() {
            for (r, sum) in column.iter_mut().enumerate() {
                sum.copy_from_slice(&c[slot(r, s)..slot(r, s) + 8]);
            }
        }
    }
    for k in 0..a.columns {
        let left: [&[f64; 8]; R] = std::array::from_fn(|r| eight(a.data, (i + r) * a.strides[0] + k * a.strides[1]));
        for (s, column) in sums.iter_mut().enumerate() {
            let right = eight(b.data, k * b.strides[0] + (j + s) * b.strides[1]);
            for (sum, left) in column.iter_mut().zip(&left) {
                for lane in 0..8 {
                    sum[lane] = f64::mul_add(left[lane], right[lane], sum[lane]);
                }
            }
        }
    }
    for (s, column) in sums.iter().enumerate() {
        for (r, sum) in column.iter().enumerate() {
            c[slot(r, s)..slot(r, s) + 8].copy_from_slice(sum);
        }
    }
}

#[inline(always)]
fn eight(data: &[f64], entry: usize) -> &[f64; 8] {
    data[entry * 8..entry * 8 + 8].try_into().expect("eight were sliced")
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
