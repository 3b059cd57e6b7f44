//! One flow: a client, a server, and what they say to each other.

mod echo;
mod tcp;
mod udp;

pub(crate) use echo::Echo;
pub(crate) use tcp::Tcp;
pub(crate) use udp::Udp;

use crate::random::Random;
use crate::{Packet, SizeMix};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use vpcsim_packet::build::Build;

/// One side of a flow.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) address: Ipv4Addr,
    /// TCP and UDP.
    pub(crate) port: u16,
    /// What is left of its packets' time to live where they were captured.
    pub(crate) ttl: u8,
    /// IP identification of its next packet.
    identification: u16,
}

impl Side {
    pub(crate) fn new(address: Ipv4Addr, port: u16) -> Self {
        Self {
            address,
            port,
            ttl: 64,
            identification: 0,
        }
    }

    pub(crate) fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    pub(crate) fn end(&self) -> (Ipv4Addr, u16) {
        (self.address, self.port)
    }
}

/// How a flow goes.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// Requests of the client.
    pub(crate) requests: u64,
    pub(crate) sizes: SizeMix,
    pub(crate) handshakes: bool,
    pub(crate) replies: bool,
    /// Of a hundred data segments, how many are sent twice.
    pub(crate) retransmissions: u8,
    /// From a request to its answer, in nanoseconds.
    pub(crate) round_trip: u64,
    /// From an answer to the next request, in nanoseconds.
    pub(crate) pause: u64,
}

/// What all dialogues have: two sides, a clock, and packets that are ready.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) random: Random,
    pub(crate) client: Side,
    pub(crate) server: Side,
    pub(crate) manner: Manner,
    clock: u64,
    ready: VecDeque<Packet>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Client,
    Server,
}

impl Desk {
    pub(crate) fn new(
        start: u64,
        client: Side,
        server: Side,
        manner: Manner,
        mut random: Random,
    ) -> Self {
        let identification = random.next() as u16;
        let client = Side {
            identification,
            ..client
        };
        let server = Side {
            identification: identification.rotate_left(8),
            ..server
        };
        Self {
            random,
            client,
            server,
            manner,
            clock: start,
            ready: VecDeque::new(),
        }
    }

    /// Sends a packet now.
    fn say(&mut self, speaker: Speaker, packet: Build) {
        let side = match speaker {
            Speaker::Client => &mut self.client,
            Speaker::Server => &mut self.server,
        };
        let packet = packet.ttl(side.ttl).identification(side.identification);
        side.identification = side.identification.wrapping_add(1);
        self.ready
            .push_back(Packet::ipv4(self.clock, packet.bytes()));
    }

    /// Lets about this much time pass: between three quarters and five quarters of it.
    fn wait(&mut self, nanos: u64) {
        let spread = self.random.below(nanos / 2 + 1);
        self.clock = self
            .clock
            .saturating_add(nanos - nanos / 4)
            .saturating_add(spread);
    }

    fn round_trip(&mut self) {
        self.wait(self.manner.round_trip);
    }

    fn pause(&mut self) {
        self.wait(self.manner.pause);
    }

    /// A payload that makes an IPv4 packet of the size mix, with `headers` bytes before it.
    fn payload(&mut self, headers: usize) -> &'static [u8] {
        let size = self.manner.sizes.next(&mut self.random);
        filler(size.saturating_sub(headers))
    }
}

/// Text to fill packets with.
static FILLER: [u8; 3000] = filler_text();

const fn filler_text() -> [u8; 3000] {
    let words = b"the quick packet jumps over the lazy router; ";
    let mut text = [0; 3000];
    let mut at = 0;
    while at < text.len() {
        text[at] = words[at % words.len()];
        at += 1;
    }
    text
}

pub(crate) fn filler(len: usize) -> &'static [u8] {
    &FILLER[..len.min(FILLER.len())]
}
