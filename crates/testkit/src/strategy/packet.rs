//! Packets: valid ones of every kind, and bytes that mean harm.

use proptest::collection::vec;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::icmp::{self, IcmpError};
use vpcsim_packet::{Headers, Protocol, TcpFlags};

/// An address: few enough that packets meet, with the odd ones among them.
pub fn address() -> impl Strategy<Value = Ipv4Addr> {
    prop_oneof![
        8 => (0_u8..3, 0_u8..3, 1_u8..20).prop_map(|(b, c, d)| Ipv4Addr::new(10, b, c, d)),
        4 => (1_u8..20).prop_map(|d| Ipv4Addr::new(203, 0, 113, d)),
        4 => (1_u8..20).prop_map(|d| Ipv4Addr::new(198, 51, 100, d)),
        1 => Just(Ipv4Addr::LOCALHOST),
        1 => Just(Ipv4Addr::BROADCAST),
        1 => Just(Ipv4Addr::UNSPECIFIED),
        1 => Just(Ipv4Addr::new(224, 0, 0, 1)),
        1 => any::<u32>().prop_map(Ipv4Addr::from),
    ]
}

/// A port: those that rules speak of, and any.
pub(super) fn port() -> impl Strategy<Value = u16> {
    prop_oneof![
        Just(22_u16),
        Just(53),
        Just(80),
        Just(443),
        Just(8080),
        40_000_u16..40_010,
        any::<u16>(),
    ]
}

/// A valid packet between any addresses, with right checksums: TCP, UDP, ICMP queries and
/// errors, other protocols, fragments.
pub fn packet() -> impl Strategy<Value = Vec<u8>> {
    (address(), address()).prop_flat_map(|(from, to)| packet_between(from, to))
}

/// A valid packet between two addresses.
pub fn packet_between(from: Ipv4Addr, to: Ipv4Addr) -> impl Strategy<Value = Vec<u8>> {
    let whole = (content(from, to), header()).prop_map(|(build, header)| header.put_on(build));
    prop_oneof![
        6 => whole.clone().prop_map(|build| build.bytes()),
        1 => (whole, 96_usize..400, any::<prop::sample::Index>()).prop_map(|(build, mtu, which)| {
            let pieces = build.fragments(mtu);
            which.get(&pieces).clone()
        }),
        1 => (content(to, from), error()).prop_map(move |(about, error)| {
            let bytes = about.bytes();
            // Nobody complains about a complaint: then the packet itself does.
            let headers = Headers::parse(&bytes);
            let complaint = headers.ok().and_then(|headers| icmp::error(&bytes, &headers, from, error));
            complaint.unwrap_or(bytes)
        }),
    ]
}

fn content(from: Ipv4Addr, to: Ipv4Addr) -> impl Strategy<Value = Build> + Clone {
    let payload = || vec(any::<u8>(), 0..600);
    let tcp = (port(), port(), any::<u8>(), any::<[u32; 2]>(), payload()).prop_map(
        move |(source, destination, flags, [sequence, acknowledgment], payload)| {
            build::tcp((from, source), (to, destination), TcpFlags(flags))
                .sequence(sequence)
                .acknowledgment(acknowledgment)
                .payload(&payload)
        },
    );
    let udp = (port(), port(), payload(), prop::bool::weighted(0.9)).prop_map(
        move |(source, destination, payload, checksum)| {
            let packet = build::udp((from, source), (to, destination), &payload);
            if checksum {
                packet
            } else {
                packet.without_checksum()
            }
        },
    );
    let echo = (any::<bool>(), any::<u16>(), any::<u16>(), payload()).prop_map(
        move |(request, identifier, sequence, payload)| {
            let echo = if request { Echo::Request } else { Echo::Reply };
            build::icmp_echo(echo, from, to, identifier, sequence, &payload)
        },
    );
    let icmp = (any::<u8>(), any::<u8>(), any::<[u8; 4]>(), payload()).prop_map(
        move |(kind, code, rest, payload)| build::icmp(from, to, kind, code, rest, &payload),
    );
    let protocols = prop::sample::select(vec![
        Protocol::GRE,
        Protocol::ESP,
        Protocol::SCTP,
        Protocol(89),
        Protocol(255),
    ]);
    let other = (protocols, payload())
        .prop_map(move |(protocol, payload)| build::raw(protocol, from, to, &payload));
    prop_oneof![5 => tcp, 3 => udp, 2 => echo, 1 => icmp, 1 => other].boxed()
}

/// The parts of the IPv4 header that are free.
#[derive(Debug, Clone)]
struct Header {
    ttl: u8,
    tos: u8,
    identification: u16,
    dont_fragment: bool,
    options: Vec<u8>,
}

impl Header {
    fn put_on(&self, build: Build) -> Build {
        build
            .ttl(self.ttl)
            .tos(self.tos)
            .identification(self.identification)
            .dont_fragment(self.dont_fragment)
            .options(&self.options)
    }
}

fn header() -> impl Strategy<Value = Header> + Clone {
    let ttl = prop_oneof![3 => Just(64_u8), 1 => 0_u8..3, 1 => any::<u8>()];
    // No-operation and end of list: options that any host skips.
    let options = prop_oneof![4 => Just(Vec::new()), 1 => vec(0_u8..2, 0..40)];
    (ttl, any::<u8>(), 0_u16..8, any::<bool>(), options)
        .prop_map(
            |(ttl, tos, identification, dont_fragment, options)| Header {
                ttl,
                tos,
                identification,
                dont_fragment,
                options,
            },
        )
        .boxed()
}

fn error() -> impl Strategy<Value = IcmpError> {
    prop::sample::select(vec![
        IcmpError::TimeExceeded,
        IcmpError::NetUnreachable,
        IcmpError::HostUnreachable,
        IcmpError::PortUnreachable,
        IcmpError::FragmentationNeeded { mtu: 1400 },
    ])
}

/// Bytes that mean harm: valid packets that were cut or changed in a few places, and noise that
/// begins like IPv4.
pub fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let cut = (packet(), any::<prop::sample::Index>()).prop_map(|(mut bytes, at)| {
        bytes.truncate(at.index(bytes.len() + 1));
        bytes
    });
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let changed = (packet(), changes).prop_map(|(mut bytes, changes)| {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes
    });
    let begun = vec(any::<u8>(), 0..80).prop_map(|mut bytes| {
        if let Some(first) = bytes.first_mut() {
            *first = 0x40 | (*first & 0x0f);
        }
        bytes
    });
    prop_oneof![3 => cut, 3 => changed, 2 => begun, 1 => vec(any::<u8>(), 0..200)]
}
