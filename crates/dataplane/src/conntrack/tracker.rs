//! The protocol state machine of one connection, whatever its protocol.

use super::generic::Gre;
use super::judgement::{Invalid, Judgement, Opening, Settings};
use super::tcp::Tcp;
use super::udp::Udp;
use super::{Direction, icmp};
use crate::Nanos;
use vpcsim_network::{Conntrack, NatTimeouts};
use vpcsim_packet::{Headers, Protocol, Transport};

/// The protocol state of one connection, as nf_conntrack keeps it.
///
/// Later fragments and ICMP errors never reach a tracker: the first take the
/// way of their first fragment, the second that of the packet they quote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tracker {
    kind: Kind,
    replied: bool,
    assured: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Tcp(Tcp),
    Udp(Udp),
    Icmp,
    Gre(Gre),
    Generic,
}

/// How far a connection has come, as NAT timeouts see it (SEMANTICS §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// TCP before the handshake is complete, or picked up and not yet answered.
    TcpHalfOpen,
    /// TCP, both directions seen.
    TcpEstablished,
    /// TCP after a FIN or RST.
    TcpClosing,
    /// UDP.
    Udp,
    /// An ICMP query.
    Icmp,
    /// Any other protocol.
    Other,
}

impl Tracker {
    /// What a packet without a connection begins. `packet` starts at its IPv4
    /// header and is read for TCP options only.
    pub fn open(packet: &[u8], headers: &Headers, now: Nanos, settings: &Settings) -> Opening {
        let opened = match headers.transport {
            Transport::Tcp(tcp) => return Tcp::open(packet, headers, &tcp, settings),
            Transport::Udp(udp) => Udp::open(headers, &udp, now).map(Kind::Udp),
            Transport::Icmp(message) => icmp::open(&message).map(|()| Kind::Icmp),
            Transport::Other if headers.protocol == Protocol::GRE => Ok(Kind::Gre(Gre::open())),
            Transport::Other => Ok(Kind::Generic),
            Transport::LaterFragment => Err(Invalid::NotAnOpening),
        };
        match opened {
            Ok(kind) => Opening::Opens(Self::fresh(kind)),
            Err(reason) => Opening::Invalid(reason),
        }
    }

    fn fresh(kind: Kind) -> Self {
        Self {
            kind,
            replied: false,
            assured: false,
        }
    }

    pub(super) fn of_tcp(tcp: Tcp) -> Self {
        Self::fresh(Kind::Tcp(tcp))
    }

    /// What a packet with this connection's key, travelling in `direction`,
    /// means for it. `packet` is read for TCP options only.
    pub fn update(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        direction: Direction,
        now: Nanos,
        settings: &Settings,
    ) -> Judgement {
        let seen = Seen {
            replied: self.replied,
            assured: self.assured,
        };
        let (judgement, assured) = match (&mut self.kind, headers.transport) {
            (Kind::Tcp(state), Transport::Tcp(tcp)) => {
                state.update(packet, headers, &tcp, direction, seen, settings)
            }
            (Kind::Udp(state), Transport::Udp(udp)) => state.update(headers, &udp, seen, now),
            (Kind::Icmp, Transport::Icmp(message)) => (icmp::update(&message), false),
            (Kind::Gre(state), Transport::Other) => state.update(seen),
            (Kind::Generic, Transport::Other) => (Judgement::Pass, false),
            _ => (Judgement::Invalid(Invalid::Malformed), false),
        };
        self.assured |= assured;
        // `nf_conntrack_in`: an answer counts as seen only after it was judged.
        self.replied |= direction == Direction::Reply && judgement.belongs();
        judgement
    }

    /// Seconds that the last packet judged [`Judgement::Pass`], or the first
    /// packet, gave the connection.
    pub fn timeout(&self, timeouts: &Conntrack) -> u32 {
        match &self.kind {
            Kind::Tcp(tcp) => tcp.timeout(timeouts),
            Kind::Udp(udp) => udp.timeout(timeouts),
            Kind::Icmp => timeouts.icmp,
            Kind::Gre(gre) => gre.timeout(timeouts),
            Kind::Generic => timeouts.generic,
        }
    }

    /// The deadline after `judgement` of a packet at `now`, where it was
    /// `current` before.
    pub fn deadline(
        &self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &Conntrack,
    ) -> Nanos {
        match (judgement, &self.kind) {
            (Judgement::Pass, _) => now.after_seconds(self.timeout(timeouts)),
            (Judgement::Invalid(_), Kind::Tcp(tcp)) if self.assured => {
                tcp.deadline_after_invalid(current, now, timeouts)
            }
            (Judgement::Invalid(_) | Judgement::Ignored, _) => current,
            (Judgement::Ends | Judgement::Reopen, _) => now,
        }
    }

    /// Seconds that a packet gives a NAT session (SEMANTICS §9).
    pub fn nat_timeout(&self, timeouts: &NatTimeouts) -> u32 {
        match self.phase() {
            Phase::TcpHalfOpen => timeouts.tcp_half_open,
            Phase::TcpEstablished => timeouts.tcp_established,
            Phase::TcpClosing => timeouts.tcp_closing,
            Phase::Udp | Phase::Other => timeouts.udp,
            Phase::Icmp => timeouts.icmp,
        }
    }

    /// As [`deadline`](Self::deadline), for a NAT session.
    pub fn nat_deadline(
        &self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &NatTimeouts,
    ) -> Nanos {
        match judgement {
            Judgement::Pass => now.after_seconds(self.nat_timeout(timeouts)),
            Judgement::Invalid(_) | Judgement::Ignored => current,
            Judgement::Ends | Judgement::Reopen => now,
        }
    }

    /// How far the connection has come.
    pub fn phase(&self) -> Phase {
        match &self.kind {
            Kind::Tcp(tcp) => tcp.phase(self.replied),
            Kind::Udp(_) => Phase::Udp,
            Kind::Icmp => Phase::Icmp,
            Kind::Gre(_) | Kind::Generic => Phase::Other,
        }
    }

    /// Whether a packet in the reply direction was seen.
    pub fn replied(&self) -> bool {
        self.replied
    }

    /// Whether the kernel would spare it when its table is full.
    pub fn assured(&self) -> bool {
        self.assured
    }

    /// The state as people know it: TCP's by the kernel's names, others
    /// `UNREPLIED`, `REPLIED` or `ASSURED`.
    pub fn state_name(&self) -> &'static str {
        match &self.kind {
            Kind::Tcp(tcp) => tcp.state().name(),
            _ if self.assured => "ASSURED",
            _ if self.replied => "REPLIED",
            _ => "UNREPLIED",
        }
    }
}

/// What was known of a connection before the packet under judgement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// A packet in the reply direction.
    pub(super) replied: bool,
    /// Enough traffic to be worth keeping.
    pub(super) assured: bool,
}
