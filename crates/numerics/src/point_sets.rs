//! Points in the unit cube that fill it more evenly than independent ones: scrambled Halton, Latin hypercubes.

use crate::streams::{Stream, uniform};

/// The bases of the first dimensions of the Halton sequence.
const PRIMES: [u64; 24] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89];

/// Dimensions that a Halton sequence can have.
pub const MOST_HALTON_DIMENSIONS: usize = PRIMES.len();

/// One dimension of a randomized Halton sequence.
///
/// Coordinate i is Σ_k π_k(d_k) b^(−k−1), with d_k the digits of i in the base b and π_k a random permutation of the digits
/// for every place k, also those that are zero in i: each coordinate alone is uniform on \[0, 1), and any number of first points
/// fills the cube evenly. More points leave the first ones where they are. Cites `owen2017`.
#[derive(Clone, Debug)]
pub struct HaltonDimension {
    base: u64,
    /// Row k holds π_k.
    permutations: Vec<Vec<u64>>,
}

impl HaltonDimension {
    /// The dimension with the base number `dimension` (from 0), its permutations drawn from `stream`; `None` beyond the bases
    /// that are known.
    pub fn new(dimension: usize, stream: &mut Stream) -> Option<Self> {
        let base = *PRIMES.get(dimension)?;
        // Digits beyond 2⁻⁵³ do not show.
        let places = (53.0 / (base as f64).log2()).ceil() as usize;
        let permutations = (0..places).map(|_| permutation(base as usize, stream)).collect();
        Some(Self { base, permutations })
    }

    /// Coordinate of point i, in \[0, 1).
    pub fn at(&self, i: u64) -> f64 {
        let (mut rest, mut scale, mut x) = (i, 1.0, 0.0);
        for permutation in &self.permutations {
            scale /= self.base as f64;
            x += permutation[(rest % self.base) as usize] as f64 * scale;
            rest /= self.base;
        }
        // The sum of all digits' largest values may round up to 1.
        f64::min(x, 1.0 - f64::EPSILON / 2.0)
    }
}

/// One dimension of a Latin hypercube of n points: one in each of n equal slices of \[0, 1), in random order.
///
/// Another n gives other points. Cites `mckay1979`.
pub fn latin_dimension(n: usize, stream: &mut Stream) -> Vec<f64> {
    let slices = permutation(n, stream);
    let inside = |slice: u64| f64::min((slice as f64 + uniform(stream)) / n as f64, 1.0 - f64::EPSILON / 2.0);
    slices.into_iter().map(inside).collect()
}

/// 0 … n−1 in random order (Fisher and Yates).
fn permutation(n: usize, stream: &mut Stream) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n as u64).collect();
    for i in (1..n).rev() {
        let j = (uniform(stream) * (i + 1) as f64) as usize;
        order.swap(i, j.min(i));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::stream;

    fn cell_counts(points: impl Iterator<Item = f64>, cells: usize) -> Vec<usize> {
        let mut counts = vec![0; cells];
        points.for_each(|x| counts[(x * cells as f64) as usize] += 1);
        counts
    }

    #[test]
    fn every_stretch_of_the_base_has_one_point_in_each_slice() {
        for (dimension, base) in [(0, 2_usize), (1, 3), (2, 5), (23, 89)] {
            let halton = HaltonDimension::new(dimension, &mut stream(7, "halton", 0)).expect("a known base");
            let whole = base * base;
            for begin in [0, 5 * whole] {
                let points = (begin..begin + whole).map(|i| halton.at(i as u64));
                assert_eq!(cell_counts(points, whole), vec![1; whole], "base {base} from {begin}");
            }
        }
        assert!(HaltonDimension::new(MOST_HALTON_DIMENSIONS, &mut stream(7, "halton", 0)).is_none());
    }

    #[test]
    fn scrambled_points_fill_boxes_in_two_dimensions() {
        let [a, b] = [0, 1].map(|d| HaltonDimension::new(d, &mut stream(3, "halton", d as u64)).expect("a base"));
        let mut counts = vec![0; 36];
        (0..36_u64).for_each(|i| counts[(a.at(i) * 4.0) as usize * 9 + (b.at(i) * 9.0) as usize] += 1);
        assert_eq!(counts, vec![1; 36], "4·9 points, one in each box of 1/4 × 1/9");
    }

    #[test]
    fn a_latin_dimension_has_one_point_in_each_slice() {
        for n in [1, 2, 17, 1000] {
            let points = latin_dimension(n, &mut stream(7, "latin", 0));
            assert_eq!(cell_counts(points.into_iter(), n), vec![1; n]);
        }
    }

    #[test]
    fn permutations_are_fair() {
        let mut counts = [0_usize; 6];
        let mut stream = stream(1, "permutation", 0);
        for _ in 0..6000 {
            let order = permutation(3, &mut stream);
            counts[(order[0] * 2 + u64::from(order[1] > order[2])) as usize] += 1;
        }
        // Six orders with 1000 ± 29 each; five standard deviations.
        assert!(counts.iter().all(|&count| count.abs_diff(1000) < 145), "{counts:?}");
    }
}
