//! Random streams by name: (study seed, purpose, replicate) fixes every draw.
//!
//! Streams are counter-based, so adding a draw for one purpose never moves the draws of another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// A portable, counter-based generator (ChaCha with eight rounds).
pub type Stream = ChaCha8Rng;

/// The stream for one purpose of one replicate.
pub fn stream(seed: u64, purpose: &str, replicate: u64) -> Stream {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(name_hash(purpose, replicate));
    generator
}

/// How many 32-bit words a stream has given; with its name, all that there is to know of it.
///
/// # Panics
/// After 2⁶⁴ words, centuries from now.
pub fn position(stream: &Stream) -> u64 {
    u64::try_from(stream.get_word_pos()).expect("no stream is drawn from for centuries")
}

/// Moves a stream to where it has given so many words.
pub fn seek(stream: &mut Stream, position: u64) {
    stream.set_word_pos(u128::from(position));
}

/// FNV-1a over the purpose and the replicate, then a finalising mix: stable across platforms and
/// versions, which the standard library's hasher does not promise.
fn name_hash(purpose: &str, replicate: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in purpose.bytes().chain([0]).chain(replicate.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// One draw from N(0, 1).
pub fn normal(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}

/// One draw from the uniform law on \[0, 1), a multiple of 2⁻⁵³.
pub fn uniform(stream: &mut Stream) -> f64 {
    (stream.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_by_name() {
        let draw = |purpose, replicate| uniform(&mut stream(7, purpose, replicate));
        assert!((draw("noise", 3) - draw("noise", 3)).abs() <= 0.0);
        assert!((draw("noise", 3) - draw("noise", 4)).abs() > 0.0);
        assert!((draw("noise", 3) - draw("design", 3)).abs() > 0.0);
    }

    #[test]
    fn a_stream_goes_on_from_every_position() {
        // A block has 16 words and the generator makes four at once: all places in them, twice over.
        for (uniforms, normals) in (0..80).flat_map(|n| [(n, 0), (n, n), (0, n)]) {
            let mut first = stream(3, "noise", 1);
            (0..uniforms).for_each(|_| _ = uniform(&mut first));
            (0..normals).for_each(|_| _ = normal(&mut first));
            let mut second = stream(3, "noise", 1);
            seek(&mut second, position(&first));
            assert_eq!(position(&second), position(&first));
            for _ in 0..100 {
                assert_eq!(uniform(&mut first).to_bits(), uniform(&mut second).to_bits());
                assert_eq!(normal(&mut first).to_bits(), normal(&mut second).to_bits());
            }
            assert_eq!(position(&second), position(&first));
        }
    }

    #[test]
    fn golden_uniforms() {
        // Bitwise: a change here changes every drawn study and needs a new semantics version.
        let mut s = stream(0, "noise", 0);
        let bits: Vec<u64> = (0..3).map(|_| uniform(&mut s).to_bits()).collect();
        assert_eq!(bits, GOLDEN);
    }

    const GOLDEN: [u64; 3] = [4589485831767532000, 4605018002751723550, 4595496548858176708];
}
