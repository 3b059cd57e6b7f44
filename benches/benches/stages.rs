//! What each stage costs a walk: packets through networks of which each has one stage more to
//! decide than the one before. Nothing is remembered of walks, so every packet meets every stage.
//!
//! `first`: each packet opens a connection, so rules are asked and everything is made.
//! `established`: the same packets again, of connections that are known.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use vpcsim_benches::short;
use vpcsim_dataplane::{Arrival, Batch, Nanos, Program, Source, State};
use vpcsim_network::{CvmId, Network};
use vpcsim_packet::build::udp;

/// Flows; each has one packet in turn.
const FLOWS: u16 = 4_096;
const RULES: u32 = 100;
const ACL_RULES: u32 = 20;
const ROUTES: u32 = 50;

/// What a network has to decide beyond the one before, and where its packets go.
const NETWORKS: [(&str, Stages); 7] = [
    ("subnet", Stages::new([10, 0, 1, 11])),
    ("security-group", Stages::new([10, 0, 1, 11]).rules()),
    ("acl", Stages::new([10, 0, 2, 10]).rules().acl()),
    (
        "peering",
        Stages::new([10, 9, 0, 10]).rules().acl().routes(),
    ),
    (
        "external",
        Stages::new([172, 31, 0, 1]).rules().acl().routes(),
    ),
    (
        "eip",
        Stages::new([198, 51, 100, 7])
            .rules()
            .acl()
            .routes()
            .via("eip"),
    ),
    (
        "nat",
        Stages::new([198, 51, 100, 7])
            .rules()
            .acl()
            .routes()
            .via("nat/gw"),
    ),
];

/// What is asked of a packet on its way.
#[derive(Debug, Clone, Copy)]
struct Stages {
    destination: [u8; 4],
    rules: bool,
    acl: bool,
    routes: bool,
    via: &'static str,
}

impl Stages {
    const fn new(destination: [u8; 4]) -> Self {
        Self {
            destination,
            rules: false,
            acl: false,
            routes: false,
            via: "nat/gw",
        }
    }

    /// A group of 100 rules at the sender, the last of which matches.
    const fn rules(self) -> Self {
        Self {
            rules: true,
            ..self
        }
    }

    /// An acl of 20 rules each way.
    const fn acl(self) -> Self {
        Self { acl: true, ..self }
    }

    /// A table of 50 routes beside those that are used.
    const fn routes(self) -> Self {
        Self {
            routes: true,
            ..self
        }
    }

    /// Where packets to the internet go.
    const fn via(self, via: &'static str) -> Self {
        Self { via, ..self }
    }

    fn yaml(&self) -> String {
        let acl = if self.acl { ", acl: edge" } else { "" };
        let groups = if self.rules {
            ", security_groups: [app]"
        } else {
            ""
        };
        let eip = if self.via == "eip" {
            "  app-1: {address: 203.0.113.20, bind: app-1, bandwidth: unlimited}\n"
        } else {
            ""
        };
        let mut text = format!(
            "vpcs:\n  \
               shop: {{cidr: 10.0.0.0/16, route_table: out, subnets: {{app: {{cidr: 10.0.1.0/24{acl}}}, data: {{cidr: 10.0.2.0/24{acl}}}}}}}\n  \
               peer: {{cidr: 10.9.0.0/16, subnets: {{far: {{cidr: 10.9.0.0/24}}}}}}\n\
             peerings:\n  link: {{vpcs: [shop, peer]}}\n\
             externals:\n  office: {{vpc: shop, kind: vpn}}\n\
             eips:\n  gw-1: {{address: 203.0.113.10, bandwidth: unlimited}}\n{eip}\
             nat_gateways:\n  gw: {{vpc: shop, eips: [gw-1], bandwidth: unlimited}}\n\
             cvms:\n  \
               app-1: {{subnet: app, address: 10.0.1.10{groups}}}\n  \
               app-2: {{subnet: app, address: 10.0.1.11}}\n  \
               data-1: {{subnet: data, address: 10.0.2.10}}\n  \
               far-1: {{subnet: far, address: 10.9.0.10}}\n\
             security_groups:\n  app:\n    egress:\n"
        );
        for rule in 1..RULES {
            let _ = writeln!(text, "      - drop udp {} to 192.0.2.0/24", 1_000 + rule);
        }
        text.push_str("      - accept all to any\nacls:\n  edge:\n    vpc: shop\n");
        for (list, preposition) in [("ingress", "from"), ("egress", "to")] {
            let _ = writeln!(text, "    {list}:");
            for rule in 1..ACL_RULES {
                let _ = writeln!(text, "      - drop udp {rule} {preposition} 192.0.2.0/24");
            }
            let _ = writeln!(text, "      - accept all {preposition} any");
        }
        text.push_str("route_tables:\n  out:\n    vpc: shop\n    routes:\n");
        for route in 0..if self.routes { ROUTES } else { 0 } {
            let _ = writeln!(text, "      - {{to: 172.16.{route}.0/24, via: nat/gw}}");
        }
        let _ = writeln!(text, "      - {{to: 10.9.0.0/16, via: peering/link}}");
        let _ = writeln!(text, "      - {{to: 172.31.0.0/16, via: vpn/office}}");
        let _ = writeln!(text, "      - {{to: 0.0.0.0/0, via: {}}}", self.via);
        text
    }
}

/// One packet of every flow.
fn packets(destination: [u8; 4]) -> Vec<Vec<u8>> {
    let flows = 0..FLOWS;
    flows
        .map(|flow| udp(([10, 0, 1, 10], 20_000 + flow), (destination, 9_000), &[]).bytes())
        .collect()
}

/// Carries all packets once. Returns the time that it took, without what filling batches took.
fn carry(program: &Program, state: &mut State, packets: &[Vec<u8>]) -> Duration {
    let mut time = Duration::ZERO;
    let mut batch = Batch::new();
    for chunk in packets.chunks(Batch::SIZE) {
        batch.clear();
        for packet in chunk {
            let arrival = Arrival {
                id: 0,
                time: Nanos(1_735_689_600_000_000_000),
                source: Source::Cvm(CvmId(0)),
            };
            batch.push(arrival, packet);
        }
        let began = Instant::now();
        batch.run(program, state, &mut ());
        time += began.elapsed();
        assert!(batch.places().all(|place| place.is_some()), "all arrive");
    }
    time
}

fn stages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stages");
    short(&mut group);
    group.throughput(Throughput::Elements(FLOWS.into()));
    for (name, stages) in NETWORKS {
        let network = Network::from_yaml("stages", &stages.yaml());
        let program = Program::new(network.unwrap_or_else(|errors| panic!("{errors:?}")));
        let packets = packets(stages.destination);
        group.bench_function(BenchmarkId::new("first", name), |bencher| {
            let fresh = |_| {
                let mut state = State::new(&program).with_flow_cache(0);
                carry(&program, &mut state, &packets)
            };
            bencher.iter_custom(|times| (0..times).map(fresh).sum());
        });
        let mut state = State::new(&program).with_flow_cache(0);
        carry(&program, &mut state, &packets);
        group.bench_function(BenchmarkId::new("established", name), |bencher| {
            bencher.iter_custom(|times| {
                (0..times)
                    .map(|_| carry(&program, &mut state, &packets))
                    .sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
