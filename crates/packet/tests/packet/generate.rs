//! Packets for properties: well-formed ones whose flow can be exchanged, and hostile ones.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::{Headers, Protocol, Rewrite, TcpFlags};

/// Where a packet comes from and goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) source: (Ipv4Addr, u16),
    pub(crate) destination: (Ipv4Addr, u16),
}

/// Everything about a packet but its ends.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    content: Content,
    ttl: u8,
    tos: u8,
    identification: u16,
    options: Vec<u8>,
    payload: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Content {
    Tcp {
        flags: u8,
        sequence: u32,
        acknowledgment: u32,
        window: u16,
        options: Vec<u8>,
    },
    Udp {
        checksum: bool,
    },
    Echo {
        echo: Echo,
        sequence: u16,
    },
    Raw(u8),
}

impl Shape {
    /// The packet between these ends; for ICMP the source port is the identifier.
    pub(crate) fn between(&self, ends: Ends) -> Build {
        let Ends {
            source,
            destination,
        } = ends;
        let build = match &self.content {
            Content::Tcp {
                flags,
                sequence,
                acknowledgment,
                window,
                options,
            } => build::tcp(source, destination, TcpFlags(*flags))
                .sequence(*sequence)
                .acknowledgment(*acknowledgment)
                .window(*window)
                .tcp_options(options)
                .payload(&self.payload),
            Content::Udp { checksum } => {
                let udp = build::udp(source, destination, &self.payload);
                if *checksum {
                    udp
                } else {
                    udp.without_checksum()
                }
            }
            Content::Echo { echo, sequence } => build::icmp_echo(
                *echo,
                source.0,
                destination.0,
                source.1,
                *sequence,
                &self.payload,
            ),
            Content::Raw(protocol) => {
                build::raw(Protocol(*protocol), source.0, destination.0, &self.payload)
            }
        };
        build
            .ttl(self.ttl)
            .tos(self.tos)
            .identification(self.identification)
            .options(&self.options)
    }
}

pub(crate) fn shape(payload: usize) -> impl Strategy<Value = Shape> {
    let content = prop_oneof![
        (any::<(u8, u32, u32, u16)>(), vec(any::<u8>(), 0..=40)).prop_map(
            |((flags, sequence, acknowledgment, window), options)| Content::Tcp {
                flags,
                sequence,
                acknowledgment,
                window,
                options,
            }
        ),
        any::<bool>().prop_map(|checksum| Content::Udp { checksum }),
        (any::<bool>(), any::<u16>()).prop_map(|(request, sequence)| Content::Echo {
            echo: if request { Echo::Request } else { Echo::Reply },
            sequence,
        }),
        any::<u8>()
            .prop_filter("has no ports", |number| ![1, 6, 17].contains(number))
            .prop_map(Content::Raw),
    ];
    (
        content,
        any::<(u8, u8, u16)>(),
        prop_oneof![3 => Just(Vec::new()), 1 => vec(any::<u8>(), 0..=40)],
        vec(any::<u8>(), 0..=payload),
    )
        .prop_map(
            |(content, (ttl, tos, identification), options, payload)| Shape {
                content,
                ttl,
                tos,
                identification,
                options,
                payload,
            },
        )
}

/// Words at the edges of ones-complement arithmetic come up often.
pub(crate) fn word() -> impl Strategy<Value = u16> {
    prop_oneof![4 => any::<u16>(), 1 => Just(0), 1 => Just(0xffff)]
}

pub(crate) fn address() -> impl Strategy<Value = Ipv4Addr> {
    (word(), word()).prop_map(|(high, low)| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

pub(crate) fn ends() -> impl Strategy<Value = Ends> {
    (address(), word(), address(), word()).prop_map(|(source, from, destination, to)| Ends {
        source: (source, from),
        destination: (destination, to),
    })
}

pub(crate) fn change() -> impl Strategy<Value = Rewrite> {
    (
        option::of(address()),
        option::of(word()),
        option::of(address()),
        option::of(word()),
    )
        .prop_map(
            |(source, source_port, destination, destination_port)| Rewrite {
                source,
                source_port,
                destination,
                destination_port,
            },
        )
}

/// An ICMP error around a packet, of which it quotes at most `quoted` bytes.
pub(crate) fn error(outer: Ends, kind: u8, quotation: &[u8], quoted: usize) -> Vec<u8> {
    let quotation = quotation.get(..quoted).unwrap_or(quotation);
    let (source, destination) = (outer.source.0, outer.destination.0);
    build::icmp(source, destination, kind, 0, [0; 4], quotation).bytes()
}

/// Bytes that nobody promised anything about: noise, and packets, fragments and errors that are
/// damaged, cut short or followed by a trailer.
pub(crate) fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let packet = (shape(80), ends()).prop_map(|(shape, ends)| shape.between(ends).bytes());
    let fragment =
        (shape(80), ends(), 28_usize..120, any::<usize>()).prop_map(|(shape, ends, mtu, which)| {
            let mut pieces = shape.between(ends).fragments(mtu);
            let which = which % pieces.len();
            pieces.swap_remove(which)
        });
    let error = (
        shape(20),
        ends(),
        ends(),
        proptest::sample::select(vec![3_u8, 4, 5, 11, 12]),
        0_usize..100,
    )
        .prop_map(|(shape, inner, outer, kind, quoted)| {
            error(outer, kind, &shape.between(inner).bytes(), quoted)
        });
    let packet = prop_oneof![packet, fragment, error];
    let damage = vec((0_usize..72, any::<u8>()), 0..4);
    let damaged = (
        packet,
        damage,
        option::of(0_usize..100),
        vec(any::<u8>(), 0..6),
    )
        .prop_map(|(mut packet, damage, cut, trailer)| {
            for (at, value) in damage {
                if let Some(byte) = packet.get_mut(at) {
                    *byte = value;
                }
            }
            match cut {
                Some(cut) => packet.truncate(cut),
                None => packet.extend(trailer),
            }
            packet
        });
    prop_oneof![1 => vec(any::<u8>(), 0..120), 9 => damaged]
}

/// Hostile packets that have a flow; a built one in place of those that have none.
pub(crate) fn hostile_with_headers() -> impl Strategy<Value = (Vec<u8>, Headers)> {
    (hostile(), shape(20), ends()).prop_map(|(packet, shape, ends)| {
        if let Ok(headers) = Headers::parse(&packet) {
            return (packet, headers);
        }
        let packet = shape.between(ends).bytes();
        let headers = Headers::parse(&packet).unwrap();
        (packet, headers)
    })
}

pub(crate) fn word_at(packet: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([packet[at], packet[at + 1]])
}
