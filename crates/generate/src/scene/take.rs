//! One conversation in the making.

use super::cast::Cast;
use crate::Packet;
use crate::SizeMix;
use crate::dialogue::{Desk, Echo, Manner, Side, Tcp, Udp};
use crate::random::Random;
use std::net::Ipv4Addr;
use vpcsim_packet::TcpFlags;
use vpcsim_packet::build::{self, Build};

/// How far apart two ends are, and so how long an answer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    /// Within the region.
    Near,
    /// Over the internet.
    Far,
}

/// One conversation in the making: what is said so far, and the time.
#[derive(Debug, Clone)]
pub(super) struct Take<'a, 'n> {
    pub(super) cast: &'a Cast<'n>,
    pub(super) random: Random,
    pub(super) sizes: SizeMix,
    requests: u64,
    retransmissions: u8,
    clock: u64,
    identification: u16,
    packets: Vec<Packet>,
}

/// What all conversations of a scene have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) sizes: SizeMix,
    pub(super) requests: u64,
    pub(super) retransmissions: u8,
}

impl<'a, 'n> Take<'a, 'n> {
    pub(super) fn new(cast: &'a Cast<'n>, style: Style, start: u64, mut random: Random) -> Self {
        Self {
            identification: random.next() as u16,
            requests: random.between(1, style.requests.max(1)),
            cast,
            random,
            sizes: style.sizes,
            retransmissions: style.retransmissions,
            clock: start,
            packets: Vec::new(),
        }
    }

    /// What was said, in the order of time.
    pub(super) fn finish(mut self) -> Vec<Packet> {
        self.packets.sort_by_key(|packet| packet.time);
        self.packets
    }

    /// Says something now.
    pub(super) fn say(&mut self, packet: Build) {
        let packet = self.number(packet);
        self.bytes(packet.bytes());
    }

    /// Gives a packet an identification of its own.
    pub(super) fn number(&mut self, packet: Build) -> Build {
        self.identification = self.identification.wrapping_add(1);
        packet.identification(self.identification)
    }

    /// Bytes that stand for an IPv4 packet, now.
    pub(super) fn bytes(&mut self, bytes: Vec<u8>) {
        self.packets.push(Packet::ipv4(self.clock, bytes));
    }

    /// Something that is not IPv4, now.
    pub(super) fn other(&mut self, ether_type: u16, bytes: Vec<u8>) {
        let time = self.clock;
        self.packets.push(Packet {
            time,
            ether_type,
            bytes,
        });
    }

    /// Lets this many microseconds pass, and up to a quarter more.
    pub(super) fn wait(&mut self, micros: u64) {
        let nanos = micros * 1000 + self.random.below(micros * 250 + 1);
        self.clock = self.clock.saturating_add(nanos);
    }

    /// A whole TCP connection.
    pub(super) fn tcp(
        &mut self,
        client: Ipv4Addr,
        server: (Ipv4Addr, u16),
        distance: Distance,
    ) -> Option<()> {
        let desk = self.desk(client, server, distance, true);
        self.extend(Tcp::new(desk))
    }

    /// UDP requests and answers.
    pub(super) fn udp(
        &mut self,
        client: Ipv4Addr,
        server: (Ipv4Addr, u16),
        distance: Distance,
    ) -> Option<()> {
        let desk = self.desk(client, server, distance, true);
        self.extend(Udp::new(desk))
    }

    /// Pings and, if `replies`, their answers.
    pub(super) fn ping(
        &mut self,
        client: Ipv4Addr,
        server: Ipv4Addr,
        distance: Distance,
        replies: bool,
    ) -> Option<()> {
        let desk = self.desk(client, (server, 0), distance, replies);
        self.extend(Echo::new(desk))
    }

    /// A client that wants to connect and hears nothing: its SYN, again after one and three
    /// seconds (RFC 6298 §2.1, §5.5).
    pub(super) fn unanswered(&mut self, client: Ipv4Addr, server: (Ipv4Addr, u16)) -> Option<()> {
        let port = self.random.port();
        let sequence = self.random.next() as u32;
        for wait in [1_000_000, 2_000_000, 0] {
            let syn = build::tcp((client, port), server, TcpFlags::SYN);
            self.say(syn.sequence(sequence).dont_fragment(true));
            self.wait(wait);
        }
        Some(())
    }

    fn desk(
        &mut self,
        client: Ipv4Addr,
        (server, server_port): (Ipv4Addr, u16),
        distance: Distance,
        replies: bool,
    ) -> Desk {
        let port = self.random.port();
        let (round_trip, hops) = match distance {
            Distance::Near => (self.random.between(150_000, 1_500_000), 0),
            Distance::Far => (
                self.random.between(4_000_000, 60_000_000),
                self.random.between(5, 18),
            ),
        };
        let manner = Manner {
            requests: self.requests,
            sizes: self.sizes,
            handshakes: true,
            replies,
            retransmissions: self.retransmissions,
            round_trip,
            pause: self.random.between(500_000, 100_000_000),
        };
        // Whoever is not of this network has come a long way.
        let ttl = |side: Side| {
            let inside = self.cast.players.iter().any(|p| p.address == side.address);
            let left = if inside { 64 } else { 64 - hops as u8 };
            side.ttl(left)
        };
        let client = ttl(Side::new(client, port));
        let server = ttl(Side::new(server, server_port));
        let seed = self.random.next();
        Desk::new(self.clock, client, server, manner, Random::stream(seed, 0))
    }

    fn extend(&mut self, dialogue: impl Iterator<Item = Packet>) -> Option<()> {
        self.packets.extend(dialogue);
        self.clock = self.packets.last().map_or(self.clock, |last| last.time);
        Some(())
    }
}
