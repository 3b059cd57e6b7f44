//! New connections: first packets in batches through every stage into an empty state, by number of
//! security-group rules. Each finds a port, makes its entries, and the tables grow under them.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use std::time::Duration;
use vpcsim_bench::program;
use vpcsim_benches::short;

const CONNECTIONS: u32 = 65_536;

fn connect(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connect");
    short(&mut group);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(CONNECTIONS.into()));
    for rules in [10, 100, 2_000] {
        let program = program(rules).expect("a valid network");
        group.bench_function(BenchmarkId::new("rules", rules), |bencher| {
            bencher.iter_custom(|times| {
                let connect = |_| {
                    vpcsim_bench::connect(&program, CONNECTIONS).expect("every connection opens")
                };
                (0..times).map(connect).sum::<Duration>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, connect);
criterion_main!(benches);
