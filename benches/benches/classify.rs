//! The rule that decides about a first packet, alone: a security group of 10 to 2 000 rules,
//! asked through the compiled program. The rules mix what people write: ports alone, prefixes
//! alone, both. `first` is decided by rule 1, `last` by the last one, `deny` by none.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use std::net::Ipv4Addr;
use vpcsim_benches::short;
use vpcsim_dataplane::{Program, Travel};
use vpcsim_network::{Network, NicId};
use vpcsim_packet::{FlowKey, Protocol};

/// Packets asked in turn: more than a branch predictor remembers.
const PACKETS: u32 = 4_096;

/// A nic whose group has `rules` egress rules. The first matches UDP port 1, the last UDP port 2.
fn program(rules: u32) -> Program {
    let mut text = String::from(
        "vpcs:\n  shop: {cidr: 10.0.0.0/16, subnets: {app: {cidr: 10.0.0.0/24}}}\n\
         cvms:\n  app-1: {subnet: app, address: 10.0.0.10, security_groups: [app]}\n\
         security_groups:\n  app:\n    ingress: []\n    egress:\n      - accept udp 1 to any\n",
    );
    for rule in 2..rules {
        let [_, _, high, low] = rule.to_be_bytes();
        let port = 1_000 + rule;
        let rule = match rule % 3 {
            0 => format!("drop tcp {port} to any"),
            1 => format!("accept all to 172.{}.{low}.0/24", 16 + high),
            _ => format!(
                "accept tcp {port},{}-{} to 192.168.{low}.{high}",
                port + 3,
                port + 9
            ),
        };
        let _ = writeln!(text, "      - {rule}");
    }
    text.push_str("      - accept udp 2 to any\n");
    match Network::from_yaml("bench", &text) {
        Ok(network) => Program::new(network),
        Err(errors) => panic!("{errors}"),
    }
}

/// A packet to somewhere around the prefixes of the rules.
fn packet(number: u32, protocol: Protocol, destination_port: u16) -> FlowKey {
    let spread = number.wrapping_mul(0x9e37_79b9).to_be_bytes();
    let destination = match number % 3 {
        0 => Ipv4Addr::new(172, 40, spread[0], spread[1]),
        1 => Ipv4Addr::new(192, 168, spread[0], 200),
        _ => Ipv4Addr::from(spread),
    };
    FlowKey {
        protocol,
        source: Ipv4Addr::new(10, 0, 0, 10),
        source_port: 40_000,
        destination,
        destination_port,
    }
}

fn classify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("classify");
    short(&mut group);
    for rules in [10, 100, 500, 2_000] {
        let program = program(rules);
        let mut ask = |name: &str, expected: Option<u32>, packets: Vec<FlowKey>| {
            let decide = |key| program.group_rule(NicId(0), Travel::Egress, key);
            for key in &packets {
                let position = decide(key).map(|hit| hit.position);
                assert_eq!(position, expected, "{name} of {rules}: {key:?}");
            }
            let mut packets = packets.iter().cycle();
            group.bench_function(BenchmarkId::new(name, rules), |bencher| {
                bencher.iter(|| packets.next().map(|key| black_box(decide(key))));
            });
        };
        let udp = |port| {
            (0..PACKETS)
                .map(|n| packet(n, Protocol::UDP, port))
                .collect()
        };
        ask("first", Some(1), udp(1));
        ask("last", Some(rules), udp(2));
        let tcp = |n: u32| packet(n, Protocol::TCP, 10_000 + (n % 50_000) as u16);
        ask("deny", None, (0..PACKETS).map(tcp).collect());
    }
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
