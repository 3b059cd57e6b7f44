//! Reachability for every packet at once: the whole matrix, one question, and what lints find, by
//! number of hosts, of subnets (each a class of hosts) and of rules. The largest is the company of
//! docs/reach.md.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime};
use std::hint::black_box;
use vpcsim_dataplane::Program;
use vpcsim_network::Network;
use vpcsim_reach::{Reach, Trip};
use vpcsim_testkit::Size;

const HOSTS: [usize; 4] = [250, 500, 1_000, 2_000];
const SUBNETS: [usize; 4] = [25, 50, 100, 200];
const RULES: [usize; 3] = [10, 50, 100];

/// A quarter of a company, where the company itself takes seconds.
const QUARTER: Size = Size {
    subnets: 50,
    cvms: 500,
    groups: 25,
    acl_rules: 125,
    ..Size::COMPANY
};

fn program(size: Size) -> Program {
    let network = Network::from_yaml("bench.yaml", &size.network()).expect("a network as made");
    Program::new(network)
}

/// All of `of`, by name and size.
fn sizes() -> Vec<(&'static str, usize, Size)> {
    let hosts = HOSTS.map(|cvms| ("cvms", cvms, Size { cvms, ..QUARTER }));
    let subnets = SUBNETS.map(|subnets| {
        let size = Size {
            subnets,
            cvms: 10 * subnets,
            ..Size::COMPANY
        };
        ("subnets", subnets, size)
    });
    let rules = RULES.map(|rules| ("rules", rules, Size { rules, ..QUARTER }));
    hosts.into_iter().chain(subnets).chain(rules).collect()
}

/// Measures something for each of [`sizes`].
fn measure<T>(criterion: &mut Criterion<WallTime>, name: &str, run: impl Fn(&Reach<'_>) -> T) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    for (what, number, size) in sizes() {
        let program = program(size);
        group.bench_function(BenchmarkId::new(what, number), |bencher| {
            bencher.iter(|| black_box(run(&Reach::new(&program))));
        });
    }
    group.finish();
}

fn matrix(criterion: &mut Criterion<WallTime>) {
    measure(criterion, "reach/matrix", |reach| reach.matrix(Trip::Both));
}

/// Everything that the first host of the first subnet reaches in the second vpc.
fn question(criterion: &mut Criterion<WallTime>) {
    measure(criterion, "reach/question", |reach| {
        reach.between("c0-0-0", "vpc:v1")
    });
}

/// What `vpcsim check` looks for among all packets.
fn findings(criterion: &mut Criterion<WallTime>) {
    measure(criterion, "reach/findings", |reach| reach.findings(&[]));
}

criterion_group!(benches, matrix, question, findings);
criterion_main!(benches);
