//! Plain traffic: so many flows between some clients and some servers.

use crate::address::Pool;
use crate::dialogue::{Desk, Echo, Manner, Side, Tcp, Udp};
use crate::merge::{Live, Merge};
use crate::random::Random;
use crate::{Packet, SizeMix};
use ipnet::Ipv4Net;
use std::fmt;

/// Flows between clients and servers.
///
/// With neither handshakes nor replies there are exactly `flows` × `packets_per_flow` packets.
/// No two flows share a 5-tuple while there are at most as many of them as client addresses
/// × 28 232 ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// Everything random comes from it: same seed, same packets, for ever.
    pub seed: u64,
    /// The time before which nothing happens, in nanoseconds since 1970.
    pub start: u64,
    /// The time over which flows begin, in nanoseconds, evenly but for some jitter. A flow ends
    /// when it has said everything.
    pub duration: u64,
    /// How many flows there are.
    pub flows: u64,
    /// Packets with data that the client of each flow sends.
    pub packets_per_flow: u64,
    /// How large packets with data are.
    pub sizes: SizeMix,
    /// Which protocols, and how often each.
    pub protocols: ProtocolMix,
    /// Whether TCP connections are opened (SYN) and closed (FIN, or one in eight by RST).
    pub handshakes: bool,
    /// Whether the server's packets are there too.
    pub replies: bool,
    /// Of a hundred TCP segments with data, how many are sent twice.
    pub retransmissions: u8,
    /// Where clients live.
    pub clients: Vec<Ipv4Net>,
    /// Where servers live.
    pub servers: Vec<Ipv4Net>,
}

/// How often a flow is of each protocol: parts of their sum. All 0 means TCP only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtocolMix {
    /// TCP.
    pub tcp: u32,
    /// UDP.
    pub udp: u32,
    /// ICMP echo.
    pub icmp: u32,
}

impl Default for ProtocolMix {
    fn default() -> Self {
        Self {
            tcp: 70,
            udp: 25,
            icmp: 5,
        }
    }
}

/// 2025-01-01 00:00:00 UTC.
pub(crate) const START: u64 = 1_735_689_600_000_000_000;

impl Default for Traffic {
    /// A hundred flows of four requests within ten seconds, from 10.0.1.0/24 to 198.51.100.0/24,
    /// with handshakes and replies, in IMIX sizes.
    fn default() -> Self {
        let net = |a, b, c| Ipv4Net::new_assert([a, b, c, 0].into(), 24);
        Self {
            seed: 1,
            start: START,
            duration: 10_000_000_000,
            flows: 100,
            packets_per_flow: 4,
            sizes: SizeMix::default(),
            protocols: ProtocolMix::default(),
            handshakes: true,
            replies: true,
            retransmissions: 0,
            clients: vec![net(10, 0, 1)],
            servers: vec![net(198, 51, 100)],
        }
    }
}

impl Traffic {
    /// The same traffic with `duration` set so that flows begin at this rate. 0 is taken as 1.
    #[must_use]
    pub fn flows_per_second(mut self, rate: u64) -> Self {
        let nanos = u128::from(self.flows) * 1_000_000_000 / u128::from(rate.max(1));
        self.duration = u64::try_from(nanos).unwrap_or(u64::MAX);
        self
    }

    /// When the flow with this number begins: each has a slot of its own, and begins anywhere in
    /// it.
    pub(crate) fn slot(&self, number: u64, random: &mut Random) -> u64 {
        let slot = |number: u64| {
            let at = u128::from(self.duration) * u128::from(number);
            (at / u128::from(self.flows.max(1))) as u64
        };
        let (first, end) = (slot(number), slot(number + 1));
        self.start
            .saturating_add(first)
            .saturating_add(random.below(end - first))
    }

    /// The packets, in the order of time. Memory is for live flows only.
    ///
    /// Without clients or without servers there is nobody to talk, and nothing comes.
    pub fn packets(&self) -> Packets<'static> {
        let plan = Plan {
            traffic: self.clone(),
            clients: Pool::new(&self.clients),
            servers: Pool::new(&self.servers),
        };
        let starts = (0..self.flows).map_while(move |number| plan.flow(number));
        Packets(Merge::new(Box::new(starts)))
    }
}

/// Packets in the order of time: an iterator.
pub struct Packets<'n>(pub(crate) Merge<Box<dyn Iterator<Item = Live> + Send + 'n>>);

impl Packets<'_> {
    /// How many flows are live now: those of which some packets are out and some are not.
    pub fn live(&self) -> usize {
        self.0.live()
    }
}

impl fmt::Debug for Packets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packets")
            .field("live", &self.live())
            .finish()
    }
}

impl Iterator for Packets<'_> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        self.0.next()
    }
}

/// The ports that servers are asked at, and how often.
const TCP_PORTS: [u16; 8] = [443, 443, 443, 80, 80, 22, 8080, 5432];
const UDP_PORTS: [u16; 6] = [53, 53, 53, 443, 123, 4500];

struct Plan {
    traffic: Traffic,
    clients: Pool,
    servers: Pool,
}

impl Plan {
    /// The flow with this number; it begins after every flow with a lower one.
    fn flow(&self, number: u64) -> Option<Live> {
        let traffic = &self.traffic;
        let mut random = Random::stream(traffic.seed, number);
        let address = self.clients.get(number)?;
        let round = number / self.clients.len();
        let port = 32_768 + (round % 28_232) as u16;
        let client = Side::new(address, port);
        let ttl = random.between(44, 60) as u8;
        let server = self.servers.any(&mut random)?;
        let manner = Manner {
            requests: traffic.packets_per_flow,
            sizes: traffic.sizes,
            handshakes: traffic.handshakes,
            replies: traffic.replies,
            retransmissions: traffic.retransmissions,
            round_trip: random.between(300_000, 30_000_000),
            pause: random.between(100_000, 20_000_000),
        };
        let start = traffic.slot(number, &mut random);
        let desk = |random: Random, port| {
            let server = Side::new(server, port).ttl(ttl);
            Desk::new(start, client, server, manner, random)
        };
        let mix = traffic.protocols;
        let [tcp, udp, icmp] = [mix.tcp, mix.udp, mix.icmp].map(u64::from);
        let which = random.below(tcp + udp + icmp);
        Some(if which < tcp || tcp + udp + icmp == 0 {
            let port = random.pick(&TCP_PORTS).copied()?;
            Box::new(Tcp::new(desk(random, port)))
        } else if which < tcp + udp {
            let port = random.pick(&UDP_PORTS).copied()?;
            Box::new(Udp::new(desk(random, port)))
        } else {
            Box::new(Echo::new(desk(random, 0)))
        })
    }
}
