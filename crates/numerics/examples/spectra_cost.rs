//! What singular values cost: microseconds per matrix, one by one in faer and side by side in lanes.
//!
//! `cargo run --release -p taut-numerics --example spectra_cost`; the best of many short runs.
#![allow(clippy::print_stdout)]

use std::time::Instant;
use taut_numerics::{normal, singular_values_into, stream};

fn main() {
    for (m, n) in
        [(5, 1), (5, 5), (10, 10), (20, 10), (20, 20), (32, 32), (64, 64), (64, 10), (100, 100), (128, 128), (200, 200)]
    {
        for count in [1, 8, 16, 48] {
            let mut draws = stream(1, "example", 0);
            let matrices: Vec<f64> = (0..m * n * count).map(|_| normal(&mut draws)).collect();
            let mut values = vec![0.0; m.min(n) * count];
            let faers = best(count, || {
                for (matrix, values) in matrices.chunks_exact(m * n).zip(values.chunks_exact_mut(m.min(n))) {
                    let view = faer::MatRef::from_column_major_slice(matrix, m, n);
                    values.copy_from_slice(&view.singular_values().expect("finite"));
                }
            });
            let ours = best(count, || singular_values_into(&matrices, [m, n], &mut values));
            println!("{m:4}×{n:<4} {count:3} matrices: {ours:8.2} µs in lanes, {faers:8.2} by faer");
        }
    }
}

fn best(count: usize, mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed().as_secs_f64() < 0.1 || best.is_infinite() {
        let clock = Instant::now();
        run();
        best = best.min(1e6 * clock.elapsed().as_secs_f64() / count as f64);
    }
    best
}
