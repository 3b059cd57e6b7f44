//! Packets of live flows through every stage, by flows, size and direction; an iteration is a
//! batch of 256.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vpcsim_bench::{Counted, Size, Way, World, program};
use vpcsim_benches::{batch_of, flows, iterate, short};

const DIRECTIONS: [(&str, Counted); 3] = [
    ("both", Counted::Both),
    ("out", Counted::Only(Way::Out)),
    ("in", Counted::Only(Way::In)),
];

fn pipeline(criterion: &mut Criterion) {
    let program = program(100).expect("a valid network");
    for flows in flows() {
        let mut group = criterion.benchmark_group(format!("pipeline/{flows}"));
        short(&mut group);
        let mut world =
            World::new(&program, flows, &mut |_| {}).expect("every packet arrives as it should");
        for size in Size::ALL {
            group.throughput(batch_of(size));
            let mut traffic = world.traffic(size);
            for (name, counted) in DIRECTIONS {
                group.bench_function(BenchmarkId::new(size.name(), name), |bencher| {
                    iterate(bencher, |batches| world.run(&mut traffic, counted, batches));
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
