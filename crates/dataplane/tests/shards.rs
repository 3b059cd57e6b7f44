//! Limits that shards share are exact, and rounds that cannot reach one are not held up by it.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::net::Ipv4Addr;
use vpcsim_dataplane::{
    Arrival, DropReason, Nanos, Program, Round, Rounds, Shards, Source, Verdict,
};
use vpcsim_network::{CvmId, Filtering};
use vpcsim_packet::build::udp;
use vpcsim_testkit::net;

const HOSTS: u16 = 64;

/// Hosts behind a gateway with one eip.
fn network(gateway: &str) -> Program {
    let mut text = format!(
        "
vpcs: {{shop: {{cidr: 10.0.0.0/16, route_table: out, subnets: {{web: {{cidr: 10.0.1.0/24}}}}}}}}
route_tables: {{out: {{routes: [{{to: 0.0.0.0/0, via: nat/gw}}]}}}}
eips: {{a: {{address: 203.0.113.1, bandwidth: unlimited}}}}
nat_gateways: {{gw: {{vpc: shop, eips: [a], {gateway}}}}}
cvms:
"
    );
    for host in 0..HOSTS {
        text += &format!(
            "  c{host}: {{subnet: web, address: 10.0.1.{}}}\n",
            10 + host
        );
    }
    net(&text)
}

/// Sends datagrams to one server, each of a flow of its own, so many in a round.
fn flood(program: &Program, shards: &mut Shards, flows: u32, size: usize) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut round = Round::new();
    for number in 0..flows {
        let host = (number % u32::from(HOSTS)) as u16;
        let port = 1024 + (number / u32::from(HOSTS)) as u16 + host * 1000;
        let from = (Ipv4Addr::new(10, 0, 1, 10 + host as u8), port);
        let bytes = udp(from, ([198, 51, 100, 7], 53), b"?").bytes();
        let arrival = Arrival {
            id: number.into(),
            time: Nanos(u64::from(number) * 1_000),
            source: Source::Cvm(CvmId(host.into())),
        };
        shards.push(program, &mut round, arrival, &bytes);
        if round.len() == size || number + 1 == flows {
            shards.run(program, &mut round);
            verdicts.extend(round.ended().map(|ended| ended.walked.verdict));
            round.clear();
        }
    }
    verdicts
}

fn refused(verdicts: &[Verdict], reason: DropReason) -> Vec<usize> {
    let dropped =
        |verdict: &Verdict| matches!(verdict, Verdict::Dropped(drop) if drop.reason == reason);
    let numbered = verdicts.iter().enumerate();
    let refused = numbered.filter(|(_, verdict)| dropped(verdict));
    refused.map(|(number, _)| number).collect()
}

#[test]
fn a_destination_has_55_000_connections_whatever_their_shards() {
    // SEMANTICS §9.
    let program = network("bandwidth: unlimited");
    let mut shards = Shards::new(&program, 3);
    let verdicts = flood(&program, &mut shards, 55_010, 2_000);
    let refused = refused(&verdicts, DropReason::NatPortsExhausted);
    assert_eq!(refused, (55_000..55_010).collect::<Vec<_>>());
    let Rounds { parallel, in_order } = shards.rounds();
    assert!(parallel >= 25 && in_order <= 3, "{parallel} and {in_order}");
}

#[test]
fn a_gateway_has_as_many_connections_as_it_may_whatever_their_shards() {
    let program = network("bandwidth: unlimited, max_connections: 5000");
    let mut shards = Shards::new(&program, 2);
    let verdicts = flood(&program, &mut shards, 6_000, 100);
    let refused = refused(&verdicts, DropReason::NatConnectionsExhausted);
    assert_eq!(refused, (5_000..6_000).collect::<Vec<_>>());
    assert_eq!(shards.usage(&program).gateways[0].sessions_peak, 5_000);
    let Rounds { parallel, in_order } = shards.rounds();
    assert_eq!((parallel, in_order), (49, 11));
}

#[test]
fn bandwidth_is_that_of_all_shards_together() {
    // 29 bytes each microsecond are 232 Mbit/s: against 1000 nothing is refused, against 100 the
    // bucket of 125 000 bytes is empty after some 7 580 packets.
    let program = network("bandwidth: 1000");
    let mut shards = Shards::new(&program, 2);
    let verdicts = flood(&program, &mut shards, 20_000, 1_000);
    assert!(refused(&verdicts, DropReason::BandwidthExceeded).is_empty());
    assert_eq!(shards.rounds().in_order, 0);
    let program = network("bandwidth: 100");
    let mut shards = Shards::new(&program, 2);
    let verdicts = flood(&program, &mut shards, 20_000, 1_000);
    let refused = refused(&verdicts, DropReason::BandwidthExceeded);
    let mut one = Shards::new(&program, 1);
    let in_order = flood(&program, &mut one, 20_000, 1);
    assert_eq!(verdicts, in_order);
    assert!((7_500..7_700).contains(&refused[0]), "{}", refused[0]);
    assert_eq!(shards.rounds().parallel, 7);
}

#[test]
fn a_mapping_that_all_remotes_share_keeps_a_network_in_order() {
    let program = network("bandwidth: unlimited");
    let mut independent = program.network().clone();
    independent.policies.filtering = Filtering::EndpointIndependent;
    let independent = Program::new(independent);
    for (program, parallel) in [(program, 10), (independent, 0)] {
        let mut shards = Shards::new(&program, 2);
        flood(&program, &mut shards, 1_000, 100);
        assert_eq!(shards.rounds().parallel, parallel);
    }
}
