//! Conversations: packets between the places of a network, with times.

use super::network::networks;
use super::packet::{packet_between, port};
use crate::{attribute, net};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Nanos, Program, Source};
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::{Headers, TcpFlags};

/// A packet that is sent somewhere, some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub time: Nanos,
    /// From where.
    pub source: Source,
    /// From the IPv4 header on.
    pub bytes: Vec<u8>,
}

/// A network file, and a conversation in that network.
pub fn worlds() -> impl Strategy<Value = (String, Vec<Sent>)> {
    networks().prop_flat_map(|text| {
        let conversation = conversation_in(&net(&text));
        (Just(text), conversation)
    })
}

/// Some flows between the addresses of a network and those of strangers, interleaved, in the
/// order of time: whole connections and their fragments, each packet from where its source
/// belongs, as a capture taken inside has them (what comes from the internet has private
/// destinations); among them packets of all kinds that belong to nothing.
pub fn conversation_in(program: &Program) -> impl Strategy<Value = Vec<Sent>> + use<> {
    let people = people(program);
    let person = prop::sample::select(people);
    // What a packet's source belongs to, worked out for the addresses at hand beforehand.
    let program = program.clone();
    let flow = (person.clone(), person.clone(), manner())
        .prop_map(|(client, server, manner)| manner.packets(client, server));
    let anything = (person.clone(), person, 0_u64..60_000_000_000)
        .prop_flat_map(|(from, to, time)| (Just(time), packet_between(from, to)))
        .prop_map(|packet| vec![packet]);
    let part = prop_oneof![4 => flow, 1 => anything];
    vec(part, 1..8).prop_map(move |parts| {
        let mut packets: Vec<_> = parts.into_iter().flatten().collect();
        packets.sort_by_key(|(time, _)| *time);
        let sent = packets.into_iter().map(|(time, bytes)| Sent {
            time: Nanos(time),
            source: place_of(&program, &bytes),
            bytes,
        });
        sent.collect()
    })
}

fn place_of(program: &Program, bytes: &[u8]) -> Source {
    let source = Headers::parse(bytes).map(|headers| headers.source);
    let place = source.ok().and_then(|source| attribute(program, source));
    place.unwrap_or(Source::Internet)
}

/// Everybody who has an address, and some strangers.
fn people(program: &Program) -> Vec<Ipv4Addr> {
    let network = program.network();
    let nics = network.nics.iter().flat_map(|nic| &nic.addresses);
    let mut people: Vec<_> = nics.map(|address| address.address).collect();
    people.extend(network.eips.iter().map(|eip| eip.address));
    people.extend(network.havips.iter().map(|havip| havip.address));
    people.extend(network.cvms.iter().flat_map(|cvm| cvm.lo.iter().copied()));
    people.extend((1..=3).map(|last| Ipv4Addr::new(198, 51, 100, last)));
    people.push(Ipv4Addr::new(192, 168, 0, 9));
    people
}

/// How a flow goes.
#[derive(Debug, Clone)]
struct Manner {
    start: u64,
    /// Between packets, in nanoseconds.
    gap: u64,
    kind: Kind,
    ports: (u16, u16),
    ttl: u8,
    /// Packets from this one on are not in the capture.
    cut: usize,
    /// Link size that large packets are cut for.
    mtu: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tcp { reset: bool },
    Udp { len: usize },
    Ping,
}

fn manner() -> impl Strategy<Value = Manner> {
    let kind = prop_oneof![
        3 => any::<bool>().prop_map(|reset| Kind::Tcp { reset }),
        2 => prop_oneof![3 => 0_usize..100, 1 => 100_usize..2000].prop_map(|len| Kind::Udp { len }),
        1 => Just(Kind::Ping),
    ];
    // Mostly quick; sometimes so slow that flows expire in between.
    let gap = prop_oneof![
        4 => 0_u64..50_000_000,
        1 => 10_000_000_000_u64..400_000_000_000,
    ];
    let ttl = prop_oneof![6 => Just(64_u8), 1 => 1_u8..3];
    (
        0_u64..60_000_000_000,
        gap,
        kind,
        (port(), port()),
        ttl,
        prop_oneof![3 => Just(usize::MAX), 1 => 1_usize..6],
    )
        .prop_map(|(start, gap, kind, ports, ttl, cut)| Manner {
            start,
            gap,
            kind,
            ports,
            ttl,
            cut,
            mtu: 576,
        })
}

impl Manner {
    fn packets(&self, client: Ipv4Addr, server: Ipv4Addr) -> Vec<(u64, Vec<u8>)> {
        let (here, there) = ((client, self.ports.0), (server, self.ports.1));
        let whole = match self.kind {
            Kind::Tcp { reset } => tcp(here, there, reset),
            Kind::Udp { len } => {
                let request = build::udp(here, there, &vec![7; len]).identification(self.ports.0);
                vec![request, build::udp(there, here, b"answer")]
            }
            Kind::Ping => {
                let half =
                    |echo, from, to| build::icmp_echo(echo, from, to, self.ports.0, 1, b"ping");
                vec![
                    half(Echo::Request, client, server),
                    half(Echo::Reply, server, client),
                ]
            }
        };
        let whole = whole.into_iter().take(self.cut);
        let pieces = whole.flat_map(|packet| {
            let packet = packet.ttl(self.ttl);
            packet.fragments(self.mtu)
        });
        let times = (0..).map(|number| self.start.saturating_add(self.gap.saturating_mul(number)));
        times.zip(pieces).collect()
    }
}

type End = (Ipv4Addr, u16);

/// A connection: a handshake, a question, an answer, an end.
fn tcp(client: End, server: End, reset: bool) -> Vec<Build> {
    const ACK: TcpFlags = TcpFlags::ACK;
    let out = |flags, sequence, acknowledgment| {
        build::tcp(client, server, flags)
            .sequence(sequence)
            .acknowledgment(acknowledgment)
    };
    let back = |flags, sequence, acknowledgment| {
        build::tcp(server, client, flags)
            .sequence(sequence)
            .acknowledgment(acknowledgment)
    };
    let mut packets = vec![
        out(TcpFlags::SYN, 100, 0),
        back(TcpFlags::SYN | ACK, 500, 101),
        out(ACK, 101, 501),
        out(TcpFlags::PSH | ACK, 101, 501).payload(b"question"),
        back(TcpFlags::PSH | ACK, 501, 109).payload(b"answer"),
    ];
    if reset {
        packets.push(out(TcpFlags::RST | ACK, 109, 507));
    } else {
        packets.extend([
            out(TcpFlags::FIN | ACK, 109, 507),
            back(TcpFlags::FIN | ACK, 507, 110),
            out(ACK, 110, 508),
        ]);
    }
    packets
}
