//! The demo shows what it is there to show: every stage, and almost every reason for a drop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use vpcsim_capture::link::{self, Link};
use vpcsim_dataplane::{
    Arrival, DropReason, Nanos, Program, Source, Stage, State, Stop, Verdict, advance, walk,
};
use vpcsim_network::Network;
use vpcsim_packet::Headers;
use vpcsim_testkit::attribute;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn network(path: &str) -> Network {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    match Network::from_yaml(path, &text) {
        Ok(network) => network,
        Err(errors) => panic!("{errors}"),
    }
}

/// What a replay of a capture sees.
#[derive(Default)]
struct Seen {
    stages: BTreeSet<Stage>,
    drops: BTreeMap<DropReason, u64>,
    verdicts: BTreeMap<&'static str, u64>,
    packets: u64,
}

impl Seen {
    fn count(&mut self, verdict: Verdict) {
        let name = match verdict {
            Verdict::Delivered(_) => "delivered",
            Verdict::Dropped(drop) => {
                *self.drops.entry(drop.reason).or_default() += 1;
                "dropped"
            }
            Verdict::NotIpv4 => "not-ipv4",
            Verdict::Malformed(_) => "malformed",
            Verdict::Unattributed => "unattributed",
            Verdict::Held => "held",
        };
        *self.verdicts.entry(name).or_default() += 1;
    }
}

fn replay(network: Network, capture: &str) -> Seen {
    let program = Program::new(network);
    let mut state = State::new(&program);
    let mut seen = Seen::default();
    let mut reader = vpcsim_capture::Reader::open(root().join(capture)).unwrap();
    let mut others = Vec::new();
    let mut stages = BTreeSet::new();
    let mut observer = |stop: &Stop<'_>| {
        stages.insert(stop.stage);
    };
    while let Some(record) = reader.next_record().unwrap() {
        seen.packets += 1;
        let payload = link::ipv4_payload(record.link_type, record.data, record.original_len);
        let Link::Ipv4 { offset, .. } = payload else {
            seen.count(Verdict::NotIpv4);
            continue;
        };
        let mut bytes = record.data[offset..].to_vec();
        let source = match Headers::parse(&bytes) {
            Ok(headers) => attribute(&program, headers.source),
            Err(_) => Some(Source::Internet),
        };
        let Some(source) = source else {
            seen.count(Verdict::Unattributed);
            continue;
        };
        let arrival = Arrival {
            id: seen.packets,
            time: Nanos(record.time),
            source,
        };
        let walked = walk(
            &program,
            &mut state,
            arrival,
            &mut bytes,
            &mut observer,
            &mut others,
        );
        seen.count(walked.verdict);
    }
    let end = state.now().after_seconds(60);
    advance(&program, &mut state, end, &mut observer, &mut others);
    for other in &others {
        if other.role == vpcsim_dataplane::Role::Captured {
            *seen.verdicts.entry("held").or_default() -= 1;
            seen.count(other.verdict);
        }
    }
    seen.stages = stages;
    seen
}

/// Not in the demo: what takes a special file, a flag, or tens of thousands of packets.
const ABSENT: [DropReason; 3] = [
    DropReason::ConntrackFull,
    DropReason::NatPortsExhausted,
    DropReason::BadChecksum,
];

#[test]
fn every_stage_decides_and_almost_every_reason_drops() {
    let seen = replay(network("scenarios/demo/network.yaml"), "pcaps/demo.pcapng");
    println!(
        "{} packets, {:?}\n{:#?}",
        seen.packets, seen.verdicts, seen.drops
    );
    let stages: Vec<_> = Stage::ALL
        .iter()
        .filter(|s| !seen.stages.contains(s))
        .collect();
    assert!(stages.is_empty(), "these decide nothing: {stages:?}");
    let reasons: Vec<_> = DropReason::ALL
        .iter()
        .filter(|reason| !ABSENT.contains(reason) && !seen.drops.contains_key(reason))
        .collect();
    assert!(reasons.is_empty(), "these never happen: {reasons:?}");
    for verdict in [
        "delivered",
        "dropped",
        "not-ipv4",
        "malformed",
        "unattributed",
    ] {
        assert!(seen.verdicts[verdict] > 0, "{verdict} never happens");
    }
    assert_eq!(seen.verdicts["held"], 0, "everything held has ended");
    assert_eq!(seen.verdicts.values().sum::<u64>(), seen.packets);
    assert!(
        seen.verdicts["delivered"] * 3 > seen.packets,
        "a network that works, by and large: {:?}",
        seen.verdicts
    );
}

#[test]
fn the_tour_delivers_everything() {
    let seen = replay(
        network("scenarios/tour/network.yaml"),
        "pcaps/web-behind-nat.pcap",
    );
    println!(
        "{} packets, {:?}\n{:#?}",
        seen.packets, seen.verdicts, seen.drops
    );
    assert_eq!(seen.verdicts["delivered"], seen.packets, "{:?}", seen.drops);
    assert!(seen.stages.contains(&Stage::NatGateway));
}
