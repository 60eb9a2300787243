//! Matrices that are symmetric by their making, of which half need not be computed.

use crate::{Factor, Kernel, lane_product_into, run_wide};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef, Par};

/// From so many rows and columns on one triangle of UUᵀ costs less than all of it. Smaller ones may stand side by side, and
/// have the same bits there as alone.
const HALVED: usize = 65;

/// C ← UUᵀ, lane by lane, symmetric to the bit.
///
/// Shapes: U n×w and C n×n, times `lanes`, column-major with the lanes of an entry side by side. n²w flops in one lane,
/// twice as many side by side or where n is small; allocates nothing. The bits of a lane do not depend on the others.
///
/// # Panics
/// If the slices do not have these sizes.
pub fn gram_into(u: &[f64], [n, w]: [usize; 2], c: &mut [f64], lanes: usize) {
    let factor = Factor::new(u, n, w);
    if lanes > 1 || n.min(w) < HALVED {
        return lane_product_into(factor, factor.transposed(), c, lanes, false);
    }
    let u = MatRef::from_column_major_slice(u, n, w);
    matmul(
        MatMut::from_column_major_slice_mut(c, n, n),
        BlockStructure::TriangularLower,
        Accum::Replace,
        u,
        BlockStructure::Rectangular,
        u.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    for j in 1..n {
        let (left, right) = c.split_at_mut(j * n);
        right[..j].iter_mut().zip(left.iter().skip(j).step_by(n)).for_each(|(c, below)| *c = *below);
    }
}

/// S ← G + Gᵀ, lane by lane.
///
/// Shapes: both n×n times `lanes`, column-major with the lanes of an entry side by side; allocates nothing.
///
/// # Panics
/// If the slices do not have these sizes.
pub fn add_transpose_into(g: &[f64], n: usize, sum: &mut [f64], lanes: usize) {
    assert!(g.len() == n * n * lanes && sum.len() == g.len(), "n×n times lanes");
    match lanes {
        1 => run_wide(AddTranspose { g: g.as_chunks::<1>().0, sum: sum.as_chunks_mut::<1>().0, n }),
        8 => run_wide(AddTranspose { g: g.as_chunks::<8>().0, sum: sum.as_chunks_mut::<8>().0, n }),
        _ => {
            for (slot, sum) in sum.iter_mut().enumerate() {
                let (entry, lane) = (slot / lanes, slot % lanes);
                *sum = g[slot] + g[(entry / n + entry % n * n) * lanes + lane];
            }
        }
    }
}

struct AddTranspose<'a, const LANES: usize> {
    g: &'a [[f64; LANES]],
    sum: &'a mut [[f64; LANES]],
    n: usize,
}

/// Rows and columns of a tile, whose cache lines are used up before they go.
const TILE: usize = 8;

impl<const LANES: usize> Kernel for AddTranspose<'_, LANES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { g, sum, n } = self;
        for top in (0..n).step_by(TILE) {
            for j in 0..n.min(top + TILE) {
                for i in top.max(j)..n.min(top + TILE) {
                    let (mut both, below, right) = ([0.0; LANES], i + j * n, j + i * n);
                    for lane in 0..LANES {
                        both[lane] = g[below][lane] + g[right][lane];
                    }
                    (sum[below], sum[right]) = (both, both);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane_products::tests::{lane, numbers};

    #[test]
    fn products_are_those_of_plain_matrices_and_symmetric() {
        for lanes in [1, 3, 8] {
            for (n, w) in [(1, 1), (2, 5), (9, 4), (63, 64), (64, 64), (65, 65), (70, 7), (83, 90)] {
                let u = numbers(n * w * lanes, 1.0);
                let mut c = vec![f64::NAN; n * n * lanes];
                gram_into(&u, [n, w], &mut c, lanes);
                for l in 0..lanes {
                    let (u, c) = (lane(&u, n, w, lanes, l), lane(&c, n, n, lanes, l));
                    assert!((&c - &u * u.transpose()).amax() < 1e-13, "{n} {w} {lanes}");
                    assert_eq!(c, c.transpose(), "{n} {w} {lanes}");
                }
            }
        }
    }

    #[test]
    fn sums_with_the_transpose_are_exact() {
        for lanes in [1, 3, 8] {
            for n in [1, 2, 7, 8, 9, 16, 21] {
                let g = numbers(n * n * lanes, 2.0);
                let mut sum = vec![f64::NAN; g.len()];
                add_transpose_into(&g, n, &mut sum, lanes);
                for l in 0..lanes {
                    let g = lane(&g, n, n, lanes, l);
                    assert_eq!(lane(&sum, n, n, lanes, l), &g + g.transpose(), "{n} {lanes}");
                }
            }
        }
    }
}
