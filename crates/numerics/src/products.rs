//! Dense products whose bits do not depend on how many rows are asked for at once.
//!
//! A general matrix product picks its blocking by the sizes of its operands, and with it the order
//! of its sums; a row would then change when its neighbours do. Here each output element is one
//! chain of fused multiply-adds in index order, and only independent elements share a vector.

use pulp::Arch;

/// Work that [`run_wide`] compiles for the widest vectors of this processor.
pub trait Kernel {
    /// What comes out.
    type Output;

    /// The work. Mark the implementation, and all that it calls, `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// Runs a kernel compiled for the widest vectors of this processor.
///
/// Only the method of a trait can carry the mark `#[inline(always)]`: the compiler is free to leave
/// a closure (or the call of a function passed by name) outside, where it has neither wide vectors
/// nor a multiply-add instruction and is fifty times slower.
#[inline(always)]
pub fn run_wide<K: Kernel>(kernel: K) -> K::Output {
    struct Call<K>(K);
    impl<K: Kernel> pulp::NullaryFnOnce for Call<K> {
        type Output = K::Output;
        #[inline(always)]
        fn call(self) -> K::Output {
            self.0.run()
        }
    }
    Arch::new().dispatch(Call(kernel))
}

/// The kind of vectors that kernels are compiled for here: numbers of two processors are comparable bit by bit where
/// it is the same.
pub fn vectors() -> String {
    format!("{} {:?}", std::env::consts::ARCH, Arch::new())
}

/// out = a · table, all row-major: `a` is rows × inner, `table` inner × columns, `out` rows × columns.
///
/// Each element is Σₖ a\[i,k\]·table\[k,j\] by fused multiply-adds for k = 0, 1, …; so the bits of a
/// row depend on that row alone. Cost: rows·inner·columns multiply-adds, no allocation.
///
/// # Panics
/// If the slices do not have these sizes.
pub fn product_into(a: &[f64], table: &[f64], out: &mut [f64], inner: usize, columns: usize) {
    if columns == 0 || out.is_empty() {
        return;
    }
    let rows = out.len() / columns;
    assert_eq!(out.len(), rows * columns, "out is rows × columns");
    assert_eq!(a.len(), rows * inner, "a is rows × inner");
    assert_eq!(table.len(), inner * columns, "table is inner × columns");
    let operands = Operands { a, table, inner, columns };
    run_wide(Product { operands, out });
}

#[derive(Clone, Copy)]
struct Operands<'a> {
    a: &'a [f64],
    table: &'a [f64],
    inner: usize,
    columns: usize,
}

/// The product in tiles of four rows and sixteen columns, and of fewer at the edges: no tile changes any bit.
struct Product<'a> {
    operands: Operands<'a>,
    out: &'a mut [f64],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { operands, out } = self;
        let rows = out.len() / operands.columns;
        for i in (0..rows).step_by(4) {
            match rows - i {
                1 => operands.band::<1>(out, i),
                2 => operands.band::<2>(out, i),
                3 => operands.band::<3>(out, i),
                _ => operands.band::<4>(out, i),
            }
        }
    }
}

impl Operands<'_> {
    /// R rows of the product from row `i` on.
    #[inline(always)]
    fn band<const R: usize>(self, out: &mut [f64], i: usize) {
        let mut j = 0;
        while j + 16 <= self.columns {
            self.tile::<R, 16>(out, i, j);
            j += 16;
        }
        if j + 8 <= self.columns {
            self.tile::<R, 8>(out, i, j);
            j += 8;
        }
        if j + 4 <= self.columns {
            self.tile::<R, 4>(out, i, j);
            j += 4;
        }
        while j < self.columns {
            self.tile::<R, 1>(out, i, j);
            j += 1;
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const C: usize>(self, out: &mut [f64], i: usize, j: usize) {
        let Self { a, table, inner, columns } = self;
        let mut sums = [[0.0_f64; C]; R];
        let rows: [&[f64]; R] = std::array::from_fn(|r| &a[(i + r) * inner..(i + r + 1) * inner]);
        for k in 0..inner {
            let line: &[f64; C] =
                table[k * columns + j..k * columns + j + C].try_into().expect("C entries were sliced");
            for r in 0..R {
                let factor = rows[r][k];
                for c in 0..C {
                    sums[r][c] = f64::mul_add(factor, line[c], sums[r][c]);
                }
            }
        }
        for r in 0..R {
            out[(i + r) * columns + j..(i + r) * columns + j + C].copy_from_slice(&sums[r]);
        }
    }
}

/// Σ aᵢ bᵢ with eight interleaved partial sums, added in a fixed order.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "dot of slices of one length");
    run_wide(Dot { a, b })
}

struct Dot<'a> {
    a: &'a [f64],
    b: &'a [f64],
}

impl Kernel for Dot<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { a, b } = self;
        let mut parts = [0.0_f64; 8];
        let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
        let (a_rest, b_rest) = (a8.remainder(), b8.remainder());
        for (x, y) in a8.zip(b8) {
            for lane in 0..8 {
                parts[lane] = f64::mul_add(x[lane], y[lane], parts[lane]);
            }
        }
        for (lane, (x, y)) in a_rest.iter().zip(b_rest).enumerate() {
            parts[lane] = f64::mul_add(*x, *y, parts[lane]);
        }
        ((parts[0] + parts[4]) + (parts[2] + parts[6])) + ((parts[1] + parts[5]) + (parts[3] + parts[7]))
    }
}

/// Σ aᵢ², in the same fixed order as [`dot`].
pub fn sum_of_squares(a: &[f64]) -> f64 {
    dot(a, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
            })
            .collect()
    }

    #[test]
    fn agrees_with_nalgebra_at_every_edge() {
        for (rows, inner, columns) in [(1, 1, 1), (5, 7, 16), (4, 51, 33), (9, 10, 40), (3, 0, 5)] {
            let (a, t) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
            let mut out = vec![f64::NAN; rows * columns];
            product_into(&a, &t, &mut out, inner, columns);
            let expected = nalgebra::DMatrix::from_row_slice(rows, inner, &a)
                * nalgebra::DMatrix::from_row_slice(inner, columns, &t);
            for i in 0..rows {
                for j in 0..columns {
                    assert!((out[i * columns + j] - expected[(i, j)]).abs() < 1e-14);
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let (inner, columns) = (51, 45);
        let (a, t) = (numbers(9 * inner, 3), numbers(inner * columns, 4));
        let mut all = vec![0.0; 9 * columns];
        product_into(&a, &t, &mut all, inner, columns);
        for row in 0..9 {
            let mut one = vec![0.0; columns];
            product_into(&a[row * inner..(row + 1) * inner], &t, &mut one, inner, columns);
            assert!(one.iter().zip(&all[row * columns..]).all(|(x, y)| x.to_bits() == y.to_bits()));
        }
    }

    #[test]
    fn dot_is_the_sum() {
        let (a, b) = (numbers(103, 5), numbers(103, 6));
        let plain: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        assert!((dot(&a, &b) - plain).abs() < 1e-14);
    }
}
