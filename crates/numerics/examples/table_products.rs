//! Gflop/s of products of rows with tables, for the sizes that metrics of curves have.
//!
//!     cargo run --release -p taut-numerics --example table_products

#![allow(clippy::print_stdout)]

use std::time::Instant;

fn main() {
    for (rows, inner, columns) in
        [(8, 26, 16), (8, 51, 64), (200, 51, 64), (200, 51, 80), (200, 10, 51), (1, 10, 51), (8, 10, 768)]
    {
        let a = vec![0.5; rows * inner];
        let table = vec![0.25; inner * columns];
        let mut out = vec![0.0; rows * columns];
        let mut best = f64::INFINITY;
        for _ in 0..50 {
            let start = Instant::now();
            for _ in 0..200 {
                taut_numerics::product_into(std::hint::black_box(&a), &table, &mut out, inner, columns);
            }
            best = best.min(start.elapsed().as_secs_f64() / 200.0);
        }
        let flops = 2.0 * (rows * inner * columns) as f64;
        println!("{rows:4} × {inner:3} × {columns:4}: {:6.3} µs, {:5.1} Gflop/s", best * 1e6, flops / best * 1e-9);
    }
}
