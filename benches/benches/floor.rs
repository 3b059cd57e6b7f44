//! The bare loop on the packets of the `pipeline` bench: what any NAT has to do, and nothing else.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vpcsim_bench::{Counted, Size, World, program};
use vpcsim_benches::{batch_of, flows, iterate, short};

fn floor(criterion: &mut Criterion) {
    // Rules cost it nothing: there is one, so that the flows are opened sooner.
    let program = program(1).expect("a valid network");
    let mut group = criterion.benchmark_group("floor");
    short(&mut group);
    for flows in flows() {
        let mut world =
            World::new(&program, flows, &mut |_| {}).expect("every packet arrives as it should");
        let mut floor = world.floor().expect("memory for a table");
        for size in Size::ALL {
            group.throughput(batch_of(size));
            let mut traffic = world.traffic(size);
            group.bench_function(
                BenchmarkId::new(flows.to_string(), size.name()),
                |bencher| {
                    iterate(bencher, |batches| {
                        world.run_floor(&mut floor, &mut traffic, Counted::Both, batches)
                    });
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, floor);
criterion_main!(benches);
