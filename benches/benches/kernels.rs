//! Times of all workloads: `cargo bench --manifest-path benches/Cargo.toml -- [PART OF A NAME]`.
//!
//! Preparing (drawing, allocating, building) is taken off: what is timed is the difference to no work at all.

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::{Duration, Instant};
use taut_benches::WORKLOADS;

fn kernels(criterion: &mut Criterion) {
    for workload in &WORKLOADS {
        criterion.bench_function(workload.name, |bencher| {
            let timed = |times: u64| {
                let clock = Instant::now();
                (workload.repeat)(times);
                clock.elapsed()
            };
            let preparing = (0..5).map(|_| timed(0)).min().unwrap_or_default();
            bencher.iter_custom(|times| timed(times).saturating_sub(preparing).max(Duration::from_nanos(1)));
        });
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(all);
