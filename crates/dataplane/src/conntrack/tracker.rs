//! The protocol state machine of one connection, whatever its protocol.

use super::flags::{Flag, Flags};
use super::generic::Gre;
use super::judgement::{Invalid, Judgement, Opening, Settings};
use super::tcp::Tcp;
use super::tcp_segment::Segment;
use super::udp::Udp;
use super::{Direction, icmp};
use crate::Nanos;
use vpcsim_network::{Conntrack, NatTimeouts};
use vpcsim_packet::{Headers, Protocol, Shape, Transport};

/// The protocol state of one connection, as nf_conntrack keeps it.
///
/// Later fragments and ICMP errors never reach a tracker: the first take the
/// way of their first fragment, the second that of the packet they quote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tracker(Kind);

// With its deadline it fills one cache line.
const _: () = assert!(size_of::<Tracker>() <= 56);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Tcp(Tcp),
    Udp(Udp),
    Icmp(Flags),
    Gre(Gre),
    Generic(Flags),
}

/// A packet in the reply direction was seen before the one under judgement.
pub(super) const REPLIED: Flag = Flag::bit(0);
/// There was enough traffic for the kernel to spare the connection when its table is full.
pub(super) const ASSURED: Flag = Flag::bit(1);
/// The first flag that each protocol has for itself.
pub(super) const OWN: u8 = 2;

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
        let opened = match &headers.transport {
            Transport::Tcp(tcp) => return Tcp::open(packet, headers, tcp, settings),
            Transport::Udp(udp) => Udp::open(headers, udp, now).map(Kind::Udp),
            Transport::Icmp(message) => icmp::open(message).map(|()| Kind::Icmp(Flags::default())),
            Transport::Other if headers.protocol == Protocol::GRE => Ok(Kind::Gre(Gre::default())),
            Transport::Other => Ok(Kind::Generic(Flags::default())),
            Transport::LaterFragment => Err(Invalid::NotAnOpening),
        };
        match opened {
            Ok(kind) => Opening::Opens(Self(kind)),
            Err(reason) => Opening::Invalid(reason),
        }
    }

    /// Of a protocol without states: stands where none is known yet.
    pub(crate) fn of_nothing() -> Self {
        Self(Kind::Generic(Flags::default()))
    }

    pub(super) fn of_tcp(tcp: Tcp) -> Self {
        Self(Kind::Tcp(tcp))
    }

    /// What a packet with this connection's key, travelling in `direction`,
    /// means for it. `packet` is read for TCP options only.
    #[inline]
    pub fn update(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        direction: Direction,
        now: Nanos,
        settings: &Settings,
    ) -> Judgement {
        let judgement = match (&mut self.0, &headers.transport) {
            (Kind::Tcp(state), Transport::Tcp(tcp)) => {
                state.update(packet, headers, tcp, direction, settings)
            }
            (Kind::Udp(state), Transport::Udp(udp)) => state.update(headers, udp, now),
            (Kind::Icmp(_), Transport::Icmp(message)) => icmp::update(message),
            (Kind::Gre(state), Transport::Other) => state.update(),
            (Kind::Generic(_), Transport::Other) => Judgement::Pass,
            _ => Judgement::Invalid(Invalid::Malformed),
        };
        // `nf_conntrack_in`: an answer counts as seen only after it was judged.
        if direction == Direction::Reply && judgement.belongs() {
            self.flags_mut().set(REPLIED, true);
        }
        judgement
    }

    #[inline]
    fn flags(&self) -> Flags {
        match &self.0 {
            Kind::Tcp(Tcp { flags, .. })
            | Kind::Udp(Udp { flags, .. })
            | Kind::Gre(Gre { flags })
            | Kind::Icmp(flags)
            | Kind::Generic(flags) => *flags,
        }
    }

    #[inline]
    fn flags_mut(&mut self) -> &mut Flags {
        match &mut self.0 {
            Kind::Tcp(Tcp { flags, .. })
            | Kind::Udp(Udp { flags, .. })
            | Kind::Gre(Gre { flags })
            | Kind::Icmp(flags)
            | Kind::Generic(flags) => flags,
        }
    }

    /// Seconds that the last packet judged [`Judgement::Pass`], or the first
    /// packet, gave the connection.
    #[inline]
    pub fn timeout(&self, timeouts: &Conntrack) -> u32 {
        match &self.0 {
            Kind::Tcp(tcp) => tcp.timeout(timeouts),
            Kind::Udp(udp) => udp.timeout(timeouts),
            Kind::Icmp(_) => timeouts.icmp,
            Kind::Gre(gre) => gre.timeout(timeouts),
            Kind::Generic(_) => timeouts.generic,
        }
    }

    /// The deadline after `judgement` of a packet at `now`, where it was
    /// `current` before.
    #[inline]
    pub fn deadline(
        &self,
        judgement: Judgement,
        current: Nanos,
        now: Nanos,
        timeouts: &Conntrack,
    ) -> Nanos {
        match (judgement, &self.0) {
            (Judgement::Pass, _) => now.after_seconds(self.timeout(timeouts)),
            (Judgement::Invalid(_), Kind::Tcp(tcp)) if self.assured() => {
                tcp.deadline_after_invalid(current, now, timeouts)
            }
            (Judgement::Invalid(_) | Judgement::Ignored, _) => current,
            (Judgement::Ends | Judgement::Reopen, _) => now,
        }
    }

    /// Seconds that a packet gives a NAT session (SEMANTICS §9).
    #[inline]
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
    #[inline]
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

    /// Its packets change nothing of it but when it was last seen, or are judged as they come: UDP, and
    /// TCP that is not closing.
    pub(crate) fn can_go_on(&self) -> bool {
        match &self.0 {
            Kind::Tcp(_) => self.phase() != Phase::TcpClosing,
            Kind::Udp(_) => true,
            Kind::Icmp(_) | Kind::Gre(_) | Kind::Generic(_) => false,
        }
    }

    /// Lets a TCP segment of an established connection count, of a packet that was looked at; whether it
    /// passes and leaves the connection so. Else nothing has happened.
    #[inline]
    pub(crate) fn go_on(
        &mut self,
        packet: &[u8],
        shape: &Shape,
        direction: Direction,
        settings: &Settings,
    ) -> bool {
        let Kind::Tcp(tcp) = &mut self.0 else {
            return false;
        };
        let segment = Segment::in_the_middle(packet, shape);
        segment.is_some_and(|segment| tcp.go_on(&segment, direction, settings))
    }

    /// Lets any packet of a connection that [can go on](Self::can_go_on) count: what
    /// [`update`](Self::update) says of it, if it passes and the connection can go on afterwards. Else
    /// nothing has happened.
    pub(crate) fn follow(
        &mut self,
        packet: &[u8],
        headers: &Headers,
        direction: Direction,
        now: Nanos,
        settings: &Settings,
    ) -> bool {
        let mut after = *self;
        let judgement = after.update(packet, headers, direction, now, settings);
        let goes_on = judgement == Judgement::Pass && after.can_go_on();
        if goes_on {
            *self = after;
        }
        goes_on
    }

    /// A packet of a connection came at `now` and was not judged: of UDP nothing else
    /// matters than when the last one came. TCP is judged packet by packet.
    pub(crate) fn seen_at(&mut self, now: Nanos) {
        if let Kind::Udp(udp) = &mut self.0 {
            udp.seen_at(now);
        }
    }

    /// The shortest time, in seconds, that packets can give a connection that can go on, while it can.
    pub(crate) fn least_timeout(&self, timeouts: &Conntrack) -> u32 {
        match &self.0 {
            Kind::Tcp(tcp) => tcp.least_timeout(timeouts),
            Kind::Udp(_) => timeouts.udp.min(timeouts.udp_stream),
            Kind::Icmp(_) | Kind::Gre(_) | Kind::Generic(_) => self.timeout(timeouts),
        }
    }

    /// How far the connection has come.
    #[inline]
    pub fn phase(&self) -> Phase {
        match &self.0 {
            Kind::Tcp(tcp) => tcp.phase(),
            Kind::Udp(_) => Phase::Udp,
            Kind::Icmp(_) => Phase::Icmp,
            Kind::Gre(_) | Kind::Generic(_) => Phase::Other,
        }
    }

    /// Whether a packet in the reply direction was seen.
    pub fn replied(&self) -> bool {
        self.flags().has(REPLIED)
    }

    /// Whether the kernel would spare it when its table is full.
    pub fn assured(&self) -> bool {
        self.flags().has(ASSURED)
    }

    /// The state as people know it: TCP's by the kernel's names, others
    /// `UNREPLIED`, `REPLIED` or `ASSURED`.
    pub fn state_name(&self) -> &'static str {
        match &self.0 {
            Kind::Tcp(tcp) => tcp.state().name(),
            _ if self.assured() => "ASSURED",
            _ if self.replied() => "REPLIED",
            _ => "UNREPLIED",
        }
    }
}
