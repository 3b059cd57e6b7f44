//! A capture of a million packets of 65 536 flows, from a file that is in the page cache: verdicts
//! only, and with every packet written as pcapng.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use std::fs::{self, File};
use std::io::BufWriter;
use vpcsim_bench::{Size, program, write_capture};
use vpcsim_benches::{replayed, short};
use vpcsim_replay::PcapngSink;

const FLOWS: u32 = 65_536;
const PACKETS: u64 = 1_000_000;

fn files(criterion: &mut Criterion) {
    let program = program(100).expect("a valid network");
    let desk = tempfile::tempdir().expect("a directory to write to");
    let mut group = criterion.benchmark_group("replay");
    short(&mut group);
    group.sampling_mode(SamplingMode::Flat);
    for size in [Size::Least, Size::Imix] {
        let (capture, out) = (desk.path().join("in.pcap"), desk.path().join("out.pcapng"));
        let file = File::create(&capture).expect("a file to write to");
        write_capture(BufWriter::new(file), FLOWS, PACKETS, size).expect("room for a capture");
        let bytes = fs::metadata(&capture).expect("the file just written").len();
        group.throughput(Throughput::ElementsAndBytes {
            elements: PACKETS,
            bytes,
        });
        group.bench_function(BenchmarkId::new("verdicts", size.name()), |bencher| {
            bencher.iter(|| replayed(&program, &capture, 1, PACKETS, &mut ()));
        });
        group.bench_function(BenchmarkId::new("written", size.name()), |bencher| {
            bencher.iter(|| {
                let file = File::create(&out).expect("a file to write to");
                let mut sink = PcapngSink::new(&program, file).expect("room for a capture");
                replayed(&program, &capture, 1, PACKETS, &mut sink);
                sink.finish().expect("room for a capture");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, files);
criterion_main!(benches);
