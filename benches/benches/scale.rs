//! Workers: what one, two and as many as there are cores carry, and what reading for them costs.
//!
//! `carry` is packets of live flows through every stage, two rounds of 2 048 an iteration: what the
//! workers do; beside it two pipelines that share nothing, each on its own thread with half of the flows: what
//! the machine's cores give. `push` is what the reader does for a round before they can: writing it down for one
//! state, and steering it for several. `replay` is both, from a file in the page cache to a report,
//! and with every packet written.

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main,
};
use std::fs::File;
use std::io::BufWriter;
use std::thread::{self, available_parallelism};
use std::time::Duration;
use vpcsim_bench::{BenchError, Counted, Size, World, program, write_capture};
use vpcsim_benches::{iterate, replayed, short};
use vpcsim_dataplane::{Arrival, Batch, Nanos, Round, Shards, Source};
use vpcsim_packet::build::udp;
use vpcsim_replay::PcapngSink;

const FLOWS: [u32; 3] = [1_024, 65_536, 1_048_576];
/// Packets carried at once, whatever the number of workers.
const CARRIED: usize = 2 * Round::SIZE;
/// Of the capture.
const PACKETS: u64 = 1_000_000;

/// One worker, two, and as many as there are cores.
fn workers() -> Vec<usize> {
    let cores = available_parallelism().map_or(1, usize::from);
    let mut workers = vec![1, 2, cores];
    workers.sort_unstable();
    workers.dedup();
    workers
}

fn carry(criterion: &mut Criterion) {
    let program = program(100).expect("a valid network");
    for flows in FLOWS {
        let mut group = criterion.benchmark_group(format!("scale/carry/{flows}"));
        short(&mut group);
        group.throughput(Throughput::Elements(CARRIED as u64));
        for workers in workers() {
            let mut world = World::with_workers(&program, flows, workers, &mut |_| {})
                .expect("every packet arrives as it should");
            let batches = (CARRIED / world.batch_size()) as u64;
            let mut traffic = world.traffic(Size::Least);
            group.bench_function(BenchmarkId::from_parameter(workers), |bencher| {
                iterate(bencher, |rounds| {
                    world.run(&mut traffic, Counted::Both, rounds * batches)
                });
            });
        }
        let mut halves: [World; 2] = std::array::from_fn(|_| {
            World::new(&program, flows / 2, &mut |_| {}).expect("every packet arrives as it should")
        });
        group.bench_function("2 that share nothing", |bencher| {
            iterate(bencher, |rounds| apart(&mut halves, rounds));
        });
        group.finish();
    }
}

/// How long the slower of two pipelines takes to carry half of the packets each.
fn apart(halves: &mut [World; 2], rounds: u64) -> Result<Duration, BenchError> {
    let carry = |world: &mut World| {
        let batches = rounds * (CARRIED / 2 / world.batch_size()) as u64;
        let mut traffic = world.traffic(Size::Least);
        world.run(&mut traffic, Counted::Both, batches)
    };
    thread::scope(|scope| {
        let [one, other] = halves;
        let other = scope.spawn(|| carry(other));
        let one = carry(one)?;
        let other = other.join().expect("a pipeline does not panic")?;
        Ok(one.max(other))
    })
}

fn push(criterion: &mut Criterion) {
    let program = program(100).expect("a valid network");
    let packets: Vec<_> = (0..Round::SIZE)
        .map(|number| {
            let remote = ([198, 18, (number >> 8) as u8, number as u8], 443);
            let port = 1024 + (number * 7) as u16;
            udp(([10, 0, 0, 10], port), remote, b"").bytes()
        })
        .collect();
    let arrival = |id: usize| Arrival {
        id: id as u64,
        time: Nanos(id as u64),
        source: Source::Internet,
    };
    let mut group = criterion.benchmark_group("scale/push");
    short(&mut group);
    group.throughput(Throughput::Elements(Round::SIZE as u64));
    let mut batch = Batch::new();
    group.bench_function("one state", |bencher| {
        bencher.iter(|| {
            batch.clear();
            for (id, packet) in packets.iter().enumerate() {
                batch.push(arrival(id), packet);
            }
        });
    });
    let (mut shards, mut round) = (Shards::new(&program, 2), Round::new());
    group.bench_function("several", |bencher| {
        bencher.iter(|| {
            round.clear();
            for (id, packet) in packets.iter().enumerate() {
                shards.push(&program, &mut round, arrival(id), packet);
            }
        });
    });
    group.finish();
}

fn files(criterion: &mut Criterion) {
    let program = program(100).expect("a valid network");
    let desk = tempfile::tempdir().expect("a directory to write to");
    let (capture, out) = (desk.path().join("in.pcap"), desk.path().join("out.pcapng"));
    let file = File::create(&capture).expect("a file to write to");
    write_capture(BufWriter::new(file), 65_536, PACKETS, Size::Least).expect("room for a capture");
    let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group("scale/replay");
    short(&mut group);
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(PACKETS));
    for workers in workers() {
        group.bench_function(BenchmarkId::new("verdicts", workers), |bencher| {
            bencher.iter(|| replayed(&program, &capture, workers, PACKETS, &mut ()));
        });
        group.bench_function(BenchmarkId::new("written", workers), |bencher| {
            bencher.iter(|| {
                let file = File::create(&out).expect("a file to write to");
                let mut sink = PcapngSink::new(&program, file).expect("room for a capture");
                replayed(&program, &capture, workers, PACKETS, &mut sink);
                sink.finish().expect("room for a capture");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, carry, push, files);
criterion_main!(benches);
