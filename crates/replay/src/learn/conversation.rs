//! One conversation: what was seen of it, and whether it was one.

use super::machine::{Machine, Memory, Met};
use vpcsim_dataplane::Nanos;
use vpcsim_network::{Conntrack, NatTimeouts};
use vpcsim_packet::{FlowKey, Headers, Protocol, TcpFlags, Transport};

/// What one end sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Packets, later fragments included, ICMP errors not.
    pub(super) packets: u64,
    /// TCP: a segment that acknowledges the other end and does not reset.
    pub(super) acknowledged: bool,
    /// TCP: a SYN that answers nothing.
    pub(super) syn: bool,
    /// TCP: a SYN that answers one.
    pub(super) syn_ack: bool,
    /// TCP: a reset.
    pub(super) reset: bool,
}

/// Whether both ends have talked to each other: what a learned network has to let pass.
///
/// * TCP: each end has acknowledged the other, with a segment that is no reset. So a handshake
///   counts once the client has answered the SYN-ACK, and a connection that was under way counts
///   as soon as both were heard; a SYN that nobody or a reset answers, and a scan of half-open
///   connections, do not.
/// * UDP and other protocols: a packet each way.
/// * ICMP: a request and its reply (echo, timestamp, information, mask).
pub(super) fn is_completed(key: &FlowKey, sent: &[Sent; 2]) -> bool {
    let both_sent = sent.iter().all(|end| end.packets > 0);
    match key.protocol {
        Protocol::TCP => sent.iter().all(|end| end.acknowledged),
        // A type without a counterpart is no request and has no reply.
        Protocol::ICMP => both_sent && key.icmp_kind() != key.reversed().icmp_kind(),
        _ => both_sent,
    }
}

/// Packets of one flow key and its reverse.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    /// Of the first packet that was captured: its way is 0, the other one 1.
    pub(super) key: FlowKey,
    /// When that was.
    pub(super) first: u64,
    /// By way.
    pub(super) sent: [Sent; 2],
    /// ICMP errors about its packets.
    pub(super) errors: u64,
    /// How often a nic would have had to open a flow.
    pub(super) openings: u64,
    /// By way: a packet came when no nic could have known it, so that rules have to accept it.
    pub(super) judged: [bool; 2],
    /// A packet came that a nat gateway would have had no session for.
    pub(super) without_session: bool,
    nic: Machine,
    /// Where one end is inside and one outside: the way out, and what a gateway remembers.
    gateway: Option<(usize, Machine)>,
}

impl Conversation {
    /// `way_out`: which way leads from inside to outside, where one does.
    pub(super) fn new(key: FlowKey, first: u64, way_out: Option<usize>) -> Self {
        Self {
            key,
            first,
            sent: [Sent::default(); 2],
            errors: 0,
            openings: 0,
            judged: [false; 2],
            without_session: false,
            nic: Machine::default(),
            gateway: way_out.map(|way| (way, Machine::default())),
        }
    }

    pub(super) fn is_completed(&self) -> bool {
        is_completed(&self.key, &self.sent)
    }

    /// Packets of both ends.
    pub(super) fn packets(&self) -> u64 {
        self.sent[0].packets + self.sent[1].packets
    }

    /// The key of a way.
    pub(super) fn key_of(&self, way: usize) -> FlowKey {
        if way == 0 {
            self.key
        } else {
            self.key.reversed()
        }
    }

    /// A packet of it, on one of its ways.
    pub(super) fn take(&mut self, packet: (&[u8], &Headers), way: usize, now: Nanos) {
        let sent = &mut self.sent[way];
        sent.packets += 1;
        if let Transport::Tcp(tcp) = packet.1.transport {
            let has = |flag| tcp.flags.contains(flag);
            let (syn, ack, reset) = (has(TcpFlags::SYN), has(TcpFlags::ACK), has(TcpFlags::RST));
            sent.syn |= syn && !ack && !reset;
            sent.syn_ack |= syn && ack && !reset;
            sent.acknowledged |= ack && !reset;
            sent.reset |= reset;
        }
        let memory = Memory::Nic(&CONNTRACK);
        match self.nic.take(packet, (way, true), now, memory) {
            Met::Known => {}
            Met::Opened => {
                self.openings += 1;
                self.judged[way] = true;
            }
            Met::Misfit | Met::Nothing => self.judged[way] = true,
        }
        if let Some((way_out, gateway)) = &mut self.gateway {
            let may_open = way == *way_out;
            let memory = Memory::Gateway(&NAT);
            let met = gateway.take(packet, (way, may_open), now, memory);
            self.without_session |= met == Met::Nothing;
        }
    }

    /// A later fragment of one of its packets: it takes the way of the first one.
    pub(super) fn take_later_fragment(&mut self, way: usize) {
        self.sent[way].packets += 1;
    }

    /// An ICMP error about one of its packets. Whether a nic would have known what it speaks of.
    pub(super) fn take_error(&mut self, now: Nanos) -> bool {
        self.errors += 1;
        if let Some((_, gateway)) = &self.gateway {
            self.without_session |= !gateway.remembers(now);
        }
        self.nic.remembers(now)
    }
}

// The defaults of the network file, which a learned one does not change.
static CONNTRACK: std::sync::LazyLock<Conntrack> = std::sync::LazyLock::new(Conntrack::default);
static NAT: std::sync::LazyLock<NatTimeouts> = std::sync::LazyLock::new(NatTimeouts::default);
