//! What a symmetric factorisation costs: microseconds per lane for β = UUᵀ and for its pullback.
//!
//! `cargo run --release -p taut-problem --example symmetric_cost`; the best of many short runs.
#![allow(clippy::print_stdout)]

use std::time::Instant;
use taut_numerics::{normal, stream};
use taut_problem::{ParametrizationKind, Samples, Shape, Symmetric};

fn main() {
    for (size, width, lanes) in
        [(10, 10, 8), (20, 20, 8), (20, 3, 8), (30, 30, 1), (64, 64, 1), (100, 100, 1), (100, 10, 1), (200, 200, 1)]
    {
        let width_setting = Some(Samples::try_from(width as f64).expect("a size"));
        let kind = ParametrizationKind::Symmetric(Symmetric { width: width_setting });
        let shape = Shape { inputs: size, outputs: size, lanes };
        let mut map = kind.build(shape);
        let mut draws = stream(1, "example", 0);
        let mut numbers = |count: usize| -> Vec<f64> { (0..count * lanes).map(|_| normal(&mut draws)).collect() };
        let (theta, g) = (numbers(size * width), numbers(size * size));
        let (mut beta, mut gradient) = (vec![0.0; g.len()], vec![0.0; theta.len()]);
        let forward = best(|| map.predictor_into(&theta, &mut beta)) / lanes as f64;
        let back = best(|| map.pullback_into(&theta, &g, &mut gradient)) / lanes as f64;
        println!("U {size}×{width}, {lanes} lanes: {forward:8.2} µs for UUᵀ, {back:8.2} µs for (G + Gᵀ)U");
    }
}

fn best(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed().as_secs_f64() < 0.2 || best.is_infinite() {
        let clock = Instant::now();
        (0..10).for_each(|_| run());
        best = best.min(1e5 * clock.elapsed().as_secs_f64());
    }
    best
}
