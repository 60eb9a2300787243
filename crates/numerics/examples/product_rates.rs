//! What products reach, in Gflop/s: one lane of larger matrices, eight of small ones, in every layout.
//!
//! `cargo run --release -p taut-numerics --example product_rates`; the best of many short runs.

#![allow(clippy::print_stdout)] // it is a report

use std::time::Instant;
use taut_numerics::{Factor, PaddedColumns, Pattern, lane_product_into, subtract_lane_product};

fn main() {
    for (size, lanes) in [
        (5, 8),
        (8, 8),
        (10, 8),
        (16, 8),
        (20, 8),
        (24, 8),
        (32, 8),
        (40, 8),
        (64, 8),
        (20, 1),
        (32, 1),
        (64, 1),
        (100, 1),
        (200, 1),
    ] {
        let numbers = |seed: f64| -> Vec<f64> { (0..size * size * lanes).map(|i| (i as f64 + seed).sin()).collect() };
        let (a, b, mut c) = (numbers(1.0), numbers(2.0), numbers(3.0));
        let [fa, fb] = [Factor::new(&a, size, size), Factor::new(&b, size, size)];
        let (ta, tb) = (fa.transposed(), fb.transposed());
        let steps = vec![1e-9; lanes];
        let flops = 2.0 * (size * size * size * lanes) as f64;
        let mut line = format!("{size:4} in {lanes} lanes:");
        for (name, a, b) in [("AB", fa, fb), ("ABᵀ", fa, tb), ("AᵀB", ta, fb), ("AᵀBᵀ", ta, tb)] {
            line += &format!("  {name} {:5.1}", flops * 1e-9 / best(|| lane_product_into(a, b, &mut c, lanes, false)));
        }
        line += &format!("  C − sABᵀ {:5.1}", flops * 1e-9 / best(|| subtract_lane_product(&steps, fa, tb, &mut c)));
        println!("{line} Gflop/s");
    }
    sparse(100, 2000);
}

/// Products at some entries of a square matrix, in microseconds.
fn sparse(size: usize, count: usize) {
    let places: Vec<[usize; 2]> =
        (0..count).map(|e| e * size * size / count + e * 7 % 5).map(|place| [place % size, place / size]).collect();
    let pattern = Pattern::new(size, size, &places);
    let (mut a, mut b, mut c) =
        (PaddedColumns::zeros(size, size), PaddedColumns::zeros(size, size), PaddedColumns::zeros(size, size));
    let plain: Vec<f64> = (0..size * size).map(|i| (i as f64).sin()).collect();
    let mut values = vec![0.0; count];
    a.copy_from(&plain);
    b.copy_from_transposed(&plain);
    let micro = |seconds: f64| 1e6 * seconds;
    let sampled = micro(best(|| pattern.sample_into(&a, &b, &mut values)));
    let multiplied = micro(best(|| pattern.multiply_into(&values, &a, &mut c)));
    let subtracted = micro(best(|| pattern.subtract_transposed(1e-9, &values, &a, &mut c)));
    let copied = micro(best(|| a.copy_from(&plain)));
    let turned = micro(best(|| a.copy_from_transposed(&plain)));
    println!(
        "{count} entries of {size} × {size}: sample {sampled:.1}, multiply {multiplied:.1}, subtract {subtracted:.1}, copy \
         {copied:.1}, transpose {turned:.1} µs"
    );
}

/// Seconds of the fastest of many runs of a tenth of a millisecond or so.
fn best(mut work: impl FnMut()) -> f64 {
    let clock = Instant::now();
    (0..20).for_each(|_| work());
    let count = (2e-3 / clock.elapsed().as_secs_f64()).max(1.0) as usize;
    let run = |_| {
        let clock = Instant::now();
        (0..count).for_each(|_| work());
        clock.elapsed().as_secs_f64() / count as f64
    };
    (0..1000).map(run).fold(f64::INFINITY, f64::min)
}
