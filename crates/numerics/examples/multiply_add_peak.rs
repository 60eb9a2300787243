//! How many multiply-adds this machine does in a second, as one JSON object: what every kernel here is measured by.
//!
//! `cargo run --release -p taut-numerics --example multiply_add_peak -- [THREADS [SECONDS]]`. Every thread runs chains of
//! fused multiply-adds that wait for nobody but themselves, in the widest vectors there are, and no number leaves a
//! register. Reported is the best of many short runs, so that other work on the machine does not count: of all threads
//! together (they begin each run at once) and per thread. A multiply-add is two flops.

#![allow(clippy::print_stdout)] // it is a report

use pulp::{Arch, Simd, WithSimd};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Independent chains: more than the units of any processor have in flight, and no more than AVX2 has registers.
const CHAINS: usize = 12;

/// Multiply-adds of one chain in one run: a millisecond or so.
const LENGTH: u64 = 200_000;

struct Chains {
    factor: f64,
}

impl WithSimd for Chains {
    /// The sum of all numbers, so that none may be left out, and how many there are.
    type Output = (f64, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let (factor, term) = (simd.splat_f64s(self.factor), simd.splat_f64s(1.0 - self.factor));
        let mut chains = [simd.splat_f64s(0.5); CHAINS];
        for _ in 0..LENGTH {
            for chain in &mut chains {
                *chain = simd.mul_add_f64s(*chain, factor, term);
            }
        }
        let sum = chains.iter().map(|&chain| simd.reduce_sum_f64s(chain)).sum();
        (sum, CHAINS * S::F64_LANES)
    }
}

/// Seconds of one run, and its flops.
fn run() -> (f64, f64) {
    let clock = Instant::now();
    let (sum, numbers) = black_box(Arch::new().dispatch(Chains { factor: black_box(0.999_999) }));
    let seconds = clock.elapsed().as_secs_f64();
    // x ← fx + (1 − f) stays between its start and 1.
    assert!(sum > 0.5 * numbers as f64 && sum < numbers as f64, "chains of {numbers} numbers add up to {sum}");
    (seconds, 2.0 * numbers as f64 * LENGTH as f64)
}

fn main() {
    let mut words = std::env::args().skip(1);
    let threads: usize = words.next().map_or(1, |word| word.parse().expect("a number of threads"));
    let seconds: f64 = words.next().map_or(0.5, |word| word.parse().expect("seconds to measure for"));
    let (rough, flops) = (0..20).map(|_| run()).fold((f64::INFINITY, 0.0), |best, run| (best.0.min(run.0), run.1));
    let runs = ((seconds / rough) as usize).max(3);
    let start = Barrier::new(threads);
    let times: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let worker = || {
            let run = |_| {
                start.wait();
                run().0
            };
            (0..runs).map(run).collect()
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a thread that measures")).collect()
    });
    // A run is over when its last thread is.
    let slowest = |run: usize| times.iter().map(|thread| thread[run]).fold(0.0, f64::max);
    let best = (0..runs).map(slowest).fold(f64::INFINITY, f64::min);
    let alone = times.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    println!(
        "{{\"threads\": {threads}, \"gflops\": {:.2}, \"gflops_per_thread\": {:.2}, \"vectors\": \"{}\"}}",
        threads as f64 * flops / best * 1e-9,
        flops / alone * 1e-9,
        taut_numerics::vectors()
    );
}
