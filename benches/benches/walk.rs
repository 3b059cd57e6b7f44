//! The slow path: one packet of a live flow through source check, security group (100 rules),
//! acl (20), routes (50) and SNAT, by number of live flows; and the first packets of flows.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vpcsim_benches::{nat_network, outbound};
use vpcsim_dataplane::{Arrival, Nanos, Source, State, walk};
use vpcsim_network::CvmId;

const TIME: Nanos = Nanos(1_700_000_000_000_000_000);

fn arrival(id: u64) -> Arrival {
    Arrival {
        id,
        time: TIME,
        source: Source::Cvm(CvmId(0)),
    }
}

fn established(criterion: &mut Criterion) {
    let program = nat_network(100);
    let mut group = criterion.benchmark_group("walk/established");
    group.throughput(Throughput::Elements(1));
    for flows in [1_u32, 1_024, 65_536] {
        let mut state = State::new(&program);
        let mut others = Vec::new();
        let packets: Vec<Vec<u8>> = (0..flows).map(outbound).collect();
        for packet in &packets {
            let mut bytes = packet.clone();
            walk(
                &program,
                &mut state,
                arrival(0),
                &mut bytes,
                &mut (),
                &mut others,
            );
        }
        let mut next = 0;
        let mut bytes = outbound(0);
        group.bench_function(BenchmarkId::from_parameter(flows), |bencher| {
            bencher.iter(|| {
                // A step that is prime to the count visits all flows without locality.
                next = (next + 40_503) % packets.len();
                bytes.copy_from_slice(&packets[next]);
                let at = arrival(next as u64);
                black_box(walk(
                    &program,
                    &mut state,
                    at,
                    &mut bytes,
                    &mut (),
                    &mut others,
                ))
            });
        });
    }
    group.finish();
}

fn first_packets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk/first-packet");
    const FLOWS: u32 = 10_000;
    group.throughput(Throughput::Elements(u64::from(FLOWS)));
    for rules in [10, 100, 2_000] {
        let program = nat_network(rules);
        let packets: Vec<Vec<u8>> = (0..FLOWS).map(outbound).collect();
        group.bench_function(BenchmarkId::new("rules", rules), |bencher| {
            bencher.iter_batched(
                || (State::new(&program), packets.clone()),
                |(mut state, mut packets)| {
                    let mut others = Vec::new();
                    for packet in &mut packets {
                        walk(
                            &program,
                            &mut state,
                            arrival(0),
                            packet,
                            &mut (),
                            &mut others,
                        );
                    }
                    (state, packets)
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, established, first_packets);
criterion_main!(benches);
