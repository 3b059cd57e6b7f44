//! Established flows beside ten million SYNs from random sources: full tables must not cost them
//! their verdicts, nor more than twice the time. An iteration is a batch of 256.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vpcsim_bench::{Flood, Size};
use vpcsim_benches::{batch_of, iterate, short};
use vpcsim_dataplane::Batch;

/// SYNs before anything is measured.
const SYNS: u64 = 10_000_000;

fn flood(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flood");
    short(&mut group);
    group.throughput(batch_of(Size::Least));
    for flows in [1_024, 65_536] {
        let mut flood = Flood::new(flows).expect("every packet arrives as it should");
        group.bench_function(BenchmarkId::new("before", flows), |bencher| {
            iterate(bencher, |batches| flood.established(batches));
        });
        let before = Flood::resident();
        flood.syns(SYNS / Batch::SIZE as u64);
        assert!(flood.is_bounded(), "tables keep to their ceilings");
        let mib = |bytes: Option<u64>| bytes.map_or(0, |bytes| bytes >> 20);
        println!(
            "resident: {} MiB with {flows} flows, {} MiB after {SYNS} SYNs",
            mib(before),
            mib(Flood::resident())
        );
        group.bench_function(BenchmarkId::new("meanwhile", flows), |bencher| {
            bencher.iter_custom(|batches| {
                let each = |_| {
                    flood.syns(1);
                    flood
                        .established(1)
                        .expect("every packet arrives as it should")
                };
                (0..batches).map(each).sum()
            });
        });
        group.bench_function(BenchmarkId::new("syns", flows), |bencher| {
            bencher.iter_custom(|batches| flood.syns(batches).0);
        });
    }
    group.finish();
}

criterion_group!(benches, flood);
criterion_main!(benches);
