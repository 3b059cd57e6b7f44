//! New connections: first packets in batches through every stage, by number of security-group
//! rules, and by how many connections there are. Each finds a port and makes its entries, in a
//! state that has held as many before; and in an empty one, whose tables grow under them.
//! And the search for a port by itself, by how many are taken towards the destination.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use std::hint::black_box;
use std::time::Duration;
use vpcsim_bench::program;
use vpcsim_benches::short;
use vpcsim_dataplane::TakenPorts;

const CONNECTIONS: u32 = 65_536;

fn connect(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connect");
    short(&mut group);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(CONNECTIONS.into()));
    for rules in [10, 100, 2_000] {
        let program = program(rules).expect("a valid network");
        group.bench_function(BenchmarkId::new("rules", rules), |bencher| {
            let connect = |_| {
                vpcsim_bench::connect(&program, [CONNECTIONS; 2]).expect("every connection opens")
            };
            bencher.iter_custom(|times| (0..times).map(|n| connect(n).again).sum::<Duration>());
        });
        group.bench_function(BenchmarkId::new("rules-empty-state", rules), |bencher| {
            let connect = |_| {
                vpcsim_bench::connect(&program, [CONNECTIONS; 2]).expect("every connection opens")
            };
            bencher.iter_custom(|times| (0..times).map(|n| connect(n).at_first).sum::<Duration>());
        });
    }
    group.finish();
}

/// How many stand side by side: what a cache holds, and what it does not.
fn sizes(criterion: &mut Criterion) {
    let program = program(100).expect("a valid network");
    let mut group = criterion.benchmark_group("connect/connections");
    short(&mut group);
    group.sampling_mode(SamplingMode::Flat);
    for connections in [4_096_u32, CONNECTIONS, 1_000_000] {
        group.throughput(Throughput::Elements(connections.into()));
        group.bench_function(BenchmarkId::from_parameter(connections), |bencher| {
            let connect = |_| {
                vpcsim_bench::connect(&program, [connections; 2]).expect("every connection opens")
            };
            bencher.iter_custom(|times| (0..times).map(|n| connect(n).again).sum::<Duration>());
        });
    }
    group.finish();
}

/// Most connections of one destination (SEMANTICS §9).
const MOST_PORTS: usize = 55_000;

/// Ports that senders use, in an order without pattern: each once before any comes again.
fn ports() -> impl Iterator<Item = u16> {
    (0..=u16::MAX).cycle().map(|n| n.wrapping_mul(40_503))
}

/// A port for one connection more, of those that clash with another: it is found and taken, and
/// another one's is given back.
fn port_search(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("port-search");
    group.throughput(Throughput::Elements(1));
    for percent in [1, 10, 50, 90] {
        let mut taken = TakenPorts::default();
        let mut wanted = ports();
        while taken.len() < MOST_PORTS * percent / 100 {
            let wanted = wanted.next().expect("endless");
            // Two hosts that use the same ports.
            for _ in 0..2 {
                let free = taken.free(wanted).next().expect("the class has one");
                taken.take(free);
            }
        }
        let held: Vec<u16> = (0..=u16::MAX)
            .filter(|&port| taken.contains(port))
            .collect();
        let mut next = 0;
        group.bench_function(
            BenchmarkId::new("taken", format!("{percent}%")),
            |bencher| {
                bencher.iter(|| {
                    next = (next + 40_503) % held.len();
                    let free = taken.free(black_box(held[next])).next();
                    if let Some(port) = free {
                        taken.take(port);
                        taken.release(port);
                    }
                    free
                });
            },
        );
    }
    group.finish();
}

criterion_group!(benches, connect, sizes, port_search);
criterion_main!(benches);
