//! A capture of a million packets of 65 536 flows through two networks at once, beside one replay
//! of it: the network and itself, one that loses a flow in thirty, and one in which every packet
//! has another public address.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::Path;
use vpcsim_bench::{Size, write_capture, yaml};
use vpcsim_benches::short;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_replay::diff::{DiffReport, Side, diff};
use vpcsim_replay::{Input, Options, replay};

const FLOWS: u32 = 65_536;
const PACKETS: u64 = 1_000_000;
/// Flows that are listed: what `vpcsim diff` lists.
const TOP: usize = 10;

fn program(text: &str) -> Program {
    Program::new(Network::from_yaml("bench", text).expect("a valid network"))
}

fn compared(old: &Program, new: &Program, capture: &Path) -> DiffReport {
    let input = Input::open(capture).expect("a capture");
    let (old, new) = (Side::new("old", old), Side::new("new", new));
    let report = diff(&old, &new, vec![input], TOP, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("a capture without damage");
    assert_eq!(report.old.verdicts.delivered, PACKETS);
    report
}

fn files(criterion: &mut Criterion) {
    let text = yaml(100);
    let old = program(&text);
    // One in 32 of the remote hosts.
    let drop = "      - drop all to 198.18.4.0/24\n";
    let lossy = text.replacen("    egress:\n", &format!("    egress:\n{drop}"), 1);
    // What leaves has another source.
    let moving = text.replace("203.0.113.", "203.0.112.");
    let desk = tempfile::tempdir().expect("a directory to write to");
    let mut group = criterion.benchmark_group("diff");
    short(&mut group);
    group.sampling_mode(SamplingMode::Flat);
    for size in [Size::Least, Size::Imix] {
        let capture = desk.path().join("in.pcap");
        let file = File::create(&capture).expect("a file to write to");
        write_capture(BufWriter::new(file), FLOWS, PACKETS, size).expect("room for a capture");
        group.throughput(Throughput::Elements(PACKETS));
        group.bench_function(BenchmarkId::new("one replay", size.name()), |bencher| {
            bencher.iter(|| {
                let input = Input::open(&capture).expect("a capture");
                let go_on = &mut |_| ControlFlow::Continue(());
                replay(&old, vec![input], &Options::default(), &mut (), go_on)
                    .expect("a capture without damage")
            });
        });
        let cases = [("same", &text), ("lossy", &lossy), ("moving", &moving)];
        for (name, text) in cases {
            let new = program(text);
            group.bench_function(BenchmarkId::new(name, size.name()), |bencher| {
                bencher.iter(|| {
                    let report = compared(&old, &new, &capture);
                    let [lost, moved] = [&report.lost, &report.moved].map(|c| c.total.packets);
                    match name {
                        "same" => assert_eq!((lost, moved), (0, 0)),
                        "lossy" => assert!(lost > PACKETS / 40 && lost < PACKETS / 20),
                        _ => assert!(lost == 0 && moved > PACKETS / 2),
                    }
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, files);
criterion_main!(benches);
