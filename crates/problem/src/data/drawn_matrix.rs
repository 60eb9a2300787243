//! What the sources of drawn matrix problems share.

use crate::MatrixProblem;
use crate::orthonormal::gaussian;
use taut_numerics::{DMatrix, Stream, stream, uniform};

/// A matrix of more entries than this fills a gigabyte.
const MOST_ENTRIES: f64 = 1e8;

/// A source whose replicates are matrix problems, all of one shape.
pub(super) trait DrawnMatrix {
    /// Everything that can be said against the table.
    fn complaints(&self) -> Vec<(&'static str, String)>;

    /// Inputs and outputs.
    fn shape(&self) -> [usize; 2];

    /// The number of samples, observed entries or measurements.
    fn samples(&self) -> usize;

    /// The entries of its largest array: the inputs of all samples, the measurements, or W itself.
    fn entries(&self) -> f64 {
        let [inputs, outputs] = self.shape();
        inputs as f64 * outputs.max(self.samples()) as f64
    }

    /// Its complaints, or that it is too large to be held.
    fn all_complaints(&self) -> Vec<(&'static str, String)> {
        let (complaints, entries) = (self.complaints(), self.entries());
        if !complaints.is_empty() || entries <= MOST_ENTRIES {
            return complaints;
        }
        vec![("", format!("these data hold a matrix of {entries:.1e} entries: at most {MOST_ENTRIES:.0e}"))]
    }

    /// The problem of one seed and replicate.
    fn draw(&self, seeds: (u64, u64)) -> Result<MatrixProblem, String>;
}

/// The first `count` places of a random order of 0, …, n − 1: more begin with the fewer.
pub(super) fn drawn_places(n: usize, count: usize, draws: &mut Stream) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    for i in 0..count {
        places.swap(i, i + (uniform(draws) * (n - i) as f64) as usize);
    }
    places.truncate(count);
    places
}

/// The Gaussian frames of a drawn teacher: `left` × rank from the stream `data-teacher`, and `right` × rank from
/// `data-teacher-inputs`; a higher rank keeps the columns of a lower one.
pub(super) fn frames(left: usize, right: usize, rank: usize, (seed, replicate): (u64, u64)) -> [DMatrix<f64>; 2] {
    let frame = |rows, name| gaussian(rows, rank, &mut stream(seed, name, replicate));
    [frame(left, "data-teacher"), frame(right, "data-teacher-inputs")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_a_permutation_that_begins_with_the_fewer() {
        let places = |count| drawn_places(30, count, &mut stream(5, "places", 1));
        let mut all = places(30);
        assert_eq!(places(11), all[..11]);
        all.sort_unstable();
        assert_eq!(all, (0..30).collect::<Vec<_>>());
    }
}
